"""Pushes in a closed loop: how many a second, what one costs, and what our commits look like."""

import bodies
from fleet import OURS, UNCHECKED
from report import median
from servers import PUSH

# Requests under way at once; the usual ones also with more, the large ones with fewer, since a store
# full of large groups would be another case.
CONNECTIONS = 16
MORE_CONNECTIONS = 64
LARGE_CONNECTIONS = 4
# Different groups that a load goes to.
TARGETS = 2000


def _cells(options, stored):
    """(shape, connections, a new one for each push): all shapes at one size, the usual shape at all sizes."""
    all_of_them = options.full or stored == options.stored[min(1, len(options.stored) - 1)]
    for shape in options.shapes:
        if all_of_them or shape in bodies.STORED_SHAPES:
            yield shape, LARGE_CONNECTIONS if shape == "15000" else CONNECTIONS, False
        if shape == "10x1":
            yield shape, MORE_CONNECTIONS, False
        if shape == "10x1" or (all_of_them and shape in ("1", "1x10")):
            yield shape, CONNECTIONS, True


def measured(bench, server, **numbers):
    """(bench-load's result, CPU seconds that it took the server)."""
    before = server.cpu()
    result = bench.fleet.load(server, seconds=bench.options.seconds, **numbers)
    return result, server.cpu() - before


def taking_turns(bench, names, connections, close=False):
    """server name: list of measured()."""
    fleet, options = bench.fleet, bench.options
    found, slow = {}, set()
    for _ in range(options.rounds):
        for server in fleet.running(names, to=PUSH):
            if server.name in slow:
                continue
            one = measured(bench, server, connections=connections, close=int(close))
            found.setdefault(server.name, []).append(one)
            if one[0]["answered"] == 0:
                server.too_slow.add(PUSH)
            if one[0]["answered"] == 0 or one[0]["seconds"] > 3 * options.seconds:
                slow.add(server.name)
    return found


def rates(rounds):
    return [r["answered"] / r["seconds"] for r, _ in rounds if r["answered"]]


def cpu_each(rounds):
    """Microseconds."""
    return [cpu / r["ok"] * 1e6 for r, cpu in rounds if r["ok"]]


def write_pushes(bench, shape, connections, close=False):
    """Writes the requests of a load; returns groups that it adds to what is stored, to forget()."""
    groups, extra = None, []
    if bench.stored and shape in bodies.STORED_SHAPES:
        groups = bodies.some_stored(bench.stored, shape, TARGETS)
    else:
        groups = extra = bodies.extra_groups(shape, connections)
    values = bodies.Values()
    bench.fleet.requests(g.put(values, close) for _ in range(2) for g in groups)
    return extra


def forget(fleet, groups):
    """Deletes the groups, so that the store is as it was for the next figure."""
    if not groups:
        return
    for server in fleet.running():
        if server.proc:
            fleet.all_answered(server, (g.delete() for g in groups))


def warm_up(bench, names=(UNCHECKED, OURS)):
    """Fills caches, and lets database files grow to their usual size."""
    groups = bodies.extra_groups("10x1", CONNECTIONS)
    values = bodies.Values()
    bench.fleet.requests(g.put(values) for g in groups)
    for server in bench.fleet.running(names, to=PUSH):
        bench.fleet.load(server, seconds=bench.options.seconds)
    forget(bench.fleet, groups)


class Commits:
    """The transactions since this was made, by our own metrics."""

    SAMPLES = [
        f"pushgateway_commit_{what}_{sample}"
        for what in ("batch_pushes", "duration_seconds")
        for sample in ("sum", "count")
    ]

    def __init__(self, fleet):
        self.server = next(fleet.running([OURS]), None)
        self.before = self._read()

    def _read(self):
        return self.server and self.server.own_metrics(self.SAMPLES)

    def report(self, report, part, how, stored):
        """Returns the seconds that a transaction took, or None."""
        if not self.server or not self.server.proc:
            return None
        pushes, n_pushes, seconds, n_commits = (
            after - before for after, before in zip(self._read(), self.before)
        )
        if n_pushes <= 0 or n_commits <= 0:
            return None
        report.add(part, how + ": batch", stored, OURS, pushes / n_pushes, "pushes")
        report.add(part, how + ": commit", stored, OURS, seconds / n_commits, "s")
        return seconds / n_commits


def push(bench):
    """Closed loop of pushes of each shape: pushes a second, CPU of each, our commits."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    warm_up(bench)
    for shape, connections, close in _cells(bench.options, stored):
        extra = write_pushes(bench, shape, connections, close)
        commits = Commits(fleet)
        found = taking_turns(bench, None, connections, close)
        how = f"push {shape}, " + ("new connection each" if close else f"{connections} keep-alive")
        for name, rounds in found.items():
            failed = sum(r["failed"] for r, _ in rounds)
            rate = median(rates(rounds)) or bench.too_slow
            report.add("push", how, stored, name, rate, "/s", rounds=rates(rounds), failed=failed)
            cpu = cpu_each(rounds)
            report.add("push", how + ": CPU", stored, name, median(cpu), "us", rounds=cpu)
        commits.report(report, "push", how, stored)
        forget(fleet, extra)
