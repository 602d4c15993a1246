"""What the benchmark sends: groups, their bodies in text and protobuf, and files of requests."""

import random
import struct

# name: families in a push, series in each, format
SHAPES = {
    "10x1": (10, 1, "text"),  # families x series
    "1x10": (1, 10, "text"),
    "10x1-proto": (10, 1, "proto"),
    "1": (1, 1, "text"),
    "100": (10, 10, "text"),
    "15000": (500, 30, "text"),
}
# Half of the stored groups have the one shape, half the other; each has 10 series.
STORED_SHAPES = ("10x1", "1x10")
SERIES_PER_GROUP = 10
# Pushers of one job have their families in common.
JOBS = 20

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PROTO = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)

# Drawn once: a million calls of random() would take longer than to push a million series.
_random = random.Random(4)
_VALUES = [round(_random.uniform(0, 100000), 3) for _ in range(9973)]


class Values:
    """Numbers that differ from one push to the next."""

    def __init__(self, at=0):
        self.at = at % len(_VALUES)

    def take(self, n):
        at, self.at = self.at, (self.at + n) % len(_VALUES)
        if at + n <= len(_VALUES):
            return tuple(_VALUES[at : at + n])
        return tuple(_VALUES[i % len(_VALUES)] for i in range(at, at + n))


def _varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def _field(number, data):
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _names(job, shape):
    families, series, _ = SHAPES[shape]
    stem = f"nightly_{job:02d}_{shape.replace('-', '_')}_rows"
    labels = [("table", f"orders_{i:02d}") for i in range(series)]
    return [f"{stem}_{i:03d}" for i in range(families)], labels


def _text_template(job, shape):
    names, labels = _names(job, shape)
    lines = []
    for name in names:
        lines += [f"# HELP {name} Rows that a table had.", f"# TYPE {name} gauge"]
        lines += [f'{name}{{{k}="{v}"}} %s' for k, v in labels]
    return "\n".join(lines) + "\n"


def _proto_body(job, shape, values):
    names, labels = _names(job, shape)
    out, at = [], 0
    for name in names:
        family = _field(1, name.encode()) + _field(2, b"Rows that a table had.") + b"\x18\x01"
        for key, value in labels:
            pair = _field(1, key.encode()) + _field(2, value.encode())
            gauge = b"\x09" + struct.pack("<d", values[at])
            family += _field(4, _field(1, pair) + _field(2, gauge))
            at += 1
        out.append(_varint(len(family)) + family)
    return b"".join(out)


_templates = {}


def body(job, shape, values):
    families, series, form = SHAPES[shape]
    drawn = values.take(families * series)
    if form == "proto":
        return _proto_body(job, shape, drawn)
    template = _templates.get((job, shape))
    if template is None:
        template = _templates[job, shape] = _text_template(job, shape)
    return (template % drawn).encode()


class Group:
    """One pusher."""

    __slots__ = ("job", "instance", "shape")

    def __init__(self, job, instance, shape):
        self.job, self.instance, self.shape = job, instance, shape

    def path(self):
        return f"/metrics/job/nightly-{self.job:02d}/instance/{self.instance}"

    def put(self, values, close=False):
        data = body(self.job, self.shape, values)
        kind = PROTO if SHAPES[self.shape][2] == "proto" else TEXT
        return request("PUT", self.path(), close, kind, data)

    def delete(self, close=False):
        return request("DELETE", self.path(), close)


def request(method, path, close=False, kind=None, data=b"", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *headers]
    if close:
        lines.append("Connection: close")
    if kind:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + data


def stored_group(i):
    """The i-th of the groups that fill the store."""
    return Group(i // 2 % JOBS, f"host-{i:07d}.example", STORED_SHAPES[i % 2])


def some_stored(n_stored, shape, most):
    """Groups of a shape, or of any shape (None), spread over the store."""
    groups = range(n_stored // SERIES_PER_GROUP)
    if shape is not None:
        groups = groups[STORED_SHAPES.index(shape) :: 2]
    step = max(1, len(groups) // most)
    picked = list(groups[::step][:most])
    random.Random(7).shuffle(picked)
    return [stored_group(i) for i in picked]


def extra_groups(shape, n):
    """Groups that are not part of what is stored."""
    return [Group(i % JOBS, f"extra-{i:07d}.example", shape) for i in range(n)]


def write_requests(path, requests):
    """Returns how many requests it has written."""
    n = 0
    with open(path, "wb") as f:
        for r in requests:
            f.write(struct.pack("<I", len(r)))
            f.write(r)
            n += 1
    return n
