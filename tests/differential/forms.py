"""Scrapes of every form that can be asked for, and the JSON of the API, each as something to compare.

Plain text 0.0.4 is compared line by line in every sequence (canonical.py). Here are the other forms, compared
by family, without the own metrics of either gateway, and with times reduced to zero and non-zero."""
import json
import math
import re
import struct
import zlib

from . import canonical, native, protobuf

_TIME_VALUE = re.compile(rb"[0-9.]+e\+09|[1-9][0-9]{9,}(?:\.[0-9]+)?")
_HEADER = re.compile(rb'# (?:HELP|TYPE) ("(?:[^"\\]|\\.)*"|[^ ]+)')
_BARRIER = b"differential-barrier"


class Unreadable(Exception):
    """A body that is not what its Content-Type says."""


def plain(reply):
    """The body without its Content-Encoding."""
    coding = reply.headers.get("content-encoding", "identity")
    if coding == "gzip":
        return zlib.decompress(reply.body, wbits=31)
    if coding != "identity":
        raise Unreadable(f"Content-Encoding: {coding}")
    return reply.body


def of(reply, is_go):
    """{family: what it holds}; None where only the headers can be compared."""
    kind = reply.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return of_json(reply.body)
    if kind.startswith("text/plain; version="):
        return _of_text(plain(reply))
    if kind.startswith("application/vnd.google.protobuf") and "encoding=delimited" in kind:
        return _of_protobuf(plain(reply), is_go)
    return None


def _is_own(name):
    return name.strip(b'"').startswith((*canonical.OWN, *(b"U__" + own.replace(b"_", b"__")
                                                          for own in canonical.OWN)))


def _is_time(name):
    return re.fullmatch(rb'"?(?:U__)?push_+(?:failure_+)?time_+seconds"?', name)


def _of_text(body):
    """Names may be escaped in any way, so a family is the lines between two headers."""
    families, name = {}, None
    if body and not body.endswith(b"\n"):
        raise Unreadable("the last line has no end")
    for line in body.split(b"\n")[:-1]:
        header = _HEADER.match(line)
        name = header[1] if header else name
        if name is None:
            raise Unreadable(f"a sample before any header: {line!r}")
        # Help is compared in text 0.0.4, since groups may differ in it.
        if _is_own(name) or line.startswith(b"# HELP"):
            continue
        if _is_time(name):
            if _BARRIER in line:
                continue
            line = _TIME_VALUE.sub(b"non-zero", line)
        families.setdefault(name, []).append(line)
    return {name: sorted(lines) for name, lines in families.items()}


def _of_protobuf(body, drops):
    parts, _ = protobuf.split(body)
    if protobuf.join(parts) != body:
        raise Unreadable("not delimited messages")
    found = {}
    for part in parts:
        family = protobuf.families(protobuf.join([part]))[0]
        if not _is_own(family.name):
            metrics = [_metric(m, family, drops) for m in family.metrics]
            found[family.name] = [family.kind, sorted(m for m in metrics if _BARRIER not in m)]
    return found


def _metric(fields, family, drops):
    """A metric as readers see it: fields in any order, and numbers that are 0 and empty strings as good as absent."""
    if _is_time(family.name):
        for value in (v for f in fields if f.number == 2 for v in f.value if v.value != bytes(8)):
            value.value = struct.pack("<d", 1.0)
    _unpack_native(fields)
    if drops:
        # Only fields that ours knows, and of several values the one of the family's type.
        fields = [f for f in fields if isinstance(f.value, list) and f.number in (1, protobuf.VALUE_FIELD[family.kind])]
        _drop_unknown(fields, _KNOWN)
    return protobuf.encode(_ordered(fields))


# For each message inside of a metric: its largest field number, and the messages in it.
_STAMP, _LABEL = (2, {}), (2, {})
_EXEMPLAR = (3, {1: _LABEL, 3: _STAMP})
_KNOWN = {1: _LABEL, 2: (1, {}), 3: (3, {2: _EXEMPLAR, 3: _STAMP}), 4: (4, {3: (2, {}), 4: _STAMP}), 5: (1, {}),
          7: (16, {3: (4, {}), 9: (2, {}), 12: (2, {}), 15: _STAMP, 16: _EXEMPLAR})}


def _drop_unknown(fields, known):
    for f in (f for f in fields if f.number in known and isinstance(f.value, list)):
        last, inner = known[f.number]
        f.value = [x for x in f.value if x.number <= last]
        _drop_unknown(f.value, inner)


# Fields of a histogram that mean something by their presence: the native ones.
_KEPT = {7: native.NATIVE}


def _ordered(fields, kept=()):
    fields = [f for f in fields if f.number in kept or f.value not in (0, bytes(8), b"")]
    for f in fields:
        if isinstance(f.value, list):
            f.value = _ordered(f.value, _KEPT.get(f.number, ()))
        elif f.wire == 1 and math.isnan(struct.unpack("<d", f.value)[0]):
            f.value = struct.pack("<d", math.nan)  # NaN has many forms
    return sorted(fields, key=lambda f: f.number)


def _unpack_native(fields):
    """Makes one field of each number in lists."""
    for histogram in (f for f in fields if f.number == 7 and isinstance(f.value, list)):
        histogram.value = native.unpacked(histogram.value)


def of_json(body):
    """The groups of /api/v1/metrics by their labels."""
    answer = json.loads(body)
    if not isinstance(answer.get("data"), list):
        return None
    groups = {}
    for group in answer["data"]:
        labels = json.dumps(group.get("labels"), sort_keys=True)
        if _BARRIER.decode() in labels:
            continue
        # Ours does not keep a family without a name and without metrics.
        group.pop("", None)
        # Only ours has this key, and shows no family of that name here.
        group.pop("last_push_error", None)
        for name, family in group.items():
            if not isinstance(family, dict):
                continue
            family.pop("time_stamp", None)
            # The order of the metrics in a family is not fixed.
            family.get("metrics", []).sort(key=lambda metric: json.dumps(metric["labels"], sort_keys=True))
            if name in ("push_time_seconds", "push_failure_time_seconds"):
                for metric in family.get("metrics", []):
                    metric["value"] = "0" if metric.get("value") == "0" else "non-zero"
        groups[labels.encode()] = json.dumps(group, sort_keys=True)
    return groups


def disagreement(go, ours):
    """None, or (name, Go's, ours) of the first thing that differs. Raises Unreadable for ours."""
    try:
        a = of(go, True)
    except Unreadable:
        return None  # Go's text 0.0.4 is broken as well, and that is looked at after the step that broke it
    b = of(ours, False)
    if a is None or b is None or a == b:
        return None
    name = next(n for n in sorted({*a, *b}) if a.get(n) != b.get(n))
    return name, a.get(name), b.get(name)
