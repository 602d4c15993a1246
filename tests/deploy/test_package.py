"""The Debian package: built twice it is the same, lintian finds nothing, what is in it works, and it takes the place
of an installed Go Pushgateway and gives it back."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually
from go_gateway import GoGateway
from servers import free_address
from tools import ROOT, tool

DEBIAN = ROOT / "deploy" / "debian"
# Machine code for a test of what surrounds it need not be fast.
FAST = {"DEB_BUILD_OPTIONS": "noopt noautodbgsym parallel=2", "DEB_CFLAGS_APPEND": "-g0", "CCACHE_DISABLE": "1"}
# Somebody else, elsewhere.
ELSEWHERE = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nonexistent", "USER": "somebody"}


def build(directory, **environment):
    done = subprocess.run(["sh", "-c", f'umask {environment.pop("UMASK", "022")}; exec "$@"', "sh", ROOT / "deploy" / "deb", directory],
                          env={**os.environ, **FAST, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.split()[-1])


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def installed(package, tmp_path_factory):
    """What is in it, unpacked."""
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run(["dpkg", "-x", package, directory], check=True)
    return directory


def field(package, name):
    return subprocess.run(["dpkg-deb", "-f", package, name], check=True, capture_output=True, text=True).stdout.strip()


def packages(variable):
    out = subprocess.run(["sh", "-c", f". {ROOT}/deploy/packages && echo ${variable}"], check=True, capture_output=True, text=True)
    return set(out.stdout.split())


def test_built_twice_it_is_the_same(package, tmp_path):
    again = build(tmp_path, UMASK="027", **ELSEWHERE)
    assert package.name == again.name and package.read_bytes() == again.read_bytes()


def test_lintian_finds_nothing(package):
    (changes,) = package.parent.glob("*.changes")
    done = subprocess.run([tool("lintian"), "--allow-root", changes], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_it_needs_what_the_build_and_the_program_need(package):
    control = (DEBIAN / "control").read_text()
    needed = re.search(r"^Build-Depends: (.*(?:\n .*)*)", control, re.M)[1]
    needed = {name.strip() for name in needed.split(",")} - {"debhelper-compat (= 13)", "python3"}
    assert needed == packages("BUILD_PACKAGES") - {"gcc", "libc6-dev"}
    depends = {d.split()[0] for d in field(package, "Depends").split(", ")}
    assert depends - {"libc6"} <= packages("RUNTIME_PACKAGES")


def test_it_is_built_from_what_the_image_is_built_from():
    """And so without tests/: what a build of either needs from there would be missed by the other, too."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text().split("\nFROM ")[1]
    copied = {name for line in re.findall(r"^COPY (.*) (?:\S+)$", dockerfile, re.M) for name in line.split() if ".git" not in name}
    packed = re.search(r"^cp -r (.*) \"\$source\"$", (ROOT / "deploy" / "deb").read_text(), re.M)[1].split()
    assert copied - {"deploy/packages"} == set(packed) - {"CHANGELOG.md"}


def test_its_version_is_the_programs(package, installed):
    version = re.search(r"version: '(.*?)'", (ROOT / "meson.build").read_text())[1]
    assert field(package, "Version") == version
    out = subprocess.run([installed / "usr/bin/tallygate", "--version"], check=True, capture_output=True, text=True).stdout
    assert out.startswith(f"pushgateway, version {version} (")


def test_units_manual_and_completions(installed):
    unit = (installed / "lib/systemd/system/tallygate.service").read_text()
    program = re.search(r"^ExecStart=(\S+) \$ARGS$", unit, re.M)[1]
    assert os.access(installed / program.lstrip("/"), os.X_OK)
    assert f"EnvironmentFile=-/{(installed / 'etc/default/tallygate').relative_to(installed)}\n" in unit
    help_ = subprocess.run([installed / "usr/bin/tallygate", "--help"], check=True, capture_output=True, text=True).stdout
    flags = re.findall(r"^ {2}(?:-\w, | {4})--(?:\[no-\])?([a-z][a-z0-9.-]*)", help_, re.M)
    manual = subprocess.run(["zcat", installed / "usr/share/man/man1/tallygate.1.gz"], check=True, capture_output=True, text=True).stdout
    assert len(flags) > 30 and not [f for f in flags if f"--{f}" not in manual]
    completion = installed / "usr/share/bash-completion/completions/tallygate"
    script = f'PATH={installed}/usr/bin:$PATH; . {completion}; COMP_WORDS=(tallygate --limits.g); COMP_CWORD=1; _tallygate_complete; echo ${{COMPREPLY[@]}}'
    assert subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout == "--limits.groups\n"
    assert (installed / "usr/share/zsh/vendor-completions/_tallygate").read_text().startswith("#compdef tallygate")


def test_its_own_test(installed):
    """autopkgtest runs it after an installation."""
    subprocess.run([DEBIAN / "tests" / "push"], check=True, timeout=120, env={
        **os.environ, "PATH": f"{installed}/usr/bin:{os.environ['PATH']}", "TALLYGATE_PORT": free_address().split(":")[1]})
    named = set(re.findall(r"^Tests: (\w+)$", (DEBIAN / "tests" / "control").read_text(), re.M))
    assert named == {f.name for f in (DEBIAN / "tests").iterdir()} - {"control"}
    for name in named:
        subprocess.run(["sh", "-n", DEBIAN / "tests" / name], check=True)


def test_the_bill_of_materials(package, installed):
    """SPDX 2.3, clause 6 to 11: what is mandatory; and each package that we depend on."""
    bill = json.loads((installed / "usr/share/doc/tallygate/tallygate.spdx.json").read_text())
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0" and bill["SPDXID"] == "SPDXRef-DOCUMENT"
    assert bill["documentNamespace"].startswith("urn:") and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    found = {p["SPDXID"]: p for p in bill["packages"]}
    assert len(found) == len(bill["packages"])
    for identifier, p in found.items():
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identifier) and p["name"] and p["versionInfo"] and p["downloadLocation"]
    assert bill["relationships"][0] == {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                                        "relatedSpdxElement": "SPDXRef-tallygate"}
    assert {r["relatedSpdxElement"] for r in bill["relationships"]} == set(found)
    depends = {d.split()[0] for d in field(package, "Depends").split(", ")}
    assert depends <= {p["name"] for p in found.values()}
    of_libc = next(p["versionInfo"] for p in found.values() if p["name"] == "libc6")
    assert of_libc == subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libc6"], capture_output=True, text=True, check=True).stdout


# ---- taking over ----

# In place of systemd's: remembers what is enabled and active, and starts nothing.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$STATE/calls"
command=$1
shift
now=
[ "${1-}" != --now ] || { now=y; shift; }
for unit; do
	case $command in
	is-active) [ -e "$STATE/active-$unit" ] && echo active || { echo inactive; exit 3; } ;;
	is-enabled) [ -e "$STATE/enabled-$unit" ] && echo enabled || { echo disabled; exit 1; } ;;
	start) touch "$STATE/active-$unit" ;;
	enable)
		touch "$STATE/enabled-$unit"
		[ -z "$now" ] || [ ! -e "$STATE/fail-$unit" ] || exit 1
		[ -z "$now" ] || touch "$STATE/active-$unit" ;;
	disable)
		rm -f "$STATE/enabled-$unit"
		[ -z "$now" ] || rm -f "$STATE/active-$unit" ;;
	esac
done
"""
PEER = "prometheus-pushgateway.service"


class Machine:
    """A root directory with a Go Pushgateway that runs, and ours installed."""

    def __init__(self, directory, installed, arguments):
        self.root, self.state = directory / "root", directory / "state"
        self.state.mkdir()
        (self.root / "etc/default").mkdir(parents=True)
        (self.root / "var/lib").mkdir(parents=True)
        (self.root / "etc/default/prometheus-pushgateway").write_text(f'# Comment.\nARGS="{arguments}"\n')
        shutil.copy(installed / "etc/default/tallygate", self.root / "etc/default/tallygate")
        program = directory / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.path = f"{directory}:{installed}/usr/bin:{os.environ['PATH']}"
        self.script = installed / "usr/sbin/tallygate-takeover"
        for what in ("active", "enabled"):
            (self.state / f"{what}-{PEER}").touch()

    def run(self, *arguments):
        return subprocess.run([self.script, *arguments], capture_output=True, text=True,
                              env={**os.environ, "PATH": self.path, "TALLYGATE_ROOT": str(self.root), "STATE": str(self.state)})

    def units(self):
        return {f.name for f in self.state.iterdir()} - {"calls"}

    def read(self, path):
        return (self.root / path).read_text()

    def files(self):
        return {str(f.relative_to(self.root)): f.read_bytes() for f in self.root.rglob("*") if f.is_file()}


OURS = {"active-tallygate.service", "enabled-tallygate.service"}
THEIRS = {f"active-{PEER}", f"enabled-{PEER}"}


@pytest.fixture
def machine(tmp_path, installed):
    """Its Go gateway has a file, with a group."""
    m = Machine(tmp_path, installed, "--persistence.file=/var/lib/prometheus/pushgateway.data --web.enable-admin-api")
    file = m.root / "var/lib/prometheus/pushgateway.data"
    file.parent.mkdir()
    with GoGateway(database=file) as go:
        go.put("from_go", "a 1\n")
        eventually(lambda: "from_go" in go.get("/metrics").text, "it is pushed")
    return m


def test_it_takes_over_arguments_and_file(machine):
    before = machine.files()
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert machine.units() == OURS
    assert machine.read("etc/default/tallygate") == (
        '# Comment.\nARGS="--persistence.file=/var/lib/tallygate/pushgateway.data --web.enable-admin-api"\n')
    arguments = re.search(r'ARGS="(.*)"', machine.read("etc/default/tallygate"))[1]
    # systemd makes /var/lib/tallygate of it.
    arguments = arguments.replace("/var/lib/tallygate", f"{machine.root}/var/lib/private/tallygate").split()
    with Gateway(*arguments, database=None, binary=machine.path.split(":")[1] + "/tallygate") as g:
        assert scrape(g).pushed("a", "from_go") == 1

    assert machine.run().returncode == 1, "there is nothing to take over any more"
    done = machine.run("--give-back")
    assert done.returncode == 0, done.stderr
    assert machine.units() == THEIRS
    assert {path: content for path, content in machine.files().items() if "private" not in path} == before


def test_it_takes_over_what_a_gateway_has_in_memory(tmp_path, installed):
    with GoGateway(database="") as go:
        go.put("from_go", "a 1\n")
        eventually(lambda: "from_go" in go.get("/metrics").text, "it is pushed")
        machine = Machine(tmp_path, installed, f"--web.listen-address=127.0.0.1:{go.port}")
        done = machine.run()
        assert done.returncode == 0, done.stderr
    assert machine.units() == OURS and machine.read("etc/default/tallygate") == machine.read("etc/default/prometheus-pushgateway")
    with Gateway(database=machine.root / "var/lib/private/tallygate/tallygate.db", binary=installed / "usr/bin/tallygate") as g:
        assert scrape(g).pushed("a", "from_go") == 1


def test_if_tallygate_does_not_start_all_is_as_before(machine):
    before = machine.files()
    (machine.state / "fail-tallygate.service").touch()
    done = machine.run()
    assert done.returncode == 1 and "Tallygate did not start" in done.stderr
    (machine.state / "fail-tallygate.service").unlink()
    assert machine.units() == THEIRS and machine.files() == before


def test_what_it_does_not_take_over(machine):
    before = machine.files()
    done = machine.run("--give-back")
    assert done.returncode == 1 and "nothing was taken over" in done.stderr
    assert machine.run("--help").returncode == 2
    database = machine.root / "var/lib/private/tallygate/tallygate.db"
    database.parent.mkdir(parents=True)
    database.write_text("ours")
    done = machine.run()
    assert done.returncode == 1 and "has a database already" in done.stderr
    shutil.rmtree(machine.root / "var/lib/private")
    default = machine.root / "etc/default/prometheus-pushgateway"
    default.write_text('ARGS="--persistence.file=relative"\n')
    done = machine.run()
    assert done.returncode == 1 and "is relative" in done.stderr
    default.unlink()
    done = machine.run()
    assert done.returncode == 1 and "is not installed" in done.stderr
    assert machine.units() == THEIRS
    assert machine.files() == {k: v for k, v in before.items() if k != "etc/default/prometheus-pushgateway"}


def test_removing_the_package_gives_the_place_back(package, tmp_path):
    subprocess.run(["dpkg-deb", "-e", package, tmp_path], check=True)
    script = (tmp_path / "prerm").read_text()
    assert re.search(r'"\$1" = remove \] && \[ -e /var/lib/tallygate-takeover \]; then\n\s*tallygate-takeover --give-back', script)
    # Nothing is started that nobody asked for.
    assert "deb-systemd-invoke start" not in (tmp_path / "postinst").read_text()
    assert (tmp_path / "conffiles").read_text() == "/etc/default/tallygate\n"
