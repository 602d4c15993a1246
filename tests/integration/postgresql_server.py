"""A PostgreSQL of the tests' own: in a temporary directory, on a socket in there, never the system's."""
import contextlib
import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time

from gateway import DEADLINE, eventually


def _programs():
    """The newest server's programs; Debian keeps them outside of PATH."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    assert found, "no PostgreSQL server: tests/run installs one"
    return os.path.dirname(found[-1])


def _as_user():
    """PostgreSQL does not run as root: the arguments in front of a program that run it as another user."""
    if os.getuid() != 0:
        return [], os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return (["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"], nobody.pw_uid,
            nobody.pw_gid)


class Server:
    """One cluster. Settings are those of postgresql.conf. base: the server is a standby of this one."""

    def __init__(self, base=None, durable=False, **settings):
        self.bin = _programs()
        self.prefix, uid, gid = _as_user()
        # The path of a socket has at most 107 bytes, and pytest's directories have long names.
        self.directory = tempfile.mkdtemp(prefix="pg-", dir="/tmp")
        os.chown(self.directory, uid, gid)
        self.data = os.path.join(self.directory, "data")
        self.settings = {
            "listen_addresses": "", "unix_socket_directories": self.directory, "port": 5432, "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off", "shared_buffers": "32MB", "max_connections": 60,
            "autovacuum_naptime": "5s", **settings}
        if base is None:
            self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C")
        else:
            self._run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "--no-sync", "-U", "postgres", *base._where())
        self.process = None

    def command(self, program, *arguments):
        """The command line of a PostgreSQL program that connects to this server."""
        return [*self.prefix, os.path.join(self.bin, program), *self._where(), *arguments]

    def _run(self, program, *arguments, check=True, **more):
        return subprocess.run([*self.prefix, os.path.join(self.bin, program), *arguments], check=check, text=True,
                              cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **more)

    @property
    def url(self):
        return self.url_of("postgres")

    def url_of(self, user, database="postgres", **more):
        query = "&".join(f"{k}={v}" for k, v in {"host": self.directory, "port": self.settings["port"], **more}.items())
        return f"postgresql://{user}@/{database}?{query}"

    def start(self):
        options = [x for k, v in self.settings.items() for x in ("-c", f"{k}={v}")]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            # Without pg_ctl the server is our child, and can be ended by its pid.
            self.process = subprocess.Popen([*self.prefix, os.path.join(self.bin, "postgres"), "-D", self.data, *options],
                                            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        eventually(self._answers, "PostgreSQL answers")
        return self

    def _answers(self):
        assert self.process.poll() is None, self.log()
        return self._run("psql", "-U", "postgres", *self._where(), "-Atc", "SELECT 1", check=False).returncode == 0

    def _where(self):
        return "-h", self.directory, "-p", str(self.settings["port"])

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def sql(self, text, user="postgres", database="postgres"):
        """The answer's lines, columns parted by |."""
        got = self._run("psql", "-X", "-U", user, *self._where(), "-d", database, "-v", "ON_ERROR_STOP=1", "-Atc", text,
                        check=False)
        assert got.returncode == 0, got.stderr
        return got.stdout.splitlines()

    @contextlib.contextmanager
    def session(self, application):
        """A psql that runs what is written to its input."""
        psql = subprocess.Popen([*self.prefix, os.path.join(self.bin, "psql"), "-X", "-U", "postgres", "-h", self.directory, "-At"],
                                cwd=self.directory, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
                                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGAPPNAME": application})
        try:
            yield psql
        finally:
            psql.kill()
            psql.wait()
            psql.stdin.close()

    @contextlib.contextmanager
    def silent(self):
        """The server keeps its connections, accepts new ones, and answers nothing: all of its processes are stopped, and it cannot start others."""
        os.kill(self.process.pid, signal.SIGSTOP)
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            processes = [*map(int, f.read().split()), self.process.pid]
        try:
            for pid in processes:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast; SIGQUIT: immediate, as a crash."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(DEADLINE)
        self.process = None

    def end(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


_number = [0]


def schema():
    """A name that no other test has."""
    _number[0] += 1
    return f"gw_{os.getpid()}_{_number[0]}_{re.sub('[^0-9]', '', str(time.monotonic()))}"
