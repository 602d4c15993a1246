"""Paths and methods as the Go gateway has them, and the flags that move or open endpoints."""
import pytest

from gateway import Gateway

REDIRECTS = [
    # method, path, status, Location
    ("GET", "//metrics", 301, "/metrics"),
    ("PUT", "//metrics/job/x", 301, "/metrics/job/x"),
    ("PUT", "/metrics/job//x", 301, "/metrics/job/x"),
    ("POST", "/metrics/job/x/../y", 301, "/metrics/job/y"),
    ("POST", "/metrics/job/x/a//b/c?q=1", 301, "/metrics/job/x/a/b/c?q=1"),
    ("GET", "/metrics/", 301, "/metrics"),
    ("GET", "/METRICS", 301, "/metrics"),
    ("GET", "/metrics%2F", 301, "/metrics"),
    ("GET", "/%2Fmetrics", 301, "/metrics"),
    ("GET", "/Status", 301, "/status"),
    ("GET", "/-/HEALTHY", 301, "/-/healthy"),
    ("PUT", "/METRICS/JOB/x", 307, "/metrics/job/x"),
    ("PUT", "/metrics/Job/X", 307, "/metrics/job/X"),
    ("PUT", "/metrics/job/", 307, "/metrics/job"),
    ("POST", "/-/quit/", 307, "/-/quit"),
    ("GET", "/api/v1", 301, "/api/v1/"),
    ("PUT", "/api/v1", 301, "/api/v1/"),
    ("GET", "/api/v1/status/", 301, "/status"),
    ("GET", "/api/v1/STATUS", 301, "/status"),
]

STATUSES = [
    ("GET", "/metrics/job", 404),
    ("GET", "/metrics/jobs/x", 404),
    ("PUT", "/metrics/instance/y/job/x", 404),
    ("POST", "/METRICS", 404),
    ("PUT", "/-/healthy/", 404),
    ("OPTIONS", "/metrics/", 404),
    ("GET", "/apI/v1/status", 404),
    ("GET", "/api/v1/anything", 404),
    ("PUT", "/api/v1/admin/wipe", 404),
    ("GET", "/metrics/job/x", 404),
    ("PUT", "/metrics", 405),
    ("HEAD", "/metrics", 200),
    ("HEAD", "/metrics/job/x", 404),
    ("HEAD", "/nothing", 404),
    ("PATCH", "/metrics/job/x", 405),
    ("GET", "/-/quit", 405),
    ("PUT", "/-/quit", 403),
    ("OPTIONS", "/metrics", 200),
    ("OPTIONS", "/api/v1/anything", 200),
]


@pytest.mark.parametrize("method,path,status,location", REDIRECTS)
def test_redirect(shared, method, path, status, location):
    r = shared.request(method, path)
    assert (r.status, r.headers["Location"]) == (status, location)
    if method == "GET":
        assert r.text == f'<a href="{location}">Moved Permanently</a>.\n\n'
    else:
        assert r.body == b""


@pytest.mark.parametrize("method,path,status", STATUSES)
def test_status(shared, method, path, status):
    assert shared.request(method, path).status == status


def test_allow_names_the_methods(shared):
    assert shared.request("PATCH", "/metrics/job/x").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"
    assert shared.request("PUT", "/metrics").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert shared.request("DELETE", "/-/quit").headers["Allow"] == "GET, HEAD, OPTIONS, POST, PUT"


def test_cors_headers_are_sent_below_the_api(shared):
    for method in "GET", "OPTIONS":
        r = shared.request(method, "/api/v1/status")
        assert r.headers["Access-Control-Allow-Origin"] == "*"
        assert r.headers["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert "Access-Control-Allow-Origin" not in shared.get("/api/v1/none").headers


@pytest.mark.parametrize("flags", [["--web.route-prefix=/pg"], ["--web.external-url=http://h/pg/"]])
def test_prefix(flags):
    with Gateway(*flags, ready="/pg/-/ready") as g:
        assert g.request("PUT", "/pg/metrics/job/x", "a 1\n").status == 200
        assert b'a{instance="",job="x"} 1' in g.get("/pg/metrics").body
        assert g.get("/metrics").status == 404
        assert g.put("x", "a 1\n").status == 404
        r = g.get("/pg")
        assert (r.status, r.headers["Location"]) == (301, "/pg/")
        assert g.get("/pg/").status == 200
        assert g.get("/-/quit").status == 405
        assert g.request("PUT", "/METRICS/job/x").status == 404
        r = g.request("PUT", "/pg/METRICS/job/x")
        assert (r.status, r.headers["Location"]) == (307, "/pg/metrics/job/x")


def test_telemetry_path():
    with Gateway("--web.telemetry-path=/foo") as g:
        assert g.put("x", "a 1\n").status == 200
        assert b'a{instance="",job="x"} 1' in g.get("/foo").body
        assert g.get("/metrics").status == 404


def test_quit():
    with Gateway("--web.enable-lifecycle") as g:
        r = g.request("PUT", "/-/quit")
        assert (r.status, r.text) == (200, "Requesting termination... Goodbye!")
        assert g.wait() == 0
        assert "received termination request via web service" in g.log


def test_wipe(database):
    with Gateway("--web.enable-admin-api", database=database) as g:
        for i in range(20):
            assert g.put(f"x/i/{i}", f"a {i}\n# TYPE h histogram\nh_count 1\n").status == 200
        r = g.request("PUT", "/api/v1/admin/wipe")
        assert (r.status, r.body) == (202, b"")
        assert "Access-Control-Allow-Origin" not in r.headers
        text = g.get("/metrics").text
        assert 'job="x"' not in text and "\npushgateway_groups 0\n" in text
        assert 'pushgateway_http_requests_total{code="202",handler="wipe",method="put"} 1' in text
        # Nothing of what was there stands in the way of another type, and the database agrees.
        assert g.put("y", "# TYPE a gauge\na 2\n# TYPE h gauge\nh 1\n").status == 200
    with Gateway(database=database) as g:
        text = g.get("/metrics").text
        assert 'job="x"' not in text and 'a{instance="",job="y"} 2' in text


def test_unchecked_pushes_answer_202_and_break_nothing():
    with Gateway("--push.disable-consistency-check") as g:
        assert g.put("x", "# TYPE a gauge\na 1\n").status == 202
        assert g.put("y", "# TYPE a counter\na 1\n").status == 202
        assert g.put("y", "a 1").status == 400
        text = g.get("/metrics").text
        assert 'a{instance="",job="x"} 1' in text and 'a{instance="",job="y"}' not in text


def test_the_metrics_of_one_group(gw):
    """Of this one: not of those whose key extends it."""
    body = '# HELP a It\\nis <a>\n# TYPE a gauge\na{l="1"} 1\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n'
    assert gw.put("x", body).status == 200
    assert gw.put("x/a/b", "b 1\n").status == 200
    r = gw.get("/metrics/job/x")
    assert (r.status, r.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    assert r.text == body.replace("{", '{instance="",job="x",').replace('h_sum', 'h_sum{instance="",job="x"}').replace(
        'h_count', 'h_count{instance="",job="x"}')
    assert gw.get("/metrics/job@base64/eA/a/b").text == '# TYPE b untyped\nb{a="b",instance="",job="x"} 1\n'
    assert gw.put("empty", "").status == 200
    assert (gw.get("/metrics/job/empty").status, gw.get("/metrics/job/empty").body) == (200, b"")
    for path, status in ("x/a/c", 404), ("x/a", 400), ("y", 404), ("x/__ttl__/1h", 400):
        assert gw.get("/metrics/job/" + path).status == status
    for i in range(3000):  # more than are looked at in one go
        gw.put(f"many/i/{i}", "m 1\n")
    assert 'i="2999"' in gw.get("/metrics/job/many/i/2999").text
