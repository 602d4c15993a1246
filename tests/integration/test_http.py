"""HTTP itself: versions, lengths, chunks, connections, and whatever is not HTTP."""
import random
import time
from email.utils import parsedate_to_datetime

import pytest

from exposition import counter, scrape
from gateway import Gateway, eventually
from wire import Wire, exchange, head, push

A = b"a 1\n"


def raw(method, path, *headers, body=b"", version="HTTP/1.1"):
    lines = [f"{method} {path} {version}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def chunked(*chunks, headers=("Host: x",), tail=b"0\r\n\r\n"):
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + tail
    return raw("PUT", "/metrics/job/chunked", *headers, "Transfer-Encoding: chunked", body=body)


def works(gateway):
    """The next request, on a connection of its own and on one that is kept."""
    with Wire(gateway) as w:
        for _ in range(2):
            assert w.send(push("works", A)).reply().status == 200
    assert scrape(gateway).pushed("a", "works") == 1


def malformed(gateway):
    return counter(gateway, "pushgateway_malformed_requests_total")


# Everything that is no request we take: what is sent, the status, how the body begins.
REFUSED = {
    "garbage": (b"garbage\r\n\r\n", 400, "400 Bad Request"),
    "no version": (b"GET /\r\n\r\n", 400, "400 Bad Request"),
    "empty target": (b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50) + b"\r\n\r\n", 400, "400 Bad Request"),
    "NUL in the path": (raw("GET", "/-/hea\0lthy", "Host: x"), 400, "400 Bad Request"),
    "header without a colon": (raw("GET", "/-/healthy", "Host: x", "nonsense"), 400, "400 Bad Request"),
    "no Host": (raw("GET", "/-/healthy"), 400, "400 Bad Request: missing required Host header"),
    "negative length": (raw("PUT", "/metrics/job/x", "Host: x", "Content-Length: -1"), 400, "400 Bad Request"),
    "length of letters": (raw("PUT", "/metrics/job/x", "Host: x", "Content-Length: 4x", body=A), 400, "400 Bad Request"),
    "two lengths": (raw("PUT", "/metrics/job/x", "Host: x", "Content-Length: 4", "Content-Length: 5", body=A),
                    400, "400 Bad Request"),
    "unknown coding": (raw("PUT", "/metrics/job/x", "Host: x", "Transfer-Encoding: gzip"), 501, "Unsupported transfer encoding"),
    "chunk of letters": (raw("PUT", "/metrics/job/x", "Host: x", "Transfer-Encoding: chunked", body=b"zz\r\na 1\n\r\n0\r\n\r\n"),
                         400, "400 Bad Request: invalid byte in chunk length"),
    "negative chunk": (raw("PUT", "/metrics/job/x", "Host: x", "Transfer-Encoding: chunked", body=b"-4\r\na 1\n\r\n0\r\n\r\n"),
                       400, "400 Bad Request: invalid byte in chunk length"),
    "other expectation": (push("x", A, Expect="tea"), 417, "only Expect: 100-continue is supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_closed(shared, name):
    request, status, text = REFUSED[name]
    before = malformed(shared)
    with Wire(shared) as w:
        reply = w.send(request).reply()
        assert reply.status == status, reply
        assert reply.text.startswith(text) and reply.text.count("\n") <= 1
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert reply.headers["connection"] == "close"
        assert w.half_close().at_end()
    assert malformed(shared) == before + 1
    assert scrape(shared).pushed("a", "x") is None
    works(shared)


@pytest.mark.parametrize("path", ["/%zz", "/metrics/job/%zz", "/metrics/job/a%2", "/metrics/job/%"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_bad_escape_in_the_path(shared, method, path):
    before = counter(shared, "pushgateway_rejected_pushes_total", reason="path")
    with Wire(shared) as w:
        reply = w.send(raw(method, path, "Host: x")).reply()
        assert reply.status == 400 and "invalid URL escape" in reply.text
        assert w.at_end()
    pushes = path.startswith("/metrics/job")
    assert counter(shared, "pushgateway_rejected_pushes_total", reason="path") == before + pushes
    works(shared)


@pytest.mark.parametrize("request_,status", [
    (raw("GET", "/-/healthy", version="HTTP/1.0"), 200),
    (raw("PUT", "/metrics/job/old", "Content-Length: 4", version="HTTP/1.0", body=A), 200),
    (raw("GET", "/metrics", version="HTTP/1.0"), 200),
    (raw("PUT", "/metrics/job/old", version="HTTP/1.0"), 200)])
def test_http_1_0_closes(shared, request_, status):
    with Wire(shared) as w:
        assert w.send(request_).reply().status == status
        assert w.at_end()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_date(shared, version):
    """RFC 9110 section 6.6.1; it goes on when a second has passed."""
    request = raw("GET", "/-/healthy", "Host: x", "Connection: keep-alive", version=version)
    with Wire(shared) as w:
        def date():
            before = time.time() - 1.1  # the kernel's coarse clock is some milliseconds behind
            sent = parsedate_to_datetime(w.send(request).reply().headers["date"]).timestamp()
            assert before <= sent <= time.time()
            return sent
        first = date()
        eventually(lambda: date() > first, "the next second")


def test_http_1_0_keep_alive(shared):
    request = raw("PUT", "/metrics/job/old", "Connection: keep-alive", "Content-Length: 4", version="HTTP/1.0", body=A)
    with Wire(shared) as w:
        for _ in range(3):
            assert w.send(request).reply().status == 200


@pytest.mark.parametrize("request_", [
    b"GET /-/healthy HTTP/1.1\nHost: x\n\n",
    raw("GET", "http://somewhere/-/healthy", "Host: x"),
    raw("GET", "/-/healthy?query=%zz&x", "Host: x"),
    raw("GET", "/-/healthy", "Host:"),
    raw("GET", "/-/healthy", "hOST: x", "X-Long: " + "y" * 100000),
    raw("GET", "/%2d/he%61lthy", "Host: x"),
    raw("GET", "/-/healthy", "Host: x", "Content-Length: 3", body=b"abc")])
def test_unusual_but_right(shared, request_):
    assert exchange(shared, request_).body == b"OK"


def test_a_target_of_200_kb(shared):
    with Wire(shared) as w:
        assert w.send(raw("GET", "/" + "x" * 200000, "Host: x")).reply().status == 404
    assert shared.put("long/l/" + "v" * 65536, "a 1\n").status == 200
    reply = shared.put("long/l/" + "v" * 65537, "a 1\n")
    assert reply.status == 400 and "--limits.label-value-length" in reply.text


def test_pipelined_requests_are_answered_in_order(shared):
    with Wire(shared) as w:
        w.send(b"".join([head("GET", "/-/healthy"), push("pipe", A), head("GET", "/metrics"), push("pipe", b"a\n"),
                         head("HEAD", "/metrics"), push("pipe", b"", "DELETE"), head("GET", "/-/ready")]))
        assert w.reply().body == b"OK"
        assert w.reply().status == 200
        assert 'a{instance="",job="pipe"} 1\n' in w.reply().text, "the push before it is done"
        assert w.reply().status == 400
        assert w.reply("HEAD").status == 200
        assert w.reply().status == 202
        assert w.reply().body == b"OK"


def test_a_hundred_requests_byte_by_byte(shared):
    request = push("slow", A)
    with Wire(shared) as w:
        for i in range(len(request)):
            w.send(request[i:i + 1])
        assert w.reply().status == 200
        w.send(push("slow", b"a 5\n") * 100)
        assert [w.reply().status for _ in range(100)] == [200] * 100


def test_expect_100_continue(shared):
    with Wire(shared) as w:
        w.send(head("PUT", "/metrics/job/expect", Content_Length=4, Expect="100-continue"))
        assert w.reply().status == 100
        assert w.send(A).reply().status == 200
        assert w.send(push("expect", A)).reply().status == 200


@pytest.mark.parametrize("request_", [
    chunked(b"a 1\n"), chunked(b"a", b" ", b"1", b"\n"), chunked(b"a 1\n", tail=b"0\r\nTrailer: x\r\n\r\n"), chunked(b"a 1\n" + b"#" * 70000 + b"\n")])
def test_chunked_bodies(shared, request_):
    shared.delete("chunked")
    with Wire(shared) as w:
        assert w.send(request_).reply().status == 200
        assert w.send(request_).reply().status == 200, "the connection is kept"
    assert scrape(shared).pushed("a", "chunked") == 1


def test_an_empty_chunked_body_is_an_empty_push(shared):
    assert exchange(shared, chunked()).status == 200


@pytest.mark.parametrize("sent", [b"PUT /metr", push("cut", A)[:-1], head("PUT", "/metrics/job/cut", Content_Length=4),
                                  chunked(b"a 1\n", tail=b""), chunked(b"a 1\n", tail=b"5\r\nb 1")])
def test_cut_off_requests(shared, sent):
    before = malformed(shared)
    with Wire(shared) as w:
        reply = w.send(sent).half_close().reply()
        assert (reply.status, reply.text) == (400, "unexpected EOF\n")
        assert w.at_end()
    assert malformed(shared) == before + 1
    s = scrape(shared)
    assert s.pushed("push_time_seconds", "cut") is None and s.pushed("b", "chunked") is None
    works(shared)


def test_a_client_that_has_said_everything_may_close_its_side(shared):
    assert shared.get("/-/healthy").status == 200
    for request, status in ((push("done", A), 200), (head("GET", "/metrics"), 200), (push("done", b"a\n"), 400)):
        with Wire(shared) as w:
            assert w.send(request).half_close().reply().status == status


def test_clients_that_vanish(database):
    """Connections that are reset in every state of a request leave nothing behind."""
    request = push("vanish", A)
    with Gateway(database=database) as g:
        for cut in [0, 1, 20, len(request) - 1, len(request)] * 20:
            w = Wire(g).send(request[:cut])
            # With SO_LINGER 0 close() is a reset.
            w.socket.setsockopt(1, 13, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
            w.socket.close()
        for _ in range(20):
            w = Wire(g).send(head("GET", "/metrics") * 10)
            w.socket.setsockopt(1, 13, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
            w.socket.close()
        works(g)
        eventually(lambda: counter(g, "pushgateway_connections") == 1, "the connections are gone")


@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests(shared, seed):
    """Requests with random damage: some answer, or a closed connection, and never the end of the gateway."""
    rng = random.Random(seed)
    samples = [push("mutated", b"a 1\nb 2\n"), chunked(b"a 1\n", b"b 2\n"), head("GET", "/metrics"), raw("DELETE", "/metrics/job/mutated", "Host: x")]
    for _ in range(60):
        data = bytearray(rng.choice(samples))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(data))
            data[at:at + rng.randrange(3)] = bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
        with Wire(shared) as w:
            w.send(bytes(data)).half_close().at_end()
            assert w.buffer[:7] in (b"", b"HTTP/1."), w.buffer[:200]
    works(shared)


INNER = b"DELETE /metrics/job/keep HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("method", ["HEAD", "BREW", "GET", "OPTIONS"])
def test_a_body_is_passed_over_whatever_the_method(gw, method):
    assert gw.put("keep", "a 1\n").status == 200
    with Wire(gw) as wire:
        wire.send(head(method, "/metrics", Content_Length=len(INNER)) + INNER)
        assert wire.reply(method).status in (200, 405)
        assert wire.send(head("GET", "/-/healthy")).reply().body == b"OK"
    assert 'a{instance="",job="keep"} 1' in gw.get("/metrics").text


@pytest.mark.parametrize("head", [
    "PUT /metrics/job/y HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n"
    "Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n",
    "PUT /metrics/job/y HTTP/1.1\r\nHost: x\r\nContent-Length\t: %d\r\n\r\n",
])
def test_a_body_is_never_the_next_request(gw, head):
    assert gw.put("keep", "a 1\n").status == 200
    with Wire(gw) as wire:
        wire.send((head % len(INNER)).encode() + INNER)
        assert wire.reply().status == 400
        assert wire.half_close().at_end()
    assert 'a{instance="",job="keep"} 1' in gw.get("/metrics").text


@pytest.mark.parametrize("begin", [b"", b"0 ", b"5;", b"5\r\nabcde\r\n0;x="])
def test_an_endless_chunk_line(begin):
    """It is refused after 8 KiB, and a client that sends on all the same can still read why."""
    with Gateway("--limits.body-size=100KB", "--web.max-header-size=16KiB") as g:
        with Wire(g) as wire:
            wire.send(raw("PUT", "/metrics/job/x", "Host: x", "Transfer-Encoding: chunked") + begin)
            wire.send(b"0" * 3_000_000)
            reply = wire.reply()
            assert reply.status == 400, reply
            assert wire.send(b"0" * 1500 + b"\r\n\r\n").half_close().at_end()
        assert g.put("x", "a 1\n").status == 200
        assert malformed(g) == 1


def test_what_follows_a_last_request_is_not_answered(gw):
    put = b"PUT /metrics/job/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n%s\r\na 1\n"
    with Wire(gw) as wire:
        wire.send(put % b"Connection: close\r\n" + put % b"")
        assert wire.reply().status == 200
        assert wire.at_end()
    assert "pushgateway_malformed_requests_total 0" in gw.get("/metrics").text
