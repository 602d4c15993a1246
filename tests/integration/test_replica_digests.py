"""Gateways over one PostgreSQL tell each other digests of what they have, and notice where it differs."""
import random
import signal
import struct

import log_rows
from gateway import Gateway, eventually
from test_epoch import make_first, migrate
from test_postgresql import rows, shown
from test_replicas import flags, own, replicas  # noqa: F401: a fixture

RECORDS = (2, 3)  # src/store/rows.h
DIGEST = 12
DIFFER = "pushgateway_replica_digests_differ_total"


def each_transaction_has_one(server, flags):  # noqa: F811
    server.sql(f"UPDATE {flags[1].partition('=')[2]}.head SET digest_every = 1")


def stored(gw):
    """Own metrics have a help text with a job, too."""
    return [line for line in shown(gw) if not line.startswith("#")]


def at_random(rng, gw):
    """A push, a deletion or a removal of any kind that leaves a row."""
    job = f"g{rng.randrange(5)}"
    text = "".join(f"# HELP f{i} x\n# TYPE f{i} gauge\nf{i}{{a=\"{k}\"}} {rng.random()}\n" for i in rng.sample(range(6), 2) for k in range(2))
    histogram = f"# TYPE h histogram\nh_bucket{{le=\"1\"}} {rng.randrange(9)}\nh_bucket{{le=\"+Inf\"}} 9\nh_sum 1e3\nh_count 9\n"
    do = rng.randrange(9)
    if do < 3:
        return gw.post(job, text + (histogram if do else ""))
    if do == 3:
        return gw.put(job + rng.choice(["", "/__ttl__/1h"]), text)
    if do == 4:
        return gw.put(job, "# TYPE f1 counter\nf1 1\nf1 1\n")
    if do == 5:
        return gw.delete(job)
    if do == 6:
        return gw.request("DELETE", f"/api/v1/groups?match[]={{job=%22{job}%22}}")
    return gw.request("POST", f"/sum/metrics/job/sum{do}/__source__/{rng.randrange(3)}", f"# TYPE c counter\nc {rng.randrange(1000)}\n# TYPE x gauge\nx 1\n")


def test_whoever_has_the_same_rows_has_the_same_digest(flags, postgresql):  # noqa: F811
    """One of them starts again now and then, and has it from the log."""
    rng = random.Random(1)
    with replicas(2, flags) as gws:
        each_transaction_has_one(postgresql, flags)
        for _ in range(4):
            with Gateway(*flags, database=None) as started:
                for _ in range(40):
                    assert at_random(rng, rng.choice([*gws, started])).status in (200, 202, 400, 404, 409)
                assert stored(gws[0]) == stored(gws[1]) == stored(started)
                assert [own(gw, DIFFER) for gw in (*gws, started)] == [0, 0, 0]
        # Some of them are refused, and more than one may share a transaction.
        assert int(rows(postgresql, flags, "count(*)", f"WHERE kind = {DIGEST}")[0]) > 50


def make_differ(server, flags, a, b):  # noqa: F811
    """b reads another row than a has written."""
    assert a.put("g", "n 1\n").status == 200
    assert b.get("/metrics").status == 200
    b.signal(signal.SIGSTOP)
    try:
        assert a.put("g", "n 2\n").status == 200
        one, other = (struct.pack("<d", x) for x in (2, 3))
        log_rows.change(server, flags[1].partition("=")[2], lambda kind, group, at, body: (at, body.replace(one, other)) if kind in RECORDS and one in body else None)
    finally:
        b.signal(signal.SIGCONT)
    eventually(lambda: '\nn{instance="",job="g"} 3\n' in b.get("/metrics").text, "it shows what it has read")
    assert '\nn{instance="",job="g"} 2\n' in a.get("/metrics").text


def test_a_difference_is_noticed_and_mended(flags, postgresql):  # noqa: F811
    """Who reads the digest cannot know which of the two is wrong: it loads all anew, and says its own, by which the other one finds out."""
    with replicas(2, flags) as (a, b):
        make_differ(postgresql, flags, a, b)
        each_transaction_has_one(postgresql, flags)
        assert a.put("other", "m 1\n").status == 200
        for gw in (b, a):
            gw.wait_for_line("the state of this gateway was not that of the one that wrote it")
        for gw in (a, b):
            eventually(lambda gw=gw: '\nn{instance="",job="g"} 3\n' in gw.get("/metrics").text, "it shows what the log has")
        for i in range(10):
            assert (a, b)[i % 2].put("other", f"m {i}\n").status == 200
            assert shown(a) == shown(b)
        for gw in (a, b):
            assert [own(gw, DIFFER), own(gw, "pushgateway_replica_history_lost_total")] == [1, 0]
            assert gw.log.count("digest ") == 1


def test_a_log_that_is_not_migrated_has_no_digests(flags, postgresql):  # noqa: F811
    make_first(postgresql, flags)
    with replicas(2, flags) as gws:
        for i in range(4):
            assert gws[i % 2].put("g", f"n {i}\n").status == 200
        assert rows(postgresql, flags, "number", f"WHERE kind = {DIGEST}") == []
        migrate(*flags)
        each_transaction_has_one(postgresql, flags)
        # The first one of each gateway may find out under the lock that the log has changed.
        for i in range(6):
            assert gws[i % 2].put("g", f"n {i}\n").status == 200
        assert len(rows(postgresql, flags, "number", f"WHERE kind = {DIGEST}")) >= 3
        assert [own(gw, DIFFER) for gw in gws] == [0, 0]
