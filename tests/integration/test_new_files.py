"""Files that are made of a database: who can read them, and that none takes the place of another, on file systems without links, too."""
import os
import stat
import subprocess

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually
from test_damage import another_sector, no_first_page
from test_import_crash import GO_FILE
from test_upkeep import ADMIN, run


def mode(file):
    return stat.S_IMODE(file.stat().st_mode)


def damage(database, how=another_sector):
    content = bytearray(database.read_bytes())
    how(content)
    database.write_bytes(content)


@pytest.fixture
def filled(database):
    with Gateway(database=database) as g:
        assert g.put("x", "a 1\n").status == 200
    return database


# ---- who can read them ----

@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644])
def test_a_copy_is_no_more_readable(filled, tmp_path, bits):
    filled.chmod(bits)
    if os.geteuid() == 0:
        os.chown(filled, 12345, 23456)
    run("copy", "--from", filled, "--to", tmp_path / "copy.db")
    assert mode(tmp_path / "copy.db") == bits
    was, is_now = filled.stat(), (tmp_path / "copy.db").stat()
    assert (was.st_uid, was.st_gid) == (is_now.st_uid, is_now.st_gid)


def test_a_backup_is_its_makers(filled, tmp_path):
    with Gateway(ADMIN, database=filled) as g:
        run("backup", g.url, tmp_path / "copy.db")
    assert mode(tmp_path / "copy.db") == 0o600


def test_what_is_written_anew_has_the_newest_permissions(filled):
    """Those that the file was given while the gateway had it open."""
    filled.chmod(0o644)
    with Gateway(database=filled) as g:
        assert g.put("x", "a 2\n").status == 200
        filled.chmod(0o600)
        filled.unlink()
        g.wait_for_line("a new one has been written")
        assert mode(filled) == 0o600


# ---- without links ----

@pytest.fixture
def no_links(faults):
    faults.no_links()
    return faults.env


@pytest.mark.parametrize("how", [another_sector, no_first_page])
def test_a_damaged_database_is_set_aside_without_links(filled, no_links, how):
    damage(filled, how)
    with Gateway(database=filled, env=no_links) as g:
        g.wait_for_line("the database is damaged")
        assert scrape(g).pushed("a", "x") == 1
        assert g.put("y", "a 2\n").status == 200
        kept = sorted(f for f in filled.parent.iterdir() if ".damaged-" in f.name and not f.name.endswith(("-wal", "-synced")))
        assert len(kept) == 1 and kept[0].stat().st_size > 0
        filled.unlink()
        g.wait_for_line("a new one has been written")
        assert g.put("y", "a 3\n").status == 200
        g.kill()
    with Gateway(database=filled) as g:
        s = scrape(g)
        assert (s.pushed("a", "x"), s.pushed("a", "y")) == (1, 3) and "is damaged" not in g.log


def test_a_backup_without_links(filled, no_links, tmp_path):
    with Gateway(ADMIN, database=filled) as g:
        run("backup", g.url, tmp_path / "copy.db", env={**os.environ, **no_links})
        assert "is there already" in run("backup", g.url, tmp_path / "copy.db", status=1, env={**os.environ, **no_links}).stderr
    assert [f.name for f in tmp_path.iterdir() if "copy" in f.name] == ["copy.db"]
    with Gateway(database=tmp_path / "copy.db") as g:
        assert scrape(g).pushed("a", "x") == 1


def test_a_go_file_is_kept_without_links(database, no_links):
    before = GO_FILE.read_bytes()
    database.write_bytes(before)
    database.chmod(0o640)
    with Gateway(database=database, env=no_links) as g:
        g.wait_for_line("imported the file of a Go Pushgateway")
    kept = [f for f in database.parent.iterdir() if ".pushgateway-" in f.name]
    assert [(f.read_bytes(), mode(f)) for f in kept] == [(before, 0o640)]
    assert sorted(f.name for f in database.parent.iterdir() if f.is_file()) == [database.name, kept[0].name]


# ---- two gateways ----

def test_two_gateways_do_not_set_each_other_aside(filled):
    """The file is removed, and a second gateway begins a new one before the first has noticed: it keeps it."""
    with Gateway(database=filled) as first:
        assert first.put("first", "a 1\n").status == 200
        first.signal(19)
        filled.unlink()
        filled.with_name(filled.name + "-wal").unlink()
        with Gateway(database=filled) as second:
            assert second.put("second", "a 1\n").status == 200
            first.signal(18)
            first.wait_for_line("is in use by another process")
            reply = first.put("first", "a 2\n")
            assert reply.status == 503 and scrape(first).pushed("a", "first") == 1
            assert second.put("second", "a 2\n").status == 200
            assert not [f for f in filled.parent.iterdir() if ".damaged-" in f.name or ".rewritten" in f.name]
            second.kill()
        # Once nobody has it, what the other one has stored is kept, under another name.
        kept = first.wait_for_log(lambda lines: next((x for x in lines if "a new one has been written" in x), None), "it is written anew")
        assert "kept=" in kept
        eventually(lambda: first.put("first", "a 3\n").status == 200, "it takes pushes again")
    with Gateway(database=filled) as g:
        assert scrape(g).pushed("a", "first") == 3
    aside = [f for f in filled.parent.iterdir() if ".damaged-" in f.name and not f.name.endswith(("-wal", "-synced"))]
    assert len(aside) == 1
    with Gateway(database=aside[0]) as g:
        assert scrape(g).pushed("a", "second") == 2


def test_two_gateways_do_not_save_the_same_database(filled, faults):
    """The second one would remove what the first one is writing."""
    damage(filled)
    faults.hold()
    with Gateway(database=filled, env=faults.env, ready="/-/healthy", early=True) as first:
        faults.wait_until_held()
        second = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", f"--persistence.file={filled}"], capture_output=True, text=True,
                                timeout=60, check=False)
        assert second.returncode == 1 and "is in use by another process" in second.stderr
        faults.release()
        eventually(lambda: first.get("/-/ready").status == 200, "it is loaded")
        assert scrape(first).pushed("a", "x") == 1
    assert len([f for f in filled.parent.iterdir() if ".damaged-" in f.name]) == 1
