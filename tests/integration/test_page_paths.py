"""Paths that the page makes of labels: each names its own group, whatever its labels are called."""
import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from gateway import Gateway

LABELS_JS = Path(__file__).parents[2] / "src/ui/labels.js"
FLAG = "--push.enable-utf8-names"
CLASSIC = ["foo", "x", "U__x", "U__foo_2e_bar", "U__U____x", "U_x", "U__", "_"]
OTHERS = ["foo.bar", "a/b", "a/b/c", ".", "..", "1a", "a b", "a%2Fb", "é", "U__é", "a_b-c", "%", "\U0001f600", "\U0010fffd", "a\U0010fffd_"]
VALUES = ["v", "YQ", "", "x/y", "é", "..", "\0"]
# Of the first two, one's path without an escaped name would be the other's; the value is "a" in base64.
PAIRS = [("foo@base64", "YQ"), ("foo", "a")] + [(name, VALUES[i % len(VALUES)]) for i, name in enumerate(CLASSIC + OTHERS)]


def escaped(name):
    return "U__" + "".join("__" if c == "_" else c if re.match("[a-zA-Z0-9]", c) or ord(c) > 0xfffff else f"_{ord(c):x}_" for c in name)


def encoded(value):
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=") or "="


def fill(gw):
    for i, (name, value) in enumerate(PAIRS):
        assert gw.put(f"w/{quote(escaped(name))}@base64/{encoded(value)}", f"m {i}\n").status == 200, name
    assert sorted(stored(gw)) == sorted(PAIRS)


def stored(gw):
    """In the order of the page's rows."""
    groups = [g["labels"] for g in json.loads(gw.get("/api/v1/groups?limit=1000").body)["data"]["groups"]]
    assert all(labels.pop("job") == "w" for labels in groups)
    return [pair for labels in groups for pair in labels.items()]


def links(gw):
    rows = re.findall(r'<tr class="row">.*?</tr>', gw.get("/").text, re.S)
    found = [re.search(r'<a class="job" href="([^"]*)"', row) for row in rows]
    return zip(stored(gw), [link and html.unescape(link[1]) for link in found], strict=True)


def expect_exposition(gw, pair, link):
    r = gw.get("/" + link)
    assert r.status == 200 and re.findall(r"^m\{.*\} (\d+)$", r.text, re.M) == [str(PAIRS.index(pair))], (pair, link)


def of_script(utf8_names):
    """What the page's module writes: (name, value) -> path."""
    page = {"body": {"dataset": {"utf8Names": ""} if utf8_names else {}}}
    script = ("const [module, page, groups] = process.argv.slice(1); globalThis.document = JSON.parse(page);"
              "const { groupPath } = await import(`data:text/javascript;base64,${module}`);"
              "console.log(JSON.stringify(JSON.parse(groups).map((labels) => groupPath(labels))));")
    groups = [{"job": "w", name: value} for name, value in PAIRS]
    r = subprocess.run([shutil.which("node") or "nodejs", "--input-type=module", "-e", script, "--",
                        base64.b64encode(LABELS_JS.read_bytes()).decode(), json.dumps(page), json.dumps(groups)], stdout=subprocess.PIPE, check=True)
    return dict(zip(PAIRS, json.loads(r.stdout), strict=True))


def expect_only_it_ends(gw, pair, path):
    before = stored(gw)
    assert gw.request("DELETE", "/" + path).status == 202
    assert stored(gw) == [other for other in before if other != pair], (pair, path)


def test_of_any_name():
    with Gateway(FLAG) as g:
        fill(g)
        for pair, link in links(g):
            expect_exposition(g, pair, link)
        for pair, path in of_script(True).items():
            expect_exposition(g, pair, path)
            expect_only_it_ends(g, pair, path)
        assert stored(g) == []


def test_of_a_gateway_that_takes_classic_names_only(database):
    """No path names the other groups, which it has from before: there is no link, and a command is refused."""
    with Gateway(FLAG, database=database) as g:
        fill(g)
        assert " data-utf8-names" in g.get("/").text
    with Gateway(database=database) as g:
        assert " data-utf8-names" not in g.get("/").text
        for pair, link in links(g):
            assert (link is not None) == (pair[0] in CLASSIC)
            if link:
                expect_exposition(g, pair, link)
        for pair, path in of_script(False).items():
            before = stored(g)
            if pair[0] in CLASSIC:
                expect_only_it_ends(g, pair, path)
            else:
                assert g.request("DELETE", "/" + path).status == 400 and stored(g) == before, (pair, path)
