"""What takes the place of the Pushgateway's image has to be as that one is: Dockerfile, user, paths, and what the
Helm chart prometheus-community/prometheus-pushgateway starts it with."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from exposition import scrape
from gateway import BINARY, Gateway, eventually, parse_logfmt
from go_gateway import GoGateway
from wire import Wire

ROOT = Path(__file__).resolve().parents[2]
# securityContext of the chart: runAsUser, fsGroup.
USER = 65534


def dockerfile():
    """Instructions of the final stage, joined over line ends."""
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    stage = text[text.rindex("\nFROM "):]
    return [tuple(line.split(None, 1)) for line in stage.splitlines() if re.match(r"[A-Z]+ ", line)]


def only(instructions, keyword):
    values = [value for k, value in instructions if k == keyword]
    assert len(values) == 1, f"{keyword}: {values}"
    return values[0]


def test_the_dockerfile():
    lines = dockerfile()
    assert only(lines, "USER") == str(USER)
    assert only(lines, "EXPOSE") == "9091"
    assert only(lines, "WORKDIR") == "/pushgateway"
    assert only(lines, "ENTRYPOINT") == '["/bin/tallygate"]'
    assert not [k for k, _ in lines if k in ("CMD", "VOLUME", "RUN")], "args of a container are all the arguments there are"
    assert only(lines, "COPY") == "--from=build /image /", "what deploy/image has put together"
    assert only(lines, "ENV").startswith("PATH=")


def needed_libraries():
    programs = [BINARY, f"{BINARY}-import"]
    out = subprocess.run(["objdump", "-p", *programs], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"NEEDED\s+(\S+)", out))


def packages_of(libraries):
    """The packages that have each; one search of dpkg's lists for all, since it takes seconds."""
    out = subprocess.run(["dpkg", "-S", *(f"*/{name}" for name in libraries)], check=True, capture_output=True, text=True).stdout
    found = {name: set() for name in libraries}
    for line in out.splitlines():
        package, path = line.split(": ", 1)
        found[os.path.basename(path)].add(package.split(":")[0])
    return found


@pytest.mark.released
def test_the_packages_to_run_it_have_all_libraries():
    source = f'. {ROOT}/deploy/packages && echo $RUNTIME_PACKAGES'
    packages = set(subprocess.run(["sh", "-c", source], check=True, capture_output=True, text=True).stdout.split())
    libraries = [name for name in needed_libraries() if not name.startswith(("libasan", "libubsan", "ld-linux"))]
    for library, owners in packages_of(libraries).items():
        assert owners & (packages | {"libc6", "libgcc-s1"}), f"{library} is in none of RUNTIME_PACKAGES"


@pytest.fixture
def place():
    """Directories as in a container, which user 65534 can reach: pytest's own are closed to all others."""
    top = Path(tempfile.mkdtemp(prefix="tallygate-image-"))
    top.chmod(0o755)
    for name in ("bin", "pushgateway", "data"):
        (top / name).mkdir()
    shutil.copy(BINARY, top / "bin" / "tallygate")
    (top / "bin" / "pushgateway").symlink_to("tallygate")
    yield top
    for path in top.iterdir():
        path.chmod(0o755)
    shutil.rmtree(top)


def container(place, *args, writable, **more):
    """/bin/pushgateway in /pushgateway as user 65534, or as us if we are nobody special."""
    launcher = place / "entrypoint"
    drop = f"setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs " if os.geteuid() == 0 else ""
    launcher.write_text(f'#!/bin/sh\nexec {drop}{place}/bin/pushgateway "$@"\n')
    launcher.chmod(0o755)
    for name in ("pushgateway", "data"):
        if os.geteuid() == 0:
            os.chown(place / name, 0, USER)
        (place / name).chmod(0o2775 if name in writable else 0o555)
    return Gateway(*args, database=None, binary=str(launcher), cwd=place / "pushgateway", **more)


def probe(g):
    """livenessProbe and readinessProbe of the chart, and the TCP ones that it has with a foreign secret."""
    for path in ("/-/healthy", "/-/ready"):
        reply = g.request("GET", path, headers={"Host": "10.1.2.3:9091", "User-Agent": "kube-probe/1.30", "Accept": "*/*",
                                                "Connection": "close"})
        assert reply.status == 200
    with Wire(g):
        pass
    assert g.get("/metrics").status == 200


def test_without_arguments(place):
    """As the image is run, and the chart without values."""
    assert ":9091" in subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout
    with container(place, writable=["pushgateway"]) as g:
        probe(g)
        assert g.put("x", "a 1\n").status == 200
        g.kill()
    assert (place / "pushgateway" / "tallygate.db").exists()
    with container(place, writable=["pushgateway"]) as g:
        assert scrape(g).pushed("a", "x") == 1


def test_a_working_directory_that_cannot_be_written(place):
    """readOnlyRootFilesystem, or another runAsUser: the Go gateway runs, as it keeps nothing."""
    with container(place, writable=[]) as g:
        line = parse_logfmt(g.wait_for_line("there can be no database in the working directory"))
        assert line["level"] == "warn" and line["err"]
        probe(g)
        assert g.put("x", "a 1\n").status == 200
        assert scrape(g).pushed("a", "x") == 1
    assert list((place / "pushgateway").iterdir()) == []


def test_what_is_asked_for_is_not_left_out(place):
    """Memory is no substitute for a database that was named, or that is there."""
    g = container(place, "--persistence.file=tallygate.db", writable=[])
    assert g.wait() == 1 and "cannot write tallygate.db" in g.log
    g = container(place, writable=[], env={"STATE_DIRECTORY": str(place / "data")})
    assert g.wait() == 1 and f"cannot write {place}/data/tallygate.db" in g.log
    with container(place, writable=["pushgateway"]) as g:
        assert g.put("x", "a 1\n").status == 200
    (place / "pushgateway" / "tallygate.db").chmod(0o444)
    g = container(place, writable=[])
    assert g.wait() == 1 and "tallygate.db" in g.log


def test_the_persistence_of_the_chart(place):
    """persistentVolume at /data, written by its group, and extraArgs of the chart's README; the rest is read-only."""
    flags = [f"--persistence.file={place}/data/pushgateway.data", "--persistence.interval=5m"]
    with GoGateway(database=place / "data" / "pushgateway.data") as go:
        go.put("from_go", "a 1\n")
        eventually(lambda: "from_go" in go.get("/metrics").text, "it is pushed")
    (place / "data" / "pushgateway.data").chmod(0o664)
    if os.geteuid() == 0:
        os.chown(place / "data" / "pushgateway.data", USER, USER)
    with container(place, *flags, writable=["data"]) as g:
        probe(g)
        g.wait_for_line("imported the file of a Go Pushgateway")
        # Enough for SQLite to want room beside its cache.
        for i in range(20):
            assert g.put(f"j{i}", "".join(f'b{{x="{n}"}} {n}\n' for n in range(2000))).status == 200
        g.kill()
    with container(place, *flags, writable=["data"]) as g:
        s = scrape(g)
        assert s.pushed("a", "from_go") == 1 and s.pushed("b", "j19", x="1999") == 1999
    assert list((place / "pushgateway").iterdir()) == []


def test_the_program_under_its_old_name(place):
    out = subprocess.run([place / "bin" / "pushgateway", "--version"], check=True, capture_output=True, text=True).stdout
    assert out.startswith("pushgateway, version ")
    out = subprocess.run([place / "bin" / "pushgateway", "--help"], check=True, capture_output=True, text=True).stdout
    assert out.startswith("usage: pushgateway [<flags>]\n")


def test_both_stacks():
    """A service with ipDualStack reaches the default address over IPv4 and IPv6."""
    with Gateway(listen=":0") as g:
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, g.port)) as s:
                s.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
                assert s.recv(100).split()[1] == b"200"
