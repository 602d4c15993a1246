"""Summed groups over HTTP: the tables of what is said and what is then shown, each also after a restart."""
import contextlib
import json
import re

import pytest

from exposition import scrape
from gateway import Gateway, eventually

START = 1732620000
COUNTER, GAUGE = "counter", "gauge"


def body(values, kind=COUNTER, start=None):
    """`values`: by name."""
    lines = [f"# TYPE {name} {kind}\n{name} {value}\n" for name, value in values.items()]
    if start:
        lines.append(f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {START + start}\n")
    return "".join(lines)


def push(source, start=None, kind=COUNTER, method="POST", final=False, **values):
    def step(g):
        path = f"/sum/metrics/job/j/pid/{source}" + ("/__final__/1" if final else "")
        r = g.request(method, path, body(values, kind, start))
        assert r.status == 200, r.text
        return r
    return step


def end(source):
    def step(g):
        assert g.request("DELETE", f"/sum/metrics/job/j/pid/{source}").status == 202
    return step


def plain(**values):
    def step(g):
        assert g.put("j", body(values)).status == 200
    return step


def histogram(source, buckets, total):
    def step(g):
        lines = "".join(f'h_bucket{{le="{le}"}} {n}\n' for le, n in buckets.items())
        text = f'# TYPE h histogram\n{lines}h_bucket{{le="+Inf"}} {total}\nh_sum {total}\nh_count {total}\n'
        assert g.request("POST", f"/sum/metrics/job/j/pid/{source}", text).status == 200
    return step


def kill(g):
    g.kill()


def shown(g):
    """What the group shows but for its times."""
    found = re.findall(r'^([a-z_]+)\{instance="",job="j"((?:,le="[^"]*")?)\} (\S+)$', g.get("/metrics").text, re.M)
    return {name + le.replace(",le=", ":").replace('"', ""): float(value) for name, le, value in found
            if not name.startswith("pushgateway_") and name not in ("push_time_seconds", "push_failure_time_seconds", "process_start_time_seconds")}


FRACTIONS = [push("a", x=0.1), push("b", x=0.2), push("c", x=0.3)]
TABLE = {
    "a retry": ([push("a", c=5), push("b", c=3), push("a", c=5)], {"c": 8}),
    "an end": ([push("a", c=5), end("a"), push("b", c=3)], {"c": 8}),
    "an end with the push": ([push("a", c=5, final=True), push("b", c=3)], {"c": 8}),
    "the same start after the end": ([push("a", 100, c=5), end("a"), push("a", 100, c=7)], {"c": 7}),
    "a new start": ([push("a", 100, c=5), push("a", 200, c=2)], {"c": 7}),
    "late": ([push("a", 100, c=5), push("a", 100, c=3)], {"c": 5}),
    "two processes of one name": ([push("a", 200, c=5), push("a", 100, c=9), push("a", 200, c=6)], {"c": 15}),
    "no start": ([push("a", c=5), push("a", c=2)], {"c": 7}),
    "left out of a PUT": ([push("a", method="PUT", c=5, d=1), push("a", method="PUT", d=2), push("a", method="PUT", c=6)],
                          {"c": 6, "d": 2}),
    "killed after the answer": ([push("a", c=5), kill], {"c": 5}),
    "fractions": (FRACTIONS, {"x": 0.6}),
    "fractions, the other way round": (FRACTIONS[::-1], {"x": 0.6}),
    "fractions, one ended": ([FRACTIONS[1], end("b"), FRACTIONS[0], FRACTIONS[2]], {"x": 0.6}),
    "layouts": ([histogram("a", {1: 10}, 10), histogram("b", {2: 1}, 1)],
                {"h_bucket:2": 11, "h_bucket:+Inf": 11, "h_sum": 11, "h_count": 11}),
    "live gauges": ([push("a", kind=GAUGE, x_in_progress=2), push("b", kind=GAUGE, x_in_progress=3), end("b")], {"x_in_progress": 2}),
    "a plain group before": ([plain(c=4), push("a", c=5)], {"c": 9}),
    "a plain group of the whole key": ([lambda g: g.put("j/pid/a", body({"c": 5})), push("a", c=5)], {"c": 5}),
    "gauges of the last": ([push("a", kind=GAUGE, q=2), push("b", kind=GAUGE, q=3), end("b")], {"q": 3}),
    "runtimes": ([push("a", kind=GAUGE, go_goroutines=7, python_info=1), push("a", c=1)], {"c": 1}),
}


@pytest.fixture
def restartable(tmp_path):
    """Calls gateway() for the one at hand, again() for the next one on its database."""
    class Restartable:
        def __init__(self):
            self.running = None
            self.flags = []

        def start(self, *flags):
            self.flags = flags or self.flags
            self.running = Gateway(*self.flags, database=tmp_path / "tallygate.db").start()
            return self.running

        def again(self):
            if self.running.process.poll() is None:
                self.running.terminate()
            return self.start()

    r = Restartable()
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: r.running and r.running.process.poll() is None and r.running.terminate())
        yield r


def run_steps(restartable, steps, want):
    """What is shown afterwards is the same after a restart; returns the gateway that has restarted."""
    g = restartable.start()
    for step in steps:
        step(g)
        if g.process.poll() is not None:
            g = restartable.again()
    assert shown(g) == want
    g = restartable.again()
    assert shown(g) == want
    return g


@pytest.mark.parametrize("case", TABLE)
def test_what_is_shown(restartable, case):
    g = run_steps(restartable, *TABLE[case])
    assert scrape(g).text.count('pid="') == 0


def test_a_reset_without_a_start_is_said(restartable):
    g = restartable.start()
    push("a", c=5)(g)
    r = push("a", c=2)(g)
    assert r.headers["X-Pushgateway-Warning"] == "reset-assumed"
    assert scrape(g).get("pushgateway_resets_assumed_total", job="j") == 1
    (source,) = json.loads(g.get("/api/v1/groups/sources").body)["data"]["sources"]
    assert source["reset_assumed_time"] == source["push_time"]
    eventually(lambda: 'msg="push taken, but look at it"' in g.log and "__start__" in g.log, "it is logged")
    push("a", c=1)(g)
    push("a", c=0)(g)
    r = g.request("POST", "/sum/metrics/job/j/pid/a", body({"c": 0.0}) + body({"d": 3}))
    assert r.status == 200, "no reset: nothing fell"
    push("b", c=7)(g)
    push("a", c=5)(g)
    r = g.request("POST", "/sum/metrics/job/j/pid/a", body({"c": 4}))
    assert r.status == 409 and "ProcessCollector(registry=" in r.text and "__start__" in r.text
    assert shown(g) == {"c": 5 + 2 + 1 + 5 + 7, "d": 3}
    assert scrape(g).get("pushgateway_rejected_pushes_total", reason="conflict") == 1


def test_inherited_counts_are_said(restartable):
    g = restartable.start()
    created = START + 90
    text = (f"# TYPE c counter\nc_total 5\nc_created {created}\n# TYPE process_start_time_seconds gauge\n"
            f"process_start_time_seconds {START + 100}\n# EOF\n")
    r = g.request("POST", "/sum/metrics/job/j/pid/a", text, {"Content-Type": "application/openmetrics-text"})
    assert (r.status, r.headers["X-Pushgateway-Warning"]) == (200, "inherited-counts")
    assert scrape(g).get("pushgateway_inherited_counts_total", job="j") == 1


def test_a_plain_push_to_a_summed_group(restartable):
    g = restartable.start()
    push("a", c=5)(g)
    r = g.put("j", body({"c": 1}))
    assert r.status == 409, r.text
    assert "/sum/metrics/job/" in r.text
    g = restartable.again()
    assert g.put("j", body({"c": 1})).status == 409
    assert g.request("DELETE", "/sum/metrics/job/j").status == 202
    assert g.put("j", body({"c": 1})).status == 200
    assert shown(g) == {"c": 1}


def test_increments_and_sums_do_not_mix(restartable):
    g = restartable.start()
    push("a", c=5)(g)
    r = g.request("POST", "/add/metrics/job/j", body({"c": 1}))
    assert r.status == 409 and "push to /sum/metrics/job/" in r.text
    assert g.request("POST", "/add/metrics/job/added", body({"c": 1})).status == 200
    g = restartable.again()
    r = g.request("POST", "/sum/metrics/job/added/pid/1", body({"c": 1}))
    assert r.status == 409 and "push to /add/metrics/job/" in r.text
    assert "push_failure_time_seconds{instance=\"\",job=\"added\"} 0" in g.get("/metrics").text
    assert shown(g) == {"c": 5}


@pytest.mark.parametrize("count", ["-1", "NaN", "+Inf"])
def test_summaries_whose_count_is_none(restartable, count):
    g = restartable.start()
    r = g.request("POST", "/sum/metrics/job/j/pid/a", f"# TYPE s summary\ns_count {count}\ns_sum 1\n")
    assert r.status == 400 and '"s"' in r.text
    assert shown(g) == {}


def test_no_source(restartable):
    g = restartable.start()
    r = g.request("POST", "/sum/metrics/job/j", body({"c": 1}))
    assert r.status == 400
    assert 'grouping_key={"instance": socket.gethostname(), "pid": str(os.getpid())}' in r.text
    assert shown(g) == {}
    assert g.request("POST", "/sum/metrics/job/j", body({"c": 1}, start=1)).status == 200
    assert g.request("POST", "/sum/metrics/job/j", body({"c": 2}, start=2)).status == 200
    assert shown(g) == {"c": 3}
    r = g.request("DELETE", "/sum/metrics/job/j")
    assert r.status == 409 and "/api/v1/" in r.text, "its sources are starts: the URL cannot name one"


@pytest.mark.parametrize("value", ["-1", "NaN", "+Inf"])
def test_counts_that_are_none(restartable, value):
    g = restartable.start()
    push("a", c=1)(g)
    r = g.request("POST", "/sum/metrics/job/j/pid/a", body({"c": value}))
    assert r.status == 400 and '"c"' in r.text
    assert shown(g) == {"c": 1}


# ---- add ----

def add(path="", **values):
    def step(g):
        r = g.request("POST", f"/add/metrics/job/j{path}", body(values))
        assert r.status == 200, r.text
        return r
    return step


ADDED = {
    "increments": ([add(c=5), add(c=5), add(c=3)], {"c": 13}),
    "source labels vanish": ([add("/pid/1", c=5), add("/pid/2/instance/x", c=5)], {"c": 10}),
    "a push id": ([add("/__push_id__/k", c=5), add("/__push_id__/k", c=5), add("/__push_id__/l", c=5)], {"c": 10}),
    "killed": ([add(c=5), kill, add(c=5)], {"c": 10}),
    "a source that is deleted": ([add("/pid/1", c=5), lambda g: g.request("DELETE", "/add/metrics/job/j/pid/1")], {"c": 5}),
    "a plain group before": ([plain(c=4), add(c=5)], {"c": 9}),
    "fractions": ([add(x=0.1), add(x=0.2), add(x=0.3)], {"x": 0.6}),
}


@pytest.mark.parametrize("case", ADDED)
def test_what_is_added(restartable, case):
    run_steps(restartable, *ADDED[case])


# ---- who says it ----

def test_every_way_of_saying_it(restartable, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"by-rule\"}'\n  mode: sum\n  source_labels: [task]\n")
    g = restartable.start(f"--config.file={rules}", "--push.sum={job=\"by-flag\"}", "--push.add={job=\"adds\"}")
    ways = {"/sum/metrics/job/prefix/pid/": "prefix", "/metrics/job/label/__mode__/sum/pid/": "label",
            "/metrics/job/by-rule/task/": "by-rule", "/metrics/job/by-flag/worker/": "by-flag",
            "/sum/metrics/job/source/__source__/": "source", "/sum/metrics/job@base64/ZW5jb2RlZA/__source__@base64/": "encoded"}
    for path, job in ways.items():
        for source, value in (("YQ", 5), ("Yg", 3), ("YQ", 6)):
            assert g.request("PUT", path + source, body({"c_total": value})).status == 200
    for value in (1, 2):
        assert g.put("adds", body({"c_total": value})).status == 200
    for restarted in (False, True):
        s = scrape(restartable.again() if restarted else g)
        assert {job: s.pushed("c_total", job) for job in ways.values()} == dict.fromkeys(ways.values(), 9)
        assert s.pushed("c_total", "adds") == 3


def test_below_a_route_prefix():
    with Gateway("--web.route-prefix=/gw", ready="/gw/-/ready") as g:
        for source, value in (("a", 5), ("b", 3)):
            assert g.request("PUT", f"/gw/sum/metrics/job/j/pid/{source}", body({"c": value})).status == 200
        assert 'c{instance="",job="j"} 8' in g.get("/gw/metrics").text
        assert g.request("PUT", "/sum/metrics/job/j/pid/a", body({"c": 1})).status == 404


def test_silent_sources(restartable, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"j\"}'\n  source_ttl: 500ms\n  gauges: {m: max, l: livesum}\n")
    g = restartable.start(f"--config.file={rules}")
    push("a", 100, c=5)(g)
    push("b", 100, kind=GAUGE, m=3, l=3)(g)
    eventually(lambda: "l" not in shown(g), "the live gauge of a silent source goes")
    assert shown(g) == {"c": 5, "m": 3}
    g = restartable.again()
    push("a", 100, c=9)(g)
    push("a", 100, kind=GAUGE, l=2)(g)
    assert shown(g)["c"] == 9


def test_a_push_id_after_a_restart(restartable):
    g = restartable.start()
    add("/__push_id__/k", c=5)(g)
    g = restartable.again()
    add("/__push_id__/k", c=5)(g)
    assert shown(g) == {"c": 5}


def test_repeated_adds_are_said(restartable):
    g = restartable.start()
    text = body({"c": 1}, start=100)
    assert "X-Pushgateway-Warning" not in g.request("POST", "/add/metrics/job/j", text).headers
    r = g.request("POST", "/add/metrics/job/j", text)
    assert (r.status, r.headers["X-Pushgateway-Warning"]) == (200, "add-repeated")
    assert scrape(g).get("pushgateway_repeated_adds_total", job="j") == 1


def test_zero_first(restartable, tmp_path):
    g = restartable.start("--push.zero-first=1s")
    push("a", c=5)(g)
    assert shown(g) == {"c": 0}
    eventually(lambda: shown(g) == {"c": 5}, "the value comes")


def test_a_source_that_was_folded_comes_back_after_a_restart(restartable, tmp_path):
    """What it had said is in the base, which its first push is taken out of."""
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{}'\n  mode: sum\n  limits: {sources: 1}\n")
    g = restartable.start(f"--config.file={rules}")
    push("a", 100, c=5)(g)
    for n in range(70):
        push(f"b{n}", 100, c=1)(g)
    sources = g.get("/api/v1/groups/sources").text
    assert '"pid":"a"' not in sources and '"total":71' not in sources, "some are folded, the one silent for longest among them"
    g = restartable.again()
    push("a", 100, c=7, d=4)(g)
    assert shown(g) == {"c": 5 + 70, "d": 4}
    push("a", 100, c=9, d=4)(g)
    assert shown(g) == {"c": 7 + 70, "d": 4}
    g = restartable.again()
    push("a", 200, c=2)(g)
    assert shown(g) == {"c": 9 + 70, "d": 4}


def test_the_api_shows_the_mode(restartable):
    g = restartable.start()
    push("a", c=5)(g)
    push("b", c=3)(g)
    assert g.request("POST", "/add/metrics/job/k", body({"mode": 5})).status == 200
    assert g.put("plain", body({"c": 1})).status == 200
    for restarted in (False, True):
        g = restartable.again() if restarted else g
        shown_by = {d["labels"]["job"]: d for d in json.loads(g.get("/api/v1/metrics").body)["data"]}
        assert {job: d.get("mode") for job, d in shown_by.items()} == {"j": "sum", "k": "add", "plain": None}
        assert shown_by["j"]["c"]["metrics"] == [{"labels": {"job": "j", "instance": ""}, "value": "8"}]
        listed = {x["labels"]["job"]: x for x in json.loads(g.get("/api/v1/groups").body)["data"]["groups"]}
        assert {job: (x["mode"], x.get("sources")) for job, x in listed.items()} == {
            "j": ("sum", 2), "k": ("add", None), "plain": ("group", None)}


def test_limits_of_a_rule(restartable, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"j\"}'\n  mode: sum\n  limits: {series: 2}\n")
    g = restartable.start(f"--config.file={rules}")
    push("a", c=5, d=1)(g)
    r = g.request("POST", "/sum/metrics/job/j/pid/b", body({"c": 1, "e": 1}))
    assert r.status == 507 and "limits" in r.text and "2" in r.text
    push("b", c=3)(g)
    assert shown(g) == {"c": 8, "d": 1}


def test_only_a_rule_ends_a_summed_group(restartable, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"ends\"}'\n  ttl: 300ms\n")
    g = restartable.start(f"--config.file={rules}", "--push.ttl=300ms")
    push("a", c=5)(g)
    r = g.request("POST", "/sum/metrics/job/j/__ttl__/1s", body({"c": 1}, start=1))
    assert r.status == 400 and "__source__/4711/__ttl__/15m" in r.text
    assert g.request("POST", "/sum/metrics/job/ends/pid/1", body({"c": 1})).status == 200
    assert g.put("plain", body({"c": 1})).status == 200
    eventually(lambda: 'c{instance="",job="ends"}' not in g.get("/metrics").text, "the rule ends it")
    eventually(lambda: 'c{instance="",job="plain"}' not in g.get("/metrics").text, "the flag ends plain groups")
    assert shown(g) == {"c": 5}


def test_a_time_of_the_source_itself(restartable):
    """__ttl__ in a URL that names a source is that source's."""
    g = restartable.start()
    assert g.request("POST", "/sum/metrics/job/j/pid/a/__ttl__/300ms", body({"x_active": 2, "c": 1}, GAUGE)).status == 200
    push("b", kind=GAUGE, x_active=3)(g)
    assert shown(g)["x_active"] == 5
    eventually(lambda: shown(g) == {"c": 1, "x_active": 3}, "what it has of live gauges goes")
    assert g.request("DELETE", "/sum/metrics/job/j").status == 202
    assert shown(g) == {}


def sources(g):
    return json.loads(g.get("/api/v1/groups/sources").body)["data"]["total"]


def test_fold_after(restartable, tmp_path):
    """A source that is silent for that long is no longer kept; its counts stay, and it counts on from what it says next."""
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{}'\n  source_ttl: 100ms\n")
    g = restartable.start("--merge.fold-after=500ms", f"--config.file={rules}")
    push("a", 100, c=5)(g)
    eventually(lambda: sources(g) == 0, "it is folded")
    assert shown(g) == {"c": 5}
    push("a", 100, c=7)(g)
    assert shown(g) == {"c": 5}
    push("a", 100, c=9)(g)
    assert shown(g) == {"c": 7}
    g = restartable.again()
    push("a", 200, c=1)(g)
    assert shown(g) == {"c": 8}


def test_values_of_all_sources(restartable):
    """Over the limit sources that are not live are folded; what then has no room is refused. Each has two: a count, a start."""
    g = restartable.start("--limits.source-values=20")
    for n in range(30):
        push(f"ended{n}", 100, c=1, final=True)(g)
    assert shown(g) == {"c": 30}
    assert sources(g) <= 10
    live = {f"live{n}": push(f"live{n}", 100, c=1) for n in range(10)}
    for step in live.values():
        step(g)
    r = g.request("POST", "/sum/metrics/job/j/pid/more", body({"c": 1}, start=100))
    assert r.status == 507 and "--limits.source-values" in r.text and "__final__/1" in r.text
    assert g.request("POST", "/sum/metrics/job/other/pid/more", body({"c": 1})).status == 507
    assert 'job="other"' not in g.get("/metrics").text, "nothing of it is there, no failure either"
    live["live0"](g)
    assert shown(g) == {"c": 40}
