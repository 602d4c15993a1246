"""What is decided when the head of a request is there, and its body is not."""
import base64
import select

import pytest

from exposition import Scrape, counter, scrape
from gateway import DEADLINE, Gateway, eventually
from test_web_config import ALICE, FASTER_BOB, SLOW_BOB, USERS, WebGateway
from wire import Wire, head, push

LARGE = 50_000_000


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def asks(path="/metrics/job/x", n=LARGE, method="PUT", **headers):
    return head(method, path, Content_Length=n, **headers)


@pytest.fixture
def config(tmp_path):
    return tmp_path / "web.yml"


@pytest.mark.parametrize("authorization", [None, basic("alice", "wrong"), basic("nobody", "secret"), "Basic ?"])
@pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}])
def test_strangers_are_refused_before_their_body_is_read(config, authorization, expect):
    headers = {**expect, **({"Authorization": authorization} if authorization else {})}
    with WebGateway(config, USERS, auth=ALICE) as g, Wire(g) as w:
        reply = w.send(asks(**headers)).reply()
        assert (reply.status, reply.headers["www-authenticate"], reply.headers["connection"]) == (401, "Basic", "close")
        assert w.at_end()
        assert g.refused("auth") == 1


def test_bodies_wait_for_the_password(config):
    """While it is checked, they are left in the sockets: of 20 clients that send 5 MB each little is read."""
    with WebGateway(config, USERS + SLOW_BOB, auth=ALICE) as g:
        wires = [Wire(g) for _ in range(20)]
        for w in wires:
            w.send(asks(Authorization=basic("bob", "wrong")))
            w.socket.setblocking(False)
            sent = 0
            while sent < 5_000_000:
                try:
                    sent += w.socket.send(b"#" * 65536)
                except BlockingIOError:
                    break
            w.socket.settimeout(20 * DEADLINE)  # the last one waits for all the checks
        received = Scrape(g.get("/metrics").text).get("pushgateway_receiving_bytes")
        assert received < 20 * 100_000, "20 times the room of one"
        assert [w.reply().status for w in wires] == [401] * 20
        for w in wires:
            w.socket.close()


def test_a_body_that_was_kept_waiting_is_stored(config):
    body = b"#" * 3_000_000 + b"\na 1\n"
    with WebGateway(config, USERS + FASTER_BOB, auth=ALICE) as g, Wire(g) as w:
        for _ in range(2):
            w.send(asks(n=len(body), Authorization=basic("bob", "secret")) + body)
            assert w.reply().status == 200
        assert w.send(asks(n=4, Authorization=basic("bob", "secret"), Expect="100-continue")).reply().status == 100
        assert w.send(b"a 2\n").reply().status == 200
        assert Scrape(g.get("/metrics").text).pushed("a", "x") == 2


def test_a_stranger_with_a_short_body_keeps_the_connection(config):
    """Whether the body comes with the head or later: it is passed over, and is never the next request."""
    inner = head("DELETE", "/metrics/job/keep", Authorization=basic(*ALICE))
    with WebGateway(config, USERS, auth=ALICE) as g, Wire(g) as w:
        assert g.put("keep", "a 1\n").status == 200
        for late in (False, True):
            w.send(asks(n=len(inner)) + (b"" if late else inner))
            assert w.reply().status == 401
            if late:
                w.send(inner[:10])
                w.send(inner[10:])
            assert w.send(head("GET", "/-/healthy", Authorization=basic(*ALICE))).reply().body == b"OK"
        assert Scrape(g.get("/metrics").text).pushed("a", "keep") == 1


@pytest.mark.parametrize("version,fields", [("1.1", {"Connection": "close"}), ("1.0", {})])
def test_a_stranger_with_a_late_body_gets_the_answer_on_a_connection_that_ends(config, version, fields):
    """Clients that send the body by itself, and ask to close the connection, as urllib does: closing it at once would reset it, and lose the answer."""
    with WebGateway(config, USERS, auth=ALICE) as g, Wire(g) as w:
        w.send(asks(n=20, **fields).replace(b"HTTP/1.1", b"HTTP/" + version.encode()))
        assert select.select([w.socket], [], [], DEADLINE)[0], "the answer does not wait for the body"
        for _ in range(20):
            w.send(b"#")
        assert w.reply().status == 401 and w.at_end()


def test_pipelined_requests_with_and_without_a_password(config):
    with WebGateway(config, USERS + FASTER_BOB, auth=ALICE) as g, Wire(g) as w:
        right, wrong = ({"Authorization": basic("bob", password)} for password in ("secret", "wrong"))
        w.send(push("p", b"a 1\n", **right) + push("p", b"a 2\n", **wrong) + push("p", b"a 3\n", **right) + push("p", b"a 4\n"))
        assert [w.reply().status for _ in range(4)] == [200, 401, 200, 401]
        assert Scrape(g.get("/metrics").text).pushed("a", "p") == 3


@pytest.mark.parametrize("method,path,status", [
    ("PUT", "/nothing", 404), ("PUT", "/metrics", 405), ("POST", "/-/healthy", 405), ("PATCH", "/metrics/job/x", 405),
    ("PUT", "/metrics/job/%zz", 400), ("PUT", "//metrics/job/x", 301), ("PUT", "/metrics/job/", 307), ("POST", "/metrics/jobs/x", 404)])
def test_what_is_no_push_is_answered_before_its_body_is_read(shared, method, path, status):
    with Wire(shared) as w:
        reply = w.send(asks(path, method=method)).reply()
        assert (reply.status, reply.headers["connection"]) == (status, "close")
        assert w.at_end()


@pytest.mark.parametrize("path", ["/metrics/job/x", "http://x/metrics/job/x", "/metrics/job@base64/eA", "/metrics%2Fjob/x"])
def test_what_is_a_push_is_asked_for_its_body(shared, path):
    with Wire(shared) as w:
        assert w.send(asks(path, Expect="100-continue")).reply().status == 100


def test_a_large_body_of_a_delete_is_not_waited_for(shared):
    assert shared.put("gone", "a 1\n").status == 200
    with Wire(shared) as w:
        assert w.send(asks("/metrics/job/gone", method="DELETE")).reply().status == 202
        assert w.at_end()
    assert scrape(shared).pushed("a", "gone") is None


@pytest.mark.parametrize("path", ["/", "/status", "/-/healthy", "/-/ready", "/api/v1/status", "/api/v1/metrics", "/metrics", "/metrics/", "/-/quit", "/metrics/job/x"])
def test_head_is_get_without_its_content(shared, path):
    with Wire(shared) as w:
        got = w.send(head("GET", path)).reply()
        asked = w.send(head("HEAD", path)).reply("HEAD")
        assert asked.status == got.status
        changes = ("date", "content-length")
        assert {n: v for n, v in asked.headers.items() if n not in changes} == {n: v for n, v in got.headers.items() if n not in changes}
        assert int(asked.headers["content-length"]) > 0
        assert w.send(head("GET", "/-/healthy")).reply().body == b"OK", "and nothing is behind it"


REFUSALS = {
    "malformed": (b"GET / HTTP/1.1\r\n\r\n", "400", "get"), "no method": (b"\x16\x03\x01", "400", "other"),
    "header": (head("PUT", "/metrics/job/x", X="y" * 5000), "431", "put"), "body": (asks(n=5000), "413", "put"),
    "expectation": (asks(n=4, Expect="tea"), "417", "put"), "coding": (head("POST", "/metrics/job/x", Transfer_Encoding="gzip"), "501", "post"),
    "version": (b"GET / HTTP/2.0\r\n", "505", "get"), "path": (head("GET", "/nothing"), "404", "get"), "late": (b"PUT /metr", "408", "other"),
    "method": (head("DELETE", "/-/ready"), "405", "delete"), "escape": (head("GET", "/%zz"), "400", "get"), "quit": (push("x", b"").replace(
        b"/metrics/job/x", b"/-/quit"), "403", "put"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_whatever_is_refused_is_counted(name):
    request, code, method = REFUSALS[name]
    with Gateway("--limits.body-size=4KiB", "--web.max-header-size=4KiB", "--web.read-timeout=300ms") as g:
        with Wire(g) as w:
            assert w.send(request).reply().status == int(code)
        assert counter(g, "pushgateway_http_requests_total", code=code, handler="none", method=method) == 1


def test_strangers_are_counted(config):
    with WebGateway(config, USERS, auth=ALICE) as g:
        assert g.as_nobody().status == 401
        labels = dict(code="401", handler="none", method="get")
        eventually(lambda: Scrape(g.get("/metrics").text).get("pushgateway_http_requests_total", **labels), "it is counted")


def test_a_network_of_ipv6_addresses_is_one_client(config):
    """Who has 2^64 of them could fill the queue of passwords with as many clients, and a newcomer would find no room."""
    def asks_as(address, password):
        return head("GET", "/-/healthy", Authorization=basic("bob", password), X_Forwarded_For=address)

    with WebGateway(config, USERS + SLOW_BOB, "--web.trusted-proxies=127.0.0.1", auth=ALICE) as g:
        flood = [Wire(g) for _ in range(260)]
        for i, w in enumerate(flood):
            w.send(asks_as(f"2001:db8::{i:x}", f"wrong {i}"))
        by_socket, statuses = {w.socket: w for w in flood}, []
        while 503 not in statuses:  # then the queue is full
            answered = select.select(list(by_socket), [], [], DEADLINE)[0]
            assert answered, statuses
            statuses += [by_socket.pop(socket).reply().status for socket in answered]
        with Wire(g, timeout=20 * DEADLINE) as w:
            assert w.send(asks_as("2001:db8:0:1::1", "secret")).reply().status == 200
        for w in flood:
            w.socket.close()
