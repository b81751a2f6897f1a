#!/usr/bin/env python3
"""make-summary.py SHARED/data/fhir - which elements belong to a summary, from
FHIR's definitions (CC0): definitions/{dstu2,stu3,r4}/summary.tsv.

A row is a JSON path and letters: S in the summary, M mandatory, X modifier,
B a backbone element, whose members have rows of their own.  What is none of
these has no row.  Run by hand when the definitions change.
"""
import csv
import os
import sys

SOURCE = sys.argv[1]
TARGET = os.path.join(os.path.dirname(__file__), "..", "definitions")


def rows(release):
    path = os.path.join(SOURCE, release, "elements-resources.tsv")
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def names(path, row):
    if not path.endswith("[x]"):
        return [path]
    types = [t.split("(")[0] for t in row["types"].replace("|", ",").split(",") if t]
    return [path[:-3] + t[0].upper() + t[1:] for t in types]


def main():
    for release in ("dstu2", "stu3", "r4"):
        table = rows(release)
        parents = {r["path"].rpartition(".")[0] for r in table}
        out = {}
        for row in table:
            path = row["path"]
            if "." not in path:
                continue
            flags = "S" if row["summary"] == "1" else ""
            flags += "M" if row["min"] not in ("", "0") else ""
            flags += "X" if row["modifier"] == "1" else ""
            flags += "B" if path in parents else ""
            if flags:
                for name in names(path, row):
                    out[name] = flags
        with open(os.path.join(TARGET, release, "summary.tsv"), "w", encoding="utf-8") as f:
            f.write("path\tflags\n")
            for name in sorted(out, key=lambda n: n.encode()):
                f.write(f"{name}\t{out[name]}\n")


main()
