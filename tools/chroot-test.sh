#!/bin/sh
# chroot-test.sh [DIR] - proves that a fresh Debian 13 with git only can clone
# this repository and pass `make test` (the committed state, not the worktree).
# As root.  DIR (default /var/tmp/tributary-trixie) holds the chroot and is kept:
# the next run starts from it; remove it by hand.  SUITE=bookworm tests Debian
# 12; COMMAND='make lint' runs something else.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-/var/tmp/tributary-trixie}
suite=${SUITE:-trixie}
command=${COMMAND:-make test}
case "$dir" in
-*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
/*) ;;
*) echo "chroot-test: DIR must begin with /" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || { echo "chroot-test: needs root (sudo)" >&2; exit 2; }
command -v debootstrap >/dev/null ||
    apt-get install -y -qq --no-install-recommends debootstrap >/dev/null

# The mirror that this machine uses, and its apt settings (proxy, caches).
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' \
        -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' |
    grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "chroot-test: no Debian mirror in /etc/apt" >&2; exit 1; }

if [ ! -e "$dir/.made" ]; then
    echo "chroot-test: debootstrap $suite into $dir"
    debootstrap --variant=minbase --include=git,ca-certificates,make \
        "$suite" "$dir" "$mirror"
    touch "$dir/.made"
fi
mkdir -p "$dir/etc/apt/apt.conf.d" "$dir/etc/ssl/certs"
for file in $(grep -l "^Acquire::" /etc/apt/apt.conf.d/* 2>/dev/null | grep -v docker); do
    [ ! -e "$file" ] || cp "$file" "$dir/etc/apt/apt.conf.d/"
done
cp -L /etc/resolv.conf /etc/hosts "$dir/etc/" 2>/dev/null || true
# Certificates and npm's registry as on this machine, where it has its own.
[ ! -d /usr/local/share/ca-certificates ] || {
    mkdir -p "$dir/usr/local/share/ca-certificates"
    cp -rL /usr/local/share/ca-certificates/. "$dir/usr/local/share/ca-certificates/"
    chroot "$dir" update-ca-certificates >/dev/null 2>&1 || true
}

mounted=""
clean() {
    for at in $mounted; do
        umount -l "$at" 2>/dev/null || true
    done
}
trap clean EXIT
trap 'exit 130' INT TERM
for at in proc sys dev dev/shm; do
    mountpoint -q "$dir/$at" && continue
    mkdir -p "$dir/$at"
    case $at in
    proc) mount -t proc proc "$dir/proc" ;;
    dev/shm) mount -t tmpfs tmpfs "$dir/dev/shm" ;;
    *) mount --bind "/$at" "$dir/$at" ;;
    esac
    mounted="$dir/$at $mounted"
done

registry=""
command -v npm >/dev/null && registry=$(npm config get registry 2>/dev/null)
rm -rf "$dir/root/src.git" "$dir/root/tributary"
git clone --quiet --bare . "$dir/root/src.git"
chroot "$dir" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${registry:+"npm_config_registry=$registry"} \
    sh -euc "cd /root && git clone --quiet src.git tributary && cd tributary && $command"
echo "chroot-test: $suite: '$command' passed"
