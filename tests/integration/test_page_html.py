"""The page as the server sends it, which has to be of use without a script: GET /, /status, /static/."""
import gzip
import html
import json
import re
from urllib.parse import quote, urlencode

import pytest

from gateway import Gateway

POLICY = "default-src 'self'; frame-ancestors 'none'"
TABS = ["/", "/rejections", "/cardinality", "/status"]
ROW = re.compile(r'<tr class="row">(.*?)</tr>', re.S)


def rows(text):
    """Of each row, what is read in it."""
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"</td>|<span class=\"why", " \\g<0>", row))).split()) for row in ROW.findall(text)]


def links(text):
    return [html.unescape(link) for link in re.findall(r'(?:src|href)="([^"]+)"', text)]


def fill(gw, n, path="job/j{0}/i/{0}", body="a 1\n"):
    c = gw.connect()
    for i in range(n):
        assert gw.request("PUT", "/metrics/" + path.format(i), body, connection=c).status == 200
    c.close()


def test_what_is_stored_is_text_and_never_markup(gw):
    gw.put("p/x/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "a 1\n")
    gw.put("q/x@base64/PGI-", "a 1\n")
    assert gw.put("%22%3E%3Cimg%20src=x%3E", "# TYPE a counter\na 1\n").status == 400
    for tab in TABS:
        r = gw.get(tab)
        assert (r.status, r.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", r.text)
        assert "<img" not in r.text and "<b>&lt;" not in r.text
    text = gw.get("/").text
    assert "&lt;b&gt;" in text and "&#34;&gt;&lt;img src=x&gt;" in text
    search = gw.get("/?q=%22%3E%3Cscript%3E&sort=%22%3E%3Cscript%3E").text
    assert "<script>" not in search and 'value="&#34;&gt;&lt;script&gt;"' in search


@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_loaded_but_what_the_gateway_serves(gw, tab):
    """A browser that keeps to the policy runs no script and takes no style that stands in the page itself."""
    gw.put("p", "a 1\n")
    r = gw.get(tab)
    assert r.headers["Content-Security-Policy"] == POLICY
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", r.text)
    for link in links(r.text):
        assert not re.match(r"[a-z]+:|/", link), "relative, so that it works below any prefix"
        if not link.startswith(("?", "#", "metrics/")):
            assert gw.get("/" + link.removeprefix("./").partition("#")[0]).status == 200


def files(gw):
    """Each file of the page, also those that modules import: name -> reply."""
    found, todo = {}, [link for link in links(gw.get("/").text) if link.startswith("static/")]
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = gw.request("GET", "/" + path, headers={"Accept-Encoding": "gzip"})
            text = gzip.decompress(found[path].body).decode()
            todo += [path.rpartition("/")[0] + "/" + name for name in re.findall(r"(?:from|import\() ?'\./([^']+)'", text)]
    return found


def test_files_are_kept_for_good_and_are_small(shared):
    found = files(shared)
    assert {path.rpartition(".")[2] for path in found} == {"css", "js", "svg"} and len(found) > 8
    for path, r in found.items():
        assert (r.status, r.headers["Content-Encoding"]) == (200, "gzip")
        assert r.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert (r.headers["X-Content-Type-Options"], r.headers["Vary"]) == ("nosniff", "Accept-Encoding")
        plain = shared.get("/" + path)
        assert plain.headers["Content-Encoding"] is None and plain.body == gzip.decompress(r.body)
        assert plain.headers["Content-Type"].startswith(
            {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[path.rpartition(".")[2]])
    assert sum(len(r.body) for r in found.values()) < 40_000
    [folder] = {path.rpartition("/")[0] for path in found}
    assert re.fullmatch(r"static/[0-9a-f]{16}", folder)


@pytest.mark.parametrize("path", ["/static/", "/static/page.css", "/static/0123456789abcdef/page.css", "/static/{0}/", "/static/{0}/none",
                                  "/static/{0}/page.css/", "/static/{0}x/page.css", "/static/{0}/x/page.css"])
def test_files_that_are_not_there(shared, path):
    folder = next(iter(files(shared))).split("/")[1]
    r = shared.get(path.format(folder))
    assert (r.status, r.headers["Cache-Control"]) == (404, None)
    assert shared.request("PUT", path.format(folder)).status == 405


def test_the_policy_of_the_web_file_is_left_as_it_is(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text("http_server_config:\n  headers:\n    Content-Security-Policy: default-src 'none'\n")
    with Gateway(f"--web.config.file={file}") as g:
        for tab in TABS:
            assert g.get(tab).headers.get_all("Content-Security-Policy") == ["default-src 'none'"]


def test_a_group_in_its_row(gw, database):
    """With when and why its last push failed, until one is accepted; also after a restart."""
    assert gw.put("p/instance/i", "# TYPE a gauge\na 1\nb 2\n").status == 200
    assert re.fullmatch(r"p instance=i ok \d s 2 \d+ B", rows(gw.get("/").text)[0])
    assert gw.put("q", "# TYPE a counter\na 1\n").status == 400
    for restarted in (False, True):
        if restarted:
            gw.terminate()
            gw = Gateway(database=database).start()
        assert re.fullmatch(r'q failed \d+ s ago .*"a" is not a GAUGE.* never 0 0 B', rows(gw.get("/").text)[1])
        assert re.search(r'id="n-failed">1<', gw.get("/").text)
    assert gw.put("q", "b 1\n").status == 200
    assert [row.split()[1] for row in rows(gw.get("/?sort=key&q=q").text)] == ["ok"]
    gw.terminate()


def test_search_sort_and_filter(gw):
    gw.put("p", "# TYPE a gauge\na 1\nb 2\nc 3\n")
    gw.put("q/x/needle", "b 1\n")
    gw.put("r", "# TYPE a counter\na 1\n")

    def jobs(query):
        r = gw.get("/" + query)
        assert r.status == 200
        return "".join(row[0] for row in rows(r.text))

    assert jobs("") == jobs("?sort=key") == "pqr" and jobs("?sort=-key") == "rqp"
    assert jobs("?sort=-series") == "pqr" and jobs("?sort=series") == "rqp"
    assert jobs("?q=NEEDLE") == "q" and jobs("?q=%7Bjob%3D~%22p%7Cr%22%7D") == "pr"
    assert jobs("?failed=true") == "r" and jobs("?older_than=1h") == "" and jobs("?q=%20") == "pqr"
    assert "No group matches." in gw.get("/?q=nothing").text
    # Every sort and filter that the page leads to is one that it takes.
    for link in links(gw.get("/?q=p&failed=true").text):
        if link.startswith("?"):
            assert gw.get("/" + link).status == 200


def fields(text):
    """What the form of the search sends without a script."""
    form = re.search(r'<form class="find".*?</form>', text, re.S)[0]
    sent = [(tag, re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in re.findall("<input [^>]+>", form)]
    said = {name[1]: html.unescape(value[1]) for _, name, value in sent}
    said["older_than"] = html.unescape(re.findall(r'<option value="([^"]*)" selected>', form)[0])
    return {name: value for name, value in said.items() if value}


@pytest.mark.parametrize("said", [{}, {"q": "p"}, {"failed": "true"}, {"q": "p", "overdue": "true", "conflict": "true", "older_than": "7d", "sort": "-series"},
                                  {"older_than": "90m"}, {"sort": '"><b>', "older_than": '"><i>'}])
def test_a_search_without_a_script_keeps_filters_and_sort(shared, said):
    text = shared.get("/?" + urlencode(said)).text
    assert fields(text) == said and "<b>\"" not in text and "<i>\"" not in text


@pytest.mark.parametrize("query,said", [("q=%7Bjob", "job"), ("sort=x", "there are key, age"), ("older_than=x", "older_than"), ("cursor=x", "cursor"),
                                        ("q=" + "x" * 1001, "1000 bytes"), ("q=%zz", "%zz"), ("cursor=" + "~" * 100_000, "cursor")]
                         + [(f"{name}=" + "~" * n, f"{name} has more than 128 bytes") for n in (129, 1_000_000)
                            for name in ("older_than", "failed", "overdue", "conflict", "sort", "by")], ids=lambda text: text[:12])
def test_what_it_does_not_understand_is_said_in_it(shared, query, said):
    r = shared.get("/?" + query)
    assert r.status == 400 and said in re.search(r'id="wrong">([^<]+)</p>', r.text)[1]
    assert len(r.body) < 60_000


def test_what_links_repeat_is_small(gw):
    """The longest that is taken, of each parameter at once."""
    fill(gw, 101)
    r = gw.get("/?q=" + "~" * 1000 + "".join(f"&{name}=" + "~" * 128 for name in ("older_than", "failed", "overdue", "conflict", "sort", "by")))
    assert r.status == 400 and len(r.body) < 60_000 and "%7E" * 1000 in r.text
    r = gw.get("/?by=" + "~" * 128 + "&q=" + "~" * 1000)
    assert r.status == 200 and len(r.body) < 60_000


def test_a_host_is_repeated_if_it_can_be_one(gw):
    host = ".".join(["a" * 49] * 5) + ":12345"
    for sent, shown in ((host, host), ("a" * 300, "localhost"), ("a" * 1_000_000, "localhost")):
        r = gw.request("GET", "/", headers={"Host": sent})
        assert r.status == 200 and len(r.body) < 60_000 and f"http://{shown}/" in r.text


def test_pages_of_many_groups(gw):
    """Each group once, whatever the order; the first page is small, and has no way back."""
    fill(gw, 250, "job/j{0:03}/i/{0}")
    for sort in "", "-key", "-series", "age":
        seen, link, pages = [], f"?sort={sort}", 0
        while link:
            text = gw.get("/" + link).text
            assert ("First</a>" in text) == (pages > 0) and "250 groups" in text
            seen += [row.split()[0] for row in rows(text)]
            following = re.search(r'<a href="([^"]+)">Next</a>', text)
            link, pages = following and html.unescape(following[1]), pages + 1
        assert sorted(seen) == [f"j{i:03}" for i in range(250)] and pages == 3


@pytest.mark.parametrize("path", [
    "job/{0}" + quote("<&\"'>" * 40) + "/i/{0}", "job/{0}" + quote("ש" * 200), "job/j{0}" + "".join(f"/label_{i}/" + quote("\"" * 100) for i in range(30)),
    "job/j{0}/path@base64/" + "PDw8" * 250], ids=["entities", "letters", "labels", "base64"])
def test_the_first_page_is_small_whatever_is_stored(gw, path):
    fill(gw, 101, path)
    # The reason of a failure names the other group.
    for i in range(101):
        gw.request("PUT", "/metrics/" + path.format(i), "# TYPE a counter\na 1\n")
    r = gw.get("/")
    assert len(r.body) < 60_000 and 4 < len(rows(r.text)) <= 100
    packed = gw.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.body) < len(r.body) / 3
    strip = re.compile(rb"up <span.*?</span>|\d+ s\b")
    assert strip.sub(b"", gzip.decompress(packed.body)) == strip.sub(b"", r.body)


def test_rows_by_label_are_for_scripts(gw):
    """Without one that is said, and not that nothing has been pushed."""
    gw.put("p", "a 1\n")
    text = gw.get("/?by=job").text
    assert "need JavaScript" in text and 'id="empty" hidden>' in text and '<div id="some">' in text and "0 groups" not in text


@pytest.mark.parametrize("tab,lists", [("/rejections", ["api/v1/rejections", "api/v1/changes"]), ("/cardinality", ["api/v1/status/cardinality"])])
def test_lists_for_scripts_lead_to_the_json_without_one(shared, tab, lists):
    """And nothing of what is in them is in the page, which more people may see."""
    assert shared.put("a-job-of-its-own", "a 1\na 1\n").status == 400
    text = shared.get(tab).text
    without = re.search(r"<noscript>(.*?)</noscript>", text)[1]
    assert "need JavaScript" in without and links(without) == lists
    assert "a-job-of-its-own" not in text and len(text) < 4000


def test_a_gateway_in_memory_says_so(shared):
    assert ">in memory<" in shared.get("/").text and "in memory: a restart loses everything" in shared.get("/status").text


def commands(text):
    return [html.unescape(pre) for pre in re.findall(r"<pre[^>]*>(.*?)</pre>", text, re.S)]


@pytest.mark.parametrize("flags,prefix,base,config", [
    ([], "", "http://gw.example:1234/", 'targets: ["gw.example:1234"]'),
    (["--web.route-prefix=/pg"], "/pg", "http://gw.example:1234/pg/", "metrics_path: /pg/metrics"),
    (["--web.external-url=https://push.example/a/"], "/a", "https://push.example/a/", "scheme: https"),
    (["--web.external-url=https://push.example/a", "--web.route-prefix=/"], "", "https://push.example/a/", "metrics_path: /a/metrics"),
    (["--web.telemetry-path=/all"], "", "http://gw.example:1234/", "metrics_path: /all"),
])
def test_commands_name_where_the_gateway_is(flags, prefix, base, config):
    with Gateway(*flags, ready=prefix + "/-/ready") as g:
        r = g.request("GET", prefix + "/", headers={"Host": "gw.example:1234"})
        push, scrape = commands(r.text)
        assert push == f"echo \"some_metric 3.14\" | curl --data-binary @- '{base}metrics/job/some_job'"
        assert config in scrape and "honor_labels: true" in scrape
        assert "Nothing has been pushed yet" in r.text and 'id="empty">' in r.text
        assert g.get(prefix + "/" + next(link for link in links(r.text) if link.startswith("static/"))).status == 200
        assert g.request("PUT", prefix + "/metrics/job/x", "a 1\n").status == 200
        assert 'id="empty" hidden>' in g.get(prefix + "/").text


def test_status_has_flags_build_and_limits(gw):
    gw.put("p", "a 1\n")
    text = gw.get("/status").text
    data = json.loads(gw.get("/api/v1/status").text)["data"]
    shown = dict(re.findall(r"<code>--([^<]+)</code></th><td><code>([^<]*)</code>", text))
    assert {name: html.unescape(value) for name, value in shown.items()} == data["flags"]
    for what in data["build_information"].values():
        assert html.escape(what) in text
    for i, limit in enumerate(data["limits"]):
        meter = re.search(rf'<meter [^>]*max="(\d+)"[^>]*value="(\d+)" id="meter-{i}"', text)
        assert int(meter[1]) == limit["limit"] and int(meter[2]) <= limit["limit"]
    assert 'id="wipe"' not in text
    with Gateway("--web.enable-admin-api") as g:
        assert 'id="wipe"' in g.get("/status").text
