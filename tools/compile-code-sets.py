#!/usr/bin/env python3
"""compile-code-sets.py DEFINITIONS OUT.c - definitions/*/code-sets.tsv (value
set, system, code) and code-trees.tsv (system, code, parent), both of FHIR's CC0
definitions, as C."""
import csv
import os
import sys

SOURCE, OUT = sys.argv[1], sys.argv[2]


def text(s):
    return 'STR_INIT("%s")' % s.replace("\\", "\\\\").replace('"', '\\"')


def table(release, name):
    with open(os.path.join(SOURCE, release, name), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def trees(out):
    sizes = []
    for release in ("dstu2", "stu3", "r4"):
        systems = {}
        for row in table(release, "code-trees.tsv"):
            systems.setdefault(row["system"], []).append(row)
        for i, system in enumerate(systems):
            out.write(f"static const struct code_tree_edge edges_{release}_{i}[] = {{\n")
            for row in systems[system]:
                out.write("{ %s, %s },\n" % (text(row["code"]), text(row["parent"] or "")))
            out.write("};\n")
        out.write(f"static const struct code_tree trees_{release}[] = {{\n")
        for i, system in enumerate(systems):
            out.write("{ %s, edges_%s_%d, %d },\n" % (text(system), release, i, len(systems[system])))
        out.write("{ STR_INIT(\"\"), NULL, 0 },\n};\n")
        sizes.append((release, len(systems)))
    out.write("const struct code_tree_table code_tree_tables[RELEASE_COUNT] = {\n")
    for release, n in sizes:
        out.write("{ trees_%s, %d },\n" % (release, n))
    out.write("};\n")


def main():
    with open(OUT, "w", encoding="ascii") as out:
        out.write('/* Made by tools/compile-code-sets.py; do not edit. */\n#include "fhir/code_set_int.h"\n\n')
        sizes = []
        for release in ("dstu2", "stu3", "r4"):
            rows = table(release, "code-sets.tsv")
            sets = {}
            for row in rows:
                sets.setdefault(row["valueset"], []).append(row)
            out.write(f"static const struct code_set_code codes_{release}[] = {{\n")
            places, at = [], 0
            for url in sorted(sets, key=lambda u: u.encode()):
                for row in sets[url]:
                    out.write("{ %s, %s },\n" % (text(row["system"]), text(row["code"])))
                places.append((url, at, len(sets[url])))
                at += len(sets[url])
            out.write("};\n")
            out.write(f"static const struct code_set sets_{release}[] = {{\n")
            for url, first, n in places:
                out.write("{ %s, codes_%s + %d, %d },\n" % (text(url), release, first, n))
            out.write("};\n")
            sizes.append((release, len(places)))
        out.write("const struct code_set_table code_set_tables[RELEASE_COUNT] = {\n")
        for release, n in sizes:
            out.write("{ sets_%s, %d },\n" % (release, n))
        out.write("};\n")
        trees(out)


main()
