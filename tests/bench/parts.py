"""What is measured. Each part adds its figures to the report for the series now stored."""

import bodies
from fleet import OURS, START_LIMIT, UNCHECKED
from report import median
from servers import PUSH, SCRAPE

# Requests under way at once; the large ones, fewer, as a store full of them would be another case.
CONNECTIONS = 16
LARGE_CONNECTIONS = 4
# Different groups that a load goes to.
TARGETS = 2000
# A scrape that takes this share of the limit is not made again and again.
SLOW_SCRAPE = 0.2

FORMATS = {
    "plain": [],
    "gzip": ["Accept-Encoding: gzip"],
    "zstd": ["Accept-Encoding: zstd"],
    "protobuf": [f"Accept: {bodies.PROTO.replace(' ', '')}"],
}


class Bench:
    def __init__(self, fleet, report, options):
        self.fleet = fleet
        self.report = report
        self.options = options
        self.too_slow = f"> {options.limit:g} s"

    @property
    def stored(self):
        return self.fleet.stored


def push_cells(options, stored):
    """(shape, new connection each): all shapes at one size, the usual one at all."""
    all_of_them = options.full or stored == options.stored[min(1, len(options.stored) - 1)]
    for shape in options.shapes:
        if all_of_them or shape in bodies.STORED_SHAPES:
            yield shape, False
        if shape == "10x1" or (all_of_them and shape in ("1", "1x10")):
            yield shape, True


def _push_once(bench, server, seconds, **numbers):
    """(result, CPU seconds that it took the server)."""
    before = server.cpu()
    result = bench.fleet.load(server, seconds=seconds, **numbers)
    return result, server.cpu() - before


def _push_rounds(bench, connections, close):
    """server name: list of (result, CPU seconds), the servers taking turns."""
    fleet, options = bench.fleet, bench.options
    found, slow = {}, set()
    for _ in range(options.rounds):
        for server in fleet.running(to=PUSH):
            if server.name in slow:
                continue
            one = _push_once(
                bench, server, options.seconds, connections=connections, close=int(close)
            )
            found.setdefault(server.name, []).append(one)
            if one[0]["answered"] == 0:
                server.too_slow.add(PUSH)
            if one[0]["answered"] == 0 or one[0]["seconds"] > 3 * options.seconds:
                slow.add(server.name)
    return found


def _warm_up(bench):
    """Caches, and database files that have not grown to their usual size yet."""
    groups = bodies.extra_groups("10x1", CONNECTIONS)
    values = bodies.Values()
    bench.fleet.requests(g.put(values) for g in groups)
    for server in bench.fleet.running([UNCHECKED, OURS], to=PUSH):
        bench.fleet.load(server, seconds=bench.options.seconds)
    _forget(bench.fleet, groups)


def push(bench):
    """Closed loop: each connection pushes again when it has its answer."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    _warm_up(bench)
    for shape, close in push_cells(bench.options, stored):
        connections = LARGE_CONNECTIONS if shape == "15000" else CONNECTIONS
        groups = None
        if stored and shape in bodies.STORED_SHAPES:
            groups = bodies.some_stored(stored, shape, TARGETS)
        extra = bodies.extra_groups(shape, connections) if groups is None else []
        values = bodies.Values()
        fleet.requests(g.put(values, close) for _ in range(2) for g in groups or extra)
        commits = _Commits(fleet)
        found = _push_rounds(bench, connections, close)
        how = f"push {shape}, " + ("new connection each" if close else f"{connections} keep-alive")
        for name, rounds in found.items():
            rates = [r["answered"] / r["seconds"] for r, _ in rounds if r["answered"]]
            cpu = [c / r["ok"] * 1e6 for r, c in rounds if r["ok"]]
            failed = sum(r["failed"] for r, _ in rounds)
            rate = median(rates) if rates else bench.too_slow
            report.add("push", how, stored, name, rate, "/s", rounds=rates, failed=failed)
            report.add("push", how + ": CPU", stored, name, median(cpu), "us", rounds=cpu)
        commits.report(report, how, stored)
        _forget(fleet, extra)


class _Commits:
    """What our own metrics say of the transactions since this was made."""

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

    def report(self, report, how, stored):
        if not self.server or not self.server.proc:
            return
        pushes, n_pushes, seconds, n_commits = (
            after - before for after, before in zip(self._read(), self.before)
        )
        if n_pushes > 0 and n_commits > 0:
            report.add("push", how + ": batch", stored, OURS, pushes / n_pushes, "pushes")
            report.add("push", how + ": commit", stored, OURS, seconds / n_commits, "s")


def _forget(fleet, groups):
    """The store is to be as it was for the next figure."""
    if not groups:
        return
    for server in fleet.running():
        if server.proc:
            fleet.all_answered(server, (g.delete() for g in groups))


def _scrape(bench, server, form, times=1):
    """bench-load's result of scrapes over one connection, or None: not answered in this form."""
    bench.fleet.requests([bodies.request("GET", "/metrics", headers=FORMATS[form])])
    result = bench.fleet.load(server, total=times, connections=1)
    if result["unanswered"]:
        server.too_slow.add(SCRAPE)
        result["bytes"] = None
        return result
    said = "protobuf" if "protobuf" in result["type"] else result["encoding"] or "plain"
    return result if result["ok"] and said == form else None


def _slow(bench, result):
    return result["max"] > SLOW_SCRAPE * bench.options.limit


def _change(bench, server, round_):
    """Another push to 1 % of the groups."""
    groups = bodies.some_stored(bench.stored, None, max(1, bench.stored // 1000))
    values = bodies.Values(17 + round_)
    bench.fleet.all_answered(server, (g.put(values) for g in groups))


def _scrape_cases(bench, server, form):
    """case: seconds of each round; and the bytes of a scrape."""
    cold = _scrape(bench, server, form)
    cases = {"cold": cold and [cold], "unchanged": [], "1 % changed": []}
    for i in range(bench.options.rounds):
        if cold is None or SCRAPE in server.too_slow or _slow(bench, cold):
            break
        # As Prometheus does it: some ills of a connection only show with its second request.
        cases["unchanged"].append(_scrape(bench, server, form, times=3))
        if bench.stored and SCRAPE not in server.too_slow:
            _change(bench, server, i)
            cases["1 % changed"].append(_scrape(bench, server, form))
    return cases, cold and cold["bytes"]


def scrape(bench):
    """Each form on a server just started: cold, again, and after pushes to 1 % of the groups."""
    report, stored = bench.report, bench.stored
    for form in FORMATS:
        for server in bench.fleet.running([UNCHECKED, OURS], to=SCRAPE):
            if bench.fleet.restart(server) is None:
                continue
            cases, size = _scrape_cases(bench, server, form)
            for case, results in cases.items():
                taken = [r["p50"] for r in results or [] if r and not r["unanswered"]]
                value = median(taken)
                if results and not taken:
                    value = bench.too_slow
                report.add("scrape", f"{form}, {case}", stored, server.name, value, "s",
                           rounds=taken)
            report.add("scrape", f"{form}: size", stored, server.name, size and size / 1e6, "MB")


def memory(bench):
    """Resident bytes a series: filled, restarted, and with every form scraped once."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    for server in fleet.running([UNCHECKED, OURS]):
        restarts = [fleet.restart(server) for _ in range(1 if stored > 100000 else 3)]
        if None in restarts:
            report.add("memory", "restart to ready", stored, server.name, f"> {START_LIMIT} s", "s")
            continue
        report.add("memory", "restart to ready", stored, server.name, median(restarts), "s")
        report.add("memory", "filling", stored, server.name, fleet.fill_rate.get(server.name), "/s")
        if not stored:
            report.add("memory", "resident, empty", stored, server.name,
                       server.resident() / 1e6, "MB")
            continue
        at = {"filled": fleet.filled.get(server.name), "restarted": server.resident()}
        for form in FORMATS:
            one = _scrape(bench, server, form)
            if one and _slow(bench, one):
                break
        at["scraped"] = server.resident()
        for when, resident in at.items():
            value = resident and (resident - fleet.empty[server.name]) / stored
            report.add("memory", f"resident a series, {when}", stored, server.name, value, "B")
