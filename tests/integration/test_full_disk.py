"""A disk without room: pushes are refused, what makes room is not, and then pushes go on."""
import json
import os
import re
import subprocess

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually
from wire import Wire, push

MIB = 1024 * 1024


def body(n, size):
    return f"n {n}\n" + "".join(f'm{i}{{pad="{i:06d}{"x" * 80}"}} {n}\n' for i in range(size // 100))


def fill(g, size, most=1000, prefix="j"):
    """Pushes groups until one is refused; returns how many were not."""
    for n in range(most):
        reply = g.put(f"{prefix}{n}", body(n, size))
        if reply.status != 200:
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
            assert reply.text == "the push could not be stored: database or disk is full\n"
            return n
    raise AssertionError("the disk is not full")


def takes_pushes(g, job="again"):
    return eventually(lambda: g.put(job, body(7, 40000)).status == 200, "there is room again")


def reopened(g, database):
    """What is shown after a crash."""
    before = sorted(scrape(g).foreign())
    g.kill()
    with Gateway(database=database) as again:
        assert "damaged" not in again.log
        assert sorted(scrape(again).foreign()) == before


@pytest.mark.parametrize("size", [pytest.param(4000, marks=pytest.mark.released), 40000, 400000])
def test_groups_of_a_full_disk_can_be_deleted(database, faults, size):
    with Gateway(database=database, env=faults.env) as g:
        faults.fill(database.parent, 6 * MIB)
        n = fill(g, size, 3000)
        assert n >= 3 * MIB // size // 2 - 50, "what is not kept can be used"
        assert g.get("/-/ready").status == 503
        assert [g.delete(f"j{i}").status for i in range(n)] == [202] * n
        assert scrape(g).get("pushgateway_groups") == 0
        takes_pushes(g)
        eventually(lambda: g.get("/-/ready").status == 200, "pushes are taken")
        again = fill(g, size, 3000)
        assert again >= n // 2, "what was deleted is room for others"
        assert [g.delete(f"j{i}").status for i in range(again)] == [202] * again
        takes_pushes(g)
        reopened(g, database)


@pytest.mark.parametrize("groups", [1, 7, pytest.param(60, marks=pytest.mark.released), pytest.param(400, marks=pytest.mark.released)])
def test_groups_can_be_deleted_when_others_have_filled_the_disk(database, faults, groups):
    """Wherever in its log the database is: not one byte more is to be had."""
    with Gateway(database=database, env=faults.env) as g:
        for i in range(groups):
            assert g.put(f"j{i}", body(i, 8000)).status == 200
        faults.fill(database.parent)
        fill(g, 300000, prefix="large")
        kept = groups // 10
        assert [g.delete(f"j{i}").status for i in range(kept, groups)] == [202] * (groups - kept)
        s = scrape(g)
        assert [s.pushed("n", f"j{i}") for i in range(groups)] == [*range(kept)] + [None] * (groups - kept)
        # What is not there for a large push may be for a small one.
        eventually(lambda: g.put("small", "a 1\n").status == 200, "a small push is taken")
        faults.heal()
        takes_pushes(g)
        reopened(g, database)


def test_a_wipe_of_a_full_disk(database, faults):
    with Gateway("--web.enable-admin-api", database=database, env=faults.env) as g:
        faults.fill(database.parent, 5 * MIB)
        fill(g, 40000)
        for _ in range(3):
            assert g.request("PUT", "/api/v1/admin/wipe").status == 202
            assert scrape(g).get("pushgateway_groups") == 0
            takes_pushes(g)
            assert fill(g, 40000) >= 20
        reopened(g, database)


def test_groups_end_by_themselves_on_a_full_disk(database, faults):
    with Gateway(database=database, env=faults.env) as g:
        for i in range(20):
            assert g.request("PUT", f"/metrics/job/short{i}/__ttl__/3s", body(i, 40000)).status == 200
        faults.fill(database.parent)
        fill(g, 300000, prefix="large")
        eventually(lambda: scrape(g).pushed("n", "short19") is None, "they end")
        takes_pushes(g)


@pytest.mark.released
def test_a_silent_source_on_a_full_disk(database, faults, tmp_path):
    """To fold it takes room, and there is none: that keeps nobody from deleting, and no group from ending by itself."""
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n- match: '{job=\"s\"}'\n  source_ttl: 100ms\n")
    counters = "# TYPE c counter\n" + "".join(f'c{{pad="{i:06d}{"x" * 80}"}} 1\n' for i in range(12000))
    sources = lambda: json.loads(g.get("/api/v1/groups/sources").text)["data"]
    own = lambda name: int(re.search(rf"^{name} (\d+)$", g.get("/metrics").text, re.M)[1])
    with Gateway(f"--config.file={rules}", database=database, env=faults.env) as g:
        assert g.request("PUT", "/metrics/job/short/__ttl__/5s", body(1, 40000)).status == 200
        assert g.request("PUT", "/sum/metrics/job/s/pid/1", counters).status == 200
        for i in range(20):
            assert g.put(f"j{i}", body(i, 8000)).status == 200
        eventually(lambda: not sources()["sources"][0]["live"], "its gauges go first")
        faults.fill(database.parent)
        fill(g, 300000, prefix="large")
        g.kill()
    with Gateway(f"--config.file={rules}", "--merge.fold-after=1s", database=database, env=faults.env) as g:
        eventually(lambda: own("pushgateway_commit_failures_total") > 0, "it cannot be folded")
        assert [g.delete(f"j{i}").status for i in range(10)] == [202] * 10
        eventually(lambda: 'n{instance="",job="short"}' not in g.get("/metrics").text, "it ends")
        # With others in one batch, too.
        faults.hold()
        first = Wire(g).send(push("j10", b"", "DELETE"))
        faults.wait_until_held()
        gone = [Wire(g).send(push(f"j{i}", b"", "DELETE")) for i in range(11, 20)]
        eventually(lambda: own("pushgateway_queue_depth") == 9, "all wait")
        faults.release()
        assert [w.reply().status for w in (first, *gone)] == [202] * 10
        for w in (first, *gone):
            w.socket.close()
        assert sources()["total"] == 1
        faults.heal()
        eventually(lambda: sources()["total"] == 0, "it is folded")
        reopened(g, database)


def test_many_at_once_on_a_full_disk(database, faults):
    """Deletes of one batch with pushes: the pushes alone are refused."""
    with Gateway(database=database, env=faults.env) as g:
        for i in range(30):
            assert g.put(f"j{i}", body(i, 8000)).status == 200
        faults.fill(database.parent)
        fill(g, 300000, prefix="large")
        faults.hold()
        first = Wire(g).send(push("j29", b"", "DELETE"))
        faults.wait_until_held()
        # None of more than 64 KiB: that would be refused before it is read.
        large = [Wire(g).send(push(f"k{i}", body(i, 50000).encode())) for i in range(10)]
        gone = [Wire(g).send(push(f"j{i}", b"", "DELETE")) for i in range(10)]
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 20, "all wait")
        faults.release()
        assert [first.reply().status, *(w.reply().status for w in gone)] == [202] * 11
        assert [w.reply().status for w in large] == [503] * 10
        s = scrape(g)
        assert [s.pushed("n", f"j{i}") for i in range(30)] == [None] * 10 + [*range(10, 29)] + [None]
        for w in (first, *large, *gone):
            w.socket.close()


# ---- a database that is written anew ----

def written(database, groups=40):
    """Closed, and what is shown of it."""
    with Gateway(database=database) as g:
        for i in range(groups):
            assert g.put(f"j{i}", body(i, 40000)).status == 200
        return sorted(scrape(g).foreign())


def files(directory):
    return {f.name: f.read_bytes() for f in directory.iterdir() if f.is_file()}


# What a copy needs: 1.8 MiB, and 1 MiB of room for commits.
ROOM = [0, MIB // 8, MIB // 2, MIB, 2 * MIB, 16 * MIB]


def test_a_copy_is_made_as_a_whole_or_not_at_all(database, faults, tmp_path):
    before = written(database)
    for room in ROOM:
        to = tmp_path / f"to{room}" / "copy.db"
        to.parent.mkdir()
        faults.fail("space", room + 1)
        done = subprocess.run([BINARY, "copy", "--from", database, "--to", to], capture_output=True, text=True,
                              env={**os.environ, **faults.env, "TMPDIR": str(tmp_path)})
        if room < 16 * MIB:
            assert (done.returncode, files(to.parent)) == (1, {}), (room, done)
            assert "full" in done.stderr or "no space" in done.stderr.lower(), done
            continue
        assert done.returncode == 0, done
        with Gateway(database=to) as g:
            assert sorted(scrape(g).foreign()) == before


def test_what_is_saved_of_a_damaged_database_is_saved_as_a_whole(database, faults):
    """Otherwise the gateway does not start, and nothing has changed."""
    before = written(database)
    content = bytearray(database.read_bytes())
    content[:512] = bytes(512)
    database.write_bytes(content)
    left = files(database.parent)
    for room in ROOM[:-1]:
        faults.fill(database.parent, room)
        g = Gateway(database=database, env=faults.env)
        assert g.wait() == 1
        assert "database or disk is full" in g.log or "no space left" in g.log
        assert files(database.parent) == left, room
    faults.heal()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == before
        assert "the database is damaged" in g.log


def test_a_lost_database_is_written_again_as_a_whole(database, faults):
    before = written(database)
    with Gateway(database=database, env=faults.env) as g:
        faults.fail("space", MIB)
        database.unlink()
        g.wait_for_line("every push is refused until it can")
        assert not database.exists()
        assert g.put("later", "a 1\n").status == 503
        faults.heal()
        g.wait_for_line("a new one has been written")
        assert sorted(scrape(g).foreign()) == before
        g.kill()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == before
