#!/usr/bin/python3
"""Checks the documents against the program, the tests and the tree.

usage: docs.py GATEWAY ROOT
- Links of documents lead to files and headings that are there, and so do the names
  of files and folders in src/README.md.
- The table of flags in deploy/README.md, rows of "| `--name` | `default` | ...", has each flag of
  --help with its default: "-", empty or `false` where --help shows none. --help and --version need
  no row. Rows of other documents agree with it, and no document names a flag that is not there.
- Each rule of tests/differential/allowed.py has a row in its README.md, and what the rows name as
  "Shown by" exists: a rule, a function of that folder or a test.
- Comments name only files that are there, and no section of a document that is not.
"""

import re
import subprocess
import sys
from pathlib import Path

# Descriptions, whose lines may begin with the name of a flag, too, are further to the right.
HELP_FLAG = re.compile(r"^ {2}(?:-\w, | {4})--(?:\[no-\])?([a-z][a-z0-9.-]*)(?:=(\S+))?", re.M)
FLAG_ROW = re.compile(r"^\| *`--([a-z][a-z0-9.-]*)` *\| *([^|]*?) *\|", re.M)
FLAG_NAME = re.compile(r"--((?:web|push|persistence|limits|log|process)\.[a-z0-9.-]*[a-z0-9])")
LINK = re.compile(r"\]\(([^)\s]*)\)")
SOURCE = re.compile(r"`((?:[\w.]+/)*[\w.*]+\.[ch]|(?:[\w.]+/)+[\w.*]*)`")
RULES = re.compile(r"^(?:REPLIES|POISONS|SCRAPES) = \[(.*?)\]", re.M | re.S)

CHANGELOG = "CHANGELOG.md"
SOURCES = "src/README.md"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
FILE = re.compile(r"(?<![\w<./-])((?:[\w-]+/)*[\w-]+\.(?:c|h|py|sh|proto))\b(?!>)")
SECTION = re.compile(r"\bbehaviour \d[\d.]*")

# Files of libraries that comments name.
ELSEWHERE = ("openssl/ssl.h", "bufferevent_openssl.c", "os.h")
FLAGS = "deploy/README.md"
DIFFERENCES = "tests/differential/README.md"
OPTIONAL = ("help", "version")


def default_of(text):
    text = text.strip("`\"")
    return "" if text in ("-", "false") else text


def flags_of(gateway):
    """The default of each flag, as --help of the program shows it."""
    done = subprocess.run(
        [gateway, "--help"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    flags = {n: default_of(d or "") for n, d in HELP_FLAG.findall(done.stdout)}
    if not flags:
        sys.exit(f"{gateway} --help names no flag:\n{done.stdout}")
    return flags


def check_flags(flags, documents):
    for path, text in documents.items():
        for name, default in FLAG_ROW.findall(text):
            if default_of(default) != flags.get(name):
                yield f"{path}: --{name} has the default {default!r}, in --help {flags.get(name)!r}"
        # The changelog also tells of flags that are gone.
        for name in sorted(set(FLAG_NAME.findall(text)) - set(flags)) if path != CHANGELOG else ():
            yield f"{path}: --{name} is not in --help"
    rows = [n for n, _ in FLAG_ROW.findall(documents[FLAGS])]
    for name in flags:
        if rows.count(name) != (0 if name in OPTIONAL else 1):
            yield f"{FLAGS}: the table of flags has --{name} {rows.count(name)} times"


def anchors_of(text):
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def check_links(root, documents):
    for path, text in documents.items():
        for link in LINK.findall(text):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            file = ((root / path).parent / target).resolve() if target else root / path
            if not file.exists():
                yield f"{path}: {link}: there is no such file"
            elif anchor and anchor not in anchors_of(file.read_text(encoding="utf-8")):
                yield f"{path}: {link}: there is no such heading"


def check_sources(root, documents):
    for name in sorted(set(SOURCE.findall(documents[SOURCES]))):
        if not any(next(top.glob(name), None) for top in (root, root / "src", *(root / "src").iterdir())):
            yield f"{SOURCES}: there is no {name}"


def is_there(root, shown):
    """Whether shown is a rule of allowed.py, a function of another module of that folder, or a test."""
    file, _, name = shown.rpartition("::")
    if file.endswith(".c"):
        path, pattern = root / "tests/unit" / file, rf"^START_TEST\({name}\)"
    elif file:
        path, pattern = root / "tests/integration" / file, rf"^def {name}\("
    else:
        module, _, name = shown.rpartition(".")
        path = root / "tests/differential" / f"{module or 'allowed'}.py"
        pattern = rf"^def _?{name}\("
    return path.is_file() and re.search(pattern, path.read_text(encoding="utf-8"), re.M)


def check_differences(root, documents):
    allowed = (root / "tests/differential/allowed.py").read_text(encoding="utf-8")
    rules = {r.strip().lstrip("_") for found in RULES.findall(allowed) for r in found.split(",")}
    named = set()
    for row in re.findall(r"^\| (?!Topic|---)(.*) \|$", documents[DIFFERENCES], re.M):
        topic, *_, last = row.split(" | ")
        shown = re.findall(r"`([^`]+)`", last)
        named.update(shown)
        if not shown:
            yield f"{DIFFERENCES}: {topic}: nothing shows it"
        for one in shown:
            if not is_there(root, one):
                yield f"{DIFFERENCES}: {topic}: there is no {one}"
    for rule in sorted(rules - named):
        yield f"{DIFFERENCES}: no row names the rule {rule} of allowed.py"


def check_comments(root):
    tops = ("src", "tests", "proto")
    files = [f"/{p.relative_to(root)}" for top in tops for p in (root / top).rglob("*.*")]
    for path in sorted(p for top in tops[:2] for p in (root / top).rglob("*.[ch]")):
        for comment in COMMENT.findall(path.read_text(encoding="utf-8")):
            for name in FILE.findall(comment):
                if name not in ELSEWHERE and not any(f.endswith(f"/{name}") for f in files):
                    yield f"{path.relative_to(root)}: a comment names {name}, which is not there"
            for section in SECTION.findall(comment):
                yield f"{path.relative_to(root)}: a comment names {section}: say the rule"


def check_changelog(documents):
    """A merge may leave both sides of what it could not put together."""
    items = re.findall(r"^- .*(?:\n  .*)*", documents[CHANGELOG], re.M)
    for item in sorted({x for x in items if items.count(x) > 1}):
        yield f"{CHANGELOG}: twice: {item.splitlines()[0]}"


def main():
    gateway, root = sys.argv[1], Path(sys.argv[2])
    documents = {
        str(p.relative_to(root)): p.read_text(encoding="utf-8")
        for top in ("*.md", ".github/*.md", "deploy/**/*.md", "src/**/*.md", "tests/**/*.md")
        for p in root.glob(top)
    }
    flags = flags_of(gateway)
    problems = [
        *check_links(root, documents),
        *check_sources(root, documents),
        *check_flags(flags, documents),
        *check_differences(root, documents),
        *check_comments(root),
        *check_changelog(documents),
    ]
    print("\n".join(problems) or f"{len(documents)} documents, {len(flags)} flags agree")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
