"""Pushes what each child of a Celery worker has counted. Import it where the tasks are defined."""
import os
import socket
import time

from celery.signals import task_postrun, worker_process_init, worker_process_shutdown
from prometheus_client import REGISTRY, push_to_gateway
from prometheus_client.metrics import MetricWrapperBase

GATEWAY = os.environ.get("PUSHGATEWAY", "localhost:9091")
pushed = 0.0


def push(**last):
    """PUT .../sum/metrics/job/celery/instance/HOST/pid/PID: what this child has counted so far."""
    key = {"instance": socket.gethostname(), "pid": str(os.getpid()), **last}
    push_to_gateway(GATEWAY + "/sum", job="celery", registry=REGISTRY, grouping_key=key)


@worker_process_init.connect
def forget_what_the_parent_has_counted(**_):
    for metric in list(REGISTRY._collector_to_names):
        if isinstance(metric, MetricWrapperBase):
            metric.clear() if metric._labelnames else metric._metric_init()


@task_postrun.connect
def push_at_most_once_a_second(**_):
    global pushed
    if time.monotonic() - pushed >= 1:
        pushed = time.monotonic()
        push()


@worker_process_shutdown.connect
def push_what_is_left(**_):
    for wait in 1, 2, 4, 8, 0:
        try:
            return push(__final__="1")
        except OSError:  # the gateway is being restarted
            time.sleep(wait)
