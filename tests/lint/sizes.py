#!/usr/bin/python3
"""Proves that no function and no file is too long to be read at once.

usage: sizes.py [SOURCE-ROOT]
Prints each C function of more than 60 lines, from the line of its name to its last brace, and each file of more
than 400 lines, or 500 if it is a test or of deploy/, and exits with 1 if there is one. Relies on the format that
format.sh proves: a function's braces are alone in the first column.
"""

import re
import sys
from pathlib import Path

MOST = 60
# Most lines of a file that is written by hand; tables and documents of other kinds may be longer.
FILES = {"src": 400, "tests": 500, "deploy": 500}
WRITTEN = {".c", ".h", ".py", ".js", ".mjs", ".css", ".sh", ".go", ".rb", ".pl", ".java"}
NAME = re.compile(r"\b(?:START_TEST\()?(\w+)[()]")


def functions(lines):
    """(name, number of its first line, count of lines) of each."""
    start = name = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
            while start > 0 and re.match(r"[\w \t]", lines[start - 1]):
                start -= 1
            match = NAME.search(" ".join(lines[start:i]))
            name = match and match.group(1)
        elif line == "}" and start is not None:
            if name:
                yield name, start + 1, i - start + 1
            start = None


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    problems, count, longest = [], 0, (0, "")
    for top, most in FILES.items():
        files = sorted(p for p in (root / top).rglob("*") if p.suffix in WRITTEN)
        if not files:
            sys.exit(f"{root}/{top}: no sources")
        for path in files:
            n = len(path.read_text().splitlines())
            if n > most:
                problems.append(f"{path.relative_to(root)}: {n} lines, {most} are the most: it does two things")
    for path in sorted(p for top in ("src", "tests") for p in (root / top).rglob("*.[ch]")):
        for name, line, n in functions(path.read_text().splitlines()):
            count += 1
            longest = max(longest, (n, name))
            if n > MOST:
                problems.append(f"{path.relative_to(root)}:{line}: {name}() has {n} lines, {MOST} are the most")
    if not count:
        sys.exit(f"{root}: no functions found")
    print("\n".join(problems) or f"{count} functions: the longest, {longest[1]}(), has {longest[0]} lines")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
