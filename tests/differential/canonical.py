"""A scrape in a form that two gateways have to agree on. Reading it also checks that it is a valid scrape."""
import dataclasses
import re

OWN = (b"go_", b"process_", b"pushgateway_")
TIMES = (b"push_time_seconds", b"push_failure_time_seconds")
_BARRIER = b'job="differential-barrier"'

_LABEL = rb'[a-zA-Z_:][a-zA-Z0-9_:]*="(?:[^"\\\n]|\\[\\n"])*"'
_SAMPLE = re.compile(rb"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(" + _LABEL + rb"(?:," + _LABEL + rb")*)\})? (\S+)")
_LAST_BOUND = re.compile(rb',?(?:le|quantile)="[^"]*"$')
_VALUE = re.compile(rb"NaN|[+-]Inf|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-][0-9]{2,})?")
_HEADER = re.compile(rb"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)", re.DOTALL)
_SUFFIXES = {b"summary": (b"", b"_sum", b"_count"), b"histogram": (b"_bucket", b"_sum", b"_count")}


class Broken(Exception):
    """Prometheus could not read this scrape."""


@dataclasses.dataclass
class Family:
    name: bytes
    kind: bytes = None
    help: bytes = None
    # The lines of one metric stay together and in order: (labels without bound, lines).
    blocks: dict = dataclasses.field(default_factory=dict)

    def canonical(self):
        return self.kind, tuple(sorted(self.blocks.items()))


def one_replacement(help):
    """Prometheus wants UTF-8: bytes that are not become one mark, however each side writes them."""
    return re.sub("\ufffd+", "\ufffd", help.decode(errors="replace")).encode() if help else help


def _add_header(families, what, name, text):
    family = next(reversed(families.values()), None)
    if not family or family.name != name or family.kind is not None:
        if name in families:
            raise Broken(f"two headers of {name!r}")
        family = families[name] = Family(name)
    if what == b"TYPE":
        if text not in (b"counter", b"gauge", b"summary", b"untyped", b"histogram"):
            raise Broken(f"type {text!r}")
        family.kind = text
    elif family.help is None:
        family.help = one_replacement(text)
    else:
        raise Broken(f"two HELP lines of {name!r}")


def _add_sample(family, line, found):
    name, labels, value = found[1], found[2] or b"", found[3]
    if not family or family.kind is None:
        raise Broken(f"no TYPE before {line!r}")
    suffixes = _SUFFIXES.get(family.kind, (b"",))
    if not name.startswith(family.name) or name[len(family.name):] not in suffixes:
        raise Broken(f"{name!r} in family {family.name!r}")
    if not _VALUE.fullmatch(value):
        raise Broken(f"value {value!r}")
    names = re.findall(rb'([a-zA-Z_:][a-zA-Z0-9_:]*)="(?:[^"\\\n]|\\.)*"', labels)
    if len(set(names)) != len(names):
        raise Broken(f"a label twice: {line!r}")
    if family.kind in _SUFFIXES:
        own = _LAST_BOUND.sub(b"", labels) if name.endswith((b"_bucket", family.name)) else labels
    else:
        own = labels
        if own in family.blocks:
            raise Broken(f"a series twice: {line!r}")
    family.blocks[own] = family.blocks.get(own, ()) + (name[len(family.name):] + b"{" + labels + b"} " + value,)


def families_of(body, in_order):
    """The families of a scrape by name, the gateway's own included. Raises Broken."""
    try:
        body.decode()
    except UnicodeDecodeError:
        # The Go gateway exposes a help text that is not UTF-8 as it is.
        if any(b"\n# HELP" not in b"\n" + x for x in body.split(b"\n") if not is_utf8(x)):
            raise Broken("not UTF-8") from None
    lines = body.split(b"\n")
    if lines.pop():
        raise Broken("the last line has no end")
    if not lines:
        raise Broken("empty")
    families = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header:
            _add_header(families, header[1], header[2], header[3])
            continue
        found = _SAMPLE.fullmatch(line)
        if not found:
            raise Broken(f"not a sample: {line[:200]!r}")
        _add_sample(next(reversed(families.values()), None), line, found)
    for family in families.values():
        if family.kind is None or not family.blocks:
            raise Broken(f"{family.name!r} has no samples")
    if in_order and list(families) != sorted(families):
        raise Broken("families are not sorted by name")
    return families


def is_utf8(line):
    try:
        line.decode()
        return True
    except UnicodeDecodeError:
        return False


def _time_line(line):
    labels, _, value = line.rpartition(b" ")
    return labels + (b" 0" if value == b"0" else b" non-zero")


def canonical(reply, in_order=True):
    """What was pushed, by family. Raises Broken when the reply is not a valid scrape. in_order: families are
    sorted; the Go gateway sorts by the names before they are escaped."""
    if reply.status != 200:
        raise Broken(f"status {reply.status}: {reply.body[:400]!r}")
    kept = {}
    for name, family in families_of(reply.body, in_order).items():
        if name.startswith(OWN):
            continue
        if name in TIMES:
            family.blocks = {own: tuple(map(_time_line, lines)) for own, lines in family.blocks.items()
                             if _BARRIER not in own}
        if family.blocks:
            kept[name] = family
    return kept
