"""AWS Lambda: each execution environment counts from 0 for as long as it is kept warm, and is frozen between two calls. So it
pushes what it has counted so far at the end of each call, to /sum; the log stream is the name of the environment."""
import os
import time

from prometheus_client import CollectorRegistry, Counter, Histogram, push_to_gateway

GATEWAY = os.environ.get("PUSHGATEWAY", "localhost:9091")
# The default registry has metrics of the process, too, which differ from call to call and mean nothing here.
registry = CollectorRegistry()
orders_total = Counter("orders_total", "Orders, by what became of them.", ["status"], registry=registry)
order_seconds = Histogram("order_seconds", "How long an order took.", buckets=[.01, .1, 1, 10], registry=registry)


def work(event):
    if event.get("fail"):
        raise ValueError("no such article")
    return {"ordered": event.get("article")}


def handler(event, context):
    start = time.perf_counter()
    status = "failed"
    try:
        answer = work(event)
        status = "done"
        return answer
    finally:
        orders_total.labels(status).inc()
        order_seconds.observe(time.perf_counter() - start)
        push(context)


def push(context):
    """An order is not lost because its metrics are: the next call pushes them, too."""
    key = {"function": context.function_name, "__source__": context.log_stream_name}
    try:
        push_to_gateway(GATEWAY + "/sum", job="orders", registry=registry, grouping_key=key, timeout=2)
    except OSError as e:
        print(f"metrics are pushed with the next call: {e}")
