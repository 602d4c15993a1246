"""The two gateways as processes, and what the Go one understands."""
import collections
import os
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

from .client import Client
from .step import Step

DEADLINE = 30.0
BARRIER = b"/metrics/job/differential-barrier"
_LISTENING = re.compile(r'msg="?Listening on"?.*?address="?\S*?:(\d+)')


class Failed(Exception):
    """A gateway did not do what the suite needs to go on."""


def find_go():
    named = os.environ.get("PUSHGATEWAY")
    if named:
        return named
    program = shutil.which("pushgateway") or shutil.which("prometheus-pushgateway")
    if not program:
        raise Failed("no Go Pushgateway: set PUSHGATEWAY, or put pushgateway or prometheus-pushgateway on PATH")
    return program


def find_ours():
    program = os.environ.get("TALLYGATE_BIN", "")
    if not os.access(program, os.X_OK):
        raise Failed(f"TALLYGATE_BIN does not name a program: {program!r}")
    return program


def version_of(program):
    done = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode(errors="replace").partition("\n")[0]


def assets_of(program):
    """If the package is unpacked and not installed, the templates of the page are beside the program."""
    share = pathlib.Path(program).resolve().parent.parent / "share/prometheus/pushgateway"
    installed = pathlib.Path("/usr/share/prometheus/pushgateway")
    return [f"--web.local-assets={share}"] if share.is_dir() and share != installed else []


class Gateway:
    """One process, on a port that it picks. store: the flags that say where it stores pushes; without them in memory only."""

    def __init__(self, name, program, flags=(), store=("--persistence.file=",)):
        self.name, self.program, self.flags, self.store = name, program, list(flags), list(store)
        self.process = None

    def start(self):
        # URLs are cleaned as in the builds that the project publishes; older Go versions ignore this.
        env = {**os.environ, "GODEBUG": "httpmuxgo121=0"}
        self.log = collections.deque(maxlen=60)
        self.port = self.client = None
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            [self.program, "--web.listen-address=127.0.0.1:0", *self.store,
             *assets_of(self.program), *self.flags],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._drain, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        with self.news:
            if not self.news.wait_for(lambda: self.port is not None, DEADLINE) or not self.port:
                raise Failed(f"{self.name} does not listen:\n{self.last_words()}")
        self.client = Client(self.port)
        # The gateway may listen before it is ready.
        end = time.monotonic() + DEADLINE
        while self.send(Step("GET", b"/-/ready")).status != 200 or self.barrier() != 200:
            if time.monotonic() > end:
                raise Failed(f"{self.name} is not ready:\n{self.last_words()}")

    def _drain(self, stream):
        for line in stream:
            line = line.decode(errors="replace").rstrip("\n")
            self.log.append(line)
            found = _LISTENING.search(line) if self.port is None else None
            if found:
                self._tell(int(found[1]))
        if self.port is None:
            self._tell(0)

    def _tell(self, port):
        with self.news:
            self.port = port
            self.news.notify_all()

    def last_words(self):
        return "\n".join(self.log)

    def stop(self):
        if not self.process:
            return
        if self.client:
            self.client.close()
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stderr.close()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def ended(self):
        return self.process.poll() is not None

    def send(self, step):
        reply = self.client.exchange(step)
        if reply.status == 0 and self.ended():
            raise Failed(f"{self.name} ended with status {self.process.returncode} on\n{step}\n{self.last_words()}")
        return reply

    def barrier(self):
        """When this returns all earlier requests are applied: the Go gateway answers a DELETE before that.
        The status is 200 unless the store is inconsistent."""
        return self.send(Step("POST", BARRIER)).status

    def scrape(self):
        return self.send(Step("GET", b"/metrics"))


class Replicas:
    """Several of our gateways over one PostgreSQL, compared as if they were one: each request goes to any of them."""

    def __init__(self, name, program, url, n, seed, flags=()):
        self.name, self.program, self.url = name, program, url
        self.random, self.starts = random.Random(seed), 0
        self.gateways = [Gateway(f"{name} {i}", program, flags) for i in range(n)]

    def start(self):
        """Starts them with nothing stored."""
        self.starts += 1
        for gateway in self.gateways:
            gateway.store = [f"--persistence.url={self.url}", f"--persistence.schema=differential_{os.getpid()}_{self.starts}"]
            gateway.start()

    def stop(self):
        for gateway in self.gateways:
            gateway.stop()

    def restart(self):
        self.stop()
        self.start()

    def ended(self):
        return any(gateway.ended() for gateway in self.gateways)

    def _any(self):
        return self.random.choice(self.gateways)

    def send(self, step):
        return self._any().send(step)

    def barrier(self):
        return self._any().barrier()

    def scrape(self):
        return self._any().scrape()
