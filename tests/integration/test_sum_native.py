"""Native histograms of summed groups: what scrapes see is what Prometheus makes of the processes' own histograms when it adds them up."""
import json
import math

import pytest

import messages as pb
from gateway import Gateway, eventually
from libraries import go, go_program, metric  # noqa: F401: fixtures
from test_prometheus import Prometheus, versions


class NativePrometheus(Prometheus):
    FLAGS = ["--enable-feature=native-histograms"]


def message(count, total, *native, buckets=(), **more):
    return pb.family("h", pb.HISTOGRAM, pb.histogram(count, total, buckets, pb.native(*native, **more)))


A = message(6, 18.4, 3, 2, [(0, 2), (3, 1)], [1, 1, -1])
A_LATER = message(8, 24, 3, 2, [(0, 2), (3, 2)], [1, 1, 0, -1])
COARSER = message(5, 7.5, 1, 1, [(-3, 1), (2, 2)], [2, -1, 0])
WIDER = message(4, 2, 3, 1, [(-2, 2)], [1, 1], zero_threshold=0.25)
NONE_OBSERVED = message(0, 0, 3, 0, [(0, 0)], [])
NAN = message(7, math.nan, 3, 2, [(0, 2), (3, 1)], [1, 1, -1])
CLASSIC_TOO = message(6, 18.4, 3, 2, [(0, 2), (3, 1)], [1, 1, -1], buckets=[(2, 1), (6, 5)])
PLAIN = pb.family("h", pb.HISTOGRAM, pb.histogram(3, 4, [(2, 1), (6, 3)]))

# What each process says, one after the other, and what of it counts.
SETS = {
    "one": [("a", A)],
    "two": [("a", A), ("b", A)],
    "a retry": [("a", A), ("a", A), ("b", COARSER)],
    "one goes on": [("a", A), ("b", COARSER), ("a", A_LATER)],
    "the lower schema first": [("a", COARSER), ("b", A)],
    "a wider zero bucket": [("a", A), ("b", WIDER)],
    "none observed": [("a", NONE_OBSERVED), ("b", A)],
    "NaN observed": [("a", NAN), ("b", A)],
    "classic buckets, too": [("a", CLASSIC_TOO), ("b", A)],
}
QUERIES = ["histogram_count(%s)", "histogram_sum(%s)", *(f"histogram_quantile({q}, %s)" for q in (0.1, 0.5, 0.9, 1))]


def push(g, path, body):
    r = g.request("POST", path, body, {"Content-Type": pb.CONTENT_TYPE})
    assert r.status == 200, r.text


def push_set(g, name, pushes):
    for source, body in pushes:
        push(g, f"/sum/metrics/job/{name}/pid/{source}", body)
        push(g, f"/metrics/job/each/set/{name}/pid/{source}", body)


def same(a, b):
    return math.isnan(a) and math.isnan(b) or a == pytest.approx(b, rel=1e-12)


PROMETHEUSES = versions()


@pytest.fixture(scope="module", params=PROMETHEUSES)
def pair(request, tmp_path_factory):
    """A gateway with all of the sets, and a Prometheus that scrapes it: the oldest and the newest that there is."""
    directory = tmp_path_factory.mktemp("native")
    with Gateway(database=directory / "t.db") as g:
        for name, pushes in SETS.items():
            push_set(g, name.replace(" ", "-").replace(",", ""), pushes)
        prometheus = NativePrometheus(g, directory, binary=PROMETHEUSES[request.param])
        try:
            yield g, prometheus
        finally:
            prometheus.end()


@pytest.mark.parametrize("name", SETS)
def test_prometheus_adds_up_to_the_same(pair, name):
    _, prometheus = pair
    name = name.replace(" ", "-").replace(",", "")
    for query in QUERIES:
        summed = prometheus.value(query % f'h{{job="{name}"}}')
        added = prometheus.value(query % f'sum(h{{job="each",set="{name}"}})')
        assert same(summed, added), query


def shown(g, job, name="h"):
    """Count, sum and buckets of the native histogram, or of the classic one."""
    (group,) = [x for x in json.loads(g.get("/api/v1/metrics").text)["data"] if x["labels"]["job"] == job]
    (h,) = group[name]["metrics"]
    return h["count"], h["sum"], h.get("buckets")


def test_it_is_the_same_after_a_restart_and_goes_on(database):
    with Gateway(database=database) as g:
        push_set(g, "j", [("a", A), ("b", COARSER)])
        before = shown(g, "j")
        assert before[:2] == ("11", "25.9")
        g.kill()
    with Gateway(database=database) as g:
        assert shown(g, "j") == before
        push(g, "/sum/metrics/job/j/pid/a", A)
        assert shown(g, "j") == before
        assert g.request("DELETE", "/sum/metrics/job/j/pid/a").status == 202
        assert shown(g, "j") == before, "what an ended process counted is still there"
        push(g, "/sum/metrics/job/j/pid/c", A)
        after = shown(g, "j")
        assert after[0] == "17"
        g.kill()
    with Gateway(database=database) as g:
        assert shown(g, "j") == after


def test_increments_are_added(gw):
    for _ in range(3):
        push(gw, "/add/metrics/job/j", A)
    count, _, buckets = shown(gw, "j")
    assert count == "18" and [b[3] for b in buckets] == ["6", "3", "6", "3"]


def test_it_is_hidden_where_one_process_has_none(gw):
    """Its buckets would not add up to its count, for which Prometheus refuses the scrape."""
    push(gw, "/sum/metrics/job/j/pid/a", CLASSIC_TOO)
    assert [b[3] for b in shown(gw, "j")[2]] == ["2", "1", "2", "1"]
    push(gw, "/sum/metrics/job/j/pid/b", PLAIN)
    assert shown(gw, "j")[2] == {"2": "2", "6": "8"}
    push(gw, "/sum/metrics/job/j/pid/b", CLASSIC_TOO)
    assert shown(gw, "j")[2] == {"2": "2", "6": "10"}, "once hidden, it stays so"


def test_what_cannot_be_added_up_is_refused(gw):
    body = pb.family("h", pb.HISTOGRAM, pb.histogram(1, 1, (), pb.native(3, 0, [(2**30, 1)], [1])))
    r = gw.request("POST", "/sum/metrics/job/j/pid/a", body, {"Content-Type": pb.CONTENT_TYPE})
    assert r.status == 400 and "a bucket is beyond all numbers" in r.text
    assert "h_count" not in gw.get("/metrics").text


def test_client_golang(go, tmp_path):  # noqa: F811
    def observed(*values):
        return [metric("native histogram", "batch_seconds", "h", ({}, [str(v) for v in values]))]

    processes = {"1": (0.5, 1, 1, 0, -4), "2": (1, 3, 1000)}
    with Gateway("--push.sum", '{job="summed"}') as g:
        for pid, values in processes.items():
            for job in ("summed", "each"):
                go.accepted(g, "push", job, observed(*values), {"pid": pid})
        count, total, buckets = shown(g, "summed", "batch_seconds")
        assert (count, total) == ("8", "1002.5")
        assert [(float(b[2]), b[3]) for b in buckets if b[0] == 0] == [(0.5, "1"), (1, "3"), (pytest.approx(3, rel=0.1), "1"), (1024, "1")]
        prometheus = NativePrometheus(g, tmp_path)
        try:
            for query in QUERIES:
                summed, added = (prometheus.value(query % f'sum(batch_seconds{{job="{job}"}})') for job in ("summed", "each"))
                assert same(summed, added), query
            eventually(lambda: prometheus.query('histogram_count(batch_seconds{job="summed"}) == 8'), "the count")
        finally:
            prometheus.end()
