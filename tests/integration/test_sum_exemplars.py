"""Summed groups over HTTP: exemplars, times of creation, and gauge histograms."""
import re

import pytest

from exposition import scrape
from gateway import Gateway
from test_sum import START, end

OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0"}


def push_openmetrics(g, path, body):
    r = g.request("POST", path, body + "# EOF\n", OPENMETRICS)
    assert r.status == 200, r.text


def exemplars(g):
    """By line, without labels of the group: the text of the exemplar, without its time."""
    text = g.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    return {name + (le or ""): float(value) for name, le, value in
            re.findall(r'^(\w+)\{instance="",job="j"(?:,le="([^"]*)")?\} \S+ # \{id="\w+"\} (\S+) ', text, re.M)}


def with_exemplars(count, at, value):
    return (f'# TYPE c counter\nc_total {count} # {{id="x{at}"}} {value} {at}\n'
            f'# TYPE h histogram\nh_bucket{{le="1"}} {count} # {{id="y{at}"}} {value / 10} {at}\nh_bucket{{le="+Inf"}} {count}\nh_count {count}\nh_sum 1\n')


def test_the_newest_exemplars_are_kept(database):
    with Gateway("--web.enable-openmetrics", database=database) as g:
        push_openmetrics(g, "/sum/metrics/job/j/pid/a", with_exemplars(5, 100, 1))
        push_openmetrics(g, "/sum/metrics/job/j/pid/b", with_exemplars(3, 200, 2))
        push_openmetrics(g, "/sum/metrics/job/j/pid/a", with_exemplars(6, 150, 3))
        assert exemplars(g) == {"c_total": 2, "h_bucket1": 0.2}
        push_openmetrics(g, "/sum/metrics/job/j/pid/a", "# TYPE c counter\nc_total 7\n")
        end("b")(g)
        assert exemplars(g) == {"c_total": 2, "h_bucket1": 0.2}, "b's is in the base now"
        g.kill()
    with Gateway("--web.enable-openmetrics", database=database) as g:
        assert exemplars(g) == {"c_total": 2, "h_bucket1": 0.2}
        push_openmetrics(g, "/sum/metrics/job/j/pid/c", with_exemplars(1, 201, 4))
        assert exemplars(g) == {"c_total": 4, "h_bucket1": 0.4}


def test_the_newest_exemplars_of_increments_are_kept():
    with Gateway("--web.enable-openmetrics") as g:
        push_openmetrics(g, "/add/metrics/job/j", with_exemplars(1, 200, 1))
        push_openmetrics(g, "/add/metrics/job/j", with_exemplars(1, 100, 2))
        assert exemplars(g) == {"c_total": 1, "h_bucket1": 0.1}


def created(g):
    """When the merged series began, by name, as OpenMetrics says it."""
    text = g.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    return {name: float(value) for name, value in re.findall(r'^(\w+)_created\{instance="",job="j"\} (\S+)$', text, re.M)}


def test_merged_series_began_when_they_were_first_exposed(database):
    """Whatever their processes say of when theirs began, and for good."""
    text = f"# TYPE c counter\nc_total 5\nc_created {START}\n# TYPE h histogram\nh_bucket{{le=\"+Inf\"}} 1\nh_count 1\nh_sum 1\nh_created {START}\n"
    with Gateway("--web.enable-openmetrics", database=database) as g:
        push_openmetrics(g, "/sum/metrics/job/j/pid/a", text)
        first = created(g)
        assert set(first) == {"c", "h"}
        assert all(value == pytest.approx(scrape(g).get("push_time_seconds", job="j", instance=""), abs=1) for value in first.values())
        push_openmetrics(g, "/sum/metrics/job/j/pid/b", text.replace(str(START), str(START + 100)))
        assert g.request("DELETE", "/sum/metrics/job/j/pid/a").status == 202
        assert created(g) == first
        g.kill()
    with Gateway("--web.enable-openmetrics", database=database) as g:
        push_openmetrics(g, "/sum/metrics/job/j/pid/c", text)
        assert created(g) == first


def gauge_histogram(count, bounds=("1",)):
    lines = "".join(f'q_bucket{{le="{b}"}} {count}\n' for b in (*bounds, "+Inf"))
    return f"# TYPE q gaugehistogram\n{lines}q_gcount {count}\nq_gsum {count / 2}\n"


def shown_gauge_histogram(g):
    """By what follows the name: count and sum, and each bucket."""
    text = g.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    return {name + le: float(value) for name, le, value in re.findall(r'^q_(\w+)\{instance="",job="j"(?:,le="([^"]*)")?\} (\S+)$', text, re.M)}


THREE = {"bucket2": 3, "bucket4": 3, "bucket+Inf": 3, "count": 3, "sum": 1.5}


@pytest.mark.parametrize("mode", ["sum", "add"])
def test_a_gauge_histogram_is_the_last_one_and_outlives_who_said_it(database, mode):
    path = {"sum": "/sum/metrics/job/j/pid/", "add": "/add/metrics/job/j/pid/"}[mode]
    with Gateway("--web.enable-openmetrics", database=database) as g:
        push_openmetrics(g, path + "a", gauge_histogram(5))
        push_openmetrics(g, path + "b", gauge_histogram(3, ("2", "4")))
        assert shown_gauge_histogram(g) == THREE
        assert g.request("DELETE", path + "b").status == 202
        assert shown_gauge_histogram(g) == THREE, "it has no start: what it said moved into the base"
        g.kill()
    with Gateway("--web.enable-openmetrics", database=database) as g:
        assert shown_gauge_histogram(g) == THREE
        push_openmetrics(g, path + "a", gauge_histogram(4))
        assert shown_gauge_histogram(g) == {"bucket1": 4, "bucket+Inf": 4, "count": 4, "sum": 2}
