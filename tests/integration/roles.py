"""Users of `access:`, and the endpoints of the routing table, read from its source so that none is missed."""
import base64
import re
from pathlib import Path

from gateway import Gateway
from tls import Certificate, TlsGateway, write_config

SRC = Path(__file__).resolve().parents[2] / "src"
HASH = "$2b$04$QOauhQNbBCuQDKes6eFzPeVj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"  # of "secret"
VERBS = ("push", "delete", "scrape", "read", "admin", "probe")
METHODS = {"get": ("GET", "HEAD"), "put": ("PUT",), "post": ("POST",), "delete": ("DELETE",)}
# Endpoints whose path is not the one in the table, or that need more than a path.
PATHS = {"/static/": "/static/x", "endpoint_scrape": "/metrics", "endpoint_group": "/metrics/job/table",
         "endpoint_dry_run": "/dry-run/metrics/job/table"}
QUERIES = {("DELETE", "/api/v1/groups"): '?match[]={job="table"}&dry_run=1'.replace('"', "%22")}

_CALL = re.compile(r"\.(get|put|post|delete) = CALL\((\w+), \w+\)")


def endpoints():
    """(method, path, verb) of every endpoint."""
    source = re.sub(r"/\*.*?\*/", "", (SRC / "api/endpoints.c").read_text(), flags=re.S)
    table = source[source.index("static const struct endpoint endpoints[]"):source.index("const struct endpoint *endpoint_find")]
    found = []
    rows = re.split(r"(?=\{ \.path = PATH\()|(?=const struct endpoint endpoint_)", table)
    for row in rows[1:]:
        path = re.search(r'PATH\("([^"]+)"\)|struct endpoint (endpoint_\w+)', row)
        name = path[1] or path[2]
        calls = _CALL.findall(row)
        assert calls, f"no method of {name} can be read from the source"
        for call, verb in calls:
            for method in METHODS[call]:
                found.append((method, PATHS.get(name, name), verb.lower()))
    assert source.count("CALL(") - 1 == sum(method != "HEAD" for method, _, _ in found), "a call is written in another way"
    for name in re.findall(r"extern const struct endpoint (\w+);", (SRC / "api/endpoints.h").read_text()):
        assert name in PATHS, f"write a path of {name} into PATHS"
    return found


def with_query(method, path):
    return path + QUERIES.get((method, path), "")


def write_access(file, entries):
    """Renames the file into place, so that the gateway never reads half of it. entries: YAML, a line each."""
    new = file.with_suffix(".new")
    new.write_text("access:\n" + "".join(f"- {e}\n" for e in entries) if entries else "access: []\n")
    new.rename(file)
    return file


def write_users(file, *names):
    file.write_text("basic_auth_users:\n" + "".join(f"  {name}: {HASH}\n" for name in names))
    return file


class Roles(Gateway):
    """Requests by a user, or by nobody; `waiter` asks whether it is ready."""

    def __init__(self, directory, entries, users, *flags, **more):
        self.rules = write_access(directory / "rules.yml", [*entries, "{who: [waiter], may: [probe]}"])
        super().__init__(f"--config.file={self.rules}", f"--web.config.file={write_users(directory / 'web.yml', 'waiter', *users)}",
                         *flags, **more)

    def _ready(self):
        return self.by("waiter", "GET", "/-/ready").status == 200

    def by(self, user, method, path, body=None, headers=None):
        return self.request(method, path, body, {**(headers or {}), **credentials(user)})


class TlsRoles(TlsGateway):
    """Requests with the certificate of `user`, or with none."""

    def __init__(self, certificates, directory, entries, names, *flags, san=False, **more):
        self.rules = write_access(directory / "rules.yml", [*entries, "{who: ['cn:client'], may: [probe]}"])
        self.clients = {name: Certificate(directory, name, certificates.ca, f"DNS:{name}.Example" if san else "") for name in names}
        web = write_config(directory / "web.yml", certificates.server, client_ca_file=certificates.ca.file,
                           client_auth_type="VerifyClientCertIfGiven")
        super().__init__(certificates, web, f"--config.file={self.rules}", *flags, client=certificates.client, **more)


def credentials(user, password="secret"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()} if user else {}
