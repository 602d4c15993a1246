"""The second promise of the design: accepted implies that every format, escaping and compression that a scrape can ask for
is readable, by strict readers of our own and by a live Prometheus."""
import re

import pytest

import odd
import replay
import strict
from gateway import Gateway
from wire import Wire, exchange, head

FLAGS = {"classic": [], "utf8": ["--push.enable-utf8-names"]}
BATCH = 12
KINDS = {"named": odd.named_pushes, "paired": odd.paired_pushes, "valued": odd.valued_pushes, "text": odd.text_pushes}


def start(flags):
    return Gateway("--web.enable-openmetrics", *FLAGS[flags])


def batches(kind):
    """Lists of (name, steps) that are looked at together: of those that have names of their own those that do the same with them, as
    what is wrong with a name, or with two, is wrong beside others too. All else is looked at alone."""
    alike = {}
    for name, steps in KINDS[kind]():
        alike.setdefault(re.match("(text |)\\w+", name)[0] if kind in ("named", "paired") else name, []).append((name, steps))
    for pushes in alike.values():
        # Neighbours are much alike, and refuse each other.
        n = -(-len(pushes) // BATCH)
        yield from (pushes[i::n] for i in range(n))


def push_each(gateway, kind, look):
    """Odd pushes, one batch after the other; look(names, accepted) at what is there after each. How many were accepted, and how many not."""
    wire = Wire(gateway)
    verdicts = {200: 0, 400: 0, 413: 0}

    def statuses(requests):
        """Of requests that are sent one behind the other."""
        wire.send(b"".join(requests))
        return [wire.reply().status for _ in requests]

    def push(steps, group=""):
        return statuses([head(method, f"/metrics/job{path}{group}", **headers, Content_Length=len(body)) + body for method, path, headers, body in steps])

    def delete(batch, groups):
        paths = [f"/metrics/job{path}{group}" for (_, steps), group in zip(batch, groups) for _, path, _, _ in steps]
        assert set(statuses([head("DELETE", path) for path in paths])) <= {202, 400}

    def judge(name, said):
        assert set(said) <= set(verdicts), (name, said)
        for status in said:
            verdicts[status] += 1

    for batch in batches(kind):
        # What is refused may be so for what stands beside it: such a push comes again, alone.
        alone, groups = batch, []
        if len(batch) > 1:
            groups = [f"/beside/{i}" for i in range(len(batch))]
            said = [push(steps, group) for (_, steps), group in zip(batch, groups)]
            for (name, _), of_it in zip(batch, said):
                if 200 in of_it:
                    judge(name, of_it)
            look([name for name, _ in batch], any(200 in of_it for of_it in said))
            delete(batch, groups)
            alone = [one for one, of_it in zip(batch, said) if 200 not in of_it]
        for name, steps in alone:
            said = push(steps)
            judge(name, said)
            if 200 in said or len(batch) == 1:
                look([name], 200 in said)
            delete([(name, steps)], [""])
    wire.socket.close()
    return verdicts[200], verdicts[400] + verdicts[413]


# By protobuf any name comes in, by text and in the path only with the flag.
@pytest.mark.released
@pytest.mark.parametrize("flags, kind", [("classic", "text"), ("classic", "named"), *(("utf8", kind) for kind in KINDS)])
def test_what_is_accepted_can_be_read(flags, kind):
    """Uncompressed: what compresses knows no metrics."""
    def look(names, accepted):
        try:
            # Of what is refused nothing is there but the time of its group.
            strict.scrapes(g, ["identity"], strict.FORMATS if accepted else list(strict.FORMATS)[:1])
        except AssertionError as e:
            raise AssertionError(f"{names}: {e}") from None

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
                    n += exchange(g, head(method, f"/metrics/job{path}/n/{n}", **headers, Content_Length=len(body)) + body).status == 200
        assert n > 300
        strict.scrapes(g)


@pytest.mark.released
def test_a_prometheus_reads_what_is_accepted(tmp_path):
    """Debian's: three formats in underscores. One of 3.0 or later, which PROMETHEUS names: its five protocols in each escaping."""
    newest = replay.major() >= 3
    escapings = strict.ESCAPINGS if newest else ["underscores"]
    protocols = replay.PROTOCOLS if newest else ["PrometheusProto", "OpenMetricsText1.0.0", "PrometheusText0.0.4"]
    answers, names = [], []

    def look(pushes, accepted):
        for protocol in protocols if accepted else []:
            for escaping in escapings:
                r = g.request("GET", "/metrics", headers={"Accept": f"{replay.PROTOCOLS[protocol]};escaping={escaping}"})
                answers.append((protocol, r.headers["Content-Type"], r.body))
                names.append(f"{pushes}: {protocol} in {escaping}")

    with start("utf8") as g:
        for kind in KINDS:
            push_each(g, kind, look)
    assert len(answers) > 300
    complaints = replay.judge(tmp_path, answers)
    assert {names[i]: why for i, why in complaints.items()} == {}
