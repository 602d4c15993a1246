"""A database in PostgreSQL in place of a file: real servers, of the tests' own."""
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from gateway import BINARY, DEADLINE, Gateway, eventually, free_port
from postgresql_server import Server, schema


def shown(gw):
    """What is stored, without what the gateway says of itself."""
    return sorted(line for line in gw.get("/metrics").text.splitlines()
                  if "job=" in line and not line.startswith("pushgateway_"))


@pytest.fixture
def flags(postgresql):
    return [f"--persistence.url={postgresql.url}", f"--persistence.schema={schema()}"]


def rows(server, flags, what, order="ORDER BY number"):
    return server.sql(f"SELECT {what} FROM {flags[1].partition('=')[2]}.log {order}")


def test_a_restart_keeps_all_there_is(flags, postgresql):
    with Gateway(*flags, database=None) as gw:
        assert gw.put("plain/x/%C3%A9%20b", "# HELP a Hélp.\n# TYPE a counter\na{b=\"\\n\"} 1e9\n").status == 200
        assert gw.post("plain/x/%C3%A9%20b", "b NaN\n").status == 200
        assert gw.put("replaced", "a_gauge 1\nold 1\n").status == 200
        assert gw.put("replaced", "a_gauge 2\n").status == 200
        assert gw.put("gone", "a_gauge 3\n").status == 200
        assert gw.delete("gone").status == 202
        assert gw.put("failing", "# TYPE a gauge\na 1\n").status == 400
        assert gw.put("mortal/__ttl__/1h", "short_lived 1\n").status == 200
        for source in "pq":
            assert gw.request("POST", f"/sum/metrics/job/summed/__source__/{source}", "# TYPE n counter\nn 4\n").status == 200
        want = shown(gw)
        assert any("n{" in line and line.endswith(" 8") for line in want)
    numbers = [int(n) for n in rows(postgresql, flags, "number")]
    assert numbers == list(range(1, len(numbers) + 1))
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want
        assert gw.get("/api/v1/groups").text.count('"deadline"') == 1
        assert gw.get("/metrics").text.count("a_gauge 2") == 0
        assert gw.request("POST", "/sum/metrics/job/summed/__source__/p", "# TYPE n counter\nn 5\n").status == 200
        assert any("n{" in line and line.endswith(" 9") for line in shown(gw))


LARGE = "".join(f'a_metric_with_labels{{zone="eu-west-{i % 3}",number="{i:05}"}} {i}.5\n' for i in range(2000))


@pytest.mark.parametrize("has_lz4", [True, False])
def test_large_rows_are_compressed(has_lz4):
    """By lz4, if the server has it; its own method takes longer than it saves."""
    server = Server().start()
    try:
        if not has_lz4:
            # What a server says that was built without it: to the first ALTER TABLE.
            server.sql("CREATE SEQUENCE alters; CREATE FUNCTION lacks() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "IF nextval('public.alters') = 1 THEN RAISE SQLSTATE '0A000' USING MESSAGE = 'no lz4'; END IF; END $$; "
                       "CREATE EVENT TRIGGER lacks ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION lacks()")
        flags = [f"--persistence.url={server.url}", "--persistence.schema=x"]
        with Gateway(*flags, database=None) as gw:
            assert gw.put("large", LARGE).status == 200 and gw.put("small", "n 1\n").status == 200
            want = shown(gw)
        large, *others = server.sql("SELECT pg_column_compression(body), pg_column_size(body) * 3 < length(body) FROM x.log ORDER BY length(body) DESC")
        assert large == ("lz4|t" if has_lz4 else "|f")
        assert set(others) == {"|f"}
        with Gateway(*flags, database=None) as gw:
            assert shown(gw) == want and len(want) > 2000
    finally:
        server.end()


def keepalive_timers(port):
    """Seconds until each connection of the server asks whether the other end is there; those without a timer are not in it (proc(5))."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        lines = [line.split() for line in f.readlines()[1:]]
    return [int(x[5].split(":")[1], 16) / os.sysconf("SC_CLK_TCK") for x in lines
            if x[1].endswith(f":{port:04X}") and x[3] == "01" and x[5].startswith("02:")]


def test_a_gateway_whose_machine_is_lost_does_not_keep_the_lock():
    """Its server has to find out by itself: nothing says that the connection is gone."""
    port = free_port()
    server = Server(listen_addresses="127.0.0.1", port=port).start()
    try:
        with Gateway(f"--persistence.url=postgresql://postgres@127.0.0.1:{port}/postgres", "--persistence.timeout=8s", database=None):
            eventually(lambda: len(keepalive_timers(port)) == 2, "the server looks after both connections")
            assert max(keepalive_timers(port)) <= 8
    finally:
        server.end()


def starts(*flags, env=None):
    """The lines of a gateway that does not start."""
    done = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", *flags], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False, env={**os.environ, **(env or {})})
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_what_is_wrong_is_said_in_a_line_without_a_password(postgresql, tmp_path):
    postgresql.sql("CREATE ROLE poor LOGIN; CREATE SCHEMA somebodys; CREATE TABLE somebodys.head (x int)")
    postgresql.sql("CREATE DATABASE closed")
    postgresql.sql("ALTER DATABASE closed SET default_transaction_read_only = on")
    newer = schema()
    with Gateway(f"--persistence.url={postgresql.url}", f"--persistence.schema={newer}", database=None):
        pass
    postgresql.sql(f"INSERT INTO {newer}.migrations (version) VALUES (1000)")
    where = postgresql.directory
    empty = tmp_path / "url"
    empty.write_text("\n")
    cases = [
        (["--persistence.url=postgresql://u:s3cret@[::1"], "libpq can read"),
        (["--persistence.url=host=/nowhere password=s3cret"], "/nowhere"),
        (["--persistence.url=postgresql://u:s3cret@127.0.0.1:1/x"], "refused"),
        ([f"--persistence.url=postgresql://nobody:s3cret@/postgres?host={where}"], 'nobody'),
        ([f"--persistence.url=postgresql://postgres:s3cret@/absent?host={where}"], 'absent'),
        ([f"--persistence.url={postgresql.url_of('poor')}", f"--persistence.schema={schema()}"], "grant"),
        ([f"--persistence.url={postgresql.url_of('postgres', 'closed')}"], "read-only"),
        ([f"--persistence.url={postgresql.url}", "--persistence.schema=somebodys"], "choose another --persistence.schema"),
        ([f"--persistence.url={postgresql.url}", f"--persistence.schema={newer}"], "upgrade this gateway"),
        ([f"--persistence.url={postgresql.url_of('postgres', sslmode='verify-full')}&sslrootcert=/dev/null&host=127.0.0.1&port=1"],
         "127.0.0.1"),
        ([f"--persistence.url={postgresql.url}", "--persistence.file=x"], "give one of them"),
        (["--persistence.url=a", "--persistence.url-file=b"], "give one of them"),
        ([f"--persistence.url-file={empty}"], "holds no URL"),
        ([f"--persistence.url-file={tmp_path}/absent"], "--persistence.url-file: "),
        ([f"--persistence.url={postgresql.url}", "--persistence.schema="], "--persistence.schema"),
    ]
    for flags, want in cases:
        said = starts(*flags)
        assert want in said, (flags, said)
        assert "s3cret" not in said
        last = said.splitlines()[-1]
        assert ("level=error" in last) == ("error: " not in last), said


UNESCAPED = [
    "postgresql://u:s3/cr3t@127.0.0.1:1/db", "postgresql://u:s3@cr3t@127.0.0.1:1/db", "postgresql://u:127/cr3t@127.0.0.1:1/db",
    "postgres://u:s3@@cr3t@127.0.0.1:1/db", "postgresql://u:s3@cr3t,@127.0.0.1:1/db", "postgresql://u:s3@cr3t/@127.0.0.1:1/db",
    "postgresql://u:s3?cr3t/@127.0.0.1:1/db", "host=127.0.0.1 port=cr3t"]
ESCAPED = [
    "postgresql://u%40server:s3%2Fcr3t%40@127.0.0.1:1,[::1]:1/x%40y", "postgres://u:s3?cr3t@127.0.0.1:1/x?application_name=a@b",
    "postgresql:///x?host=127.0.0.1&port=1&user=a@b", "host=127.0.0.1 port=1 user=a@b password=s3@/cr3t"]


def test_a_piece_of_a_password_is_not_taken_for_something_else(tmp_path):
    for i, url in enumerate(UNESCAPED):
        file = tmp_path / "url"
        file.write_text(url + "\n")
        said = starts((f"--persistence.url={url}", f"--persistence.url-file={file}")[i % 2])
        assert "%2F and %40" in said, url
        assert "cr3t" not in said and '"s3' not in said
    for flags in (["--from", UNESCAPED[0], "--to", str(tmp_path / "copy")], ["--from", str(tmp_path / "none"), "--to", UNESCAPED[1]]):
        done = subprocess.run([BINARY, "copy", *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "cr3t" not in done.stderr and '"s3' not in done.stderr
    for url in ESCAPED:
        said = starts(f"--persistence.url={url}")
        assert "refused" in said and "cr3t" not in said, url


def test_the_url_is_shown_to_nobody(postgresql, tmp_path):
    file = tmp_path / "url"
    file.write_text(postgresql.url.replace("postgres@", "postgres:s3cret@") + "\n")
    with Gateway(f"--persistence.url-file={file}", f"--persistence.schema={schema()}", "--log.level=debug", database=None) as gw:
        assert gw.put("a", "x 1\n").status == 200
        for path in ("/metrics", "/api/v1/status", "/", "/status"):
            assert "s3cret" not in gw.get(path).text
        assert "(not shown)" in gw.get("/api/v1/status").text
        assert "s3cret" not in gw.log


class Load:
    """Clients that push numbers which count up, each to a group of its own, until they are told to stop."""

    def __init__(self, gateways, clients=4):
        self.gateways, self.stopped = gateways, threading.Event()
        self.acknowledged = [0] * clients
        self.refused = 0
        self.statuses = set()
        self.threads = [threading.Thread(target=self._push, args=(i,)) for i in range(clients)]
        for t in self.threads:
            t.start()

    def _push(self, client):
        n = 0
        while not self.stopped.is_set():
            n += 1
            gw = self.gateways[(client + n) % len(self.gateways)]
            try:
                status = gw.put(f"load/client/{client}", f"n {n}\n").status
            except OSError:
                continue
            self.statuses.add(status)
            if status == 200:
                self.acknowledged[client] = n
            else:
                self.refused += 1
                self.stopped.wait(0.02)

    def total(self):
        return sum(self.acknowledged)

    def stop(self):
        self.stopped.set()
        for t in self.threads:
            t.join()
        return self.acknowledged


def numbers_shown(gw):
    return {int(c): int(float(v)) for c, v in
            re.findall(r'^n\{client="(\d+)",instance="",job="load"\} (\S+)$', gw.get("/metrics").text, re.M)}


def assert_none_missing(gw, load):
    # Until a question is answered again, after PostgreSQL was away, what is in memory is shown at once.
    eventually(lambda: re.search(r"^pushgateway_storage_up\{.*\} 1$", gw.get("/metrics?own=only").text, re.M), "it asks")
    got = numbers_shown(gw)
    for client, n in enumerate(load.acknowledged):
        assert got.get(client, 0) >= n, (client, n, got)


@pytest.mark.parametrize("durable", [True, False])
def test_a_server_that_a_crash_may_damage_is_a_warning(durable):
    """Each setting in a line, once at a start, though the gateway has several sessions and makes new ones."""
    server = Server(durable=durable).start()
    try:
        with Gateway(f"--persistence.url={server.url}", database=None) as gw:
            assert gw.put("a", "n 1\n").status == 200
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tallygate'")
            eventually(lambda: gw.put("a", "n 2\n").status == 200, "it has a new session")
            assert 'n{instance="",job="a"} 2\n' in gw.get("/metrics").text
            found = re.findall("level=warn .*(fsync|full_page_writes)=off.* schema=tallygate", gw.log)
            assert found == ([] if durable else ["fsync", "full_page_writes"]), gw.log
    finally:
        server.end()


def test_the_server_crashes_and_comes_back_under_load():
    server = Server(durable=True).start()
    try:
        flags = [f"--persistence.url={server.url}", "--persistence.timeout=2s"]
        with Gateway(*flags, database=None) as gw:
            load = Load([gw])
            try:
                for _ in range(2):
                    before = load.total()
                    eventually(lambda at=before: load.total() > at + 20, "pushes go on")
                    server.stop(signal.SIGQUIT)
                    refused = load.refused
                    eventually(lambda at=refused: load.refused > at, "pushes are refused")
                    assert gw.get("/metrics").status == 200
                    ready = gw.get("/-/ready")
                    assert (ready.status, ready.headers["Retry-After"]) == (503, "1")
                    server.start()
                    eventually(lambda: gw.get("/-/ready").status == 200, "it comes back by itself")
                before = load.total()
                eventually(lambda: load.total() > before, "pushes are taken")
            finally:
                load.stop()
            assert load.statuses == {200, 503}
            assert_none_missing(gw, load)
            want = shown(gw)
            gw.kill()
        with Gateway(*flags, database=None) as gw:
            assert_none_missing(gw, load)
            assert shown(gw) == want
    finally:
        server.end()


class Proxy:
    """Between a gateway and its server. Cuts a connection once, at byte `at` of what holds its mark, or lets nothing pass any more from that on."""

    def __init__(self, server, directory):
        self.target = os.path.join(server.directory, ".s.PGSQL.5432")
        self.directory = str(directory)
        self.cut_at = None  # how many bytes of it go through; None: all of them
        self.mark = b"COMMIT\0"
        self.cuts = 0
        self.silences = False  # what holds the mark, and all behind it, waits for `again`
        self.silent, self.again = threading.Event(), threading.Event()
        self.lingering = None  # a list: of a cut connection the server hears nothing; those ends of it are kept open
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.directory, ".s.PGSQL.5432"))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            threading.Thread(target=self._there, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _there(self, client, server):
        try:
            while data := client.recv(65536):
                if self.cut_at is not None and self.mark in data:
                    at, self.cut_at = self.cut_at, None
                    self.cuts += 1
                    # Nobody hears the answer, whatever has become of it.
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(data[:at])
                    if self.lingering is not None:
                        self.lingering.append(server)
                        client.close()
                        return
                    break
                if self.silences and self.mark in data:
                    self.silent.set()
                self._wait()
                server.sendall(data)
        except OSError:
            pass
        self._close(client, server)

    def _back(self, client, server):
        try:
            while data := server.recv(65536):
                self._wait()
                client.sendall(data)
        except OSError:
            pass
        # The one who cuts closes the other end, when the server has got what it was to get.

    def _wait(self):
        if self.silent.is_set():
            self.again.wait()

    @staticmethod
    def _close(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def end(self):
        self.again.set()
        self.listener.close()
        self._close(*self.lingering or ())


@pytest.mark.parametrize("lingers", [False, True])
def test_a_connection_that_is_cut_in_the_commit(postgresql, tmp_path_factory, lingers):
    """Whether it was committed or not, and whether or not the server knows: the push is taken once, and answered 200."""
    directory = tmp_path_factory.mktemp("p")
    os.chmod(directory, 0o755)
    proxy = Proxy(postgresql, directory)
    proxy.lingering = [] if lingers else None
    name = schema()
    flags = [f"--persistence.url=postgresql://postgres@/postgres?host={directory}", f"--persistence.schema={name}"]
    try:
        with Gateway(*flags, database=None) as gw:
            assert gw.put("a", "n 0\n").status == 200
            cuts = [(mark, at) for mark in (b"COMMIT\0", b"SET LOCAL lock_timeout") for at in (0, 1, 7, 50, 200, 400, 500, 600, 700, 100000)]
            for n, (proxy.mark, at) in enumerate(cuts, 1):
                proxy.cut_at = at
                reply = gw.put("a", f"n {n}\n")
                assert reply.status == 200, (at, reply, gw.log)
                assert proxy.cuts == n
                assert f'n{{instance="",job="a"}} {n}\n' in gw.get("/metrics").text
            numbers = [int(x) for x in postgresql.sql(f"SELECT number FROM {name}.log ORDER BY 1")]
            assert numbers == list(range(1, len(numbers) + 1))
            # The group, and one record for each push.
            assert len(numbers) == 2 + n
    finally:
        proxy.end()


def test_a_log_that_has_become_another_one(postgresql, flags):
    """As after a promotion, or where a backup was restored under the gateway: what is there counts."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, database=None) as gw:
        assert gw.put("a", "n 1\n").status == 200
        assert gw.put("b", "n 1\n").status == 200
        before = postgresql.sql(f"SELECT max(number) FROM {name}.log")[0]
        assert gw.put("a", "n 2\n").status == 200
        assert gw.delete("b").status == 202
        postgresql.sql(f"DELETE FROM {name}.log WHERE number > {before}; UPDATE {name}.head h SET seq = l.number, writer = l.writer, "
                       f"batch = l.batch FROM {name}.log l WHERE l.number = {before}")
        assert gw.put("c", "n 3\n").status == 200
        got = {line for line in shown(gw) if line.startswith("n{")}
        assert got == {f'n{{instance="",job="{job}"}} {n}' for job, n in (("a", 1), ("b", 1), ("c", 3))}
        gw.wait_for_line("loaded from the database again")


def test_the_log_is_kept_short(postgresql, flags):
    name = flags[1].partition("=")[2]
    body = "".join(f'long_name_of_a_metric{{label="{i:04}"}} 1\n' for i in range(2000))
    with Gateway(*flags, database=None) as gw:
        assert gw.put("keeps", "x 1\n").status == 200
        for i in range(30):
            assert gw.put("changes", body.replace(" 1\n", f" {i}\n")).status == 200
        assert len(rows(postgresql, flags, "number")) == 33
        # What is younger than ten time-outs stays, so that a push of unknown fate can be found.
        postgresql.sql(f"UPDATE {name}.log SET written = written - 1000")

        def dropped():
            assert gw.put("changes", body).status == 200
            return int(rows(postgresql, flags, "min(number)", "")[0]) > 1

        eventually(dropped, "the oldest rows are dropped")
        kept = [int(x) for x in rows(postgresql, flags, "number")]
        assert kept == list(range(kept[0], kept[-1] + 1))
        want = shown(gw)
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want
