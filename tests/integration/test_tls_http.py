"""On TLS: what is no handshake, HTTP, large scrapes, and the end."""
import json
import select
import signal
import socket
import ssl
import time

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from pushers import Pusher
from tls import Records, TlsGateway, TlsWire, client_context, failed_handshakes
from wire import Wire, head, push

LARGE = 15 * 10 ** 6
FAILURES = "pushgateway_tls_handshake_failures_total"


# ---- what is no handshake ----

@pytest.mark.parametrize("request_", [
    head("GET", "/metrics"), head("HEAD", "/"), push("x", b"a 1\n"), push("x", b"a 1\n" * 5000, "POST"), head("OPTIONS", "/metrics"),
    head("DELETE", "/metrics/job/x")])
def test_plain_http_is_told_so(shared_tls, request_):
    before = failed_handshakes(shared_tls)
    with Wire(shared_tls) as w:
        w.send(request_)
        reply = w.reply()
        assert (reply.status, reply.headers) == (400, {})
        assert reply.text == "Client sent an HTTP request to an HTTPS server.\n"
    assert failed_handshakes(shared_tls) == before + 1
    assert scrape(shared_tls).pushed("push_time_seconds", "x") is None


@pytest.mark.parametrize("sent", [b"", b"GE", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", b"\xff" * 4096,
                                  b"\x80\x2e\x01\x03\x01" + bytes(43), b"\x15\x03\x01\x00\x02\x02\x28"])
def test_clients_that_leave_in_the_handshake(shared_tls, sent):
    before = failed_handshakes(shared_tls)
    for linger in (False, True):
        with Wire(shared_tls) as w:
            if linger:
                w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            w.send(sent)
    eventually(lambda: failed_handshakes(shared_tls) == before + 2, "both are counted")
    assert "TLS handshake failed" in shared_tls.log


def test_a_client_that_leaves_after_the_server_has_answered(shared_tls, certificates):
    before = failed_handshakes(shared_tls)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(certificates).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with Wire(shared_tls) as w:
        w.send(outgoing.read())
        assert w.take(5)[0] == 22
    eventually(lambda: failed_handshakes(shared_tls) == before + 1, "it is counted")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00", b"GET"])
def test_a_slow_handshake(certificates, tls_config, sent):
    with TlsGateway(certificates, tls_config, "--web.read-timeout=300ms") as g, Wire(g) as w:
        begin = time.monotonic()
        assert w.send(sent).at_end()
        assert time.monotonic() - begin >= 0.3
        eventually(lambda: scrape(g).get("pushgateway_connections") == 1, "it is gone")
        s = scrape(g)
        assert (s.get(FAILURES), s.get("pushgateway_request_timeouts_total")) == (1, 0)


def test_the_read_timeout_is_not_for_what_follows_the_handshake(certificates, tls_config):
    with TlsGateway(certificates, tls_config, "--web.read-timeout=2s") as g, TlsWire(g) as idle, Wire(g) as slow:
        assert slow.at_end(), "both were there when the time was over"
        assert idle.send(head("GET", "/-/healthy")).reply().status == 200


def record(gateway, data):
    """On a new connection; the one record that `data` makes, not yet sent."""
    r = Records(gateway).send()
    r.write(data)
    return r, r.outgoing.read()


def dribble(r, data):
    """A byte now and then. Whether the server closes before all are sent."""
    for byte in data:
        r.wire.send(bytes([byte]))
        while select.select([r.wire.socket], [], [], 0.1)[0]:
            data = r.wire.socket.recv(65536)
            r.wire.buffer += data
            if not data:
                return True
    return False


def reply_in(r):
    """What the server says until it closes."""
    r.wire.at_end()
    r.incoming.write(r.wire.buffer)
    return r.tls.read(65536)


@pytest.mark.parametrize("first", [1, 5, 100])
def test_a_record_that_dribbles(certificates, tls_config, first):
    """Nothing of its request can be read, and the idle timeout begins with each byte anew."""
    with TlsGateway(certificates, tls_config, "--web.idle-timeout=30s", "--web.read-timeout=2s") as g:
        r, data = record(g, push("dribble", b"#" * 9000 + b"\na 1\n"))
        begin = time.monotonic()
        r.wire.send(data[:first])
        assert dribble(r, data[first:first + 100])
        assert time.monotonic() - begin >= 2
        assert reply_in(r).startswith(b"HTTP/1.1 408 ")
        r.wire.socket.close()
        assert scrape(g).get("pushgateway_request_timeouts_total") == 1


def test_a_record_that_stops(certificates, tls_config):
    """Just its header: the connection is not idle."""
    with TlsGateway(certificates, tls_config, "--web.read-timeout=2s") as g:
        r, data = record(g, push("header", b"a 1\n"))
        r.wire.send(data[:5])
        assert reply_in(r).startswith(b"HTTP/1.1 408 ")
        r.wire.socket.close()


def test_a_record_cut_off(shared_tls):
    before = scrape(shared_tls).get("pushgateway_malformed_requests_total")
    r, data = record(shared_tls, push("cut", b"a 1\n"))
    r.wire.send(data[:-1]).half_close()
    assert reply_in(r).startswith(b"HTTP/1.1 400 ")
    r.wire.socket.close()
    assert scrape(shared_tls).get("pushgateway_malformed_requests_total") == before + 1


def test_a_record_begun_behind_the_last_request(shared_tls):
    """Nobody has waited for its end: it gets no reply, and is counted nowhere."""
    names = ("pushgateway_malformed_requests_total", "pushgateway_request_timeouts_total")
    before = scrape(shared_tls)
    for sent in (1, 5, 20):
        r, data = record(shared_tls, push("last", b"a 1\n", Connection="close"))
        r.write(push("none", b"a 1\n"))
        r.wire.send(data + r.outgoing.read()[:sent])
        assert reply_in(r).startswith(b"HTTP/1.1 200 ")
        assert r.tls.read(65536) == b"", "nothing but the close_notify"
        r.wire.socket.close()
    s = scrape(shared_tls)
    assert [s.get(name) for name in names] == [before.get(name) for name in names]


def test_idle_connections_end(certificates, tls_config):
    with TlsGateway(certificates, tls_config, "--web.idle-timeout=2s") as g, TlsWire(g) as fresh, TlsWire(g) as used:
        assert used.send(head("GET", "/-/healthy")).reply().status == 200
        assert fresh.at_end() and used.at_end()


# ---- HTTP on top ----

def test_a_large_body(shared_tls):
    body = "".join(f'large{{i="{i}",pad="{"x" * 1000}"}} {i}\n' for i in range(10000)).encode()
    assert len(body) > 10 ** 7
    assert shared_tls.post("large", body).status == 200
    s = scrape(shared_tls)
    assert [s.pushed("large", "large", i=str(i), pad="x" * 1000) for i in (0, 9999)] == [0, 9999]
    shared_tls.delete("large")


def test_two_requests_at_once_and_one_byte_by_byte(shared_tls):
    with TlsWire(shared_tls) as w:
        w.send(push("pipe", b"a 1\n") + head("GET", "/-/healthy"))
        assert [w.reply().status, w.reply().status] == [200, 200]
        for byte in push("pipe", b"a 2\n"):
            w.send(bytes([byte]))
        assert w.reply().status == 200
    assert scrape(shared_tls).pushed("a", "pipe") == 2


@pytest.mark.parametrize("request_, status, text", [
    (b"nonsense\r\n\r\n", 400, "400 Bad Request"),
    (head("GET", "/metrics").replace(b"Host: test\r\n", b""), 400, "400 Bad Request: missing required Host header"),
    (head("GET", "/", X="y" * 10000), 431, "request header larger than"),
    (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked") + b"x\r\n", 400, "400 Bad Request: invalid byte in chunk"),
    (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked") + b"0" * 300000, 400, "400 Bad Request: the line of a chunk"),
    (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked") + b"1001\r\n", 413, "request body larger than 4096"),
    (head("PUT", "/metrics/job/x", Content_Length=4, Expect="the-unexpected"), 417, "only Expect: 100-continue"),
], ids=["no HTTP", "no Host", "large header", "no chunk", "endless chunk line", "large chunk", "expectation"])
def test_refusals(certificates, tls_config, request_, status, text):
    with TlsGateway(certificates, tls_config, "--web.max-header-size=4KiB", "--limits.body-size=4KiB") as g:
        with TlsWire(g, ragged=True) as w:
            reply = w.send(request_).reply()
            assert (reply.status, reply.text[:len(text)]) == (status, text)


def test_a_late_request_is_told_so(certificates, tls_config):
    with TlsGateway(certificates, tls_config, "--web.read-timeout=2s") as g, TlsWire(g) as w:
        reply = w.send(push("late", b"a 1\n")[:-1]).reply()
        assert (reply.status, reply.text) == (408, "request not complete within --web.read-timeout\n")
        assert w.at_end()


def test_a_request_cut_off(shared_tls):
    before = scrape(shared_tls).get("pushgateway_malformed_requests_total")
    with TlsWire(shared_tls, ragged=True) as w:
        reply = w.send(push("cut", b"a 1\n")[:-1]).half_close().reply()
        assert (reply.status, reply.text) == (400, "unexpected EOF\n")
    assert scrape(shared_tls).get("pushgateway_malformed_requests_total") == before + 1


def test_a_request_cut_off_by_a_close_notify(shared_tls):
    """The connection below stays open: nothing but the record says that nothing follows."""
    before = scrape(shared_tls)
    with Records(shared_tls) as r:
        assert r.write(push("cut", b"a 1\n")[:-1]).close_notify().send().at_end()
    s = scrape(shared_tls)
    for name, more in (("pushgateway_malformed_requests_total", 1), ("pushgateway_request_timeouts_total", 0)):
        assert s.get(name) == before.get(name) + more


def push_of(size, path, body):
    """A request of so many bytes: a comment fills it up."""
    return next(r for n in range(400) if len(r := push(path, b"#" * (size - 400 + n) + b"\n" + body)) == size)


@pytest.mark.parametrize("room", [4048, 8144, 16336])
def test_an_end_right_behind_a_buffer_that_is_just_full(shared_tls, room):
    """The gateway reads into what is left of a buffer and into a new one, and meets the end in the second."""
    for left in (1, 100, 1000, 3000):
        request = push_of(room, "full", f"a {left}\n".encode())
        with Records(shared_tls) as r:
            r.write(request[:-left]).send()
            r.write(request[-left:]).close_notify().send()
            assert r.at_end()
        eventually(lambda: scrape(shared_tls).pushed("a", "full") == left, "the push counts")


def test_a_client_that_has_said_everything_still_gets_its_reply(shared_tls):
    with TlsWire(shared_tls) as w:
        assert w.send(push("said", b"a 1\n")).half_close().reply().status == 200


@pytest.mark.parametrize("size", [10, 4000, 16000, 100000, 1000000])
def test_a_client_that_does_not_wait(shared_tls, size):
    """Its end may arrive together with its request, which counts all the same."""
    for i in range(20):
        with TlsWire(shared_tls) as w:
            w.send(push(f"hurry{size}", b"# " + b"x" * size + b"\na %d\n" % i, Connection="close"))
            try:
                w.socket.unwrap()
            except (OSError, ValueError):
                pass  # the reply came instead of a close_notify
    eventually(lambda: scrape(shared_tls).pushed("a", f"hurry{size}") == 19, "the last one is there")


def test_expect_100_continue(shared_tls):
    body = b"a 1\n"
    asks = head("PUT", "/metrics/job/expect", Content_Length=len(body), Expect="100-continue")
    with TlsWire(shared_tls) as w:
        assert w.send(asks).reply().status == 100
        assert w.send(body).reply().status == 200
        # The body follows in a record of its own, before the interim reply can have arrived.
        for _ in range(100):
            w.send(asks)
            assert [w.send(body).reply().status, w.reply().status] == [100, 200]


def test_expect_100_continue_and_a_reply_at_once(shared_tls):
    """A refusal does not wait for the committer: it meets the interim reply in the buffer."""
    body = b"a x\n"
    asks = head("PUT", "/metrics/job/expect", Content_Length=len(body), Expect="100-continue")
    with TlsWire(shared_tls) as w:
        for _ in range(100):
            w.send(asks)
            assert [w.send(body).reply().status, w.reply().status] == [100, 400]


def test_the_connection_limit(certificates, tls_config):
    with TlsGateway(certificates, tls_config, "--web.max-connections=2") as g:
        with TlsWire(g) as a, TlsWire(g) as b:
            for w in (a, b):
                assert w.send(head("GET", "/-/healthy")).reply().status == 200
            with TlsWire(g) as extra:
                reply = extra.send(head("GET", "/metrics")).reply()
                assert (reply.status, reply.text) == (503, "too many connections (--web.max-connections)\n")
                assert extra.at_end()
        eventually(lambda: g.get("/-/healthy").status == 200, "there is room again")


# ---- large scrapes ----

@pytest.fixture(scope="module")
def large(certificates, tls_config, tmp_path_factory):
    """Some 15 MB to scrape, in a database."""
    database = tmp_path_factory.mktemp("large") / "tallygate.db"
    with TlsGateway(certificates, tls_config, database=database) as g:
        for job in range(10):
            body = "".join(f'large_{job}{{i="{i}",pad="{"x" * 1000}"}} {i}\n' for i in range(1500))
            assert g.put(f"large{job}", body).status == 200
    return database


def foreign(text):
    return [x for x in text.split("\n") if not x.startswith(("pushgateway_", "process_", "# "))]


@pytest.mark.parametrize("accept", [{}, {"Accept-Encoding": "gzip"}, {"Accept": "application/vnd.google.protobuf"}])
def test_a_large_scrape_is_the_plain_one(certificates, tls_config, large, accept):
    def body(g):
        reply = g.request("GET", "/metrics", headers=accept)
        assert reply.status == 200
        return reply.body
    with TlsGateway(certificates, tls_config, database=large) as g:
        first = body(g)
    with Gateway(database=large) as g:
        second = body(g)
    if not accept:
        assert len(first) > LARGE
        assert foreign(first.decode()) == foreign(second.decode())
    else:
        # Our own metrics, whose values move, are a few bytes of it.
        assert abs(len(first) - len(second)) < 500


def test_a_reply_of_one_piece(shared_tls):
    """JSON of all groups is made in one buffer, which TLS gets in pieces."""
    values = [f"{i:06d}" + "y" * 500 for i in range(4000)]
    shared_tls.put("piece", "".join(f'piece{{v="{v}"}} 1\n' for v in values))
    reply = shared_tls.get("/api/v1/metrics")
    (group,) = [x for x in json.loads(reply.text)["data"] if x["labels"]["job"] == "piece"]
    assert len(reply.body) > 2 * 10 ** 6
    assert sorted(m["labels"]["v"] for m in group["piece"]["metrics"]) == values
    shared_tls.delete("piece")


def resident(gateway):
    with open(f"/proc/{gateway.process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def test_slow_readers_hold_no_copies(certificates, tls_config, large):
    # What has been freed is not held, though the address sanitizer would keep some of it.
    env = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
    with TlsGateway(certificates, tls_config, database=large, env=env) as g:
        assert len(g.get("/metrics").body) > LARGE
        before = resident(g)
        wires = [TlsWire(g, ragged=True).send(head("GET", "/metrics")) for _ in range(16)]
        for w in wires:
            w.take(10000)
        assert g.get("/-/healthy").status == 200
        assert resident(g) - before < 2 * LARGE, "less than two of sixteen"
        for w in wires:
            w.socket.close()


# ---- the end ----

def test_sigterm_with_requests_in_flight(certificates, tls_config, database, faults):
    with TlsGateway(certificates, tls_config, database=database, env=faults.env) as g:
        idle, half, none = TlsWire(g), TlsWire(g), Wire(g)
        assert idle.send(head("GET", "/-/healthy")).reply().status == 200
        half.send(push("half", b"a 1\n")[:-2])
        eventually(lambda: scrape(g).get("pushgateway_connections") == 4, "all are accepted")
        faults.hold()
        wires = [TlsWire(g).send(push(f"p{i}", b"a 1\n")) for i in range(10)]
        faults.wait_until_held()
        g.signal(signal.SIGTERM)
        g.wait_for_line("exiting gracefully")
        half.send(b"1\n")
        faults.release()
        for w in [*wires, half]:
            assert w.reply().status == 200
            assert w.at_end()
        assert idle.at_end() and none.at_end()
        assert g.wait() == 0
        for w in (idle, half, none, *wires):
            w.socket.close()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert [s.pushed("a", f"p{i}") for i in range(10)] == [1] * 10 and s.pushed("a", "half") == 1


@pytest.mark.parametrize("sent", [1, 5, 5000])
def test_sigterm_in_a_record(certificates, tls_config, sent):
    with TlsGateway(certificates, tls_config, "--web.threads=1") as g:
        idle = TlsWire(g)
        r, data = record(g, push("half", b"#" * 9000 + b"\na 1\n"))
        r.wire.send(data[:sent])
        assert scrape(g), "the thread has come round: what was sent is read"
        g.signal(signal.SIGTERM)
        assert idle.at_end(), "and now it stops"
        r.wire.send(data[sent:])
        assert reply_in(r).startswith(b"HTTP/1.1 200 ")
        assert g.wait() == 0
        for w in (idle, r.wire):
            w.socket.close()


def test_sigterm_under_load(certificates, tls_config, database):
    with TlsGateway(certificates, tls_config, database=database) as g:
        pushers = [Pusher(g, f"p{i}") for i in range(8)]
        for p in pushers:
            p.wait_for(50)
        g.signal(signal.SIGTERM)
        assert g.wait() == 0
        for p in pushers:
            p.join()
            assert p.acknowledged >= 50 and p.last_status in (200, 503)
    with Gateway(database=database) as g:
        s = scrape(g)
        for p in pushers:
            p.check(s)


def test_sigterm_at_the_deadline(certificates, tls_config, large):
    with TlsGateway(certificates, tls_config, "--web.shutdown-timeout=300ms", database=large) as g:
        with TlsWire(g, ragged=True) as half, TlsWire(g, ragged=True) as slow:
            half.send(b"PUT /metr")
            slow.send(head("GET", "/metrics")).take(1000)
            g.signal(signal.SIGTERM)
            assert g.wait() == 0
