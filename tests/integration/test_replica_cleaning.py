"""The log of several gateways is shortened by whoever comes to it: what it looks at is read before it has the lock."""
import concurrent.futures

from gateway import Gateway, eventually
from postgresql_server import Server
from test_epoch import make_first, migrate, name_of
from test_postgresql import rows, shown
from test_replica_digests import DIFFER, each_transaction_has_one
from test_replicas import flags, own, replicas  # noqa: F401: a fixture

BODY = "".join(f'long_name_of_a_metric{{label="{i:04}"}} 1\n' for i in range(300))


def begins_at(server, flags):  # noqa: F811
    return int(rows(server, flags, "min(number)", "")[0])


def knows_where_it_begins(server, flags):  # noqa: F811
    name = name_of(flags)
    assert server.sql(f"SELECT trimmed = (SELECT min(number) - 1 FROM {name}.log) FROM {name}.head") == ["t"]


def push_until(server, flags, gws, dropped):  # noqa: F811
    """All of them push, so that each finds the log too long, and some of what another one has dropped."""
    def push(gw):
        for _ in range(15):
            assert gw.put("changes", BODY).status == 200

    def done():
        with concurrent.futures.ThreadPoolExecutor(len(gws)) as pool:
            list(pool.map(push, gws))
        # Nothing is dropped that is younger than ten time-outs.
        server.sql(f"UPDATE {name_of(flags)}.log SET written = written - 1000 WHERE written > extract(epoch FROM clock_timestamp()) - 500")
        return begins_at(server, flags) > dropped

    eventually(done, "the oldest rows are dropped")


def test_several_shorten_it_and_nothing_is_lost(flags, postgresql):  # noqa: F811
    with replicas(3, flags) as gws:
        each_transaction_has_one(postgresql, flags)
        for i in range(30):
            assert gws[i % 3].put(f"kept_{i}", f"n {i}\n").status == 200
        push_until(postgresql, flags, gws, 150)
        want = shown(gws[0])
        assert sum('job="kept_' in line and line.startswith("n{") for line in want) == 30
        assert shown(gws[1]) == want and shown(gws[2]) == want
        assert [own(gw, DIFFER) for gw in gws] == [0, 0, 0]
        knows_where_it_begins(postgresql, flags)
        assert not any("level=error" in gw.log for gw in gws), gws[0].log
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want


def test_candidates_are_read_without_the_lock():
    """As the server sees it: what a session has asked for in front of its transaction, and what in it."""
    server = Server(log_statement="all", log_line_prefix="%p|").start()
    try:
        options = [f"--persistence.url={server.url}", "--persistence.schema=x"]
        with replicas(2, options) as gws:
            push_until(server, options, gws, 20)
        sessions, apart, under = {}, 0, 0
        for line in server.log().splitlines():
            pid, _, said = line.partition("|")
            if "execute lock_" in said or said.startswith("LOG:  statement: BEGIN"):
                sessions[pid] = True
            elif "COMMIT" in said or "ROLLBACK" in said:
                sessions[pid] = False
            elif "sum(bytes" in said:
                apart, under = apart + (not sessions.get(pid)), under + bool(sessions.get(pid))
        assert apart > under, (apart, under)
    finally:
        server.end()


def test_a_log_that_was_shortened_before_it_was_migrated(flags, postgresql):  # noqa: F811
    make_first(postgresql, flags)
    with replicas(2, flags) as gws:
        assert gws[0].put("kept", "n 1\n").status == 200
        push_until(postgresql, flags, gws, 20)
        migrate(*flags)
        begins = begins_at(postgresql, flags)
        push_until(postgresql, flags, gws, begins + 20)
        knows_where_it_begins(postgresql, flags)
        assert 'n{instance="",job="kept"} 1\n' in gws[1].get("/metrics").text
        assert shown(gws[0]) == shown(gws[1])
