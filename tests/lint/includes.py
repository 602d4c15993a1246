#!/usr/bin/python3
"""Proves that includes in src/ point one way, and that each library has one folder that knows it.

usage: includes.py [SOURCE-ROOT]
Prints each include that breaks a rule and exits with 1 if there is one.
"""

import re
import sys
from pathlib import Path

# A folder may include itself and those before it; main.c and config*.[ch] are in no folder.
LAYERS = ["base", "metrics", "format", "model", "store", "persist", "http", "web", "api"]
# Those that know nothing of the ones before them but base.
ON_BASE_ALONE = ["http", "web"]

# Headers from outside src/, or made by the build: which files may include them.
OWNERS = {
    r"xxhash\.h": r"base/.*",
    r"sqlite3(ext)?\.h": r"persist/.*",
    r"jansson\.h": r"persist/import_json.*",
    r"curl/.*": r"fetch\.c",
    r"systemd/.*": r"service\.c",
    r"(event2/.*|ev[a-z]+\.h)": r"http/.*",
    r"(yaml|crypt)\.h": r"web/.*",
    r"openssl/.*": r"web/.*|http/conn_tls\.c",
    r"(zlib|zstd|zstd_errors|snappy-c)\.h|isa-l/.*": r"format/(de)?compress.*",
    r"(metrics\.pb-c\.h|protobuf-c/.*)": r"format/proto_.*",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    return path.split("/")[0] if "/" in path else None


def rank(path):
    """The layer's place; above all layers for the files that wire them together."""
    folder = folder_of(path)
    return LAYERS.index(folder) if folder in LAYERS else len(LAYERS)


def breaks_direction(source, target):
    if source.startswith("config"):
        return not target.startswith(("base/", "config"))
    if target.startswith("config"):
        # The flags sit on base, but what all of them mean is for the top to know; `import` has others.
        above = rank(source) == len(LAYERS)
        return (target != "config.h" or rank(source) < LAYERS.index("api")) and not (above and target == "config_flags.h")
    if folder_of(source) in ON_BASE_ALONE:
        return folder_of(target) not in ("base", folder_of(source))
    return rank(target) > rank(source)


def wrong(source, quote, target, known):
    """Why this include is wrong, or None."""
    for header, files in OWNERS.items():
        if re.fullmatch(header, target):
            return None if re.fullmatch(files, source) else f"belongs in {files} only"
    if target not in known:
        made = quote == "<" or "/" not in target  # a system's, or the build's
        return None if made else "no such file: write the path from src/"
    if quote == "<":
        return 'a file of ours: write it with ""'
    if breaks_direction(source, target):
        return f"points up: the order is {' -> '.join(LAYERS)} -> main"
    return None


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
        f"src/{name}: not in a known folder; add the folder to {Path(__file__).name} and src/README.md"
        for name in sorted(files)
        if "/" in name and name.split("/")[0] not in LAYERS
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
    problems += ["src: headers in a circle: " + " -> ".join(c) for c in cycles(graph)]

    print("\n".join(problems) or f"{len(files)} files: every include points down")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
