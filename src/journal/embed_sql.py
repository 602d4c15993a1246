#!/usr/bin/env python3
"""Writes the migrations as a C table: embed_sql.py OUTPUT FILE.sql ..."""
import os
import sys

output, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
with open(output, "w", encoding="ascii") as out:
    out.write("static const char *const migrations[] = {\n")
    for number, path in enumerate(files, 1):
        name = os.path.basename(path)
        if int(name.split("_")[0]) != number:
            sys.exit(f"{name}: expected migration number {number:04d}")
        with open(path, encoding="ascii") as sql:
            for line in sql:
                text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
                out.write(f'\t"{text}\\n"\n')
        out.write("\t,\n")
    out.write("};\n")
