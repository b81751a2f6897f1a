#!/bin/sh
# deps.sh [build|test|bench|lint|fuzz] - installs what is lacking, asks nothing.
#
# Debian 12 and 13.  Uses apt, with sudo when not root; npm for the web and
# test clients.  libyyjson is a package of Debian 13; on Debian 12 its two
# packages are unpacked into build/addons and the system is left alone (they
# need nothing newer than libc 2.14).
set -eu
cd "$(dirname "$0")/.."

build="gcc cmake ninja-build pkg-config python3 ca-certificates
    libmicrohttpd-dev libcurl4-openssl-dev libssl-dev libcjose-dev libjansson-dev
    libsqlite3-dev libpq-dev libzstd-dev libxxhash-dev libutf8proc-dev zlib1g-dev
    curl make"
test="$build libcmocka-dev nodejs npm chromium ccache postgresql"
lint="$test clang clang-format clang-tidy cppcheck pmccabe shellcheck"
fuzz="$build clang libcmocka-dev"
bench="$build wrk nodejs npm postgresql"

case "${1:-build}" in
build) want=$build ;;
test) want=$test ;;
lint) want=$lint ;;
fuzz) want=$fuzz ;;
bench) want=$bench ;;
*) echo "usage: tools/deps.sh [build|test|bench|lint|fuzz]" >&2; exit 2 ;;
esac

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A program of that name that is already there (a newer node, say) counts.
is_there() {
    case "$1" in
    nodejs) command -v node >/dev/null ;;
    npm | cmake | gcc | clang | python3) command -v "$1" >/dev/null ;;
    *) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q "ok installed" ;;
    esac
}

lacking=""
for package in $want; do
    is_there "$package" || lacking="$lacking $package"
done
if [ -n "$lacking" ]; then
    echo "deps: installing$lacking"
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $lacking >/dev/null
fi

# --- libyyjson ---------------------------------------------------------------
addons=$PWD/build/addons
if ! pkg-config --exists yyjson 2>/dev/null && [ ! -e "$addons/lib/libyyjson.so" ]; then
    if apt-cache show libyyjson-dev >/dev/null 2>&1; then
        echo "deps: installing libyyjson-dev"
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends libyyjson-dev >/dev/null
    else
        echo "deps: unpacking Debian 13's libyyjson into build/addons"
        tools/fetch-yyjson.sh "$addons"
    fi
fi
