"""Plays systemd for a service of Type=notify, and for one that is activated through sockets."""
import contextlib
import ctypes
import itertools
import os
import socket
import stat
import sys

from gateway import BINARY, DEADLINE, Gateway, eventually

# Moves the sockets to the descriptors from 3 on, sets LISTEN_PID to its own pid, and then becomes the gateway.
LAUNCHER = """#!{python}
import os, sys
fds = [os.dup(int(n)) for n in os.environ["PASS_FDS"].split()]
for at, fd in enumerate(fds):
    os.dup2(fd, 100 + at)
for at in range(len(fds)):
    os.dup2(100 + at, 3 + at)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.execv({binary!r}, [{binary!r}, *sys.argv[1:]])
"""

numbers = itertools.count()


class Activated(Gateway):
    """A gateway that gets its sockets passed; addresses are those that its log names."""

    def __init__(self, directory, sockets, *flags, env=None, **more):
        launcher = directory / "launcher"
        launcher.write_text(LAUNCHER.format(python=sys.executable, binary=BINARY))
        launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
        fds = [s.fileno() for s in sockets]
        super().__init__("--web.systemd-socket", *flags, binary=str(launcher), pass_fds=fds,
                         env={**(env or {}), "PASS_FDS": " ".join(map(str, fds))}, **more)
        self.expected = len(sockets)


class Manager:
    """The socket that services tell their state to."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"tallygate-test-{os.getpid()}-{next(numbers)}"
        self.socket.bind("\0" + name)
        self.socket.settimeout(DEADLINE)
        self.env = {"NOTIFY_SOCKET": "@" + name}

    def next(self):
        """The next message as a dictionary."""
        lines = self.socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait_for(self, key):
        return next(m for m in iter(self.next, None) if key in m)

    def drain(self):
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        self.socket.settimeout(DEADLINE)

    def close(self):
        self.socket.close()


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


@contextlib.contextmanager
def stopped_thread(gateway, name):
    """Within this context one thread of that name is stopped, and all others run."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def call(request):
        assert ptrace(request, thread, None, None) == 0, os.strerror(ctypes.get_errno())

    thread = next(iter(threads(gateway, name)))
    call(PTRACE_SEIZE)
    call(PTRACE_INTERRUPT)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        call(PTRACE_DETACH)


def threads(gateway, name):
    tasks = f"/proc/{gateway.process.pid}/task"

    def named():
        found = []
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/comm") as f:
                if f.read() == name + "\n":
                    found.append(int(thread))
        return found

    return eventually(named, f"there is a thread called {name}")
