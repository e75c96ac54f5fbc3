#!/usr/bin/env bash
# Makes target/python, a Python with the plain Kafka client that the tests' shop producers use, and with what attacks
# the API by its description (tests/producers/requirements.txt and tests/api/requirements.txt pin them). Says nothing
# when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=(tests/producers/requirements.txt tests/api/requirements.txt)
home=${CARGO_TARGET_DIR:-target}/python

# The requirements are copied last, so an interrupted installation is done again.
if cmp -s <(cat "${requirements[@]}") "$home/requirements.txt" && "$home/bin/python" -c 'import kafka, schemathesis' 2>/dev/null; then
    exit 0
fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "python: python3 with venv is missing; run scripts/packages.sh, or: apt-get install python3 python3-venv" >&2
    exit 1
fi

echo "python: installing $(grep -hv '^#' "${requirements[@]}" | tr '\n' ' ')into $home"
rm -rf "$home"
python3 -m venv "$home"
"$home/bin/pip" install -q --disable-pip-version-check --retries 5 "${requirements[@]/#/--requirement=}" </dev/null
cat "${requirements[@]}" >"$home/requirements.txt"
