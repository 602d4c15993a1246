"""Pushing by hand: curl and plain HTTP, and what the scrape then shows."""
import subprocess
import time

import pytest

from exposition import check_layout, promtool, scrape

PREFIX = "pushed metrics are invalid or inconsistent with existing metrics: "


def curl(gateway, *args, body=None):
    done = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", *args[:-1], gateway.url + args[-1]],
                          input=body, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def test_the_first_example_of_the_readme(gw):
    assert curl(gw, "--data-binary", "@-", "/metrics/job/some_job", body="some_metric 3.14\n") == ""
    out = curl(gw, "/metrics")
    assert 'some_metric{instance="",job="some_job"} 3.14\n' in out
    assert "# TYPE some_metric untyped\n" in out


def test_curl_says_the_status_of_each_method(gw):
    status = ["--output", "/dev/null", "--write-out", "%{http_code}"]
    assert curl(gw, *status, "--upload-file", "-", "/metrics/job/c", body="a 1\n") == "200"
    assert curl(gw, *status, "--data-binary", "@-", "/metrics/job/c", body="b 1\n") == "200"
    assert curl(gw, *status, "--data-binary", "@-", "/metrics/job/c", body="b one\n") == "400"
    assert curl(gw, *status, "--head", "/metrics") == "200"
    assert curl(gw, *status, "--head", "/metrics/job/c") == "200"
    assert curl(gw, *status, "--request", "DELETE", "/metrics/job/c") == "202"


def test_curl_fails_on_a_refused_push(gw):
    done = subprocess.run(["curl", "--silent", "--fail-with-body", "--noproxy", "*", "--data-binary", "@-",
                           gw.url + "/metrics/job/c"], input="a b\n", capture_output=True, text=True, timeout=30)
    assert done.returncode == 22
    assert done.stdout == 'text format parsing error in line 1: expected float as value, got "b"\n'


def test_success_has_no_body_and_no_type(gw):
    for reply, status in ((gw.put("s", "a 1\n"), 200), (gw.post("s", "a 1\n"), 200), (gw.delete("s"), 202)):
        assert reply.status == status
        assert reply.body == b""
        assert reply.headers["Content-Length"] == "0"
        assert reply.headers["Content-Type"] is None
        assert reply.headers["Date"]
        assert reply.headers["Server"] is None


def test_put_replaces_post_merges_delete_drops(gw):
    gw.put("g", "a 1\nb 2\n")
    gw.post("g", 'b{x="1"} 3\nc 4\n')
    s = scrape(gw)
    assert s.pushed("a", "g") == 1
    assert s.pushed("b", "g") is None, "POST replaces a family with all its series"
    assert s.pushed("b", "g", x="1") == 3
    assert s.pushed("c", "g") == 4
    gw.put("g", "d 5\n")
    assert {"d", "push_time_seconds", "push_failure_time_seconds"} == {n for n, k in scrape(gw).samples
                                                                      if ("job", "g") in k}
    gw.delete("g")
    assert scrape(gw).foreign() == []


def test_a_group_changes_the_type_of_its_family(gw):
    gw.put("t", "# TYPE a counter\na 1\n")
    assert gw.post("t", "# TYPE a gauge\na 2\n").status == 200
    assert "# TYPE a gauge\na{" in scrape(gw).text


def test_groups_are_apart(gw):
    gw.put("g", "a 1\n")
    gw.put("g/instance/i", "a 2\n")
    gw.put("g/instance/i/x/y", "a 3\n")
    assert gw.delete("g").status == 202
    s = scrape(gw)
    assert s.pushed("a", "g") is None
    assert s.pushed("a", "g", instance="i") == 2
    assert gw.delete("g/x/y/instance/i").status == 202, "the order of labels does not matter"
    assert scrape(gw).pushed("a", "g", instance="i", x="y") is None
    assert gw.delete("never/was/there").status == 202


def test_grouping_labels_win(gw):
    gw.put("x", 'a{job="q",instance="z",b=""} 1\n')
    gw.put("y/instance/i", 'a{job="q",instance="z"} 2\n')
    s = scrape(gw)
    assert s.pushed("a", "x", instance="z", b="") == 1
    assert s.pushed("a", "y", instance="i") == 2


@pytest.mark.parametrize("body", ["", "\n", "# only a comment\n", "# TYPE a gauge\n# HELP a h\n"])
def test_an_empty_push_makes_an_empty_group(gw, body):
    gw.put("e", "b 1\n")
    assert gw.put("e", body).status == 200
    s = scrape(gw)
    assert "b" not in s.names() and "a" not in s.names()
    assert s.pushed("push_time_seconds", "e") > 0
    assert s.pushed("push_failure_time_seconds", "e") == 0


def test_push_times(gw):
    before = time.time()
    gw.put("t", "a 1\n")
    first = scrape(gw).pushed("push_time_seconds", "t")
    assert before <= first <= time.time()

    refused = gw.put("t", 'b 1\na{job="x"} 1\na{job="y"} 2\n')
    assert refused.status == 400
    assert refused.text.startswith(PREFIX) and "was collected before with the same name and label values" in refused.text
    s = scrape(gw)
    assert s.pushed("push_time_seconds", "t") == first
    assert s.pushed("push_failure_time_seconds", "t") > first
    assert s.pushed("a", "t") == 1 and s.pushed("b", "t") is None, "nothing half-applied"

    gw.post("t", "")
    assert scrape(gw).pushed("push_time_seconds", "t") > first


def test_a_refused_push_makes_its_group_but_a_bad_one_does_not(gw):
    assert gw.put("refused", "a 1 123\n").text == PREFIX + "pushed metrics must not have timestamps\n"
    assert gw.put("unparsed", "a\n").status == 400
    s = scrape(gw)
    assert s.pushed("push_time_seconds", "refused") == 0
    assert s.pushed("push_failure_time_seconds", "refused") > 0
    assert s.pushed("push_time_seconds", "unparsed") is None


def test_a_type_that_other_groups_contradict(gw):
    gw.put("one", "# TYPE a counter\na 1\n")
    reply = gw.put("two", "# TYPE a gauge\na 1\n")
    assert reply.status == 400 and "is not a COUNTER" in reply.text
    gw.delete("one")
    assert gw.put("two", "# TYPE a gauge\na 1\n").status == 200


ERRORS = {
    "/metrics/job/x/a": 'odd number of components in label string "/a"',
    "/metrics/job/x/1l/v": 'improper label name "1l"',
    "/metrics/job/x/__l/v": 'improper label name "__l"',
    "/metrics/job@base64/=": "job name is required",
    "/metrics/job@base64/A": 'invalid base64 encoding in job name "": illegal base64 data at input byte',
    "/metrics/job/x/l@base64/!!": 'invalid base64 encoding for label l="!!": illegal base64 data at input byte 0',
}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ERRORS)
def test_bad_grouping_keys(shared, method, path):
    reply = shared.request(method, path, "a 1\n")
    assert reply.status == 400
    assert reply.text.startswith(ERRORS[path]) and reply.text.endswith("\n")
    assert reply.text.count("\n") == 1
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_error_of_a_body_names_the_line(shared):
    reply = shared.put("lines", 'a 1\n\nb{x="y"} 2\nc d\n')
    assert reply.text == 'text format parsing error in line 4: expected float as value, got "d"\n'


ALLOW = [("/metrics", "GET, HEAD, OPTIONS"), ("/-/healthy", "GET, HEAD, OPTIONS"), ("/-/ready", "GET, HEAD, OPTIONS"),
         ("/metrics/job/x", "DELETE, GET, HEAD, OPTIONS, POST, PUT"), ("/metrics/job/x/a/b", "DELETE, GET, HEAD, OPTIONS, POST, PUT")]


@pytest.mark.parametrize("path,allow", ALLOW)
def test_methods_that_a_path_does_not_have(shared, path, allow):
    options = shared.request("OPTIONS", path)
    assert (options.status, options.headers["Allow"], options.body) == (200, allow, b"")
    for method in {"GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "TRACE", "PROPFIND"} - set(allow.split(", ")):
        reply = shared.request(method, path)
        assert (reply.status, reply.headers["Allow"]) == (405, allow), method
        assert reply.body == (b"" if method == "HEAD" else b"Method Not Allowed\n"), method


@pytest.mark.parametrize("path", ["/nope", "/metrics/job", "/metrics/jobs/x", "/metrics/instance/y/job/x", "/metrics/job@base64/",
                                  "/api/v1/nope", "/debug/pprof/"])
def test_paths_that_are_not_there(shared, path):
    for method in ("GET", "PUT", "PATCH"):
        reply = shared.request(method, path)
        assert (reply.status, reply.text) == (404, "404 page not found\n")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path,location", [
    ("//metrics/job/x", "/metrics/job/x"), ("/metrics/job//x?a=b", "/metrics/job/x?a=b"),
    ("/metrics/job/x//", "/metrics/job/x/"), ("/metrics/job/x/../y", "/metrics/job/y")])
def test_unclean_paths_are_redirected(shared, path, location):
    for method in ("PUT", "POST", "DELETE"):
        reply = shared.request(method, path, "a 1\n")
        assert (reply.status, reply.headers["Location"], reply.body) == (301, location, b"")
    reply = shared.request("GET", path)
    assert (reply.status, reply.headers["Location"]) == (301, location)
    assert reply.text == f'<a href="{location}">Moved Permanently</a>.\n\n'


def test_a_redirect_escapes_what_it_was_sent(shared):
    reply = shared.request("GET", "//metrics?<script>&'\"")
    assert reply.text == '<a href="/metrics?&lt;script&gt;&amp;&#39;&#34;">Moved Permanently</a>.\n\n'


def test_numbers_and_bytes_come_out_as_they_should(gw):
    gw.put("n", 'v{i="1"} 1e6\nv{i="2"} .5\nv{i="3"} -Inf\nv{i="4"} nan\nv{i="5"} 123456\nv{i="6"} 5e-324\n'
                'v{i="7",q="a\\"b\\\\c\\nd\té"} -0\n')
    lines = [x for x in scrape(gw).text.split("\n") if x.startswith("v{")]
    assert [x.rsplit(" ", 1)[1] for x in lines] == ["1e+06", "0.5", "-Inf", "NaN", "123456", "5e-324", "0"]
    assert lines[-1] == 'v{i="7",instance="",job="n",q="a\\"b\\\\c\\nd\té"} 0'


def test_series_of_a_push_are_sorted_by_their_values(gw):
    gw.put("p", 'c{z="2"} 1\nc{a="1",y="0"} 1\nc{z="10"} 1\nc{y="0"} 1\n')
    lines = [x for x in scrape(gw).text.split("\n") if x.startswith("c{")]
    assert lines == ['c{instance="",job="p",y="0"} 1', 'c{instance="",job="p",z="10"} 1', 'c{instance="",job="p",z="2"} 1',
                     'c{a="1",instance="",job="p",y="0"} 1']


def test_own_metrics_follow_promtools_advice(gw):
    for _ in range(2):
        assert promtool(scrape(gw).text) == []
        gw.put("x", "# HELP a h\na 1\n")
        gw.post("x", "a\n")
        gw.delete("x")
        gw.get("/-/healthy")


def test_pushes_to_our_own_names_share_the_family(gw):
    assert gw.put("go", "# TYPE process_open_fds gauge\nprocess_open_fds 7\n").status == 200
    s = scrape(gw)
    assert s.get("process_open_fds") > 0 and s.pushed("process_open_fds", "go") == 7
    assert "Number of open file descriptors." in s.text
    refused = gw.put("go", "process_open_fds 7\n")
    assert refused.text == PREFIX + "gathered metric family process_open_fds has type UNTYPED but should have GAUGE\n"
    check_layout(gw.get("/metrics").body)


def test_requests_are_counted(gw):
    gw.put("x", "a 1\n")
    gw.put("x", "a\n")
    gw.post("x/y", "")
    gw.delete("x")
    s = scrape(gw)

    def requests(code, handler, method):
        return s.get("pushgateway_http_requests_total", code=code, handler=handler, method=method)
    assert requests("200", "push", "put") == 1
    assert requests("400", "push", "put") == 1
    assert requests("400", "push", "post") == 1
    assert requests("202", "delete", "delete") == 1
    assert s.get("pushgateway_http_push_size_bytes_count", method="put") == 2
    assert s.get("pushgateway_http_push_duration_seconds_count", method="post") == 1
    assert s.get("pushgateway_rejected_pushes_total", reason="path") == 1
    assert s.get("pushgateway_rejected_pushes_total", reason="body") == 1
    assert (s.get("pushgateway_groups"), s.get("pushgateway_series"), s.get("pushgateway_queue_depth")) == (0, 0, 0)


@pytest.mark.parametrize("body, line, why", [
    (b"a 1\nb 2", 2, "the last line has no line feed; with curl use --data-binary"),
    (b"# TYPE a gaugea 1b 2", 1, "the last line has no line feed; with curl use --data-binary"),
    (b"a 1\r\nb 2\r\n", 1, "the line ends in CR LF, end lines in LF alone"),
    (b"# HELP a x\n# TYPE a gauge\r\na 1\n", 2, "the line ends in CR LF, end lines in LF alone"),
    (b"\xef\xbb\xbfa 1\n", 1, "the body begins with a byte order mark (BOM), leave it out"),
    ("a 1\n".encode("utf-16"), 1, "the body is UTF-16, send UTF-8"),
])
@pytest.mark.parametrize("content_type", ["text/plain", "application/openmetrics-text; version=1.0.0"])
def test_the_first_mistakes_are_named(gw, body, line, why, content_type):
    r = gw.put("x", body, **{"Content-Type": content_type})
    assert r.status == 400 and f"error in line {line}: " in r.text and r.text.endswith(f": {why}\n"), r


def test_openmetrics_that_is_text_is_read_as_such(gw):
    headers = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
    assert gw.put("x", "# TYPE a counter\na 1\n", **headers).status == 200
    assert "# TYPE a counter" in gw.get("/metrics").text
    r = gw.put("x", '# TYPE a counter\na{b="c} 1\n', **headers)
    assert r.status == 400 and "line 2" in r.text


def test_openmetrics_is_read_as_prometheus_reads_it(gw):
    """Each with an exemplar, so that it is no text 0.0.4."""
    headers = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
    body = ('# HELP a \\d\\\n# TYPE a counter\na_total{path="C:\\dir\\\\x\\n"} 1 # {} 1\na_created{path="C:\\dir\\\\x\\n"} NaN\na_created{path="none"} 7\n'
            "# TYPE b_total counter\nb_total 2 # {} 1\n# EOF\n")
    assert gw.put("x", body, **headers).status == 200
    lines = gw.get("/metrics").text.split("\n")
    for line in ("# HELP a_total \\\\d\\\\", 'a_total{instance="",job="x",path="C:\\\\dir\\\\x\\n"} 1', 'a_created{instance="",job="x",path="C:\\\\dir\\\\x\\n"} NaN',
                 'a_created{instance="",job="x",path="none"} 7', "# TYPE a_created gauge", "# TYPE b_total counter", 'b_total{instance="",job="x"} 2'):
        assert line in lines, line
    r = gw.put("x", "# TYPE a counter\na_total 1 # {} 1\na 1\n# EOF\n", **headers)
    assert r.status == 400 and 'line 3: the type of its metric has no sample called "a"' in r.text, r


def test_a_clash_of_types_names_the_group_that_was_first(gw):
    assert gw.put("first/l/a%22b", "# TYPE clash counter\nclash 1\n").status == 200
    r = gw.put("second", "# TYPE clash gauge\nclash 1\n")
    assert r.status == 400 and 'group {job="first",l="a\\"b"} has it as COUNTER, this push says GAUGE' in r.text, r
