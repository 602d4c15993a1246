"""Sectors that the disk does not read: the others are saved. While it does not read most of a database, that is left as it is."""
import contextlib
import os
import sqlite3
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


def bad(faults, database, page, suffix="", pages=1):
    inode = database.with_name(database.name + suffix).stat().st_ino
    faults.fail("bad", f"{page * PAGE} {(page + pages) * PAGE} {inode}")


def start_fails(faults, database):
    done = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", f"--persistence.file={database}"], capture_output=True, text=True,
                          env={**os.environ, **faults.env}, timeout=60, check=False)
    assert done.returncode == 1
    return done.stderr


def files(database):
    return {f.name: f.read_bytes() for f in database.parent.iterdir() if f.is_file()}


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


@pytest.mark.parametrize("page", [0, 1, 4, 7])
def test_they_are_saved_of_a_sound_database(database, faults, page):
    """As of a damaged one: whoever pushes does not wait until somebody has looked at the disk."""
    fill(database)
    with Gateway(database=database):
        pass
    bad(faults, database, page)
    before = files(database)
    check = subprocess.run([BINARY, "check", database], capture_output=True, text=True, env={**os.environ, **faults.env}, timeout=60, check=False)
    assert check.returncode == 1 and "the disk does not read 1 of " in check.stdout, check
    with Gateway(database=database, env=faults.env) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert "the disk does not read 1 of " in line["err"] and int(line["groups"]) == len(values(g)) >= 34
        assert scrape(g).get("pushgateway_database_set_aside") == 1
        assert f"groups: {line['groups']}\n" in check.stdout
        assert g.put("new", "b 1\n").status == 200
    kept = line["kept"].rpartition("/")[2]
    assert files(database)[kept] == before[database.name]


@pytest.mark.parametrize("page", [0, 1, 3])
def test_the_other_frames_are_saved(database, faults, page):
    """Of the WAL; all but the first commit is there only."""
    fill(database, 1)
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", f"a {i}\n").status == 200
        g.kill()
    database.write_bytes(b"")
    bad(faults, database, page, "-wal")
    with Gateway(database=database, env=faults.env) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert "the disk does not read 1 of " in line["err"]
        assert int(line["groups"]) == len(values(g)) >= 18


@pytest.mark.parametrize("pages", [14, 10 ** 6])
def test_a_disk_that_is_gone_changes_nothing(database, faults, pages):
    """Or most of it: the next start may read all."""
    fill(database)
    assert 14 < database.stat().st_size / PAGE < 28
    before = files(database)
    bad(faults, database, 1, pages=pages)
    check = subprocess.run([BINARY, "check", database], capture_output=True, text=True, env={**os.environ, **faults.env}, timeout=60, check=False)
    assert check.returncode == 2 and "Input/output error" in check.stderr, check
    assert "cannot read" in start_fails(faults, database)
    assert files(database) == before
    faults.heal()
    with Gateway(database=database, env=faults.env) as g:
        assert values(g) == set(range(40))


def test_a_database_of_another_program_changes_nothing(database, faults):
    """Its first page is not read, so that it could be ours."""
    with contextlib.closing(sqlite3.connect(database)) as other, other:
        other.execute("CREATE TABLE log (number INTEGER PRIMARY KEY, body BLOB)")
        other.executemany("INSERT INTO log VALUES (?, ?)", [(i, bytes(1000)) for i in range(100)])
    before = files(database)
    bad(faults, database, 0)
    assert "cannot read" in start_fails(faults, database)
    assert files(database) == before


def test_what_is_not_read_is_not_nothing(database, faults):
    """Of a damaged one: the new one would be empty."""
    fill(database)
    content = bytearray(database.read_bytes())
    content[100:108] = bytes(8)  # the head of the tree of tables
    database.write_bytes(content)
    before = files(database)
    bad(faults, database, 1, pages=10 ** 6)
    assert "has been left as it is" in start_fails(faults, database)
    assert files(database) == before
    faults.heal()
    with Gateway(database=database, env=faults.env) as g:
        assert values(g) == set(range(40))
