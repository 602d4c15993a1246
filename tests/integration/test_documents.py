"""What the documents show works as it stands there."""
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import BINARY, DEADLINE, Gateway

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
    assert run(gw, first) == 'some_metric{instance="",job="some_job"} 3.14\n'.join(("# TYPE some_metric untyped\n", ""))
    assert "some_job" not in gw.get("/metrics").text
    assert run(gw, second) == ""
    assert 'backup_bytes{instance="some_instance",job="some_job"} 2398.283\n' in gw.get("/metrics").text
    assert run(gw, summed) == 'done_total{instance="",job="worker"} 10\n'


def test_the_program_of_the_readme(gw):
    program = the_block("README.md", "set_to_current_time").replace("127.0.0.1:9091", f"{gw.host}:{gw.port}")
    subprocess.run([sys.executable, "-c", program], check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert 'backup_last_success{instance="",job="backup"} 1' in gw.get("/metrics").text


@pytest.mark.released
def test_a_minute(tmp_path):
    """deploy/run with what it needs being there; the rest of the reader's first minute, to Ctrl-C."""
    assert the_block("README.md", "deploy/run\n") == "deploy/run\n"
    first = next(b for b in blocks("README.md") if "curl" in b).splitlines()
    # It may have to build all of it first, beside the other tests.
    built = subprocess.run([ROOT / "deploy/run", "--version"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert built.stdout.startswith("pushgateway, version ")
    with Gateway(binary=str(ROOT / "deploy/run"), database=None, cwd=tmp_path) as g:
        run(g, "\n".join(first[:2]))
        assert (tmp_path / "tallygate.db").exists()
        g.process.send_signal(signal.SIGINT)
        assert g.process.wait(DEADLINE) == 0


@pytest.mark.released
@pytest.mark.parametrize("command, shows", [
    ("counted.sh", 'cron_runs_total{instance="",job="nightly-backup",status="success"} 1\n'),
    ("job.js", 'newsletter_mails_total{instance="",job="newsletter",status="sent"} 5\n')])
def test_the_examples_of_the_readme(gw, command, shows):
    """From the top of the tree, as the reader is."""
    [line] = [line for line in the_block("README.md", "counted.sh").splitlines() if command in line]
    subprocess.run(["sh", "-c", line.replace("127.0.0.1:9091", f"127.0.0.1:{gw.port}")], cwd=ROOT, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert shows in gw.get("/metrics").text


def test_every_command_of_the_readme_is_run_here_or_elsewhere():
    """A block that nobody runs is a promise."""
    known = ["deploy/run\n", "curl", "set_to_current_time", "counted.sh", "scrape_configs:", 'push_to_gateway("gw:9091/sum"']
    assert [b for b in blocks("README.md") if not any(part in b for part in known)] == []


def test_the_line_that_mends_it(gw):
    """As a program of the reader's would run it."""
    shown = the_block("README.md", 'push_to_gateway("gw:9091/sum"')
    program = ("import os, socket\nfrom prometheus_client import REGISTRY, Counter, push_to_gateway\n"
               "Counter('done_total', 'Work done').inc(2)\n" + shown.replace("gw:9091", f"{gw.host}:{gw.port}"))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert 'done_total{instance="",job="celery"} 4\n' in gw.get("/metrics").text


def started(*flags):
    """What it says of why it does not start."""
    return subprocess.run([BINARY, *flags], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60).stderr


TROUBLE = {
    "the last line has no line feed": lambda g: g.put("new", "x 1").text,
    "is not a COUNTER: group": lambda g: g.put("new", "# TYPE counted gauge\ncounted 1\n").text,
    "was collected before with the same name and label values": lambda g: g.put("new", "x 1\nx 1\n").text,
    "pushed metrics must not have timestamps": lambda g: g.put("new", "x 1 1700000000\n").text,
    "odd number of components in label string": lambda g: g.put("new/path/tmp/x", "x 1\n").text,
    "the gateway is full": lambda g: [g.put(str(i), "x 1\n") for i in range(3)][-1].text,
    "of --config.file allows": lambda g: g.put("old", "x 1\ny 1\n").text,
    "does not say whose it is": lambda g: g.request("PUT", "/sum/metrics/job/new", "# TYPE n counter\nn 1\n").text,
    "writers-conflict": lambda g: [g.put("old", "# TYPE counted counter\ncounted 1\n", **{"X-Forwarded-For": f"192.0.2.{i}"})
                                   for i in (1, 2, 1)][-1].headers["X-Pushgateway-Warning"],
    "address already in use": lambda g: started(f"--web.listen-address=127.0.0.1:{g.port}", "--persistence.file="),
    "is in use by another process": lambda g: started("--web.listen-address=127.0.0.1:0", *(a for a in g.args if "persistence" in a)),
}


def test_the_messages_of_the_troubles(database, tmp_path):
    """Each is said by the program, and each row is of one."""
    text = (ROOT / "deploy/README.md").read_text()
    rows = re.findall(r"^\| `(.*?)` \| .* \| .* \|$", text[text.index("\n## Trouble"):text.index("\n## Alerts")], re.M)
    assert rows == list(TROUBLE)
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"old\"}'\n  limits: {families: 1}\n")
    with Gateway("--web.trusted-proxies=127.0.0.0/8", "--limits.groups=3", f"--config.file={rules}", database=database) as g:
        assert g.put("old", "# TYPE counted counter\ncounted 1\n").status == 200
        for message, provoke in TROUBLE.items():
            assert message in provoke(g), message


def test_the_rules_of_the_documents(tmp_path):
    text = (ROOT / "deploy/README.md").read_text()
    shown = re.findall(r"^```yaml\n(rules:\n.*?)^```", text, re.M | re.S)
    assert len(shown) == 3
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
