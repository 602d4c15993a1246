"""Whose push was refused, and why: the log says it to the operator, at the level that is the default."""
import base64
import json
import re

import pytest

from exposition import counter
from gateway import Gateway, parse_logfmt
from wire import Wire

PASSWORD = "basic_auth_users:\n  batch: $2b$04$FL.HgiZaqwNt8VnvV0JDSu6/qqHdSJ704Llt4bBJBevL42SWjeovm\n"


def line(g, text):
    return parse_logfmt(g.wait_for_line(text))


def raw(method, path, *headers):
    return "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode()


REFUSED = {
    "path": (("PUT", "/metrics/job/p/__x/v", "a 1\n"), 400, "failed to parse URL", "path", ""),
    "body": (("PUT", "/metrics/job/p/x/v", "a{ 1\n"), 400, "failed to parse text", "body", '{job="p",x="v"}'),
    "coding": (("PUT", "/metrics/job/p", "a 1\n", {"Content-Encoding": "gzip"}), 400, "failed to parse text", "body", ""),
    "type clash": (("POST", "/metrics/job/p", "# TYPE have counter\nhave 1\n"), 400,
                   "pushed metrics are invalid or inconsistent with existing metrics", "inconsistent", '{instance="",job="p"}'),
    "label": (("PUT", "/metrics/job/p", f'a{{x="{"v" * 200}"}} 1\n'), 413, "push refused: over a limit", "limit", '{job="p"}'),
    "groups": (("PUT", "/metrics/job/p", "a 1\n"), 507, "push refused: over a limit", "limit", '{instance="",job="p"}'),
    "size": (("PUT", "/metrics/job/p?x", "a 1\n" * 10000), 413, "push refused: over a limit", "limit", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_is_a_line(name):
    request, status, message, reason, group = REFUSED[name]
    with Gateway("--limits.label-value-length=100", f"--limits.groups={1 if name == 'groups' else 2}", "--limits.body-size=20KiB") as g:
        assert g.put("first", "# TYPE have gauge\nhave 1\n").status == 200
        assert g.request(*request).status == status
        got = line(g, message)
        assert got["path"] == request[1] and got["method"] == request[0] and got["err"]
        assert (got["reason"], got["status"], got["group"], got["times"]) == (reason, str(status), group, "1")
        assert re.fullmatch(r"127\.0\.0\.1:\d+", got["logged_source"])
        assert counter(g, "pushgateway_rejected_pushes_total", reason=reason) == 1


def test_a_body_that_comes_in_chunks_over_the_limit():
    """Refused by the server, before anybody has looked at it, and counted as the push it is."""
    with Gateway("--limits.body-size=20KiB", "--web.route-prefix=/p", ready="/p/-/ready") as g:
        with Wire(g) as w:
            body = b"%x\r\n" % 30000 + b"x" * 30000 + b"\r\n0\r\n\r\n"
            assert w.send(raw("PUT", "/p/metrics/job/big", "Host: x", "Transfer-Encoding: chunked") + body).reply().status == 413
        got = line(g, "push refused: over a limit")
        assert got["path"] == "/p/metrics/job/big" and "--limits.body-size" in got["err"]
        with Wire(g) as w:
            assert w.send(raw("GET", "/p/metrics", "Host: x")).reply().body.decode().count(
                'pushgateway_rejected_pushes_total{reason="limit"} 1\n') == 1


def test_what_is_no_request_is_a_line():
    with Gateway() as g:
        with Wire(g) as w:
            assert w.send(b"PUT /metrics/job/x HTTP/1.1\r\nNo colon\r\n\r\n").reply().status == 400
        got = line(g, 'msg="request refused"')
        assert (got["method"], got["path"], got["status"], got["reason"]) == ("PUT", "/metrics/job/x", "400", "http")


class Guarded(Gateway):
    """One that wants a name and a password; its own requests bring them, if they bring none."""

    def request(self, method, path, body=None, headers=None, connection=None):
        plain = base64.b64encode("batch:opened/é:".encode()).decode()
        return super().request(method, path, body, {"Authorization": f"Basic {plain}", **(headers or {})}, connection)


def test_a_wrong_password(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text(PASSWORD)
    with Guarded(f"--web.config.file={file}") as g:
        for credentials in ("", "Basic " + base64.b64encode(b"batch:wrong").decode()):
            assert g.request("PUT", "/metrics/job/p", "a 1\n", {"Authorization": credentials}).status == 401
        got = line(g, "request refused by --web.config.file")
        assert (got["path"], got["status"], got["reason"], got["times"]) == ("/metrics/job/p", "401", "auth", "1")
        assert "wrong" not in g.log


def test_a_limited_rate(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text("rate_limit:\n  interval: 1h\n  burst: 20\n")
    with Gateway(f"--web.config.file={file}") as g:
        while g.put("p", "a 1\n").status != 429:
            pass
        got = line(g, "request refused by --web.config.file")
        assert (got["path"], got["status"], got["reason"]) == ("/metrics/job/p", "429", "rate")


def test_before_the_password_is_checked_nobody_has_a_name(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text(PASSWORD + "rate_limit:\n  interval: 1h\n  burst: 20\n")
    with Guarded(f"--web.config.file={file}") as g:
        guessed = {"Authorization": "Basic " + base64.b64encode(b"batch:wrong").decode()}
        while g.request("PUT", "/metrics/job/p", "a 1\n", guessed).status != 429:
            pass
        assert "user" not in parse_logfmt(g.wait_for_line("reason=rate"))


def test_other_lines_do_not_hide_it():
    """One line for a job and a reason, however often; another job's first is there at once."""
    with Gateway("--log.format=json") as g:
        connection = g.connect()
        for i in range(300):
            assert g.request("PUT", f"/metrics/job/noisy/x/{i}", "a{ 1\n", connection=connection).status == 400
        assert g.put("quiet", "a{ 1\n").status == 400
        g.wait_for_line("/metrics/job/quiet")
        g.terminate()
        lines = [json.loads(x) for x in g.log.splitlines() if "failed to parse text" in x]
        assert [(x["path"], x["times"]) for x in lines] == [
            ("/metrics/job/noisy/x/0", 1), ("/metrics/job/quiet", 1), ("/metrics/job/noisy/x/299", 299)]


def test_deletes_and_wipes_are_lines():
    with Gateway("--web.enable-admin-api") as g:
        g.put("x/y/z", "a 1\n")
        assert g.delete("x/y/z").status == 202
        got = line(g, "group deleted")
        assert got["level"] == "info" and got["path"] == "/metrics/job/x/y/z" and got["group"] == '{instance="",job="x",y="z"}'
        assert got["logged_source"].startswith("127.0.0.1:")
        assert g.request("PUT", "/api/v1/admin/wipe").status == 202
        assert line(g, "all groups deleted")["logged_source"].startswith("127.0.0.1:")


# Of trusted proxies 127.0.0.0/8 and 10.0.0.0/8: what the headers are, whom the line names.
FORWARDED = [
    (["203.0.113.9"], "203.0.113.9"),
    (["203.0.113.9, 10.0.0.1"], "203.0.113.9"),
    (["198.51.100.1, 203.0.113.9, 10.0.0.1"], "203.0.113.9"),  # the first one may be made up
    (["198.51.100.1", "203.0.113.9", "10.0.0.1"], "203.0.113.9"),
    (["2001:db8::7"], "2001:db8::7"),
    (["[2001:db8::7]:443"], "[2001:db8::7]:443"),
    (["203.0.113.9:1234"], "203.0.113.9:1234"),
    (["10.0.0.2, 10.0.0.1"], "10.0.0.2"),
    (["203.0.113.9, unknown, 10.0.0.1"], "10.0.0.1"),  # what is behind it nobody vouches for
    (["not an address"], None),
    ([""], None),
    ([], None),
]


@pytest.mark.parametrize("headers,client", FORWARDED)
def test_the_client_behind_a_proxy(headers, client):
    for trusted in ("127.0.0.0/8,10.0.0.0/8", "192.0.2.0/24", ""):
        with Gateway(f"--web.trusted-proxies={trusted}") as g:
            with Wire(g) as w:
                lines = [f"X-Forwarded-For: {h}" for h in headers]
                w.send(raw("PUT", "/metrics/job/x", "Host: x", "Content-Length: 3", *lines) + b"a{\n")
                assert w.reply().status == 400
            source = line(g, "failed to parse text")["logged_source"]
            if client and "127" in trusted:
                assert source == client
            else:
                assert re.fullmatch(r"127\.0\.0\.1:\d+", source)


def test_many_lines_of_proxies():
    """What they cost grows with their bytes: each line used to be looked for from the first one on, which took minutes."""
    with Gateway("--web.trusted-proxies=127.0.0.1") as g, Wire(g) as w:
        lines = ["X-Forwarded-For: 192.0.2.1", *["X-Forwarded-For:"] * 60000]
        w.send(raw("PUT", "/metrics/job/x", "Host: x", "Content-Length: 3", *lines) + b"a{\n")
        assert w.reply().status == 400
        assert line(g, "failed to parse text")["logged_source"] == "192.0.2.1"


def test_a_list_of_proxies_that_is_none():
    g = Gateway("--web.trusted-proxies=10.0.0.0/8,proxy.example")
    assert g.wait() == 1
    assert "--web.trusted-proxies" in g.log and "proxy.example" in g.log
