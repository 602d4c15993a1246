"""Client libraries of other languages: the programs in clients/, which make the pushes that a test asks for."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("clients")
DEADLINE = 120
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def metric(kind, name, help, *series, bounds=()):
    """series: (labels, values). Values are text, since JSON has no NaN."""
    return {"Kind": kind, "Name": name, "Help": help, "Bounds": bounds,
            "Series": [{"Labels": labels, "Values": values} for labels, values in series]}


class Library:
    def __init__(self, name, command, env=None, format=""):
        self.name, self.command, self.format = name, command, format
        self.env = {**os.environ, **(env or {})}

    def requests(self, gateway, requests):
        """A process makes these requests one after the other. Returns (the outcome of each, the connections that it opened)."""
        for r in requests:
            r.update(URL=gateway.url, Format=r.get("Format", self.format))
        done = subprocess.run(self.command, env=self.env, input=json.dumps(requests), text=True, capture_output=True,
                              timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        return report["results"], report["connections"]

    def request(self, gateway, action, job, metrics=(), key=None, **more):
        ((result,), _) = self.requests(gateway, [{"Action": action, "Job": job, "Metrics": metrics,
                                                  "Grouping": key or {}, **more}])
        return result

    def accepted(self, *args, **more):
        """What was pushed, as the library itself would expose it."""
        result = self.request(*args, **more)
        assert result["error"] == ""
        return result["pushed"]

    def refused(self, *args, **more):
        error = self.request(*args, **more)["error"]
        assert error, "it was taken"
        return error


@pytest.fixture(scope="session")
def go_program(tmp_path_factory):
    """clients/push.go, built without a network from Debian's packages."""
    program = tmp_path_factory.mktemp("go") / "push"
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", program, PROGRAMS / "push.go"], env=env, check=True)
    return program


@pytest.fixture(scope="session")
def go(go_program):
    return Library("client_golang", [go_program])


@pytest.fixture(scope="session")
def go_text(go_program):
    return Library("client_golang, text", [go_program], format=TEXT)


@pytest.fixture(scope="session")
def node():
    assert os.environ.get("NODE_PATH"), "NODE_PATH names a node_modules with prom-client; tests/run unpacks one"
    return Library("prom-client", [shutil.which("node") or "nodejs", PROGRAMS / "push.js"])


@pytest.fixture(params=["go", "go_text", "node"])
def library(request):
    return request.getfixturevalue(request.param)
