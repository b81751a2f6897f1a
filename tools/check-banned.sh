#!/bin/sh
# check-banned.sh - what the house does not want to see in src/ (CONTRIBUTING.md
# says why).  Each finding is a line FILE:LINE: reason: text.
set -eu
cd "$(dirname "$0")/.."
bad=0

# ban REASON PATTERN FILE... - fails where a file has a line with the pattern.
ban() {
    reason=$1 pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    grep -nHE "$pattern" "$@" >"$found" || return 0
    sed "s|^\([^:]*:[0-9]*\):|\1: $reason: |" "$found" >&2
    bad=1
}
found=$(mktemp)
trap 'rm -f "$found"' EXIT

code=$(find src fuzz bench -name '*.[ch]' 2>/dev/null | sort)
ours=$(find src -name '*.[ch]' ! -name '*_test.c' ! -name 'testing.h' | sort)
# shellcheck disable=SC2086 # lists of files without blanks
{
    ban "banned call" \
        '(^|[^A-Za-z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|strtol|strtoul|strtoll|strtoull|gets|alloca|rand|srand|localtime|gmtime|getenv|mktemp|tmpnam)\(' \
        $code
    ban "no shell" '[ (!]system\("[^ ;]*("|\))|[ (!]popen\(' $ours
    ban "text with a grammar is not for printf" \
        'printf\(.*"[^"]*(\{\\"|</?[a-z]+[ >]|SELECT |INSERT |https?://%)' $ours
    ban "no typedef of structs and enums" \
        '^typedef (struct|enum|union)( [a-z_]+)? *\{' $code
}

# One room owns each outside library (rule 2).
owned() {
    header=$1
    shift
    others=$(find src -name '*.[ch]' | sort)
    for room in "$@"; do
        others=$(printf '%s\n' "$others" | grep -v "^src/$room" || true)
    done
    # shellcheck disable=SC2086
    ban "only $* may include it" "^#include [<\"]$header" $others
}
owned microhttpd http/
owned curl/ http/
owned openssl/ crypto/ http/tls
owned cjose/ crypto/
owned jansson crypto/
owned argon2 crypto/
owned sqlite3 db/
owned libpq db/
owned 'z(std|dict)\.h' store/ record/
owned yyjson base/
owned xxhash base/
owned utf8proc base/
owned zlib base/

# Memory of a request is its arena (rule 22); libraries do not log (rule 19);
# what differs between machines stays in base/ (rule 34).
# shellcheck disable=SC2046
{
    ban "handlers use the request's arena" \
        '(^|[^A-Za-z0-9_])(malloc|calloc|realloc|strdup)\(' \
        $(printf '%s\n' "$ours" | grep '^src/api/' || true)
    ban "libraries do not log" '^#include "base/log\.h"' \
        $(printf '%s\n' "$ours" | grep -E \
        '^src/(crypto|db|fhir|record|store|oauth|directory|vault|auth|audit|ui)/' || true)
    ban "no #if outside base/" '^ *# *(if|ifdef)( |$)' \
        $(printf '%s\n' "$ours" | grep -v '^src/base/' || true)
}
exit $bad
