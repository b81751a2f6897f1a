#!/usr/bin/env bash
# demo-test.sh [PORT] - what a stranger sees of `make demo`: it comes up, its curl
# commands work, ctrl-C ends all of it, and the second time it is up in under
# 5 s.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${1:-18480}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Starts the demo in a process group of its own; waits until it has told all.
up() {
    : >"$out"
    set -m
    make demo PORT="$port" >"$out" 2>&1 &
    demo=$!
    set +m
    for _ in $(seq 1 "$1"); do
        if grep -q "ctrl-C stops everything" "$out"; then return 0; fi
        kill -0 "$demo" 2>/dev/null || break
        sleep 0.1
    done
    cat "$out"
    echo "demo-test: the demo is not up" >&2
    kill -INT -- "-$demo" 2>/dev/null || true
    exit 1
}

down() {
    kill -INT -- "-$demo"
    wait "$demo" || true
    for _ in $(seq 1 100); do
        curl -fso /dev/null "http://127.0.0.1:$port/health" || return 0
        sleep 0.1
    done
    echo "demo-test: ctrl-C did not end the server" >&2
    exit 1
}

up 9000
cat "$out"
grep -o 'curl .*' "$out" | while read -r command; do
    echo "+ ${command%% *} ..."
    bash -c "$command -fsS -o /dev/null" || { echo "demo-test: failed: $command" >&2; exit 1; }
done
down
begin=$(date +%s%N)
up 300
took=$((($(date +%s%N) - begin) / 1000000))
down
echo "demo-test: the second demo was up in $took ms"
[ "$took" -lt 5000 ]
