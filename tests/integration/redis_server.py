"""A Redis of its own, for Celery's queues."""
import os
import shutil
import socket
import subprocess

from gateway import eventually


class Redis:
    def __init__(self, directory):
        # The server is the program of redis-tools under another name; Debian's package of it is a service.
        binary = shutil.which("redis-server")
        if not binary:
            checker = shutil.which("redis-check-rdb")
            assert checker, "no redis-tools: tests/run installs them"
            binary = directory / "redis-server"
            binary.symlink_to(checker)
        self.socket = directory / "redis.sock"
        self.url = f"redis+socket://{self.socket}"
        self.process = subprocess.Popen(
            [str(binary), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(directory)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(self._answers, "redis answers")
        except BaseException:
            self.end()
            raise

    def _answers(self):
        assert self.process.poll() is None, "redis has ended"
        if not os.path.exists(self.socket):
            return False
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(str(self.socket))
            except ConnectionRefusedError:
                return False
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")

    def length(self, queue, database=0):
        """How many tasks wait in a queue."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.socket))
            s.sendall(f"SELECT {database}\r\nLLEN {queue}\r\n".encode())
            lines = s.makefile("rb")
            assert lines.readline() == b"+OK\r\n"
            return int(lines.readline()[1:])

    def end(self):
        self.process.kill()
        self.process.wait()
