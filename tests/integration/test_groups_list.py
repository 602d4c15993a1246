"""GET /api/v1/groups: which groups, in which order, page by page; and by label."""
import json
import random
import threading
import urllib.parse

import pytest

from gateway import Gateway


def ask(gw, path="/api/v1/groups", status=200, **params):
    pairs = [(k.rstrip("_") if k != "match" else "match[]", v) for k, vs in params.items()
             for v in (vs if isinstance(vs, list) else [vs])]
    r = gw.get(path + ("?" + urllib.parse.urlencode(pairs) if pairs else ""))
    assert r.status == status, r
    assert r.headers["Content-Type"] == "application/json"
    assert "Access-Control-Allow-Origin" not in r.headers
    return json.loads(r.body)


def groups(gw, **params):
    return ask(gw, **params)["data"]["groups"]


def jobs(gw, **params):
    return [g["labels"]["job"] for g in groups(gw, **params)]


def pages(gw, **params):
    """The pages in turn."""
    cursor = {}
    while True:
        data = ask(gw, **params, **cursor)["data"]
        yield data
        if "next_cursor" not in data:
            return
        cursor = {"cursor": data["next_cursor"]}


def test_empty(gw):
    assert gw.get("/api/v1/groups").text == '{"status":"success","data":{"groups":[],"total":0}}'


def test_all_that_is_known_of_a_group(gw):
    assert gw.put("a/instance/%C3%A4", "x 1\ny 2\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 1\nh_sum 1\n").status == 200
    [g] = groups(gw)
    assert g["labels"] == {"instance": "ä", "job": "a"}
    assert (g["mode"], g["families"], g["series"]) == ("group", 3, 6)
    assert g["bytes"] > 20 and g["push_time"].endswith("Z")
    assert (g["failed"], g["overdue"], g["expired"]) == (False, False, False)
    assert "failure_time" not in g and "failure_reason" not in g and "deadline" not in g
    assert gw.post("a/instance/%C3%A4", "x 1\nx 2\n").status == 400
    [g] = groups(gw)
    assert g["failed"] is True and "was collected before" in g["failure_reason"]
    assert g["failure_time"] >= g["push_time"]
    assert gw.put("a/instance/%C3%A4", "x 1\n").status == 200
    [g] = groups(gw)
    assert (g["failed"], g["families"], g["series"]) == (False, 1, 1)


def test_sums_follow_every_push(database):
    """Series and bytes are kept beside the entries; a restart counts them anew."""
    rng = random.Random(5)
    with Gateway(database=database) as gw:
        for _ in range(200):
            names = rng.sample("abcdef", rng.randrange(4))
            body = "".join(f"{n} 1\n{n}{{l=\"2\"}} 1\n" for n in names)
            (gw.put if rng.random() < 0.3 else gw.post)(f"j{rng.randrange(3)}", body)
        before = groups(gw)
        for g in before:
            text = [x for x in gw.get("/metrics").text.splitlines() if f'job="{g["labels"]["job"]}"' in x]
            assert g["series"] == len(text) - 2
        assert all(g.pop("last_peer") == "127.0.0.1" for g in before)  # not known after a restart
    with Gateway(database=database) as gw:
        assert groups(gw) == before


def test_a_long_text_in_long_keys():
    """A search takes time for its bytes and those of the keys, not for their product: this one took a minute, for which no compressed scrape was answered."""
    with Gateway(database="") as gw:
        for i in range(80):
            assert gw.put("a" * 60000 + f"/i/{i}", "x 1\n").status == 200
        assert jobs(gw, search="a" * 30000 + "b") == []
        assert set(jobs(gw, search="A" * 30000)) == {"a" * 60000}


def test_selectors_and_search(gw):
    for job in "ci-1", "ci-2", "web":
        assert gw.put(f"{job}/team/Alpha", "a{x=\"%s\"} 1\n" % job).status == 200
    assert gw.put("db", "b 1\n").status == 200
    assert jobs(gw, match='{job=~"ci-.*"}') == ["ci-1", "ci-2"]
    assert jobs(gw, match='{team=""}') == ["db"]
    assert sorted(jobs(gw, match=['{job="db"}', '{job="web",team!=""}'])) == ["db", "web"]
    assert sorted(jobs(gw, search="ALPH")) == ["ci-1", "ci-2", "web"]
    assert jobs(gw, search="alph", match='{job!~"ci.*"}') == ["web"]
    assert ask(gw, match='{job=~"ci-.*"}', limit=1)["data"]["total"] == 2
    assert jobs(gw, older_than="1h") == [] and len(jobs(gw, older_than="0")) == 4
    assert gw.post("db", "a{x=\"1\",x=\"2\"} 1\n").status == 400
    assert gw.post("db", "# TYPE a counter\na 1\n").status == 400
    assert jobs(gw, failed="true") == ["db"] and len(jobs(gw, failed="false")) == 3


def test_life(database, tmp_path):
    with Gateway("--push.ttl=10m", database=database) as g:
        assert g.put("a", "a 1\n").status == 200
        [group] = groups(g)
        assert group["deadline"] > group["push_time"] and "expected" not in group
        assert jobs(g, overdue="true") == []


@pytest.mark.parametrize("params,says", [
    ({"match": "{"}, "match[]"),
    ({"match": "up"}, "match[]"),
    ({"older_than": "soon"}, "older_than"),
    ({"failed": "maybe"}, "failed"),
    ({"limit": "0"}, "limit"),
    ({"limit": "1001"}, "limit"),
    ({"sort": "name"}, "sort"),
    ({"cursor": "abc"}, "cursor"),
    ({"cursor": ""}, "cursor"),
    ({"match": ["{}"] * 17}, "match[]"),
    ({"match": '{job=~"("}'}, "match[]"),
    ({"x": "%"}, None),
])
def test_bad_input(shared, params, says):
    if says is None:
        assert shared.get("/api/v1/groups?x=%").status == 400
        return
    answer = ask(shared, status=400, **params)
    assert (answer["status"], answer["errorType"]) == ("error", "bad_data")
    assert says in answer["error"]


def test_an_expression_that_takes_too_long(gw):
    assert gw.put("a" * 60, "a 1\n").status == 200
    answer = ask(gw, status=400, match='{job=~"(?=a)(a+)+[^a]"}')
    assert "takes too long" in answer["error"]


def test_an_unknown_parameter_is_a_warning(gw):
    answer = ask(gw, macth="{}")
    assert answer["status"] == "success" and 'unknown parameter "macth"' in answer["warnings"][0]
    assert "warnings" not in ask(gw)


def test_a_cursor_of_another_request(gw):
    for i in range(3):
        gw.put(f"j{i}", "a{j=\"%d\"} 1\n" % i)
    cursor = ask(gw, limit=1)["data"]["next_cursor"]
    assert jobs(gw, cursor=cursor, limit=2) == ["j1", "j2"]
    for other in {"match": "{}"}, {"sort": "-key"}, {"by": "job"}, {"failed": "false"}:
        assert "another request" in ask(gw, status=400, cursor=cursor, **other)["error"]


def test_by_key_means_by_job_first(gw):
    """However the other labels are called, and with one job's name at the beginning of another's."""
    names = ["ci", "ci/instance/a", "ci/zone/a", "ci%00/a/b", "ci-test", "ci-test/instance/0", "web/a/b", "web/instance/0"]
    for i, name in enumerate(random.Random(2).sample(names, len(names))):
        assert gw.put(name, f"a{{n=\"{i}\"}} 1\n").status in (200, 400)
    whole = [g["labels"] for g in groups(gw, limit=1000)]
    assert [g["job"] for g in whole] == sorted(g["job"] for g in whole) and len(whole) >= 7
    assert [g["labels"] for p in pages(gw, limit=3) for g in p["groups"]] == whole
    assert [g["labels"] for g in groups(gw, sort="-key")] == whole[::-1]


@pytest.mark.parametrize("sort", ["key", "-key", "age", "-age", "series", "-series", "bytes", "-bytes", "failed", "-failed"])
def test_orders(gw, sort):
    names = [f"j{i:02}" for i in range(23)]
    random.Random(1).shuffle(names)
    for i, name in enumerate(names):
        assert gw.put(name, "".join(f"m{k}{{j=\"{name}\"}} 1\n" for k in range(i * 7 % 10))).status == 200
        if i % 4 == 0:
            gw.post(name, "a 1\na 2\n")
    whole = groups(gw, sort=sort)
    value = {"key": lambda g: g["labels"]["job"], "age": lambda g: "~".join(map(lambda x: chr(158 - ord(x)), g["push_time"])),
             "series": lambda g: g["series"], "bytes": lambda g: g["bytes"],
             "failed": lambda g: g.get("failure_time", "")}[sort.lstrip("-")]
    values = [value(g) for g in whole]
    assert values == sorted(values, reverse=sort[0] == "-") and len(values) == 23
    paged = list(pages(gw, sort=sort, limit=5))
    assert [g for p in paged for g in p["groups"]] == whole
    assert all(p.get("stable", True) == (sort.lstrip("-") == "key") and p["total"] == 23 for p in paged)
    assert [len(p["groups"]) for p in paged] == [5, 5, 5, 5, 3]


def test_groups_that_stay_are_listed_once(gw):
    """While others come and go, and slots are given out again."""
    for i in range(0, 400, 2):
        assert gw.put(f"x/i/{i:03}", f"a{{i=\"{i}\"}} 1\n").status == 200
    stop = threading.Event()

    def change():
        c = gw.connect()
        i = 1
        while not stop.is_set():
            gw.request("PUT", f"/metrics/job/x/i/{i:03}", f"b{{i=\"{i}\"}} 1\n", connection=c)
            gw.request("DELETE", f"/metrics/job/x/i/{(i * 7 + 140) % 400 | 1:03}", connection=c)
            i = (i + 2) % 400
        c.close()

    t = threading.Thread(target=change)
    t.start()
    try:
        for _ in range(20):
            seen = [g["labels"]["i"] for p in pages(gw, limit=17) for g in p["groups"]]
            assert seen == sorted(seen) and len(set(seen)) == len(seen)
            assert [i for i in seen if int(i) % 2 == 0] == [f"{i:03}" for i in range(0, 400, 2)]
    finally:
        stop.set()
        t.join()


def test_by_label(gw):
    for i in range(10):
        assert gw.put(f"j{i % 3}/i/{i}", "a{i=\"%d\"} 1\n" % i).status == 200
    gw.post("j0/i/0", "a 1\na 2\n")
    data = ask(gw, by="job")["data"]
    assert data["by"] == "job" and data["total"] == 3
    assert [(r["value"], r["count"], r["series"], r["failed"], r["overdue"]) for r in data["rows"]] == \
        [("j0", 4, 4, 1, 0), ("j1", 3, 3, 0, 0), ("j2", 3, 3, 0, 0)]
    assert all(r["oldest"] <= r["newest"] and r["bytes"] > 0 for r in data["rows"])
    assert [r["value"] for r in ask(gw, by="job", sort="-series")["data"]["rows"]] == ["j0", "j1", "j2"]
    assert [r["value"] for r in ask(gw, by="job", sort="-key")["data"]["rows"]] == ["j2", "j1", "j0"]
    assert [(r["value"], r["count"]) for r in ask(gw, by="none")["data"]["rows"]] == [("", 10)]
    assert [[r["value"] for r in p["rows"]] for p in pages(gw, by="i", limit=4)] == \
        [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9"]]
    assert ask(gw, by="job", match='{i=~"[012]"}')["data"]["rows"][0]["count"] == 1


def test_jobs_of_any_bytes(gw):
    """Also those that a separator is made of, at any place. A refused push makes a group, too."""
    rng = random.Random(4)
    names = {"".join(rng.choices(["\0", "\1", "\2", "a", "é"], k=rng.randint(1, 4))) for _ in range(60)} | {"\0", "\0\0", "a\0", "\0\1", "\1\0"}
    c = gw.connect()
    for n, name in enumerate(sorted(names)):
        for path in "", "/i/1":
            body = "x 1\n" if n % 2 else "x 1\nx 1\n"
            gw.request("PUT", "/metrics/job/" + urllib.parse.quote(name, safe="") + path, body, connection=c)
    in_order = [name for name in sorted(names, key=str.encode) for _ in range(2)]
    assert jobs(gw, limit=1000) == in_order and jobs(gw, limit=1000, sort="-key") == in_order[::-1]
    for sort in "key", "-key", "age", "series":
        assert [g["labels"]["job"] for p in pages(gw, sort=sort, limit=1) for g in p["groups"]] == jobs(gw, limit=1000, sort=sort), sort
    assert [s["labels"] for p in pages(gw, limit=7) for s in p["groups"]] == [g["labels"] for g in groups(gw)]
    assert gw.get("/").status == 200 and gw.get("/?sort=-age").status == 200
    assert ask(gw, "/api/v1/groups/sources")["status"] == "success"
    c.close()


def test_methods(shared):
    r = shared.request("PUT", "/api/v1/groups")
    assert (r.status, r.headers["Allow"]) == (405, "DELETE, GET, HEAD, OPTIONS")
    r = shared.request("OPTIONS", "/api/v1/groups")
    assert r.status == 200 and "Access-Control-Allow-Origin" not in r.headers
    assert shared.request("GET", "/api/v1/groups/").headers["Location"] == "/api/v1/groups"


def test_what_has_not_changed_is_not_sent_again(gw):
    """RFC 9110 §13.1.2, on one connection: no content, and no length of any."""
    gw.put("x", "a 1\n")
    c = gw.connect()
    for path in "/api/v1/groups", "/api/v1/groups?by=job":
        first = gw.request("GET", path, connection=c)
        tag = first.headers["ETag"]
        again = gw.request("GET", path, headers={"If-None-Match": tag}, connection=c)
        assert (again.status, again.body, again.headers["ETag"], again.headers["Content-Length"]) == (304, b"", tag, None)
        for same in f"W/{tag}", f'"x", {tag}', "*":  # as a proxy may write it
            assert gw.request("GET", path, headers={"If-None-Match": same}, connection=c).status == 304
        assert gw.request("GET", path, headers={"If-None-Match": '"x"'}, connection=c).body == first.body
    gw.put("y", "b 1\n")
    assert gw.request("GET", path, headers={"If-None-Match": tag}, connection=c).status == 200
    c.close()
