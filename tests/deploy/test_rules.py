"""Each rule of deploy/observability/rules is computed by promtool from series that are made up: each alert once
firing, with its text, and once not, each recording rule once."""
import re
import subprocess
from typing import NamedTuple

import pytest
import yaml

from tools import OBSERVABILITY, tool

FILES = sorted((OBSERVABILITY / "rules").glob("*.yml"))
RULES = [rule for file in FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]

GATEWAY = {"job": "tallygate", "instance": "gw:9091"}
BACKUP = {"job": "backup", "instance": "db1"}
API = 'job="taskmanager-api",instance="a:8000",environment="prod"'


def selector(name, **labels):
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"


def own(name, **labels):
    return selector(name, **GATEWAY, **labels)


def pushed(name):
    return selector(name, **BACKUP)


class Alert(NamedTuple):
    """What is firing of one alert at a time; none without summary. Labels: those of the series and of the rule."""
    name: str
    series: dict
    at: str
    labels: dict = {}
    summary: str = ""


def near(used, value, at, limit="", severity="warning", summary=""):
    series = used if isinstance(used, dict) else {own(used): f"{value}x60"}
    return Alert("TallygateNearLimit", series, at, {**GATEWAY, "severity": severity, "limit": limit} if summary else {}, summary)


def gateway(name, metric, fires, quiet, at, severity, summary, **labels):
    """One that fires for one of two courses of a metric."""
    return [Alert(name, {own(metric, **labels): fires}, at, {**GATEWAY, "severity": severity, **labels}, summary),
            Alert(name, {own(metric, **labels): quiet}, at)]


# A minute between two values. 0+4x60: from 0, each 4 more.
ALERTS = [
    Alert("TallygateDown", {own("up"): "1 1 0x60"}, "6m", {**GATEWAY, "severity": "critical"}, "Tallygate gw:9091 cannot be scraped"),
    Alert("TallygateDown", {own("up"): "1 0 1x60"}, "6m"),
    Alert("TallygateDown", {selector("up", job="other"): "1x60"}, "6m", {"job": "tallygate", "severity": "critical"},
          "Tallygate  cannot be scraped"),
    *gateway("TallygateRestarting", "process_start_time_seconds", "1 2 3 4x60", "1 1 2 3x60", "10m", "warning",
             "gw:9091 was started 3 times in 30m"),
    *gateway("TallygateCommitFailures", "pushgateway_commit_failures_total", "0 0 1x60", "3x60", "3m", "critical",
             "gw:9091 cannot write to its database"),
    *gateway("TallygatePushesFailing", "pushgateway_rejected_pushes_total", "0+4x60", "7x60", "10m", "critical",
             "gw:9091 did not take correct pushes: busy, 20 times in 5m", reason="busy"),
    *gateway("TallygatePushesFailing", "pushgateway_rejected_pushes_total", "0+4x60", "7x60", "10m", "critical",
             "gw:9091 did not take correct pushes: storage, 20 times in 5m", reason="storage"),
    *[a for reason in ("path", "body", "inconsistent", "conflict", "limit")
      for a in gateway("TallygatePushesRefused", "pushgateway_rejected_pushes_total", "0+4x60", "7x60", "10m", "warning",
                       f"gw:9091 refused pushes: {reason}, 20 times in 5m", reason=reason)],
    Alert("TallygatePushesRefused", {own("pushgateway_rejected_pushes_total", reason="busy"): "0+4x60"}, "10m"),
    *gateway("TallygateRequestsMalformed", "pushgateway_malformed_requests_total", "0+1x60", "1x60", "10m", "info",
             "gw:9091 received requests that are not HTTP or exceed a limit of it"),
    *gateway("TallygateAccessRefused", "pushgateway_rejected_requests_total", "0+3x60", "0+2x60", "10m", "warning",
             "gw:9091 refused 15 requests in 5m: auth", reason="auth"),
    *gateway("TallygateDatabaseSetAside", "pushgateway_database_set_aside", "1x60", "0x60", "1m", "critical",
             "gw:9091 found its database damaged when it started"),
    *gateway("TallygateStorageDown", "pushgateway_storage_up", "1 0x60", "1 0 1x60", "4m", "critical",
             "gw:9091 has no answer from PostgreSQL"),
    *gateway("TallygateReplicaBehind", "pushgateway_replica_lag_rows", "7x60", "7 7 7 7 7 0x60", "20m", "warning",
             "gw:9091 is 7 rows behind the other gateways"),
    *gateway("TallygateHistoryLost", "pushgateway_replica_history_lost_total", "0 0 1x60", "1x60", "5m", "warning",
             "gw:9091 found another log in PostgreSQL than it had read"),
    *gateway("TallygateReplicasDiffer", "pushgateway_replica_digests_differ_total", "0 0 1x60", "1x60", "5m", "warning",
             "gw:9091 had not what another gateway has of the same log"),
    *gateway("TallygateFamiliesLeftOut", "pushgateway_database_left_out_families", "2x60", "0x60", "1m", "warning",
             "gw:9091 shows 2 families of its database no more"),
    *gateway("TallygateReloadFailed", "pushgateway_config_last_reload_successful", "0x60", "0 0 0 1x60", "6m", "warning",
             "gw:9091 did not take its new --config.file"),
    *[Alert("TallygateCommitsSlow",
            {own("pushgateway_commit_duration_seconds_bucket", le="1"): f"0+{fast}x60",
             own("pushgateway_commit_duration_seconds_bucket", le="4"): "0+100x60",
             own("pushgateway_commit_duration_seconds_bucket", le="+Inf"): "0+100x60"}, "30m",
            {**GATEWAY, "severity": "warning"} if summary else {}, summary)
      for fast, summary in ((97, "gw:9091 needs 3s for a commit (p99)"), (100, ""))],
    *[near({own("pushgateway_limit_used", limit=limit): f"{used}x60", own("pushgateway_limit", limit=limit): f"{most}x60"}, 0, at, limit,
           summary=summary and f"gw:9091 is at {summary} of its limit {limit}")
      for limit, used, most, at, summary in (
          ("limits.groups", 850000, 1000000, "16m", "85%"), ("limits.groups", 800000, 1000000, "16m", ""),
          ("limits.groups", 900000, 1000000, "14m", ""), ("memory", 9, 10, "16m", "90%"), ("limits.series", 5, 0, "16m", ""))],
    near({own("process_open_fds"): "900x60", own("process_max_fds"): "1000x60"}, 0, "16m", "descriptors",
         summary="gw:9091 has 90% of its file descriptors open"),
    near({own("process_open_fds"): "700x60", own("process_max_fds"): "1000x60"}, 0, "16m"),
    near("scrape_samples_post_metric_relabeling", 850000, "16m", "sample_limit", "critical",
         "A scrape of gw:9091 brings 850k samples, and sample_limit allows 1000000"),
    near("scrape_samples_post_metric_relabeling", 799999, "16m"),
    *[Alert("TallygateOverloaded",
            {own(f"pushgateway_{m}_total"): course if m == moving else "5x60"
             for m in ("connections_refused", "crowded_requests", "replies_refused", "replies_cut")}, "20m",
            {**GATEWAY, "severity": "warning"} if course != "5x60" else {},
            "gw:9091 refused or cut 10 connections, requests or replies in 5m" if course != "5x60" else "")
      for moving, course in (("connections_refused", "0+2x60"), ("crowded_requests", "0+2x60"), ("replies_refused", "0+2x60"),
                             ("replies_cut", "0+2x60"), ("", "5x60"))],

    Alert("JobOverdue", {pushed("pushgateway_job_overdue"): "1x60"}, "30m", {**BACKUP, "severity": "critical"},
          "No push of backup, instance db1 in the time that is expected of it"),
    Alert("JobOverdue", {selector("pushgateway_job_overdue", job="nightly"): "1x60"}, "30m", {"job": "nightly", "severity": "critical"},
          "No push of nightly in the time that is expected of it"),
    Alert("JobOverdue", {pushed("pushgateway_job_overdue"): "0x60"}, "30m"),
    Alert("LastPushRefused", {pushed("push_time_seconds"): "100x60", pushed("push_failure_time_seconds"): "101x60"}, "30m",
          {**BACKUP, "severity": "warning"}, "The last push of backup, instance db1 was refused"),
    Alert("LastPushRefused", {pushed("push_time_seconds"): "102x60", pushed("push_failure_time_seconds"): "101x60"}, "30m"),
    Alert("SourcesFailing", {pushed("pushgateway_group_failing_sources"): "2x60"}, "1h", {**BACKUP, "severity": "warning"},
          "The last pushes of 2 sources of backup, instance db1 were refused"),
    Alert("SourcesFailing", {pushed("pushgateway_group_failing_sources"): "0x60"}, "1h"),
    Alert("WritersInConflict", {selector("pushgateway_group_writers_conflict", job="backup", instance="gw:9091"): "3x60"}, "30m",
          {"job": "backup", "severity": "warning"}, "3 groups of backup are pushed to in turn from different addresses"),
    Alert("WritersInConflict", {selector("pushgateway_group_writers_conflict", job="backup", instance="gw:9091"): "0x60"}, "30m"),
    *[Alert("SummedCountsDoubtful", {selector(metric, job="celery", instance="gw:9091"): course}, "150m",
            {"job": "celery", "severity": "warning", "reason": reason} if fires else {},
            f"Sums of celery may be wrong: {reason}" if fires else "")
      for metric, reason in (("pushgateway_inherited_counts_total", "counts of a parent process"),
                             ("pushgateway_repeated_adds_total", "increments of a process that had added before"),
                             ("pushgateway_resets_assumed_total", "counts that fell"))
      for course, fires in (("_x100 1x200", True), ("1x100 2x200", True), ("3x300", False))],
    Alert("GroupStale", {pushed("push_time_seconds"): "0x4500"}, "74h", {**BACKUP, "severity": "info"},
          "backup, instance db1 has not pushed for 3d 2h 0m 0s"),
    Alert("GroupStale", {pushed("push_time_seconds"): "0x4000 240000x500"}, "74h"),
    Alert("GroupStale", {pushed("push_time_seconds"): "0x4500", pushed("pushgateway_job_overdue"): "0x4500"}, "74h"),
    Alert("GroupStale", {pushed("push_time_seconds"): "0x4500", pushed("pushgateway_group_expired"): "1x4500"}, "74h"),
]


def requests(bad, good, n):
    """Requests a minute for n minutes."""
    return {f'http_requests_total{{{API},endpoint="/tasks",status="500"}}': f"0+{bad}x{n}",
            f'http_requests_total{{{API},endpoint="/tasks",status="200"}}': f"0+{good}x{n}"}


class Burn(NamedTuple):
    """As Alert; its text has a test of its own, since all windows fire under one name."""
    series: dict
    at: str
    labels: dict
    fires: bool


def burn(window, severity, bad, good, at, n, fires):
    return Burn(requests(bad, good, n), at, {"slo": "availability", "window": window, "severity": severity}, fires)


# Of 1,000 requests one may fail.
BURNS = [
    burn("1h", "critical", 15, 985, "63m", 70, True),
    burn("1h", "critical", 14, 986, "63m", 70, False),
    burn("6h", "critical", 7, 993, "6h20m", 400, True),
    burn("6h", "critical", 5, 995, "6h20m", 400, False),
    burn("1d", "warning", 4, 996, "26h", 1600, True),
    burn("1d", "warning", 2, 998, "26h", 1600, False),
    burn("3d", "warning", 2, 1998, "76h", 4600, False),
    burn("3d", "warning", 3, 1997, "76h", 4600, True),
]
OBJECTIVES = {"availability": 0.999, "latency-p95": 0.95, "latency-p99": 0.99, "database-p95": 0.95}
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")


def histogram(name, labels, within, n):
    """100 observations a minute, of which so many end by each bucket."""
    return {f'{name}_bucket{{{labels},le="{le}"}}': f"0+{count}x{n}" for le, count in {**within, "+Inf": 100}.items()} | {
        f"{name}_count{{{labels}}}": f"0+100x{n}"}


DAYS = 4500
SLO_SERIES = {
    **requests(1, 199, DAYS),
    **histogram("http_request_duration_seconds", API, {"0.1": 50, "0.2": 90, "0.5": 98, "1": 100}, DAYS),
    **histogram("db_query_duration_seconds", API + ',table="tasks"', {"0.01": 50, "0.05": 96, "0.1": 100}, DAYS),
}
SLO_ERRORS = {"availability": 0.005, "latency-p95": 0.1, "latency-p99": 0.02, "database-p95": 0.04}
SLO_VALUES = {
    **{f'slo:error:ratio_rate{w}{{slo="{slo}"}}': ratio for w in WINDOWS for slo, ratio in SLO_ERRORS.items()},
    **{f'slo:objective:ratio{{slo="{slo}"}}': v for slo, v in OBJECTIVES.items()},
    **{f'slo:requests:increase5m{{slo="{slo}"}}': 1000 if slo == "availability" else 500 for slo in OBJECTIVES},
    **{f'slo:errors:increase5m{{slo="{slo}"}}': v * (1000 if slo == "availability" else 500) for slo, v in SLO_ERRORS.items()},
    **{f'slo:error_budget_left:ratio{{slo="{slo}"}}': 1 - v / (1 - OBJECTIVES[slo]) for slo, v in SLO_ERRORS.items()},
}

ORGANIZATION = 'organization_id="o1"'
APPLICATION_SERIES = {
    **requests(60, 540, 1600),
    **histogram("http_request_duration_seconds", API, {"0.1": 50, "0.5": 90, "1": 100}, 1600),
    **histogram("db_query_duration_seconds", API + ',table="tasks"', {"0.01": 50, "0.05": 90, "0.1": 100}, 1600),
    f'cache_hits_total{{{API},cache_type="session"}}': "0+3x1600",
    f'cache_misses_total{{{API},cache_type="session"}}': "0+1x1600",
    f'tasks_created_total{{{API},{ORGANIZATION},project_id="p1"}}': "0+60x1600",
    f'tasks_completed_total{{{API},{ORGANIZATION},project_id="p1"}}': "0+30x1600",
    'celery_tasks_total{job="celery",task_name="send",status="success"}': "0+6x1600",
    f'active_users{{{API},{ORGANIZATION}}}': "7x1600",
}
JOB = 'job="taskmanager-api"'
APPLICATION_VALUES = {
    f'job_endpoint:http_requests:rate5m{{{JOB},endpoint="/tasks"}}': 10,
    f"job:http_request_duration_seconds:p95_5m{{{JOB}}}": 0.75,
    f"job:http_request_duration_seconds:p99_5m{{{JOB}}}": 0.95,
    f"job:db_query_duration_seconds:p95_5m{{{JOB}}}": 0.075,
    f"job:cache_hits:ratio_rate5m{{{JOB}}}": 0.75,
    f"organization_id:tasks_created:rate1h{{{ORGANIZATION}}}": 1,
    f"organization_id:tasks_completed:rate1h{{{ORGANIZATION}}}": 0.5,
    f"organization_id:task_completion:ratio_rate24h{{{ORGANIZATION}}}": 0.5,
    **{f"{name}:increase{interval}{labels}": a_minute * minutes
       for interval, minutes in (("5m", 5), ("1h", 60))
       for name, labels, a_minute in (
           ("job_endpoint_status:http_requests", f'{{{JOB},endpoint="/tasks",status="500"}}', 60),
           ("job_le:http_request_duration_seconds_bucket", f'{{{JOB},le="0.5"}}', 90),
           ("job_le:db_query_duration_seconds_bucket", f'{{{JOB},le="0.01"}}', 50),
           ("job_task_name_status:celery_tasks", '{job="celery",task_name="send",status="success"}', 6),
           ("organization_id:tasks_created", f"{{{ORGANIZATION}}}", 60),
           ("organization_id:tasks_completed", f"{{{ORGANIZATION}}}", 30))},
    **{f"organization_id:active_users:avg{interval}{{{ORGANIZATION}}}": 7 for interval in ("5m", "1h")},
}


def description_of(alert, labels):
    """The rule's own, which has no templates."""
    # Of several with its name, that which says most of its labels.
    rule = max((r for r in RULES if r.get("alert") == alert and r["labels"].items() <= labels.items()), key=lambda r: len(r["labels"]))
    assert "{{" not in rule["annotations"]["description"]
    return rule["annotations"]["description"]


def firing(name, labels, summary):
    return [{"exp_labels": labels, "exp_annotations": {"summary": summary, "description": description_of(name, labels)}}] if summary else []


def case(series, interval="1m", **more):
    return {"interval": interval, "input_series": [{"series": s, "values": v} for s, v in series.items()], **more}


def promtool(tmp_path, files, cases, every="1m"):
    """Rules are computed that often. Each then only sees what is no older than 5 minutes: in the order of the files."""
    file = tmp_path / "rules.test.yml"
    order = [group["name"] for f in files for group in yaml.safe_load(f.read_text())["groups"]]
    file.write_text(yaml.safe_dump({"rule_files": [str(f) for f in files], "evaluation_interval": every,
                                    "group_eval_order": order, "tests": cases}))
    done = subprocess.run([tool("promtool"), "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file, every, alerts", [
    ("gateway.yml", "1m", [a for a in ALERTS if a.name.startswith("Tallygate")]),
    ("jobs.yml", "30m", [a for a in ALERTS if not a.name.startswith("Tallygate")])])
def test_each_alert_fires_when_it_should(tmp_path, file, every, alerts):
    cases = [case(a.series, alert_rule_test=[{"alertname": a.name, "eval_time": a.at, "exp_alerts": firing(a.name, a.labels, a.summary)}])
             for a in alerts]
    promtool(tmp_path, [OBSERVABILITY / "rules" / file], cases, every)


@pytest.mark.parametrize("window, every", [("1h", "1m"), ("6h", "5m"), ("1d", "30m"), ("3d", "30m")])
def test_the_error_budget_burns(tmp_path, window, every):
    """Slower windows fire with faster ones: only the one that is asked for is looked at."""
    cases = []
    for b in (b for b in BURNS if b.labels["window"] == window):
        labels = ",".join(f'{k}="{v}"' for k, v in {"alertname": "ErrorBudgetBurn", "alertstate": "firing", **b.labels}.items())
        found = [{"labels": f"ALERTS{{{labels}}}", "value": 1}] if b.fires else []
        cases.append(case(b.series, promql_expr_test=[{"expr": f"ALERTS{{{labels}}}", "eval_time": b.at, "exp_samples": found}]))
    promtool(tmp_path, [OBSERVABILITY / "rules" / "slo.yml"], cases, every)


def test_the_fastest_burn_has_its_text(tmp_path):
    window = BURNS[0]
    sums = {"slo:error:ratio_rate1h": "0.02x60", "slo:error:ratio_rate5m": "0.02x60", "slo:objective:ratio": "0.999x60"}
    only = tmp_path / "burn.yml"
    alert = next(r for r in RULES if r.get("alert") == "ErrorBudgetBurn")
    only.write_text(yaml.safe_dump({"groups": [{"name": "burn", "rules": [alert]}]}))
    text = "availability: 2% of the last 1h failed, which spends its error budget 14.4 times too fast"
    promtool(tmp_path, [only], [case({f'{name}{{slo="availability"}}': v for name, v in sums.items()}, alert_rule_test=[
        {"alertname": "ErrorBudgetBurn", "eval_time": "3m", "exp_alerts": firing("ErrorBudgetBurn", window.labels, text)}])])


def slo_alert(series, alert, at, expected):
    return case(series, alert_rule_test=[{"alertname": alert, "eval_time": at, "exp_alerts": expected}])


def test_the_error_budget_is_low(tmp_path):
    """90 % of the budget: 0.9 of 1,000 requests."""
    labels = {"slo": "availability", "severity": "warning"}
    low = firing("ErrorBudgetLow", labels, "5% of the error budget of availability is left")
    promtool(tmp_path, [OBSERVABILITY / "rules" / "slo.yml"],
             [slo_alert(requests(95, 99905, 300), "ErrorBudgetLow", "4h", low),
              slo_alert(requests(85, 99915, 300), "ErrorBudgetLow", "4h", []),
              slo_alert(requests(0, 100000, 300), "ErrorBudgetLow", "4h", [])])


def test_an_objective_without_data(tmp_path):
    missing = [{**firing("SLOWithoutData", {"slo": slo, "severity": "warning"}, f"Nothing is known of the objective {slo}")[0]}
               for slo in ("latency-p95", "database-p95")]
    without_bucket = {**requests(0, 1, 200), **histogram("http_request_duration_seconds", API, {"0.1": 50, "0.5": 98}, 200)}
    promtool(tmp_path, [OBSERVABILITY / "rules" / "slo.yml"],
             [slo_alert(without_bucket, "SLOWithoutData", "2h", missing), slo_alert(SLO_SERIES, "SLOWithoutData", "2h", [])])


def values(expected, at):
    """A product of floats differs in its last digits."""
    return [{"expr": f"round({name}, 0.0001)", "eval_time": at,
             "exp_samples": [{"labels": name[name.index("{"):], "value": round(value, 4)}]} for name, value in expected.items()]


def test_recording_rules_of_objectives(tmp_path):
    promtool(tmp_path, [OBSERVABILITY / "rules" / "slo.yml"], [case(SLO_SERIES, promql_expr_test=values(SLO_VALUES, "74h"))], "1h")


def test_recording_rules_of_the_application(tmp_path):
    files = [OBSERVABILITY / "rules" / f for f in ("application.yml", "downsampling.yml")]
    promtool(tmp_path, files, [case(APPLICATION_SERIES, promql_expr_test=values(APPLICATION_VALUES, "25h"))], "1h")


def test_an_api_of_which_every_request_fails(tmp_path):
    """There is no series of an answer that is not 5xx; nor, in a good day, one of a 5xx."""
    all_fail = {f'http_requests_total{{{API},endpoint="/",status="500"}}': "0+1x60"}
    none_fails = {f'http_requests_total{{{API},endpoint="/",status="200"}}': "0+1x60"}
    promtool(tmp_path, [OBSERVABILITY / "rules" / "slo.yml"],
             [case(series, promql_expr_test=values({'slo:error:ratio_rate5m{slo="availability"}': ratio}, "30m"))
              for series, ratio in ((all_fail, 1), (none_fails, 0))])


def test_no_rule_is_left_out():
    said = {v for r in RULES for v in r.get("labels", {}).values()}  # by a rule, and not by its series
    key = lambda name, labels: (name, *(labels.get(k) if labels.get(k) in said else None for k in ("limit", "window", "reason")
                                        if k != "reason" or name == "SummedCountsDoubtful"))
    alerts = {key(r["alert"], r["labels"]) for r in RULES if "alert" in r}
    own_tests = {key(n, {}) for n in ("ErrorBudgetLow", "SLOWithoutData")}
    assert alerts == {key(a.name, a.labels) for a in ALERTS if a.summary} | {key("ErrorBudgetBurn", b.labels) for b in BURNS} | own_tests
    assert {r["alert"] for r in RULES if "alert" in r} == {a.name for a in ALERTS if not a.summary} | {"ErrorBudgetBurn", *(n for n, *_ in own_tests)}
    assert {b.labels["window"] for b in BURNS if b.fires} == {b.labels["window"] for b in BURNS if not b.fires}
    records = {(r["record"], r.get("labels", {}).get("slo")) for r in RULES if "record" in r}
    tested = {(name[:name.index("{")], slo[1] if (slo := re.search(r'slo="(.*?)"', name)) else None) for name in {**SLO_VALUES, **APPLICATION_VALUES}}
    # Of one rule for every objective.
    tested = {(n, None if n in ("slo:error:ratio_rate30d", "slo:error_budget_left:ratio") else slo) for n, slo in tested}
    assert records == tested
