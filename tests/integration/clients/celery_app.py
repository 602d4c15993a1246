"""What test_celery.py's workers run: deploy/examples/celery as it is, with a task that says when it has ended.

SETUP chooses how the counts are pushed, EXAMPLE is that directory, RECORDS a FIFO for what really happens.
"""
import os
import sys
import time
import urllib.error

import prometheus_client
from celery import signals
from prometheus_client import multiprocess

SETUP = os.environ["SETUP"]
RECORDS = os.environ["RECORDS"]
ended = 0


def record(line):
    """One write, which arrives as a whole (pipe(7))."""
    with open(RECORDS, "wb", buffering=0) as f:
        f.write(f"{os.getpid()} {line}\n".encode())


# Before the example's, so that what it pushes has been counted here.
@signals.task_postrun.connect
def count(**_):
    global ended
    ended += 1
    record(f"ended {ended}")


sys.path.insert(0, os.environ["EXAMPLE"])
import push_metrics  # noqa: E402
from tasks import InstrumentedTask, app  # noqa: E402


@app.task(base=InstrumentedTask, name="work")
def work(seconds, fails):
    time.sleep(seconds)
    if fails:
        raise ValueError("as asked for")


@app.task(base=InstrumentedTask, name="hang")
def hang():
    push_metrics.push()
    record("hangs 0")
    time.sleep(3600)


def said(push):
    """push(), and what came of it."""
    def pushed(*args, **kwargs):
        try:
            push(*args, **kwargs)
        except (OSError, urllib.error.HTTPError):
            record(f"tried {ended}")
            raise
        record(f"pushed {ended}")
    return pushed


def push_to_one_group(gateway, job, registry, grouping_key):
    prometheus_client.push_to_gateway(gateway.removesuffix("/sum"), job=job, registry=registry)


def push_to_a_group_for_each_pid(gateway, job, registry, grouping_key):
    key = {k: v for k, v in grouping_key.items() if not k.startswith("__")}
    prometheus_client.push_to_gateway(gateway.removesuffix("/sum"), job=job, registry=registry, grouping_key=key)


def push_what_all_processes_have_in_files(gateway, job, registry, grouping_key):
    if "__final__" in grouping_key:
        multiprocess.mark_process_dead(os.getpid())
    together = prometheus_client.CollectorRegistry()
    multiprocess.MultiProcessCollector(together)
    prometheus_client.push_to_gateway(gateway.removesuffix("/sum"), job=job, registry=together)


push_metrics.push_to_gateway = said({
    "summed": prometheus_client.push_to_gateway,
    "one group": push_to_one_group,
    "group for each pid": push_to_a_group_for_each_pid,
    "multiprocess": push_what_all_processes_have_in_files,
}[SETUP])
