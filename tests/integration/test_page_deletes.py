"""Deletes on the page, in a real browser: one group, all that match, and back again."""
import json

import pytest

from browser import Keys, chromium, page  # noqa: F401: fixtures
from gateway import Gateway
from page_groups import three  # noqa: F401: a fixture

pytestmark = pytest.mark.released


def test_groups_are_deleted(three, page):
    """One of them is the beginning of another, which stays."""
    page.open(three.url).ready()
    page.click("button.job", "nightly-backup")
    page.wait_for("backup_rows", "tr.open")
    page.tab_to("tr.open button", "Delete group…")
    page.keys(Keys.ENTER)
    assert page.one("dialog h2").text == "Delete 1 group?" and "nightly-backup" in page.text("dialog li")
    page.accessible()
    page.keys(Keys.ESCAPE)
    page.wait_until("!document.querySelector('dialog')")
    assert "Delete group" in page.focused() and len(page.rows()) == 3
    page.all("#groups tbody input")[0].click()
    page.all("#groups tbody input")[2].click()
    page.wait_for("2 groups selected", "#selection")
    page.accessible()
    page.tab_to("#selection button", "Delete…")
    page.keys(Keys.ENTER)
    page.one("dialog button", "Delete 2 groups")
    page.tab_to("dialog button", "Delete 2 groups")
    page.keys(Keys.ENTER)
    page.wait_for("2 groups deleted.", "#deleted")
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 1")
    assert page.rows() == ["nightly-report instance=db2 path=/var/lib"] and not page.all("#selection")
    page.accessible()
    page.tab_to("#q", most=10)  # the focus is not back at the beginning
    assert [sorted(g["labels"]) for g in json.loads(three.get("/api/v1/metrics").text)["data"]] == [["instance", "job", "path"]]


def test_all_that_match_are_deleted(gw, page):
    """Those on other pages, too; and not more than was said."""
    for i in range(150):
        gw.put(f"a/shard/{i}", "a 1\n")
    gw.put("b", "b 1\n")
    page.open(gw.url + '/?q={job="a"}').ready()
    page.click("#groups thead input")
    page.click("#all", "Select all 150 that match")
    page.wait_for("150 groups selected", "#selection")
    page.click("#selection button", "Delete…")
    page.one("dialog button", "Delete 150 groups")
    assert len(page.texts("dialog li")) == 51 and page.texts("dialog li")[-1] == "and 100 more"
    # One has come since: the number is another, nothing is deleted, and that is said.
    gw.put("a/shard/late", "a 1\n")
    page.click("dialog button", "Delete 150 groups")
    page.wait_for("151", "#failed")
    page.expect("409 (Conflict)")
    page.click("#selection button", "Delete…")
    page.click("dialog button", "Delete 151 groups")
    page.wait_for("151 groups deleted.", "#deleted")
    page.wait_for("No group matches.", "#groups")
    assert [g["labels"] for g in json.loads(gw.get("/api/v1/metrics").text)["data"]] == [{"job": "b"}]


def test_a_large_selection_is_one_delete(database, page):
    """One question, one change, one undo; and a group whose labels are those of a selected one and more stays."""
    with Gateway(database=database) as g:
        for i in range(90):
            g.put(f"a/shard/{i}", "a 1\n")
        g.put("a/shard/1/also/x", "a 1\n")
        page.open(g.url + '/?q={job="a",also=""}').ready()
        page.click("#groups thead input")
        page.click("#selection button", "Delete…")
        page.click("dialog button", "Delete 90 groups")
        page.wait_for("90 groups deleted.", "#deleted")
        [change] = json.loads(g.get("/api/v1/changes").text)["data"]["changes"]
        assert (change["action"], change["groups"]) == ("delete", 90)
        assert [x["labels"] for x in json.loads(g.get("/api/v1/metrics").text)["data"]] == [{"also": "x", "job": "a", "shard": "1"}]
        page.click("#deleted button", "Undo")
        page.wait_for("90 groups are back.", "#deleted")
        assert len(json.loads(g.get("/api/v1/metrics").text)["data"]) == 91


def test_a_delete_is_undone(database, page):
    with Gateway(database=database) as g:
        for name in "a", "b", "c":
            g.put(name, f"{name} 1\n")
        page.open(g.url).ready()
        page.click("#groups thead input")
        page.click("#selection button", "Delete…")
        page.click("dialog button", "Delete 3 groups")
        page.wait_for("3 groups deleted.", "#deleted")
        page.wait_until("!document.querySelector('#groups tr.row')")
        page.accessible()
        g.put("b", "b 2\n")
        page.tab_to("#deleted button", "Undo")
        page.keys(Keys.ENTER)
        page.wait_for("2 groups are back.", "#deleted")
        page.wait_for("1 left out: b: it has been pushed to meanwhile", "#deleted")
        page.wait_until("document.querySelectorAll('#groups tr.row').length === 3")
        page.accessible()
        assert sorted(page.rows()) == ["a", "b", "c"] and not page.all("#deleted .btn")


def test_each_delete_can_be_undone_also_after_a_reload(database, page):
    with Gateway(database=database) as g:
        for name in "a", "b", "c":
            g.put(name, f"{name} 1\n")
        page.open(g.url).ready()
        for name in "a", "b":
            page.click("#groups tbody input")
            page.click("#selection button", "Delete…")
            page.click("dialog button", "Delete 1 group")
            page.wait_for("1 group deleted.", "#deleted")
            page.wait_until(f"![...document.querySelectorAll('#groups button.job')].some((e) => e.textContent === '{name}')")
        page.wait_until("document.querySelectorAll('#undos li').length === 1")
        assert len(page.all("#deleted button")) == 2
        page.accessible()
        page.open(g.url).ready()
        page.wait_until("document.querySelectorAll('#undos li').length === 2")
        assert page.text("#undos li").startswith("1 group deleted ") and not page.all("#deleted")
        page.size(360)
        page.fits()
        page.accessible()
        page.tab_to("#undos button", "Undo")
        page.keys(Keys.ENTER)
        page.wait_for("1 group is back.", "#deleted")
        page.wait_until("document.querySelectorAll('#undos li').length === 1")
        page.click("#undos li button", "Undo")
        page.wait_until("!document.querySelector('#undos')")
        page.wait_until("document.querySelectorAll('#groups tr.row').length === 3")
        assert json.loads(g.get("/api/v1/undo").text)["data"]["total"] == 0


@pytest.mark.parametrize("filters, left", [("q=shard", ["b"]), ("failed=true", ["a", "b"]), ("conflict=false&q=shard", ["b"]), ("older_than=0s", [])])
def test_all_that_any_filter_shows_are_deleted(gw, page, filters, left):
    for i in range(120):
        gw.put(f"a/shard/{i}", "a 1\n")
        if i < 110:
            assert gw.put(f"a/shard/{i}", "a 1 1\n").status == 400
    gw.put("b", "b 1\n")
    page.open(f"{gw.url}/?{filters}").ready()
    page.click("#groups thead input")
    n = {"failed=true": 110, "older_than=0s": 121}.get(filters, 120)
    page.click("#all", f"Select all {n} that match")
    page.click("#selection button", "Delete…")
    page.click("dialog button", f"Delete {n} groups")
    page.wait_for(f"{n} groups deleted.", "#deleted")
    assert sorted({x["labels"]["job"] for x in json.loads(gw.get("/api/v1/metrics").text)["data"]}) == left


def test_more_are_selected_than_one_request_takes(gw, page):
    """Some of which are the beginning of others."""
    for i in range(40):
        gw.put(f"a/shard/{i // 2}" + "/extra/x" * (i % 2), "a 1\n")
    page.open(gw.url).ready()
    page.click("#groups thead input")
    left = page.rows()[0]
    page.all("#groups tbody input")[0].click()
    page.click("#selection button", "Delete…")
    page.click("dialog button", "Delete 39 groups")
    page.wait_for("39 groups deleted.", "#deleted")
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 1")
    assert page.rows() == [left]


def test_all_groups_go_when_their_number_is_typed(page):
    with Gateway("--web.enable-admin-api") as g:
        for i in range(3):
            g.put(f"x{i}", "a 1\n")
        page.open(g.url + "/status").ready()
        page.click("#wipe")
        go = page.one("dialog button", "Delete everything")
        page.accessible()
        page.keys("2")
        assert not go.is_enabled()
        page.keys(Keys.BACKSPACE, "3")
        assert go.is_enabled()
        page.keys(Keys.ENTER)
        page.wait_until("document.getElementById('n-groups').textContent === '0'")
        assert json.loads(g.get("/api/v1/metrics").text)["data"] == []
        assert not page.all("dialog") and not page.all("#undo")
