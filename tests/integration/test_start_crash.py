"""A start that has much to do, killed at each of its steps: an upgrade of the schema, and the salvage of a damaged
database. Whatever the next start finds, it ends with the same."""
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from test_import_crash import GO_FILE, library  # noqa: F401: a fixture

pytestmark = pytest.mark.released
MIGRATIONS = Path(__file__).parents[2] / "migrations" / "sqlite"
GROUPS = 30
# Of kills at random moments, for each kind of start. By hand KILL_ROUNDS=100, say.
ROUNDS = int(os.environ.get("KILL_ROUNDS", "2"))


def old_database(path, version, groups=GROUPS):
    """As versions of that schema left it, with pushes that supersede others."""
    from old_database import message

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in ("0001_init.sql", "0002_log.sql")[:version]:
            db.executescript((MIGRATIONS / name).read_text())
        db.execute("PRAGMA application_id=0x54414C59")
        db.execute(f"PRAGMA user_version={version}")
        db.execute("BEGIN")
        for i in range(1, groups + 1):
            db.execute("INSERT INTO metric_groups VALUES (?, ?, 5, 0)", (i, b"job\xffj%d\xff" % i))
            for n in range(3):
                row = (3 * i + n, i, 3 * i + n, 5) if version == 1 else (3 * i + n, i, 5, 0)
                db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", (*row, message(b"a", 1, n) + message(b"b%d" % n, 1, i)))
        db.execute("COMMIT")


def damaged_database(path, groups=GROUPS):
    """A bit is wrong in the middle of it, and not all of it can be read."""
    with Gateway(database=path) as g:
        for i in range(groups):
            assert g.put(f"j{i}", f"a {i}\n" + "".join(f'b{{x="{k}{"y" * 200}"}} 1\n' for k in range(20))).status == 200
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 8
    path.write_bytes(data)


MAKERS = {
    "schema 1": lambda path: old_database(path, 1), "schema 2": lambda path: old_database(path, 2),
    "damage": damaged_database, "damage, without links": damaged_database,
}


def shown(database):
    with Gateway(database=database) as g:
        lines = sorted(scrape(g).foreign())
    assert len([x for x in lines if x.startswith("a{")]) >= GROUPS - 2
    return lines


def killed_at(library, database, step, env):
    """False when the start was over before that step."""
    g = Gateway(database=database, env={**env, "LD_PRELOAD": str(library), "CRASH_AT": str(step),
                                        "ASAN_OPTIONS": "verify_asan_link_order=0"})
    eventually(lambda: "metrics loaded" in g.log or g.process.poll() is not None, "loaded, or dead")
    if g.process.poll() is not None:
        assert g.wait() == -signal.SIGKILL
        return True
    g.kill()
    return False


@pytest.mark.parametrize("what", MAKERS)
def test_killed_at_each_step(library, tmp_path, what):
    original = tmp_path / "original" / "t.db"
    original.parent.mkdir()
    MAKERS[what](original)
    shutil.copytree(original.parent, tmp_path / "whole")
    want, step = shown(tmp_path / "whole" / "t.db"), 0
    env = {"NO_LINKS": "1"} if "without links" in what else {}
    killed = True
    while killed:
        step += 1
        directory = tmp_path / str(step)
        shutil.copytree(original.parent, directory)
        killed = killed_at(library, directory / "t.db", step, env)
        assert shown(directory / "t.db") == want, f"step {step}"
        # What it was made under goes with the next start.
        assert not [p.name for p in directory.iterdir() if "rewrit" in p.name], f"step {step}"
        shutil.rmtree(directory)
    assert step > 5


# ---- at any moment ----

LARGER = {
    "schema 1": lambda path: old_database(path, 1, 1000), "schema 2": lambda path: old_database(path, 2, 1000),
    "damage": lambda path: damaged_database(path, 300), "Go gateway's file": lambda path: path.write_bytes(GO_FILE.read_bytes()),
}


def all_shown(database, damaged=False):
    with Gateway(database=database) as g:
        assert damaged or "is damaged" not in g.log
        return sorted(scrape(g).foreign())


@pytest.mark.parametrize("what", LARGER)
def test_killed_at_any_moment(tmp_path, what):
    """Up to three times, one after the other."""
    original, rng = tmp_path / "original" / "t.db", random.Random(ROUNDS)
    original.parent.mkdir()
    LARGER[what](original)
    shutil.copytree(original.parent, tmp_path / "whole")
    begin = time.monotonic()
    want = all_shown(tmp_path / "whole" / "t.db", what == "damage")
    takes = time.monotonic() - begin
    assert len(want) > 10
    for n in range(ROUNDS):
        directory = tmp_path / str(n)
        shutil.copytree(original.parent, directory)
        for _ in range(rng.choice([1, 1, 2, 3])):
            g = Gateway(database=directory / "t.db")
            with contextlib.suppress(subprocess.TimeoutExpired):
                g.process.wait(rng.uniform(0, takes))
            g.kill()
        assert all_shown(directory / "t.db", what == "damage") == want, f"round {n}"
        shutil.rmtree(directory)
