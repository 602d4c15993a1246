"""Sectors that the disk does not read: of a damaged database the others are saved; nothing is taken for damaged, or changed, for them alone."""
import os
import subprocess

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, parse_logfmt
from test_damage import no_first_page

PAGE = 4096


def fill(database, groups=40):
    with Gateway(database=database) as g:
        for i in range(groups):
            assert g.put(f"j{i}", f'a{{pad="{"x" * 1000}"}} {i}\n').status == 200


def bad(faults, database, page, suffix=""):
    inode = database.with_name(database.name + suffix).stat().st_ino
    faults.fail("bad", f"{page * PAGE} {(page + 1) * PAGE} {inode}")


def values(g):
    return {int(v) for v in scrape(g).text.splitlines() if v.startswith("a{") for v in [v.rsplit(" ", 1)[1]]}


@pytest.mark.parametrize("page", [1, 4, 7])
def test_the_other_pages_are_saved(database, faults, page):
    fill(database)
    content = bytearray(database.read_bytes())
    no_first_page(content)
    database.write_bytes(content)
    bad(faults, database, page)
    with Gateway(database=database, env=faults.env) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        # A page has three of these rows.
        assert len(values(g)) >= 34 and int(line["groups"]) == len(values(g))
        assert g.put("new", "b 1\n").status == 200


@pytest.mark.parametrize("page", [0, 1, 3])
def test_the_other_frames_are_saved(database, faults, page):
    """Of the WAL; its database is gone."""
    fill(database, 1)
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", f"a {i}\n").status == 200
        g.kill()
    database.write_bytes(b"")
    bad(faults, database, page, "-wal")
    # A WAL that cannot be read is judged by nobody.
    done = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", f"--persistence.file={database}"], capture_output=True, text=True,
                          env={**os.environ, **faults.env}, timeout=60, check=False)
    assert done.returncode == 1 and "cannot read" in done.stderr and "Input/output error" in done.stderr
    faults.heal()
    with Gateway(database=database, env=faults.env) as g:
        assert values(g) == set(range(20))


@pytest.mark.parametrize("killed", [False, True])
def test_a_first_page_that_cannot_be_read_changes_nothing(database, faults, killed):
    fill(database, 10)
    with Gateway(database=database) as g:
        assert g.put("j0", "a 0\n").status == 200
        g.kill()
    if not killed:
        wal = database.with_name(database.name + "-wal")
        wal.write_bytes(b"")
    before = {f.name: f.read_bytes() for f in database.parent.iterdir() if f.is_file()}
    bad(faults, database, 0)
    done = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", f"--persistence.file={database}"], capture_output=True, text=True,
                          env={**os.environ, **faults.env}, timeout=60, check=False)
    assert done.returncode == 1 and "cannot read" in done.stderr
    assert {f.name: f.read_bytes() for f in database.parent.iterdir() if f.is_file()} == before
