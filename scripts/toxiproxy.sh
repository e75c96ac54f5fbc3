#!/usr/bin/env bash
# Installs Toxiproxy, which cuts and slows connections, into target/tools/bin. Optional: needs Go, and no test of
# today's `make test` needs it. Says nothing when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.12.0
home=${CARGO_TARGET_DIR:-target}/tools

if [[ -x $home/bin/toxiproxy-server ]]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "toxiproxy: go is not installed, so tests with cut connections can not run here: apt-get install golang-go" >&2
    exit 1
fi
echo "toxiproxy: building $version into $home/bin, about half a minute"
mkdir -p "$home/bin"
GOBIN=$(mktemp -d)
export GOBIN
trap 'rm -rf "$GOBIN"' EXIT
go install "github.com/Shopify/toxiproxy/v2/cmd/server@$version" </dev/null
mv "$GOBIN/server" "$home/bin/toxiproxy-server"
