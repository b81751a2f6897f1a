#!/bin/sh
# test.sh PRESET [sqlite|postgres] - unit tests, then flow and browser tests
# against the preset's programs; the last line is "N passed, N failed".  With
# postgres all that uses a database does so on a private PostgreSQL server;
# what uses none is left out.
set -eu
cd "$(dirname "$0")/.."
preset=$1
db=${2:-sqlite}
case "$db" in
sqlite) ;;
postgres)
    [ -n "${TRIBUTARY_TEST_DATABASE:-}" ] ||
        exec tools/postgres.sh "$0" "$preset" postgres ;;
*) echo "DB is sqlite or postgres" >&2; exit 2 ;;
esac
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0

# Rooms without a database.
rooms='^(base|crypto|fhir|record|http|ui|oauth|sandbox|fuzz)/'
[ "$db" = postgres ] || rooms='^$'
ctest --test-dir "build/$preset" -E "$rooms" -j "$(nproc)" --output-on-failure \
    >"$out/unit" 2>&1 || failed=1
cat "$out/unit"
unit_total=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$out/unit")
unit_failed=$(sed -n 's/.*, \([0-9]*\) tests failed out of.*/\1/p' "$out/unit")
unit_passed=$((${unit_total:-0} - ${unit_failed:-0}))

tools/npm.sh
TRIBUTARY_BUILD=$PWD/build/$preset node tests/run.mjs ${ONLY:-} >"$out/node" 2>&1 || failed=1
cat "$out/node"
node_passed=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$out/node" | tail -n 1)
node_failed=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$out/node" | tail -n 1)
[ -n "$node_passed" ] || { node_passed=0; node_failed=1; }

echo "$((unit_passed + node_passed)) passed, $((${unit_failed:-0} + node_failed)) failed"
exit $failed
