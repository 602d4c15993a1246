"""What the gateway gives up before it serves. That all else goes on is shown by all other tests, which run the same."""
import ctypes
import os
import re
from pathlib import Path

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually

SANITIZED = "libasan" in os.popen(f"readelf -d {BINARY}").read()
LANDLOCK_CREATE_RULESET = 444  # on every architecture


def kernel_has_landlock():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) > 0


def threads(g):
    return [dict(re.findall(r"^(\w+):\s*(.*)$", (task / "status").read_text(), re.M))
            for task in Path(f"/proc/{g.process.pid}/task").iterdir()]


def test_every_thread_has_given_it_up(database):
    with Gateway("--log.level=debug", database=database) as g:
        g.put("x", "a 1\n")
        for t in threads(g):
            assert t["NoNewPrivs"] == ("1" if kernel_has_landlock() or not SANITIZED else "0"), t["Name"]
            assert t["Seccomp"] == ("0" if SANITIZED else "2"), t["Name"]
        assert ("writing files is not restricted" in g.log) == (not kernel_has_landlock())
        assert "system calls are not restricted" not in g.log


def test_it_can_be_kept(database):
    with Gateway("--process.disable-sandbox", database=database) as g:
        assert {(t["NoNewPrivs"], t["Seccomp"]) for t in threads(g)} == {("0", "0")}


def test_what_changes_files_goes_on(tmp_path):
    """A database behind a link, its directory set anew by another process, a web file that is replaced, a wipe."""
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / "real.db")
    web = tmp_path / "web.yml"
    web.write_text("")
    with Gateway(f"--web.config.file={web}", "--web.enable-admin-api", database=tmp_path / "link.db") as g:
        for i in range(50):
            assert g.put(f"x/i/{i}", "".join(f'a{{n="{n}"}} 1\n' for n in range(500))).status == 200
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "new.yml").write_text("http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
        web.unlink()
        web.symlink_to(elsewhere / "new.yml")
        eventually(lambda: g.get("/-/healthy").headers["X-Frame-Options"] == "deny", "the new file is in force")
        copy = g.request("PUT", "/api/v1/admin/backup")
        assert copy.status == 200, copy
        assert len(copy.body) > 500000
        assert g.request("PUT", "/api/v1/admin/wipe").status == 202
        assert g.put("y", "a 1\n").status == 200
    with Gateway(database=tmp_path / "link.db") as g:
        assert scrape(g).pushed("a", "y") == 1


@pytest.mark.parametrize("flags", [[], ["--process.disable-sandbox"]], ids=["sandbox", "none"])
def test_a_directory_that_is_replaced(tmp_path, flags):
    """It may write only where it could when it started, and says what is to be done."""
    database = tmp_path / "data" / "t.db"
    database.parent.mkdir()
    with Gateway(*flags, database=database) as g:
        assert g.put("x", "a 1\n").status == 200
        database.parent.rename(tmp_path / "old")
        database.parent.mkdir()
        if kernel_has_landlock() and not flags:
            said = f"the directory of {database} has been replaced by another one: restart the gateway, or put the one back"
            assert said in g.wait_for_line("every push is refused until it can")
            eventually(lambda: said in g.get("/-/ready").text, "a probe is told")
            assert g.put("x", "a 2\n").status == 503 and scrape(g).pushed("a", "x") == 1
            database.parent.rmdir()
            (tmp_path / "old").rename(database.parent)
        g.wait_for_line("a new one has been written")
        assert eventually(lambda: g.put("x", "a 3\n").status == 200, "pushes are taken again")
        g.kill()
    with Gateway(*flags, database=database) as g:
        assert scrape(g).pushed("a", "x") == 3
