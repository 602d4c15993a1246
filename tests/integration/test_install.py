"""deploy/packages: what is installed, what is said about it, and that one package that cannot be had stops no other."""
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.released
ROOT = Path(__file__).resolve().parents[2]

# In place of Debian's: whatever is in `installed` is there, and what is called bad cannot be had.
DPKG_QUERY = """#!/bin/sh
for package; do :; done
grep -qx "$package" "$STATE/installed" && printf installed
"""
APT_GET = """#!/bin/sh
echo "$*" >>"$STATE/calls"
case "$*" in *bad*) exit 100 ;; esac
case "$*" in
*--print-uris*) echo "'http://deb/a.deb' a.deb 1500000 MD5Sum:x"; echo "'http://deb/b.deb' b.deb 700000 MD5Sum:y" ;;
*" install "*) for word; do case $word in good*) echo "$word" >>"$STATE/installed" ;; esac; done ;;
esac
"""


def shell(tmp_path, script):
    for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", '#!/bin/sh\nexec "$@"\n')):
        program = tmp_path / name
        program.write_text(text)
        program.chmod(0o755)
    (tmp_path / "installed").touch()
    done = subprocess.run(["sh", "-c", f". {ROOT}/deploy/packages; {script}"], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "STATE": str(tmp_path)})
    return done, (tmp_path / "installed").read_text().split()


def test_all_that_is_missing_at_once_and_how_large_it_is(tmp_path):
    (tmp_path / "installed").write_text("good0\n")
    done, installed = shell(tmp_path, "install_missing good0 good1 good2")
    assert done.returncode == 0 and installed == ["good0", "good1", "good2"]
    assert "Installing, 3 MB to download: good1 good2\n" in done.stderr


def test_nothing_is_asked_when_all_is_there(tmp_path):
    (tmp_path / "installed").write_text("good0\n")
    done, _ = shell(tmp_path, "install_missing good0")
    assert done.returncode == 0 and done.stderr == "" and not (tmp_path / "calls").exists()


def test_one_that_cannot_be_had_stops_no_other(tmp_path):
    done, installed = shell(tmp_path, "install_each good1 bad good2")
    assert done.returncode == 0 and installed == ["good1", "good2"]
    assert "Not to be had: bad. The tests that need it will fail.\n" in done.stderr
    assert "Not to be had: good" not in done.stderr


def test_what_all_need_is_no_client():
    """A client that cannot be installed is missed by its own tests: it is in no list that has to be complete."""
    done = subprocess.run(["sh", "-c", f". {ROOT}/deploy/packages; echo $BUILD_PACKAGES $TEST_PACKAGES; echo $CLIENT_PACKAGES"],
                          check=True, capture_output=True, text=True)
    needed, clients = (set(line.split()) for line in done.stdout.splitlines())
    assert clients and not needed & clients
    assert not needed & {"nodejs", "npm", "golang-go", "curl"}
