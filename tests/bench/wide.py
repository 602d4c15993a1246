"""Groups of many families: what it costs to push one series to them, and to load them."""

import os
import shutil

import bodies
from fleet import OURS, Fleet
from report import median
from servers import Failed

WIDTHS = (10, 1000, 100000)
POSTS = 4000
CONNECTIONS = 16
# Pushes that are to be loaded, each of one family.
LOADED = 20000
START_LIMIT = 120


def _family(i):
    return f"wide_{i:06d}_rows"


def _body(i, value):
    return f"# TYPE {_family(i)} gauge\n{_family(i)} {value}\n"


def _post(path, i, value):
    return bodies.request("POST", path, kind=bodies.TEXT, data=_body(i, value).encode())


def _fill(own, server, width, path):
    """Fills a group in parts, since a push may have only so many families."""
    step = 20000
    for first in range(0, width, step):
        body = "".join(_body(i, 0) for i in range(first, min(width, first + step)))
        request = bodies.request("POST", path, kind=bodies.TEXT, data=body.encode())
        own.all_answered(server, [request], connections=1)


def _posts(bench, own, server):
    """Pushes to the widths by turns."""
    report, found = bench.report, {width: [] for width in WIDTHS}
    for width in WIDTHS:
        _fill(own, server, width, f"/metrics/job/wide/width/{width}")
    for turn in range(bench.options.rounds + 1):
        for width, costs in found.items():
            path = f"/metrics/job/wide/width/{width}"
            posts = [_post(path, k * 7919 % width, turn * POSTS + k) for k in range(POSTS)]
            before = server.cpu()
            own.all_answered(server, posts, connections=CONNECTIONS)
            # The first turn warms up.
            if turn > 0:
                costs.append((server.cpu() - before) / POSTS * 1e6)
    for width, costs in found.items():
        report.add("wide", f"POST of one series to a group of {width:,} families: CPU", None, OURS,
                   median(costs), "us", rounds=costs)
    ratio = median(found[WIDTHS[-1]]) / median(found[WIDTHS[0]])
    report.add("wide", f"the same: {WIDTHS[-1]:,} / {WIDTHS[0]} families", None, OURS, ratio, "ratio")


def _load_time(bench, own, server, paths):
    """Seconds from start to ready, after a push of one family to each of the paths."""
    posts = [_post(path, i, i) for i, path in enumerate(paths)]
    own.all_answered(server, posts, connections=CONNECTIONS)
    return median([server.restart(START_LIMIT) for _ in range(bench.options.rounds)])


def _own_fleet(bench, name):
    folder = os.path.join(bench.fleet.folder, name)
    options = bench.options
    return Fleet(folder, folder, bench.fleet.tools, options.ours, None, [OURS], bench.fleet.log,
                 options.preload)


def _in_fleet(bench, name, measure):
    own = _own_fleet(bench, name)
    server = own.servers[OURS]
    try:
        own.fill(0)
        return measure(own, server)
    finally:
        own.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def wide(bench):
    """One series posted to groups of 10, 1,000 and 100,000 families; loading 20,000 pushes of one
    family to one group, beside as many to as many groups."""
    _in_fleet(bench, "wide", lambda own, server: _posts(bench, own, server))
    one = _in_fleet(bench, "wide-one", lambda own, server: _load_time(
        bench, own, server, ["/metrics/job/wide"] * LOADED))
    many = _in_fleet(bench, "wide-many", lambda own, server: _load_time(
        bench, own, server, [f"/metrics/job/wide/i/{i}" for i in range(LOADED)]))
    if not one or not many:
        raise Failed("wide: not restarted")
    add = bench.report.add
    add("wide", f"load {LOADED:,} pushes to one group", None, OURS, one, "s")
    add("wide", f"load {LOADED:,} pushes to as many groups", None, OURS, many, "s")
    add("wide", "the same: one group / as many groups", None, OURS, one / many, "ratio")
