#!/bin/sh
# build.sh PRESET - configures once, builds, says only what matters.
set -eu
cd "$(dirname "$0")/.."
preset=$1
[ -f "build/$preset/build.ninja" ] ||
    cmake --preset "$preset" >"/tmp/tributary-cmake.$$" ||
    { cat "/tmp/tributary-cmake.$$" >&2; rm -f "/tmp/tributary-cmake.$$"; exit 1; }
rm -f "/tmp/tributary-cmake.$$"
ninja -C "build/$preset" --quiet
