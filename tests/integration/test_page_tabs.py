"""The other tabs of the page, in a real browser: status, refused pushes and changes, cardinality."""
import pytest

from browser import chromium, page  # noqa: F401: fixtures
from gateway import Gateway
from page_groups import ODD

pytestmark = pytest.mark.released


def test_status_is_kept_up_to_date(gw, page):
    page.open(gw.url + "/status").ready()
    page.accessible()
    assert page.one("#used-0").text == "0" and not page.all("#wipe")
    gw.put("x", "a 1\n")
    page.refresh()
    page.wait_until("document.getElementById('used-0').textContent === '1' && document.getElementById('meter-0').value === 1")
    assert page.text("#n-groups") == "1"


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
    page.expect("400 (Bad Request)")


def test_lists_without_a_script(gw, page):
    assert gw.put("x", "<b>\n").status == 400
    page.scripts(False)
    page.open(gw.url + "/rejections")
    page.driver.find_element("css selector", "noscript a").click()
    assert '"total":1' in page.driver.page_source
