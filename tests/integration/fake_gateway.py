"""An HTTP server that answers what a test wants, also what no gateway would answer."""
import http.server
import json
import ssl
import threading

import messages as pb

LABELS = {"instance": "", "job": "j"}


def answer(status=200, body=b"", length=None, **headers):
    """length: what Content-Length says, if it is to lie."""
    def send(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
    return send


def groups(*names):
    """What /api/v1/metrics says of one group with gauges of these names."""
    def family(value):
        return {"time_stamp": "2026-11-22T08:57:52.5Z", "type": "GAUGE", "metrics": [{"labels": LABELS, "value": value}]}

    group = {"labels": {"job": "j"}, "last_push_successful": True, "push_time_seconds": family("1.7953378725e+09"),
             "push_failure_time_seconds": family("0"), **{name: family("1") for name in names}}
    return answer(body=json.dumps({"status": "success", "data": [group]}).encode(), Content_Type="application/json")


def series(*names):
    """The protobuf scrape of the same, with other values."""
    return answer(body=b"".join(pb.family(name, pb.GAUGE, pb.gauge(2, **LABELS)) for name in names))


class FakeGateway:
    """routes: path -> a function that gets the request's handler. Others are 404."""

    def __init__(self, routes, certificate=None):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append((self.path, dict(self.headers)))
                self.close_connection = True
                routes.get(self.path, answer(404))(self)

            do_PUT = do_GET

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
