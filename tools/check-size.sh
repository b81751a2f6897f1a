#!/bin/sh
# check-size.sh - the size gate: nobody understands giants.
#   files      aim at 400 lines, stop at 800
#   functions  aim at 40 lines, stop at 80; complexity aims at 15, stops at 20
# (complexity as pmccabe's first column: a switch counts once).  No whitelist.
set -eu
cd "$(dirname "$0")/.."
files=$(find src fuzz bench -name '*.[ch]' 2>/dev/null | sort)
sources=$(printf '%s\n' "$files" | grep '\.c$')
bad=0
# shellcheck disable=SC2086 # lists of files without blanks
wc -l $files | awk '
    $2 != "total" && $1 > 800 {
        print $2 ": " $1 " lines; split it, a file stops at 800"; bad = 1
    }
    END { exit bad }' >&2 || bad=1
# shellcheck disable=SC2086
pmccabe $sources | awk -F '\t' '
    $5 > 80 {
        print $6 ": " $5 " lines; split it, a function stops at 80"; bad = 1
    }
    $1 > 20 {
        print $6 ": complexity " $1 "; split it, a function stops at 20"; bad = 1
    }
    END { exit bad }' >&2 || bad=1
exit $bad
