"""Queries of SQLAlchemy, counted and timed. A script that loads users, and pushes once at its end: one group, its last run."""
import os
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, push_to_gateway
from sqlalchemy import create_engine, event, text

GATEWAY = os.environ.get("PUSHGATEWAY", "localhost:9091")
registry = CollectorRegistry()

db_queries_total = Counter('db_queries_total', 'Total database queries', ['operation', 'status'], registry=registry)
db_query_duration_seconds = Histogram(
    'db_query_duration_seconds', 'Database query duration in seconds', ['operation'],
    buckets=[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0], registry=registry)
db_connection_pool_size = Gauge('db_connection_pool_size', 'Database connection pool size', registry=registry)
db_connection_pool_active = Gauge('db_connection_pool_active', 'Active database connections', registry=registry)
db_connection_pool_idle = Gauge('db_connection_pool_idle', 'Idle database connections', registry=registry)


def operation(statement):
    """The first word is one of a few. A table's name is not: it is not a label here, lest there be a series for each."""
    word = statement.split(None, 1)[0].upper()
    return word if word in ("SELECT", "INSERT", "UPDATE", "DELETE") else "OTHER"


def instrument(engine):
    @event.listens_for(engine, "before_cursor_execute")
    def before(conn, cursor, statement, parameters, context, executemany):
        conn.info["query_start"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(conn, cursor, statement, parameters, context, executemany):
        db_queries_total.labels(operation(statement), "success").inc()
        db_query_duration_seconds.labels(operation(statement)).observe(time.perf_counter() - conn.info["query_start"])

    @event.listens_for(engine, "handle_error")
    def failed(context):
        if context.statement:
            db_queries_total.labels(operation(context.statement), "error").inc()

    # The pool is asked when the metrics are read, so that no code has to keep these gauges up to date.
    db_connection_pool_size.set_function(engine.pool.size)
    db_connection_pool_active.set_function(engine.pool.checkedout)
    db_connection_pool_idle.set_function(engine.pool.checkedin)
    return engine


def main():
    from sqlalchemy.pool import QueuePool
    engine = instrument(create_engine(os.environ.get("DATABASE_URL", "sqlite:///:memory:"), poolclass=QueuePool, pool_size=5))
    try:
        with engine.connect() as db:
            db.execute(text("CREATE TABLE users (id INTEGER, name TEXT)"))
            for i in range(10):
                db.execute(text("INSERT INTO users VALUES (:i, :n)"), {"i": i, "n": f"user {i}"})
            assert db.execute(text("SELECT count(*) FROM users")).scalar() == 10
            if os.environ.get("FAIL"):
                db.execute(text("SELECT * FROM nothing"))
    finally:
        push_to_gateway(GATEWAY, job="load-users", registry=registry)


if __name__ == "__main__":
    main()
