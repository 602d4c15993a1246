"""Writes version.h: what this build is, and of which revision of the source.

usage: gen_version.py SOURCE-ROOT TEMPLATE OUTPUT REVISION BRANCH KEY=VALUE...
Runs with every build, and leaves OUTPUT alone while it would not change. REVISION and BRANCH are what
whoever builds has given, or empty: then git is asked, or without git (in an image's build) the files of
.git are read. A directory of sources inside somebody else's repository has no revision of that one's.
"""
import subprocess
import sys
from pathlib import Path


def git(root, *args):
    try:
        done = subprocess.run(["git", "-C", root, *args], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def from_git(root):
    if git(root, "rev-parse", "--show-prefix") != "":
        return None
    revision = git(root, "rev-parse", "HEAD")
    return revision and (revision, git(root, "rev-parse", "--abbrev-ref", "HEAD"))


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def from_files(root):
    """gitrepository-layout(5): HEAD names a branch, which is a file of its own or a line of packed-refs."""
    dot_git = Path(root, ".git")
    head = read(dot_git / "HEAD").strip()
    if not head.startswith("ref: "):
        return head and (head, "HEAD")
    ref = head[len("ref: "):]
    revision = read(dot_git / ref).strip()
    for line in read(dot_git / "packed-refs").splitlines():
        if not revision and line.endswith(f" {ref}"):
            revision = line.split()[0]
    return revision and (revision, ref.removeprefix("refs/heads/"))


def main():
    root, template, output, revision, branch, *pairs = sys.argv[1:]
    found = from_git(root) or from_files(root) or ("unknown", "unknown")
    values = dict(pair.split("=", 1) for pair in pairs)
    values.update(revision=revision or found[0], branch=branch or found[1])
    text = read(Path(template))
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    if read(Path(output)) != text:
        Path(output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
