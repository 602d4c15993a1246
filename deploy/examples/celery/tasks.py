"""An application of Celery whose tasks are counted. Run it with: celery -A tasks worker"""
import os
import time

from celery import Celery, Task
from prometheus_client import Counter, Gauge, Histogram

import push_metrics  # noqa: F401: its signal handlers do the rest

app = Celery("tasks", broker=os.environ.get("BROKER", "redis://localhost"))

celery_tasks_total = Counter(
    'celery_tasks_total',
    'Total Celery tasks',
    ['task_name', 'status']  # success, failure, retry
)

celery_task_duration_seconds = Histogram(
    'celery_task_duration_seconds',
    'Celery task duration in seconds',
    ['task_name'],
    buckets=[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0]
)

celery_tasks_in_progress = Gauge(
    'celery_tasks_in_progress',
    'Number of Celery tasks currently executing',
    ['task_name']
)


class InstrumentedTask(Task):
    """Celery task with Prometheus instrumentation"""

    def __call__(self, *args, **kwargs):
        task_name = self.name

        celery_tasks_in_progress.labels(task_name=task_name).inc()
        start_time = time.time()

        try:
            result = super().__call__(*args, **kwargs)

            celery_tasks_total.labels(
                task_name=task_name,
                status='success'
            ).inc()

            duration = time.time() - start_time
            celery_task_duration_seconds.labels(
                task_name=task_name
            ).observe(duration)

            return result

        except Exception:
            celery_tasks_total.labels(
                task_name=task_name,
                status='failure'
            ).inc()
            raise

        finally:
            celery_tasks_in_progress.labels(task_name=task_name).dec()


@app.task(base=InstrumentedTask)
def send_notification_email(user_id: str, template: str):
    """Where the mail would be sent."""
