"""Delimited io.prometheus.client.MetricFamily messages, encoded by hand: tests also send what a correct
encoder would never write. Field numbers are those of proto/metrics.proto."""
import struct

CONTENT_TYPE = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                "encoding=delimited")

COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)


def varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def integer(field, n):
    return varint(field << 3) + varint(n)


def signed(field, n):
    return integer(field, n << 1 ^ n >> 63)


def double(field, x):
    return varint(field << 3 | 1) + struct.pack("<d", x)


def data(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def packed(field, numbers):
    """Signed numbers of a packed field."""
    return data(field, b"".join(varint(n << 1 ^ n >> 63) for n in numbers))


def labels(**pairs):
    return b"".join(data(1, data(1, name) + data(2, value)) for name, value in pairs.items())


def gauge(x, /, **pairs):
    return labels(**pairs) + data(2, double(1, x))


def counter(x, /, **pairs):
    return labels(**pairs) + data(3, double(1, x))


def untyped(x, /, **pairs):
    return labels(**pairs) + data(5, double(1, x))


def summary(count, total, quantiles=(), /, **pairs):
    inner = b"".join(data(3, double(1, q) + double(2, v)) for q, v in quantiles)
    return labels(**pairs) + data(4, integer(1, count) + double(2, total) + inner)


def histogram(count, total, buckets=(), native=b"", /, **pairs):
    inner = b"".join(data(3, integer(1, n) + double(2, bound)) for bound, n in buckets)
    return labels(**pairs) + data(7, integer(1, count) + double(2, total) + inner + native)


def native(schema, zero_count, spans, deltas, zero_threshold=1e-128):
    """The native part of a histogram, its positive side."""
    spans = b"".join(data(12, signed(1, offset) + integer(2, length)) for offset, length in spans)
    return signed(5, schema) + double(6, zero_threshold) + integer(7, zero_count) + spans + packed(13, deltas)


def message(name, kind, *metrics, help=None):
    out = b"" if name is None else data(1, name)
    out += b"" if help is None else data(2, help)
    out += b"" if kind is None else integer(3, kind)
    return out + b"".join(data(4, m) for m in metrics)


def delimited(*messages):
    return b"".join(varint(len(m)) + m for m in messages)


def family(name, kind, *metrics, help=None):
    return delimited(message(name, kind, *metrics, help=help))
