"""The page in a real browser: what a person sees and does there, by mouse and by keyboard alone."""
import json
import subprocess

import pytest

from browser import Keys, chromium, page  # noqa: F401: fixtures
from gateway import Gateway
from page_groups import ODD, many, three  # noqa: F401: fixtures

pytestmark = pytest.mark.released


# ---- nothing, three, ten thousand ----

def test_nothing_has_been_pushed(gw, page):
    page.open(gw.url).ready()
    assert page.one("#empty h1").text == "Nothing has been pushed yet" and not page.all("#groups")
    page.accessible()
    page.fits()
    # The command works as it is, and the page notices.
    command = page.one("#empty pre").text
    assert f"'{gw.url}/metrics/job/some_job'" in command
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": gw.url})
    page.click("#empty button", "Copy")
    page.one("#empty button", "Copied")
    copied = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0]);")
    assert copied == command
    subprocess.run(["sh", "-c", copied], check=True)
    page.refresh()
    page.wait_until("document.getElementById('groups').checkVisibility()")
    assert page.rows() == ["some_job"] and not page.all("#empty")


def test_a_group_is_opened(three, page):
    page.open(three.url).ready()
    assert page.rows() == ["nightly-backup instance=db1 region=eu-west", "nightly-report instance=db2 path=/var/lib", "nightly-report"]
    page.click("button.job", "nightly-backup")
    page.wait_for("backup_rows", "tr.open")
    said = " ".join(page.text("tr.open").split())
    for what in ("backup_duration_seconds gauge How long the backup took. 123.4", "1764142402 (26 Nov 2025, 07:33:22 UTC)",
                 'backup_step_seconds histogram · 4 series {step="dump"} count 14, sum 98.2', '{table="t3"} 3', "all 9 lines"):
        assert what in said, said
    assert '{table="t8"}' not in said and "push_time_seconds" not in said
    page.click("tr.open button", "all 9 lines")
    page.wait_for('{table="t8"}', "tr.open")
    page.accessible()
    # The commands are those that push and delete.
    push, delete = page.texts("tr.open pre")
    assert subprocess.run(["sh", "-c", f"echo 'extra 1' | {push}"], check=True, capture_output=True).stdout == b""
    page.refresh()
    page.wait_for("extra", "tr.open")
    assert '{table="t8"}' in page.text("tr.open"), "what was unfolded stays so"
    subprocess.run(["sh", "-c", delete], check=True)
    page.refresh()
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 2")
    assert not page.all("tr.open")


def test_odd_text_stays_text(gw, page):
    from urllib.parse import quote
    for i, text in enumerate(ODD):
        help_text = text.replace("\\", "\\\\").replace("\n", "\\n")
        value = help_text.replace('"', '\\"')
        path = f"odd{i}/label/{quote(text, safe='')}" if "/" not in text else f"odd{i}"
        assert gw.put(path, f'# HELP m{i} {help_text}\n# TYPE m{i} gauge\nm{i}{{l="{value}"}} 1\n').status == 200, text
    assert gw.put("odd0/label/" + quote(ODD[0], safe=""), "# TYPE m1 counter\nm1 1\n").status == 400
    page.open(gw.url).ready()
    for button in page.all("button.job"):
        button.click()
    page.wait_until("document.querySelectorAll('tr.open .lines').length === arguments[0]", len(ODD))
    labels = page.js("return [...document.querySelectorAll('#groups .chip bdi')].map((e) => e.textContent);")
    helps = page.js("return [...document.querySelectorAll('tr.open .help')].map((e) => e.textContent);")
    assert labels == [text for text in ODD if "/" not in text] and helps == ODD
    assert page.js("return document.images.length + document.querySelectorAll('main table').length;") == 1
    assert page.js("return document.title;") == "Tallygate · Groups"
    page.accessible()
    page.size(360)
    page.fits()
    # A chip filters by what it says, whatever that is.
    for i, text in enumerate(text for text in ODD if "/" not in text):
        page.open(gw.url).ready()
        page.js("document.querySelectorAll('#groups a.chip')[arguments[0]].click();", i)
        page.wait_until("document.querySelectorAll('#groups tr.row').length === 1 && document.querySelector('#groups .chip bdi').textContent === arguments[0]", text)


def test_search_sort_and_pages_are_in_the_address(many, page):
    page.open(many.url).ready()
    assert len(page.rows()) == 100 and page.one("#count").text == "100 of 10,000 groups"
    page.click("#pager a", "Next")
    page.wait_until("document.querySelector('#groups bdi').textContent === 'job-001'")
    page.click("#pager a", "Next")
    page.wait_until("document.querySelector('#groups bdi').textContent === 'job-002'")
    shown, address = page.rows(), page.driver.current_url
    page.driver.back()
    page.wait_until("document.querySelector('#groups bdi').textContent === 'job-001'")
    page.open(address).ready()
    assert page.rows() == shown, "a link shows what was seen"
    page.click("#pager a", "First")
    page.wait_until("document.querySelector('#groups bdi').textContent === 'job-000'")
    page.click("th a", "Series")
    page.wait_until("document.querySelector('th[aria-sort=descending] a')?.textContent === 'Series'")
    page.wait_until("document.querySelector('#groups bdi').textContent === 'job-007'")
    page.keys("/", '{job=~"job-04[2-4]"}')
    page.wait_until("document.getElementById('count').textContent === '100 of 300 groups that match'")
    assert "sort=-series" in page.driver.current_url and "q=%7Bjob" in page.driver.current_url
    page.accessible()


def test_what_is_no_matcher_is_said_and_the_rows_stay(many, page):
    page.open(many.url).ready()
    before = page.rows()
    page.keys("/", '{job="x}', Keys.ENTER)
    page.wait_until("!document.getElementById('wrong').hidden")
    assert page.rows() == before and page.one("#q").get_attribute("aria-invalid") == "true"
    page.wait_until("document.getElementById('live').textContent === document.getElementById('wrong').textContent")
    page.accessible()
    page.one("#q").clear()
    page.js("document.getElementById('q').focus();")
    page.keys("job-099", Keys.ENTER)
    page.wait_until("document.getElementById('count').textContent === '100 groups that match'")
    assert not page.all("#wrong")
    page.expect("400 (Bad Request)")


def test_by_job(many, page):
    page.open(many.url).ready()
    page.click(".seg a", "by job")
    page.wait_until("document.getElementById('count').textContent === '100 jobs'")
    assert page.rows()[7] == "job-007"
    assert page.texts("#groups tbody tr:nth-child(8) td")[:4] == ["job-007", "100", "0", "0"]
    page.accessible()
    page.click("a.job", "job-007")
    page.wait_until("document.getElementById('count').textContent === '100 groups that match'")
    assert page.one("#q").get_attribute("value") == '{job="job-007"}'


# ---- by itself ----

def test_a_refresh_keeps_focus_and_opened_rows(three, page):
    page.open(three.url).ready()
    page.click("button.job", "nightly-backup")
    page.wait_for("backup_rows", "tr.open")
    page.tab_to("tr.open button", "all 9 lines")
    page.one("#groups tbody tr:nth-of-type(3) input").click()
    page.js("document.querySelectorAll('tr.open button.more')[1].focus();")
    focused = page.focused()
    assert three.put("a-new-one", "x 1\n").status == 200
    assert three.post("nightly-backup/instance/db1/region/eu-west", "y 1\n").status == 200
    page.refresh()
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 4")
    page.wait_for("y untyped", "tr.open")
    assert page.focused() == focused and page.text("tr.row.on td.group").startswith("nightly-report")
    three.delete("a-new-one")
    page.refresh()
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 3")
    assert page.focused() == focused


def test_what_has_not_changed_is_not_sent_again(three, page):
    page.open(three.url).ready()
    page.js("""window.seen = []; const real = fetch;
        window.fetch = async (...a) => { const r = await real(...a); seen.push([String(a[0]), r.status]); return r; };""")
    page.refresh()
    statuses = page.wait_until("seen.some(([url]) => url.includes('/groups')) && seen")
    assert [status for url, status in statuses if "/groups" in url] == [304]
    assert three.put("another", "a 1\n").status == 200
    page.refresh()
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 4")


def test_a_lost_connection_is_said(database, page):
    with Gateway("--limits.groups=5", database=database) as g:
        g.put("x", "a 1\n")
        address = g.addresses[0]
        page.open(g.url).ready()
    page.refresh()
    page.wait_for("The gateway does not answer.", "#lost")
    page.wait_for("Connection lost", "#live")
    assert page.rows() == ["x"]
    page.accessible()
    with Gateway(database=database, listen=address):
        page.refresh()
        page.wait_until("document.getElementById('lost').hidden")
        page.wait_for("The connection is back.", "#live")
    page.expect("ERR_CONNECTION_REFUSED")


# ---- for everybody ----

def test_by_keyboard_alone(three, page):
    page.open(three.url).ready()
    page.keys(Keys.TAB)
    assert "To the content" in page.focused()
    page.tab_to("button.job", "nightly-backup")
    page.keys(Keys.ENTER)
    page.wait_for("backup_rows", "tr.open")
    page.tab_to("tr.open button", "all 9 lines")
    page.keys(Keys.ENTER)
    page.wait_for('{table="t8"}', "tr.open")
    page.tab_to("button.job", "nightly-backup", back=True)
    page.keys(Keys.ENTER)
    page.wait_until("!document.querySelector('tr.open')")
    page.keys("/")
    page.wait_until("document.activeElement.id === 'q'")
    page.keys("db2", Keys.ENTER)
    page.wait_until("document.querySelectorAll('#groups tr.row').length === 1")
    page.tab_to("th a", "State")
    page.keys(Keys.ENTER)
    page.wait_until("document.querySelector('th[aria-sort] a').textContent === 'State'")
    assert "State" in page.focused()
    page.tab_to("nav a", "Status", back=True)
    page.keys(Keys.ENTER)
    page.wait_for("--limits.groups")


def test_a_summed_group_and_its_sources(gw, page):
    for source in "4711", "4712":
        assert gw.request("POST", f"/sum/metrics/job/j/pid/{source}", "# TYPE c counter\nc 3\n").status == 200
    page.open(gw.url).ready()
    assert page.rows() == ["j sum of 2"] and "sum of 2" in gw.get("/").text
    page.click("button.job", "j")
    page.wait_for("c counter", "tr.open")
    page.wait_for("pid=4712", "tr.open .list")
    assert page.text("tr.open .v") == "6" and "sum/metrics/job/j'" in page.texts("tr.open pre")[1]
    assert "reset assumed" not in page.text("tr.open .list")
    assert gw.request("POST", "/sum/metrics/job/j/pid/4711", "# TYPE c counter\nc 1\n").status == 200
    page.wait_for("reset assumed", "tr.open .list")
    page.accessible()
    page.click("tr.open .list button", "end it")
    page.wait_until("document.querySelectorAll('tr.open .list button').length === 1")
    page.click("tr.open .del")
    page.click("dialog button", "Delete 1 group")
    page.wait_until("!document.querySelector('#groups tr.row')")
    assert json.loads(gw.get("/api/v1/metrics").text)["data"] == []


@pytest.mark.parametrize("width", [360, 640], ids=["narrow", "zoomed"])
def test_small_windows(three, page, width):
    """640: a window of 1280 at 200 %."""
    three.put("worker-17.batch.internal.example/instance/" + "very-long-" * 30, "a 1\n")
    page.size(width, 780)
    page.open(three.url).ready()
    page.click("button.job", "nightly-backup")
    page.wait_for("backup_rows", "tr.open")
    page.fits()
    page.accessible()
    page.click("th a", "Series")
    page.wait_until("document.querySelector('th[aria-sort] a').textContent === 'Series'")
    for tab in page.js("return [...document.querySelectorAll('header nav a')].map((a) => a.href);"):
        page.open(tab).ready()
        page.fits()
        page.accessible()


def test_without_a_script(many, page):
    page.scripts(False)
    page.open(many.url)
    page.driver.find_element("css selector", "#pager a").click()
    heads = page.driver.find_elements("css selector", "#groups a.job")
    assert len(heads) == 100 and heads[0].text == "job-001"
    box = page.driver.find_element("css selector", "#q")
    box.send_keys("job-007" + Keys.ENTER)
    page.comes_to_say("#count", "100 groups that match")
    page.driver.find_element("css selector", "#groups a.job").click()
    assert 'a{instance="",job="job-007"' in page.driver.page_source


@pytest.mark.parametrize("flags", [["--web.route-prefix=/pg"], ["--web.external-url=http://push.example:81/pg/"]])
def test_below_a_prefix(page, flags):
    with Gateway(*flags, ready="/pg/-/ready") as g:
        assert g.request("PUT", "/pg/metrics/job/x", "a 1\n").status == 200
        page.open(g.url + "/pg/").ready()
        page.click("button.job", "x")
        page.wait_for("a untyped", "tr.open")
        base = "http://push.example:81/pg/" if "external" in flags[0] else g.url + "/pg/"
        assert f"'{base}metrics/job/x'" in page.text("tr.open pre")
        page.click("header nav a", "Status")
        page.wait_for("--web.route-prefix")
        page.click("header nav a", "Groups")
        page.ready()
        assert page.rows() == ["x"]


# ---- the other tabs ----
