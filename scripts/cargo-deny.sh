#!/usr/bin/env bash
# Installs cargo-deny into target/tools/bin (about a minute on two cores), unless it is there or on the PATH.
# It is built without optimisation: that takes a quarter of the time, and it runs for a second.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
home=${CARGO_TARGET_DIR:-target}/tools

if command -v cargo-deny >/dev/null || [[ $("$home/bin/cargo-deny" --version 2>/dev/null) == "cargo-deny $version" ]]; then
    exit 0
fi
echo "cargo-deny: building $version into $home/bin, about a minute"
mkdir -p "$home"
# A folder of its own for what is built on the way, gone afterwards: 600 MB that nothing else can use.
cargo install -q cargo-deny --version "$version" --locked --debug --root "$home" --target-dir "$home/build" --no-track --force
rm -rf "$home/build"
