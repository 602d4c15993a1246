"""A database that is not what was written: said in the log, set aside, and never served as if nothing had happened."""
import contextlib
import json
import os
import random
import re
import sqlite3
from pathlib import Path

import pytest

import messages as pb
from exposition import scrape
from gateway import Gateway, eventually, parse_logfmt


def killed(database, pushes=12):
    """What a gateway leaves that was killed after some pushes and a delete."""
    with Gateway(database=database) as g:
        for i in range(pushes):
            assert g.put(f"j{i}", f"a {i}\n").status == 200
        assert g.delete("j0").status == 202
        g.kill()


def flip(file, at, bit):
    data = bytearray(file.read_bytes())
    data[at] ^= 1 << bit
    file.write_bytes(data)


def reopened(database):
    """What the next start says of the damage; and it goes on."""
    with Gateway(database=database) as g:
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert scrape(g).get("pushgateway_database_set_aside") == 1
        assert g.put("new", "a 1\n").status == 200
        g.kill()
    with Gateway(database=database) as g:
        assert "is damaged" not in g.log
        assert scrape(g).pushed("a", "new") == 1
    return line


WAL_DAMAGE = {
    "removed": (lambda wal: wal.unlink(), "is missing, and the database was not closed"),
    "emptied": (lambda wal: wal.write_bytes(b""), "is missing, and the database was not closed"),
    "header": (lambda wal: flip(wal, 13, 2), "has a damaged header"),
    "cut": (lambda wal: wal.write_bytes(wal.read_bytes()[:-2000]), "before the end of what was committed"),
    "half": (lambda wal: wal.write_bytes(wal.read_bytes()[:wal.stat().st_size // 2]), "before the end of what was committed"),
}


@pytest.mark.parametrize("name", WAL_DAMAGE)
def test_a_damaged_wal_is_said(database, name):
    wal = database.with_name(database.name + "-wal")
    killed(database)
    damage, message = WAL_DAMAGE[name]
    damage(wal)
    assert message in reopened(database)["err"]


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_in_the_wal_is_said(database, seed):
    rng = random.Random(seed)
    wal = database.with_name(database.name + "-wal")
    killed(database)
    flip(wal, rng.randrange(wal.stat().st_size), rng.randrange(8))
    assert "-wal " in reopened(database)["err"]


def test_a_copy_without_the_wal_is_said(database, tmp_path):
    copy = tmp_path / "copy.db"
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        copy.write_bytes(database.read_bytes())
        g.put("x", "a 2\n")
    assert "copy.db-wal is missing" in reopened(copy)["err"]
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 2 and "is damaged" not in g.log


def test_killed_again_and_again_is_no_damage(database):
    for i in range(5):
        with Gateway(database=database) as g:
            assert "is damaged" not in g.log and "not whole" not in g.log
            assert scrape(g).pushed("a", "x") == (i - 1 if i else None)
            g.put("x", f"a {i}\n")
            g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 4
    assert [f.name for f in database.parent.iterdir()] == [database.name], "a clean stop leaves one file"


# ---- any bit ----

def values(g):
    """Of what was pushed, by series."""
    lines = [line for line in g.get("/metrics").text.splitlines()
             if not re.match(r"#|process_|pushgateway_|push_failure_time_seconds", line)]
    return dict(line.rsplit(" ", 1) for line in lines)


def history(database, rng):
    """Pushes and deletes, a restart among them; all values that were ever shown, and the last ones."""
    shown, pushed = {}, 0
    for end in ("terminate", "kill"):
        with Gateway(database=database) as g:
            for _ in range(25):
                job, pushed = f"j{rng.randrange(8)}", pushed + 1
                kind = rng.random()
                if kind < 0.15:
                    g.delete(job)
                elif kind < 0.5:
                    g.put(job, "".join(f'm{k}{{x="{"y" * rng.randrange(1, 60)}"}} {pushed}\n' for k in range(rng.randrange(1, 4))))
                elif kind < 0.9:
                    g.post(job, f"m{rng.randrange(5)} {pushed}\n")
                else:
                    g.post(job, f'large{{pad="{"z" * 9000}"}} {pushed}\n')
                for series, value in values(g).items():
                    shown.setdefault(series, set()).add(value)
            last = values(g)
            getattr(g, end)()
    return shown, last


def flip_any(content, rng):
    for _ in range(rng.choice([1, 1, 3])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def sector(content, rng):
    size = rng.choice([512, 4096])
    return slice(at := rng.randrange(len(content) // size) * size, at + size)


def empty_a_sector(content, rng):
    at = sector(content, rng)
    content[at] = bytes(at.stop - at.start)


def write_a_sector_elsewhere(content, rng):
    at = sector(content, rng)
    size = at.stop - at.start
    other = rng.randrange(len(content) // size) * size
    content[at] = content[other:other + size]


def cut(content, rng):
    del content[rng.randrange(len(content)) // (unit := rng.choice([1, 512, 4096])) * unit:]


HARMS = [flip_any, flip_any, flip_any, empty_a_sector, write_a_sector_elsewhere, cut]
# With more of them DAMAGE_ROUNDS may be 1000 or 100000.
ROUNDS_OF_A_HISTORY = 8
HISTORIES = max(1, int(os.environ.get("DAMAGE_ROUNDS", "24")) // ROUNDS_OF_A_HISTORY)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_damage_is_never_served_and_never_silent(database, tmp_path, seed):
    rng = random.Random(seed)
    shown, last = history(database, rng)
    files = {f.name: f.read_bytes() for f in database.parent.iterdir()}
    for n in range(ROUNDS_OF_A_HISTORY):
        place = tmp_path / str(n)
        place.mkdir()
        target, harm = rng.choice([database.name, database.name + "-wal"]), rng.choice(HARMS)
        harmed = bytearray(files[target])
        harm(harmed, rng)
        for name, content in {**files, target: harmed}.items():
            (place / name).write_bytes(content)
        with Gateway(database=place / database.name) as g:
            g.wait_for_line("metrics loaded")
            got, said = values(g), "is damaged" in g.log
            assert all(value in shown.get(series, ()) for series, value in got.items()), (n, harm, target)
            assert got == last or said, (n, harm, target)
            g.kill()


def another_sector(content):
    content[:512] = content[4096:4096 + 512]


def no_first_page(content):
    content[:4096] = bytes(4096)


def a_page_in_use_as_free(page):
    """As the first of the list of free pages, which is empty."""
    def harm(content):
        assert content[32:40] == bytes(8)
        content[35] = page
    return harm


ALL_ROWS_THERE = {
    "another first sector": another_sector,
    "no first page": no_first_page,
    **{f"page {page} as free": a_page_in_use_as_free(page) for page in (1, 2, 4, 8)},
}


@pytest.mark.parametrize("name", ALL_ROWS_THERE)
def test_what_can_be_read_is_read(database, name):
    """Damage that no row has any of: none is lost."""
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", f'a{{pad="{"x" * 1000}"}} {i}\n').status == 200
        last = values(g)
    content = bytearray(database.read_bytes())
    ALL_ROWS_THERE[name](content)
    database.write_bytes(content)
    with Gateway(database=database) as g:
        assert values(g) == last
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert (line["groups"], line["groups_lost"]) == ("20", "0")


@pytest.mark.parametrize("harmed", ["", "-wal"])
def test_what_can_be_read_behind_a_link(database, tmp_path, harmed):
    """SQLite keeps the WAL beside the target of a symbolic link."""
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(database)
    with Gateway(database=database) as g:
        assert g.put("j0", "a 0\n").status == 200
    with Gateway(database=link) as g:
        for i in range(20):
            assert g.put(f"j{i}", f"a {i}\n").status == 200
        last = values(g)
        g.kill()
    file = database.with_name(database.name + harmed)
    file.write_bytes(bytes(32) + file.read_bytes()[32:] if harmed else bytes(512) + file.read_bytes()[512:])
    with Gateway(database=link) as g:
        assert values(g) == last
        line = parse_logfmt(g.wait_for_line("the database is damaged"))
        assert (line["groups"], line["groups_lost"]) == ("20", "0")
        kept = Path(line["kept"])
        assert kept.parent == database.parent and kept.with_name(kept.name + "-wal").exists()
    assert link.is_symlink() and sorted(f.name for f in link.parent.iterdir()) == ["link.db"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_nobody_else_can_read_what_was_saved(database, mode):
    with Gateway(database=database) as g:
        assert g.put("x", "a 1\n").status == 200
    database.chmod(mode)
    content = bytearray(database.read_bytes())
    another_sector(content)
    database.write_bytes(content)
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 1 and "the database is damaged" in g.log
        assert g.put("x", "a 2\n").status == 200
        assert [f.stat().st_mode & 0o777 for f in database.parent.glob(database.name + "*") if "synced" not in f.name] == [mode] * 3
        # Nor what is written anew from memory.
        for f in database.parent.glob(database.name + "*"):
            f.unlink()
        g.wait_for_line("a new one has been written")
        assert g.put("x", "a 3\n").status == 200
        assert [f.stat().st_mode & 0o777 for f in database.parent.glob(database.name + "*") if "synced" not in f.name] == [mode] * 2


# ---- under the running gateway ----

def fill(g):
    """Groups of every sort: of several pushes, empty, refused, with names and types that text does not say."""
    g.put("one", "# HELP a of one\n# TYPE a counter\na 1\nb{x=\"y\",z=\"\"} 2\n")
    g.post("one", "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\nb{x=\"q\\\"\\n\"} NaN\n")
    g.put("two/path@base64/L2EvYg", "# HELP a of two\n# TYPE a counter\na{instance=\"i\"} 1e300\n")
    g.put("three", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n")
    g.request("PUT", "/metrics/job/four", pb.family("my.metric", pb.GAUGE, pb.gauge(1)), {"Content-Type": pb.CONTENT_TYPE})
    g.put("empty", "")
    assert g.put("refused", "a 1 5\n").status == 400
    assert g.put("three", "# TYPE a gauge\na 1\n").status == 400


def everything(g):
    """All that is shown of pushes, in each form."""
    lines = [line for line in g.get("/metrics").text.splitlines() if not re.match(r"(# (HELP|TYPE) )?(process_|pushgateway_)", line)]
    groups = json.loads(g.get("/api/v1/metrics").text)["data"]
    return sorted(lines), sorted(json.dumps(group, sort_keys=True) for group in groups)


def moved_away(database):
    database.rename(database.with_name("elsewhere"))


def replaced(database):
    new = database.with_name("new")
    new.write_bytes(b"a copy that somebody puts in its place")
    new.rename(database)


LOSSES = {
    "removed": lambda db: db.unlink(),
    "removed with its WAL": lambda db: [f.unlink() for f in db.parent.glob(db.name + "*")],
    "only the WAL removed": lambda db: db.with_name(db.name + "-wal").unlink(),
    "moved away": moved_away,
    "replaced": replaced,
    "cut short": lambda db: os.truncate(db, 4096),
    "emptied": lambda db: os.truncate(db, 0),
    "WAL emptied": lambda db: os.truncate(f"{db}-wal", 0),
}


@pytest.mark.parametrize("push", [False, True], ids=["idle", "pushing"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_database_that_goes_is_written_again(database, name, push):
    with Gateway(database=database) as g:
        fill(g)
        g.terminate()
    with Gateway(database=database) as g:
        g.post("one", "b 1\n")
        before = everything(g)
        LOSSES[name](database)
        if push:
            # Refused at once, or after it was noticed: never accepted into a file that nobody finds.
            eventually(lambda: g.put("later", "a_later 1\n").status == 200, "pushes are taken again")
        line = parse_logfmt(g.wait_for_line("a new one has been written"))
        assert line["level"] == "error" and line["err"].startswith(f"{database}")
        if not push:
            assert everything(g) == before
        after = everything(g)
        assert g.delete("empty").status == 202 and g.put("empty", "").status == 200
        after = everything(g)
        g.kill()
    with Gateway(database=database) as g:
        assert "is damaged" not in g.log
        assert everything(g) == after
        assert g.put("three", "fine 1\n").status == 200


def test_what_is_put_in_its_place_is_kept(database):
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        replaced(database)
        kept = parse_logfmt(g.wait_for_line("a new one has been written"))["kept"]
        with open(kept, "rb") as f:
            assert f.read() == b"a copy that somebody puts in its place"


def test_pushes_are_refused_until_a_new_one_is_written(database):
    in_the_way = database.with_name(database.name + ".rewriting")
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
        in_the_way.mkdir()
        database.unlink()
        reply = g.put("x", "a 2\n")
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        g.wait_for_line("every push is refused until it can")
        assert g.put("x", "a 3\n").status == 503
        assert scrape(g).pushed("a", "x") == 1
        in_the_way.rmdir()
        g.wait_for_line("a new one has been written")
        assert g.put("x", "a 4\n").status == 200
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 4


def test_what_was_not_complete_goes_with_the_next_start(database):
    """As of a gateway that was killed while it wrote a new database, which can be large."""
    with Gateway(database=database) as g:
        g.put("x", "a 1\n")
    for suffix in (".rewriting", ".rewriting-wal", ".rewriting-synced", ".copying"):
        database.with_name(database.name + suffix).write_bytes(b"a part")
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "x") == 1
        assert not [f.name for f in database.parent.iterdir() if "ing" in f.name]


# ---- older schemas ----

MIGRATIONS = Path(__file__).parents[2] / "migrations" / "sqlite"


def of_schema(database, schema):
    """What an older version has left, with 50 groups."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        for file in sorted(MIGRATIONS.glob("*.sql"))[:schema]:
            db.executescript(file.read_text())
        for i in range(1, 51):
            db.execute("INSERT INTO metric_groups VALUES (?, ?, 1.5, 0)", (i, b"job\xff" + f"j{i}".encode() + b"\xff"))
            body = pb.family("a", pb.GAUGE, pb.gauge(i, job=f"j{i}", instance=""))
            db.execute("INSERT INTO segments VALUES (?, ?, ?, 1.5, ?)" if schema == 1 else
                       "INSERT INTO segments VALUES (?, ?, 1.5, ?, ?)", (i, i, i if schema == 1 else 1, body))
        db.execute(f"PRAGMA application_id={0x54414C59}")
        db.execute(f"PRAGMA user_version={schema}")
        db.commit()


@pytest.mark.parametrize("schema", [1, 2])
def test_an_older_schema_is_not_guessed_at(database, schema):
    """Its rows have no checksums, so that nothing tells which of them are what was pushed."""
    of_schema(database, schema)
    sound = database.read_bytes()
    with Gateway(database=database) as g:
        assert scrape(g).pushed("a", "j50") == 50
    harmed = bytearray(sound)
    harmed[len(sound) - 4096:len(sound) - 4088] = bytes(8)
    database.write_bytes(harmed)
    with Gateway(database=database) as g:
        line = parse_logfmt(g.wait_for_line("nothing of it could be read: starting with an empty one"))
        assert (s := scrape(g)).get("pushgateway_groups") == 0
        assert s.get("pushgateway_database_set_aside") == 1
    with open(line["kept"], "rb") as f:
        # But for its head, which says by now that there is a WAL.
        assert f.read()[100:] == bytes(harmed[100:])
