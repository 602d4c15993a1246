"""DELETE /api/v1/groups, and DELETE of a group with all that are within it."""
import gzip
import json
import select
import threading
import urllib.parse

import pytest

from gateway import Gateway, eventually
from roles import Roles
from service_manager import stopped_thread
from test_groups_list import ask, jobs
from wire import Wire, head


def delete(gw, status=200, **params):
    pairs = [("match[]" if k == "match" else k, v) for k, vs in params.items()
             for v in (vs if isinstance(vs, list) else [vs])]
    r = gw.request("DELETE", "/api/v1/groups" + ("?" + urllib.parse.urlencode(pairs) if pairs else ""))
    assert r.status == status, r
    assert r.headers["Content-Type"] == "application/json" and "Access-Control-Allow-Origin" not in r.headers
    return json.loads(r.body)


def fill(gw, names):
    for name in names:
        assert gw.put(name, f"a{{n=\"{name}\"}} 1\nb{{n=\"{name}\"}} 1\n").status == 200


def lines(gw):
    return sorted(x for x in gw.get("/metrics").text.splitlines()
                  if "job=" in x and not x.startswith(("#", "push_", "pushgateway_")))


def test_a_dry_run_changes_nothing(gw):
    fill(gw, ["ci-1", "ci-2", "web"])
    before = gw.get("/metrics").text.split("process_")[0]
    answer = delete(gw, match='{job=~"ci-.*"}', dry_run="1")
    assert answer == {"status": "success", "data": {
        "would_delete": 2, "groups": [{"labels": {"job": "ci-1"}}, {"labels": {"job": "ci-2"}}]}}
    assert gw.get("/metrics").text.split("process_")[0] == before
    assert "groups deleted" not in gw.log


@pytest.mark.parametrize("kept", [True, False])
def test_those_that_match_go(database, kept):
    with Gateway(database=database if kept else "") as g:
        fill(g, ["ci-1", "ci-2", "web", "db/instance/x"])
        data = delete(g, match=['{job=~"ci-.*"}', '{instance!=""}'], expect=3)["data"]
        assert data["deleted"] == 3
        assert [x["labels"] for x in data["groups"]] == \
            [{"instance": "x", "job": "db"}, {"job": "ci-1"}, {"job": "ci-2"}]
        assert jobs(g) == ["web"]
        after = lines(g)
        assert len(after) == 2 and "pushgateway_groups 1\n" in g.get("/metrics").text
        line = g.wait_for_line("groups deleted")
        assert "groups=3" in line and "source=127.0.0.1" in line
        fill(g, ["ci-2"])
        everything = lines(g)
    if kept:
        with Gateway(database=database) as g:
            assert lines(g) == everything and sorted(jobs(g)) == ["ci-2", "web"]


def test_none_is_no_fault(gw):
    fill(gw, ["web"])
    assert delete(gw, match='{job="other"}')["data"] == {"deleted": 0, "groups": []}
    assert delete(gw, match='{job="other"}', expect=0)["data"]["deleted"] == 0


def test_not_as_many_as_expected(gw):
    fill(gw, ["ci-1", "ci-2"])
    for dry in {}, {"dry_run": "1"}:
        answer = delete(gw, status=409, match='{job=~"ci-.*"}', expect=1, **dry)
        assert answer["errorType"] == "conflict" and "2 groups would be deleted" in answer["error"]
    assert len(jobs(gw)) == 2


def test_older_than(gw):
    fill(gw, ["ci-1", "ci-2"])
    assert delete(gw, match='{job=~".+"}', older_than="1h")["data"]["deleted"] == 0
    assert delete(gw, match='{job=~".+"}', older_than="0s", dry_run="1")["data"]["would_delete"] == 2


def test_one_family_of_many_groups(database):
    with Gateway(database=database) as g:
        fill(g, ["ci-1", "ci-2", "web"])
        assert g.put("none", "c 1\n").status == 200
        data = delete(g, match='{job=~".+"}', family="a", expect=3)["data"]
        assert data["deleted"] == 3 and len(data["groups"]) == 3
        assert not any(x.startswith("a{") for x in lines(g)) and len(jobs(g)) == 4
        assert "# TYPE a " not in g.get("/metrics").text
        # The name may have another type now, and comes back with it.
        assert g.post("ci-1", "# TYPE a counter\na 5\n").status == 200
        assert delete(g, match='{job="ci-2"}', family="b")["data"]["deleted"] == 1
        after = lines(g)
    with Gateway(database=database) as g:
        assert lines(g) == after
        assert 'a{instance="",job="ci-1"} 5' in after and len(after) == 4


def test_within_a_group(database):
    with Gateway(database=database) as g:
        fill(g, ["x", "x/a/1", "x/a/1/b/2", "x/c/3", "y/a/1", "y"])
        r = g.request("DELETE", "/metrics/job/x/a/1?recursive=true")
        assert (r.status, r.body) == (202, b"")
        assert sorted(map(str, (x["labels"] for x in ask(g)["data"]["groups"]))) == sorted(map(str, [
            {"job": "x"}, {"c": "3", "job": "x"}, {"a": "1", "job": "y"}, {"job": "y"}]))
        assert g.request("DELETE", "/metrics/job/x?recursive=maybe").status == 400
        assert g.request("DELETE", "/metrics/job/none?recursive=true").status == 202
        assert g.request("DELETE", "/metrics/job/y?recursive=false").status == 202
        assert g.request("DELETE", "/metrics/job/x?recursive=1&anything=%").status == 400
        assert g.request("DELETE", "/metrics/job/none?anything=%").status == 202
        assert len(jobs(g)) == 3
        assert g.request("DELETE", "/metrics/job/x?recursive=1").status == 202
        after = lines(g)
    with Gateway(database=database) as g:
        assert lines(g) == after and jobs(g) == ["y"]


@pytest.mark.parametrize("path", ["/sum/metrics/job/s/pid/1", "/sum/metrics/job/s/pid/77", "/metrics/job/s/__mode__/sum/pid/1",
    "/sum/metrics/job/s", "/add/metrics/job/s"])
def test_nothing_is_within_a_source(path):
    """To end one is no reason to delete what it has counted for."""
    with Gateway(database="") as g:
        for pid in "1", "2":
            assert g.request("POST", f"/sum/metrics/job/s/pid/{pid}", "# TYPE c_total counter\nc_total 5\n").status == 200
        assert g.put("s/zone/a", "x 1\n").status == 200
        r = g.request("DELETE", path + "?recursive=true")
        assert r.status == 400 and "nothing is deleted: recursive=true is for the path of a group" in r.text
        assert 'c_total{instance="",job="s"} 10' in g.get("/metrics").text and len(jobs(g)) == 2
        assert g.request("DELETE", "/metrics/job/s?recursive=true").status == 202 and not jobs(g)


@pytest.mark.parametrize("params,says", [
    ({}, "match[] says which"),
    ({"match": "{}"}, "must not match the empty string"),
    ({"match": '{instnace=""}'}, "must not match the empty string"),
    ({"match": '{job=~".*"}'}, "must not match the empty string"),
    ({"match": ['{job="x"}', '{y=~"a?"}']}, "must not match the empty string"),
    ({"match": '{job="x"}', "dryrun": "1"}, 'unknown parameter "dryrun"'),
    ({"match": '{job="x"}', "sort": "1"}, 'unknown parameter "sort"'),
    ({"match": '{job="x"}', "dry_run": ["1", "0"]}, "more than once"),
    ({"match": '{job="x"}', "dry_run": "yes"}, "dry_run"),
    ({"match": '{job="x"}', "expect": "many"}, "expect"),
    ({"match": '{job="x"}', "family": ""}, "family"),
    ({"match": '{job="x"}', "older_than": "old"}, "older_than"),
    ({"match": "{job=x}"}, "match[]"),
])
def test_bad_input_deletes_nothing(gw, params, says):
    fill(gw, ["x"])
    answer = delete(gw, status=400, **params)
    assert answer["errorType"] == "bad_data" and says in answer["error"]
    assert jobs(gw) == ["x"]


@pytest.mark.parametrize("headers,status", [
    ({}, 202),
    ({"Sec-Fetch-Site": "same-origin"}, 202),
    ({"Sec-Fetch-Site": "none"}, 202),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site", "Origin": "HOST"}, 403),
    ({"Origin": "HOST"}, 202),
    ({"Origin": "https://pg.example:8443"}, 202),
    ({"Origin": "http://pg.example:8443"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
])
def test_pages_of_other_sites(headers, status):
    with Gateway("--web.external-url=https://pg.example:8443/", "--web.enable-admin-api", "--web.enable-lifecycle") as g:
        fill(g, ["x"])
        sent = {k: f"http://{g.host}:{g.port}" if v == "HOST" else v for k, v in headers.items()}
        assert g.request("DELETE", "/metrics/job/y", headers=sent).status == status
        assert g.request("PUT", "/metrics/job/z", "c 1\n", sent).status == (200 if status == 202 else 403)
        r = g.request("DELETE", "/api/v1/groups?match[]={job=%22x%22}", headers=sent)
        assert r.status == (200 if status == 202 else 403)
        assert r.status == 200 or json.loads(r.body)["errorType"] == "forbidden"
        assert g.request("PUT", "/api/v1/admin/wipe", headers=sent).status == status
        assert g.request("GET", "/metrics", headers=sent).status == 200
        assert g.request("GET", "/api/v1/groups", headers=sent).status == 200


def test_pushes_meanwhile(database):
    """A push to a group that goes comes before or after; what is shown in the end is what a restart shows."""
    with Gateway(database=database) as g:
        fill(g, [f"x/i/{i}" for i in range(600)])
        stop, pushed = threading.Event(), []

        def push():
            c, i = g.connect(), 0
            while not stop.is_set():
                r = g.request("POST", f"/metrics/job/x/i/{i % 600}", f"c{{n=\"{i % 600}\"}} 1\n", connection=c)
                assert r.status == 200
                pushed.append(i)
                i += 7
            c.close()

        threads = [threading.Thread(target=push) for _ in range(3)]
        for t in threads:
            t.start()
        for _ in range(20):
            delete(g, match='{i=~"[0-9]*[02468]"}')
            delete(g, match='{i=~"[0-9]*1"}', family="c")
        eventually(lambda: len(pushed) > 20, "others are pushed")
        stop.set()
        for t in threads:
            t.join()
        after = lines(g)
    with Gateway(database=database) as g:
        assert lines(g) == after


def test_all_or_nothing_after_a_crash(database):
    with Gateway(database=database) as g:
        fill(g, [f"x/i/{i}" for i in range(2000)])
        sent = threading.Event()

        def delete_all():
            c = g.connect()
            c.request("DELETE", "/api/v1/groups?match[]={job=%22x%22}")
            sent.set()
            try:
                c.getresponse()
            except OSError:  # the end may come first
                pass
            c.close()

        t = threading.Thread(target=delete_all)
        t.start()
        sent.wait()
        g.kill()
        t.join()
    with Gateway(database=database) as g:
        assert ask(g)["data"]["total"] in (0, 2000)


@pytest.mark.parametrize("query", ["dry_run=1", "dryrun=1", "expect=3", "older_than=1h", "family=a", "match[]={job=%22x%22}", "recursive=true&dry_run=1",
    "recursive=true&dry-run=1", "dry-run=1", "dryRun=1", "DRY", "olderThan=1h", "dry_run=1&x=%zz", "recursive=true&recursive=false",
    "recursive=true&x=1", "&".join(["x=1"] * 300) + "&expect=0", "x=" + "y" * 2000 + "&x=1"])
def test_a_delete_that_means_less_deletes_nothing(query):
    """However it is spelt. Other parameters are ignored, as the Go gateway ignores all."""
    with Gateway("--web.enable-admin-api", database="") as g:
        fill(g, ["x", "x/i/1"])
        r = g.request("DELETE", f"/metrics/job/x?{query}")
        assert r.status == 400 and "nothing is deleted (match[], older_than, family, dry_run and expect are for" in r.text
        assert g.request("PUT", f"/api/v1/admin/wipe?{query}").status == 400
        assert sorted(jobs(g)) == ["x", "x"]
        assert g.request("DELETE", "/metrics/job/x?cache=1").status == 202 and jobs(g) == ["x"]


def test_the_conditions_of_the_list_are_those_of_the_delete(tmp_path):
    """What the page shows with a filter is what goes: of those that are in no conflict, too."""
    config_file = tmp_path / "rules.yml"
    config_file.write_text("rules:\n- match: '{i=\"late\"}'\n  expect_every: 1s\n")
    with Gateway(f"--config.file={config_file}") as g:
        fill(g, ["x/i/1", "x/i/2", "x/i/late", "y/i/1", "y/i/Search-Me"])
        assert g.post("x/i/2", "a 1 1\n").status == 400
        assert g.post("y/i/1", "a 1 1\n").status == 400
        eventually(lambda: len(jobs(g, overdue="true")) == 1, "it is overdue")
        for conditions, n in ({"failed": "true"}, 2), ({"overdue": "true"}, 1), ({"conflict": "true"}, 0), \
                ({"conflict": "false"}, 5), ({"search": "seARCH-m"}, 1), ({"failed": "false", "overdue": "false"}, 2):
            assert len(jobs(g, **conditions)) == n
            assert delete(g, match='{job!=""}', dry_run="1", **conditions)["data"]["would_delete"] == n
        data = delete(g, match='{job="x"}', failed="true")["data"]
        assert [x["labels"] for x in data["groups"]] == [{"i": "2", "job": "x"}]
        assert delete(g, match='{job!=""}', search="search-me")["data"]["deleted"] == 1
        assert delete(g, match='{job!=""}', overdue="true")["data"]["deleted"] == 1
        assert jobs(g) == ["x", "y"]
        assert "match[]" in delete(g, 400, failed="true")["error"]


def test_a_family_of_a_summed_group_stays_and_that_is_said(gw):
    fill(gw, ["x/i/1"])
    assert gw.request("POST", "/sum/metrics/job/x/i/2/pid/1", "a 1\n").status == 200
    assert gw.request("POST", "/sum/metrics/job/y/pid/1", "a 1\n").status == 200
    for n, params in (1, {"dry_run": "1"}), (1, {}), (0, {}):
        data = delete(gw, match='{job="x"}', family="a", expect=n, **params)["data"]
        assert (data["would_delete" if params else "deleted"], data["left_out_total"]) == (n, 1)
        [left] = data["left_out"]
        assert (left["labels"], left["family"]) == ({"i": "2", "job": "x"}, "a")
        assert "summed" in left["reason"] and "end the sources" in left["reason"]
    assert "left_out" not in delete(gw, match='{job="x"}', family="b")["data"]
    assert [x for x in lines(gw) if x.startswith("a{")] == ['a{i="2",instance="",job="x"} 1', 'a{instance="",job="y"} 1']


# ---- of a list ----

def delete_listed(gw, body, status=200, **params):
    query = urllib.parse.urlencode(params)
    r = gw.request("POST", "/api/v1/groups/delete" + (f"?{query}" if query else ""), body)
    assert r.status == status, r
    assert r.headers["Content-Type"] == "application/json" and "Access-Control-Allow-Origin" not in r.headers
    return json.loads(r.body)


def test_a_compressed_list():
    with Gateway(database="") as g:
        fill(g, ["a", "b"])
        r = g.request("POST", "/api/v1/groups/delete", gzip.compress(b"/metrics/job/a\n"), headers={"Content-Encoding": "gzip"})
        assert r.status == 200 and jobs(g) == ["b"]
        r = g.request("POST", "/api/v1/groups/delete", b"/metrics/job/b\n", headers={"Content-Encoding": "gzip"})
        assert r.status == 400 and "gzip" in r.text and jobs(g) == ["b"]
        assert "(without /sum or /add)" in delete_listed(g, "/sum/metrics/job/b\n", 400)["error"]


def test_exactly_those_that_are_listed(database):
    """However many: one transaction, one undo, one line of the log and of the changes."""
    with Gateway(database=database) as g:
        fill(g, ["a", "a/i/1", "a/i/1/k/2", "b/i@base64/eC95", "b/i@base64/=", "c/i/%C3%BC"])
        for i in range(300):
            fill(g, [f"many/i/{i}"])
        body = "".join(f"/metrics/job/many/i/{i}\n" for i in range(300)) + "/metrics/job/many/i/7\r\n\n"
        body += "/metrics/job/a/i/1\n/metrics/job/b/i@base64/eC95\n/metrics/job/b/i@base64/=\n/metrics/job@base64/Yw/i/%C3%BC\n/metrics/job/none/i/1"
        # As long as a push may be.
        body += "".join(f"\n/metrics/job/none/i/{i}" for i in range(20000))
        assert len(body) > 400_000
        assert delete_listed(g, body, dry_run=1)["data"]["would_delete"] == 304
        assert "304" in delete_listed(g, body, 409, expect=305)["error"]
        assert len(jobs(g, limit=1000)) == 306
        data = delete_listed(g, body, expect=304)["data"]
        assert data["deleted"] == 304 and len(data["groups"]) == 100
        assert jobs(g) == ["a", "a"]
        [change] = json.loads(g.get("/api/v1/changes").text)["data"]["changes"]
        assert (change["action"], change["groups"]) == ("delete", 304)
        back = json.loads(g.request("POST", f"/api/v1/undo/{data['undo']}").text)["data"]
        assert (back["restored"], back["left_out_total"]) == (304, 0)
        assert delete_listed(g, "/metrics/job/a\n/metrics/job/a/i/1\n", family="a")["data"]["deleted"] == 2


@pytest.mark.parametrize("body,says", [
    ("", "the body lists no group"), ("\n\r\n", "the body lists no group"),
    ("/metrics/job/a\n/metrics/x\n", "line 2 of the body: not the path of a group"),
    ("a\n", "line 1 of the body: "), ("/metrics/job/a?x=1\n", "line 1 of the body: not the path of a group"),
    ("/metrics/job/a\n/sum/metrics/job/a\n", "line 2 of the body: not the path of a group"),
    ("/metrics/job/a/b\n", "line 1 of the body: odd number of components"),
    ("/metrics/job/a/__ttl__/1s\n", "line 1 of the body: "), ("/metrics/job/%zz\n", "line 1 of the body: "),
    ("/metrics/job/a b\n", "line 1 of the body: ")])
def test_a_bad_list_deletes_nothing(gw, body, says):
    fill(gw, ["a"])
    assert says in delete_listed(gw, body, 400)["error"]
    assert "dryrun" in delete_listed(gw, "/metrics/job/a\n", 400, dryrun=1)["error"]
    assert "match[]" in delete_listed(gw, "/metrics/job/a\n", 400, **{"match[]": '{job="a"}'})["error"]
    assert jobs(gw) == ["a"]


def test_the_thread_that_reads_requests_does_not_read_the_list():
    """A million lines take it longer than a second, and so do 60 KB that are 60 MB when they are decompressed; meanwhile it answers others."""
    request = head("POST", "/api/v1/groups/delete", Content_Length=9) + b"nonsense\n"
    with Gateway("--web.threads=1", database="") as g, Wire(g) as w:
        with stopped_thread(g, "background"):
            w.send(request)
            for _ in range(3):
                assert g.get("/-/healthy").status == 200
            assert not select.select([w.socket], [], [], 0)[0]
        assert w.reply().status == 400


def test_a_line_that_is_longer_than_a_path_may_be():
    with Gateway("--web.max-header-size=2KiB", database="") as g:
        path = "/metrics/job/" + "a" * 1900
        assert g.request("PUT", path, "a 1\n").status == 200
        error = delete_listed(g, path + "b" * 200 + "\n", 413)["error"]
        assert error == "line 1 of the body: the path has 2113 bytes, at most 2048 are allowed (--web.max-header-size)"
        assert delete_listed(g, "\n" * 1000 + path + "\n")["data"]["deleted"] == 1


def test_whoever_may_not_delete_one_of_the_list_deletes_none(tmp_path, database):
    entries = ["{who: [team], may: [delete, push, read], match: '{job=~\"team-.*\"}'}", "{who: [all], may: [delete, push, read]}"]
    with Roles(tmp_path, entries, ["team", "all"], database=database) as g:
        for job in "team-1", "team-2", "other":
            assert g.by("all", "PUT", f"/metrics/job/{job}", "a 1\n").status == 200
        r = g.by("team", "POST", "/api/v1/groups/delete", "/metrics/job/team-1\n/metrics/job/other\n")
        assert r.status == 403 and "other" in json.loads(r.text)["error"]
        r = g.by("team", "POST", "/api/v1/groups/delete", "/metrics/job/team-1\n/metrics/job/team-2\n")
        assert r.status == 200 and json.loads(r.text)["data"]["deleted"] == 2
