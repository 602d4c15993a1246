"""Bodies in the text format: whole families as clients write them, in all the spellings that the parser
knows, and ROWS."""
from . import words

# Lines and pieces that make a difference to the parser; mutations splice them in.
ROWS = [
    "a 1", "", "\n", "#\n", "# foo\n", "#foo bar\n", "# EOF\n", "a\t1\n", "  a 1\n", "\ta 1\n", "a  1\n", "a 1 \n",
    "a 1\r\n", "\r\n",
    "\n\n  \na 1\n\n", "# foo", "a 1\n\n\nb", "a 1\n# end", "# HELP\n", "# TYPE\n", "# HELP \n", "# HELP a\n",
    "# HELP a \n",
    "# HELP a x\n# HELP a y\na 1\n", "# HELP a\n# HELP a y\na 1\n", "# HELP a  x  y \na 1\n", "#HELP a x\na 1\n",
    "# HELP\ta\tx\na 1\n",
    "# HELP a foo\\nbar\\\\baz\na 1\n", '# HELP a foo\\"bar\na 1\n', "# HELP a foo\\xbar\na 1\n",
    "# HELP a foo\\\na 1\n", "# HELP a foo\r\na 1\n",
    "a 1\n# HELP a foo\n", "#   TYPE   a   gauge\na 1\n", "# TYPE a GaUgE\na 1\n", "# TYPE a ga\\uge\na 1\n",
    "# TYPE a gauge \na 1\n",
    "# TYPE a gauge\r\na 1\n", "# TYPE a unknown\n", "# TYPE a info\n", "# TYPE a\na 1\n",
    "# TYPE a gauge\n# TYPE a gauge\na 1\n",
    "a 1\n# TYPE a gauge\n", "# TYPE a-b gauge\n", "# TYPE 1a gauge\n", "# TYPE a{} gauge\n", "# type a gauge\na 1\n",
    "# # TYPE a gauge\na 1\n",
    "a\n", "a \n", "help a\n", "a 1 2\n", "a 1 -5\n", "a 1 2 \n", "a 1 2 3\n", "a 1 2.0\n",
    "a 1 9223372036854775808\n", "a 1 # c\n",
    "a{} 1\n", "a{}1\n", "a {} 1\n", 'a{b="c",} 1\n', 'a{ b = "c" , } 1\n', 'a {b="c"}1\n', "a{,} 1\n",
    'a{,b="c"} 1\n', 'a{b="c",,} 1\n',
    'a{b="c" d="e"} 1\n', 'a{b="c"d="e"} 1\n', "a{b='c'} 1\n", "a{b=c} 1\n", "a{b=} 1\n", "a{b} 1\n", 'a{"b"} 1\n',
    'a{b="c} 1\n', 'a{\nb="c"} 1\n',
    'a{b="c\\nd"} 1\n', 'a{b="c\\td"} 1\n', 'a{b="}"} 1\n', 'a{1b="c"} 1\n', 'a{b-c="d"} 1\n', 'a{__name__="d"} 1\n',
    'a{__x="d"} 1\n',
    'a{b="1",b="2"} 1\n', ":a 1\n", "_ 1\n", "1a 1\n", "é 1\n", "a-b 1\n", "a.b 1\n", "aé 1\n", '{"a"} 1\n',
    "{a} 1\n", '"a" 1\n', '{"a"}1\n',
    '{"a",} 1\n', '{"a",b="c"} 1\n', '{a,b="c"} 1\n', '{b="c","a"} 1\n', '"a"{b="c"} 1\n', '{"a","b"="c"} 1\n',
    '{"a","b"} 1\n', '{"a" b="c"} 1\n',
    '{a:b,b="c"} 1\n', '{""} 1\n', "{\n", '{"a.b"} 1\n', '"a.b" 1\n', '# TYPE "a.b" gauge\n', 'a{"b.c"="d"} 1\n',
    '{"a\n"} 1\n', '"x 1\n',
    '{"a\\x"} 1\n', '# TYPE "a" gauge\n{"a"} 1\n', 'x"y z" 1\n', "# TYPE a gauge\na 1\na 2\n",
    "# TYPE s summary\ns 1\n",
    '# TYPE s summary\ns{quantile="x"} 1\n', "# TYPE s summary\ns_count -1\n", "# TYPE s summary\ns_count 1.7\n",
    '# TYPE s summary\ns_bucket{le="1"} 1\n',
    '# TYPE s summary\ns_sum{quantile="1"} 1\n', '# TYPE h histogram\nh_bucket{le="foo"} 1\n',
    '# TYPE h histogram\nh_bucket{le=""} 1\n',
    "# TYPE h histogram\nh_bucket 1\n", "# TYPE h histogram\nh 1\n", '# TYPE h histogram\nh{le="5"} 1\n',
    '# TYPE h histogram\nh_bucket{le="5"} -1\n',
    "# TYPE h histogram\nh_count -1\n", "# TYPE h histogram\nh_count NaN\n", "# TYPE h histogram\nh_count 1e30\n",
    '# TYPE h histogram\nh_bucket{le="1",le="2"} 1\n',
    '# TYPE h histogram\nh_bucket{le="5"} 1.5\nh_count 3\n', "# TYPE h histogram\nh_count 1.5\n",
    'h_bucket{le="1"} 1\n# TYPE h histogram\nh_sum 3\n', "# TYPE h histogram\n# TYPE h_count gauge\nh_count 5\n",
    "# TYPE h histogram\n# HELP h_count foo\nh_count 5\n", "# TYPE h histogram\nh_created 5\nh_count 1\n",
    "# TYPE foo counter\nfoo_total 1\n# EOF\n",
]
# Rows the Go gateway answers by closing the connection.
NAMELESS = ["{} 1\n", "# HELP a x\n{} 1\n", '# TYPE a gauge\n{x="y"} 1\n', "a 1\n{} 2\n", 'a 1\n{x="y"} 2\n',
            '{b="c"} 1\n']
RAW_ROWS = [b'a{b="\xff"} 1\n', b'a{b="\xed\xa0\x80"} 1\n', b"# HELP a \xff\na 1\n", b"\xff 1\n",
            b"\xef\xbb\xbfa 1\n", b"a\x00 1\n", b'a{b="\x00"} 1\n', b"a 1\x00\n"]


def escape_value(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _blank(rng, ctx):
    return rng.choice(["", " ", "\t", "  "]) if ctx["noise"] else ""


def _labels(rng, ctx, pairs):
    if not pairs and rng.random() < 0.9:
        return ""
    b = lambda: _blank(rng, ctx)
    quote = lambda n: _quoted(n) if ctx["utf8"] and not words.is_classic(n) else n
    out = [f'{b()}{quote(n)}{b()}={b()}"{escape_value(v)}"{b()}' for n, v in pairs]
    return f"{{{','.join(out)}{',' if pairs and rng.random() < 0.05 else ''}}}"


def _value(rng, ctx):
    return rng.choice(words.BAD_NUMBERS) if rng.random() < ctx["bad"] else words.number(rng)


def _sample(rng, ctx, name, pairs, value):
    if (ctx["quoted"] and rng.random() < 0.06) or not words.is_classic(name):
        if rng.random() < 0.5:
            head = f"{_quoted(name)}{_labels(rng, ctx, pairs)}"
        else:
            inner = _labels(rng, ctx, pairs).strip("{}")
            head = f'{{{_quoted(name)}{"," if inner else ""}{inner}}}'
    else:
        head = f"{_blank(rng, ctx)}{name}{_blank(rng, ctx)}{_labels(rng, ctx, pairs)}"
    return f"{head}{rng.choice([' ', ' ', chr(9)]) if ctx['noise'] else ' '}{value}\n"


def _simple(rng, ctx, name, pairs):
    return [_sample(rng, ctx, name, pairs, _value(rng, ctx))]


def _counts(rng, ctx, name, pairs):
    return [_sample(rng, ctx, name + s, pairs, _value(rng, ctx)) for s in ("_sum", "_count") if rng.random() < 0.9]


def _summary(rng, ctx, name, pairs):
    lines = [_sample(rng, ctx, name, pairs + [("quantile", rng.choice(words.QUANTILES))], _value(rng, ctx))
             for _ in range(rng.randrange(4))]
    return lines + _counts(rng, ctx, name, pairs)


def _histogram(rng, ctx, name, pairs):
    number = (lambda: _value(rng, ctx)) if rng.random() < 0.2 else (lambda: str(rng.randrange(20)))
    lines = [_sample(rng, ctx, name + "_bucket", pairs + [("le", rng.choice(words.BOUNDS))], number())
             for _ in range(rng.randrange(4))]
    return lines + [_sample(rng, ctx, name + s, pairs, number()) for s in ("_sum", "_count") if rng.random() < 0.9]


_WRITERS = {"summary": _summary, "histogram": _histogram, "gaugehistogram": _histogram}


def _quoted(name):
    return f'"{escape_value(name)}"'


def family(rng, ctx):
    name, kind = words.name(rng), words.family_type(rng)
    if ctx["utf8"] and rng.random() < 0.2:
        name = rng.choice(words.UTF8_NAMES)
    # The name as HELP and TYPE write it; samples may write it otherwise.
    title = name if words.is_classic(name) else _quoted(name)
    if kind == "gaugehistogram" and not ctx["gauge-histogram"]:
        kind = "gauge"
    lines = []
    seen = set()
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        labels = words.LABELS + words.BAD_LABELS if rng.random() < ctx["bad"] else words.LABELS
        if ctx["utf8"] and rng.random() < 0.1:
            labels = labels + words.UTF8_LABELS
        pairs = words.label_pairs(rng, labels, reserved=words.RESERVED.get(kind))
        if (tuple(sorted(pairs)) in seen) and rng.random() < 0.9:
            continue
        seen.add(tuple(sorted(pairs)))
        lines += _WRITERS.get(kind, _simple)(rng, ctx, name, pairs)
    head = []
    if rng.random() < 0.6:
        text = rng.choice(words.HELPS).replace("\\", "\\\\").replace("\n", "\\n")
        head.append(f"# HELP {title} {text}\n")
    if kind != "untyped" or rng.random() < 0.3:
        head.append(f"# TYPE {title} {kind.upper() if rng.random() < 0.05 else kind}\n")
    if rng.random() < 0.2:
        head.reverse()
    if rng.random() < 0.03:
        rng.shuffle(lines)
    if rng.random() < 0.02:
        return "".join(lines + head)
    return "".join(head + lines)


def generate(rng, features, utf8_names=False):
    """A body as bytes. A third are as clients write them, a third have noise, the rest have faults."""
    roll = rng.random()
    ctx = {"noise": roll > 0.33, "bad": 0.04 if roll > 0.67 else 0, "quoted": "quoted-names" in features,
           "utf8": utf8_names,
           "gauge-histogram": "gauge-histogram" in features}
    if rng.random() < 0.08:
        return rng.choice(ROWS).encode()
    if rng.random() < 0.006:
        return rng.choice(NAMELESS).encode()
    if rng.random() < 0.01:
        return rng.choice(RAW_ROWS)
    parts = [family(rng, ctx) for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 4]))]
    if ctx["noise"]:
        parts = [part + rng.choice(["", "", "\n", "# c\n", " \n", "#\n"]) for part in parts]
    if ctx["bad"] and rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(ROWS))
    body = "".join(parts).encode()
    return body[:-1] if ctx["bad"] and rng.random() < 0.03 else body
