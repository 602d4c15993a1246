"""Gateways that speak TLS, certificates made for the test, and clients that check them."""
import base64
import http.client
import json
import ssl
import subprocess

import pytest

from exposition import scrape
from gateway import DEADLINE, Gateway
from wire import Wire


class Certificate:
    """Made with the openssl command; the files NAME.pem and NAME.key."""

    def __init__(self, directory, name, issuer=None, san="", ca=False, key="ec"):
        self.file, self.key_file = str(directory / f"{name}.pem"), str(directory / f"{name}.key")
        kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
        signed = ["-CA", issuer.file, "-CAkey", issuer.key_file] if issuer else []
        names = ["-addext", f"subjectAltName={san}"] if san else []
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-keyout", self.key_file, "-out", self.file, *signed, *names,
                        "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    @property
    def pem(self):
        return open(self.file).read()

    @property
    def key(self):
        return open(self.key_file).read()

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.pem)


class Certificates:
    def __init__(self, directory):
        local = "DNS:localhost,IP:127.0.0.1"
        self.directory = directory
        self.ca = Certificate(directory, "ca", ca=True)
        self.server = Certificate(directory, "server", self.ca, local)
        self.next = Certificate(directory, "next", self.ca, local)
        self.rsa = Certificate(directory, "rsa", self.ca, local, key="rsa")
        self.client = Certificate(directory, "client", self.ca, "DNS:client.example,email:client@example,"
                                                                "URI:spiffe://example/client,IP:192.0.2.7")
        self.stranger = Certificate(directory, "stranger", san="DNS:client.example")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def write_config(file, certificate=None, more=None, **tls):
    """Writes a web configuration as JSON, which is YAML. Keys that are None are left out."""
    if certificate:
        tls = {"cert_file": certificate.file, "key_file": certificate.key_file, **tls}
    tls = {key: value for key, value in tls.items() if value is not None}
    # The file is renamed into place, so that the gateway never reads half of it.
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"tls_server_config": tls, **(more or {})}))
    new.rename(file)
    return file


def client_context(certificates, certificate=None, version=None, ciphers=None):
    context = ssl.create_default_context(cafile=certificates.ca.file)
    # An attacker could have made an end without close_notify.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version:
        # The order matters: the lowest version may never be above the highest.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        context.minimum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    if certificate:
        context.load_cert_chain(certificate.file, certificate.key_file)
    return context


class Records:
    """TLS by hand: records that were written go out together, with send()."""

    def __init__(self, gateway):
        self.wire = Wire(gateway)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = gateway.context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                self.send()
                self.incoming.write(self.wire.socket.recv(65536))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.wire.socket.close()

    def write(self, data):
        """One record, up to its 16 KiB."""
        self.tls.write(data)
        return self

    def close_notify(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self

    def send(self):
        self.wire.send(self.outgoing.read())
        return self

    def at_end(self):
        """Whether the server closes; bytes that it sends before that are dropped."""
        return self.wire.at_end() or self.wire.buffer != b""


class TlsGateway(Gateway):
    """`client` is the certificate that this client shows, `auth` its user and password."""

    def __init__(self, certificates, config, *flags, client=None, auth=None, **options):
        super().__init__(f"--web.config.file={config}", *flags, **options)
        self.context = client_context(certificates, client)
        self.auth = auth

    def start(self):
        super().start()
        self.url = self.url.replace("http:", "https:")
        return self

    def request(self, method, path, body=None, headers=None, connection=None):
        if self.auth:
            headers = {"Authorization": "Basic " + base64.b64encode(":".join(self.auth).encode()).decode(), **(headers or {})}
        return super().request(method, path, body, headers, connection)

    def connect(self, timeout=DEADLINE):
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.context)


@pytest.fixture(scope="module")
def tls_config(certificates, tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("tls") / "web.yml", certificates.server)


@pytest.fixture(scope="module")
def shared_tls(certificates, tls_config):
    """One gateway for all tests of a file that each keep to a job of their own."""
    with TlsGateway(certificates, tls_config, "--log.level=debug") as g:
        yield g


def failed_handshakes(gateway):
    return scrape(gateway).get("pushgateway_tls_handshake_failures_total")


class TlsWire(Wire):
    """A close without close_notify is an error unless `ragged` allows it."""

    def __init__(self, gateway, context=None, session=None, ragged=False):
        super().__init__(gateway)
        self.plain = self.socket
        try:
            self.socket = (context or gateway.context).wrap_socket(
                self.socket, server_hostname="localhost", session=session, suppress_ragged_eofs=ragged)
        except BaseException:
            self.plain.close()
            raise

    def half_close(self):
        """Closes the TCP connection for sending, without a close_notify."""
        super(ssl.SSLSocket, self.socket).shutdown(1)
        return self
