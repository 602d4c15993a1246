"""PUT /api/v1/admin/backup: a copy of the database, made while pushes go on."""
import contextlib
import json
import os
import random
import sqlite3
import threading
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually, parse_logfmt
from pushers import DropPusher, Pusher
from tls import TlsGateway, tls_config  # noqa: F401: fixture

PATH = "/api/v1/admin/backup"
ADMIN = "--web.enable-admin-api"
BACKUP_KILLS = max(5, int(os.environ.get("KILL_ROUNDS", "0")))


def backup(g, connection=None):
    reply = g.request("PUT", PATH, connection=connection)
    assert reply.status == 200, reply.text
    assert len(reply.body) == int(reply.headers["Content-Length"])
    return reply


def refused(g, status):
    reply = g.request("PUT", PATH)
    assert reply.status == status, reply
    return json.loads(reply.body)["error"]


def large(n):
    """A family of n series, some 100 bytes each."""
    return "".join(f'big{{pad="{i:06d}{"x" * 80}"}} {i}\n' for i in range(n))


def restored(tmp_path, reply, name="restored.db"):
    file = tmp_path / name
    file.write_bytes(reply.body)
    return file


def beside(database):
    return sorted(f.name for f in database.parent.iterdir() if f.name.startswith(database.name))


def test_a_backup_holds_all_that_is_stored(database, tmp_path):
    with Gateway(ADMIN, database=database) as g:
        assert g.put("a", large(3000)).status == 200
        assert g.put("x/path@base64/L2EvYg", '# HELP h text\n# TYPE h counter\nh{b="é\\n"} 5\n').status == 200
        assert g.put("gone", "a 1\n").status == 200
        assert g.delete("gone").status == 202
        g.put("failed", "a 1 5\n")
        before = scrape(g).kept()
        reply = backup(g)
        assert reply.headers["Content-Type"] == "application/vnd.sqlite3"
        assert reply.headers["Content-Disposition"].startswith('attachment; filename="tallygate-')
        line = parse_logfmt(g.wait_for_line("the database is copied for a backup"))
        assert int(line["bytes"]) == len(reply.body)
        assert "tallygate.db.copying" not in beside(database)
        assert g.put("later", "a 1\n").status == 200
    file = restored(tmp_path, reply)
    with sqlite3.connect(f"file:{file}?immutable=1", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Gateway(database=file) as g:
        assert "damaged" not in g.log
        assert scrape(g).kept() == before


@pytest.mark.parametrize("seed", range(3))
def test_a_backup_under_load_is_of_one_moment(database, tmp_path, seed):
    """Each group as it was pushed at some moment between the request and its answer."""
    rng = random.Random(seed)
    with Gateway(ADMIN, database=database) as g:
        for i in range(20):
            assert g.put(f"old{i}", large(2000)).status == 200
        pushers = [Pusher(g, f"p{i}") for i in range(4)]
        drops = [DropPusher(g, f"d{i}") for i in range(2)]
        pushers[0].wait_for(rng.randrange(1, 200))
        earliest = [p.acknowledged for p in pushers]
        reply = backup(g)
        latest = [p.sent for p in pushers]
        pushers[0].wait_for(latest[0] + 5)
        g.kill()
        for p in pushers + drops:
            p.join()
    assert pushers[0].acknowledged > latest[0]
    with Gateway(database=restored(tmp_path, reply)) as g:
        assert "damaged" not in g.log
        s = scrape(g)
        for i, (least, most) in enumerate(zip(earliest, latest)):
            got = s.pushed("value", f"p{i}") or 0
            assert least <= got <= most
            assert [s.pushed("last", f"p{i}", part=part) or 0 for part in "12"] == [got] * 2
        assert all(s.pushed("big", f"old{i}", pad=f"{1999:06d}{'x' * 80}") == 1999 for i in range(20))


def test_kills_inside_a_backup(database):
    """Whenever it happens: nothing is lost, and no copy is left."""
    rng = random.Random(7)
    with Gateway(database=database) as g:
        for i in range(5):
            assert g.put(f"old{i}", large(2000)).status == 200
        before = scrape(g).kept()
        g.kill()
    for round_ in range(BACKUP_KILLS):
        with Gateway(ADMIN, database=database) as g:
            assert scrape(g).kept() == before
            connection = g.connect()
            connection.request("PUT", PATH)
            n = rng.randrange(8)
            for i in range(n):
                assert g.put("old0", large(2000) if i < n - 1 else large(10 + round_)).status == 200
            before = scrape(g).kept()
            g.kill()
            connection.close()
    # What a process leaves that was killed before it had taken the name away.
    database.with_name(database.name + ".copying").write_bytes(b"some of it")
    with Gateway(database=database) as g:
        assert "damaged" not in g.log
        assert scrape(g).kept() == before
        assert beside(database) == [database.name, database.name + "-synced", database.name + "-wal"]


def test_a_disk_without_room_for_the_copy(database, faults):
    with Gateway(ADMIN, database=database, env=faults.env) as g:
        assert g.put("a", large(20000)).status == 200
        faults.fill(database.parent, 1024 * 1024)
        why = refused(g, 503)
        assert why.startswith("the disk has no room for a copy of the database")
        assert parse_logfmt(g.wait_for_line("no backup"))["err"] == why
        assert beside(database) == [database.name, database.name + "-synced", database.name + "-wal"]
        assert g.put("b", "a 1\n").status == 200, "pushes have their room"
        assert g.get("/-/ready").status == 200
        faults.heal()
        backup(g)


def test_one_backup_at_a_time(database, faults):
    """They come while the committer waits for the disk, and then begin together."""
    with Gateway(ADMIN, database=database, env=faults.env) as g:
        assert g.put("a", large(20000)).status == 200
        faults.hold()
        push = threading.Thread(target=g.put, args=("held", "a 2\n"))
        push.start()
        faults.wait_until_held()
        replies = []
        asking = [threading.Thread(target=lambda: replies.append(g.request("PUT", PATH))) for _ in range(3)]
        for t in asking:
            t.start()
        eventually(lambda: scrape(g).get("pushgateway_queue_depth") == 3, "they wait")
        faults.release()
        for t in asking + [push]:
            t.join()
        assert sorted(r.status for r in replies) == [200, 503, 503]
        busy = next(r for r in replies if r.status == 503)
        assert json.loads(busy.body)["error"] == "another backup is being made, try again"
        assert busy.headers["Retry-After"] == "1"
        assert len(backup(g).body) == len(next(r for r in replies if r.status == 200).body)


def copies_held(g):
    """Open files without a name."""
    n = 0
    for f in Path(f"/proc/{g.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            n += "(deleted)" in os.readlink(f)
    return n


def test_clients_that_leave(database):
    with Gateway(ADMIN, database=database) as g:
        assert g.put("a", large(60000)).status == 200
        for _ in range(5):
            connection = g.connect()
            connection.request("PUT", PATH)
            reply = connection.getresponse()
            assert len(reply.read(1000)) == 1000
            connection.close()
            reply.close()
        eventually(lambda: copies_held(g) == 0, "no copy is held")
        backup(g)


def test_over_tls(certificates, tls_config, database, tmp_path):
    with TlsGateway(certificates, tls_config, ADMIN, database=database) as g:
        assert g.put("a", large(20000)).status == 200
        before = scrape(g).kept()
        reply = backup(g)
    with Gateway(database=restored(tmp_path, reply)) as g:
        assert scrape(g).kept() == before


def test_where_there_is_none(database):
    with Gateway(database=database) as g:
        assert g.request("PUT", PATH).status == 404
    with Gateway(ADMIN) as g:
        assert refused(g, 501) == "there is no database: what is pushed is in memory only"
    with Gateway(ADMIN, database=database) as g:
        assert g.get(PATH).status == 405
        assert g.request("PUT", PATH + "?dry_run=1").status == 400
        assert g.request("PUT", PATH, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
