"""Large pushes: decoded where they hold up nobody."""
import gzip
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually

N = 100_000


def waits(g):
    """How often the thread that decodes has begun to wait for a large push, once it waits again. One thread, as --web.threads says."""
    def probe():
        for task in Path(f"/proc/{g.process.pid}/task").iterdir():
            says = dict(line.split(":", 1) for line in (task / "status").read_text(encoding="ascii").splitlines())
            if says["Name"].strip() == "decode" and says["State"].split()[0] == "S":
                return int(says["voluntary_ctxt_switches"])
        return None

    return eventually(probe, "it waits")


@pytest.mark.parametrize("n,empty_lines,compressed", [(N, 0, False), (N, 0, True), (1, 8_000_000, True)])
def test_not_on_an_event_loop(database, n, empty_lines, compressed):
    """Nor where less than 8 KiB become 8 MB."""
    body, headers = "".join(f'm{{i="{i}"}} 1\n' for i in range(n)).encode() + b"\n" * empty_lines, {}
    if compressed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    with Gateway("--web.threads=1", database=database) as g:
        begin = waits(g)
        for n_pushed in range(1, 6):
            assert g.request("PUT", "/metrics/job/large", body, headers).status == 200
            # It waits once more when it has been idle for a second.
            assert waits(g) >= begin + n_pushed
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
