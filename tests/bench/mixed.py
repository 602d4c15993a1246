"""Push latencies while everything happens at once."""

import bodies
from fleet import GO, OURS, UNCHECKED
from push import TARGETS
from scrape import FORMATS
from servers import PUSH

PUSHES_PER_SECOND = 2000
# Pushes that may be under way at once: so many that a slow server shows in the latencies.
CONNECTIONS = 256
# Seconds that requests still under way have at the end.
TAIL = 5
# One request in so many deletes its group; a later one brings the group back.
DELETE_EVERY = 20


def _requests(groups):
    values = bodies.Values(3)
    for turn in range(2):
        for i, group in enumerate(groups):
            if (i + turn) % DELETE_EVERY == 0:
                yield group.delete(close=True)
            else:
                yield group.put(values, close=True)


def _quantile(result, q, name):
    """Seconds; or a str where requests that never got an answer hide the real quantile."""
    n = result["ok"] + result["failed"] + result["unanswered"]
    if result["unanswered"] > n * (1 - q):
        return f"> {result[name]:.3g} s"
    return result[name]


def _measure(bench, server, groups):
    fleet, seconds = bench.fleet, bench.options.mixed_seconds
    limit = seconds + min(TAIL, bench.options.limit)
    scrapes_file = fleet.request_file + ".scrape"
    bodies.write_requests(
        scrapes_file, [bodies.request("GET", "/metrics", headers=FORMATS["gzip"])]
    )
    fleet.requests(_requests(groups))
    scrapes = fleet.begin_load(
        server, file=scrapes_file, rate=1, seconds=seconds, limit=limit, connections=2
    )
    pushes = fleet.begin_load(
        server, rate=PUSHES_PER_SECOND, seconds=seconds, limit=limit, close=1,
        connections=CONNECTIONS,
    )
    return fleet.end_load(server, pushes), fleet.end_load(server, scrapes)


def mixed(bench):
    """Open loop: 2,000 pushes/s, one in 20 a delete, a scrape each second; p50, p99, p99.9."""
    stored, report = bench.stored, bench.report
    if not stored:
        return
    groups = bodies.some_stored(stored, "10x1", TARGETS)
    for server in bench.fleet.running([GO, UNCHECKED, OURS], to=PUSH):
        pushes, scrapes = _measure(bench, server, groups)
        for q, name in ((0.5, "p50"), (0.99, "p99"), (0.999, "p999")):
            value = _quantile(pushes, q, name)
            report.add("mixed", f"push {name}", stored, server.name, value, "s")
        value = _quantile(scrapes, 0.5, "p50")
        report.add("mixed", "scrape p50", stored, server.name, value, "s")
        value = _quantile(scrapes, 1, "max")
        report.add("mixed", "scrape max", stored, server.name, value, "s")
        if not server.dirty:
            values = bodies.Values(5)
            bench.fleet.all_answered(server, (g.put(values) for g in groups))
