"""--limits.stored-bytes, as a pusher and an operator see it."""
import json

from exposition import scrape
from gateway import Gateway


def used_bytes(g):
    return next(x for x in json.loads(g.get("/api/v1/status").text)["data"]["limits"] if x.get("flag") == "limits.stored-bytes")


def test_bytes_stored(tmp_path):
    """Who invents long labels is refused; all others go on, also after a restart with a lower limit."""
    long = lambda n: 'm{l="%0*d"} 1\n' % (n, n)
    histogram = 'a %s\n# TYPE h histogram\nh_bucket{le="+Inf"} %s\nh_sum %s\nh_count %s\n'
    with Gateway("--limits.stored-bytes=64KiB", database=tmp_path / "a.db") as g:
        assert g.put("kept", histogram % (1, 1, 1, 1)).status == 200
        assert g.put("long", long(50000)).status == 200
        reply = g.put("longer", long(20000))
        assert reply.status == 507 and "the gateway is full: it holds " in reply.text and "--limits.stored-bytes=65536" in reply.text
        assert g.request("PUT", "/dry-run/metrics/job/longer", long(20000)).status == 507
        assert scrape(g).pushed("push_time_seconds", "longer") is None, "a refused push makes no group"
        assert g.put("long", long(60000) + long(30000)).status == 507
        assert g.put("kept", histogram % (12345678.25, 1 << 53, 0.1, 1 << 53)).status == 200, "values do not count"
        assert g.put("long", long(50000)).status == 200, "as large as before"
        assert g.put("small", "a 1\n").status == 200, "there is room for it"
        use = used_bytes(g)
        assert use["limit"] == 65536 and 50000 < use["used"] <= 65536
        assert scrape(g).get("pushgateway_limit_used", limit="limits.stored-bytes") == use["used"]
        assert scrape(g).get("pushgateway_limit", limit="limits.stored-bytes") == 65536
    with Gateway("--limits.stored-bytes=32KiB", database=tmp_path / "a.db") as g:
        assert used_bytes(g) == {**use, "limit": 32768}, "the same after a restart; what is there stays"
        assert g.put("new", "").status == 507 and g.post("small", "b 1\n").status == 507
        assert g.put("long", long(50000)).status == 200 and g.put("small", "a 2\n").status == 200
        assert g.put("long", long(20000)).status == 200
        assert g.post("small", "b 1\n").status == 200
        assert g.delete("long").status == 202 and used_bytes(g)["used"] < 10000
