"""Summed groups: pushes beside those to plain groups, memory, scrapes, and processes that come and go."""

import os
import shutil
import time

import bodies
from fleet import OURS, Fleet
from report import median

SOURCES = 10000
SERIES = 100
FAMILIES = 10
PUSHES = 4000
CONNECTIONS = 16
# Processes that come and go: each pushes all of its counts once, and ends. $GONE sets another number.
GONE = int(os.environ.get("GONE", "100000"))
GONE_SERIES = 10
GONE_AT_ONCE = 50000
KEPT = 1000
START_LIMIT = 120


def _body(value, series=SERIES, created=0):
    """created: over how many seconds the series of a family began; 0: no creation times."""
    lines = []
    for family in range(FAMILIES):
        lines.append(f"# TYPE summed_{family}_total counter\n")
        lines += [f'summed_{family}_total{{handler="h{i}"}} {value + i}\n'
                  for i in range(series // FAMILIES)]
        if created:
            # As client_python writes it; each series began at another moment.
            lines.append(f"# TYPE summed_{family}_created gauge\n")
            lines += [f'summed_{family}_created{{handler="h{i}"}} {1732620000 + family + i * created / FAMILIES}\n'
                      for i in range(series // FAMILIES)]
    return "".join(lines).encode()


def _put(path, body):
    return bodies.request("PUT", path, kind=bodies.TEXT, data=body)


def _path(prefix, source):
    return f"{prefix}/metrics/job/summed/instance/host/pid/{source}"


def _fleet(bench, name, *flags):
    folder = os.path.join(bench.fleet.folder, name)
    return Fleet(folder, folder, bench.fleet.tools, bench.options.ours, None, [OURS],
                 bench.fleet.log, bench.options.preload, *flags)


def _round(own, server, prefix, value):
    """Pushes of some of the processes, each with other values."""
    body = [_body(value + k) for k in range(16)]
    requests = [_put(_path(prefix, k * 7919 % SOURCES), body[k % 16]) for k in range(PUSHES)]
    cpu, begin = server.cpu(), time.monotonic()
    own.all_answered(server, requests, connections=CONNECTIONS)
    return PUSHES / (time.monotonic() - begin), (server.cpu() - cpu) / PUSHES * 1e6


def _scrape(server):
    begin = time.monotonic()
    text = server.get("/metrics")
    return time.monotonic() - begin, text


def _filled(bench, name, prefix, measure, body=None):
    own = _fleet(bench, name)
    server = own.servers[OURS]
    try:
        own.fill(0)
        before = server.resident()
        body = body or _body(0)
        fill = [_put(_path(prefix, k), body) for k in range(SOURCES)]
        own.all_answered(server, fill, connections=CONNECTIONS)
        return measure(own, server, server.resident() - before)
    finally:
        own.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def _many(bench):
    """10,000 processes, summed, and each in a group of its own."""
    add, found = bench.report.add, {}
    for name, prefix in (("plain", ""), ("summed", "/sum")):
        def measure(own, server, bytes_, prefix=prefix):
            rounds = [_round(own, server, prefix, 1000 * (turn + 1))
                      for turn in range(bench.options.rounds + 1)][1:]
            scrape = median([_scrape(server)[0] for _ in range(5)])
            return [r[0] for r in rounds], [r[1] for r in rounds], bytes_, scrape
        rates, costs, bytes_, scrape = found[name] = _filled(bench, f"summed-{name}", prefix, measure)
        what = f"{SOURCES:,} processes of {SERIES} series, {name}"
        add("summed", f"{what}: pushes", None, OURS, median(rates), "pushes/s", rounds=rates)
        add("summed", f"{what}: CPU of a push", None, OURS, median(costs), "us", rounds=costs)
        add("summed", f"{what}: memory", None, OURS, bytes_ / 2**20, "MiB")
        add("summed", f"{what}: scrape", None, OURS, scrape * 1e3, "ms")
    for what, body in (("each with its time of creation", _body(0, created=10)),
                       ("each a fraction, begun within an hour", _body(0.3, created=3600))):
        bytes_ = _filled(bench, "summed-created", "/sum", lambda own, server, bytes_: bytes_, body)
        add("summed", f"{SOURCES:,} processes of {SERIES} series, {what}: memory", None, OURS, bytes_ / 2**20, "MiB")
    ratio = median(found["summed"][0]) / median(found["plain"][0])
    add("summed", "pushes a second: summed / plain", None, OURS, ratio, "ratio")


def _let_go(own, server, first, last):
    """Each of these processes pushes all that it has counted, and ends."""
    for at in range(first, last, GONE_AT_ONCE):
        requests = [_put(f"/sum{_path('', k)}/__start__/{1000000 + k}/__final__/1", _body(0, GONE_SERIES))
                    for k in range(at, min(at + GONE_AT_ONCE, last))]
        own.all_answered(server, requests, connections=CONNECTIONS)


def gone(bench):
    """Processes that come and go, $GONE of them in the end: the start after that, memory, and the file."""
    own = _fleet(bench, "summed-gone")
    server = own.servers[OURS]
    add = bench.report.add
    try:
        own.fill(0)
        before = 0
        for done in (GONE // 100, GONE // 10, GONE):
            _let_go(own, server, before, done)
            before = done
            what = f"{done:,} processes came and went"
            add("gone", f"{what}: start", None, OURS, server.restart(START_LIMIT) * 1e3, "ms")
            add("gone", f"{what}: CPU of the start", None, OURS, server.cpu() * 1e3, "ms")
            add("gone", f"{what}: memory", None, OURS, server.resident() / 2**20, "MiB")
            size = sum(os.path.getsize(os.path.join(server.folder, f))
                       for f in os.listdir(server.folder) if ".db" in f)
            add("gone", f"{what}: file", None, OURS, size / 2**20, "MiB")
    finally:
        own.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def summed(bench):
    """10,000 processes of 100 series, summed and as plain groups: pushes, memory, scrapes."""
    _many(bench)
