"""TLS: what is spoken, certificates of both sides, and their reload."""
import ssl
import subprocess

import pytest

from exposition import scrape
from gateway import eventually
from go_gateway import find_go, go_knows
from test_prometheus import Prometheus
from tls import Certificate, TlsGateway, TlsWire, client_context, failed_handshakes, write_config
from wire import head, push

V = ssl.TLSVersion


def admitted(gateway, context):
    """In TLS 1.3 a client learns that it is not when it reads."""
    try:
        with TlsWire(gateway, context) as w:
            return w.send(head("GET", "/-/healthy")).reply().status == 200
    except (ssl.SSLError, ConnectionError, AssertionError):
        return False


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
def test_alpn_is_for_http_1_1(shared_tls, certificates, offered, selected):
    context = client_context(certificates)
    if offered:
        context.set_alpn_protocols(offered)
    with TlsWire(shared_tls, context) as w:
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


def test_curl(shared_tls, certificates):
    def curl(*args):
        return subprocess.run(["curl", "-s", "--cacert", certificates.ca.file, *args], capture_output=True, text=True, check=True).stdout
    url = f"https://localhost:{shared_tls.port}"
    assert curl("--connect-to", f"localhost:{shared_tls.port}:127.0.0.1:{shared_tls.port}", "-w", " %{http_code} %{http_version}", "-d", "c 1\n",
                f"{url}/metrics/job/curl") == " 200 1.1"
    assert scrape(shared_tls).pushed("c", "curl") == 1


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
                    before = failed_handshakes(g)
                    assert not admitted(g, context), (version, shown and shown.file)
                    assert failed_handshakes(g) == before + 1


NAMES = ["client.example"]


def known_to_go():
    """Its older versions do not know client_allowed_sans."""
    named = ["NoClientCert", "RequireAnyClientCert", "RequireAndVerifyClientCert"]
    rest = ["RequestClientCert", "VerifyClientCertIfGiven"]
    return [(policy, None) for policy in named + rest] + [(policy, NAMES) for policy in named if go_knows("client_allowed_sans")]


@pytest.mark.parametrize("policy, allowed", known_to_go())
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


@pytest.mark.released
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
