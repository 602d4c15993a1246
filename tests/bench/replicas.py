"""Several gateways over one PostgreSQL, beside one with a file: pushes, scrapes, how long a start, catching up and a promotion take."""

import http.client
import os
import re
import signal
import statistics
import sys
import threading
import time

import bodies
from fleet import OURS, START_LIMIT
from report import median
from servers import Failed

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
from postgresql_server import Server as Postgresql  # noqa: E402

CONNECTIONS = (16, 64, 256)
MOST = 3
GROUPS = 2000
SCRAPES = 200


class Setting:
    """Gateways with one store: a file, or a schema."""

    def __init__(self, bench, name, n, flags=()):
        self.bench, self.name = bench, name
        self.servers = []
        for i in range(n):
            server = bench.fleet.new_server(OURS, f"replicas-{name.replace(' ', '-')}-{i}")
            server.flags = list(flags)
            self.servers.append(server)

    def __enter__(self):
        for server in self.servers:
            server.start(START_LIMIT)
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()

    def load(self, connections):
        """(pushes a second of all, the worst p99)."""
        fleet, n = self.bench.fleet, len(self.servers)
        # Each load begins at another group, so that two do not push to the same group at the same time.
        loads = [fleet.begin_load(server, connections=connections // n, seconds=self.bench.options.seconds,
                                  first=i * GROUPS // n)
                 for i, server in enumerate(self.servers)]
        results = [fleet.end_load(server, load) for server, load in zip(self.servers, loads)]
        if any(r["failed"] for r in results):
            raise Failed(f"{self.name}: pushes failed")
        return sum(r["answered"] / r["seconds"] for r in results), max(r["p99"] for r in results)


def _settings(bench, postgresql):
    yield Setting(bench, "a file", 1)
    for n in range(1, MOST + 1):
        yield Setting(bench, f"PostgreSQL {n}", n, [f"--persistence.url={postgresql.url}", f"--persistence.schema=bench_{n}"])


def _pushes(bench, settings):
    groups = [bodies.stored_group(i) for i in range(GROUPS)]
    values = bodies.Values()
    bench.fleet.requests(g.put(values) for _ in range(2) for g in groups)
    for setting in settings:
        setting.load(CONNECTIONS[0])
    found = {}
    for _ in range(bench.options.rounds):
        for connections in CONNECTIONS:
            for setting in settings:
                found.setdefault((connections, setting.name), []).append(setting.load(connections))
    for (connections, name), rounds in sorted(found.items()):
        how = f"{name}, {connections} keep-alive"
        rates = [rate for rate, _ in rounds]
        bench.report.add("replicas", how, 10 * GROUPS, OURS, median(rates), "/s", rounds=rates)
        p99 = [p for _, p in rounds]
        bench.report.add("replicas", f"{how}: p99", 10 * GROUPS, OURS, median(p99), "s", rounds=p99)


def _scrapes(bench, settings):
    """Scrapes of what the pushes have left."""
    for setting in settings:
        taken = []
        for i in range(SCRAPES):
            begin = time.monotonic()
            status, _ = setting.servers[i % len(setting.servers)].get("/metrics")
            taken.append(time.monotonic() - begin)
            if status != 200:
                raise Failed(f"{setting.name}: a scrape was answered {status}")
        bench.report.add("replicas", f"{setting.name}: scrape", 10 * GROUPS, OURS, statistics.median(taken), "s")


def _has_applied(server, rows):
    """The server shows at least so many rows of other gateways."""
    text = server.get("/metrics?own=only")[1].decode()
    return float(re.search(r"^pushgateway_replica_applied_rows_total\S* (\S+)$", text, re.M)[1]) >= rows


def _push_all(bench, server, groups, values):
    bench.fleet.all_answered(server, (g.put(values) for g in groups), connections=64)


def _catching_up(bench, setting, stored):
    """How long the second of two gateways takes to catch up, when it was stopped while all groups were pushed once more."""
    groups = bodies.extra_groups("100", stored // 100)
    values = bodies.Values()
    first, second = setting.servers[:2]
    first.start(START_LIMIT)
    _push_all(bench, first, groups, values)
    bench.report.add("replicas", "start", stored, OURS, second.start(START_LIMIT), "s")
    second.proc.send_signal(signal.SIGSTOP)
    try:
        _push_all(bench, first, groups, values)
    finally:
        second.proc.send_signal(signal.SIGCONT)
    begin = time.monotonic()
    while not _has_applied(second, len(groups)):
        if time.monotonic() > begin + START_LIMIT:
            raise Failed(f"{setting.name}: it did not catch up")
        time.sleep(0.01)
    bench.report.add("replicas", "catching up", stored, OURS, time.monotonic() - begin, "s")


class Pusher(threading.Thread):
    """Pushes to one gateway, again and again, and notes when a push was taken."""

    def __init__(self, server):
        super().__init__()
        self.server, self.taken, self.ends = server, 0.0, False
        self.start()

    def run(self):
        while not self.ends:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=START_LIMIT)
            try:
                connection.request("PUT", f"/metrics/job/promoted_{self.server.port}", b"n 1\n")
                if connection.getresponse().status == 200:
                    self.taken = time.monotonic()
            finally:
                connection.close()
            time.sleep(0.01)

    def has_taken_since(self, begin):
        end = time.monotonic() + START_LIMIT
        while self.taken < begin:
            if time.monotonic() > end:
                raise Failed("no push was taken")
            time.sleep(0.001)
        return self.taken - begin


def _promotion(bench):
    """How long it takes until each of two gateways has taken a push again, when the primary is lost and its synchronous standby promoted at once."""
    primary = Postgresql(durable=True, synchronous_standby_names="*").start()
    try:
        standby = Postgresql(base=primary, durable=True).start()
        try:
            while primary.sql("SELECT sync_state FROM pg_stat_replication") != ["sync"]:
                time.sleep(0.01)
            url = f"postgresql://postgres@/postgres?host={primary.directory},{standby.directory}&port=5432,5432"
            with Setting(bench, "promoted", 2, [f"--persistence.url={url}"]) as setting:
                pushers = [Pusher(server) for server in setting.servers]
                try:
                    for pusher in pushers:
                        pusher.has_taken_since(time.monotonic())
                    lost = time.monotonic()
                    primary.stop(signal.SIGQUIT)
                    standby.sql("SELECT pg_promote()")
                    promoted = time.monotonic()
                    taken = [pusher.has_taken_since(promoted) for pusher in pushers]
                finally:
                    for pusher in pushers:
                        pusher.ends = True
                    for pusher in pushers:
                        pusher.join()
            bench.report.add("replicas", "promotion: PostgreSQL itself", 0, OURS, promoted - lost, "s")
            bench.report.add("replicas", "promotion: then until both take pushes", 0, OURS, max(taken), "s")
        finally:
            standby.end()
    finally:
        primary.end()


def replicas(bench):
    """Pushes over 16, 64 and 256 connections to one gateway with a file, and to one, two and three over one
    PostgreSQL; scrapes; how long a start takes, catching up with as many pushes as there are groups, and a promotion.
    Target: three take 60 % of one's pushes at least."""
    postgresql = Postgresql(durable=True, shared_buffers="128MB").start()
    try:
        settings = list(_settings(bench, postgresql))
        try:
            for setting in settings:
                setting.__enter__()
            _pushes(bench, settings)
            _scrapes(bench, settings)
        finally:
            for setting in settings:
                setting.__exit__()
        stored = bench.options.stored[-1]
        late = Setting(bench, "late", 2, [f"--persistence.url={postgresql.url}", "--persistence.schema=bench_late"])
        try:
            _catching_up(bench, late, stored)
        finally:
            late.__exit__()
    finally:
        postgresql.end()
    _promotion(bench)
