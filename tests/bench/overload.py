"""How quickly requests are answered while twice as much is pushed as can be committed."""

import bodies
from fleet import OURS
from push import TARGETS
from scrape import FORMATS
from servers import PUSH

# The capacity is measured first, over so many connections, each with one push on its way.
CAPACITY_CONNECTIONS = 256
CAPACITY_SECONDS = 3
# Then twice the capacity is offered, over so many connections that no push has to wait for one: the
# gateway has to refuse, and nothing waits on this side.
TIMES = 2
CONNECTIONS = 4096
SECONDS = 8


def _others():
    """The requests that have to get through, and how many a second."""
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


def _overload(bench, server, shape, groups):
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    values = bodies.Values(11)
    fleet.requests(g.put(values) for g in groups)
    alone = fleet.load(server, seconds=CAPACITY_SECONDS, connections=CAPACITY_CONNECTIONS)
    capacity = alone["answered"] / alone["seconds"]
    report.add("overload", f"{shape}: capacity", stored, server.name, capacity, "/s")
    load = fleet.begin_load(server, rate=TIMES * capacity, seconds=SECONDS, connections=CONNECTIONS)
    others = _begin_others(fleet, server)
    results = {"push": fleet.end_load(server, load)}
    for what, begun in others.items():
        results[what] = fleet.end_load(server, begun)
    for what, result in results.items():
        figure = f"{shape}: {what}"
        report.add("overload", f"{figure} accepted", stored, server.name, result["ok"] / SECONDS, "/s")
        report.add("overload", f"{figure} refused", stored, server.name, result["refused"] / SECONDS, "/s")
        for quantile in ("p50", "p95", "p99"):
            report.add("overload", f"{figure} {quantile}", stored, server.name, result[quantile], "s")


def overload(bench):
    """Twice as many pushes are offered as can be committed, of ten series and of a hundred, which cost more to take than
    to refuse: how many are accepted and how quickly; deletes, health and scrapes meanwhile."""
    if not bench.stored:
        return
    for server in bench.fleet.running([OURS], to=PUSH):
        for shape, groups in (
            ("10x1", bodies.some_stored(bench.stored, "10x1", TARGETS)),
            ("100", bodies.extra_groups("100", TARGETS)),
        ):
            _overload(bench, server, shape, groups)
