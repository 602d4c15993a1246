"""What pushes and scrapes cost as more is stored, and with more threads; also as Markdown."""

from fleet import GO, OURS, UNCHECKED
from push import CONNECTIONS, cpu_each, forget, measured, rates, taking_turns, warm_up, write_pushes
from report import median, show
from scrape import one_scrape, report_cases
from servers import PUSH, SCRAPE

SIZES = (1000, 10000, 100000, 1000000)
THREADS = (1, 2, 4)
# Threads are varied with so many series stored, if that is one of the sizes.
THREADS_AT = 10000

RATE = ("pushes", "/s")
CPU = ("CPU of a push", "us")
SCRAPES = [(f"plain, {case}", "s") for case in ("cold", "unchanged", "1 % changed")]


def _pushes(bench):
    report, stored = bench.report, bench.stored
    warm_up(bench, [OURS])
    extra = write_pushes(bench, "10x1", CONNECTIONS)
    found = taking_turns(bench, [GO, OURS], CONNECTIONS)
    for name in bench.fleet.servers:
        if name not in (GO, OURS):
            continue
        rounds = found.get(name, [])
        value = median(rates(rounds)) or bench.too_slow
        report.add("curve", RATE[0], stored, name, value, RATE[1], rounds=rates(rounds))
        cpu = cpu_each(rounds)
        report.add("curve", CPU[0], stored, name, median(cpu), CPU[1], rounds=cpu)
    forget(bench.fleet, extra)


def _scrapes(bench):
    for server in bench.fleet.running([UNCHECKED, OURS], to=SCRAPE):
        if bench.fleet.restart(server) is None:
            continue
        if server.name == OURS:
            report_cases(bench, server, "curve", "plain")
            continue
        # One scrape is enough: nothing of it is kept for the next.
        one = one_scrape(bench, server, "plain")
        value = bench.too_slow if not one or one["unanswered"] else one["p50"]
        bench.report.add("curve", SCRAPES[0][0], bench.stored, server.name, value, "s")


def _threads_figure(n):
    return f"pushes, {n} thread" + ("s" if n > 1 else "")


def _threads(bench):
    """Pushes with each number of threads, by turns."""
    fleet, stored = bench.fleet, bench.stored
    server = next(fleet.running([OURS], to=PUSH), None)
    if not server:
        return
    extra = write_pushes(bench, "10x1", CONNECTIONS)
    found = {n: [] for n in THREADS}
    try:
        for _ in range(bench.options.rounds):
            for n, rounds in found.items():
                server.flags = [f"--web.threads={n}"]
                if fleet.restart(server) is not None:
                    rounds.append(measured(bench, server, connections=CONNECTIONS))
    finally:
        server.flags = []
    for n, rounds in found.items():
        bench.report.add(
            "curve", _threads_figure(n), stored, OURS,
            median(rates(rounds)) or bench.too_slow, "/s", rounds=rates(rounds),
        )
    fleet.restart(server)
    forget(fleet, extra)


def curve(bench):
    """Pushes, their CPU time, plain scrapes, at 1,000 to 1,000,000 series stored; pushes with 1, 2
    and 4 threads. --markdown prints it as in README.md."""
    if not bench.stored:
        return
    _pushes(bench)
    _scrapes(bench)
    if bench.stored == bench.options.threads_at:
        _threads(bench)


def _rows(head, rows):
    """A Markdown table without the columns that are empty."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line[i] for i in kept) + " |" for line in lines)


def _cell(report, stored, server, figure):
    value = report.value("curve", *figure, stored, server)
    text = show(value, figure[1])
    if figure == CPU and isinstance(value, (int, float)):
        text += " us"
    return text.replace(" us", " µs")


def markdown(report):
    """The curve, and the threads, as two tables; empty if they were not measured."""
    stored = sorted({at for part, figure, _, at in report.rows
                     if part == "curve" and (figure, "/s") == RATE})
    head = ["series stored", "pushes/s", "CPU of a push", "scrape: first", "unchanged",
            "1 % changed", "Go: pushes/s", "Go: CPU of a push", "Go: scrape"]
    ours = [(OURS, figure) for figure in (RATE, CPU, *SCRAPES)]
    go = [(GO, RATE), (GO, CPU), (UNCHECKED, SCRAPES[0])]
    rows = [
        [f"{n:,}"] + [_cell(report, n, server, figure) for server, figure in ours + go]
        for n in stored
    ]
    out = [_rows(head, rows)] if rows else []
    for n in stored:
        rows = [[str(t), _cell(report, n, OURS, (_threads_figure(t), "/s"))] for t in THREADS]
        if any(row[1] for row in rows):
            out.append(_rows(["`--web.threads`", f"pushes/s, {n:,} series stored"], rows))
    return "\n\n".join(out)
