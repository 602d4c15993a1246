"""Every build knows of which revision it is: from git, from .git where there is no git, or by being told."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def git(repository, *args):
    user = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *user, "-C", repository, *args], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    top = tmp_path / "repository"
    top.mkdir()
    git(top, "init", "-q", "-b", "topic/one")
    git(top, "commit", "-q", "--allow-empty", "-m", "one")
    return top


def version(root, revision="", branch="", path=None):
    """What the build writes into version.h, for the sources in root."""
    out = root.parent / "version.h"
    template = ROOT / "src" / "version.h.in"
    subprocess.run([sys.executable, ROOT / "src" / "gen_version.py", root, template, out, revision, branch, "version=1"],
                   check=True, env={"PATH": path or "/usr/bin:/bin"})
    return dict(re.findall(r'#define VERSION_(REVISION|BRANCH) "(.*)"', out.read_text()))


def of(repository, branch="topic/one"):
    return {"REVISION": git(repository, "rev-parse", "HEAD"), "BRANCH": branch}


def test_a_build_from_a_repository(repository):
    assert version(repository) == of(repository)
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    assert version(repository) == of(repository), "asked with every build"
    assert version(repository, "abc", "release") == {"REVISION": "abc", "BRANCH": "release"}


def test_sources_inside_a_foreign_repository(repository):
    inside = repository / "vendor"
    inside.mkdir()
    assert version(inside) == {"REVISION": "unknown", "BRANCH": "unknown"}


@pytest.mark.parametrize("state", ["loose", "packed", "detached"])
def test_an_image(repository, tmp_path, state):
    """The Dockerfile's own COPY lines, in a stage without git."""
    if state == "packed":
        git(repository, "pack-refs", "--all")
    if state == "detached":
        git(repository, "checkout", "-q", "--detach")
    stage = tmp_path / "stage"
    (stage / ".git").mkdir(parents=True)
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (.*\.git.*)$", dockerfile, re.M):
        *patterns, to = line.split()
        for path in (p for pattern in patterns for p in repository.glob(pattern)):
            if path.is_dir():
                shutil.copytree(path, stage / to, dirs_exist_ok=True)
            else:
                shutil.copy(path, stage / to)
    assert version(stage, path="/nowhere") == of(repository, "HEAD" if state == "detached" else "topic/one")


def test_what_the_image_needs_is_in_its_context():
    """.dockerignore keeps all else out: what COPY names has to be let in."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = {source for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M) for source in line.split()[:-1]}
    copied |= set(re.findall(r"--mount=type=bind,source=([^,]+)", dockerfile))
    for source in copied:
        name = source.replace("[", "").replace("]", "")
        assert any(name == entry or name.startswith(entry + "/") for entry in let_in), f"{source} is kept out of the context"
    assert "-Drevision=$REVISION -Dbranch=$BRANCH" in dockerfile
