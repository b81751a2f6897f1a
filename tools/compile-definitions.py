#!/usr/bin/env python3
"""compile-definitions.py DEFINITIONS OUT - the tables of definitions/ as C:
types, search parameters, and for each type a trie of JSON members whose leaves
say which parameter a value belongs to.  Read by src/fhir/tables.h."""
import csv
import hashlib
import os
import re
import sys

SOURCE, OUT = sys.argv[1:3]
KINDS = "number date string token reference composite quantity uri special".split()
HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "fhir", "datatypes.h")
DATATYPES = [n.replace("p_", "").lower() for n in re.findall(r"^    DATATYPE_(\w+),", open(HEADER).read(), re.M)]


def rows(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def text(s):
    return '{ "%s", %d }' % (s.replace("\\", "\\\\").replace('"', '\\"'), len(s.encode()))


STEP = re.compile(r"([^/\[]+)(?:\[(\w+)=([^\]]*)\])?(?:/|$)")


class Node:
    def __init__(self):
        self.children = {}
        self.leaves = []

    def child(self, step):
        return self.children.setdefault(step, Node())


def steps_of(path):
    out, at = [], 0
    while at < len(path):
        m = STEP.match(path, at)
        out.append((m.group(1), m.group(2) or "", m.group(3) or ""))
        at = m.end()
    return out


def compile_release(name, out):
    folder = os.path.join(SOURCE, name)
    types = rows(os.path.join(folder, "types.tsv"))
    params = rows(os.path.join(folder, "search-parameters.tsv"))
    number = {t["type"]: i for i, t in enumerate(types)}
    order = {t["type"]: [] for t in types}
    for p in params:
        order[p["type"]].append(p)
    all_rows = [p for t in types for p in sorted(order[t["type"]], key=lambda p: (not p["code"].startswith("_"), p["code"]))]
    row_of = {(p["type"], p["code"]): i for i, p in enumerate(all_rows)}

    pool = []  # targets and components
    def span(numbers):
        if not numbers:
            return 0, 0
        at = len(pool)
        pool.extend(numbers)
        return at, len(numbers)

    lines, roots, defaults = [], {t["type"]: Node() for t in types}, {}
    for i, p in enumerate(all_rows):
        names = [t for t in p["targets"].split(",") if t]
        targets = [] if "Resource" in names or "Any" in names else [number[t] for t in names if t in number]
        parts = [row_of[p["type"], c] for c in p["parts"].split(",") if c]
        ta, tn = span(targets)
        pa, pn = span(parts)
        lines.append("{ %s, %d, %d, pool_%s + %d, %d, pool_%s + %d, %d, %s, %s }," % (
            text(p["code"]), KINDS.index(p["kind"]), number[p["type"]], name, ta, tn, name, pa, pn,
            text(p["url"]), text(p["description"])))
        for path in [x for x in p["paths"].split("|") if x]:
            if path.startswith("!"):
                defaults[p["type"]] = i
                continue
            body, _, datatype = path.rpartition(":")
            datatype, _, target = datatype.partition("@")
            component, depth, kind = 0, 0, p["kind"]
            steps = []
            if ">" in body:
                context, k, inner = body.split(">")
                component = int(k) + 1
                steps = steps_of(context)
                depth = len(steps)
                kind = all_rows[parts[int(k)]]["kind"]
                body = inner
            steps += steps_of(body)
            node = roots[p["type"]]
            for step in steps:
                node = node.child(step)
            node.leaves.append((i, DATATYPES.index(datatype.lower()), KINDS.index(kind), component, depth,
                                number.get(target, 65535)))

    compartments = {t["type"]: span([row_of[t["type"], c] for c in t["compartment"].split(",")
                                     if (t["type"], c) in row_of]) for t in types}
    nodes, children, leaves = [], [], []
    def flatten(node):
        at = len(nodes)
        nodes.append(None)
        first_leaf = len(leaves)
        leaves.extend(sorted(set(node.leaves)))
        leaf_count = len(leaves) - first_leaf
        kids = sorted(node.children.items())
        first_child = len(children)
        children.extend([None] * len(kids))
        for k, (step, child) in enumerate(kids):
            children[first_child + k] = (step, flatten(child))
        nodes[at] = (first_child, len(kids), first_leaf, leaf_count)
        return at
    root_of = {t["type"]: flatten(roots[t["type"]]) for t in types}

    w = out.write
    w(f"static const uint16_t pool_{name}[] = {{ {', '.join(map(str, pool or [0]))} }};\n")
    w(f"static const struct search_param params_{name}[] = {{\n" + "\n".join(lines) + "\n};\n")
    w(f"static const struct trie_node nodes_{name}[] = {{\n")
    w("\n".join("{ %d, %d, %d, %d }," % n for n in nodes) + "\n};\n")
    w(f"static const struct trie_child children_{name}[] = {{\n")
    for (step, member, value), node in children:
        w("{ %s, %s, %s, %d },\n" % (text(step), text(member), text(value), node))
    w("};\n")
    w(f"static const struct trie_leaf leaves_{name}[] = {{\n")
    w("\n".join("{ %d, %d, %d, %d, %d, %d }," % leaf for leaf in leaves) + "\n};\n")
    w(f"static const struct type_row types_{name}[] = {{\n")
    first = 0
    for t in types:
        n = len(order[t["type"]])
        flags = sum(bit for letter, bit in (("i", 1), ("I", 2), ("t", 4), ("p", 8)) if letter in t["flags"])
        ca, cn = compartments[t["type"]]
        w("{ %s, %d, %d, %d, %d, %d, pool_%s + %d, %d },\n" % (text(t["type"]), flags, first, n, root_of[t["type"]],
                                            defaults.get(t["type"], 65535), name, ca, cn))
        first += n
    w("};\n")
    digest = hashlib.sha256()
    for file in ("types.tsv", "search-parameters.tsv"):
        digest.update(open(os.path.join(folder, file), "rb").read())
    return (name, len(types), len(all_rows), int(digest.hexdigest()[:12], 16))


def main():
    with open(OUT, "w", encoding="ascii", errors="replace") as out:
        out.write('/* Made by tools/compile-definitions.py; do not edit. */\n#include "fhir/tables.h"\n\n')
        made = [compile_release(n, out) for n in ("dstu2", "stu3", "r4")]
        out.write("const struct release_tables release_tables[RELEASE_COUNT] = {\n")
        for name, types, params, digest in made:
            out.write("{ types_%s, %d, params_%s, %d, nodes_%s, children_%s, leaves_%s, UINT64_C(%d) },\n" % (
                name, types, name, params, name, name, name, digest))
        out.write("};\n")


main()
