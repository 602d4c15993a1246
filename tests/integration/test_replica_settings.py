"""What a gateway does not leave to others: the settings of its sessions, and how long a scrape waits for them."""
import time

import pytest

from gateway import Gateway
from postgresql_server import schema
from test_postgresql import shown
from test_replicas import flags, replicas  # noqa: F401: a fixture

# As an operator may have made them for the role, for the sake of other programs.
ODD = {
    "statement_timeout": "'250ms'", "lock_timeout": "'10ms'", "idle_in_transaction_session_timeout": "'10ms'", "idle_session_timeout": "'100ms'",
    "synchronous_commit": "off", "search_path": "''", "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
    "timezone": "'Asia/Kathmandu'", "datestyle": "'German'", "intervalstyle": "'iso_8601'", "bytea_output": "escape", "extra_float_digits": "-15",
    "client_encoding": "latin1", "standard_conforming_strings": "off", "client_min_messages": "debug5", "plan_cache_mode": "force_custom_plan",
    "jit": "on", "tcp_user_timeout": "1",
}
# All that is said to be the same, for --persistence.timeout=4s.
WANT = {
    "statement_timeout": "0", "lock_timeout": "4s", "idle_in_transaction_session_timeout": "2s", "idle_session_timeout": "0",
    "synchronous_commit": "on", "transaction_isolation": "read committed", "transaction_read_only": "off", "extra_float_digits": "1",
    "client_min_messages": "warning", "plan_cache_mode": "force_generic_plan", "jit": "off",
}


@pytest.fixture
def odd_role(postgresql):
    """Gives a function that makes one, and its URL; they are dropped with the server."""
    def make(settings):
        name = "odd_" + schema()
        postgresql.sql(f"CREATE ROLE {name} LOGIN SUPERUSER; " + "; ".join(f"ALTER ROLE {name} SET {k} = {v}" for k, v in settings.items()))
        return name, postgresql.url_of(name)
    return make


def settings_of(postgresql, name, role):
    return dict(line.split("|", 1) for line in postgresql.sql(f"SELECT DISTINCT setting, value FROM {name}.seen WHERE role = '{role}'"))


def test_odd_defaults_of_a_role_change_nothing(flags, postgresql, odd_role):  # noqa: F811
    """A gateway of such a role, and one of another, over one log: what they are told to do and what they show is the same."""
    name = flags[1].partition("=")[2]
    role, url = odd_role(ODD)
    remote, remote_url = odd_role({"synchronous_commit": "remote_apply"})
    options = ["--persistence.timeout=4s", "--persistence.poll-interval=1s", flags[1]]
    with Gateway(f"--persistence.url={url}", *options, database=None) as gw, Gateway(flags[0], *options, database=None) as plain, \
            Gateway(f"--persistence.url={remote_url}", *options, database=None) as applies:
        assert gw.put("a", "n 1\n").status == 200
        names = ", ".join(f"'{x}'" for x in (*WANT, "search_path"))
        postgresql.sql(f"CREATE TABLE {name}.seen (role text, setting text, value text); "
                       f"CREATE FUNCTION {name}.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       f"IF position('slow' in encode(NEW.body, 'escape')) > 0 THEN PERFORM pg_sleep(0.6); END IF; "
                       f"INSERT INTO {name}.seen SELECT session_user, x, current_setting(x) FROM unnest(ARRAY[{names}]) x; RETURN NULL; END $$; "
                       f"CREATE TRIGGER look AFTER INSERT ON {name}.log FOR EACH ROW EXECUTE FUNCTION {name}.look()")
        # Each statement of it takes longer than that role's may.
        for g, job in ((gw, "slow"), (plain, "b"), (applies, "c"), (gw, "d"), (gw, "slow")):
            assert g.put(job, f'n{{j="{job}"}} 1.5\nh{{l="\u00e4\\\\"}} 2\n').status == 200
        for g in (gw, plain, applies):
            for line in g.get("/metrics").text.splitlines():
                if line.startswith("push_time_seconds{"):
                    assert abs(float(line.rpartition(" ")[2]) - time.time()) < 60, line
        assert shown(gw) == shown(plain) == shown(applies)
        want = {**WANT, "search_path": f'{name}, pg_catalog'}
        assert {k: v.replace('"', "") for k, v in settings_of(postgresql, name, role).items()} == want
        assert settings_of(postgresql, name, "postgres") == settings_of(postgresql, name, role)
        assert settings_of(postgresql, name, remote)["synchronous_commit"] == "remote_apply"
        # The time of the newest transaction, as it is read back, is not rounded: nor are those of the next ones.
        assert postgresql.sql(f"SELECT bool_and(abs(at - written) < 5) AND count(DISTINCT at) > 2 FROM {name}.log") == ["t"]
        assert "level=error" not in gw.log
    with Gateway(flags[0], *options, database=None) as again:
        assert len(shown(again)) > 5


def test_a_scrape_waits_for_half_of_its_timeout(flags, postgresql):  # noqa: F811
    """For the newest row to be shown, and a second at most. Here there is one that never can be."""
    name = flags[1].partition("=")[2]
    with Gateway(*flags, "--persistence.stale-after=0s", database=None) as gw:
        assert gw.put("a", "n 1\n").status == 200
        postgresql.sql(f"BEGIN; INSERT INTO {name}.log SELECT seq + 1, 99, 0, 0, 0, 0, 1, 1, 0, '' FROM {name}.head; "
                       f"UPDATE {name}.head SET seq = seq + 1, writer = 1, batch = 1; COMMIT")
        for said, limit in (("0.4", 0.2), ("1", 0.5), ("10", 1), (None, 1), ("-1", 1)):
            took = []
            for _ in range(20):
                begin = time.monotonic()
                reply = gw.request("GET", "/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": said} if said else {})
                took.append(time.monotonic() - begin)
                assert reply.status == 200 and 'n{instance="",job="a"} 1\n' in reply.text
                assert took[-1] > 0.95 * limit, (said, took)
                # On a busy machine some take longer.
                if took[-1] < limit + 0.15:
                    break
            assert min(took) < limit + 0.15, (said, took)
