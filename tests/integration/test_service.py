"""Under systemd: sockets that it opens, the states that it is told, its watchdog."""
import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from exposition import scrape
from gateway import Gateway, eventually, parse_logfmt
from service_manager import Activated, Manager, stopped_thread
from wire import Wire, push


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as s:
        yield s


@pytest.fixture
def manager():
    m = Manager()
    yield m
    m.close()


def unix_socket(path, kind=socket.SOCK_STREAM, listen=True):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(str(path))
    if listen:
        s.listen(16)
    return s


def unix_request(path, request):
    """A whole conversation over a Unix socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(path))
        s.sendall(request)
        return b"".join(iter(lambda: s.recv(65536), b""))


# ---- sockets ----

def test_tcp_and_unix_sockets(tcp, tmp_path):
    path = tmp_path / "s"
    with unix_socket(path) as unix, unix_socket("\0tallygate-test-" + tmp_path.name) as abstract:
        with Activated(tmp_path, [tcp, unix, abstract]) as g:
            assert g.addresses == [f"127.0.0.1:{tcp.getsockname()[1]}", str(path), f"@tallygate-test-{tmp_path.name}"]
            assert "Listening on systemd activated listeners instead of port listeners." in g.log
            assert g.put("over_tcp", "a 1\n").status == 200
            body = b"PUT /metrics/job/over_unix HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\na 2\n"
            assert unix_request(path, body).startswith(b"HTTP/1.1 200 ")
            reply = unix_request(path, b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b'a{instance="",job="over_tcp"} 1\n' in reply and b'a{instance="",job="over_unix"} 2\n' in reply
            assert unix_request(path, body.replace(b"over_unix", b"bad").replace(b"a 2\n", b"a b\n")).startswith(b"HTTP/1.1 400 ")


def test_listen_addresses_are_ignored(tcp, tmp_path):
    """Even one that could not be bound, as in the Go gateway."""
    port = tcp.getsockname()[1]
    with Activated(tmp_path, [tcp], listen=f"127.0.0.1:{port}") as g:
        assert g.port == port and g.log.count('msg="Listening on" ') == 1


def test_ipv6_and_blocking_sockets(tmp_path):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as s:
        s.setblocking(True)
        with Activated(tmp_path, [s]) as g:
            assert g.addresses == [f"[::1]:{s.getsockname()[1]}"]
            assert g.get("/-/healthy").status == 200


def test_all_workers_share_a_socket(tcp, tmp_path):
    with Activated(tmp_path, [tcp], "--web.threads=4") as g:
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(g.connect())) for _ in range(80)]
            for i, c in enumerate(connections):
                assert g.request("PUT", f"/metrics/job/j{i}", f"a {i}\n", connection=c).status == 200
            s = scrape(g)
        assert [s.pushed("a", f"j{i}") for i in range(80)] == list(range(80))


def test_nobody_is_refused_over_a_restart(tcp, tmp_path, database):
    """The manager keeps the socket: who comes meanwhile waits."""
    with Activated(tmp_path, [tcp], database=database) as g:
        assert g.put("before", "a 1\n").status == 200
    waiting = [Wire(g).send(push(f"meanwhile{i}", b"a 2\n")) for i in range(5)]
    with Activated(tmp_path, [tcp], database=database) as g:
        statuses = [w.reply().status for w in waiting]
        assert statuses == [200] * 5
        s = scrape(g)
        assert s.pushed("a", "before") == 1
        assert [s.pushed("a", f"meanwhile{i}") for i in range(5)] == [2] * 5
        for w in waiting:
            w.socket.close()


def refused(directory, *sockets):
    g = Activated(directory, sockets)
    assert g.wait() == 1, g.log
    last = parse_logfmt(g.log.splitlines()[-1])
    assert (last["level"], last["msg"]) == ("error", "cannot serve")
    return last["err"]


def test_no_sockets(tmp_path):
    assert refused(tmp_path).startswith("no socket activation file descriptors found")
    g = Gateway("--web.systemd-socket")
    assert g.wait() == 1 and "no socket activation file descriptors found" in g.log


def test_what_is_no_listening_socket(tcp, tmp_path):
    expected = ": expected a stream socket that listens, as ListenStream= with Accept=no makes it"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, open("/dev/null") as file:
        udp.bind(("127.0.0.1", 0))
        assert refused(tmp_path, udp) == "passed file descriptor 3 is a socket for datagrams" + expected
        assert refused(tmp_path, tcp, udp) == "passed file descriptor 4 is a socket for datagrams" + expected
        assert refused(tmp_path, file) == "passed file descriptor 3 is not a socket" + expected
    with socket.create_connection(tcp.getsockname()) as connected:
        assert refused(tmp_path, connected) == "passed file descriptor 3 is a socket that does not listen" + expected
    with unix_socket(tmp_path / "d", socket.SOCK_DGRAM, listen=False) as unix:
        assert refused(tmp_path, unix) == "passed file descriptor 3 is a socket for datagrams" + expected
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as netlink:
        assert refused(tmp_path, netlink) == "passed file descriptor 3 is neither a TCP nor a Unix socket" + expected


# ---- states ----

def test_states(manager, database):
    with Gateway(database=database) as g:
        for i in range(3):
            assert g.put(f"j{i}", "a 1\nb 1\n").status == 200
    with Gateway(database=database, env=manager.env) as g:
        assert manager.next() == {"STATUS": f"Loading {database}; /-/healthy is answered, all else refused"}
        assert manager.next() == {"READY": "1", "STATUS": "Serving; loaded: groups 3, series 12"}
        assert g.get("/-/ready").status == 200
        g.terminate()
        assert manager.next() == {"STOPPING": "1", "STATUS": "Stopping: requests in flight are answered first"}


def test_ready_is_not_before_ready(manager, database):
    g = Gateway(database=database, env=manager.env)
    try:
        manager.wait_for("READY")
        g.start()
        assert g.get("/-/ready").status == 200
        g.terminate()
    finally:
        g.process.kill()


def test_what_does_not_start_is_never_ready(manager, tmp_path):
    g = Gateway(database=tmp_path / "no" / "such" / "file", env=manager.env)
    assert g.wait() == 1
    assert list(manager.next()) == ["STATUS"]
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.socket.recv(4096)


def test_quit_over_http_is_stopping(manager):
    with Gateway("--web.enable-lifecycle", env=manager.env) as g:
        assert g.request("PUT", "/-/quit").status == 200
        manager.wait_for("STOPPING")
        assert g.wait() == 0


# ---- watchdog ----

def watched(manager, **more):
    return {**manager.env, "WATCHDOG_USEC": "800000", **more}


def warned(g, name):
    """Others may wait for what a thread holds, and are named beside it."""
    return g.wait_for_log(lambda lines: next((x for x in lines if name in parse_logfmt(x).get("threads", "").split(",")), None),
                          f"the watchdog names {name}")


def silence(manager, seconds):
    """Nothing comes for so long; what was already on its way does not count."""
    manager.drain()
    manager.socket.settimeout(seconds)
    with pytest.raises(TimeoutError):
        manager.next()
    manager.socket.settimeout(30)


def test_it_beats_while_it_lives(manager, database):
    with Gateway(database=database, env=watched(manager)) as g:
        manager.wait_for("READY")
        begin = time.monotonic()
        for _ in range(4):
            assert manager.next() == {"WATCHDOG": "1"}
        assert time.monotonic() - begin >= 0.7, "every quarter of the time"
        assert g.put("x", "a 1\n").status == 200
        assert manager.next() == {"WATCHDOG": "1"}


def test_without_a_watchdog_there_is_no_beat(manager):
    with Gateway(env=manager.env) as g:
        manager.wait_for("READY")
        g.terminate()
        assert "STOPPING" in manager.next()


@pytest.mark.parametrize("name", ["http", "background", "committer", "main"])
def test_a_thread_that_does_not_run(manager, database, name):
    """Wherever it was stopped: it may hold a lock that others wait for, that of the heap for one."""
    with Gateway("--web.threads=2", database=database, env=watched(manager)) as g:
        manager.wait_for("WATCHDOG")
        stop = threading.Event()

        def ask():
            """Gives each thread something to do."""
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    c = g.connect(timeout=0.5)
                    if name == "committer":
                        g.request("PUT", "/metrics/job/x", "a 1\n", connection=c)
                    else:
                        g.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"}, connection=c)

        with contextlib.ExitStack() as stack:
            for _ in range(2):
                client = threading.Thread(target=ask)
                client.start()
                stack.callback(client.join)
            stack.callback(stop.set)
            with stopped_thread(g, "tallygate" if name == "main" else name):
                line = parse_logfmt(warned(g, name))
                assert line["level"] == "warn" and line["msg"] == "watchdog: no progress since it last looked"
                silence(manager, 1.0)
        manager.wait_for("WATCHDOG")


def test_a_disk_that_hangs(manager, database, faults):
    with Gateway(database=database, env=watched(manager, **faults.env)) as g:
        manager.wait_for("WATCHDOG")
        faults.hold()
        client = Wire(g).send(push("first", b"a 1\n"))
        faults.wait_until_held()
        warned(g, "committer")
        silence(manager, 1.0)
        assert g.get("/metrics").status == 200, "scrapes do not wait for it"
        faults.release()
        assert client.reply().status == 200
        manager.wait_for("WATCHDOG")
        client.socket.close()


def test_the_unit_files():
    """Of each file what the code relies on; whether systemd reads them is for systemd-analyze."""
    deploy = Path(__file__).resolve().parents[2] / "deploy"
    service = (deploy / "tallygate.service.in").read_text()
    for line in ("Type=notify", "ExecStart=@bindir@/tallygate $ARGS", "TimeoutStartSec=infinity", "StateDirectory=tallygate"):
        assert f"\n{line}\n" in service, line
    assert re.search(r"^WatchdogSec=\d", service, re.M)
    assert "AF_UNIX" in re.search(r"^RestrictAddressFamilies=(.*)$", service, re.M)[1], "the manager's socket"
    unit = (deploy / "tallygate.socket").read_text()
    assert "\nListenStream=9091\n" in unit and "Accept=" not in unit


# What of them is at its default counts against the unit: `systemd-analyze security`.
HARDENED = """CapabilityBoundingSet= NoNewPrivileges=yes LockPersonality=yes MemoryDenyWriteExecute=yes PrivateDevices=yes PrivateMounts=yes
    PrivateTmp=yes PrivateUsers=yes ProtectClock=yes ProtectControlGroups=yes ProtectHome=yes ProtectHostname=yes ProtectKernelLogs=yes
    ProtectKernelModules=yes ProtectKernelTunables=yes ProtectProc=invisible ProtectSystem=strict RemoveIPC=yes RestrictNamespaces=yes
    RestrictRealtime=yes RestrictSUIDSGID=yes SystemCallArchitectures=native SystemCallFilter=@system-service UMask=0077 DynamicUser=yes"""


def test_how_little_the_unit_may(tmp_path):
    """It scores 1.2 or less of 10; a machine without systemd-analyze has what makes up that score in the unit."""
    text = (Path(__file__).resolve().parents[2] / "deploy" / "tallygate.service.in").read_text()
    lines = text.splitlines()
    assert [x for x in HARDENED.split() if x not in lines] == []
    assert "SystemCallFilter=~@privileged @resources" in lines
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "tallygate.service"
        unit.write_text(text.replace("@bindir@", "/usr/bin"))
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=12", unit],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
