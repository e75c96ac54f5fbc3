//! Every fuzz target (`make fuzz`) for some seconds on a stable compiler: over the corpus that is committed, over
//! what the generator makes, and over both with bytes changed at random. So no target rots, and what the fuzzer
//! once found stays found.
//!
//! `TAKINGS_SEED` replays a run, `TAKINGS_ATTACKS` says how many inputs a target gets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../readings/mod.rs"]
#[allow(dead_code, reason = "the decoder's tests need all of it")]
mod readings;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use takings::generate::{self, Options, ShopOptions, Topic};

/// What inputs are made of beside their own bytes: what the readers look for.
const TOKENS: &str = include_str!("../../fuzz/tokens.dict");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn seed() -> u64 {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    eprintln!("TAKINGS_SEED={seed}");
    seed
}

/// Throws a target's corpus at it, and `times` changed inputs.
fn attack(name: &str, times: usize) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let times = std::env::var("TAKINGS_ATTACKS").ok().and_then(|times| times.parse().ok()).unwrap_or(times);
    let mut corpus = committed(name);
    assert!(!corpus.is_empty(), "no corpus in fuzz/seeds/{name}");
    corpus.extend(generated(name));
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let tokens = tokens();
    let throw = |input: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
            let shown = input.escape_ascii();
            panic!(
                "target {name}, TAKINGS_SEED={seed}: the input above; keep it as a file in fuzz/seeds/{name}:\n{shown}"
            );
        }
    };
    corpus.iter().for_each(|input| throw(input));
    for _ in 0..times {
        let mut input = corpus.choose(&mut random).expect("one").clone();
        for _ in 0..random.random_range(1..8) {
            change(&mut input, &corpus, &tokens, &mut random);
        }
        throw(&input);
    }
}

/// As fuzzers do: bytes changed, put in, left out, repeated, taken from elsewhere.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], tokens: &[Vec<u8>], random: &mut StdRng) {
    let at = random.random_range(0..=input.len());
    let length = random.random_range(0..=(input.len() - at).min(20));
    let put: Vec<u8> = match random.random_range(0..6) {
        0 => vec![random.random()],
        1 => vec![*b"0123456789-+.eE\"\\{}[],: \n".choose(random).expect("one")],
        2 | 3 => tokens.choose(random).expect("one").clone(),
        4 => input[at..at + length].to_vec().repeat(2),
        _ => {
            let other = corpus.choose(random).expect("one");
            let from = random.random_range(0..=other.len());
            other[from..(from + 30).min(other.len())].to_vec()
        }
    };
    let replaced = if random.random_bool(0.5) { length } else { 0 };
    input.splice(at..at + replaced, put);
    input.truncate(8_000);
}

/// The tokens of the dictionary, which the fuzzer reads as well: a quoted text a line.
fn tokens() -> Vec<Vec<u8>> {
    let lines = TOKENS.lines().filter(|line| line.starts_with('"'));
    lines
        .map(|line| {
            let text = line.trim().trim_start_matches('"').strip_suffix('"').expect("quoted");
            let mut bytes = Vec::new();
            let mut left = text.bytes();
            while let Some(byte) = left.next() {
                bytes.push(match (byte, byte == b'\\') {
                    (_, false) => byte,
                    _ => match left.next().expect("an escape") {
                        b'x' => {
                            let hex: String = left.by_ref().take(2).map(char::from).collect();
                            u8::from_str_radix(&hex, 16).expect("two digits")
                        }
                        other => other,
                    },
                });
            }
            bytes
        })
        .collect()
}

fn committed(name: &str) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/seeds").join(name);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("readable")).collect()
}

/// What a shop sends: the decoder's first byte says that the rest is a payload.
fn generated(name: &str) -> Vec<Vec<u8>> {
    if !matches!(name, "decoder" | "envelope") {
        return Vec::new();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let topics = vec![Topic::ProductSold, Topic::Transactions, Topic::ProductListings, Topic::Feedback];
    let shop = ShopOptions { topics, orders: Some(150), products: 20, invalid: 0.1, seed: 7, ..ShopOptions::default() };
    let options = Options { partitions: 1, ..Options::new(shop, folder.path().display().to_string()) };
    generate::run(options).expect("generated");
    let mut inputs = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("listed") {
        for line in std::fs::read(file.unwrap().path()).expect("readable").split(|byte| *byte == b'\n') {
            let payload = || {
                let whole: serde_json::Value = serde_json::from_slice(line).ok()?;
                let value = whole.get("value")?;
                Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes())
            };
            match name {
                "decoder" => inputs.extend(payload().map(|payload| [vec![0], payload].concat())),
                _ => inputs.push(line.to_vec()),
            }
        }
    }
    inputs
}

#[test]
fn decoders_read_what_serde_json_reads() {
    attack("decoder", 30_000);
}

#[test]
fn mappings_find_what_serde_json_finds() {
    attack("mapping", 8_000);
}

#[test]
fn moments_are_what_chrono_and_the_plain_reading_say() {
    attack("moment", 5_000);
}

#[test]
fn amounts_are_what_is_summed_by_hand() {
    attack("amount", 6_000);
}

#[test]
fn envelopes_are_what_serde_json_takes_apart() {
    attack("envelope", 30_000);
}

#[test]
fn queries_are_refused_or_answered() {
    attack("query", 2_000);
}

/// `make fuzz` finds each target by its name, and each has the binary that cargo fuzz builds.
#[test]
fn every_target_is_one_of_the_fuzzers() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("the fuzz crate");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let mut bins: Vec<&str> =
        manifest["bin"].as_array().expect("bins").iter().map(|bin| bin["name"].as_str().expect("a name")).collect();
    let mut names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    bins.sort_unstable();
    names.sort_unstable();
    assert_eq!(bins, names);
}
