"""Makes a failing sequence smaller for as long as it fails in the same way."""
from urllib.parse import quote_from_bytes

from . import protobuf
from .features import understood
from .step import grouping_key

ATTEMPTS = 1500


class Minimiser:
    def __init__(self, pair, what, features):
        self.pair, self.what, self.features = pair, what, features
        self.left = ATTEMPTS

    def fails(self, steps):
        if self.left <= 0 or not all(understood(step, self.features) for step in steps):
            return False
        self.left -= 1
        found = self.pair.run(steps).disagreement
        return found is not None and found.what == self.what

    def items(self, items, fails):
        """Returns a shorter list that still fails: it leaves out parts, halves first, then smaller ones."""
        size = max(len(items) // 2, 1)
        while items:
            at, smaller = 0, False
            while at < len(items):
                candidate = items[:at] + items[at + size:]
                if fails(candidate):
                    items, smaller = candidate, True
                else:
                    at += size
            if size == 1 and not smaller:
                break
            size = max(size // 2, 1)
        return items

    def sequence(self, steps):
        steps = self.items(list(steps), lambda s: bool(s) and self.fails(s))
        for i in range(len(steps)):
            put = lambda step, i=i: steps[:i] + [step] + steps[i + 1:]
            for shrink in (self._frame, self._path, self._body):
                steps = put(shrink(steps[i], lambda step: self.fails(put(step))))
        return steps

    @staticmethod
    def _frame(step, fails):
        uncoded = tuple(h for h in step.headers if h[0] != "Content-Encoding")
        candidates = [step.change(body=step.content, headers=uncoded), step.change(chunked=False)]
        candidates += [step.change(headers=tuple(h for h in step.headers if h != drop)) for drop in step.headers]
        for candidate in candidates:
            if candidate != step and fails(candidate):
                return Minimiser._frame(candidate, fails)
        return step

    def _path(self, step, fails):
        key = grouping_key(step.path)
        if not key or step.raw:
            return step
        pairs = [(n, v) for n, v in key.items() if n != b"job"]

        def build(kept):
            words = [b"job", key[b"job"], *(w for pair in kept for w in pair)]
            return step.change(path=("/metrics/" + "/".join(quote_from_bytes(w, safe="") for w in words)).encode())

        if any(v == b"" or b"/" in v for v in key.values()) or not fails(build(pairs)):
            return step
        return build(self.items(pairs, lambda kept: fails(build(kept))))

    def _body(self, step, fails):
        if step.raw or not step.body:
            return step
        if step.is_protobuf:
            return self._messages(step, fails)
        body = step.body
        for unit in (body.splitlines(keepends=True), None):
            parts = unit if unit is not None else [body[i:i + 1] for i in range(len(body))]
            body = b"".join(self.items(parts, lambda kept: fails(step.change(body=b"".join(kept)))))
        return step.change(body=body)

    def _messages(self, step, fails):
        parts = protobuf.split(step.body)[0]
        if protobuf.join(parts) != step.body:
            body = self.items([step.body[i:i + 1] for i in range(len(step.body))],
                              lambda kept: fails(step.change(body=b"".join(kept))))
            return step.change(body=b"".join(body))
        parts = self.items(parts, lambda kept: fails(step.change(body=protobuf.join(kept))))
        for i, part in enumerate(parts):
            try:
                fields = protobuf.decode(part, protobuf.FAMILY)
            except ValueError:
                continue

            def whole(i=i, fields=fields):
                return step.change(body=protobuf.join([*parts[:i], protobuf.encode(fields), *parts[i + 1:]]))

            if fails(whole()):
                self._fields(fields, lambda: fails(whole()))
                parts[i] = protobuf.encode(fields)
        return step.change(body=protobuf.join(parts))

    def _fields(self, fields, still_fails):
        """Drops fields in place, outer ones first."""
        for at in reversed(range(len(fields))):
            field = fields.pop(at)
            if not still_fails():
                fields.insert(at, field)
        for field in fields:
            if isinstance(field.value, list):
                self._fields(field.value, still_fails)
