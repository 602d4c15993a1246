"""A disk that stalls, fills up or fails: 503, memory as it was, and well again afterwards."""
import errno
import threading

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from wire import Wire, head, push


def rejected(s, reason):
    return s.get("pushgateway_rejected_pushes_total", reason=reason)


def test_a_full_queue_is_503(database, faults):
    with Gateway("--push.queue-size=3", database=database, env=faults.env) as g:
        faults.hold()
        first = Wire(g).send(push("first", b"a 1\n"))
        faults.wait_until_held()
        # The committer has taken the first one: the queue itself is empty, and takes three.
        waiting = [Wire(g).send(push(f"w{i}", b"a 1\n")) for i in range(3)]
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 3, "three pushes wait")
        # Deletes have room of their own, half as much.
        deletes = [Wire(g).send(head("DELETE", f"/metrics/job/d{i}")) for i in range(2)]
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 5, "two deletes, too")
        refused = [g.put("over", "a 1\n"), g.post("over", "a 1\n"), g.delete("first")]
        for reply in refused:
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
            assert reply.text == "write queue is full, try again (--push.queue-size)\n"
        s = scrape(g)
        assert rejected(s, "busy") == 3
        assert s.pushed("a", "first") is None, "not acknowledged, not visible"
        assert g.get("/-/healthy").status == 200
        faults.release()
        assert [w.reply().status for w in [first, *waiting]] == [200] * 4
        assert [w.reply().status for w in deletes] == [202] * 2
        assert g.put("over", "a 2\n").status == 200
        s = scrape(g)
        assert s.get("pushgateway_queue_depth") == 0
        assert [s.pushed("a", job) for job in ("first", "w0", "w1", "w2", "over")] == [1, 1, 1, 1, 2]
        for w in [first, *waiting, *deletes]:
            w.socket.close()


@pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}])
def test_a_large_push_is_refused_before_its_body_is_read(database, faults, expect):
    """Where it is known that it cannot be taken: the queue is full, or the database takes nothing."""
    large = head("PUT", "/metrics/job/large", Content_Length=10_000_000, **expect)

    def refusal(g):
        with Wire(g) as w:
            reply = w.send(large).reply()
            assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
            return reply.text

    with Gateway("--push.queue-size=3", database=database, env=faults.env) as g:
        faults.hold()
        waiting = [Wire(g).send(push("first", b"a 1\n"))]
        faults.wait_until_held()
        waiting += [Wire(g).send(push(f"w{i}", b"a 1\n")) for i in range(3)]
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 3, "three pushes wait")
        assert refusal(g) == "write queue is full, try again (--push.queue-size)\n"
        assert rejected(scrape(g), "busy") == 1
        faults.release()
        assert [w.reply().status for w in waiting] == [200] * 4
        faults.fail("write", errno.EIO)
        assert g.put("new", "a 1\n").status == 503
        assert refusal(g).startswith("the push could not be stored: ")
        assert rejected(scrape(g), "storage") == 2
        faults.heal()
        eventually(lambda: g.get("/-/ready").status == 200, "it asks by itself")
        body = b"#" * 3_000_000 + b"\na 1\n"
        with Wire(g) as w:
            w.send(head("PUT", "/metrics/job/large", Content_Length=len(body), **expect))
            assert not expect or w.reply().status == 100
            assert w.send(body).reply().status == 200
        for w in waiting:
            w.socket.close()


def test_a_queue_full_of_bytes_is_503(database, faults):
    with Gateway("--push.queue-bytes=64KiB", database=database, env=faults.env) as g:
        faults.hold()
        first = Wire(g).send(push("first", b"a 1\n"))
        faults.wait_until_held()
        big = b"".join(b'a{x="%d%s"} 1\n' % (i, b"y" * 100) for i in range(300))
        waiting = Wire(g).send(push("big", big))
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 1, "a big push waits")
        assert g.put("more", big).status == 503
        faults.release()
        assert [first.reply().status, waiting.reply().status] == [200, 200]
        assert g.put("more", big.replace(b"a{", b"b{")).status == 200, "alone, even a big one is taken"
        first.socket.close()
        waiting.socket.close()


@pytest.mark.parametrize("what,number", [("sync", errno.EIO), ("sync", errno.ENOSPC), ("write", errno.ENOSPC), ("write", errno.EIO)])
def test_a_failed_commit_changes_nothing(database, faults, what, number):
    with Gateway(database=database, env=faults.env) as g:
        g.put("old", "# TYPE a gauge\na 1\nb 1\n")
        g.put("gone", "c 1\n")
        before = scrape(g).foreign()
        faults.fail(what, number)
        # A disk that does not sync does not sync what takes the commit back either.
        refused = "the push may have been stored, and can be repeated: " if what == "sync" else "the push could not be stored: "
        attempts = [g.put("old", "# TYPE a counter\na 2\n"), g.post("old", "b 2\nd 1\n"), g.delete("gone"),
                    g.put("new", "e 1\n"), g.put("new", "e 1 5\n")]
        assert [r.status for r in attempts[:4]] == [503] * 4
        assert attempts[4].status in (400, 503)
        for r in attempts[:4]:
            assert r.headers["Retry-After"] == "1"
            # Once a sync has failed, a push may be answered before the committer has tried it.
            assert r.text.startswith((refused, "the push could not be stored: ", "the database cannot be used at the moment"))
            assert r.text.count("\n") == 1
        assert attempts[0].text.startswith(refused)
        s = scrape(g)
        assert s.foreign() == before
        assert s.get("pushgateway_commit_failures_total") >= sum("stored" in r.text for r in attempts[:4])
        assert rejected(s, "storage") >= 4
        g.wait_for_line("could not commit pushes")
        faults.heal()
        # After a failed sync it is tried again after a pause, four times as long as the last try.
        eventually(lambda: g.put("old", "# TYPE a counter\na 3\n").status == 200, "it is well again")
        assert g.delete("gone").status == 202
        assert g.put("new", "f 1\n").status == 200
        after = scrape(g)
        assert (after.pushed("f", "new"), after.pushed("b", "old"), after.pushed("e", "new")) == (1, None, None)
        assert "# TYPE a counter" in after.text
        g.kill()
    with Gateway(database=database) as g:
        assert sorted(scrape(g).foreign()) == sorted(after.foreign())


def test_a_batch_fails_as_a_whole(database, faults):
    """Several pushes to the same and to other groups, in one transaction that does not come about."""
    with Gateway(database=database, env=faults.env) as g:
        g.put("j0", "a 1\nb 1\n")
        before = scrape(g).foreign()
        faults.hold()
        first = Wire(g).send(push("first", b"x 1\n"))
        faults.wait_until_held()
        requests = [push("j0", b"a 2\n"), push("j0", b"c 2\n", "POST"), push("j0", b"", "DELETE"), push("j0", b"d 1\n"),
                    push("j1", b"# TYPE a gauge\na 1\n"), push("j1", b"", "DELETE"), push("j2", b"a 7\n"),
                    push("j3", b"a 1 1\n"), push("j0", b"b 5\n", "POST")]
        wires = []
        for n, request in enumerate(requests, 1):
            wires.append(Wire(g).send(request))
            # One after the other: their order is part of the case.
            eventually(lambda: scrape(g).get("pushgateway_queue_depth") == n, "the push waits")
        faults.fail("sync", errno.EIO)
        faults.release()
        assert first.reply().status == 503
        assert {w.reply().status for w in wires} <= {503, 400}
        assert scrape(g).foreign() == before
        faults.heal()
        eventually(lambda: g.put("j1", "# TYPE c gauge\nc 1\n").status == 200, "it is tried again, after a pause")
        assert g.put("j2", "a 2\n").status == 200
        s = scrape(g)
        assert (s.pushed("a", "j0"), s.pushed("b", "j0"), s.pushed("a", "j2")) == (1, 1, 2)
        assert (s.get("pushgateway_groups"), len({k for n, k in s.samples if n == "push_time_seconds"})) == (3, 3)
        for w in [first, *wires]:
            w.socket.close()


def test_scrapes_do_not_wait_for_the_disk(database, faults):
    with Gateway(database=database, env=faults.env) as g:
        g.put("x", "a 1\n")
        faults.hold()
        with Wire(g).send(push("x", b"a 2\n")) as waiting:
            faults.wait_until_held()
            assert [scrape(g).pushed("a", "x") for _ in range(20)] == [1] * 20
            assert g.get("/api/v1/status").status == 200
            faults.release()
            assert waiting.reply().status == 200
        assert scrape(g).pushed("a", "x") == 2


def test_many_pushes_share_a_commit(database, faults):
    with Gateway(database=database, env=faults.env) as g:
        faults.hold()
        wires = [Wire(g).send(push("first", b"a 1\n"))]
        faults.wait_until_held()
        wires += [Wire(g).send(push(f"p{i}", b"a 1\n")) for i in range(50)]
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 50, "all wait")
        faults.release()
        assert {w.reply().status for w in wires} == {200}
        s = scrape(g)
        assert s.get("pushgateway_commit_batch_pushes_count") == 2
        assert s.get("pushgateway_commit_batch_pushes_sum") == 51
        for w in wires:
            w.socket.close()


def test_a_disk_that_comes_and_goes_under_load(database, faults):
    """What was answered 200 is there, and what was answered 503 is not, though a crash follows at once."""
    with Gateway(database=database, env=faults.env) as g:
        acknowledged = {}

        def pusher(job):
            connection = g.connect()
            for n in range(1, 60):
                if g.request("PUT", f"/metrics/job/{job}", f"a {n}\n", connection=connection).status == 200:
                    acknowledged[job] = n
            connection.close()

        threads = [threading.Thread(target=pusher, args=(f"p{i}",)) for i in range(6)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            for what, number in (("sync", errno.EIO), ("write", errno.ENOSPC)):
                faults.fail(what, number)
                threads[0].join(0.005)
                faults.heal()
                threads[0].join(0.005)
        s = scrape(g)
        assert {job: s.pushed("a", job) for job in acknowledged} == acknowledged
        g.kill()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert {job: s.pushed("a", job) for job in acknowledged} == acknowledged


@pytest.mark.parametrize("heal", [True, False])
def test_a_refused_change_does_not_come_about_by_a_crash(database, faults, heal):
    """The commit stands in the log of the database when its sync fails: a restart must not find it there."""
    with Gateway(database=database, env=faults.env) as g:
        for job in ("kept", "changed", "gone"):
            assert g.put(job, "a 1\n").status == 200
        before = scrape(g).foreign()
        faults.fail("sync", errno.EIO)
        assert [g.delete("gone").status, g.put("changed", "a 2\n").status, g.put("new", "a 1\n").status] == [503] * 3
        if heal:
            faults.heal()
            # Between two tries there is a pause.
            eventually(lambda: g.put("kept", "a 1\n").status == 200, "it is well again")
            g.wait_for_line("the database was read back after a failed sync")
            before = scrape(g).foreign()
            faults.fail("sync", errno.EIO)
            assert g.delete("kept").status == 503
        assert scrape(g).foreign() == before
        g.kill()
    faults.heal()
    with Gateway(database=database) as g:
        assert "damaged" not in g.log
        assert sorted(scrape(g).foreign()) == sorted(before)


def test_while_the_database_is_opened_probes_get_an_answer(database, faults):
    """Below a route prefix, too. Everything else waits with a 503."""
    faults.hold()
    with Gateway("--web.route-prefix=/p", database=database, env=faults.env, ready="/p/-/healthy", early=True) as g:
        faults.wait_until_held()
        assert g.get("/p/-/healthy").status == 200
        for path in ("/p/-/ready", "/p/metrics", "/p/", "/p/api/v1/status", "/p/api/v1/metrics"):
            reply = g.get(path)
            assert (reply.status, reply.headers["retry-after"]) == (503, "1"), path
            assert "is being loaded" in reply.text
        assert g.request("PUT", "/p/metrics/job/j", "a 1\n").status == 503
        faults.release()
        eventually(lambda: g.get("/p/-/ready").status == 200, "it is loaded")


@pytest.mark.parametrize("what,number", [("write", errno.ENOSPC), ("sync", errno.EIO)])
def test_a_failure_at_any_point_of_the_wal_is_no_damage(database, faults, what, number):
    """Also where it begins anew, with all that was in it in the database."""
    body = "".join(f'a{{pad="{i:04d}{"x" * 500}"}} 1\n' for i in range(300))
    for n in range(14):
        with Gateway(database=database, env=faults.env) as g:
            assert "is damaged" not in g.log
            assert scrape(g).pushed("b", "x") == (n - 1 if n else None)
            for _ in range(n % 4):
                assert g.put("large", body).status == 200
            assert g.put("x", f"b {n}\n").status == 200
            faults.fail(what, number)
            assert g.put("large", body + "c 1\n").status == 503
            g.kill()
            faults.heal()


@pytest.mark.parametrize("what,number", [("sync", errno.EIO), ("write", errno.ENOSPC)])
def test_ready_says_that_pushes_are_refused(database, faults, what, number):
    """And learns by itself when they no longer are: whoever heeds it pushes no more."""
    with Gateway(database=database, env=faults.env) as g:
        assert g.put("old", "a 1\n").status == 200 and g.get("/-/ready").status == 200
        faults.fail(what, number)
        assert g.put("new", "a 1\n").status == 503
        reply = g.get("/-/ready")
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.text.startswith("every push is refused, scrapes go on: ") and reply.text.count("\n") == 1
        assert len(reply.text.strip()) > len("every push is refused, scrapes go on: the push could not be stored: ")
        assert g.get("/-/healthy").status == 200
        assert scrape(g).pushed("a", "old") == 1
        # It asks again each second, and is told the same.
        failures = lambda: scrape(g).get("pushgateway_commit_failures_total")
        before = failures()
        for _ in range(3):
            assert g.put("new", "a 1\n").status == 503
        assert failures() > before and g.get("/-/ready").status == 503
        faults.heal()
        eventually(lambda: g.get("/-/ready").status == 200, "it asks by itself")
        g.wait_for_line("the database takes pushes again")
        assert g.put("new", "a 1\n").status == 200 and g.get("/-/ready").status == 200
        g.kill()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.pushed("a", "old") == 1 and s.pushed("a", "new") == 1


def test_ready_does_not_mind_what_is_wrong_with_a_push(database):
    with Gateway("--limits.groups=1", database=database) as g:
        assert g.put("one", "a 1\n").status == 200
        assert g.put("two", "a 1\n").status == 507 and g.put("one", "a{ 1\n").status == 400
        assert g.get("/-/ready").status == 200
