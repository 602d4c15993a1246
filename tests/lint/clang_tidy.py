#!/usr/bin/python3
"""The checks of .clang-tidy on every C file, or on those that have changed since they passed.

usage: clang_tidy.py [--all] SOURCE-ROOT BUILD-ROOT
A file counts as changed if it, a header of ours that it includes, or a .clang-tidy has changed. BUILD-ROOT remembers
which files have passed. gcc's own warning options are in the compile database and mean nothing to
clang.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

TOOL = "clang-tidy-14"
# The static analyzer gives up a function of many paths after so many steps, and takes a path to where it has not been yet first. By
# its own order and 225,000 steps it took three times as long, and saw less: a function of format/sample_write.c not to its end.
ANALYZER = ["max-nodes=75000", "exploration_strategy=unexplored_first"]
SAY_EVERY = 15  # seconds


def sources(root):
    return sorted(p.relative_to(root).as_posix() for d in ("src", "tests") for p in (root / d).rglob("*.c"))


def headers_of(root, build):
    """For each source that the build compiles, our own files that it includes."""
    done = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True)
    found = {}
    for block in done.stdout.split("\n\n"):
        paths = [os.path.normpath(build / line.strip()) for line in block.splitlines()[1:]]
        ours = [os.path.relpath(p, root) for p in paths if p.startswith((f"{root}/src/", f"{root}/tests/"))]
        if ours:
            found.setdefault(ours[0], set()).update(ours)
    return found


def fingerprint(root, source, included):
    """None: it is not known what the source includes."""
    if included is None:
        return None
    h = hashlib.sha256()
    for path in [".clang-tidy", "tests/.clang-tidy", "tests/lint/clang_tidy.py", *sorted(included | {source})]:
        try:
            h.update(path.encode() + b"\0" + (root / path).read_bytes() + b"\0")
        except OSError:
            return None
    return h.hexdigest()


def commands_of(build):
    """A folder with how each file is compiled. What is compiled once more so that its steps are counted is the same code."""
    folder = build / "clang-tidy-commands"
    folder.mkdir(exist_ok=True)
    commands = json.loads((build / "compile_commands.json").read_text())
    (folder / "compile_commands.json").write_text(json.dumps([c for c in commands if "-fsanitize-coverage=trace-pc" not in c["command"]]))
    return folder


def check(root, commands, source):
    """What is wrong with it; "": nothing."""
    extra = ["-Wno-unknown-warning-option"]
    for setting in ANALYZER:
        extra += ["-Xclang", "-analyzer-config", "-Xclang", setting]
    command = [TOOL, "-p", commands, "--quiet", *(f"--extra-arg={argument}" for argument in extra), source]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("root", type=lambda p: Path(p).resolve())
    parser.add_argument("build", type=lambda p: Path(p).resolve())
    args = parser.parse_args()
    root, build = args.root, args.build
    passed = build / "clang-tidy-passed"
    passed.mkdir(exist_ok=True)
    stamp = {s: passed / re.sub(r"\W", "_", s) for s in sources(root)}
    headers = headers_of(root, build)
    print_of = {s: fingerprint(root, s, headers.get(s)) for s in stamp}

    def is_known(source):
        return print_of[source] and stamp[source].exists() and stamp[source].read_text() == print_of[source]

    # The longest files go first, so that none is left to one processor at the end.
    todo = sorted((s for s in stamp if args.all or not is_known(s)), key=lambda s: -(root / s).stat().st_size)
    print(f"clang-tidy: {len(todo)} of {len(stamp)} files" + ("" if args.all else " that have changed"), flush=True)
    commands = commands_of(build)
    begin = said = time.monotonic()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(check, root, commands, s): s for s in todo}
        for n, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            source, wrong = jobs[job], job.result()
            if wrong:
                failed += 1
                print(wrong, flush=True)
            elif print_of[source]:
                stamp[source].write_text(print_of[source])
            if time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                print(f"clang-tidy: {n} of {len(todo)} files, {said - begin:.0f} s", flush=True)
    sys.exit(f"clang-tidy: {failed} files have findings" if failed else 0)


if __name__ == "__main__":
    main()
