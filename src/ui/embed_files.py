#!/usr/bin/env python3
"""Writes the page's files as a C table: embed_files.py OUTPUT FILE ...

Each stands in it as it is and compressed. The hash is one of all of them, so that a module may
import another by its plain name: they lie in one folder whose name changes when any of them does.
"""
import gzip
import hashlib
import os
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def c_bytes(data):
    lines = (data[at:at + 20] for at in range(0, len(data), 20))
    return "\n".join("\t" + "".join(f"{b}," for b in line) for line in lines)


def main():
    output, paths = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
    digest, arrays, rows = hashlib.sha256(), [], []
    for number, path in enumerate(paths):
        name = os.path.basename(path)
        kind = TYPES[os.path.splitext(name)[1]]
        with open(path, "rb") as file:
            plain = file.read()
        packed = gzip.compress(plain, 9, mtime=0)
        digest.update(f"{name} {len(plain)} ".encode() + plain)
        arrays.append(f"static const unsigned char plain_{number}[] = {{\n{c_bytes(plain)}\n}};")
        arrays.append(f"static const unsigned char packed_{number}[] = {{\n{c_bytes(packed)}\n}};")
        rows.append(f'\t{{ {{ "{name}", {len(name)} }}, "{kind}",\n'
                    f"\t  {{ (const char *)plain_{number}, sizeof(plain_{number}) }},\n"
                    f"\t  {{ (const char *)packed_{number}, sizeof(packed_{number}) }} }},")
    with open(output, "w", encoding="ascii") as out:
        out.write("\n".join(arrays))
        out.write("\nstatic const struct ui_file files[] = {\n" + "\n".join(rows) + "\n};\n")
        out.write(f'static const char files_hash[] = "{digest.hexdigest()[:16]}";\n')


main()
