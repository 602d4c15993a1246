"""Clocks that a test sets: shifted_clock.c, compiled once and preloaded."""
import mmap
import struct
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("shifted_clock.c")


class Clock:
    """The time for a gateway that is started with `env`."""

    def __init__(self, library, path):
        path.write_bytes(bytes(16))
        self.file = open(path, "r+b")
        self.shared = mmap.mmap(self.file.fileno(), 16)
        self.wall = self.mono = 0
        self.env = {"LD_PRELOAD": str(library), "TALLYGATE_CLOCK": str(path),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def shift(self, wall=0.0, mono=0.0):
        """Sets the clocks on by so many seconds."""
        self.wall += int(wall * 1e9)
        self.mono += int(mono * 1e9)
        self.shared[:] = struct.pack("<qq", self.wall, self.mono)

    def pass_by(self, seconds):
        self.shift(seconds, seconds)


@pytest.fixture(scope="session")
def clock_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("clock") / "shifted_clock.so"
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    "-o", library, SOURCE, "-ldl"], check=True)
    return library


@pytest.fixture
def clock(clock_library, tmp_path):
    return Clock(clock_library, tmp_path / "clock")
