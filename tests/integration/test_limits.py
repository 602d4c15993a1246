"""Every limit that a client can meet: at it and one past it, with the flag's name in the answer."""
import re
import select
import socket
import time
from contextlib import ExitStack

import pytest

import messages as pb
from exposition import counter, scrape
from gateway import DEADLINE, Gateway, eventually
from service_manager import stopped_thread
from wire import Wire, exchange, head, push

A = b"a 1\n"


def rejected(gateway):
    return counter(gateway, "pushgateway_rejected_pushes_total", reason="limit")


def chunked(body, size):
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked")
            + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n")


@pytest.fixture(scope="module")
def small():
    flags = ["--limits.body-size=1000", "--limits.series-per-push=10", "--limits.families-per-push=4", "--limits.labels-per-series=6",
             "--limits.label-name-length=20", "--limits.label-value-length=30", "--web.max-header-size=2KiB"]
    with Gateway(*flags) as g:
        yield g


def body_of(n):
    return A + b"#" * (n - len(A) - 1) + b"\n"


def test_body_size(small):
    before = counter(small, "pushgateway_malformed_requests_total")
    # As one length, as one chunk, as many chunks.
    for send in (lambda b: push("x", b), lambda b: chunked(b, len(b)), lambda b: chunked(b, 7)):
        assert exchange(small, send(body_of(1000))).status == 200
        with Wire(small) as w:
            reply = w.send(send(body_of(1001))).reply()
            assert reply.status == 413 and "1000 bytes (--limits.body-size)" in reply.text
            assert w.half_close().at_end()
    assert counter(small, "pushgateway_malformed_requests_total") == before + 3
    assert small.put("x", body_of(1000)).status == 200


def test_a_body_far_too_large_gets_its_answer(small):
    """A client that sends all of it before it reads sees the 413 and not a reset."""
    assert exchange(small, push("x", b"#" * 20_000_000)).status == 413
    assert exchange(small, chunked(b"#" * 1_000_000, 50_000)).status == 413


def test_header_size(small):
    def request(n):
        """Its lines have n bytes, without their ends."""
        lines = ["GET /-/healthy HTTP/1.1", "Host: x", "X: "]
        lines[-1] += "y" * (n - sum(map(len, lines)))
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    before = counter(small, "pushgateway_malformed_requests_total")
    assert exchange(small, request(2048)).status == 200
    for n in (2049, 3000, 100000):
        reply = exchange(small, request(n))
        assert reply.status == 431 and "2048 bytes (--web.max-header-size)" in reply.text, n
    assert counter(small, "pushgateway_malformed_requests_total") == before + 3
    many = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 1000 + b"\r\n"
    assert exchange(small, many).status == 431
    assert small.get("/-/healthy").status == 200


def series(n):
    return "".join(f'a{{i="{i}"}} 1\n' for i in range(n))


PUSHES = {
    "series": (series(10), series(11), "--limits.series-per-push"),
    "series of several families": (series(9) + "b 1\n", series(9) + "b 1\nc 1\n", "--limits.series-per-push"),
    "families": ("a 1\nb 1\nc 1\nd 1\n", "a 1\nb 1\nc 1\nd 1\ne 1\n", "--limits.families-per-push"),
    "labels": ('a{b="",c="",d="",e=""} 1\n', 'a{b="",c="",d="",e="",f=""} 1\n', "--limits.labels-per-series"),
    "label name": (f'a{{{"n" * 20}="v"}} 1\n', f'a{{{"n" * 21}="v"}} 1\n', "--limits.label-name-length"),
    "label value": (f'a{{b="{"v" * 30}"}} 1\n', f'a{{b="{"v" * 31}"}} 1\n', "--limits.label-value-length"),
}


@pytest.mark.parametrize("name", PUSHES)
def test_what_a_push_may_hold(small, name):
    fits, too_much, flag = PUSHES[name]
    small.delete("hold")
    assert small.put("hold", fits).status == 200
    before = scrape(small)
    reply = small.put("hold", too_much)
    assert (reply.status, flag in reply.text, reply.text.count("\n")) == (413, True, 1), reply
    after = scrape(small)
    assert [x for x in after.foreign() if "push_" not in x] == [x for x in before.foreign() if "push_" not in x]
    count = ("pushgateway_rejected_pushes_total", frozenset({("reason", "limit")}))
    assert after.samples[count] == before.samples[count] + 1
    assert small.put("hold", fits).status == 200


def test_the_same_limits_for_protobuf(small):
    def put(body):
        return small.request("PUT", "/metrics/job/pb", body, {"Content-Type": pb.CONTENT_TYPE})

    small.delete("hold")
    for n, status in ((10, 200), (11, 413)):
        assert put(pb.family("g", pb.GAUGE, *(pb.gauge(i, i=str(i)) for i in range(n)))).status == status
    for n, status in ((4, 200), (5, 413)):
        assert put(pb.family("g", pb.GAUGE, pb.gauge(1, **{f"l{i}": "" for i in range(n)}))).status == status
    for n, status in ((20, 200), (21, 413)):
        assert put(pb.family("g", pb.GAUGE, pb.gauge(1, **{"n" * n: ""}))).status == status
    for n, status in ((30, 200), (31, 413)):
        assert put(pb.family("g", pb.GAUGE, pb.gauge(1, b="v" * n))).status == status
    small.delete("pb")


@pytest.mark.parametrize("fits,too_much,flag", [
    ("/l/" + "v" * 30, "/l/" + "v" * 31, "--limits.label-value-length"),
    ("/" + "n" * 20 + "/v", "/" + "n" * 21 + "/v", "--limits.label-name-length"),
    ("/a/1/b/2/c/3/d/4", "/a/1/b/2/c/3/d/4/e/5/f/6", "--limits.labels-per-series")])
def test_what_a_grouping_key_may_hold(small, fits, too_much, flag):
    assert small.put("k" + fits, "a 1\n").status == 200
    reply = small.put("k" + too_much, "a 1\n")
    assert reply.status == 400 and flag in reply.text
    assert small.delete("k" + fits).status == 202


def test_groups_and_series_stored():
    with Gateway("--limits.groups=3", "--limits.series=12") as g:
        for i in range(3):
            assert g.put(f"g{i}", "a 1\n").status == 200
        reply = g.put("g3", "a 1\n")
        assert reply.status == 507 and "(--limits.groups)" in reply.text
        assert scrape(g).get("pushgateway_series") == 9, "one and two push times in each group"
        assert g.post("g0", "b 1\nc 1\nd 1\n").status == 200
        reply = g.post("g0", "e 1\n")
        assert reply.status == 507 and "--limits.series=12" in reply.text
        assert rejected(g) == 2
        assert g.post("g0", "b 2\n").status == 200, "what replaces fits always"
        s = scrape(g)
        assert (s.pushed("b", "g0"), s.pushed("e", "g0"), s.get("pushgateway_groups")) == (2, None, 3)
        assert g.put("g3", "a 1 5\n").status in (400, 507), "a refused push is no way around the limit"
        assert scrape(g).get("pushgateway_groups") == 3
        g.delete("g1")
        assert g.put("g3", "a 1\n").status == 200
        g.put("g0", "")
        assert g.post("g3", "b 1\nc 1\nd 1\n").status == 200


def test_connections():
    with Gateway("--web.max-connections=4") as g:
        wires = [Wire(g)]
        alone = b"\npushgateway_connections 1\n"
        eventually(lambda: alone in wires[0].send(head("GET", "/metrics")).reply().body, "the one that asks is alone")
        wires += [Wire(g) for _ in range(3)]
        for w in wires:
            assert w.send(head("GET", "/-/healthy")).reply().status == 200
        for request in (head("GET", "/metrics"), push("x", A), head("PUT", "/metrics/job/x", Content_Length=4, Expect="100-continue") + A):
            with Wire(g) as extra:
                reply = extra.send(request).reply()
                if reply.status == 100:
                    reply = extra.reply()
                assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
                assert reply.text == "too many connections (--web.max-connections)\n"
                assert extra.at_end()
        for path in ("/-/healthy", "/-/ready", "/-/healthy?x"):
            with Wire(g) as probe:
                assert probe.send(head("GET", path)).reply().status == 200, "probes always get through"
                assert probe.send(head("GET", "/metrics")).reply().status == 503, "which is no way around the limit"
        assert wires[0].send(head("GET", "/metrics")).reply().text.count("\npushgateway_connections_refused_total 6\n") == 1
        for w in wires:
            assert w.send(push("x", A)).reply().status == 200, "those that are in stay in"
            w.socket.close()
        eventually(lambda: g.get("/-/healthy").status == 200, "there is room again")
        eventually(lambda: counter(g, "pushgateway_connections") == 1, "only the one that asks is open")


ROOM = 1 << 20
# Headers are counted as well: less than a tenth of the room, and more than a small request.
LARGE = ROOM // 10 - 1000


@pytest.mark.parametrize("in_chunks", [False, True])
def test_receiving(in_chunks):
    half = b"#" * (LARGE - 1) + b"\n"
    if in_chunks:
        begin = head("PUT", "/metrics/job/large", Transfer_Encoding="chunked") + b"%x\r\n%s\r\n" % (LARGE, half)
        end = b"8\r\nlarge 1\n\r\n0\r\n\r\n"
    else:
        begin = head("PUT", "/metrics/job/large", Content_Length=LARGE + 8) + half
        end = b"large 1\n"

    with Gateway(f"--limits.receiving-bytes={ROOM}") as g, ExitStack() as stack:
        def receiving():
            return counter(g, "pushgateway_receiving_bytes")

        wires = [stack.enter_context(Wire(g)) for _ in range(10)]
        for w in wires:
            w.send(begin)
        eventually(lambda: receiving() > 10 * LARGE, "all have arrived")
        assert counter(g, "pushgateway_crowded_requests_total") == 0
        with Wire(g) as extra:
            reply = extra.send(begin).reply()
            assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
            assert "--limits.receiving-bytes" in reply.text
            assert extra.at_end()
        assert counter(g, "pushgateway_crowded_requests_total") == 1
        assert g.put("small", "#" * 50000 + "\nsmall 1\n").status == 200, "there is room for a small one"
        for w in wires[:2]:
            assert w.send(end).reply().status == 200, "those that are in stay in"
        with Wire(g) as extra:
            assert extra.send(begin + end).reply().status == 200, "there is room again"
        for w in wires[2:]:
            w.socket.close()
        eventually(lambda: receiving() < 1000, "what is gone takes no room")
        s = scrape(g)
        assert (s.pushed("large", "large"), s.pushed("small", "small")) == (1, 1)


def test_receiving_one_alone():
    """Larger than the room for all; the next large one is refused."""
    with Gateway("--limits.receiving-bytes=100KiB") as g:
        for _ in range(2):
            assert g.put("large", "#" * 10 * ROOM + "\nlarge 1\n").status == 200
        with Wire(g) as first, Wire(g) as second:
            first.send(head("PUT", "/metrics/job/large", Content_Length=ROOM) + b"#" * (ROOM // 2))
            eventually(lambda: counter(g, "pushgateway_receiving_bytes") > ROOM // 2, "half of it has arrived")
            assert second.send(head("PUT", "/metrics/job/large", Content_Length=ROOM) + b"#" * 70000).reply().status == 503
            assert first.send(b"#" * (ROOM // 2 - 1) + b"\n").reply().status == 200


def test_receiving_what_is_thrown_away():
    """A body over the limit is not kept, however much of it still comes: it takes no room."""
    with Gateway("--limits.receiving-bytes=1MiB", "--limits.body-size=1MiB", "--web.max-header-size=64KiB") as g:
        with Wire(g) as long:
            assert long.send(head("PUT", "/metrics/job/long", Content_Length=200 * ROOM)).reply().status == 413
            for _ in range(20):
                long.send(b"#" * ROOM)
                assert counter(g, "pushgateway_receiving_bytes") < 1000
                assert g.put("large", "#" * 500000 + "\nlarge 1\n").status == 200
        assert counter(g, "pushgateway_crowded_requests_total") == 0


def test_many_small_families_that_nobody_reads():
    """They are copied together. References would hold half as much again, in the list of what is to be sent."""
    with Gateway("--limits.families-per-push=100000") as g, Wire(g) as stalled:
        assert g.put("j", "".join(f"family_{i} 1\n" for i in range(100000))).status == 200
        stalled.send(head("GET", "/metrics"))
        eventually(lambda: select.select([stalled.socket], [], [], 0)[0], "the reply begins")
        text = g.get("/metrics").text
        held = float(re.search(r"^pushgateway_reply_bytes (.*)$", text, re.M)[1])
        # How much the kernel has taken by now is its affair: at worst nothing.
        assert 0 < held < len(text) + 16384


def test_idle_connections_of_one_client():
    """However many: others are served, and probes of its own too."""
    # How many there are above the limit: 40 // 8 + 16, and up to 4 more of each thread.
    least, most = 40 // 8 + 16, 40 // 8 + 16 + 2 * 4
    with Gateway("--web.max-connections=200", "--web.max-connections-per-client=40", "--web.threads=2") as g:
        idle = [Wire(g, source="127.0.0.2") for _ in range(300)]
        assert g.put("x", "a 1\n").status == 200 and g.get("/metrics").status == 200
        eventually(lambda: scrape(g).get("pushgateway_connections_refused_total") >= 300 - 40 - most, "most are closed")
        for _ in range(20):
            assert answer(Wire(g, source="127.0.0.2"), "/-/healthy") == 200, "a probe that comes from there, too"
        kept = [w for w in idle if answer(w, "/-/ready") == 200]
        # Each probe may have taken the place of one.
        assert 40 + least - 20 <= len(kept) <= 40 + most
        replies = [w.send(head("GET", "/metrics")).reply() for w in kept]
        refused = [r for r in replies if r.status == 503]
        assert len(refused) == len(kept) - 40, "those over the limit are told so"
        for reply in refused:
            assert (reply.headers["retry-after"], reply.headers["connection"]) == ("1", "close")
            assert reply.text == "too many connections from this address (--web.max-connections-per-client)\n"
        for w in idle:
            w.socket.close()
        eventually(lambda: answer(Wire(g, source="127.0.0.2"), "/metrics") == 200, "there is room again")


@pytest.mark.parametrize("flags,clients,room", [(("--web.max-connections=200", "--web.max-connections-per-client=40"), 1, 40),
                                                (("--web.max-connections=80", "--web.max-connections-per-client=70"), 10, 80)])
def test_refused_connections_that_stay_open(flags, clients, room):
    """A client may keep a connection open after its 503, and send something now and then: it makes room for new ones all the same."""
    with Gateway(*flags, "--web.threads=2") as g:
        many = []
        for i in range(300):
            many.append(Wire(g, source=f"127.0.0.{2 + i % clients}"))
            assert answer(many[-1], "/metrics") == (200 if i < room else 503)
            for w in many[room:]:
                try:
                    w.send(b"#")
                except OSError:
                    pass
        assert float(re.search(r"^pushgateway_connections (.*)$", answer_of(many[0]), re.M)[1]) <= room + room // 8 + 16 + 2 * 4
        assert [answer(w, "/-/healthy") for w in many[:room]] == [200] * room
        for w in many:
            w.socket.close()


def answer_of(w):
    return w.send(head("GET", "/metrics")).reply().text


def answer(w, path):
    """The status, or None: the connection is closed."""
    try:
        return w.send(head("GET", path)).reply().status
    except (AssertionError, OSError):
        return None


def test_connections_of_proxies_are_not_counted_by_address():
    with Gateway("--web.max-connections-per-client=4", "--web.trusted-proxies=127.0.0.2") as g:
        many = [Wire(g, source="127.0.0.2") for _ in range(60)]
        assert [w.send(head("GET", "/-/healthy")).reply().status for w in many] == [200] * 60
        for w in many:
            w.socket.close()


@pytest.mark.parametrize("proxies", ["::1", "::/127", "0::/16"])
def test_connections_of_ipv6_proxies_are_not_counted_by_address(proxies):
    """Clients are told apart by the first 64 bits, proxies by what the flag says."""
    with Gateway("--web.listen-address=[::1]:0", "--web.max-connections-per-client=4", f"--web.trusted-proxies={proxies}") as g:
        port = int(re.search(r"\[::1\]:(\d+)", g.wait_for_line("address=[::1]:"))[1])
        with ExitStack() as stack:
            many = [stack.enter_context(socket.create_connection(("::1", port), timeout=30)) for _ in range(60)]
            for s in many:
                s.sendall(head("GET", "/-/healthy"))
            assert [s.recv(4096).split()[1] for s in many] == [b"200"] * 60


def test_idle_connections_of_many_clients():
    """They fill the gateway, and a probe gets through all the same: those that only wait make room."""
    with Gateway("--web.max-connections=100", "--web.max-connections-per-client=40") as g:
        idle = [Wire(g, source=f"127.0.0.{2 + i % 10}") for i in range(400)]
        for _ in range(20):
            with Wire(g) as probe:
                assert probe.send(head("GET", "/-/healthy")).reply().status == 200
            with Wire(g) as other:
                assert other.send(head("GET", "/metrics")).reply().status == 503
        for w in idle:
            w.socket.close()
        eventually(lambda: g.get("/metrics").status == 200, "there is room again")


def test_a_thread_that_did_not_run_takes_connections_again():
    """The other one has filled the gateway meanwhile. Those of this one are too few to make room, and now too many for both."""
    with Gateway("--web.threads=2", "--web.max-connections=100", "--web.max-connections-per-client=40") as g:
        with stopped_thread(g, "http"):
            idle = [Wire(g, source=f"127.0.0.{2 + i % 10}") for i in range(400)]
            sockets = [w.socket for w in idle]
            eventually(lambda: len(select.select(sockets, [], [], 0)[0]) > 20, "those that have waited longest make room")
        for _ in range(20):
            with Wire(g) as probe:
                assert probe.send(head("GET", "/-/healthy")).reply().status == 200
        for s in sockets:
            s.close()


def test_a_flood_of_connections_ends_well():
    """Many times the limit at once: those beyond it wait in the backlog or get their 503."""
    with Gateway("--web.max-connections=10") as g:
        wires = [Wire(g).send(head("GET", "/metrics", Connection="close")) for _ in range(200)]
        statuses = []
        for w in wires:
            statuses.append(w.reply().status)
            w.socket.close()
        assert set(statuses) <= {200, 503} and statuses.count(200) >= 10
        eventually(lambda: g.get("/-/healthy").status == 200, "there is room again")


@pytest.mark.parametrize("sent", [b"PUT /metr", push("slow", A)[:-1], head("PUT", "/metrics/job/slow", Content_Length=4, Expect="100-continue")])
def test_read_timeout(sent):
    with Gateway("--web.read-timeout=300ms") as g:
        with Wire(g) as w:
            begin = time.monotonic()
            w.send(sent)
            reply = w.reply()
            if reply.status == 100:
                reply = w.reply()
            assert (reply.status, reply.text) == (408, "request not complete within --web.read-timeout\n")
            assert time.monotonic() - begin >= 0.3
            assert w.at_end()
        s = scrape(g)
        assert s.get("pushgateway_request_timeouts_total") == 1
        assert s.pushed("push_time_seconds", "slow") is None
        assert g.put("slow", "a 1\n").status == 200


def test_a_trickle_does_not_extend_the_read_timeout():
    with Gateway("--web.read-timeout=300ms") as g, Wire(g) as w:
        w.send(head("PUT", "/metrics/job/slow", Content_Length=10**6))
        begin = time.monotonic()
        # The socket becomes readable with the answer; until then a byte now and then.
        while not select.select([w.socket], [], [], 0.05)[0]:
            w.send(b"#")
            assert time.monotonic() - begin < DEADLINE
        assert w.reply().status == 408


def test_idle_timeout():
    with Gateway("--web.idle-timeout=2s") as g, Wire(g) as fresh, Wire(g) as used:
        assert used.send(head("GET", "/-/healthy")).reply().status == 200
        assert used.at_end() and fresh.at_end()
