"""The differential suite, a short part of it with a seed that stays, and that it can tell what it is for."""
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from differential import allowed, canonical, compare, features, minimise, sequences  # noqa: E402
from differential.client import Reply  # noqa: E402
from differential.step import Step, grouping_key, leaking  # noqa: E402


@pytest.mark.sanitized
def test_agrees_with_the_go_gateway():
    done = subprocess.run([TESTS / "differential" / "run", "--seed", "ci", "--sequences", "400"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=600, env=os.environ)
    assert done.returncode == 0, done.stdout
    assert "400 sequences of seed ci" in done.stdout


@pytest.mark.sanitized
def test_three_over_one_database_agree_with_it_too(postgresql):
    """Each request goes to any of them."""
    done = subprocess.run([TESTS / "differential" / "run", "--seed", "replicas", "--sequences", "20", "--replicas", "3", "--url", postgresql.url],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600, env=os.environ)
    assert done.returncode == 0, done.stdout
    assert "20 sequences of seed replicas" in done.stdout


def scrape(body):
    return Reply(200, {}, body)


BROKEN = {
    "empty": b"",
    "no end": b"# TYPE a gauge\na 1",
    "cut in a header": b"# TYPE a gauge\na 1\n# TYPE b",
    "two headers": b"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{b=\"1\"} 1\n",
    "not sorted": b"# TYPE b gauge\nb 1\n# TYPE a gauge\na 1\n",
    "no type": b"a 1\n",
    "other name": b"# TYPE a gauge\nb 1\n",
    "suffix of another type": b"# TYPE a summary\na_bucket{le=\"1\"} 1\n",
    "series twice": b"# TYPE a gauge\na{b=\"1\"} 1\na{b=\"1\"} 2\n",
    "label twice": b"# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n",
    "value": b"# TYPE a gauge\na 01\n",
    "unescaped": b"# TYPE a gauge\na{b=\"\"\"} 1\n",
    "not UTF-8": b"# TYPE a gauge\na{b=\"\xff\"} 1\n",
    "no samples": b"# TYPE a gauge\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_scrape_is_noticed(name):
    with pytest.raises(canonical.Broken):
        canonical.canonical(scrape(BROKEN[name]))


SAME = b'# HELP a x\n# TYPE a gauge\na{b="1"} 1\na{b="2"} 2\n# TYPE h histogram\nh_bucket{b="1",le="2"} 1\n' \
       b'h_bucket{b="1",le="1"} 1\nh_sum{b="1"} 0\nh_count{b="1"} 0\n'
CHANGED = {
    "value": SAME.replace(b"} 2", b"} 3"),
    "type": SAME.replace(b"gauge", b"counter"),
    "help": SAME.replace(b"a x", b"a y"),
    "missing": SAME[SAME.index(b"# TYPE h"):],
    "order of buckets": SAME.replace(b'le="2"', b'le="0"').replace(b'le="1"', b'le="2"').replace(b'le="0"', b'le="1"'),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_difference_is_noticed(name):
    ours = canonical.canonical(scrape(CHANGED[name]))
    assert list(compare.scrapes(canonical.canonical(scrape(SAME)), ours))


def test_the_order_of_groups_and_the_time_do_not_count():
    other = SAME.replace(b'a{b="1"} 1\na{b="2"} 2', b'a{b="2"} 2\na{b="1"} 1')
    times = b'# TYPE push_time_seconds gauge\npush_time_seconds{job="x"} %b\n'
    a, b = (canonical.canonical(scrape(x)) for x in (SAME + times % b"1.7e+09", other + times % b"1.8e+09"))
    never = canonical.canonical(scrape(SAME + times % b"0"))
    assert not list(compare.scrapes(a, b))
    assert list(compare.scrapes(a, never))


def error(status, text):
    return Reply(status, {"content-type": "text/plain"}, text)


PARSING = b"text format parsing error in line 1: "
REPLIES = {
    "status": (error(200, b""), error(202, b""), True),
    "message": (error(400, PARSING + b"invalid metric name\n"), error(400, PARSING + b"unknown metric type\n"), True),
    "kind": (error(400, compare.INVALID + b'collected metric "a" { x } is not a GAUGE\n'),
             error(400, compare.INVALID + b'collected metric "a" { x } has a label with an invalid name: __x\n'), True),
    "header": (Reply(405, {"allow": "GET, OPTIONS"}, b""), Reply(405, {"allow": "GET"}, b""), True),
    "text of a library": (error(400, b"unexpected EOF\n"), error(400, b"gzip: invalid header\n"), False),
    "dump": (error(400, compare.INVALID + b'2 error(s) occurred:\n* collected metric "a" {x} is not a GAUGE\n* ...\n'),
             error(400, compare.INVALID + b'collected metric "a" { y } is not a GAUGE\n'), False),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_are_compared(name):
    go, ours, differ = REPLIES[name]
    assert bool(compare.replies(go, ours)) == differ


def test_what_is_not_listed_is_not_allowed():
    case = allowed.Case(Step("PUT", b"/metrics/job/x", b"a 1\n"), [], error(200, b""), error(400, compare.INVALID))
    assert allowed.find(allowed.REPLIES, case) is None
    assert allowed.find(allowed.POISONS, case) is None


def test_a_seed_stands_for_the_same_steps():
    everything = set(features._NEEDS)
    make = lambda seed: sequences.generate(seed, everything, sequences.DEFAULT)
    assert make("a/1") == make("a/1") != make("a/2")


class OnlyOneLineMatters:
    """Stands for both gateways: they disagree when `b 2` is pushed to group x."""

    def run(self, steps):
        fails = any(b"b 2\n" in s.body and b"/job/x" in s.path for s in steps)
        found = compare.Disagreement("it", "", "") if fails else None
        return type("Outcome", (), {"disagreement": found})


def test_a_failing_sequence_is_made_small():
    steps = [Step("POST", b"/metrics/job/y", b"b 2\n"), Step("PUT", b"/metrics/job/x/a/b", b"a 1\nb 2\nc 3\n", chunked=True),
             Step("DELETE", b"/metrics/job/y")]
    small = minimise.Minimiser(OnlyOneLineMatters(), "it", set(features._NEEDS)).sequence(steps)
    assert small == [Step("PUT", b"/metrics/job/x", b"b 2\n")]


KEYS = {
    b"/metrics/job/x": {b"job": b"x"},
    b"/metrics/job/x/": {b"job": b"x"},
    b"/metrics/job/x/a": None,
    b"/metrics/job/x/a/": {b"job": b"x", b"a": b""},
    b"/metrics/job@base64/Zm9v/a@base64/=": {b"job": b"foo", b"a": b""},
    b"/metrics/job/j/job/k": {b"job": b"j"},
    b"/metrics/job/%ff?q": {b"job": b"\xff"},
    b"/metrics/job/x/__l/v": None,
}


@pytest.mark.parametrize("path", KEYS)
def test_grouping_keys(path):
    assert grouping_key(path) == KEYS[path]


def test_families_with_names_in_braces_are_told():
    body = b'# TYPE s summary\ns_sum 1\n{"s_count",a="b"} 1\n{"t"} 1\n'
    assert leaking(Step("PUT", b"/", body)) == {b"s"}
    assert leaking(Step("PUT", b"/", body.replace(b'{"s_count",', b"s_count{"))) == set()
