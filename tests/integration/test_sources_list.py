"""GET /api/v1/groups/sources: the contributions of summed groups, page by page."""
import json
import urllib.parse

from gateway import Gateway, eventually

START = 1732620000


def ask(gw, status=200, **params):
    r = gw.get("/api/v1/groups/sources?" + urllib.parse.urlencode(
        [(k + "[]" if k == "match" else k, v) for k, vs in params.items() for v in (vs if isinstance(vs, list) else [vs])]))
    assert r.status == status, r
    return json.loads(r.body)["data"] if status == 200 else json.loads(r.body)["error"]


def push(gw, path, text="# TYPE c_total counter\nc_total 1\nd_total 2\n", status=200):
    r = gw.request("POST", path, text)
    assert r.status == status, r.text


def test_none(gw):
    gw.put("plain", "a 1\n")
    assert ask(gw) == {"sources": [], "total": 0}


def test_what_is_said_of_a_source(gw):
    push(gw, f"/sum/metrics/job/j/instance/h/pid/1/__start__/{START}.25")
    push(gw, "/sum/metrics/job/j/__source__/4711/__start__/1732620000/__final__/1", "# TYPE c_total counter\nc_total 1\n")
    push(gw, "/sum/metrics/job/k", f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {START}\n# TYPE c_total counter\nc_total 1\n")
    push(gw, "/sum/metrics/job/k/pid/2", "# TYPE c_total counter\nc_total 1\n")
    push(gw, "/sum/metrics/job/k/pid/2", "# TYPE c_total counter\nc_total -1\n", 400)
    data = ask(gw)
    assert data["total"] == 4 and "next_cursor" not in data
    by = {(s["group"]["job"], json.dumps(s["source"])): s for s in data["sources"]}
    assert set(by) == {("j", '{"instance": "h", "pid": "1"}'), ("j", '{"__source__": "4711"}'), ("k", "{}"), ("k", '{"pid": "2"}')}
    s = by["j", '{"instance": "h", "pid": "1"}']
    assert (s["group"], s["mode"], s["start"]) == ({"job": "j"}, "sum", "2024-11-26T11:20:00.250Z")
    assert (s["live"], s["ended"], s["failed"], s["series"]) == (True, False, False, 2)
    assert s["push_time"] > "2026" and "failure_time" not in s
    s = by["j", '{"__source__": "4711"}']
    assert s["ended"] and not s["live"] and s["start"] == "2024-11-26T11:20:00.000Z"
    s = by["k", '{"pid": "2"}']
    assert "start" not in s
    assert s["failed"] and "c_total" in s["failure_reason"] and s["failure_time"] >= s["push_time"]
    assert 'pushgateway_group_failing_sources{instance="",job="k"} 1\n' in gw.get("/metrics").text


def test_what_cannot_be_the_time_of_a_start(gw):
    """A process is not told from the one before by it, and the source has no start."""
    for value in ("1e300", "-1e300", "1e17", "1.7e12", "-5", "0", "NaN"):
        push(gw, "/sum/metrics/job/j/pid/1", f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {value}\n"
             "# TYPE c_total counter\nc_total 1\n")
    (source,) = ask(gw)["sources"]
    assert source["source"] == {"pid": "1"} and "start" not in source


def test_pages(database):
    with Gateway(database=database) as g:
        for job in ("a", "b", "c"):
            for pid in (2, 0, 1, 3, 4, 5, 6):
                push(g, f"/sum/metrics/job/{job}/pid/{pid}")
        push(g, "/add/metrics/job/added")
        g.put("plain", "a 1\n")
    with Gateway(database=database) as g:
        for limit in (1, 5, 7, 14, 100):
            seen, cursor = [], {}
            while True:
                data = ask(g, match='{job=~"a|c|plain"}', limit=limit, **cursor)
                assert data["total"] == 14
                seen += [(s["group"]["job"], s["source"]["pid"]) for s in data["sources"]]
                if "next_cursor" not in data:
                    break
                assert len(data["sources"]) == limit
                cursor = {"cursor": data["next_cursor"]}
            assert seen == [(job, str(pid)) for job in "ac" for pid in (2, 0, 1, 3, 4, 5, 6)], "in the order in which they came"
        assert ask(g, match=['{job="a"}', '{job="b"}'])["total"] == 14
        more = ask(g, limit=3)["next_cursor"]
        assert "cursor" in ask(g, 400, match='{job="a"}', cursor=more), "it is of another request"
        assert g.get(f"/api/v1/groups?limit=3&cursor={more}").status == 400, "it is of another list"
        assert "selector" in ask(g, 400, match="job")
        assert "limit" in ask(g, 400, limit=1001)


def pids(data):
    return [int(s["source"]["pid"]) for s in data["sources"]]


def test_a_cursor_goes_on_whoever_comes_and_goes(gw):
    for pid in range(9):
        push(gw, f"/sum/metrics/job/j/pid/{pid}")
    push(gw, "/sum/metrics/job/k/pid/9")
    data = ask(gw, limit=4)
    assert pids(data) == [0, 1, 2, 3] and data["total"] == 10
    for pid in (0, 3, 4, 6):
        # It has no start: it is folded at once.
        assert gw.request("DELETE", f"/sum/metrics/job/j/pid/{pid}").status == 202
    push(gw, "/sum/metrics/job/j/pid/10")
    data = ask(gw, limit=4, cursor=data["next_cursor"])
    assert pids(data) == [5, 7, 8, 10]
    data = ask(gw, limit=4, cursor=data["next_cursor"])
    assert pids(data) == [9] and "next_cursor" not in data
    first = ask(gw, limit=1)["next_cursor"]
    assert gw.delete("j").status == 202
    assert pids(ask(gw, cursor=first)) == [9], "its group has gone"


def test_the_order_outlives_a_restart(database):
    order = [5, 1, 4, 2, 3]
    with Gateway(database=database) as g:
        for pid in order:
            push(g, f"/sum/metrics/job/j/pid/{pid}")
        for pid in (1, 5):
            push(g, f"/sum/metrics/job/j/pid/{pid}", "# TYPE c_total counter\nc_total 2\nd_total 2\n")
        more = ask(g, limit=2)["next_cursor"]
    with Gateway(database=database) as g:
        assert pids(ask(g)) == order
        assert pids(ask(g, limit=2, cursor=more)) == [4, 2]


def test_silent_and_deleted(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{}'\n  mode: sum\n  source_ttl: 200ms\n")
    with Gateway(f"--config.file={rules}") as g:
        push(g, f"/metrics/job/j/pid/1/__start__/{START}")
        eventually(lambda: [s["live"] for s in ask(g)["sources"]] == [False], "it is silent")
        assert g.delete("j").status == 202
        assert ask(g)["total"] == 0
