"""Whether two replies, or two scrapes, say the same."""
import dataclasses
import re

from . import forms

HEADERS = ("content-type", "x-content-type-options", "allow", "location", "access-control-allow-origin",
           "content-encoding", "access-control-allow-methods", "access-control-allow-headers",
           "access-control-expose-headers", "cache-control")
HELP = "help in the scrape"
INVALID = b"pushed metrics are invalid or inconsistent with existing metrics: "
# Messages of the Go gateway about well-formed pushes; details between braces are its debug dump.
KINDS = {
    "timestamps": rb"pushed metrics must not have timestamps",
    "twice": rb"was collected before with the same name and label values",
    "type": rb"is not a [A-Z_]+",
    "suffix": rb"collides with previously collected",
    "label twice": rb"has two or more labels with the same name|has a label with an empty name",
    "label name": rb"has a label with an invalid name",
    "quantile": rb'must not have an explicit "quantile" label',
    "utf8": rb"whose value is not utf8",
    "own": rb"gathered metric family",
}


@dataclasses.dataclass
class Disagreement:
    what: str  # the class of the disagreement, which stays the same when the sequence is made smaller
    go: object
    ours: object
    detail: str = ""

    def __str__(self):
        detail = f"\n    {self.detail}" if self.detail else ""
        return f"{self.what}\n    Go:   {self.go}\n    ours: {self.ours}{detail}"


_ESCAPE = re.compile(rb"(invalid escape sequence '\\)([\x00-\x1f\x7f]|\xc2[\x80-\xa0\xad])'")
_SHORT = {b"\n": b"\\n", b"\t": b"\\t", b"\r": b"\\r", b"\a": b"\\a", b"\b": b"\\b", b"\v": b"\\v", b"\f": b"\\f"}


def _spelled(char):
    if char in _SHORT:
        return _SHORT[char]
    return b"\\u%04x" % ord(char.decode()) if len(char) > 1 else b"\\x%02x" % char[0]


def _same_text(go, ours):
    """Compares texts of which ours cuts long quotes."""
    end = b'..."\n'
    return go == ours or (len(ours) > 300 and ours.endswith(end) and go.startswith(ours[:-len(end)]))


def kinds(text):
    return {kind for kind, pattern in KINDS.items() if re.search(pattern, text)}


def of_http_layer(reply):
    """Whether the HTTP library refused the request: text and headers are then the library's."""
    return reply.status in (417, 501, 505) or reply.body.startswith(b"400 Bad Request")


# What ours appends to messages about common mistakes in a body (format/text/mistakes.c).
_MISTAKES = re.compile(rb": (?:the last line has no line feed; with curl use --data-binary|the line ends in CR LF, end lines in LF alone|"
                       rb"the body begins with a byte order mark \(BOM\), leave it out|the body is UTF-16, send UTF-8)\n\Z")


def _stable(text):
    """The part of an error that a client may rely on."""
    text = _MISTAKES.sub(b"\n", text)
    text = text.partition(b": illegal base64 data")[0]
    # Ours spells out control characters, so that a message is one line.
    text = _ESCAPE.sub(lambda m: m[1] + _spelled(m[2]) + b"'", text)
    if text.startswith((b"text format parsing error", b"improper label", b"odd number", b"invalid base64", b"job name",
                        b"404 page", b"Method Not", b"OK", b"Lifecycle", b"Only POST", b"Requesting")):
        return text
    return b""


def replies(go, ours):
    """None, or how two replies to one request differ."""
    if go.status == ours.status and (of_http_layer(go) or of_http_layer(ours)):
        return None
    if go.status != ours.status:
        return Disagreement(f"status {go.status or 'closed'} and {ours.status or 'closed'}", go, ours)
    if go.body.startswith(INVALID) or ours.body.startswith(INVALID):
        if not (go.body.startswith(INVALID) and ours.body.startswith(INVALID)):
            return Disagreement("one finds the push inconsistent", go, ours)
        if not kinds(ours.body) & kinds(go.body):
            return Disagreement(f"reason {'/'.join(sorted(kinds(go.body)))}", go, ours)
    elif not _same_text(_stable(go.body), _stable(ours.body)):
        return Disagreement(f"text of {go.status}", go, ours)
    for name in HEADERS:
        if name == "location" and go.status not in (301, 307):
            continue
        if go.headers.get(name) != ours.headers.get(name):
            return Disagreement(f"header {name} of {go.status}", go, ours,
                                f"{name}: {go.headers.get(name)!r} and {ours.headers.get(name)!r}")
    return _forms(go, ours) if go.status == 200 else None


def _forms(go, ours):
    try:
        found = forms.disagreement(go, ours)
    except (forms.Unreadable, ValueError) as unreadable:
        return Disagreement("cannot read ours", go, ours, str(unreadable))
    return found and Disagreement(f"body of type {go.headers.get('content-type')}", found[1], found[2],
                                  repr(found[0]))


def _first_difference(go, ours):
    for a, b in zip(go, ours):
        if a != b:
            return a, b
    return (go[len(ours):] or [None])[0], (ours[len(go):] or [None])[0]


def scrapes(go, ours):
    """How two canonical scrapes differ, family by family: (name, disagreement)."""
    for name in sorted({*go, *ours}):
        a, b = go.get(name), ours.get(name)
        if not a or not b:
            yield name, Disagreement(f"family only with {'Go' if a else 'us'}", a, b, repr(name))
        elif a.kind != b.kind:
            yield name, Disagreement("type in the scrape", a.kind, b.kind, repr(name))
        elif a.canonical() != b.canonical():
            lines = _first_difference(a.canonical()[1], b.canonical()[1])
            yield name, Disagreement("lines in the scrape", *lines, repr(name))
        elif a.help != b.help:
            yield name, Disagreement(HELP, a.help, b.help, repr(name))
