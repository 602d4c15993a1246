"""Several addresses that push to one group in turn: each replaces what the others said."""
import json

import pytest

from browser import chromium, page  # noqa: F401: fixtures
from gateway import Gateway, eventually
from test_groups_list import ask, groups

TRUSTED = "--web.trusted-proxies=127.0.0.0/8"


def push(gw, group, client, body="a 1\n"):
    """The warnings of the answer."""
    r = gw.put(group, body, **{"X-Forwarded-For": client})
    assert r.status == 200, r
    return r.headers.get("X-Pushgateway-Warning")


def own(gw):
    return [line for line in gw.get("/metrics").text.splitlines() if line.startswith("pushgateway_group_writers_conflict")]


def test_two_addresses_in_turn():
    with Gateway(TRUSTED, database="") as g:
        assert groups(g, conflict="true") == [] and own(g) == []
        assert push(g, "x", "192.0.2.1") is None
        assert push(g, "x", "192.0.2.2") is None
        assert groups(g, conflict="true") == []
        assert push(g, "x", "192.0.2.1") == "writers-conflict"
        assert push(g, "fine", "192.0.2.3") is None
        [x] = groups(g, conflict="true")
        assert x["labels"] == {"job": "x"} and x["conflict"] is True
        assert x["last_peer"] == "192.0.2.1" and x["conflict_peers"] == ["192.0.2.2"]
        [fine] = groups(g, conflict="false")
        assert fine["labels"] == {"job": "fine"} and fine["conflict"] is False
        assert fine["last_peer"] == "192.0.2.3" and "conflict_peers" not in fine and "last_user" not in fine
        assert own(g) == ['pushgateway_group_writers_conflict{job="x"} 1']
        assert [(r["value"], r["conflict"]) for r in ask(g, by="job")["data"]["rows"]] == [("fine", 0), ("x", 1)]
        assert json.loads(g.get("/api/v1/status").text)["data"]["stored"]["conflict"] == 1
        lines = eventually(lambda: [line for line in g.log.splitlines() if "writers-conflict" in line], "it is logged")
        assert len(lines) == 1 and "/instance/NAME" in lines[0] and 'job=\\"x\\"' in lines[0]
        page = g.get("/?conflict=true").text
        assert "writers in conflict</span>" in page and "192.0.2.1, 192.0.2.2" in page and ">fine<" not in page
        assert g.delete("x").status == 202
        assert own(g) == [] and groups(g, conflict="true") == []


def test_the_address_of_the_connection_without_a_port(gw):
    for _ in range(3):
        assert push(gw, "x", "192.0.2.9") is None  # from no trusted proxy
    assert groups(gw)[0]["last_peer"] == "127.0.0.1"


@pytest.mark.parametrize("group", ["/sum/metrics/job/x/instance/i", "/add/metrics/job/x/instance/i"])
def test_summed_groups_are_for_many(group):
    with Gateway(TRUSTED, database="") as g:
        for client in "192.0.2.1", "192.0.2.2", "192.0.2.1":
            r = g.request("POST", group, "# TYPE a counter\na 1\n", {"X-Forwarded-For": client})
            assert r.status == 200 and "conflict" not in r.headers.get("X-Pushgateway-Warning", "")
        assert groups(g, conflict="true") == [] and groups(g)[0]["last_peer"] == "192.0.2.1"


def test_refused_pushes_replace_nothing():
    with Gateway(TRUSTED, database="") as g:
        assert push(g, "x", "192.0.2.1") is None
        assert g.put("x", "a 1\na 1\n", **{"X-Forwarded-For": "192.0.2.2"}).status == 400
        assert push(g, "x", "192.0.2.1") is None
        assert groups(g)[0]["last_peer"] == "192.0.2.1"


@pytest.mark.released
def test_the_page_shows_it(page):
    with Gateway(TRUSTED, database="") as g:
        for client in "192.0.2.1", "192.0.2.2", "192.0.2.1":
            push(g, "x", client)
        push(g, "fine", "192.0.2.1")
        page.open(g.url + "/").ready()
        page.wait_until("document.querySelectorAll('#groups tr.row').length === 2")
        assert page.text("#n-conflict") == "1"
        page.click("#stats a[data-flag=conflict]", "1\nwriters in conflict")
        page.wait_until("document.querySelectorAll('#groups tr.row').length === 1")
        assert page.text("#groups .state.conflict") == "writers in conflict"
        assert page.text("#groups .why") == "pushed in turn by 192.0.2.1, 192.0.2.2"
        page.accessible()
        page.size(360)
        page.fits()
