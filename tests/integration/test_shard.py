"""GET /metrics?shard=i/n: all shards together are exactly the whole scrape, and nothing is in two of them."""
import json
import random
import re
import threading
from collections import Counter
from pathlib import Path

import pytest

from gateway import Gateway, eventually
from strict import FORMATS, PROTO, scrapes
from test_formats import EVERYTHING, put_proto, split
from test_prometheus import Prometheus
from test_scrape_part import OWN

# Not what the gateway adds to a group.
OWN_NAME = re.compile(rb"(# \w+ )?(process_|pushgateway_(?!group_expired|job_overdue|next_push|group_failing_sources))")
README = Path(__file__).parents[2] / "deploy" / "README.md"


def is_own(line):
    return bool(OWN_NAME.match(line))


def shard(gateway, i, n, more="", status=200):
    r = gateway.get(f"/metrics?shard={i}/{n}{more}")
    assert r.status == status, r
    return r


def lines(body):
    """Samples of what was pushed; headers are there once for each shard that has some of the family."""
    return Counter(line for line in body.splitlines() if not line.startswith(b"#") and not is_own(line))


def headers(body):
    return {line for line in body.splitlines() if line.startswith(b"#") and not is_own(line)}


def fill(gateway, rng, n):
    """Groups of all kinds: with odd names, summed, refused, with a lifetime, of one series or of pages of them."""
    for i in range(n):
        key = rng.choice(["a", "b", f"job{i}"]) + rng.choice(["", f"/instance/{i}", f"/z/{i}/a/{rng.randrange(3)}", "/U__l_2e_m/v"])
        kind = rng.randrange(7)
        if kind == 0:
            put_proto(gateway, f"{key}/everything/{i}/__ttl__/1d", EVERYTHING)
        elif kind == 1:
            for pid in range(rng.randrange(1, 4)):
                assert gateway.request("POST", f"/sum/metrics/job/sum{i}/pid/{pid}", "# HELP sum How often.\n# TYPE sum counter\nsum 2\n").status == 200
        elif kind == 2:
            assert gateway.put(key + f"/failed/{i}", "many 1\nmany 1\n").status == 400
        elif kind == 3:
            assert gateway.put(f"{key}/many/{i}", "".join(f'many{{i="{k}"}} {k}\n' for k in range(rng.randrange(1, 400)))).status == 200
        elif kind == 4:
            assert gateway.put(f"{key}/created/{i}", f"# TYPE x_total counter\nx_total {i}\n# TYPE x_created gauge\nx_created 160000{i}\n").status == 200
        elif kind == 5:
            assert gateway.put(f"{key}/help/{i}", f"# HELP h {rng.choice(['One.', 'Two.'])}\nh {i}\n").status == 200
        else:
            assert gateway.put(f"{key}/few/{i}", f'few{{l="{i}"}} {i}\nmany {i}\n').status == 200


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text('rules:\n- match: \'{job="a"}\'\n  expect_every: 1h\n')
    database = tmp_path_factory.mktemp("database") / "db"
    with Gateway("--push.enable-utf8-names", "--web.enable-openmetrics", f"--config.file={rules}", database=database) as g:
        fill(g, random.Random(1), 120)
        yield g


@pytest.mark.parametrize("n", [1, 2, 3, 16, 500])
def test_together_they_are_the_whole(gateway, n):
    parts = [shard(gateway, i + 1, n).body for i in range(n)]
    whole = gateway.get("/metrics").body
    assert sum((lines(p) for p in parts), Counter()) == lines(whole)
    assert set().union(*map(headers, parts)) == headers(whole)
    assert len(lines(whole)) > 1000 and (n == 1 or sum(bool(lines(p)) for p in parts) > n // 20)
    keys = [{re.search(rb"{.*?job=[^}]*", line)[0] for line in lines(p) if line.startswith(b"push_time_seconds{")} for p in parts]
    assert sum(map(len, keys)) == len(set().union(*keys))
    own = lambda body: Counter(re.sub(rb" \S+$", b"", line) for line in body.splitlines() if is_own(line))
    assert own(parts[0]) == own(whole) and len(own(whole)) > 40
    assert not any(own(p) for p in parts[1:])


def pieces(accept, body):
    if FORMATS[accept] == PROTO:
        return Counter(split(body))
    return Counter(line for line in body.splitlines() if not line.startswith(b"#"))


def test_in_every_format_and_coding(gateway):
    whole = scrapes(gateway)
    parts = [scrapes(gateway, path=f"/metrics?shard={i}/3") for i in (1, 2, 3)]
    for which, (kind, body) in whole.items():
        assert {p[which][0] for p in parts} == {kind}
        bodies = [p[which][1] for p in parts]
        accept = which[0]
        if FORMATS[accept] == PROTO:
            # A family is one message, which has other metrics in each shard.
            continue
        if accept.startswith("text/plain"):
            assert sum((lines(b) for b in bodies), Counter()) == lines(body), which
        elif accept.startswith("application/openmetrics"):
            # A counter is one unless the shard has a family of the name that it would have.
            values = lambda b: sum(not line.startswith(b"#") and not is_own(line) for line in b.splitlines())
            assert sum(map(values, bodies)) == values(body), which


def metrics(body):
    """Of a protobuf scrape: (family, metric as bytes)."""
    from test_formats import fields
    found = Counter()
    for message in split(body):
        parts = fields(message)
        name = dict((k, v) for k, v in parts if k == 1)[1]
        found.update((name, v) for k, v in parts if k == 4 and not is_own(name))
    return found


def test_protobuf_metric_by_metric(gateway):
    accept = next(a for a, kind in FORMATS.items() if kind == PROTO)
    get = lambda path: gateway.request("GET", path, headers={"Accept": accept}).body
    whole = metrics(get("/metrics"))
    parts = [metrics(get(f"/metrics?shard={i}/3")) for i in (1, 2, 3)]
    assert sum(parts, Counter()) == whole and len(whole) > 1000 and all(parts)


def test_fixed_for_ever():
    """As tests/unit/metrics/test_shard.c has it, with everything in between."""
    with Gateway("--push.enable-utf8-names") as g:
        for key, of_8, of_65536 in (("backup/instance/db1", 5, 52821), ("j/instance@base64/=", 7, 4871), ("j/z/1/a/2", 7, 3183),
                                    ("j/U__caf_e9_/x", 4, 38924)):
            assert g.put(key, "m 1\n").status == 200
            for n, at in ((8, of_8), (65536, of_65536)):
                found = [i for i in {at, (at + 1) % n, (at + n - 1) % n} if b"\nm{" in shard(g, i + 1, n).body]
                assert found == [at], (key, n)
            assert g.delete(key).status == 202
        # Of a summed group, whatever its sources are.
        for pid in range(5):
            assert g.request("POST", f"/sum/metrics/job/job/instance/i/pid/{pid}", "# TYPE m counter\nm 1\n").status == 200
        assert b'\nm{instance="",job="job"} 5\n' in shard(g, 4, 8).body


def test_of_a_selector(gateway):
    whole = lines(gateway.get("/metrics?match[]={job=%22a%22}").body)
    parts = [lines(shard(gateway, i, 2, "&match[]={job=%22a%22}").body) for i in (1, 2)]
    assert sum(parts, Counter()) == whole and all(parts)
    assert not any(OWN.search(shard(gateway, i, 2, "&match[]={job=%22a%22}").body) for i in (1, 2))


@pytest.mark.parametrize("query, says", [("shard=", "write shard=1/8"), ("shard=3", "write shard=1/8"), ("shard=0/2", "write shard=1/8"),
                                         ("shard=3/2", "the last of 2 shards is shard=2/2"), ("shard=1/2&shard=2/2", "more than once"),
                                         ("shard=1/70000", "65536"), ("shard=%zz", "hex"), ("shard=%ff/2", "UTF-8"),
                                         ("shard=3/2&match[]={job=%22a%22}", "the last of 2 shards"), ("shard=1/2&match[]=x{", "match[]")])
def test_what_is_none(shared, query, says):
    r = shared.get("/metrics?" + query)
    assert r.status == 400 and says in r.text, r


def test_by_head_and_after_another_parameter(gateway):
    assert gateway.request("HEAD", "/metrics?shard=1/2").status == 200
    assert lines(gateway.get("/metrics?a=b&shard=2%2F3").body) == lines(shard(gateway, 2, 3).body)
    # One group is in no shard.
    assert gateway.put("one", "m 1\n").status == 200
    assert {gateway.get(f"/metrics/job/one?shard={i}/2").text for i in (1, 2)} == {gateway.get("/metrics/job/one").text}
    assert gateway.delete("one").status == 202


def test_a_shard_is_of_one_moment():
    """Nobody sees half a push: what it has put into many families and pages is of one push."""
    with Gateway() as g:
        stop = threading.Event()
        body = lambda k: "".join(f"m{f} {k}\n" for f in range(30))
        for job in range(40):
            assert g.put(str(job), body(0)).status == 200

        def push():
            c, rng = g.connect(), random.Random(2)
            for k in range(1, 10**6):
                if stop.is_set():
                    break
                g.request("PUT", f"/metrics/job/{rng.randrange(40)}", body(k), connection=c)
            c.close()

        t = threading.Thread(target=push)
        t.start()
        try:
            for i in range(60):
                said = {}
                for job, value in re.findall(r'^m\d+\{.*job="(\d+)"\} (\d+)$', shard(g, i % 2 + 1, 2).text, re.M):
                    said.setdefault(job, []).append(value)
                assert said and all(len(v) == 30 and len(set(v)) == 1 for v in said.values()), said
        finally:
            stop.set()
            t.join()


def test_limits_and_lists_are_of_all(gateway):
    """Only a scrape has shards."""
    before = json.loads(gateway.get("/api/v1/status").body)["data"]["stored"]
    shard(gateway, 1, 4)
    assert json.loads(gateway.get("/api/v1/status?shard=1/4").body)["data"]["stored"] == before


def documented():
    """The configuration that deploy/README.md shows."""
    block = re.search(r"```yaml\n(scrape_configs:(?:(?!```).)*__param_shard.*?)```", README.read_text(), re.S)[1]
    return "global: {scrape_interval: 250ms, scrape_timeout: 250ms}\n" + block


@pytest.mark.released
def test_prometheus_has_all_of_it_once(tmp_path):
    """Two targets, each a shard."""
    with Gateway(database="") as g:
        for i in range(20):
            assert g.put(f"j/instance/{i}", f"m {i}\n# TYPE n counter\nn {i}\n").status == 200
        address = f"{g.host}:{g.port}"
        p = Prometheus(g, tmp_path, configuration=documented().replace("tallygate.example.org:9091", address))
        try:
            targets = eventually(lambda: [x for x in p.query("up == 1")] if len(p.query("up == 1")) == 2 else None, "two targets")
            assert {m["instance"] for m, _ in targets} == {f"{address} shard 1/2", f"{address} shard 2/2"}
            eventually(lambda: p.value("count(m)") == 20, "all groups")
            assert p.value("sum(m)") == sum(range(20)) and p.value("count(n)") == 20 and p.value("count(push_time_seconds)") == 20
            # Our own are there once, with the first target.
            assert [m["instance"] for m, _ in p.query("pushgateway_build_info")] == [f"{address} shard 1/2"]
            scraped = dict((m["instance"][-3:], v) for m, v in p.query("scrape_samples_scraped"))
            assert scraped["2/2"] % 4 == 0 and 0 < scraped["2/2"] < 80 and scraped["1/2"] > scraped["2/2"]
        finally:
            p.end()
