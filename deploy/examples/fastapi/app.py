"""A FastAPI application with several workers. Run it with: uvicorn --workers 4 app:app"""
import asyncio
import os
import socket
import time

from fastapi import FastAPI, Request
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, push_to_gateway

GATEWAY = os.environ.get("PUSHGATEWAY", "localhost:9091")
EVERY = float(os.environ.get("PUSH_EVERY", "5"))

http_requests_total = Counter('http_requests_total', 'Total HTTP requests', ['method', 'endpoint', 'status'])
http_request_duration_seconds = Histogram(
    'http_request_duration_seconds', 'HTTP request duration in seconds', ['method', 'endpoint'],
    buckets=[0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0])
http_requests_in_progress = Gauge(
    'http_requests_in_progress', 'Number of HTTP requests currently being processed', ['method', 'endpoint'])

app = FastAPI()


def push(**last):
    """PUT .../sum/metrics/job/web/instance/HOST/pid/PID: what this worker has counted so far."""
    key = {"instance": socket.gethostname(), "pid": str(os.getpid()), **last}
    push_to_gateway(GATEWAY + "/sum", job="web", registry=REGISTRY, grouping_key=key, timeout=5)


async def push_again_and_again():
    while True:
        await asyncio.sleep(EVERY)
        try:
            await asyncio.to_thread(push)
        except OSError as e:
            print(f"metrics are pushed again later: {e}")


@app.on_event("startup")
async def start_pushing():
    app.state.pushing = asyncio.create_task(push_again_and_again())


@app.on_event("shutdown")
async def push_what_is_left():
    app.state.pushing.cancel()
    await asyncio.to_thread(push, __final__="1")


@app.middleware("http")
async def metrics_middleware(request: Request, call_next):
    """Collect HTTP metrics for all requests"""
    method = request.method
    endpoint = request.url.path

    # Track in-progress requests
    http_requests_in_progress.labels(method=method, endpoint=endpoint).inc()

    # Measure request duration
    start_time = time.time()

    try:
        response = await call_next(request)
        status = response.status_code

        # Record metrics
        http_requests_total.labels(method=method, endpoint=endpoint, status=status).inc()
        http_request_duration_seconds.labels(method=method, endpoint=endpoint).observe(time.time() - start_time)

        return response

    finally:
        http_requests_in_progress.labels(method=method, endpoint=endpoint).dec()


@app.get("/hello")
async def hello():
    return {"pid": os.getpid()}
