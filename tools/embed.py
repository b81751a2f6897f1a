#!/usr/bin/env python3
"""embed.py NAME OUT FILE... - files as a C table: struct embedded NAME[] of
{name, bytes, size}, sorted by name; declared in base/embedded.h."""
import os
import sys

name, out, *files = sys.argv[1:]
files.sort(key=os.path.basename)
with open(out, "w", encoding="ascii") as c:
    c.write('#include "base/embedded.h"\n\n')
    c.write(f"extern const struct embedded {name}[];\n")
    c.write(f"extern const size_t {name}_count;\n\n")
    for i, path in enumerate(files):
        data = open(path, "rb").read()
        c.write(f"static const unsigned char file_{i}[] = {{\n")
        for at in range(0, len(data), 20):
            c.write(",".join(map(str, data[at:at + 20])) + ",\n")
        c.write("0};\n")
    c.write(f"\nconst struct embedded {name}[] = {{\n")
    for i, path in enumerate(files):
        c.write(f'{{ "{os.path.basename(path)}", file_{i}, sizeof file_{i} - 1 }},\n')
    c.write("{ 0, 0, 0 } };\n")
    c.write(f"const size_t {name}_count = {len(files)};\n")
