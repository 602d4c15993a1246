#!/usr/bin/python3
"""Proves that includes in src/ point one way, and that each library has one folder that knows it.

usage: includes.py [SOURCE-ROOT]
Prints each include that breaks a rule and exits with 1 if there is one.
"""

import re
import sys
from pathlib import Path

# A room may include itself and the rooms before it; the main files of programs may include all.
ROOMS = ["base", "metrics", "config", "codec", "format", "push", "merge", "pages", "store", "journal", "commit", "import",
         "http", "access", "expose", "ui", "api", "process"]
PROGRAMS = ["main.c", "import/main.c", "import/fetch.c", "import/save_backup.c"]
# Rooms that may include only these of the rooms before them.
ONLY = {
    "http": {"base"},
    "access": {"base", "metrics", "config"},
    "config": {"base", "metrics"},
    "metrics": {"base"},
    "ui": {"base"},
    "codec": {"base"},
}
# Headers of config/ with the meaning of all flags, which only the rooms at the top may include.
FLAGS = r"config/(config|flags|paths)\.h"
FLAGS_FOR = r"(config|api|process)/.*"

# Headers from outside src/, or made by the build: which files may include them.
OWNERS = {
    r"xxhash\.h": r"base/.*",
    r"sqlite3(ext)?\.h": r"journal/sqlite/.*",
    r"libpq-fe\.h": r"journal/postgresql/.*",
    r"jansson\.h": r"import/json.*",
    r"curl/.*": r"import/fetch\.c",
    r"pcre2\.h": r"metrics/expression\.c",
    r"systemd/.*": r"process/service\.c",
    r"seccomp\.h": r"process/sandbox_calls\.c",
    r"(event2/.*|ev[a-z]+\.h)": r"http/.*",
    r"yaml\.h": r"config/yaml.*",
    r"crypt\.h": r"access/.*",
    r"openssl/.*": r"access/.*|http/conn_tls\.c",
    r"(zlib|zstd|zstd_errors|snappy-c)\.h|isa-l/.*": r"codec/.*",
    r"ui_files\.h": r"ui/files\.c",
    r"(metrics\.pb-c\.h|protobuf-c/.*)": r"format/protobuf/.*",
}

# Below api/ and the programs a refusal has a reason (base/err.h), and no HTTP status.
STATUS = re.compile(r"err_set\(\s*[^,]+,\s*(?:\([^)]*\)\s*)?[\d]+\s*,")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    return None if path in PROGRAMS or "/" not in path else path.split("/")[0]


def breaks_direction(source, target):
    """Why the include breaks the direction, or None."""
    here, there = room_of(source), room_of(target)
    if re.fullmatch(FLAGS, target) and here and not re.fullmatch(FLAGS_FOR, source):
        return "is for those who know all flags"
    if here is None or here == there:
        return None
    if there is None or ROOMS.index(there) > ROOMS.index(here):
        return f"points up: the order is {' -> '.join(ROOMS)} -> main"
    if here in ONLY and there not in ONLY[here]:
        return f"is not for {here}/, which knows {', '.join(sorted(ONLY[here]))} only"
    return None


def wrong(source, quote, target, known):
    """Why this include is wrong, or None."""
    for header, files in OWNERS.items():
        if re.fullmatch(header, target):
            return None if re.fullmatch(files, source) else f"belongs in {files} only"
    if target not in known:
        made = quote == "<" or "/" not in target  # a header of the system, or made by the build
        return None if made else "no such file: write the path from src/"
    if quote == "<":
        return 'a file of ours: write it with ""'
    return breaks_direction(source, target)


def cycles(graph):
    """Each circle of headers, once."""
    found, done = [], set()

    def visit(node, trail):
        if node in trail:
            found.append(trail[trail.index(node):] + [node])
        elif node not in done:
            for target in sorted(graph[node]):
                visit(target, trail + [node])
            done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "src"
    files = {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*.[ch]")}
    if not files:
        sys.exit(f"{root}: no sources")

    problems = [
        f"src/{name}: not in a known room; add the room to {Path(__file__).name} and src/README.md"
        for name in sorted(files)
        if "/" in name and name.split("/")[0] not in ROOMS
    ]
    graph = {name: set() for name in files if name.endswith(".h")}
    for name, text in sorted(files.items()):
        for match in INCLUDE.finditer(text):
            quote, target = match.groups()
            line = text.count("\n", 0, match.start(1)) + 1
            why = wrong(name, quote, target, files)
            if why:
                problems.append(f"src/{name}:{line}: {target} {why}")
            if name in graph and target in graph:
                graph[name].add(target)
    for name, text in sorted(files.items()):
        problems += [
            f"src/{name}:{text.count(chr(10), 0, m.start()) + 1}: err_set() takes a reason of base/err.h, not a number"
            for m in STATUS.finditer(text)
        ]
    problems += ["src: headers in a circle: " + " -> ".join(c) for c in cycles(graph)]

    print("\n".join(problems) or f"{len(files)} files: every include points down")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
