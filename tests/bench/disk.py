"""Durable pushes when the disk is slow: what batching them into transactions is for."""

import os

from fleet import OURS
from push import Commits, forget, rates, taking_turns, warm_up, write_pushes
from report import median
from servers import PUSH, Failed

CONNECTIONS = 64
# What slow_sync.c adds to each sync.
SYNC = 0.005


def _measure(bench, close):
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    extra = write_pushes(bench, "10x1", CONNECTIONS, close)
    commits = Commits(fleet)
    rounds = taking_turns(bench, [OURS], CONNECTIONS, close)[OURS]
    how = f"{CONNECTIONS} " + ("connections, new for each" if close else "keep-alive")
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


def disk(bench):
    """Durable pushes over 64 connections to a disk whose sync takes 5 ms more; target 5,000/s."""
    fleet = bench.fleet
    server = next(fleet.running([OURS], to=PUSH), None)
    if not server:
        return
    usual = server.preload
    server.preload = [*usual, os.path.join(fleet.tools, "slow_sync.so")]
    try:
        if fleet.restart(server) is not None:
            warm_up(bench, [OURS])
            for close in (False, True):
                _measure(bench, close)
    finally:
        server.preload = usual
    fleet.restart(server)
