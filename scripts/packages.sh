#!/usr/bin/env bash
# Installs the Debian packages that the build and the tests need, and only those that are missing.
#
# The build: make, perl (OpenSSL is built from source) and a C++ compiler (librdkafka's configure asks for one).
# The tests: PostgreSQL's server programs, pgbouncer, Chromium, Python with venv, strace (which tells what reaches a
# disk, and when). A server is never used where it is: tests start their own, in temporary folders, on free ports.
# Says nothing when nothing is to be done.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST…: PACKAGE is missing unless TEST succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb; }
has_pgbouncer() { [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer; }
# The browser tests start the one that CHROMIUM names, or this.
has_chromium() { [[ -x ${CHROMIUM:-/usr/bin/chromium} ]]; }

need g++ command -v c++
need make command -v make
need perl perl -MFindBin -MIPC::Cmd -e 1
need pkg-config command -v pkg-config
need postgresql has_postgres
need pgbouncer has_pgbouncer
need chromium has_chromium
need python3 command -v python3
need strace command -v strace
need python3-venv python3 -c 'import ensurepip, venv'

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
    echo "packages: missing ${missing[*]}, and this is no Debian: install them by hand, then go on" >&2
    exit 1
fi
as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "packages: missing ${missing[*]}; run as root, or: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "packages: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; }
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } </dev/null; then
    tail -n 30 "$log" >&2
    echo "packages: apt-get failed; its last lines are above" >&2
    exit 1
fi
