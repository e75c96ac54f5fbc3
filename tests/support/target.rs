//! Where the scripts put what they install: under Cargo's target folder.

use std::path::{Path, PathBuf};

/// The path of something installed there, such as `kafka/lib`.
///
/// # Panics
/// When it is not there, saying what to run.
pub fn installed(what: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = root.join(target).join(what);
    assert!(path.exists(), "no {}; run make setup, or make test", path.display());
    path
}
