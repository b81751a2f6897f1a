#!/usr/bin/env python3
"""make-api-doc.py - docs/api.md from the table of routes."""
import re

GROUP = re.compile(r"^    /\* (.*) \*/$")
ROW = re.compile(r'\{\s*"(\w+)",\s*"([^"]+)",\s*(\w+),\s*(\w+),\s*([^,]+),\s*"([^"]+)"', re.S)
FAMILY = {"family_fhir": "OperationOutcome", "family_um": '{"success":false,"error"}',
          "family_oauth": "OAuth error", "family_json": '{"success":false,"error"}',
          "family_page": "HTML"}
text = open("src/api/routes.c").read()
table = text[text.index("api_routes[] = {"):text.index("};")]
parts = re.split(r"\n    /\* (.*?) \*/(?=\n)", table)
out = ["# Every endpoint", "",
       "Made from `src/api/routes.c` by `tools/make-api-doc.py`; `tools/check-tables.sh`",
       "fails when they differ. FHIR paths are served with and without `/fhir`.", ""]
for title, rows in zip(parts[1::2], parts[2::2]):
    found = [m.groups() for m in ROW.finditer(rows) if not m.group(2).startswith("/fhir/")]
    if not found:
        continue
    out += [f"## {title[0].upper() + title[1:]}", "", "| method | path | errors as | handler |", "| --- | --- | --- | --- |"]
    for method, path, handler, family, _, _ in found:
        out.append(f"| {method} | `{path}` | {FAMILY.get(family, family)} | `{handler}` |")
    out.append("")
print("\n".join(out).rstrip())
