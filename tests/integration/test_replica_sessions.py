"""Sessions that the server ends, hosts that say nothing, and what can be undone: as gateways over one PostgreSQL see it."""
import concurrent.futures
import contextlib
import json
import re
import socket
import subprocess
import time

import pytest

from gateway import BINARY, DEADLINE, Gateway, eventually
from test_postgresql import shown
from test_replicas import flags, replicas  # noqa: F401
from test_replicas_large import Others

ENDED = "terminating connection due to administrator command"


def end_sessions_that_push(postgresql, name, until="true"):
    """The server ends each session that writes a group whose job begins with `ended`, as its administrator may, once that is so."""
    postgresql.sql(f"CREATE FUNCTION {name}.ends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                   f"IF position('ended' in encode(NEW.body, 'escape')) > 0 THEN WHILE NOT ({until}) LOOP "
                   "PERFORM pg_sleep(0.01); END LOOP; PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$; "
                   f"CREATE TRIGGER ends BEFORE INSERT ON {name}.log FOR EACH ROW WHEN (NEW.kind = 1) EXECUTE FUNCTION {name}.ends()")


@pytest.mark.parametrize("other_writes", [False, True])
def test_the_log_says_why_the_server_ended_the_session(flags, postgresql, other_writes):  # noqa: F811
    """Also where another gateway has written before this one has found out that its batch is not there."""
    name = flags[1].partition("=")[2]
    with replicas(2, flags) as (gw, other), concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert gw.put("a", "n 1\n").status == 200
        waits = "EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        end_sessions_that_push(postgresql, name, waits if other_writes else "true")
        ours = pool.submit(gw.put, "ended", "n 1\n")
        if other_writes:
            eventually(lambda: postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "it has the lock")
            assert other.put("b", "n 1\n").status == 200
        reply = ours.result(DEADLINE)
        assert reply.status == 503 and ENDED in reply.text, reply
        assert ("may have been stored" in reply.text) != other_writes
        assert ENDED in gw.wait_for_line("could not commit pushes")
        assert gw.put("a", "n 2\n").status == 200
        assert 'job="ended"' not in gw.get("/metrics").text


@contextlib.contextmanager
def silent_hosts(n):
    """The ports of so many that take a connection and say nothing."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(n)]


def url_of(ports, *more):
    hosts = [("127.0.0.1", port) for port in ports] + list(more)
    return f"postgresql://postgres@/postgres?host={','.join(h for h, _ in hosts)}&port={','.join(str(p) for _, p in hosts)}"


def test_hosts_that_say_nothing_share_the_time_out(flags, postgresql):  # noqa: F811
    """They are tried one after the other, and each one would have all of it."""
    with silent_hosts(6) as ports:
        begin = time.monotonic()
        got = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", f"--persistence.url={url_of(ports)}", flags[1],
                              "--persistence.timeout=4s"], capture_output=True, text=True, timeout=DEADLINE, check=False)
        # 24 s if each had as long as there is.
        assert got.returncode == 1 and time.monotonic() - begin < 16
        for port in ports:
            assert f"no connection to 127.0.0.1:{port} in time" in got.stderr, got.stderr
        # The last one is reached within a start's one try, and after a connection was lost.
        url = url_of(ports[:2], (postgresql.directory, 5432))
        with Gateway(f"--persistence.url={url}", flags[1], "--persistence.timeout=6s", database=None) as gw:
            assert gw.put("a", "n 1\n").status == 200
            postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tallygate'")
            assert gw.put("a", "n 2\n").status == 200


def test_what_can_be_undone_is_listed_by_each_gateway(flags):  # noqa: F811
    def listed(gw):
        return json.loads(gw.get("/api/v1/undo").text)["data"]

    with replicas(2, flags) as (gw, other):
        for job in ("x", "y"):
            assert gw.put(job, "n 1\nm 1\n").status == 200
        deleted = [g.request("DELETE", f"/api/v1/groups?match[]={{job=%22{job}%22}}") for g, job in ((gw, "x"), (other, "y"))]
        idents = [re.search(r'"undo":"([0-9a-f]{32})"', reply.text)[1] for reply in deleted]
        for g in (gw, other):
            assert [(x["id"], x["groups"]) for x in listed(g)["undo"]] == [(idents[1], 1), (idents[0], 1)]
        assert gw.request("POST", f"/api/v1/undo/{idents[1]}").status == 200
        for g in (gw, other):
            assert [x["id"] for x in listed(g)["undo"]] == idents[:1] and listed(g)["total"] == 1
            assert '\nn{instance="",job="y"} 1\n' in g.get("/metrics").text
    with Gateway(*flags, database=None) as gw:
        assert [x["id"] for x in listed(gw)["undo"]] == idents[:1]
        assert gw.request("POST", f"/api/v1/undo/{idents[0]}").status == 200
        assert listed(gw) == {"undo": [], "total": 0}


def test_pushes_and_scrapes_go_on_while_others_delete_many(flags, postgresql):  # noqa: F811
    """It is followed in slices, and all of it is gone everywhere once it is answered; whatever comes meanwhile counts."""
    def delete(gw, query):
        reply = gw.request("DELETE", f"/api/v1/groups?match[]={{job=%22many%22}}{query}")
        assert reply.status == 200, reply
        return json.loads(reply.text)["data"]

    with replicas(3, flags) as gws:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert {r.status for r in pool.map(lambda i: gws[i % 3].put(f"many/i/{i}", "m 1\nn 1\n"), range(1500))} == {200}
        others = Others(gws[1:])
        try:
            assert delete(gws[0], "&family=m")["deleted"] == 1500
            for gw in gws:
                assert not any(line.startswith("m{") for line in shown(gw))
            ident = delete(gws[1], "")["undo"]
            assert not any('job="many"' in line for gw in gws for line in shown(gw))
            assert gws[2].request("POST", f"/api/v1/undo/{ident}").status == 200
            assert [sum(line.startswith("n{") and 'job="many"' in line for line in shown(gw)) for gw in gws] == [1500] * 3
        finally:
            others.end()
        assert others.statuses == {200}
        want = shown(gws[0])
        assert shown(gws[1]) == want and shown(gws[2]) == want
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want
