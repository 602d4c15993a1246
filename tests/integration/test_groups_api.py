"""GET /api/v1/metrics."""
import json
import re

import messages as pb
from gateway import Gateway


BODY = """\
# HELP h A <histogram>
# TYPE h histogram
h_bucket{le="2"} 2
h_bucket{le="10"} 3
h_bucket{le="1"} 1
h_sum 2.5
h_count 3
# TYPE s summary
s{quantile="0.5"} 1
s{quantile="0.99"} NaN
s_sum 1e10
s_count 4
# TYPE g gauge
g{a="1"} -0
# TYPE c counter
c 1.5
u 7
"""


def groups(gw):
    r = gw.get("/api/v1/metrics")
    assert (r.status, r.headers["Content-Type"]) == (200, "application/json")
    answer = json.loads(r.body)
    assert answer["status"] == "success"
    return {tuple(sorted(g["labels"].items())): g for g in answer["data"]}


def test_empty(gw):
    assert gw.get("/api/v1/metrics").text == '{"status":"success","data":[]}'


def test_every_type(gw):
    assert gw.put("p/instance/i", BODY).status == 200
    g = groups(gw)[(("instance", "i"), ("job", "p"))]
    labels = {"instance": "i", "job": "p"}
    assert g["h"]["type"] == "HISTOGRAM" and g["h"]["help"] == "A <histogram>"
    assert g["h"]["metrics"] == [
        {"buckets": {"1": "1", "10": "3", "2": "2"}, "count": "3", "labels": labels, "sum": "2.5"}]
    assert g["s"]["metrics"] == [{"count": "4", "labels": labels,
                                  "quantiles": {"0.5": "1", "0.99": "NaN"}, "sum": "1e+10"}]
    assert g["g"] | {"time_stamp": 0} == {
        "time_stamp": 0, "type": "GAUGE", "metrics": [{"labels": {"a": "1"} | labels, "value": "-0"}]}
    assert g["c"]["metrics"] == [{"labels": labels, "value": "1.5"}]
    assert g["u"]["type"] == "UNTYPED"
    assert g["last_push_successful"] is True
    assert g["push_failure_time_seconds"]["metrics"] == [{"labels": labels, "value": "0"}]
    assert float(g["push_time_seconds"]["metrics"][0]["value"]) > 1e9
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", g["h"]["time_stamp"])


def test_keys_are_sorted_and_html_is_escaped(gw):
    gw.put("p", BODY)
    text = gw.get("/api/v1/metrics").text
    assert "A \\u003chistogram\\u003e" in text
    keys = list(json.loads(text)["data"][0])
    assert keys == sorted(keys)


def test_the_order_of_metrics(gw):
    """As exposed, by label values; as pushed where the text does not hold all of a metric."""
    gw.put("p", """\
# TYPE g gauge
g{a="2"} 1
g{a="1"} 1
# TYPE s summary
s{quantile="0.5",a="2"} 1
s_sum{a="2"} 1
s_count{a="2"} 1
s_sum{a="1"} 1
s_count{a="1"} 1
""")
    [group] = groups(gw).values()
    assert [m["labels"]["a"] for m in group["g"]["metrics"]] == ["1", "2"]
    assert [m["labels"]["a"] for m in group["s"]["metrics"]] == ["2", "1"]


def test_failed_push(gw):
    gw.put("p", "a 1\n")
    assert gw.put("p", "a 1 5\n").status == 400
    g = groups(gw)[(("job", "p"),)]
    assert g["last_push_successful"] is False and g["a"]["metrics"]


def test_a_name_cannot_replace_a_key(gw):
    gw.put("p", "labels 1\nlast_push_successful 2\n")
    g = groups(gw)[(("job", "p"),)]
    assert g["labels"] == {"job": "p"} and g["last_push_successful"] is True


def test_when_and_why_the_last_push_failed(gw, database):
    """Told until a push is accepted, also after a restart."""
    gw.put("p", "# TYPE a gauge\na 1\n")
    assert "last_push_error" not in groups(gw)[(("job", "p"),)]
    assert gw.put("q", "# TYPE a counter\na 1\n").status == 400
    for restarted in (False, True):
        if restarted:
            gw.terminate()
            gw = Gateway(database=database).start()
        failed = groups(gw)[(("job", "q"),)]
        assert failed["last_push_successful"] is False and "COUNTER" in failed["last_push_error"].upper()
        assert float(failed["push_failure_time_seconds"]["metrics"][0]["value"]) > 1e9
    assert gw.put("q", "b 1\n").status == 200
    assert "last_push_error" not in groups(gw)[(("job", "q"),)]
    gw.terminate()


def test_a_family_without_metrics(gw):
    """As protobuf can bring one."""
    body = pb.family("empty", pb.GAUGE)
    assert gw.put("p", body, **{"Content-Type": pb.CONTENT_TYPE}).status == 200
    [group] = groups(gw).values()
    assert group["empty"]["metrics"] == []
    assert gw.get("/").status == 200
