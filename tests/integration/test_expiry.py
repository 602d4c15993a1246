"""Groups that end by themselves, and pushes that are awaited. No test sleeps: the clocks are set."""
import pytest

from exposition import counter, scrape
from gateway import Gateway, eventually

DAY = 86400.0


def value(gateway, name, **labels):
    """Of a series of job x, if not of another one; None when there is none."""
    return scrape(gateway).pushed(name, **{"job": "x", **labels})


def gone(gateway, name="a"):
    eventually(lambda: value(gateway, name) is None, f"{name} has gone")


@pytest.fixture
def rules(tmp_path):
    return tmp_path / "rules.yml"


def test_never_by_default(clock):
    with Gateway(env=clock.env) as g:
        assert g.put("x", b"a 1\n").status == 200
        clock.pass_by(4000 * DAY)
        assert g.put("y", b"b 1\n").status == 200
        assert value(g, "a") == 1


def test_from_the_flag(clock):
    with Gateway("--push.ttl=1d", env=clock.env) as g:
        g.put("x", b"a 1\n")
        clock.pass_by(DAY - 10)
        assert g.post("x", b"").status == 200, "an empty POST is a heartbeat"
        clock.pass_by(DAY - 10)
        assert value(g, "a") == 1
        clock.pass_by(20)
        gone(g)
        assert value(g, "push_time_seconds") is None
        assert counter(g, "pushgateway_groups_expired_total", job="x") == 1
        assert counter(g, "pushgateway_groups") == 0


def test_a_refused_push_does_not_keep_it(clock):
    with Gateway("--push.ttl=1d", env=clock.env) as g:
        g.put("x", b"a 1\n")
        clock.pass_by(DAY - 10)
        assert g.put("x", b"a 1\na 1\n").status == 400
        clock.pass_by(20)
        gone(g)


def test_said_by_the_push(clock):
    with Gateway("--push.ttl=1d", env=clock.env) as g:
        g.put("x/__ttl__/15m", b"a 1\n")
        assert "__ttl__" not in g.get("/metrics").text
        # A push without it keeps the group's.
        g.post("x", b"b 1\n")
        clock.pass_by(900)
        gone(g)
        g.put("x/__ttl__/0", b"a 1\n")
        clock.pass_by(2 * DAY)
        g.put("y", b"c 1\n")
        assert value(g, "a") == 1


def test_a_rule_is_before_the_flag(clock, rules):
    rules.write_text("rules:\n- match: '{job=\"x\"}'\n  ttl: 2d\n")
    with Gateway("--push.ttl=1d", f"--config.file={rules}", "--web.enable-lifecycle", env=clock.env) as g:
        g.put("x", b"a 1\n")
        g.put("y", b"b 1\n")
        clock.pass_by(DAY)
        eventually(lambda: value(g, "b", job="y") is None, "y has gone")
        assert value(g, "a") == 1
        # What is reloaded counts from the next push on.
        rules.write_text("rules:\n- match: '{job=\"x\"}'\n  ttl: 3d\n")
        assert g.request("POST", "/-/reload").status == 200
        g.put("x", b"a 2\n")
        clock.pass_by(2.5 * DAY)
        g.put("y", b"b 1\n")
        assert value(g, "a") == 2
        clock.pass_by(DAY)
        gone(g)


def test_a_push_after_the_deadline_finds_no_group(clock):
    with Gateway("--push.ttl=60", env=clock.env) as g:
        g.put("x", b"a 1\n")
        clock.pass_by(60)
        # Whoever comes first: the push, or the committer's look at the clock.
        assert g.post("x", b"b 1\n").status == 200
        assert value(g, "a") is None
        assert value(g, "b") == 1


def test_a_clock_that_is_set_ends_nothing(clock):
    with Gateway("--push.ttl=60", env=clock.env) as g:
        g.put("x", b"a 1\n")
        clock.shift(wall=10 * DAY)
        g.put("y", b"b 1\n")
        assert value(g, "a") == 1
        clock.shift(wall=-20 * DAY)
        clock.shift(mono=60)
        gone(g)


def test_over_a_restart(clock, database):
    with Gateway("--push.ttl=1d", database=database, env=clock.env) as g:
        g.put("x", b"a 1\n")
        g.put("y/__ttl__/2d", b"b 1\n")
        clock.pass_by(DAY / 2)
        g.put("z", b"c 1\n")
    clock.pass_by(60)
    with Gateway("--push.ttl=1d", database=database, env=clock.env) as g:
        assert value(g, "a") == 1
        clock.pass_by(DAY / 2)
        gone(g)
        assert value(g, "c", job="z") == 1
        clock.pass_by(DAY / 2)
        eventually(lambda: value(g, "c", job="z") is None, "z has gone")
        assert value(g, "b", job="y") == 1
        clock.pass_by(DAY / 2)
        eventually(lambda: value(g, "b", job="y") is None, "y has gone")
    with Gateway("--push.ttl=1d", database=database, env=clock.env) as g:
        assert counter(g, "pushgateway_groups") == 0


def test_a_crash_brings_nothing_back(clock, database):
    with Gateway("--push.ttl=60", database=database, env=clock.env) as g:
        g.put("x", b"a 1\n")
        clock.pass_by(61)
        gone(g)
        g.kill()
    with Gateway("--push.ttl=60", database=database, env=clock.env) as g:
        assert value(g, "a") is None


def test_grace_after_a_start(clock, database):
    """Pushers had no chance while the gateway was down."""
    with Gateway("--push.ttl=60", database=database, env=clock.env) as g:
        g.put("x", b"a 1\n")
    clock.pass_by(DAY)
    with Gateway("--push.ttl=60", database=database, env=clock.env) as g:
        clock.pass_by(290)
        g.put("y", b"b 1\n")
        assert value(g, "a") == 1
        clock.pass_by(20)
        gone(g)
    with Gateway("--push.ttl=60", "--push.ttl-restart-grace=0", database=database, env=clock.env) as g:
        g.put("x", b"a 1\n")
    clock.pass_by(DAY)
    with Gateway("--push.ttl=60", "--push.ttl-restart-grace=0", database=database, env=clock.env) as g:
        gone(g)


def with_times_kept(g, clock):
    g.put("x", b"a 1\n")
    pushed = value(g, "push_time_seconds")
    clock.pass_by(DAY)
    gone(g)
    return pushed


def check_times_kept(g, clock, pushed):
    assert value(g, "a") is None
    assert value(g, "push_time_seconds") == pushed
    assert value(g, "push_failure_time_seconds") == 0
    assert value(g, "pushgateway_group_expired") == 1
    clock.pass_by(1.9 * DAY)
    g.put("y", b"b 1\n")
    assert value(g, "pushgateway_group_expired") == 1
    # It is a group like any other when it is pushed to again.
    g.post("x", b"c 1\n")
    assert value(g, "pushgateway_group_expired") is None
    assert value(g, "c") == 1 and value(g, "a") is None
    clock.pass_by(DAY)
    gone(g, "c")
    clock.pass_by(2 * DAY)
    gone(g, "push_time_seconds")
    assert value(g, "pushgateway_group_expired") is None


def test_its_times_are_kept(clock, database):
    with Gateway("--push.ttl=1d", "--push.keep-times=2d", database=database, env=clock.env) as g:
        check_times_kept(g, clock, with_times_kept(g, clock))


def test_its_times_are_kept_over_a_restart(clock, database):
    flags = ["--push.ttl=1d", "--push.keep-times=2d"]
    with Gateway(*flags, database=database, env=clock.env) as g:
        pushed = with_times_kept(g, clock)
    with Gateway(*flags, database=database, env=clock.env) as g:
        check_times_kept(g, clock, pushed)


def test_who_is_awaited(clock, database, rules):
    rules.write_text("rules:\n- match: '{job=\"x\"}'\n  ttl: 7d\n  expect_every: 26h\n")
    flags = [f"--config.file={rules}"]
    with Gateway(*flags, database=database, env=clock.env) as g:
        g.put("x", b"a 1\n")
        pushed = value(g, "push_time_seconds")
        assert value(g, "pushgateway_job_overdue") == 0
        assert value(g, "pushgateway_next_push_expected_timestamp_seconds") == pytest.approx(pushed + 26 * 3600)
        clock.pass_by(26 * 3600)
        eventually(lambda: value(g, "pushgateway_job_overdue") == 1, "it is overdue")
        g.put("x", b"a 1\n")
        assert value(g, "pushgateway_job_overdue") == 0
        clock.pass_by(7 * DAY)
        gone(g)
        assert value(g, "pushgateway_job_overdue") == 1
    with Gateway(*flags, database=database, env=clock.env) as g:
        assert value(g, "pushgateway_job_overdue") == 1
        assert value(g, "pushgateway_group_expired") == 1
        clock.pass_by(1000 * DAY)
        g.put("y", b"b 1\n")
        assert value(g, "pushgateway_job_overdue") == 1
        assert g.delete("x").status == 202
        assert value(g, "pushgateway_job_overdue") is None


def test_many_end_at_once(clock):
    with Gateway("--push.ttl=60", env=clock.env) as g:
        for i in range(2000):
            assert g.put(f"x/n/{i}", b"a 1\n").status == 200
        clock.pass_by(61)
        eventually(lambda: counter(g, "pushgateway_groups") == 0, "all have gone")
        assert counter(g, "pushgateway_groups_expired_total", job="x") == 2000


def test_expired_jobs_are_counted_in_bounds(clock):
    with Gateway("--push.ttl=60", env=clock.env) as g:
        for i in range(150):
            assert g.put(f"j{i}", b"a 1\n").status == 200
        clock.pass_by(61)
        eventually(lambda: counter(g, "pushgateway_groups") == 0, "all have gone")
        text = g.get("/metrics").text
        lines = [x for x in text.splitlines() if x.startswith("pushgateway_groups_expired_total{")]
        assert len(lines) == 101
        assert counter(g, "pushgateway_groups_expired_total", job="") == 50
