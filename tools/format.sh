#!/bin/sh
# format.sh check|fix - .clang-format over all C; the pinned clang-format is 14,
# Debian 12's.  Another version formats a little differently, so `check` then
# says that it did not check (CI has 14 and always does).
set -eu
cd "$(dirname "$0")/.."
tool=clang-format-14
command -v $tool >/dev/null || tool=clang-format
files() {
    find src bench fuzz -name '*.[ch]' -type f 2>/dev/null | sort
}
case "${1:-}" in
check)
    if ! $tool --version | grep -q 'version 14\.'; then
        echo "format: NOT CHECKED, this needs clang-format 14" >&2
        exit 0
    fi
    files | xargs "$tool" --dry-run --Werror || {
        echo "format: run tools/format.sh fix" >&2
        exit 1
    }
    ;;
fix) files | xargs "$tool" -i ;;
*)
    echo "usage: tools/format.sh check|fix" >&2
    exit 2
    ;;
esac
