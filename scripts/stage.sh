#!/usr/bin/env bash
# Runs one stage of a longer job and says how long it took: stage.sh NAME COMMAND [ARGUMENT…]
#
# `stage.sh --begin` forgets the stages before, `stage.sh --summary` lists them all with their seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

times=${CARGO_TARGET_DIR:-target}/stages.tsv
mkdir -p "$(dirname "$times")"
case $1 in
--begin)
    : >"$times"
    exit 0
    ;;
--summary)
    awk -F'\t' '{ printf "%6d s  %s\n", $1, $2; sum += $1 } END { printf "%6d s  in all\n", sum }' "$times"
    exit 0
    ;;
esac

name=$1
shift
printf '\n==> %s\n' "$name"
start=$SECONDS
code=0
"$@" || code=$?
took=$((SECONDS - start))
if ((code)); then
    printf '<== %s: FAILED with exit code %d after %d s: %s\n' "$name" "$code" "$took" "$*" >&2
    exit "$code"
fi
printf '<== %s: %d s\n' "$name" "$took"
printf '%d\t%s\n' "$took" "$name" >>"$times"
