#!/usr/bin/env python3
"""make-structures.py SHARED/data/fhir - the elements of FHIR's types, from its
definitions (CC0): definitions/{dstu2,stu3,r4}/structures.tsv, what $validate
checks by.  Run by hand when the definitions change; the tables are committed.

A row: path, min, max, types (or @path, the same structure as that element),
the types that a reference may point to, the value set of a required binding.
"""
import csv
import os
import sys

SOURCE = sys.argv[1]
TARGET = os.path.join(os.path.dirname(__file__), "..", "definitions")


def rows(*parts):
    with open(os.path.join(SOURCE, *parts), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    for release in ("dstu2", "stu3", "r4"):
        table = rows(release, "elements-types.tsv") + rows(release, "elements-resources.tsv")
        aliases = rows(release, "type-aliases.tsv")
        with open(os.path.join(TARGET, release, "structures.tsv"), "w", encoding="utf-8") as f:
            f.write("path\tmin\tmax\ttypes\ttargets\tcodes\n")
            for row in aliases:
                f.write(f"{row['type']}\t\t\t={row['same_structure_as']}\t\t\n")
            for row in table:
                if "." not in row["path"]:
                    continue
                types = "@" + row["contentref"].lstrip("#") if row["contentref"] else row["types"]
                types = types.replace("fhir:string", "string").replace("fhir:number", "decimal")
                types = types.replace("fhir:boolean", "boolean").replace("fhir:true", "boolean")
                targets = row["targets"]
                if "Resource" in targets.split("|") or "Any" in targets.split("|"):
                    targets = ""
                codes = row["valueset"].split("|")[0] if row["binding"] == "required" else ""
                f.write("\t".join([row["path"], row["min"], row["max"], types, targets, codes]) + "\n")


main()
