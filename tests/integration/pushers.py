"""Clients that push without a pause and keep account of what the gateway acknowledged."""
import http.client
import threading


class Pusher(threading.Thread):
    """Sends 1, 2, 3 ... to a group of its own over one connection, and notes what was acknowledged."""

    def __init__(self, gateway, job, first=0):
        super().__init__()
        self.gateway, self.job = gateway, job
        self.sent = self.acknowledged = first
        self.last_status = 0
        self.start()

    def request(self, n):
        """Method and body of the n-th request."""
        body = f'value {n}\nlast{{part="1"}} {n}\nlast{{part="2"}} {n}\n'
        return ("PUT" if n % 3 else "POST"), body

    def run(self):
        connection = self.gateway.connect()
        try:
            while True:
                self.sent += 1
                method, body = self.request(self.sent)
                connection.request(method, f"/metrics/job/{self.job}", body)
                reply = connection.getresponse()
                reply.read()
                self.last_status = reply.status
                if reply.status not in (200, 202):
                    break
                self.acknowledged = self.sent
                if reply.headers["Connection"] == "close":
                    break
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def wait_for(self, n):
        """Waits until n requests were acknowledged, or the thread has ended."""
        while self.acknowledged < n and self.is_alive():
            self.join(0.001)

    def check(self, s):
        """Checks that the scrape shows the last acknowledged push, or all of the one that was in flight."""
        got = s.pushed("value", self.job) or 0
        assert got in (self.acknowledged, self.sent), self.account(got)
        for part in ("1", "2"):
            assert (s.pushed("last", self.job, part=part) or 0) == got, f"half of {self.account(got)}"
        return got

    def account(self, got):
        return f"{self.job}: {got} is there, {self.acknowledged} acknowledged, {self.sent} sent"


class DropPusher(Pusher):
    """Creates the group and deletes it, in turn."""

    def request(self, n):
        return super().request(n) if n % 2 else ("DELETE", None)

    def check(self, s):
        got = s.pushed("value", self.job)
        assert got in {n if n % 2 else None for n in (self.acknowledged, self.sent)}, self.account(got)
