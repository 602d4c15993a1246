"""Small changes to a good body, of bytes and of lines or fields."""
from . import protobuf, text_bodies, words

_BYTES = b' \t\n\r{}",=#\\_:-+.0123456789aeNI\xc3\xa9\x00\x80\xff'


def _bytes(rng, body):
    at = rng.randrange(len(body) + 1)
    n = rng.choice([0, 0, 1, 1, 2, 8])
    put = bytes(rng.choice(_BYTES) for _ in range(rng.choice([0, 1, 1, 2])))
    return body[:at] + put + body[at + n:]


def _cut(rng, body):
    return body[:rng.randrange(len(body) + 1)]


def _lines(rng, body):
    lines = body.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(4)
    if what == 0:
        del lines[i]
    elif what == 1:
        lines.insert(j, lines[i])
    elif what == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        lines.insert(i, rng.choice(text_bodies.ROWS).rstrip("\n").encode())
    return b"\n".join(lines)


def _tokens(rng, body):
    """Replaces one word by another."""
    parts = body.split(b" ")
    i = rng.randrange(len(parts))
    parts[i] = rng.choice([words.number(rng), words.name(rng), rng.choice(words.BAD_NUMBERS), "", "# HELP"]).encode()
    return b" ".join(parts)


def text(rng, body):
    for _ in range(rng.choice([1, 1, 2, 3])):
        body = rng.choices([_bytes, _cut, _lines, _tokens], [5, 0.5, 3, 2])[0](rng, body)
    return body


def _all_fields(fields):
    for i, f in enumerate(fields):
        yield fields, i
        if isinstance(f.value, list):
            yield from _all_fields(f.value)


def _field(rng, body):
    """Drops, doubles, moves or renumbers a field, and keeps all lengths right."""
    parts = protobuf.split(body)[0]
    if not parts:
        return body
    at = rng.randrange(len(parts))
    try:
        fields = protobuf.decode(parts[at], protobuf.FAMILY)
    except ValueError:
        return body
    places = list(_all_fields(fields))
    if not places:
        return body
    inside, i = rng.choice(places)
    what = rng.randrange(4)
    if what == 0:
        del inside[i]
    elif what == 1:
        inside.insert(rng.randrange(len(inside) + 1), inside[i])
    elif what == 2:
        inside[i].number = rng.randrange(1, 18)
    elif inside[i].wire == 0:
        inside[i].value = rng.choice([0, 1, 5, 6, 1 << 31, (1 << 64) - 1])
    parts[at] = protobuf.encode(fields)
    return protobuf.join(parts)


def proto(rng, body):
    for _ in range(rng.choice([1, 1, 2])):
        body = rng.choices([_field, _bytes, _cut], [6, 2, 1])[0](rng, body)
    return body
