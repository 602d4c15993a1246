"""No push, accepted or refused, in any order, may break the scrape."""
import errno
import random
import threading

import pytest

import messages as pb
from exposition import promtool, scrape
from gateway import Gateway, eventually
from wire import exchange, head, push

PROTOBUF = {"Content-Type": pb.CONTENT_TYPE}
OLD = "# TYPE old gauge\nold 1\n"


def protobuf(*families):
    return b"".join(families)


# Each a sequence of (method, path below /metrics/job, body): what the Go gateway was seen to choke on, and its kin.
POISON = {
    "job not UTF-8": [("PUT", "/%ff", "a 1\n")],
    "job not UTF-8 in base64": [("PUT", "@base64/Zm8-_w", "a 1\n")],
    "label not UTF-8": [("POST", "/p/l/%ff%fe", "a 1\n"), ("PUT", "/p/l@base64/_w", "a 1\n")],
    "surrogate in the key": [("PUT", "/p/l/%ed%a0%80", "a 1\n")],
    "refused to a key not UTF-8": [("PUT", "/%ff", "a 1 5\n"), ("DELETE", "/%ff", None)],
    "U__ name": [("PUT", "/j/U______foo/5", "a 1\n")],
    "empty instance second": [("PUT", "/p", "a 1\n"), ("PUT", "/p/instance/", "b 1\n")],
    "empty instance first": [("PUT", "/p/instance@base64/=", "a 1\n"), ("PUT", "/p", "b 1\n")],
    "empty instance refused": [("PUT", "/p", "a 1\n"), ("PUT", "/p/instance/", "b 1 5\n"), ("POST", "/p/instance/", "c\n")],
    "both refused": [("PUT", "/p", "a 1 5\n"), ("PUT", "/p/instance/", "b 1 5\n")],
    "empty instance after a delete": [("PUT", "/p", "a 1\n"), ("DELETE", "/p", None), ("PUT", "/p/instance/", "a 1\n"), ("PUT", "/p", "a 2\n")],
    "family without a name": [("PUT", "/p", protobuf(pb.family("", 1, pb.gauge(1)))), ("PUT", "/p", protobuf(pb.family(None, 1, pb.gauge(1))))],
    "type 77": [("PUT", "/p", protobuf(pb.family("a", 77, pb.gauge(1))))],
    "type -1": [("PUT", "/p", protobuf(pb.family("a", -1, pb.gauge(1))))],
    "type 77 without metrics": [("PUT", "/p", protobuf(pb.family("a", 77)))],
    "gauge histogram of gauges": [("PUT", "/p", protobuf(pb.family("h", pb.GAUGE_HISTOGRAM, pb.gauge(1))))],
    "gauge histogram next to a histogram": [("PUT", "/p", protobuf(pb.family("h", pb.GAUGE_HISTOGRAM, pb.histogram(1, 1)))),
                                            ("PUT", "/q", protobuf(pb.family("h", pb.HISTOGRAM, pb.histogram(1, 1)))), ("PUT", "/q", "h_count 1\n")],
    "own counter first": [("PUT", "/p", "# TYPE pushgateway_http_requests_total counter\npushgateway_http_requests_total 1\n")],
    "own counter as it is": [("PUT", "/p", '# TYPE pushgateway_http_requests_total counter\n'
                              'pushgateway_http_requests_total{code="200",handler="push",method="put"} 1\n')],
    "own summary": [("PUT", "/p", "# TYPE pushgateway_http_push_size_bytes summary\npushgateway_http_push_size_bytes_count 1\n"),
                    ("PUT", "/q", "pushgateway_http_push_size_bytes_count 1\n")],
    "own names with other types": [("PUT", "/p", "# TYPE process_open_fds counter\nprocess_open_fds 1\n"), ("PUT", "/p", "pushgateway_build_info 1\n")],
    "suffix of an own histogram": [("PUT", "/p", "pushgateway_commit_duration_seconds_bucket 1\n"), ("PUT", "/p", "pushgateway_commit_batch_pushes_sum 1\n")],
    "push times of its own": [("PUT", "/p", "push_time_seconds 1\npush_failure_time_seconds 2\n"), ("PUT", "/p", "push_time_seconds 3\npush_failure_time_seconds 4\n"),
                              ("POST", "/q", "# TYPE push_failure_time_seconds counter\npush_failure_time_seconds 4\n")],
    "push time as a summary": [("PUT", "/p", "# TYPE push_time summary\npush_time_count 1\n"), ("PUT", "/p", "push_time_seconds_count 1\n"),
                               ("PUT", "/q", "# TYPE push_time_seconds summary\npush_time_seconds_count 1\n")],
    "nameless samples": [("PUT", "/p", "{} 1\n"), ("PUT", "/p", "a 1\n{} 2\n"), ("PUT", "/p", '# HELP a x\n{x="y"} 1\n'), ("PUT", "/p", '# TYPE a gauge\n{x="y"} 1\n')],
    "suffix collisions": [("PUT", "/p", "x_count 1\n"), ("PUT", "/q", "# TYPE x histogram\nx_count 1\n"), ("PUT", "/r", "# TYPE y summary\ny_sum 1\n"),
                          ("PUT", "/s", "y_sum 1\n"), ("POST", "/r", "y_count 1\n")],
    "suffix collision in one push": [("PUT", "/p", 'h_bucket{le="1"} 1\n# TYPE h histogram\nh_sum 3\n')],
    "le in the key": [("PUT", "/p/le/5", '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\n'), ("PUT", "/p/quantile/5", "# TYPE s summary\ns 1\n")],
    "le in the body": [("PUT", "/p", protobuf(pb.family("h", pb.HISTOGRAM, pb.histogram(1, 1, [(1, 1)], le="5"))))],
    "names that escape to one": [("PUT", "/p", protobuf(pb.family("a.b", 1, pb.gauge(1)) + pb.family("a_b", 1, pb.gauge(2)))),
                                 ("PUT", "/q", protobuf(pb.family("a.b", 1, pb.gauge(1)))), ("PUT", "/r", "a_b 1\n"),
                                 ("PUT", "/s", protobuf(pb.family("a-b", 1, pb.gauge(1))))],
    "labels that escape to one": [("PUT", "/p", protobuf(pb.family("a", 1, pb.gauge(1, **{"x.y": "1", "x_y": "2"})))),
                                  ("PUT", "/p", protobuf(pb.family("a", 1, pb.gauge(1, **{"x.y": "1"}), pb.gauge(1, **{"x_y": "1"})))),
                                  ("PUT", "/p", protobuf(pb.family("a", 1, pb.gauge(1, **{"jo.b": "1"})) + pb.family("b", 1, pb.gauge(1, **{"": "1"}))))],
    "label that escapes to a grouping label": [("PUT", "/p/x_y/1", protobuf(pb.family("a", 1, pb.gauge(1, **{"x.y": "2"}))))],
    "names that escape to a suffix": [("PUT", "/p", "# TYPE x summary\nx_sum 1\n"), ("PUT", "/q", protobuf(pb.family("x.sum", 1, pb.gauge(1)))),
                                      ("PUT", "/q", protobuf(pb.family("x.", 4, pb.histogram(1, 1)) + pb.family("x__count", 1, pb.gauge(1))))],
    "names that escape to our own": [("PUT", "/p", protobuf(pb.family("pushgateway.groups", 1, pb.gauge(1)))), ("PUT", "/p", protobuf(pb.family("push.time.seconds", 1, pb.gauge(1))))],
    "name that is not UTF-8": [("PUT", "/p", protobuf(pb.family(b"a\xff", 1, pb.gauge(1)))), ("PUT", "/q", protobuf(pb.family(b"a\xfe", 1, pb.gauge(1))))],
    "name with a line feed": [("PUT", "/p", protobuf(pb.family("a\nb 1\n# TYPE c", 1, pb.gauge(1)))), ("PUT", "/p", protobuf(pb.family("a", 1, pb.gauge(1, **{'x="1"\n': "1"}))))],
    "help that breaks out": [("PUT", "/p", protobuf(pb.family("a", 1, pb.gauge(1), help="x\n# TYPE a counter\na 2\\")))],
    "help that is not UTF-8": [("PUT", "/p", b"# HELP a \xff\xfe\na 1\n"), ("PUT", "/q", protobuf(pb.family("b", 1, pb.gauge(1), help=b"\xff")))],
    "helps that differ": [("PUT", "/p", "# HELP a x\na 1\n"), ("PUT", "/q", "# HELP a y\na 1\n"), ("PUT", "/r", "a 1\n"), ("DELETE", "/p", None)],
    "label value not UTF-8": [("PUT", "/p", b'a{x="\xff"} 1\n'), ("PUT", "/p", protobuf(pb.family("a", 1, pb.labels(x=b"\xff") + pb.data(2, b""))))],
    "NUL and CR": [("PUT", "/p%00/l/%0d%0a", 'a{x="\0\r"} 1\n# HELP a \r\0\n')],
    "same series of two groups": [("PUT", "/p", 'a{x="1"} 1\n'), ("PUT", "/p/x/1", "a 2\n"), ("POST", "/p", 'b 1\na{x="2"} 1\n')],
    "odd histograms": [("PUT", "/p", '# TYPE h histogram\nh_bucket{le="2"} 5\nh_bucket{le="1"} 9\nh_bucket{le="1"} 1\nh_bucket{le="NaN"} 1\nh_count NaN\n'),
                       ("PUT", "/q", protobuf(pb.family("h", 4, pb.histogram(1, 1, [(float("nan"), 1), (float("inf"), 3), (float("inf"), 4)]))))],
    "odd summaries": [("PUT", "/p", '# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="0.5"} 2\ns{quantile="7"} 2\ns_count -1\n')],
    "malformed native histograms": [("PUT", "/p", protobuf(pb.family("n", 4, pb.histogram(1, 1, (), pb.native(99, 1, [(0, 1000000)], [1]))))),
                                    ("PUT", "/q", protobuf(pb.family("n", 4, pb.histogram(1, 1, (), pb.native(-2**31, 1, [(-2**31, 2**32 - 1)], [-2**63])))))],
    "types that change": [("PUT", "/p", "# TYPE a counter\na 1\n"), ("PUT", "/p", "# TYPE a gauge\na 1\n"), ("PUT", "/q", "# TYPE a counter\na 1\n"),
                          ("DELETE", "/p", None), ("PUT", "/q", "# TYPE a counter\na 1\n"), ("POST", "/p", "# TYPE a summary\na_sum 1\n")],
    "empty families": [("PUT", "/p", protobuf(pb.family("a", 1))), ("PUT", "/q", "# TYPE a counter\na 1\n"), ("POST", "/q", protobuf(pb.family("a", 4)))],
}


def send(gateway, step, connection=None):
    method, path, body = step
    text = not isinstance(body, bytes) or body.startswith((b"a", b"#"))
    return gateway.request(method, f"/metrics/job{path}", body, {} if text else PROTOBUF, connection)


def check(gateway):
    s = scrape(gateway)
    # promtool reads it; what it has to say about style is not ours.
    promtool(s.text)
    return s


@pytest.mark.parametrize("name", POISON)
def test_poison(database, name):
    with Gateway(database=database) as g:
        # The very first request after the start is the poison.
        for step in POISON[name]:
            assert send(g, step).status in (200, 202, 400), step
            scrape(g)
        assert g.put("healthy", OLD).status == 200, "others can go on pushing"
        before = check(g)
        assert before.pushed("old", "healthy") == 1
        g.kill()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.kept() == before.kept()
        assert s.get("pushgateway_database_set_aside") == 0
        for step in POISON[name]:
            send(g, step)
            assert send(g, ("DELETE", step[1], None)).status in (202, 400)
        assert {line for line in scrape(g).foreign() if not line.startswith("#") and "healthy" not in line} == set()


def test_raw_bytes_in_the_path(shared):
    for target in (b"/metrics/job/\xff", b"/metrics/job/\xc3\xa9", b"/metrics/job/x/l/\x01\x7f"):
        request = push("@", b"raw 1\n").replace(b"/metrics/job/@", target)
        assert exchange(shared, request).status in (200, 400)
        scrape(shared)
    assert exchange(shared, head("DELETE", "/metrics/job/%C3%A9")).status == 202


ALPHABET = [step for steps in POISON.values() for step in steps]


def random_step(rng):
    method, path, body = rng.choice(ALPHABET)
    if body is not None and rng.random() < 0.4:
        path = rng.choice("/p /q /p/instance/ /p/instance/i /p/x/1 /q/le/5".split())
    if body is None or rng.random() < 0.15:
        return "DELETE", path, None
    return rng.choice([method, "PUT", "POST"]), path, body


def check_books(s):
    """What the gateway says it holds is what it shows."""
    assert s.get("pushgateway_groups") == len([1 for name, _ in s.samples if name == "push_time_seconds"])
    assert s.get("pushgateway_series") == len([x for x in s.text.split("\n") if "job=" in x and x[0] != "#"])


@pytest.mark.parametrize("seed", range(8))
def test_sequences_at_random(database, seed):
    """All of it against all of it: what one push leaves behind is what the next one meets."""
    rng = random.Random(seed)
    with Gateway(database=database) as g:
        connection = g.connect()
        for i in range(150):
            step = random_step(rng)
            assert send(g, step, connection).status in (200, 202, 400), step
            if i % 5 == 4:
                scrape(g, connection)
        connection.close()
        s = check(g)
        check_books(s)
        # A database that is written anew from memory holds the same.
        database.unlink()
        g.wait_for_line("a new one has been written from memory")
        assert scrape(g).kept() == s.kept()
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).kept() == s.kept()


@pytest.mark.parametrize("seed", range(3))
def test_all_at_once_on_a_failing_disk(database, faults, seed):
    """Batches of it, some of which are taken back as a whole."""
    def client(n):
        rng = random.Random(f"{seed}/{n}")
        connection = g.connect()
        for _ in range(120):
            statuses.add(send(g, random_step(rng), connection).status)
        connection.close()

    statuses = set()
    with Gateway(database=database, env=faults.env) as g:
        clients = [threading.Thread(target=client, args=(n,)) for n in range(6)]
        for c in clients:
            c.start()
        while any(c.is_alive() for c in clients):
            faults.fail("sync", errno.EIO)
            scrape(g)
            faults.heal()
            scrape(g)
        assert statuses <= {200, 202, 400, 503}
        s = check(g)
        check_books(s)
        # After this commit nothing is left of those that failed. It may be 503 with Retry-After until the database is tried again.
        eventually(lambda: g.put("last", "last 1\n").status == 200, "the database is tried again")
        s = scrape(g)
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).kept() == s.kept()
