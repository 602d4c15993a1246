"""Odd pushes: (method, path below /metrics/job, headers, body). The gateway decides which are accepted; those
have to be readable in every form that a scrape can ask for."""
import itertools

import messages as pb

PROTOBUF = {"Content_Type": pb.CONTENT_TYPE}
OPENMETRICS = {"Content_Type": "application/openmetrics-text; version=1.0.0"}
NAN, INF = float("nan"), float("inf")


def proto(*families, path="/p"):
    return [("PUT", path, PROTOBUF, b"".join(families))]


def text(body, path="/p", headers=None):
    return [("PUT", path, headers or {}, body if isinstance(body, bytes) else body.encode())]


def label(name, value=b"v"):
    return pb.data(1, pb.data(1, name) + pb.data(2, value))


def quoted(name):
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def u_escaped(name):
    """The spelling of a name that is not classic in a path."""
    return "U__" + "".join("__" if c == "_" else c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in name)


CHARACTERS = ["\0", "\1", "\t", "\n", "\r", '"', "\\", " ", ":", "{", "}", "#", ",", "=", "/", "%", "\x7f", "\x80", "\x85", "é", "\u2028", "\ufeff",
              "\ufffd", "\uffff", "\U0001f600", "\U0010ffff", ".", "-", "1"]
NAMES = ["", "1", "_", ":", "__x", "__name__", "._name__", "..name..", "_name-", "-name-", "éname-", "._x", "U__x", "U__", "U__a_2e_b", "a.b", "a_b",
         "a_dot_b", "a b", "a__b", "a-b", "le", "quantile", "job", "jo.b", "instance", "é" * 300, "a" * 1000]
BYTES = [b"\xff", b"a\xff", b"\xed\xa0\x80", b"\xc0\x80", b"a\xf5"]

STEPS = {}
for i, character in enumerate(CHARACTERS):
    # With a number, since those that are the same when escaped are refused beside one another.
    for where, name in (("alone", character), ("first", f"{character}b{i}"), ("inside", f"a{character}b{i}"), ("last", f"a{i}{character}")):
        STEPS[f"{character!r} {where}"] = name.encode()
STEPS.update({repr(name)[:40]: name.encode() for name in NAMES})
STEPS.update({repr(name): name for name in BYTES})


def named_pushes():
    """Each name as a metric, as a histogram, as a label and in the path, in every format."""
    for what, name in STEPS.items():
        yield f"metric {what}", proto(pb.family(name, pb.GAUGE, pb.gauge(1)))
        yield f"counter {what}", proto(pb.family(name + b"_total", pb.COUNTER, pb.data(3, pb.double(1, 3) + pb.data(3, pb.integer(1, 1500000000)))))
        yield f"histogram {what}", proto(pb.family(name, pb.HISTOGRAM, pb.histogram(2, 3, [(1, 1)])))
        yield f"summary {what}", proto(pb.family(name, pb.SUMMARY, pb.summary(1, 2, [(0.5, 1)])))
        yield f"label {what}", proto(pb.family("a", pb.GAUGE, label(name) + pb.gauge(1)))
        yield f"value {what}", proto(pb.family("a", pb.GAUGE, label("l", name) + pb.gauge(1), help=b"h" + name))
        yield f"exemplar {what}", proto(pb.family("c_total", pb.COUNTER, pb.data(3, pb.double(1, 3) + pb.data(2, label(name, name) + pb.double(2, 1)))))
        yield f"unit {what}", proto(pb.delimited(pb.message(b"a_" + name, pb.GAUGE, pb.gauge(1)) + pb.data(5, name)))
        yield f"text metric {what}", text(b"# HELP " + quoted(name) + b" h\n# TYPE " + quoted(name) + b" gauge\n{" + quoted(name) + b"} 1\n")
        yield f"text label {what}", text(b"a{" + quoted(name) + b'="v"} 1\n')
        yield f"openmetrics {what}", text(b"# TYPE " + quoted(name) + b" counter\n{" + quoted(name + b"_total") + b"," + quoted(name) + b'="v"} 1 # {} 1\n# EOF\n', headers=OPENMETRICS)
        if name not in BYTES:
            yield f"path {what}", text("a 1\n", path=f"/p/{u_escaped(name.decode())}/v")


TWO = ["a.b", "a_b", "a_dot_b", "U__a_2e_b", "a b", "a__b", "a.b_count", "a_dot_b_count", "U__a_2e_b_count", "a_dot_b_", "a_created", "a_total", "a.b_total",
       "a.b_created"]


def paired_pushes():
    """Two names at once, as metrics of several types and as labels: the second in the same push, or by another group. Each time other
    names, so that what is wrong with some is so beside the others too."""
    values = {pb.GAUGE: pb.gauge(1), pb.HISTOGRAM: pb.histogram(1, 2, [(1, 1)]), pb.COUNTER: pb.data(3, pb.double(1, 1) + pb.data(3, pb.integer(1, 15)))}
    numbers = itertools.count()
    for pair in itertools.permutations(TWO, 2):
        def named():
            """A metric, and the pair, by names that no other push has."""
            n = next(numbers)
            return f"m{n}", *(name.replace("a", f"a{n}", 1) for name in pair)

        metric, one, other = named()
        yield "labels {!r} {!r}".format(*pair), proto(pb.family(metric, pb.GAUGE, label(one) + label(other) + pb.gauge(1)))
        for kind in values:
            for where in ("beside", "after"):
                _, one, other = named()
                first, second = pb.family(one, kind, values[kind]), pb.family(other, pb.GAUGE, pb.gauge(2, x="1"))
                steps = proto(first, second) if where == "beside" else proto(second) + proto(first, path="/q")
                yield f"{kind} {pair[0]!r} {where} {pair[1]!r}", steps
    yield "path and body", proto(pb.family("a", pb.GAUGE, label("a.b") + pb.gauge(1)), path="/p/a_b/1")
    yield "two in the path", text("a 1\n", path="/p/U__a_2e_b/1/a_b/2")


def stamp(seconds, nanos=0):
    return pb.integer(1, seconds) + pb.integer(2, nanos)


STAMPS = {"zero": b"", "negative": stamp(-5), "huge": stamp(2**63 - 1), "least": stamp(-2**63), "nanos": stamp(1, -1), "many nanos": stamp(1, 2**31 - 1)}
NATIVES = {"whole": pb.native(3, 2, [(0, 2), (3, 1)], [1, 1, -1]), "short": pb.native(3, 2, [(0, 9)], [1]), "schema": pb.native(99, 2, [(0, 1)], [1]),
           "back": pb.native(3, 2, [(0, 1), (-3, 1)], [1, 1]), "negative": pb.native(3, 2, [(0, 2)], [1, -5]), "custom": pb.native(-53, 0, [(0, 1)], [1]),
           "zero only": pb.native(0, 6, [], []), "bare": pb.signed(5, 1), "floats": pb.signed(5, 1) + pb.double(4, 3.5) + pb.data(12, pb.integer(2, 1)) + pb.double(14, 3.5),
           "floats beyond": pb.signed(5, 1) + pb.double(4, 0.3) + pb.data(12, pb.integer(2, 1)) + pb.double(14, 0.30000000000000004),
           "NaN float": pb.signed(5, 1) + pb.double(4, 3.5) + pb.data(12, pb.integer(2, 1)) + pb.double(14, NAN), "huge span": pb.native(3, 2, [(2**31 - 1, 2**32 - 1)], [1])}
FIELDS = {"20 01": b"\x20\x01", "label as a number": pb.integer(1, 5), "group": b"\x53\x54", "unknown": pb.integer(99, 7), "bytes": pb.data(8, b"\xff"),
          "fixed32": b"\x15abcd", "histogram as a double": pb.double(7, 1), "time as bytes": pb.data(6, b"abc"), "two values": pb.data(3, pb.double(1, 2)),
          "odd other value": pb.data(7, pb.integer(1, 1) + NATIVES["short"]), "gauge again": pb.data(2, pb.double(1, 5)), "unknown inside": pb.data(2, pb.integer(9, 9))}
BOUNDS = {"NaN": [(NAN, 1)], "twice": [(1, 1), (1.0, 2)], "Inf twice": [(INF, 1), (INF, 1)], "falling": [(2, 2), (1, 1)], "zeros": [(0.0, 1), (-0.0, 1)], "-Inf": [(-INF, 1)]}


def valued_pushes():
    for what, ts in STAMPS.items():
        exemplar = label("t") + pb.double(2, 1) + pb.data(3, ts)
        yield f"times {what}", proto(pb.family("c_total", pb.COUNTER, pb.data(3, pb.double(1, 3) + pb.data(2, exemplar) + pb.data(3, ts))),
                                     pb.family("h", pb.HISTOGRAM, pb.histogram(1, 2, [(1, 1)], pb.data(15, ts))), pb.family("s", pb.SUMMARY, pb.data(4, pb.data(4, ts))))
    for what, part in NATIVES.items():
        for count in (6, 2, 3):
            yield f"native {what}, {count}", proto(pb.family("n", pb.HISTOGRAM, pb.histogram(count, 18.4, [(1, 1)], part)))
    for what, part in FIELDS.items():
        for kind, value in ((pb.GAUGE, pb.gauge(1)), (pb.COUNTER, pb.counter(1))):
            yield f"field {what}, {kind}", proto(pb.family("g_total", kind, value + part))
    for what, bounds in BOUNDS.items():
        yield f"buckets {what}", proto(pb.family("h", pb.HISTOGRAM, pb.histogram(3, 2, bounds)))
        yield f"quantiles {what}", proto(pb.family("s", pb.SUMMARY, pb.summary(3, 2, bounds)))
    for size in (127, 128, 129, 60000):
        yield f"exemplar of {size}", proto(pb.family("c_total", pb.COUNTER, pb.data(3, pb.double(1, 3) + pb.data(2, label("t", "é" * (size - 1)) + pb.double(2, NAN)))))
    for x in (NAN, INF, -INF, -0.0, 5e-324, 1.7976931348623157e308, -1.0):
        yield f"value {x}", proto(pb.family("g", pb.GAUGE, pb.gauge(x)), pb.family("c_total", pb.COUNTER, pb.counter(x)), pb.family("u", pb.UNTYPED, pb.untyped(x)))
    yield "gauge histogram", proto(pb.family("gh", pb.GAUGE_HISTOGRAM, pb.histogram(3, 2, [(1, 1)], NATIVES["bare"])))
    yield "empty families", proto(pb.family("a", pb.GAUGE), pb.family("b.c", pb.HISTOGRAM))
    yield "twice in one push", proto(pb.family("a", pb.GAUGE, pb.gauge(1)), pb.family("a", pb.COUNTER, pb.counter(1)))


TEXTS = ["# TYPE x counter\nx_total 1\nx_created 15\n", "# TYPE x_total counter\nx_total 1\n# TYPE x_created gauge\nx_created 1.6e+09\n",
         "# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 1\nx_count 1\n# TYPE x_created gauge\nx_created 1.6e+09\n", "# TYPE x summary\nx_sum 1\nx_count 1\nx_created{a=\"b\"} 5\n",
         "# HELP a \\\\ \\n \"\na{b=\"\\\\\\n\\\"\"} NaN\n", "a{b=\"\0\1\r\t\"} +Inf\n# HELP a \0\r\t\n", "# TYPE h gaugehistogram\nh_count 1.5\n", "x_bucket{le=\"1\"} 1\nx_info 1\nx_gsum 1\n",
         "# TYPE h histogram\nh_bucket{le=\"2\"} 5\nh_bucket{le=\"1\"} 9\nh_bucket{le=\"NaN\"} 1\nh_count NaN\n", "# TYPE x_total gauge\nx_total 1\n# TYPE x counter\nx 1\n",
         "# TYPE a_total_total counter\na_total_total 1\n# TYPE a_total counter\na_total 1\n", "# TYPE _total counter\n_total 1\n# TYPE a_created_total counter\na_created_total 1\n# TYPE a_total counter\na_total 2\n",
         "# TYPE h histogram\nh_count 1\n# TYPE h_count_total counter\nh_count_total 1\n# TYPE h_created_total counter\nh_created_total 1\n", "EOF 1\n# TYPE HELP gauge\nHELP 1\n",
         "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\nh_count 1\n", "a{b=\"1\"} 1\na{b=\"1\"} 2\n", "a{b=\"1\",b=\"2\"} 1\n", "a 1\n# TYPE a gauge\n",
         "a{__name__=\"b\"} 1\n", "# TYPE c_total counter\nc_total 1 # {t=\"x\"} 2\n", "# TYPE c counter\nc_created{a=\"1\"} 1\nc_total 2\nc_created NaN\n",
         "# HELP c \\x\\\n# TYPE c counter\nc_total{a=\"\\x\\\\\"} 1 # {t=\"\\é\"} 2\n", "# TYPE h histogram\nh_created 1\n", "# TYPE s summary\ns_count 1\ns_created -1e300\n"]


def text_pushes():
    for i, body in enumerate(TEXTS):
        yield f"text {i}", text(body)
        yield f"text {i} as OpenMetrics", text(body + "# EOF\n", headers=OPENMETRICS)
