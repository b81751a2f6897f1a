#!/bin/sh
# lint.sh [quick] - every check of the source, one after the other; all of them
# run, and the last line says which failed.  `quick` leaves out clang-tidy.
# Needs tools/deps.sh lint.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=""
check() {
    name=$1
    shift
    begin=$(date +%s)
    if "$@"; then
        echo "lint: $name ok ($(($(date +%s) - begin)) s)"
    else
        echo "lint: $name FAILED"
        failed="$failed $name"
    fi
}

shell_files() {
    find tools bench .ci tests -path '*/node_modules' -prune -o -type f \
        \( -name '*.sh' -o -path '.ci/run' \) -print 2>/dev/null | sort
}
run_shellcheck() { shell_files | xargs shellcheck --severity=warning; }

# Its guesses about leaks and about values set through pointers are wrong more
# often than right; clang's analyzer and the sanitizers look after those.
run_cppcheck() {
    cppcheck --quiet --std=c11 --language=c -j "$(nproc)" --error-exitcode=1 \
        --enable=warning,portability --inline-suppr -D_GNU_SOURCE \
        --suppress=missingInclude --suppress=nullPointerArithmetic \
        --suppress=memleak --suppress=uninitvar --suppress=unknownMacro -Isrc --template=gcc src
}

# Only what changed against main when there is a main and little changed; CI and
# a clean main check everything.
tidy_files() {
    changed=$(git diff --name-only --diff-filter=d main -- 'src/*.c' 2>/dev/null)
    if [ -z "${CI:-}" ] && [ -n "$changed" ]; then
        printf '%s\n' "$changed"
    else
        find src -name '*.c' | sort
    fi | grep -v '_test\.c$'
}
run_tidy() {
    [ -f build/dev/compile_commands.json ] ||
        cmake --preset dev >/dev/null || return 1
    tidy_files | xargs -P "$(nproc)" -n 4 \
        clang-tidy -p build/dev --quiet --warnings-as-errors='*' \
        --extra-arg=-Wno-unknown-warning-option 2>"$errors" ||
        { grep -v 'warnings generated\.$' "$errors" >&2; return 1; }
}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

check format tools/format.sh check
check banned tools/check-banned.sh
check size tools/check-size.sh
check tree tools/check-tree.sh
check tables tools/check-tables.sh
check assertions node tools/make-assertions.mjs --check
check shellcheck run_shellcheck
check cppcheck run_cppcheck
[ "${1:-}" = quick ] || check clang-tidy run_tidy

[ -z "$failed" ] && echo "lint: all is well" && exit 0
echo "lint: failed:$failed"
exit 1
