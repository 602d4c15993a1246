"""Parts that need no other server: decoding speed, and instructions counted by callgrind."""

import json
import os
import re
import shutil
import subprocess

import bodies
from fleet import OURS, Fleet
from report import median


def decode(bench):
    """MB/s and time a series of the format library on one core."""
    path = os.path.join(bench.fleet.folder, "body")
    for shape in ("10x1", "10x1-proto", "100", "15000"):
        kind = "protobuf" if bodies.SHAPES[shape][2] == "proto" else "text"
        with open(path, "wb") as f:
            f.write(bodies.body(3, shape, bodies.Values()))
        found = []
        for _ in range(bench.options.rounds):
            program = os.path.join(bench.fleet.tools, "bench-decode")
            command = [program, kind, path, str(min(0.5, bench.options.seconds))]
            found.append(json.loads(subprocess.check_output(command)))
        figure = f"decode {kind}, {found[0]['series']} series in {found[0]['bytes']:,} B"
        report = bench.report
        report.add("decode", figure, None, OURS, median([r["mb_per_s"] for r in found]), "MB/s")
        each = median([r["ns_per_series"] for r in found])
        report.add("decode", figure + ": a series", None, OURS, each, "ns")


def _counted(server, action):
    """Instructions of the server from now until action is done."""
    pid = str(server.proc.pid)

    def control(option):
        command = ["callgrind_control", option, pid]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    control("--zero")
    before = set(os.listdir(server.folder))
    action()
    control("--dump=bench")
    new = sorted(n for n in set(os.listdir(server.folder)) - before if n.startswith("callgrind"))
    with open(os.path.join(server.folder, new[-1]), encoding="utf-8") as f:
        return int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M).group(1))


def instructions(bench):
    """Instructions of one push and one scrape, by valgrind: they show what a change of the code costs."""
    if not shutil.which("callgrind_control"):
        bench.fleet.log("instructions: not counted, there is no valgrind")
        return
    fleet, report = bench.fleet, bench.report
    folder = os.path.join(fleet.folder, "instructions")
    options = bench.options
    own = Fleet(folder, folder, fleet.tools, options.ours, None, [OURS], fleet.log, options.preload)
    server = own.servers[OURS]
    server.wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=callgrind"]
    stored = 10000
    try:
        own.fill(stored)
        for shape in ("10x1", "1x10", "10x1-proto", "100", "15000"):
            n = 2 if shape == "15000" else 200
            values = bodies.Values()
            if shape in bodies.STORED_SHAPES:
                groups = bodies.some_stored(stored, shape, n)
            else:
                groups = bodies.extra_groups(shape, 2) * (n // 2)
                own.all_answered(server, (g.put(values) for g in groups[:2]), connections=1)
            puts = [g.put(values) for g in groups]
            count = _counted(server, lambda p=puts: own.all_answered(server, p, connections=1))
            report.add("instructions", f"push {shape}", stored, OURS, count / n, "instr.")
        get = [bodies.request("GET", "/metrics")]
        for what, n in (("first after pushes", 1), ("unchanged", 20)):
            count = _counted(server, lambda k=n: own.all_answered(server, get * k, connections=1))
            report.add("instructions", f"scrape, {what}", stored, OURS, count / n, "instr.")
    finally:
        own.stop()
