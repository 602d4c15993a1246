"""Scrapes of every form that can be asked for, and the JSON of the API, each as something to compare.

Plain text 0.0.4 is compared line by line in every sequence (canonical.py). Here are the others: by
family, without our own and the Go gateway's, times reduced to zero and non-zero."""
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
    """Not what its type says."""


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
    """Names may be escaped in any way, so that a family is what stands between two headers."""
    families, name = {}, None
    if body and not body.endswith(b"\n"):
        raise Unreadable("the last line has no end")
    for line in body.split(b"\n")[:-1]:
        header = _HEADER.match(line)
        name = header[1] if header else name
        if name is None:
            raise Unreadable(f"a sample before any header: {line!r}")
        # Which help is shown when groups differ is compared in text 0.0.4.
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
    """As any reader sees it: fields in any order, numbers that are 0 and empty strings there or not."""
    if _is_time(family.name):
        for value in (v for f in fields if f.number == 2 for v in f.value if v.value != bytes(8)):
            value.value = struct.pack("<d", 1.0)
    _unpack_native(fields)
    if drops:
        # What we understood, and of several values the one of the family's type.
        fields = [f for f in fields if isinstance(f.value, list) and f.number in (1, protobuf.VALUE_FIELD[family.kind])]
        _drop_unknown(fields, _KNOWN)
    return protobuf.encode(_ordered(fields))


# Of each message inside of a metric: its largest field number, and the messages in it.
_STAMP, _LABEL = (2, {}), (2, {})
_EXEMPLAR = (3, {1: _LABEL, 3: _STAMP})
_KNOWN = {1: _LABEL, 2: (1, {}), 3: (3, {2: _EXEMPLAR, 3: _STAMP}), 4: (4, {3: (2, {}), 4: _STAMP}), 5: (1, {}),
          7: (16, {3: (4, {}), 9: (2, {}), 12: (2, {}), 15: _STAMP, 16: _EXEMPLAR})}


def _drop_unknown(fields, known):
    for f in (f for f in fields if f.number in known and isinstance(f.value, list)):
        last, inner = known[f.number]
        f.value = [x for x in f.value if x.number <= last]
        _drop_unknown(f.value, inner)


# Of a histogram: its native fields say something by being there.
_KEPT = {7: native.NATIVE}


def _ordered(fields, kept=()):
    fields = [f for f in fields if f.number in kept or f.value not in (0, bytes(8), b"")]
    for f in fields:
        if isinstance(f.value, list):
            f.value = _ordered(f.value, _KEPT.get(f.number, ()))
        elif f.wire == 1 and math.isnan(struct.unpack("<d", f.value)[0]):
            f.value = struct.pack("<d", math.nan)  # one of many
    return sorted(fields, key=lambda f: f.number)


def _unpack_native(fields):
    """Lists of numbers as one field each."""
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
        # One without a name and without metrics; ours does not keep it.
        group.pop("", None)
        # Ours alone; a family of that name is not shown there.
        group.pop("last_push_error", None)
        for name, family in group.items():
            if not isinstance(family, dict):
                continue
            family.pop("time_stamp", None)
            # Inside a family the order is ours to choose.
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
        return None  # its text 0.0.4 is broken as well, which is looked at where it broke
    b = of(ours, False)
    if a is None or b is None or a == b:
        return None
    name = next(n for n in sorted({*a, *b}) if a.get(n) != b.get(n))
    return name, a.get(name), b.get(name)
