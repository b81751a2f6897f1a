#!/bin/sh
# check-tree.sh - docs/architecture.md is the map; fails where the tree differs.
# Its rows read:  | `store/` | what it is for | base db fhir |
set -eu
map=docs/architecture.md
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# 1. Every folder is on the map, and nothing on the map is missing.
sed -n 's/^| `\([a-z_]*\)\/`.*/\1/p' "$map" | sort >"$tmp/map"
find src -mindepth 1 -maxdepth 1 -type d | sed 's|^src/||' | sort >"$tmp/tree"
diff -u --label "$map" --label src/ "$tmp/map" "$tmp/tree" >&2

# 2. A folder includes itself and what its row allows; x_int.h stays at home.
find src -name '*.[ch]' | sort | xargs awk -v map="$map" '
    BEGIN {
        while ((getline row < map) > 0)
            if (row ~ /^\| `/) {
                split(row, cell, "|")
                gsub(/[`\/ ]/, "", cell[2])
                may[cell[2]] = " " cell[2] " " cell[4] " "
            }
    }
    /^#include "/ {
        split(FILENAME, path, "/")
        split($2, include, /["\/]/)
        away = include[2] != path[2]
        if (!index(may[path[2]], " " include[2] " ") || (away && /_int\.h"/)) {
            print FILENAME ":" FNR ": " path[2] "/ may not include " $2
            bad = 1
        }
    }
    END { exit bad }' >&2

# 3. Every header compiles alone.
for header in $(find src -name '*.h' | sort); do
    echo "#include \"${header#src/}\"" |
        ${CC:-cc} -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc \
            -isystem build/addons/include \
            -isystem "$(pkg-config --variable=includedir libpq)" -fsyntax-only -x c - ||
        { echo "$header does not compile alone" >&2; exit 1; }
done
