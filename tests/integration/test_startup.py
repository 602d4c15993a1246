"""How it starts and refuses to start: flags, addresses, databases. Every refusal is exit status 1 and a line
that says what to do."""
import contextlib
import os
import re
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually, free_port, parse_logfmt


def run(*args, cwd=None, env=None):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=60, cwd=cwd,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)


def refused(*flags, database="", listen="127.0.0.1:0"):
    """Starts what cannot start and returns what the last log line gives as the reason."""
    done = subprocess.run([BINARY, f"--web.listen-address={listen}", f"--persistence.file={database}", *flags],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done
    assert done.stdout == "" and "Sanitizer" not in done.stderr
    last = parse_logfmt(done.stderr.splitlines()[-1])
    assert (last["level"], last["msg"]) == ("error", "cannot serve")
    assert done.stderr.count("level=error") == 1 and "Listening on" not in done.stderr, "one line, before it is said to serve"
    return last["err"]


DURATION = "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s"
FLAGS = {
    "--nonsense": "unknown long flag '--nonsense'",
    "-x": "unknown short flag '-x'",
    "extra": "unexpected extra",
    "--log.level=loud": 'invalid value "loud" for --log.level: expected debug, info, warn or error',
    "--log.format=xml": 'invalid value "xml" for --log.format: expected logfmt or json',
    "--web.read-timeout=5": f'invalid value "5" for --web.read-timeout: {DURATION} (did you mean 5s?)',
    "--web.read-timeout=1d": f'invalid value "1d" for --web.read-timeout: {DURATION} (did you mean 24h?)',
    "--web.read-timeout=abc": f'invalid value "abc" for --web.read-timeout: {DURATION}',
    "--web.read-timeout=0s": f'invalid value "0s" for --web.read-timeout: {DURATION}',
    "--limits.groups=-1": 'invalid value "-1" for --limits.groups: expected a number from 1 to 50000000',
    "--limits.body-size=1XB": 'invalid value "1XB" for --limits.body-size: expected auto, bytes or a number with KiB, MiB, GiB, KB, MB or GB, from 1 to 4GiB',
    "--web.threads=257": 'invalid value "257" for --web.threads: expected a number from 0 to 256',
    "--push.queue-size=0": 'invalid value "0" for --push.queue-size: expected a number from 1 to 1000000',
    "--log.level": "expected argument for flag '--log.level': debug, info, warn or error",
}


URL = "postgresql://joe:hunter2@127.0.0.1:1/db"


@pytest.mark.parametrize("arguments", [
    [URL], [f"persistence.url={URL}"], [f"--web.threads={URL}"], [f"--{URL}"], [f"-{URL}"], [f"@{URL}"], ["--web.enable-lifecycle", URL],
    [f"--web.enable-lifecycle={URL}"], [f"--log.level={URL}"], [f"--web.config.file={URL}"], [f"--config.file={URL}"], [f"--persistence.file={URL}"],
    [f"--web.listen-address={URL}"], [f"--persistence.url={URL}?x=y"], [f"--push.sum={URL}"], ["check", URL], ["export", URL],
    ["check-config", URL], ["check-config", os.devnull, URL], ["check-config", os.devnull, URL + "/metrics/job/x"], ["copy", URL], ["copy", "--from", URL, "--to", "x"],
    ["copy", "--from", "x", "--to", URL], ["backup", URL], ["backup", URL, "x"], ["backup", "http://joe:hunter2@127.0.0.1:1", URL],
    ["backup", "x", URL, URL], ["import", URL, URL], ["import", f"--timeout={URL}", "x"], ["import", f"--persistence.file={URL}", "http://127.0.0.1:1"],
    ["check-metrics", URL], [URL, "check"], ["check", URL + "x" * 600]], ids=lambda a: " ".join(a)[:60])
def test_a_password_is_repeated_nowhere(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.stdout or done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("flag", FLAGS)
def test_bad_flags(flag, tmp_path):
    done = run(flag, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"{os.path.basename(BINARY)}: error: {FLAGS[flag]}, try --help\n"
    assert list(tmp_path.iterdir()) == []


def test_a_flag_twice():
    assert "error: flag '--log.level' cannot be repeated, try --help" in run("--log.level=info", "--log.level=warn").stderr


def test_version():
    done = run("--version")
    assert done.returncode == 0 and done.stderr == ""
    first, *rest = done.stdout.splitlines()
    assert re.fullmatch(r"pushgateway, version \S+ \(branch: .+, revision: \S+\)", first)
    assert [line.split(":")[0] for line in rest] == ["  build user", "  build date", "  go version", "  platform", "  tags"]
    assert len({len(line) - len(line.split(":", 1)[1].lstrip()) for line in rest}) == 1, "values in one column"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag):
    done = run(flag)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: {os.path.basename(BINARY)} [<flags>]\n\n")
    for name in ("--web.listen-address=:9091 ...", "--persistence.file", "--limits.body-size=auto", "--log.format=logfmt"):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_port_in_use(gw):
    reason = refused(listen=f"127.0.0.1:{gw.port}")
    assert reason.startswith(f"--web.listen-address: listen tcp 127.0.0.1:{gw.port}: bind: address already in use")
    assert "--web.listen-address" in reason
    assert gw.get("/-/healthy").status == 200


def test_port_of_another_program():
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert "address already in use" in refused(listen=f"127.0.0.1:{other.getsockname()[1]}")


@pytest.mark.parametrize("address,reason", [
    ("127.0.0.1", "missing port in address"), ("127.0.0.1:99999", "invalid port"), ("127.0.0.1:x", "invalid port"),
    ("::1:9091", "too many colons in address"), ("vsock://:9091", "virtual sockets are not supported"), ("no.such.host.invalid:0", "listen tcp: address no.such.host.invalid:0: "),
    ("192.0.2.1:0", "cannot assign requested address")])
def test_bad_addresses(address, reason):
    assert reason.lower() in refused(listen=address).lower()


def test_one_bad_address_of_several(gw):
    done = run("--web.listen-address=127.0.0.1:0", f"--web.listen-address=127.0.0.1:{gw.port}", "--persistence.file=")
    assert done.returncode == 1 and "address already in use" in done.stderr


def test_several_addresses_and_ipv6():
    with Gateway(listen=["127.0.0.1:0", "[::1]:0", "localhost:0"]) as g:
        assert re.fullmatch(r"127\.0\.0\.1:\d+", g.addresses[0])
        assert re.fullmatch(r"\[::1\]:\d+", g.addresses[1])
        g.put("x", "a 1\n")
        for address in g.addresses:
            host, _, port = address.rpartition(":")
            g.host, g.port = host.strip("[]"), int(port)
            assert scrape(g).pushed("a", "x") == 1


@pytest.mark.parametrize("address", [":0", "", "[::]:0", "0.0.0.0:0"])
def test_all_interfaces(address):
    with Gateway(listen=address) as g:
        assert g.port > 0
        for host in ["127.0.0.1"] + (["::1"] if address != "0.0.0.0:0" else []):
            g.host = host
            assert g.get("/-/healthy").status == 200


def test_every_worker_thread_serves():
    with Gateway("--web.threads=4") as g:
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(g.connect())) for _ in range(40)]
            for i, c in enumerate(connections):
                assert g.request("PUT", f"/metrics/job/j{i}", f"a {i}\n", connection=c).status == 200
            s = scrape(g)
        assert [s.pushed("a", f"j{i}") for i in range(40)] == list(range(40))


def test_default_database_is_in_the_state_or_the_working_directory(tmp_path):
    state, work = tmp_path / "state", tmp_path / "work"
    state.mkdir()
    work.mkdir()
    for env, place in (({}, work), ({"STATE_DIRECTORY": f"{state}:/elsewhere"}, state)):
        process = subprocess.Popen([BINARY, "--web.listen-address=127.0.0.1:0"], cwd=work, env={**os.environ, **env},
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "Listening on" in line:
                break
        process.terminate()
        process.stderr.close()
        assert process.wait(60) == 0
        assert (place / "tallygate.db").exists()
        (place / "tallygate.db").unlink()


def test_an_unwritable_place(tmp_path):
    missing = refused(database=tmp_path / "no" / "such" / "tallygate.db")
    assert missing.startswith(f"cannot write {tmp_path}/no/such/tallygate.db") and "directory exist and writable" in missing
    assert f"{tmp_path}" in refused(database=tmp_path)
    # Not even root may create a file there.
    assert refused(database="/proc/tallygate.db").startswith("cannot write /proc/tallygate.db")


def test_a_second_gateway_on_the_same_database(database):
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        reason = refused(database=database)
        assert reason == f"{database} is in use by another process: stop it, or choose another --persistence.file"
        assert g.put("x", "a 2\n").status == 200
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 2


def change(database, *statements):
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as db:
        for s in statements:
            db.execute(s)


def test_a_newer_schema_is_left_alone(database):
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
    change(database, "PRAGMA user_version=999")
    before = database.read_bytes()
    reason = refused(database=database)
    assert "written by a newer version (schema 999" in reason and "--persistence.file" in reason
    assert database.read_bytes() == before
    assert [f.name for f in database.parent.iterdir()] == [database.name]


def test_a_database_of_another_program_is_left_alone(database):
    change(database, "CREATE TABLE bookmarks (url TEXT)")
    assert "is a database of another program" in refused(database=database)
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("bookmarks",)]


def scribble(at, n):
    def damage(database):
        data = bytearray(database.read_bytes())
        data[at:at + n] = b"\xa5" * len(data[at:at + n])
        database.write_bytes(data)
    return damage


# What is done to a database of 50 groups, and how many of them have to be there afterwards.
DAMAGE = {
    "magic": (scribble(0, 16), 50),
    "header": (scribble(16, 52), 50),
    "schema page": (scribble(100, 3000), 50),
    "pages": (scribble(4096, 1 << 30), 0),
    "one page": (scribble(3 * 4096, 4096), 25),
    "cut": (lambda f: f.write_bytes(f.read_bytes()[:6000]), 0),
    "half": (lambda f: f.write_bytes(f.read_bytes()[:f.stat().st_size // 2]), 10),
    "body": (lambda f: change(f, "UPDATE log SET body = x'ff' WHERE number = 2"), 49),
    "keys": (lambda f: change(f, "UPDATE log SET body = 'x' WHERE kind = 1"), 0),
    "one bit of a time": (lambda f: change(f, "UPDATE log SET at = at + 0.25 WHERE number = 7"), 49),
    "row that is gone": (lambda f: change(f, "DELETE FROM log WHERE number = 10"), 49),
    "table that is gone": (lambda f: change(f, "DROP TABLE log"), 0),
    "index that is gone": (lambda f: change(f, "DROP INDEX made_and_ended", "UPDATE log SET at = at + 1 WHERE number = 7"), 49),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_can_be_read_of_a_damaged_database_is_kept(database, name):
    """And the rest is said: never another value than the one that was pushed."""
    with Gateway(database=database) as g:
        for i in range(50):
            g.put(f"j{i}", f"a {i}\n" + "b{x=\"" + "y" * 200 + f"\"}} {i}\n")
        s = scrape(g)
        assert s.get("pushgateway_database_set_aside") == 0 == s.get("pushgateway_database_salvaged_groups")
    damage, least = DAMAGE[name]
    damage(database)
    damaged = database.read_bytes()
    with Gateway(database=database) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert line["level"] == "error" and line["file"] == str(database) and line["err"]
        assert re.fullmatch(re.escape(str(database)) + r"\.damaged-\d{8}T\d{6}Z", line["kept"])
        with open(line["kept"], "rb") as kept:
            assert kept.read() == damaged
        s = scrape(g)
        values = [(s.pushed("a", f"j{i}"), i) for i in range(50)]
        assert all(got in (None, i) for got, i in values)
        assert s.get("pushgateway_database_set_aside") == 1
        assert s.get("pushgateway_database_salvaged_groups") == s.get("pushgateway_groups") >= least
        assert least == 0 or int(line["groups"]) == s.get("pushgateway_groups")
        assert sum(got is not None for got, _ in values) >= least - 1
        before = s.foreign()
        assert g.put("new", "a 1\n").status == 200
        g.kill()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.get("pushgateway_database_set_aside") == 0 and s.pushed("a", "new") == 1
        g.delete("new")
        assert sorted(scrape(g).foreign()) == sorted(before)


def test_two_damaged_databases_within_a_second(database):
    kept = set()
    for i in range(3):
        with Gateway(database=database) as g:
            g.put("x", f"a {i}\n")
        scribble(100, 3000)(database)
        with Gateway(database=database) as g:
            kept.add(parse_logfmt(g.wait_for_line("the database is damaged"))["kept"])
            assert g.put("new", "a 1\n").status == 200
    assert len(kept) == 3
    assert sorted(str(f) for f in database.parent.glob("*.damaged-*")) == sorted(kept)


NO_DATABASE = {
    "configuration": b"global:\n  scrape_interval: 15s\n" * 50,
    "one byte": b"S",
    "zeros": bytes(8192),
    "overwritten from the start": b"\xa5" * 8192,
    "binary": b"\x7fELF\x02\x01\x01" + bytes(9000),
}


@pytest.mark.parametrize("name", NO_DATABASE)
def test_a_file_that_is_no_database_is_left_alone(tmp_path, name):
    file = tmp_path / "prometheus.yml"
    file.write_bytes(NO_DATABASE[name])
    assert refused(database=file) == (f"{file} is neither a database nor the file of a Go Pushgateway, and has been left as "
                                      "it is: choose another --persistence.file, or move it away")
    assert file.read_bytes() == NO_DATABASE[name]
    assert list(tmp_path.iterdir()) == [file]


def test_a_damaged_database_of_another_program_is_left_alone(database):
    change(database, "CREATE TABLE bookmarks (url TEXT)", "PRAGMA application_id=1234",
           "INSERT INTO bookmarks VALUES (zeroblob(100000))")
    scribble(100, 3000)(database)
    before = database.read_bytes()
    assert "is a damaged database of another program" in refused(database=database)
    assert database.read_bytes() == before
    assert list(database.parent.iterdir()) == [database]


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_what_is_no_file_is_refused(database, suffix):
    """Opening a FIFO would wait for a writer, for ever."""
    name = f"{database}{suffix}"
    os.mkfifo(name)
    assert refused(database=database) == f"{name} is a FIFO, and a database is a file: choose another --persistence.file"
    assert "is a device" in refused(database="/dev/null")


def test_an_upgrade_of_the_schema_is_logged(database):
    migrations = Path(__file__).parents[2] / "migrations" / "sqlite"
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.executescript((migrations / "0001_init.sql").read_text())
        db.execute("PRAGMA application_id=1413565529")
        db.execute("PRAGMA user_version=1")
    newest = len(list(migrations.glob("*.sql")))
    with Gateway(database=database) as g:
        line = parse_logfmt(g.wait_for_line("schema has been upgraded"))
        assert (line["level"], line["file"], line["from"], line["to"]) == ("info", str(database), "1", str(newest))
    with Gateway(database=database) as g:
        assert "upgraded" not in g.log
    with Gateway(database=database.with_name("new.db")) as g:
        assert "upgraded" not in g.log


def test_an_empty_file_is_an_empty_database(database):
    database.write_bytes(b"")
    with Gateway(database=database) as g:
        assert g.put("x", "a 1\n").status == 200
        assert scrape(g).get("pushgateway_database_set_aside") == 0


def test_the_log_of_start_and_stop(database):
    with Gateway(database=database) as g:
        g.terminate()
    lines = [parse_logfmt(line) for line in g.log.splitlines()]
    for line in lines:
        assert list(line)[:4] == ["ts", "level", "caller", "msg"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
        assert re.fullmatch(r"[a-z_]+\.c:\d+", line["caller"])
        assert line["level"] == "info"
    assert [line["msg"] for line in lines] == ["starting Tallygate", "Build context", "limits for the memory there is", "Listening on",
                                               "metrics loaded", "received SIGINT/SIGTERM; exiting gracefully...", "HTTP server stopped"]


@pytest.mark.parametrize("level", ["warn", "ERROR"])
def test_a_normal_start_and_stop_is_no_warning(database, level):
    port = free_port()
    g = Gateway(f"--log.level={level}", database=database, listen=f"127.0.0.1:{port}")

    def answers():
        try:
            return socket.create_connection(("127.0.0.1", port)).close() is None
        except ConnectionRefusedError:
            return False

    try:
        eventually(answers, "it listens")
        g.terminate()
    finally:
        g.process.kill()
    assert g.log == ""
