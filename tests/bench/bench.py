"""The benchmark behind tests/bench/run: this gateway, the Go one with and without its consistency
check, and an HTTP server that does nothing, all under the same load on one machine.

Columns: floor (evhttp that does nothing), go, go unchecked (--push.disable-consistency-check; it
also does the Go gateway's scrapes and memory, which do not depend on the check), ours. "x go" and
so on: how many times better ours is. "> 30 s": not done within --limit; what comes after it at that
number of series is not tried. Loads of a slow server end after a few answers, and a scrape that
takes a fifth of the limit is made once only.

parts: {parts}
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import alone
import bodies
import mixed
import parts
from fleet import FLOOR, GO, OURS, UNCHECKED, Fleet
from report import Report
from servers import Failed, find_go

ALONE = {"decode": alone.decode, "instructions": alone.instructions}
WITH_STORE = {
    "push": parts.push,
    "scrape": parts.scrape,
    "memory": parts.memory,
    "mixed": mixed.mixed,
}
SERVERS = (FLOOR, GO, UNCHECKED, OURS)


def numbers(text):
    return [int(n.replace("_", "")) for n in text.split(",")]


def names(allowed):
    def parse(text):
        given = text.split(",")
        for name in given:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"{name}: not one of {', '.join(allowed)}")
        return given

    return parse


def parse_options():
    all_parts = list(WITH_STORE) + list(ALONE)
    parser = argparse.ArgumentParser(
        prog="tests/bench/run",
        description=__doc__.format(parts=", ".join(all_parts)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help="default: all")
    add("--quick", action="store_true", help="less of everything, in less than a minute")
    add("--full", action="store_true", help="every kind of push at every number of series")
    add("--stored", type=numbers, metavar="N,...", help="series stored")
    add("--shapes", type=names(bodies.SHAPES), metavar="NAME,...",
        help="pushes: families x series, or series; of " + ", ".join(bodies.SHAPES))
    add("--servers", type=names(SERVERS), metavar="NAME,...", help="of " + ", ".join(SERVERS))
    add("--seconds", type=float, help="of one load")
    add("--rounds", type=int,
        help="loads of each server, the servers taking turns; the median counts")
    add("--limit", type=float, help="seconds to wait for a slow server")
    add("--json", metavar="FILE", help="append each figure as a line of JSON")
    add("--dir", default=tempfile.gettempdir(), help="where databases go: on the disk to measure")
    options = parser.parse_args()
    quick = options.quick
    defaults = {
        "stored": [0, 10000] if quick else [0, 10000, 100000, 1000000],
        "shapes": list(bodies.STORED_SHAPES) if quick else list(bodies.SHAPES),
        "servers": list(SERVERS),
        "seconds": 0.3 if quick else 0.75,
        "rounds": 1 if quick else 3,
        "limit": 3 if quick else 30,
        "parts": all_parts,
    }
    for name, value in defaults.items():
        if not getattr(options, name):
            setattr(options, name, value)
    for part in options.parts:
        if part not in all_parts:
            parser.error(f"{part}: not one of {', '.join(all_parts)}")
    options.stored.sort()
    options.mixed_seconds = max(2, 6 * options.seconds)
    options.ours = os.environ["TALLYGATE_BIN"]
    return options


def sync_seconds(folder):
    """What one small durable write costs here."""
    taken = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as f:
        for _ in range(50):
            begin = time.monotonic()
            f.write(b"x" * 4096)
            os.fdatasync(f.fileno())
            taken.append(time.monotonic() - begin)
    return statistics.median(taken)


def describe(options, go, go_version, folder):
    """The conditions, as text."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    ours = subprocess.check_output([options.ours, "--version"]).decode().splitlines()[0]
    kind = subprocess.check_output(["stat", "-f", "-c", "%T", folder]).decode().strip()
    return "\n".join([
        f"cpu: {os.cpu_count()} x {model.group(1) if model else '?'}, "
        f"load {os.getloadavg()[0]:.1f} before the start",
        f"databases on {kind}, "
        f"a 4 KiB write with fdatasync takes {sync_seconds(folder) * 1e6:.0f} us",
        f"ours: {ours}",
        "go: " + (".".join(map(str, go_version)) if go else "none found ($PUSHGATEWAY, PATH)"),
        f"{options.rounds} rounds of {options.seconds:g} s, limit {options.limit:g} s",
    ])


def measure(bench):
    chosen = bench.options.parts
    for part in chosen:
        if part in ALONE:
            ALONE[part](bench)
    if not any(part in WITH_STORE for part in chosen):
        return
    for stored in bench.options.stored:
        bench.fleet.fill(stored)
        # Each in its own order: memory is looked at before pushes stir it, mixed leaves backlogs.
        for part in ("memory", "push", "scrape", "mixed"):
            if part in chosen:
                WITH_STORE[part](bench)


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    go, go_version = find_go()
    folder = tempfile.mkdtemp(prefix="tallygate-bench-", dir=options.dir)
    # Requests are better not written to the disk that databases are synced to.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
    requests_folder = tempfile.mkdtemp(prefix="tallygate-bench-", dir=shm)
    report = Report(options.json)
    fleet = Fleet(
        folder, requests_folder, os.environ["BENCH_TOOLS"], options.ours, go, options.servers,
        lambda text: print(text, file=sys.stderr),
    )
    fleet.limit = options.limit
    status = 0
    try:
        conditions = describe(options, go, go_version, folder)
        print(conditions, file=sys.stderr)
        measure(parts.Bench(fleet, report, options))
    except Failed as e:
        status = str(e)
    finally:
        fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(requests_folder, ignore_errors=True)
        if report.rows:
            print(conditions)
            print(f"took {time.monotonic() - report.begin:.0f} s\n")
            print(report.table())
    sys.exit(status)


if __name__ == "__main__":
    main()
