"""Resident memory, and what it depends on: restarts, scrapes, slow scrapers, wiping."""

import shutil
import socket
import time

import bodies
from fleet import OURS, START_LIMIT, UNCHECKED
from report import median
from scrape import FORMATS, is_slow, one_scrape
from servers import SCRAPE, Failed

REFILLS = 10
STALLED = 10
# Groups that are replaced between two stalled scrapes. They are spread over the store: that is
# enough for each page of a large store to change.
REPLACED = 20000
ETHERNET_SEGMENT = 1460
# Seconds: memory has settled when it has not shrunk for longer than our gateway waits between two looks;
# the second number is the longest wait for that.
SETTLED, SETTLE_LIMIT = 12, 30


def _settled(server):
    """Resident bytes once no more memory is given back."""
    lowest = server.resident()
    begin = shrunk = time.monotonic()
    now = begin
    while now < shrunk + SETTLED and now < begin + SETTLE_LIMIT:
        time.sleep(0.02)
        now = time.monotonic()
        resident = server.resident()
        if resident < lowest:
            lowest, shrunk = resident, now
    return lowest


def _stall(server, limit):
    """A scraper that reads a few bytes and then no more; OSError: not even those came in time."""
    sock = socket.socket()
    # The reply should stay in the server. The kernel would buffer more than a megabyte of it on either
    # side: this end gets the smallest buffer, the other one what it takes for segments as on Ethernet.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET_SEGMENT)
    sock.settimeout(limit)
    try:
        sock.connect(("127.0.0.1", server.port))
        sock.sendall(bodies.request("GET", "/metrics"))
        if not sock.recv(64).startswith(b"HTTP/1.1 200"):
            raise Failed(f"{server.name}: a scrape is not answered")
    except BaseException:
        sock.close()
        raise
    return sock


def _hold(bench, server, held):
    """Adds stalled scrapers, each with another state of the store. False: not done in time."""
    limit = bench.options.limit
    begin = time.monotonic()
    groups = bodies.some_stored(bench.stored, None, REPLACED)
    for i in range(STALLED):
        if server.name != OURS and time.monotonic() > begin + limit:
            return False
        try:
            held.append(_stall(server, limit))
        except OSError:
            return False
        values = bodies.Values(101 + 31 * i)
        bench.fleet.all_answered(server, (g.put(values) for g in groups))
    if server.name == OURS:
        (connections,) = server.own_metrics(["pushgateway_connections"])
        if connections < STALLED:
            raise Failed(f"{server.name}: of {STALLED} stalled scrapers some were sent away")
    return True


def _stalled_scrapers(bench, server, add):
    """Memory while stalled scrapers hold what is not shown any more, and when they are gone."""
    held = []
    try:
        in_time = _hold(bench, server, held)
        resident = server.resident()
    finally:
        for sock in held:
            sock.close()
    add(f"{STALLED} stalled scrapers", resident if in_time else bench.too_slow)
    if in_time:
        add(f"{STALLED} stalled scrapers gone", _settled(server))


def _wipe(server, limit):
    """Seconds until a wipe is answered."""
    begin = time.monotonic()
    status, _ = server.ask("PUT", "/api/v1/admin/wipe", limit)
    if status != 202:
        raise Failed(f"{server.name}: wiping is answered {status}")
    return time.monotonic() - begin


def _refill(bench, add):
    """A server of its own is filled, then wiped and filled again, over and over."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    groups = stored // bodies.SERIES_PER_GROUP
    server = fleet.new_server(OURS, "refilled")
    wipes, filled = [], []
    try:
        server.start(START_LIMIT)
        empty = server.resident()
        fleet.push_groups(server, 0, groups)
        filled.append(server.resident() - empty)
        for i in range(REFILLS):
            wipes.append(_wipe(server, START_LIMIT))
            if i == 0:
                wiped = _settled(server)
            fleet.push_groups(server, 0, groups)
            filled.append(server.resident() - empty)
    finally:
        server.kill()
        shutil.rmtree(server.folder)
    report.add("memory", "wipe", stored, OURS, median(wipes), "s", rounds=wipes)
    report.add("memory", "resident, wiped", stored, OURS, wiped / 1e6, "MB")
    add("first fill", empty + filled[0], empty)
    add(f"wiped and refilled {REFILLS} times", empty + filled[-1], empty)
    report.add(
        "memory", "refilled / first fill", stored, OURS, filled[-1] / filled[0], "ratio",
        rounds=[f / filled[0] for f in filled],
    )


def _wipe_once(bench, server):
    """Times the wipe of a Go gateway, which is then started again with what it had."""
    try:
        value = _wipe(server, bench.options.limit)
    except OSError:
        value = bench.too_slow
    bench.report.add("memory", "wipe", bench.stored, server.name, value, "s")
    bench.fleet.restart(server)


def _of_filled(bench, server):
    fleet, stored = bench.fleet, bench.stored

    def add(when, resident, empty=fleet.empty[server.name]):
        if isinstance(resident, (int, float)):
            resident = (resident - empty) / stored
        bench.report.add(
            "memory", f"resident a series, {when}", stored, server.name, resident, "B"
        )

    add("filled", fleet.filled.get(server.name))
    add("restarted", server.resident())
    for form in FORMATS:
        one = one_scrape(bench, server, form)
        if one and is_slow(bench, one):
            break
    add("scraped", server.resident())
    if server.name == OURS or SCRAPE not in server.too_slow:
        _stalled_scrapers(bench, server, add)
    if server.name == OURS:
        _refill(bench, add)
    elif not server.dirty or fleet.restart(server) is not None:
        _wipe_once(bench, server)


def memory(bench):
    """Bytes a series: filled, restarted, scraped in each form, with ten stalled scrapers,
    wiped and refilled ten times. Restart to ready, filling, and wiping are timed."""
    fleet, report, stored = bench.fleet, bench.report, bench.stored
    for server in fleet.running([UNCHECKED, OURS]):
        restarts = [fleet.restart(server) for _ in range(1 if stored > 100000 else 3)]
        if None in restarts:
            report.add("memory", "restart to ready", stored, server.name, f"> {START_LIMIT} s", "s")
            continue
        report.add("memory", "restart to ready", stored, server.name, median(restarts), "s")
        report.add("memory", "filling", stored, server.name, fleet.fill_rate.get(server.name), "/s")
        if stored:
            _of_filled(bench, server)
        else:
            report.add("memory", "resident, empty", stored, server.name,
                       server.resident() / 1e6, "MB")
