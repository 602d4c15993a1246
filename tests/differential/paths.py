"""Push paths: grouping keys in the spellings that the gateways know, and in some that they refuse."""
import base64
from urllib.parse import quote

_JOBS = ["x", "x", "x", "y", "z", "é", "a b", "a+b", "a.b", "..", "1", "job"]
_NAMES = ["a", "b", "instance", "instance", "_l", "A", "c"]
_UTF8_NAMES = ["foo.bar", "é", "1a", "U__foo_2e_bar", "U__foo_2E_bar", "U___1F60A_", "U____a", "U__a__b", "U__job",
               "U__in_xxx_valid", "U__", "U___D800_",
               "U___a_", "a b", "a_b", "a.b"]
_ODD_NAMES = ["le", "quantile", "job"]
_VALUES = ["1", "2", "x", "é", "a b", "", "a/b", "i", "@", "~", "=", "{}", '"', "\\", "\n"]
_ODD_PATHS = [
    "x/", "x/a", "x/a/", "x/a/b/", "x/a/b/c", "j/a/1/a/2", "j/job/k", "j/job@base64/!!", "%C3%A9", "x/a%2Fb",
    "a%2Fb/c", "a%2F%2Fb/c", "%2Fa", "%2F",
    "%2Fa/b", "a%2F%2F", "j@base64/Zm9v", "j/l@base64/Zm9v", "j/l@base64/=", "j/l@base64/", "j/l@base64@base64/Zm9v",
    "j/@base64/Zm9v", "j/l@BASE64/Zm9v",
    "j/1l/v", "j/l-l/v", "j/l:l/v", "j/l.m/v", "j/l%20m/v", "j/a%00b/v", "j/__l/v", "j/__name__/v", "j/_l/v",
    "j/le/5", "j/quantile/5", "j/a/%00", "j/a/%0A",
    "x?q=1", "x/a/b?c/d", "x;y", "x:y", "%7Ex", "x/U__a/b", "x%3Fy", "x/a/b%23", "..%2f", "x/%2e/y", "%2e%2e",
    "j/a/%C3%A9", "j/a/%2B", "j/l@base64/%3D", "x/a@base64/Zm=9v",
]
_ODD_BASE64 = ["Zm9v", "Zm8", "Zm8=", "Zm8==", "Zm8======", "Zm=9v", "Zm9vZh", "Zm9v%0A", "A", "=", "==", "Zm8%2F",
               "!!", "Zm9v!!", "Zm+v", "_-_-", "4pyT", "L2E"]
_POISON = ["%ff", "x/a/%ff", "x/a/%ed%a0%80", "x/b@base64/_w"]
# Answered 301 to the clean path, before anything else is checked.
_UNCLEAN = ["//metrics/job/x", "/metrics//job/x", "/metrics/job//x", "/metrics/job/x//", "/metrics/job/x/a//b/c",
            "/metrics/job/x/../y", "/metrics/job/..",
            "/metrics/job/./x", "/metrics/job/x/.", "/metrics//job/%C3%A9", "/../metrics/job/x",
            "/metrics/job//x?q=1&b=<", "/metrics/job/x/a/b/../..", "//", "/metrics//job/a%20b%3F%23"]
_MALFORMED = ["/metrics/job/%zz", "/metrics/job/%", "/metrics/job/%f", "/metrics/job/x%2"]


def _spell(rng, name, value):
    """name/value as some client would write the pair."""
    needs = "/" in value or value in ("", ".", "..")
    if needs or rng.random() < 0.15:
        encoded = base64.urlsafe_b64encode(value.encode()).decode()
        if rng.random() < 0.5:
            encoded = encoded.rstrip("=")
        return f"{name}@base64/{encoded or '='}"
    return f"{name}/{quote(value, safe='+@=~' if rng.random() < 0.5 else '')}"


def group(rng, utf8_names=False):
    """A path that is nearly always good."""
    pairs = [("job", rng.choice(_JOBS))]
    names = rng.sample(_NAMES, rng.choice([0, 0, 1, 1, 2, 3]))
    if rng.random() < 0.04:
        names.append(rng.choice(_ODD_NAMES))
    if utf8_names and rng.random() < 0.4:
        names.append(quote(rng.choice(_UTF8_NAMES)))
    for name in names:
        value = rng.choice(_VALUES)
        # A group with an empty instance collides with the one without: few pushes have one.
        if name == "instance" and value == "" and rng.random() < 0.8:
            value = "i"
        pairs.append((name, value))
    return ("/metrics/" + "/".join(_spell(rng, n, v) for n, v in pairs)).encode()


def odd(rng):
    roll = rng.random()
    if roll < 0.6:
        path = "/metrics/job/" + rng.choice(_ODD_PATHS)
    elif roll < 0.8:
        path = "/metrics/job@base64/" + rng.choice(_ODD_BASE64)
    elif roll < 0.82:
        path = "/metrics/job/" + rng.choice(_POISON)
    elif roll < 0.95:
        path = rng.choice(_UNCLEAN)
    else:
        path = rng.choice(_MALFORMED)
    return path.encode()
