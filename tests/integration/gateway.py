"""The gateway as a process: started on a free port, watched through its log, ended by its own pid."""
import fcntl
import http.client
import os
import random
import re
import select
import signal
import socket
import subprocess
import termios
import threading
import time
from pathlib import Path

BINARY = os.environ.get("TALLYGATE_BIN", "")
# Long enough for a binary with sanitizers on a busy machine; only a failing test waits so long.
DEADLINE = 30.0

_PAIR = re.compile(r'([a-z_0-9]+)=("(?:[^"\\]|\\.)*"|\S*)')


def parse_logfmt(line):
    pairs = {}
    for key, value in _PAIR.findall(line):
        if value.startswith('"'):
            value = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), value[1:-1])
        pairs[key] = value
    return pairs


def eventually(probe, what, deadline=DEADLINE):
    """Calls probe() until it returns something true, and returns that. It pauses between the calls, which leaves the processors to others."""
    end, pause = time.monotonic() + deadline, 0.001
    while True:
        got = probe()
        if got:
            return got
        assert time.monotonic() < end, f"not within {deadline:g} s: {what}"
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def free_port():
    """For a program that is told its port, or comes back on it. The kernel never gives one of these ports to a program that asks for any."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        lowest = int(f.read().split()[0])
    for _ in range(100):
        port = random.randrange(lowest // 2, lowest)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            pass
    raise AssertionError("100 ports were all in use")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def log_thread_rests(pid):
    """Whether it waits for a line, or there is none, as before it is started and in a process that has ended."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            name, state = re.search(r"\((.*)\) (.)", (task / "stat").read_text(encoding="ascii", errors="replace")).groups()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == "log":
            return state not in "RD"
    return True


class Gateway:
    """One process. Use as a context manager: leaving it stops the process and checks how it ended."""

    def __init__(self, *flags, database="", listen="127.0.0.1:0", env=None, cwd=None, binary=None,
                 ready="/-/ready", pass_fds=(), early=False):
        """early: does not wait for the log line that names the address, which comes once the database is open."""
        assert BINARY, "TALLYGATE_BIN names the binary under test; tests/run sets it"
        if early:
            listen = f"127.0.0.1:{free_port()}"
        listens = [listen] if isinstance(listen, str) else listen
        self._opened = listens if early else None
        self.args = [binary or BINARY, *(f"--web.listen-address={a}" for a in listens),
                     *([] if database is None else [f"--persistence.file={database}"]), *flags]
        self.expected = len(listens)
        self.ready_path = ready
        self.env = {**os.environ, **(env or {})}
        self.lines = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(self.args, env=self.env, cwd=cwd, pass_fds=pass_fds, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        """With the lock from the read on, so that what is no longer in the pipe is in the lines for whoever has the lock."""
        rest = b""
        while rest is not None:
            select.select([self.process.stderr], [], [])
            with self.news:
                got = self.process.stderr.read(1 << 16)
                *lines, rest = (rest + got).split(b"\n")
                self.lines += [line.decode(errors="replace") for line in lines]
                if not got:
                    self.lines += ([rest.decode(errors="replace")] if rest else []) + [None]
                    rest = None
                self.news.notify_all()

    def _has_logged(self):
        """All that had been logged is in the lines: the gateway's thread that writes the log has nothing to do, and the pipe is empty."""
        if not log_thread_rests(self.process.pid):
            return False
        with self.news:
            return None in self.lines or fcntl.ioctl(self.process.stderr, termios.FIONREAD, bytes(4)) == bytes(4)

    @property
    def log(self):
        """All that the gateway had logged when it was asked for, as of what it has answered; not what has only been begun."""
        eventually(self._has_logged, "the log is written")
        return self.text_so_far()

    def text_so_far(self):
        return "\n".join(line for line in self.lines if line is not None)

    def wait_for_log(self, probe, what, deadline=DEADLINE):
        """Waits until probe(log lines so far) returns something true, and returns that."""
        end = time.monotonic() + deadline
        with self.news:
            while True:
                got = probe([line for line in self.lines if line is not None])
                if got:
                    return got
                ended = None in self.lines
                if ended or not self.news.wait(end - time.monotonic()):
                    why = "the process ended" if ended else f"not within {deadline:g} s"
                    raise AssertionError(f"{why}: {what}\n{self.text_so_far()}")

    def wait_for_line(self, text, deadline=DEADLINE):
        return self.wait_for_log(lambda lines: next((x for x in lines if text in x), None), text, deadline)

    def _addresses(self, lines):
        found = [line for line in lines if 'Listening on"' in line]
        if len(found) < self.expected:
            return None
        return [re.search(r'"?address"?[=:]"?([^" ,}]+)', line)[1] for line in found]

    def start(self):
        self.addresses = self._opened or self.wait_for_log(self._addresses, "Listening on")
        host, _, port = self.addresses[0].rpartition(":")
        self.host, self.port = host.strip("[]"), int(port)
        if self.host in ("::", "0.0.0.0"):
            self.host = "127.0.0.1"
        self.url = f"http://[{self.host}]:{port}" if ":" in self.host else f"http://{self.host}:{port}"
        eventually(self._ready, "/-/ready is 200")
        return self

    def _ready(self):
        """Asks for readiness, as the gateway listens before it has loaded the database."""
        try:
            return self.get(self.ready_path).status == 200
        except OSError:
            if self._opened and self.process.poll() is None:
                return False
            self.process.wait(DEADLINE)
            self.reader.join(DEADLINE)
            raise AssertionError(f"exit status {self.process.returncode}\n{self.log}") from None

    def connect(self, timeout=DEADLINE):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, connection=None):
        c = connection or self.connect()
        try:
            # http.client would send text as Latin-1.
            c.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=headers or {})
            r = c.getresponse()
            return Reply(r.status, r.headers, r.read())
        finally:
            if not connection:
                c.close()

    def get(self, path):
        return self.request("GET", path)

    def put(self, path, body, **headers):
        return self.request("PUT", "/metrics/job/" + path, body, headers)

    def post(self, path, body, **headers):
        return self.request("POST", "/metrics/job/" + path, body, headers)

    def delete(self, path):
        return self.request("DELETE", "/metrics/job/" + path)

    def wait(self, deadline=DEADLINE):
        """Waits for the end and returns the exit status; what a sanitizer found fails the test."""
        status = self.process.wait(deadline)
        self.reader.join(deadline)
        self.process.stderr.close()
        for mark in ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:"):
            assert mark not in self.log, self.log
        return status

    def signal(self, number):
        self.process.send_signal(number)

    def terminate(self):
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status == 0, f"exit status {status}\n{self.log}"

    def kill(self):
        """Ends the process as abruptly as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if self.process.poll() is None and kind is None:
                self.terminate()
                return
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        if kind is not None:
            print("\n".join(self.text_so_far().splitlines()[-30:]))
        elif self.process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"exit status {self.process.returncode}\n{self.log}")
