#!/bin/sh
# check-tables.sh - what is a table in the source is the same in docs/.
set -eu
cd "$(dirname "$0")/.."
failed=0
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
python3 tools/make-api-doc.py >"$tmp"
diff -u docs/api.md "$tmp" >&2 || { echo "docs/api.md: run tools/make-api-doc.py > docs/api.md" >&2; failed=1; }
for preset in dev asan release; do
    program=build/$preset/tributary
    [ -x "$program" ] || continue
    "$program" config --markdown >"$tmp"
    diff -u docs/config.md "$tmp" >&2 || { echo "docs/config.md: run tributary config --markdown > docs/config.md" >&2; failed=1; }
    break
done
exit $failed
