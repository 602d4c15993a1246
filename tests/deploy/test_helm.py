"""deploy/helm/values.yaml, and what the chart prometheus-community/prometheus-pushgateway itself is tested with: there is no
Kubernetes here, so the gateway is started with the arguments and the files that a pod gets, and probed as it is."""
import subprocess

import pytest
import yaml

from exposition import scrape
from gateway import Gateway
from tools import ROOT

VALUES = yaml.safe_load((ROOT / "deploy" / "helm" / "values.yaml").read_text())
# bcrypt of "secret".
HASH = "$2y$10$aQm8VUhZ4uSVhKGDbRrZjuhZaTjdQ9Wlo9OltFjpOlT.iocKvJW3S"

# Of the chart's values.yaml, what ours names: a key that it does not know would be without effect.
CHART = {
    "image": {"repository", "tag", "pullPolicy"}, "persistentVolume": {"enabled", "size", "mountPath"}, "extraArgs": None,
    "resources": None, "automountServiceAccountToken": None, "containerSecurityContext": None, "replicaCount": None, "strategy": None,
    "serviceMonitor": {"enabled", "honorLabels"}, "liveness": {"enabled", "probe"}, "readiness": {"enabled", "probe"},
}
MOUNT = "/data"

# Arguments of a container: from our values, and from the chart's ci/*-values.yaml and the examples of its README.
ARGUMENTS = {
    "ours": VALUES["extraArgs"],
    "no values": [],
    "extraargs": ["--log.level=debug"],
    "persistence": ["--persistence.file=/data/pushgateway.data", "--persistence.interval=5m"],
    "admin": ["--web.enable-admin-api", "--web.enable-lifecycle"],
    "prefix": ["--web.route-prefix=/", "--web.external-url=http://pushgateway.example.com/"],
}


def test_the_chart_knows_our_values():
    for key, value in VALUES.items():
        known = CHART[key]
        assert known is None or set(value) <= known, key
    assert VALUES["persistentVolume"]["enabled"] and VALUES["replicaCount"] == 1 and VALUES["strategy"] == {"type": "Recreate"}
    assert any(a.startswith(f"--persistence.file={MOUNT}/") for a in VALUES["extraArgs"])
    assert VALUES["serviceMonitor"]["honorLabels"] is True


def test_the_image_is_of_this_version():
    version = subprocess.run(["sed", "-n", "s/^  version: '\\(.*\\)',/\\1/p", ROOT / "meson.build"], check=True, capture_output=True, text=True)
    assert VALUES["image"]["tag"] == version.stdout.strip()


class Closed(Gateway):
    """One that answers nobody without a password: that it listens is what is waited for."""

    def _ready(self):
        return True


def pod(tmp_path, arguments, kind=Gateway):
    """As the chart's container is started, with its volume; without a file named it keeps what is pushed in memory."""
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    here = [a.replace(MOUNT + "/", f"{data}/") for a in arguments]
    if not any(a.startswith("--persistence.file") for a in here):
        here.append("--persistence.file=")
    return kind(*here, database=None, cwd=tmp_path)


def probe(g, values=VALUES):
    for kind in ("liveness", "readiness"):
        reply = g.request("GET", values[kind]["probe"]["httpGet"]["path"], headers={"Host": "10.1.2.3:9091", "User-Agent": "kube-probe/1.30"})
        assert reply.status == 200, kind


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_the_chart(tmp_path, name):
    with pod(tmp_path, ARGUMENTS[name]) as g:
        probe(g)
        assert g.put("x", "a 1\n").status == 200
    if any(a.startswith("--persistence.file") for a in ARGUMENTS[name]):
        with pod(tmp_path, ARGUMENTS[name]) as g:
            assert scrape(g).pushed("a", "x") == 1


def test_the_web_configuration_of_the_chart(tmp_path):
    """basicAuthUsers, or an existingSecret with web-config.yaml; the chart's probes then ask for the port only."""
    file = tmp_path / "web-config.yaml"
    file.write_text(f"basic_auth_users:\n  test: {HASH}\n")
    with pod(tmp_path, [f"--web.config.file={file}"], kind=Closed) as g:
        g.connect().connect()
        assert g.get("/-/ready").status == 401
        assert g.request("GET", "/metrics", headers={"Authorization": "Basic dGVzdDpzZWNyZXQ="}).status == 200
        assert g.request("GET", "/metrics", headers={"Authorization": "Basic dGVzdDp3cm9uZw=="}).status == 401
