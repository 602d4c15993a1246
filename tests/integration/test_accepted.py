"""The second promise of the design: accepted implies that every format, escaping and compression that a scrape can ask for
is readable, by strict readers of our own and by a live Prometheus."""
import pytest

import odd
import replay
import strict
from gateway import Gateway

FLAGS = {"classic": [], "utf8": ["--push.enable-utf8-names"]}
KINDS = {"named": odd.named_pushes, "paired": odd.paired_pushes, "valued": odd.valued_pushes, "text": odd.text_pushes}


def start(flags):
    return Gateway("--web.enable-openmetrics", *FLAGS[flags])


def push_each(gateway, kind, look):
    """One odd push after the other; look(name, accepted) at what is there after each. How many were accepted, and how many not."""
    connection = gateway.connect()
    verdicts = {200: 0, 400: 0, 413: 0}
    for name, steps in KINDS[kind]():
        statuses = [gateway.request(method, "/metrics/job" + path, body, headers, connection).status for method, path, headers, body in steps]
        assert set(statuses) <= set(verdicts), (name, statuses)
        for status in statuses:
            verdicts[status] += 1
        look(name, 200 in statuses)
        for _, path, _, _ in steps:
            gateway.request("DELETE", "/metrics/job" + path, connection=connection)
    connection.close()
    return verdicts[200], verdicts[400] + verdicts[413]


# By protobuf any name comes in, by text and in the path only with the flag.
@pytest.mark.parametrize("flags, kind", [("classic", "text"), ("classic", "named"), *(("utf8", kind) for kind in KINDS)])
def test_what_is_accepted_can_be_read(flags, kind):
    """Uncompressed: what compresses knows no metrics."""
    def look(name, accepted):
        try:
            # Of what is refused nothing is there but the time of its group.
            for _ in strict.scrapes(g, ["identity"], strict.FORMATS if accepted else list(strict.FORMATS)[:1]):
                pass
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from None

    with start(flags) as g:
        accepted, refused = push_each(g, kind, look)
    assert accepted > 10 and refused > 3, "there are both"


def test_all_that_is_accepted_at_once():
    """In each compression, before and after a restart of what fits beside one another."""
    with start("utf8") as g:
        n = 0
        for kind in KINDS:
            for name, steps in KINDS[kind]():
                for method, path, headers, body in steps:
                    n += g.request(method, f"/metrics/job{path}/n/{n}", body, headers).status == 200
        assert n > 300
        for _ in strict.scrapes(g):
            pass


def test_a_prometheus_reads_what_is_accepted(tmp_path):
    """Debian's: three formats in underscores. One of 3.0 or later, which PROMETHEUS names: its five protocols in each escaping."""
    newest = replay.major() >= 3
    escapings = strict.ESCAPINGS if newest else ["underscores"]
    protocols = replay.PROTOCOLS if newest else ["PrometheusProto", "OpenMetricsText1.0.0", "PrometheusText0.0.4"]
    answers, names = [], []

    def look(name, accepted):
        for protocol in protocols if accepted else []:
            for escaping in escapings:
                r = g.request("GET", "/metrics", headers={"Accept": f"{replay.PROTOCOLS[protocol]};escaping={escaping}"})
                answers.append((protocol, r.headers["Content-Type"], r.body))
                names.append(f"{name}: {protocol} in {escaping}")

    with start("utf8") as g:
        for kind in KINDS:
            if kind != "paired":
                push_each(g, kind, look)
    assert len(answers) > 300
    complaints = replay.judge(tmp_path, answers)
    assert {names[i]: why for i, why in complaints.items()} == {}
