"""The clients that there are, pushing to summed groups: by the prefix of the URL, and by reserved labels in the grouping key."""
import subprocess
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, delete_from_gateway, push_to_gateway, pushadd_to_gateway
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics

from exposition import promtool, scrape
from gateway import DEADLINE, Gateway
from libraries import go, go_program, go_text, metric, node  # noqa: F401: fixtures

pytestmark = pytest.mark.sanitized
START = 1732620000


def registry(count, seconds=(0.2,), active=1):
    r = CollectorRegistry()
    Counter("work_total", "Work done", ["kind"], registry=r).labels(kind="x").inc(count)
    h = Histogram("work_seconds", "Its duration", buckets=[0.1, 1], registry=r)
    for s in seconds:
        h.observe(s)
    Gauge("work_in_progress", "At work", registry=r).set(active)
    return r


def metrics(count, seconds=(0.2,), active=1):
    return [metric("counter", "work_total", "Work done", ({"kind": "x"}, [str(count)])),
            metric("histogram", "work_seconds", "Its duration", ({}, [str(s) for s in seconds]), bounds=[0.1, 1]),
            metric("gauge", "work_in_progress", "At work", ({}, [str(active)]))]


def of_process(request, count, key):
    """The registry of one process, which counts on."""
    made = request.node.__dict__.setdefault("registries", {})
    r, counted = made.get(str(key), (None, 0))
    if r is None:
        r = registry(count)
    else:
        r._names_to_collectors["work_total"].labels(kind="x").inc(count - counted)
    made[str(key)] = (r, count)
    return r


def python(push):
    return lambda request, url, job, count, key: push(url, job=job, registry=of_process(request, count, key), grouping_key=key)


def library(name):
    def push(request, url, job, count, key):
        request.getfixturevalue(name).accepted(SimpleNamespace(url="http://" + url), "pushAdd", job, metrics(count), key)
    return push


def curl(request, url, job, count, key, body=None, *more):
    path = "".join(f"/{name}/{value}" for name, value in key.items())
    body = body or (f'# HELP work_total Work done\n# TYPE work_total counter\nwork_total{{kind="x"}} {count}\n'
                    '# HELP work_seconds Its duration\n# TYPE work_seconds histogram\n'
                    'work_seconds_bucket{le="0.1"} 0\nwork_seconds_bucket{le="1"} 1\nwork_seconds_bucket{le="+Inf"} 1\n'
                    "work_seconds_sum 0.2\nwork_seconds_count 1\n# HELP work_in_progress At work\n# TYPE work_in_progress gauge\nwork_in_progress 1\n").encode()
    subprocess.run(["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--data-binary", "@-", *more,
                    f"http://{url}/metrics/job/{job}{path}"], input=body, check=True, capture_output=True, timeout=DEADLINE)


def curl_openmetrics(request, url, job, count, key):
    curl(request, url, job, count, key, as_openmetrics(of_process(request, count, key)), "-H", "Content-Type: application/openmetrics-text; version=1.0.0")


CLIENTS = {
    "python push": python(push_to_gateway), "python pushadd": python(pushadd_to_gateway), "curl": curl,
    "curl, OpenMetrics": curl_openmetrics, "client_golang": library("go"), "client_golang, text": library("go_text"),
    "prom-client": library("node"),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("reserved", [False, True], ids=["prefix", "reserved labels"])
def test_each_client(database, request, client, reserved):
    def push(g, source, count):
        url = f"{g.host}:{g.port}" + ("" if reserved else "/sum")
        key = {"__mode__": "sum", "__source__": source, "__start__": str(START)} if reserved else {"instance": "host", "pid": source}
        CLIENTS[client](request, url, "work", count, key)

    with Gateway(database=database) as g:
        for source, count in (("1", 5), ("2", 3), ("1", 5), ("1", 6)):
            push(g, source, count)
        check(g, 9, 2)
    with Gateway(database=database) as g:
        check(g, 9, 2)
        push(g, "3", 1)
        check(g, 10, 3)


def check(g, count, sources):
    s = scrape(g)
    assert s.pushed("work_total", "work", kind="x") == count
    assert s.pushed("work_seconds_count", "work") == sources
    assert s.pushed("work_seconds_bucket", "work", le="1") == sources
    assert s.pushed("work_in_progress", "work") == sources
    assert "pid=" not in s.text and "__" not in s.text.replace("__name__", "")
    assert promtool(s.text) == []


def test_a_client_that_starts_anew_each_time_adds(gw):
    for n in range(3):
        pushadd_to_gateway(f"{gw.url}/add", job="script", registry=registry(2), grouping_key={"__push_id__": f"run/{n}"})
        pushadd_to_gateway(f"{gw.url}/add", job="script", registry=registry(2), grouping_key={"__push_id__": f"run/{n}"})
    assert scrape(gw).pushed("work_total", "script", kind="x") == 6


def test_a_client_deletes_its_source(gw):
    for pid in ("1", "2"):
        push_to_gateway(f"{gw.url}/sum", job="work", registry=registry(5), grouping_key={"pid": pid})
    delete_from_gateway(f"{gw.url}/sum", job="work", grouping_key={"pid": "1"})
    s = scrape(gw)
    assert s.pushed("work_total", "work", kind="x") == 10
    assert s.pushed("work_in_progress", "work") == 1
    delete_from_gateway(f"{gw.url}/sum", job="work")
    assert scrape(gw).foreign() == []
