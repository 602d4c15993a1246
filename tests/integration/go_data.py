"""What a Go Pushgateway is filled with before its data is taken over, and what it then exposes."""
import base64
import math

import messages as pb
from gateway import eventually
from go_gateway import go_version

OWN = ("go_", "process_", "pushgateway_")
GROUPS = 1000
VALUES = ["plain", "", "a/b", "ü✓", 'quote " and \\ backslash', "line\nfeed", " blanks\t", "a=b,c{}", "x" * 3000, "\x01\x7f"]
NUMBERS = [0, -0.0, 1, -2.5, 1e-7, 1e300, 5e-324, math.inf, -math.inf, math.nan, 2**53 + 1, 0.1]

TEXT = """\
# HELP job_rows Rows written, with a \\\\ and a\\nline.
# TYPE job_rows counter
job_rows{{table="t1"}} {a}
job_rows{{table="t\\"2\\\\"}} {b}
# TYPE job_state gauge
job_state {a}
job_untyped{{x="",y="é"}} {b}
# HELP job_seconds Duration.
# TYPE job_seconds histogram
job_seconds_bucket{{le="0.1"}} {i}
job_seconds_bucket{{le="1e+06"}} {n}
job_seconds_bucket{{le="+Inf"}} {n}
job_seconds_sum {b}
job_seconds_count {n}
# TYPE job_latency summary
job_latency{{quantile="0.5"}} {a}
job_latency{{quantile="0.99"}} NaN
job_latency_sum {b}
job_latency_count {i}
"""


def key(i):
    value = base64.urlsafe_b64encode(VALUES[i % len(VALUES)].encode()).decode() or "="
    return f"job{i}/what@base64/{value}" + (f"/instance/i{i}" if i % 3 else "")


def number(i):
    x = NUMBERS[i % len(NUMBERS)]
    return "NaN" if math.isnan(x) else repr(x).replace("inf", "Inf")


def text(i):
    return TEXT.format(a=number(i), b=number(i // 12), i=i, n=2 * i + 1)


def protobuf(i):
    native = pb.native(3, i, [(0, 2), (3, 1)], [1, i, -1])
    return b"".join([
        pb.family("pb_native", pb.HISTOGRAM, pb.histogram(2 + 3 * i, 18.4, (), native, shard="a")),
        pb.family("pb_odd", pb.HISTOGRAM, pb.histogram(1 + 3 * i, 18.4, [(1, 1)], native)),
        pb.family("pb_both", pb.HISTOGRAM, pb.histogram(2 + 3 * i, 2.5, [(1, 1), (2, 2)], native), help="both kinds"),
        pb.family("pb_help", pb.GAUGE, pb.gauge(i), help=""),
    ] + ([pb.family("pb.dotted", pb.GAUGE, pb.gauge(i, **{"l.x": "1"}))] if i == 3 and go_version() >= (1, 10) else []))


def fill(go):
    """go runs without its consistency check, in which each push is checked with everything stored, and which takes minutes."""
    c = go.connect()

    def push(method, i, body, content_type="text/plain"):
        reply = go.request(method, "/metrics/job/" + key(i), body, {"Content-Type": content_type}, connection=c)
        assert reply.status == 202, reply

    for i in range(GROUPS):
        push("PUT", i, text(i))
        if i % 4 == 3:
            push("POST", i, protobuf(i), pb.CONTENT_TYPE)
        if i % 5 == 4:
            push("POST", i, "refused_for_its_timestamp 1 12345\n")
        if i % 7 == 6:
            push("PUT", i, "")
    c.close()
    # Pushes are applied in order: this is the last one.
    go.put("last", "last_of_all 1\n")
    eventually(lambda: "last_of_all{" in go.get("/metrics").text, "the queue of the Go gateway is empty")


def samples(gateway):
    reply = gateway.get("/metrics")
    assert reply.status == 200
    lines = reply.text.split("\n")
    return sorted(x for x in lines if not x.startswith(OWN) and not x.startswith(tuple(f"# {k} {o}" for k in ("HELP", "TYPE") for o in OWN)))
