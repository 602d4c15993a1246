"""Scrapes, read with prometheus_client's parser and held against what every scrape has to be."""
import re
import subprocess

from prometheus_client.parser import text_string_to_metric_families

OWN = ("process_", "pushgateway_")
_SAMPLE = re.compile(rb"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})? (\S+)$", re.DOTALL)


class Scrape:
    def __init__(self, text):
        self.text = text
        self.samples = {}
        self.families = {}
        for family in text_string_to_metric_families(text):
            self.families[family.name] = family
            for s in family.samples:
                key = (s.name, frozenset(s.labels.items()))
                # Buckets and quantiles are exposed as they were pushed, doubles included.
                assert key not in self.samples or {"le", "quantile"} & set(s.labels), f"twice: {s.name} {s.labels}"
                self.samples[key] = s.value

    def get(self, name, **labels):
        """The value of the series with exactly these labels, None when there is none."""
        return self.samples.get((name, frozenset(labels.items())))

    def pushed(self, name, job, **labels):
        labels.setdefault("instance", "")
        return self.get(name, job=job, **labels)

    def names(self):
        return {name for name, _ in self.samples}

    def foreign(self):
        """The lines that are not own metrics."""
        lines = self.text.split("\n")[:-1]
        return [x for x in lines if not x.startswith(OWN) and not _is_own_header(x)]

    def kept(self):
        """The lines that a restart must not change, in any order."""
        return sorted(self.foreign())


def _is_own_header(line):
    return line.startswith(("# HELP ", "# TYPE ")) and line.split(" ", 3)[2].startswith(OWN)


def check_layout(body):
    """Checks what the parser does not: the order of families, and that headers come once, before the samples."""
    order, current, lines = [], None, body.split(b"\n")
    assert lines[-1] == b"", "the last line has no end"
    for line in lines[:-1]:
        if line.startswith((b"# HELP ", b"# TYPE ")):
            name, kind = line.split(b" ", 3)[2], line[2:6]
            if current != (name, b"HELP") or kind != b"TYPE":
                order.append(name)
            current = (name, kind)
            continue
        match = _SAMPLE.match(line)
        assert match, f"not a sample: {line[:200]!r}"
        name = match[1]
        assert current and current[1] == b"TYPE", f"no TYPE before {line[:200]!r}"
        assert name.startswith(current[0]), f"{name!r} under the header of {current[0]!r}"
    assert order == sorted(set(order)), "families are not sorted, or one has two headers"


def scrape(gateway, connection=None):
    """A scrape that is 200, well-formed and parses."""
    reply = gateway.request("GET", "/metrics", connection=connection)
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4; charset=utf-8")
    check_layout(reply.body)
    return Scrape(reply.text)


def promtool(text):
    """promtool's complaints about a scrape; it exits 3 when it has some and 1 when it cannot read it."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                          timeout=60)
    assert done.returncode in (0, 3), done.stderr
    return done.stderr.splitlines()


def counter(gateway, name, **labels):
    return scrape(gateway).get(name, **labels) or 0
