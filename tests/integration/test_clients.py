"""Python's prometheus_client as a Celery worker uses it."""
import urllib.error

import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client import delete_from_gateway, instance_ip_grouping_key, push_to_gateway, pushadd_to_gateway

from exposition import promtool, scrape


class Worker:
    """A worker process' metrics."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.tasks = Counter("celery_tasks_total", "Total Celery tasks", ["task_name", "status"], registry=self.registry)
        self.duration = Histogram("celery_task_duration_seconds", "Celery task duration in seconds", ["task_name"],
                                  buckets=[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0], registry=self.registry)
        self.in_progress = Gauge("celery_tasks_in_progress", "Number of Celery tasks currently executing", ["task_name"],
                                 registry=self.registry)
        self.queue = Gauge("celery_queue_length", "Number of tasks in queue", ["queue"], registry=self.registry)

    def run(self, name, seconds, status="success"):
        with self.in_progress.labels(task_name=name).track_inprogress():
            self.duration.labels(task_name=name).observe(seconds)
        self.tasks.labels(task_name=name, status=status).inc()


def work(worker):
    worker.run("send_email", 0.3)
    worker.run("send_email", 7)
    worker.run("send_email", 0.2, status="failure")
    worker.run("resize_image", 400)
    worker.queue.labels(queue="default").set(12)


def expect_work(s, job="celery", **key):
    assert s.pushed("celery_tasks_total", job, task_name="send_email", status="success", **key) == 2
    assert s.pushed("celery_tasks_total", job, task_name="send_email", status="failure", **key) == 1
    assert s.pushed("celery_tasks_in_progress", job, task_name="resize_image", **key) == 0
    assert s.pushed("celery_queue_length", job, queue="default", **key) == 12
    buckets = {le: s.pushed("celery_task_duration_seconds_bucket", job, task_name="send_email", le=le, **key)
               for le in ("0.1", "0.5", "1", "5", "10", "300", "+Inf")}
    assert buckets == {"0.1": 0, "0.5": 2, "1": 2, "5": 2, "10": 3, "300": 3, "+Inf": 3}
    assert s.pushed("celery_task_duration_seconds_count", job, task_name="send_email", **key) == 3
    assert s.pushed("celery_task_duration_seconds_sum", job, task_name="send_email", **key) == 7.5


@pytest.mark.parametrize("key", [{}, {"instance": "worker-1"}, {"instance": "worker-1", "queue_host": "q.example:5672"}])
def test_a_celery_worker_pushes(gw, key):
    worker = Worker()
    work(worker)
    push_to_gateway(gw.url, job="celery", registry=worker.registry, grouping_key=key)
    s = scrape(gw)
    expect_work(s, **key)
    assert "# TYPE celery_task_duration_seconds histogram" in s.text
    assert "# TYPE celery_tasks_total counter" in s.text
    assert promtool(s.text) == []


def test_many_workers_side_by_side(gw):
    workers = [Worker() for _ in range(5)]
    for i, worker in enumerate(workers):
        work(worker)
        pushadd_to_gateway(gw.url, job="celery", registry=worker.registry, grouping_key={"instance": f"w{i}"})
    s = scrape(gw)
    for i in range(5):
        expect_work(s, instance=f"w{i}")
    workers[0].run("send_email", 1)
    pushadd_to_gateway(gw.url, job="celery", registry=workers[0].registry, grouping_key={"instance": "w0"})
    s = scrape(gw)
    assert s.pushed("celery_tasks_total", "celery", task_name="send_email", status="success", instance="w0") == 3
    expect_work(s, instance="w1")


def test_push_replaces_pushadd_merges_delete_drops(gw):
    worker = Worker()
    work(worker)
    push_to_gateway(gw.url, job="celery", registry=worker.registry)
    only_queue = CollectorRegistry()
    Gauge("celery_queue_length", "Number of tasks in queue", ["queue"], registry=only_queue).labels(queue="slow").set(3)
    pushadd_to_gateway(gw.url, job="celery", registry=only_queue)
    s = scrape(gw)
    assert s.pushed("celery_queue_length", "celery", queue="slow") == 3
    assert s.pushed("celery_queue_length", "celery", queue="default") is None
    assert s.pushed("celery_tasks_total", "celery", task_name="send_email", status="success") == 2
    push_to_gateway(gw.url, job="celery", registry=only_queue)
    assert "celery_tasks_total" not in scrape(gw).names()
    delete_from_gateway(gw.url, job="celery")
    assert scrape(gw).foreign() == []


def test_instance_ip_grouping_key(gw):
    worker = Worker()
    work(worker)
    key = instance_ip_grouping_key()
    push_to_gateway(gw.url, job="celery", registry=worker.registry, grouping_key=key)
    expect_work(scrape(gw), **key)
    delete_from_gateway(gw.url, job="celery", grouping_key=key)
    assert scrape(gw).foreign() == []


KEYS = {
    "slash": ("my/job", {"path": "/a/b"}),
    "empty value": ("j", {"path": ""}),
    "empty instance": ("j", {"instance": ""}),
    "utf-8": ("jöb", {"what": "é/✓"}),
    "url": ("j%2F", {"what": "a+b?c=d&e#f%zz"}),
    "dots": ("a..b", {"what": ".c."}),
    "base64 with - and _": ("j", {"what": "/\u00ff\u00fe~~~???>>>"}),
    "quotes": ('"j"', {"what": 'a\\b"c\nd'}),
    "long": ("j" * 500, {"what": "/" * 2000}),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_that_need_encoding(gw, name):
    job, key = KEYS[name]
    registry = CollectorRegistry()
    Gauge("g", "g", registry=registry).set(1)
    push_to_gateway(gw.url, job=job, registry=registry, grouping_key=key)
    s = scrape(gw)
    assert s.pushed("g", job, **key) == 1
    assert s.pushed("push_time_seconds", job, **key) > 0
    delete_from_gateway(gw.url, job=job, grouping_key=key)
    assert scrape(gw).foreign() == []


def test_every_kind_of_metric(gw):
    registry = CollectorRegistry()
    Counter("c", "a counter", registry=registry).inc(3)
    Summary("s", "a summary", registry=registry).observe(4)
    Info("i", "an info", registry=registry).info({"version": "1"})
    Enum("e", "an enum", states=["on", "off"], registry=registry).state("off")
    push_to_gateway(gw.url, job="k", registry=registry)
    s = scrape(gw)
    assert s.pushed("c_total", "k") == 3
    assert s.pushed("s_count", "k") == 1 and s.pushed("s_sum", "k") == 4
    assert s.pushed("i_info", "k", version="1") == 1
    assert s.pushed("e", "k", e="off") == 1 and s.pushed("e", "k", e="on") == 0


def test_the_client_hears_of_a_refusal(gw):
    registry = CollectorRegistry()
    Gauge("push_count", "g", registry=registry).set(1)
    push_to_gateway(gw.url, job="one", registry=registry)
    other = CollectorRegistry()
    Summary("push", "collides with push_count", registry=other).observe(1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        push_to_gateway(gw.url, job="two", registry=other)
    assert refused.value.code == 400
    assert scrape(gw).pushed("push_count", "one") == 1
    with pytest.raises(urllib.error.HTTPError):
        push_to_gateway(gw.url, job="", registry=registry)
