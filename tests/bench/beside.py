"""How long requests take while other clients keep the gateway busy."""

import bodies
from fleet import OURS
from scrape import FORMATS
from servers import SCRAPE

# Seconds between two measured requests: a closed loop would hide how long later requests wait.
EVERY = 0.05
READERS = 6

# A push of many families costs more than one of as many bytes.
LARGE_FAMILIES = 50_000
LARGE_PUSHERS = 2


def _large_push(i):
    data = "".join(f"large_{i}_{n} 1\n" for n in range(LARGE_FAMILIES)).encode()
    return bodies.request("PUT", f"/metrics/job/large-{i}", kind=bodies.TEXT, data=data)


def _get(path, *headers):
    return bodies.request("GET", path, headers=headers)


# The load: connections, the requests that they make again and again, and how many of these a second (0: as many
# as are answered).
LOADS = {
    "nothing": (0, [], 0),
    "readers of /api/v1/metrics": (READERS, [_get("/api/v1/metrics")], 0),
    "readers of the page": (READERS, [_get("/")], 0),
    "scrapes in protobuf, uncompressed": (READERS, [_get("/metrics", f"Accept: {bodies.PROTO}")], 0),
    "one large push a second": (1, [_large_push(0)], 1),
    "large pushes": (LARGE_PUSHERS, [_large_push(i) for i in range(LARGE_PUSHERS)], 0),
}


def _measured():
    """The requests that are measured beside the load."""
    group = bodies.Group(0, "beside.example", "10x1")
    return {
        "gzip scrape": _get("/metrics", *FORMATS["gzip"]),
        "push": group.put(bodies.Values(7)),
        "health": _get("/-/healthy"),
    }


def _measure(bench, server, request, load):
    fleet = bench.fleet
    connections, requests, rate = LOADS[load]
    file = fleet.request_file + ".beside"
    bodies.write_requests(file, [request])
    seconds = max(2, 4 * bench.options.seconds)
    others = None
    if connections:
        fleet.requests(requests)
        others = fleet.begin_load(server, seconds=seconds + 1, connections=connections, rate=rate)
    result = fleet.load(server, file=file, rate=1 / EVERY, seconds=seconds, connections=16)
    if others:
        fleet.end_load(server, others)
    return result


def beside(bench):
    """A gzip scrape, a small push and /-/healthy, 20 of each a second, while others read all groups, scrape without
    compression or push large bodies: p50, p99 and the longest, to be compared with those without a load."""
    if not bench.stored:
        return
    for server in bench.fleet.running([OURS], to=SCRAPE):
        # Each form of a scrape is made once before the measurement.
        for form in FORMATS:
            bench.fleet.requests([bodies.request("GET", "/metrics", headers=FORMATS[form])])
            bench.fleet.load(server, total=2, connections=1)
        for load in LOADS:
            for what, request in _measured().items():
                result = _measure(bench, server, request, load)
                for quantile in ("p50", "p99", "max"):
                    bench.report.add("beside", f"{what} beside {load}, {quantile}", bench.stored, server.name,
                                     result[quantile], "s")
        # Groups of the load are deleted again.
        gone = [bodies.request("DELETE", f"/metrics/job/large-{i}") for i in range(LARGE_PUSHERS)]
        gone.append(bodies.Group(0, "beside.example", "10x1").delete())
        bench.fleet.all_answered(server, gone)
