#!/usr/bin/env bash
# Runs all Rust tests, some binaries at a time: much of what they do is wait, for servers to start and for half a
# minute of silence. What a binary says is shown when it ends; AT_ONCE=1 runs one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."

at_once=${AT_ONCE:-3}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# The long ones first, so that none is left to run alone at the end.
first=(job_steps standby store_steps kafka_brokers faults cluster store_conformance)
names=()
for path in {,dataflows/}tests/*.rs {,dataflows/}tests/*/main.rs; do
    [[ -e $path ]] || continue
    name=${path#dataflows/}
    name=${name#tests/}
    name=${name%/main.rs}
    names+=("${name%.rs}")
done
ordered=("${first[@]}")
for name in "${names[@]}"; do
    [[ " ${first[*]} page " == *" $name "* ]] || ordered+=("$name")
done

run() { # run NAME ARGUMENT…: one run of `cargo test`
    local name=$1 start=$SECONDS code=0
    shift
    cargo test --quiet --no-fail-fast "$@" >"$logs/$name" 2>&1 </dev/null || code=$?
    printf '\n--- %s: %s after %d s\n' "$name" "$([[ $code == 0 ]] && echo passed || echo FAILED)" $((SECONDS - start))
    cat "$logs/$name"
    return "$code"
}
export -f run
export logs

cargo test --workspace --no-run --quiet
code=0
{
    # Always of the whole workspace: another choice of packages is another choice of features, and compiles all anew.
    printf '%s\n' "${ordered[@]/#/--workspace --test }"
    echo '--workspace --lib --bins'
    echo '--workspace --doc'
} | xargs -P "$at_once" -I ARGUMENTS bash -c '
    arguments="ARGUMENTS"
    name=${arguments##* }
    run "$name" $arguments || exit 1' || code=1
# Two pages at a time are what two cores can draw; what judges the page's pace has them to itself.
run page --workspace --test page -- --skip pace:: || code=1
run pace --workspace --test page -- pace:: || code=1
exit "$code"
