"""New series of summed groups show zeros for some time, then their counts, and never zeros again."""
import re

from gateway import Gateway, eventually
from test_replica_digests import DIFFER, each_transaction_has_one
from test_replicas import flags, own, replicas  # noqa: F401: a fixture


def add(gw, source, n):
    assert gw.request("POST", f"/sum/metrics/job/j/__source__/{source}", f"# TYPE c_total counter\nc_total {n}\n").status == 200


def count(gw):
    return float(re.search(r"^c_total\{.*\} (\S+)$", gw.get("/metrics").text, re.M)[1])


def test_a_start_by_a_clock_that_was_set_back_with_longer_zeros(database, clock):
    with Gateway("--push.zero-first=20s", database=database, env=clock.env) as g:
        add(g, 1, 5)
        assert count(g) == 0
        clock.pass_by(21)
        eventually(lambda: count(g) == 5, "the count is shown")
        g.kill()
    clock.shift(wall=-3600)
    with Gateway("--push.zero-first=2h", database=database, env=clock.env) as g:
        assert count(g) == 5
        add(g, 2, 1)
        assert count(g) == 6


def test_gateways_over_one_database(flags, postgresql):  # noqa: F811
    """All of them show the zeros, and then the count; so does one that is started later."""
    flags = [*flags, "--push.zero-first=5s"]
    with replicas(2, flags) as (a, b):
        each_transaction_has_one(postgresql, flags)
        add(a, 1, 5)
        assert (count(a), count(b)) == (0, 0)
        eventually(lambda: (count(a), count(b)) == (5, 5), "both show the count")
        add(b, 2, 1)
        with Gateway(*flags, database=None) as started:
            assert [count(gw) for gw in (a, b, started)] == [6, 6, 6]
            assert [own(gw, DIFFER) for gw in (a, b, started)] == [0, 0, 0]
