"""Figures, as JSON lines when they are found, and as one table at the end."""

import json
import statistics
import sys
import time

from fleet import FLOOR, GO, OURS, UNCHECKED

COLUMNS = (FLOOR, GO, UNCHECKED, OURS)
# Units of which more is better.
RATES = ("/s", "MB/s")


def median(values):
    return statistics.median(values) if values else None


def _digits(v):
    if v == 0 or abs(v) >= 1000:
        return f"{v:,.0f}"
    return f"{v:.3g}" if abs(v) < 100 else f"{v:.0f}"


def show(value, unit):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if unit == "s":
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "us")):
            if value * factor >= 1 or name == "us":
                return f"{_digits(value * factor)} {name}"
    return _digits(value)


class Report:
    def __init__(self, path, conditions=None):
        """conditions: written into each line of JSON."""
        self.conditions = conditions or {}
        self.rows = {}  # (part, figure, unit, stored): {server: value}, in the order found
        self.begin = time.monotonic()
        self.out = open(path, "a", encoding="utf-8") if path else None

    def add(self, part, figure, stored, server, value, unit, **more):
        """value: a number; a str: why there is none; None: nothing is reported."""
        if value is None:
            return
        self.rows.setdefault((part, figure, unit, stored), {})[server] = value
        number = None if isinstance(value, str) else value
        line = {"part": part, "figure": figure, "stored": stored, "server": server}
        line.update(value=number, unit=unit, **more, **self.conditions)
        if number is None:
            line["note"] = value
        text = json.dumps(line)
        if self.out:
            print(text, file=self.out, flush=True)
        shown = show(value, unit) + ("" if unit == "s" else " " + unit)
        elapsed = time.monotonic() - self.begin
        print(f"{elapsed:5.0f} s  {stored or 0:>9,}  {figure}: {server} {shown}", file=sys.stderr)

    def value(self, part, figure, unit, stored, server):
        return self.rows.get((part, figure, unit, stored), {}).get(server)

    @staticmethod
    def _times_better(values, other, unit):
        ours, theirs = values.get(OURS), values.get(other)
        if not isinstance(ours, (int, float)) or not isinstance(theirs, (int, float)):
            return ""
        better, worse = (ours, theirs) if unit in RATES else (theirs, ours)
        return _digits(better / worse) if better and worse else ""

    def table(self):
        ratios = [c for c in COLUMNS if c != OURS]
        head = ["figure", "unit", "stored", *COLUMNS, *(f"x {c}" for c in ratios)]
        lines = [head]
        part_before = None
        # One figure at all sizes is a curve, so its rows stand together.
        order = {}
        for part, figure, unit, _ in self.rows:
            order.setdefault((part, figure, unit), len(order))
        parts = {}
        for key in order:
            parts.setdefault(key[0], len(parts))
        rows = sorted(
            self.rows.items(), key=lambda r: (parts[r[0][0]], order[r[0][:3]], r[0][3] or 0)
        )
        for (part, figure, unit, stored), values in rows:
            if part != part_before:
                lines.append([f"[{part}]"] + [""] * (len(head) - 1))
                part_before = part
            lines.append(
                [figure, "" if unit == "s" else unit, "" if stored is None else f"{stored:,}"]
                + [show(values.get(c), unit) for c in COLUMNS]
                + [self._times_better(values, c, unit) for c in ratios]
            )
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        out = []
        for line in lines:
            cells = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
            cells += [cell.rjust(w) for cell, w in zip(line[2:], widths[2:])]
            out.append("  ".join(cells).rstrip())
        return "\n".join(out)
