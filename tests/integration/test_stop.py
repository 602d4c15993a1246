"""The orderly end: SIGTERM and SIGINT answer what is in flight and lose nothing."""
import signal
import time

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from pushers import Pusher
from wire import Wire, head, push


def stopping(gateway, number=signal.SIGTERM):
    gateway.signal(number)
    gateway.wait_for_line("exiting gracefully")


def stopping_now(gateway, idle):
    """`idle` is a connection to the same thread: closed, when that has learnt of it."""
    stopping(gateway)
    assert idle.at_end()
    idle.socket.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_connections_do_not_hold_it_up(database, number):
    with Gateway("--web.shutdown-timeout=1h", database=database) as g:
        g.put("x", "a 1\n")
        with Wire(g) as fresh, Wire(g) as used:
            assert used.send(head("GET", "/-/healthy")).reply().status == 200
            # The fresh one has been accepted when the gateway counts it.
            eventually(lambda: scrape(g).get("pushgateway_connections") == 3, "it is accepted")
            stopping(g, number)
            assert g.wait() == 0
            assert fresh.at_end() and used.at_end()
        assert "HTTP server stopped" in g.log


def test_a_half_sent_request_may_still_arrive():
    request = push("late", b"a 1\n")
    with Gateway("--web.threads=1") as g:
        idle = Wire(g)
        with Wire(g) as slow:
            slow.send(request[:-3])
            assert scrape(g)
            stopping_now(g, idle)
            reply = slow.send(request[-3:]).reply()
            assert (reply.status, reply.headers["connection"]) == (200, "close")
            assert slow.at_end()
        assert g.wait() == 0


def test_a_half_sent_request_is_given_up_at_the_deadline(database):
    with Gateway("--web.shutdown-timeout=300ms", database=database) as g:
        g.put("x", "a 1\n")
        with Wire(g) as half, Wire(g) as no_body:
            half.send(b"PUT /metrics/job/half HTT")
            no_body.send(push("half", b"a 1\n")[:-4])
            assert scrape(g)
            begin = time.monotonic()
            stopping(g)
            assert g.wait() == 0
            assert time.monotonic() - begin < 9, "before the ten seconds that there are without the flag"
        assert "shutdown deadline" in g.log
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.pushed("a", "x") == 1
        assert s.pushed("push_time_seconds", "half") is None


def test_a_client_that_does_not_read_is_given_up_at_the_deadline(database):
    with Gateway("--web.shutdown-timeout=300ms", database=database) as g:
        g.put("big", "".join(f'a{{i="{i}",pad="{"x" * 1000}"}} 1\n' for i in range(10000)))
        with Wire(g) as w:
            for _ in range(3):
                w.send(head("GET", "/metrics"))
            w.take(1000)
            stopping(g)
            assert g.wait() == 0


def test_pushes_that_wait_for_the_disk_are_answered(database, faults):
    with Gateway("--web.threads=1", database=database, env=faults.env) as g:
        idle = Wire(g)
        faults.hold()
        wires = [Wire(g).send(push(f"p{i}", b"a 1\n", Connection="keep-alive")) for i in range(20)]
        faults.wait_until_held()
        eventually(lambda: scrape(g).get("pushgateway_connections") == 22, "all are accepted")
        stopping_now(g, idle)
        faults.release()
        for w in wires:
            reply = w.reply()
            assert (reply.status, reply.headers["connection"]) == (200, "close")
            assert w.at_end()
            w.socket.close()
        assert g.wait() == 0
    with Gateway(database=database) as g:
        assert [scrape(g).pushed("a", f"p{i}") for i in range(20)] == [1] * 20


@pytest.mark.parametrize("round_", range(4))
def test_under_load_everything_acknowledged_survives(database, round_):
    with Gateway(database=database) as g:
        pushers = [Pusher(g, f"p{i}") for i in range(8)]
        for p in pushers:
            p.wait_for(1)
        pushers[0].wait_for(5 + 20 * round_)
        stopping(g)
        assert g.wait() == 0
        for p in pushers:
            p.join()
            assert p.acknowledged in (p.sent, p.sent - 1)
            assert p.last_status in (200, 503)
    with Gateway(database=database) as g:
        s = scrape(g)
        for p in pushers:
            p.check(s)


def test_the_wal_is_gone_after_an_orderly_end(database):
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        g.terminate()
    assert [f.name for f in database.parent.iterdir()] == [database.name]


def test_signals_that_mean_nothing(gw):
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        gw.signal(number)
    assert gw.get("/-/healthy").status == 200


def test_a_second_signal_changes_nothing(gw):
    with Wire(gw) as half:
        half.send(b"PUT /met")
        assert scrape(gw)
        stopping(gw)
        gw.signal(signal.SIGTERM)
        gw.signal(signal.SIGINT)
        half.half_close()
        assert gw.wait() == 0
