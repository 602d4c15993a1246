"""Whether a native histogram is consistent. Ours refuses one that is not, because Prometheus drops it, or the
whole scrape."""
import math
import struct

from . import protobuf

# Fields of a histogram, schema to positive counts, and their wire types once they are unpacked.
NATIVE = {5: 0, 6: 1, 7: 0, 8: 1, 9: 2, 10: 0, 11: 1, 12: 2, 13: 0, 14: 1}
_OTHERS = {1: 0, 2: 1, 4: 1}
_INTEGERS, _DOUBLES = (10, 13), (11, 14)


def unpacked(fields):
    """The fields, with one for each number of a list, and without fields of another wire type: these
    are unknown to a reader, and only the Go gateway passes them on."""
    known = {**NATIVE, **_OTHERS}
    return [one for f in fields for one in _unpack(f) if known.get(one.number, one.wire) == one.wire]


def _unpack(field):
    if field.wire != 2 or field.number not in _INTEGERS + _DOUBLES:
        return [field]
    if field.number in _DOUBLES:
        return [protobuf.Field(field.number, 1, field.value[i:i + 8]) for i in range(0, len(field.value), 8)]
    return [protobuf.Field(field.number, 0, n) for n in protobuf.varints(field.value)]


def is_native(field):
    """The field is one of NATIVE, with the wire type that readers expect."""
    return NATIVE.get(field.number) == field.wire


def _zigzag(n):
    return n >> 1 ^ -(n & 1)


def _double(data):
    return struct.unpack("<d", data)[0]


def _spans(fields, number):
    spans = [{f.number: f.value for f in span.value if f.wire == 0} for span in fields if span.number == number]
    return [(_zigzag(s.get(1, 0)), s.get(2, 0)) for s in spans]


def _one(fields, number, read, default):
    return next((read(f.value) for f in reversed(fields) if f.number == number), default)


def is_consistent(histogram):
    """histogram: the unpacked fields of a Histogram message."""
    histogram = [f for f in histogram if is_native(f) or _OTHERS.get(f.number) == f.wire]
    if not any(map(is_native, histogram)):
        return True
    schema = _one(histogram, 5, _zigzag, 0)
    if not -4 <= schema <= 8 or not _one(histogram, 6, _double, 0.0) >= 0:
        return False
    count_float, zero_float = (_one(histogram, n, _double, 0.0) for n in (4, 8))
    if count_float > 0 or zero_float > 0:
        sides = [(9, 11), (12, 14)]
        counts = [[_double(f.value) for f in histogram if f.number == n] for _, n in sides]
        good = zero_float >= 0 and count_float >= 0
    else:
        sides = [(9, 10), (12, 13)]
        counts = [_running(_zigzag(f.value) for f in histogram if f.number == n) for _, n in sides]
        total = sum(map(sum, counts)) + _one(histogram, 7, int, 0)
        count, is_nan = _one(histogram, 1, int, 0), math.isnan(_one(histogram, 2, _double, 0.0))
        good = total <= count if is_nan else total == count
    return good and all(c >= 0 for side in counts for c in side) and all(
        _fits(_spans(histogram, spans), len(side)) for (spans, _), side in zip(sides, counts))


def _running(deltas):
    counts, n = [], 0
    for delta in deltas:
        n += delta
        counts.append(n)
    return counts


def _fits(spans, n):
    return all(offset >= 0 for offset, _ in spans[1:]) and sum(length for _, length in spans) == n
