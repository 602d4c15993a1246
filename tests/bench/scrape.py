"""Scrapes one at a time, over one connection, in the forms that scrapers ask for."""

import bodies
from fleet import OURS, UNCHECKED
from report import median
from servers import SCRAPE

# A scrape that takes this share of the limit is not made again and again.
SLOW_SCRAPE = 0.2

FORMATS = {
    "plain": [],
    "gzip": ["Accept-Encoding: gzip"],
    "zstd": ["Accept-Encoding: zstd"],
    "protobuf": [f"Accept: {bodies.PROTO.replace(' ', '')}"],
}


def one_scrape(bench, server, form, times=1):
    """bench-load's result of scrapes over one connection, or None: not answered in this form."""
    bench.fleet.requests([bodies.request("GET", "/metrics", headers=FORMATS[form])])
    result = bench.fleet.load(server, total=times, connections=1)
    if result["unanswered"]:
        server.too_slow.add(SCRAPE)
        result["bytes"] = None
        return result
    said = "protobuf" if "protobuf" in result["type"] else result["encoding"] or "plain"
    return result if result["ok"] and said == form else None


def is_slow(bench, result):
    return result["max"] > SLOW_SCRAPE * bench.options.limit


def _change(bench, server, round_):
    """Another push to 1 % of the groups."""
    groups = bodies.some_stored(bench.stored, None, max(1, bench.stored // 1000))
    values = bodies.Values(17 + round_)
    bench.fleet.all_answered(server, (g.put(values) for g in groups))


def _cases(bench, server, form):
    """case: bench-load's result of each round; and the bytes of a scrape."""
    cold = one_scrape(bench, server, form)
    cases = {"cold": cold and [cold], "unchanged": [], "1 % changed": []}
    for i in range(bench.options.rounds):
        if cold is None or SCRAPE in server.too_slow or is_slow(bench, cold):
            break
        # Several requests over one connection, as Prometheus does: some faults only show with the second.
        cases["unchanged"].append(one_scrape(bench, server, form, times=3))
        if bench.stored and SCRAPE not in server.too_slow:
            _change(bench, server, i)
            cases["1 % changed"].append(one_scrape(bench, server, form))
    return cases, cold and cold["bytes"]


def report_cases(bench, server, part, form):
    """Figures of a server just started: cold, unchanged, after pushes to 1 % of the groups."""
    report, stored = bench.report, bench.stored
    cases, size = _cases(bench, server, form)
    for case, results in cases.items():
        taken = [r["p50"] for r in results or [] if r and not r["unanswered"]]
        value = median(taken)
        if results and not taken:
            value = bench.too_slow
        report.add(part, f"{form}, {case}", stored, server.name, value, "s", rounds=taken)
    return size


def scrape(bench):
    """Plain, gzip, zstd and protobuf: cold, unchanged, after pushes to 1 % of the groups."""
    for form in FORMATS:
        for server in bench.fleet.running([UNCHECKED, OURS], to=SCRAPE):
            if bench.fleet.restart(server) is None:
                continue
            size = report_cases(bench, server, "scrape", form)
            bench.report.add(
                "scrape", f"{form}: size", bench.stored, server.name, size and size / 1e6, "MB"
            )
