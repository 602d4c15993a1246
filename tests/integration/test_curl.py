"""curl as scripts use it: how it sends a body, and on which connection."""
import gzip
import json
import subprocess

import pytest

from exposition import Scrape, scrape

SMALL = "# TYPE rows gauge\n" + "".join(f'rows{{n="{i}"}} {i / 7}\n' for i in range(10))
# curl asks first from 1 MiB on.
LARGE = "# TYPE rows gauge\n" + "".join(f'rows{{n="{i}",pad="{"x" * 60}"}} {i / 7}\n' for i in range(20000))


def curl(gateway, *args, body=None):
    """(what --write-out says of each transfer, what --verbose says)."""
    urls = []
    for path in (a for a in args if a.startswith("/metrics")):
        urls += ["--output", "/dev/null", gateway.url + path]
    flags = [a for a in args if not a.startswith("/metrics")]
    done = subprocess.run(["curl", "--silent", "--show-error", "--verbose", "--noproxy", "*", "--max-time", "60", "--write-out",
                           "%{json}\n", *flags, *urls], input=body, capture_output=True, timeout=90)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()


def push(gateway, body, *args):
    """A POST with the body on stdin."""
    ((transfer,), said) = curl(gateway, *args, "--data-binary", "@-", "/metrics/job/c", body=body)
    assert transfer["http_code"] == 200
    return said


def expect(gateway, text):
    s = scrape(gateway)
    shown = {key: v for key, v in s.samples.items() if key[0] == "rows"}
    assert shown == {(name, key | {("job", "c"), ("instance", "")}): v for (name, key), v in Scrape(text).samples.items()}


def test_a_large_body_is_asked_for_first(gw):
    assert len(LARGE) > 1 << 20
    said = push(gw, LARGE.encode())
    assert "> Expect: 100-continue" in said and "< HTTP/1.1 100 Continue" in said
    expect(gw, LARGE)


def test_a_large_body_without_asking(gw):
    said = push(gw, LARGE.encode(), "--header", "Expect:")
    assert "100" not in [line.split(" ")[2] for line in said.splitlines() if line.startswith("< HTTP/")]
    expect(gw, LARGE)


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("args", [
    ["--header", "Expect: 100-continue"],
    ["--header", "Transfer-Encoding: chunked"],
    ["--header", "Transfer-Encoding: chunked", "--header", "Expect: 100-continue"],
    ["--http1.0"],
    ["--http1.0", "--header", "Connection: keep-alive"],
    ["--header", "Content-Type: text/plain; version=0.0.4"],
], ids=["asked", "chunked", "chunked and asked", "1.0", "1.0 kept", "typed"])
def test_ways_of_sending_a_body(gw, body, args):
    push(gw, body.encode(), *args)
    expect(gw, body)


def test_http_1_0_is_not_asked_to_go_on(gw):
    """100 is of HTTP/1.1, and a client of 1.0 may take it for the answer."""
    said = push(gw, SMALL.encode(), "--http1.0", "--header", "Expect: 100-continue")
    assert "100 Continue" not in said
    expect(gw, SMALL)


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_gzipped_body(gw, body):
    push(gw, gzip.compress(body.encode()), "--header", "Content-Encoding: gzip")
    expect(gw, body)


def test_a_file_is_put(gw, tmp_path):
    """--upload-file is PUT, with a length from a file and in chunks from stdin."""
    file = tmp_path / "metrics"
    file.write_text(LARGE)
    (transfers, _) = curl(gw, "--upload-file", str(file), "/metrics/job/c")
    assert [t["http_code"] for t in transfers] == [200]
    expect(gw, LARGE)
    (transfers, said) = curl(gw, "--upload-file", "-", "/metrics/job/c", body=SMALL.encode())
    assert [t["http_code"] for t in transfers] == [200] and "> Transfer-Encoding: chunked" in said
    expect(gw, SMALL)


def test_several_pushes_share_a_connection(gw, tmp_path):
    file = tmp_path / "metrics"
    file.write_text(LARGE)
    paths = [f"/metrics/job/c/shard/{i}" for i in range(10)]
    (transfers, _) = curl(gw, "--data-binary", f"@{file}", *paths)
    assert [(t["http_code"], t["num_connects"]) for t in transfers] == [(200, 1)] + [(200, 0)] * 9
    (transfers, _) = curl(gw, "--request", "DELETE", *paths)
    assert [(t["http_code"], t["num_connects"]) for t in transfers] == [(202, 1)] + [(202, 0)] * 9
    assert scrape(gw).foreign() == []


def test_a_refused_large_body_leaves_the_connection_in_step(gw, tmp_path):
    """The body that was asked for is read, whatever becomes of it."""
    file = tmp_path / "metrics"
    file.write_text(LARGE + "broken\n")
    (transfers, said) = curl(gw, "--data-binary", f"@{file}", "/metrics/job/c", "/metrics/job/c")
    assert [(t["http_code"], t["num_connects"]) for t in transfers] == [(400, 1), (400, 0)]
    assert said.count("< HTTP/1.1 100 Continue") == 2
    push(gw, SMALL.encode())
    expect(gw, SMALL)
