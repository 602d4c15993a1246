"""Replies that clients do not read, or hardly: what they may keep from others."""
import collections
import random
import re
import select
import socket
import time

import pytest

from exposition import counter, scrape
from gateway import DEADLINE, Gateway, eventually
from wire import Wire, head


def test_a_client_that_sends_and_never_reads_is_not_buffered(gw):
    gw.put("big", "".join(f'a{{i="{i}",pad="{"x" * 1000}"}} 1\n' for i in range(10000)))
    with Wire(gw) as w:
        w.send(head("GET", "/metrics"))
        w.socket.setblocking(False)
        sent, block = 0, b"x" * (1 << 20)
        while select.select([], [w.socket], [], 1)[1]:
            sent += w.socket.send(block)
            assert sent < 64 << 20, "no end to what it takes"
        assert scrape(gw).get("pushgateway_connections") == 2


# More than the kernel takes of a reply for a client that does not read.
VALUES = 250
PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def incompressible(seed):
    rng = random.Random(seed)
    return "".join(f'large{{x="{rng.randbytes(32000).hex()}"}} 1\n' for _ in range(VALUES))


@pytest.mark.parametrize("headers", [{}, {"Accept_Encoding": "gzip"}, {"Accept": PROTO}], ids=["plain", "gzip", "protobuf"])
def test_replies_that_nobody_reads(headers):
    answers = collections.Counter()

    def answer(path):
        r = g.get(path)
        answers[path, r.status] += 1
        return r if r.status == 503 else None

    with Gateway("--limits.reply-bytes=1MiB") as g:
        assert g.put("j", incompressible(1)).status == 200
        with Wire(g) as stalled:
            stalled.send(head("GET", "/metrics", **headers))
            eventually(lambda: select.select([stalled.socket], [], [], 0)[0], "the reply begins")
            if "Accept" not in headers:
                assert g.get("/metrics").status == 200, "what is kept costs nothing more"
                assert g.put("j", incompressible(2)).status == 200
            for path in ("/metrics", "/api/v1/metrics", "/"):
                r = eventually(lambda p=path: answer(p), "it is refused")
                assert r.headers["Retry-After"] == "1" and "--limits.reply-bytes" in r.text
            assert g.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"}).status == 503
            assert g.get("/-/healthy").status == 200
            assert g.put("k", "small 1\n").status == 200, "pushes need no room there"
            if "Accept" in headers:
                eventually(lambda: g.get("/metrics").status == 200, "who reads nothing is cut")
                assert counter(g, "pushgateway_replies_cut_total") == 1
        s = eventually(lambda: g.get("/metrics").status == 200 and scrape(g), "what is gone takes no room")
        assert s.get("pushgateway_replies_refused_total") >= 4
        for path, handler in (("/api/v1/metrics", "api/v1/metrics"), ("/", "status")):
            for status in (200, 503):
                counted = s.get("pushgateway_http_requests_total", handler=handler, method="get", code=str(status))
                assert (counted or 0) == answers[path, status], "what was answered is counted"
        assert s.get("pushgateway_reply_bytes") < 1 << 20
        assert s.pushed("small", "k") == 1


def test_pages_that_nobody_reads_are_counted(gw):
    """Of one connection the last one, which the kernel does not take; it frees its memory when the client has gone."""
    def counted():
        return float(re.search(rb"^pushgateway_reply_bytes (.*)$", gw.get("/metrics?own=only").body, re.M)[1])

    c = gw.connect()
    for i in range(100):
        assert gw.request("PUT", f"/metrics/job/j{i}/pad/{'x' * 400}", "a 1\n", connection=c).status == 200
    c.close()
    page = len(gw.get("/").body)
    assert page > 30_000 > counted()
    with Wire(gw) as stalled:
        stalled.send(head("GET", "/") * 400)
        eventually(lambda: counted() >= page - 1000, "what is not read is counted")
    eventually(lambda: counted() < 30_000, "what is gone takes no room")


def test_a_reply_that_is_read_byte_by_byte():
    """It would keep its memory from others for hours, and never pauses for as long as those that are cut."""
    with Gateway("--limits.reply-bytes=1MiB") as g:
        assert g.put("j", incompressible(1)).status == 200
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((g.host, g.port))
            slow.sendall(head("GET", "/metrics"))
            assert slow.recv(1)
            assert g.put("j", incompressible(2)).status == 200
            assert g.get("/metrics").status == 503
            begin = time.monotonic()
            while g.get("/metrics").status == 503:
                slow.recv(1000)
                time.sleep(0.2)  # that is how slow it is
                assert time.monotonic() < begin + DEADLINE
        assert counter(g, "pushgateway_replies_cut_total") == 1


def test_replies_that_are_read_slowly():
    """Far less than the kernel buffers, but without a pause as long as those that are cut make."""
    with Gateway("--limits.reply-bytes=1MiB") as g:
        assert g.put("j", incompressible(1)).status == 200
        with Wire(g) as slow:
            slow.send(head("GET", "/metrics", Accept=PROTO))
            begin = time.monotonic()
            while time.monotonic() < begin + 8:
                assert slow.socket.recv(10000), "it has been cut"
                time.sleep(0.05)  # that is how slow it is
            assert g.get("/metrics").status == 503, "there was a reason to cut"
        eventually(lambda: g.get("/metrics").status == 200, "what is gone takes no room")
        assert counter(g, "pushgateway_replies_cut_total") == 0


def test_what_is_kept_of_scrapes_is_counted():
    def kept():
        return float(re.search(rb"^pushgateway_kept_scrape_bytes (.*)$", g.get("/metrics?own=only").body, re.M)[1])

    with Gateway(database="") as g:
        assert g.put("j", incompressible(1)).status == 200
        assert g.get("/metrics").status == 200 and kept() == 0, "text is what is stored"
        sizes = [kept()]
        for coding in ("gzip", "zstd", "gzip"):
            assert g.request("GET", "/metrics", headers={"Accept-Encoding": coding}).status == 200
            sizes.append(kept())
        assert 0 == sizes[0] < sizes[1] < sizes[2] == sizes[3], sizes
        assert g.delete("j").status == 202
        assert eventually(lambda: kept() < sizes[1] / 100, "it goes with what it was made of")
