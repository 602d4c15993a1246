#!/usr/bin/env python3
"""Writes pow10.h: the powers of ten that num_format.c and num_parse.c scale with.

A row is the smallest 128-bit integer g, its top bit set, with
g * 2^(floor(log2(10^q)) - 127) >= 10^q. From 10^0 to 10^55 that is exact.
"""

# The range is that of src/base/num_pow10.h, which checks the number of rows.
FIRST, LAST = -342, 324


def power(q):
    p = 10 ** abs(q)
    bits = p.bit_length()
    if q < 0:
        g = -(-(1 << (127 + bits)) // p)
    elif bits <= 128:
        g = p << (128 - bits)
    else:
        g = -(-p >> (bits - 128))
    assert g.bit_length() == 128
    return g


def main():
    print("/* Made by gen_pow10.py: initialisers, from 1e%d to 1e%d. */" % (FIRST, LAST))
    for q in range(FIRST, LAST + 1):
        g = power(q)
        print("{ 0x%016xu, 0x%016xu }, /* 1e%d */" % (g >> 64, g & (1 << 64) - 1, q))


if __name__ == "__main__":
    main()
