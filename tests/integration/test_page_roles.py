"""The page as a user of each role: it shows what they may do, and offers nothing else."""
import json

import pytest

from browser import chromium, page  # noqa: F401: fixtures
from roles import Roles, credentials

pytestmark = pytest.mark.released

ENTRIES = ["{who: [reader], may: [read]}",
           "{who: [watcher], may: [read, scrape]}",
           "{who: [ci], may: [read, push, delete], match: '{job=~\"ci-.*\"}'}",
           "{who: [team], may: [read, push, delete], labels: {team: a}}",
           "{who: [pusher], may: [push]}",
           "{who: [prober], may: [probe]}",
           "{who: [ops], may: [push, delete, scrape, read, admin]}"]
USERS = ["reader", "watcher", "ci", "team", "pusher", "prober", "ops"]


@pytest.fixture
def gateway(tmp_path):
    with Roles(tmp_path, ENTRIES, USERS, "--web.enable-admin-api") as g:
        for path in "ci-1", "web", "web/team/a":
            assert g.by("ops", "PUT", f"/metrics/job/{path}", "a_metric 1\n").status == 200
        yield g


@pytest.fixture
def browser(page):  # noqa: F811: it is the fixture
    """The browser is there for other tests, too, and has no user for them."""
    page.driver.execute_cdp_cmd("Network.enable", {})
    yield page
    page.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


def log_in(page, gateway, user):
    page.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": credentials(user)})
    return page.open(gateway.url)


def opened(page, job):
    page.click("button.job", job)
    page.one("tr.open .inside")
    return {"families": bool(page.all("tr.open .fams")), "push": "--data-binary" in page.text("tr.open"),
            "curl delete": "-X DELETE" in page.text("tr.open"), "delete": bool(page.all("tr.open button.del")),
            "exposition": bool(page.all("tr.open a.btn", "Exposition"))}


NOTHING = {"families": False, "push": False, "curl delete": False, "delete": False, "exposition": False}
CHANGES = {"push": True, "curl delete": True, "delete": True}


@pytest.mark.parametrize("user,boxes,job,offered", [
    ("reader", 0, "ci-1", NOTHING),
    ("watcher", 0, "ci-1", {**NOTHING, "families": True, "exposition": True}),
    ("ci", 1, "ci-1", {**NOTHING, **CHANGES}),
    ("ci", 1, "web", NOTHING),
    ("team", 1, "web", {**NOTHING, **CHANGES}),
    ("ops", 3, "ci-1", {**CHANGES, "families": True, "exposition": True}),
])
def test_what_is_offered_of_groups(gateway, browser, user, boxes, job, offered):
    log_in(browser, gateway, user).ready()
    assert len(browser.all("tbody input[type=checkbox]")) == boxes
    assert bool(browser.all("thead input[type=checkbox]")) == (boxes > 0)
    assert opened(browser, job) == offered
    browser.accessible()


@pytest.mark.parametrize("user,admin", [("reader", False), ("ci", False), ("ops", True)])
def test_what_is_offered_beside_groups(gateway, browser, user, admin):
    log_in(browser, gateway, user).ready()
    assert ("Rejections" in browser.texts("nav a")) == admin == ("Changes" not in browser.texts("nav a"))
    browser.open(gateway.url + "/rejections")
    browser.one("#changes")
    assert bool(browser.all("section#rejections")) == admin and not browser.all("#wrong")
    browser.accessible()
    browser.open(gateway.url + "/status")
    browser.wait_until("document.getElementById('when').textContent !== ''")
    assert bool(browser.all("#wipe")) == admin


def test_deleting_what_one_may(gateway, browser):
    log_in(browser, gateway, "ci").ready()
    browser.click("thead input[type=checkbox]")
    assert "1 group selected" in browser.text("#selection") and not browser.all("#all")
    browser.click("#selection button", "Delete…")
    browser.click("dialog button.go")
    browser.wait_for("1 group deleted.")
    groups = json.loads(gateway.by("ops", "GET", "/api/v1/groups").text)["data"]["groups"]
    assert [group["labels"]["job"] for group in groups] == ["web", "web"]


def test_who_may_not_read_has_no_page(gateway):
    for user, verb in ("pusher", "read"), ("prober", "read"):
        for path in "/", "/status", "/rejections", "/cardinality":
            r = gateway.by(user, "GET", path)
            assert r.status == 403 and f"has not the verb {verb}" in r.text
    r = gateway.request("GET", "/")
    assert r.status == 401 and r.headers["WWW-Authenticate"] == "Basic"


def test_without_access_everything_is_offered(gw, page):
    gw.put("x", "a_metric 1\n")
    page.open(gw.url).ready()
    assert page.js("return document.body.dataset.may ?? null;") is None
    assert all(opened(page, "x").values()) and page.all("thead input[type=checkbox]")
