"""Pushes of delimited protobuf, as the Go, Java and Rust clients send them."""
import contextlib
import itertools
import random
import sqlite3

import pytest

import messages as pb
from exposition import promtool, scrape
from gateway import Gateway


def put(gateway, job, body):
    return gateway.request("PUT", "/metrics/job/" + job, body, {"Content-Type": pb.CONTENT_TYPE})


EVERYTHING = b"".join([
    pb.family("c_total", pb.COUNTER, pb.counter(3, a="b"), help="a counter"),
    pb.family("g", pb.GAUGE, pb.gauge(-1.5), help="a gauge"),
    pb.family("u", pb.UNTYPED, pb.untyped(7), help="an untyped"),
    pb.family("s", pb.SUMMARY, pb.summary(4, 1e10, [(0.5, 1), (0.99, float("nan"))]), help="a summary"),
    pb.family("h", pb.HISTOGRAM, pb.histogram(3, 2.5, [(1, 1), (2, 2)]), help="a histogram"),
    pb.family("n", pb.HISTOGRAM, pb.histogram(6, 18.4, (), pb.native(3, 2, [(0, 2), (3, 1)], [1, 1, -1])),
              help="a native histogram"),
])

EXPOSED = """\
# HELP c_total a counter
# TYPE c_total counter
c_total{a="b",instance="",job="p"} 3
# HELP g a gauge
# TYPE g gauge
g{instance="",job="p"} -1.5
# HELP h a histogram
# TYPE h histogram
h_bucket{instance="",job="p",le="1"} 1
h_bucket{instance="",job="p",le="2"} 2
h_bucket{instance="",job="p",le="+Inf"} 3
h_sum{instance="",job="p"} 2.5
h_count{instance="",job="p"} 3
# HELP n a native histogram
# TYPE n histogram
n_bucket{instance="",job="p",le="+Inf"} 6
n_sum{instance="",job="p"} 18.4
n_count{instance="",job="p"} 6
"""

MORE = """\
# HELP s a summary
# TYPE s summary
s{instance="",job="p",quantile="0.5"} 1
s{instance="",job="p",quantile="0.99"} NaN
s_sum{instance="",job="p"} 1e+10
s_count{instance="",job="p"} 4
# HELP u an untyped
# TYPE u untyped
u{instance="",job="p"} 7
"""


def test_every_type_is_exposed_as_text(gw):
    assert put(gw, "p", EVERYTHING).status == 200
    s = scrape(gw)
    assert EXPOSED in s.text and MORE in s.text
    assert promtool(s.text) == []


def test_a_native_histogram_is_kept_whole(database):
    """Text shows only its sum and count; what is stored has to be what was pushed."""
    with Gateway(database=database) as g:
        put(g, "p", EVERYTHING)
        before = [x for x in scrape(g).foreign() if "push_" not in x]
        g.kill()
    with contextlib.closing(sqlite3.connect(database)) as db:
        stored = b"".join(body for body, in db.execute("SELECT body FROM log"))
    assert pb.native(3, 2, [(0, 2), (3, 1)], [1, 1, -1]) in stored
    with Gateway(database=database) as g:
        assert [x for x in scrape(g).foreign() if "push_" not in x] == before


def test_text_and_protobuf_are_one_model(gw):
    put(gw, "p", pb.family("a_total", pb.COUNTER, pb.counter(1)))
    assert gw.put("t", "# TYPE a_total counter\na_total 2\n").status == 200
    assert gw.put("wrong", "# TYPE a_total gauge\na_total 2\n").status == 400
    assert put(gw, "wrong", pb.family("a_total", pb.GAUGE, pb.gauge(1))).status == 400
    s = scrape(gw)
    assert s.pushed("a_total", "p") == 1 and s.pushed("a_total", "t") == 2


@pytest.mark.parametrize("content_type", [
    "APPLICATION/vnd.google.PROTOBUF; Proto=io.prometheus.client.MetricFamily; Encoding=delimited",
    'application/vnd.google.protobuf; proto="io.prometheus.client.MetricFamily"; encoding="delimited"; escaping=underscores'])
def test_spellings_of_the_type(shared, content_type):
    reply = shared.request("PUT", "/metrics/job/t", pb.family("a", pb.GAUGE, pb.gauge(1)), {"Content-Type": content_type})
    assert reply.status == 200


@pytest.mark.parametrize("content_type", [
    "", "application/x-www-form-urlencoded", "text/plain", "nonsense;;;",
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=DELIMITED",
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text"])
def test_anything_else_is_text(shared, content_type):
    assert shared.request("PUT", "/metrics/job/a", "text 1\n", {"Content-Type": content_type}).status == 200
    assert shared.request("PUT", "/metrics/job/b", GOOD, {"Content-Type": content_type}).status == 400


GOOD = pb.family("a", pb.GAUGE, pb.gauge(1))

MALFORMED = {
    "cut in the message": (GOOD[:-1], "unexpected EOF"),
    "cut in the length": (GOOD + b"\x80", "unexpected EOF"),
    "4 GB announced": (b"\xff\xff\xff\xff\x0f", "unexpected EOF"),
    "2^63 announced": (b"\xff" * 8 + b"\x7f", "unexpected EOF"),
    "length without end": (b"\xff" * 11, "proto: variable length integer overflow"),
    "wire type 7": (b"\x01\x0f", "proto: cannot parse invalid wire-format data"),
    "group never ended": (b"\x01\x0b", "proto: cannot parse invalid wire-format data"),
    "inner length too long": (pb.delimited(b"\x0a\x7fa"), "proto: cannot parse invalid wire-format data"),
    "field number 0": (pb.delimited(b"\x00\x01"), "proto: cannot parse invalid wire-format data"),
    "text": (b"a 1\n", ""),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(shared, name):
    body, reason = MALFORMED[name]
    reply = put(shared, "malformed", body)
    assert reply.status == 400
    assert reply.text.startswith(reason) and reply.text.count("\n") == 1
    assert scrape(shared).pushed("push_time_seconds", "malformed") is None


CASES = {
    "empty": (b"", 200),
    "one empty message": (b"\x00", 200),
    "family without metrics": (pb.family("a", pb.GAUGE), 200),
    "no type is a counter": (pb.family("b_total", None, pb.counter(1)), 200),
    "gauge without a value": (pb.family("g", pb.GAUGE, pb.data(2, b"")), 200),
    "two kinds of value": (pb.family("g2", pb.GAUGE, pb.gauge(1) + pb.data(3, pb.double(1, 2))), 200),
    "no value of its type": (pb.family("g3", pb.GAUGE, pb.counter(1)), 400),
    "timestamp": (pb.family("g4", pb.GAUGE, pb.gauge(1) + pb.integer(6, 0)), 400),
    "unknown fields": (pb.delimited(pb.message("g5", pb.GAUGE, pb.gauge(1) + pb.data(99, "x")) + pb.integer(77, 1)), 200),
    "label without a value": (pb.family("g6", pb.GAUGE, pb.data(1, pb.data(1, "x")) + pb.data(2, pb.double(1, 1))), 200),
    "label twice": (pb.family("g7", pb.GAUGE, pb.labels(x="1") + pb.gauge(1, x="2")), 400),
    "label __x": (pb.family("g8", pb.GAUGE, pb.gauge(1, __x="2")), 400),
    "label not UTF-8": (pb.family("g9", pb.GAUGE, pb.data(1, pb.data(1, "x") + pb.data(2, b"\xff")) + pb.gauge(1)), 400),
    "quantile on a summary": (pb.family("s", pb.SUMMARY, pb.summary(1, 1, quantile="1")), 400),
    "series twice": (pb.family("g10", pb.GAUGE, pb.gauge(1), pb.gauge(2)), 400),
    "same family twice": (pb.family("g11", pb.GAUGE, pb.gauge(1)) + pb.family("g11", pb.GAUGE, pb.gauge(2)), 200),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_message_may_hold(shared, name):
    body, status = CASES[name]
    reply = put(shared, "cases", body)
    assert reply.status == status, reply
    s = scrape(shared)
    if name == "same family twice":
        assert s.pushed("g11", "cases") == 2, "the last one replaces the earlier one"


def test_names_of_other_alphabets_are_escaped(gw):
    assert put(gw, "p", pb.family("my.metric", pb.GAUGE, pb.gauge(1, **{"la bel": "x"}))).status == 200
    assert scrape(gw).pushed("my_metric", "p", la_bel="x") == 1


def test_bytes_at_random_never_break_a_scrape(shared):
    rng = random.Random(20)
    for i in range(300):
        body = bytearray(EVERYTHING)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(body))
            body[at:at + rng.randrange(3)] = bytes(rng.randrange(256) for _ in range(rng.randrange(3)))
        assert put(shared, f"random{i % 7}", bytes(body)).status in (200, 400), bytes(body)
        if i % 20 == 19:
            scrape(shared)


def test_every_cut_of_a_push_is_refused_or_whole(shared):
    ends = list(itertools.accumulate(len(pb.family("a", pb.GAUGE, pb.gauge(1))) for _ in range(3)))
    body = b"".join(pb.family(name, pb.GAUGE, pb.gauge(1)) for name in "abc")
    for cut in range(len(body) + 1):
        expected = 200 if cut in [0, *ends] else 400
        assert put(shared, "cut", body[:cut]).status == expected, cut
