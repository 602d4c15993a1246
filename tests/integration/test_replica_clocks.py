"""Gateways over one PostgreSQL, one of them with a clock that is an hour wrong: what ends, and what can be undone, goes by the server's clock."""
import re

import pytest

import log_rows
from gateway import Gateway, eventually
from test_epoch import make_first
from test_postgresql import rows, shown
from test_replicas import flags, own  # noqa: F401: a fixture

HOUR = 3600
ENDS = 5  # src/store/rows.h


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"])
def wrong(request, clock):
    clock.shift(wall=request.param)
    return clock.env


def delete(gw, job):
    """Returns the id by which it can be undone."""
    assert gw.put(job, "n 1\n").status == 200
    reply = gw.request("DELETE", f"/api/v1/groups?match[]={{job=%22{job}%22}}")
    assert reply.status == 200, reply
    return re.search(r'"undo":"([0-9a-f]{32})"', reply.text)[1]


def undo(gw, ident):
    reply = gw.request("POST", f"/api/v1/undo/{ident}")
    assert reply.status == 200, reply


def fill(gw):
    """What ends within the hour: a group, the live gauges of a source; and what cannot be undone by then."""
    assert gw.put("mortal/__ttl__/30m", "m 1\n").status == 200
    assert gw.request("POST", "/sum/metrics/job/sum/__source__/s/__ttl__/30m", "# TYPE g gauge\ng 1\n# TYPE c counter\nc 1\n").status == 200
    return delete(gw, "soon"), delete(gw, "later")


def has_all(gw, *more):
    text = gw.get("/metrics").text
    return all(re.search(rf'^{name}\{{.*job="{job}".*\}} 1$', text, re.M) for name, job in [("m", "mortal"), ("g", "sum"), ("c", "sum"), *more])


def load_anew(server, options, gw):
    """All rows have another writer, as in a log that was restored."""
    name = options[1].partition("=")[2]
    server.sql(f"BEGIN; LOCK TABLE {name}.head; UPDATE {name}.log SET batch = batch + 1000; "
               f"UPDATE {name}.head SET batch = batch + 1000; COMMIT")
    gw.wait_for_line("loaded from the database again")


def test_nothing_ends_early_and_all_can_be_undone(flags, postgresql, wrong):  # noqa: F811
    """It starts, stages what is due, and loads all of it anew."""
    options = [*flags, "--push.ttl-restart-grace=0s"]
    with Gateway(*options, database=None) as gw:
        soon, later = fill(gw)
        with Gateway(*options, database=None, env=wrong) as off:
            assert has_all(off)
            # What is due is staged with a push.
            assert off.put("a", "n 1\n").status == 200
            assert shown(off) == shown(gw)
            undo(off, soon)
            load_anew(postgresql, options, off)
            assert off.put("a", "n 2\n").status == 200
            undo(off, later)
            eventually(lambda: has_all(gw, ("n", "soon"), ("n", "later")), "both came back")
            assert has_all(off)
            assert shown(off) == shown(gw)
            assert own(off, "pushgateway_replica_history_lost_total") == 1
        # One that starts when it is all over has it all.
        with Gateway(*options, database=None, env=wrong) as off:
            assert off.put("a", "n 3\n").status == 200
            assert has_all(off, ("n", "soon"), ("n", "later"))
            assert shown(off) == shown(gw)
    assert str(ENDS) not in rows(postgresql, flags, "kind", "WHERE group_id > 0")


def test_what_comes_back_does_not_end_early(flags, wrong):  # noqa: F811
    """A summed group is brought back by the gateway whose clock is wrong."""
    with Gateway(*flags, database=None) as gw, Gateway(*flags, database=None, env=wrong) as off:
        fill(gw)
        reply = gw.request("DELETE", "/api/v1/groups?match[]={job=~%22sum|mortal%22}")
        assert reply.status == 200, reply
        undo(off, re.search(r'"undo":"([0-9a-f]{32})"', reply.text)[1])
        for _ in range(2):
            assert off.put("a", "n 1\n").status == 200
            assert has_all(gw)
        assert shown(off) == shown(gw)


BEAT = 11  # src/store/rows.h


@pytest.mark.parametrize("all_were_down", [True, False])
def test_deadlines_wait_for_as_long_as_all_gateways_were_down(flags, postgresql, all_were_down):  # noqa: F811
    """Two hours ago somebody pushed last. Another gateway may have run all the time, and then pushers had their chance."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, database=None) as gw:
        assert gw.put("mortal/__ttl__/30m", "m 1\n").status == 200
    log_rows.shift(postgresql, name, 2 * HOUR)
    if not all_were_down:
        postgresql.sql(f"UPDATE {name}.head SET alive_at = extract(epoch FROM clock_timestamp())")
    with Gateway(*flags, database=None) as gw:
        if all_were_down:
            assert gw.put("other", "n 1\n").status == 200, "what is due is staged with it"
            assert "\nm{" in gw.get("/metrics").text
        else:
            eventually(lambda: "\nm{" not in gw.get("/metrics").text, "it ends as if this gateway had run")


def test_any_gateway_says_that_it_runs_and_no_row_is_needed(flags, postgresql):  # noqa: F811
    name = flags[1].partition("=")[2]
    alive = lambda: float(postgresql.sql(f"SELECT alive_at FROM {name}.head")[0])
    with Gateway(*flags, database=None) as gw:
        assert gw.put("mortal/__ttl__/30m", "m 1\n").status == 200
    postgresql.sql(f"UPDATE {name}.head SET alive_at = 0")
    with Gateway(*flags, database=None):
        eventually(lambda: alive() > 0, "it says so")
        said = alive()
        with Gateway(*flags, database=None):
            pass
        assert alive() == said or alive() > said + 9, "one of them is enough"
    assert rows(postgresql, flags, "number", f"WHERE kind = {BEAT}") == []


def test_a_log_that_is_not_migrated_has_rows_that_say_so(flags, postgresql):  # noqa: F811
    make_first(postgresql, flags)
    with Gateway(*flags, database=None) as gw:
        assert gw.put("mortal/__ttl__/30m", "m 1\n").status == 200
    # At its end, at the latest.
    assert rows(postgresql, flags, "number", f"WHERE kind = {BEAT}")
