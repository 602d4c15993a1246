"""client_golang's push package and npm's prom-client against the gateway: what they pushed is what the scrape shows."""
import base64
import json
import re

import pytest

import libraries
from exposition import Scrape, promtool, scrape
from gateway import Gateway
from libraries import go, go_program, go_text, library, metric, node  # noqa: F401: fixtures

pytestmark = pytest.mark.sanitized
TIMES = ("push_time_seconds", "push_failure_time_seconds")
DURATIONS = [0.1, 0.5, 1, 5]
METRICS = [
    metric("counter", "batch_rows_total", 'Rows "read"\nof a \\ table', ({"table": "users", "zone": "a"}, ["1", "2.5"]),
           ({"table": 'é/✓ "x"\\\n{}', "zone": ""}, ["3"])),
    metric("gauge", "batch_values", "Values that are hard to write", ({"n": "nan"}, ["NaN"]), ({"n": "inf"}, ["Infinity"]),
           ({"n": "-inf"}, ["-Infinity"]), ({"n": "max"}, ["1.7976931348623157e308"]), ({"n": "min"}, ["5e-324"]),
           ({"n": "digits"}, ["0.30000000000000004"]), ({"n": "integer"}, ["9007199254740991"]),
           ({"n": "negative"}, ["-1.5e-7"]), ({"n": "large"}, ["1e21"])),
    metric("gauge", "batch_no_labels", "One series", ({}, ["42"])),
    metric("histogram", "batch_seconds", "Durations", ({"step": "load"}, ["0.05", "0.5", "7"]), ({"step": "save"}, ["1"]),
           bounds=DURATIONS),
    metric("summary", "batch_bytes", "Sizes", ({"step": "load"}, ["10", "20", "30"]), ({"step": "save"}, ["1e6"]),
           bounds=[0.5, 0.9]),
]
LESS = [metric("gauge", "batch_no_labels", "One series", ({}, ["43"]))]
WRONG = [metric("counter", "batch_no_labels", "One series", ({}, ["44"]))]


def seen(s, **added):
    """{(sample, its labels): value} and the families' types and helps. A value is text: NaN is not itself."""
    samples = {(name, frozenset({**dict(labels), **added}.items())): repr(value)
               for (name, labels), value in s.samples.items()}
    return samples, {name: (f.type, f.documentation) for name, f in s.families.items()}


def of_job(s, job):
    """The same of what a scrape shows of a job, without the times that the gateway adds."""
    samples, families = seen(s)
    samples = {key: v for key, v in samples.items() if ("job", job) in key[1] and key[0] not in TIMES}
    return samples, {name: f for name, f in families.items() if not name.startswith(("process_", "pushgateway_", *TIMES))}


def expect(gateway, pushed, job, **key):
    """Sample for sample."""
    key.setdefault("instance", "")
    s = scrape(gateway)
    assert of_job(s, job) == seen(Scrape(pushed), job=job, **key)
    assert s.pushed("push_time_seconds", job, **key) > s.pushed("push_failure_time_seconds", job, **key) == 0
    return s


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("key", [{}, {"instance": "host-1:80", "shard": "7"}], ids=["job", "grouping"])
def test_every_sample_arrives(gw, library, key, zipped):
    s = expect(gw, library.accepted(gw, "push", "batch", METRICS, key, Gzip=zipped), "batch", **key)
    assert s.pushed("batch_rows_total", "batch", table="users", zone="a", **key) == 3.5
    assert [s.pushed("batch_seconds_bucket", "batch", step="load", le=le, **key)
            for le in ("0.1", "0.5", "1", "5", "+Inf")] == [1, 2, 2, 2, 3]
    assert s.pushed("batch_bytes_sum", "batch", step="load", **key) == 60
    assert [x for x in promtool(s.text) if "batch_values" not in x] == []


def test_push_replaces_add_merges_delete_drops(gw, library):
    key = {"instance": "i", "shard": "7"}
    library.accepted(gw, "push", "other", METRICS)
    expect(gw, library.accepted(gw, "push", "batch", METRICS, key), "batch", **key)
    less = library.accepted(gw, "pushAdd", "batch", LESS, key)
    s = scrape(gw)
    assert s.pushed("batch_no_labels", "batch", **key) == 43
    assert s.pushed("batch_rows_total", "batch", table="users", zone="a", **key) == 3.5
    assert library.accepted(gw, "push", "batch", LESS, key) == less
    assert of_job(scrape(gw), "batch")[0] == seen(Scrape(less), job="batch", **key)[0]
    library.accepted(gw, "delete", "batch", (), key)
    s = scrape(gw)
    assert s.pushed("push_time_seconds", "batch", **key) is None and of_job(s, "batch")[0] == {}
    assert s.pushed("batch_no_labels", "other") == 42
    library.accepted(gw, "delete", "batch", (), key)  # of what is not there


def test_an_empty_push_empties_the_group(gw, library):
    library.accepted(gw, "push", "batch", METRICS)
    assert library.accepted(gw, "push", "batch").strip() == ""
    s = scrape(gw)
    assert of_job(s, "batch")[0] == {} and s.pushed("push_time_seconds", "batch") > 0


# job and key as the program has them; what the gateway takes them for where that is another.
KEYS = {
    "utf-8": ("jöb", {"what": "é✓"}),
    "url": ("a%2Fb", {"what": "x?c=d&e#f%zz"}),
    "plus": ("a+b", {"what": "+"}),
    "dots": ("a..b", {"what": ".c."}),
    "quotes": ('"j"', {"what": 'a\\b"c\nd'}),
    "empty value": ("j", {"what": ""}),
    "empty instance": ("j", {"instance": ""}),
    "long": ("j" * 500, {"what": "é" * 2000}),
}


def push_and_delete(gw, library, job, key, job_seen, key_seen):
    pushed = library.accepted(gw, "push", job, METRICS, key)
    expect(gw, pushed, job_seen, **key_seen)
    library.accepted(gw, "delete", job, (), key)
    assert scrape(gw).foreign() == []


@pytest.mark.parametrize("name", KEYS)
def test_keys_that_need_encoding(gw, library, name):
    job, key = KEYS[name]
    push_and_delete(gw, library, job, key, job, key)


@pytest.mark.parametrize("job,key", [
    ("my/job", {"path": "/var/tmp", "x": "a//b/", "y": ""}), ("/", {"path": "/ÿþ~~~???>>>", "z": "/" * 2000})])
def test_go_encodes_slashes(gw, go, job, key):
    push_and_delete(gw, go, job, key, job, key)


def test_go_writes_a_space_as_plus(gw, go):
    """As in a form, which a path is not: the Go gateway keeps the plus, and so do we."""
    push_and_delete(gw, go, "a b", {"what": "c d"}, "a+b", {"what": "c+d"})


def test_node_takes_base64_from_its_user(gw, node):
    """It encodes no slash in a way that arrives."""
    assert "400" in node.refused(gw, "push", "j", METRICS, {"path": "a/b"})
    push_and_delete(gw, node, "a b", {"path@base64": "L3Zhci90bXA", "none@base64": "="}, "a b", {"path": "/var/tmp", "none": ""})


def test_the_program_hears_of_a_refusal(gw, library):
    pushed = library.accepted(gw, "push", "batch", METRICS)
    assert re.search(r"(?s)400.*inconsistent", library.refused(gw, "pushAdd", "second", WRONG))
    assert "400" in library.refused(gw, "push", "batch", METRICS, {"__reserved__": "x"})
    s = expect(gw, pushed, "batch")
    assert s.pushed("push_failure_time_seconds", "second") > s.pushed("push_time_seconds", "second") == 0


def test_many_pushes_on_one_connection(gw, library):
    def request(action, i):
        return {"Action": action, "Job": "batch", "Metrics": METRICS, "Grouping": {"shard": str(i)}}

    requests = [request(action, i) for i in range(20) for action in ("push", "pushAdd")]
    results, connections = library.requests(gw, [*requests, *(request("delete", i) for i in range(0, 20, 2))])
    assert {r["error"] for r in results} == {""}
    assert connections == 1
    expected = {}
    for i in range(1, 20, 2):
        expected.update(seen(Scrape(results[0]["pushed"]), job="batch", instance="", shard=str(i))[0])
    assert of_job(scrape(gw), "batch")[0] == expected


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_a_large_push(gw, library, zipped):
    """20,000 series, more than one read of a socket."""
    large = [metric("gauge", "batch_cells", "Cells", *(({"x": str(i % 200), "y": str(i // 200)}, [str(i / 7)]) for i in range(20000)))]
    pushed = library.accepted(gw, "push", "batch", large, Gzip=zipped)
    assert pushed.count("\n") >= 20000
    expect(gw, pushed, "batch")


def test_what_only_protobuf_holds(go):
    """Native buckets and exemplars of client_golang."""
    metrics = [metric("native histogram", "batch_seconds", "h", ({}, ["0.5", "1", "1", "0", "-4"])),
               metric("counter with exemplars", "batch_rows_total", "c", ({"table": "users"}, ["3"]))]
    with Gateway("--web.enable-openmetrics") as g:
        go.accepted(g, "push", "batch", metrics)
        (group,) = json.loads(g.get("/api/v1/metrics").text)["data"]
        (histogram,) = group["batch_seconds"]["metrics"]
        # At a growth of 2^(1/8) a bucket (schema 3) ends at each power of two, with what is equal in it.
        assert [(float(b[2]), b[3]) for b in histogram["buckets"] if b[0] == 0] == [(0.5, "1"), (1, "2")]
        assert [(b[0], float(b[1]), b[3]) for b in histogram["buckets"] if b[0] != 0] == [(1, -4, "1"), (3, pytest.approx(-2**-128), "1")]
        text = g.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
        assert re.search(r'\nbatch_rows_total\{instance="",job="batch",table="users"\} 3(\.0)? # \{trace="t1"\} 3(\.0)? \d', text)


def test_node_in_openmetrics_mode(gw, node):
    """It names no type, so that it is read as text 0.0.4: a counter's `_total` has none."""
    pushed = node.accepted(gw, "push", "batch", METRICS, Format=libraries.OPENMETRICS)
    assert of_job(scrape(gw), "batch")[0] == seen(Scrape(pushed), job="batch", instance="")[0]


class Guarded(Gateway):
    """One that wants a name and a password; its own requests bring them."""

    def __init__(self, directory):
        file = directory / "web.yml"
        file.write_text("basic_auth_users:\n  batch: $2b$04$FL.HgiZaqwNt8VnvV0JDSu6/qqHdSJ704Llt4bBJBevL42SWjeovm\n")
        super().__init__(f"--web.config.file={file}")

    def request(self, method, path, body=None, headers=None, connection=None):
        plain = base64.b64encode("batch:opened/é:".encode()).decode()
        return super().request(method, path, body, {**(headers or {}), "Authorization": f"Basic {plain}"}, connection)


def test_basic_auth(tmp_path, library):
    with Guarded(tmp_path) as g:
        assert "401" in library.refused(g, "push", "batch", METRICS)
        assert "401" in library.refused(g, "push", "batch", METRICS, User="batch", Password="wrong")
        assert "401" in library.refused(g, "delete", "batch", User="other", Password="opened/é:")
        assert scrape(g).foreign() == []
        auth = {"User": "batch", "Password": "opened/é:"}
        expect(g, library.accepted(g, "push", "batch", METRICS, **auth), "batch")
        expect(g, library.accepted(g, "pushAdd", "batch", METRICS, Gzip=True, **auth), "batch")
        assert "401" in library.refused(g, "delete", "batch")
        library.accepted(g, "delete", "batch", **auth)
        assert scrape(g).foreign() == []
