#!/bin/sh
# fuzz.sh SECONDS [NAME] - each target for so long; new finds stay in
# build/fuzz/finds, the committed corpus is read only.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
only=${2:-}
for target in build/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=${target#build/fuzz/fuzz_}
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    mkdir -p "build/fuzz/finds/$name" "fuzz/corpus/$name"
    echo "fuzz: $name for $seconds s"
    "$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/finds/$name-" \
        "build/fuzz/finds/$name" "fuzz/corpus/$name"
done
