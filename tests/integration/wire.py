"""HTTP by hand: bytes as they are sent, replies as they arrive."""
import socket

from gateway import DEADLINE, Reply


class Wire:
    """One connection."""

    def __init__(self, gateway, timeout=DEADLINE, source=None):
        """source: the address that the connection comes from; all of 127.0.0.0/8 are this machine's."""
        family = socket.AF_INET6 if ":" in gateway.host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        # With this, bytes that are sent one by one leave one by one, without waiting for acknowledgements.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((gateway.host, gateway.port))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return data

    def until(self, mark):
        while mark not in self.buffer:
            assert self._more(), f"closed after {self.buffer[:500]!r}"
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def take(self, n):
        while len(self.buffer) < n:
            assert self._more(), f"closed after {self.buffer[:500]!r}"
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def _chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n"), 16)
            data = self.take(size + 2)
            body += data[:-2]
            if size == 0:
                return body

    def reply(self, method="GET"):
        """The next reply, interim ones included."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        assert lines[0].startswith("HTTP/1."), lines[0]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            assert name.lower() not in headers, f"two headers {name}"
            headers[name.lower()] = value.strip()
        if method == "HEAD" or status < 200:
            body = b""
        elif "content-length" in headers:
            body = self.take(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        else:
            while self._more():
                pass
            body, self.buffer = self.buffer, b""
        return Reply(status, headers, body)

    def at_end(self):
        """Whether the server closes without sending anything more."""
        while self._more():
            pass
        return self.buffer == b""


def head(method, path, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def push(path, body, method="PUT", **headers):
    return head(method, "/metrics/job/" + path, Content_Length=len(body), **headers) + body


def exchange(gateway, data, method="GET"):
    """One connection, one request, one reply."""
    with Wire(gateway) as w:
        return w.send(data).reply(method)
