"""Several gateways over one PostgreSQL: any of them takes a push, any answers the scrape, none is missed."""
import concurrent.futures
import contextlib
import os
import random
import re
import signal
import time

import pytest

from gateway import Gateway, eventually
from postgresql_server import Server, schema
from test_postgresql import Load, Proxy, assert_none_missing, numbers_shown, rows, shown


@contextlib.contextmanager
def replicas(n, flags):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Gateway(*flags, database=None)) for _ in range(n)]


@pytest.fixture
def flags(postgresql):
    return [f"--persistence.url={postgresql.url}", f"--persistence.schema={schema()}"]


def test_a_200_is_seen_everywhere_and_no_value_goes_back(flags, postgresql):
    """Eight clients push numbers that count up, each time to another gateway; a scraper goes from one to the next."""
    with replicas(3, flags) as gws:
        load = Load(gws, clients=8)
        last = {}
        try:
            for i in range(200):
                acknowledged = list(load.acknowledged)
                got = numbers_shown(gws[i % 3])
                for client, n in enumerate(acknowledged):
                    assert got.get(client, 0) >= n, (i, client, n, got)
                for client, n in last.items():
                    assert got[client] >= n, (i, client)
                last = got
        finally:
            load.stop()
        assert load.statuses == {200}
        assert min(load.acknowledged) > 10
        want = shown(gws[0])
        assert shown(gws[1]) == want
        assert shown(gws[2]) == want
        numbers = [int(n) for n in rows(postgresql, flags, "number")]
        assert numbers == list(range(1, len(numbers) + 1))
        writers = rows(postgresql, flags, "count(DISTINCT writer)", "")
        assert writers == ["3"]
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want


def test_own_metrics_say_whose_they_are(flags):
    with replicas(2, flags) as gws:
        names = set()
        for gw in gws:
            own = [line for line in gw.get("/metrics").text.splitlines() if line.startswith(("pushgateway_", "process_"))]
            found = {re.search(r'replica="([^"]+)"', line)[1] for line in own}
            assert len(found) == 1
            names |= found
        assert len(names) == 2


def test_own_metrics_with_and_without_all_others(flags):
    with replicas(2, flags) as (gw, other):
        assert gw.put("a", "n 1\n").status == 200
        alone = gw.get("/metrics?own=only").text
        assert "job=" not in alone and "push_time" not in alone
        stored = gw.get("/metrics?own=0").text
        assert 'n{instance="",job="a"} 1' in stored and "process_" not in stored and "replica=" not in stored
        assert gw.get("/metrics?own=2").status == 400
        for coding in ("gzip", "zstd"):
            assert gw.request("GET", "/metrics?own=only", headers={"Accept-Encoding": coding}).headers["Content-Encoding"] == coding
        protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        assert b"pushgateway_storage_up" in gw.request("GET", "/metrics?own=only", headers={"Accept": protobuf}).body
        assert 'n{instance="",job="a"} 1' in other.get("/metrics").text
        assert own(gw, "pushgateway_storage_up") == 1
        assert own(gw, 'pushgateway_batches_total', 'outcome="committed"') >= 1
        assert own(gw, "pushgateway_lock_wait_seconds_count") >= 1
        assert own(other, "pushgateway_replica_applied_rows_total") == 2
        assert own(other, "pushgateway_replica_history_lost_total") == 0
        eventually(lambda: own(other, "pushgateway_replica_lag_rows") == 0, "it has all rows")


def own(gw, name, labels=""):
    return float(re.search(rf'^{name}\{{{labels}.*\}} (\S+)$', gw.get("/metrics?own=only").text, re.M)[1])


def test_while_the_server_is_away():
    """Own metrics say so, and what was known stays known."""
    server = Server(durable=True).start()
    try:
        with Gateway(f"--persistence.url={server.url}", "--persistence.timeout=1s", "--persistence.stale-after=1s", database=None) as gw:
            assert gw.put("a", "n 1\n").status == 200
            size = own(gw, "pushgateway_database_bytes")
            assert size > 0
            server.stop(signal.SIGQUIT)
            eventually(lambda: gw.get("/metrics").status == 503, "what is shown may be out of date")
            assert gw.get("/-/ready").status == 503
            assert own(gw, "pushgateway_storage_up") == 0
            # The size is asked for with every 64th transaction, and with the first one that follows.
            for _ in range(3):
                assert gw.put("a", "n 2\n").status == 503
            assert own(gw, "pushgateway_database_bytes") == size
            assert own(gw, "pushgateway_batches_total", 'outcome="refused"') >= 1
            server.start()
            eventually(lambda: gw.get("/metrics").status == 200, "it comes back")
    finally:
        server.end()


def test_while_the_server_says_nothing():
    """Nobody who scrapes waits for longer than the question may take, neither those who come first nor those who come meanwhile."""
    server = Server().start()
    try:
        with Gateway(f"--persistence.url={server.url}", "--persistence.timeout=20s", "--persistence.stale-after=0s", database=None) as gw:
            assert gw.put("a", "n 1\n").status == 200
            with server.silent():
                begin = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    for reply in pool.map(lambda _: gw.get("/metrics"), range(40)):
                        assert reply.status == 200
                        assert 'n{instance="",job="a"} 1' in reply.text
                assert time.monotonic() - begin < 15, "of 20 s and more for a connection"
                assert own(gw, "pushgateway_storage_up") == 0
            eventually(lambda: own(gw, "pushgateway_storage_up") == 1, "it comes back")
            eventually(lambda: gw.put("a", "n 2\n").status == 200, "it comes back")
            assert 'n{instance="",job="a"} 2' in gw.get("/metrics").text
    finally:
        server.end()


def test_a_push_to_a_server_that_says_nothing():
    """It is refused after --persistence.timeout, not after as much for each of the connection, the question and the next try."""
    server = Server().start()
    try:
        with Gateway(f"--persistence.url={server.url}", "--persistence.timeout=5s", "--persistence.poll-interval=1m", database=None) as gw:
            assert gw.put("a", "n 1\n").status == 200
            # What the gateway does when it has committed would wait for as long, before the push.
            under_way = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tallygate' AND (state <> 'idle' OR state_change > now() - interval '0.5 s')"
            eventually(lambda: server.sql(under_way) == ["0"], "it has nothing under way")
            with server.silent():
                begin = time.monotonic()
                assert gw.put("a", "n 2\n").status == 503
                assert time.monotonic() - begin < 9, "of 10 s and more"
            eventually(lambda: gw.put("a", "n 3\n").status == 200, "it comes back")
    finally:
        server.end()


@pytest.mark.parametrize("mark", [b"epoch FROM head", b"sum(bytes + 32)"], ids=["follows", "cleans"])
def test_a_push_that_comes_while_a_server_says_nothing(flags, postgresql, tmp_path_factory, mark):
    """To something that nobody has asked for: the time of the push counts from when it came, not from when that has been given up."""
    timeout = 4
    directory = tmp_path_factory.mktemp("p")
    os.chmod(directory, 0o755)
    proxy = Proxy(postgresql, directory)
    proxy.mark = mark
    body = "".join(f'long_name_of_a_metric{{label="{i:04}"}} 1\n' for i in range(1000))
    url = f"--persistence.url=postgresql://postgres@/postgres?host={directory}"
    took = []

    def push(gw):
        begin = time.monotonic()
        reply = gw.put("a", body)
        took.append(time.monotonic() - begin)
        return reply

    try:
        with Gateway(url, flags[1], f"--persistence.timeout={timeout}s", "--persistence.poll-interval=10ms", database=None) as gw:
            assert push(gw).status == 200
            proxy.silences = True
            while not proxy.silent.wait(0.1):
                push(gw)
            reply = push(gw)
            assert reply.status == 503 and reply.headers["Retry-After"] and "PostgreSQL" in reply.text, reply
            assert max(took) < 1.5 * timeout, took
            proxy.silences = False
            proxy.again.set()
            eventually(lambda: gw.put("a", "n 3\n").status == 200, "it comes back")
    finally:
        proxy.end()


def test_rows_that_cannot_be_shown(flags, postgresql):
    """The database answers, but what it has is not shown: that is not hidden for longer than --persistence.stale-after."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, "--persistence.stale-after=2s", database=None) as gw:
        assert gw.put("a", "n 1\n").status == 200
        writer = postgresql.sql(f"SELECT writer, batch FROM {name}.head")[0].replace("|", ", batch = ")
        postgresql.sql(f"BEGIN; INSERT INTO {name}.log SELECT seq + 1, 99, 0, 0, 0, 0, 1, 1, 0, '' FROM {name}.head; "
                       f"UPDATE {name}.head SET seq = seq + 1, writer = 1, batch = 1; COMMIT")
        assert gw.get("/metrics").status == 200
        eventually(lambda: gw.get("/metrics").status == 503, "what is shown may be out of date")
        assert gw.get("/-/ready").status == 503
        assert "checksum is wrong" in gw.get("/-/ready").text
        assert gw.get("/metrics?own=only").status == 200
        assert gw.log.count("level=error") == 1, gw.log
        postgresql.sql(f"BEGIN; DELETE FROM {name}.log WHERE kind = 99; UPDATE {name}.head SET seq = seq - 1, writer = {writer}; COMMIT")
        eventually(lambda: gw.get("/metrics").status == 200, "all is shown again")
        assert 'n{instance="",job="a"} 1' in gw.get("/metrics").text
        eventually(lambda: gw.put("a", "n 2\n").status == 200, "pushes are taken")


def step(rng, gw, i, undos):
    """Something that any client may do; most of it concerns few groups, so that much of it contradicts something.
    undos: the ids of what can be undone."""
    reply = any_request(rng, gw, i, undos)
    found = re.search(r'"undo":"([0-9a-f]{32})"', reply.text)
    if found:
        undos.append(found[1])
    return reply


def any_request(rng, gw, i, undos):
    job = f"job_{rng.randrange(4)}"
    kind = rng.randrange(20)
    if kind == 0:
        return gw.delete(job)
    if kind == 1:
        return gw.request("DELETE", f"/api/v1/groups?match[]={{job=~%22job_[{rng.randrange(4)}{rng.randrange(4)}]%22}}")
    if kind == 2:
        return gw.request("DELETE", "/api/v1/groups?match[]={job=~%22.%2B%22}&family=m_1")
    if kind == 3:
        return gw.request("PUT", "/api/v1/admin/wipe") if rng.randrange(4) == 0 else gw.delete(job)
    if kind < 8:
        source = rng.randrange(3)
        path = f"/sum/metrics/job/sum_{rng.randrange(2)}/__source__/s{source}"
        if kind == 4:
            return gw.request("DELETE", path)
        body = f"# TYPE c_{rng.randrange(2)} counter\nc_{0} {i}\n" if rng.randrange(3) else f"# TYPE g gauge\ng {i}\n# TYPE c_0 counter\nc_0 {i}\n"
        return gw.request(rng.choice(["PUT", "POST"]), path, body)
    if kind == 8:
        return gw.request("POST", "/add/metrics/job/added", f"# TYPE a_total counter\na_total{{l=\"{rng.randrange(3)}\"}} {i}\n")
    if kind in (9, 10) and undos:
        return gw.request("POST", f"/api/v1/undo/{undos.pop(rng.choice([0, -1]))}")
    families = rng.sample(range(5), rng.randrange(1, 4))
    body = "".join(f"# TYPE m_{f} {rng.choice(['gauge', 'gauge', 'gauge', 'counter'])}\nm_{f}{{l=\"{rng.randrange(3)}\"}} {i}\n" for f in families)
    return gw.request(rng.choice(["PUT", "POST"]), f"/metrics/job/{job}" + rng.choice(["", "", "/x/1", "/x/1/__ttl__/30m"]), body)


def without_times(lines):
    return [line for line in lines if not line.startswith(("push_time", "push_failure_time"))]


def verdict(reply):
    """Which group it names that already has a type is a matter of chance, and so are ids."""
    return reply.status, re.sub(r'group \{[^}]*\}|"undo":"[0-9a-f]+"', "(any)", reply.text)


@pytest.mark.parametrize("seed,wrong", [(0, 0), (1, 3600), (2, -3600)])
def test_the_same_verdicts_as_on_one_machine(flags, seed, wrong, clock, tmp_path):
    """A history of pushes, each to another gateway: the same statuses and the same exposition as of one with a file. The clock
    of one of them is wrong, and in the middle it is started again."""
    turns = random.Random(seed)
    statuses, undos, undos_of_one = set(), [], []
    clock.shift(wall=wrong)
    options = [*flags, "--web.enable-admin-api", "--push.ttl-restart-grace=0s"]
    with Gateway("--web.enable-admin-api", database=tmp_path / "one") as one, replicas(2, options) as gws, contextlib.ExitStack() as stack:
        gws.append(stack.enter_context(Gateway(*options, database=None, env=clock.env)))
        for i in range(300):
            if i == 150:
                gws[2].kill()
                gws[2] = stack.enter_context(Gateway(*options, database=None, env=clock.env))
            want = step(random.Random(seed * 1000 + i), one, i, undos_of_one)
            got = step(random.Random(seed * 1000 + i), turns.choice(gws), i, undos)
            assert verdict(got) == verdict(want), i
            statuses.add(got.status)
            if i % 10 == 0:
                assert without_times(shown(turns.choice(gws))) == without_times(shown(one)), i
        assert statuses >= {200, 202, 400}
        want = shown(gws[0])
        assert without_times(want) == without_times(shown(one))
        for gw in gws:
            assert shown(gw) == want
            assert "loaded from the database again" not in gw.log
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want


ROUNDS = int(os.environ.get("REPLICA_ROUNDS", "6"))


def test_gateways_that_are_killed_and_stopped(flags):
    """Whatever moment it is: what was acknowledged is there, and the others go on."""
    rng = random.Random(1)
    options = [*flags, "--persistence.timeout=2s"]
    with replicas(1, options) as stays, contextlib.ExitStack() as stack:
        gws = [stays[0], *(stack.enter_context(Gateway(*options, database=None)) for _ in range(2))]
        load = Load(gws, clients=6)
        try:
            for _ in range(ROUNDS):
                i = rng.randrange(1, 3)
                before = load.total()
                eventually(lambda at=before: load.total() > at + rng.randrange(30), "pushes go on")
                if rng.randrange(2):
                    gws[i].kill()
                    gws[i] = stack.enter_context(Gateway(*options, database=None))
                    load.gateways[i] = gws[i]
                else:
                    gws[i].signal(signal.SIGSTOP)
                    # All of the load may wait for this one.
                    eventually(lambda: gws[0].put("probe", "x 1\n").status == 200, "the others go on")
                    gws[i].signal(signal.SIGCONT)
        finally:
            for gw in gws[1:]:
                gw.signal(signal.SIGCONT)
            load.stop()
        for gw in gws:
            assert_none_missing(gw, load)
        assert shown(gws[0]) == shown(gws[1]) == shown(gws[2])


def test_the_server_crashes_under_several():
    server = Server(durable=True).start()
    try:
        with replicas(2, [f"--persistence.url={server.url}", "--persistence.timeout=2s"]) as gws:
            load = Load(gws)
            try:
                for _ in range(2):
                    before = load.total()
                    eventually(lambda at=before: load.total() > at + 20, "pushes go on")
                    server.stop(signal.SIGQUIT)
                    refused = load.refused
                    eventually(lambda at=refused: load.refused > at + 4, "pushes are refused")
                    for gw in gws:
                        assert gw.get("/metrics").status == 200
                    server.start()
                    for gw in gws:
                        eventually(lambda gw=gw: gw.get("/-/ready").status == 200, "it comes back by itself")
                before = load.total()
                eventually(lambda: load.total() > before + 20, "pushes are taken")
            finally:
                load.stop()
            assert load.statuses == {200, 503}
            for gw in gws:
                assert_none_missing(gw, load)
            assert shown(gws[0]) == shown(gws[1])
    finally:
        server.end()


def test_a_connection_that_is_cut_in_the_commit_while_another_writes(postgresql, tmp_path_factory):
    directory = tmp_path_factory.mktemp("p")
    os.chmod(directory, 0o755)
    proxy = Proxy(postgresql, directory)
    name = f"--persistence.schema={schema()}"
    cut = [f"--persistence.url=postgresql://postgres@/postgres?host={directory}", name]
    whole = [f"--persistence.url={postgresql.url}", name]
    try:
        with Gateway(*whole, database=None) as other, Gateway(*cut, database=None) as gw:
            load = Load([other], clients=3)
            try:
                for n, at in enumerate([0, 1, 50, 300, 500, 600, 700, 100000] * 3, 1):
                    proxy.cut_at = at
                    status = gw.put("a", f"n {n}\n").status
                    assert status in (200, 503), (at, gw.log)
                    if status == 200:
                        assert f'n{{instance="",job="a"}} {n}\n' in other.get("/metrics").text, (at, gw.log)
            finally:
                load.stop()
            assert proxy.cuts > 12
            for g in (gw, other):
                assert_none_missing(g, load)
            assert shown(gw) == shown(other)
            numbers = [int(x) for x in rows(postgresql, whole, "number")]
            assert numbers == list(range(1, len(numbers) + 1))
    finally:
        proxy.end()


def test_one_that_has_missed_what_was_dropped(postgresql, flags):
    """It was stopped for longer than the log is kept: it loads all of it anew."""
    name = flags[1].partition("=")[2]
    body = "".join(f'long_name_of_a_metric{{label="{i:04}"}} 1\n' for i in range(2000))
    with replicas(2, flags) as (gw, late):
        assert gw.put("a", "n 1\n").status == 200
        late.signal(signal.SIGSTOP)
        try:
            seen = int(rows(postgresql, flags, "max(number)", "")[0])
            assert gw.put("a", "n 2\n").status == 200
            for _ in range(30):
                assert gw.put("changes", body).status == 200
            # Nothing is dropped that is younger than ten time-outs.
            postgresql.sql(f"UPDATE {name}.log SET written = written - 1000")

            def dropped():
                assert gw.put("changes", body).status == 200
                return int(rows(postgresql, flags, "min(number)", "")[0]) > seen + 1

            eventually(dropped, "the oldest rows are dropped")
        finally:
            late.signal(signal.SIGCONT)
        eventually(lambda: 'n{instance="",job="a"} 2\n' in late.get("/metrics").text, "it shows what there is")
        late.wait_for_line("loaded from the database again")
        assert shown(late) == shown(gw)


def large(i, families=17):
    """A body of 100 kB for each family, of which nothing but one value says which it is."""
    return f"large_number {i}\n" + "".join(f"large_{k}{{l=\"{'x' * 1000}\",n=\"{j}\"}} 1\n" for k in range(families) for j in range(100))


def large_number(gw):
    return int(re.search(r"^large_number\{.*\} (\d+)$", gw.get("/metrics").text, re.M)[1])


def test_what_is_missing_is_taken_in_parts(flags, postgresql):
    """So that it need not be in memory at once, however much it is: those before a row that cannot be taken are shown."""
    name = flags[1].partition("=")[2]
    with replicas(2, flags) as (gw, late):
        assert gw.put("large", large(0)).status == 200
        assert large_number(late) == 0
        late.signal(signal.SIGSTOP)
        try:
            for i in range(1, 15):
                assert gw.put("large", large(i)).status == 200
            postgresql.sql(f"BEGIN; INSERT INTO {name}.log SELECT number + 1, 99, 0, 0, 0, 0, 1, 1, written, '' FROM {name}.log "
                           f"ORDER BY number DESC LIMIT 1; UPDATE {name}.head SET seq = seq + 1, writer = 1, batch = 1; COMMIT")
        finally:
            late.signal(signal.SIGCONT)
        eventually(lambda: large_number(late) > 0, "it shows what comes before that row")


def test_several_start_at_once_on_an_empty_database(postgresql):
    name = f"--persistence.schema={schema()}"
    started = [Gateway(f"--persistence.url={postgresql.url}", name, database=None) for _ in range(4)]
    with contextlib.ExitStack() as stack:
        gws = [stack.enter_context(gw) for gw in started]
        for i, gw in enumerate(gws):
            assert gw.put(f"from_{i}", f"n {i}\n").status == 200
        for gw in gws:
            assert gw.get("/metrics").text.count("\nn{") == 4


def test_a_row_of_another_history_is_not_taken_for_the_newest(flags, postgresql):
    """As after a promotion: the log has as many rows as before, the last of which is another one. The next scrape shows that one."""
    name = flags[1].partition("=")[2]
    other = schema()
    for i in range(3):
        with Gateway(*flags, database=None) as gw:
            assert gw.put("x", f"a {i}.5\n").status == 200
        postgresql.sql(f"DROP SCHEMA IF EXISTS {other} CASCADE; CREATE SCHEMA {other}; CREATE TABLE {other}.log AS TABLE {name}.log; "
                       f"CREATE TABLE {other}.head AS TABLE {name}.head; DROP SCHEMA {name} CASCADE")
        with Gateway(*flags, database=None) as gw:
            assert gw.put("x", f"a {i}\n").status == 200
            assert any(line.endswith(f" {i}") for line in shown(gw))
            rows_of = lambda s: postgresql.sql(f"SELECT seq FROM {s}.head")
            assert rows_of(name) == rows_of(other)
            postgresql.sql(f"BEGIN; LOCK TABLE {name}.head; TRUNCATE {name}.log; INSERT INTO {name}.log SELECT * FROM {other}.log; "
                           f"DELETE FROM {name}.head; INSERT INTO {name}.head SELECT * FROM {other}.head; COMMIT")
            assert any(line.startswith("a{") and line.endswith(f" {i}.5") for line in shown(gw)), i
        postgresql.sql(f"DROP SCHEMA {name} CASCADE")
