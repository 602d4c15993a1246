"""Compose files by the Compose Specification's JSON schema, Kubernetes' objects by its own types: what they know, and nothing else."""
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools import ROOT, TOOLS, tool

HERE = Path(__file__).parent
DEPLOY = ROOT / "deploy"
COMPOSE = {"compose": "compose.yaml", "replicas": "replicas/compose.yaml"}
KUBERNETES = ("replicas/kubernetes.yaml", "examples/kubernetes/cronjob.yaml")


def test_compose_files():
    """And mistakes in them are found."""
    good = {name: (DEPLOY / path).read_text() for name, path in COMPOSE.items()}
    changes = [("image: redis", "imagee: redis"), ("restart: unless-stopped", "restart: [unless-stopped]"), ("depends_on: [redis]", "depends_on: 7"),
               ("volumes:\n  tallygate:", "volume:\n  tallygate:"), ("dockerfile_inline: |", "dockerfile-inline: |")]
    assert all(old in good["compose"] for old, _ in changes)
    documents = [*good.values(), *(good["compose"].replace(old, new) for old, new in changes)]
    out = subprocess.run([tool("node"), HERE / "schemas" / "compose.js"], input=json.dumps([yaml.safe_load(d) for d in documents]), text=True,
                         check=True, capture_output=True, env={"NODE_PATH": str(TOOLS / "schemas" / "node_modules")}).stdout
    wrong = json.loads(out)
    assert wrong[:len(good)] == [[]] * len(good)
    assert all(wrong[len(good):]), wrong


@pytest.fixture(scope="module")
def typescript(tmp_path_factory):
    """Compiles objects with Kubernetes' types; each that is wrong, with what is wrong."""
    directory = tmp_path_factory.mktemp("kubernetes")
    (directory / "node_modules").symlink_to(TOOLS / "schemas" / "node_modules")
    (directory / "kubernetes.ts").write_text((HERE / "schemas" / "kubernetes.ts").read_text())
    options = {"noEmit": True, "strict": True, "skipLibCheck": True, "moduleResolution": "node10", "module": "commonjs", "target": "es2022", "types": []}
    (directory / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))

    def compile(objects):
        for name, found in objects.items():
            (directory / f"{name}.ts").write_text(f"import type {{ Checked }} from './kubernetes';\nexport const it: Checked = {json.dumps(found)};\n")
        done = subprocess.run([tool("node"), TOOLS / "grafana/node_modules/typescript/bin/tsc", "-p", "."], cwd=directory, capture_output=True, text=True)
        wrong = {m[1]: m[0] for m in re.finditer(r"^([\w-]+)\.ts\(.*", done.stdout, re.M)}
        assert bool(done.returncode) == bool(wrong), done.stdout + done.stderr
        return wrong
    return compile


def test_objects_of_kubernetes(typescript):
    """And mistakes in them are found."""
    objects = {f"{Path(path).stem}-{i}": found for path in KUBERNETES for i, found in enumerate(yaml.safe_load_all((DEPLOY / path).read_text()))}
    assert {o["kind"] for o in objects.values()} == {"Secret", "Deployment", "Service", "PodDisruptionBudget", "CronJob"}
    text = json.dumps(next(o for o in objects.values() if o["kind"] == "Deployment"))
    changes = [('"replicas": 2', '"replicas": "two"'), ('"failureThreshold"', '"failureTreshold"'), ('"matchLabels"', '"matchLabel"'),
               ('"periodSeconds": 5', '"periodSeconds": "5s"'), ('"kind": "Deployment"', '"kind": "Deploymnt"'), ('"mountPath"', '"path"')]
    assert all(old in text for old, _ in changes)
    broken = {f"wrong-{i}": json.loads(text.replace(old, new)) for i, (old, new) in enumerate(changes)}
    wrong = typescript({**objects, **broken})
    assert set(wrong) == set(broken), "\n".join(wrong.values())
