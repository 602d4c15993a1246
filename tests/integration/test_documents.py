"""What the documents show works as it stands there."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

from gateway import BINARY, Gateway

ROOT = Path(__file__).resolve().parents[2]


class Closed(Gateway):
    """One that does not let the test in."""

    def _ready(self):
        return True


def blocks(document):
    """The indented blocks of a document, without what they are in."""
    text = (ROOT / document).read_text()
    found = re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", text, re.M)
    return [re.sub(r"^ {4}", "", block, flags=re.M) for block in found if not re.match(r"^ {4,}[-*] ", block)]


def the_block(document, part):
    [block] = [b for b in blocks(document) if part in b]
    return block


def run(gw, block):
    """As typed into a shell, but that a refused request counts as one that failed."""
    assert "127.0.0.1:9091" in block
    script = 'curl() { command curl --silent --show-error --fail-with-body --noproxy "*" "$@"; }\n' + block
    return subprocess.run(["sh", "-e", "-c", script.replace("127.0.0.1:9091", f"127.0.0.1:{gw.port}")],
                          check=True, capture_output=True, text=True, timeout=60).stdout


def test_commands_of_the_readme(gw):
    first, second, summed = [b for b in blocks("README.md") if "curl" in b]
    assert 'some_metric{instance="",job="some_job"} 3.14\n' in run(gw, first)
    push, delete = second.split("curl -X")
    assert run(gw, push) == ""
    assert 'backup_bytes{instance="some_instance",job="some_job"} 2398.283\n' in gw.get("/metrics").text
    assert run(gw, "curl -X" + delete) == ""
    assert "backup_bytes" not in gw.get("/metrics").text
    assert run(gw, summed) == 'done_total{instance="",job="worker"} 10\n'


def test_the_line_that_mends_it(gw):
    """As a program of the reader's would run it."""
    shown = the_block("README.md", 'push_to_gateway("gw:9091/sum"')
    program = ("import os, socket\nfrom prometheus_client import REGISTRY, Counter, push_to_gateway\n"
               "Counter('done_total', 'Work done').inc(2)\n" + shown.replace("gw:9091", f"{gw.host}:{gw.port}"))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert 'done_total{instance="",job="celery"} 4\n' in gw.get("/metrics").text


def test_what_the_readme_shows_of_celery():
    """The example does the same, and test_celery.py runs it."""
    example = (ROOT / "deploy/examples/celery/push_metrics.py").read_text()
    for part in ("def push(", "@worker_process_init.", "@task_postrun.", "@worker_process_shutdown."):
        assert the_block("README.md", part).strip() in example


def test_the_rules_of_the_documents(tmp_path):
    text = (ROOT / "deploy/README.md").read_text()
    shown = re.findall(r"^```yaml\n(rules:\n.*?)^```", text, re.M | re.S)
    assert len(shown) == 2
    for n, rules in enumerate(shown):
        file = tmp_path / f"{n}.yml"
        file.write_text(rules)
        done = subprocess.run([BINARY, "check-config", str(file)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_scrape_configuration_of_the_readme():
    """The file that it names says the same."""
    shown = the_block("README.md", "scrape_configs:")
    file = (ROOT / "deploy/prometheus.yml").read_text()
    assert shown == re.sub(r"^ *#.*\n", "", file, flags=re.M)


def test_the_web_configuration(certificates, tmp_path):
    shutil.copy(certificates.server.file, tmp_path / "server.crt")
    shutil.copy(certificates.server.key_file, tmp_path / "server.key")
    shutil.copy(certificates.ca.file, tmp_path / "clients.crt")
    file = tmp_path / "web.yml"
    file.write_text(the_block("deploy/README.md", "tls_server_config:"))
    with Closed(f"--web.config.file={file}") as gw:
        curl = ["curl", "--silent", "--fail-with-body", "--noproxy", "*", "--cacert", certificates.ca.file,
                "--cert", certificates.client.file, "--key", certificates.client.key_file, "--dump-header", "-"]
        done = subprocess.run([*curl, f"https://127.0.0.1:{gw.port}/-/healthy"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 22 and done.stdout.startswith("HTTP/1.1 401 ")
        assert "X-Frame-Options: deny" in done.stdout


def test_own_metrics_are_those_of_the_reference(gw):
    """Each has a row with its type. Some appear with their first sample only."""
    reference = (ROOT / "src/api/README.md").read_text()
    rows = re.findall(r"^\| (`pushgateway_.*?`) \| (\w+) \|", reference, re.M)
    documented = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    exposed = dict(re.findall(r"^# TYPE (pushgateway_\w+) (\w+)$", gw.get("/metrics").text, re.M))
    assert exposed.items() <= documented.items()
    source = "".join(file.read_text() for file in (ROOT / "src").rglob("*.c"))
    assert [name for name in documented if f'"{name}"' not in source] == []
