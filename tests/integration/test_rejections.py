"""GET /api/v1/rejections, /api/v1/changes and /api/v1/status/cardinality."""
import json
import signal

import pytest

from gateway import Gateway, eventually


def data(gw, path, status=200):
    r = gw.get(path)
    assert r.status == status, r
    assert "Access-Control-Allow-Origin" not in r.headers
    answer = json.loads(r.body)
    return answer["data"] if status == 200 else answer


def test_refused_pushes(gw):
    assert data(gw, "/api/v1/rejections") == {"rejections": [], "total": 0}
    assert gw.put("x", "a 1\na 1\n").status == 400
    assert gw.put("x", 'a{="1"} <b>\n').status == 400
    assert gw.put("x/__a/b", "a 1\n").status == 400
    assert gw.put("x", b"\xff\n" + b"a 1\n" * 200).status == 400
    got = data(gw, "/api/v1/rejections")
    assert got["total"] == 4
    last, path, syntax, twice = got["rejections"]
    assert twice["status"] == 400 and twice["method"] == "PUT" and twice["path"] == "/metrics/job/x"
    assert "collected before" in twice["reason"] and twice["body"] == "a 1\na 1\n"
    assert 'job="x"' in twice["group"] and twice["peer"].startswith("127.0.0.1")
    assert syntax["body"] == 'a{="1"} <b>\n' and "user" not in syntax
    assert path["path"] == "/metrics/job/x/__a/b"
    assert last["body"].startswith("\ufffd\na 1\n") and len(last["body"].encode()) < 300
    assert last["time"] >= twice["time"]
    assert len(data(gw, "/api/v1/rejections?limit=2")["rejections"]) == 2
    for bad in "limit=0", "limit=1001", "limit=x":
        assert data(gw, "/api/v1/rejections?" + bad, 400)["errorType"] == "bad_data"


def test_limits_are_rejections():
    with Gateway("--limits.series-per-push=1", "--limits.groups=1", database="") as g:
        assert g.put("x", "a 1\nb 1\n").status == 413
        assert g.put("x", "a 1\n").status == 200
        assert g.put("y", "a{y=\"1\"} 1\n").status == 507
        assert [r["status"] for r in data(g, "/api/v1/rejections")["rejections"]] == [507, 413]


def test_nobody_floods_the_list():
    with Gateway("--web.trusted-proxies=127.0.0.0/8", database="") as g:
        for client, times in ("192.0.2.1", 3), ("192.0.2.2", 60), ("192.0.2.1", 2):
            for i in range(times):
                assert g.put("x", f"{client}-{i}\n", **{"X-Forwarded-For": client}).status == 400
        bodies = [r["body"] for r in data(g, "/api/v1/rejections?limit=1000")["rejections"]]
        assert len(bodies) == 55
        assert [b for b in bodies if "2.1-" in b] == [f"192.0.2.1-{i}\n" for i in (1, 0, 2, 1, 0)]
        assert [b for b in bodies if "2.2-" in b] == [f"192.0.2.2-{i}\n" for i in range(59, 9, -1)]


def test_changes(gw):
    gw.put("a", "a 1\n")
    gw.put("b", "b 1\n")
    assert gw.delete("a").status == gw.delete("a").status == 202
    assert gw.request("DELETE", "/api/v1/groups?match[]={job=%22b%22}").status == 200
    got = data(gw, "/api/v1/changes")
    assert got["total"] == 3
    assert [(c["action"], c["groups"]) for c in got["changes"]] == [("delete", 1), ("delete", 0), ("delete", 1)]
    assert got["changes"][2]["request"] == "/metrics/job/a"
    assert len(data(gw, "/api/v1/changes?limit=1")["changes"]) == 1
    assert data(gw, "/api/v1/changes?limit=0", 400)["errorType"] == "bad_data"


def test_all_kinds_of_changes(database, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"x\"}'\n  ttl: 1h\n")
    with Gateway("--web.enable-admin-api", f"--config.file={rules}", database=database) as g:
        g.put("a", "a 1\n")
        g.put("b", "b 1\n")
        assert g.request("POST", "/sum/metrics/job/s/pid/1", "# TYPE c counter\nc 1\n").status == 200
        answer = json.loads(g.request("DELETE", "/api/v1/groups?match[]={job=~%22a%7Cs%22}").body)["data"]
        assert g.request("POST", f"/api/v1/undo/{answer['undo']}").status == 200
        assert g.request("DELETE", "/sum/metrics/job/s/pid/1").status == 202
        g.signal(signal.SIGHUP)
        g.wait_for_line("configuration reloaded")
        eventually(lambda: data(g, "/api/v1/changes")["total"] == 4, "the reload is listed")
        assert g.request("PUT", "/api/v1/admin/wipe").status == 202
        got = [(c["action"], c["peer"].split(":")[0], c["groups"]) for c in data(g, "/api/v1/changes")["changes"]]
    # The end of a source ends no group.
    assert got == [("wipe", "127.0.0.1", 3), ("reload", "SIGHUP", 0), ("delete", "127.0.0.1", 0),
                   ("undo", "127.0.0.1", 2), ("delete", "127.0.0.1", 2)]


def test_cardinality(gw):
    gw.put("a/instance/x", "".join(f'm{{l="{i}",k="\\"q{i % 2}"}} 1\n' for i in range(10)))
    gw.put("b", "n 1\n")
    got = data(gw, "/api/v1/status/cardinality")
    families = {f["name"]: f["series"] for f in got["families"]}
    assert families["m"] == 10 and families["n"] == 1 and families["push_time_seconds"] == 2
    assert got["families"][0]["name"] == "m" and got["families"][0]["bytes"] > 100
    labels = {x["name"]: (x["series"], x["values"]) for x in got["labels"]}
    assert labels == {"job": (15, 2), "instance": (15, 2), "l": (10, 10), "k": (10, 2)}
    assert got["label_values"][0]["name"] == "l"
    assert [(j["name"], j["series"], j["groups"]) for j in got["jobs"]] == [("a", 10, 1), ("b", 1, 1)]
    assert [(g["labels"], g["series"]) for g in got["groups"]] == [({"instance": "x", "job": "a"}, 10), ({"job": "b"}, 1)]
    assert got["totals"]["labels"] == 4 and got["totals"]["jobs"] == 2
    assert len(data(gw, "/api/v1/status/cardinality?limit=1")["families"]) == 1
    assert data(gw, "/api/v1/status/cardinality?sort=bytes")["jobs"][0]["name"] == "a"
    for bad in "limit=0", "limit=1001", "sort=name":
        assert data(gw, "/api/v1/status/cardinality?" + bad, 400)["errorType"] == "bad_data"


@pytest.mark.parametrize("path", ["/api/v1/rejections", "/api/v1/changes", "/api/v1/status/cardinality"])
def test_methods(shared, path):
    r = shared.request("DELETE", path)
    assert (r.status, r.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
