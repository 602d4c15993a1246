"""A database that is not what was written: said in the log, set aside, and never served as if nothing had happened."""
import random

import pytest

from exposition import scrape
from gateway import Gateway, parse_logfmt


def killed(database, pushes=12):
    """What a gateway leaves that was killed after some pushes and a delete."""
    with Gateway(database=database) as g:
        for i in range(pushes):
            assert g.put(f"j{i}", f"a {i}\n").status == 200
        assert g.delete("j0").status == 202
        g.kill()


def flip(file, at, bit):
    data = bytearray(file.read_bytes())
    data[at] ^= 1 << bit
    file.write_bytes(data)


def reopened(database):
    """What the next start says of the damage; and it goes on."""
    with Gateway(database=database) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert scrape(g).get("pushgateway_database_set_aside") == 1
        assert g.put("new", "a 1\n").status == 200
        g.kill()
    with Gateway(database=database) as g:
        assert "is damaged" not in g.log
        assert scrape(g).pushed("a", "new") == 1
    return line


WAL_DAMAGE = {
    "removed": (lambda wal: wal.unlink(), "is missing, and the database was not closed"),
    "emptied": (lambda wal: wal.write_bytes(b""), "is missing, and the database was not closed"),
    "header": (lambda wal: flip(wal, 13, 2), "has a damaged header"),
    "cut": (lambda wal: wal.write_bytes(wal.read_bytes()[:-2000]), "before the end of what was committed"),
    "half": (lambda wal: wal.write_bytes(wal.read_bytes()[:wal.stat().st_size // 2]), "before the end of what was committed"),
}


@pytest.mark.parametrize("name", WAL_DAMAGE)
def test_a_damaged_wal_is_said(database, name):
    wal = database.with_name(database.name + "-wal")
    killed(database)
    damage, message = WAL_DAMAGE[name]
    damage(wal)
    assert message in reopened(database)["err"]


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_in_the_wal_is_said(database, seed):
    rng = random.Random(seed)
    wal = database.with_name(database.name + "-wal")
    killed(database)
    flip(wal, rng.randrange(wal.stat().st_size), rng.randrange(8))
    assert "-wal " in reopened(database)["err"]


def test_a_copy_without_the_wal_is_said(database, tmp_path):
    copy = tmp_path / "copy.db"
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        copy.write_bytes(database.read_bytes())
        g.put("x", "a 2\n")
    assert "copy.db-wal is missing" in reopened(copy)["err"]
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 2 and "is damaged" not in g.log


def test_killed_again_and_again_is_no_damage(database):
    for i in range(5):
        with Gateway(database=database) as g:
            assert "is damaged" not in g.log and "not whole" not in g.log
            assert scrape(g).pushed("a", "x") == (i - 1 if i else None)
            g.put("x", f"a {i}\n")
            g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 4
    assert [f.name for f in database.parent.iterdir()] == [database.name], "a clean stop leaves one file"
