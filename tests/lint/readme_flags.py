#!/usr/bin/python3
"""Checks the README's table of flags against what the gateway's --help says.

usage: readme_flags.py GATEWAY README
A row of the table is "| `--name` | `default` | ...". Each flag has one, with its default: "-", empty
or `false` where --help shows none. --help and --version need no row.
"""

import re
import subprocess
import sys

# Further in stand the descriptions, whose lines may begin with the name of a flag too.
HELP_FLAG = re.compile(r"^ {2}(?:-\w, | {4})--(?:\[no-\])?([a-z][a-z0-9.-]*)(?:=(\S+))?", re.M)
README_ROW = re.compile(r"^\| *`--(?:\[no-\])?([a-z][a-z0-9.-]*)` *\| *([^|]*?) *\|", re.M)


OPTIONAL = ("help", "version")


def default_of(text):
    text = text.strip("`\"")
    return "" if text in ("-", "false") else text


def main():
    gateway, readme = sys.argv[1:]
    help_text = subprocess.run(
        [gateway, "--help"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    wanted = {n: default_of(d or "") for n, d in HELP_FLAG.findall(help_text.stdout)}
    with open(readme, encoding="utf-8") as f:
        rows = [(n, default_of(d)) for n, d in README_ROW.findall(f.read())]
    if not wanted:
        sys.exit(f"{gateway} --help names no flag:\n{help_text.stdout}")

    names = [n for n, _ in rows]
    problems = [
        f"--{n} is in --help, not in the README"
        for n in wanted
        if n not in names and n not in OPTIONAL
    ]
    problems += [f"--{n} is in the README, not in --help" for n in names if n not in wanted]
    problems += [f"--{n} stands twice" for n in sorted(set(names)) if names.count(n) > 1]
    problems += [
        f"--{n}: the README says {d!r}, --help says {wanted[n]!r}"
        for n, d in rows
        if n in wanted and d != wanted[n]
    ]
    print("\n".join(problems) or f"{len(wanted)} flags agree")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
