"""What a sequence is made of.

A part makes one step. Steps that not every build answers are behind a switch: a new switch is a line in PARTS (or a
name that a part looks for in ctx.switches) and a name in SWITCHES. Flags that a switch needs on both
gateways are in FLAGS. Those not in DEFAULT are for --with.
"""
import dataclasses
import gzip
import random

import messages as pb

from . import endpoints, mutate, paths, proto_bodies, text_bodies, words
from .features import understood
from .step import Step, grouping_key

TEXT_TYPES = [None, "text/plain; version=0.0.4; charset=utf-8", "application/x-www-form-urlencoded", "text/plain",
              "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text", "", ";;",
              "application/json"]


@dataclasses.dataclass
class Context:
    groups: list
    features: set
    switches: set
    bodies: list = dataclasses.field(default_factory=list)  # (is protobuf, body) of the pushes so far


def _path(rng, ctx):
    return paths.odd(rng) if rng.random() < 0.05 else rng.choice(ctx.groups)


def _text(rng, ctx):
    return text_bodies.generate(rng, ctx.features, "utf8-names" in ctx.switches)


def _body(rng, ctx, wants_proto):
    earlier = [body for is_proto, body in ctx.bodies if is_proto == wants_proto]
    if earlier and rng.random() < 0.25:
        body = rng.choice(earlier)
    else:
        body = proto_bodies.generate(rng) if wants_proto else _text(rng, ctx)
    ctx.bodies.append((wants_proto, body))
    if rng.random() < 0.2:
        body = mutate.proto(rng, body) if wants_proto else mutate.text(rng, body)
    return body


def _push(rng, ctx, wants_proto):
    body = _body(rng, ctx, wants_proto)
    kind = pb.CONTENT_TYPE if wants_proto else rng.choice(TEXT_TYPES)
    headers = [("Content-Type", kind)] if kind is not None else []
    if "gzip" in ctx.switches and rng.random() < 0.1:
        headers.append(("Content-Encoding", rng.choice(["gzip", "GZIP"])))
        body = gzip.compress(body, mtime=0)
    return Step(rng.choice(["PUT", "POST", "POST"]), _path(rng, ctx), body, tuple(headers),
                chunked=rng.random() < 0.1)


def push_text(rng, ctx):
    return _push(rng, ctx, False)


def push_proto(rng, ctx):
    return _push(rng, ctx, True)


def push_shared(rng, ctx):
    """Pushes a series that another group may have as well: the body has labels of other groups that the path lacks."""
    path = rng.choice(ctx.groups)
    own = grouping_key(path) or {}
    others = {n: v for key in map(grouping_key, ctx.groups) if key for n, v in key.items() if n not in own}
    labels = [(n, v) for n, v in others.items() if words.is_classic(n.decode(errors="replace")) and b"\n" not in v]
    if rng.random() < 0.2:
        labels.append((b"c", b"1"))
    name = rng.choice([b"a", b"b"])
    pairs = b",".join(b'%b="%b"' % (n, v.replace(b"\\", b"\\\\").replace(b'"', b'\\"')) for n, v in labels)
    return Step(rng.choice(["PUT", "POST", "POST"]), path, b"# TYPE %b gauge\n%b{%b} 1\n" % (name, name, pairs))


def delete(rng, ctx):
    return Step("DELETE", _path(rng, ctx), b"ignored" if rng.random() < 0.1 else b"")


def delete_of_stored(rng, ctx):
    """Deletes a group: the names and series that it had are free again, and what it hid is shown."""
    return Step("DELETE", rng.choice(ctx.groups))


# (weight, part, switch that it needs)
PARTS = [
    (52, push_text, None),
    (26, push_proto, None),
    (5, push_shared, None),
    (4, delete, None),
    (7, delete_of_stored, None),
    (3, endpoints.other, None),
    (1.5, endpoints.raw, "wire"),
    (3, endpoints.slashes_and_cases, "router-redirects"),
    (1, endpoints.api_unknown, "api-unknown"),
    (6, endpoints.scrape, "negotiation"),
    (4, endpoints.api_metrics, "api-metrics"),
    (0.5, endpoints.html, "html"),
    (0.5, endpoints.quit_refused, "quit"),
    (2, endpoints.wipe, "wipe"),
]
SWITCHES = {
    "wire": "malformed and unusual HTTP",
    "gzip": "bodies with Content-Encoding: gzip",
    "router-redirects": "redirects for trailing slashes and upper case",
    "negotiation": "scrapes with Accept and Accept-Encoding",
    "api-metrics": "GET /api/v1/metrics",
    "quit": "/-/quit where it is not enabled",
    "wipe": "both with --web.enable-admin-api",
    "html": "status and headers of the status page",
    "utf8-names": "both with --push.enable-utf8-names, and names that need it",
    "api-unknown": "OPTIONS and others of unknown paths below /api/v1",
}
DEFAULT = set(SWITCHES) - {"utf8-names"}
FLAGS = {"utf8-names": ["--push.enable-utf8-names"], "wipe": ["--web.enable-admin-api"]}


def generate(seed, features, switches):
    """The steps of one sequence; the same ones for the same seed."""
    rng = random.Random(seed)
    groups = [paths.group(rng, "utf8-names" in switches) for _ in range(rng.choice([1, 2, 2, 3, 4]))]
    if rng.random() < 0.3:
        groups.append(groups[0] + rng.choice([b"/a/1", b"/zone/x", b"/instance/i", b"/b/2/c/3"]))
    ctx = Context(groups, features, switches)
    parts = [p for p in PARTS if p[2] is None or p[2] in switches]
    weights = [weight for weight, _, _ in parts]
    return [_step(rng, ctx, parts, weights) for _ in range(rng.choice([2, 4, 6, 8, 12]))]


def _step(rng, ctx, parts, weights):
    while True:
        step = rng.choices(parts, weights)[0][1](rng, ctx)
        if understood(step, ctx.features):
            return step
