#!/bin/sh
# npm.sh - the test clients' packages, once.
set -eu
cd "$(dirname "$0")/../tests"
[ -f package.json ] || exit 0
[ -n "$(find node_modules/.stamp -newer package.json 2>/dev/null)" ] && exit 0
npm install --no-audit --no-fund --no-package-lock --loglevel=error
mkdir -p node_modules
touch node_modules/.stamp
