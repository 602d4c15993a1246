"""One request of a sequence, and what its path and body mean as far as a check needs to know."""
import base64
import dataclasses
import re
import zlib
from urllib.parse import unquote_to_bytes

import messages as pb

from . import protobuf


@dataclasses.dataclass(frozen=True)
class Step:
    method: str
    path: bytes
    body: bytes = b""
    headers: tuple = ()
    chunked: bool = False
    # A request that is sent as it is, since it is not proper HTTP; the other fields then do not count.
    raw: bytes = b""

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    @property
    def is_protobuf(self):
        return self.header("Content-Type") == pb.CONTENT_TYPE

    @property
    def content(self):
        """The body without its coding; one that cannot be decoded is returned as it is."""
        if (self.header("Content-Encoding") or "").lower() != "gzip":
            return self.body
        try:
            return zlib.decompress(self.body, wbits=31)
        except zlib.error:
            return self.body

    def change(self, **fields):
        return dataclasses.replace(self, **fields)

    def encode(self):
        """The request as bytes."""
        if self.raw:
            return self.raw
        lines = [self.method.encode() + b" " + self.path + b" HTTP/1.1", b"Host: test"]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in self.headers]
        body = self.body
        if self.chunked:
            lines.append(b"Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _halves(body)) + b"0\r\n\r\n"
        elif body or self.method in ("PUT", "POST"):
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def __str__(self):
        if self.raw:
            return f"printf %s {_shell(self.raw)} | nc $HOST $PORT"
        words = ["curl --path-as-is -X", self.method]
        words += [f"-H {_shell(f'{n}: {v}'.encode('latin-1'))}" for n, v in self.headers]
        if self.chunked:
            words.append("-H 'Transfer-Encoding: chunked'")
        if self.body and b"\0" in self.body:
            escaped = "".join(f"\\x{c:02x}" for c in self.body)
            return f"printf '{escaped}' | {' '.join(words)} --data-binary @- $GW{_shell(self.path)}"
        if self.body:
            words.append(f"--data-binary {_shell(self.body)}")
        return f"{' '.join(words)} $GW{_shell(self.path)}"


def _halves(body):
    cut = len(body) // 2
    return [part for part in (body[:cut], body[cut:]) if part]


def _shell(data):
    """Quotes a word for a shell, as $'...' where that is needed."""
    if re.fullmatch(rb"[A-Za-z0-9_/.@%=+:,~-]+", data):
        return data.decode()
    if re.fullmatch(rb"[ -&(-~]+", data):
        return f"'{data.decode()}'"
    short = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x27: "\\'", 0x5C: "\\\\"}
    return "$'" + "".join(short.get(c) or (chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in data) + "'"


def grouping_key(path):
    """The labels that a path stands for, as bytes; None when it is not a good push path."""
    decoded = unquote_to_bytes(path.partition(b"?")[0])
    found = re.fullmatch(rb"/metrics/job(@base64)?/([^/]*)(/.*)?", decoded, re.DOTALL)
    if not found:
        return None
    parts = (found[3] or b"/")[1:].split(b"/") if found[3] and found[3] != b"/" else []
    if len(parts) % 2:
        return None
    key = {}
    pairs = [*zip(parts[::2], parts[1::2]), (b"job" + (found[1] or b""), found[2])]
    for name, value in pairs:
        if name.endswith(b"@base64"):
            name, value = name[:-7], _from_base64(value)
        if value is None or not name or name.startswith(b"__"):
            return None
        key[name] = value
    return key


def _from_base64(value):
    value = re.sub(rb"[\r\n]", b"", value).rstrip(b"=")
    if re.search(rb"[^A-Za-z0-9_-]", value) or len(value) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4))


_COMPOUND = (b"summary", b"histogram", b"gaugehistogram", b"gauge_histogram")
_NAME = rb'("(?:[^"\\\n]|\\.)*"|[^ \t\n",{}]+)'
_TYPE_LINE = re.compile(rb"^[ \t]*#[ \t]*TYPE[ \t]+" + _NAME + rb"[ \t]+([^\n]*)$", re.M)
_BRACED_NAME = re.compile(rb"[{,][ \t]*" + _NAME + rb"[ \t]*(?:[,}]|$)")
_SAMPLE_NAME = re.compile(rb"^[ \t]*\{?[ \t]*\"?([a-zA-Z_:][a-zA-Z0-9_:]*)", re.M)


def unquote(name):
    if not name.startswith(b'"'):
        return name
    return re.sub(rb"\\(.)", lambda m: b"\n" if m[1] == b"n" else m[1], name[1:-1])


def _owner(line, compound):
    """The family in compound, of summaries and histograms, that a line of text belongs to; None: none of them."""
    found = _BRACED_NAME.search(line)
    name = unquote(found[1]) if found else b""
    return next((c for c in compound if name in (c, c + b"_sum", c + b"_count", c + b"_bucket")), None)


def leaking(step):
    """The summaries and histograms of a text body that have a line with the name in braces."""
    if step.is_protobuf:
        return set()
    compound = {name for name, kind in declared(step) if kind in _COMPOUND}
    braced = [line for line in step.content.split(b"\n") if line.lstrip(b" \t").startswith(b"{")]
    return compound if any(_owner(line, compound) for line in braced) else set()


def declared(step):
    """The names in a body with their types, as far as they can be read: [(name, type)]."""
    if step.is_protobuf:
        return [(f.name, protobuf.TYPE_NAMES.get(f.kind, b"?")) for f in protobuf.families(step.content)]
    types = [(unquote(name), kind.lower().replace(b"\\", b"")) for name, kind in _TYPE_LINE.findall(step.content)]
    known = {name for name, _ in types}
    return types + [(name, b"untyped") for name in _SAMPLE_NAME.findall(step.content) if name not in known]
