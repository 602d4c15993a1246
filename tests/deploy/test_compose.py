"""deploy/compose.yaml: there is no Docker where the tests run, so each part is checked by itself: that what is mounted
is there, that images are pinned, that every host that is named is a service, that each program takes its arguments."""
import contextlib
import json
import re
import subprocess
import urllib.request

import yaml

from gateway import BINARY, Gateway
from servers import free_address, wait_for_port
from tools import OBSERVABILITY, ROOT, tool

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]

PORTS = {"tallygate": 9091, "api": 8000, "redis": 6379, "prometheus": 9090, "alertmanager": 9093, "alerts": 8080, "longterm-5m": 8428, "longterm-1h": 8428,
         "grafana": 3000}


def mounts(service):
    """(file or volume, place in the container) of each."""
    for volume in SERVICES[service].get("volumes", []):
        source, target, *mode = volume.split(":")
        assert mode in ([], ["ro"])
        yield source, target


def mounted(service, path):
    """The file that the container has there."""
    for source, target in mounts(service):
        if path == target or path.startswith(target + "/"):
            return DEPLOY / (source + path[len(target):])
    raise AssertionError(f"{service} has no {path}")


def test_each_service_has_an_image_or_is_built():
    for service in SERVICES.values():
        assert ("image" in service) != ("build" in service)
        assert set(service.get("depends_on", [])) <= set(SERVICES)


def test_what_is_mounted_is_there_and_read_only():
    volumes = set()
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                volumes.add(source)
        if "build" in service:
            context = DEPLOY / service["build"]["context"]
            assert context.is_dir() and ("dockerfile_inline" in service["build"] or (context / service["build"]["dockerfile"]).is_file()), name
    assert volumes == set(COMPOSE["volumes"])


def test_images_are_pinned():
    images = {s["image"] for s in SERVICES.values() if "image" in s}
    inline = "".join(s["build"].get("dockerfile_inline", "") for s in SERVICES.values() if "build" in s)
    images |= set(re.findall(r"^FROM (\S+)$", inline, re.M))
    installed = " ".join(re.findall(r"^RUN pip install --no-cache-dir (.*)$", inline, re.M)).split()
    assert installed and all(re.fullmatch(r"[a-z-]+(\[[a-z]+\])?==[\d.]+", package) for package in installed), installed
    assert all(re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z-]+)?", image) for image in images), images
    schema = json.loads((ROOT / "tests/deploy/grafana/package.json").read_text())["dependencies"]["@grafana/schema"]
    assert f"grafana/grafana:{schema}" in images, "whose types the dashboards are compiled with"


def test_ports_are_for_this_machine_only():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), port


def hosts(text):
    return set(re.findall(r"\b([a-z][\w-]*):(\d{4,5})\b", text))


def test_each_host_that_is_named_is_a_service():
    files = [*(DEPLOY / "compose").rglob("*.yml"), OBSERVABILITY / "alertmanager.yml"]
    named = set().union(*(hosts(re.sub(r"#.*", "", f.read_text())) for f in files)) - {("localhost", "9090")}
    assert len(named) >= 6
    # What containers are told in their environment.
    named |= hosts(" ".join(str(v) for s in SERVICES.values() for v in s.get("environment", {}).values()))
    for host, port in named:
        assert PORTS[host] == int(port), host
    assert set(PORTS) <= set(SERVICES)


def test_prometheus_takes_its_configuration_and_flags(tmp_path):
    file = mounted("prometheus", "/etc/prometheus/prometheus.yml")
    (tmp_path / "prometheus.yml").write_bytes(file.read_bytes())
    (tmp_path / "rules").symlink_to(mounted("prometheus", "/etc/prometheus/rules"))
    done = subprocess.run([tool("promtool"), "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True)
    assert done.returncode == 0 and "5 rule files found" in done.stdout, done.stdout + done.stderr
    for program, service in (("prometheus", "prometheus"), ("prometheus-alertmanager", "alertmanager"), ("victoria-metrics", "longterm-5m"),
                             ("victoria-metrics", "longterm-1h")):
        done = subprocess.run([tool(program), "--help"], capture_output=True, text=True)
        for flag in SERVICES[service]["command"]:
            name = flag.split("=")[0].lstrip("-")
            assert re.search(rf"^\s+--?{re.escape(name)}[ =]", done.stdout + done.stderr, re.M), flag


def test_what_is_said_twice_is_the_same():
    """compose/prometheus.yml and observability/prometheus.yml."""
    ours, full = (yaml.safe_load((DEPLOY / f / "prometheus.yml").read_text()) for f in ("compose", "observability"))
    assert ours["remote_write"] == full["remote_write"] and ours["global"] == full["global"] and ours["rule_files"] == full["rule_files"]
    jobs = {job["job_name"]: job for job in full["scrape_configs"]}
    for job in ours["scrape_configs"]:
        same = {k: v for k, v in jobs[job["job_name"]].items() if k not in ("static_configs", "ec2_sd_configs", "relabel_configs")}
        assert {k: v for k, v in job.items() if k != "static_configs"} == same


def test_grafana_finds_the_dashboards():
    provider = yaml.safe_load(mounted("grafana", "/etc/grafana/provisioning/dashboards/tallygate.yml").read_text())
    (folder,) = [p["options"]["path"] for p in provider["providers"]]
    assert len(list(mounted("grafana", folder).glob("*.json"))) == 5
    assert mounted("grafana", SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    sources = yaml.safe_load(mounted("grafana", "/etc/grafana/provisioning/datasources/tallygate.yml").read_text())["datasources"]
    assert [s["type"] for s in sources] == ["prometheus"] * 3 and sum(s.get("isDefault", False) for s in sources) == 1


def test_the_gateway_takes_its_flags(tmp_path):
    flags = [f.replace("/etc/tallygate/groups.yml", str(mounted("tallygate", "/etc/tallygate/groups.yml")))
             for f in SERVICES["tallygate"]["command"]]
    with Gateway(*flags, database=tmp_path / "tallygate.db") as g:
        assert g.get("/-/ready").status == 200


def test_the_rules_for_groups():
    done = subprocess.run([BINARY, "check-config", mounted("tallygate", "/etc/tallygate/groups.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def script_of(service):
    """Runs the Python script of a service, on a port of its own: (process, URL)."""
    *_, path = SERVICES[service]["command"]
    port = free_address().split(":")[1]
    process = subprocess.Popen(["/usr/bin/python3", "-u", mounted(service, path), port], stdout=subprocess.PIPE, text=True)
    try:
        wait_for_port(int(port))
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_api_shows_metrics():
    with script_of("api") as (_, url):
        first, second = (urllib.request.urlopen(f"{url}/metrics", timeout=30).read().decode() for _ in range(2))
    requests = 'http_requests_total{endpoint="/tasks",method="GET",status="200"} '
    assert requests + "1.0\n" in first and requests + "2.0\n" in second
    assert 'http_request_duration_seconds_bucket{endpoint="/tasks",le="0.2",method="GET"}' in first, "the objective"


def test_the_worker_does_what_the_api_gives_it():
    """tests/integration runs this worker; here it is that the names agree."""
    (application,) = [word for before, word in zip(SERVICES["worker"]["command"], SERVICES["worker"]["command"][1:]) if before == "-A"]
    tasks = mounted("worker", f"/app/{application}.py").read_text()
    name, arguments = re.search(r'send_task\("(?:\w+\.)?(\w+)", (\[.*?\])\)', mounted("api", "/api.py").read_text()).groups()
    assert f'"{application}.{name}"' in mounted("api", "/api.py").read_text()
    assert len(json.loads(arguments)) == len(re.search(rf"def {name}\((.*?)\)", tasks)[1].split(","))
    for service, script in (("worker", tasks + mounted("worker", "/app/push_metrics.py").read_text()), ("api", mounted("api", "/api.py").read_text())):
        for variable in SERVICES[service]["environment"]:
            assert variable.startswith("PYTHON") or f'environ.get("{variable}"' in script, variable


def test_alerts_are_printed():
    with script_of("alerts") as (process, url):
        alert = {"status": "firing", "labels": {"alertname": "JobOverdue"}, "annotations": {"summary": "No push of backup"}}
        request = urllib.request.Request(f"{url}/page", json.dumps({"alerts": [alert]}).encode())
        assert urllib.request.urlopen(request, timeout=30).status == 200
        assert process.stdout.readline() == "/page firing JobOverdue No push of backup\n"
