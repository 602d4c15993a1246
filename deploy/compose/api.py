"""An API for a look at the dashboards: it has the metrics of a task manager, and makes up what it has done since it was last
scraped. With BROKER=redis://HOST it gives Celery's workers a task each second.

usage: api.py [PORT]"""
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Api:
    """Metrics of the API, with a request bucket that ends at the objective of 200 ms."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.requests = self._make(Counter, "http_requests_total", "method endpoint status")
        self.duration = self._make(Histogram, "http_request_duration_seconds", "method endpoint",
                                   buckets=[0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5])
        sizes = [100, 500, 1000, 5000, 10000, 50000]
        self.received = self._make(Histogram, "http_request_size_bytes", "method endpoint", buckets=sizes)
        self.sent = self._make(Histogram, "http_response_size_bytes", "method endpoint", buckets=sizes)
        self.in_progress = self._make(Gauge, "http_requests_in_progress", "method endpoint")
        self.queries = self._make(Counter, "db_queries_total", "operation table status")
        self.query_duration = self._make(Histogram, "db_query_duration_seconds", "operation table",
                                         buckets=[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1])
        self.pool = {part: self._make(Gauge, f"db_connection_pool_{part}") for part in ("size", "active", "idle")}
        self.transactions = self._make(Counter, "db_transactions_total", "status")
        self.hits = self._make(Counter, "cache_hits_total", "cache_type")
        self.misses = self._make(Counter, "cache_misses_total", "cache_type")
        self.cache_duration = self._make(Histogram, "cache_operation_duration_seconds", "operation",
                                         buckets=[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05])
        self.created = self._make(Counter, "tasks_created_total", "organization_id project_id")
        self.completed = self._make(Counter, "tasks_completed_total", "organization_id project_id")
        self.hours = self._make(Histogram, "task_completion_duration_hours", "organization_id priority",
                                buckets=[1, 4, 8, 24, 72, 168, 720])
        self.by_status = self._make(Gauge, "tasks_by_status", "organization_id status")
        self.overdue = self._make(Gauge, "tasks_overdue", "organization_id priority")
        self.logins = self._make(Counter, "user_logins_total", "organization_id auth_method")
        self.active_users = self._make(Gauge, "active_users", "organization_id")
        self.concurrent_users = self._make(Gauge, "concurrent_users", "organization_id")
        self.projects = self._make(Gauge, "projects_active", "organization_id")
        self.storage = self._make(Gauge, "organization_storage_bytes", "organization_id")

    def _make(self, kind, name, labels="", **more):
        return kind(name, name, labels.split(), registry=self.registry, **more)

    def work(self):
        for endpoint, seconds, status in (("/tasks", 0.03, 200), ("/tasks", 0.15, 201), ("/reports", 0.7, 500)):
            self.requests.labels("GET", endpoint, status).inc()
            self.duration.labels("GET", endpoint).observe(seconds)
            self.received.labels("GET", endpoint).observe(200)
            self.sent.labels("GET", endpoint).observe(3000)
            self.in_progress.labels("GET", endpoint).set(1)
        self.queries.labels("SELECT", "tasks", "success").inc(3)
        self.query_duration.labels("SELECT", "tasks").observe(0.004)
        for part, connections in (("size", 10), ("active", 3), ("idle", 7)):
            self.pool[part].set(connections)
        self.transactions.labels("committed").inc()
        self.hits.labels("session").inc(3)
        self.misses.labels("session").inc()
        self.cache_duration.labels("get").observe(0.0004)
        self.created.labels("o1", "p1").inc(2)
        self.completed.labels("o1", "p1").inc()
        self.hours.labels("o1", "high").observe(20)
        self.by_status.labels("o1", "TODO").set(5)
        self.overdue.labels("o1", "high").set(2)
        self.logins.labels("o1", "jwt").inc()
        for gauge, value in ((self.active_users, 12), (self.concurrent_users, 4), (self.projects, 3), (self.storage, 1e9)):
            gauge.labels("o1").set(value)

    def text(self):
        self.work()
        return generate_latest(self.registry)


def serve(shown, address):
    """Shows shown.text() at /metrics of the server that it returns, which runs until shutdown()."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = shown.text() if self.path == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return ThreadingHTTPServer(address, Handler)


def give_tasks(broker):
    from celery import Celery

    app = Celery(broker=broker)
    pause = threading.Event()
    while not pause.wait(1):
        app.send_task("tasks.send_notification_email", ["user", "welcome"])


def main():
    broker = os.environ.get("BROKER")
    if broker:
        threading.Thread(target=give_tasks, args=[broker], daemon=True).start()
    serve(Api(), ("", int(sys.argv[1]) if len(sys.argv) > 1 else 8000)).serve_forever()


if __name__ == "__main__":
    main()
