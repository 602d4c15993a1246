"""A disk that stalls or fails on demand: storage_faults.c, compiled once and preloaded."""
import errno
import fcntl
import subprocess
from pathlib import Path

import pytest

from gateway import eventually

SOURCE = Path(__file__).with_name("storage_faults.c")


class Faults:
    def __init__(self, library, directory):
        self.directory = directory
        directory.mkdir()
        # ASan wants to be the first library only for calls that it intercepts itself; it does not intercept syncs.
        self.env = {"LD_PRELOAD": str(library), "TALLYGATE_FAULTS": str(directory),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.lock = None

    def hold(self):
        """Makes syncs wait from now on; returns once none can get past."""
        self.lock = open(self.directory / "hold", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def wait_until_held(self):
        eventually((self.directory / "held").exists, "the committer waits for the disk")

    def release(self):
        self.lock.close()
        (self.directory / "hold").unlink()
        (self.directory / "held").unlink(missing_ok=True)

    def fail(self, what, number):
        # Renamed into place: the gateway never reads half a number.
        new = self.directory / "new"
        new.write_text(str(number))
        new.rename(self.directory / what)

    def fill(self, directory, left=0):
        """From now on the disk has room only for what the files of the directory take, and for `left` bytes more."""
        self.fail("space", sum(f.stat().st_blocks * 512 for f in directory.iterdir() if f.is_file()) + left)

    def no_links(self):
        """As exFAT, and mounts of SMB and FUSE."""
        self.fail("link", errno.EPERM)
        self.fail("noreplace", errno.EINVAL)
        self.fail("dirsync", errno.EINVAL)

    def heal(self):
        for what in ("sync", "write", "space", "bad"):
            (self.directory / what).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def faults_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("faults") / "storage_faults.so"
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    SOURCE, "-ldl"], check=True)
    return library


@pytest.fixture
def faults(faults_library, tmp_path):
    return Faults(faults_library, tmp_path / "faults")
