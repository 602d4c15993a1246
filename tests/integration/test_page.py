"""The page in a real browser: what a person sees and does there, by mouse and by keyboard alone."""
import json
import subprocess

import pytest

from browser import Keys, chromium, page  # noqa: F401: fixtures
from gateway import Gateway

pytestmark = pytest.mark.released
THREE = {
    "nightly-backup/instance/db1/region/eu-west": """\
# HELP backup_duration_seconds How long the backup took.
# TYPE backup_duration_seconds gauge
backup_duration_seconds 123.4
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds 1.764142402e+09
# TYPE backup_step_seconds histogram
backup_step_seconds_bucket{step="dump",le="1"} 4
backup_step_seconds_bucket{step="dump",le="+Inf"} 14
backup_step_seconds_sum{step="dump"} 98.2
backup_step_seconds_count{step="dump"} 14
# TYPE backup_rows gauge
""" + "".join(f'backup_rows{{table="t{i}"}} {i}\n' for i in range(9)),
    "nightly-report": "report_pages 6\n",
    "nightly-report/instance/db2/path@base64/L3Zhci9saWI": "report_pages 7\n",
}
# Markup, quotes, controls, an override of the direction, right-to-left text, a very long word.
ODD = ['<img src=x onerror="document.title=1">', "'\"`;$(id)\\", "\u202eabc\u2066", "שלום עולם", "a\nb\tc", "x" * 400, "</td></table>", "&amp;"]


@pytest.fixture
def three(gw):
    for path, body in THREE.items():
        assert gw.put(path, body).status == 200
    return gw


@pytest.fixture(scope="module")
def many():
    """10,000 groups: 100 jobs, 100 groups each; those of job-007 have two series."""
    with Gateway() as g:
        c = g.connect()
        for i in range(10_000):
            body = "a 1\nb 2\n" if i % 100 == 7 else "a 1\n"
            assert g.request("PUT", f"/metrics/job/job-{i % 100:03}/shard/{i // 100:02}", body, connection=c).status == 200
        c.close()
        yield g


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
    page.complaints()  # of the 400


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
    page.complaints()  # of what could not be reached


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
    page.complaints()  # of the 409
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
    page.complaints()  # text has no icon


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


def test_status_is_kept_up_to_date(gw, page):
    page.open(gw.url + "/status").ready()
    page.accessible()
    assert page.one("#used-0").text == "0" and not page.all("#wipe")
    gw.put("x", "a 1\n")
    page.refresh()
    page.wait_until("document.getElementById('used-0').textContent === '1' && document.getElementById('meter-0').value === 1")
    assert page.text("#n-groups") == "1"


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



# ---- the other tabs ----

def test_rejections_and_changes(gw, page):
    page.open(gw.url + "/rejections").ready()
    assert "No push has been refused" in page.text("#rejections td") and "Nothing has been deleted" in page.text("#changes td")
    page.accessible()
    for i, text in enumerate(ODD):
        assert gw.put(f"refused{i}", f"{text}\n".encode()).status == 400
    assert gw.put("%3Cb%3E", "a 1\na 1\n").status == 400
    gw.put("gone", "a 1\n")
    assert gw.delete("gone").status == 202
    gw.put("gone", "a 1\n")
    assert gw.request("DELETE", "/api/v1/groups?match[]={job=%22gone%22}").status == 200
    page.refresh()
    page.wait_until("document.querySelectorAll('#rejections tr.row').length === arguments[0]", len(ODD) + 1)
    ago, peer, user, group, status, reason = page.texts("#rejections tr.row:first-child td")
    assert ago.endswith(" s") and peer.startswith("127.0.0.1") and (user, status) == ("", "400")
    assert 'job="<b>"' in group and "PUT /metrics/job/" in group and "collected before" in reason and reason.endswith("a 1\na 1\n")
    bodies = page.js("return [...document.querySelectorAll('#rejections pre')].map((e) => e.textContent.trimEnd());")
    assert bodies[1:] == [text[:255] for text in reversed(ODD)]
    assert page.js("return document.images.length;") == 0 and page.js("return document.title;") == "Tallygate · Rejections"
    assert page.text("#rejections h2") == f"Refused pushes {len(ODD) + 1}"
    page.wait_until("document.querySelectorAll('#changes tr.row').length === 2")
    assert page.texts("#changes tr.row:nth-child(1) td")[3:] == ["delete", "1", "/api/v1/groups?match[]={job=%22gone%22}"]
    assert page.texts("#changes tr.row:nth-child(2) td")[3:] == ["delete", "1", "/metrics/job/gone"]
    assert page.js("return document.querySelector('#changes tr.row:nth-child(1) td.n').dataset.unit;") == "group"
    page.accessible()
    page.size(360)
    page.fits()
    page.accessible()


def test_more_rejections_than_are_shown_at_first(page):
    with Gateway("--web.trusted-proxies=127.0.0.0/8", database="") as g:
        for i in range(120):
            assert g.put("x", f"{i}\n\n\n\n\n\n\n\n\n\n", **{"X-Forwarded-For": f"192.0.2.{i % 3}"}).status == 400
        page.open(g.url + "/rejections").ready()
        page.wait_for("100 of 120", "#rejections h2")
        assert page.texts("#rejections pre")[0].split() == ["119", "…"]
        page.click("#rejections button", "Show all")
        page.wait_until("document.querySelectorAll('#rejections tr.row').length === 120")
        assert not page.all("#rejections button")
        # The same again, from the same: what is there already stays what it is.
        page.js("window.first = document.querySelector('#rejections tr.row');")
        assert g.put("x", "119\n\n\n\n\n\n\n\n\n\n", **{"X-Forwarded-For": "192.0.2.2"}).status == 400
        page.refresh()
        page.wait_until("document.querySelectorAll('#rejections tr.row')[1] === window.first")


def test_cardinality(gw, page):
    page.open(gw.url + "/cardinality").ready()
    assert page.texts("#lists td") == ["Nothing is stored."] * 4
    page.accessible()
    gw.put("small/instance/x", "".join(f'm{{l="{i}"}} 1\n' for i in range(10)))
    gw.put("%3Cb%3E", f'n{{wide="{"w" * 2000}"}} 1\n')
    page.refresh()
    page.wait_until("document.querySelectorAll('#top-groups tr.row').length === 2")
    assert page.texts("#top-families tr.row:first-child td")[:2] == ["m", "10"]
    assert page.texts("#top-jobs td:first-child") == ["small", "<b>"]
    assert page.texts("#top-jobs tr.row:first-child td")[1:3] == ["1", "10"]
    assert page.texts("#top-groups td:first-child") == ["job=small instance=x", "job=<b>"]
    assert ["l", "10", "10"] in [page.texts(f"#top-labels tr.row:nth-child({i}) td")[:3] for i in range(1, 5)]
    page.accessible()
    # What is there is brought up to date, and stays what it is.
    page.js("window.first = document.querySelector('#top-families tr.row');")
    gw.put("another", "m 1\n")
    page.refresh()
    page.wait_until("document.querySelector('#top-families tr.row td.n').textContent === '11' && document.querySelector('#top-families tr.row') === window.first")
    page.click(".seg a", "by bytes")
    page.ready()
    page.wait_until("document.querySelector('#top-jobs bdi')?.textContent === '<b>'")
    assert page.one(".seg a", "by bytes").get_attribute("aria-current") == "true"
    page.size(360)
    page.fits()
    page.accessible()
    page.click("#top-groups a")
    page.ready()
    assert page.rows() == ["<b>"] and page.one("#q").get_attribute("value") == '{job="<b>"}'
    # What it does not understand is said, as the API says it.
    page.open(gw.url + "/cardinality?sort=name").ready()
    page.wait_for("sort has to be series or bytes", "#wrong")
    page.accessible()
    page.complaints()  # of the 400


def test_lists_without_a_script(gw, page):
    assert gw.put("x", "<b>\n").status == 400
    page.scripts(False)
    page.open(gw.url + "/rejections")
    page.driver.find_element("css selector", "noscript a").click()
    assert '"total":1' in page.driver.page_source
    page.complaints()  # JSON has no icon
