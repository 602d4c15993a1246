"""A container with little memory: the limits follow it, and a flood of large bodies is answered, not died of."""
import gzip
import itertools
import json
import os
import random
import tempfile
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

import messages as pb
from gateway import BINARY, Gateway, parse_logfmt
from test_compressed_bodies import block, chunk, masked, snappy, zstd
from wire import Wire, head

MIB = 1 << 20
# Of each large push, one after the other. By hand FLOOD_TIMES=1000, say.
FLOOD_TIMES = int(os.environ.get("FLOOD_TIMES", "5"))
SANITIZED = "libasan" in os.popen(f"readelf -d {BINARY}").read()


def cgroup_of_this_process():
    """(directory, file of the limit) where a group with a memory limit can be made below ours, or None."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ")[:3]
        mount = left.split(" ")[4]
        if kind == "cgroup" and "memory" in options.split(","):
            return Path(mount), "memory.limit_in_bytes"
        if kind == "cgroup2" and "memory" in (Path(mount) / "cgroup.subtree_control").read_text().split():
            return Path(mount), "memory.max"
    return None


@contextmanager
def memory_limit(size):
    """The name of a program that starts the gateway in a cgroup of that size, or None where none can be made.

    ASan takes several times the memory: the kernel would kill the gateway for what is not its own.
    """
    place = None if SANITIZED else cgroup_of_this_process()
    group = place and place[0] / f"tallygate-test-{uuid.uuid4().hex[:8]}"
    try:
        if group:
            group.mkdir()
            (group / place[1]).write_text(str(size))
    except OSError:
        group = None
    if not group:
        yield None, None
        return
    try:
        with tempfile.TemporaryDirectory() as d:
            launcher = Path(d) / "launcher"
            launcher.write_text(f'#!/bin/sh\necho $$ >{group}/cgroup.procs && exec {BINARY} "$@"\n')
            launcher.chmod(0o755)
            yield str(launcher), group
    finally:
        group.rmdir()


def chosen(size, cores):
    """The rules of src/config/memory.h."""
    step = lambda v: v - v % (MIB if v >= 16 * MIB else 65536 if v >= MIB else 4096)
    part = lambda n, least, most: min(max(step(size // n), least), most)
    return {
        "web.threads": max(1, min(size // (32 * MIB), cores)),
        "web.max-connections": min(max(size // 262144, 32), 10000),
        "web.max-connections-per-client": max(min(max(size // 262144, 32), 10000) // 2, 32),
        "limits.body-size": part(32, 65536, 64 * MIB),
        "limits.receiving-bytes": part(8, 262144, 1024 * MIB),
        "limits.reply-bytes": part(8, 262144, 1024 * MIB),
        "limits.series": min(max(size // 1024, 10000), 10000000),
        "limits.stored-bytes": part(4, MIB, 1 << 62),
        "push.queue-bytes": part(16, 262144, 256 * MIB),
    }


def bytes_of(text):
    for unit, factor in (("GiB", 1 << 30), ("MiB", MIB), ("KiB", 1024)):
        if text.endswith(unit):
            return int(text[:-3]) * factor
    return int(text)


def flood(g, connections, status):
    """Bodies of 64 MiB, all at once, as fast as they are taken; what each was answered."""
    chunk = b"".join(b'm%d{label="%060d"} %d\n' % (i, i, i) for i in range(2000))

    def one():
        try:
            with Wire(g) as w:
                w.send(f"PUT /metrics/job/f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
                try:
                    for _ in range(64 * MIB // len(chunk)):
                        w.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                status.append(w.reply().status)
        except (AssertionError, OSError):
            status.append(None)  # the reply was lost to a reset

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for t in threads:
        t.start()
    return threads


def series(size, label):
    """Text of at most that size."""
    lines = [b'm%d{label="%0*d"} %d\n' % (i, label, i, i) for i in range(max(1, size // (label + 40)))]
    return b"".join(lines)


def empty_metrics(size):
    """Protobuf of which each two bytes become a metric."""
    return pb.delimited(pb.data(1, b"a") + pb.integer(3, 1) + b"\x22\x00" * (size // 2 - 20))


def packed_snappy(size):
    """Blocks of 64 KiB that are all the same."""
    first = b"#" * 65535 + b"\n"
    return snappy(first) + chunk(0, masked(first) + block(first)) * (size // 65536)


def bodies(limit):
    """What is small and becomes large, and what is just as large as it may be: path, body, headers."""
    protobuf, text, long = {"Content_Type": pb.CONTENT_TYPE}, series(limit, 60), series(limit, 60000)
    for coding, large in {"gzip": gzip.compress(bytes(80 * MIB), 1), "zstd": zstd(bytes(80 * MIB)), "snappy": packed_snappy(80 * MIB)}.items():
        yield f"/metrics/job/empty/x/{coding}", large, {"Content_Encoding": coding}
    for coding, pack in {"gzip": gzip.compress, "zstd": zstd}.items():
        yield f"/metrics/job/packed/x/{coding}", pack(text), {"Content_Encoding": coding}
        yield f"/metrics/job/metrics/x/{coding}", pack(empty_metrics(limit)), {**protobuf, "Content_Encoding": coding}
    yield "/metrics/job/metrics", empty_metrics(limit), protobuf
    for i in range(2):
        yield f"/metrics/job/long/x/{i}", long, {}
        yield f"/sum/metrics/job/sum/pid/{i}", long, {}
        yield f"/sum/metrics/job/sum/pid/{i}", text, {}


def simple_bodies(limit):
    """Where no cgroup can be made: how much a body may take while it is decoded, and what malloc() keeps, has no flag."""
    return [(f"/metrics/job/large/x/{i % 2}", series(limit, 60), {}) for i in range(8)]


def large_pushes(g, kinds, status):
    """Beside them bodies that have to be unpacked, decoded and stored, from as many clients."""

    def one(path, body, headers):
        for _ in range(FLOOD_TIMES):
            try:
                with Wire(g) as w:
                    w.send(head("POST", path, Content_Length=len(body), **headers) + body)
                    status.append(w.reply().status)
            except (AssertionError, OSError):
                status.append(None)

    threads = [threading.Thread(target=one, args=kind) for kind in kinds]
    for t in threads:
        t.start()
    return threads


@pytest.mark.parametrize("size", [32 * MIB, 256 * MIB], ids=["32MiB", "256MiB"])
def test_a_flood_in_a_small_container(size, tmp_path):
    limit = chosen(size, os.cpu_count())["limits.body-size"]
    with memory_limit(size) as (launcher, group):
        flags = [] if launcher else [f"--{k}={v}" for k, v in chosen(size, os.cpu_count()).items()]
        with Gateway(*flags, binary=launcher, database=tmp_path / "a.db") as g:
            if launcher:
                shown = json.loads(g.get("/api/v1/status").text)["data"]
                assert shown["memory"]["bytes"] == str(size) and str(group) in shown["memory"]["from"]
                want = chosen(size, os.cpu_count())
                assert {k: bytes_of(shown["flags"][k]) for k in want} == want
                line = parse_logfmt(g.wait_for_line("limits for the memory there is"))
                assert bytes_of(line["memory"]) == size and bytes_of(line["body_size"]) == want["limits.body-size"]
            assert g.put("kept", "a 1\n").status == 200
            statuses = []
            threads = flood(g, 16, statuses) + large_pushes(g, bodies(limit) if launcher else simple_bodies(limit), statuses)
            while any(t.is_alive() for t in threads):
                assert g.get("/-/healthy").status == 200
                assert g.get("/metrics").status in (200, 503)
            for t in threads:
                t.join()
            # 507: a body of 1 MiB may be 10,000 families, which take more than is left for what is stored.
            assert set(statuses) <= {200, 413, 503, 507, None}, statuses
            print(sorted((s or 0, statuses.count(s)) for s in set(statuses)))
            assert statuses.count(413) + statuses.count(503) > 0
            assert g.put("kept", "a 2\n").status == 200
            assert g.process.poll() is None
            # How much is decoded at once follows the memory there is, which the flags of the smaller one do not change.
            if not SANITIZED and not launcher and size > 32 * MIB:
                peak = [x for x in Path(f"/proc/{g.process.pid}/status").read_text().splitlines() if x.startswith("VmHWM")]
                assert int(peak[0].split()[1]) * 1024 < size


def random_text(n):
    """So that it compresses badly."""
    return random.randbytes(n // 2).hex()


# What a pusher may invent anew with each push: a path and a body.
WITHOUT_END = {
    "labels of 60 KB": lambda i: (f"/metrics/job/f{i}", f'm{{l="{random_text(60000)}"}} 1\n'),
    "small groups": lambda i: (f"/metrics/job/f{i}", "".join(f'm{j}{{l="x"}} {j}\n' for j in range(10))),
    "long keys": lambda i: (f"/metrics/job/f{i}{random_text(6000)}", "m 1\n"),
    "groups of nothing": lambda i: (f"/metrics/job/f{i}{random_text(1000)}", ""),
    "family names": lambda i: (f"/metrics/job/f{i}", "".join(f"m{random_text(1000)} 1\n" for _ in range(20))),
    "label names": lambda i: (f"/metrics/job/f{i}", "m{" + ",".join(f'l{random_text(600)}="1"' for _ in range(80)) + "} 1\n"),
    "help texts": lambda i: (f"/metrics/job/f{i}", f"# HELP m {random_text(60000)}\n# TYPE m gauge\nm 1\n"),
    "histograms": lambda i: (f"/metrics/job/f{i}", "# TYPE h histogram\n" + "".join(
        f'h_bucket{{l="{random_text(400)}",le="{le}"}} {j}\n' for j in range(20) for le in (1, 2, 3, "+Inf"))),
    "summed groups": lambda i: (f"/sum/metrics/job/f{i}/pid/1", "".join(f'# TYPE m{j} counter\nm{j}{{l="x"}} {j}\n' for j in range(10))),
    "sources": lambda i: (f"/sum/metrics/job/f/pid/{i}{random_text(3000)}", "".join(f"# TYPE m{j} counter\nm{j} {j}\n" for j in range(10))),
    "series of sums": lambda i: (f"/sum/metrics/job/f/pid/{i % 5}", f'# TYPE m counter\nm{{l="{random_text(20000)}"}} 1\n'),
}
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
SCRAPES = itertools.cycle([
    {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"},
    {"Accept": PROTOBUF, "Accept-Encoding": "gzip"}, {"Accept": PROTOBUF, "Accept-Encoding": "zstd"}, {"Accept-Encoding": "zstd"},
    {"Accept": "application/openmetrics-text;version=1.0.0;escaping=dots"}, {"Accept": "text/plain;version=1.0.0;escaping=values"}])


# In the end, so many pushes are refused.
REFUSED = 100


def flood_without_end(g, kind, pushes, refused):
    c = g.connect()
    for i in pushes:
        reply = g.request("POST", *WITHOUT_END[kind](i), connection=c)
        assert reply.status in (200, 503, 507), reply
        if reply.status == 507:
            refused.append(reply.text)
        if len(refused) >= REFUSED or i > 50000:
            break
    c.close()


def stored_bytes(g):
    return next(x for x in json.loads(g.get("/api/v1/status").text)["data"]["limits"] if x.get("flag") == "limits.stored-bytes")


def read_copy(g):
    assert g.get("/metrics?match[]={job=~%22.%2B%22}").status in (200, 503)


@pytest.mark.parametrize("kind", WITHOUT_END)
def test_groups_without_end_in_a_small_container(kind, tmp_path):
    """They are answered 507 at some point; everybody else is served as before."""
    size = 32 * MIB
    with memory_limit(size) as (launcher, _):
        flags = [] if launcher else [f"--{k}={v}" for k, v in chosen(size, os.cpu_count()).items()]
        with Gateway(*flags, binary=launcher, database=tmp_path / "a.db") as g:
            assert g.put("kept", "kept 1\n").status == 200
            pushes, refused = itertools.count(), []
            threads = [threading.Thread(target=flood_without_end, args=(g, kind, pushes, refused)) for _ in range(8)]
            for t in threads:
                t.start()
            while any(t.is_alive() for t in threads):
                assert g.request("GET", "/metrics", headers=next(SCRAPES)).status in (200, 503)
                assert g.get("/-/healthy").status == 200
                threads[0].join(0.1)
            assert len(refused) >= REFUSED and all("--limits." in text for text in refused), refused
            copies = [threading.Thread(target=read_copy, args=(g,)) for _ in range(4)]
            for t in copies:
                t.start()
            for t in copies:
                t.join()
            used = stored_bytes(g)
            assert used["used"] <= used["limit"]
        # What filled it may be loaded again, too.
        with Gateway(*flags, binary=launcher, database=tmp_path / "a.db") as g:
            assert stored_bytes(g) == used
            assert g.put("kept", "kept 123456789\n").status == 200, "what replaces fits always"
            assert "kept{" in g.get("/metrics").text
            assert g.put("other", "other 1\n").status in (200, 507)
            assert g.request("DELETE", "/api/v1/groups?match[]={job=~\"f.*\"}").status == 200
            assert g.put("other", "other 1\n" + "".join(f"m{i} 1\n" for i in range(1000))).status == 200
            assert g.process.poll() is None
