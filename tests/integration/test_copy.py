"""tallygate copy with PostgreSQL on either side: whole or not at all, and what is served is the same."""
import os
import signal
import subprocess

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually
from postgresql_server import Server, schema
from test_upkeep import fill_ours, files, groups_of, run

SECRET = "s3cret"


def gateway(postgresql, name):
    return Gateway(f"--persistence.url={postgresql.url}", f"--persistence.schema={name}", database=None)


@pytest.fixture(scope="module")
def copied(postgresql, tmp_path_factory):
    """A file that no gateway has open, and a schema with a copy of it."""
    database, name = tmp_path_factory.mktemp("copied") / "tallygate.db", schema()
    with Gateway(database=database) as g:
        assert g.put("a", "a 1\n").status == 200
    run("copy", "--from", database, "--to", postgresql.url, "--to-schema", name)
    return database, name


def tables(postgresql, name):
    return postgresql.sql(f"SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = '{name}' AND relkind = 'r'")


def rows(postgresql, name):
    return postgresql.sql(f"SELECT number, kind, group_id, checksum, writer, batch FROM {name}.log ORDER BY number")


def test_from_file_to_postgresql_and_back(postgresql, database, tmp_path):
    first, second = schema(), schema()
    with Gateway(database=database) as g:
        fill_ours(g)
        for i in range(50):
            assert g.put("big", f'big{{pad="{"x" * 5000}"}} {i}\n').status == 200
        before, groups = scrape(g).kept(), groups_of(g)
        g.kill()
    source = files(tmp_path)
    done = run("copy", "--from", database, "--to", postgresql.url, "--to-schema", first)
    assert done.stdout == f"schema {first} in PostgreSQL: groups {len(groups)}, series {int(done.stdout.split()[-1])}\n"
    assert files(tmp_path) == source
    numbers = [int(r.split("|")[0]) for r in rows(postgresql, first)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert postgresql.sql(f"SELECT seq, bytes > 0, at <= extract(epoch FROM now()) FROM {first}.head") == [f"{numbers[-1]}|t|t"]
    run("copy", "--from", postgresql.url, "--from-schema", first, "--to", postgresql.url, "--to-schema", second)
    run("copy", "--from", postgresql.url, "--from-schema", second, "--to", tmp_path / "back.db")
    # Both can be gone on with.
    for g in gateway(postgresql, first), gateway(postgresql, second), Gateway(database=tmp_path / "back.db"):
        with g:
            assert scrape(g).kept() == before
            assert groups_of(g) == groups
            assert g.post("some%20job/instance/here", "after 1\n").status == 200
            assert g.request("PUT", "/sum/metrics/job/s/pid/0", "# TYPE t_total counter\nt_total 5\n").status == 200
            after = scrape(g).kept()
    for g in gateway(postgresql, first), gateway(postgresql, second), Gateway(database=tmp_path / "back.db"):
        with g:
            assert [line for line in scrape(g).kept() if "push_time" not in line] == [line for line in after if "push_time" not in line]


def test_from_a_database_that_is_in_use(postgresql, tmp_path):
    """The copy is of one moment, and changes nothing there."""
    name = schema()
    with gateway(postgresql, name) as g:
        fill_ours(g)
        before = rows(postgresql, name)
        run("copy", "--from", postgresql.url, "--from-schema", name, "--to", tmp_path / "to.db")
        # The gateway may have written that it is there.
        assert rows(postgresql, name)[:len(before)] == before
        assert g.put("later", "later 1\n").status == 200
        want = [line for line in scrape(g).kept() if "later" not in line]
    with Gateway(database=tmp_path / "to.db") as copied:
        assert scrape(copied).kept() == want


def test_a_target_that_has_data_or_may_be_in_use(postgresql, database):
    name, other = schema(), schema()
    with Gateway(database=database) as g:
        assert g.put("a", "a 1\n").status == 200
    to = lambda name, **options: run("copy", "--from", database, "--to", postgresql.url, "--to-schema", name, **options)
    with gateway(postgresql, name) as g:
        why = to(name, status=1).stderr
        assert why == (f"tallygate copy: error: --to: the schema {name} holds a database already, if without data, and gateways may be using it: "
                       "choose another schema, or drop this one\n")
        assert g.put("b", "b 1\n").status == 200
    before = rows(postgresql, name)
    assert "holds a database already, with data, and" in to(name, status=1).stderr
    assert rows(postgresql, name) == before
    postgresql.sql(f"CREATE SCHEMA {other}; CREATE TABLE {other}.log (x int)")
    assert "tables of something else" in to(other, status=1).stderr
    # A schema that somebody has made for us will do.
    postgresql.sql(f"DROP SCHEMA {other} CASCADE; CREATE SCHEMA {other}")
    to(other)
    assert sorted(tables(postgresql, other)) == ["head", "log", "migrations"]


def test_a_copy_that_is_killed_leaves_nothing(postgresql, database, tmp_path):
    """At any time: whoever looks finds the whole of it, or nothing at all."""
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", "".join(f'a{{n="{n}"}} {n}\n' for n in range(2000))).status == 200
        before = scrape(g).kept()
    whole = 0
    for pause in range(6):
        name = schema()
        copying = subprocess.Popen([BINARY, "copy", "--from", database, "--to", postgresql.url, "--to-schema", name], stdout=subprocess.DEVNULL,
                                   env={**os.environ, "TMPDIR": str(tmp_path)})
        held = lambda: postgresql.sql("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'tallygate' "
                                      "AND l.mode = 'RowExclusiveLock'") != ["0"]
        if pause < 5:
            eventually(lambda: copying.poll() is not None or held(), "it writes")
            for _ in range(pause):
                held()
            copying.send_signal(signal.SIGKILL)
        copying.wait()
        eventually(lambda: not held(), "the server has noticed")
        if not tables(postgresql, name):
            assert postgresql.sql(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{name}'") == ["0"]
            continue
        whole += 1
        with gateway(postgresql, name) as g:
            assert scrape(g).kept() == before
    assert whole


def test_a_gateway_that_starts_meanwhile_gets_all_of_it(postgresql, database):
    """It finds the schema made, when it may go on."""
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", "".join(f'a{{n="{n}"}} {n}\n' for n in range(1000))).status == 200
        before = scrape(g).kept()
    name = schema()
    copying = subprocess.Popen([BINARY, "copy", "--from", database, "--to", postgresql.url, "--to-schema", name], stderr=subprocess.PIPE, text=True)
    with Gateway(f"--persistence.url={postgresql.url}", f"--persistence.schema={name}", "--persistence.timeout=30s", database=None) as g:
        _, why = copying.communicate()
        # Who was first has it.
        if copying.returncode == 0:
            assert scrape(g).kept() == before
        else:
            assert f"schema {name}" in why and "using it: choose another schema" in why and "push_time_seconds{" not in g.get("/metrics").text


@pytest.mark.parametrize("flags, says", [
    (["--from", "postgresql://u:s3cret@[::1", "--to", "x.db"], "--from: it is no address that libpq can read"),
    (["--from", "postgresql://u:s3cret@127.0.0.1:1/x", "--to", "x.db"], "--from: PostgreSQL: "),
    (["--from", "FILE", "--to", "postgresql://u:s3cret@127.0.0.1:1/x"], "--to: PostgreSQL: "),
    (["--from", "URL", "--from-schema", "none_of_that", "--to", "x.db"], "--from: there is no database of a gateway in the schema none_of_that"),
    (["--from", "URL", "--from-schema", "", "--to", "x.db"], "--from: a schema has a name"),
    (["--from", "FILE", "--to-url-file", "/nowhere"], "--to: open /nowhere: "),
    (["--from", "FILE", "--to", "URL", "--to-url-file", "/nowhere"], "--to: it is given twice"),
    (["--from", "FILE", "--to-url-file", "FILE"], "--to: FILE "),
    (["--from", "URL", "--to", "FILE"], "FILE is there already"),
    (["--to", "URL"], "--from and --to are needed"),
])
def test_bad_input_is_one_line_without_a_password(postgresql, copied, tmp_path, flags, says):
    database, name = copied
    if "--from-schema" not in flags:
        flags = [*flags, "--from-schema", name]
    put = lambda text: text.replace("FILE", str(database)).replace("URL", postgresql.url)
    done = run("copy", *map(lambda f: f if f.startswith("--") else put(f), flags), status=1, cwd=tmp_path)
    assert done.stderr.startswith("tallygate copy: error: " + put(says)) and done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == "" and SECRET not in done.stderr


def test_who_may_only_read_can_copy_and_a_newer_schema_cannot_be_read(postgresql, copied, tmp_path):
    (database, _), name = copied, schema()
    run("copy", "--from", database, "--to", postgresql.url, "--to-schema", name)
    # All that a standby allows, too.
    postgresql.sql(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA {name} TO {name}; GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {name}; "
                   f"ALTER ROLE {name} SET default_transaction_read_only = on")
    run("copy", "--from", postgresql.url_of(name), "--from-schema", name, "--to", tmp_path / "to.db")
    assert run("check", tmp_path / "to.db").stdout.count("groups: 1\n") == 1
    postgresql.sql(f"UPDATE {name}.migrations SET version = version + 1000")
    assert "newer version" in run("copy", "--from", postgresql.url, "--from-schema", name, "--to", tmp_path / "no.db", status=1).stderr
    assert not (tmp_path / "no.db").exists()


def test_the_url_in_a_file(postgresql, copied, tmp_path):
    (database, _), name = copied, schema()
    (tmp_path / "url").write_text(postgresql.url + "\n")
    run("copy", "--from", database, "--to-url-file", tmp_path / "url", "--to-schema", name)
    run("copy", "--from-url-file", tmp_path / "url", "--from-schema", name, "--to", tmp_path / "back.db")
    assert "sound" in run("check", tmp_path / "back.db").stdout


def test_from_a_standby(postgresql, copied, tmp_path):
    """One that only replays what the primary has written."""
    (database, name), standby = copied, Server(base=postgresql)
    try:
        standby.start()
        assert standby.sql("SELECT pg_is_in_recovery()") == ["t"]
        run("copy", "--from", standby.url, "--from-schema", name, "--to", tmp_path / "to.db")
        why = run("copy", "--from", database, "--to", standby.url, "--to-schema", schema(), status=1).stderr
        assert "--to: PostgreSQL: " in why and "read-only" in why
    finally:
        standby.end()
    assert "groups: 1\n" in run("check", tmp_path / "to.db").stdout
