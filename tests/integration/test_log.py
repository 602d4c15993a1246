"""The log: it costs nobody the gateway, whatever happens to its lines."""
import json
import os
import subprocess

from gateway import BINARY, DEADLINE, Gateway, eventually


def test_a_reader_that_has_stopped_costs_nothing():
    """As many refused pushes as fill the pipe and the room behind it: each is answered, and so is all else."""
    read, write = os.pipe()
    with Gateway() as other:
        address = other.addresses[0]
    g = Gateway.__new__(Gateway)
    g.process = subprocess.Popen([BINARY, f"--web.listen-address={address}", "--persistence.file=", "--log.level=debug"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write)
    os.close(write)
    host, _, port = address.rpartition(":")
    g.host, g.port = host, int(port)

    def ready():
        try:
            return g.get("/-/ready").status == 200
        except OSError:
            assert g.process.poll() is None
            return False

    try:
        eventually(ready, "/-/ready is 200")
        connection = g.connect()
        # Some 500 bytes a line: 64 KiB of the pipe and 256 KiB of the gateway are full long before.
        for i in range(3000):
            reply = g.request("PUT", f"/metrics/job/{'j' * 300}{i}", "a{ 1\n", connection=connection)
            assert reply.status == 400
        assert g.get("/-/healthy").status == 200
        lost = [s for s in g.get("/metrics").text.splitlines() if s.startswith("pushgateway_log_lines_lost_total ")]
        assert float(lost[0].split()[1]) > 0
        g.process.terminate()
        assert g.process.wait(DEADLINE) == 0, "a log that nobody reads keeps it from ending"
    finally:
        g.process.kill()
        g.process.wait()
        os.close(read)


def test_numbers_are_numbers(database):
    with Gateway("--log.format=json", database=database) as g:
        g.put("x", "a 1\nb 2\n")
    with Gateway("--log.format=json", database=database) as g:
        line = json.loads(g.wait_for_line("metrics loaded"))
        assert (line["groups"], line["series"]) == (1, 4) and line["file"] == str(database)
