"""client_python pushes when x_total, or the histogram or summary x, began as a gauge x_created beside it. In OpenMetrics and protobuf
it is the time of creation of that metric; in text 0.0.4 it stays the gauge that it is."""
import math
import random

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

import messages as pb
import replay
import strict
from gateway import Gateway
from test_formats import OPENMETRICS, PROTO, delimited, fields, metrics, scrape

X_TOTAL, X_CREATED = "# TYPE x_total counter\nx_total 1\n", "# TYPE x_created gauge\nx_created 1600000000.5\n"


@pytest.fixture
def gateway():
    with Gateway("--push.enable-utf8-names", "--web.enable-openmetrics") as g:
        yield g


def pushed(families):
    return {f.name: f for f in families if not f.name.startswith(("pushgateway_", "process_", "push_"))}


def openmetrics(gateway, **headers):
    """{family: (type, {(sample, labels): value})}; twice, since the second is made of what is kept."""
    for headers in ({"Accept-Encoding": "gzip"}, {}, {}):
        reply = scrape(gateway, OPENMETRICS, **headers)
        body = strict.decoded(reply.body, reply.headers.get("Content-Encoding"))
        assert strict.fault(strict.OPENMETRICS, False, body) is None, body
        found = pushed(read_openmetrics(body.decode()))
    return {name: (f.type, {(s.name, frozenset(s.labels.items())): s.value for s in f.samples}) for name, f in found.items()}


def in_protobuf(gateway):
    """{family: [(labels, created or None)]}; the numbers of the fields are those of proto/metrics.proto."""
    for headers in ({"Accept-Encoding": "gzip"}, {}, {}):
        reply = scrape(gateway, PROTO + "delimited", **headers)
        body = strict.decoded(reply.body, reply.headers.get("Content-Encoding"))
        assert strict.fault(strict.PROTO, False, body) is None
    return {name: [metric(fields(m)) for m in metrics(message)] for name, message in delimited(body).items()
            if not name.startswith(("pushgateway_", "process_", "push_"))}


def metric(parts):
    labels = frozenset((pair[1].decode(), pair.get(2, b"").decode()) for pair in (dict(fields(v)) for n, v in parts if n == 1))
    created = None
    for number, field in ((3, 3), (4, 4), (7, 15)):  # counter, summary, histogram
        for value in (v for n, v in parts if n == number):
            for stamp in (v for n, v in fields(value) if n == field):
                ts = dict(fields(stamp))
                created = ts.get(1, 0) + ts.get(2, 0) / 1e9
    return labels, created


def client_body():
    registry = CollectorRegistry()
    counter = Counter("c", "a counter", ["l"], registry=registry)
    counter.labels("1").inc(3)
    counter.labels("2").inc(4)
    Histogram("h", "a histogram", registry=registry).observe(0.3)
    Summary("s", "a summary", registry=registry).observe(2)
    return generate_latest(registry)


def test_what_the_python_client_pushes_as_text(gateway, tmp_path):
    body = client_body()
    assert b"# TYPE c_created gauge" in body and b"# TYPE h_created gauge" in body and b"# TYPE s_created gauge" in body
    for job in ("a", "b"):
        assert gateway.put(job, body).status == 200
    plain = pushed(read_text(scrape(gateway, "text/plain").text))
    assert {name: f.type for name, f in plain.items()} == {
        "c": "counter", "c_created": "gauge", "h": "histogram", "h_created": "gauge", "s": "summary", "s_created": "gauge"}
    found = openmetrics(gateway)
    assert {name: kind for name, (kind, _) in found.items()} == {"c": "counter", "h": "histogram", "s": "summary"}
    samples = {key: value for _, family in found.values() for key, value in family.items()}
    for name in ("c", "h", "s"):
        times = {(s.name, frozenset(s.labels.items())): s.value for s in plain[name + "_created"].samples}
        assert {key: samples[key] for key in times} == times, "the same in text and in OpenMetrics"
        created = {labels: when for labels, when in in_protobuf(gateway)[name if name != "c" else "c_total"]}
        assert created == {labels: pytest.approx(when, abs=1e-6) for (_, labels), when in times.items()}
    assert set(in_protobuf(gateway)) == {"c_total", "h", "s"}
    answers = [(protocol, reply.headers["Content-Type"], reply.body) for protocol, accept in replay.PROTOCOLS.items()
               for reply in [scrape(gateway, accept)]]
    assert replay.judge(tmp_path, answers) == {}


# body of group a, body of group b -> {family in OpenMetrics: (type, names of samples)}, {family in protobuf: created of each metric}
CASES = {
    "another group's is a gauge of its own": (
        X_TOTAL + X_CREATED, X_CREATED,
        {"x_total": ("unknown", {"x_total": 1}), "x_created": ("gauge", {"x_created": 2})}, {"x_total": [1600000000.5], "x_created": [None]}),
    "the counter in one group, the gauge in another": (
        X_TOTAL, X_CREATED, {"x_total": ("unknown", {"x_total": 1}), "x_created": ("gauge", {"x_created": 1})}, {"x_total": [None], "x_created": [None]}),
    "one of two counters has it": (
        X_TOTAL + X_CREATED, X_TOTAL, {"x": ("counter", {"x_total": 2, "x_created": 1})}, {"x_total": [None, 1600000000.5]}),
    "other labels": (
        '# TYPE x_total counter\nx_total{a="1"} 1\n# TYPE x_created gauge\nx_created{a="2"} 5\n', "",
        {"x_total": ("unknown", {"x_total": 1}), "x_created": ("gauge", {"x_created": 1})}, {"x_total": [None], "x_created": [None]}),
    "labels in another order": (
        '# TYPE x_total counter\nx_total{a="1",b="2"} 1\n# TYPE x_created gauge\nx_created{b="2",a="1"} 5\n', "",
        {"x": ("counter", {"x_total": 1, "x_created": 1})}, {"x_total": [5.0]}),
    "no time": (
        X_TOTAL + "# TYPE x_created gauge\nx_created -1\n", "",
        {"x_total": ("unknown", {"x_total": 1}), "x_created": ("gauge", {"x_created": 1})}, {"x_total": [None], "x_created": [None]}),
    "of a histogram, and one of nothing": (
        '# TYPE x histogram\nx_bucket{le="1"} 1\nx_sum 1\nx_count 1\n' + X_CREATED, X_CREATED,
        {"x": ("histogram", {"x_bucket": 2, "x_sum": 1, "x_count": 1, "x_created": 1})}, {"x": [1600000000.5], "x_created": [None]}),
    "of a summary": (
        "# TYPE x summary\nx_sum 1\nx_count 1\n" + X_CREATED, "",
        {"x": ("summary", {"x_sum": 1, "x_count": 1, "x_created": 1})}, {"x": [1600000000.5]}),
    "a histogram goes first": (
        '# TYPE x histogram\nx_bucket{le="1"} 1\nx_sum 1\nx_count 1\n' + X_TOTAL + X_CREATED, "",
        {"x": ("histogram", {"x_bucket": 2, "x_sum": 1, "x_count": 1, "x_created": 1}), "x_total": ("unknown", {"x_total": 1})},
        {"x": [1600000000.5], "x_total": [None]}),
    "a counter without _total is none": (
        "# TYPE x counter\nx 1\n" + X_CREATED, "",
        {"x": ("unknown", {"x": 1}), "x_created": ("gauge", {"x_created": 1})}, {"x": [None], "x_created": [None]}),
    "nobody's": (X_CREATED, "", {"x_created": ("gauge", {"x_created": 1})}, {"x_created": [None]}),
    "no gauge": (
        X_TOTAL + "# TYPE x_created untyped\nx_created 5\n", "",
        {"x_total": ("unknown", {"x_total": 1}), "x_created": ("unknown", {"x_created": 1})}, {"x_total": [None], "x_created": [None]}),
}


@pytest.mark.parametrize("name", CASES)
def test_whose_time_it_is(gateway, name):
    *bodies, in_openmetrics, protobuf = CASES[name]
    for job, body in zip("ab", bodies):
        assert gateway.put(job, body).status == 200
    found = openmetrics(gateway)
    for family, (kind, samples) in found.items():
        names = [sample for sample, _ in samples]
        found[family] = (kind, {n: names.count(n) for n in names})
    assert found == in_openmetrics
    times = {family: sorted((created for _, created in of), key=lambda c: c or 0) for family, of in in_protobuf(gateway).items()}
    assert times == protobuf
    text = scrape(gateway, "text/plain").text
    assert text.count("\nx_created{") == sum(body.count("\nx_created") for body in bodies), "in text all is as pushed"


def test_a_time_that_was_pushed_with_the_counter_stays(gateway):
    own = pb.data(3, pb.double(1, 3) + pb.data(3, pb.integer(1, 1500000000)))
    body = pb.family("x_total", pb.COUNTER, own) + pb.family("x_created", pb.GAUGE, pb.gauge(5))
    assert gateway.request("PUT", "/metrics/job/a", body, {"Content-Type": pb.CONTENT_TYPE}).status == 200
    kind, samples = openmetrics(gateway)["x"]
    assert kind == "counter" and sorted(samples.values()) == [3, 1500000000]
    assert [created for _, created in in_protobuf(gateway)["x_total"]] == [1500000000] and "x_created" not in in_protobuf(gateway)


def test_names_in_utf8(gateway):
    body = '# TYPE "a.b_total" counter\n{"a.b_total","l.l"="1"} 1\n# TYPE "a.b_created" gauge\n{"a.b_created","l.l"="1"} 1600000000\n'
    assert gateway.put("a", body).status == 200
    for escaping in strict.ESCAPINGS:
        reply = scrape(gateway, f"{OPENMETRICS}; escaping={escaping}")
        assert strict.fault(strict.OPENMETRICS, escaping == "allow-utf-8", reply.body) is None
        ours = [line for line in reply.text.split("\n") if "created" in line]
        assert len(ours) == 1 and ours[0].endswith(" 1600000000"), ours
        assert sum(line.startswith("# TYPE") and " counter" in line and "push" not in line for line in reply.text.split("\n")) >= 1


def random_family(rng, name, kind):
    lines = [f"# TYPE {name} {kind}"]
    for labels in rng.sample(["", "a=\"1\"", "a=\"2\",b=\"x\""], rng.randint(1, 3)):
        braces, comma = (f"{{{labels}}}" if labels else ""), labels + "," if labels else ""
        value = rng.choice(["1600000000", "1.5e9", "7", "-3", "NaN"] if rng.random() < 0.3 else ["1600000000"])
        if kind == "histogram":
            lines += [f'{name}_bucket{{{comma}le="1"}} 1', f"{name}_sum{braces} 1", f"{name}_count{braces} 1"]
        elif kind == "summary":
            lines += [f"{name}_sum{braces} 1", f"{name}_count{braces} 1"]
        else:
            lines.append(f"{name}{braces} {value if name.endswith('created') else 3}")
    return "\n".join(lines) + "\n"


def expected(text):
    """What OpenMetrics and protobuf have to say of this text: {(sample, labels)}, {family: type}, {family: {labels: created}}."""
    flat = {(s.name, frozenset(s.labels.items())): s.value for f in read_text(text) for s in f.samples if s.name.startswith("x")}
    types = dict(line.split(" ")[2:] for line in text.split("\n") if line.startswith("# TYPE x"))
    types = {name: "unknown" if kind == "untyped" else kind for name, kind in types.items()}
    labels = {name: {s[1] for s in flat if s[0] == sample} for name, sample in
              (("x", "x_count" if types.get("x") in ("histogram", "summary") else "x"), ("x_total", "x_total"), ("x_created", "x_created"))}
    whose = None
    if types.get("x_created") == "gauge":
        whose = "x" if types.get("x") in ("histogram", "summary") else "x_total" if types.get("x_total") == "counter" else None
    times = {key[1]: value for key, value in flat.items() if key[0] == "x_created" and value >= 0 and whose and key[1] in labels[whose]}
    lone = labels["x_created"] - set(times)
    protobuf = {name: {key: times.get(key) if name == whose else None for key in keys} for name, keys in labels.items() if keys}
    if whose and protobuf.pop("x_created") and lone:
        protobuf["x_created"] = dict.fromkeys(lone)
    samples, kinds = set(flat), dict(types)
    owned = types.get("x") in ("histogram", "summary") and "x_created" in types
    if owned:
        samples -= {("x_created", key) for key in (lone if whose else labels["x_created"])}
        kinds.pop("x_created")
    if "x_total" in kinds:
        if "x" not in types and (not labels["x_created"] or (whose == "x_total" and not lone)):
            kinds["x"] = kinds.pop("x_total")
            kinds.pop("x_created", None)
        else:
            kinds["x_total"] = "unknown"
    return samples, kinds, protobuf


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_of_pages_is_what_a_new_gateway_says(seed, tmp_path):
    """Whatever comes and goes, in whichever group: each format says what the text says, and so it does after a restart."""
    rng = random.Random(seed)
    kinds = {"x": ["histogram", "summary", "gauge"], "x_total": ["counter"], "x_created": ["gauge", "gauge", "gauge", "untyped"]}

    def check(g):
        text = scrape(g, "text/plain").text
        samples, types, protobuf = expected(text)
        found = openmetrics(g)
        assert {name: kind for name, (kind, _) in found.items()} == types, text
        got = {key for _, family in found.values() for key in family}
        assert {key for key in got if not dict(key[1]).get("le") == "+Inf"} - samples == set() and samples <= got, text
        # NaN is no time.
        read = {name: dict(metrics) for name, metrics in in_protobuf(g).items()}
        assert read == {name: {k: v if v is None else pytest.approx(v) for k, v in m.items()} for name, m in protobuf.items()}, text

    with Gateway("--web.enable-openmetrics", database=str(tmp_path / "db")) as g:
        for _ in range(60):
            job, method = rng.choice("abc"), rng.choice(["PUT", "POST", "POST", "POST", "DELETE"])
            body = "".join(random_family(rng, name, rng.choice(kinds[name])) for name in rng.sample(sorted(kinds), rng.randint(1, 3)))
            assert g.request(method, f"/metrics/job/{job}", None if method == "DELETE" else body).status in (200, 202, 400)
            check(g)
        before = openmetrics(g), in_protobuf(g)
    with Gateway("--web.enable-openmetrics", database=str(tmp_path / "db")) as g:
        check(g)
        after = openmetrics(g), in_protobuf(g)
    assert before[0].keys() == after[0].keys() and before[1].keys() == after[1].keys()
    for family, (kind, found) in before[0].items():
        assert after[0][family][0] == kind
        for key, value in found.items():
            assert after[0][family][1][key] == value or math.isnan(value)
