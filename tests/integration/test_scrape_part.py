"""GET /metrics?match[]=...: a part of the scrape, in every format, as the whole one shows it."""
import random
import re
import socket
import threading
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import Gateway, eventually
from strict import FORMATS, PROTO, scrapes
from test_formats import EVERYTHING, put_proto, split

OWN = re.compile(rb"(process_|pushgateway_(?!group_expired|job_overdue|next_push))")


def path(*selectors):
    return "/metrics?" + urllib.parse.urlencode([("match[]", s) for s in selectors])


def part(gateway, *selectors, status=200):
    r = gateway.get(path(*selectors))
    assert r.status == status, r
    return r.text


def series(text):
    return {line for line in text.splitlines() if not line.startswith("#")}


def pieces(accept, body):
    return Counter(split(body) if FORMATS[accept] == PROTO else body.splitlines())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"mine\"}'\n  expect_every: 1h\n")
    with Gateway("--push.enable-utf8-names", "--web.enable-openmetrics", f"--config.file={rules}") as g:
        yield g


def test_in_every_format_and_coding_as_if_nothing_else_was_stored(gateway):
    put_proto(gateway, "mine/__ttl__/1d", EVERYTHING)
    assert gateway.post("mine", "# TYPE x_total counter\nx_total 1\n# TYPE x_created gauge\nx_created 1600000000.5\nempty{l=\"\"} 0\n").status == 200
    assert gateway.post("mine", "x_total 1 1\n").status == 400
    for other in "other", "mine/instance/i":
        assert gateway.put(other, "# TYPE c_total counter\nc_total 1\nx_created 3\n# TYPE n histogram\nn_sum 1\nn_count 0\n").status == 400
        put_proto(gateway, other, EVERYTHING.replace(b"x", b"y"))
    mine = scrapes(gateway, path=path('{job="mine",instance=""}'))
    assert gateway.delete("other").status == 202 and gateway.delete("mine/instance/i").status == 202
    for (accept, escaping, coding), (kind, whole) in scrapes(gateway).items():
        its_kind, body = mine.pop((accept, escaping, coding))
        assert its_kind == kind
        some, all_of_it = pieces(accept, body), pieces(accept, whole)
        assert some - all_of_it == Counter(), (accept, escaping)
        if "proto" not in accept or "compact" in accept or FORMATS[accept] == PROTO:
            assert all(OWN.search(piece) for piece in all_of_it - some), (accept, escaping, all_of_it - some)
            assert not any(OWN.search(piece) for piece in some)
    assert not mine


def test_one_group_in_every_format_and_coding(gateway):
    """As the selector that means only it, without its times."""
    put_proto(gateway, "one/__ttl__/1d", EVERYTHING)
    by_selector = scrapes(gateway, path=path('{job="one",instance=""}'))
    for which, (kind, body) in scrapes(gateway, path="/metrics/job/one").items():
        its_kind, with_times = by_selector.pop(which)
        assert its_kind == kind
        some, all_of_it = pieces(which[0], body), pieces(which[0], with_times)
        assert some - all_of_it == Counter(), which
        if "proto" not in which[0] or "compact" in which[0] or FORMATS[which[0]] == PROTO:
            assert all(b"push_" in piece or b"pushgateway_" in piece for piece in all_of_it - some), which
        assert some and b"push_time_seconds" not in body
    assert not by_selector
    assert gateway.get("/metrics/job/none").status == 404
    assert gateway.delete("one").status == 202


def test_which_groups():
    with Gateway(database="") as g:
        for job in "a", "b", "c":
            for instance in "", "/instance/1":
                assert g.put(job + instance, f'm{{of="{job}"}} 1\n').status == 200
        jobs = lambda text: sorted(re.findall(r'^m\{.*job="(.)",of', text, re.M))
        assert jobs(part(g, '{job="a"}')) == ["a", "a"]
        assert jobs(part(g, '{job="a",instance=""}')) == ["a"]
        assert jobs(part(g, '{job="a",instance="1"}', '{job=~"b|z"}')) == ["a", "b", "b"]
        assert jobs(part(g, '{job!~"a"}')) == ["b", "b", "c", "c"]
        assert part(g, '{job="z"}') == ""
        everything = {line for line in series(g.get("/metrics").text) if not OWN.match(line.encode())}
        assert series(part(g, '{job!=""}')) == everything and len(everything) == 18
        assert g.get("/metrics?other=1").text.count("pushgateway_build_info{") == 1
        assert g.request("HEAD", path('{job="a"}')).status == 200


@pytest.mark.parametrize("selector, says", [("m", "match[]"), ('{job="a"', "match[]"), ('{job=~"("}', "match[]"), ("", "match[]"),
                                            ("%zz", "hex")])
def test_no_selector(shared, selector, says):
    r = shared.get("/metrics?match[]=" + (selector if selector == "%zz" else urllib.parse.quote(selector)))
    assert r.status == 400 and says in r.text, r
    assert shared.get("/metrics?" + "&".join(["match[]={job='a'}"] * 17)).status == 400


@pytest.mark.parametrize("query", ["target=match%zz", "note=shard;a=%zz", "own2=%zz", "a=%ff&knows=own", "%zz", "matches=%zz&own=%31", "a=%zz&sh%61rd=1/1",
                                   "&".join(["a"] * 300)])
def test_parameters_of_others_do_not_matter(shared, query):
    r = shared.get("/metrics?" + query)
    assert r.status == 200 and r.text.count("pushgateway_build_info{") == 1


def test_sums_and_failures(gw):
    for pid in 1, 2:
        assert gw.request("POST", f"/sum/metrics/job/s/pid/{pid}", "# TYPE a counter\na 2\n").status == 200
    assert gw.put("only-failed", "a 1 1\n").status == 400 and gw.put("only-failed", "b 1\nb 1\n").status == 400
    assert 'a{instance="",job="s"} 4' in series(part(gw, '{job="s"}'))
    failed = series(part(gw, '{job="only-failed"}'))
    assert failed == {line for line in series(gw.get("/metrics").text) if "only-failed" in line} and len(failed) == 2


def test_only_some_are_made_at_a_time():
    with Gateway(database="") as g:
        body = "".join(f'm{{i="{i}"}} 1\n' for i in range(3000))
        for job in range(20):
            assert g.put(str(job), body).status == 200
        with ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(lambda _: g.get(path('{job!=""}')), range(32)))
        assert {r.status for r in replies} <= {200, 503}
        whole = [len(series(r.text)) for r in replies if r.status == 200]
        assert whole and set(whole) == {20 * 3002}
        assert all("match[]" in r.text and r.headers["Retry-After"] == "1" for r in replies if r.status == 503)


def test_what_changes_meanwhile_does_not_break_it():
    """Names change their type and move between groups: each part can be read, whatever is copied first."""
    with Gateway(database="") as g:
        stop = threading.Event()

        def push():
            c, rng = g.connect(), random.Random(1)
            while not stop.is_set():
                job, kind = rng.randrange(40), rng.choice(["counter", "gauge"])
                if rng.random() < .5:
                    g.request("DELETE", f"/metrics/job/{job}", connection=c)
                g.request("PUT", f"/metrics/job/{job}", f"# TYPE m{job % 3} {kind}\nm{job % 3} 1\n", connection=c)
            c.close()

        t = threading.Thread(target=push)
        t.start()
        try:
            for _ in range(5):
                scrapes(g, codings=["identity"], formats=["text/plain;version=0.0.4"], path=path('{job!=""}'))
        finally:
            stop.set()
            t.join()


def test_the_help_text_is_that_of_the_newest_push(database):
    """As in the whole scrape, and the same after a restart, when the groups are in another order."""
    for _ in range(2):
        with Gateway(database=database) as g:
            if g.get(path('{job="ha"}')).text.find("hh{") < 0:
                for job in ("hb", "ha", "hc", "hb"):
                    assert g.put(job, f"# HELP hh of {job}\nhh 1\n").status == 200
            for match, newest in [("ha|hb|hc", "hb"), ("ha|hc", "hc"), ("ha", "ha")]:
                assert f"# HELP hh of {newest}\n" in part(g, f'{{job=~"{match}"}}')


@pytest.mark.released
def test_those_that_are_refused_while_they_are_made_give_their_places_back():
    """Whoever does not read has them refused. Only four are made at a time, and each that was refused midway took a place for ever."""
    def asks():
        r = g.get(path('{job=~"j.+"}'))
        assert r.status == 200 or b"--limits.reply-bytes" in r.body, r
        return r.status

    with Gateway("--limits.reply-bytes=1MiB") as g, ThreadPoolExecutor(4) as pool:
        body = "".join(f'm{i}{{l="{"v" * 200}{j}"}} 1\n' for i in range(20) for j in range(100))
        for job in range(60):
            assert g.put(f"j{job}", body).status == 200
        for value in range(2, 10):
            with socket.socket() as idle:
                idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                idle.connect((g.host, g.port))
                idle.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                assert idle.recv(9) == b"HTTP/1.1 "
                asked = [pool.submit(asks) for _ in range(3)]
                other = pool.submit(g.request, "GET", "/metrics", None, {"Accept-Encoding": "gzip"})
                # What it has yet to read is now kept for it alone.
                for job in range(10):
                    assert g.put(f"j{job}", body.replace("} 1", f"}} {value}")).status == 200
                assert {a.result() for a in asked} <= {200, 503} and other.result().status in (200, 503)
        eventually(lambda: b"pushgateway_reply_bytes 0\n" in g.get("/metrics?own=only").body, "nobody reads any more")
        assert asks() == 200
