"""Versions side by side over one PostgreSQL: what each of them writes, `tallygate migrate`, and what a gateway does that has been outgrown."""
import contextlib
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

import log_rows
from gateway import BINARY, Gateway, eventually
from postgresql_server import schema
from test_postgresql import rows, shown, starts
from test_replicas import flags, replicas  # noqa: F401: a fixture

EPOCH = 2  # migrations/postgresql
NEXT = os.path.join(os.path.dirname(os.path.abspath(BINARY or "")), "tallygate-next")
FIRST = Path(__file__).parents[2] / "migrations" / "postgresql" / "0001_log.sql"
UPGRADE = "upgrade this gateway"


def name_of(flags):  # noqa: F811
    return flags[1].partition("=")[2]


def make_first(server, flags):  # noqa: F811
    """The schema as the first version has made it."""
    server.sql(f"CREATE SCHEMA {name_of(flags)}; SET search_path = {name_of(flags)}; {FIRST.read_text()} INSERT INTO migrations (version) VALUES (1)")


def epoch(server, flags):  # noqa: F811
    return server.sql(f"SELECT epoch, format, (SELECT max(version) FROM {name_of(flags)}.migrations) FROM {name_of(flags)}.head")[0]


def migrate(*flags, binary=BINARY, status=0):  # noqa: F811
    done = subprocess.run([binary, "migrate", *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done
    assert (done.stderr if status else done.stdout).count("\n") == 1, done
    return done.stderr if status else done.stdout


def all_work_together(*gws):
    for i, gw in enumerate(gws):
        assert gw.put(f"together_{i}", f"n {i}\n").status == 200
    for gw in gws:
        text = gw.get("/metrics").text
        assert all(f'n{{instance="",job="together_{i}"}} {i}\n' in text for i in range(len(gws)))


def is_outgrown(gw):
    """Nothing is taken, nothing is shown, and it says so once."""
    gw.wait_for_line(UPGRADE)
    eventually(lambda: gw.get("/metrics").status == 503, "scrapes are refused")
    for reply in (gw.get("/metrics"), gw.get("/-/ready"), gw.get("/api/v1/groups"), gw.put("late", "n 1\n"), gw.delete("together_0")):
        assert reply.status == 503 and UPGRADE in reply.text, reply
    assert gw.get("/-/healthy").status == 200
    assert gw.get("/metrics?own=only").status == 200
    assert sum("level=error" in line and UPGRADE in line for line in gw.log.splitlines()) == 1, gw.log


def test_a_new_schema_has_the_newest_epoch(flags, postgresql):  # noqa: F811
    with Gateway(*flags, database=None) as gw:
        assert epoch(postgresql, flags) == f"{EPOCH}|{EPOCH}|{EPOCH}"
        assert "migrate" not in gw.log
        assert migrate(*flags) == f"schema {name_of(flags)}: up to date, its epoch is {EPOCH}\n"
        all_work_together(gw)


def test_several_start_at_once_on_an_older_schema_and_go_on_when_it_is_migrated(flags, postgresql):  # noqa: F811
    """A start leaves it as it is, since an older gateway may be using it."""
    make_first(postgresql, flags)
    with contextlib.ExitStack() as stack:
        waiting = [Gateway(*flags, database=None) for _ in range(3)]
        gws = [stack.enter_context(gw) for gw in waiting]
        all_work_together(*gws)
        for gw in gws:
            gw.wait_for_line("`tallygate migrate` ends that")
        assert postgresql.sql(f"SELECT format, (SELECT max(version) FROM {name_of(flags)}.migrations) FROM {name_of(flags)}.head") == ["1|1"]
        said = []
        both = [threading.Thread(target=lambda: said.append(migrate(*flags))) for _ in range(2)]
        for t in both:
            t.start()
        for t in both:
            t.join()
        assert sorted(re.sub("schema [^:]*: ", "", line) for line in said) == [
            f"its epoch was raised from 1 to {EPOCH}; gateways of older versions stop\n", f"up to date, its epoch is {EPOCH}\n"]
        assert epoch(postgresql, flags) == f"{EPOCH}|{EPOCH}|{EPOCH}"
        all_work_together(*gws)
        for gw in gws:
            assert f"from=1 to={EPOCH}" in gw.wait_for_line("the schema of the log was migrated")
            assert gw.log.count("the schema of the log was migrated") == 1
        # The tests' server is quick, and not safe.
        assert not any(re.search("level=(error|warn)(?!.*PostgreSQL runs with (fsync|full_page_writes)=off)", gw.log) for gw in gws), gws[0].log
        want = shown(gws[0])
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want


def test_two_versions_write_to_one_log_until_it_is_migrated(flags, postgresql):  # noqa: F811
    """One by one: the new version beside the old one, then `migrate`, and the old one stops and is replaced."""
    with Gateway(*flags, database=None) as old:
        all_work_together(old)
        with Gateway(*flags, database=None, binary=NEXT) as new:
            new.wait_for_line("`tallygate migrate` ends that")
            all_work_together(old, new)
            all_work_together(new, old)
            assert epoch(postgresql, flags).startswith(f"{EPOCH}|")
            assert f"from {EPOCH} to {EPOCH + 1}" in migrate(*flags, binary=NEXT)
            is_outgrown(old)
            all_work_together(new)
            assert old.put("late", "n 1\n").status == 503
            assert UPGRADE in starts(*flags) and UPGRADE in migrate(*flags, status=1)
            before = [rows(postgresql, flags, "count(*)", ""), shown(new)]
            old.terminate()
            assert [rows(postgresql, flags, "count(*)", ""), shown(new)] == before
            with Gateway(*flags, database=None, binary=NEXT) as replaced:
                all_work_together(replaced, new)
                assert shown(replaced) == shown(new)


def test_a_connection_that_was_lost_does_not_hide_what_a_newer_version_has_done(flags, postgresql):  # noqa: F811
    with Gateway(*flags, database=None) as old:
        all_work_together(old)
        migrate(*flags, binary=NEXT)
        postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tallygate'")
        is_outgrown(old)


def test_two_versions_apart_do_not_write_to_one_log(flags, postgresql):  # noqa: F811
    make_first(postgresql, flags)
    run = subprocess.run([NEXT, "--web.listen-address=127.0.0.1:0", *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and "run `tallygate migrate`" in run.stderr, run
    assert f"from 1 to {EPOCH + 1}" in migrate(*flags, binary=NEXT)
    with Gateway(*flags, database=None, binary=NEXT) as new:
        all_work_together(new)


def test_a_row_of_an_unknown_kind_is_not_passed_over(flags, postgresql):  # noqa: F811
    """A newer version should not have written it; but nothing behind it is known to be right."""
    with replicas(2, flags) as gws:
        all_work_together(*gws)
        number = log_rows.add(postgresql, name_of(flags), 99)
        for gw in gws:
            is_outgrown(gw)
        assert f"row {number} of the log" in gws[0].log
        assert UPGRADE in starts(*flags)
        # An older state is restored.
        postgresql.sql(f"BEGIN; DELETE FROM {name_of(flags)}.log WHERE number = {number}; UPDATE {name_of(flags)}.head SET (seq, writer, batch) = "
                       f"(SELECT number, writer, batch FROM {name_of(flags)}.log ORDER BY number DESC LIMIT 1); COMMIT")
        for gw in gws:
            eventually(lambda gw=gw: gw.get("/-/ready").status == 200, "it takes pushes again")
        all_work_together(*gws)


def test_migrate_says_what_is_wrong(flags, postgresql, tmp_path):  # noqa: F811
    make_first(postgresql, flags)
    poor = f"poor_{schema()}"
    postgresql.sql(f"CREATE ROLE {poor} LOGIN; GRANT USAGE ON SCHEMA {name_of(flags)} TO {poor}; "
                   f"GRANT ALL ON ALL TABLES IN SCHEMA {name_of(flags)} TO {poor}")
    absent = schema()
    cases = [
        ([], "give one of --persistence.url and --persistence.url-file"),
        ([flags[0], "--persistence.url-file=x"], "give one of"),
        (["--persistence.url=postgresql://u:s3cret@127.0.0.1:1/x"], "refused"),
        (["--persistence.url=postgresql://u:s3cret@[::1"], "libpq can read"),
        ([flags[0], f"--persistence.schema={absent}"], f"there is no database of a gateway in the schema {absent}"),
        ([f"--persistence.url={postgresql.url_of(poor)}", flags[1]], "needs the owner of the tables"),
        ([flags[0], "--persistence.timeout=1"], "--persistence.timeout"),
        ([flags[0], "x"], "unexpected x"),
    ]
    for given, says in cases:
        line = migrate(*given, status=1)
        assert line.startswith("tallygate migrate: error: ") and says in line and "s3cret" not in line, line
    with postgresql.session("reader") as psql:
        psql.stdin.write(f"BEGIN; SELECT * FROM {name_of(flags)}.head;\n")
        psql.stdin.flush()
        eventually(lambda: postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'reader' AND state = 'idle in transaction'"), "it reads")
        assert "was in use" in migrate(*flags, "--persistence.timeout=1s", status=1)
    assert postgresql.sql(f"SELECT format, (SELECT max(version) FROM {name_of(flags)}.migrations) FROM {name_of(flags)}.head") == ["1|1"]
    (tmp_path / "url").write_text(postgresql.url + "\n")
    assert "raised from 1" in migrate(f"--persistence.url-file={tmp_path / 'url'}", flags[1])


@pytest.mark.parametrize("asked, found", [("--help", "--persistence.url"), ("--help-man", ".TH tallygate-migrate 1"), ("--completion-bash", "--persistence.schema\n")])
def test_migrate_explains_itself(asked, found):
    done = subprocess.run([BINARY, "migrate", asked], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    assert found in done.stdout and not done.stderr
