"""Prometheus, Alertmanager and VictoriaMetrics as processes, and a receiver of Alertmanager's webhooks."""
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from gateway import DEADLINE, eventually, free_port
from tools import tool


def free_address():
    """A free address, for a program that cannot tell which port it got."""
    return f"127.0.0.1:{free_port()}"


def wait_for_port(port):
    def open_():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()
            return True
        except OSError:
            return False
    eventually(open_, f"something listens on {port}")


class Server:
    """A server that is ready when it answers the path `ready` with 200."""

    def __init__(self, directory, program, *flags, ready, flag, address=None, launcher=()):
        self.address = address or free_address()
        self.url = f"http://{self.address}"
        self.log = directory / f"{program}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*launcher, tool(program), f"{flag}={self.address}", *flags], cwd=directory, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        self.ready = ready

    def wait(self):
        def ready():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                return self.get(self.ready)
            except OSError:
                return False
        eventually(ready, f"{self.process.args[0]} is ready")
        return self

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=DEADLINE) as reply:
            return reply.read()

    def query(self, promql):
        """An instant query. Returns [(labels, value)]."""
        result = json.loads(self.get("/api/v1/query", query=promql))["data"]["result"]
        return [(x["metric"], float(x["value"][1])) for x in result]

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def prometheus(directory, configuration, address):
    return Server(directory, "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={directory}/prometheus",
                  ready="/-/ready", address=address, flag="--web.listen-address")


def alertmanager(directory, configuration):
    """Debian's Alertmanager reads templates in /usr/share. It is unpacked, not installed, so it runs with the unpacked /usr/share mounted there."""
    share = Path(tool("prometheus-alertmanager")).parents[1] / "share"
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    launcher = ["unshare", *user, "--mount", "sh", "-c", 'mount --bind "$0" /usr/share && exec "$@"', share]
    return Server(directory, "prometheus-alertmanager", f"--config.file={configuration}", f"--storage.path={directory}/alertmanager",
                  "--cluster.listen-address=", ready="/-/ready", flag="--web.listen-address", launcher=launcher)


def victoria_metrics(directory):
    return Server(directory, "victoria-metrics", f"-storageDataPath={directory}/victoria", "-retentionPeriod=90d",
                  "-search.latencyOffset=0s", ready="/health", flag="-httpListenAddr")


class Receiver:
    """Takes what Alertmanager sends: (path, alert), in the order in which it comes."""

    def __init__(self):
        arrived = self.arrived = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    arrived.put((self.path, alert))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, alertname):
        while True:
            path, alert = self.arrived.get(timeout=DEADLINE)
            if alert["labels"]["alertname"] == alertname:
                return path, alert

    def end(self):
        self.server.shutdown()
        self.server.server_close()
