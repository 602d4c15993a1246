"""HEALTHCHECK of the image: deploy/healthcheck finds out where the gateway listens and whether it answers."""
import os
import signal
import subprocess
from pathlib import Path

from gateway import Gateway, eventually
from servers import free_address
from tools import ROOT

SCRIPT = ROOT / "deploy" / "healthcheck"


def healthy(gateway, **environment):
    return subprocess.run([SCRIPT, str(gateway.process.pid)], capture_output=True, timeout=60,
                          env={**os.environ, **environment}).returncode == 0


class Closed(Gateway):
    """One that answers nobody without a password."""

    def _ready(self):
        return True


def test_the_image_has_it():
    stage = (ROOT / "deploy" / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert 'CMD ["/bin/tallygate-healthcheck"]\n' in stage and os.access(SCRIPT, os.X_OK)


def test_it_finds_the_port_that_the_arguments_name():
    with Gateway(early=True) as g:
        assert healthy(g)
        # The last one counts for a flag that is given once; two words are as good as one.
        both = [f"--web.listen-address=127.0.0.1:{g.port}", "--web.listen-address", g.addresses[0]]
    with Gateway(*both[1:], early=True) as g:
        assert healthy(g)


def test_whatever_it_answers_it_is_alive(tmp_path):
    users = tmp_path / "web.yml"
    users.write_text("basic_auth_users:\n  test: $2y$10$aQm8VUhZ4uSVhKGDbRrZjuhZaTjdQ9Wlo9OltFjpOlT.iocKvJW3S\n")
    with Gateway("--web.route-prefix=/there", early=True, ready="/there/-/ready") as g:
        assert g.get("/-/healthy").status == 404 and healthy(g)
    with Closed(f"--web.config.file={users}", early=True) as g:
        eventually(lambda: healthy(g), "it listens")
        assert g.get("/-/healthy").status == 401


def state(task):
    return (task / "stat").read_text().rpartition(") ")[2].split()[0]


def test_one_that_does_not_answer_is_not():
    with Gateway(early=True) as g:
        g.signal(signal.SIGSTOP)
        eventually(lambda: {state(task) for task in Path(f"/proc/{g.process.pid}/task").iterdir()} == {"T"}, "no thread runs")
        try:
            assert not healthy(g, SECONDS_TO_ANSWER="0.3")
        finally:
            g.signal(signal.SIGCONT)
        assert healthy(g)
    silent = ["sh", "-c", "read line", "sh", f"--web.listen-address={free_address()}"]
    process = subprocess.Popen(silent, stdin=subprocess.PIPE)
    try:
        assert subprocess.run([SCRIPT, str(process.pid)], capture_output=True).returncode != 0
    finally:
        process.communicate(b"\n")
