"""`access:` of --config.file: every verb tried by every role on every endpoint, and what entries say of groups."""
import base64
import itertools
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

from exposition import Scrape, scrape
from gateway import BINARY, Gateway, eventually
from roles import HASH, VERBS, Roles, TlsRoles, credentials, endpoints, with_query, write_access, write_users
from tls import client_context, write_config

TABLE = endpoints()
EACH = [f"{{who: [{verb}], may: [{verb}]}}" for verb in VERBS]


def refused(reply, verb):
    return reply.status == 403 and (f"has not the verb {verb}" in reply.text or reply.body == b"")


def check_table(gateway, user, verb, **headers):
    """One role on every endpoint: let in exactly where the table says its verb."""
    for method, path, needs in TABLE:
        r = gateway.request(method, with_query(method, path), headers=headers)
        if verb is None:
            assert r.status == 401 and r.headers["WWW-Authenticate"] == "Basic", (method, path, r)
        elif verb == needs:
            # Without their flags these say so to those who may.
            assert r.status not in (401, 403) or "not enabled" in r.text or (method, path) == ("HEAD", "/-/quit"), (user, method, path, r)
            assert "has not the verb" not in r.text
        else:
            assert refused(r, needs), (user, method, path, r)


def test_the_table_has_every_endpoint():
    assert {verb for _, _, verb in TABLE} == set(VERBS)
    assert ("PUT", "/metrics/job/table", "push") in TABLE and ("GET", "/metrics", "scrape") in TABLE
    assert ("GET", "/api/v1/rejections", "admin") in TABLE


def test_every_verb_by_every_role(tmp_path):
    with Roles(tmp_path, EACH, VERBS, "--web.enable-admin-api") as g:
        for verb in VERBS:
            check_table(g, verb, verb, **credentials(verb))
        for user in VERBS:
            assert g.request("GET", "/metrics", headers=credentials(user, "wrong")).status == 401
        check_table(g, "nobody", None)


@pytest.mark.parametrize("san", [False, True])
def test_every_verb_by_every_certificate(certificates, tmp_path, san):
    entries = [f"{{who: ['{f'dns:{verb}.example' if san else f'cn:{verb}'}'], may: [{verb}]}}" for verb in VERBS]
    with TlsRoles(certificates, tmp_path, entries, VERBS, "--web.enable-admin-api", san=san) as g:
        for verb in VERBS:
            g.context = client_context(certificates, g.clients[verb])
            check_table(g, verb, verb)
        # Another certificate has other verbs.
        g.context = client_context(certificates, certificates.client)
        assert refused(g.get("/metrics"), "scrape")
        # Without one: nobody.
        g.context = client_context(certificates)
        check_table(g, "nobody", None)
        # There are no users: no password is right.
        assert g.request("GET", "/metrics", headers=credentials("scrape")).status == 401


def test_anonymous(tmp_path):
    entries = ["{who: [anonymous], may: [probe, scrape]}", "{who: [ops], may: [read]}"]
    with Roles(tmp_path, entries, ["ops"]) as g:
        assert g.get("/-/healthy").status == g.get("/metrics").status == 200
        r = g.get("/api/v1/groups")
        assert r.status == 401 and r.headers["WWW-Authenticate"] == "Basic" and "read" in r.text
        assert g.request("PUT", "/metrics/job/x", "a 1\n").status == 401
        # Whoever has a name is not anonymous; a wrong password is one everywhere.
        assert refused(g.by("ops", "GET", "/-/healthy"), "probe")
        assert g.by("ops", "GET", "/api/v1/groups").status == 200
        assert g.request("GET", "/-/healthy", headers=credentials("ops", "wrong")).status == 401
        assert g.request("GET", "/-/healthy", headers={"Authorization": "Bearer x"}).status == 401


def test_anonymous_without_a_web_configuration(tmp_path):
    rules = write_access(tmp_path / "rules.yml", ["{who: [anonymous], may: [probe, push], match: '{job=\"x\"}'}"])
    with Gateway(f"--config.file={rules}") as g:
        assert g.request("PUT", "/metrics/job/x", "a 1\n").status == 200
        assert g.request("PUT", "/metrics/job/y", "a 1\n").status == 401
        assert g.get("/metrics").status == 401
        assert g.request("PUT", "/metrics/job/x", "a 1\n", credentials("x")).status == 401


def test_certificate_and_password(certificates, tmp_path):
    """Both are names of the same caller; without an entry for anonymous a password is needed, as before."""
    web = write_config(tmp_path / "web.yml", certificates.server, client_ca_file=certificates.ca.file,
                       client_auth_type="VerifyClientCertIfGiven", more={"basic_auth_users": {"ops": HASH}})
    rules = write_access(tmp_path / "rules.yml", ["{who: ['cn:client'], may: [scrape]}", "{who: [ops], may: [probe]}"])

    class Both(TlsRoles):
        def __init__(self):
            super(TlsRoles, self).__init__(certificates, web, f"--config.file={rules}", client=certificates.client, auth=("ops", "secret"))

    with Both() as g:
        assert g.get("/metrics").status == g.get("/-/healthy").status == 200
        g.auth = None
        assert g.get("/metrics").status == 401
        write_access(rules, ["{who: ['cn:client'], may: [scrape]}", "{who: [ops, anonymous], may: [probe]}"])
        os.kill(g.process.pid, signal.SIGHUP)
        eventually(lambda: g.get("/metrics").status == 200, "the certificate is enough")
        assert refused(g.get("/-/healthy"), "probe")


# ---- groups ----

TEAMS = ["{who: [ci], may: [push, delete, read], match: '{job=~\"ci-.*\"}', labels: {team: ci}}",
         "{who: [web], may: [push, delete], match: '{job=\"web\"}'}",
         "{who: [late], may: [push], labels: {team: late}, override: true}",
         "{who: [ops], may: [push, delete, scrape, read, admin]}",
         "{who: [anonymous], may: [probe]}"]
PEOPLE = ["ci", "web", "late", "ops"]


@pytest.fixture
def teams(tmp_path):
    with Roles(tmp_path, TEAMS, PEOPLE, "--web.enable-lifecycle", "--web.enable-admin-api") as g:
        yield g


def keys(gateway, user="ops", query=""):
    r = gateway.by(user, "GET", f"/api/v1/groups{query}")
    assert r.status == 200, r
    return [",".join(f"{k}={v}" for k, v in sorted(group["labels"].items())) for group in json.loads(r.text)["data"]["groups"]]


def match(selector, more=""):
    return f"?match[]={urllib.parse.quote(selector)}{more}"


def test_labels_complete_the_key(teams):
    g = teams
    assert g.by("ci", "PUT", "/metrics/job/ci-1", "a 1\n").status == 200
    assert g.by("ci", "POST", "/metrics/job/ci-1/team/ci", "b 1\n").status == 200
    assert keys(g) == ["job=ci-1,team=ci"]
    r = g.by("ci", "PUT", "/metrics/job/ci-1/team/web", "a 1\n")
    assert r.status == 403 and 'the label "team" of a group of "ci" is "ci"' in r.text
    r = g.by("ci", "PUT", "/metrics/job/web", "a 1\n")
    assert r.status == 403 and r.text.startswith('"ci" has not the verb push for the group {job="web"}'), r
    assert g.by("late", "PUT", "/metrics/job/x/team/ci", "c 1\n").status == 200
    assert g.by("late", "PUT", "/metrics/job/x", "c 2\n").status == 200
    assert keys(g) == ["job=ci-1,team=ci", "job=x,team=late"]
    assert g.by("ci", "DELETE", "/metrics/job/ci-1/team/web").status == 403
    assert g.by("web", "DELETE", "/metrics/job/ci-1/team/ci").status == 403
    assert g.by("ci", "DELETE", "/metrics/job/ci-1").status == 202
    assert keys(g) == ["job=x,team=late"]


def test_large_pushes_and_summed_groups(teams):
    g = teams
    body = "".join(f'm{{i="{i}"}} 1\n' for i in range(8000))
    assert g.by("ci", "PUT", "/metrics/job/ci-1", body).status == 200
    assert g.by("web", "PUT", "/metrics/job/ci-1", body).status == 403
    assert g.by(None, "PUT", "/metrics/job/ci-1", body).status == 401
    assert g.by("ci", "POST", "/sum/metrics/job/ci-2/instance/a", "# TYPE n counter\nn 1\n").status == 200
    assert g.by("web", "POST", "/sum/metrics/job/ci-2/instance/a", "# TYPE n counter\nn 1\n").status == 403
    assert g.by("web", "DELETE", "/sum/metrics/job/ci-2/team/ci/instance/a").status == 403
    assert keys(g) == ["job=ci-1,team=ci", "job=ci-2,team=ci"]
    encoded = base64.urlsafe_b64encode(b"web").decode()
    assert g.by("ci", "PUT", f"/metrics/job@base64/{encoded}", "a 1\n").status == 403
    assert g.by("ci", "PUT", "/metrics/job/", "a 1\n").status in (307, 404)
    # What is wrong with a path is said to those who may push somewhere.
    assert g.by("ci", "PUT", "/metrics/job/ci-1/a", "a 1\n").status == 400
    assert g.by("ops", "PUT", "/metrics/job/x/__ttl__/never", "a 1\n").status == 400


def push_some(g):
    for job in "ci-1", "ci-2", "web", "other":
        assert g.by("ops", "PUT", f"/metrics/job/{job}", "a 1\n").status == 200
    for job in "ci-1", "ci-3":
        assert g.by("ci", "PUT", f"/metrics/job/{job}/instance/i", "a 1\n").status == 200
    assert g.by("ops", "PUT", "/metrics/job/not-ci/team/ci", "a 1\n").status == 200


def test_deleting_by_selector(teams):
    g = teams
    push_some(g)
    before = keys(g)
    assert len(before) == 7
    # web reaches a group that it may not delete: that one is named, and nothing goes.
    for more in "", "&dry_run=1":
        r = g.by("web", "DELETE", "/api/v1/groups" + match('{job=~"web|other"}', more))
        assert r.status == 403 and json.loads(r.text)["errorType"] == "forbidden"
        assert json.loads(r.text)["error"].startswith('"web" has not the verb delete for the group {job="other"}')
    r = g.by("ci", "DELETE", "/api/v1/groups" + match('{job=~".+"}'))
    assert r.status == 403 and 'the group {job=\\"not-ci\\",team=\\"ci\\"}' in r.text
    assert keys(g) == before
    # The labels of ci complete the selector: groups without them are not meant.
    r = g.by("ci", "DELETE", "/api/v1/groups" + match('{job=~"ci-.*|web"}'))
    assert r.status == 200 and json.loads(r.text)["data"]["deleted"] == 2, r
    r = g.by("web", "DELETE", "/api/v1/groups" + match('{job=~"web"}'))
    assert r.status == 200 and json.loads(r.text)["data"]["deleted"] == 1
    assert keys(g) == ["job=ci-1", "job=ci-2", "job=not-ci,team=ci", "job=other"]
    # Others are counted where they are not reached for their age.
    r = g.by("web", "DELETE", "/api/v1/groups" + match('{job=~".+"}', "&older_than=1h"))
    assert r.status == 200 and json.loads(r.text)["data"]["deleted"] == 0
    assert g.by("late", "DELETE", "/api/v1/groups" + match('{job="other"}')).status == 403
    changes = json.loads(g.by("ops", "GET", "/api/v1/changes").text)["data"]["changes"]
    assert [(c["action"], c["user"]) for c in changes] == [("delete", "web"), ("delete", "web"), ("delete", "ci")]
    assert scrape_of(g).get("pushgateway_rejected_requests_total", reason="role") == 4


def scrape_of(g):
    return Scrape(g.by("ops", "GET", "/metrics").text)


def test_deleting_with_all_within(teams):
    g = teams
    push_some(g)
    assert g.by("ops", "PUT", "/metrics/job/web/instance/i", "a 1\n").status == 200
    r = g.by("ci", "DELETE", "/metrics/job/ci-1?recursive=true")
    assert r.status == 202
    assert [k for k in keys(g) if "ci-1" in k] == ["job=ci-1"]
    assert g.by("web", "DELETE", "/metrics/job/ci-1?recursive=true").status == 403
    assert g.by("web", "DELETE", "/metrics/job/web?recursive=true").status == 202
    assert not [k for k in keys(g) if "web" in k]


def test_listed_groups_get_the_labels_of_whoever_lists_them(tmp_path):
    """As the path of a push does: what one has pushed to a path can be deleted by that path."""
    entries = ["{who: [ci], may: [push, delete], labels: {team: ci}}", "{who: [over], may: [push, delete], labels: {team: over}, override: true}",
               "{who: [ops], may: [read]}"]
    with Roles(tmp_path, entries, ["ci", "over", "ops"]) as g:
        for user, path in ("ci", "/metrics/job/a"), ("over", "/metrics/job/b/team/zz"):
            assert g.by(user, "PUT", path, "a 1\n").status == 200
        assert keys(g) == ["job=a,team=ci", "job=b,team=over"]
        r = g.by("ci", "POST", "/api/v1/groups/delete", "/metrics/job/a\n/metrics/job/a/team/xx\n")
        assert r.status == 403 and "line 2 of the body: the label" in r.text and len(keys(g)) == 2
        for user, path in ("ci", "/metrics/job/a"), ("over", "/metrics/job/b/team/zz"):
            r = g.by(user, "POST", "/api/v1/groups/delete?expect=1", path + "\n")
            assert r.status == 200 and json.loads(r.text)["data"]["deleted"] == 1, r
        assert keys(g) == []


def test_a_group_within_that_one_may_not_delete(tmp_path):
    with Roles(tmp_path, ["{who: [a], may: [push, delete], match: '{job=\"x\",secret=\"\"}'}", "{who: [ops], may: [push, read]}"],
               ["a", "ops"]) as g:
        for path in "/metrics/job/x", "/metrics/job/x/i/1", "/metrics/job/x/secret/1":
            assert g.by("ops", "PUT", path, "a 1\n").status == 200
        r = g.by("a", "DELETE", "/metrics/job/x?recursive=true")
        assert r.status == 403 and 'secret="1"' in r.text and len(keys(g)) == 3


def test_labels_narrow_what_is_read(teams):
    g = teams
    push_some(g)
    own = ["instance=i,job=ci-1,team=ci", "instance=i,job=ci-3,team=ci", "job=not-ci,team=ci"]
    assert keys(g, "ci") == own
    assert keys(g, "ci", match('{job=~"ci.*"}')) == own[:2]
    assert keys(g, "ci", "?search=ci-2") == []
    rows = json.loads(g.by("ci", "GET", "/api/v1/groups?by=job").text)["data"]["rows"]
    assert [row["value"] for row in rows] == ["ci-1", "ci-3", "not-ci"]
    assert [group["labels"]["job"] for group in json.loads(g.by("ci", "GET", "/api/v1/metrics").text)["data"]] == ["ci-1", "ci-3", "not-ci"]
    assert len(json.loads(g.by("ops", "GET", "/api/v1/metrics").text)["data"]) == 7
    page = g.by("ci", "GET", "/").text
    assert "ci-3" in page and "ci-2" not in page and "other" not in page
    mine = json.loads(g.by("ci", "GET", "/api/v1/status/cardinality").text)["data"]
    assert {job["name"] for job in mine["jobs"]} == {"ci-1", "ci-3", "not-ci"}
    assert [(f["name"], f["series"]) for f in mine["families"] if f["name"] == "a"] == [("a", 3)]
    assert {value["name"] for value in mine["labels"]} <= {"job", "team", "instance"}
    assert json.loads(g.by("ops", "GET", "/api/v1/status/cardinality").text)["data"]["totals"]["jobs"] == 6
    assert g.by("ci", "GET", "/api/v1/groups/sources").status == 200
    assert g.by("ci", "GET", "/metrics/job/ci-1").status == 403


def test_what_may_be_done_with_a_group(teams):
    g = teams
    push_some(g)
    groups = json.loads(g.by("ci", "GET", "/api/v1/groups").text)["data"]["groups"]
    assert {group["labels"]["job"]: group["may"] for group in groups} == {
        "ci-1": ["push", "delete"], "ci-3": ["push", "delete"], "not-ci": []}
    assert json.loads(g.by("ci", "GET", "/api/v1/status").text)["data"]["may"] == ["push", "delete", "read"]
    assert json.loads(g.by("ops", "GET", "/api/v1/status").text)["data"]["may"] == ["push", "delete", "scrape", "read", "admin"]


# ---- all groups, and the process ----

def test_wipe_reload_and_quit(teams):
    g = teams
    push_some(g)
    for user in "ci", "web":
        assert refused(g.by(user, "PUT", "/api/v1/admin/wipe"), "admin")
        assert refused(g.by(user, "POST", "/-/reload"), "admin")
        assert refused(g.by(user, "POST", "/-/quit"), "admin")
        assert refused(g.by(user, "GET", "/api/v1/rejections"), "admin")
    assert len(keys(g)) == 7
    assert g.by("ops", "POST", "/-/reload").status == 200
    assert g.by("ops", "PUT", "/api/v1/admin/wipe").status == 202
    assert keys(g) == []
    changes = json.loads(g.by("ops", "GET", "/api/v1/changes").text)["data"]["changes"]
    assert [(c["action"], c["user"]) for c in changes] == [("wipe", "ops"), ("reload", "ops")]
    assert g.by("ops", "POST", "/-/quit").status == 200
    g.process.wait(30)


# ---- the file ----

@pytest.mark.parametrize("entry,why", [
    ("{who: [nobody], may: [read]}", 'line 2: nobody is called "nobody": add it to basic_auth_users'),
    ("{who: ['cn:x'], may: [read]}", 'nobody can be "cn:x", since client certificates are not verified'),
    ("{who: [ops], may: [write]}", "line 2: an unknown verb (there are push, delete, scrape, read, admin and probe): write"),
    ("{who: [ops], may: [scrape], match: '{}'}", "line 2: match is for push and delete"),
])
def test_a_wrong_file_ends_the_start(tmp_path, entry, why):
    rules, web = write_access(tmp_path / "rules.yml", [entry]), write_users(tmp_path / "web.yml", "ops")
    r = subprocess.run([BINARY, f"--config.file={rules}", f"--web.config.file={web}", "--persistence.file=",
                        "--web.listen-address=127.0.0.1:0"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and "--config.file: " in r.stderr and why.replace('"', '\\"') in r.stderr, r.stderr


def test_reload(teams):
    g = teams
    assert refused(g.by("web", "GET", "/api/v1/groups"), "read")
    write_access(g.rules, [*TEAMS, "{who: [webb], may: [read]}"])
    r = g.by("ops", "POST", "/-/reload")
    assert r.status == 500 and 'nobody is called "webb"' in r.text
    assert refused(g.by("web", "GET", "/api/v1/groups"), "read")
    write_access(g.rules, [*TEAMS, "{who: [web], may: [read]}"])
    assert g.by("ops", "POST", "/-/reload").status == 200
    assert g.by("web", "GET", "/api/v1/groups").status == 200
    write_access(g.rules, TEAMS[3:])
    assert g.by("ops", "POST", "/-/reload").status == 200
    assert refused(g.by("web", "GET", "/api/v1/groups"), "read")


def test_a_file_that_lets_in_more_has_to_stay_for_a_moment(teams):
    g = teams
    begin = time.monotonic()
    write_access(g.rules, [*TEAMS, "{who: [web], may: [read]}"])
    assert g.by("ops", "POST", "/-/reload").status == 200
    assert time.monotonic() - begin > 0.1 and g.by("web", "GET", "/api/v1/groups").status == 200


@pytest.mark.parametrize("half", ["", "access:\n- {who: [web, ops], may: [push, delete, admin]}\n"])
def test_a_file_that_is_still_being_written_lets_nobody_in(teams, half):
    """Without its last part it would let in everybody, or more than it says."""
    g = teams
    whole = g.rules.read_text()

    def while_it_is_written():
        """False: this machine was so slow that the file has stayed as it is for a moment."""
        slowest, done = [0], threading.Event()

        def write():
            at = time.monotonic()
            for n in itertools.count():
                g.rules.write_text(half + "#" * (n % 1000))
                at, slowest[0] = time.monotonic(), max(slowest[0], time.monotonic() - at)
                if done.is_set():
                    return

        writer = threading.Thread(target=write)
        writer.start()
        os.kill(g.process.pid, signal.SIGHUP)
        statuses = {g.by("web", "PUT", "/metrics/job/other", "a 1\n").status for _ in range(3)}
        done.set()
        writer.join()
        g.rules.write_text(whole)
        assert g.by("ops", "POST", "/-/reload").status == 200
        assert g.by("web", "PUT", "/metrics/job/other", "a 1\n").status == 403
        assert slowest[0] > 0.08 or statuses == {403}
        return slowest[0] < 0.08

    eventually(while_it_is_written, "the file is written without a pause")
    g.rules.write_text("rules: []\n")
    assert g.by("ops", "POST", "/-/reload").status == 200
    assert g.by("web", "PUT", "/metrics/job/other", "a 1\n").status == 200


@pytest.mark.parametrize("kind", ["/metrics", "/dry-run/metrics", "/sum/metrics", "/add/metrics", "large"])
def test_who_may_not_read_is_not_told_of_other_groups(tmp_path, kind):
    entries = ["{who: [ci], may: [push], match: '{job=\"ci\"}'}", "{who: [team], may: [push, read], labels: {team: a}}",
               "{who: [web], may: [push, scrape]}", "{who: [ops], may: [push, read, admin]}"]
    path = ("/metrics" if kind == "large" else kind) + "/job/ci" + ("/instance/1" if kind == "/sum/metrics" else "")
    body = "# TYPE m gauge\nm 1\n" + "".join(f"f{i} 1\n" for i in range(3000 if kind == "large" else 0))
    with Roles(tmp_path, entries, ["ci", "team", "web", "ops"]) as g:
        assert g.by("ops", "PUT", "/metrics/job/secret/host/db-7", "# TYPE m counter\nm 1\n").status == 200
        for user in ("ci", "team"):
            r = g.by(user, "PUT", path, body)
            assert r.status == 400 and "another group has it as COUNTER, this push says GAUGE" in r.text and "secret" not in r.text, r
        # What was refused stays with the group, which its reader sees.
        assert "secret" not in g.by("team", "GET", "/api/v1/groups").text
        for user in ("web", "ops"):
            assert 'group {host="db-7",job="secret"} has it as COUNTER' in g.by(user, "PUT", path, body).text


@pytest.mark.parametrize("name", ["m", "m" * 100])
@pytest.mark.parametrize("prefix, source", [("/metrics", ""), ("/sum/metrics", "/instance/1")])
def test_who_may_read_some_groups_is_not_told_of_others(tmp_path, prefix, source, name):
    """What was refused of somebody who may know them stays with the group, which others read."""
    entries = ["{who: [team], may: [read], labels: {team: a}}", "{who: [ops], may: [push, read, scrape]}"]
    with Roles(tmp_path, entries, ["team", "ops"]) as g:
        assert g.by("ops", "PUT", f"/metrics/job/secret/host/db-7/x/{'y' * 150}", f"# TYPE {name} counter\n{name} 1\n").status == 200
        assert g.by("ops", "PUT", f"{prefix}/job/ci/team/a{source}", "n 1\n").status == 200
        assert g.by("ops", "POST", f"{prefix}/job/ci/team/a{source}", f"# TYPE {name} gauge\n{name} 1\n").status == 400
        for path in ("/api/v1/groups", "/api/v1/groups/sources", "/api/v1/metrics", "/"):
            for user in ("team", "ops"):
                r = g.by(user, "GET", path)
                assert r.status == 200
                refused_why = source or "sources" not in path
                assert ("is not a COUNTER" in r.text) == bool(refused_why), r.text
                if user == "team":
                    assert "secret" not in r.text and "db-7" not in r.text and ("another group" in r.text) == bool(refused_why), r.text
                elif refused_why and path != "/":
                    assert 'group {host=\\"db-7\\",' in r.text


def test_what_takes_room_in_groups_of_others_is_not_told(tmp_path):
    """Also if their series have the label that tells the reader's groups."""
    entries = ["{who: [team], may: [read], labels: {team: a}}", "{who: [ops], may: [push, read]}"]

    def counts(user):
        d = json.loads(g.by(user, "GET", "/api/v1/status/cardinality?limit=1000").text)["data"]
        return {x["name"]: x["series"] for x in d["families"]}, {x["name"]: (x["series"], x["values"]) for x in d["labels"]}, d

    with Roles(tmp_path, entries, ["team", "ops"]) as g:
        many = "".join(f'many{{i="{i}"}} 1\n' for i in range(5000))
        assert g.by("ops", "PUT", "/metrics/job/mine/team/a", many + "# TYPE h histogram\n" + 'h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n').status == 200
        assert g.by("ops", "PUT", "/metrics/job/secret/host/db-7", 'secret_family{team="a",secret_label="x"} 1\nmany{team="a"} 1\n').status == 200
        families, labels, all_of_it = counts("team")
        assert "secret" not in json.dumps(all_of_it) and "host" not in labels
        assert families == {"many": 5000, "h": 3}
        assert labels == {"i": (5000, 5000), "le": (1, 1), "instance": (5003, 1), "job": (5003, 1), "team": (5003, 1)}
        assert (all_of_it["totals"], all_of_it["jobs"][0]["name"]) == ({"families": 2, "labels": 5, "jobs": 1}, "mine")
        families, labels, _ = counts("ops")
        assert families["many"] == 5001 and families["secret_family"] == 1 and "secret_label" in labels


@pytest.mark.parametrize("prefix, family", [("/metrics", ""), ("/metrics", "m"), ("/sum/metrics", "")])
def test_an_undo_does_not_tell_of_other_groups_either(tmp_path, database, prefix, family):
    entries = ["{who: [ci], may: [push, delete], match: '{job=\"ci\"}'}", "{who: [ops], may: [push, delete, read]}"]
    with Roles(tmp_path, entries, ["ci", "ops"], database=database) as g:
        for user, says in (("ci", "another group has it as COUNTER"), ("ops", 'group {host=\\"db-7\\",job=\\"secret\\"} has it as COUNTER')):
            assert g.by("ci", "PUT", prefix + "/job/ci/instance/1", "# TYPE m gauge\nm 1\n# TYPE n gauge\nn 1\n").status == 200
            r = g.by("ci", "DELETE", "/api/v1/groups" + match('{job="ci"}') + (f"&family={family}" if family else ""))
            assert g.by("ops", "PUT", "/metrics/job/secret/host/db-7", "# TYPE m counter\nm 1\n").status == 200
            r = g.by(user, "POST", f"/api/v1/undo/{json.loads(r.text)['data']['undo']}")
            assert r.status == 200 and says in r.text and (user == "ops" or "secret" not in r.text), r
            for job in ("secret", "ci"):
                g.by("ops", "DELETE", "/api/v1/groups" + match(f'{{job="{job}"}}'))


def test_refusals_are_logged_with_the_user(teams):
    teams.by("web", "PUT", "/metrics/job/ci-9", "a 1\n")
    line = teams.wait_for_line("request refused by access: of --config.file")
    assert "user=web" in line and "has not the verb push" in line
    teams.by("ci", "PUT", "/metrics/job/ci-1", "a 1\n")
    teams.by("ci", "DELETE", "/metrics/job/ci-1")
    assert "user=ci" in teams.wait_for_line('"group deleted"')


def test_what_concerns_all_groups_is_logged_with_the_user(tmp_path, database):
    with Roles(tmp_path, TEAMS, PEOPLE, "--web.enable-admin-api", database=database) as g:
        assert g.by("ci", "PUT", "/metrics/job/ci-1", "a 1\n").status == 200
        r = g.by("ci", "DELETE", "/api/v1/groups" + match('{job="ci-1"}'))
        assert "user=ci" in g.wait_for_line('"groups deleted"')
        # What others have asked for is for those who may read.
        [deleted] = json.loads(g.by("ops", "GET", "/api/v1/undo").text)["data"]["undo"]
        assert deleted["user"] == "ci" and deleted["request"].startswith("/api/v1/groups?match")
        [same] = json.loads(g.by("web", "GET", "/api/v1/undo").text)["data"]["undo"]
        assert same == {k: v for k, v in deleted.items() if k not in ("user", "request")}
        assert g.by("ops", "POST", f"/api/v1/undo/{json.loads(r.text)['data']['undo']}").status == 200
        assert "user=ops" in g.wait_for_line('"a delete was undone"')
        assert g.by("ops", "PUT", "/api/v1/admin/backup").status == 200
        assert "user=ops" in g.wait_for_line("copied for a backup")


def test_without_access_nothing_is_asked(tmp_path):
    (tmp_path / "rules.yml").write_text("rules: []\n")
    with Gateway(f"--config.file={tmp_path / 'rules.yml'}") as g:
        for method, path, _ in TABLE:
            assert g.request(method, with_query(method, path)).status not in (401, 403) or "quit" in path or "reload" in path
        assert "may" not in json.loads(g.get("/api/v1/status").text)["data"]
        assert scrape(g).get("pushgateway_rejected_requests_total", reason="role") == 0
