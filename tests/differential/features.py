"""What a Go gateway understands: an older one only gets requests that mean the same to it."""
import re
from urllib.parse import unquote_to_bytes

from . import protobuf
from .step import Step, grouping_key

# feature: (a push, what a scrape shows of it if the gateway has the feature)
_PROBES = {
    "quoted-names": (b'{"probe"} 1\n', b"\nprobe{"),
    "help-quote": (b'# HELP probe \\"\nprobe 1\n', b'# HELP probe "\n'),
    "gauge-histogram": (b"# TYPE probe gaugehistogram\nprobe_count 1\n", b"\nprobe_count{"),
    "float-histogram": (b"# TYPE probe histogram\nprobe_count 1.5\n", b" 1.5\n"),
}
_PROBE = b"/metrics/job/probe"
_DOTS = b"/metrics/job/%2e%2e"


def of(gateway):
    """The features of a running gateway: those of _PROBES, and new-mux, for the newer cleaning of URLs; escaping,
    for the parameter of that name in a scrape's type, and what came before it; utf8-names, for protobuf whose
    names are not classic."""
    found = set()
    for name, (body, shown) in _PROBES.items():
        gateway.send(Step("PUT", _PROBE, body))
        scrape = gateway.scrape()
        if shown in scrape.body:
            found.add(name)
    if "escaping=" in scrape.headers.get("content-type", ""):
        found |= {"escaping", "utf8-names"}
    if gateway.send(Step("PUT", _DOTS)).status == 200:
        found.add("new-mux")
        gateway.send(Step("DELETE", _DOTS))
    gateway.send(Step("DELETE", _PROBE))
    gateway.barrier()
    return found


def _text(step):
    return b"" if step.is_protobuf else step.content


def _has_quoted_names(step):
    """The step has a quoted string that is not the value of a label, or a name in braces."""
    without_values = re.sub(rb'=[ \t]*"(?:[^"\\\n]|\\.)*("|$)', b"=v", _text(step), flags=re.M)
    return b'"' in without_values or re.search(rb"^[ \t]*\{", without_values, re.M)


def _has_quote_in_comment(step):
    return re.search(rb'^[ \t]*#.*\\"', _text(step), re.M)


def _has_gauge_histogram(step):
    return re.search(rb"gauge_?histogram", _text(step), re.I) or any(f.kind not in range(5) for f in _families(step))


def _has_float_counts(step):
    """The step has a body with histograms, and in it a number that is not a small whole one."""
    if re.search(rb"histogram", _text(step).replace(b"\\", b""), re.I):
        return re.search(rb"^(?![ \t]*#)[^\n]*[^ \t\n](?<![} \t][0-9])(?<![} \t][0-9]{2})$", step.content, re.M)
    histograms = [f.value for family in _families(step) for m in family.metrics for f in m
                  if f.number == 7 and isinstance(f.value, list)]
    return any(f.number > 3 or (f.number == 3 and isinstance(f.value, list) and any(b.number == 4 for b in f.value))
               for h in histograms for f in h)


def _is_odd_protobuf(step):
    """The step has a protobuf body with names that are not classic, with values of another type than the family's, or cut short."""
    names = [n for f in _families(step) for n in (f.name, *f.label_names())]
    if any(not re.fullmatch(rb"[a-zA-Z_:][a-zA-Z0-9_:]*", n) for n in names) or _is_damaged(step):
        return True
    return any(f.lacks_value() or f.has_other_values() for f in _families(step))


def _is_damaged(step):
    return step.is_protobuf and protobuf.join(protobuf.split(step.content)[0]) != step.content


def _is_cleaned_otherwise(step):
    return step.raw or re.search(rb"%2[ef]|//.*%|/\.\.?(/.*)?%", step.path, re.I)


def _hangs(step):
    """A job that is not base64 makes an old gateway keep a lock for ever."""
    return re.search(rb"job(@|%40)base64", step.path, re.I) and grouping_key(step.path) is None


def _is_scrape(step):
    return step.method == "GET" and unquote_to_bytes(step.path).startswith(b"/metrics")


def _families(step):
    return protobuf.families(step.content) if step.is_protobuf else []


# What must not be sent to a gateway that lacks a feature.
_NEEDS = {
    "quoted-names": _has_quoted_names,
    "help-quote": _has_quote_in_comment,
    "gauge-histogram": _has_gauge_histogram,
    "float-histogram": _has_float_counts,
    "utf8-names": _is_odd_protobuf,
    "new-mux": _is_cleaned_otherwise,
    "escaping": lambda step: _hangs(step) or _is_scrape(step) or step.header("Content-Encoding") is not None,
}


def understood(step, features):
    """Whether a gateway with these features takes the step as the newest does. No Go gateway
    takes a protobuf length without that many bytes behind it well: it allocates so much first."""
    if step.is_protobuf and protobuf.split(step.content)[1] >= 1 << 24:
        return False
    return not any(needs(step) for name, needs in _NEEDS.items() if name not in features)
