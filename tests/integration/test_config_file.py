"""--config.file: read at start, read again when asked, checked by a command of its own."""
import os
import signal
import subprocess

import pytest

from gateway import BINARY, Gateway, eventually


@pytest.fixture
def rules(tmp_path):
    return tmp_path / "rules.yml"


def test_a_wrong_file_ends_the_start(rules):
    rules.write_text("rules:\n- match: '{job=~\"(\"}'\n")
    r = subprocess.run([BINARY, f"--config.file={rules}", "--persistence.file=", "--web.listen-address=127.0.0.1:0"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert r.returncode == 1
    assert "--config.file: line 2: the regular expression" in r.stderr


def test_no_file_ends_the_start(rules):
    r = subprocess.run([BINARY, f"--config.file={rules}", "--persistence.file=", "--web.listen-address=127.0.0.1:0"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert r.returncode == 1
    assert "no such file or directory" in r.stderr


def test_reload_on_sighup(rules):
    rules.write_text("rules: []\n")
    with Gateway(f"--config.file={rules}") as g:
        rules.write_text("rules:\n- ttl: 1d\n")
        os.kill(g.process.pid, signal.SIGHUP)
        eventually(lambda: "what was in force stays" in g.log, "the refusal is logged")
        assert "line 2: the rule does not say which groups it is for" in g.log
        assert g.get("/-/ready").status == 200
        rules.write_text("rules:\n- match: '{}'\n  ttl: 1d\n")
        os.kill(g.process.pid, signal.SIGHUP)
        eventually(lambda: "configuration reloaded" in g.log, "the reload is logged")


def test_sighup_without_a_file(gw):
    os.kill(gw.process.pid, signal.SIGHUP)
    eventually(lambda: "there is no --config.file" in gw.log, "it is said")
    assert gw.get("/-/ready").status == 200


def test_reload_endpoint(rules):
    rules.write_text("rules: []\n")
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle") as g:
        assert g.request("POST", "/-/reload").status == 200
        assert g.request("PUT", "/-/reload").status == 200
        assert g.get("/-/reload").status == 405
        rules.write_text("rules: 1\n")
        r = g.request("POST", "/-/reload")
        assert r.status == 500 and r.text.startswith(f"{rules}: ") and "cannot unmarshal !!int `1` into a list of rules" in r.text
        for wrong in ["rules:\n- match: '{job='\n", "rules:\n- match: '{job=~\"(\"}'\n", "access:\n- who: [\n"]:
            rules.write_text(wrong)
            r = g.request("POST", "/-/reload")
            assert r.status == 500 and r.text.startswith(f"{rules}: "), (wrong, r.text)
        r = g.request("POST", "/-/reload?dry_run=1")
        assert r.status == 400 and "unknown parameter" in r.text
    with Gateway("--web.enable-lifecycle") as g:
        r = g.request("POST", "/-/reload")
        assert r.status == 500 and "there is no --config.file" in r.text


def test_reload_endpoint_needs_the_flag(rules):
    rules.write_text("rules: []\n")
    with Gateway(f"--config.file={rules}") as g:
        r = g.request("POST", "/-/reload")
        assert (r.status, r.text) == (403, "Lifecycle API is not enabled.")


def check(*args):
    r = subprocess.run([BINARY, "check-config", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


def test_check_config(rules):
    rules.write_text("rules:\n- match: '{job=~\"ci-.*\"}'\n  ttl: 7d\n- match: '{}'\n  expect_every: 26h\n")
    assert check(str(rules)) == (0, f"{rules}: 2 rules\n", "")
    status, out, err = check(str(rules), "http://localhost:9091/prefix/metrics/job/ci-1/instance/x")
    assert (status, err) == (0, "")
    assert 'the rule in line 2 applies: {job=~"ci-.*"}\n  ttl: 168h0m0s\n' in out
    status, out, _ = check(str(rules), "/metrics/job/other/__ttl__/15m")
    assert status == 0
    assert "the rule in line 4 applies: {}\n  ttl: 15m0s\n  expect_every: 26h0m0s\n" in out
    status, _, err = check(str(rules), "/metrics/job/x/__tll__/15m")
    assert status == 1 and 'improper label name "__tll__"' in err
    status, _, err = check(str(rules), "/metrics")
    assert status == 1 and "no URL to push to" in err
    rules.write_text("rules:\n- match: '{}'\n  ttl: soon\n")
    status, out, err = check(str(rules))
    assert (status, out) == (1, "") and 'line 3: "soon" is no duration' in err
    assert check()[0] == 1


def test_names_that_no_label_has(rules):
    """Refused at start, on reload and by check-config, unless the flag lets any name in."""
    rules.write_text("rules:\n- match: '{}'\n  source_labels: [9x]\n")
    why = 'line 2: source_labels: "9x" is not the name of a label'
    status, out, err = check(str(rules))
    assert (status, out) == (1, "") and why in err
    assert check("--push.enable-utf8-names", str(rules)) == (0, f"{rules}: 1 rules\n", "")
    r = subprocess.run([BINARY, f"--config.file={rules}", "--web.listen-address=127.0.0.1:0"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert r.returncode == 1 and "source_labels" in r.stderr
    with Gateway(f"--config.file={rules}", "--push.enable-utf8-names") as g:
        assert g.get("/-/healthy").status == 200
    rules.write_text("rules: []\n")
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle") as g:
        rules.write_text("rules:\n- match: '{}'\n  deny_labels: [a-b]\n")
        r = g.request("POST", "/-/reload")
        assert r.status == 500 and 'deny_labels: "a-b" is not the name of a label' in r.text


SUMMED = """rules:
- match: '{job=~"celery-.*"}'
  mode: sum
  source_labels: [instance, pid]
  gauges: {default: mostrecent, celery_tasks_in_progress: livesum}
  zero_first: 30s
  limits: {series: 5000, sources: 10}
- match: '{}'
  expect_every: 26h
"""


def test_check_config_of_summed_groups(rules):
    rules.write_text(SUMMED)
    status, out, err = check(str(rules), "/metrics/job/celery-x/instance/a/pid/4")
    assert (status, err) == (0, "")
    assert ('the rule in line 2 applies: {job=~"celery-.*"}\n  mode: sum\n  group: {job="celery-x"}\n'
            "  source: the other 2 labels\n  source_ttl: 15m0s\n  gauge default: mostrecent\n"
            "  gauge celery_tasks_in_progress: livesum\n  zero_first: 30s\n  runtime_metrics: drop\n"
            "  limits.series: 5000\n  limits.sources: 10\n"
            "the rule in line 8 matches too, but is not the first: {}\n") in out
    out = check(str(rules), "http://gw:9091/pre/add/metrics/job/x/instance/a")[1]
    assert ('the rule in line 8 applies: {}\n  expect_every: 26h0m0s\n  mode: add\n  group: {job="x"}\n'
            "  runtime_metrics: drop\n"
            'the rule in line 2 does not match: {job=~"celery-.*"}\n') in out
    out = check(str(rules), "/sum/metrics/job/x/__source__/b/__ttl__/5m")[1]
    assert "  mode: sum\n  group: {job=\"x\"}\n  source: b\n  source_ttl: 5m0s\n" in out
    out = check(str(rules), "/sum/metrics/job/x")[1]
    assert "  source: the start of the process, which the body has to say" in out
    status, _, err = check(str(rules), "/metrics/job/x/__source__/b")
    assert status == 1 and "option __source__ is for groups that are summed" in err


def test_check_config_warns_of_totals_that_end(rules):
    rules.write_text("rules:\n- match: '{job=\"a\"}'\n  mode: sum\n  ttl: 2d\n- match: '{job=\"b\"}'\n  ttl: 2d\n"
                     "- match: '{job=\"c\"}'\n  mode: add\n  ttl: 7d\n- match: '{job=\"d\"}'\n  mode: sum\n  ttl: 0\n")
    status, _, err = check(str(rules))
    assert status == 0
    assert err.startswith("warning: line 2: the totals of a group with mode sum go 48h0m0s after its last push")
    assert err.count("warning") == 1
    assert check(str(rules), "/metrics/job/b")[2].count("warning") == 1
    assert "warning: line 5: " in check(str(rules), "/sum/metrics/job/b")[2]


def test_a_reload_that_names_other_sources_is_logged(rules):
    rules.write_text(SUMMED)
    with Gateway(f"--config.file={rules}", "--web.enable-lifecycle") as g:
        rules.write_text(SUMMED.replace("[instance, pid]", "[pid, instance]"))
        assert g.request("POST", "/-/reload").status == 200
        eventually(lambda: "configuration reloaded" in g.log, "the reload is logged")
        assert "source_labels have changed" not in g.log
        rules.write_text(SUMMED.replace("[instance, pid]", "[pid]"))
        assert g.request("POST", "/-/reload").status == 200
        eventually(lambda: "source_labels have changed" in g.log, "the change is logged")
        assert "was=instance,pid is=pid" in g.log or "was=pid,instance is=pid" in g.log


def test_an_option_that_is_none(shared):
    r = shared.put("x/__tll__/15m", b"a 1\n")
    assert r.status == 400 and "__ttl__/15m" in r.text
    r = shared.put("x/__ttl__/soon", b"a 1\n")
    assert r.status == 400 and "write it like __ttl__/15m" in r.text


def test_a_rule_that_takes_too_long(rules):
    rules.write_text("rules:\n- match: '{job=~\"(?=a)(a|aa)+\"}'\n")
    with Gateway(f"--config.file={rules}") as g:
        assert g.put("a" * 30, b"a 1\n").status == 200
        r = g.put("a" * 3000 + "!", b"a 1\n")
        assert r.status == 400 and "line 2: the regular expression" in r.text and "takes too long" in r.text
