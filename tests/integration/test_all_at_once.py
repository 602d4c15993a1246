"""All that the gateway does, at the same time: pushes and deletes in every form, scrapes in every format, pages, JSON,
wipes, and changes of the web configuration. tests/run tsan runs this with a gateway that looks for data races."""
import gzip
import http.client
import random
import threading

import messages as pb

from exposition import Scrape, promtool
from gateway import Gateway
from tls import TlsGateway, write_config

PROTO = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
FORMATS = ["*/*", "text/plain; version=0.0.4; escaping=allow-utf-8", "text/plain; escaping=values", OPENMETRICS,
           PROTO + "delimited", PROTO + "text", PROTO + "compact-text"]
CODINGS = ["identity", "gzip", "zstd"]
USER = ("alice", "secret")
HASH = "$2b$04$QOauhQNbBCuQDKes6eFzPeVj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"
ROUNDS = 60


def text(rng):
    return "".join(f"# TYPE m{i} gauge\nm{i} {rng.random()}\n" for i in range(rng.choice([1, 3, 400]))).encode()


BODIES = [
    lambda rng: (text(rng), {}),
    lambda rng: (gzip.compress(text(rng)), {"Content-Encoding": "gzip"}),
    lambda rng: (pb.family("p", pb.COUNTER, *(pb.counter(rng.random(), i=str(i)) for i in range(20)), help="p"),
                 {"Content-Type": PROTO + "delimited"}),
    lambda rng: (b"# TYPE c counter\nc_total 1 # {t=\"x\"} 1\nc_created 2\n# EOF\n", {"Content-Type": OPENMETRICS}),
    lambda rng: (b"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n", {}),
]
# Of one of our own names with another type, and no text at all.
REFUSED = [b"# TYPE pushgateway_groups counter\npushgateway_groups 1\n", b"\xff\n"]


def push(gw, rng, connection):
    path = f"/metrics/job/{rng.choice('abcd')}/instance/{rng.randrange(5)}"
    method = rng.choice(["PUT", "POST"])
    kind = rng.randrange(10)
    if kind == 0:
        return gw.request("DELETE", path, connection=connection).status == 202
    if kind == 1:
        return gw.request(method, path, rng.choice(REFUSED), connection=connection).status == 400
    body, headers = rng.choice(BODIES)(rng)
    return gw.request(method, path, body, headers, connection).status == 200


def look(gw, rng, connection):
    what = rng.randrange(10)
    if what < 7:
        headers = {"Accept": rng.choice(FORMATS), "Accept-Encoding": rng.choice(CODINGS)}
        reply = gw.request("GET", rng.choice(["/metrics", "/metrics?shard=1/2"]), None, headers, connection)
        if headers["Accept"] == "*/*" and not reply.headers["Content-Encoding"]:
            Scrape(reply.text)
    else:
        path = ["/", "/api/v1/metrics", "/api/v1/status"][what - 7]
        reply = gw.request("GET", path, None, None, connection)
    return reply.status == 200 and reply.body


def wipe(gw, rng, connection):
    """And what has to get through always."""
    if rng.random() < 0.2:
        return gw.request("PUT", "/api/v1/admin/wipe", connection=connection).status == 202
    return gw.request("GET", rng.choice(["/-/ready", "/-/healthy"]), connection=connection).status == 200


class Clients:
    def __init__(self, gw):
        self.gw, self.wrong, self.threads = gw, [], []

    def run(self, seed, step):
        rng = random.Random(seed)
        connection = self.gw.connect()
        for i in range(ROUNDS):
            try:
                if not step(self.gw, rng, connection):
                    self.wrong.append((step.__name__, seed, i))
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append((step.__name__, seed, i, repr(error)))
            if i % 8 == 7:
                connection.close()
                connection = self.gw.connect()
        connection.close()

    def start(self, *steps):
        for seed, step in enumerate(steps):
            self.threads.append(threading.Thread(target=self.run, args=(seed, step)))
            self.threads[-1].start()

    def are_running(self):
        return any(t.is_alive() for t in self.threads)

    def join(self):
        for t in self.threads:
            t.join()
        assert self.wrong == []


FLAGS = ["--web.enable-admin-api", "--web.enable-openmetrics", "--web.threads=2", "--log.level=debug"]


def test_over_plain_http(database):
    with Gateway(*FLAGS, database=database) as gw:
        clients = Clients(gw)
        clients.start(push, push, push, look, look, look, wipe)
        clients.join()
        promtool(gw.get("/metrics").text)


def test_over_tls_while_the_web_configuration_changes(certificates, database, tmp_path):
    config = tmp_path / "web.yml"
    users = {"basic_auth_users": {USER[0]: HASH}}
    write_config(config, certificates.server, users)
    with TlsGateway(certificates, config, *FLAGS, database=database, auth=USER) as gw:
        clients = Clients(gw)
        clients.start(push, push, look, look, wipe)
        n = 0
        while clients.are_running():
            n += 1
            certificate = certificates.next if n % 2 else certificates.server
            write_config(config, certificate, {**users, "http_server_config": {"headers": {"X-Frame-Options": f"n{n}"}}})
            gw.get("/-/healthy")
        clients.join()


def test_a_stop_in_the_middle(database):
    """Whoever is not answered has lost the connection; what was answered is there after a restart."""
    with Gateway(*FLAGS, database=database) as gw:
        clients = Clients(gw)
        clients.start(push, push, look, look)
        while gw.get("/metrics").text.count("push_time_seconds{") < 5:
            pass
        gw.terminate()
        for t in clients.threads:
            t.join()
    with Gateway(database=database) as gw:
        promtool(gw.get("/metrics").text)
