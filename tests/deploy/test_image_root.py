"""What is in the container image, put together by deploy/image as the Dockerfile does, and run from there without Docker: with a root
directory of its own, as user 65534. tests/deploy/container builds the Dockerfile itself."""
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from exposition import scrape
from gateway import BINARY, Gateway
from tools import ROOT

USER = 65534
# Root of its own users where we are not root: then nobody else can be made of us.
UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
AS = ["--userspec", f"{USER}:{USER}", "--groups="] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    top = tmp_path_factory.mktemp("image")
    # The image's user has to get there; pytest's directories are closed to all others.
    for directory in (top, *top.parents[:2]):
        directory.chmod(0o755)
    installed = top / "installed" / "usr" / "bin"
    installed.mkdir(parents=True)
    for program in (BINARY, f"{BINARY}-import"):
        shutil.copy(program, installed)
    root = top / "root"
    subprocess.run([ROOT / "deploy" / "image", top / "installed", root], check=True)
    return root


def container(image, *arguments):
    """As a runtime starts it: /proc and /dev, the working directory, the entry point."""
    launcher = image.parent / "launcher"
    launcher.write_text(f"""#!/bin/sh
exec {' '.join(UNSHARE)} sh -c 'mount --rbind /proc {image}/proc && mount --rbind /dev {image}/dev &&
exec chroot {' '.join(AS)} {image} /bin/sh -c '\\''cd /pushgateway && exec /bin/tallygate "$@"'\\'' sh "$@"' sh "$@"
""")
    launcher.chmod(0o755)
    return Gateway(*arguments, database=None, binary=str(launcher), early=True)


def inside(gateway, *command):
    """As `docker exec`, or a hook of Kubernetes."""
    of_the_users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return subprocess.run(["nsenter", f"--target={gateway.process.pid}", "--mount", *of_the_users, "--root", "--wd", *command],
                          capture_output=True, text=True, env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})


def test_it_takes_pushes_and_has_what_hooks_call(image):
    with container(image) as g:
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{g.process.pid}/status").read().splitlines() if ":\t" in line)
        assert status["Uid"].split()[0] == str(USER if os.geteuid() == 0 else os.geteuid())
        assert g.put("x", "a 1\n").status == 200
        assert inside(g, "tallygate-healthcheck", str(g.process.pid)).returncode == 0
        assert inside(g, "/bin/sh", "-c", "sleep 0 && ls /pushgateway").stdout.split()[0] == "tallygate.db"
        assert inside(g, "sleep", "0").returncode == 0
        g.kill()
    with container(image) as g:
        assert scrape(g).pushed("a", "x") == 1


def test_it_has_a_user_and_certificates(image):
    """PostgreSQL's library asks whose process it is, and fails where nobody knows; curl has a place of its own for certificates."""
    g = container(image, "--persistence.url=postgresql://127.0.0.1:1/x")
    assert g.wait() == 1 and "Connection refused" in g.log
    paths = subprocess.run(["curl-config", "--ca"], capture_output=True, text=True, check=True).stdout.strip()
    for path in (paths, "/usr/lib/ssl/cert.pem"):
        target = image / path.lstrip("/")
        if target.is_symlink():
            target = image / os.readlink(target).lstrip("/")
        assert "BEGIN CERTIFICATE" in target.read_text()


def test_nothing_else_is_in_it(image):
    """Each library is one that something loads, with its copyright; the bill of materials has all packages."""
    files = {str(f.relative_to(image)) for f in image.rglob("*") if f.is_file() and not f.is_symlink()}
    programs = {f"usr/bin/{name}" for name in ("tallygate", "tallygate-import", "tallygate-healthcheck", "bash", "busybox")}
    libraries = {f for f in files if re.match(r"usr/lib(64)?/.*\.so", f)}
    loaded = "".join(subprocess.run([*UNSHARE, "chroot", image, "/lib64/ld-linux-x86-64.so.2", "--list", f"/{p}"], capture_output=True, text=True, check=True).stdout
                     for p in programs - {"usr/bin/busybox", "usr/bin/tallygate-healthcheck"})
    assert "not found" not in loaded
    assert {os.path.basename(f) for f in libraries} == {os.path.basename(f) for f in re.findall(r"(\S+\.so\S*) \(0x", loaded)} - {"linux-vdso.so.1"}
    documents = {f for f in files if f.startswith("usr/share/doc/")}
    settings = {"etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/ssl/openssl.cnf", "etc/ssl/certs/ca-certificates.crt"}
    assert files - programs - libraries - documents == settings | {f for f in files if f.startswith("pushgateway/")}
    bill = json.loads((image / "usr/share/doc/tallygate/tallygate.spdx.json").read_text())
    named = {p["name"] for p in bill["packages"]} - {"tallygate"}
    assert named == {f.split("/")[3] for f in documents} - {"tallygate"}


def test_it_is_as_small_as_the_readme_says(image, tmp_path):
    said = re.search(r"The image has (\d+) MB, (\d+) compressed", (ROOT / "deploy" / "README.md").read_text())
    with tarfile.open(tmp_path / "image.tar.gz", "w:gz", compresslevel=6) as archive:
        archive.add(image, arcname="/", filter=lambda f: None if f.name.startswith(("proc/", "dev/", "pushgateway/")) else f)
    size = sum(f.lstat().st_size for f in image.rglob("*") if not f.is_symlink() and "pushgateway" not in f.parts)
    found = size / 1e6, (tmp_path / "image.tar.gz").stat().st_size / 1e6
    assert all(abs(have - int(figure)) <= 2 for have, figure in zip(found, said.groups())), found
