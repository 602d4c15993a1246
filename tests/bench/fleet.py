"""All servers of a run: filled with the same groups, loaded with the same requests."""

import json
import os
import signal
import subprocess

import bodies
from servers import START, Failed, Server

FLOOR, GO, UNCHECKED, OURS = "floor", "go", "go unchecked", "ours"
# Groups that are pushed at once while filling: this bounds the file that holds the requests.
FILL_CHUNK = 10000
# Seconds that a start may take; starts are not compared here.
START_LIMIT = 120


class Fleet:
    def __init__(self, folder, requests_folder, tools, ours, go, wanted, log, preload=()):
        """preload: libraries for our server only."""
        self.folder = folder
        self.tools = tools
        self.log = log
        self.stored = 0
        self.limit = 30
        self.empty = {}  # server: resident bytes with nothing stored
        self.filled = {}  # server: resident bytes once filled, before any scrape
        self.fill_rate = {}  # server: pushes a second while filling
        self.request_file = os.path.join(requests_folder, "requests")
        self._pristine = os.path.join(folder, "pristine")
        self._preload = list(preload)
        common = ["--web.listen-address=127.0.0.1:0", "--web.enable-admin-api"]
        go_command = [go, *common]
        self._commands = {
            FLOOR: lambda s: [os.path.join(tools, "bench-floor"), "0"],
            GO: lambda s: [*go_command, self._go_file(s)],
            UNCHECKED: lambda s: [
                *go_command, self._go_file(s), "--push.disable-consistency-check",
            ],
            OURS: lambda s: [ours, *common],
        }
        self.servers = {
            name: self.new_server(name, name.replace(" ", "-"))
            for name in self._commands
            if name in wanted and (go or name not in (GO, UNCHECKED))
        }

    def new_server(self, name, folder):
        """A server of that kind with nothing stored, not started; the caller ends it."""
        server = Server(name, os.path.join(self.folder, folder), self._commands[name])
        if name == OURS:
            server.preload = list(self._preload)
        return server

    def _data(self, server):
        return os.path.join(server.folder, "data")

    def _go_file(self, server):
        return f"--persistence.file={self._data(server)}"

    def _start(self, server):
        """Returns the seconds to ready. A Go gateway starts from the file that filling has left, however it ended."""
        if server.name in (GO, UNCHECKED) and os.path.exists(self._pristine):
            # The Go gateway replaces its file as a whole, so that a link is as good as a copy.
            if os.path.exists(self._data(server)):
                os.unlink(self._data(server))
            os.link(self._pristine, self._data(server))
        return server.start(START_LIMIT)

    def restart(self, server):
        """Returns the seconds to ready again, or None: not in time."""
        if server.name in (GO, UNCHECKED):
            server.kill()
        else:
            server.stop()
        try:
            return self._start(server)
        except Failed as e:
            self.log(str(e))
            server.kill()
            server.too_slow.add(START)
            return None

    def running(self, names=None, to=None):
        """The servers that can do `to` now; one that is still busy with old requests is restarted."""
        for server in self.servers.values():
            if (names and server.name not in names) or server.too_slow & {to, START}:
                continue
            if server.proc and not server.dirty:
                yield server
            elif self.restart(server) is not None:
                yield server

    def requests(self, requests):
        return bodies.write_requests(self.request_file, requests)

    def begin_load(self, server, file=None, **numbers):
        """Starts sending the requests last written, or those of file; for end_load()."""
        numbers.setdefault("limit", self.limit)
        command = [os.path.join(self.tools, "bench-load"), "127.0.0.1", str(server.port)]
        command += [file or self.request_file, *(f"{k}={v}" for k, v in numbers.items())]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    def end_load(self, server, load):
        """The result of bench-load."""
        result = json.loads(load.communicate()[0])
        if result["unanswered"]:
            server.dirty = True
        if result["failed"]:
            self.log(f"{server.name}: {result['failed']} failed, first: {result['problem'][:120]}")
        return result

    def load(self, server, **numbers):
        return self.end_load(server, self.begin_load(server, **numbers))

    def all_answered(self, server, requests, **numbers):
        n = self.requests(requests)
        result = self.load(server, total=n, limit=600, **numbers)
        if result["ok"] != n:
            raise Failed(f"{server.name}: {result['ok']} of {n} answered: {result['problem']}")
        return result

    def push_groups(self, server, first, last):
        """Pushes some of the groups that fill a store; returns the seconds that it took the server."""
        values = bodies.Values(first)
        seconds = 0
        for at in range(first, last, FILL_CHUNK):
            groups = range(at, min(at + FILL_CHUNK, last))
            requests = (bodies.stored_group(i).put(values) for i in groups)
            seconds += self.all_answered(server, requests)["seconds"]
        return seconds

    def fill(self, stored):
        """Brings all servers to this many series. They only ever grow."""
        first, last = self.stored // bodies.SERIES_PER_GROUP, stored // bodies.SERIES_PER_GROUP
        self.stored = stored
        for server in self.servers.values():
            server.too_slow.clear()
            if server.name == GO:
                continue  # filling it would take hours: it starts from the file of the unchecked one
            if server.name == UNCHECKED:
                server.kill()
            if not server.proc:
                self._start(server)
                self.empty.setdefault(server.name, server.resident())
            if server.name != FLOOR and last > first:
                seconds = self.push_groups(server, first, last)
                self.fill_rate[server.name] = (last - first) / seconds
                self.filled[server.name] = server.resident()
            if server.name == UNCHECKED and last > first:
                server.stop_signal = signal.SIGTERM
                server.stop()
                os.replace(self._data(server), self._pristine)
        for name in (GO, UNCHECKED):
            if name in self.servers:
                self.servers[name].kill()

    def stop(self):
        for server in self.servers.values():
            server.kill()
