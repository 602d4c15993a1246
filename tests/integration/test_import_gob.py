"""The persistence file of the real Pushgateway, taken over as it is: only the binary changes."""
import sqlite3

import pytest

import messages as pb
from exposition import scrape
from gateway import Gateway, eventually, parse_logfmt
from go_data import GROUPS, fill, key, samples
from go_gateway import GoGateway


class Kept:
    """A file of the real gateway, and what it exposed."""

    def __init__(self, path, lines):
        self.content, self.lines = path.read_bytes(), lines

    def copy_to(self, path):
        path.write_bytes(self.content)
        return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("go") / "pushgateway.data"
    with GoGateway("--push.disable-consistency-check", "--persistence.interval=1h", database=path) as go:
        fill(go)
        lines = samples(go)
    return Kept(path, lines)


def ready(gateway):
    eventually(lambda: gateway.get("/-/ready").status == 200, "the database is loaded")
    return gateway


def imported(gateway):
    return parse_logfmt(gateway.wait_for_line("imported the file of a Go Pushgateway"))


def test_the_scrapes_agree_sample_for_sample(kept, tmp_path):
    path = kept.copy_to(tmp_path / "pushgateway.data")
    with Gateway(database=path) as g:
        pairs = imported(ready(g))
        assert pairs["groups"] == str(GROUPS + 1) and pairs["families_left_out"] == "0"
        assert int(pairs["families"]) > 4 * GROUPS
        assert samples(g) == kept.lines
        scrape(g)
        g.kill()
    # Once more from the database alone.
    with Gateway(database=path) as g:
        assert samples(ready(g)) == kept.lines
        assert "imported" not in g.log


def test_it_is_a_gateway_like_any_other(kept, tmp_path):
    path = kept.copy_to(tmp_path / "pushgateway.data")
    with Gateway(database=path) as g:
        ready(g)
        assert g.put(key(1), "job_state 5\n").status == 400, "the type is known"
        assert g.put(key(1), "# TYPE job_state gauge\njob_state 5\n").status == 200
        assert g.delete(key(2)).status == 202
        after = samples(g)
        g.kill()
    assert not any('job="job2"' in line for line in after)
    with Gateway(database=path) as g:
        assert samples(ready(g)) == after


def test_what_text_does_not_show_is_kept(kept, tmp_path):
    path = kept.copy_to(tmp_path / "pushgateway.data")
    with Gateway(database=path) as g:
        ready(g)
    stored = b"".join(body for body, in sqlite3.connect(path).execute("SELECT body FROM log"))
    assert pb.native(3, 3, [(0, 2), (3, 1)], [1, 3, -1]) in stored


def test_the_go_file_is_kept_beside(kept, tmp_path):
    path = kept.copy_to(tmp_path / "pushgateway.data")
    path.chmod(0o600)
    with Gateway(database=path) as g:
        pairs = imported(ready(g))
        assert path.stat().st_mode & 0o777 == 0o600
    backup = tmp_path / pairs["kept"].rpartition("/")[2]
    assert backup.name.startswith("pushgateway.data.pushgateway-")
    assert backup.read_bytes() == kept.content
    assert sorted(tmp_path.iterdir()) == [path, backup]
    assert path.read_bytes().startswith(b"SQLite format 3\0")


def test_through_a_symbolic_link(kept, tmp_path):
    (tmp_path / "there").mkdir()
    path = kept.copy_to(tmp_path / "there" / "data")
    (tmp_path / "link").symlink_to(path)
    with Gateway(database=tmp_path / "link") as g:
        imported(ready(g))
    assert (tmp_path / "link").is_symlink() and path.read_bytes().startswith(b"SQLite")
    assert len(list((tmp_path / "there").iterdir())) == 2


def test_no_groups(tmp_path):
    path = tmp_path / "data"
    with GoGateway(database=path):
        pass
    with Gateway(database=path) as g:
        pairs = imported(ready(g))
        assert pairs["groups"] == "0" and pairs["families"] == "0"
        assert g.put("j", "a 1\n").status == 200


def test_a_poisoned_gateway(tmp_path):
    """Data that makes every scrape of the Go gateway fail: what is sound comes over, the rest is named."""
    path = tmp_path / "data"
    with GoGateway("--push.disable-consistency-check", database=path) as go:
        go.put("one", "# TYPE a_total gauge\na_total 1\n")
        go.put("two", "# TYPE a_total counter\na_total 2\nb 2\n")
        go.put("twice/instance@base64/=", "")
        go.put("twice", "c 3\n")
        go.request("PUT", "/metrics/job@base64/Zm__", "d 4\n")
        go.put("last", "e 5\n")
        eventually(lambda: "last" in go.get("/api/v1/metrics").text, "all pushes are applied")
        assert go.get("/metrics").status == 500
    with Gateway(database=path) as g:
        pairs = imported(ready(g))
        assert pairs["groups"] == "4" and pairs["groups_left_out"] == "2"
        assert pairs["families"] == "4" and pairs["families_left_out"] == "2"
        s = scrape(g)
        assert s.pushed("b", "two") == 2 and s.pushed("c", "twice") == 3 and s.pushed("e", "last") == 5
        assert (s.pushed("a_total", "one"), s.pushed("a_total", "two")) in ((1, None), (None, 2))
        lines = [parse_logfmt(x) for x in g.log.splitlines() if "not imported" in x]
        assert len(lines) == 3 and sum(x.get("family") == "a_total" for x in lines) == 1
        assert all(x["err"] and x["group"] and x["level"] == "warn" for x in lines)


# ---- what is refused ----

def refused(path):
    """The reason with which the gateway ends; everything in the directory is as it was."""
    before = {p: p.read_bytes() for p in path.parent.iterdir()}
    g = Gateway(database=path)
    assert g.wait() == 1, g.log
    assert {p: p.read_bytes() for p in path.parent.iterdir()} == before
    return parse_logfmt(g.log.splitlines()[-1])["err"]


@pytest.mark.parametrize("share", [0.0001, 0.002, 0.01, 0.3, 0.999, 1])
def test_truncated(kept, tmp_path, share):
    path = tmp_path / "data"
    size = max(3, int(len(kept.content) * share) - 1)
    path.write_bytes(kept.content[:size])
    reason = refused(path)
    assert reason.startswith(f"cannot import {path}, which the Go Pushgateway wrote: truncated: "), reason


def damage(content, what, instead):
    at = content.index(what)
    return content[:at] + instead + content[at + len(what):]


DAMAGED = {
    "another name for a field": (b"Labels", b"Lapels", "not of the groups"),
    # With the type that follows the name: by itself, the name is a key of the map as well.
    "a length in a family": (
        b"\x0a\x09job_state\x18\x01", b"\x0a\xff\xffob_state\x18\x01", 'family "job_state"',
    ),
    "a time": (b"\x0f\x01\x00\x00\x00\x0e", b"\x0f\x09\x00\x00\x00\x0e", "not a time"),
    "a time in another century": (b"\x0f\x01\x00\x00\x00\x0e", b"\x0f\x01\x00\x00\x00\x02", "a time before 1970"),
    "a type": (b"\x0c\x01\x0c", b"\x0c\x01\x3c", "not of the groups"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(kept, tmp_path, name):
    what, instead, reason = DAMAGED[name]
    path = tmp_path / "data"
    path.write_bytes(damage(kept.content, what, instead))
    assert reason in refused(path)


def test_something_appended(kept, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(kept.content + b"\0")
    assert "1 bytes follow" in refused(path)


def test_a_log_of_another_database(kept, tmp_path):
    """SQLite would replay it into ours."""
    path = kept.copy_to(tmp_path / "data")
    (tmp_path / "data-wal").write_bytes(b"left")
    assert "move it away" in refused(path)


def test_the_port_is_taken(kept, tmp_path):
    """Nothing is migrated by a process that cannot serve."""
    with Gateway() as other:
        path = kept.copy_to(tmp_path / "data")
        g = Gateway(database=path, listen=other.addresses[0])
        assert g.wait() == 1
    assert path.read_bytes() == kept.content and list(tmp_path.iterdir()) == [path]
