"""What is done with a database beside serving it: tallygate backup, check, copy and export."""
import fcntl
import json
import os
import random
import signal
import subprocess

import pytest

import messages as pb
from exposition import scrape
from fake_gateway import FakeGateway, answer
from gateway import BINARY, Gateway, eventually
from go_gateway import GoGateway, go_version
from tls import TlsGateway, tls_config  # noqa: F401: fixture

ADMIN = "--web.enable-admin-api"


def run(*words, status=0, **options):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == status, done
    return done


def files(directory):
    return {f.name: f.read_bytes() for f in directory.iterdir() if f.is_file()}


def fill(g):
    """Some of everything."""
    text = ('# HELP a text with \\\\ and \\n\n# TYPE a gauge\na{b="c"} 1\na{b="é\\"\\n$x`y`\'"} -0\n# TYPE c_total counter\n'
            'c_total 18446744073709551615\nu 5e-324\nn NaN\ni -Inf\n')
    assert g.put("x/path@base64/L2EvYg/empty@base64/=/q/%22%25", text).status == 200
    assert g.post("x/path@base64/L2EvYg/empty@base64/=/q/%22%25", "extra 1\n").status == 200
    assert g.put("some%20job/instance/here", "v 1\n").status == 200
    assert g.request("PUT", "/metrics/job@base64/Li4", "v 1\n").status == 200
    assert g.put("h", '# TYPE s summary\ns{quantile="0.5"} NaN\ns_sum 1e-300\ns_count 7\n# HELP h buckets\n# TYPE h histogram\n'
                      'h_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 4\nh_sum 2\nh_count 4\nplain{l="é"} 3\n').status == 200
    assert g.put("empty", "").status == 200
    assert g.put("gone", "v 1\n").status == 200
    assert g.delete("gone").status == 202


def fill_ours(g):
    """And what only we have."""
    fill(g)
    for i in range(3):
        assert g.request("PUT", f"/sum/metrics/job/s/pid/{i}", f"# TYPE t_total counter\nt_total {i + 1}\n").status == 200
    assert g.request("PUT", "/metrics/job/p", pb.family("my.metric", pb.GAUGE, pb.gauge(1)), {"Content-Type": pb.CONTENT_TYPE}).status == 200
    assert g.put("ttl/__ttl__/1h", "v 1\n").status == 200
    assert g.put("refused", "a 1 5\n").status == 400


def without_length(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"as much as comes")


# ---- backup ----

def test_backup(database, tmp_path):
    with Gateway(ADMIN, database=database) as g:
        fill_ours(g)
        before = scrape(g).kept()
        run("backup", g.url, tmp_path / "copy.db")
        taken = run("backup", g.url, tmp_path / "copy.db", status=1).stderr
        assert taken == f"tallygate backup: error: {tmp_path}/copy.db is there already: choose another name\n"
    assert sorted(f for f in files(tmp_path) if "copy" in f) == ["copy.db"]
    with Gateway(database=tmp_path / "copy.db") as g:
        assert scrape(g).kept() == before


def test_backup_over_tls(certificates, tls_config, database, tmp_path):
    with TlsGateway(certificates, tls_config, ADMIN, database=database) as g:
        assert g.put("a", "a 1\n").status == 200
        run("backup", f"https://localhost:{g.port}", tmp_path / "copy.db", "--ca-file", certificates.ca.file)
        assert "certificate" in run("backup", f"https://localhost:{g.port}", tmp_path / "no.db", status=1).stderr
    assert "sound" in run("check", tmp_path / "copy.db").stdout


def test_backups_that_fail(database, tmp_path):
    def why(*words):
        text = run("backup", *words, status=1).stderr
        assert not [f for f in files(tmp_path) if f.startswith("copy.db")]
        return text

    target = tmp_path / "copy.db"
    with Gateway(database=database) as g:
        assert "status 404: the gateway needs --web.enable-admin-api" in why(g.url, target)
    with Gateway(ADMIN) as g:
        assert "status 501: " in (text := why(g.url, target)) and "there is no database" in text
        assert "cannot make /nowhere/copy.db.part-" in why(g.url, "/nowhere/copy.db")
    assert "Failed to connect" in why(g.url, target)
    assert "a URL and a file are needed" in why(g.url)
    for reply, text in [(answer(body=b"no database at all"), "the answer is no database"),
                        (answer(body=b"cut short", length=2000), "transfer closed"),
                        (without_length, "the answer has no length"),
                        (answer(301, Location="/x"), "status 301"), (answer(500, b"reasons\n"), "status 500: reasons"),
                        (answer(401), "status 401: give user and password as user:password@ in the URL")]:
        with FakeGateway({"/api/v1/admin/backup": reply}) as g:
            assert text in why(g.url, target)


# ---- check ----

def test_check_of_a_sound_database(database, tmp_path):
    with Gateway(database=database) as g:
        fill_ours(g)
        groups = int(scrape(g).get("pushgateway_groups"))
        series = int(scrape(g).get("pushgateway_series"))
        busy = run("check", database, status=2)
        assert busy.stderr == f"{database}: {database} is in use: stop the gateway, or look at a backup of it\n"
        g.kill()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for _ in range(2):
        before = files(database.parent)
        done = run("check", database, env={**os.environ, "TMPDIR": str(temporary)})
        assert done.stdout == f"{database}: sound\nschema: 4\ngroups: {groups}\nseries: {series}\n"
        assert (done.stderr, files(database.parent), list(temporary.iterdir())) == ("", before, [])
        with Gateway(database=database):
            pass


@pytest.mark.parametrize("seed", range(4))
def test_check_of_a_damaged_database(database, seed):
    """It says what a start then finds, and changes nothing."""
    rng = random.Random(seed)
    with Gateway(database=database) as g:
        for i in range(40):
            assert g.put(f"j{i}", f'a{{pad="{"x" * 500}"}} {i}\n').status == 200
        if seed % 2:
            g.kill()
    file = database.with_name(database.name + ("-wal" if seed % 2 else ""))
    data = bytearray(file.read_bytes())
    for _ in range(3):
        data[rng.randrange(len(data) // 4, len(data))] ^= 0xFF
    file.write_bytes(data)
    before = files(database.parent)
    done = run("check", database, status=1)
    assert files(database.parent) == before
    says = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert says[str(database)].startswith("damaged: ")
    with Gateway(database=database) as g:
        s = scrape(g)
        assert s.get("pushgateway_database_salvaged_groups") == s.get("pushgateway_groups") == int(says["groups"])
    copied = run("copy", "--from", database, "--to", database.with_name("to.db"))
    assert f"groups {says['groups']}," in copied.stdout


def test_a_torn_header_of_the_wal(database):
    """A power cut while the WAL is begun anew, that takes the note as well: all that was answered is there, and check and log say what was mended."""
    with Gateway(database=database) as g:
        fill(g)
        before = scrape(g).kept()
        g.kill()
    wal, note = f"{database}-wal", f"{database}-synced"
    with open(wal, "r+b") as f:
        f.seek(14)
        f.write(b"\xff" * 8)
    os.unlink(note)
    done = run("check", database)
    assert "sound" in done.stdout and "a start makes the header of the WAL again" in done.stderr
    with Gateway(database=database) as g:
        assert scrape(g).kept() == before
        assert "the header of the WAL was damaged" in g.log
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).kept() == before
        assert "the header of the WAL was damaged" not in g.log


def test_check_of_what_is_none(tmp_path):
    (tmp_path / "text").write_text("no database\n" * 20)
    (tmp_path / "empty").write_text("")
    os.mkfifo(tmp_path / "fifo")
    for name, why in [("text", "is no database of a gateway"), ("empty", "is no database of a gateway"), ("fifo", "is a FIFO"),
                      ("none", "No such file or directory")]:
        assert why in run("check", tmp_path / name, status=2).stderr
    assert "usage:" in run("check", status=2).stderr


def ended_in_the_middle(database, temporary, number):
    """A check whose copy is there, or just gone."""
    with subprocess.Popen([BINARY, "check", database], env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.DEVNULL) as checking:
        while checking.poll() is None and not any(temporary.iterdir()):
            pass
        checking.send_signal(number)
    return list(temporary.iterdir())


def test_a_copy_to_look_at_is_not_left_for_ever(database, tmp_path):
    with Gateway(database=database) as g:
        for i in range(10):
            assert g.put(f"j{i}", "".join(f'a{{n="{n}"}} {n}\n' for n in range(3000))).status == 200
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert ended_in_the_middle(database, temporary, number) == []
    left = eventually(lambda: ended_in_the_middle(database, temporary, signal.SIGKILL), "one is killed before it has ended")
    check = lambda: run("check", database, env={**os.environ, "TMPDIR": str(temporary)})
    fd = os.open(left[0], os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # as who uses it
        check()
        assert list(temporary.iterdir()) == left
    finally:
        os.close(fd)
    check()
    assert list(temporary.iterdir()) == []


# ---- copy ----

def groups_of(g):
    """What the API says of the groups, but for what is only in memory, and deadlines, which count from the start."""
    reply = json.loads(g.get("/api/v1/groups?limit=100").body)
    return [{k: v for k, v in group.items() if k not in ("deadline", "last_peer", "last_user", "conflict")}
            for group in reply["data"]["groups"]]


def test_copy(database, tmp_path):
    with Gateway(database=database) as g:
        fill_ours(g)
        for i in range(50):
            assert g.put("big", f'big{{pad="{"x" * 5000}"}} {i}\n').status == 200
        before, groups = scrape(g).kept(), groups_of(g)
        g.kill()
    source = files(database.parent)
    to = tmp_path / "to.db"
    done = run("copy", "--from", database, "--to", to)
    assert done.stdout.startswith(f"{to}: groups ")
    after = files(tmp_path)
    assert len(after.pop("to.db")) < 200000
    assert after == source
    with Gateway(database=to) as g:
        assert scrape(g).kept() == before
        assert groups_of(g) == groups
    assert "is there already" in run("copy", "--from", database, "--to", to, status=1).stderr
    assert "cannot" in run("copy", "--from", database, "--to", "/nowhere/to.db", status=1).stderr
    assert "--from and --to are needed" in run("copy", "--from", database, status=1).stderr


def test_a_copy_that_is_killed_leaves_nothing_in_its_place(database, tmp_path):
    with Gateway(database=database) as g:
        for i in range(20):
            assert g.put(f"j{i}", "".join(f'a{{n="{n}"}} {n}\n' for n in range(3000))).status == 200
    before = files(tmp_path)
    copying = subprocess.Popen([BINARY, "copy", "--from", database, "--to", tmp_path / "to.db"])
    while copying.poll() is None and len(list(tmp_path.iterdir())) == len(before):
        pass
    copying.kill()
    copying.wait()
    if not (tmp_path / "to.db").exists():
        run("copy", "--from", database, "--to", tmp_path / "to.db")
    assert "groups: 20\n" in run("check", tmp_path / "to.db").stdout


# ---- export ----

def pushed(s):
    """What was pushed, of any gateway's scrape: names of groups' times are ours and theirs."""
    times = ("push_time_seconds", "push_failure_time_seconds")
    own = ("pushgateway_", "process_", "go_", "promhttp_")
    return sorted(line for line in s.text.splitlines()
                  if not line.startswith((*times, *own)) and not line.startswith("#"))


def test_a_go_gateway_takes_an_export(database, tmp_path):
    with Gateway(database=database) as g:
        fill(g)
        want = scrape(g)
    done = run("export", database)
    assert done.stderr == ""
    script = tmp_path / "pushes.sh"
    script.write_text(done.stdout)
    with GoGateway(database=tmp_path / "go") as go:
        subprocess.run(["sh", script, go.url], check=True, stdin=subprocess.DEVNULL)
        got = scrape(go)
        assert pushed(got) == pushed(want)
        groups = lambda s: {labels for name, labels in s.samples if name == "push_time_seconds"}
        assert groups(got) == groups(want)
        assert "# HELP a text with \\\\ and \\n" in got.text.splitlines()


def test_an_export_of_all_that_we_have(database, tmp_path):
    with Gateway("--push.enable-utf8-names", database=database) as g:
        fill_ours(g)
        assert g.put("u/my.label/x", '{"my.metric.2",l="y"} 1\n').status == 200
        want = scrape(g)
    script = tmp_path / "pushes.sh"
    script.write_text(run("export", database).stdout)
    with Gateway("--push.enable-utf8-names") as g:
        subprocess.run(["sh", script, g.url + "/", "--max-time", "60"], check=True, stdin=subprocess.DEVNULL)
        assert pushed(scrape(g)) == pushed(want)
    if go_version() >= (1, 11, 0):
        with GoGateway("--push.enable-utf8-names", database=tmp_path / "go") as go:
            subprocess.run(["sh", script, go.url], check=True, stdin=subprocess.DEVNULL)
            assert pushed(scrape(go)) == pushed(want)


def test_an_export_that_is_refused_says_so(database, tmp_path):
    with Gateway(database=database) as g:
        assert g.put("a", "a 1\n").status == 200
    script = tmp_path / "pushes.sh"
    script.write_text(run("export", database).stdout)
    with Gateway() as g:
        assert g.put("other", "# TYPE a counter\na 1\n").status == 200
        done = subprocess.run(["sh", script, g.url], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode != 0 and "is not a COUNTER" in done.stderr
        assert "/a: status 400\n" in done.stderr
        done = subprocess.run(["sh", script, g.url + "//x"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode != 0 and "/a: status 301\n" in done.stderr
    assert run("export", status=1).stderr.startswith("usage:")
