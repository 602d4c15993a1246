"""HTTP over one kept connection: bytes as they are sent, replies as they arrive."""
import dataclasses
import socket

TIMEOUT = 20.0


@dataclasses.dataclass
class Reply:
    status: int  # 0: the connection was closed without an answer
    headers: dict
    body: bytes

    def __str__(self):
        kept = {n: v for n, v in self.headers.items() if n in ("allow", "location", "content-type")}
        return f"{self.status or 'closed'} {kept if kept else ''} {self.body[:600]!r}"


class Closed(Exception):
    """The other side closed before its reply was complete."""


class Client:
    def __init__(self, port):
        self.port = port
        self.socket = None
        self.buffer = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.buffer = b""

    def _connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def _chunks(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").partition(b";")[0], 16)
            body += self._take(size + 2)[:-2]
            if size == 0:
                return body

    def _to_the_end(self):
        try:
            while True:
                self._more()
        except Closed:
            data, self.buffer = self.buffer, b""
            return data

    def _read(self, method):
        while True:
            lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ", 2)[1])
            if status >= 200:
                break
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        elif "content-length" in headers:
            body = self._take(int(headers["content-length"]))
        else:
            body = self._to_the_end()
            headers.setdefault("connection", "close")
        return Reply(status, headers, body)

    def exchange(self, step):
        """Sends a step and returns the reply, on the connection of the last one if that is still good."""
        if step.raw:
            self.close()
        if not self.socket:
            self._connect()
        try:
            try:
                self.socket.sendall(step.encode())
            except (BrokenPipeError, ConnectionResetError):
                pass  # its reply may still be there
            reply = self._read(step.method)
        except (Closed, ConnectionResetError):
            self.close()
            return Reply(0, {}, b"")
        except TimeoutError:
            self.close()
            return Reply(0, {}, b"no answer in time")
        if step.raw or reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply
