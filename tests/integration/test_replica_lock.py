"""Several gateways over one PostgreSQL: what they do under the lock of the log, and who waits for it."""
import concurrent.futures
import contextlib
import re
import signal
import time

import pytest

from gateway import DEADLINE, Gateway, eventually
from postgresql_server import Server
from test_postgresql import Load, rows, shown
from test_replicas import flags, large, large_number, replicas  # noqa: F401: a fixture


def reads(server):
    """For each time that a gateway has read others' rows in a statement of their own: had it the lock then?"""
    locked, under = set(), []
    for process, statement in re.findall(r"^\[(\d+)\] LOG:  (?:statement: |execute )(.*)", server.log(), re.M):
        if statement.startswith("lock_"):
            locked.add(process)
        elif re.search("COMMIT|ROLLBACK", statement):
            locked.discard(process)
        elif statement.startswith("news:"):
            under.append(process in locked)
    return under


def reads_for_a_little(server, gw, late):
    before = reads(server)
    for i, g in enumerate([late, gw, late]):
        assert g.put("small", f"n {i}\n").status == 200
    return reads(server)[len(before):]


def test_much_that_is_missing_is_read_without_the_lock():
    """Nobody who wants to push waits for it. What is little comes with the lock."""
    server = Server(log_statement="all", log_line_prefix="[%p] ").start()
    try:
        with replicas(2, [f"--persistence.url={server.url}", "--persistence.poll-interval=1m"]) as (gw, late):
            # A gateway looks for others' rows once a second, too, and reads them then.
            eventually(lambda: not reads_for_a_little(server, gw, late), "a little comes with the lock")
            before = reads(server)
            assert gw.put("large", large(1)).status == 200
            assert late.put("small", "n 4\n").status == 200
            much = reads(server)[len(before):]
            assert much and not any(much), much
            assert large_number(late) == 1
    finally:
        server.end()


def test_a_session_that_keeps_the_lock_is_ended(postgresql, flags):
    """As one that was stopped while it sent a large push, which no time-out of the server ends."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, "--persistence.timeout=1s", database=None) as gw:
        with postgresql.session("tallygate") as keeps:
            print("SET idle_in_transaction_session_timeout = 0; BEGIN;", f"SELECT seq FROM {name}.head FOR UPDATE;",
                  file=keeps.stdin, flush=True)
            eventually(lambda: postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"), "it has the lock")
            assert gw.put("a", "n 1\n").status == 503
            eventually(lambda: gw.put("a", "n 2\n").status == 200, "the lock is free")
            assert keeps.poll() is None or keeps.returncode


def test_a_session_that_does_not_read_under_the_lock_is_ended(postgresql, flags):
    """As one that was stopped while it received what others have pushed: the server waits to send, which no time-out of its own ends."""
    name = flags[1].partition("=")[2]
    state = "SELECT wait_event FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
    with Gateway(*flags, "--persistence.timeout=1s", database=None) as gw:
        with postgresql.session("tallygate") as keeps:
            print("\\set FETCH_COUNT 0", "BEGIN;", f"SELECT seq FROM {name}.head FOR UPDATE;",
                  "SELECT repeat('x', 1000) FROM generate_series(1, 1000000);", sep="\n", file=keeps.stdin, flush=True)
            eventually(lambda: postgresql.sql(state), "it is sent much")
            keeps.send_signal(signal.SIGSTOP)
            eventually(lambda: postgresql.sql(state) == ["ClientWrite"], "the server waits for it")
            assert gw.put("a", "n 1\n").status == 503
            eventually(lambda: gw.put("a", "n 2\n").status == 200, "the lock is free")


def test_a_session_that_only_reads_is_not_ended(postgresql, flags):
    """As that of a gateway which loads a large log while somebody else, whom nobody may end, has the lock."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, "--persistence.timeout=1s", database=None) as gw:
        with postgresql.session("tallygate") as reads, postgresql.session("an operator") as keeps:
            print("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", f"SELECT seq AS loads FROM {name}.head;", file=reads.stdin, flush=True)
            print("BEGIN;", f"SELECT seq AS keeps FROM {name}.head FOR UPDATE;", file=keeps.stdin, flush=True)
            idle = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%seq AS {}%'"
            eventually(lambda: [postgresql.sql(idle.format(x)) for x in ("loads", "keeps")] == [["1"], ["1"]], "they have begun")
            for n in range(2):
                assert gw.put("a", f"n {n}\n").status == 503
            assert postgresql.sql(idle.format("loads")) == ["1"] and reads.poll() is None
            print("ROLLBACK;", file=keeps.stdin, flush=True)
            eventually(lambda: gw.put("a", "n 2\n").status == 200, "the lock is free")


def waits_behind_another(postgresql, name, gw, other, value):
    """
    Another gateway's push is acknowledged, and then somebody else has the lock, for which this gateway has a push that waits. False: this
    gateway had the lock first, as who asks again when it is given up may.
    """
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}%'"
    with postgresql.session("holds the push") as holds, postgresql.session("takes the lock") as takes, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        print("SELECT pg_advisory_lock(4711);", file=holds.stdin, flush=True)
        eventually(lambda: postgresql.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"), "it holds the push")
        theirs = pool.submit(other.put, "a", f"n {value}\n")
        eventually(lambda: postgresql.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), "it has the lock")
        print(f"BEGIN; SELECT seq AS taken FROM {name}.head FOR UPDATE;", file=takes.stdin, flush=True)
        eventually(lambda: postgresql.sql(waits.format("seq AS taken")) == ["1"], "the next one waits")
        ours = pool.submit(gw.put, "b", "n 2\n")
        eventually(lambda: postgresql.sql(waits.format("PREPARE lock")) == ["1"], "and this gateway")
        print("SELECT pg_advisory_unlock(4711);", file=holds.stdin, flush=True)
        assert theirs.result(DEADLINE).status == 200
        for _ in range(3):
            assert f'n{{instance="",job="a"}} {value}\n' in gw.get("/metrics").text
        waited = not ours.done()
        print("COMMIT;", file=takes.stdin, flush=True)
        assert ours.result(DEADLINE).status == 200
    return waited


def test_who_waits_for_the_lock_shows_what_others_commit(postgresql, flags):
    name = flags[1].partition("=")[2]
    with replicas(2, [*flags, "--persistence.timeout=30s"]) as (gw, other):
        assert gw.put("a", "n 0\n").status == 200
        postgresql.sql(f"CREATE FUNCTION {name}.hold() RETURNS trigger LANGUAGE plpgsql AS "
                       "'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END'; "
                       f"CREATE TRIGGER hold BEFORE INSERT ON {name}.log EXECUTE FUNCTION {name}.hold()")
        assert any(waits_behind_another(postgresql, name, gw, other, value) for value in range(1, 11))
        assert shown(gw) == shown(other)


@contextlib.contextmanager
def given_up(postgresql, name, kind, event, condition, what):
    """A trigger that does `what` the first times that it is asked; a sequence is not rolled back. Gives: set how often, ask how often."""
    table = "log" if event == "INSERT" else "head"

    def fail(times):
        postgresql.sql(f"ALTER SEQUENCE {name}.{kind} RESTART; CREATE OR REPLACE FUNCTION {name}.f_{kind}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                       f"BEGIN IF nextval('{name}.{kind}') <= {times} THEN {what} END IF; RETURN NEW; END $$")

    postgresql.sql(f"CREATE SEQUENCE {name}.{kind}")
    fail(0)
    postgresql.sql(f"CREATE TRIGGER {kind} BEFORE {event} ON {name}.{table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}.f_{kind}()")
    postgresql.sql(f"SELECT nextval('{name}.{kind}')")
    yield fail, lambda: int(postgresql.sql(f"SELECT last_value FROM {name}.{kind}")[0])


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_what_the_server_gives_up_is_staged_again_on_what_others_have_written(postgresql, flags, state):
    """Somebody else gets the lock each time, and what it writes counts first: also where it contradicts the push."""
    name = flags[1].partition("=")[2]
    what = ("FOR i IN 1..500 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.01); END LOOP; "
            f"RAISE SQLSTATE '{state}' USING MESSAGE = 'given up';")
    with replicas(2, flags) as (gw, other), given_up(
            postgresql, name, "taken", "INSERT", "NEW.kind = 1 AND position('ours' in encode(NEW.body, 'escape')) > 0", what) as (fail, tries):
        others = Load([other], clients=2)
        try:
            eventually(lambda: min(others.acknowledged) > 0, "others write")
            for times in (1, 2, 3):
                fail(times)
                reply = gw.put(f"ours_{times}", f"n {times}\n")
                assert reply.status == 200 and tries() == times + 1, (reply, tries())
                assert f'n{{instance="",job="ours_{times}"}} {times}\n' in other.get("/metrics").text
            assert "level=error" not in gw.log
            fail(1000)
            reply = gw.put("ours_refused", "n 4\n")
            assert reply.status == 503 and reply.headers["Retry-After"] and "given up" in reply.text, reply
            # Where ours gets the lock again before the other one it is written once more as it is.
            assert 4 <= tries() <= 16
            assert "given up" in gw.wait_for_line("could not commit pushes")
            fail(0)
            eventually(lambda: gw.put("ours_refused", "n 5\n").status == 200, "it goes on")
        finally:
            others.stop()
        assert others.statuses == {200}

        def contradicts(i):
            """The other one pushes the same family as another type meanwhile. Whoever has the lock first is right, mostly the other one."""
            fail(1)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                ours = pool.submit(gw.put, f"ours_{i}_type", f"# TYPE m_{i} gauge\nm_{i} 1\n")
                eventually(lambda: postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "ours is being written")
                statuses = other.put(f"b_{i}", f"# TYPE m_{i} counter\nm_{i} 1\n").status, ours.result(DEADLINE).status
            assert sorted(statuses) == [200, 400], statuses
            return statuses[0] == 200

        assert any(contradicts(i) for i in range(10))
        assert shown(gw) == shown(other)
        numbers = [int(n) for n in rows(postgresql, flags, "number")]
        assert numbers == list(range(1, len(numbers) + 1))


def test_nothing_is_committed_where_the_head_of_the_log_does_not_move(postgresql, flags):
    """As if another one had taken the row that was locked: the rows before it are not to stay in the log without it."""
    name = flags[1].partition("=")[2]
    with replicas(2, flags) as (gw, other), given_up(
            postgresql, name, "stays", "UPDATE", "NEW.seq <> OLD.seq", "RETURN NULL;") as (fail, tries):
        assert other.put("a", "n 1\n").status == 200
        fail(2)
        assert gw.put("b", "n 2\n").status == 200 and tries() == 3
        assert 'n{instance="",job="b"} 2\n' in other.get("/metrics").text
        before = rows(postgresql, flags, "number")
        fail(1000)
        reply = gw.put("refused", "n 3\n")
        assert reply.status == 503 and reply.headers["Retry-After"], reply
        assert "moved under the lock" in reply.text and "may have been stored" not in reply.text
        assert rows(postgresql, flags, "number") == before and tries() == 4
        fail(0)
        for g in (gw, other):
            assert 'job="refused"' not in g.get("/metrics").text
        eventually(lambda: gw.put("refused", "n 4\n").status == 200, "it goes on")
        assert 'n{instance="",job="refused"} 4\n' in other.get("/metrics").text
        numbers = [int(n) for n in rows(postgresql, flags, "number")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert shown(gw) == shown(other)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_what_the_server_gives_up_is_tried_three_times_more(postgresql, flags, state):
    """As it does for another transaction's sake, or to end a deadlock: the first times that a group is made. A sequence is not rolled back."""
    name = flags[1].partition("=")[2]

    def fail(times):
        postgresql.sql(f"ALTER SEQUENCE {name}.tries RESTART; CREATE OR REPLACE FUNCTION {name}.fails() RETURNS trigger LANGUAGE plpgsql AS $$ "
                       f"BEGIN IF nextval('{name}.tries') <= {times} THEN RAISE SQLSTATE '{state}' USING MESSAGE = 'given up'; END IF; "
                       "RETURN NEW; END $$")

    def tries():
        return int(postgresql.sql(f"SELECT last_value FROM {name}.tries")[0])

    with replicas(2, flags) as (gw, other):
        assert other.put("a", "n 1\n").status == 200
        postgresql.sql(f"CREATE SEQUENCE {name}.tries")
        fail(3)
        postgresql.sql(f"CREATE TRIGGER fails BEFORE INSERT ON {name}.log FOR EACH ROW WHEN (NEW.kind = 1) EXECUTE FUNCTION {name}.fails()")
        assert gw.put("taken", "n 2\n").status == 200 and tries() == 4
        assert 'n{instance="",job="taken"} 2\n' in other.get("/metrics").text
        fail(1000)
        reply = gw.put("refused", "n 3\n")
        assert reply.status == 503 and reply.headers["Retry-After"] and "given up" in reply.text and tries() == 4, (reply, tries())
        assert "given up" in gw.wait_for_line("could not commit pushes")
        fail(0)
        for g in (gw, other):
            assert 'job="refused"' not in g.get("/metrics").text
        eventually(lambda: gw.put("refused", "n 4\n").status == 200, "it goes on")
        assert 'n{instance="",job="refused"} 4\n' in other.get("/metrics").text
        assert shown(gw) == shown(other)
