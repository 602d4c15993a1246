"""Names, labels and numbers: few, so that pushes share them, and odd, so that rules apply."""
import re
import struct

NAMES = ["a", "b", "h", "s", "x_total", "a:b", "_", "H", "a_b"]
SUFFIXES = ["_count", "_sum", "_bucket", "_total", "_created", "_count_sum"]
# Names that only protobuf can have without --push.enable-utf8-names.
UTF8_NAMES = ["a.b", "a-b", "1a", "é", "a b", "日本", "a\nb", 'a"b', "a.b_count"]
OWN_NAMES = ["go_goroutines", "go_foo", "go_info", "process_open_fds", "process_cpu_seconds_total",
             "pushgateway_build_info",
             "pushgateway_http_requests_total", "pushgateway_http_push_size_bytes_count", "pushgateway_foo"]
TIME_NAMES = ["push_time_seconds", "push_failure_time_seconds", "push_time_seconds_count"]

LABELS = ["a", "b", "c", "A", "_l", "le", "quantile", "instance", "job", "le_", "x1"]
BAD_LABELS = ["__x", "__name__", "l-l", "1l", "l.m", ""]
UTF8_LABELS = ["l.m", "l_m", "é", "l m", "1l", "l-m"]
VALUES = ["", "1", "0.5", "x", "y", "b", "é", "a b", "a/b", "+Inf", "\U0001f600", "{}", "#", ",", "=", "\r", "\t",
          "\x01", "\x00", "}"]

HELPS = ["", "x", "help text", " two  blanks ", "é", 'quo"te', "back\\slash", "a\nb", "x\r", "# TYPE a gauge"]
RESERVED = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}
TYPES = ["counter", "gauge", "summary", "untyped", "histogram", "gaugehistogram"]

NUMBERS = ["0", "1", "-1", "+1", "2", "10", "100", "010", "1.", ".5", "-.5", "1.0", "1.5", "1e3", "1E3", "1E-5",
           "1e+06", "-0", "123456",
           "1234567", "100000", "999999", "1000000", "0.0001", "0.00001", "123456.7", "1234567.8", "1600000000.123",
           "3.141592653589793238",
           "0.30000000000000004", "16777217", "2100000", "1e20", "1e21", "123456789012345678901", "1e308",
           "1.7976931348623157e308",
           "18446744073709551615", "18446744073709551616", "9223372036854775808", "9007199254740993", "4.9e-324",
           "1e-400", "2e-324", "2.2250738585072014e-308",
           "Inf", "+inf", "-INF", "infinity", "+INFINITY", "nan", "NaN", "NAN", "00", "0e5", "1e0000000000001",
           "0.1e-1", "5e-324", "1e-10"]
BAD_NUMBERS = ["-NaN", "+NaN", "infin", "nan(1)", "null", "0x10", "0x1p-2", "1p3", "1_000", "0b1", "0o7", "1f",
               "1,000", "--1", "1e", ".", "",
               "1e400", "-1e400", "1.7976931348623159e308", "e5", "1e+", "+", "-", "1..2", "1e5.5", "in", "0x", "١",
               "1\r", "1\x00", "\"1\""]
BOUNDS = ["1", "1.0", "2", "0.5", "+Inf", "Inf", "-Inf", "5", "-1", "1e3", "0", "NaN"]
QUANTILES = ["0.5", "0.9", "0.99", "0", "1", "NaN", "0.50", "2", "-1"]


def number(rng):
    """A good number as text: mostly short, now and then any double, or more digits than a double has."""
    roll = rng.random()
    if roll < 0.75:
        return rng.choice(NUMBERS)
    if roll < 0.9:
        x = any_double(rng)
        text = rng.choice(["%r", "%.17g", "%e", "%.3f"]) % x
        # Python writes nan for every NaN, without a sign, which the text format does not know there.
        return "NaN" if x != x else text
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 40)))
    cut = rng.randrange(len(digits) + 1)
    return f"{digits[:cut]}.{digits[cut:]}e{rng.randrange(-300, 260)}"


def is_classic(text):
    return re.fullmatch("[a-zA-Z_:][a-zA-Z0-9_:]*", text) is not None


def any_double(rng):
    return struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))[0]


def name(rng):
    roll = rng.random()
    if roll < 0.7:
        return rng.choice(NAMES)
    if roll < 0.96:
        return rng.choice(NAMES) + rng.choice(SUFFIXES)
    return rng.choice(TIME_NAMES) if roll < 0.985 else rng.choice(OWN_NAMES)


def family_type(rng):
    return rng.choices(TYPES, [3, 4, 3, 3, 4, 0.4])[0]


def label_pairs(rng, names=LABELS, most=3, reserved=None):
    """Pairs whose names are mostly different; `reserved`, which the family's own lines have, comes rarely."""
    if rng.random() < 0.95:
        names = [n for n in names if n != reserved]
    pairs = [(rng.choice(names), rng.choice(VALUES)) for _ in range(rng.choice([0, 0, 1, 1, 2, most]))]
    if rng.random() < 0.97:
        pairs = list(dict(pairs).items())
    return pairs
