//! A shop's own producers, in Python (`tests/producers`), with the client that `scripts/python.sh` installs.

use std::path::Path;
use std::process::Command;

use super::kafka::Kafka;
use super::target::installed;

/// Runs a producer of `tests/producers` against a broker to its end, and returns what it printed: the true
/// totals of what it sent.
///
/// # Panics
/// When Python is not installed, or the producer fails; the panic holds what it said.
pub fn produce(script: &str, kafka: &Kafka, topic: &str, count: usize, seed: u64) -> serde_json::Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(installed("python/bin/python"))
        .arg(root.join("tests/producers").join(script))
        .args(["--bootstrap", &kafka.bootstrap(), "--topic", topic])
        .args(["--count", &count.to_string(), "--seed", &seed.to_string()])
        .output()
        .expect("python can be started");
    assert!(output.status.success(), "{script} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the producer prints JSON")
}
