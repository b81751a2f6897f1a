#!/usr/bin/env python3
"""make-definitions.py SHARED/data/fhir - FHIR's definitions (CC0) as compact
tables in definitions/{dstu2,stu3,r4}: types.tsv and search-parameters.tsv.

An expression becomes a list of concrete JSON paths, one for each datatype:
    component/valueQuantity:Quantity    telecom[system=phone]:ContactPoint
    subject:Reference@Patient           (only references to a Patient)
Run by hand when the definitions change; the tables are committed.
"""
import csv
import json
import os
import re
import sys

SOURCE = sys.argv[1]
TARGET = os.path.join(os.path.dirname(__file__), "..", "definitions")

ALLOWED = {
    "token": "CodeableConcept Coding Identifier ContactPoint code id boolean string uri "
             "oid uuid canonical url integer positiveInt unsignedInt dateTime date "
             "CodeableReference",
    "string": "string markdown HumanName Address code id uri Annotation "
              "CodeableConcept ContactPoint xhtml",
    "date": "date dateTime instant Period Timing",
    "reference": "Reference canonical uri url oid uuid",
    "quantity": "Quantity Age Money Count Distance Duration SimpleQuantity "
                "MoneyQuantity Range SampledData decimal integer",
    "number": "integer decimal positiveInt unsignedInt Range Quantity Duration Age",
    "uri": "uri url canonical oid uuid string id",
}
ALLOWED = {kind: set(names.split()) for kind, names in ALLOWED.items()}
# DSTU2 has no expressions for its composites: (context, parts).
COMPOSITES = {  # where the definitions have no parts, or swapped ones
    ("CarePlan", "related"): ("CarePlan.relatedPlan", ["relatedcode", "relatedplan"]),
    ("DiagnosticOrder", "event-status-date"): ("DiagnosticOrder.event", ["event-status", "event-date"]),
    ("DiagnosticOrder", "item-status-date"): ("DiagnosticOrder.item.event", ["item-past-status", "item-date"]),
    ("DocumentReference", "relationship"): ("DocumentReference.relatesTo", ["relatesto", "relation"]),
    ("Group", "characteristic-value"): ("Group.characteristic", ["characteristic", "value"]),
    ("Observation", "related"): ("Observation.related", ["related-target", "related-type"]),
}
for _kind in ("quantity", "string", "concept", "date"):
    COMPOSITES["Observation", "code-value-" + _kind] = ("Observation", ["code", "value-" + _kind])
    COMPOSITES["Observation", "component-code-value-" + _kind] = (
        "Observation.component", ["component-code", "component-value-" + _kind])
# What the tables leave without a path.
PATHS = {
    ("FamilyMemberHistory", "condition"): "FamilyMemberHistory.condition.code",
    ("FamilyMemberHistory", "relationship"): "FamilyMemberHistory.relationship",
    ("Condition", "age"): "Condition.onsetQuantity",
    ("DataElement", "objectClass"): "DataElement.element.mapping.extension[@url='http:..hl7.org.fhir.StructureDefinition.11179-objectClass']",
    ("DataElement", "objectClassProperty"): "DataElement.element.mapping.extension[@url='http:..hl7.org.fhir.StructureDefinition.11179-objectClassProperty']",
}
# Of US Core 6, which the tables of the guides do not have yet.
US_CORE = [
    ("CareTeam", "role", "token", "CareTeam.participant.role"),
    ("Condition", "asserted-date", "date",
     "Condition.extension.where(url = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate').value"),
    ("Encounter", "discharge-disposition", "token", "Encounter.hospitalization.dischargeDisposition"),
    ("Goal", "description", "token", "Goal.description"),
]
COMMON = [("_id", "token", "id"), ("_lastUpdated", "date", "meta/lastUpdated:instant"),
          ("_tag", "token", "meta/tag:Coding"), ("_profile", "uri", "meta/profile:uri"),
          ("_security", "token", "meta/security:Coding"), ("_source", "uri", "meta/source:uri")]


class Release:
    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(SOURCE, name)
        self.elements = {}
        self.children = {}
        self.aliases = {r["type"]: r["same_structure_as"] for r in self.rows("type-aliases.tsv")}
        for table in ("elements-resources.tsv", "elements-types.tsv"):
            for row in self.rows(table):
                self.elements[row["path"]] = row
                parent, _, last = row["path"].rpartition(".")
                if parent:
                    self.children.setdefault(parent, []).append((last, row))
        self.types = sorted({r["path"] for r in self.rows("elements-resources.tsv")
                             if "." not in r["path"]} - {"Resource", "DomainResource"})

    def rows(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as f:
            return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))

    def load(self, name):
        path = os.path.join(self.folder, name)
        return json.load(open(path, encoding="utf-8")) if os.path.exists(path) else None

    def children_of(self, context, datatype):
        """Elements below a place: of its own path, its datatype, or its contentref."""
        row = self.elements.get(context)
        if row is not None and row.get("contentref"):
            return self.children_of(row["contentref"], "")
        found = self.children.get(context)
        if found and (not datatype or datatype in ("BackboneElement", "Element") or "." not in context):
            return [(context + "." + n, n, r) for n, r in found]
        datatype = self.aliases.get(datatype, datatype)
        return [(datatype + "." + n, n, r) for n, r in self.children.get(datatype, [])]

    def step(self, context, datatype, name):
        """(json name, context, datatype) for every way a step can go."""
        for path, last, row in self.children_of(context, datatype):
            types = (row["types"] or "").split("|")
            if types == ["*"]:
                types = ("CodeableConcept Coding Identifier code boolean string uri dateTime date "
                         "Period Quantity Range Reference decimal integer").split()
            if last == name and not last.endswith("[x]"):
                return [(name, path, t) for t in types]
            if last.endswith("[x]"):
                stem = last[:-3]
                ways = [(stem + t[0].upper() + t[1:], path, t) for t in types if t]
                if stem == name:
                    return ways
                for way in ways:
                    if way[0] == name:
                        return [way]
        return []


def split_top(text, mark):
    parts, depth, at = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and text.startswith(mark, i):
            parts.append(text[at:i])
            at = i + len(mark)
    return [p.strip() for p in parts + [text[at:]]]


STEP = re.compile(r"""\s*\.?(?:
    (?P<as>(?:as|ofType)\((?P<astype>\w+)\)) | (?P<is>is\((?P<istype>\w+)\)) |
    where\((?P<where>(?:[^()]|\([^()]*\))*)\) | (?P<exists>exists\(\)) |
    \[(?P<index>[^\]]*)\] | (?P<name>\w+))""", re.X)


def tokens(term):
    """A term as a list of (kind, value)."""
    term = term.strip()
    match = re.match(r"^\((.*)\)(\..*)?$", term)
    if match and " as " in match.group(1) and "|" not in match.group(1):
        inner, kind = match.group(1).rsplit(" as ", 1)
        return tokens(inner) + [("as", kind.strip())] + (tokens(match.group(2)) if match.group(2) else [])
    if " as " in term and not term.startswith("("):
        inner, kind = term.rsplit(" as ", 1)
        return tokens(inner) + [("as", kind.strip())]
    out, at = [], 0
    while at < len(term):
        m = STEP.match(term, at)
        if not m:
            raise ValueError("cannot read " + term)
        if m.group("astype") or m.group("istype"):
            out.append(("as", m.group("astype") or m.group("istype")))
        elif m.group("where") is not None:
            out.append(("where", m.group("where")))
        elif m.group("exists"):
            out.append(("exists", ""))
        elif m.group("index") is not None:
            out.append(("index", m.group("index")))
        else:
            out.append(("name", m.group("name")))
        at = m.end()
    return out


def walk(release, ways, steps):
    """ways: (json path, context, datatype, target filter, exists)."""
    for kind, value in steps:
        after = []
        for path, context, datatype, target, exists in ways:
            if kind == "name":
                for name, ctx, t in release.step(context, datatype, value):
                    after.append((path + "/" + name if path else name, ctx, t, target, exists))
            elif kind == "as":
                if datatype.lower() == value.lower() or release.aliases.get(datatype) == value:
                    after.append((path, context, datatype, target, exists))
            elif kind == "where":
                resolve = re.match(r"resolve\(\) is (\w+)$", value.strip())
                equal = re.match(r"(\w+)\s*=\s*'([^']*)'$", value.strip())
                if resolve:
                    after.append((path, context, datatype, resolve.group(1), exists))
                elif equal:
                    after.append((f"{path}[{equal.group(1)}={equal.group(2)}]", context, datatype, target, exists))
            elif kind == "index":
                url = re.match(r"@url='(.*)'$", value)
                if url:
                    clean = url.group(1).replace("http:..hl7.org.fhir.StructureDefinition.",
                                                 "http://hl7.org/fhir/StructureDefinition/")
                    after.append((f"{path}[url={clean}]", context, datatype, target, exists))
                else:
                    after.append((path, context, datatype, target, exists))
            elif kind == "exists":
                after.append((path, context, datatype, target, True))
        ways = after
    return ways


def paths_of(release, base, kind, expression):
    """The concrete paths, without the type's own name."""
    expression = re.sub(r"^(\w+\.\w+)\.exists\(\) and .*$", r"\1.exists()", expression or "")
    found = []
    for term in split_top(expression, "|"):
        if not term:
            continue
        steps = tokens(term)
        first = steps[0][1]
        if first in ("Resource", "DomainResource") or first == base:
            steps = steps[1:]
        elif first in release.types or first[0].isupper():
            continue
        ways = walk(release, [("", base, "", "", False)], steps)
        for path, context, datatype, target, exists in ways:
            if datatype == "Extension" and "[url=" in path:  # DSTU2: the extension itself
                for t in ("CodeableConcept", "Coding", "code", "string"):
                    found.append(f"{path}/value{t[0].upper() + t[1:]}:{t}")
                continue
            final = "present" if exists and datatype != "boolean" else datatype
            if final != "present" and kind in ALLOWED and datatype not in ALLOWED[kind]:
                continue
            found.append(f"{path}:{final}" + (f"@{target}" if target else ""))
    return list(dict.fromkeys(found))


def composite(release, base, param, by_url, by_code):
    """context>part 0 paths>part 1 paths: the parts below one occurrence."""
    if param.get("component") and param["code"] != "relationship":
        parts = []
        terms = [t for t in split_top(param.get("expression") or base, "|") if t.split(".")[0] == base or t in ("Observation",)]
        contexts = terms or [base]
        for c in param["component"]:
            ref = c["definition"]
            url = ref["reference"] if isinstance(ref, dict) else ref
            code = url.rsplit("/", 1)[-1][len(base) + 1:]  # Observation-code is clinical-code now
            parts.append((by_url.get(url) or by_code.get((base, code)), c["expression"]))
        if any("%resource." in e for _, e in parts):  # the whole resource is the occurrence
            inner = contexts[0].partition(".")[2]
            parts = [(o, e.replace("%resource.", "") if "%resource." in e else inner + "." + e) for o, e in parts]
            contexts = [base]
    else:
        context, codes = COMPOSITES.get((base, param["code"]), (None, []))
        if not codes:
            return [], []
        contexts, parts = [context], []
        for code in codes:
            other = by_code.get((base, code))
            if other is None:
                return [], []
            own = other.get("path") or other.get("expression") or ""
            parts.append((other, " | ".join(re.sub("^" + re.escape(context) + r"\.", "", t)
                                            for t in split_top(own, "|") if t.startswith(context + "."))))
    out, codes = [], []
    for k, (other, expression) in enumerate(parts):
        if other is None:
            return [], []
        codes.append(other["code"])
        for context in contexts:
            start = walk(release, [("", base, "", "", False)], tokens(context)[1:])
            for path, ctx, datatype, _, _ in start or [("", base, "", "", False)]:
                for term in split_top(expression, "|"):
                    if not term:
                        continue
                    steps = [s for s in tokens(term) if s != ("name", base)]
                    for p, _, t, target, _ in walk(release, [("", ctx, datatype, "", False)], steps):
                        if t in ALLOWED.get(other["type"], set()):
                            out.append(f"{path}>{k}>{p}:{t}")
    return codes, list(dict.fromkeys(out))


def clean(text):
    return re.sub(r"\s+", " ", text or "").strip()[:160]


def sole_target(params, base, p):
    """The type that a parameter's references point to, where others read the
    same element."""
    if p["type"] != "reference":
        return None
    if p["code"] == "patient":
        return "Patient"
    way = p.get("expression") or p.get("path")
    same = [q for q in params if base in q["base"] and (q.get("expression") or q.get("path")) == way]
    targets = p.get("target") or []
    return targets[0] if len(targets) == 1 and len(same) > 1 else None


def main():
    for name in ("dstu2", "stu3", "r4"):
        release = Release(name)
        params = release.load("search-parameters.json")["searchParameters"]
        more = release.load("search-parameters-ig.json")
        official = {(b, p["code"]) for p in params for b in p["base"]}
        if name == "r4":
            params += [{"base": [base], "code": code, "type": kind, "expression": expression,
                        "url": f"http://hl7.org/fhir/us/core/SearchParameter/us-core-{base.lower()}-{code}"}
                       for base, code, kind, expression in US_CORE]
        for p in (more or {"searchParameters": []})["searchParameters"]:
            p["base"] = [b for b in p["base"] if (b, p["code"]) not in official]
            if p["base"]:
                params.append(p)
        for p in [q for q in params if q["code"].endswith("-[x]")]:  # DSTU2 writes four as one
            params.remove(p)
            params += [dict(p, code=p["code"][:-3] + k) for k in ("quantity", "string", "concept", "date")]
        by_url = {p["url"]: p for p in params if p.get("url")}
        by_code = {(b, p["code"]): p for p in params for b in p["base"]}
        rows, lost = {}, []
        for p in params:
            bases = [b for b in p["base"] if b not in ("Resource", "DomainResource")]
            for base in bases:
                expression = p.get("expression") or p.get("path") or ""
                expression = expression or PATHS.get((base, p["code"]), "")
                if (base, p["code"]) == ("InsurancePlan", "name"):
                    expression = "InsurancePlan.name | InsurancePlan.alias"
                parts = []
                if p["type"] == "composite":
                    parts, paths = composite(release, base, p, by_url, by_code)
                    if not parts:  # made by writing out [x]: the type has no such element
                        continue
                elif p["code"] == "near":  # a place, whatever the release calls it
                    p, paths = dict(p, type="special"), ["position:position"]
                elif p["type"] == "special":
                    paths = []
                else:
                    paths = paths_of(release, base, p["type"], expression)
                    only = sole_target(params, base, p)
                    if only:  # one element, told apart by what it points to
                        paths = [x if "@" in x else f"{x}@{only}" for x in paths]
                if (base, p["code"]) == ("Patient", "deceased"):
                    paths = ["deceasedBoolean:boolean", "deceasedDateTime:present", "!false"]
                if not paths:
                    lost.append(f"{base}.{p['code']} ({p['type']}): {expression[:80]}")
                key = (base, p["code"])
                if key in rows:
                    rows[key][-1] = "|".join(dict.fromkeys(rows[key][-1].split("|") + paths))
                    continue
                rows[key] = [base, p["code"], p["type"], ",".join(p.get("target") or []),
                             ",".join(parts), p.get("url") or "", clean(p.get("description")), "|".join(paths)]
        for base in release.types:
            for code, kind, path in COMMON:
                path = "id:id" if code == "_id" else path
                rows[(base, code)] = [base, code, kind, "", "", "", "", path]
        folder = os.path.join(TARGET, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "search-parameters.tsv"), "w", encoding="utf-8") as f:
            f.write("type\tcode\tkind\ttargets\tparts\turl\tdescription\tpaths\n")
            for key in sorted(rows):
                f.write("\t".join(rows[key]) + "\n")
        compartment = {r["code"]: r.get("param") or [] for r in release.load("compartment-patient.json")["resource"]}
        with open(os.path.join(folder, "types.tsv"), "w", encoding="utf-8") as f:
            f.write("type\tflags\tcompartment\n")
            for t in release.types:
                flags = ""
                row = release.elements.get(t + ".identifier")
                if row:
                    flags += "i" if row["max"] == "*" else "I"
                if t + ".text" in release.elements:
                    flags += "t"
                own = compartment.get(t) or []
                flags += "p" if own or t == "Patient" else ""
                f.write(f"{t}\t{flags}\t{','.join(own)}\n")
        print(f"{name}: {len(release.types)} types, {len(rows)} rows, {len(lost)} without a path", file=sys.stderr)
        for line in lost:
            print("   ", line, file=sys.stderr)


main()
