#!/bin/sh
# run.sh [NAME]... - the figures of docs/benchmarks.md, each the median of
# several runs, in one table; names choose (import read search everything
# connect size start).  DB=postgres: on a private, durable PostgreSQL; DB=both:
# one after the other, side by side.
set -eu
cd "$(dirname "$0")/.."
export TRIBUTARY_BUILD="${TRIBUTARY_BUILD:-$PWD/build/release}"
on_postgres() {
    PG_FSYNC=on PG_BUFFERS=512MB tools/postgres.sh node bench/figures.mjs "$@"
}
case "${DB:-sqlite}" in
sqlite) exec node bench/figures.mjs "$@" ;;
postgres) on_postgres "$@" ;;
both)
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    FIGURES_JSON=$tmp/sqlite node bench/figures.mjs "$@"
    FIGURES_JSON=$tmp/postgres on_postgres "$@"
    node bench/beside.mjs "$tmp/sqlite" "$tmp/postgres" ;;
*) echo "DB is sqlite, postgres or both" >&2; exit 2 ;;
esac
