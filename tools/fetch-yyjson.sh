#!/bin/sh
# fetch-yyjson.sh DIR - unpacks Debian 13's libyyjson packages into DIR/lib and
# DIR/include, with the system's own mirror and keys; installs nothing.
set -eu
to=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" # apt drops its rights and must still read here

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' \
        -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' |
    grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "fetch-yyjson: no Debian mirror in /etc/apt" >&2; exit 1; }
keys=$(ls /usr/share/keyrings/debian-archive-keyring.gpg 2>/dev/null || true)

mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/empty"
echo "deb ${keys:+[signed-by=$keys] }$mirror trixie main" >"$tmp/sources.list"
apt_of() {
    apt-get -qq -o Dir::Etc::sourcelist="$tmp/sources.list" \
        -o Dir::Etc::sourceparts="$tmp/empty" -o Dir::State::lists="$tmp/lists" \
        -o Dir::Cache="$tmp/cache" -o APT::Get::List-Cleanup=0 \
        -o APT::Sandbox::User=root "$@"
}
cd "$tmp"
apt_of update
apt_of download libyyjson0 libyyjson-dev
for package in ./*.deb; do
    dpkg -x "$package" "$tmp/x"
done
mkdir -p "$to/lib" "$to/include"
cp -a "$tmp"/x/usr/lib/*/libyyjson.so* "$to/lib/"
cp "$tmp"/x/usr/include/yyjson.h "$to/include/"
