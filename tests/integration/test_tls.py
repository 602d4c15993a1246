"""TLS: versions, ciphers, certificates of both sides, and all of HTTP that is different on top of it."""
import json
import signal
import socket
import ssl
import subprocess
import time

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from go_gateway import find_go
from pushers import Pusher
from test_prometheus import Prometheus
from tls import Certificate, Records, TlsGateway, TlsWire, client_context, write_config
from wire import Wire, head, push

V = ssl.TLSVersion
LARGE = 15 * 10 ** 6
FAILURES = "pushgateway_tls_handshake_failures_total"


@pytest.fixture(scope="module")
def config(certificates, tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("tls") / "web.yml", certificates.server)


@pytest.fixture(scope="module")
def shared(certificates, config):
    with TlsGateway(certificates, config, "--log.level=debug") as g:
        yield g


def admitted(gateway, context):
    """In TLS 1.3 a client learns that it is not when it reads."""
    try:
        with TlsWire(gateway, context) as w:
            return w.send(head("GET", "/-/healthy")).reply().status == 200
    except (ssl.SSLError, ConnectionError, AssertionError):
        return False


def failures(gateway):
    return scrape(gateway).get(FAILURES)


# ---- what is spoken ----

@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("limits, spoken", [
    ({}, [V.TLSv1_2, V.TLSv1_3]),
    ({"min_version": "TLS10"}, [V.TLSv1, V.TLSv1_1, V.TLSv1_2, V.TLSv1_3]),
    ({"min_version": "TLS11", "max_version": "TLS12"}, [V.TLSv1_1, V.TLSv1_2]),
    ({"min_version": "TLS13"}, [V.TLSv1_3]),
])
def test_versions(certificates, tmp_path, limits, spoken):
    file = write_config(tmp_path / "web.yml", certificates.server, **limits)
    with TlsGateway(certificates, file) as g:
        for version in (V.TLSv1, V.TLSv1_1, V.TLSv1_2, V.TLSv1_3):
            assert admitted(g, client_context(certificates, version=version)) == (version in spoken), version


def test_cipher_suites(certificates, tmp_path):
    suites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    file = write_config(tmp_path / "web.yml", certificates.server, cipher_suites=suites, max_version="TLS12")
    with TlsGateway(certificates, file) as g:
        with TlsWire(g) as w:
            assert w.socket.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
        assert not admitted(g, client_context(certificates, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))


def test_curves(certificates, tmp_path):
    file = write_config(tmp_path / "web.yml", certificates.server, curve_preferences=["CurveP384"])
    with TlsGateway(certificates, file) as g:
        for curve, expected in (("secp384r1", True), ("prime256v1", False)):
            context = client_context(certificates)
            context.set_ecdh_curve(curve)
            assert admitted(g, context) == expected


@pytest.mark.parametrize("offered, selected", [
    (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None), ([], None)])
def test_alpn_is_for_http_1_1(shared, certificates, offered, selected):
    context = client_context(certificates)
    if offered:
        context.set_alpn_protocols(offered)
    with TlsWire(shared, context) as w:
        assert w.socket.selected_alpn_protocol() == selected
        assert w.send(head("GET", "/-/healthy")).reply().status == 200


def test_an_rsa_certificate_and_inline_pem(certificates, tmp_path):
    file = write_config(tmp_path / "web.yml", cert=certificates.rsa.pem, key=certificates.rsa.key)
    with TlsGateway(certificates, file) as g, TlsWire(g) as w:
        assert w.socket.getpeercert(binary_form=True) == certificates.rsa.der


def test_a_chain(certificates, tmp_path):
    middle = Certificate(tmp_path, "middle", certificates.ca, ca=True)
    leaf = Certificate(tmp_path, "leaf", middle, "DNS:localhost,IP:127.0.0.1")
    file = write_config(tmp_path / "web.yml", cert=leaf.pem + middle.pem, key_file=leaf.key_file)
    with TlsGateway(certificates, file) as g:
        assert g.get("/-/healthy").status == 200


def test_curl(shared, certificates):
    def curl(*args):
        return subprocess.run(["curl", "-s", "--cacert", certificates.ca.file, *args], capture_output=True, text=True, check=True).stdout
    url = f"https://localhost:{shared.port}"
    assert curl("--connect-to", f"localhost:{shared.port}:127.0.0.1:{shared.port}", "-w", " %{http_code} %{http_version}", "-d", "c 1\n",
                f"{url}/metrics/job/curl") == " 200 1.1"
    assert scrape(shared).pushed("c", "curl") == 1


# ---- client certificates ----

@pytest.mark.parametrize("policy, nobody, signed, other", [
    ("NoClientCert", True, True, True),
    ("RequestClientCert", True, True, True),
    ("RequireAnyClientCert", False, True, True),
    ("RequireClientCert", False, True, True),
    ("VerifyClientCertIfGiven", True, True, False),
    ("RequireAndVerifyClientCert", False, True, False),
])
def test_client_certificates(certificates, tmp_path, policy, nobody, signed, other):
    file = write_config(tmp_path / "web.yml", certificates.server, client_auth_type=policy,
                        client_ca_file=None if policy == "NoClientCert" else certificates.ca.file)
    with TlsGateway(certificates, file, client=certificates.client) as g:
        for version in (V.TLSv1_2, V.TLSv1_3):
            for shown, expected in ((None, nobody), (certificates.client, signed), (certificates.stranger, other)):
                context = client_context(certificates, shown, version)
                if expected:
                    assert admitted(g, context), (version, shown and shown.file)
                else:
                    before = failures(g)
                    assert not admitted(g, context), (version, shown and shown.file)
                    assert failures(g) == before + 1


NAMES = ["client.example"]


@pytest.mark.parametrize("policy, allowed", [
    ("NoClientCert", None), ("RequestClientCert", None), ("RequireAnyClientCert", None), ("VerifyClientCertIfGiven", None),
    ("RequireAndVerifyClientCert", None), ("NoClientCert", NAMES), ("RequireAnyClientCert", NAMES), ("RequireAndVerifyClientCert", NAMES)])
def test_the_go_gateway_lets_the_same_clients_in(certificates, tmp_path, policy, allowed):
    """Where its handler does not crash: with names and a policy that requires none, it does without a certificate."""
    file = write_config(tmp_path / "web.yml", certificates.server, client_auth_type=policy, client_allowed_sans=allowed,
                        client_ca_file=None if policy == "NoClientCert" else certificates.ca.file)
    with TlsGateway(certificates, file, client=certificates.client) as ours, \
            TlsGateway(certificates, file, client=certificates.client, binary=find_go()) as go:
        for shown in (None, certificates.client, certificates.stranger, certificates.next):
            context = client_context(certificates, shown)
            assert admitted(ours, context) == admitted(go, context), shown and shown.file


@pytest.mark.parametrize("allowed, client, stranger", [
    (["client.example"], True, True),
    (["client@example"], True, False),
    (["nobody", "spiffe://example/client"], True, False),
    (["192.0.2.7"], True, False),
    (["client"], False, False),
])
def test_allowed_names(certificates, tmp_path, allowed, client, stranger):
    """The common name is none of them; RequireAnyClientCert looks at nothing else."""
    ready = Certificate(tmp_path, "ready", san="DNS:ready")
    file = write_config(tmp_path / "web.yml", certificates.server, client_auth_type="RequireAnyClientCert",
                        client_allowed_sans=[*allowed, "ready"])
    with TlsGateway(certificates, file, client=ready) as g:
        assert admitted(g, client_context(certificates, certificates.client)) == client
        assert admitted(g, client_context(certificates, certificates.stranger)) == stranger
        assert not admitted(g, client_context(certificates))


def test_prometheus_scrapes(certificates, tmp_path):
    users = {"basic_auth_users": {"prometheus": "$2b$04$QOauhQNbBCuQDKes6eFzPeVj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"}}
    file = write_config(tmp_path / "web.yml", certificates.server, users, client_auth_type="RequireAndVerifyClientCert",
                        client_ca_file=certificates.ca.file)
    settings = f"""
    scheme: https
    tls_config: {{ca_file: {certificates.ca.file}, cert_file: {certificates.client.file}, key_file: {certificates.client.key_file}}}
    basic_auth: {{username: prometheus, password: secret}}"""
    with TlsGateway(certificates, file, client=certificates.client, auth=("prometheus", "secret")) as g:
        assert g.put("t", "over_tls 42\n").status == 200
        prometheus = Prometheus(g, tmp_path, settings)
        try:
            assert prometheus.value("over_tls") == 42
            (target,) = prometheus.api("targets")["activeTargets"]
            assert (target["health"], target["scrapeUrl"]) == ("up", f"https://{g.host}:{g.port}/metrics")
        finally:
            prometheus.end()


# ---- reload ----

def test_a_certificate_is_replaced(certificates, tmp_path):
    file = write_config(tmp_path / "web.yml", certificates.server)
    with TlsGateway(certificates, file) as g, TlsWire(g) as old:
        assert old.socket.getpeercert(binary_form=True) == certificates.server.der
        assert old.send(head("GET", "/-/healthy")).reply().status == 200
        write_config(file, certificates.next)
        with TlsWire(g) as new:
            assert new.socket.getpeercert(binary_form=True) == certificates.next.der
            assert new.send(head("GET", "/-/healthy")).reply().status == 200
        assert old.send(push("old", b"a 1\n")).reply().status == 200, "who is in stays in"
        assert scrape(g).pushed("a", "old") == 1


@pytest.mark.parametrize("version", [V.TLSv1_2, V.TLSv1_3])
def test_a_session_of_before_is_no_way_in(certificates, tmp_path, version):
    def visit(session=None):
        with TlsWire(g, context, session) as w:
            assert w.send(head("GET", "/-/healthy")).reply().status == 200
            result = w.socket.session, w.socket.session_reused
            w.socket.unwrap()  # or the session would count as broken
            return result

    def resumed(session, _):
        session, reused = visit(session)
        return session if reused else None
    file = write_config(tmp_path / "web.yml", certificates.server)
    context = client_context(certificates, version=version)
    with TlsGateway(certificates, file, client=certificates.client) as g:
        # A file that has just been written is read anew, and gives another context each time.
        session = eventually(lambda: resumed(*visit()), "the session is resumed")
        write_config(file, certificates.server, client_auth_type="RequireAndVerifyClientCert", client_ca_file=certificates.ca.file)
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            visit(session)
        context.load_cert_chain(certificates.client.file, certificates.client.key_file)
        assert visit(session)[1] is False


# ---- what is no handshake ----

@pytest.mark.parametrize("request_", [
    head("GET", "/metrics"), head("HEAD", "/"), push("x", b"a 1\n"), push("x", b"a 1\n" * 5000, "POST"), head("OPTIONS", "/metrics"),
    head("DELETE", "/metrics/job/x")])
def test_plain_http_is_told_so(shared, request_):
    before = failures(shared)
    with Wire(shared) as w:
        w.send(request_)
        reply = w.reply()
        assert (reply.status, reply.headers) == (400, {})
        assert reply.text == "Client sent an HTTP request to an HTTPS server.\n"
    assert failures(shared) == before + 1
    assert scrape(shared).pushed("push_time_seconds", "x") is None


@pytest.mark.parametrize("sent", [b"", b"GE", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", b"\xff" * 4096,
                                  b"\x80\x2e\x01\x03\x01" + bytes(43), b"\x15\x03\x01\x00\x02\x02\x28"])
def test_clients_that_leave_in_the_handshake(shared, sent):
    before = failures(shared)
    for linger in (False, True):
        with Wire(shared) as w:
            if linger:
                w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            w.send(sent)
    eventually(lambda: failures(shared) == before + 2, "both are counted")
    assert "TLS handshake failed" in shared.log


def test_a_client_that_leaves_after_the_server_has_answered(shared, certificates):
    before = failures(shared)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(certificates).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with Wire(shared) as w:
        w.send(outgoing.read())
        assert w.take(5)[0] == 22
    eventually(lambda: failures(shared) == before + 1, "it is counted")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00", b"GET"])
def test_a_slow_handshake(certificates, config, sent):
    with TlsGateway(certificates, config, "--web.read-timeout=300ms") as g, Wire(g) as w:
        begin = time.monotonic()
        assert w.send(sent).at_end()
        assert 0.3 <= time.monotonic() - begin < 5
        s = scrape(g)
        assert (s.get(FAILURES), s.get("pushgateway_request_timeouts_total"), s.get("pushgateway_connections")) == (1, 0, 1)


def test_the_read_timeout_is_not_for_what_follows_the_handshake(certificates, config):
    with TlsGateway(certificates, config, "--web.read-timeout=300ms") as g, TlsWire(g) as idle, Wire(g) as slow:
        assert slow.at_end(), "both were there when the time was over"
        assert idle.send(head("GET", "/-/healthy")).reply().status == 200


def test_idle_connections_end(certificates, config):
    with TlsGateway(certificates, config, "--web.idle-timeout=300ms") as g, TlsWire(g) as fresh, TlsWire(g) as used:
        assert used.send(head("GET", "/-/healthy")).reply().status == 200
        assert fresh.at_end() and used.at_end()


# ---- HTTP on top ----

def test_a_large_body(shared):
    body = "".join(f'large{{i="{i}",pad="{"x" * 1000}"}} {i}\n' for i in range(10000)).encode()
    assert len(body) > 10 ** 7
    assert shared.post("large", body).status == 200
    s = scrape(shared)
    assert [s.pushed("large", "large", i=str(i), pad="x" * 1000) for i in (0, 9999)] == [0, 9999]
    shared.delete("large")


def test_two_requests_at_once_and_one_byte_by_byte(shared):
    with TlsWire(shared) as w:
        w.send(push("pipe", b"a 1\n") + head("GET", "/-/healthy"))
        assert [w.reply().status, w.reply().status] == [200, 200]
        for byte in push("pipe", b"a 2\n"):
            w.send(bytes([byte]))
        assert w.reply().status == 200
    assert scrape(shared).pushed("a", "pipe") == 2


@pytest.mark.parametrize("request_, status, text", [
    (b"nonsense\r\n\r\n", 400, "400 Bad Request"),
    (head("GET", "/metrics").replace(b"Host: test\r\n", b""), 400, "400 Bad Request: missing required Host header"),
    (head("GET", "/", X="y" * 10000), 431, "request header larger than"),
    (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked") + b"x\r\n", 413, "request body larger than"),
    (head("PUT", "/metrics/job/x", Transfer_Encoding="chunked") + b"1" * 300000, 413, "request larger than"),
    (head("PUT", "/metrics/job/x", Content_Length=4, Expect="the-unexpected"), 417, "only Expect: 100-continue"),
], ids=["no HTTP", "no Host", "large header", "no chunk", "endless chunk length", "expectation"])
def test_refusals(certificates, config, request_, status, text):
    with TlsGateway(certificates, config, "--web.max-header-size=4KiB", "--limits.body-size=4KiB") as g:
        with TlsWire(g, ragged=True) as w:
            reply = w.send(request_).reply()
            assert (reply.status, reply.text[:len(text)]) == (status, text)


def test_a_late_request_is_told_so(certificates, config):
    with TlsGateway(certificates, config, "--web.read-timeout=300ms") as g, TlsWire(g) as w:
        reply = w.send(push("late", b"a 1\n")[:-1]).reply()
        assert (reply.status, reply.text) == (408, "request not complete within --web.read-timeout\n")
        assert w.at_end()


def test_a_request_cut_off(shared):
    before = scrape(shared).get("pushgateway_malformed_requests_total")
    with TlsWire(shared, ragged=True) as w:
        reply = w.send(push("cut", b"a 1\n")[:-1]).half_close().reply()
        assert (reply.status, reply.text) == (400, "unexpected EOF\n")
    assert scrape(shared).get("pushgateway_malformed_requests_total") == before + 1


def test_a_request_cut_off_by_a_close_notify(shared):
    """The connection below stays open: nothing but the record says that nothing follows."""
    before = scrape(shared)
    with Records(shared) as r:
        assert r.write(push("cut", b"a 1\n")[:-1]).close_notify().send().at_end()
    s = scrape(shared)
    for name, more in (("pushgateway_malformed_requests_total", 1), ("pushgateway_request_timeouts_total", 0)):
        assert s.get(name) == before.get(name) + more


def push_of(size, path, body):
    """A request of so many bytes: a comment fills it up."""
    return next(r for n in range(400) if len(r := push(path, b"#" * (size - 400 + n) + b"\n" + body)) == size)


@pytest.mark.parametrize("room", [4048, 8144, 16336])
def test_an_end_right_behind_a_buffer_that_is_just_full(shared, room):
    """The gateway reads into what is left of a buffer and into a new one, and meets the end in the second."""
    for left in (1, 100, 1000, 3000):
        request = push_of(room, "full", f"a {left}\n".encode())
        with Records(shared) as r:
            r.write(request[:-left]).send()
            r.write(request[-left:]).close_notify().send()
            assert r.at_end()
        eventually(lambda: scrape(shared).pushed("a", "full") == left, "the push counts")


def test_a_client_that_has_said_everything_still_gets_its_reply(shared):
    with TlsWire(shared) as w:
        assert w.send(push("said", b"a 1\n")).half_close().reply().status == 200


@pytest.mark.parametrize("size", [10, 4000, 16000, 100000, 1000000])
def test_a_client_that_does_not_wait(shared, size):
    """Its end may arrive together with its request, which counts all the same."""
    for i in range(20):
        with TlsWire(shared) as w:
            w.send(push(f"hurry{size}", b"# " + b"x" * size + b"\na %d\n" % i, Connection="close"))
            try:
                w.socket.unwrap()
            except (OSError, ValueError):
                pass  # the reply came instead of a close_notify
    eventually(lambda: scrape(shared).pushed("a", f"hurry{size}") == 19, "the last one is there")


def test_expect_100_continue(shared):
    body = b"a 1\n"
    asks = head("PUT", "/metrics/job/expect", Content_Length=len(body), Expect="100-continue")
    with TlsWire(shared) as w:
        assert w.send(asks).reply().status == 100
        assert w.send(body).reply().status == 200
        # The body follows in a record of its own, before the interim reply can have arrived.
        for _ in range(100):
            w.send(asks)
            assert [w.send(body).reply().status, w.reply().status] == [100, 200]


def test_expect_100_continue_and_a_reply_at_once(shared):
    """A refusal does not wait for the committer: it meets the interim reply in the buffer."""
    body = b"a x\n"
    asks = head("PUT", "/metrics/job/expect", Content_Length=len(body), Expect="100-continue")
    with TlsWire(shared) as w:
        for _ in range(100):
            w.send(asks)
            assert [w.send(body).reply().status, w.reply().status] == [100, 400]


def test_the_connection_limit(certificates, config):
    with TlsGateway(certificates, config, "--web.max-connections=2") as g:
        with TlsWire(g) as a, TlsWire(g) as b:
            for w in (a, b):
                assert w.send(head("GET", "/-/healthy")).reply().status == 200
            with TlsWire(g) as extra:
                reply = extra.send(head("GET", "/-/healthy")).reply()
                assert (reply.status, reply.text) == (503, "too many connections (--web.max-connections)\n")
                assert extra.at_end()
        eventually(lambda: g.get("/-/healthy").status == 200, "there is room again")


# ---- large scrapes ----

@pytest.fixture(scope="module")
def large(certificates, config, tmp_path_factory):
    """Some 15 MB to scrape, in a database."""
    database = tmp_path_factory.mktemp("large") / "tallygate.db"
    with TlsGateway(certificates, config, database=database) as g:
        for job in range(10):
            body = "".join(f'large_{job}{{i="{i}",pad="{"x" * 1000}"}} {i}\n' for i in range(1500))
            assert g.put(f"large{job}", body).status == 200
    return database


def foreign(text):
    return [x for x in text.split("\n") if not x.startswith(("pushgateway_", "process_", "# "))]


@pytest.mark.parametrize("accept", [{}, {"Accept-Encoding": "gzip"}, {"Accept": "application/vnd.google.protobuf"}])
def test_a_large_scrape_is_the_plain_one(certificates, config, large, accept):
    def body(g):
        reply = g.request("GET", "/metrics", headers=accept)
        assert reply.status == 200
        return reply.body
    with TlsGateway(certificates, config, database=large) as g:
        first = body(g)
    with Gateway(database=large) as g:
        second = body(g)
    if not accept:
        assert len(first) > LARGE
        assert foreign(first.decode()) == foreign(second.decode())
    else:
        # Our own metrics, whose values move, are a few bytes of it.
        assert abs(len(first) - len(second)) < 500


def test_a_reply_of_one_piece(shared):
    """JSON of all groups is made in one buffer, which TLS gets in pieces."""
    values = [f"{i:06d}" + "y" * 500 for i in range(4000)]
    shared.put("piece", "".join(f'piece{{v="{v}"}} 1\n' for v in values))
    reply = shared.get("/api/v1/metrics")
    (group,) = [x for x in json.loads(reply.text)["data"] if x["labels"]["job"] == "piece"]
    assert len(reply.body) > 2 * 10 ** 6
    assert sorted(m["labels"]["v"] for m in group["piece"]["metrics"]) == values
    shared.delete("piece")


def resident(gateway):
    with open(f"/proc/{gateway.process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def test_slow_readers_hold_no_copies(certificates, config, large):
    with TlsGateway(certificates, config, database=large) as g:
        assert len(g.get("/metrics").body) > LARGE
        before = resident(g)
        wires = [TlsWire(g, ragged=True).send(head("GET", "/metrics")) for _ in range(16)]
        for w in wires:
            w.take(10000)
        assert g.get("/-/healthy").status == 200
        assert resident(g) - before < 2 * LARGE, "less than two of sixteen"
        for w in wires:
            w.socket.close()


# ---- the end ----

def test_sigterm_with_requests_in_flight(certificates, config, database, faults):
    with TlsGateway(certificates, config, database=database, env=faults.env) as g:
        idle, half, none = TlsWire(g), TlsWire(g), Wire(g)
        assert idle.send(head("GET", "/-/healthy")).reply().status == 200
        half.send(push("half", b"a 1\n")[:-2])
        assert scrape(g).get("pushgateway_connections") == 4
        faults.hold()
        wires = [TlsWire(g).send(push(f"p{i}", b"a 1\n")) for i in range(10)]
        faults.wait_until_held()
        g.signal(signal.SIGTERM)
        g.wait_for_line("exiting gracefully")
        half.send(b"1\n")
        faults.release()
        for w in [*wires, half]:
            assert w.reply().status == 200
            assert w.at_end()
        assert idle.at_end() and none.at_end()
        assert g.wait() == 0
        for w in (idle, half, none, *wires):
            w.socket.close()
    with Gateway(database=database) as g:
        s = scrape(g)
        assert [s.pushed("a", f"p{i}") for i in range(10)] == [1] * 10 and s.pushed("a", "half") == 1


def test_sigterm_under_load(certificates, config, database):
    with TlsGateway(certificates, config, database=database) as g:
        pushers = [Pusher(g, f"p{i}") for i in range(8)]
        for p in pushers:
            p.wait_for(50)
        g.signal(signal.SIGTERM)
        assert g.wait() == 0
        for p in pushers:
            p.join()
            assert p.acknowledged >= 50 and p.last_status in (200, 503)
    with Gateway(database=database) as g:
        s = scrape(g)
        for p in pushers:
            p.check(s)


def test_sigterm_at_the_deadline(certificates, config, large):
    with TlsGateway(certificates, config, "--web.shutdown-timeout=300ms", database=large) as g:
        with TlsWire(g, ragged=True) as half, TlsWire(g, ragged=True) as slow:
            half.send(b"PUT /metr")
            slow.send(head("GET", "/metrics")).take(1000)
            g.signal(signal.SIGTERM)
            assert g.wait() == 0
