"""A Redis cache that counts hits, misses and errors. Workers push what they have counted to /sum."""
import os
import socket
import time

from prometheus_client import REGISTRY, Counter, Histogram, push_to_gateway
from redis import Redis
from redis.exceptions import RedisError

GATEWAY = os.environ.get("PUSHGATEWAY", "localhost:9091")

cache_operations_total = Counter('cache_operations_total', 'Total cache operations', ['operation', 'status'])
cache_hits_total = Counter('cache_hits_total', 'Total cache hits', ['cache_type'])
cache_misses_total = Counter('cache_misses_total', 'Total cache misses', ['cache_type'])
cache_operation_duration_seconds = Histogram(
    'cache_operation_duration_seconds', 'Cache operation duration in seconds', ['operation'],
    buckets=[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05])


class InstrumentedRedisCache:
    def __init__(self, redis_client: Redis):
        self.redis = redis_client

    def get(self, key: str, cache_type: str = "default"):
        with self.measured("get"):
            value = self.redis.get(key)
        # A value may be empty: only None means a miss.
        hit = value is not None
        (cache_hits_total if hit else cache_misses_total).labels(cache_type).inc()
        cache_operations_total.labels("get", "hit" if hit else "miss").inc()
        return value

    def set(self, key: str, value, ttl: int = 300):
        with self.measured("set"):
            self.redis.setex(key, ttl, value)
        cache_operations_total.labels("set", "success").inc()

    def measured(self, operation):
        return Measured(operation)


class Measured:
    """Takes the time of an operation, whether or not it fails."""

    def __init__(self, operation):
        self.operation = operation

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, kind, error, trace):
        cache_operation_duration_seconds.labels(self.operation).observe(time.perf_counter() - self.start)
        if isinstance(error, RedisError):
            cache_operations_total.labels(self.operation, "error").inc()


def push(**last):
    """What this process has counted so far; the gateway adds up those of all."""
    key = {"instance": socket.gethostname(), "pid": str(os.getpid()), **last}
    push_to_gateway(GATEWAY + "/sum", job="cache", registry=REGISTRY, grouping_key=key)


def main():
    cache = InstrumentedRedisCache(Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379")))
    for i in range(20):
        if cache.get(f"user:{i % 5}", "session") is None:
            cache.set(f"user:{i % 5}", "")
    push(__final__="1")


if __name__ == "__main__":
    main()
