"""POST /api/v1/undo/ID: what a delete has taken comes back as it was, for ten minutes, also after a crash."""
import contextlib
import json
import shutil
import sqlite3
import threading
from datetime import datetime

import pytest

from gateway import Gateway, eventually
from test_groups_delete import delete, fill
from wire import Wire, push


def undo(gw, ident, status=200):
    r = gw.request("POST", f"/api/v1/undo/{ident}")
    assert r.status == status, r
    assert r.headers["Content-Type"] == "application/json" and "Access-Control-Allow-Origin" not in r.headers
    return json.loads(r.body)


def shown(gw):
    """All that a scrape shows of groups, with their times; and their sources."""
    lines = sorted(x for x in gw.get("/metrics").text.splitlines() if 'job="' in x and not x.startswith("#"))
    sources = json.loads(gw.get("/api/v1/groups/sources?limit=1000").body)["data"]["sources"]
    return lines, sorted(sources, key=json.dumps)


def values(gw):
    return [x for x in shown(gw)[0] if x.startswith("a{")]


def count_rows(copy, which):
    """src/store/rows.h has the kinds."""
    with contextlib.closing(sqlite3.connect(copy)) as db:
        return db.execute(f"SELECT count(*) FROM log WHERE {which}").fetchone()[0]


def rows(database, which):
    """After a crash; in a copy, since SQLite would tidy up."""
    copy = database.with_name("copy.db")
    for suffix in "", "-wal":
        shutil.copy(f"{database}{suffix}", f"{copy}{suffix}")
    return count_rows(copy, which)


def rows_by_now(gw, database, which):
    copy = database.with_name("backup.db")
    copy.write_bytes(gw.request("PUT", "/api/v1/admin/backup").body)
    return count_rows(copy, which)


def fill_all_kinds(gw):
    """Plain groups of one push and of several, one that failed, one without values, one that expires, summed ones."""
    fill(gw, ["x/i/1", "x/i/2"])
    assert gw.post("x/i/1", "# HELP h words\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
                            "h_sum 3\nh_count 2\n").status == 200
    assert gw.post("x/i/1", "b{n=\"again\"} 2\n").status == 200
    assert gw.post("x/i/2", "a 1 1\n").status == 400
    assert gw.put("x/i/none", "").status == 200
    assert gw.put("x/i/ttl/__ttl__/1h", "t 1\n").status == 200
    for pid in 1, 2:
        r = gw.request("POST", f"/sum/metrics/job/x/i/sum/pid/{pid}", f"# TYPE c counter\nc {pid}\n")
        assert r.status == 200, r
    r = gw.request("POST", "/sum/metrics/job/x/i/sum/pid/1", "# TYPE c counter\nc 10\n")
    assert r.status == 200
    fill(gw, ["y"])


@pytest.mark.parametrize("crash", [False, True])
def test_all_kinds_of_groups_come_back(database, crash):
    with Gateway(database=database) as g:
        fill_all_kinds(g)
        before = shown(g)
        data = delete(g, match='{job="x"}')["data"]
        assert data["deleted"] == 5 and len(data["undo"]) == 32
        assert {x for x in shown(g)[0] if 'job="x"' in x} == set()
        if crash:
            g.kill()
            with Gateway(database=database) as again:
                after = check_undone(again, data["undo"], before)
        else:
            after = check_undone(g, data["undo"], before)
    with Gateway(database=database) as g:
        assert shown(g) == after
        undo(g, data["undo"], 404)


def check_undone(g, ident, before):
    assert undo(g, ident)["data"] == {"restored": 5, "left_out_total": 0, "left_out": []}
    assert shown(g) == before
    line = g.wait_for_line("a delete was undone")
    assert "groups=5" in line and "left_out=0" in line
    assert "nothing to be undone" in undo(g, ident, 404)["error"]
    assert shown(g) == before
    # They go on as they were: sums are not counted twice, a replaced group is replaced.
    r = g.request("POST", "/sum/metrics/job/x/i/sum/pid/1", "# TYPE c counter\nc 10\n")
    assert r.status == 200
    after = shown(g)
    assert [x for x in after[0] if x.startswith("c{")] == ['c{i="sum",instance="",job="x"} 12']
    g.kill()
    return after


def test_one_family_comes_back(database):
    with Gateway(database=database) as g:
        fill(g, ["x/i/1", "x/i/2", "x/i/3", "x/i/4"])
        assert g.post("x/i/1", "c 1\n").status == 200
        before = shown(g)
        data = delete(g, match='{job="x"}', family="a")["data"]
        assert data["deleted"] == 4
        assert g.post("x/i/2", "a{n=\"x/i/2\"} 7\n").status == 200
        assert g.delete("x/i/3").status == 202
        fill(g, ["x/i/3"])
        g.kill()
    with Gateway(database=database) as g:
        answer = undo(g, data["undo"])["data"]
        assert answer["restored"] == 2 and answer["left_out_total"] == 2
        reasons = {(x["labels"]["i"], x["family"]): x["reason"] for x in answer["left_out"]}
        assert "pushed to meanwhile" in reasons["2", "a"] and "deleted since" in reasons["3", "a"]
        after = shown(g)
        for i in 1, 4:
            assert [x for x in after[0] if f'i="{i}"' in x] == [x for x in before[0] if f'i="{i}"' in x]
        g.kill()
    with Gateway(database=database) as g:
        assert shown(g) == after


@pytest.mark.parametrize("crash", [False, True])
def test_overlapping_deletes_are_undone_newest_first(database, crash):
    """A group that an undo has brought back is the same one for the undo of what went out of it before."""
    with Gateway(database=database) as g:
        assert g.post("f/i/1", "x 1\n").status == 200
        assert g.post("f/i/1", "y 2\n").status == 200
        assert g.put("f/i/2", "x 3\ny 4\nz 5\n").status == 200
        before = shown(g)
        idents = [delete(g, match='{job="f"}', family="y")["data"]["undo"],
                  delete(g, match='{job="f"}')["data"]["undo"]]
        assert undo(g, idents[1])["data"] == {"restored": 2, "left_out_total": 0, "left_out": []}
        idents[1:] = [delete(g, match='{job="f"}', family="x")["data"]["undo"],
                      delete(g, match='{job="f"}', family="z")["data"]["undo"],
                      delete(g, match='{job="f"}')["data"]["undo"]]
        assert shown(g)[0] == []
        g.kill()
    for ident, n in zip(reversed(idents), (2, 1, 2, 2)):
        with Gateway(database=database) as g:
            assert undo(g, ident)["data"] == {"restored": n, "left_out_total": 0, "left_out": []}
            if crash:
                g.kill()
    with Gateway(database=database) as g:
        assert shown(g) == before


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_family_does_not_come_back_into_a_group_that_was_pushed_to(database, method):
    with Gateway(database=database) as g:
        assert g.put("f", "x 1\ny 1\n").status == 200
        ident = delete(g, match='{job="f"}', family="y")["data"]["undo"]
        assert g.request(method, "/metrics/job/f", "x 2\n").status == 200
        before = shown(g)
        answer = undo(g, ident)["data"]
        assert (answer["restored"], answer["left_out_total"]) == (0, 1)
        assert answer["left_out"][0]["family"] == "y" and "pushed to meanwhile" in answer["left_out"][0]["reason"]
        assert shown(g) == before


def test_a_group_does_not_come_back_empty(database):
    """Nothing of it can: it is not counted, and when what was in the way is gone it can be asked for again."""
    with Gateway(database=database) as g:
        assert g.put("x", "# TYPE a gauge\na 1\n").status == 200
        before = shown(g)
        ident = delete(g, match='{job="x"}')["data"]["undo"]
        assert g.put("y", "# TYPE a counter\na 1\n").status == 200
        clash = shown(g)
        answer = undo(g, ident)["data"]
        assert (answer["restored"], [x["family"] for x in answer["left_out"]]) == (0, ["a"])
        assert shown(g) == clash
        assert g.delete("y").status == 202
        assert undo(g, ident)["data"]["restored"] == 1
        assert shown(g) == before
        undo(g, ident, 404)


def test_what_clashes_is_left_out_and_named(database):
    with Gateway("--limits.groups=4", database=database) as g:
        assert g.put("x/i/1", "# TYPE a gauge\na 1\nb 1\n").status == 200
        assert g.put("x/i/2", "c 1\n").status == 200
        r = g.request("POST", "/sum/metrics/job/x/i/3/pid/1", "# TYPE d counter\nd 1\n")
        assert r.status == 200
        data = delete(g, match='{job="x"}')["data"]
        assert g.put("y", "# TYPE a counter\na 1\n# TYPE d gauge\nd 1\n").status == 200
        assert g.put("x/i/2", "c 2\n").status == 200
        answer = undo(g, data["undo"])["data"]
        assert answer["restored"] == 1 and answer["left_out_total"] == 3
        by_group = {x["labels"]["i"]: x for x in answer["left_out"]}
        assert by_group["1"]["family"] == "a" and 'job="y"' in by_group["1"]["reason"]
        assert "family" not in by_group["2"] and "pushed to meanwhile" in by_group["2"]["reason"]
        assert "family" not in by_group["3"] and 'job="y"' in by_group["3"]["reason"]
        lines = [x for x in shown(g)[0] if not x.startswith("push_")]
        assert lines == ['a{instance="",job="y"} 1', 'b{i="1",instance="",job="x"} 1',
                         'c{i="2",instance="",job="x"} 2', 'd{instance="",job="y"} 1']


def test_what_a_rule_denies_by_now_is_left_out(tmp_path, database):
    """As a push of it would be refused: labels, values, names; in the key, in a series, in a summed group; also one family alone."""
    with Gateway(database=database) as g:
        assert g.put("x/i/1", 'a{user_id="7"} 1\nb{mail="me@example.org"} 1\nnohelp 1\n# HELP ok words\n# TYPE ok gauge\nok 1\n').status == 200
        assert g.put("x/user_id/7", "c 1\n").status == 200
        assert g.put("y", 'a{user_id="7"} 1\nc 1\n').status == 200
        for group, label in ("1", "user_id"), ("2", "other"):
            body = f'# HELP s words\n# TYPE s counter\ns{{{label}="7"}} 1\n'
            assert g.request("POST", f"/sum/metrics/job/x/sum/{group}/pid/1", body).status == 200
        idents = [delete(g, match='{job="y"}', family="a")["data"]["undo"], delete(g, match='{job="x"}')["data"]["undo"]]
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"x\",i=\"1\"}'\n  deny_labels: [user_id]\n  deny_values: ['[^@ ]+@[^@ ]+']\n  lint: refuse\n"
                     "- match: '{job=~\".+\"}'\n  deny_labels: [user_id]\n")
    with Gateway(f"--config.file={rules}", database=database) as g:
        answer = undo(g, idents[0])["data"]
        assert (answer["restored"], answer["left_out"][0]["family"]) == (0, "a") and "user_id" in answer["left_out"][0]["reason"]
        answer = undo(g, idents[1])["data"]
        reasons = {(x["labels"].get("i"), x["labels"].get("sum"), x.get("family")): x["reason"] for x in answer["left_out"]}
        assert answer["restored"] == 2 and "me@example.org" not in str(reasons)
        assert set(reasons) == {("1", None, "a"), ("1", None, "b"), ("1", None, "nohelp"), (None, None, None), (None, "1", None)}
        assert "deny_values" in reasons["1", None, "b"] and "lint: refuse" in reasons["1", None, "nohelp"]
        assert all("user_id" in reasons[x] for x in [("1", None, "a"), (None, None, None), (None, "1", None)])
        assert [x for x in shown(g)[0] if not x.startswith("push")] == \
            ['c{instance="",job="y"} 1', 'ok{i="1",instance="",job="x"} 1', 's{instance="",job="x",other="7",sum="2"} 1']


def test_limits_hold(database):
    with Gateway("--limits.groups=4", database=database) as g:
        fill(g, [f"x/i/{i}" for i in range(4)])
        data = delete(g, match='{job="x"}')["data"]
        fill(g, ["y/i/1", "y/i/2", "y/i/3"])
        answer = undo(g, data["undo"])["data"]
        assert answer["restored"] == 1 and answer["left_out_total"] == 3
        assert all("--limits.groups" in x["reason"] for x in answer["left_out"])


def test_ten_minutes(clock, database):
    with Gateway(database=database, env=clock.env) as g:
        fill(g, ["x", "y"])
        first = delete(g, match='{job="x"}')["data"]["undo"]
        clock.pass_by(300)
        second = delete(g, match='{job="y"}')["data"]["undo"]
        clock.pass_by(301)
        undo(g, first, 404)
        undo(g, second)
        assert values(g) == ['a{instance="",job="y",n="y"} 1']


def test_its_time_to_live_goes_on(clock, database):
    """A group that would have expired meanwhile does not come back, to vanish at once."""
    with Gateway(database=database, env=clock.env) as g:
        for name, ttl in ("x/i/short", "60s"), ("x/i/long", "500s"):
            assert g.put(f"{name}/__ttl__/{ttl}", "a 1\n").status == 200
        ident = delete(g, match='{job="x"}')["data"]["undo"]
        clock.pass_by(200)
        answer = undo(g, ident)["data"]
        assert answer["restored"] == 1
        assert [(x["labels"]["i"], x["reason"]) for x in answer["left_out"]] == [("short", "its time to live is over")]
        clock.pass_by(200)
        assert len(values(g)) == 1
        clock.pass_by(101)
        eventually(lambda: not values(g), "it has expired")


@pytest.mark.parametrize("ident", ["", "x", "0" * 31, "0" * 32, "g" * 32, "0" * 32 + "/0"])
def test_there_is_no_such_delete(gw, ident):
    assert undo(gw, ident, 404)["errorType"] == "not_found"


def test_how_it_is_asked_for(gw):
    fill(gw, ["x"])
    assert "undo" not in delete(gw, match='{job="x"}', dry_run="1")["data"]
    assert "undo" not in delete(gw, match='{job="other"}')["data"]
    r = gw.request("GET", "/api/v1/undo/" + "0" * 32)
    assert r.status == 405 and r.headers["Allow"] == "OPTIONS, POST"
    r = gw.request("POST", "/api/v1/undo/" + "0" * 32 + "?dry_run=1")
    assert r.status == 400
    r = gw.request("POST", "/api/v1/undo/" + "0" * 32, headers={"Sec-Fetch-Site": "cross-site"})
    assert r.status == 403


def can_be_undone(gw):
    return json.loads(gw.get("/api/v1/undo").text)["data"]


def test_what_can_be_undone_is_listed(clock, database):
    """Whoever has not seen the answer to a delete finds its id: in the log, among the changes, and, also after a crash, in the list."""
    with Gateway(database=database, env=clock.env) as g:
        assert can_be_undone(g) == {"undo": [], "total": 0}
        fill(g, ["x/i/1", "x/i/2", "y"])
        first = delete(g, match='{job="x"}', family="a")["data"]["undo"]
        clock.pass_by(100)
        second = delete(g, match='{job="y"}')["data"]["undo"]
        assert delete(g, match='{job="none"}')["data"]["deleted"] == 0
        assert f"undo={first}" in g.wait_for_line("a family deleted out of groups") and f"undo={second}" in g.wait_for_line('"groups deleted"')
        changes = json.loads(g.get("/api/v1/changes").text)["data"]["changes"]
        assert [x.get("undo") for x in changes] == [None, second, first]
        newest, oldest = can_be_undone(g)["undo"]
        assert newest["request"].startswith("/api/v1/groups?match") and "family=a" in oldest["request"]
        g.kill()
    with Gateway(database=database, env=clock.env) as g:
        data = can_be_undone(g)
        assert data["total"] == 2 and len(json.loads(g.get("/api/v1/undo?limit=1").text)["data"]["undo"]) == 1
        assert data["undo"] == [{k: v for k, v in x.items() if k != "request"} for x in (newest, oldest)]
        assert [(x["id"], x["groups"], x.get("family")) for x in data["undo"]] == [(second, 1, None), (first, 2, "a")]
        seconds = [[datetime.fromisoformat(x[k].replace("Z", "+00:00")).timestamp() for k in ("time", "until")] for x in data["undo"]]
        assert all(round(until - at) == 600 for at, until in seconds) and 95 < seconds[0][0] - seconds[1][0] < 150
        undo(g, second)
        assert [x["id"] for x in can_be_undone(g)["undo"]] == [first]
        clock.pass_by(501)
        assert can_be_undone(g) == {"undo": [], "total": 0}


def test_without_a_database():
    with Gateway() as g:
        fill(g, ["x"])
        assert "undo" not in delete(g, match='{job="x"}')["data"]
        undo(g, "0" * 32, 404)


def test_a_wipe_is_for_good(database):
    with Gateway("--web.enable-admin-api", database=database) as g:
        fill(g, ["x", "y"])
        ident = delete(g, match='{job="x"}')["data"]["undo"]
        assert g.request("PUT", "/api/v1/admin/wipe").status == 202
        undo(g, ident, 404)
        g.kill()
    with Gateway(database=database) as g:
        undo(g, ident, 404)
        assert shown(g) == ([], [])


def push_many(g, requests):
    """In pieces, each sent before the first of its answers is read."""
    with Wire(g) as w:
        for at in range(0, len(requests), 100):
            w.send(b"".join(requests[at:at + 100]))
            for _ in requests[at:at + 100]:
                assert w.reply("PUT").status == 200


def of_x(g):
    return [x for x in shown(g)[0] if 'job="x"' in x]


@pytest.mark.released
def test_thousands_under_load(database):
    """
    5,000 of 10,000 groups go in one transaction and come back, while others are replaced so often that the log is
    cleaned; and once more over a crash.
    """
    with Gateway("--web.enable-admin-api", database=database) as g:
        push_many(g, [push(f"{'x' if i % 2 else 'y'}/i/{i}", f"a{{n=\"{i}\"}} {i}\n# TYPE h counter\nh{{n=\"{i}\"}} 1\n".encode())
                      for i in range(10000)])
        before = of_x(g)
        assert len(before) == 4 * 5000
        stop = threading.Event()

        def load(n):
            c, i = g.connect(), n
            while not stop.is_set():
                body = f"z{{n=\"{i % 10 * 2}\",pad=\"{'x' * 60000}\"}} 1\n"
                r = g.request("PUT", f"/metrics/job/y/i/{i % 10 * 2}", body, connection=c)
                assert r.status == 200
                i += 7
            c.close()

        threads = [threading.Thread(target=load, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        ident = delete(g, match='{job="x"}', expect=5000)["data"]["undo"]
        assert undo(g, ident)["data"] == {"restored": 5000, "left_out_total": 0, "left_out": []}
        assert of_x(g) == before
        ident = delete(g, match='{job="x"}', expect=5000)["data"]["undo"]
        eventually(lambda: rows_by_now(g, database, "kind = 22") > 0, "cleaning goes over what is kept")
        stop.set()
        for t in threads:
            t.join()
        assert of_x(g) == []
        g.kill()
    assert rows(database, "kind = 21") == 1, "one can be undone, the other was dropped"
    assert rows(database, "kind = 22") > 0, "what was cleaned is kept"
    with Gateway(database=database) as g:
        assert of_x(g) == []
        assert undo(g, ident)["data"]["restored"] == 5000
        assert of_x(g) == before
        g.kill()
    with Gateway(database=database) as g:
        assert of_x(g) == before


def test_one_transaction(database):
    """The rows that end the groups and that say how to undo it are there both, or none is."""
    with Gateway(database=database) as g:
        fill(g, [f"x/i/{i}" for i in range(600)])
        ident = delete(g, match='{job="x"}')["data"]["undo"]
        g.kill()
    assert rows(database, "kind = 5") == rows(database, "kind = 21") == 1
    with Gateway(database=database) as g:
        assert undo(g, ident)["data"]["restored"] == 600
        g.kill()
    assert rows(database, "kind = 23") == 1
