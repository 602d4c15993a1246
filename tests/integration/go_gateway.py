"""The real Pushgateway: $PUSHGATEWAY, or the one on PATH."""
import os
import re
import shutil
import subprocess

from gateway import Gateway


def find_go():
    program = os.environ.get("PUSHGATEWAY") or shutil.which("pushgateway") or shutil.which("prometheus-pushgateway")
    assert program, "no Go Pushgateway: tests/run brings one, PUSHGATEWAY names another"
    return program


def go_version():
    """(1, 11, 2)"""
    out = subprocess.run([find_go(), "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return tuple(int(n) for n in re.match(r"pushgateway, version (\d+)\.(\d+)\.(\d+)", out.stdout).groups())


def go_knows(key):
    """Whether the program knows this key of the web configuration: the key is a string in it."""
    with open(find_go(), "rb") as f:
        return key.encode() in f.read()


class GoGateway(Gateway):
    def __init__(self, *flags, database, **more):
        super().__init__(*flags, database=database, binary=find_go(), **more)
