"""A table of raw requests (http_requests.txt), each sent in four ways, without TLS and with it: as the first of a
connection, as a later one, byte by byte, and behind others that are sent with it."""
import re
from pathlib import Path

import pytest

from exposition import counter, scrape
from gateway import Gateway
from tls import TlsGateway, TlsWire
from wire import Wire, head, push

FLAGS = ["--web.max-header-size=4KiB", "--limits.body-size=4KiB"]
HEALTHY = head("GET", "/-/healthy")
_ESCAPE = re.compile(r"\{(\d+)\*(\\?.)\}|\\x([0-9a-f]{2})|\\(.)")


def unescaped(text):
    def one(m):
        if m[1]:
            return int(m[1]) * unescaped(m[2]).decode("latin-1")
        return chr(int(m[3], 16)) if m[3] else {"r": "\r", "n": "\n", "t": "\t"}[m[4]]
    return _ESCAPE.sub(one, text).encode("latin-1")


def table():
    lines = (Path(__file__).parent / "http_requests.txt").read_text().split("\n")
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            status, end, text, request = line.split("\t")
            yield number, int(status), end == "close", text, unescaped(request)


TABLE = list(table())


class Speaker:
    def __init__(self, gateway, wire):
        self.gateway, self.wire = gateway, wire


@pytest.fixture(scope="module", params=["plain", "tls"])
def speaker(request):
    if request.param == "plain":
        with Gateway(*FLAGS) as g:
            yield Speaker(g, Wire)
    else:
        certificates, config = (request.getfixturevalue(n) for n in ("certificates", "tls_config"))
        with TlsGateway(certificates, config, *FLAGS) as g:
            yield Speaker(g, TlsWire)


def whole(w, request):
    w.send(request)


def later(w, request):
    assert w.send(push("before", b"a 1\n")).reply().status == 200
    w.send(request)


def split(w, request):
    for i in range(len(request)):
        w.send(request[i:i + 1])


def pipelined(w, request):
    w.send(HEALTHY + push("before", b"a 1\n") + push("before", b"a\n") + request)
    assert [w.reply().status for _ in range(3)] == [200, 200, 400]


def final_reply(w, method):
    """Interim ones are passed over."""
    while True:
        reply = w.reply(method)
        if reply.status >= 200:
            return reply


def problem(speaker, send, status, closes, text, request):
    method = "HEAD" if request.lstrip().startswith(b"HEAD ") else "GET"
    with speaker.wire(speaker.gateway) as w:
        send(w, request)
        reply = final_reply(w, method)
        if reply.status != status or (method != "HEAD" and not reply.body.startswith(text.encode())):
            return f"{reply}"
        if reply.headers.get("connection") != ("close" if closes else None) and b"HTTP/1.0" not in request:
            return f"Connection: {reply.headers.get('connection')}"
        if status >= 400 and closes and method != "HEAD" and (reply.body.count(b"\n"), reply.body[-1:]) != (1, b"\n"):
            return f"not one line: {reply.body!r}"
        if closes:
            return None if w.at_end() else f"more: {w.buffer!r}"
        if w.send(HEALTHY).reply().body != b"OK":
            return "the next request"
    return None


@pytest.mark.parametrize("send", [whole, later, split, pipelined])
def test_each_request_of_the_table(speaker, send):
    """And each that is refused before a handler sees it is counted, once."""
    assert len(TABLE) > 300
    before = counter(speaker.gateway, "pushgateway_malformed_requests_total")
    wrong = []
    for number, *row in TABLE:
        try:
            found = problem(speaker, send, *row)
        except (AssertionError, OSError) as e:
            found = f"{type(e).__name__}: {e}"
        if found:
            wrong.append(f"line {number}: {found}")
    assert not wrong, "\n".join(wrong)
    refused = sum(closes and status >= 400 and text != "" for _, status, closes, text, _ in TABLE)
    assert counter(speaker.gateway, "pushgateway_malformed_requests_total") == before + refused


def padded_head(n):
    return head("GET", "/-/healthy", X="y" * n)


def chunked(n, trailer=b""):
    body = b"#" * (n - 5) + b"\na 1\n"
    return head("PUT", "/metrics/job/limit", Transfer_Encoding="chunked") + b"%x\r\n%s\r\n0\r\n%s\r\n" % (n, body, trailer)


# A request at the limit, one past it, and the status of the answer to that one. The lengths are for the Host that head() adds.
LIMITS = {
    "header": (padded_head(4060), padded_head(4061), 431),
    "body": (push("limit", b"#" * 4091 + b"\na 1\n"), push("limit", b"#" * 4092 + b"\na 1\n"), 413),
    "chunks": (chunked(4096), chunked(4097), 413),
    "trailers": (chunked(100, b"T: " + b"t" * 4000 + b"\r\n"), chunked(100, b"T: " + b"t" * 5000 + b"\r\n"), 431),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_and_whole_requests_in_one_read(speaker, name):
    """Whatever stands before it is answered, what stands behind it only where the limit is not exceeded."""
    fits, over, status = LIMITS[name]
    after = push("after", b"a 1\n")
    for n in (0, 1, 2, 7):
        for size in (1, 1000, 2048, 4000) if n else (0,):
            before = n * push("before", b"#" * size + b"\na 1\n")
            with speaker.wire(speaker.gateway) as w:
                w.send(before + fits + after)
                assert [w.reply().status for _ in range(n + 2)] == [200] * (n + 2), (n, size)
            assert scrape(speaker.gateway).pushed("a", "after") == 1
            assert speaker.gateway.delete("after").status == 202
            with speaker.wire(speaker.gateway) as w:
                w.send(before + over + after)
                assert [w.reply().status for _ in range(n + 1)] == [200] * n + [status], (n, size)
                assert w.at_end(), (n, size)
            assert scrape(speaker.gateway).pushed("push_time_seconds", "after") is None, (n, size)
