"""The strict readers of tests/lib/strict, for scrapes of the real binary."""
import ctypes
import functools
import gzip
import os
import subprocess
import tempfile
from pathlib import Path

from wire import Wire, head

SOURCES = Path(__file__).parents[1] / "lib" / "strict"
TEXT, OPENMETRICS, PROTO, PROTO_TEXT = range(4)
_PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
# Accept header: the reader of the answer.
FORMATS = {"text/plain;version=0.0.4": TEXT, "application/openmetrics-text;version=1.0.0": OPENMETRICS,
           _PROTO + "delimited": PROTO, _PROTO + "text": PROTO_TEXT, _PROTO + "compact-text": PROTO_TEXT}
ESCAPINGS = ("underscores", "allow-utf-8", "dots", "values")
CODINGS = ("identity", "gzip", "zstd")


@functools.cache
def _library():
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/strict.so"
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-shared", "-fPIC", "-o", path,
                        *map(str, sorted(SOURCES.glob("*.c")))], check=True)
        library = ctypes.CDLL(path)
    library.strict_check.argtypes = [ctypes.c_int, ctypes.c_bool, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    return library


def fault(kind, utf8_names, body):
    """What is wrong with a body, None: nothing."""
    why = ctypes.create_string_buffer(400)
    r = _library().strict_check(kind, utf8_names, body, len(body), why, len(why))
    return why.value.decode(errors="replace") if r < 0 else None


def decoded(body, coding):
    """coding: as in Content-Encoding; None where that is not there."""
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "zstd":
        return subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
    assert coding is None, coding
    return body


def scrapes(gateway, codings=CODINGS, formats=FORMATS, path="/metrics"):
    """Reads a scrape in every format and coding; the first one that cannot be read fails the test. Returns {what was asked for: (type, body)}."""
    asked = [(accept, escaping, coding) for accept in formats for escaping in ESCAPINGS for coding in codings]
    with Wire(gateway) as w:
        for accept, escaping, coding in asked:
            w.send(head("GET", path, Accept=f"{accept};escaping={escaping}", Accept_Encoding=coding))
        replies = [w.reply() for _ in asked]
    read = {}
    for (accept, escaping, coding), reply in zip(asked, replies):
        assert reply.status == 200, reply
        assert reply.headers.get("content-encoding", "identity") == coding
        body = decoded(reply.body, reply.headers.get("content-encoding"))
        why = fault(FORMATS[accept], escaping == "allow-utf-8", body)
        assert why is None, f"{accept} in {escaping}, {coding}: {why}\n{body[:3000]!r}"
        read[accept, escaping, coding] = reply.headers["content-type"], body
    return read
