"""What deploy/examples shows, run as it is: cron, a CI step, FastAPI with several workers. Celery has a file of its own."""
import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exposition import promtool, scrape
from gateway import DEADLINE, Gateway, eventually, free_port

pytestmark = pytest.mark.released
EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"


def run(gw, script, *args, status=0, **env):
    done = subprocess.run([EXAMPLES / script, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE,
                          env={**os.environ, "PUSHGATEWAY": f"{gw.host}:{gw.port}", **env})
    assert (done.returncode, done.stderr) == (status, ""), done
    return done.stdout


def test_cron(gw):
    assert run(gw, "cron/counted.sh", "nightly", "echo", "done") == "done\n"
    run(gw, "cron/counted.sh", "nightly", "true")
    run(gw, "cron/counted.sh", "nightly", "sh", "-c", "exit 3", status=3)
    s = scrape(gw)
    assert s.pushed("cron_runs_total", "nightly", status="success") == 2
    assert s.pushed("cron_runs_total", "nightly", status="failure") == 1
    assert s.pushed("cron_last_run_timestamp_seconds", "nightly") > 1.7e9
    assert promtool(s.text) == []


def test_cron_while_the_gateway_is_away(tmp_path):
    """curl tries again until it is back."""
    port = free_port()
    waiting = subprocess.Popen([EXAMPLES / "cron/counted.sh", "j", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env={**os.environ, "PUSHGATEWAY": f"127.0.0.1:{port}"})
    assert b"onnect" in waiting.stderr.readline()
    with Gateway(listen=f"127.0.0.1:{port}") as g:
        assert waiting.wait(DEADLINE) == 0
        waiting.stderr.close()
        assert scrape(g).pushed("cron_runs_total", "j", status="success") == 1


def test_ci(gw):
    for job, command, status in (("1", "true", 0), ("2", "true", 0), ("2", "true", 0), ("3", "false", 1)):
        run(gw, "ci/step.sh", "unit", command, status=status, CI_JOB_ID=job, CI_BRANCH="topic")
    run(gw, "ci/step.sh", "lint", "true", CI_JOB_ID="1", CI_BRANCH="topic")
    s = scrape(gw)
    assert s.pushed("ci_steps_total", "ci", branch="topic", step="unit", result="success") == 2, "job 2 was pushed twice"
    assert s.pushed("ci_steps_total", "ci", branch="topic", step="unit", result="failure") == 1
    assert s.pushed("ci_steps_total", "ci", branch="topic", step="lint", result="success") == 1
    assert s.pushed("ci_step_seconds_count", "ci", branch="topic", step="unit") == 3


class Web:
    """The application, as uvicorn runs it."""

    def __init__(self, gw, workers):
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--workers", str(workers), "--port", str(self.port), "--log-level", "warning", "app:app"],
            cwd=EXAMPLES / "fastapi", stdin=subprocess.DEVNULL,
            env={**os.environ, "PUSHGATEWAY": f"{gw.host}:{gw.port}", "PUSH_EVERY": "0.2", "PYTHONDONTWRITEBYTECODE": "1"})

    def hello(self):
        """The pid of the worker that answers; each request has a connection of its own."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            c.request("GET", "/hello")
            return json.loads(c.getresponse().read())["pid"]
        except OSError:
            return None
        finally:
            c.close()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(DEADLINE) in (0, -signal.SIGTERM)


def hellos(gw):
    return scrape(gw).pushed("http_requests_total", "web", method="GET", endpoint="/hello", status="200")


def test_fastapi(gw):
    web = Web(gw, 3)
    try:
        answers = [eventually(web.hello, "a worker answers")]
        while len(set(answers)) < 2 or len(answers) < 50:
            answers.append(web.hello())
        eventually(lambda: hellos(gw) == len(answers), "all are counted")
        # A worker that is killed stays counted.
        os.kill(answers[0], signal.SIGKILL)
        answers.append(eventually(web.hello, "another answers"))
        eventually(lambda: hellos(gw) == len(answers), "the killed one's requests are still there")
    finally:
        web.end()
    s = scrape(gw)
    assert hellos(gw) == len(answers)
    assert s.pushed("http_request_duration_seconds_count", "web", method="GET", endpoint="/hello") == len(answers)
    assert "pid=" not in s.text
    assert promtool(s.text) == []
