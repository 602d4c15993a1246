"""What a real Prometheus measures of its scrapes; it reads and stores everything that it gets."""

import itertools
import json
import math
import os
import shutil
import time
import urllib.parse

from fleet import OURS, START_LIMIT, UNCHECKED
from report import median
from scrape import one_scrape
from servers import SCRAPE, Failed, Server, find_prometheus

SERIES = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
# Seconds after which Prometheus has found its targets; it first scrapes at some moment of the interval.
DELAY = 6
# More than Prometheus needs to read a series and store it.
SECONDS_A_SERIES = 15e-6

CONFIGURATION = """\
global: {{scrape_interval: {interval}s, scrape_timeout: {interval}s}}
scrape_configs:
  - job_name: bench
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def _new_server(program, folder, port, interval):
    configuration = os.path.join(folder, "prometheus.yml")
    data = os.path.join(folder, "data")
    command = [
        program, f"--config.file={configuration}", f"--storage.tsdb.path={data}",
        "--web.listen-address=127.0.0.1:0",
    ]
    server = Server("prometheus", folder, lambda _: command)
    with open(configuration, "w", encoding="utf-8") as f:
        f.write(CONFIGURATION.format(interval=interval, port=port))
    return server


def _scrapes(scraper):
    """For each scrape so far, by time, the values of SERIES."""
    query = f'{{__name__=~"{"|".join(SERIES)}",job="bench"}}[1h]'
    status, body = scraper.get("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
    if status != 200:
        raise Failed(f"prometheus answers {status}: {body[:200].decode(errors='replace')}")
    at = {}
    for series in json.loads(body)["data"]["result"]:
        for when, value in series["values"]:
            at.setdefault(when, {})[series["metric"]["__name__"]] = float(value)
    return [found for _, found in sorted(at.items()) if len(found) == len(SERIES)]


def _wait_for(scraper, wanted, deadline):
    while True:
        found = _scrapes(scraper)
        if len(found) >= wanted or time.monotonic() > deadline:
            return found[:wanted]
        time.sleep(0.2)


def _interval(bench, server):
    """Seconds in which a scrape surely ends; or None: a scrape takes longer than the limit."""
    one = one_scrape(bench, server, "gzip")
    if one is None or one["unanswered"]:
        return None
    enough = 1 + 2 * one["max"] + bench.stored * SECONDS_A_SERIES
    return math.ceil(min(enough, bench.options.limit))


def _measure(bench, program, server, interval):
    """Seconds of the scrapes until one fails; in the first one Prometheus makes all series."""
    folder = os.path.join(bench.fleet.folder, "prometheus")
    wanted = bench.options.rounds + 1
    scraper = _new_server(program, folder, server.port, interval)
    try:
        scraper.start(START_LIMIT)
        deadline = time.monotonic() + DELAY + (wanted + 1) * interval
        found = _wait_for(scraper, wanted, deadline)
    finally:
        scraper.kill()
        shutil.rmtree(folder, ignore_errors=True)
    found = list(itertools.takewhile(lambda scraped: scraped["up"], found))
    for scraped in found:
        if scraped["scrape_samples_scraped"] < bench.stored:
            raise Failed(f"prometheus got {scraped['scrape_samples_scraped']:.0f} series")
    return [scraped["scrape_duration_seconds"] for scraped in found]


def prometheus(bench):
    """The scrape_duration_seconds of the newest Prometheus ($PROMETHEUS, or on PATH), which
    scrapes each server."""
    program, _ = find_prometheus()
    if not program:
        bench.fleet.log("prometheus: none found ($PROMETHEUS, PATH)")
        return
    if not bench.stored:
        return
    report, stored = bench.report, bench.stored
    for server in bench.fleet.running([UNCHECKED, OURS], to=SCRAPE):
        interval = _interval(bench, server)
        taken = _measure(bench, program, server, interval) if interval else []
        too_slow = f"> {interval or bench.options.limit:g} s"
        first = taken[0] if taken else too_slow
        report.add("prometheus", "its first scrape", stored, server.name, first, "s")
        report.add(
            "prometheus", "its next scrapes", stored, server.name, median(taken[1:]), "s",
            rounds=taken[1:],
        )
