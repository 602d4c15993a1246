"""deploy/observability as its own programs read it: each file checked, and what is generated up to date."""
import json
import re
import subprocess

import pytest
import yaml

from dashboards import FILES as DASHBOARDS
from dashboards import load, queries
from tools import OBSERVABILITY, ROOT, tool


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(name):
    return yaml.safe_load((OBSERVABILITY / name).read_text())


def test_what_is_generated_is_up_to_date(tmp_path):
    """Rules and dashboards are made of mixin/; whoever changes them there runs deploy/observability/generate."""
    run(OBSERVABILITY / "generate", tmp_path)
    for folder in ("rules", "dashboards"):
        made = {f.name: f.read_text() for f in (tmp_path / folder).iterdir()}
        assert made == {f.name: f.read_text() for f in (OBSERVABILITY / folder).iterdir()}, folder


def mixin(fields, changes="{}"):
    made = ", ".join(f"{field}: mixin.{field}" for field in fields)
    return json.loads(run(tool("jsonnet"), "-e", f"local mixin = (import '{OBSERVABILITY}/mixin/mixin.libsonnet') + {changes}; {{ {made} }}"))


MIXIN = ("grafanaDashboards", "prometheusAlerts", "prometheusRules")


def test_it_is_a_mixin_as_others_are():
    made = mixin(MIXIN)
    files = [read(f"rules/{f.name}") for f in (OBSERVABILITY / "rules").iterdir()]
    for key, kind in (("prometheusAlerts", "alert"), ("prometheusRules", "record")):
        rules = [r for g in made[key]["groups"] for r in g["rules"]]
        assert len(rules) == sum(kind in r for f in files for g in f["groups"] for r in g["rules"])
        assert all(kind in r for r in rules)
    assert made["grafanaDashboards"] == {f.name: load(f) for f in DASHBOARDS}


def test_the_mixin_can_be_configured():
    made = json.dumps(mixin(MIXIN, "{ _config+:: { tallygate: 'job=\"pushgateway\"', nearLimit: '0.77' } }"))
    assert 'job=\\"tallygate\\"' not in made and 'job=\\"pushgateway\\"' in made and "> 0.77" in made and "> 0.8" not in made


def test_jsonnet_is_formatted():
    sources = [*(OBSERVABILITY / "mixin").rglob("*.libsonnet"), *(OBSERVABILITY / "mixin").rglob("*.jsonnet")]
    run(tool("jsonnetfmt"), "--test", *sources)


def test_prometheus_takes_its_configuration():
    run(tool("promtool"), "check", "config", OBSERVABILITY / "prometheus.yml")
    run(tool("promtool"), "check", "config", ROOT / "deploy" / "prometheus.yml")


def test_each_job_of_pushes_keeps_its_labels_and_each_has_a_limit():
    jobs = {job["job_name"]: job for job in read("prometheus.yml")["scrape_configs"]}
    assert [name for name, job in jobs.items() if job.get("honor_labels")] == ["tallygate", "cloudwatch"]
    assert all(job["sample_limit"] > 0 for job in jobs.values())
    assert mixin(["_config"])["_config"]["sampleLimit"] == jobs["tallygate"]["sample_limit"], "what the alert takes it to be"


@pytest.mark.parametrize("labels, receiver", [
    (["alertname=TallygateDown", "severity=critical"], "pager"),
    (["alertname=ErrorBudgetLow", "severity=warning", "slo=availability"], "team"),
    (["alertname=GroupStale", "severity=info", "job=backup"], "nobody"),
])
def test_who_is_told(labels, receiver):
    file = OBSERVABILITY / "alertmanager.yml"
    run(tool("amtool"), "check-config", file)
    assert run(tool("amtool"), "config", "routes", "test", f"--config.file={file}", *labels).split() == [receiver]


def snake_case(name):
    """As cloudwatch_exporter does."""
    return re.sub(r"[^a-zA-Z0-9_]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)).lower()


def cloudwatch_series():
    """Each metric that cloudwatch_exporter makes of cloudwatch.yml, with its labels."""
    return {f"{snake_case(m['aws_namespace'].lower())}_{snake_case(m['aws_metric_name'])}_{snake_case(statistic)}":
            [snake_case(d) for d in m["aws_dimensions"]]
            for m in read("cloudwatch.yml")["metrics"] for statistic in m["aws_statistics"]}


def test_cloudwatch_is_asked_for_what_is_shown():
    exported = cloudwatch_series()
    dashboard = load(OBSERVABILITY / "dashboards" / "infrastructure.json")
    shown = {name for _, expression in queries(dashboard) for name in re.findall(r"\b(?:aws|ecs)_\w+", expression)}
    assert len(shown) > 10 and shown <= set(exported), shown - set(exported)
    assert exported["aws_rds_database_connections_average"] == ["dbinstance_identifier"]
    assert exported["aws_elasticache_cache_hits_sum"] == ["cache_cluster_id"]


def test_cloudwatch_values_are_not_too_old_to_be_seen():
    assert read("cloudwatch.yml")["set_timestamp"] is False


@pytest.fixture(scope="module")
def typescript(tmp_path_factory):
    """Compiles dashboards with Grafana's types; each file that is wrong, with what is wrong."""
    directory = tmp_path_factory.mktemp("grafana")
    (directory / "node_modules").symlink_to(ROOT / "build" / "tools" / "grafana" / "node_modules")
    (directory / "dashboard.ts").write_text((ROOT / "tests" / "deploy" / "grafana" / "dashboard.ts").read_text())
    options = {"noEmit": True, "strict": True, "skipLibCheck": True, "moduleResolution": "node10", "module": "commonjs",
               "target": "es2022", "types": []}
    (directory / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))

    def compile(sources):
        for name, text in sources.items():
            (directory / f"{name}.ts").write_text(f"import type {{ Checked }} from './dashboard';\nexport const it: Checked = {text};\n")
        done = subprocess.run([tool("node"), "node_modules/typescript/bin/tsc", "-p", "."], cwd=directory, capture_output=True, text=True)
        wrong = {m[1]: m[0] for m in re.finditer(r"^([\w-]+)\.ts\(.*", done.stdout, re.M)}
        assert bool(done.returncode) == bool(wrong), done.stdout + done.stderr
        return wrong
    return compile


def test_dashboards_are_what_grafana_has_types_for(typescript):
    """And mistakes in them are found."""
    sources = {f.stem: f.read_text() for f in DASHBOARDS}
    changes = {"a value": ('"colorMode": "value"', '"colorMode": "valu"'), "a name": ('"gridPos": {"h": 4', '"gridPos": {"hh": 4'),
               "a number": ('"refresh": 2', '"refresh": 9'), "a type": ('"type": "timeseries"', '"type": "graph"'),
               "a query": ('"expr":', '"expression":'), "an option": ('"fillOpacity": 10', '"fillOpacty": 10')}
    good = sources["gateway"]
    assert all(old in good for old, _ in changes.values())
    broken = {f"wrong-{i}": good.replace(old, new) for i, (old, new) in enumerate(changes.values())}
    wrong = typescript({**sources, **broken})
    assert set(wrong) == set(broken), "\n".join(wrong.values())


def test_dashboards_have_names_of_their_own_and_no_panel_covers_another():
    made = [load(f) for f in DASHBOARDS]
    assert len({d["uid"] for d in made}) == len({d["title"] for d in made}) == len(made)
    for d in made:
        covered = set()
        for panel in d["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & covered and at["x"] + at["w"] <= 24, (d["title"], panel["title"])
            covered |= cells


def test_the_document_tells_of_each_alert():
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", (OBSERVABILITY / "README.md").read_text(), re.M)
    told = {(name, severity) for name, severities in rows for severity in severities.split(", ")}
    rules = [r for f in (OBSERVABILITY / "rules").iterdir() for g in yaml.safe_load(f.read_text())["groups"] for r in g["rules"]]
    assert told == {(r["alert"], r["labels"]["severity"]) for r in rules if "alert" in r}
