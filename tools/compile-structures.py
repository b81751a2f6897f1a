#!/usr/bin/env python3
"""compile-structures.py DEFINITIONS OUT.c - definitions/*/structures.tsv as C:
for each type and backbone element a node, for each JSON member a child."""
import csv
import os
import sys

SOURCE, OUT = sys.argv[1], sys.argv[2]
PRIMITIVES = ("base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid "
              "positiveInt string time unsignedInt uri url uuid xhtml").split()
NONE = 65535


def text(s):
    return 'STR_INIT("%s")' % s


class Release:
    def __init__(self, name):
        with open(os.path.join(SOURCE, name, "structures.tsv"), encoding="utf-8") as f:
            self.rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
        with open(os.path.join(SOURCE, name, "types.tsv"), encoding="utf-8") as f:
            self.types = [r["type"] for r in csv.DictReader(f, delimiter="\t")]
        self.number = {t: i for i, t in enumerate(self.types)}
        self.alias = {r["path"]: r["types"][1:] for r in self.rows if r["types"].startswith("=")}
        self.rows = [r for r in self.rows if not r["types"].startswith("=")]
        self.kids = {}
        for r in self.rows:
            self.kids.setdefault(r["path"].rpartition(".")[0], []).append(r)
        self.nodes = {path: i for i, path in enumerate(sorted(self.kids))}

    def node(self, path, kind):
        """(node, primitive) of an element's type."""
        if kind.startswith("@"):
            return self.nodes[kind[1:]], NONE
        if path in self.nodes:
            return self.nodes[path], NONE
        kind = self.alias.get(kind, kind)
        if kind in PRIMITIVES:
            return NONE, PRIMITIVES.index(kind)
        if kind in ("Resource", "DomainResource"):
            return NONE - 1, NONE
        if kind in self.nodes:
            return self.nodes[kind], NONE
        return NONE, PRIMITIVES.index("string")  # "Element.id" of old tables: a plain string

    def children(self, path):
        out = []
        for group, r in enumerate(self.kids[path]):
            last = r["path"].rpartition(".")[2]
            targets = [self.number[t] for t in r["targets"].split("|") if t in self.number]
            common = (int(r["min"] or 0), 0 if r["max"] == "*" else int(r["max"] or 1), group + 1, targets, r["codes"])
            kinds = [k for k in r["types"].split("|") if k]
            if last.endswith("[x]"):
                for kind in dict.fromkeys(kinds):
                    out.append((last[:-3] + kind[0].upper() + kind[1:], self.node("", kind)) + common)
            else:
                kind = kinds[0] if kinds else "Element"
                out.append((last, self.node(r["path"], kind)) + common)
        return sorted(out, key=lambda c: c[0].encode())


def main():
    with open(OUT, "w", encoding="ascii") as out:
        w = out.write
        w('/* Made by tools/compile-structures.py; do not edit. */\n#include "validate/structure_int.h"\n\n')
        sizes = []
        for name in ("dstu2", "stu3", "r4"):
            r = Release(name)
            pool, kids, nodes = [], [], []
            for path in sorted(r.nodes, key=r.nodes.get):
                first = len(kids)
                for child, (node, primitive), least, most, group, targets, codes in r.children(path):
                    at = len(pool)
                    pool.extend(targets)
                    kids.append("{ %s, %d, %d, %d, %d, %d, %d, %d, %s }," % (
                        text(child), node, primitive, least, most, group, at, len(targets), text(codes)))
                nodes.append("{ %d, %d }," % (first, len(kids) - first))
            w(f"static const uint16_t targets_{name}[] = {{ {', '.join(map(str, pool or [0]))} }};\n")
            w(f"static const struct structure_child children_{name}[] = {{\n" + "\n".join(kids) + "\n};\n")
            w(f"static const struct structure_node nodes_{name}[] = {{\n" + "\n".join(nodes) + "\n};\n")
            w(f"static const uint16_t roots_{name}[] = {{ {', '.join(str(r.nodes.get(t, NONE)) for t in r.types)} }};\n")
            sizes.append((name, r.nodes.get("Element", NONE)))
        w("const struct structure_table structure_tables[RELEASE_COUNT] = {\n")
        for name, element in sizes:
            w(f"{{ nodes_{name}, children_{name}, targets_{name}, roots_{name}, {element} }},\n")
        w("};\n")


main()
