"""Pushes with a Content-Encoding."""
import gzip
import random
import struct
import subprocess

import pytest

from exposition import counter, scrape
from gateway import Gateway

TEXT = b"# TYPE packed gauge\n" + b"".join(b'packed{n="%d"} %d\n' % (i, i) for i in range(3000))
LIMIT = 100_000


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def chunk(kind, data):
    return bytes([kind]) + struct.pack("<I", len(data))[:3] + data


def masked(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def block(data):
    """As snappy's format has it: literals of 60 bytes, or a copy of the 60 bytes before."""
    n, out = len(data), b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    out += bytes([n])
    for i in range(0, len(data), 60):
        part = data[i:i + 60]
        if part == data[i - 60:i]:
            out += bytes([59 << 2 | 2, 60, 0])
        else:
            out += bytes([(len(part) - 1) << 2]) + part
    return out


IDENTIFIER = chunk(0xFF, b"sNaPpY")


def snappy(data):
    out = IDENTIFIER
    for i in range(0, len(data), 2 * 65536):
        first, second = data[i:i + 65536], data[i + 65536:i + 2 * 65536]
        out += chunk(0, masked(first) + block(first))
        if second:
            out += chunk(1, masked(second) + second)
    return out


def zstd(data, *flags):
    return subprocess.run(["zstd", "--quiet", "--stdout", *flags], input=data, capture_output=True, timeout=60,
                          check=True).stdout


PACKERS = {"gzip": gzip.compress, "snappy": snappy, "zstd": zstd}


def put(gateway, job, body, coding, **headers):
    return gateway.put(job, body, **{"Content-Encoding": coding, **headers})


def refused(reply, status, text):
    assert (reply.status, reply.text) == (status, text + "\n")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture(scope="module")
def narrow():
    with Gateway(f"--limits.body-size={LIMIT}") as g:
        yield g


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "snappy", "Snappy", "zstd"])
def test_a_compressed_push_is_stored(shared, coding):
    job = "stored-" + coding
    reply = put(shared, job, PACKERS[coding.lower()](TEXT), coding)
    assert (reply.status, reply.body) == (200, b"")
    s = scrape(shared)
    assert [s.pushed("packed", job, n=str(i)) for i in range(3000)] == list(range(3000))
    assert shared.delete(job).status == 202


@pytest.mark.parametrize("coding", sorted(PACKERS))
def test_protobuf_may_be_compressed(shared, coding):
    # MetricFamily{name: "pb_<coding>", type: UNTYPED, metric: {untyped: {value: 2}}}, with its length in front
    name = b"pb_" + coding.encode()
    message = (b"\x0a" + bytes([len(name)]) + name + b"\x18\x03\x22\x0b\x2a\x09\x09" + struct.pack("<d", 2))
    reply = put(shared, "pb", PACKERS[coding](bytes([len(message)]) + message), coding, **{
        "Content-Type": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    })
    assert reply.status == 200, reply
    assert scrape(shared).pushed(name.decode(), "pb") == 2


@pytest.mark.parametrize("coding", ["identity", "deflate", "br", "x-gzip", "gzip, gzip", ""])
def test_other_codings_are_the_body_as_it_is(shared, coding):
    assert put(shared, "other", b"as_it_is 1\n", coding).status == 200
    assert scrape(shared).pushed("as_it_is", "other") == 1
    assert put(shared, "other", gzip.compress(b"as_it_is 1\n"), coding).status == 400


def test_a_gzip_of_many_members(shared):
    body = b"".join(gzip.compress(b"member_%d 1\n" % i) for i in range(20))
    assert put(shared, "members", body, "gzip").status == 200
    s = scrape(shared)
    assert all(s.pushed(f"member_{i}", "members") == 1 for i in range(20))


def test_snappy_chunks_that_carry_nothing(shared):
    data = b"skipping 1\n"
    body = (IDENTIFIER + chunk(0xFE, b"pad") + chunk(0x80, b"skip") + chunk(1, masked(data) + data) + IDENTIFIER
            + chunk(0xFD, b""))
    assert put(shared, "chunks", body, "snappy").status == 200
    assert scrape(shared).pushed("skipping", "chunks") == 1


@pytest.mark.parametrize("body, coding", [(gzip.compress(b"", mtime=0), "gzip"), (b"", "snappy"), (IDENTIFIER, "snappy"),
                                          (b"", "zstd"), (zstd(b""), "zstd")])
def test_nothing_compressed_is_an_empty_push(shared, body, coding):
    assert put(shared, "empty", b"gone 1\n", "identity").status == 200
    assert put(shared, "empty", body, coding).status == 200
    s = scrape(shared)
    assert s.pushed("gone", "empty") is None
    assert s.pushed("push_time_seconds", "empty") is not None


GOOD = gzip.compress(b"a 1\n", mtime=0)
FRAMED = snappy(b"a 1\n")
BAD = {
    "gzip, empty": ("gzip", b"", "EOF"),
    "gzip, text": ("gzip", b"some_metric 1\n", "gzip: invalid header"),
    "gzip, short text": ("gzip", b"a 1\n", "unexpected EOF"),
    "gzip, cut in the header": ("gzip", GOOD[:9], "unexpected EOF"),
    "gzip, cut in the data": ("gzip", GOOD[:13], "unexpected EOF"),
    "gzip, cut in the trailer": ("gzip", GOOD[:-1], "unexpected EOF"),
    "gzip, checksum": ("gzip", GOOD[:-8] + b"\1" + GOOD[-7:], "gzip: invalid checksum"),
    "gzip, length": ("gzip", GOOD[:-1] + b"\1", "gzip: invalid checksum"),
    "gzip, garbage behind": ("gzip", GOOD + b"more than ten bytes", "gzip: invalid header"),
    "gzip, a zero behind": ("gzip", GOOD + b"\0", "unexpected EOF"),
    "snappy, block format": ("snappy", block(b"a 1\n"), "snappy: corrupt input"),
    "snappy, no identifier": ("snappy", FRAMED[10:], "snappy: corrupt input"),
    "snappy, checksum": ("snappy", IDENTIFIER + chunk(1, b"\0\0\0\0a 1\n"), "snappy: corrupt input"),
    "snappy, cut": ("snappy", FRAMED[:-1], "snappy: corrupt input"),
    "snappy, part of a chunk behind": ("snappy", FRAMED + b"\1", "snappy: corrupt input"),
    "snappy, reserved chunk": ("snappy", FRAMED + chunk(2, b"x"), "snappy: unsupported input"),
    "zstd, text": ("zstd", b"a 1\n", "zstd: invalid header"),
    "zstd, cut": ("zstd", zstd(b"a 1\n")[:-1], "unexpected EOF"),
    "zstd, checksum": ("zstd", zstd(b"a 1\n")[:-1] + b"\0", "zstd: invalid checksum"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_damage_is_named_and_changes_nothing(shared, name):
    coding, body, text = BAD[name]
    before = counter(shared, "pushgateway_rejected_pushes_total", reason="body")
    refused(put(shared, "damaged", body, coding), 400, text)
    s = scrape(shared)
    assert not [n for n, labels in s.samples if ("job", "damaged") in labels], "a group was made"
    assert s.get("pushgateway_rejected_pushes_total", reason="body") == before + 1


def test_an_error_of_the_text_inside_names_its_line(shared):
    refused(put(shared, "inside", gzip.compress(b"a 1\nb one\n"), "gzip"), 400,
            'text format parsing error in line 2: expected float as value, got "one"')


@pytest.mark.parametrize("method, path", [("GET", "/metrics"), ("GET", "/-/healthy"), ("GET", "/nowhere"),
                                          ("POST", "/metrics"), ("DELETE", "/metrics/job/x"),
                                          ("PUT", "/metrics/job/x")])
def test_every_request_in_gzip_has_to_begin_as_one(shared, method, path):
    for body, text in ((b"", "EOF"), (b"a 1\n", "unexpected EOF"), (b"some_metric 1\n", "gzip: invalid header")):
        refused(shared.request(method, path, body, {"Content-Encoding": "gzip"}), 400, text)


def test_but_not_those_of_the_api(shared):
    for path, status in (("/api/v1/status", 200), ("/api/v1/nowhere", 404)):
        assert shared.request("GET", path, b"", {"Content-Encoding": "gzip"}).status == status


def test_a_delete_does_not_read_on(shared):
    put(shared, "deleted", b"deleted 1\n", "identity")
    reply = shared.request("DELETE", "/metrics/job/deleted", GOOD[:-1], {"Content-Encoding": "gzip"})
    assert reply.status == 202
    assert scrape(shared).pushed("deleted", "deleted") is None
    assert shared.request("DELETE", "/metrics/job/x", b"no snappy", {"Content-Encoding": "snappy"}).status == 202


@pytest.mark.parametrize("coding", sorted(PACKERS))
def test_the_limit_holds_for_what_comes_out(narrow, coding):
    text = b"at_the_limit 1\n"
    text += b"#" * (LIMIT - len(text) - 1) + b"\n"
    assert put(narrow, coding, PACKERS[coding](text), coding).status == 200
    assert scrape(narrow).pushed("at_the_limit", coding) == 1
    reply = put(narrow, coding, PACKERS[coding](text + b"\n"), coding)
    refused(reply, 413, f"decompressed body larger than {LIMIT} bytes (--limits.body-size)")


def test_a_bomb_costs_a_413_and_no_memory():
    bombs = {"gzip": gzip.compress(bytes(300 << 20), 1), "zstd": zstd(bytes(300 << 20), "-1")}
    with Gateway("--limits.body-size=2MiB") as g:
        def peak():
            with open(f"/proc/{g.process.pid}/status", encoding="ascii") as f:
                return next(int(x.split()[1]) for x in f if x.startswith("VmHWM")) * 1024

        assert put(g, "warm", gzip.compress(TEXT), "gzip").status == 200
        before = peak()
        for coding, bomb in bombs.items():
            assert len(bomb) < 2 << 20
            for _ in range(5):
                assert put(g, "bomb", bomb, coding).status == 413
        # A sanitizer's allocator keeps what was freed for a while.
        assert peak() < before + (96 << 20)


def test_bytes_at_random_never_break_a_scrape(shared):
    rng = random.Random(20240229)
    for _ in range(150):
        coding = rng.choice(sorted(PACKERS))
        body = bytearray(PACKERS[coding](b"randomly 1\n"))
        for _ in range(rng.randrange(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        assert put(shared, "random", bytes(body), coding).status in (200, 400, 413)
    scrape(shared)
