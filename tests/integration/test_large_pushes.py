"""Large pushes: decoded where they hold up nobody."""
import gzip
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway

N = 100_000


def cpu(g):
    """Clock ticks by name of thread."""
    ticks = {}
    for task in Path(f"/proc/{g.process.pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
        fields = rest.split()
        ticks[name] = ticks.get(name, 0) + int(fields[11]) + int(fields[12])
    return ticks


@pytest.mark.parametrize("n,empty_lines,compressed", [(N, 0, False), (N, 0, True), (1, 8_000_000, True)])
def test_not_on_an_event_loop(database, n, empty_lines, compressed):
    """Nor where less than 8 KiB become 8 MB."""
    body, headers = "".join(f'm{{i="{i}"}} 1\n' for i in range(n)).encode() + b"\n" * empty_lines, {}
    if compressed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    with Gateway("--web.threads=1", database=database) as g:
        for _ in range(5):
            assert g.request("PUT", "/metrics/job/large", body, headers).status == 200
        ticks = cpu(g)
        assert ticks["decode"] > 3 * ticks["http"], ticks
        assert len(scrape(g).foreign()) >= n


def test_refused_with_the_same_words(database):
    """Whoever decodes it: the answer, the counters and the log are those of a small one."""
    body = "a 1\n" * 20_000 + "b{\n"
    with Gateway("--limits.families-per-push=2", database=database) as g:
        reply = g.put("large", body)
        assert (reply.status, reply.text.startswith("text format parsing error in line 20001")) == (400, True), reply
        reply = g.put("large", "".join(f"f{i} 1\n" for i in range(20_000)))
        assert (reply.status, "--limits.families-per-push=2" in reply.text) == (413, True), reply
        reply = g.request("PUT", "/metrics/job", body)
        assert reply.status in (307, 404), reply
        reply = g.put("large/odd", body)
        assert (reply.status, "odd number" in reply.text) == (400, True), reply
        assert g.put("large", "a 1\n" + "#" * 100_000 + "\n").status == 200
        s = scrape(g)
        rejected = {reason: s.samples["pushgateway_rejected_pushes_total", frozenset({("reason", reason)})]
                    for reason in ("body", "limit", "path")}
        assert rejected == {"body": 1, "limit": 1, "path": 1}
        assert s.pushed("a", "large") == 1
        assert 'group="{job=' in g.log and "line 20001" in g.log
