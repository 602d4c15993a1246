"""The benchmark behind tests/bench/run: this gateway, the Go one with and without its consistency
check, and an HTTP server that does nothing, all under the same load on one machine.

Columns: floor (evhttp that does nothing), go, go unchecked (--push.disable-consistency-check; it
also does the Go gateway's scrapes and memory, which do not depend on the check), ours. "x go" and
so on: how many times better ours is. "> 30 s": not done within --limit; the later parts at that
number of series are not tried. Loads of a slow server end after a few answers, and a scrape that
takes a fifth of the limit is made only once.

parts:
{parts}
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
import textwrap
import time

import alone
import beside
import bodies
import curve
import disk
import memory
import mixed
import overload
import prometheus
import push
import replicas
import scrape
import summed
import wide
from fleet import FLOOR, GO, OURS, UNCHECKED, Fleet
from report import Report
from servers import Failed, find_go, find_prometheus

ALONE = {"decode": alone.decode, "instructions": alone.instructions, "summed": summed.summed, "gone": summed.gone,
         "wide": wide.wide, "replicas": replicas.replicas}
# The order matters: memory is measured before pushes change it, and mixed leaves backlogs.
WITH_STORE = {
    "memory": memory.memory,
    "push": push.push,
    "disk": disk.disk,
    "scrape": scrape.scrape,
    "curve": curve.curve,
    "prometheus": prometheus.prometheus,
    "beside": beside.beside,
    "overload": overload.overload,
    "mixed": mixed.mixed,
}
SERVERS = (FLOOR, GO, UNCHECKED, OURS)


class Bench:
    """What each part gets."""

    def __init__(self, fleet, report, options):
        self.fleet = fleet
        self.report = report
        self.options = options
        self.too_slow = f"> {options.limit:g} s"

    @property
    def stored(self):
        return self.fleet.stored


def numbers(text):
    return sorted(int(n.replace("_", "")) for n in text.split(","))


def names(allowed):
    def parse(text):
        given = text.split(",")
        for name in given:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"{name}: not one of {', '.join(allowed)}")
        return given

    return parse


def what_parts_do():
    lines = []
    for name, part in {**WITH_STORE, **ALONE}.items():
        text = " ".join(part.__doc__.split())
        lines += textwrap.wrap(text, 96, initial_indent=f"  {name:<13} ",
                               subsequent_indent=" " * 16)
    return "\n".join(lines)


def library(text):
    """Makes a path absolute, since servers run in other folders; the dynamic linker finds a mere name."""
    return os.path.abspath(text) if "/" in text else text


def parse_options():
    all_parts = list(WITH_STORE) + list(ALONE)
    parser = argparse.ArgumentParser(
        prog="tests/bench/run",
        description=__doc__.format(parts=what_parts_do()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help="default: all")
    add("--quick", action="store_true", help="less of everything, in about two minutes")
    add("--full", action="store_true", help="every kind of push at every number of series")
    add("--stored", type=numbers, metavar="N,...", help="series stored")
    add("--shapes", type=names(bodies.SHAPES), metavar="NAME,...",
        help="pushes: families x series, or series; of " + ", ".join(bodies.SHAPES))
    add("--servers", type=names(SERVERS), metavar="NAME,...", help="of " + ", ".join(SERVERS))
    add("--seconds", type=float, help="of one load")
    add("--rounds", type=int,
        help="loads of each server, the servers taking turns; the median counts")
    add("--limit", type=float, help="seconds to wait for a slow server")
    add("--preload", metavar="LIB", action="append", type=library, default=[],
        help="for our server's LD_PRELOAD, as libjemalloc.so.2 or libmimalloc.so.2; repeatable")
    add("--markdown", action="store_true", help="print the curve as Markdown, too")
    add("--json", metavar="FILE", help="append each figure as a line of JSON")
    add("--dir", default=tempfile.gettempdir(), help="where databases go: on the disk to measure")
    options = parser.parse_args()
    choose_defaults(options, all_parts)
    for part in options.parts:
        if part not in all_parts:
            parser.error(f"{part}: not one of {', '.join(all_parts)}")
    return options


def choose_defaults(options, all_parts):
    """Sets the options that were not given, and those that follow from others."""
    quick = options.quick
    # The curve has sizes of its own, unless --stored is given.
    options.curve = options.stored or list(curve.SIZES[:2] if quick else curve.SIZES)
    options.threads_at = options.curve[-1]
    if curve.THREADS_AT in options.curve:
        options.threads_at = curve.THREADS_AT
    defaults = {
        "stored": [0, 10000] if quick else [0, 10000, 100000, 1000000],
        "shapes": [*bodies.STORED_SHAPES, "15000"] if quick else list(bodies.SHAPES),
        "servers": list(SERVERS),
        "seconds": 0.3 if quick else 0.75,
        "rounds": 1 if quick else 3,
        "limit": 3 if quick else 30,
        "parts": all_parts,
    }
    for name, value in defaults.items():
        if not getattr(options, name):
            setattr(options, name, value)
    options.mixed_seconds = max(2, 6 * options.seconds)
    options.ours = os.environ["TALLYGATE_BIN"]


def sync_seconds(folder):
    """Seconds of one small durable write on this machine."""
    taken = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as f:
        for _ in range(50):
            begin = time.monotonic()
            f.write(b"x" * 4096)
            os.fdatasync(f.fileno())
            taken.append(time.monotonic() - begin)
    return statistics.median(taken)


def version_text(program, version):
    return ".".join(map(str, version)) if program else "none found"


def describe(options, go, go_version, folder):
    """The conditions of the run, as text."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    ours = subprocess.check_output([options.ours, "--version"]).decode().splitlines()[0]
    kind = subprocess.check_output(["stat", "-f", "-c", "%T", folder]).decode().strip()
    return "\n".join([
        f"cpu: {os.cpu_count()} x {model.group(1) if model else '?'}, "
        f"load {os.getloadavg()[0]:.1f} before the start",
        f"databases on {kind}, "
        f"a 4 KiB write with fdatasync takes {sync_seconds(folder) * 1e6:.0f} us",
        f"ours: {ours}" + "".join(f", with {library}" for library in options.preload),
        f"go: {version_text(go, go_version)} ($PUSHGATEWAY, PATH); "
        f"prometheus: {version_text(*find_prometheus())} ($PROMETHEUS, PATH)",
        f"{options.rounds} rounds of {options.seconds:g} s, limit {options.limit:g} s",
    ])


def measure(bench):
    chosen = bench.options.parts
    for part in chosen:
        if part in ALONE:
            ALONE[part](bench)
    sizes = {
        part: bench.options.curve if part == "curve" else bench.options.stored
        for part in WITH_STORE
        if part in chosen
    }
    for stored in sorted({n for of_part in sizes.values() for n in of_part}):
        bench.fleet.fill(stored)
        for part, of_part in sizes.items():
            if stored in of_part:
                WITH_STORE[part](bench)


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    go, go_version = find_go()
    folder = tempfile.mkdtemp(prefix="tallygate-bench-", dir=options.dir)
    # Files of requests do not go to the disk that databases are synced to, if possible.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
    requests_folder = tempfile.mkdtemp(prefix="tallygate-bench-", dir=shm)
    report = Report(options.json, {"preload": options.preload} if options.preload else None)
    fleet = Fleet(
        folder, requests_folder, os.environ["BENCH_TOOLS"], options.ours, go, options.servers,
        lambda text: print(text, file=sys.stderr), options.preload,
    )
    fleet.limit = options.limit
    status = 0
    try:
        conditions = describe(options, go, go_version, folder)
        print(conditions, file=sys.stderr)
        measure(Bench(fleet, report, options))
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
            if options.markdown:
                print("\n" + curve.markdown(report))
    sys.exit(status)


if __name__ == "__main__":
    main()
