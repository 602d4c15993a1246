"""/dry-run/metrics/job/...: the verdict of a push, and nothing else of it."""
import contextlib
import gzip
import json
import random
import sqlite3
import zlib

import pytest

from exposition import scrape
from gateway import Gateway

RULES = """\
rules:
- match: '{job="denied"}'
  deny_labels: [user_id]
  deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+']
- match: '{job="warned"}'
  lint: warn
- match: '{job="refused"}'
  lint: refuse
- match: '{job="by_rule"}'
  mode: sum
  limits: {series: 4}
"""
FLAGS = ["--limits.groups=8", "--limits.series=60", "--limits.series-per-push=6"]
# What a request of any kind moves, and what is counted in the background now and then.
MOVES = ("pushgateway_lint_findings", "process_", "pushgateway_limit_used", "pushgateway_receiving_bytes", "pushgateway_reply_bytes", "pushgateway_connections",
         "pushgateway_http_requests_total{code=")
PATHS = ["/metrics/job/a", "/metrics/job/b", "/metrics/job/c/instance/i", "/metrics/job/denied", "/metrics/job/warned", "/metrics/job/refused",
         "/metrics/job/by_rule/pid/1", "/metrics/job/by_rule", "/sum/metrics/job/s/pid/1", "/sum/metrics/job/s/pid/2", "/sum/metrics/job/a/pid/1",
         "/add/metrics/job/t", "/add/metrics/job/b/__push_id__/1", "/metrics/job/s", "/metrics/job/x/__ttl__/soon", "/metrics/job/x/__a/b"]
LISTS = ["/api/v1/metrics", "/api/v1/rejections", "/api/v1/changes", "/api/v1/groups/sources"]
ROW_BEAT = 11  # src/store/rows.h
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def random_body(rng):
    if rng.random() < .1:
        return rng.choice(["a{\n", "a 1", "a 1 1\n", "", "a 1\na 1\n", 'a{user_id="1"} 1\n', 'a{l="joe@example.org"} 1\n', "x_count 1\n"])
    text = ""
    for name in rng.sample(["a", "b", "c", "x_count", "jobDuration_ms", "x"], rng.randint(1, 3)):
        kind = rng.choice(["counter", "counter", "gauge", "untyped", "histogram" if name == "x" else "counter"])
        text += f"# TYPE {name} {kind}\n"
        if kind == "histogram":
            text += f'{name}_bucket{{le="+Inf"}} 3\n{name}_sum 4\n{name}_count 3\n'
        else:
            labels = rng.sample(['{l="1"}', '{l="2"}', '{l="3"}', '{job="a"}', '{user_id="1"}', ""], rng.choice([1, 1, 1, 2, 4]))
            text += "".join(f"{name}{label} {rng.randint(-1 if rng.random() < .1 else 0, 9)}\n" for label in labels)
    return text


def random_push(rng):
    body, headers = random_body(rng).encode(), {}
    if rng.random() < .2:
        headers["Content-Type"] = rng.choice([OPENMETRICS, PROTO])
        body = b"# TYPE m counter\nm_total 1\n# EOF\n" if headers["Content-Type"] == OPENMETRICS else b"\x10\x0a\x01a\x18\x03\x22\x09\x2a\x07\x09\0\0\0\0\0\0"[:rng.choice([16, 17])]
    if rng.random() < .2:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body) if rng.random() < .8 else zlib.compress(body)
    if rng.random() < .2:
        return "POST", f"/sum/metrics/job/falls/pid/{rng.randint(1, 2)}", f"# TYPE z counter\nz {rng.randint(1, 30)}\n", {}
    return rng.choice(["PUT", "POST"]), rng.choice(PATHS), body, headers


def says(reply):
    return reply.status, reply.text, reply.headers.get("X-Pushgateway-Warning"), reply.headers.get("Retry-After")


def seen(g, connection):
    """All that can be seen of a gateway, but for what each request changes."""
    lines = [line for line in scrape(g, connection).text.split("\n") if not line.startswith(MOVES)]
    return lines, [json.loads(g.request("GET", path, connection=connection).body)["data"] for path in LISTS]


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    return f"--config.file={file}"


def test_the_verdict_is_that_of_the_push_and_nothing_has_changed(rules):
    statuses, warnings, rng = set(), set(), random.Random(7)
    with Gateway(rules, *FLAGS, database="") as g, contextlib.closing(g.connect()) as c:
        for _ in range(250):
            method, path, body, headers = random_push(rng)
            before = seen(g, c)
            dry = g.request(method, "/dry-run" + path, body, headers, connection=c)
            assert seen(g, c) == before, (method, path, body, dry)
            real = g.request(method, path, body, headers, connection=c)
            assert says(dry) == says(real), (method, path, body, dry, real)
            statuses.add(real.status)
            warnings.add(real.headers.get("X-Pushgateway-Warning"))
            if rng.random() < .1:
                g.request("DELETE", rng.choice(PATHS[:12]), connection=c)
        assert statuses >= {200, 400, 409, 413, 507} and warnings >= {None, "lint", "reset-assumed"}, (statuses, warnings)
    assert "/dry-run" not in g.log and "push refused" in g.log


def log_rows(database):
    """Without those that say until when the gateway ran, and those that cleaning has moved."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        return db.execute("SELECT * FROM log WHERE kind != ? AND moved = 0", (ROW_BEAT,)).fetchall()


def test_no_row_of_the_database(rules, database):
    rng = random.Random(1)
    with Gateway(rules, *FLAGS, database=database) as g, contextlib.closing(g.connect()) as c:
        for _ in range(60):
            method, path, body, headers = random_push(rng)
            g.request(method, path, body, headers, connection=c)
        g.terminate()
        before = log_rows(database)
    with Gateway(rules, *FLAGS, database=database) as g, contextlib.closing(g.connect()) as c:
        replies = []
        for _ in range(200):
            method, path, body, headers = random_push(rng)
            replies.append(g.request(method, "/dry-run" + path, body, headers, connection=c).status)
        assert {200, 400, 409} <= set(replies) and before
        g.terminate()
        # Old ones may have been trimmed.
        assert set(log_rows(database)) <= set(before)


def test_dry_runs_are_counted_as_requests(gw):
    assert gw.request("PUT", "/dry-run/metrics/job/x", "a 1\n").status == 200
    assert gw.request("POST", "/dry-run/sum/metrics/job/x", "a 1\na 1\n").status == 400
    s = scrape(gw)
    assert s.get("pushgateway_http_requests_total", code="200", handler="dry_run", method="put") == 1
    assert s.get("pushgateway_http_requests_total", code="400", handler="dry_run", method="post") == 1
    assert "push" not in {dict(labels).get("handler") for _, labels in s.samples}
    assert s.get("pushgateway_rejected_pushes_total", reason="inconsistent") == 0 and not s.foreign()


def test_only_pushes(gw):
    for method in "GET", "DELETE":
        r = gw.request(method, "/dry-run/metrics/job/x")
        assert r.status == 405 and r.headers["Allow"] == "OPTIONS, POST, PUT"
    for path in "/dry-run", "/dry-run/", "/dry-run/metrics", "/dry-run/metrics/job/", "/dry-run/dry-run/metrics/job/x", "/sum/dry-run/metrics/job/x":
        assert gw.request("PUT", path, "a 1\n").status == 404, path


@pytest.mark.parametrize("clash", ["", "# TYPE m0 counter\nm0 1\n"])
def test_large_ones(gw, clash):
    """They are decoded on a thread of their own, and checked before their body is read."""
    assert gw.put("x", "# TYPE m0 gauge\nm0 1\n").status == 200
    before = scrape(gw).foreign()
    body = "".join(f"# TYPE m{i} gauge\nm{i} 1\n" for i in range(len(clash) > 0, 5000)) + clash
    dry = gw.request("PUT", "/dry-run/metrics/job/y", body)
    assert scrape(gw).foreign() == before
    assert says(dry) == says(gw.put("y", body)) and dry.status == (400 if clash else 200)
    dry = gw.request("PUT", "/dry-run/metrics/job/y", body[:-1])
    assert dry.status == 400 and says(dry) == says(gw.put("y", body[:-1]))


def test_without_the_consistency_check_it_says_what_the_push_is_told():
    with Gateway("--push.disable-consistency-check", database="") as g:
        for body in "a 1\n", "a 1\na 1\n":
            dry = g.request("PUT", "/dry-run/metrics/job/x", body)
            assert "a{" not in g.get("/metrics").text and dry.status == 202
            assert g.put("y", body).status == 202 and g.delete("y").status == 202


def test_below_a_prefix():
    with Gateway("--web.route-prefix=/p", database="", ready="/p/-/ready") as g:
        assert g.request("PUT", "/p/dry-run/metrics/job/x", "a 1\n").status == 200
        assert g.request("PUT", "/dry-run/metrics/job/x", "a 1\n").status == 404
