"""A real Celery worker whose children come and go, scraped by a real Prometheus: what is counted, and what is seen of it, beside the Go gateway."""
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway import Gateway, eventually, free_port
from go_gateway import GoGateway
from redis_server import Redis
from test_prometheus import Prometheus

pytestmark = pytest.mark.released
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "examples" / "celery"
# CELERY_TASKS=500 makes the table of deploy/README.md.
TASKS = int(os.environ.get("CELERY_TASKS", "200"))
FAILING = TASKS // 10
SOURCE_TTL, ZERO_FIRST = 4, 3
LONG = 300.0
RULES = f"""rules:
- match: '{{job="celery"}}'
  source_ttl: {SOURCE_TTL}s
  zero_first: {ZERO_FIRST}s
"""
GO = "Go gateway, "
SETUPS = [GO + "one group", GO + "group for each pid", "multiprocess", "summed"]


class Records:
    """What the children say of themselves: `PID WORD NUMBER`."""

    def __init__(self, fifo):
        os.mkfifo(fifo)
        self.path = fifo
        self.last, self.news = {}, threading.Condition()  # (word, pid) -> number
        # With a writer of its own it does not end when no child has it open.
        self.file = os.fdopen(os.open(fifo, os.O_RDWR), "rb", buffering=0)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.file:
            if line == b"end\n":
                return
            pid, word, number = line.split()
            with self.news:
                self.last[word.decode(), int(pid)] = int(number)
                self.news.notify_all()

    def of(self, *words):
        """What each process has said last: number by pid; of several words the largest."""
        found = {}
        for (word, pid), number in self.last.items():
            if word in words:
                found[pid] = max(number, found.get(pid, 0))
        return found

    def wait(self, probe, what):
        """Until probe() is true of what has been said, and returns that."""
        with self.news:
            assert self.news.wait_for(probe, LONG), f"not within {LONG:g} s: {what}"
            return probe()

    def settle(self):
        """What was said until now has been read."""
        self._say(b"0 settled 1\n")
        self.wait(lambda: self.of("settled"), "all that was said is read")

    def _say(self, line):
        with open(self.path, "wb", buffering=0) as f:
            f.write(line)

    def end(self):
        self._say(b"end\n")
        self.thread.join()
        self.file.close()


def name_of(setup):
    """In paths, and as a queue."""
    return setup.replace(",", "").replace(" ", "-")


class Worker:
    """A worker of four children that end after five tasks, and its gateway."""

    def __init__(self, setup, directory, redis):
        self.setup, self.queue = setup, name_of(setup)
        self.files = directory / "files"
        directory.mkdir()
        self.files.mkdir()
        self.records = Records(directory / "records")
        self.rules = directory / "rules.yml"
        self.rules.write_text(RULES)
        self.database = directory / "tallygate.db"
        self.gateway = self._gateway(free_port())
        self.environment = {
            **os.environ, "SETUP": setup.removeprefix(GO), "EXAMPLE": str(EXAMPLE), "RECORDS": str(self.records.path), "BROKER": redis.url,
            "PUSHGATEWAY": f"127.0.0.1:{self.gateway.port}", "PYTHONPATH": str(Path(__file__).parent / "clients"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if setup == "multiprocess":
            self.environment["PROMETHEUS_MULTIPROC_DIR"] = str(self.files)
        self.log = open(directory / "worker.log", "wb")
        self.process = None

    def _gateway(self, port):
        listen = f"127.0.0.1:{port}"
        if self.setup.startswith(GO):
            return GoGateway(database=self.database, listen=listen).start()
        return Gateway(f"--config.file={self.rules}", database=self.database, listen=listen).start()

    def send_tasks(self):
        """In a process of its own, which leaves this one's registry alone."""
        send = ("import celery_app as c\n"
                f"for i in range({TASKS}):\n"
                f"    c.work.apply_async((0.01 + i % 7 * 0.005, i % {TASKS // FAILING} == 3), queue={self.queue!r})\n"
                f"    if i == {TASKS // 4}: c.hang.apply_async(queue={self.queue!r})\n")
        subprocess.run([sys.executable, "-c", send], env={**self.environment, "RECORDS": os.devnull}, check=True)

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--concurrency", "4", "--max-tasks-per-child", "5", "-Q", self.queue,
             "-n", f"{self.queue}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.files)

    def ended(self):
        return sum(self.records.of("ended").values())

    def kill_the_one_that_hangs(self):
        (pid,) = self.records.wait(lambda: self.records.of("hangs"), "a child hangs")
        os.kill(pid, signal.SIGKILL)

    def kill_the_gateway(self):
        """The Go gateway goes on: it would lose what it was sent since it wrote its file last."""
        self.records.wait(lambda: self.ended() >= TASKS // 2, "half of the tasks have ended")
        if self.setup.startswith(GO):
            return
        self.gateway.kill()
        self.gateway = self._gateway(self.gateway.port)

    def finish(self):
        self.records.wait(lambda: self.ended() >= TASKS, "all tasks have ended")
        self.process.terminate()
        self.process.wait(LONG)
        self.records.settle()

    def counted(self):
        """Between these: what processes have pushed last. They differ where an answer was lost with the gateway."""
        return sum(self.records.of("pushed").values()), sum(self.records.of("pushed", "tried").values())

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.records.end()
        if self.gateway.process.poll() is None:
            self.gateway.terminate()


# ---- what is seen of it ----

def configuration(workers):
    targets = "".join(f"  - {{targets: ['127.0.0.1:{w.gateway.port}'], labels: {{setup: '{w.setup}'}}}}\n" for w in workers)
    return ("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            "scrape_configs:\n- job_name: tallygate\n  honor_labels: true\n  static_configs:\n" + targets)


class Seen:
    """A worker's counts as Prometheus has them at the end."""

    def __init__(self, prometheus, worker):
        self.prometheus, self.worker = prometheus, worker
        self.least, self.most = worker.counted()
        # increase() is extrapolated beyond the last sample unless it is asked for at its time.
        self.at = self.value("max(timestamp(up{%s}))")
        self.total = self.value("sum(celery_tasks_total{%s})")
        self.increase = self.value("sum(increase(celery_tasks_total{%s}[1h]))", time=self.at)
        self.in_progress = self.value("sum(celery_tasks_in_progress{%s})")
        self.groups = self.value("count(push_time_seconds{%s})")
        text = worker.gateway.get("/metrics").text
        self.series = sum('job="celery"' in line for line in text.splitlines())
        self.files = len(list(worker.files.iterdir()))

    def value(self, promql, **at):
        ((_, value),) = self.prometheus.query(promql.replace("%s", f'setup="{self.worker.setup}"') + " or vector(0)", **at)
        return value

    def row(self):
        truth = f"{self.least}" if self.least == self.most else f"{self.least}-{self.most}"
        files = f"; {self.files} files" if self.files else ""
        return (f"| {self.worker.setup} | {truth} | {self.total:.0f} | {self.increase:.0f} | "
                f"{self.groups:.0f}, {self.series}{files} | {self.in_progress:.0f} |")


def scraped_after(prometheus, workers):
    """What was pushed last has been seen."""
    after = prometheus.value("vector(time())")
    for w in workers:
        eventually(lambda w=w: prometheus.query(f'timestamp(up{{setup="{w.setup}"}} == 1) > {after}'), "a scrape", LONG)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """All set-ups at the same time, each with a gateway of its own."""
    directory = tmp_path_factory.mktemp("celery")
    redis, workers, prometheus = Redis(directory), [], None
    try:
        workers += [Worker(setup, directory / name_of(setup), redis) for setup in SETUPS]
        prometheus = Prometheus(None, directory, configuration=configuration(workers))
        scraped_after(prometheus, workers)
        for step in (Worker.send_tasks, Worker.start, Worker.kill_the_one_that_hangs, Worker.kill_the_gateway, Worker.finish):
            for w in workers:
                step(w)
        scraped_after(prometheus, workers)
        yield {w.setup: Seen(prometheus, w) for w in workers}
    finally:
        for w in workers:
            w.end()
        if prometheus:
            prometheus.end()
        redis.end()


def test_the_table(seen):
    print("\n| Set-up | Truth | sum() at the end | increase() | Groups, series left | In progress at the end |")
    print("| --- | --- | --- | --- | --- | --- |")
    for setup in SETUPS:
        print(seen[setup].row())


def test_summed_is_what_was_counted(seen):
    s = seen["summed"]
    assert s.least <= s.total <= s.most
    assert s.total > 0.9 * TASKS
    # The task observes its duration where it succeeds.
    succeeded = s.value('sum(celery_tasks_total{%s,status="success"})')
    assert s.value("sum(celery_task_duration_seconds_count{%s})") == succeeded
    assert s.value('sum(celery_task_duration_seconds_bucket{%s,le="+Inf"})') == succeeded
    assert 0 < s.value('sum(celery_tasks_total{%s,status="failure"})') <= FAILING
    assert s.groups == 1


def test_summed_never_fell(seen):
    s = seen["summed"]
    for name in ("celery_tasks_total", "celery_task_duration_seconds_count", "celery_task_duration_seconds_sum",
                 "celery_task_duration_seconds_bucket"):
        assert s.value(f"count({name}{{%s}})") > 0
        assert s.value(f"sum(resets({name}{{%s}}[1h]))") == 0


def test_the_increase_of_summed_is_right(seen):
    s = seen["summed"]
    assert abs(s.increase - s.total) <= 1


def test_in_progress_ends_with_the_source_that_was_killed(seen):
    s = seen["summed"]
    hung = 'celery_tasks_in_progress{%s,task_name="hang"}'
    assert s.value(f"sum(max_over_time({hung}[1h]))") == 1
    eventually(lambda: s.value("sum(celery_tasks_in_progress{%s})") == 0, "the live gauge of a silent source goes", LONG)


def test_what_others_make_of_it(seen):
    assert seen[GO + "one group"].total < TASKS / 5, "children overwrite each other"
    each = seen[GO + "group for each pid"]
    assert each.least <= each.total <= each.most
    assert each.groups > TASKS / 10, "a group for each process stays"
    assert each.increase < 0.9 * each.total, "what a process has counted before the first scrape is not seen"
    files = seen["multiprocess"]
    assert files.files > TASKS / 10, "so do the files of each process"
    assert files.in_progress == 1, "a task that was killed is in progress for ever"
