"""Scrapes in every format and escaping, pushes of OpenMetrics, and a Prometheus that asks for protobuf."""
import gzip

import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import messages as pb
from gateway import Gateway, eventually
from test_prometheus import Prometheus

PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
ESCAPINGS = ("underscores", "allow-utf-8", "dots", "values")


@pytest.fixture(scope="module")
def gateway():
    with Gateway("--push.enable-utf8-names", "--web.enable-openmetrics") as g:
        yield g


@pytest.fixture(autouse=True)
def empty(gateway):
    yield
    for key in ("f", "g", "f/U__my_2e_label/v"):
        assert gateway.delete(key).status == 202


def scrape(gateway, accept, **headers):
    r = gateway.request("GET", "/metrics", headers={"Accept": accept, **headers})
    assert r.status == 200, r
    return r


def put_proto(gateway, key, body):
    r = gateway.request("PUT", "/metrics/job/" + key, body, {"Content-Type": pb.CONTENT_TYPE})
    assert r.status == 200, r


def fields(message):
    """[(number, value)]: integers, 8 bytes as they are, bytes."""
    found, at = [], 0

    def varint():
        nonlocal at
        n = shift = 0
        while True:
            byte = message[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
            continue
        size = 8 if tag & 7 == 1 else varint()
        assert tag & 7 in (1, 2) and at + size <= len(message)
        found.append((tag >> 3, message[at:at + size]))
        at += size
    return found


def delimited(body):
    """{name: message} of a delimited scrape; each name occurs once."""
    messages = list(split(body))
    names = [dict(fields(m))[1].decode() for m in messages]
    assert len(names) == len(set(names))
    return dict(zip(names, messages))


def split(body):
    at = 0
    while at < len(body):
        n = shift = 0
        while True:
            byte = body[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        assert at + n <= len(body)
        yield body[at:at + n]
        at += n


def pushed(body):
    """Of a scrape in whatever format, the families before the times of the groups."""
    return body[:body.index(b"push_failure_time_seconds")]


def metrics(message):
    return [m for number, m in fields(message) if number == 4]


def label_pairs(metric):
    return [tuple(v.decode() for _, v in fields(x)) for number, x in fields(metric) if number == 1]


EXEMPLAR = pb.data(1, pb.data(1, "trace_id") + pb.data(2, "abc")) + pb.double(2, 0.5) + pb.data(3, pb.integer(1, 1600000000))
NATIVE = pb.native(3, 2, [(0, 2), (3, 1)], [1, 1, -1])
EVERYTHING = b"".join([
    pb.family("c_total", pb.COUNTER, pb.data(3, pb.double(1, 3) + pb.data(2, EXEMPLAR)
                                             + pb.data(3, pb.integer(1, 1500000000))), help='a "counter"'),
    pb.family("n", pb.HISTOGRAM, pb.histogram(6, 18.4, (), NATIVE + pb.data(16, EXEMPLAR))),
    pb.family("plain_counter", pb.COUNTER, pb.counter(5) + pb.integer(99, 7)),
    pb.family("s", pb.SUMMARY, pb.summary(4, 10, [(0.5, 1)])),
    pb.family("my.metric", pb.GAUGE, pb.gauge(1, **{"la bel": "x"})),
])


def test_delimited_protobuf_keeps_all_that_was_pushed(gateway):
    put_proto(gateway, "f", EVERYTHING)
    gateway.put("g", "# HELP c_total another\n# TYPE c_total counter\nc_total 4\nt_1 1\n")
    r = scrape(gateway, PROTO + "delimited")
    assert r.headers["Content-Type"] == PROTO + "delimited; escaping=underscores"
    found = delimited(r.body)
    ((_, histogram),) = [x for x in fields(metrics(found["n"])[0]) if x[0] == 7]
    assert (pb.integer(1, 6) + pb.double(2, 18.4) + NATIVE + pb.data(16, EXEMPLAR)) == histogram
    values = [dict(fields(dict(fields(m))[3])) for m in metrics(found["c_total"])]
    assert sorted(v[1] for v in values) == sorted(pb.double(1, x)[1:] for x in (3, 4))
    assert [v.get(2) for v in values if 2 in v] == [EXEMPLAR]
    assert {number for number, _ in fields(metrics(found["plain_counter"])[0])} == {1, 3}, "not what nobody here knows"
    assert label_pairs(metrics(found["t_1"])[0]) == [("instance", ""), ("job", "g")]
    assert "pushgateway_build_info" in found and "push_time_seconds" in found
    assert dict(fields(found["process_open_fds"]))[3] == pb.GAUGE
    assert scrape(gateway, PROTO + "delimited").body.count(NATIVE) == 1, "again, now as it is kept"


def test_a_kept_page_changes_with_what_is_pushed(gateway):
    for i in range(3):
        put_proto(gateway, "f", pb.family("n", pb.HISTOGRAM, pb.histogram(i, 1, [(1, i)])))
        found = delimited(scrape(gateway, PROTO + "delimited").body)
        assert dict(fields(dict(fields(metrics(found["n"])[0]))[7]))[1] == i
        gateway.put("g", f"g_1 {i}\n")
        assert f'g_1{{instance="",job="g"}} {i}\n' in scrape(gateway, TEXT + "; escaping=values").text


@pytest.mark.parametrize("accept", [PROTO + "delimited", PROTO + "text", PROTO + "compact-text", OPENMETRICS, "text/plain; version=0.0.4"])
def test_what_is_kept_for_scrapes_shows_nowhere(accept):
    """After each change a gateway that has been scraped shows what one shows that never was: only a type changes, or a value."""
    bodies = [f"# TYPE m {t}\nm{{n=\"1\"}} {v}\nm{{n=\"2\"}} 1\n" for t in ("counter", "gauge", "untyped", "counter") for v in (1, 2, 1)]
    with Gateway("--web.enable-openmetrics", database="") as kept:
        for body in bodies:
            with Gateway("--web.enable-openmetrics", database="") as fresh:
                for gw in kept, fresh:
                    assert gw.put("a", body).status == 200
                want, got = (pushed(gw.request("GET", "/metrics?own=0", headers={"Accept": accept}).body) for gw in (fresh, kept))
                assert got == want and b"m" in got, body


@pytest.mark.parametrize("accept", [PROTO + "delimited", PROTO + "text", PROTO + "compact-text", OPENMETRICS,
                                    "text/plain; escaping=allow-utf-8"])
def test_compressed_is_the_same(gateway, accept):
    put_proto(gateway, "f", EVERYTHING)
    gateway.put("g", "".join(f'big{{x="{i}"}} {i}\n' for i in range(20000)))
    def stable(body):
        return [x for x in body.split(b"\n") if b"process_" not in x and b"pushgateway_" not in x]
    # Each as it is made, and then as it is kept.
    for _ in range(2):
        packed = gzip.decompress(scrape(gateway, accept, **{"Accept-Encoding": "gzip"}).body)
        plain = scrape(gateway, accept).body
        if accept.endswith("text") or "text/" in accept:
            assert stable(packed) == stable(plain) or accept == PROTO + "text"
        elif "delimited" in accept:
            assert delimited(packed)["big"] == delimited(plain)["big"]
        if accept == OPENMETRICS:
            assert packed.endswith(b"# EOF\n") and plain.endswith(b"# EOF\n")


@pytest.mark.parametrize("escaping, name, label, key", [
    ("underscores", "my_metric", "la_bel", "my_label"),
    ("allow-utf-8", '"my.metric"', '"la bel"', '"my.label"'),
    ("dots", "my_dot_metric", "la__bel", "my_dot_label"),
    ("values", "U__my_2e_metric", "U__la_20_bel", "U__my_2e_label"),
])
def test_names_are_escaped_as_asked(gateway, escaping, name, label, key):
    put_proto(gateway, "f/U__my_2e_label/v", EVERYTHING)
    r = scrape(gateway, "text/plain; escaping=" + escaping)
    assert r.headers["Content-Type"] == f"{TEXT}; escaping={escaping}"
    order = [("instance", ""), ("job", "f"), (label, "x"), (key, "v")]
    inside = ",".join(f'{n}="{v}"' for n, v in order)
    line = f"{{{name},{inside}}} 1" if escaping == "allow-utf-8" else f"{name}{{{inside}}} 1"
    lines = r.text.split("\n")
    assert f"# TYPE {name} gauge" in lines and line in lines
    assert f'push_failure_time_seconds{{instance="",job="f",{key}="v"}} 0' in lines
    assert f'c_total{{instance="",job="f",{key}="v"}} 3' in lines

    found = delimited(scrape(gateway, PROTO + "delimited; escaping=" + escaping).body)
    metric = metrics(found[name.strip('"')])[0]
    assert label_pairs(metric) == [(n.strip('"'), v) for n, v in order]
    compact = scrape(gateway, PROTO + "compact-text; escaping=" + escaping)
    assert f'name:"{name.strip(chr(34))}" type:GAUGE metric:{{label:{{name:"instance" value:""}}' in compact.text


def test_debug_formats(gateway):
    put_proto(gateway, "f", EVERYTHING)
    text = scrape(gateway, PROTO + "text")
    assert text.headers["Content-Type"] == PROTO + "text; escaping=underscores"
    (family,) = [x for x in text.text.split("\n\n") if x.startswith('name: "s"')]
    assert family == """\
name: "s"
type: SUMMARY
metric: {
  label: {
    name: "instance"
    value: ""
  }
  label: {
    name: "job"
    value: "f"
  }
  summary: {
    sample_count: 4
    sample_sum: 10
    quantile: {
      quantile: 0.5
      value: 1
    }
  }
}"""
    compact = scrape(gateway, PROTO + "compact-text")
    assert ('name:"s" type:SUMMARY metric:{label:{name:"instance" value:""} label:{name:"job" value:"f"} summary:{'
            'sample_count:4 sample_sum:10 quantile:{quantile:0.5 value:1}}}') in compact.text.split("\n")


def families(text):
    return {f.name: f for f in text_string_to_metric_families(text)}


def test_openmetrics_is_valid_and_renames_nothing(gateway):
    put_proto(gateway, "f", EVERYTHING)
    gateway.put("g", "# TYPE d counter\nd 1\n# TYPE e_total counter\ne_total 1\n# TYPE e gauge\ne 1\n# TYPE h histogram\n"
                     'h_bucket{le="1"} 1\nh_sum 1\nh_count 2\nu 7\n')
    r = scrape(gateway, OPENMETRICS)
    assert r.headers["Content-Type"] == OPENMETRICS + "; charset=utf-8; escaping=underscores"
    assert r.text.endswith("\n# EOF\n")
    found = families(r.text)
    assert [(s.name, s.value) for s in found["c"].samples] == [("c_total", 3), ("c_created", 1500000000)]
    exemplar = found["c"].samples[0].exemplar
    assert (exemplar.labels, exemplar.value, float(exemplar.timestamp)) == ({"trace_id": "abc"}, 0.5, 1600000000)
    assert found["c"].documentation == 'a "counter"'
    kinds = {name: found[name].type for name in ("c", "plain_counter", "d", "e_total", "e", "u", "h", "n", "my_metric")}
    assert kinds == {"c": "counter", "plain_counter": "unknown", "d": "unknown", "e_total": "unknown", "e": "gauge",
                     "u": "unknown", "h": "histogram", "n": "histogram", "my_metric": "gauge"}
    plain = {line.split(" ")[0] for line in scrape(gateway, TEXT).text.split("\n") if line and line[0] != "#"}
    open_ = {line.split(" ")[0] for line in r.text.split("\n") if line and line[0] != "#"}
    assert {x for x in open_ - plain if "_created" not in x} == set() and plain <= open_


def test_openmetrics_only_behind_its_flag():
    with Gateway() as g:
        assert scrape(g, OPENMETRICS).headers["Content-Type"] == TEXT + "; escaping=underscores"


def client_registry():
    registry = CollectorRegistry()
    Counter("c", 'a "counter"', ["l"], registry=registry).labels("x").inc(3, exemplar={"trace_id": "abc"})
    Gauge("g_seconds", "a gauge", unit="seconds", registry=registry).set(1.5)
    Histogram("h", "a histogram", registry=registry).observe(0.3, exemplar={"trace_id": "def"})
    Summary("s", "a summary", registry=registry).observe(2)
    Info("i", "an info", registry=registry).info({"version": "1"})
    Enum("e", "a state set", states=["up", "down"], registry=registry).state("down")
    return registry


def test_openmetrics_pushed_by_the_python_client_comes_back(gateway):
    body = generate_latest(client_registry())
    assert gateway.put("f", body, **{"Content-Type": CONTENT_TYPE_LATEST}).status == 200
    text = scrape(gateway, OPENMETRICS).text
    found, sent = families(text), families(body.decode())
    for name, extra in (("c", {}), ("g_seconds", {}), ("h", {}), ("s", {})):
        got, want = found[name], sent[name]
        assert (got.type, got.documentation, got.unit) == (want.type, want.documentation, want.unit)
        def samples(family):
            return {(s.name, frozenset((k, float(v) if k == "le" else v) for k, v in s.labels.items()
                                       if k not in ("job", "instance"))): s for s in family.samples}
        assert samples(got).keys() == samples(want).keys()
        for key, s in samples(want).items():
            assert samples(got)[key].value == pytest.approx(s.value, abs=1e-6)
            assert bool(samples(got)[key].exemplar) == bool(s.exemplar)
    lines = scrape(gateway, TEXT).text.split("\n")
    assert 'i_info{instance="",job="f",version="1"} 1' in lines and "# TYPE i_info gauge" in lines
    assert 'e{e="down",instance="",job="f"} 1' in lines and "# TYPE e gauge" in lines
    assert 'c_total{instance="",job="f",l="x"} 3' in lines and "# TYPE c_total counter" in lines
    assert "# HELP c_total a \"counter\"" in lines


def test_openmetrics_need_not_say_that_it_ends(gateway):
    """But its last line has to: it may have been cut off."""
    assert gateway.put("f", "a 1\n", **{"Content-Type": CONTENT_TYPE_LATEST}).status == 200
    assert 'a{instance="",job="f"} 1\n' in scrape(gateway, TEXT).text
    for body, why in (("a 1\nb 12", "line 2: unexpected end of input stream"), ("a 1 1600000000.5\n# EOF\n", "must not have timestamps")):
        r = gateway.put("f", body, **{"Content-Type": CONTENT_TYPE_LATEST})
        assert r.status == 400 and why in r.text


def test_utf8_names_in_pushed_text(gateway):
    body = '# HELP "my.metric" h\n# TYPE "my.metric" counter\n{"my.metric","a.b"="c"} 5\n'
    assert gateway.put("f", body).status == 200
    assert '{"my.metric","a.b"="c",instance="",job="f"} 5\n' in scrape(gateway, TEXT + ";escaping=allow-utf-8").text
    with Gateway() as strict:
        assert strict.put("f", body).status == 400


class NativePrometheus(Prometheus):
    FLAGS = ["--enable-feature=native-histograms"]


@pytest.mark.released
def test_prometheus_scrapes_native_histograms(tmp_path):
    """It asks for protobuf then, and PromQL takes a quantile from a histogram that has no classic buckets."""
    with Gateway() as g:
        put_proto(g, "f", pb.family("n", pb.HISTOGRAM, pb.histogram(15, 18.4, (), pb.native(3, 2, [(0, 2), (3, 1)], [5, 1, -4]))))
        g.put("g", "# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_sum 3\nh_count 5\nx 1\n")
        prometheus = NativePrometheus(g, tmp_path)
        try:
            quantile = prometheus.value("histogram_quantile(0.5, n)")
            assert 0.9 < quantile < 1.1
            assert prometheus.value("histogram_count(n)") == 15 and prometheus.value("histogram_sum(n)") == 18.4
            assert prometheus.value('h_bucket{le="1"}' if prometheus.query('h_bucket{le="1"}') else 'h_bucket{le="1.0"}') == 5
            assert prometheus.value('x{job="g"}') == 1
            put_proto(g, "f", pb.family("n", pb.HISTOGRAM, pb.histogram(20, 20, (), pb.native(3, 20, [], []))))
            eventually(lambda: prometheus.query("histogram_count(n) == 20"), "the next scrape has the next histogram")
        finally:
            prometheus.end()


def test_a_native_histogram_that_makes_no_sense_is_refused(gateway):
    """Prometheus would drop it, and some versions the whole scrape."""
    bad = {"do not add up": pb.native(3, 2, [(0, 2), (3, 1)], [5, 1, -4]), "spans are not as long": pb.native(3, 2, [(0, 9)], [1]),
           "schema is not one of": pb.native(99, 2, [(0, 1)], [1])}
    for why, part in bad.items():
        body = pb.family("n", pb.HISTOGRAM, pb.histogram(12, 18.4, (), part))
        r = gateway.request("PUT", "/metrics/job/f", body, {"Content-Type": pb.CONTENT_TYPE})
        assert r.status == 400 and why in r.text and 'collected metric "n"' in r.text
