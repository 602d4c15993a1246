"""deploy/observability alive: a Prometheus with its configuration and rules scrapes a gateway, the application and
CloudWatch's exporter, writes to VictoriaMetrics, and tells Alertmanager, which tells a receiver.

Changed for the test are addresses, the source of targets in EC2, and times: everything happens some times a second."""
import json
import math
import re

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, push_to_gateway

import servers
from api import Api
from dashboards import FILES, load, queries
from gateway import Gateway, eventually
from taskmanager import CloudWatch, Exporter
from test_files import cloudwatch_series
from tools import OBSERVABILITY

OFTEN = "500ms"
GROUP_RULES = """
rules:
- match: '{job="backup"}'
  expect_every: 1s
- match: '{job="report"}'
  ttl: 1s
  keep_times: 1h
"""


def push_as_celery(gateway):
    """As a worker that has done some tasks since it last pushed."""
    registry = CollectorRegistry()
    tasks = Counter("celery_tasks_total", "Tasks.", ["task_name", "status"], registry=registry)
    duration = Histogram("celery_task_duration_seconds", "Duration.", ["task_name"], buckets=[0.1, 0.5, 1, 5], registry=registry)
    Gauge("celery_tasks_in_progress", "Running.", ["task_name"], registry=registry).labels("send").set(1)
    Gauge("celery_queue_length", "Waiting.", ["queue"], registry=registry).labels("default").set(7)

    def push():
        tasks.labels("send", "success").inc(3)
        tasks.labels("send", "failure").inc()
        duration.labels("send").observe(0.3)
        push_to_gateway(gateway.url, job="celery", registry=registry, grouping_key={"instance": "worker-1"})
    return push


class Stack:
    """All of it, started at once."""

    def __init__(self, directory):
        self.directory, self.started = directory, []
        try:
            self._start()
        except BaseException:
            self.end()
            raise

    def _add(self, server):
        self.started.append(server)
        return server

    def _start(self):
        (self.directory / "groups.yml").write_text(GROUP_RULES)
        self.victoria = self._add(servers.victoria_metrics(self.directory))
        self.receiver = self._add(servers.Receiver())
        self.alertmanager = self._add(servers.alertmanager(self.directory, self._alertmanager()))
        self.gateway = Gateway(f"--config.file={self.directory}/groups.yml", database=self.directory / "tallygate.db").start()
        self.api = self._add(Exporter(Api()))
        self.worker = self._add(Exporter(Api()))
        self.cloudwatch = self._add(Exporter(CloudWatch(cloudwatch_series())))
        address = servers.free_address()
        self.prometheus = self._add(servers.prometheus(self.directory, self._prometheus(address), address))
        for server in (self.victoria, self.alertmanager, self.prometheus):
            server.wait()

    def _alertmanager(self):
        text = (OBSERVABILITY / "alertmanager.yml").read_text().replace("alerts:8080", self.receiver.address)
        configuration = yaml.safe_load(text)
        configuration["route"]["group_wait"] = OFTEN
        return self._write("alertmanager.yml", configuration)

    def _prometheus(self, address):
        configuration = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": OFTEN, "evaluation_interval": OFTEN}
        configuration["rule_files"] = [str(self._rules(f)) for f in (OBSERVABILITY / "rules").glob("*.yml")]
        targets = {"tallygate": f"{self.gateway.host}:{self.gateway.port}", "taskmanager-api": self.api.address,
                   "taskmanager-worker": self.worker.address, "cloudwatch": self.cloudwatch.address, "prometheus": address,
                   "alertmanager": self.alertmanager.address}
        for job in configuration["scrape_configs"]:
            found = {"targets": [targets[job["job_name"]]]}
            if job.pop("ec2_sd_configs", None):
                found["labels"] = {"__meta_ec2_tag_Environment": "prod", "__meta_ec2_private_ip": "10.0.0.7"}
            job["static_configs"] = [found]
            job.pop("scrape_interval", None), job.pop("scrape_timeout", None)
        configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [self.alertmanager.address]
        for storage in configuration["remote_write"]:
            storage["url"] = f"{self.victoria.url}/api/v1/write?extra_label=storage={storage['name']}"
            storage["queue_config"] = {"batch_send_deadline": OFTEN}
        return self._write("prometheus.yml", configuration)

    def _rules(self, file):
        rules = yaml.safe_load(file.read_text())
        for group in rules["groups"]:
            group["interval"] = OFTEN
        return self._write(file.name, rules)

    def _write(self, name, configuration):
        file = self.directory / name
        file.write_text(yaml.safe_dump(configuration))
        return file

    def end(self):
        for server in reversed(self.started):
            server.end()
        if hasattr(self, "gateway"):
            self.gateway.terminate()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    s = Stack(tmp_path_factory.mktemp("stack"))
    yield s
    s.end()


def test_every_query_of_every_dashboard_has_data(stack):
    gateway, prometheus = stack.gateway, stack.prometheus
    push = push_as_celery(gateway)
    for job in ("backup", "report"):
        assert gateway.put(f"{job}/instance/db1", "files 3\n").status == 200
    missing = {(f.stem, panel): q for f in FILES for panel, q in queries(load(f))}
    assert len(missing) > 60

    def answered():
        push()
        for key, query in list(missing.items()):
            if any(not math.isnan(value) for _, value in prometheus.query(query)):
                del missing[key]
        return not missing
    try:
        eventually(answered, "every query has data")
    except AssertionError:
        raise AssertionError(f"no data: {missing}") from None


def test_every_variable_has_values(stack):
    for dashboard in map(load, FILES):
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
                eventually(lambda: [m for m, _ in stack.prometheus.query(metric) if m.get(label)], f"{metric} with {label}")


def test_every_target_is_up_and_every_rule_can_be_computed(stack):
    prometheus = stack.prometheus
    eventually(lambda: len(prometheus.query("up == 1")) == 6, "six targets are up")
    groups = json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"]
    assert len(groups) == sum(len(yaml.safe_load(f.read_text())["groups"]) for f in (OBSERVABILITY / "rules").glob("*.yml"))

    def healthy():
        rules = [r for g in json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"] for r in g["rules"]]
        wrong = {r["name"]: r["lastError"] for r in rules if r["health"] == "err"}
        assert not wrong
        return all(r["health"] == "ok" for r in rules)
    eventually(healthy, "each rule was computed")


def test_labels_are_those_of_the_pushed_and_of_the_environment(stack):
    query = stack.prometheus.query
    eventually(lambda: query('files{job="backup",instance="db1"}'), "what was pushed")
    eventually(lambda: query('http_requests_total{job="taskmanager-api",instance="10.0.0.7:8000",environment="prod"}'), "relabelled")
    eventually(lambda: query('aws_rds_cpuutilization_average{job="aws_rds",dbinstance_identifier="taskmanager-prod"}'), "CloudWatch's")
    assert query('{exported_job=~".+"}') == []


def test_each_reason_of_a_refusal_has_an_alert(stack):
    rules = [r for g in yaml.safe_load((OBSERVABILITY / "rules" / "gateway.yml").read_text())["groups"] for r in g["rules"]]
    told = "|".join(re.search(r'reason=~"([^"]*)"', r["expr"])[1] for r in rules if "pushgateway_rejected_pushes_total" in r["expr"])
    found = eventually(lambda: stack.prometheus.query("pushgateway_rejected_pushes_total"), "refusals are counted")
    assert {m["reason"] for m, _ in found} == set(told.split("|"))


def test_an_alert_of_the_gateway_arrives(stack):
    assert stack.gateway.put("backup/instance/db1", "files 3\n").status == 200
    path, alert = stack.receiver.wait_for("JobOverdue")
    assert path == "/page" and alert["status"] == "firing"
    assert alert["labels"] == {"alertname": "JobOverdue", "severity": "critical", "job": "backup", "instance": "db1"}
    assert alert["annotations"]["summary"] == "No push of backup, instance db1 in the time that is expected of it"


def test_long_term_storage_has_each_resolution_and_nothing_else(stack):
    query = stack.victoria.query
    for resolution, storage in (("5m", "5m-for-90d"), ("1h", "1h-for-2y")):
        name = f"job_endpoint_status:http_requests:increase{resolution}"
        found = eventually(lambda: query(f'{name}{{storage="{storage}",job="taskmanager-api",endpoint="/tasks",status="200"}} > 0'), name)
        assert len(found) == 1
    eventually(lambda: query('slo:requests:increase5m{slo="availability",storage="5m-for-90d"}'), "what the budget is made of")
    names = json.loads(stack.victoria.get("/api/v1/label/__name__/values"))["data"]
    assert names and all(name.endswith(("increase5m", "avg5m", "increase1h", "avg1h")) for name in names)
    assert not query('{__name__=~".+1h",storage="5m-for-90d"}') and not query('{__name__=~".+5m",storage="1h-for-2y"}')
