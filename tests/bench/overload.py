"""What is answered how quickly while more is pushed than can be committed."""

import bodies
from fleet import OURS
from push import TARGETS
from scrape import FORMATS
from servers import PUSH

# Pushes a second: several times what two cores commit.
PUSHES_PER_SECOND = 29000
CONNECTIONS = 256
SECONDS = 8


def _others():
    """What is to get through: requests, and how many a second."""
    group = bodies.Group(0, "overload.example", "10x1")
    return {
        "delete": ([group.delete()], 10),
        "health": ([bodies.request("GET", "/-/healthy")], 20),
        "gzip scrape": ([bodies.request("GET", "/metrics", headers=FORMATS["gzip"])], 5),
    }


def _begin_others(fleet, server):
    begun = {}
    for what, (requests, rate) in _others().items():
        file = f"{fleet.request_file}.{what.replace(' ', '-')}"
        bodies.write_requests(file, requests)
        begun[what] = fleet.begin_load(server, file=file, rate=rate, seconds=SECONDS, connections=16)
    return begun


def overload(bench):
    """29,000 pushes/s are offered: how many are accepted and how quickly; deletes, health and scrapes meanwhile."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    if not stored:
        return
    values = bodies.Values(11)
    groups = bodies.some_stored(stored, "10x1", TARGETS)
    for server in fleet.running([OURS], to=PUSH):
        fleet.requests(g.put(values) for g in groups)
        load = fleet.begin_load(server, rate=PUSHES_PER_SECOND, seconds=SECONDS, connections=CONNECTIONS)
        others = _begin_others(fleet, server)
        results = {"push": fleet.end_load(server, load)}
        for what, begun in others.items():
            results[what] = fleet.end_load(server, begun)
        for what, result in results.items():
            report.add("overload", f"{what} accepted", stored, server.name, result["ok"] / SECONDS, "/s")
            report.add("overload", f"{what} refused", stored, server.name, result["refused"] / SECONDS, "/s")
            for quantile in ("p50", "p99"):
                report.add("overload", f"{what} {quantile}", stored, server.name, result[quantile], "s")
