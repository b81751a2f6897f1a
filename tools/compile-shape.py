#!/usr/bin/env python3
"""compile-shape.py DEFINITIONS OUT.c - definitions/*/shape.tsv as C."""
import csv
import os
import sys

SOURCE, OUT = sys.argv[1], sys.argv[2]


def main():
    with open(OUT, "w", encoding="ascii") as out:
        out.write('/* Made by tools/compile-shape.py; do not edit. */\n#include "patch/shape_int.h"\n\n')
        sizes = []
        for release in ("dstu2", "stu3", "r4"):
            with open(os.path.join(SOURCE, release, "shape.tsv"), encoding="utf-8") as f:
                rows = sorted(csv.DictReader(f, delimiter="\t"), key=lambda r: r["path"].encode())
            out.write(f"static const struct shape_row rows_{release}[] = {{\n")
            for row in rows:
                out.write('{ STR_INIT("%s"), STR_INIT("%s") },\n' % (row["path"], row["members"]))
            out.write("};\n")
            sizes.append((release, len(rows)))
        out.write("const struct shape_table shape_tables[RELEASE_COUNT] = {\n")
        for release, n in sizes:
            out.write("{ rows_%s, %d },\n" % (release, n))
        out.write("};\n")


main()
