"""Takes delimited MetricFamily messages apart: for shrinking, for mutations, and for telling
what was in a push. Messages that cannot be read are left out."""
import dataclasses
import struct

import messages as pb

TYPE_NAMES = {0: b"counter", 1: b"gauge", 2: b"summary", 3: b"untyped", 4: b"histogram",
              5: b"gaugehistogram"}
VALUE_FIELD = {0: 3, 1: 2, 2: 4, 3: 5, 4: 7, 5: 7}
# A schema: the fields that are messages, by number, with the schema of each.
_LABEL = {}
_SUMMARY = {3: {}}
_HISTOGRAM = {3: {}, 9: {}, 12: {}, 16: {1: {}, 3: {}}, 15: {}}
_METRIC = {1: _LABEL, 2: {}, 3: {2: {1: {}, 3: {}}}, 4: _SUMMARY, 5: {}, 7: _HISTOGRAM}
FAMILY = {4: _METRIC}


@dataclasses.dataclass
class Field:
    number: int
    wire: int
    # Bytes, int, or a list of Field for a message that could be read.
    value: object

    def encode(self):
        tag = pb.varint(self.number << 3 | self.wire)
        if self.wire == 0:
            return tag + pb.varint(self.value)
        if self.wire == 2:
            inner = encode(self.value) if isinstance(self.value, list) else self.value
            return tag + pb.varint(len(inner)) + inner
        return tag + self.value


def encode(fields):
    return b"".join(f.encode() for f in fields)


def _varint(data, at):
    n = shift = 0
    while at < len(data) and shift < 70:
        n |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return n, at
        shift += 7
    raise ValueError("varint")


def varints(data):
    at = 0
    while at < len(data):
        n, at = _varint(data, at)
        yield n


def decode(data, schema):
    """The fields of a message, or ValueError."""
    fields, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            n = 8 if wire == 1 else 4
            value, at = data[at:at + n], at + n
        elif wire == 2:
            n, at = _varint(data, at)
            value, at = data[at:at + n], at + n
        else:
            raise ValueError("wire type")
        if at > len(data):
            raise ValueError("cut off")
        if wire == 2 and number in schema:
            value = decode(value, schema[number])
        fields.append(Field(number, wire, value))
    return fields


def split(body):
    """The messages of a body, and the largest length that any prefix announces."""
    parts, at, largest = [], 0, 0
    while at < len(body):
        try:
            n, at = _varint(body, at)
        except ValueError:
            break
        largest = max(largest, n)
        parts.append(body[at:at + n])
        at += n
    return parts, largest


def join(parts):
    return pb.delimited(*parts)


@dataclasses.dataclass
class Family:
    name: bytes
    kind: int
    metrics: list
    help: bytes

    def label_names(self):
        return {_get(label.value, 1, 2, b"") for m in self.metrics for label in m if _is_label(label)}

    def has_other_values(self):
        """Whether a metric has a value of another type than the family's."""
        return any(f.number in VALUE_FIELD.values() and f.number != VALUE_FIELD.get(self.kind)
                   for m in self.metrics for f in m)

    def lacks_value(self):
        """Whether a metric has no value of the family's type."""
        return any(not any(f.number == VALUE_FIELD.get(self.kind) for f in m) for m in self.metrics)


def _is_label(field):
    return field.number == 1 and isinstance(field.value, list)


def _get(fields, number, wire, default):
    return next((f.value for f in reversed(fields) if (f.number, f.wire) == (number, wire)), default)


def families(body):
    found = []
    for part in split(body)[0]:
        try:
            fields = decode(part, FAMILY)
        except ValueError:
            continue
        metrics = [f.value for f in fields if f.number == 4 and isinstance(f.value, list)]
        found.append(Family(_get(fields, 1, 2, b""), _get(fields, 3, 0, 0), metrics, _get(fields, 2, 2, None)))
    return found
