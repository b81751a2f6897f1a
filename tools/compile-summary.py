#!/usr/bin/env python3
"""compile-summary.py DEFINITIONS OUT.c - definitions/*/summary.tsv as C."""
import csv
import os
import sys

SOURCE, OUT = sys.argv[1], sys.argv[2]
BITS = {"S": 1, "M": 2, "X": 4, "B": 8}


def main():
    with open(OUT, "w", encoding="ascii") as out:
        out.write('/* Made by tools/compile-summary.py; do not edit. */\n#include "fhir/summary_int.h"\n\n')
        sizes = []
        for release in ("dstu2", "stu3", "r4"):
            with open(os.path.join(SOURCE, release, "summary.tsv"), encoding="utf-8") as f:
                rows = list(csv.DictReader(f, delimiter="\t"))
            rows.sort(key=lambda r: r["path"].encode())
            out.write(f"static const struct summary_row rows_{release}[] = {{\n")
            for row in rows:
                flags = sum(BITS[c] for c in row["flags"])
                out.write('{ STR_INIT("%s"), %d },\n' % (row["path"], flags))
            out.write("};\n")
            sizes.append((release, len(rows)))
        out.write("const struct summary_table summary_tables[RELEASE_COUNT] = {\n")
        for release, n in sizes:
            out.write("{ rows_%s, %d },\n" % (release, n))
        out.write("};\n")


main()
