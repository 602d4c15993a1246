#!/usr/bin/python3
"""Proves that src/ reads the time and random numbers in one place each, and sorts, searches and copies
by functions that are defined for empty input, too; and that every unit test is run by tests/lib/run.h.

usage: seams.py [SOURCE-ROOT]
Tests set clocks and random numbers there (base/clock.h, base/random.h); code that asks the system
itself would go on with the real ones. qsort() and memcpy() must not get a null pointer, not even with
a length of 0 (base/array.h). A test that Check runs by itself has 4 s, which is too short on a busy
machine. Prints each such call and exits with 1 if there is one.
"""

import re
import sys
from pathlib import Path

# What to call instead, the calls that are not allowed, the files in which they are, and why.
CLOCK, EMPTY = "where tests say what it answers", "which takes a null pointer and a length of 0"
SEAMS = [
    ("base/clock.h", r"time|clock|clock_gettime|clock_getres|gettimeofday|ftime|timespec_get|localtime|gmtime|"
     r"evutil_gettimeofday|event_base_gettimeofday_cached|"
     r"pthread_cond_timedwait|pthread_cond_clockwait|sem_timedwait|sem_clockwait|pthread_mutex_timedlock|"
     r"sleep|usleep|nanosleep|clock_nanosleep", ["base/clock.c"], CLOCK),
    ("base/random.h", r"getrandom|getentropy|arc4random\w*|rand|rand_r|random|random_r|srand|srandom|[dlmnj]rand48|"
     r"evutil_secure_rng_get_bytes", ["base/random.c"], CLOCK),
    ("base/array.h", r"qsort|qsort_r|bsearch", ["base/array.h"], EMPTY),
    ("base/array.h", r"memcpy|memmove", ["base/array.h", "base/str.h"], EMPTY),
]
SEAMS_OF_TESTS = [("lib/run.h", r"suite_create|srunner_create|srunner_run\w*", ["lib/run.h"], "which gives each case a minute")]

# Lengths that are not 0: sizes, numbers and constants.
CONSTANT = re.compile(r"sizeof\((?:[^()]|\([^()]*\))*\)|\b[A-Z][A-Z0-9_]+\b|\b\d+\b|[\s+*()-]")

# Comments, strings and characters are blanked, so that lines keep their numbers.
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_of(text):
    return NO_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def last_argument(code, at):
    """The last argument of the call whose first argument begins at `at`."""
    depth, begin = 1, at
    while depth > 0:
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if code[at] == "," and depth == 1:
            begin = at + 1
        at += 1
    return code[begin : at - 1]


def calls(code, names):
    """The lines and names of calls; members with such a name do not count."""
    for m in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
        if not m.group(1).startswith("mem") or CONSTANT.sub("", last_argument(code, m.end())):
            yield code.count("\n", 0, m.start()) + 1, m.group(1)


def look(root, folder, seams):
    """How many calls go past them."""
    found = 0
    for path in sorted((root / folder).rglob("*.[ch]")):
        name = str(path.relative_to(root / folder))
        code = code_of(path.read_text())
        for seam, names, owners, why in seams:
            for line, call in () if name in owners else calls(code, names):
                print(f"{folder}/{name}:{line}: {call}() goes past {seam}, {why}")
                found += 1
    return found


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    return 1 if look(root, "src", SEAMS) + look(root, "tests", SEAMS_OF_TESTS) else 0


if __name__ == "__main__":
    sys.exit(main())
