"""Requests that push nothing: other paths, other methods, and what is hardly HTTP."""
from .step import Step

_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO"]
_PATHS = [b"/metrics", b"/-/healthy", b"/-/ready", b"/api/v1/status", b"/foo", b"/metrics/job", b"/metrics/jobs/x",
          b"/metrics/foo",
          b"/metrics/instance/y/job/x", b"/-/foo", b"/metrics?x=1", b"/-/healthy?", b"//", b"/../metrics",
          b"/metrics/../foo", b"/%6Detrics"]
# For push paths: the methods that are left change groups.
_PUSH_METHODS = ["GET", "HEAD", "OPTIONS", "PATCH", "TRACE", "FOO"]
_API_PATHS = [b"/api/v1/nothing", b"/api/v1/", b"/api/v1", b"/apI/v1/status"]
_SLASHES_AND_CASES = [b"/metrics/", b"/METRICS", b"/-/HEALTHY", b"/-/healthy/", b"/METRICS/JOB/x", b"/metrics/Job/X",
                      b"/metrics/job/", b"/-/Ready",
                      b"/api/v1/status/", b"/api/v1/STATUS", b"/metrics%2F", b"/%2Fmetrics",
                      b"/METRICS/job@base64/Zm9v"]

_BODY = b"raw 1\n"
_PUT = b"PUT /metrics/job/raw HTTP/1.1\r\n"
# Ours answers these otherwise: see allowed.py.
_CHUNKED = _PUT + b"Host: a\r\nTransfer-Encoding: chunked\r\n"
CHUNKED_WITH_LENGTH = _CHUNKED + b"Content-Length: 3\r\n\r\n6\r\n" + _BODY + b"\r\n0\r\n\r\n"
ONE_LENGTH_TWICE = _PUT + b"Host: a\r\nContent-Length: 6\r\nContent-Length: 6\r\n\r\n" + _BODY
EMPTY_LINE_FIRST = b"\r\nGET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
HTTP_2_0 = b"GET /-/healthy HTTP/2.0\r\nHost: a\r\n\r\n"
ODD_CHUNKS = [
    _CHUNKED + b"\r\n6;ext=1\r\n" + _BODY + b"\r\n0\r\n\r\n",
    _CHUNKED + b"\r\nxyz\r\n" + _BODY + b"\r\n0\r\n\r\n",
]
_RAW = [
    CHUNKED_WITH_LENGTH, ONE_LENGTH_TWICE, EMPTY_LINE_FIRST, HTTP_2_0, *ODD_CHUNKS,
    _PUT + b"Content-Length: 6\r\n\r\n" + _BODY,  # no Host
    b"PUT /metrics/job/raw HTTP/1.0\r\nContent-Length: 6\r\n\r\n" + _BODY,
    b"PUT http://other/metrics/job/raw HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n" + _BODY,
    _PUT + b"Host: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n" + _BODY,
    _PUT + b"Host: a\r\nContent-Length: 6\r\nExpect: something\r\n\r\n" + _BODY,
    _PUT + b"Host: a\r\nContent-Length: -1\r\n\r\n" + _BODY,
    _PUT + b"Host: a\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\n" + _BODY,
    _PUT + b"Host: a\r\nContent-Length: x\r\n\r\n",
    _PUT + b"Host: a\r\nTransfer-Encoding: foo\r\n\r\n",
    _CHUNKED + b"\r\n6\r\n" + _BODY + b"\r\n0\r\nTrailer: x\r\n\r\n",
    b"PUT /metrics/job/raw HTTP/1.1\nHost: a\nContent-Length: 6\n\n" + _BODY,
    b"PUT /metrics/job/raw?a b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"GET /metrics/job/a b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /-/healthy HTTP/1.9\r\nHost: a\r\n\r\n",
    b"GET /-/healthy\r\nHost: a\r\n\r\n",
    b"GET -/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
]


WIPE = b"/api/v1/admin/wipe"


def other(rng, ctx):
    if rng.random() < 0.3:
        return Step(rng.choice(_PUSH_METHODS), rng.choice(ctx.groups))
    return Step(rng.choice(_METHODS), rng.choice(_PATHS))


def raw(rng, ctx):
    return Step("GET", b"/metrics/job/raw", raw=rng.choice(_RAW))


def api_unknown(rng, ctx):
    return Step(rng.choice(_METHODS), rng.choice(_API_PATHS))


def slashes_and_cases(rng, ctx):
    return Step(rng.choice(_METHODS), rng.choice(_SLASHES_AND_CASES) + rng.choice([b"", b"", b"?q=1"]))


_PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
_ACCEPTS = [
    None, "", "*/*", "text/plain", "text/plain; version=0.0.4", "text/plain;version=1.0.0", "text/*", "application/*",
    "text/html", "application/json",
    "application/openmetrics-text; version=1.0.0", _PROTO + "delimited", _PROTO + "delimited;q=0", _PROTO + "text",
    _PROTO + "compact-text",
    _PROTO + "delimited;q=0.3,text/plain;version=0.0.4;q=0.7", "text/plain;q=0.2," + _PROTO + "delimited;q=0.9",
    "application/vnd.google.protobuf",
    _PROTO + "other",
    'application/vnd.google.protobuf; proto="io.prometheus.client.MetricFamily"; encoding=delimited',
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
    "TEXT/PLAIN", "text/plain;q=x", ",", ";",
    "text/plain; version=0.0.4; charset=utf-8",
]
_ESCAPINGS = ["", "", ";escaping=underscores", ";escaping=dots", ";escaping=values", ";escaping=allow-utf-8",
              ";escaping=other"]
# None of these lists zstd, with which only ours would answer.
_CODINGS = [None, None, "gzip", "gzip, deflate", "gzip;q=0.5,identity;q=0.4", "gzip;q=1.0, *;q=0.1", "", "*", "*;q=0",
            "identity", "deflate", "GZIP",
            "x-gzip", "gzip;q=0", "gzip;q=0.5,identity", "gzip;q=0.5", "deflate, gzip;q=1.0, *;q=0.5", "gzip;q=x",
            "gzip ,", "gzip;", "br;q=1.0, gzip;q=0.8"]


def scrape(rng, ctx):
    accept, coding = rng.choice(_ACCEPTS), rng.choice(_CODINGS)
    headers = [("Accept", accept + rng.choice(_ESCAPINGS))] if accept is not None else []
    headers += [("Accept-Encoding", coding)] if coding is not None else []
    return Step("GET", b"/metrics", headers=tuple(headers))


def api_metrics(rng, ctx):
    return Step("GET", b"/api/v1/metrics")


def quit_refused(rng, ctx):
    return Step(rng.choice(_METHODS), b"/-/quit")


def wipe(rng, ctx):
    return Step(rng.choice(["PUT", "PUT", "POST", "GET", "DELETE", "OPTIONS"]), WIPE)


def html(rng, ctx):
    return Step(rng.choice(_METHODS), rng.choice([b"/", b"/status"]))
