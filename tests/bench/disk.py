"""What the disk costs a push: a slow disk, and no database."""

import os
import shutil

import bodies
from fleet import OURS, START_LIMIT, UNCHECKED
from push import Commits, cpu_each, forget, measured, rates, taking_turns, warm_up, write_pushes
from report import median
from servers import PUSH, Failed

CONNECTIONS = 64
# As many as in push.py.
USUAL_CONNECTIONS = 16
# Seconds that slow_sync.c adds to each sync.
SYNC = 0.005


def _measure_slow(bench, close):
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    extra = write_pushes(bench, "10x1", CONNECTIONS, close)
    commits = Commits(fleet)
    rounds = taking_turns(bench, [OURS], CONNECTIONS, close)[OURS]
    how = f"slow, {CONNECTIONS} " + ("connections, new for each" if close else "keep-alive")
    rate = median(rates(rounds)) or bench.too_slow
    failed = sum(r["failed"] for r, _ in rounds)
    report.add("disk", how, stored, OURS, rate, "/s", rounds=rates(rounds), failed=failed)
    for name in ("p50", "p99"):
        taken = [r[name] for r, _ in rounds]
        report.add("disk", f"{how}: {name}", stored, OURS, median(taken), "s", rounds=taken)
    took = commits.report(report, "disk", how, stored)
    if took is not None and took < SYNC:
        raise Failed(f"{OURS}: commits take {took:.4f} s, the slow disk is not in their way")
    forget(fleet, extra)


def _slow(bench, server):
    fleet = bench.fleet
    usual = server.preload
    server.preload = [*usual, os.path.join(fleet.tools, "slow_sync.so")]
    try:
        if fleet.restart(server) is not None:
            warm_up(bench, [OURS])
            for close in (False, True):
                _measure_slow(bench, close)
    finally:
        server.preload = usual
    fleet.restart(server)


def _none(bench):
    """A server without a database, beside the Go one, which does not wait for its disk."""
    fleet, stored = bench.fleet, bench.stored
    server = fleet.new_server(OURS, "memory")
    server.flags = ["--persistence.file="]
    found = {OURS: []}
    try:
        server.start(START_LIMIT)
        fleet.push_groups(server, 0, stored // bodies.SERIES_PER_GROUP)
        extra = write_pushes(bench, "10x1", USUAL_CONNECTIONS)
        for _ in range(bench.options.rounds):
            found[OURS].append(measured(bench, server, connections=USUAL_CONNECTIONS))
        found.update(taking_turns(bench, [UNCHECKED], USUAL_CONNECTIONS))
        forget(fleet, extra)
    finally:
        server.kill()
        shutil.rmtree(server.folder)
    how = f"none, {USUAL_CONNECTIONS} keep-alive"
    for name, rounds in found.items():
        rate, cpu = median(rates(rounds)) or bench.too_slow, cpu_each(rounds)
        bench.report.add("disk", how, stored, name, rate, "/s", rounds=rates(rounds))
        bench.report.add("disk", how + ": CPU", stored, name, median(cpu), "us", rounds=cpu)


def disk(bench):
    """Pushes over 64 connections to a disk whose sync takes 5 ms more; target 5,000/s. And over 16
    without a database, beside the Go gateway, whose pushes are not durable either."""
    server = next(bench.fleet.running([OURS], to=PUSH), None)
    if server:
        _slow(bench, server)
        _none(bench)
