"""Bodies of delimited protobuf: families as clients write them, and what no client would."""
import math

import messages as pb

from . import words

KINDS = {"counter": pb.COUNTER, "gauge": pb.GAUGE, "summary": pb.SUMMARY, "untyped": pb.UNTYPED,
         "histogram": pb.HISTOGRAM, "gaugehistogram": pb.GAUGE_HISTOGRAM}


def _double(rng):
    roll = rng.random()
    if roll < 0.5:
        return float(rng.randrange(-5, 2000000))
    if roll < 0.9:
        return words.any_double(rng)
    return rng.choice([0.0, -0.0, math.inf, -math.inf, math.nan])


def _count(rng):
    return rng.choice([0, 1, 2, 7, 12, 1 << 53, (1 << 53) + 1, (1 << 64) - 1, rng.getrandbits(64)])


def _labels(pairs):
    return b"".join(pb.data(1, pb.data(1, n) + pb.data(2, v)) for n, v in pairs)


def _spans(rng, field):
    """The buckets of one side, and how many observations they have."""
    spans = [(rng.randrange(-4, 5) if i == 0 else rng.randrange(0, 4), rng.randrange(1, 4))
             for i in range(rng.randrange(1, 3))]
    counts = [rng.randrange(0, 5) for _ in range(sum(n for _, n in spans))]
    deltas = [b - a for a, b in zip([0, *counts], counts)]
    data = b"".join(pb.data(field, pb.signed(1, o) + pb.integer(2, n)) for o, n in spans)
    return data + pb.packed(field + 1, deltas), sum(counts)


def _native(rng):
    """The native part of a histogram, whose count is written before."""
    zeros = rng.randrange(4)
    out = pb.signed(5, rng.randrange(-4, 9)) + pb.double(6, rng.choice([0.0, 1e-128, 0.001])) + pb.integer(7, zeros)
    count = zeros
    for field, share in ((12, 0.8), (9, 0.3)):
        if rng.random() < share:
            data, n = _spans(rng, field)
            out, count = out + data, count + n
    return out if rng.random() < 0.15 else pb.integer(1, count) + out


def _histogram(rng):
    bounds = sorted(rng.sample([-1.0, 0.5, 1.0, 2.0, 5.0, 10.0, math.inf], rng.randrange(5)))
    n, inner = 0, b""
    for bound in bounds:
        n += rng.randrange(4)
        inner += pb.data(3, pb.integer(1, n) + pb.double(2, bound))
    if rng.random() < 0.1:
        inner += pb.data(3, pb.double(2, _double(rng)) + (pb.double(4, _double(rng)) if rng.random() < 0.3 else b""))
    count = pb.integer(1, n + rng.randrange(3)) if rng.random() < 0.9 else pb.double(4, abs(_double(rng)))
    return pb.data(7, count + pb.double(2, _double(rng)) + inner + (_native(rng) if rng.random() < 0.25 else b""))


def _summary(rng):
    inner = b"".join(pb.data(3, pb.double(1, float(rng.choice(words.QUANTILES))) + pb.double(2, _double(rng)))
                     for _ in range(rng.randrange(4)))
    return pb.data(4, pb.integer(1, _count(rng)) + pb.double(2, _double(rng)) + inner)


def _exemplar(rng):
    return pb.data(2, pb.labels(trace="1") + pb.double(2, _double(rng)))


_VALUES = {
    "counter": lambda rng: pb.data(3, pb.double(1, _double(rng)) + (_exemplar(rng) if rng.random() < 0.2 else b"")),
    "gauge": lambda rng: pb.data(2, pb.double(1, _double(rng)) if rng.random() < 0.95 else b""),
    "untyped": lambda rng: pb.data(5, pb.double(1, _double(rng))),
    "summary": _summary,
    "histogram": _histogram,
    "gaugehistogram": _histogram,
}


def family(rng, odd):
    """odd: how often the family has something that clients never send."""
    # Few families get names that are exposed as the same name: a sequence ends there.
    name = rng.choice(words.UTF8_NAMES) if rng.random() < odd / 3 else words.name(rng)
    kind = words.family_type(rng)
    metrics, seen = [], set()
    for _ in range(rng.choice([1, 1, 2, 3])):
        pairs = words.label_pairs(rng, words.LABELS + words.UTF8_LABELS if rng.random() < odd / 3 else words.LABELS,
                                  reserved=words.RESERVED.get(kind))
        if rng.random() < odd / 10:
            pairs.append((rng.choice(["__x", "", b"\xff", "a"]), rng.choice(["x", b"\xff"])))
        seen_key = tuple(sorted((str(n), str(v)) for n, v in pairs))
        if seen_key in seen and rng.random() < 0.95:
            continue
        seen.add(seen_key)
        value = _VALUES[rng.choice(words.TYPES) if rng.random() < odd / 10 else kind](rng)
        stamp = pb.integer(6, rng.choice([0, 5])) if rng.random() < odd / 15 else b""
        metrics.append(_labels(pairs) + value + stamp)
    if rng.random() < odd / 8:
        metrics = []
    help = rng.choice(words.HELPS) if rng.random() < 0.7 else None
    if rng.random() < odd / 40:
        name, kind = rng.choice([("", kind), (None, kind), (name, None)])
    number = KINDS[kind] if kind else rng.choice([None, 77, 6])
    message = pb.message(name, number, *metrics, help=help)
    if rng.random() < 0.1:
        message += pb.data(5, "seconds") + (pb.data(99, "x") if rng.random() < 0.5 else b"")
    return pb.delimited(message)


def generate(rng):
    odd = rng.choice([0, 0, 0.3, 1])
    return b"".join(family(rng, odd) for _ in range(rng.choice([0, 1, 1, 2, 3])))
