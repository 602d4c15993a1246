"""deploy/replicas: two gateways over one PostgreSQL, as compose.yaml and kubernetes.yaml start them. There is neither Docker nor a
cluster here: the files are parsed, what they name is looked for in them, and gateways, PostgreSQL and nginx run with what they say."""
import contextlib
import re
import shlex
import subprocess

import pytest
import yaml

import servers
from exposition import scrape
from gateway import DEADLINE, Gateway, eventually, free_port
from postgresql_server import Server
from tools import ROOT, tool

REPLICAS = ROOT / "deploy" / "replicas"
COMPOSE = yaml.safe_load((REPLICAS / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OBJECTS = {o["kind"]: o for o in yaml.safe_load_all((REPLICAS / "kubernetes.yaml").read_text())}
POD = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


@pytest.fixture(scope="module")
def postgresql():
    server = Server()
    try:
        yield server.start()
    finally:
        server.end()


# ---- Kubernetes ----

def test_objects_name_one_another():
    labels = POD["metadata"]["labels"]
    spec = OBJECTS["Deployment"]["spec"]
    for selector in (spec["selector"]["matchLabels"], OBJECTS["Service"]["spec"]["selector"],
                     OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                     POD["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]):
        assert selector.items() <= labels.items()
    assert spec["replicas"] == 2 > OBJECTS["PodDisruptionBudget"]["spec"]["minAvailable"] > 0
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] < spec["replicas"], "somebody takes pushes meanwhile"
    ports = {p["name"]: p["containerPort"] for p in CONTAINER["ports"]}
    used = [CONTAINER[p]["httpGet"]["port"] for p in ("livenessProbe", "readinessProbe")] + [OBJECTS["Service"]["spec"]["ports"][0]["targetPort"]]
    assert ports == {"http": 9091} and set(used) == {"http"}
    (volume,) = POD["spec"]["volumes"]
    (mount,) = CONTAINER["volumeMounts"]
    assert volume["name"] == mount["name"] and volume["secret"]["secretName"] == OBJECTS["Secret"]["metadata"]["name"]
    (url_file,) = [a.split("=")[1] for a in CONTAINER["args"] if a.startswith("--persistence.url-file=")]
    assert url_file in {f"{mount['mountPath']}/{key}" for key in OBJECTS["Secret"]["stringData"]}
    # Of two files that start the same image.
    helm = yaml.safe_load((ROOT / "deploy" / "helm" / "values.yaml").read_text())["image"]
    assert CONTAINER["image"] == f"{helm['repository']}:{helm['tag']}"


def test_a_gateway_stays_in_the_service_as_long_as_it_answers_scrapes():
    """By the default of --persistence.stale-after; and it ends when nobody sends to it any more."""
    probe = CONTAINER["readinessProbe"]
    stale_after = re.search(r"^\| `--persistence.stale-after` \| `(\d+)s` ", (ROOT / "deploy" / "README.md").read_text(), re.M)
    assert probe["periodSeconds"] * probe["failureThreshold"] == int(stale_after[1])
    assert shlex.join(CONTAINER["lifecycle"]["preStop"]["exec"]["command"]) == "sleep 5"
    assert POD["spec"]["terminationGracePeriodSeconds"] > 5


def pod(tmp_path, postgresql, name):
    """As the Deployment starts it, with the Secret's file."""
    url = tmp_path / "url"
    url.write_text(postgresql.url)
    arguments = [f"--persistence.url-file={url}" if a.startswith("--persistence.url-file=") else a for a in CONTAINER["args"]]
    return Gateway(*arguments, f"--persistence.schema={name}", database=None, cwd=tmp_path)


def test_two_pods(tmp_path, postgresql):
    with pod(tmp_path, postgresql, "pods") as a, pod(tmp_path, postgresql, "pods") as b:
        for g in a, b:
            for kind in "livenessProbe", "readinessProbe":
                path = CONTAINER[kind]["httpGet"]["path"]
                assert g.request("GET", path, headers={"Host": "10.1.2.3:9091", "User-Agent": "kube-probe/1.30"}).status == 200
        assert a.put("x", "a 1\n").status == 200
        assert scrape(b).pushed("a", "x") == 1


def test_each_argument_is_one_of_the_program():
    for arguments in (CONTAINER["args"], SERVICES["tallygate-1"]["command"]):
        for argument in arguments:
            wrong = Gateway(argument.replace("--", "--wrong-", 1), database=None)
            assert wrong.wait() == 1 and "unknown long flag" in wrong.log
    assert SERVICES["tallygate-1"] == SERVICES["tallygate-2"]


def test_the_secret_is_a_url_of_libpq():
    """With what is to be put into it, it is one that a gateway would connect to."""
    (url,) = OBJECTS["Secret"]["stringData"].values()
    here = re.sub(r"@[^/]*/", "@127.0.0.1:1/", url)
    g = Gateway(f"--persistence.url={here}", database=None)
    assert g.wait() == 1 and "Connection refused" in g.log and "PASSWORD" not in g.log


# ---- compose ----

HOSTS = {"tallygate-1": "9091", "tallygate-2": "9091", "nginx": "9091"}


def test_compose_has_what_it_names():
    volumes = set()
    for name, service in SERVICES.items():
        assert ("image" in service) != ("build" in service)
        assert set(service.get("depends_on", [])) <= set(SERVICES)
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z-]+)?", service.get("image", "x:1.0")), name
        assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in service.get("ports", []))
        for volume in service.get("volumes", []):
            source, _, *mode = volume.split(":")
            if source.startswith("."):
                assert (REPLICAS / source).is_file() and mode == ["ro"]
            else:
                volumes.add(source)
    assert volumes == set(COMPOSE["volumes"])
    build = SERVICES["tallygate-1"]["build"]
    assert (REPLICAS / build["context"] / build["dockerfile"]).is_file()


def test_compose_hosts_are_services():
    named = set(re.findall(r"\b([a-z][\w-]*):(\d{4,5})\b", (REPLICAS / "nginx.conf").read_text() + (REPLICAS / "prometheus.yml").read_text()))
    assert named == set(HOSTS.items()) and set(HOSTS) <= set(SERVICES)
    (url,) = [a.split("=", 1)[1] for a in SERVICES["tallygate-1"]["command"] if a.startswith("--persistence.url=")]
    user, host, database = re.fullmatch(r"postgresql://(\w+)@(\w+)/(\w+)", url).groups()
    there = SERVICES[host]["environment"]
    assert (there["POSTGRES_USER"], there["POSTGRES_DB"]) == (user, database)
    assert SERVICES["tallygate-1"]["environment"]["PGPASSWORD"] == there["POSTGRES_PASSWORD"]


def test_prometheus_takes_its_configuration():
    done = subprocess.run([tool("promtool"), "check", "config", REPLICAS / "prometheus.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def nginx(tmp_path, gateways):
    """With the file as it is, but for addresses. What is around it in the image is made here."""
    port = free_port()
    server = (REPLICAS / "nginx.conf").read_text().replace("listen 9091", f"listen 127.0.0.1:{port}")
    for name, g in gateways.items():
        server = server.replace(f"{name}:9091", f"{g.host}:{g.port}")
    (tmp_path / "server.conf").write_text(server)
    places = "".join(f"{what}_temp_path {tmp_path}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/errors;\n"
                                         f"events {{}}\nhttp {{ access_log off; {places} include {tmp_path}/server.conf; }}\n")
    process = subprocess.Popen([tool("nginx"), "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "errors"],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait(DEADLINE)
        process.stderr.close()


@contextlib.contextmanager
def balanced(tmp_path, postgresql, schema):
    """Two gateways, and what is in front of them."""
    flags = [a for a in SERVICES["tallygate-1"]["command"] if not a.startswith("--persistence.url=")]
    start = lambda: Gateway(*flags, f"--persistence.url={postgresql.url}", f"--persistence.schema={schema}", database=None)
    with start() as a, start() as b, nginx(tmp_path, {"tallygate-1": a, "tallygate-2": b}) as (process, port):
        front = Gateway.__new__(Gateway)
        front.host, front.port = "127.0.0.1", port

        def answers():
            assert process.poll() is None, process.stderr.read()
            with contextlib.suppress(OSError):
                return front.get("/-/ready").status == 200

        eventually(answers, "nginx answers")
        yield a, b, front


def test_the_load_balancer_hides_the_loss_of_a_gateway(tmp_path, postgresql):
    """Each push is answered 200, and is there with the next scrape, whoever has gone."""
    with balanced(tmp_path, postgresql, "loss") as (a, _, front):
        replicas = set()
        for i in range(20):
            # The next two would have gone to one gateway each.
            if i == 10:
                a.kill()
            for job in "xy":
                assert front.put(f"{job}/path@base64/L2EvYg", f"a {i}\n").status == 200, i
            for _ in range(2):
                s = scrape(front)
                assert {s.pushed("a", job, path="/a/b") for job in "xy"} == {i}
                replicas |= set(re.findall(r'^pushgateway_build_info\{.*replica="([^"]+)"', s.text, re.M))
        assert len(replicas) == 2, "both have answered"


def test_prometheus_has_what_was_pushed_once_and_each_gateways_own_metrics(tmp_path, postgresql):
    with balanced(tmp_path, postgresql, "scraped") as (a, b, front):
        assert front.put("x", "a 1\n").status == 200
        text = (REPLICAS / "prometheus.yml").read_text().replace("15s", "1s").replace("nginx:9091", f"{front.host}:{front.port}")
        for name, g in (("tallygate-1", a), ("tallygate-2", b)):
            text = text.replace(f"{name}:9091", f"{g.host}:{g.port}")
        (tmp_path / "prometheus.yml").write_text(text)
        prometheus = servers.prometheus(tmp_path, tmp_path / "prometheus.yml", servers.free_address())
        try:
            prometheus.wait()
            eventually(lambda: len(prometheus.query("up == 1")) == 3, "all are scraped")
            assert [(labels["job"], value) for labels, value in prometheus.query("a")] == [("x", 1)]
            own = prometheus.query("pushgateway_storage_up")
            assert sorted((labels["job"], labels["replica"].rpartition(":")[2]) for labels, _ in own) == sorted(
                ("tallygate", str(g.port)) for g in (a, b))
        finally:
            prometheus.end()
