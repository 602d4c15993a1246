"""Where Tallygate differs from the Go gateway on purpose: each rule has a row in README.md, which tests/lint/docs.py
checks. A rule allows nothing but its own difference; any other difference is a disagreement."""
import dataclasses
import json
import re

import messages as pb

from . import canonical, compare, endpoints, native, protobuf
from .step import Step, declared, grouping_key, leaking


@dataclasses.dataclass
class Case:
    """A step, what came before it in its sequence, and its two replies."""
    step: Step
    earlier: list
    go: object
    ours: object

    def statuses(self):
        return self.go.status, self.ours.status

    def key(self):
        return grouping_key(self.step.path) or {}

    def pushes(self):
        return [s for s in [*self.earlier, self.step] if s.method in ("PUT", "POST") and not s.raw]

    def families(self):
        return protobuf.families(self.step.content) if self.step.is_protobuf else []

    def refused(self, text):
        return self.ours.status == 400 and text in self.ours.body


def _quoted(text, before=b""):
    """The quoted parts of an error text."""
    found = re.findall(before + rb'"((?:[^"\\]|\\.)*)"', text)
    return {re.sub(rb"\\(x[0-9a-f]{2}|.)", _unescaped, word) for word in found}


def _unescaped(m):
    if len(m[1]) == 3:
        return bytes([int(m[1][1:], 16)])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1], m[1])


def _exposed(name):
    return re.sub(r"^[0-9]|[^a-zA-Z0-9_:]", "_", name.decode(errors="replace")).encode()


def _forms(name):
    """The name in the escapings underscores, dots and values."""
    if _is_classic(name):
        return {name}
    text = name.decode(errors="replace")
    stays = [re.fullmatch("[a-zA-Z_:]" if i == 0 else "[a-zA-Z0-9_:]", c) for i, c in enumerate(text)]
    dots = "".join("_dot_" if c == "." else c if ok and c != "_" else "__" for c, ok in zip(text, stays))
    values = "U__" + "".join("__" if c == "_" else c if ok else f"_{ord(c):x}_" for c, ok in zip(text, stays))
    return {_exposed(name), dots.encode(), values.encode()}


def _is_classic(name):
    return re.fullmatch(rb"[a-zA-Z_:][a-zA-Z0-9_:]*", name)


# --- replies ---------------------------------------------------------------------------------


def _path_not_utf8(c):
    """Ours refuses the path before it reads the body: no group is made that would break scrapes, and
    none is there to be deleted."""
    expected = 202 if c.step.method == "DELETE" else 400
    return c.go.status == expected and c.refused(b"not valid UTF-8") and _value_not_utf8(c)


def _le_on_histogram(c):
    """The Go gateway exposes the label twice, which Prometheus cannot read."""
    if not c.refused(b'must not have an explicit "le" label'):
        return False
    return b"le" in c.key() or any(f.kind in (4, 5) and b"le" in f.label_names() for f in c.families())


def _same_exposed_name(c):
    """Two TYPE lines or a label twice in the scrape of the Go gateway, in one of its escapings."""
    if not c.refused(b"exposed as the same name"):
        return False
    one, other = list(_quoted(c.ours.body, rb"(?:exposed as the same name: |exposed as the same name as |and |metric name )"))
    return bool(_forms(one) & _forms(other))


def _name_that_breaks_scrapes(c):
    """Some format or escaping cannot show the name: a Prometheus that asks for that one loses the scrape."""
    if not c.ours.status == 400:
        return False
    names = _quoted(c.ours.body, rb"(?:metric name|label whose name|improper label name) ")
    tests = {b"holds a NUL": lambda n: b"\0" in n, b"holds a colon": lambda n: b":" in n,
             b"is exposed as __name__": lambda n: b"__name__" in _forms(n),
             b"is not valid UTF-8: send": lambda n: not canonical.is_utf8(n)}
    return any(c.refused(why) and any(map(test, names)) for why, test in tests.items())


def _bound_twice(c):
    """Two bounds that are the same number: the Go gateway exposes both."""
    found = re.search(rb'has two (buckets|quantiles) with (le|quantile)="([^"]+)"', c.ours.body)
    return bool(found) and any(name in _quoted(c.ours.body) for name, _ in declared(c.step))


def _native_that_no_reader_takes(c):
    """The Go gateway takes any native histogram, and Prometheus drops a broken one, or the whole scrape."""
    if not c.refused(b"has a native histogram that no reader takes"):
        return False
    metrics = [m for family in c.families() for m in family.metrics]
    # A message may come in pieces.
    whole = [[x for f in m if f.number == 7 and isinstance(f.value, list) for x in f.value] for m in metrics]
    return any(not native.is_consistent(native.unpacked(histogram)) for histogram in whole)


def _exemplar_not_utf8(c):
    """Readers that tell text from bytes refuse the whole message."""
    return c.refused(b"has an exemplar with a label that is not utf8") and c.step.is_protobuf


def _suffix_of_escaped_name(c):
    """`a.b_count` next to a histogram `a_b`: the same clash, one step further."""
    if not c.refused(b"collides with previously collected"):
        return False
    return any(not _is_classic(n) for n in _quoted(c.ours.body))


def _family_that_breaks_scrapes(c):
    """No name, an unknown type, or a gauge histogram without one: the Go gateway's scrapes end there."""
    if not c.ours.status == 400:
        return False
    if c.refused(b"has no name"):
        return any(not f.name for f in c.families())
    if c.refused(b"has unknown type"):
        return any(f.kind not in protobuf.TYPE_NAMES for f in c.families())
    if c.refused(b"is not a GAUGE_HISTOGRAM"):
        return any(f.kind == pb.GAUGE_HISTOGRAM and f.lacks_value() for f in c.families())
    return False


def _value_of_another_type(c):
    """The Go gateway takes the type of whichever group it meets first, so that a gauge that holds an untyped
    value passes when it meets an untyped family of that name before."""
    if c.statuses() != (200, 400) or not c.refused(b"is not a "):
        return False
    return any(f.name in _quoted(c.ours.body) and f.lacks_value() and f.has_other_values() for f in c.families())


def _gauge_histogram_checked(c):
    """The Go gateway leaves gauge histograms out of its check, and exposes them as histograms."""
    if c.go.status not in (200, 400) or not c.refused(b"collected"):
        return False
    quoted = _quoted(c.ours.body)
    kinds = [pair for s in c.pushes() for pair in declared(s)]
    return any(kind in (b"gaugehistogram", b"gauge_histogram") and name in quoted for name, kind in kinds)


def _family_without_metrics(c):
    """The Go gateway does not look at the type of a family without metrics; ours takes it for the type of the name."""
    if c.statuses() != (200, 400) or not (c.refused(b"is not a ") or c.refused(b"collides with")):
        return False
    empty = {f.name for s in c.pushes() if s.is_protobuf for f in protobuf.families(s.content) if not f.metrics}
    return bool(empty & _quoted(c.ours.body))


def _nameless_sample(c):
    """The Go gateway's handler crashes, or takes the sample for one of the line before."""
    found = re.match(rb"text format parsing error in line (\d+): "
                     rb'(?:invalid metric name|invalid label name for metric "")(?:: [^\n]*)?\n$', c.ours.body)
    if not found or c.go.status not in (0, 400, 200) or c.step.is_protobuf:
        return False
    lines = c.step.content.split(b"\n")
    return lines[int(found[1]) - 1].lstrip(b" \t").startswith(b"{")


def _labels_left_over(c):
    """The Go gateway's parser goes on with the labels of a line before when a summary or histogram has its name
    in braces, and did not come in the line before; it may crash then."""
    return bool(leaking(c.step))


_FAILURE = b"push_failure_time_seconds"


def _own_names(c):
    """Ours has no Go runtime, and other own metrics."""
    said = _quoted(c.go.body) | _quoted(c.ours.body) | set(re.findall(rb"gathered metric family (\S+)", c.go.body))
    return any(name.startswith(canonical.OWN) for name in {*said, *(n for n, _ in declared(c.step))})


def _failure_time_pushed(c):
    """The Go gateway stores a pushed one where the group has one already, and then its type can clash."""
    if not any(name == _FAILURE for s in c.pushes() for name, _ in declared(s)):
        return False
    return c.step.method == "GET" or _FAILURE in c.go.body or any(name == _FAILURE for name, _ in declared(c.step))


def _several_faults(c):
    """Ours checks the push itself first, then against what is stored; both gateways name a fault that is there."""
    if c.statuses() != (400, 400):
        return False
    go, ours = compare.kinds(c.go.body), compare.kinds(c.ours.body)
    within_push = re.search(rb" \(line \d+\)\n$", c.ours.body) or c.step.is_protobuf
    if within_push:
        return bool(ours and "suffix" not in ours and go & {"suffix", "type", "own"})
    return ours == {"type"} and go == {"suffix"}


def _compressed_fault(c):
    """Bodies are decompressed before they are parsed, so that a fault of the coding comes first."""
    coded = c.step.header("Content-Encoding") is not None
    return c.statuses() == (400, 400) and coded and c.step.content == c.step.body


def _head(c):
    """Ours answers HEAD as GET, without the content; Allow says so."""
    if c.step.method == "HEAD":
        return c.go.status in (404, 405, 307) and c.ours.status in (200, 301, 405) and c.ours.body == b""
    go, ours = (reply.headers.get("allow", "").split(", ") for reply in (c.go, c.ours))
    return c.go.status == c.ours.status and c.go.body == c.ours.body and "HEAD" in ours and [m for m in ours if m != "HEAD"] == go


def _one_group(c):
    """Ours answers GET of a group; Allow says so."""
    if c.step.method in ("GET", "HEAD"):
        return c.go.status == 405 and c.ours.status in (200, 400, 404)
    go, ours = (reply.headers.get("allow", "").split(", ") for reply in (c.go, c.ours))
    return c.go.status == c.ours.status and c.go.body == c.ours.body and [m for m in ours if m not in ("GET", "HEAD")] == go and "GET" in ours


def _chunked_with_length(c):
    """A body with two lengths is how requests are smuggled: refused."""
    return c.statuses() == (200, 400) and c.step.raw == endpoints.CHUNKED_WITH_LENGTH


def _one_length_twice(c):
    """Two lengths, even the same one twice, are a sign of a request that is meant to be read in two ways."""
    return c.statuses() == (200, 400) and c.step.raw == endpoints.ONE_LENGTH_TWICE


def _empty_line_first(c):
    """Ours ignores the line, as RFC 9112 section 2.2 wants."""
    return c.statuses() == (400, 200) and c.step.raw == endpoints.EMPTY_LINE_FIRST


REPLIES = [_path_not_utf8, _le_on_histogram, _same_exposed_name, _suffix_of_escaped_name, _family_that_breaks_scrapes,
           _value_of_another_type, _gauge_histogram_checked, _family_without_metrics, _nameless_sample,
           _labels_left_over, _name_that_breaks_scrapes, _bound_twice, _native_that_no_reader_takes,
           _exemplar_not_utf8, _own_names, _failure_time_pushed, _several_faults,
           _compressed_fault, _head, _one_group, _chunked_with_length, _one_length_twice, _empty_line_first]


# --- broken scrapes of the Go gateway, after a step that both answered alike ------------------


def _value_not_utf8(c):
    """Refused by both, but its group is created all the same."""
    return any(not canonical.is_utf8(value) for value in c.key().values())


def _instance_collision(c):
    """{job="x"} next to {job="x",instance=""}: refused by both, but created all the same."""
    key = c.key()
    keys = [grouping_key(s.path) for s in c.earlier if s.method in ("PUT", "POST")]
    full = lambda k: {b"instance": b"", **k}
    return any(k is not None and k != key and full(k) == full(key) for k in keys)


POISONS = [_value_not_utf8, _instance_collision, _failure_time_pushed, _own_names]


# --- scrapes that differ ---------------------------------------------------------------------


def scrape_may_differ(gateway, case, name, found):
    """The reason why a family of that name may be shown in another way by a Go gateway, or None."""
    return next((rule.__doc__ for rule in SCRAPES if rule(gateway, case, name, found)), None)


def _was_pushed_as_help(case, name, help):
    if help is None:
        return False
    for s in case.pushes():
        if s.is_protobuf:
            pushed = {_as_exposed(f.help) for f in protobuf.families(s.content) if _exposed(f.name) == name}
        else:
            lines = [x for x in s.content.split(b"\n") if b"HELP" in x]
            pushed = {help for x in lines if help in canonical.one_replacement(x.replace(b'\\"', b'"'))}
        if help in pushed:
            return True
    return False


def _as_exposed(help):
    return canonical.one_replacement((help or b"").replace(b"\\", b"\\\\").replace(b"\n", b"\\n"))


def _groups_differ_in_help(gateway, case, name, found):
    """The groups differ in their help, and the Go gateway shows that of any."""
    if found.what != compare.HELP:
        return False
    reply = gateway.send(Step("GET", b"/api/v1/metrics"))
    if reply.status != 200:
        return False
    name = name.decode()
    helps = [group[key].get("help", "") for group in json.loads(reply.body)["data"] for key in group
             if _exposed(key.encode()).decode() == name and "metrics" in group[key]]
    # "" is an empty help or a missing one: these two differ in a scrape.
    return len(set(helps)) > 1 or (len(helps) > 1 and helps[0] == "")


def _newest_help_stays(gateway, case, name, found):
    """The newest help stays until the last group has dropped the name, also after its own group did."""
    return found.what == compare.HELP and _was_pushed_as_help(case, name, found.ours)


def _failure_time_shown(gateway, case, name, found):
    """The Go gateway stores a pushed one where the group has one already."""
    if found.what == compare.HELP or name != _FAILURE:
        return False
    return any(pushed == _FAILURE for s in case.pushes() for pushed, _ in declared(s))


def _labels_left_over_shown(gateway, case, name, found):
    """Labels of an earlier line, as above."""
    return found.what != compare.HELP and any(name in leaking(step) for step in case.pushes())


SCRAPES = [_groups_differ_in_help, _newest_help_stays, _failure_time_shown, _labels_left_over_shown]


def find(rules, case):
    """The reason why this case is allowed, or None."""
    return next((rule.__doc__ for rule in rules if rule(case)), None)
