"""`tallygate import URL`: what a live Pushgateway holds, copied over HTTP into a database of ours."""
import base64
import gzip
import json
import os
import re
import sqlite3
import subprocess
import threading

import pytest

import messages as pb
from exposition import scrape
from fake_gateway import FakeGateway, answer, groups, series
from gateway import BINARY, Gateway, eventually, parse_logfmt
from go_data import GROUPS, fill, samples
from go_gateway import GoGateway


def run(*args, env=None, cwd=None):
    done = subprocess.run([BINARY, "import", *map(str, args)], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, cwd=cwd, env={**os.environ, "no_proxy": "*", **(env or {})})
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


def imported(url, database, *flags):
    """The pairs of the last log line, and those of the lines about what was left out."""
    done = run(url, f"--persistence.file={database}", *flags)
    assert done.returncode == 0, done.stderr
    *left_out, last = [parse_logfmt(line) for line in done.stderr.splitlines()]
    assert last["msg"] == "imported a live Pushgateway" and last["level"] == "info"
    assert all(x["level"] == "warn" and x["msg"].startswith("not imported: ") for x in left_out)
    return last, left_out


def refused(url, database, *flags):
    """Why nothing was imported; then nothing is in the database."""
    done = run(url, f"--persistence.file={database}", *flags)
    assert done.returncode == 1 and done.stdout == "", done
    last = parse_logfmt(done.stderr.splitlines()[-1])
    assert (last["level"], last["msg"]) == ("error", "nothing has been imported")
    return last["err"]


def groups_in(database):
    return sqlite3.connect(database).execute("SELECT count(*) FROM log WHERE kind = 1").fetchone()[0]


# ---- the real one ----

EXEMPLAR = pb.labels(job="j", instance="") + pb.data(3, pb.double(1, 5) + pb.data(
    2, pb.labels(trace="abc") + pb.double(2, 0.25) + pb.data(3, pb.integer(1, 1700000000))))


@pytest.fixture(scope="module")
def go():
    with GoGateway("--push.disable-consistency-check", database="") as g:
        reply = g.post("j", pb.family("pb_exemplar_total", pb.COUNTER, EXEMPLAR), **{"Content-Type": pb.CONTENT_TYPE})
        assert reply.status == 202
        fill(g)
        yield g


def test_the_scrapes_agree_sample_for_sample(go, database):
    last, left_out = imported(go.url, database)
    assert last["url"] == go.url and last["file"] == str(database)
    assert last["groups"] == str(GROUPS + 2) and int(last["families"]) > 4 * GROUPS
    assert (last["groups_left_out"], last["families_left_out"], left_out) == ("0", "0", [])
    with Gateway(database=database) as g:
        assert samples(g) == samples(go)
        scrape(g)


def by_group(gateway):
    groups = json.loads(gateway.get("/api/v1/metrics").text)["data"]
    return {json.dumps(x["labels"], sort_keys=True): x for x in groups}


def seconds(stamp):
    """Those of the minute: enough to see a time that is not its own."""
    return float(re.search(r":(\d\d(\.\d+)?)(Z|[+-]\d\d:\d\d)$", stamp)[1])


def test_each_family_keeps_its_time_and_each_group_its_state(go, database):
    imported(go.url, database)
    with Gateway(database=database) as g:
        ours, theirs = by_group(g), by_group(go)
    assert ours.keys() == theirs.keys()
    assert {x["last_push_successful"] for x in theirs.values()} == {True, False}
    for key, group in theirs.items():
        assert ours[key]["last_push_successful"] == group["last_push_successful"]
        for name, family in group.items():
            # Ours has the times of these two in the values alone.
            if name in ("labels", "last_push_successful", "push_failure_time_seconds", "push_time_seconds"):
                continue
            assert abs(seconds(ours[key][name]["time_stamp"]) - seconds(family["time_stamp"])) < 1e-5
            assert (ours[key][name]["type"], ours[key][name].get("help")) == (family["type"], family.get("help"))


def test_what_only_the_scrape_shows_comes_over(go, database):
    imported(go.url, database)
    stored = b"".join(body for body, in sqlite3.connect(database).execute("SELECT body FROM log"))
    assert pb.native(3, 3, [(0, 2), (3, 1)], [1, 3, -1]) in stored
    assert EXEMPLAR[-len(pb.labels(trace="abc")) - 20:] in stored, "an exemplar with its time"


def test_without_the_scrape(go, database):
    """An old gateway's API shows a native histogram as one without buckets; that of a new one cannot be taken."""
    last, left_out = imported(go.url, database, "--skip-scrape")
    assert last["groups"] == str(GROUPS + 2)
    native = {"pb_native", "pb_both"}
    assert {x["family"] for x in left_out} in (set(), native) and all(x["err"] for x in left_out)
    with Gateway(database=database) as g:
        mine = [x for x in samples(g) if not re.match(r"(# \w+ )?pb_", x)]
        assert mine == [x for x in samples(go) if not re.match(r"(# \w+ )?pb_", x)]


def test_a_prefix_and_a_telemetry_path(database):
    flags = ["--web.route-prefix=/a/pg", "--web.telemetry-path=/t"]
    with GoGateway(*flags, database="", ready="/a/pg/-/ready") as go:
        assert go.request("PUT", "/a/pg/metrics/job/x", "a 1\n").status == 200
        assert refused(go.url + "/a/pg/", database).endswith("/a/pg/metrics: status 404: see --telemetry-path")
        last, _ = imported(go.url + "/a/pg/", database, "--telemetry-path=/t")
        assert last["url"] == go.url + "/a/pg" and last["groups"] == "1"


def test_a_poisoned_gateway(database):
    """Its scrapes fail, what it holds can still be had."""
    with GoGateway("--push.disable-consistency-check", database="") as go:
        go.put("one", "# TYPE a_total gauge\na_total 1\n")
        go.put("two", "# TYPE a_total counter\na_total 2\nb 2\n")
        go.put("twice/instance@base64/=", "")
        go.put("twice", "c 3\n")
        go.put("named", "labels 7\nlast_push_successful 8\n")
        go.put("last", "e 5\n")
        eventually(lambda: "last" in go.get("/api/v1/metrics").text, "all pushes are applied")
        assert go.get("/metrics").status == 500
        reason = refused(go.url, database)
        assert "its scrapes fail" in reason and "--skip-scrape" in reason
        last, left_out = imported(go.url, database, "--skip-scrape")
    assert (last["groups"], last["groups_left_out"], last["families_left_out"]) == ("5", "1", "1")
    assert sorted(x.get("family", "") for x in left_out) == ["", "a_total"]
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.pushed("b", "two") == 2 and s.pushed("c", "twice") == 3 and s.pushed("e", "last") == 5
        assert s.pushed("labels", "named") == 7 and s.pushed("last_push_successful", "named") == 8


def test_an_empty_gateway(database):
    with GoGateway(database="") as go:
        last, _ = imported(go.url, database)
        assert (last["groups"], last["families"]) == ("0", "0")


# ---- the database ----

@pytest.fixture
def small():
    with FakeGateway({"/api/v1/metrics": groups("a"), "/metrics": series("a")}) as f:
        yield f


def test_the_database_must_be_empty(small, database):
    with Gateway(database=database) as g:
        assert g.put("x", "a 1\n").status == 200
        assert refused(small.url, database) == f"{database} is in use by another process: stop it, or choose another --persistence.file"
    before = database.read_bytes()
    assert refused(small.url, database).startswith(f"{database} holds 1 groups already: ")
    assert database.read_bytes() == before and not small.seen, "before anything is asked of the other gateway"
    with Gateway(database=database) as g:
        assert g.delete("x").status == 202
    assert imported(small.url, database)[0]["groups"] == "1"
    assert refused(small.url, database).startswith(f"{database} holds 1 groups already: "), "not twice"


def test_other_files_are_left_alone(small, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"this is no database\n" * 1000)
    assert str(path) in refused(small.url, path)
    assert path.read_bytes() == b"this is no database\n" * 1000
    assert refused(small.url, tmp_path / "no" / "such").startswith("cannot write ")


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory"])
def test_every_name_is_that_of_a_file(small, tmp_path, name):
    done = run(small.url, f"--persistence.file={name}", cwd=tmp_path)
    assert done.returncode == 0 and groups_in(tmp_path / name) == 1


def test_the_default_database_is_that_of_the_gateway(small, tmp_path):
    done = run(small.url, env={"STATE_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0 and groups_in(tmp_path / "tallygate.db") == 1


def test_the_newer_value_of_a_series_is_taken(small, database):
    imported(small.url, database)
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.pushed("a", "j") == 2 and s.pushed("push_time_seconds", "j") == 1795337872.5


def test_a_series_that_has_gone_meanwhile(database):
    with FakeGateway({"/api/v1/metrics": groups("a", "b"), "/metrics": series("b")}) as f:
        imported(f.url, database)
    with Gateway(database=database) as g:
        assert (scrape(g).pushed("a", "j"), scrape(g).pushed("b", "j")) == (1, 2)


# ---- answers that are none ----

GOOD = groups("a")
JSON = b'{"status":"success","data":[]}'


def cut_chunks(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"5\r\n" + JSON[:5] + b"\r\n")


BAD = {
    "500": ({"/api/v1/metrics": answer(500, b"no")}, "/api/v1/metrics: status 500"),
    "404": ({}, "/api/v1/metrics: status 404"),
    "401": ({"/api/v1/metrics": answer(401, b"Unauthorized\n")}, "/api/v1/metrics: status 401: give user and password as user:password@ in the URL"),
    "204": ({"/api/v1/metrics": answer(204)}, "/api/v1/metrics: status 204"),
    "cut short": ({"/api/v1/metrics": answer(body=JSON[:-5], length=len(JSON))}, "transfer closed with 5 bytes remaining to read"),
    "cut chunks": ({"/api/v1/metrics": cut_chunks}, "/api/v1/metrics: "),
    "closed": ({"/api/v1/metrics": lambda handler: None}, "Empty reply from server"),
    "half of it": ({"/api/v1/metrics": answer(body=JSON[:-5]), "/metrics": series()}, "/api/v1/metrics: no JSON, or cut short"),
    "HTML": ({"/api/v1/metrics": answer(body=b"<html>"), "/metrics": series()}, "/api/v1/metrics: no JSON, or cut short"),
    "other JSON": ({"/api/v1/metrics": answer(body=b'{"data":{}}'), "/metrics": series()},
                   "/api/v1/metrics: not what a Pushgateway answers: no list called data"),
    "nothing": ({"/api/v1/metrics": answer(), "/metrics": series()}, "/api/v1/metrics: no JSON, or cut short"),
    "gzip that is none": ({"/api/v1/metrics": answer(body=JSON, Content_Encoding="gzip")}, "/api/v1/metrics: "),
    "too large": ({"/api/v1/metrics": answer(body=b" " * 5000 + JSON)},
                  "/api/v1/metrics: the answer has more than 2048 bytes: raise --max-response-size"),
    "too large when unpacked": ({"/api/v1/metrics": answer(body=gzip.compress(b" " * 5000 + JSON), Content_Encoding="gzip")},
                                "/api/v1/metrics: the answer has more than 2048 bytes: raise --max-response-size"),
    "a text scrape": ({"/api/v1/metrics": GOOD, "/metrics": answer(body=b"# TYPE a gauge\na 1\n")},
                      "/metrics: damaged or truncated, or no delimited protobuf"),
    "a scrape cut short": ({"/api/v1/metrics": GOOD, "/metrics": answer(body=pb.family("a", pb.GAUGE, pb.gauge(1))[:-3])},
                           "/metrics: damaged or truncated, or no delimited protobuf"),
    "a scrape that is too large": ({"/api/v1/metrics": GOOD, "/metrics": answer(body=b"x" * 5000)},
                                   "/metrics: the answer has more than 2048 bytes: raise --max-response-size"),
    "no scrape": ({"/api/v1/metrics": GOOD}, "/metrics: status 404: see --telemetry-path"),
    "a scrape that fails": ({"/api/v1/metrics": GOOD, "/metrics": answer(500)}, "with --skip-scrape"),
    "redirects without end": ({"/api/v1/metrics": answer(302, Location="/api/v1/metrics")}, "Maximum (5) redirects followed"),
    "redirect to a file": ({"/api/v1/metrics": answer(302, Location="file:///etc/passwd")}, "Protocol \"file\""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_answers(database, name):
    routes, reason = BAD[name]
    with FakeGateway(routes) as f:
        got = refused(f.url, database, "--max-response-size=2KiB")
    assert reason in got, got
    assert groups_in(database) == 0


def test_an_answer_that_does_not_come(database):
    done = threading.Event()
    with FakeGateway({"/api/v1/metrics": lambda handler: done.wait(60)}) as f:
        reason = refused(f.url, database, "--timeout=300ms")
        done.set()
    assert "timed out" in reason and reason.endswith(": raise --timeout")


def test_nobody_there(database):
    assert "Couldn't connect to server" in refused("http://127.0.0.1:1", database)
    assert groups_in(database) == 0


# ---- the URL ----

def test_forms_of_the_url(small, database, tmp_path):
    for i, url in enumerate([f"127.0.0.1:{small.port}", small.url + "/", small.url + "/?a=b#c", small.url.upper()]):
        assert imported(url, tmp_path / str(i))[0]["url"] == small.url
    for url in ("ftp://127.0.0.1", "http://", "http://a b", ""):
        assert refused(url, database).startswith("not the URL of a gateway")
        assert not database.exists()


def test_a_redirect_is_followed(small, database):
    with FakeGateway({f"/x{p}": answer(301, Location=small.url + p) for p in ("/api/v1/metrics", "/metrics")}) as f:
        assert imported(f.url + "/x", database)[0]["groups"] == "1"


def test_basic_authentication(database):
    wanted = "Basic " + base64.b64encode(b"me:p@ss").decode()

    def guarded(inner):
        return lambda handler: (inner if handler.headers["Authorization"] == wanted else answer(401))(handler)

    with FakeGateway({"/api/v1/metrics": guarded(GOOD), "/metrics": guarded(series("a"))}) as f:
        url = f"http://me:p%40ss@127.0.0.1:{f.port}"
        assert imported(url, database)[0]["url"] == f.url
        done = run(url.replace("p%40ss", "wr0ng"), f"--persistence.file={database.with_name('other')}")
        assert done.returncode == 1 and "status 401" in done.stderr and "wr0ng" not in done.stderr


def test_the_password_is_for_the_first_host_only(small, database):
    with FakeGateway({p: answer(302, Location=f"http://localhost:{small.port}{p}") for p in ("/api/v1/metrics", "/metrics")}) as f:
        imported(f"http://me:secret@127.0.0.1:{f.port}", database)
        assert all("Authorization" in headers for _, headers in f.seen) and len(f.seen) == 2
        assert all(headers["User-Agent"] == "Tallygate" for _, headers in f.seen)
    assert len(small.seen) == 2 and not any("Authorization" in headers for _, headers in small.seen)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def test_https(small, certificate, database):
    routes = {"/api/v1/metrics": GOOD, "/metrics": series("a"), "/down/api/v1/metrics": answer(302, Location=small.url + "/api/v1/metrics")}
    with FakeGateway(routes, certificate) as f:
        assert "certificate" in refused(f.url, database), "nobody vouches for it"
        assert "redirected from https to http" in refused(f.url + "/down", database, f"--ca-file={certificate[0]}")
        # Nor after a hop to https.
        with FakeGateway({"/api/v1/metrics": answer(302, Location=f.url + "/down/api/v1/metrics")}) as first:
            assert "redirected from https to http" in refused(first.url, database, f"--ca-file={certificate[0]}")
        assert not small.seen
        assert imported(f.url, database, f"--ca-file={certificate[0]}")[0]["url"] == f.url


# ---- the command line ----

def test_the_command_line():
    name = os.path.basename(BINARY)
    done = run("--help")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {name} import <url> [<flags>]\n\n") and not done.stderr
    for args, reason in {(): "required argument 'url' not provided", ("a", "b"): "unexpected b",
                         ("a", "--persistence.file="): "--persistence.file is empty: expected the database to import into",
                         ("a", "--nonsense"): "unknown long flag '--nonsense'",
                         ("a", "--timeout=0s"): 'invalid value "0s" for --timeout: expected a duration like 90s, 5m or 1h30m, '
                                                  "from 1ms to 24h0m0s"}.items():
        done = run(*args)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"{name}: error: {reason}, try {name} import --help\n"
