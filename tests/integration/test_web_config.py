"""--web.config.file without TLS: users, headers, rate limit, and all of it while it changes."""
import base64
import os
import select
import threading

import pytest
import requests
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
from prometheus_client.exposition import basic_auth_handler

from exposition import Scrape
from gateway import DEADLINE, Gateway, eventually
from go_gateway import find_go
from wire import Wire, head

# All of "secret". Hashes of cost 4 take a millisecond, of cost 12 a quarter of a second.
SALT = "QOauhQNbBCuQDKes6eFzPe"
SECRET = "Vj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"
ALICE = ("alice", "secret")
USERS = f"basic_auth_users:\n  alice: $2b$04${SALT}{SECRET}\n"
HEADERS = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n"
SLOW_BOB = f"  bob: $2y$12${SALT}L3GuEkKeAgLDp7AtdxoXCKyRE17tENW\n"
FASTER_BOB = f"  bob: $2y$08${SALT}d4wizwa5E8Y8qSWai.u4gUfgWLFN8Ce\n"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class WebGateway(Gateway):
    """With a web configuration, and `auth` for the requests that a test does not give credentials of its own."""

    def __init__(self, path, text, *flags, auth=None, ready_status=200, **kwargs):
        self.path, self.auth, self.ready_status = path, auth, ready_status
        path.write_text(text)
        super().__init__(*flags, f"--web.config.file={path}", **kwargs)

    def request(self, method, path, body=None, headers=None, connection=None):
        headers = dict(headers or {})
        if self.auth:
            headers.setdefault("Authorization", basic(*self.auth))
        return super().request(method, path, body, {k: v for k, v in headers.items() if v is not None}, connection)

    def _ready(self):
        if self.ready_status == 200:
            return super()._ready()
        return self.get("/-/ready").status == self.ready_status

    def write(self, text):
        """As an editor does that makes a new file."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def as_nobody(self, method="GET", path="/-/healthy", authorization=None):
        return self.request(method, path, headers={"Authorization": authorization})

    def refused(self, reason):
        return Scrape(self.get("/metrics").text).get("pushgateway_rejected_requests_total", reason=reason)


@pytest.fixture
def config(tmp_path):
    return tmp_path / "web.yml"


@pytest.fixture
def web(config):
    with WebGateway(config, HEADERS + USERS, auth=ALICE) as g:
        yield g


# ---- users ----

ENDPOINTS = [("GET", "/-/healthy"), ("GET", "/-/ready"), ("GET", "/metrics"), ("GET", "/"), ("GET", "/status"),
             ("GET", "/api/v1/status"), ("GET", "/api/v1/metrics"), ("OPTIONS", "/api/v1/metrics"),
             ("PUT", "/metrics/job/x"), ("POST", "/metrics/job/x"), ("DELETE", "/metrics/job/x"), ("OPTIONS", "*"),
             ("GET", "//metrics"), ("GET", "/metrics/"), ("GET", "/nothing"), ("PATCH", "/metrics"), ("HEAD", "/metrics"),
             ("PUT", "/-/quit"), ("GET", "/%zz")]


@pytest.mark.parametrize("method,path", ENDPOINTS)
def test_authentication_and_headers_are_for_everything(web, method, path):
    r = web.as_nobody(method, path)
    assert r.status == 401
    assert r.headers["Www-Authenticate"] == "Basic"
    assert r.body == (b"" if method == "HEAD" else b"Unauthorized\n")
    for reply in (r, web.request(method, path)):
        assert reply.headers.get_all("X-Frame-Options") == ["deny"]
        assert reply.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert web.request(method, path).status != 401


@pytest.mark.parametrize("authorization", [
    basic("alice", "wrong"), basic("alice", ""), basic("alice", "secret "), basic("Alice", "secret"),
    basic("bob", "secret"), basic("", ""), "Basic", "Basic YWxpY2U=", "Bearer YWxpY2U6c2VjcmV0", "Basic !"])
def test_wrong_credentials(web, authorization):
    before = web.refused("auth")
    for _ in range(2):
        assert web.as_nobody(authorization=authorization).status == 401
    assert web.refused("auth") == before + 2
    assert web.get("/-/healthy").status == 200


def test_hashes_of_every_prefix(config):
    users = "basic_auth_users:\n" + "".join(f"  u{p}: ${p}$04${SALT}{SECRET}\n" for p in ("2a", "2b", "2y"))
    with WebGateway(config, users, auth=("u2a", "secret")) as g:
        for user in ("u2a", "u2b", "u2y"):
            for _ in range(2):
                assert g.as_nobody(authorization=basic(user, "secret")).status == 200
                assert g.as_nobody(authorization=basic(user, "wrong")).status == 401


def test_requests_keeps_its_connection(web):
    with requests.Session() as s:
        for _ in range(3):
            assert s.get(web.url + "/metrics", timeout=DEADLINE).status_code == 401
            assert s.get(web.url + "/metrics", auth=ALICE, timeout=DEADLINE).status_code == 200
            assert s.get(web.url + "/metrics", auth=("alice", "no"), timeout=DEADLINE).status_code == 401


def test_prometheus_client(web):
    registry = CollectorRegistry()
    Gauge("last_success", "Time.", registry=registry).set(7)

    def handler(url, method, timeout, headers, data):
        return basic_auth_handler(url, method, timeout, headers, data, *ALICE)

    push_to_gateway(web.url, job="batch", registry=registry, handler=handler)
    assert Scrape(web.get("/metrics").text).pushed("last_success", "batch") == 7
    with pytest.raises(Exception, match="401"):
        push_to_gateway(web.url, job="batch", registry=registry)


def test_a_body_waits_with_its_password(config):
    body = "".join(f'series{{n="{i}"}} {i}\n' for i in range(20000))
    with WebGateway(config, USERS + SLOW_BOB, auth=ALICE) as g:
        r = g.request("PUT", "/metrics/job/big", body, {"Authorization": basic("bob", "secret")})
        assert r.status == 200
        assert Scrape(g.get("/metrics").text).pushed("series", "big", n="19999") == 19999
        r = g.request("PUT", "/metrics/job/big", body, {"Authorization": basic("bob", "wrong")})
        assert r.status == 401


# ---- guessing ----

class Guesses:
    """Wrong passwords of bob, each on a connection of its own, sent as fast as it goes."""

    def __init__(self, gateway, n, source=None):
        self.wires = [Wire(gateway, source=source) for _ in range(n)]
        for i, wire in enumerate(self.wires):
            wire.send(head("GET", "/metrics", Authorization=basic("bob", f"guess {i}")))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for wire in self.wires:
            wire.socket.close()

    def answered(self):
        return len(select.select([wire.socket for wire in self.wires], [], [], 0)[0])

    def replies(self):
        return [wire.reply() for wire in self.wires]


def test_who_is_known_does_not_wait_for_guesses(config):
    with WebGateway(config, USERS + SLOW_BOB, auth=ALICE) as g, Guesses(g, 8) as guesses:
        for _ in range(20):
            assert g.get("/-/healthy").status == 200
        assert guesses.answered() < 8
        assert [r.status for r in guesses.replies()] == [401] * 8


def test_too_many_guesses(config):
    with WebGateway(config, USERS + FASTER_BOB, auth=ALICE) as g:
        with Guesses(g, 400) as guesses:
            assert g.get("/-/healthy").status == 200
            replies = guesses.replies()
        busy = [r for r in replies if r.status == 503]
        assert busy and {r.status for r in replies} == {401, 503}
        assert {r.headers["retry-after"] for r in busy} == {"1"}
        assert g.refused("busy") == len(busy)
        # There is room again.
        assert g.as_nobody(authorization=basic("bob", "secret")).status == 200


def test_guesses_of_one_client_keep_no_other_out(config):
    """Nobody is known yet, as after a restart, and as many guesses wait as may."""
    with WebGateway(config, USERS + FASTER_BOB, auth=ALICE) as g:
        with Guesses(g, 400, source="127.0.0.2") as guesses:
            eventually(lambda: guesses.answered() > 100, "the queue is full")
            for i in range(5):
                assert g.as_nobody(authorization=basic("bob", f"wrong {i}")).status == 401
            assert g.as_nobody(authorization=basic("bob", "secret")).status == 200
            assert guesses.answered() < 300, "they wait in the meantime"
            assert {r.status for r in guesses.replies()} == {401, 503}


def test_a_client_that_does_not_wait(config):
    with WebGateway(config, USERS + SLOW_BOB, auth=ALICE) as g:
        for _ in range(3):
            with Wire(g) as wire:
                wire.send(head("GET", "/metrics", Authorization=basic("bob", "secret")))
        assert g.as_nobody(authorization=basic("bob", "secret")).status == 200


def test_stop_while_passwords_are_checked(config):
    with WebGateway(config, USERS + SLOW_BOB, "--web.shutdown-timeout=500ms", auth=ALICE) as g, Guesses(g, 100) as guesses:
        eventually(lambda: guesses.answered() > 0, "the first guess is checked")
        g.terminate()
        replies = guesses.replies()
        # Those that were being checked may have to be waited for, but not all.
        assert [r.status for r in replies].count(401) < 50
        told = [r for r in replies if r.status == 503]
        assert told and {r.status for r in replies} == {401, 503}
        assert {r.text for r in told} == {"the gateway is shutting down\n"}


# ---- the rate limit ----

def test_rate_limit(config):
    text = HEADERS + USERS + "rate_limit:\n  interval: 500ms\n  burst: 5\n"
    with WebGateway(config, text, auth=ALICE) as g:
        limited = eventually(lambda: next((r for r in [g.get("/-/healthy")] if r.status != 200), None), "too many requests")
        assert (limited.status, limited.text) == (429, "Too Many Requests\n")
        assert limited.headers["X-Frame-Options"] is None and limited.headers["Www-Authenticate"] is None
        # Before the credentials are looked at.
        assert eventually(lambda: g.as_nobody().status == 429, "too many requests of nobody")
        scraped = eventually(lambda: next((r for r in [g.get("/metrics")] if r.status == 200), None), "a token")
        assert Scrape(scraped.text).get("pushgateway_rejected_requests_total", reason="rate") >= 2
        assert "Rate Limiter is enabled.\" burst=5 interval=500ms" in g.log


def test_no_burst_at_all(config):
    with WebGateway(config, "rate_limit: {interval: 1s}\n", ready_status=429) as g:
        for _ in range(3):
            assert g.get("/metrics").status == 429


# ---- changes ----

def test_users_and_headers_change(web):
    web.write(HEADERS.replace("deny", "sameorigin") + USERS.replace("alice", "carol"))
    r = web.get("/-/healthy")
    assert r.status == 401 and r.headers["X-Frame-Options"] == "sameorigin"
    web.auth = ("carol", "secret")
    assert web.get("/-/healthy").status == 200
    web.wait_for_line("web configuration reloaded")
    # Another password of the same user.
    web.write(USERS.replace("alice", "carol").replace(SECRET, "lfKksDaqHfM.2s6xavL21eNp3UcpCTm"))
    r = web.get("/-/healthy")
    assert r.status == 401 and r.headers["X-Frame-Options"] is None
    web.auth = ("carol", "hunter2")
    assert web.get("/-/healthy").status == 200


@pytest.mark.parametrize("spoil,why", [
    (lambda path: path.write_text(USERS + "foo: 1\n"), "line 3: field foo not found in type web.Config"),
    (lambda path: path.write_text(USERS + "  bob: hunter2\n"), "line 3: crypto/bcrypt: hashedSecret too short"),
    (lambda path: path.unlink(), "no such file or directory")])
def test_a_bad_file_changes_nothing(web, spoil, why):
    spoil(web.path)
    for _ in range(3):
        assert web.as_nobody().status == 401
        r = web.get("/-/healthy")
        assert r.status == 200 and r.headers["X-Frame-Options"] == "deny"
    line = web.wait_for_line("web configuration not reloaded: the old one stays in force")
    assert "level=error" in line and why in line and str(web.path) in line
    assert web.log.count("not reloaded") == 1
    web.write(USERS)
    assert web.get("/-/healthy").headers["X-Frame-Options"] is None


def test_an_emptied_file_opens_after_a_moment(web):
    web.path.write_text("")
    eventually(lambda: web.as_nobody().status == 200, "open to all")
    web.write(USERS)
    assert web.as_nobody().status == 401
    assert web.get("/-/healthy").status == 200


def test_a_pipe_in_place_of_the_file_holds_nobody_up(web):
    fifo = web.path.with_suffix(".fifo")
    os.mkfifo(fifo)
    os.replace(fifo, web.path)
    for _ in range(3):
        assert web.get("/-/healthy").status == 200 and web.as_nobody().status == 401
    assert "not a regular file" in web.wait_for_line("web configuration not reloaded")
    web.write(USERS)
    assert web.get("/-/healthy").headers["X-Frame-Options"] is None


def test_a_password_that_takes_long(web):
    web.write(USERS + SLOW_BOB.replace("$12$", "$15$"))
    assert web.get("/-/healthy").status == 200
    assert "bcrypt cost 15 of user bob" in web.wait_for_line("a password takes long to check")


def test_what_needs_a_restart(web):
    web.write(USERS + "rate_limit: {interval: 1h, burst: 1}\n")
    for _ in range(3):
        assert web.get("/-/healthy").status == 200
    assert "the rate limit changes with a restart" in web.wait_for_line("reloaded, in part")
    web.write(USERS + "tls_server_config: {cert_file: c, key_file: k}\n")
    assert web.get("/-/healthy").status == 200
    web.wait_for_line("TLS begins with a restart")


def test_changes_under_load(web):
    """Each answer is by one of the files that there were."""
    stop, wrong = threading.Event(), []

    def ask():
        while not stop.is_set():
            r = web.get("/-/healthy")
            if r.status != 200 or r.headers["X-Frame-Options"] not in ("deny", "sameorigin"):
                wrong.append(r)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(60):
        wanted = "sameorigin" if i % 2 else "deny"
        web.write(HEADERS.replace("deny", wanted) + USERS)
        # For a quarter of a millisecond answers go by what the others have looked at.
        eventually(lambda: web.get("/-/healthy").headers["X-Frame-Options"] == wanted, wanted)
    stop.set()
    for t in threads:
        t.join()
    assert wrong == []


# ---- the start ----

BAD = [
    ("foo: 1\n", "yaml: unmarshal errors: line 1: field foo not found in type web.Config"),
    ("a: b: c\n", "yaml: line 1: mapping values are not allowed in this context"),
    ("tls_server_config:\n  cert_file: none.pem\n  key_file: none.pem\n", "failed to read cert_file ("),
    ("tls_server_config:\n  key_file: k\n", "line 2: missing one of cert or cert_file"),
    ("tls_server_config:\n  min_version: TLS14\n", "line 2: unknown TLS version: TLS14"),
    (HEADERS + "    X-Foo: x\n", r'line 5: HTTP header "X-Foo" can not be configured'),
    (USERS + "  bob: hunter2\n", "line 3: crypto/bcrypt: hashedSecret too short to be a bcrypted password"),
    (USERS + SLOW_BOB.replace("$12$", "$18$"), "line 3: crypto/bcrypt: cost 18 is above 17: one check would take more than ten seconds"),
]


@pytest.mark.parametrize("text,why", BAD)
def test_a_bad_file_at_start(config, text, why):
    g = WebGateway(config, text)
    assert g.wait() == 1
    last = g.log.splitlines()[-1].replace('\\"', '"')
    assert "level=error" in last and f"--web.config.file={config}: " in last and why in last
    assert "Listening" not in g.log


def test_no_file_at_start(tmp_path):
    g = Gateway(f"--web.config.file={tmp_path}/none.yml")
    assert g.wait() == 1
    assert f"open {tmp_path}/none.yml: no such file or directory" in g.log


def test_an_empty_file(config):
    with WebGateway(config, "") as g:
        assert g.get("/metrics").status == 200
        assert str(config) in g.get("/api/v1/status").text


# ---- the Go gateway ----

def answers(g):
    """What a client sees of each request, but for the order of headers."""
    seen = []
    for authorization in (None, basic(*ALICE), basic("alice", "wrong"), basic("nobody", "secret"), "Basic x"):
        for method, path in ENDPOINTS:
            # Go's HTTP library answers these two itself, whoever asks. Its page needs files that are
            # only there when it is installed.
            if path in ("*", "/%zz", "/", "/status"):
                continue
            # Answered as GET by us, once it is known who asks.
            if method == "HEAD" and authorization == basic(*ALICE):
                continue
            r = g.as_nobody(method, path, authorization)
            names = ("X-Frame-Options", "X-Content-Type-Options", "Www-Authenticate", "Content-Type", "Location")
            # Newer versions name the escaping in the type, older ones know none.
            seen.append((method, path, authorization, r.status, [(r.headers[n] or "").partition("; escaping=")[0] for n in names],
                         r.text if r.status == 401 else ""))
    return seen


def test_the_same_answers_as_the_go_gateway(config):
    with WebGateway(config, HEADERS + USERS, auth=ALICE) as ours:
        with WebGateway(config, HEADERS + USERS, auth=ALICE, binary=find_go()) as go:
            for mine, theirs in zip(answers(ours), answers(go)):
                assert mine == theirs
