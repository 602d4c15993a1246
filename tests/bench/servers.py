"""The servers under measurement: how each is started, looked at and ended."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import time

PUSH, SCRAPE, START = "push", "scrape", "start"

TICK = os.sysconf("SC_CLK_TCK")
LISTENING = re.compile(rb'msg="?Listening on"?.*?address="?\S*?:(\d+)')


class Failed(Exception):
    """A server did not do what the measurement needs."""


def version_of(program, kind):
    """(1, 11, 2), or () when it is not that kind of program."""
    out = subprocess.run(
        [program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    ).stdout.decode(errors="replace")
    found = re.search(rf"^{kind}, version (\d+(?:\.\d+)*)", out)
    if not found or "tags:             tallygate" in out:
        return ()
    return tuple(int(n) for n in found.group(1).split("."))


def find_newest(kind, variable, names):
    """(program, version) of $variable, or the newest of these names on PATH; or (None, ())."""
    named = os.environ.get(variable)
    if named:
        return named, version_of(named, kind)
    found = []
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in names:
            program = shutil.which(name, path=folder)
            if program:
                found.append((version_of(program, kind), program))
    version, program = max(found, default=((), None))
    return (program, version) if version else (None, ())


def find_go():
    names = ("prometheus-pushgateway", "pushgateway")
    return find_newest("pushgateway", "PUSHGATEWAY", names)


def find_prometheus():
    return find_newest("prometheus", "PROMETHEUS", ("prometheus",))


class Server:
    """A process with an address; name is its column in the table."""

    def __init__(self, name, folder, command, stop=signal.SIGTERM, wrapper=()):
        """command(self) is the command line; stop: the signal that keeps what is stored."""
        self.name = name
        self.folder = folder
        self.command = command
        self.stop_signal = stop
        self.wrapper = list(wrapper)
        self.flags = []  # added behind the flags of the command
        self.preload = []  # libraries for LD_PRELOAD
        self.proc = None
        self.port = None
        self.dirty = False  # still has requests under way whose answers do not matter any more
        # Which of PUSH, SCRAPE, START took longer than the limit at the present number of series.
        self.too_slow = set()
        os.makedirs(folder, exist_ok=True)

    def start(self, limit):
        """Returns the seconds from the start of the process to /-/ready."""
        log = os.path.join(self.folder, "log")
        environment = dict(os.environ)
        if self.preload:
            environment["LD_PRELOAD"] = ":".join(self.preload)
        begin = time.monotonic()
        with open(log, "wb") as out:
            self.proc = subprocess.Popen(
                self.wrapper + self.command(self) + self.flags,
                stdout=out, stderr=out, cwd=self.folder, env=environment,
            )
        self.dirty = False
        self.port = int(self._poll(begin + limit, lambda: self._port_in(log)))
        self._poll(begin + limit, self._ready)
        taken = time.monotonic() - begin
        self._check_preloaded()
        return taken

    def _check_preloaded(self):
        """Checks that libraries were preloaded: the dynamic linker only warns of one that it cannot load."""
        with open(f"/proc/{self.proc.pid}/maps", encoding="utf-8") as f:
            mapped = f.read()
        for library in self.preload:
            # A name like libjemalloc.so.2 may be a link to a file of a longer name.
            if os.path.basename(library).partition(".so")[0] not in mapped:
                raise Failed(f"{self.name}: {library} is not loaded")

    def _poll(self, deadline, what):
        while True:
            found = what()
            if found:
                return found
            if self.proc.poll() is not None:
                raise Failed(f"{self.name} ended with {self.proc.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} was not ready in time")
            time.sleep(0.002)

    @staticmethod
    def _port_in(log):
        with open(log, "rb") as f:
            found = LISTENING.search(f.read())
        return found and found.group(1)

    def _ready(self):
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False

    def _last_words(self):
        with open(os.path.join(self.folder, "log"), "rb") as f:
            return f.read()[-500:].decode(errors="replace")

    def get(self, path):
        """(status, body)."""
        return self.ask("GET", path)

    def ask(self, method, path, timeout=60):
        """(status, body)."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            conn.request(method, path)
            reply = conn.getresponse()
            return reply.status, reply.read()
        finally:
            conn.close()

    def stop(self, limit=120):
        if not self.proc:
            return
        self.proc.send_signal(signal.SIGKILL if self.dirty else self.stop_signal)
        try:
            self.proc.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
        self.proc = None

    def kill(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            self.proc = None

    def restart(self, limit):
        self.stop()
        return self.start(limit)

    def cpu(self):
        """Seconds of CPU time so far, of all threads."""
        with open(f"/proc/{self.proc.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self):
        """Resident bytes."""
        with open(f"/proc/{self.proc.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024

    def own_metrics(self, names):
        """Values of the server's own metrics, 0 where there is none. Costs a scrape."""
        text = self.get("/metrics")[1]

        def value(name):
            at = text.find(b"\n%s " % name.encode())
            return float(text[at + len(name) + 2 : text.index(b"\n", at + 1)]) if at >= 0 else 0.0

        return [value(name) for name in names]
