"""The programs of deploy/examples in other languages and surroundings, run as they are against the gateway."""
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from exposition import promtool, scrape
from gateway import DEADLINE, Gateway
from redis_server import Redis
from test_examples import EXAMPLES

# What they may break is what a client waits for.
pytestmark = pytest.mark.released


def run(command, gw, status=0, scheme="http://", **env):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=4 * DEADLINE, env={
        **os.environ, "PUSHGATEWAY": f"{scheme}{gw.host}:{gw.port}", "PYTHONDONTWRITEBYTECODE": "1", **env})
    assert done.returncode == status, done
    return done


def python(gw, example, status=0, **env):
    return run([sys.executable, EXAMPLES / example], gw, status, scheme="", **env)


def test_sqlalchemy(gw):
    python(gw, "sqlalchemy/database.py")
    s = scrape(gw)
    count = lambda operation, status="success": s.pushed("db_queries_total", "load-users", operation=operation, status=status)
    assert (count("INSERT"), count("SELECT"), count("OTHER")) == (10, 1, 1)
    assert s.pushed("db_query_duration_seconds_count", "load-users", operation="INSERT") == 10
    assert s.pushed("db_connection_pool_size", "load-users") == 5
    assert s.pushed("db_connection_pool_idle", "load-users") == 1 and s.pushed("db_connection_pool_active", "load-users") == 0
    assert promtool(s.text) == []
    # A run that fails says so, too.
    assert "nothing" in python(gw, "sqlalchemy/database.py", status=1, FAIL="1").stderr
    s = scrape(gw)
    assert count("SELECT", "error") == 1 and count("INSERT") == 10


def test_redis(gw, tmp_path):
    redis = Redis(tmp_path)
    try:
        for _ in range(2):
            python(gw, "redis/cache.py", REDIS_URL=f"unix://{redis.socket}")
    finally:
        redis.end()
    s = scrape(gw)
    assert s.pushed("cache_misses_total", "cache", cache_type="session") == 5
    assert s.pushed("cache_hits_total", "cache", cache_type="session") == 15 + 20, "empty values are there"
    assert s.pushed("cache_operations_total", "cache", operation="set", status="success") == 5
    assert s.pushed("cache_operation_duration_seconds_count", "cache", operation="get") == 40
    assert "pid=" not in s.text and promtool(s.text) == []
    # Without Redis: an error is an error.
    module = load("redis/cache.py")
    cache = module.InstrumentedRedisCache(module.Redis(unix_socket_path=str(redis.socket)))
    with pytest.raises(module.RedisError):
        cache.get("x")
    assert module.cache_operations_total.labels("get", "error")._value.get() == 1


def load(example):
    """As a module, in a registry that this process has for nothing else."""
    import prometheus_client
    for collector in list(prometheus_client.REGISTRY._collector_to_names):
        prometheus_client.REGISTRY.unregister(collector)
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / example)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lambda(gw, monkeypatch, capsys):
    monkeypatch.setenv("PUSHGATEWAY", f"{gw.host}:{gw.port}")
    warm, another = load("lambda/handler.py"), load("lambda/handler.py")
    context = lambda stream: SimpleNamespace(function_name="order", log_stream_name=f"2026/01/01/[$LATEST]{stream}")
    for i in range(3):
        assert warm.handler({"article": i}, context("a")) == {"ordered": i}
    assert another.handler({"article": 9}, context("b")) == {"ordered": 9}
    with pytest.raises(ValueError, match="no such article"):
        warm.handler({"fail": True}, context("a"))
    s = scrape(gw)
    assert s.pushed("orders_total", "orders", function="order", status="done") == 4
    assert s.pushed("orders_total", "orders", function="order", status="failed") == 1
    assert s.pushed("order_seconds_count", "orders", function="order") == 5
    assert promtool(s.text) == []
    # Without a gateway the order is done all the same, and the next call pushes it.
    with socket.create_server(("127.0.0.1", 0)) as free:
        warm.GATEWAY = f"127.0.0.1:{free.getsockname()[1]}"
    assert warm.handler({"article": 1}, context("a")) == {"ordered": 1}
    assert "next call" in capsys.readouterr().out
    warm.GATEWAY = f"{gw.host}:{gw.port}"
    warm.handler({"article": 2}, context("a"))
    assert scrape(gw).pushed("orders_total", "orders", function="order", status="done") == 6


# What a CronJob's manifest has to have (API batch/v1), and of which types.
MANIFEST = {
    "apiVersion": str, "kind": str, "metadata": {"name": str},
    "spec": {"schedule": str, "concurrencyPolicy": str, "jobTemplate": {"spec": {
        "backoffLimit": int, "activeDeadlineSeconds": int, "template": {"spec": {
            "restartPolicy": str, "containers": [{
                "name": str, "image": str, "env": [{"name": str, "value": str}], "command": [str], "args": [str],
                "resources": {"limits": {"memory": str}, "requests": {"cpu": str, "memory": str}},
                "securityContext": {"allowPrivilegeEscalation": bool, "readOnlyRootFilesystem": bool, "runAsNonRoot": bool,
                                    "runAsUser": int, "capabilities": {"drop": [str]}}}]}}}}}}


def check(value, shape, where="$"):
    if isinstance(shape, dict):
        assert isinstance(value, dict) and set(value) == set(shape), f"{where}: {sorted(value)} and not {sorted(shape)}"
        for name in shape:
            check(value[name], shape[name], f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list) and value, where
        for i, item in enumerate(value):
            check(item, shape[0], f"{where}[{i}]")
    else:
        assert type(value) is shape, f"{where} is no {shape.__name__}"


def test_kubernetes(gw):
    manifest = yaml.safe_load((EXAMPLES / "kubernetes/cronjob.yaml").read_text())
    check(manifest, MANIFEST)
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert len(manifest["spec"]["schedule"].split()) == 5
    pod = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] in ("Never", "OnFailure"), "Jobs have no other"
    (container,) = pod["containers"]
    env = {e["name"]: e["value"] for e in container["env"]}
    command = container["command"] + container["args"]
    run(command, gw, **{**env, "PUSHGATEWAY": gw.url, "REPORT": "true"})
    s = scrape(gw)
    success = s.pushed("report_last_success_timestamp_seconds", "report")
    assert s.pushed("report_failed", "report") == 0 and s.pushed("report_duration_seconds", "report") < 60
    run(command, gw, 1, **{**env, "PUSHGATEWAY": gw.url, "REPORT": "false"})
    s = scrape(gw)
    assert s.pushed("report_failed", "report") == 1 and s.pushed("report_last_success_timestamp_seconds", "report") == success


def test_go(gw, tmp_path):
    build = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", tmp_path / "job", EXAMPLES / "go/main.go"], env=build, check=True)
    run([tmp_path / "job"], gw)
    s = scrape(gw)
    assert s.pushed("import_records_total", "import", instance="db1", status="imported") == 10
    assert s.pushed("import_last_success_timestamp_seconds", "import", instance="db1") > 1.7e9


def test_node(gw):
    run([shutil.which("node") or "nodejs", EXAMPLES / "node/job.js"], gw)
    s = scrape(gw)
    assert s.pushed("newsletter_mails_total", "newsletter", status="sent") == 5
    assert s.pushed("newsletter_mail_seconds_count", "newsletter") == 5
    assert s.pushed("newsletter_last_success_timestamp_seconds", "newsletter") > 1.7e9


def test_java(gw):
    run(["java", "-XX:TieredStopAtLevel=1", EXAMPLES / "java/Push.java"], gw)
    assert scrape(gw).pushed("billing_invoices", "billing") == 42
    with Gateway("--limits.series-per-push=1", database="") as small:
        assert "413" in run(["java", "-XX:TieredStopAtLevel=1", EXAMPLES / "java/Push.java"], small, 1).stderr


def test_php(gw):
    for _ in range(3):
        assert run(["php", EXAMPLES / "php/request.php"], gw).stdout == "hello\n"
    assert scrape(gw).pushed("shop_requests_total", "shop", status="200") == 3
    with socket.create_server(("127.0.0.1", 0)) as free:
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = run(["php", "-d", "error_log=/dev/stderr", EXAMPLES / "php/request.php"], gw, PUSHGATEWAY=away)
    assert done.stdout == "hello\n" and "metrics were not pushed: no answer" in done.stderr
