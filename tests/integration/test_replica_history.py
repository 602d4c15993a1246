"""What clients did and saw at several gateways over one PostgreSQL, as one machine could have done it; and logs that become other ones."""
import contextlib
import math
import os
import random
import re
import signal
import subprocess
import threading
import time

from gateway import DEADLINE, Gateway, eventually
from linearizable import Op, is_linearizable
from postgresql_server import Server
from test_postgresql import Load, assert_none_missing, shown
from test_replicas import flags, own, replicas  # noqa: F401: a fixture

OPERATIONS = int(os.environ.get("REPLICA_OPERATIONS", "300"))
GROUPS = 3


def test_the_check_finds_what_is_wrong():
    def check(*ops):
        return is_linearizable([Op(*op) for op in ops])

    assert check((0, 1, True, 1), (2, 3, False, 1))
    assert not check((0, 1, True, 1), (2, 3, False, None)), "an acknowledged push is missing"
    assert not check((0, 1, True, 1), (2, 3, True, 2), (4, 5, False, 2), (6, 7, False, 1)), "a value goes back"
    assert check((0, 9, True, 1), (1, 2, False, None), (3, 4, False, 1)), "it takes effect while it waits for the answer"
    assert not check((0, 9, True, 1), (1, 2, False, 1), (3, 4, False, None)), "once seen it is there"
    assert check((0, math.inf, True, 1), (2, 3, False, None), (4, 5, False, 1)), "nobody knows when"
    assert not check((0, math.inf, True, 1), (2, 3, False, 1), (4, 5, False, None)), "nobody knows when, but it was there"
    assert check((0, 1, True, 1), (2, math.inf, True, None), (3, 4, False, 1), (5, 6, False, None)), "nobody knows when it went"
    assert not check((0, 1, True, 1), (2, 3, False, 7)), "nobody has pushed that"


class History:
    """Clients that push to, delete and scrape groups, each time at another gateway, and write down what they did and saw."""

    def __init__(self, gateways, clients=6):
        self.gateways = gateways
        self.ops = [[] for _ in range(GROUPS)]
        self.lock = threading.Lock()
        self.left = OPERATIONS
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(clients)]
        for t in self.threads:
            t.start()

    def _run(self, client):
        rng = random.Random(client)
        n = 0
        while True:
            with self.lock:
                self.left -= 1
                if self.left < 0:
                    return
            n += 1
            gw = rng.choice(self.gateways)
            if rng.randrange(2):
                self._scrape(gw)
            else:
                self._write(gw, rng.randrange(GROUPS), None if rng.randrange(5) == 0 else client * 100000 + n)

    def _write(self, gw, group, value):
        begin = time.monotonic()
        try:
            reply = gw.delete(f"g{group}") if value is None else gw.put(f"g{group}", f"v {value}\n")
            assert reply.status in (200, 202, 503), reply
            certain = reply.status != 503
        except OSError:
            certain = False
        self._note(group, Op(begin, time.monotonic() if certain else math.inf, True, value))

    def _scrape(self, gw):
        begin = time.monotonic()
        try:
            reply = gw.get("/metrics")
        except OSError:
            return
        end = time.monotonic()
        got = {int(g): int(float(v)) for g, v in re.findall(r'^v\{instance="",job="g(\d)"\} (\S+)$', reply.text, re.M)}
        for group in range(GROUPS):
            self._note(group, Op(begin, end, False, got.get(group)))

    def _note(self, group, op):
        with self.lock:
            self.ops[group].append(op)

    def check(self):
        for t in self.threads:
            t.join()
        for group, ops in enumerate(self.ops):
            assert len(ops) > OPERATIONS / GROUPS / 2
            assert is_linearizable(ops), f"group {group}: " + "\n".join(map(str, sorted(ops, key=lambda op: op.begin)))


def test_as_one_machine_could_have_done_it(flags):
    with replicas(3, flags) as gws:
        History(gws).check()


def test_as_one_machine_could_have_done_it_with_kills(flags):
    options = [*flags, "--persistence.timeout=2s"]
    with replicas(2, options) as stay, contextlib.ExitStack() as stack:
        gws = [*stay, stack.enter_context(Gateway(*options, database=None))]
        history = History(gws)
        for part in (2, 4):
            eventually(lambda at=OPERATIONS - OPERATIONS * part // 6: history.left <= at, "clients go on")
            gws[2].kill()
            gws[2] = stack.enter_context(Gateway(*options, database=None))
        history.check()


def test_an_older_backup_is_restored_under_running_gateways():
    """What it does not have is gone at all of them, and they go on from there."""
    server = Server(durable=True).start()
    try:
        with replicas(2, [f"--persistence.url={server.url}", "--persistence.timeout=2s"]) as gws:
            for i in range(10):
                assert gws[i % 2].put(f"kept_{i}", f"n {i}\n").status == 200
            want = shown(gws[0])
            server.stop()
            backup = os.path.join(server.directory, "backup")
            subprocess.run(["cp", "-a", server.data, backup], check=True)
            server.start()
            eventually(lambda: gws[0].put("kept_0", "n 99\n").status == 200, "it comes back")
            eventually(lambda: gws[1].put("lost", "n 1\n").status == 200, "it comes back")
            for gw in gws:
                assert "lost" in gw.get("/metrics").text
            server.stop()
            os.rename(server.data, os.path.join(server.directory, "newer"))
            os.rename(backup, server.data)
            server.start()
            for gw in gws:
                eventually(lambda gw=gw: shown(gw) == want, "it shows the backup")
                assert own(gw, "pushgateway_replica_history_lost_total") == 1
                gw.wait_for_line("loaded from the database again")
            assert gws[0].put("new", "n 5\n").status == 200
            assert 'n{instance="",job="new"} 5\n' in gws[1].get("/metrics").text
            assert shown(gws[0]) == shown(gws[1])
    finally:
        server.end()


@contextlib.contextmanager
def primary_and_standby():
    """The standby is synchronous: what the primary has committed, it has."""
    primary = Server(durable=True, synchronous_standby_names="*").start()
    try:
        standby = Server(base=primary, durable=True).start()
        try:
            eventually(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == ["sync"], "the standby is synchronous")
            yield primary, standby
        finally:
            standby.end()
    finally:
        primary.end()


def test_the_primary_is_lost_and_its_standby_promoted():
    """Nothing that was acknowledged is missing, and the gateways find the new primary by themselves."""
    with primary_and_standby() as (primary, standby):
        url = f"postgresql://postgres@/postgres?host={primary.directory},{standby.directory}&port=5432,5432"
        with replicas(2, [f"--persistence.url={url}", "--persistence.timeout=2s"]) as gws:
            load = Load(gws)
            try:
                eventually(lambda: load.total() > 50, "pushes go on")
                primary.stop(signal.SIGQUIT)
                refused = load.refused
                eventually(lambda: load.refused > refused, "pushes are refused")
                assert gws[0].get("/metrics").status == 200
                standby.sql("SELECT pg_promote()")
                before = load.total()
                eventually(lambda: load.total() > before + 50, "pushes go on at the new primary")
            finally:
                load.stop()
            for gw in gws:
                assert_none_missing(gw, load)
            assert shown(gws[0]) == shown(gws[1])


def test_a_wait_for_the_standby_that_was_cancelled_is_no_200():
    """The server answers COMMIT with a warning: it could be lost by a promotion."""
    with primary_and_standby() as (primary, standby):
        with replicas(2, [f"--persistence.url={primary.url}", "--persistence.timeout=1s"]) as gws:
            assert gws[0].put("a", "n 1\n").status == 200
            standby.stop()
            answers = []
            push = threading.Thread(target=lambda: answers.append(gws[0].put("a", "n 2\n")))
            push.start()
            waits = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            eventually(lambda: primary.sql(f"SELECT 1 {waits}"), "the commit waits")
            primary.sql(f"SELECT pg_cancel_backend(pid) {waits}")
            push.join(DEADLINE)
            assert answers[0].status == 503
            assert "can be repeated" in answers[0].text
            standby.start()
            eventually(lambda: gws[1].put("b", "n 3\n").status == 200, "pushes are taken again")
            for gw in gws:
                assert 'n{instance="",job="a"} 2\n' in gw.get("/metrics").text
