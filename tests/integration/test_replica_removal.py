"""Many groups are deleted through one of several gateways: pushes to all of them are answered meanwhile, not after it."""
import concurrent.futures
import json
import random
import threading
import time

from gateway import DEADLINE, Gateway
from test_postgresql import shown
from test_replicas import flags, own, replicas  # noqa: F401

GROUPS, FAMILIES = 2000, 120
# It goes in slices of up to 1,024 entries (src/store/removal.c), between each two of which pushes are taken.
AT_LEAST = 5


class Pushes:
    """Pushes to one gateway, one after the other, until it ends: to a group of its own, and to groups that are deleted meanwhile."""

    def __init__(self, gw, name):
        self.gw, self.name, self.n, self.statuses = gw, name, 0, set()
        self.answered, self.ends, self.rng = [], threading.Event(), random.Random(name)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = self.gw.connect()
        while not self.ends.is_set():
            self.n += 1
            group = f"many/i/{self.rng.randrange(GROUPS)}" if self.n % 5 == 0 else self.name
            self.statuses.add(self.gw.request("PUT", f"/metrics/job/{group}", f"n {self.n}\n", connection=connection).status)
            self.answered.append(time.monotonic())
        connection.close()

    def end(self):
        self.ends.set()
        self.thread.join(DEADLINE)

    def answered_between(self, begin, end):
        return sum(begin < at < end for at in self.answered)


def fill(gws):
    body = "".join(f"# TYPE m_{i} gauge\nm_{i} 1\n" for i in range(FAMILIES))
    connections = threading.local()

    def put(i):
        if not hasattr(connections, "to"):
            connections.to = [gw.connect() for gw in gws]
        k = i % len(gws)
        return gws[k].request("PUT", f"/metrics/job/many/i/{i}", body, connection=connections.to[k]).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(GROUPS))) == {200}


def test_pushes_are_answered_while_many_groups_are_deleted(flags):  # noqa: F811
    with replicas(2, flags) as gws:
        fill(gws)
        pushes = [Pushes(gw, f"own_{i}") for i, gw in enumerate(gws)]
        try:
            begin = time.monotonic()
            reply = gws[0].request("DELETE", "/api/v1/groups?match[]={job=%22many%22}")
            end = time.monotonic()
            got = [gw.get("/metrics").text for gw in gws]
        finally:
            for p in pushes:
                p.end()
        assert reply.status == 200 and json.loads(reply.text)["data"]["deleted"] == GROUPS, reply.text[:200]
        assert not any("m_1{" in text for text in got)
        assert all(p.statuses == {200} for p in pushes)
        assert min(p.answered_between(begin, end) for p in pushes) >= AT_LEAST
        want = shown(gws[0])
        assert shown(gws[1]) == want
        for p in pushes:
            newest = p.n - (p.n % 5 == 0)
            assert f'n{{instance="",job="{p.name}"}} {newest}' in want
        for name in ("digests_differ", "history_lost"):
            assert [own(gw, f"pushgateway_replica_{name}_total") for gw in gws] == [0, 0]
    with Gateway(*flags, database=None) as gw:
        assert shown(gw) == want
