"""The import of a Go Pushgateway's file, killed at each of its steps."""
import signal
import subprocess
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually

pytestmark = pytest.mark.released
SOURCE = Path(__file__).with_name("crash_points.c")
GO_FILE = Path(__file__).parents[1] / "unit" / "data" / "gob" / "pushgateway-1.11.2.gob"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    library = tmp_path_factory.mktemp("crash") / "crash_points.so"
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    SOURCE, "-ldl"], check=True)
    return library


def lines(database):
    """What a gateway on that file exposes."""
    with Gateway(database=database) as g:
        eventually(lambda: g.get("/-/ready").status == 200, "the database is loaded")
        return sorted(scrape(g).foreign())


def crash(library, database, n, env):
    """True when the import was over before step n."""
    g = Gateway(database=database, env={**env, "LD_PRELOAD": str(library), "CRASH_AT": str(n),
                                        "ASAN_OPTIONS": "verify_asan_link_order=0"})
    eventually(lambda: "imported the file" in g.log or g.process.poll() is not None, "imported, or dead")
    if g.process.poll() is None:
        g.kill()
    else:
        assert g.wait() == -signal.SIGKILL
    return "imported the file" in g.log


@pytest.mark.parametrize("env", [{}, {"NO_LINKS": "1"}], ids=["links", "without links"])
def test_killed_at_each_step(library, tmp_path, env):
    content = GO_FILE.read_bytes()
    (tmp_path / "whole").write_bytes(content)
    want = lines(tmp_path / "whole")
    assert len(want) > 10
    seen, n, over = set(), 0, False
    while not over:
        n += 1
        (tmp_path / str(n)).mkdir()
        database = tmp_path / str(n) / "data"
        database.write_bytes(content)
        database.chmod(0o600)
        over = crash(library, database, n, env)
        # Whoever could not read the Go Pushgateway's file can read nothing that is made of it.
        assert not {p.name for p in database.parent.iterdir() if p.stat().st_mode & 0o077}, f"step {n}"
        now = database.read_bytes()
        assert now == content or now.startswith(b"SQLite format 3\0"), f"step {n}"
        seen.add((now == content, *sorted(p.name.split("-")[0] for p in database.parent.iterdir())))
        assert lines(database) == want, f"step {n}"
        # Where a name cannot be given without replacing, it is taken by an empty file first.
        left = sorted(p for p in database.parent.iterdir() if p.stat().st_size or not env)
        assert len(left) == 2 and left[1].read_bytes() == content, f"step {n}: {left}"
    # It was killed before there was a copy, with half a database, with both, and with the swap done.
    assert n > 10 and len(seen) >= 4, seen


def test_what_an_interrupted_import_left(tmp_path):
    """Whatever is under the name of the new database is not ours to keep."""
    want = None
    for leftovers in ([], ["data.importing"], ["data.importing", "data.importing-wal", "data.importing-journal"]):
        directory = tmp_path / str(len(leftovers))
        directory.mkdir()
        (directory / "data").write_bytes(GO_FILE.read_bytes())
        for name in leftovers:
            (directory / name).write_bytes(b"half of something" * 1000)
        got = lines(directory / "data")
        want = want or got
        assert got == want
        assert len(list(directory.iterdir())) == 2
