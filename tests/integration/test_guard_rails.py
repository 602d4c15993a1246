"""What rules of --config.file let nobody push: deny_labels, deny_values, lint; and `tallygate check-metrics`."""
import base64
import json
import os
import signal
import subprocess

import pytest

from browser import chromium, page  # noqa: F401: fixtures
from exposition import promtool, scrape
from gateway import BINARY, Gateway, eventually

RULES = """\
rules:
- match: '{job="plain"}'
- match: '{job="warned"}'
  lint: warn
- match: '{job="refused"}'
  lint: refuse
- match: '{job=~"denied.*"}'
  deny_labels: [user_id, email]
  deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+']
- match: '{job="summed"}'
  mode: sum
  deny_labels: [user_id]
"""
SECRET = "joe@example.org"
GOOD = "# HELP a_seconds x\n# TYPE a_seconds gauge\na_seconds 1\n"
BAD = "# TYPE jobDuration_ms gauge\njobDuration_ms 1\n"


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    return file


@pytest.fixture
def gateway(rules, database):
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle", database=database) as g:
        yield g


def put(g, path, body, **headers):
    return g.request("PUT", f"/metrics/job/{path}", body, headers)


def rejections(g):
    return json.loads(g.get("/api/v1/rejections").text)["data"]["rejections"]


def lint(g, query=""):
    r = g.get(f"/api/v1/lint{query}")
    assert r.status == 200, r
    return json.loads(r.text)["data"]


# ---- deny_labels, deny_values ----

def test_denied_labels(gateway):
    r = put(gateway, "denied", 'a 1\nb{user_id="4711"} 1\n')
    assert r.status == 400 and 'the label "user_id" must not be pushed to this group' in r.text
    assert "deny_labels of the rule in line 7 of --config.file" in r.text
    assert put(gateway, "denied/email/x", "a 1\n").status == 400
    assert put(gateway, "plain", 'b{user_id="4711"} 1\n').status == 200
    assert put(gateway, "denied", 'a{user="x"} 1\n').status == 200
    r = gateway.request("POST", "/metrics/job/summed/instance/i", '# TYPE c counter\nc{user_id="1"} 1\n')
    assert r.status == 400 and "user_id" in r.text
    assert scrape(gateway).get("pushgateway_rejected_pushes_total", reason="denied") == 3


@pytest.mark.parametrize("path,body", [
    ("denied", f'a 1\nb{{contact="{SECRET}"}} 1\n'),
    (f"denied/contact/{SECRET}", "a 1\n"),
    (f"denied/contact/{SECRET}", "malformed body\n"),
    ("denied", f'a{{contact="{SECRET}"}} {SECRET}\n'),
    ("denied", f'a{{contact="{SECRET}" 1\n'),
    ("denied-large", f'a 1\nb{{contact="{SECRET}"}} 1\n' + "".join(f'm{{i="{i}"}} 1\n' for i in range(8000))),
    ("denied", f'# TYPE c counter\nc{{x="y"}} 1\nc{{x="{SECRET}"}} 2\n'),
])
def test_a_denied_value_is_shown_nowhere(gateway, path, body):
    r = put(gateway, path, body)
    assert r.status == 400 and SECRET not in r.text, r
    assert "deny_values" in r.text and "of the rule in line 7 of --config.file" in r.text
    assert scrape(gateway).get("pushgateway_rejected_pushes_total", reason="denied") == 1
    gateway.wait_for_line("push refused: it has what a rule denies")
    shown = [gateway.get(p).text for p in ("/api/v1/rejections", "/api/v1/groups", "/api/v1/metrics", "/metrics", "/", "/rejections", "/status")]
    assert len(rejections(gateway)) == 1 and not rejections(gateway)[0].get("body")
    gateway.terminate()
    for text in (*shown, gateway.log):
        assert "joe" not in text


def test_a_body_over_a_limit_is_not_shown_either(rules, database):
    """Of what was not read to its end nobody knows what is in it."""
    with Gateway(f"--config.file={rules}", "--limits.series-per-push=1", database=database) as g:
        r = put(g, "denied", f'a{{contact="{SECRET}"}} 1\nb 1\n')
        assert r.status == 413 and "--limits.series-per-push=1" in r.text and SECRET not in r.text, r
        g.wait_for_line("--limits.series-per-push=1")
        refused = rejections(g)
        assert [x["status"] for x in refused] == [413] and not refused[0].get("body")
        assert SECRET not in g.log
        assert put(g, "plain", f'a{{contact="{SECRET}"}} 1\nb 1\n').status == 413
        assert SECRET in rejections(g)[0]["body"]


SECRET_64 = base64.urlsafe_b64encode(SECRET.encode()).decode()


@pytest.mark.parametrize("method,path,status", [
    ("PUT", f"/metrics/job/x/contact/{SECRET}/odd", 400), ("PUT", f"/metrics/job/x/{SECRET}", 400),
    ("PUT", "/metrics/job/x/contact/joe%40example.org/odd", 400), ("PUT", f"/metrics/job/x/contact@base64/{SECRET_64}/odd", 400),
    ("PUT", f"/metrics/job/x/contact/{SECRET}/%zz", 400), ("DELETE", f"/metrics/job/x/contact/{SECRET}/odd", 400),
    ("DELETE", f"/metrics/job/x/contact/{SECRET}", 202), ("DELETE", f"/metrics/job/x/contact@base64/{SECRET_64}?recursive=true", 202),
    ("DELETE", f"/api/v1/groups?match[]={{contact=%22{SECRET}%22}}", 200), ("PUT", f"/dry-run/metrics/job/denied/contact/{SECRET}", 400),
    ("POST", f"/metrics/job/x/__ttl__/{SECRET}", 400), ("PUT", f"/metrics/job/x/contact/{SECRET}%zz", 400),
    ("DELETE", "/api/v1/groups?match[]={contact=~%22joe@example[.]org%22}", 200)])
def test_a_denied_value_in_a_path_is_shown_nowhere(gateway, rules, method, path, status):
    """Where no group is named, no rule is known, or the group is one of before the rule."""
    rules.write_text("rules: []")
    assert gateway.request("POST", "/-/reload").status == 200
    assert put(gateway, f"x/contact/{SECRET}", "a 1\n").status == 200
    rules.write_text(RULES)
    assert gateway.request("POST", "/-/reload").status == 200
    r = gateway.request(method, path, f'a{{contact="{SECRET}"}} 1\n' if method != "DELETE" else None)
    assert r.status == status, r
    shown = [gateway.get(p).text for p in ("/api/v1/rejections", "/api/v1/changes", "/rejections")]
    gateway.terminate()
    for text in (*shown, gateway.log):
        assert "joe" not in text and SECRET_64 not in text


def test_a_body_that_is_too_large_is_a_rejection(rules, database):
    with Gateway(f"--config.file={rules}", "--limits.body-size=1000", database=database) as g:
        for path in "plain", f"denied/contact/{SECRET}":
            assert put(g, path, "x" * 2000).status == 413
        assert [(r["status"], r["path"]) for r in rejections(g)] == [(413, "(not shown)"), (413, "/metrics/job/plain")]
        assert scrape(g).get("pushgateway_rejected_pushes_total", reason="limit") == 2
        g.wait_for_line("path=(not shown)" if "path=(not shown)" in g.log else "(not shown)")
        assert "joe" not in g.log


def test_other_refusals_show_their_body(gateway):
    assert put(gateway, "plain", f'a{{contact="{SECRET}" 1\n').status == 400
    assert SECRET in rejections(gateway)[0]["body"]


def test_denied_values_are_let_in_without_a_rule(gateway, rules):
    assert put(gateway, "plain", f'a{{x="{SECRET}"}} 1\n').status == 200
    rules.write_text(RULES.replace("deny_values", "deny_values: [x+]\n  # "))
    assert gateway.request("POST", "/-/reload").status == 200
    assert put(gateway, "denied", f'a{{x="{SECRET}"}} 1\n').status == 200
    assert put(gateway, "denied", 'a{x="xxx"} 1\n').status == 400


# ---- lint ----

def test_lint_refuses(gateway):
    r = put(gateway, "refused", GOOD + BAD)
    assert r.status == 400 and 'metric "jobDuration_ms": no help text (lint: refuse of the rule in line 5' in r.text
    assert put(gateway, "refused", GOOD).status == 200
    assert put(gateway, "refused/shardId/1", GOOD).status == 400
    assert scrape(gateway).get("pushgateway_rejected_pushes_total", reason="lint") == 2
    assert [x["status"] for x in rejections(gateway)] == [400, 400]


def test_lint_warns(gateway):
    r = put(gateway, "warned", GOOD + BAD)
    assert r.status == 200 and r.headers["X-Pushgateway-Warning"] == "lint"
    assert "reason=lint" in gateway.wait_for_line("push taken, but look at it")
    assert put(gateway, "warned/i/1", GOOD).headers["X-Pushgateway-Warning"] is None
    assert put(gateway, "plain", BAD).headers["X-Pushgateway-Warning"] is None
    found = lint(gateway)
    assert {(f["metric"], f["problem"]) for f in found["findings"]} == {
        ("jobDuration_ms", "no help text"), ("jobDuration_ms", "metric names should be written in 'snake_case' not 'camelCase'"),
        ("jobDuration_ms", "metric names should not contain abbreviated units")}
    assert all(f["group"]["labels"] == {"job": "warned"} for f in found["findings"])
    assert found["jobs"] == [{"job": "warned", "findings": 3}] and found["total"] == 3
    assert len(lint(gateway, "?limit=1")["findings"]) == 1
    assert lint(gateway, "?match[]={job=%22refused%22}")["total"] == 0
    assert gateway.get("/api/v1/lint?limit=0").status == 400


def test_findings_follow_what_is_stored(rules, database):
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle", database=database) as g:
        assert put(g, "warned", GOOD + BAD).status == 200
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle", database=database) as g:
        assert lint(g)["total"] == 3
        eventually(lambda: scrape(g).get("pushgateway_lint_findings", job="warned") == 3, "the metric says so")
        rules.write_text(RULES.replace('"plain"', '"warned"'))
        assert g.request("POST", "/-/reload").status == 200
        assert lint(g)["total"] == 0
        rules.write_text(RULES)
        os.kill(g.process.pid, signal.SIGHUP)
        eventually(lambda: lint(g)["total"] == 3, "the rule says lint again")
        # No rule says lint any more.
        rules.write_text("rules:\n- match: '{}'\n")
        assert g.request("POST", "/-/reload").status == 200
        assert lint(g)["total"] == 0
        eventually(lambda: "pushgateway_lint_findings{" not in g.get("/metrics").text, "the metric follows")


@pytest.mark.released
def test_findings_are_on_the_page(gateway, page):
    page.open(gateway.url + "/cardinality")
    page.one("#top-jobs")
    assert not page.all("#names")
    assert put(gateway, "warned", BAD).status == 200
    page.open(gateway.url + "/cardinality")
    page.wait_for("metric names should not contain abbreviated units", "#names")
    assert len(page.all("#names tbody tr")) == 3 and "warned" in page.text("#names")
    page.accessible()


def test_the_metric_is_bounded(gateway):
    rules_of_all = "rules:\n- match: '{}'\n  lint: warn\n"
    for i in range(120):
        assert put(gateway, f"j{i}", BAD).status == 200
    path = next(a.split("=", 1)[1] for a in gateway.args if a.startswith("--config.file="))
    with open(path, "w") as f:
        f.write(rules_of_all)
    assert gateway.request("POST", "/-/reload").status == 200
    lines = eventually(lambda: [x for x in gateway.get("/metrics").text.splitlines() if x.startswith("pushgateway_lint_findings{")], "findings are shown")
    assert len(lines) == 101 and 'pushgateway_lint_findings{job=""} 60' in lines
    assert lint(gateway)["total"] == 360


# ---- limits ----

LIMITS = """\
rules:
- match: '{job="small"}'
  limits: {series: 3, families: 2}
- match: '{job=~"team-.*"}'
  limits: {label_values: 3}
- match: '{job="summed"}'
  mode: sum
  limits: {series: 2, families: 1, label_values: 2}
"""


@pytest.fixture
def limited(rules, database):
    rules.write_text(LIMITS)
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle", "--web.enable-admin-api", database=database) as g:
        yield g


def refused(g, method, path, body, status, *words):
    """With a dry run, too, which says the same and counts nothing."""
    before = scrape(g).get("pushgateway_rejected_pushes_total", reason="rule_limit")
    dry = g.request(method, f"/dry-run/metrics/job/{path}", body)
    assert scrape(g).get("pushgateway_rejected_pushes_total", reason="rule_limit") == before
    r = g.request(method, f"/metrics/job/{path}", body)
    assert (r.status, dry.status) == (status, status) and dry.text == r.text, (r, dry)
    for word in (*words, "--config.file allows"):
        assert word in r.text, r.text
    assert scrape(g).get("pushgateway_rejected_pushes_total", reason="rule_limit") == before + 1


def test_limits_of_a_group(limited):
    g = limited
    assert put(g, "small", 'a{x="1"} 1\na{x="2"} 1\nb 1\n').status == 200
    refused(g, "POST", "small", 'b 1\nb{x="1"} 1\n', 507, 'group {job="small"} would have 4 series (now it has 3)', "limits: {series: 3}")
    refused(g, "PUT", "small", "a 1\nb 1\nc 1\n", 413, "would have 3 families", "push fewer")
    assert put(g, "small", "a 1\nb 1\n").status == 200
    refused(g, "POST", "small", "c 1\n", 507, "would have 3 families (now it has 2)", "rule in line 2")
    assert scrape(g).names() >= {"a", "b"} and "c" not in scrape(g).names()
    gateway_line = g.wait_for_line("push refused: over a limit of its group's rule")
    assert 'job' in gateway_line
    assert [r["status"] for r in rejections(g)] == [507, 413, 507]
    listed = json.loads(g.get("/api/v1/groups?match[]={job=%22small%22}").text)["data"]["groups"]
    assert listed[0]["limits"] == {"rule": 2, "series": 3, "families": 2} and listed[0]["failed"]
    assert put(g, "small/i/1", "a 1\nb 1\n").status == 200, "another group"


def test_limits_of_labels(limited, rules):
    g = limited
    for i in range(3):
        assert put(g, f"team-{i}", f'a{{user="{i}"}} 1\n').status == 200
    refused(g, "PUT", "team-0/shard/1", 'a{user="3"} 1\n', 507, 'the label "user" would have 4 values (now it has 3)', "rule in line 4", "label_values: 3")
    refused(g, "PUT", "team-0", "".join(f'a{{trace="{i}"}} 1\n' for i in range(4)), 413, 'label "trace"')
    refused(g, "PUT", "team-3", "a 1\n", 507, 'label "job"')
    assert put(g, "other", 'a{user="4"} 1\n').status == 200
    data = json.loads(g.get("/api/v1/limits").text)["data"]["rules"]
    assert [r["match"] for r in data] == ['{job="small"}', '{job=~"team-.*"}', '{job="summed"}']
    assert data[1] == {"match": '{job=~"team-.*"}', "groups": 3, "limits": {"rule": 4, "label_values": 3, "most_values": {"label": data[1]["limits"]["most_values"]["label"], "values": 3}}}
    assert data[1]["limits"]["most_values"]["label"] in ("user", "job")
    assert g.request("DELETE", "/metrics/job/team-2").status == 202
    assert put(g, "team-0/shard/1", 'a{user="3"} 1\n').status == 200
    rules.write_text(LIMITS.replace("label_values: 3", "label_values: 4"))
    assert g.request("POST", "/-/reload").status == 200
    assert put(g, "team-0/shard/1", 'a{user="3"} 1\na{user="4"} 1\n').status == 200
    refused(g, "PUT", "team-0/shard/2", 'a{user="5"} 1\n', 507, 'would have 5 values (now it has 4)')
    assert g.request("PUT", "/api/v1/admin/wipe").status == 202
    assert put(g, "team-0", 'a{user="7"} 1\n').status == 200


def test_limits_of_summed_groups(limited):
    g = limited

    def push(pid, text):
        return g.request("POST", f"/metrics/job/summed/pid/{pid}", "# TYPE c counter\n" + text)

    assert push(1, 'c{x="1"} 1\n').status == 200
    assert push(2, 'c{x="2"} 1\n').status == 200
    r = push(3, 'c{x="3"} 1\n')
    assert r.status == 507 and 'group {job="summed"} would have 3 series (now it has 2)' in r.text
    r = g.request("POST", "/metrics/job/summed/pid/1", "# TYPE d counter\nd 1\n")
    assert r.status == 507 and "limits: {series: 2}" in r.text
    assert push(1, 'c{x="1"} 5\n').status == 200
    assert scrape(g).pushed("c_total", "summed", x="1") == 5
    r = g.request("PUT", "/metrics/job/summed/pid/1", '# TYPE d counter\nd 1\n# TYPE c counter\nc{x="1"} 6\n')
    assert r.status == 507


def test_limits_hold_after_a_restart(rules, database):
    rules.write_text(LIMITS)
    for i in range(2):
        with Gateway(f"--config.file={rules}", database=database) as g:
            if i == 0:
                assert put(g, "team-1", 'a{user="1"} 1\na{user="2"} 1\na{user="3"} 1\n').status == 200
                assert put(g, "small", 'a 1\nb 1\n').status == 200
            refused(g, "POST", "team-1", 'b{user="4"} 1\n', 507, 'label "user"')
            refused(g, "POST", "small", "c 1\n", 507, "families")
            assert g.request("POST", "/metrics/job/team-1", 'b{user="3"} 1\n').status == 200


def test_what_is_undone_is_limited_too(limited, rules):
    g = limited
    assert put(g, "team-1", 'a{user="1"} 1\na{user="2"} 1\n').status == 200
    undo = json.loads(g.request("DELETE", "/api/v1/groups?match[]={job=%22team-1%22}").text)["data"]["undo"]
    assert put(g, "team-2", 'a{user="3"} 1\na{user="4"} 1\n').status == 200
    said = json.loads(g.request("POST", f"/api/v1/undo/{undo}").text)["data"]
    assert said["left_out_total"] == 1 and 'the label "user" would have 4 values' in said["left_out"][0]["reason"]


@pytest.mark.released
def test_limits_are_on_the_page(limited, page):
    assert put(limited, "small", "a 1\nb 1\n").status == 200
    assert put(limited, "team-1", 'a{user="<b>"} 1\na{user="2"} 1\n').status == 200
    page.open(limited.url + "/cardinality")
    page.wait_for("2 of 3", "#limits")
    assert "families of a group" in page.text("#limits") and "user" in page.text("#limits")
    page.accessible()
    page.open(limited.url + "/?q=small")
    page.one("tr.row button.job").click()
    page.wait_for("limits of its rule: 2 of 3 series, 2 of 2 families", ".inside")
    page.accessible()


# ---- the command line ----

CORPUS = [
    "", GOOD, BAD, "a 1\n",
    "# HELP x_gauge y\n# TYPE x_gauge counter\nx_gauge 1\n# HELP ms z\n# TYPE ms gauge\nms 1\n",
    "# HELP x_Seconds z\n# TYPE x_Seconds gauge\nx_Seconds 1\n# HELP x_Kb_y z\nx_Kb_y 1\n",
    "# HELP s_total x\n# TYPE s_total summary\ns_total{quantile=\"0.5\"} 1\ns_total_sum 1\ns_total_count 1\n",
    "# HELP h_Histogram x\n# TYPE h_Histogram histogram\nh_Histogram_bucket{le=\"+Inf\"} 1\nh_Histogram_sum 1\nh_Histogram_count 1\n",
    "# TYPE a_total gauge\na_total{camelCase=\"x\",le=\"1\"} 1\na_total{camelCase=\"y\",quantile=\"1\"} 1\nx:y_kilobytes_count 3\n",
    "# TYPE a_bucket gauge\na_bucket 1\n# TYPE b_sum counter\nb_sum 1\n# TYPE c_count gauge\nc_count 1\n",
    *(f"# HELP a_{p}{u}_b x\n# TYPE a_{p}{u}_b gauge\na_{p}{u}_b 1\n" for p in ("", "milli", "kibi", "deca") for u in
      ("bytes", "bits", "days", "kelvins", "metres", "inches", "seconds", "watts")),
    *(f"# HELP a_{u} x\na_{u} 1\n# HELP {u}_a x\n{u}_a 1\n" for u in ("s", "sec", "us", "tb", "M", "h", "d", "kB", "g")),
]


@pytest.mark.parametrize("n", range(0, len(CORPUS), 8))
def test_check_metrics_says_what_promtool_says(n):
    """Each line once, which promtool says for every series; its older versions do not know all. Of a name with two units these name either."""
    for text in CORPUS[n:n + 8]:
        r = subprocess.run([BINARY, "check-metrics"], input=text, capture_output=True, text=True, timeout=30)
        assert r.returncode == (3 if r.stdout else 0) and r.stderr == ""
        newer = {line for line in r.stdout.splitlines() if line.endswith("metric not unique") or "_timestamp_seconds" in line}
        theirs = {line for line in promtool(text) if "should not include type" not in line}
        ours = {line for line in r.stdout.splitlines() if "should not include type" not in line}
        assert ours - newer == theirs, text


def test_check_metrics_of_what_is_no_body():
    r = subprocess.run([BINARY, "check-metrics"], input="a{\n", capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and r.stderr.startswith("error: ") and r.stdout == ""
    r = subprocess.run([BINARY, "check-metrics", "x"], input="", capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and "usage: tallygate check-metrics [RULES URL] < FILE" in r.stderr
    r = subprocess.run([BINARY, "check-metrics"], input="# TYPE a counter\na_total 1\n# EOF\n", capture_output=True, text=True, timeout=30)
    assert r.returncode == 3


@pytest.mark.parametrize("path,body,says", [
    ("small", "a 1\nb 1\n", ""), ("other", "a 1\nb 1\nc 1\n", ""), ("small", "a 1\nb 1\nc 1\n", "refused with 413: the group {job=\"small\"} would have 3 families"),
    ("team-1", "".join(f'a{{u="{i}"}} 1\n' for i in range(4)), 'refused with 413: with this push to the group {job="team-1"} the label "u" would have 4 values'),
    ("denied", 'a{user_id="1"} 1\n', 'refused with 400: the label "user_id" must not be pushed to this group'),
    ("denied", f'a{{x="{SECRET}"}} 1\n', 'refused with 400: the value of the label "x" looks like'),
    ("other", "a_count 1\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n", "refused with 400: "),
    ("summed/pid/1", "# TYPE c counter\nc 1\n", ""), ("summed", "# TYPE c counter\nc 1\n", "refused with 400: "),
    ("other/x", "a 1\n", "refused with 400: odd number of components")])
def test_check_metrics_says_what_a_gateway_would(rules, path, body, says):
    """The same words, for the same push."""
    rules.write_text(LIMITS + "- match: '{job=\"denied\"}'\n  deny_labels: [user_id]\n  deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+']\n")
    r = subprocess.run([BINARY, "check-metrics", str(rules), f"http://h:9091/metrics/job/{path}"], input=body, capture_output=True, text=True, timeout=30)
    assert r.stderr == "" and SECRET not in r.stdout
    refusals = [line for line in r.stdout.splitlines() if line.startswith("refused with")]
    assert len(refusals) == bool(says) and says in r.stdout, r.stdout
    assert r.returncode == 3 if r.stdout else r.returncode == 0
    with Gateway(f"--config.file={rules}", database="") as g:
        answer = g.request("PUT", f"/metrics/job/{path}", body)
        assert answer.status == (200 if not says else int(refusals[0].split()[2].rstrip(":")))
        assert not says or answer.text.strip() == refusals[0].split(": ", 1)[1]


def test_check_metrics_with_rules_that_are_wrong(rules):
    for file, url, why in ((rules, "http://h/x", "no URL to push to"), (rules.parent / "none", "http://h/metrics/job/x", "none")):
        r = subprocess.run([BINARY, "check-metrics", str(file), url], input="a 1\n", capture_output=True, text=True, timeout=30)
        assert r.returncode == 1 and why in r.stderr and "refused" not in r.stdout


def test_check_config_shows_them(rules):
    r = subprocess.run([BINARY, "check-config", str(rules), "http://h/metrics/job/denied"], capture_output=True, text=True, timeout=30)
    assert "deny_labels: user_id" in r.stdout and "deny_values: [^@ ]+@" in r.stdout
    r = subprocess.run([BINARY, "check-config", str(rules), "http://h/metrics/job/refused"], capture_output=True, text=True, timeout=30)
    assert "lint: refuse" in r.stdout
    rules.write_text(LIMITS)
    r = subprocess.run([BINARY, "check-config", str(rules), "http://h/metrics/job/team-1"], capture_output=True, text=True, timeout=30)
    assert "  limits.label_values: 3 of one label, in all groups of this rule together\n" in r.stdout
    r = subprocess.run([BINARY, "check-config", str(rules), "http://h/metrics/job/small"], capture_output=True, text=True, timeout=30)
    assert "  limits.series: 3\n  limits.families: 2\n" in r.stdout
    for wrong, why in (("series: 0", "not a number from 1 to 1000000000"), ("seris: 1", "field seris not found in type limits")):
        rules.write_text(f"rules:\n- match: '{{}}'\n  limits: {{{wrong}}}\n")
        r = subprocess.run([BINARY, "check-config", str(rules)], capture_output=True, text=True, timeout=30)
        assert r.returncode == 1 and "line 3" in r.stderr and why in r.stderr
