"""A 200 is durable: the gateway is killed under load, again and again, and what it acknowledged is there."""
import contextlib
import random
import sqlite3
import subprocess

import pytest

import messages as pb
from exposition import scrape
from gateway import BINARY, Gateway, parse_logfmt
from old_database import contradicting_database
from pushers import DropPusher, Pusher

PUSHERS = 8


@pytest.mark.parametrize("seed", range(6))
def test_sigkill_and_compare(database, seed):
    rng = random.Random(seed)
    at = [0] * PUSHERS
    with Gateway(database=database) as g:
        g.put("still", "here 1\n")
        g.kill()
    for round_ in range(3):
        with Gateway(database=database) as g:
            pushers = [Pusher(g, f"p{i}", at[i]) for i in range(PUSHERS)]
            drops = [DropPusher(g, f"d{round_}-{i}") for i in range(2)]
            # A moment that depends on how far the work is, not on the clock.
            pushers[0].wait_for(at[0] + rng.randrange(1, 60))
            g.kill()
            for t in pushers + drops:
                t.join()
        assert all(p.acknowledged >= at[i] for i, p in enumerate(pushers))
        with Gateway(database=database) as g:
            s = scrape(g)
            assert s.pushed("here", "still") == 1
            at = [p.check(s) for p in pushers]
            for p in drops:
                p.check(s)
            g.kill()


def test_everything_of_a_group_survives(database):
    body = ('# HELP a text with \\\\ and \\n\n# TYPE a gauge\na{b="c",é="no"} 1\n'.replace('é="no"', 'd=""')
            + 'a{b="é\\"\\n"} -0\n# TYPE s summary\ns{quantile="0.5"} NaN\ns_sum 1e-300\ns_count 7\n'
              '# TYPE h histogram\nh_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 4\nh_sum 2\nh_count 4\n'
              "# TYPE c_total counter\nc_total 18446744073709551615\nu 5e-324\n")
    with Gateway(database=database) as g:
        assert g.put("x/path@base64/L2EvYg/empty@base64/=/q/%22", body).status == 200
        assert g.post("x/path@base64/L2EvYg/empty@base64/=/q/%22", "extra 1\n").status == 200
        assert g.request("PUT", "/metrics/job/p", pb.family("my.metric", pb.GAUGE, pb.gauge(1)),
                         {"Content-Type": pb.CONTENT_TYPE}).status == 200
        assert g.put("refused", "a 1 5\n").status == 400
        assert g.put("empty", "").status == 200
        before = scrape(g).foreign()
        g.kill()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == sorted(before)
        assert g.get("/metrics").text.count("push_time_seconds{") == 4
        # And once more after an orderly end, with the WAL merged into the database.
        g.terminate()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == sorted(before)


def test_what_merges_leave_of_old_pushes_survives(database):
    rng = random.Random(5)
    with Gateway(database=database) as g:
        for i in range(150):
            names = rng.sample("abcdefgh", rng.randrange(1, 5))
            push = g.post if rng.random() < 0.8 else g.put
            push(f"j{rng.randrange(4)}", "".join(f"{n} {i}\n" for n in names))
            if rng.random() < 0.05:
                g.delete(f"j{rng.randrange(4)}")
        before = scrape(g).foreign()
        g.kill()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == sorted(before)


def test_deleted_is_deleted(database):
    with Gateway(database=database) as g:
        for i in range(20):
            g.put(f"j{i}", "a 1\n")
        for i in range(20):
            assert g.delete(f"j{i}").status == 202
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).foreign() == []


def test_without_a_file_nothing_is_kept(tmp_path):
    with Gateway(cwd=tmp_path) as g:
        g.put("x", "a 1\n")
        g.wait_for_line("no --persistence.file")
        assert scrape(g).get("pushgateway_database_bytes") == 0
        g.terminate()
    assert list(tmp_path.iterdir()) == []
    with Gateway(cwd=tmp_path) as g:
        assert scrape(g).foreign() == []


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory"])
def test_every_name_is_that_of_a_file(tmp_path, name):
    with Gateway(cwd=tmp_path, database=name) as g:
        assert g.put("x", "a 1\n").status == 200
        assert (tmp_path / name).exists()
        g.kill()
    with Gateway(cwd=tmp_path, database=name) as g:
        assert scrape(g).pushed("a", "x") == 1


def test_a_lowered_limit_loses_nothing(database):
    with Gateway(database=database) as g:
        g.put("x/long/" + "v" * 500, 'a{b="' + "w" * 500 + '"} 1\nc 1\nd 1\n')
        before = scrape(g).foreign()
        g.kill()
    with Gateway("--limits.series=2", "--limits.groups=1", "--limits.label-value-length=10", "--limits.series-per-push=1",
                 database=database) as g:
        assert sorted(scrape(g).foreign()) == sorted(before)
        assert g.put("y", "a 1\n").status == 507



class LargePusher(Pusher):
    """The same with 100 kB more in each push."""

    def request(self, n):
        method, body = super().request(n)
        return method, body + "".join(f'large{{pad="{i:04d}{"x" * 5000}"}} {n}\n' for i in range(20))


@pytest.mark.parametrize("pushes", [60, 110, 150, 210])
def test_sigkill_while_the_log_is_shortened(database, pushes):
    cold = {f"cold{i}": i for i in range(20)}
    with Gateway(database=database) as g:
        for job, value in cold.items():
            assert g.put(job, f"still {value}\n").status == 200
            assert g.post(job, f"more {value}\n").status == 200
        pushers = [LargePusher(g, f"hot{i}") for i in range(4)]
        for p in pushers:
            p.wait_for(pushes // len(pushers))
        g.kill()
        for p in pushers:
            p.join()
    with Gateway(database=database) as g:
        s = scrape(g)
        for job, value in cold.items():
            assert s.pushed("still", job) == s.pushed("more", job) == value
        for p in pushers:
            p.check(s)
        g.terminate()
    # 100 kB of each of four groups are live; all pushes together take 6 to 21 MB.
    assert database.stat().st_size < 5e6, "nothing was dropped"


@pytest.mark.released
def test_a_small_store_keeps_a_small_file(database):
    """What is pushed over and over does not pile up, neither in the database nor in its WAL."""
    lines = [f'small_metric_{i % 7}{{row="{i:03d}"}}' for i in range(100)]
    with Gateway(database=database) as g:
        connection = g.connect()
        for n in range(4200):
            body = "".join(f"{line} {n}\n" for line in lines)
            assert g.request("PUT", "/metrics/job/small", body, connection=connection).status == 200
        connection.close()
        assert len("".join(lines)) < 3600
        assert database.stat().st_size < 600_000
        assert database.with_name(database.name + "-wal").stat().st_size < 2_500_000
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("small_metric_3", "small", row="003") == 4199


def written_anew_by_rescue(database):
    with Gateway(database=database) as g:
        for f in database.parent.glob(database.name + "*"):
            f.unlink()
        g.wait_for_line("a new one has been written")
        g.kill()


def written_anew_by_salvage(database):
    with Gateway(database=database) as g:
        g.terminate()
    content = bytearray(database.read_bytes())
    content[:512] = content[4096:4096 + 512]
    database.write_bytes(content)
    with Gateway(database=database) as g:
        g.wait_for_line("the database is damaged")
        g.kill()
    for f in database.parent.glob("*.damaged-*"):
        f.unlink()


def written_anew_by_copy(database):
    subprocess.run([BINARY, "copy", "--from", database, "--to", database.with_name("copy.db")], check=True, stdout=subprocess.DEVNULL)
    for f in database.parent.glob(database.name + "*"):
        f.unlink()
    database.with_name("copy.db").rename(database)


@pytest.mark.parametrize("write_anew", [lambda database: None, written_anew_by_rescue, written_anew_by_salvage, written_anew_by_copy],
                         ids=["same", "rescue", "salvage", "copy"])
def test_what_contradicts_a_rule_is_left_out_and_kept(database, write_anew):
    contradicting_database(database)
    for _ in range(2):
        write_anew(database)
        with Gateway(database=database) as g:
            line = parse_logfmt(g.wait_for_line("a stored family breaks a rule"))
            assert line["level"] == "warn" and line["group"] == '{job="old"}' and line["family"] == "clash"
            s = scrape(g)
            assert s.get("pushgateway_database_left_out_families") == 1
            assert s.get("pushgateway_database_set_aside") == 0
            assert [x for x in s.foreign() if x.startswith("clash")] == ['clash{instance="",job="new"} 2']
            assert s.pushed("fine", "old") == 1 and s.pushed("fine", "new") == 2
            g.kill()
    with Gateway(database=database) as g:
        assert g.delete("new").status == 202
        g.kill()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.pushed("clash", "old") == 1 and s.get("pushgateway_database_left_out_families") == 0
