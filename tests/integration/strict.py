"""The strict readers of tests/lib/strict, for scrapes of the real binary."""
import ctypes
import functools
import gzip
import os
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "lib" / "strict"
TEXT, OPENMETRICS, PROTO, PROTO_TEXT = range(4)
_PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
# What is asked for, and how the answer is read.
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


def decoded(reply):
    coding = reply.headers.get("Content-Encoding", "identity")
    if coding == "gzip":
        return gzip.decompress(reply.body)
    if coding == "zstd":
        return subprocess.run(["zstd", "-dc"], input=reply.body, capture_output=True, check=True).stdout
    assert coding == "identity", coding
    return reply.body


def scrapes(gateway, codings=CODINGS, formats=FORMATS):
    """Every answer that can be asked for: (Accept, escaping, reply); each is read, or the test fails."""
    connection = gateway.connect()
    for accept in formats:
        kind = FORMATS[accept]
        for escaping in ESCAPINGS:
            for coding in codings:
                reply = gateway.request("GET", "/metrics", headers={"Accept": f"{accept};escaping={escaping}", "Accept-Encoding": coding},
                                        connection=connection)
                assert reply.status == 200, reply
                assert reply.headers.get("Content-Encoding", "identity") == coding
                body = decoded(reply)
                why = fault(kind, escaping == "allow-utf-8", body)
                assert why is None, f"{accept} in {escaping}, {coding}: {why}\n{body[:3000]!r}"
                yield accept, escaping, reply
    connection.close()
