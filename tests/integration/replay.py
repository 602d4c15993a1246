"""A Prometheus that scrapes recorded answers, each as a target of its own, and tells what is wrong with each."""
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.request

from gateway import eventually, parse_logfmt

PROTOCOLS = {"PrometheusProto": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
             "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0", "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
             "PrometheusText1.0.0": "text/plain;version=1.0.0", "PrometheusText0.0.4": "text/plain;version=0.0.4"}
SECONDS = 2  # between two scrapes of a target; more if there are over 200 targets


def program():
    return os.environ.get("PROMETHEUS") or shutil.which("prometheus")


def major():
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    return int(re.search(r"version (\d+)\.", said.stdout + said.stderr)[1])


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a Prometheus that is being ended may not read all of its answers


def _serve(answers):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            content_type, body = answers[int(self.path[1:])][1:]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *unused):
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _configure(directory, answers, port, newest):
    jobs = []
    for protocol in PROTOCOLS:
        targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"__metrics_path__": f"/{i}", "answer": str(i)}}
                   for i, answer in enumerate(answers) if answer[0] == protocol]
        file = directory / f"{protocol}.json"
        file.write_text(json.dumps(targets))
        job = {"job_name": protocol, "honor_labels": True, "file_sd_configs": [{"files": [str(file)]}]}
        jobs.append({**job, "scrape_protocols": [protocol]} if newest else job)
    file = directory / "prometheus.yml"
    seconds = f"{max(SECONDS, len(answers) // 100)}s"
    file.write_text(json.dumps({"global": {"scrape_interval": seconds, "scrape_timeout": seconds}, "scrape_configs": jobs}))
    return file


def judge(directory, answers):
    """answers: [(protocol, Content-Type, body)]. Returns the complaints of a Prometheus: {index: error}."""
    newest = major() >= 3
    server = _serve(answers)
    file = _configure(directory, answers, server.server_address[1], newest)
    flag = "native-histograms,created-timestamp-zero-ingestion" if newest else "native-histograms"
    process = subprocess.Popen([program(), f"--enable-feature={flag}", f"--config.file={file}", f"--storage.tsdb.path={directory}/data",
                                "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
    try:
        # Its log tells the address and that it is ready, in either order.
        address, ready = None, False
        for line in process.stderr:
            pairs = parse_logfmt(line)
            if pairs.get("msg") == "Listening on":
                address = pairs["address"]
            ready = ready or pairs.get("msg", "").startswith("Server is ready")
            if address and ready:
                break
        threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()

        def scraped():
            with urllib.request.urlopen(f"http://{address}/api/v1/targets?state=active") as r:
                targets = json.load(r)["data"]["activeTargets"]
            late = [t for t in targets if t["health"] == "unknown" or "deadline exceeded" in t["lastError"]]
            return targets if len(targets) == len(answers) and not late else None
        targets = eventually(scraped, "all is scraped", 60 + len(answers) // 25)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        server.shutdown()
        server.server_close()
    return {int(t["labels"]["answer"]): t["lastError"] for t in targets if t["lastError"]}
