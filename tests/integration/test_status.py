"""What operators and tools ask the gateway about itself: health, status JSON, log formats."""
import json
import re
from datetime import datetime, timezone

import pytest

from gateway import Gateway, eventually

CORS = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Origin",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Date",
    "Cache-Control": "no-cache, no-store, must-revalidate",
}


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
def test_healthy_and_ready(shared, path):
    reply = shared.get(path)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"OK", "text/plain; charset=utf-8")
    assert reply.headers["X-Content-Type-Options"] is None


def test_status():
    begin = datetime.now(timezone.utc)
    with Gateway("--limits.body-size=1MiB", "--web.idle-timeout=90s", listen=["127.0.0.1:0", "[::1]:0"],
                 env={"TZ": "UTC"}) as g:
        reply = g.get("/api/v1/status")
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "application/json"
        for name, value in CORS.items():
            assert reply.headers[name] == value
        assert not reply.text.endswith("\n") and ": " not in reply.text.replace("Date: ", "")
        status = json.loads(reply.text)
        assert list(status) == ["status", "data"] and status["status"] == "success"
        data = status["data"]
        assert list(data) == ["build_information", "database", "flags", "limits", "memory", "start_time", "stored"]
        assert list(data["build_information"]) == ["branch", "buildDate", "buildUser", "goVersion", "revision", "version"]
        flags = data["flags"]
        assert list(flags) == sorted(flags) and all(isinstance(v, str) for v in flags.values())
        assert flags["web.listen-address"] == "127.0.0.1:0,[::1]:0"
        assert flags["limits.body-size"] == "1MiB"
        assert flags["web.idle-timeout"] == "1m30s"
        assert flags["persistence.file"] == "" and flags["log.level"] == "info"
        assert "help" not in flags and "version" not in flags
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", data["start_time"])
        started = datetime.fromisoformat(data["start_time"][:19] + "+00:00")
        assert -1 <= (started - begin).total_seconds() < 60


def test_status_in_another_time_zone():
    with Gateway(env={"TZ": "ABC-05:30"}) as g:
        start = json.loads(g.get("/api/v1/status").text)["data"]["start_time"]
        assert start.endswith("+05:30")


def test_status_of_odd_flag_values(tmp_path):
    file = tmp_path / 'a"b\\c<d>&\u2028é.db'
    with Gateway(database=file) as g:
        text = g.get("/api/v1/status").text
        assert json.loads(text)["data"]["flags"]["persistence.file"] == str(file)
        assert "\\u003cd\\u003e\\u0026\\u2028" in text


def test_options_of_the_api_is_cors(shared):
    reply = shared.request("OPTIONS", "/api/v1/status")
    assert (reply.status, reply.body, reply.headers["Allow"]) == (200, b"", None)
    for name, value in CORS.items():
        assert reply.headers[name] == value
    for reply in (shared.get("/api/v1/nope"), shared.request("PUT", "/api/v1/status")):
        assert reply.status in (404, 405)
        assert not set(CORS) & set(reply.headers)


def bad_push(g):
    """One of each of the lines that pushes cause, with what must not break a line."""
    g.put("x/%0A%22%7F/v", "a 1\n")
    g.put("x", 'a "\t\x00\n')
    g.put("x", 'a{x="q\\n\\"\x1b[31m é"} 1 5\n')


MESSAGES = ["failed to parse URL", "failed to parse text", "pushed metrics are invalid or inconsistent with existing metrics"]


def test_logfmt():
    with Gateway() as g:
        bad_push(g)
        lines = g.wait_for_log(lambda seen: [x for x in seen if "logged_source=" in x][2:] and
                               [x for x in seen if "logged_source=" in x], "three lines")
        pair = r'[a-z_0-9]+=("([^"\\]|\\.)*"|[^\s"=]*)'
        for line in lines:
            assert re.fullmatch(rf"{pair}( {pair})*", line), line
            assert line.isprintable()
        assert [re.search(r'msg="([^"]*)"', x)[1] for x in lines] == MESSAGES
        assert ["level=" + x for x in ("warn", "warn", "error")] == [x.split()[1] for x in lines]
        assert all(re.search(r" logged_source=127\.0\.0\.1:\d+ ", x) for x in lines)
        assert "method=PUT" in lines[2]


def test_json():
    with Gateway("--log.format=json") as g:
        bad_push(g)
        lines = g.wait_for_log(lambda seen: [x for x in seen if "logged_source" in x][2:] and seen, "three lines")
        objects = [json.loads(line) for line in lines]
        for o in objects:
            assert list(o)[:4] == ["ts", "level", "caller", "msg"]
            assert all(isinstance(v, str) for k, v in o.items() if k not in ("status", "times"))
        assert [o["msg"] for o in objects if "logged_source" in o] == MESSAGES
        assert objects[-1]["err"].startswith(MESSAGES[2])


def test_ipv6_peers_are_logged_with_brackets():
    with Gateway(listen="[::1]:0") as g:
        g.put("x", "a\n")
        assert re.search(r"logged_source=\[::1\]:\d+", g.wait_for_line("failed to parse text"))


def stored(gw):
    data = json.loads(gw.get("/api/v1/status").text)["data"]
    return data["stored"], {limit.get("flag"): limit for limit in data["limits"]}, data["database"]


def test_limits_are_own_metrics(gw):
    """The same numbers as in /api/v1/status."""
    assert gw.put("x", "a 1\n").status == 200
    shown = {(name, limit): float(value) for name, limit, value in
             re.findall(r'^(pushgateway_limit\w*)\{limit="([a-z.-]+)"\} (\S+)$', gw.get("/metrics").text, re.M)}
    limits = stored(gw)[1]
    assert len(shown) == 2 * len(limits)
    for flag, limit in limits.items():
        assert shown["pushgateway_limit", flag or "memory"] == limit["limit"]
    assert shown["pushgateway_limit_used", "limits.groups"] == 1 and shown["pushgateway_limit_used", "limits.series"] == 3
    assert shown["pushgateway_limit_used", "memory"] > 1e6


def test_what_is_stored_is_counted(database, tmp_path):
    """Groups in the states that somebody should look at, through changes, a restart and a deletion."""
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"late\"}'\n  expect_every: 1s\n")
    flags = [f"--config.file={rules}", "--limits.groups=1000"]
    with Gateway(*flags, database=database) as g:
        assert stored(g)[0] == {"groups": 0, "series": 0, "families": 0, "failed": 0, "overdue": 0, "conflict": 0} | {
            "families": stored(g)[0]["families"]}
        assert g.put("good", "# TYPE a gauge\na 1\n").status == 200
        assert g.put("late", "b 1\n").status == 200
        for job in "bad", "worse":
            assert g.put(job, "# TYPE a counter\na 1\n").status == 400
        eventually(lambda: stored(g)[0]["overdue"] == 1, "the group is overdue")
        counts, limits, file = stored(g)
        assert (counts["groups"], counts["failed"], counts["overdue"]) == (4, 2, 1)
        assert (limits["limits.groups"]["used"], limits["limits.groups"]["limit"]) == (4, 1000)
        assert all(0 <= limit["used"] <= limit["limit"] for limit in limits.values())
        assert file["bytes"] > 0
        assert g.put("bad", "c 1\n").status == 200
        assert stored(g)[0]["failed"] == 1
    with Gateway(*flags, database=database) as g:
        assert stored(g)[0]["failed"] == 1
        eventually(lambda: stored(g)[0]["overdue"] == 1, "the group is overdue")
        for job in "worse", "late":
            assert g.delete(job).status == 202
        assert (stored(g)[0]["groups"], stored(g)[0]["failed"], stored(g)[0]["overdue"]) == (2, 0, 0)


def test_a_gateway_without_a_database_says_so(shared):
    assert stored(shared)[2] == {"in_memory": True}
