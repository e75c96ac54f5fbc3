#!/usr/bin/env bash
# Fuzzes one target for some seconds: fuzz.sh TARGET SECONDS. `make fuzz` calls it.
#
# The stable compiler does: coverage is an option of LLVM's, and only sanitizers would need nightly. They find
# little here, since the code is safe Rust. Everything is built into target/fuzz, some minutes the first time.
#
# What is thrown first: fuzz/seeds/TARGET (committed), what `takings generate` makes, and what earlier runs found
# (fuzz/corpus/TARGET). A crash is written to fuzz/artifacts/TARGET, with how to repeat it. Once mended, the file
# goes into fuzz/seeds/TARGET, where `cargo test --test attack` finds it.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$1
seconds=$2
version=0.13.2
home=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$home/tools

if [[ ! -f fuzz/fuzz_targets/$target.rs ]]; then
    echo "fuzz: no target $target; there are: $(cd fuzz/fuzz_targets && echo *.rs | sed 's/\.rs//g')" >&2
    exit 2
fi
if ! command -v cargo-fuzz >/dev/null && [[ $("$tools/bin/cargo-fuzz" --version 2>/dev/null) != "cargo-fuzz $version" ]]; then
    echo "fuzz: building cargo-fuzz $version into $tools/bin, about a minute"
    mkdir -p "$tools"
    cargo install -q cargo-fuzz --version "$version" --locked --debug --root "$tools" --target-dir "$tools/build" --no-track --force
    rm -rf "$tools/build"
fi
export PATH=$tools/bin:$PATH

# The same versions as the program's; Cargo adds the fuzzer's own.
cp Cargo.lock fuzz/Cargo.lock

corpus=fuzz/corpus/$target
mkdir -p "$corpus"
if [[ $target == decoder || $target == envelope ]] && ! compgen -G "$corpus/generated-*" >/dev/null; then
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    cargo run -q --bin takings -- generate --to "$made/log" --orders 400 --seed 7 --invalid 0.1 --partitions 1 \
        --topics product_sold,transactions,product_listings,feedback >/dev/null
    python3 - "$target" "$made/log" "$corpus" <<'PYTHON'
import json, pathlib, sys

target, log, corpus = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
number = 0
for file in sorted(log.glob("*.jsonl")):
    # Bytes: some of what it makes is no UTF-8, on purpose.
    for line in file.read_bytes().splitlines():
        if target == "decoder":
            value = json.loads(line.decode(errors="surrogateescape")).get("value")
            if value is None:
                continue
            value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            # The first byte says that the rest is a payload.
            line = b"\0" + value.encode(errors="surrogateescape")
        (corpus / f"generated-{number}").write_bytes(line)
        number += 1
PYTHON
fi

exec cargo fuzz run --sanitizer none --target-dir "$home/fuzz" "$target" "$corpus" "fuzz/seeds/$target" -- \
    -dict=fuzz/tokens.dict -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
