#!/bin/sh
# run.sh [NAME]... - the figures of docs/benchmarks.md, each the median of
# several runs, in one table; names choose (import read search everything
# connect size start).
set -eu
cd "$(dirname "$0")/.."
TRIBUTARY_BUILD=$PWD/build/release exec node bench/figures.mjs "$@"
