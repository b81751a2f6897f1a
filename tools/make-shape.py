#!/usr/bin/env python3
"""make-shape.py SHARED/data/fhir - which members a type has, as
definitions/{dstu2,stu3,r4}/shape.tsv, from FHIR's definitions (CC0).

    Patient     name*:HumanName deceased[]:boolean,dateTime contact*:.
* may repeat, [] a choice, . has a line of its own (Patient.contact), #Path is
made like that path.  What all elements or all resources have is left out.
Run by hand when the definitions change; the tables are committed.
"""
import csv
import os
import sys

SOURCE = sys.argv[1]
TARGET = os.path.join(os.path.dirname(__file__), "..", "definitions")
COMMON = {"id", "extension", "modifierExtension"}
OF_RESOURCES = COMMON | {"meta", "implicitRules", "language", "text", "contained"}


def rows(release, name):
    with open(os.path.join(SOURCE, release, name), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t"))


def member(row, name):
    out = name.replace("[x]", "[]") + ("*" if row["max"] not in ("0", "1") else "") + ":"
    if row["contentref"]:
        return out + "#" + row["contentref"]
    if row["types"] in ("", "BackboneElement", "Element"):
        return out + "."
    return out + row["types"].replace("|", ",")


def main():
    for release in ("dstu2", "stu3", "r4"):
        shapes = {}
        for table, common in (("elements-resources.tsv", OF_RESOURCES), ("elements-types.tsv", COMMON)):
            for row in rows(release, table):
                parent, _, name = row["path"].rpartition(".")
                if not parent or parent[0].islower() or row["max"] == "0":
                    continue
                if name in (common if "." not in parent else COMMON):
                    continue
                shapes.setdefault(parent, []).append(member(row, name))
        for row in rows(release, "type-aliases.tsv"):
            same = row["same_structure_as"]
            if same in shapes:
                shapes.setdefault(row["type"], shapes[same])
        with open(os.path.join(TARGET, release, "shape.tsv"), "w", encoding="utf-8") as out:
            out.write("path\tmembers\n")
            for path in sorted(shapes):
                out.write(path + "\t" + " ".join(shapes[path]) + "\n")


main()
