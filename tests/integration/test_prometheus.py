"""A real Prometheus scrapes the gateway with deploy/'s configuration; PromQL then finds what was pushed."""
import json
import math
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import push_to_gateway

import messages as pb
from exposition import scrape
from gateway import DEADLINE, Gateway, eventually, free_port, parse_logfmt
from test_clients import Worker, work

pytestmark = pytest.mark.released
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "prometheus.yml"


def versions():
    """The oldest and the newest of $PROMETHEUS and those on PATH: programs by version, as in "2.42.0"."""
    paths = [os.environ.get("PROMETHEUS"), *(shutil.which("prometheus", path=folder) for folder in os.get_exec_path())]
    found = {}
    for path in filter(None, paths):
        out = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        numbers = re.search(r"version (\d+)\.(\d+)\.(\d+)", out.stdout + out.stderr).groups()
        found.setdefault(tuple(int(n) for n in numbers), path)
    return {".".join(str(n) for n in v): found[v] for v in {min(found), max(found)}} if found else {"none": None}


class Prometheus:
    FLAGS = []

    def __init__(self, gateway, directory, settings="", configuration=None, binary=None):
        """`settings` are more of the scrape's; `configuration` is in place of deploy/'s for the gateway."""
        binary = binary or os.environ.get("PROMETHEUS") or shutil.which("prometheus")
        assert binary, "no prometheus: tests/run unpacks Debian's, or PROMETHEUS names one"
        file = directory / "prometheus.yml"
        file.write_text(configuration or self._configuration(gateway, settings))
        self.process = subprocess.Popen(
            [binary, *self.FLAGS, f"--config.file={file}", f"--storage.tsdb.path={directory}/data", "--web.listen-address=127.0.0.1:0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        try:
            self.url = f"http://{self._address()}"
        except BaseException:
            self.end()
            raise
        # It must not stall on a full pipe.
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()

    @staticmethod
    def _configuration(gateway, settings):
        configuration = CONFIGURATION.read_text()
        assert "localhost:9091" in configuration
        return ("global: {scrape_interval: 250ms, scrape_timeout: 250ms}\n"
                + configuration.replace("localhost:9091", f"{gateway.host}:{gateway.port}")
                .replace("honor_labels: true", "honor_labels: true" + settings))

    def _address(self):
        """It says where it listens and that it is ready, in either order."""
        seen, address, ready = [], None, False
        for line in self.process.stderr:
            seen.append(line)
            pairs = parse_logfmt(line)
            if pairs.get("msg") == "Listening on":
                address = pairs["address"]
            ready = ready or pairs.get("msg", "").startswith("Server is ready")
            if address and ready:
                return address
        raise AssertionError("prometheus did not start:\n" + "".join(seen))

    def api(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=DEADLINE) as r:
            return json.load(r)["data"]

    def query(self, promql, **at):
        return [(x["metric"], float(x["value"][1])) for x in self.api("query", query=promql, **at)["result"]]

    def value(self, promql):
        """The one value of the expression, once there is one."""
        result = eventually(lambda: self.query(promql), promql)
        assert len(result) == 1, result
        return result[0][1]

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Pair:
    """One Prometheus for all tests, since it takes five seconds to its first scrape, and its target."""

    def __init__(self, directory):
        self.database = directory / "tallygate.db"
        self.gateway = self._gateway(free_port())
        self.prometheus = Prometheus(self.gateway, directory)

    def _gateway(self, port):
        return Gateway(database=self.database, listen=f"127.0.0.1:{port}").start()

    def restart_gateway(self):
        self.gateway = self._gateway(self.gateway.port)

    def end(self):
        self.prometheus.end()
        self.gateway.terminate()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    p = Pair(tmp_path_factory.mktemp("prometheus"))
    yield p
    p.end()


@pytest.fixture
def prometheus(pair):
    return pair.prometheus


@pytest.fixture
def gateway(pair):
    return pair.gateway


def target(prometheus):
    """The gateway as a target, once a scrape of it has not taken longer than a busy machine lets it."""
    def scraped():
        (t,) = prometheus.api("targets")["activeTargets"] or [{"health": "unknown"}]
        return t if t["health"] != "unknown" and "deadline exceeded" not in t["lastError"] else None
    return eventually(scraped, "the target is scraped")


def test_what_a_celery_worker_pushed_is_there(gateway, prometheus):
    worker = Worker()
    work(worker)
    push_to_gateway(gateway.url, job="celery", registry=worker.registry, grouping_key={"instance": "worker-1"})
    done = 'celery_tasks_total{job="celery",instance="worker-1",task_name="send_email",status="success"}'
    assert prometheus.value(done) == 2
    assert prometheus.value('celery_queue_length{queue="default"}') == 12
    assert prometheus.value('sum by (job) (celery_tasks_total{status="failure"})') == 1
    bucket = 'celery_task_duration_seconds_bucket{task_name="send_email"}'
    assert 0.1 < prometheus.value(f"histogram_quantile(0.5, {bucket})") < 0.5
    assert prometheus.query('{exported_job=~".+"}') == [], "honor_labels keeps the pushed job"
    t = target(prometheus)
    assert (t["health"], t["lastError"]) == ("up", "")

    worker.run("send_email", 1)
    push_to_gateway(gateway.url, job="celery", registry=worker.registry, grouping_key={"instance": "worker-1"})
    eventually(lambda: prometheus.query(f"{done} == 3"), "the next scrape brings the next value")
    gateway.delete("celery/instance/worker-1")
    eventually(lambda: prometheus.query(done) == [], "what is deleted goes stale")


def test_values_arrive_as_they_were_pushed(gateway, prometheus):
    gateway.put("t", 'v{i="a"} 0.30000000000000004\nv{i="b"} 1e308\nv{i="c"} NaN\nv{i="d"} -Inf\nv{i="e\\"\\\\\\n é"} 5\n')
    gateway.request("PUT", "/metrics/job/p", pb.family("p_total", pb.COUNTER, pb.counter(9007199254740993)),
               {"Content-Type": pb.CONTENT_TYPE})
    assert prometheus.value('v{i="a"}') == 0.30000000000000004
    assert prometheus.value('v{i="b"}') == 1e308
    assert math.isnan(prometheus.value('v{i="c"}'))
    assert prometheus.value('v{i="d"}') == -math.inf
    assert prometheus.value('v{i="e\\"\\\\\\n é"}') == 5
    assert prometheus.value('p_total{job="p"}') == 9007199254740992
    assert prometheus.value('push_time_seconds{job="p"}') == scrape(gateway).pushed("push_time_seconds", "p")
    assert prometheus.value('up{job="tallygate"}') == 1
    assert prometheus.value("pushgateway_build_info") == 1


def test_a_killed_gateway_is_scraped_again_with_everything(pair, prometheus):
    pair.gateway.put("batch", "rows_done 41\n")
    assert prometheus.value("rows_done") == 41
    pair.gateway.put("batch", "rows_done 42\n")
    pair.gateway.kill()
    eventually(lambda: prometheus.query("up == 0"), "the scrape fails")
    pair.restart_gateway()
    eventually(lambda: prometheus.query("up == 1"), "the scrape works again")
    assert prometheus.value("rows_done") == 42


def test_hard_pushes_do_not_fail_the_scrape(gateway, prometheus):
    """Everything odd that is accepted, in the eyes of the strictest reader there is."""
    odd = (pb.family("n", pb.HISTOGRAM, pb.histogram(6, 18.4, (), pb.native(3, 2, [(0, 2), (3, 1)], [1, 1, -1])))
           + pb.family("gh", pb.GAUGE_HISTOGRAM, pb.histogram(3, 2, [(1, 1)]))
           + pb.family("my.metric", pb.GAUGE, pb.gauge(1, **{"la bel": "x"}), help=b"bad \xff help")
           + pb.family("empty", pb.GAUGE))
    assert gateway.request("PUT", "/metrics/job/odd", odd, {"Content-Type": pb.CONTENT_TYPE}).status == 200
    assert gateway.put("odd2", 'a{x="\r\t\x01"} 1\n# HELP a \x01\\\\ "\n# TYPE h histogram\nh_bucket{le="1"} 3\nh_bucket{le="1"} 2\n'
                          "# TYPE s summary\ns 1\n").status in (200, 400)
    assert prometheus.value('my_metric{job="odd"}') == 1
    t = target(prometheus)
    assert (t["health"], t["lastError"]) == ("up", "")
