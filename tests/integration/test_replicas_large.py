"""Large pushes to one of several gateways: the others go on, and whatever they take meanwhile counts as it does on one machine."""
import concurrent.futures
import signal
import threading

import pytest

from gateway import DEADLINE, Gateway, eventually
from test_postgresql import shown
from test_replicas import flags, large, replicas  # noqa: F401

FAMILIES = 4000


def wide(value, families=FAMILIES):
    return "".join(f"# TYPE wide_{i} gauge\nwide_{i} {value}\n" for i in range(families))


class Others:
    """Small pushes and scrapes, one after the other, until it ends."""

    def __init__(self, gateways):
        self.statuses, self.last, self.ends = set(), {}, threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i, gw)) for i, gw in enumerate(gateways)]
        for thread in self.threads:
            thread.start()

    def _run(self, i, gw):
        n = 0
        while not self.ends.is_set():
            n += 1
            self.statuses.add(gw.put(f"small_{i}", f"n {n}\n").status)
            reply = gw.get("/metrics")
            self.statuses.add(reply.status)
            assert f'n{{instance="",job="small_{i}"}} {n}\n' in reply.text
            self.last[i] = n

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(DEADLINE)


def test_small_pushes_and_scrapes_go_on(flags):  # noqa: F811
    with replicas(3, flags) as gws:
        others = Others(gws)
        try:
            for value in range(3):
                assert gws[value].put("large", wide(value)).status == 200
                eventually(lambda: len(others.last) == 3, "each has pushed")
        finally:
            others.end()
        assert others.statuses == {200}
        want = shown(gws[0])
        assert 'wide_7{instance="",job="large"} 2\n' in gws[1].get("/metrics").text
        for gw in gws[1:]:
            assert shown(gw) == want
        for i, n in others.last.items():
            assert f'n{{instance="",job="small_{i}"}} {n}\n' in gws[0].get("/metrics").text


@pytest.mark.parametrize("per_family", [1, 3])
def test_the_lock_does_not_come(postgresql, flags, per_family):  # noqa: F811
    """What has been staged for a push goes with it: it is refused, and the gateway goes on."""
    name = flags[1].partition("=")[2]
    body = "".join(f'# TYPE wide_{i} gauge\n' + "".join(f'wide_{i}{{n="{n}"}} 1\n' for n in range(per_family)) for i in range(FAMILIES))
    with Gateway(*flags, "--persistence.timeout=1s", database=None) as gw:
        for value in range(2):
            with postgresql.session("an operator") as keeps:
                print("BEGIN;", f"SELECT seq AS keeps FROM {name}.head FOR UPDATE;", file=keeps.stdin, flush=True)
                eventually(lambda: postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' "
                                                  "AND query LIKE '%seq AS keeps%'"), "it has the lock")
                assert gw.put("large", body).status == 503
                assert gw.put("small", f"n {value}\n").status == 503
            eventually(lambda at=value: gw.put("small", f"n {at}\n").status == 200, "the lock is free")
            assert "wide_0{" not in gw.get("/metrics").text
        assert gw.put("large", body).status == 200
        assert gw.get("/metrics").text.count("\nwide_") == FAMILIES * per_family


# One more is refused; so many fewer are staged in time by the slowest build.
MANY, FEWER = 40000, 5000


def many(n, families=1):
    return "".join(f'large_{i % families}{{n="{i}"}} 1\n' for i in sorted(range(n), key=lambda i: i % families))


def test_a_push_of_more_series_than_can_be_stored_at_once_is_refused(flags, tmp_path):  # noqa: F811
    """It would keep the lock of the log from others for longer than a quarter of their time-out. One that goes in steps is taken."""
    with Gateway(*flags, "--persistence.timeout=1s", database=None) as gw:
        def add(job, body):
            return gw.request("POST", f"/sum/metrics/job/{job}/__source__/s", "# TYPE large_0 counter\n" + body)

        for push in (gw.put, gw.post, add):
            assert push("many", many(FEWER)).status == 200
            reply = push("many", many(MANY + 1))
            assert reply.status == 413 and f"has {MANY + 1} series" in reply.text and f"at most {MANY} at once" in reply.text, reply
            assert gw.get("/metrics").text.count("\nlarge_0{") == FEWER
            assert gw.delete("many").status == 202
        assert gw.put("many", many(MANY + 1, 2000)).status == 200
        assert "push some of its families at a time" in gw.put("new", many(MANY + 1)).text
        assert 'job="new"' not in gw.get("/metrics").text
    # A rule with limits keeps pushes from being stored in steps.
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"other\"}'\n  limits: {series: 1000000}\n", encoding="utf-8")
    with Gateway(*flags, "--persistence.timeout=1s", f"--config.file={rules}", database=None) as gw:
        assert gw.put("many", many(FEWER, 2000)).status == 200
        reply = gw.put("many", many(MANY + 1, 2000))
        assert reply.status == 413 and "in steps" not in reply.text, reply
    with Gateway("--persistence.timeout=1s") as gw:
        assert gw.put("many", many(MANY + 1)).status == 200


def test_others_push_to_the_same(flags):  # noqa: F811
    """To the same group, and one of its names with another type: whoever came first has it, and all gateways agree who that was."""
    with replicas(2, flags) as (gw, other), concurrent.futures.ThreadPoolExecutor(1) as pool:
        for value in range(6):
            theirs = pool.submit(gw.put, "large", wide(value))
            n = 0
            while not theirs.done():
                n += 1
                assert other.post("large", f"also {n}\n").status == 200
            assert theirs.result().status == 200
            got = gw.get("/metrics").text
            assert f'wide_0{{instance="",job="large"}} {value}\n' in got
            assert shown(gw) == shown(other)
            assert gw.delete("large").status == 202
            theirs = pool.submit(gw.put, "large", wide(value))
            reply = other.put("taken", "# TYPE wide_3999 counter\nwide_3999 1\n")
            assert sorted([theirs.result().status, reply.status]) == [200, 400], reply
            assert ("wide_0{" in gw.get("/metrics").text) == (reply.status == 400)
            assert shown(gw) == shown(other)
            for job in ("large", "taken"):
                assert gw.delete(job).status == 202


def test_who_has_much_to_catch_up_with_refuses_nothing(flags):  # noqa: F811
    """--persistence.timeout is for the lock and the server's answers: however long reading takes what is there, it is not a time-out."""
    with Gateway(*flags, database=None) as gw, \
            Gateway(*flags, "--persistence.timeout=1s", "--persistence.poll-interval=1m", database=None) as late:
        assert late.put("small", "n 1\n").status == 200
        late.signal(signal.SIGSTOP)
        try:
            for i in range(25):
                assert gw.put(f"large_{i}", large(i)).status == 200
        finally:
            late.signal(signal.SIGCONT)
        assert late.put("small", "n 2\n").status == 200
        assert 'large_number{instance="",job="large_24"} 24\n' in late.get("/metrics").text
        assert shown(gw) == shown(late)
