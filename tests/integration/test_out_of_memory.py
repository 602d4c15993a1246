"""Each allocation of a request fails in turn. The request is then answered rightly or refused, or the gateway
ends with the line that says so. A crash, a wrong 200 and a lost push are what must not be."""
import gzip
import http.client
import itertools
import json
import mmap
import signal
import struct
import subprocess
from pathlib import Path

import messages as pb
import pytest

from exposition import scrape
from gateway import DEADLINE, Gateway

pytestmark = pytest.mark.sanitized
SOURCE = Path(__file__).with_name("alloc_faults.c")
PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
REFUSALS = {503}


@pytest.fixture(scope="session")
def alloc_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("alloc") / "alloc_faults.so"
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    SOURCE, "-ldl"], check=True)
    return library


class Allocations:
    """Of one gateway after the other: they share the file."""

    def __init__(self, library, directory):
        file = directory / "left"
        file.write_bytes(bytes(8))
        with open(file, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 8)
        self.env = {"LD_PRELOAD": str(library), "TALLYGATE_ALLOC": str(file),
                    "ASAN_OPTIONS": "verify_asan_link_order=0:allocator_may_return_null=1"}

    @property
    def left(self):
        return struct.unpack("q", self.map)[0]

    @left.setter
    def left(self, n):
        self.map[:] = struct.pack("q", n)


@pytest.fixture
def allocations(alloc_library, tmp_path):
    return Allocations(alloc_library, tmp_path)


def text(n):
    return f"# TYPE a gauge\na {n}\n# TYPE b gauge\nb {n}\n".encode()


def proto(n):
    return pb.family("a", pb.GAUGE, pb.gauge(n)) + pb.family("b", pb.GAUGE, pb.gauge(n))


def zstd(body):
    return subprocess.run(["zstd", "-q", "-c"], input=body, stdout=subprocess.PIPE, check=True).stdout


def openmetrics(n):
    return text(n) + b"# EOF\n"


PUSHES = {
    "text": lambda n: (text(n), {}),
    "protobuf": lambda n: (proto(n), {"Content-Type": PROTO}),
    "openmetrics": lambda n: (openmetrics(n), {"Content-Type": "application/openmetrics-text"}),
    "gzip": lambda n: (gzip.compress(text(n)), {"Content-Encoding": "gzip"}),
    "zstd": lambda n: (zstd(text(n)), {"Content-Encoding": "zstd"}),
}


def unpacked(reply):
    coding = reply.headers.get("Content-Encoding")
    if coding == "gzip":
        return gzip.decompress(reply.body)
    if coding == "zstd":
        return subprocess.run(["zstd", "-dqc"], input=reply.body, stdout=subprocess.PIPE, check=True).stdout
    return reply.body


def check_text(reply):
    assert b'kept{instance="",job="kept"} 1\n' in unpacked(reply)


def check_protobuf(reply):
    body, found = unpacked(reply), 0
    while body:
        length, shift, i = 0, 0, 0
        while True:
            length |= (body[i] & 0x7F) << shift
            shift, i = shift + 7, i + 1
            if body[i - 1] < 0x80:
                break
        assert len(body) >= i + length
        found += b"\x0a\x04kept" in body[i:i + length]
        body = body[i + length:]
    assert found == 1


def check_page(reply):
    assert b"kept" in reply.body


READS = {
    "plain": ("/metrics", {}, check_text),
    "gzip": ("/metrics", {"Accept-Encoding": "gzip"}, check_text),
    "zstd": ("/metrics", {"Accept-Encoding": "zstd"}, check_text),
    "protobuf": ("/metrics", {"Accept": PROTO}, check_protobuf),
    "protobuf gzip": ("/metrics", {"Accept": PROTO, "Accept-Encoding": "gzip"}, check_protobuf),
    "json": ("/api/v1/metrics", {}, check_page),
    "page": ("/", {}, check_page),
    "group": ("/metrics/job/kept", {}, check_text),
    "list": ("/api/v1/groups", {}, check_page),
    "search": ("/api/v1/groups?search=kept&match[]=%7Bjob%3D~%22k.*%22%7D", {}, check_page),
    "one shard": ("/metrics?shard=1/1", {}, check_text),
    "match[]": ("/metrics?match[]=%7Bjob%3D~%22k.*%22%7D", {}, check_text),
    "match[] protobuf": ("/metrics?match[]=%7Bjob%3D%22kept%22%7D", {"Accept": PROTO}, check_protobuf),
    "group protobuf": ("/metrics/job/kept", {"Accept": PROTO}, check_protobuf),
    "by job": ("/api/v1/groups?by=job", {}, check_page),
    "cardinality": ("/api/v1/status/cardinality", {}, check_page),
}


class Run:
    """A gateway that is started again whenever it has ended for want of memory."""

    def __init__(self, allocations, database, *flags):
        self.allocations, self.database, self.flags = allocations, database, flags
        self.gw = None

    def __enter__(self):
        self.start()
        assert self.gw.put("kept", "kept 1\n").status == 200
        return self

    def __exit__(self, *unused):
        self.allocations.left = 0
        self.gw.__exit__(*unused)

    def start(self):
        self.gw = Gateway("--web.threads=1", "--web.enable-admin-api", *self.flags, database=self.database, env=self.allocations.env).__enter__()

    def request(self, nth, *request):
        """With the nth allocation from now on failing. Returns the reply, or None if there was none, and whether
        it came to that allocation."""
        self.allocations.left = nth
        try:
            reply = self.gw.request(*request)
        except (OSError, http.client.HTTPException):
            reply = None
        failed = self.allocations.left == 0
        self.allocations.left = 0
        if reply is None and self.ended():
            self.start()
        return reply, failed

    def ended(self):
        """Whether it has ended; if it is only the connection that did, it goes on."""
        try:
            return self.gw.get("/-/healthy").status != 200
        except OSError:
            assert self.gw.wait() == -signal.SIGABRT, self.gw.log
            assert self.gw.log.splitlines()[-1].startswith("out of memory: "), self.gw.log
            return True


def numbers():
    """1, 2, 3, ... with gaps later on."""
    n = 1
    while True:
        yield n
        n += 1 + n // 16


def has_loaded(gw):
    """Or it has ended."""
    try:
        return gw.wait_for_line("metrics loaded")
    except AssertionError:
        return None


def is_ready(gw):
    """Or it has ended: what is started after loading needs memory, too."""
    try:
        return gw.start()
    except AssertionError:
        return None


def test_a_start(allocations, database):
    """It is ready, and answers, or says why not, and never takes the database for a damaged one."""
    with Gateway(database=database, env=allocations.env) as gw:
        for i in range(20):
            assert gw.put(f"p/instance/{i}", text(i)).status == 200
        kept = scrape(gw).kept()
    for n in numbers():
        allocations.left = n
        gw = Gateway(database=database, env=allocations.env)
        try:
            ready = has_loaded(gw)
            failed, allocations.left = allocations.left == 0, 0
            ready = ready and is_ready(gw)
            if ready:
                assert scrape(gw).kept() == kept
                gw.terminate()
            else:
                assert gw.wait() in (1, -signal.SIGABRT), gw.log
                assert gw.log, "it says why"
                failed = failed or "out of memory" in gw.log
        finally:
            if gw.process.poll() is None:
                gw.kill()
        assert sorted(p.name for p in database.parent.iterdir() if "damaged" in p.name) == []
        if not failed:
            assert ready
            break
    with Gateway(database=database) as gw:
        assert scrape(gw).kept() == kept


@pytest.mark.parametrize("kind", PUSHES)
def test_a_push(allocations, database, kind):
    stored = None
    with Run(allocations, database) as run:
        for n in numbers():
            body, headers = PUSHES[kind](n)
            reply, failed = run.request(n, "PUT", "/metrics/job/p", body, headers)
            assert reply is None or reply.status in {200} | REFUSALS, reply
            s = scrape(run.gw)
            a, b = s.pushed("a", "p"), s.pushed("b", "p")
            assert a == b, "half a push"
            if reply is None:
                assert a in (stored, n)
            else:
                assert a == (n if reply.status == 200 else stored), reply
            stored = a
            assert s.pushed("kept", "kept") == 1
            if not failed:
                assert reply.status == 200
                break


@pytest.mark.parametrize("kind", READS)
def test_a_scrape(allocations, database, kind):
    path, headers, check = READS[kind]
    with Run(allocations, database) as run:
        for n in numbers():
            # So that something has to be made anew.
            assert run.gw.put("p", text(n)).status == 200
            reply, failed = run.request(n, "GET", path, None, headers)
            if reply is not None and reply.status == 200:
                check(reply)
            else:
                assert reply is None or reply.status in REFUSALS, reply
            if not failed:
                assert reply.status == 200
                break


def test_a_scrape_of_a_group_with_many_labels(allocations, database):
    """Their memory is an allocation of its own: without it the group must not be missing from an answer with 200."""
    path = "wide" + "".join(f"/l{i}/1" for i in range(1500))
    with Run(allocations, database, "--limits.labels-per-series=10000") as run:
        assert run.gw.put(path, "wide 1\n").status == 200
        for n in itertools.count(1):
            reply, failed = run.request(n, "GET", "/metrics?match[]=%7Bjob%3D~%22wide|kept%22%7D")
            assert reply is None or reply.status in {200} | REFUSALS, reply
            if reply is not None and reply.status == 200:
                assert b"\nwide{" in reply.body and b"\nkept{" in reply.body
            if not failed:
                assert reply.status == 200
                break


# ---- what changes more than one value, or nothing ----

class Change:
    """of: what says whether it was done. path: from what `before` returns."""

    def __init__(self, method, path, body=None, done=200, before=lambda g: None, of=lambda s: None, is_done=lambda was, now: True):
        self.method, self.path, self.body, self.done = method, path, body, done
        self.before, self.of, self.is_done = before, of, is_done


def three_groups(g):
    for i in range(3):
        assert g.put(f"three/i/{i}", "v 1\n").status == 200


def deleted_groups(g):
    three_groups(g)
    return json.loads(g.request("DELETE", THREE).body)["data"]["undo"]


def how_many(s):
    return sum(s.pushed("v", "three", i=str(i)) == 1 for i in range(3))


def total(s):
    counts = s.get("c_total", job="s", instance=""), s.get("h_count", job="s", instance="")
    assert counts[0] == counts[1], "half a push"
    return counts[0] or 0


THREE = "/api/v1/groups?match[]=%7Bjob=%22three%22%7D"
PATHS = "".join(f"/metrics/job/three/i/{i}\n" for i in range(3))
SAID = ('# TYPE c_total counter\nc_total 1\n# TYPE h histogram\nh_bucket{le="1"} 0\nh_bucket{le="+Inf"} 1\nh_sum 2\nh_count 1\n')
CHANGES = {
    "add": Change("POST", "/add/metrics/job/s", SAID, of=total, is_done=lambda was, now: now == was + 1),
    "dry run": Change("PUT", "/dry-run/metrics/job/three/i/1", "v 2\n", of=how_many),
    "delete": Change("DELETE", "/metrics/job/three/i/1", done=202, before=three_groups, of=how_many, is_done=lambda was, now: now == 2),
    "delete many": Change("DELETE", THREE, before=three_groups, of=how_many, is_done=lambda was, now: now == 0),
    "delete listed": Change("POST", "/api/v1/groups/delete", PATHS, before=three_groups, of=how_many, is_done=lambda was, now: now == 0),
    "undo": Change("POST", "/api/v1/undo/{}", before=deleted_groups, of=how_many, is_done=lambda was, now: now == 3),
    "wipe": Change("PUT", "/api/v1/admin/wipe", done=202, before=three_groups, of=how_many, is_done=lambda was, now: now == 0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change(allocations, database, name):
    """It is done as a whole if the answer says so, not at all if it says that it is not, and one of these if there is none."""
    change = CHANGES[name]
    with Run(allocations, database) as run:
        for n in numbers():
            path = change.path.format(change.before(run.gw))
            was = change.of(scrape(run.gw))
            reply, failed = run.request(n, change.method, path, change.body)
            assert reply is None or reply.status in {change.done} | REFUSALS, reply
            now = change.of(scrape(run.gw))
            done = now != was or reply is not None and reply.status == change.done
            assert change.is_done(was, now) if done else now == was
            assert reply is None or reply.status == change.done or done == (b"this has been done" in reply.body), reply
            if not failed:
                assert reply.status == change.done
                break
