"""Gateways over one PostgreSQL that are told different things: whoever takes a push decides, and what the log has then is all that any of them shows."""
import collections
import contextlib
import random

import pytest

from gateway import Gateway, eventually
from test_replicas import flags, own  # noqa: F401: a fixture

GENEROUS = """
rules:
- match: '{job=~"celery.*"}'
  mode: sum
  source_labels: [pid]
  source_ttl: 1h
  gauges: {highest: max, working: livesum}
- match: '{job="added"}'
  mode: add
- match: '{job="brief"}'
  ttl: 2s
  keep_times: 1h
  expect_every: 1s
"""

# It sums what the first one does not, and not what that sums.
OTHER = """
rules:
- match: '{job=~"celery.*"}'
  ttl: 7d
- match: '{job="plain"}'
  mode: sum
  source_labels: [instance]
  source_ttl: 2h
  gauges: {m0: min}
"""

# As good as nothing may be pushed to it.
STRICT = """
rules:
- match: '{job=~"celery.*|added"}'
  limits: {series: 2, families: 1, label_values: 1, sources: 1}
  source_ttl: 1s
  deny_labels: [user]
- match: '{}'
  ttl: 7d
  limits: {series: 1, label_values: 1}
  deny_labels: [user]
  deny_values: ['u.*']
  lint: refuse
"""
STRICT_FLAGS = ("--limits.groups=1", "--limits.series=4", "--limits.source-values=3", "--limits.stored-bytes=2KiB",
                "--limits.series-per-push=1", "--limits.families-per-push=1",
                "--limits.labels-per-series=2", "--limits.label-value-length=5", "--limits.body-size=1KiB", "--push.ttl=1h", "--push.keep-times=24h")


def everything(gw):
    """All that is stored, and what the gateway says of groups; not what it says of itself."""
    return sorted(gw.get("/metrics?own=0").text.splitlines())


def sources(gw):
    return [gw.get(f"/api/v1/groups/sources?match[]={{job=%22celery{i}%22}}").text for i in range(2)]


@pytest.fixture
def configs(tmp_path):
    for name, text in (("generous", GENEROUS), ("other", OTHER), ("strict", STRICT)):
        (tmp_path / name).write_text(text)
    return [(f"--config.file={tmp_path / 'generous'}",), (f"--config.file={tmp_path / 'other'}",), (f"--config.file={tmp_path / 'strict'}", *STRICT_FLAGS)]


def at_random(rng, gw):
    """A push or a delete."""
    if rng.randrange(12) == 0:
        return gw.delete(rng.choice(["celery0", "added", "plain", "plain/instance/i1"]))
    i, k = rng.randrange(4), rng.randrange(100)
    pushes = [
        ("PUT", f"celery{i % 2}/pid/{rng.randrange(9)}",
         f"# HELP c about c\n# TYPE c counter\n" + "".join(f'c{{user="user{u}"}} {k}\n' for u in range(i + 1)) +
         f"# TYPE highest gauge\nhighest {k}\n# TYPE working gauge\nworking {i}\n"
         f'# TYPE h histogram\nh_bucket{{le="{i + 1}"}} 1\nh_bucket{{le="+Inf"}} 2\nh_sum {k}\nh_count 2\n'),
        ("POST", "added", f"# TYPE added counter\nadded {k}\n"),
        ("POST", f"plain/instance/i{i}", "".join(f'# HELP m{n} {k}\n# TYPE m{n} gauge\nm{n}{{user="u{n}",a="{k}"}} {k}\n' for n in range(3))),
        ("POST", "plain", "".join(f'p{n}{{user="u{n}",a="long enough"}} {k}\n' for n in range(3))),
    ]
    method, job, body = rng.choice(pushes)
    return gw.request(method, f"/metrics/job/{job}", body)


def test_what_is_shown_is_what_the_log_has(flags, configs):  # noqa: F811
    """Limits, rules and flags of one refuse none of what another one has taken, also where it starts from the log."""
    rng = random.Random(3)
    with contextlib.ExitStack() as stack:
        generous, other, strict = gws = [stack.enter_context(Gateway(*flags, *config, database=None)) for config in configs]
        statuses = {gw: collections.Counter() for gw in gws}
        for _ in range(90):
            gw = rng.choice([generous, generous, other, other, strict])
            statuses[gw][at_random(rng, gw).status] += 1
            assert everything(generous) == everything(other) == everything(strict)
        # Each of them decides for itself, and whoever may push has done so.
        assert statuses[generous][200] > 15 and statuses[other][200] > 5 and statuses[other][409] > 5, statuses
        assert statuses[strict][413] + statuses[strict][400] + statuses[strict][507] > 10, statuses
        assert sources(generous) == sources(other) == sources(strict)
        assert any("pid" in text for text in sources(strict))
        for gw in gws:
            assert own(gw, "pushgateway_replica_history_lost_total") == 0
            assert not [line for line in gw.log.splitlines() if "level=error" in line]
        want = everything(strict)
    for config in configs:
        with Gateway(*flags, *config, database=None) as gw:
            assert everything(gw) == want


def test_who_expires_a_group_need_not_know_why(flags, configs):  # noqa: F811
    """The deadline is in the log: the one without the rule keeps it, alone, too, and both show what stays of it."""
    generous, _, strict = configs
    with Gateway(*flags, *strict, database=None) as b:
        with Gateway(*flags, *generous, database=None) as a:
            assert a.put("brief", "n 1\n").status == 200
            assert everything(a) == everything(b)
        eventually(lambda: 'pushgateway_group_expired{instance="",job="brief"} 1' in everything(b), "it expires")
        eventually(lambda: 'pushgateway_job_overdue{instance="",job="brief"} 1' in everything(b), "the job is overdue")
        with Gateway(*flags, *generous, database=None) as a:
            assert everything(a) == everything(b)
