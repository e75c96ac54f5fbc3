//! Who this process is, for the one that finds the store held.

use chrono::{SecondsFormat, Utc};

/// `HOST, pid N`.
pub(super) fn this_process() -> String {
    let host = whoami::hostname().unwrap_or_else(|_| "an unnamed host".to_owned());
    format!("{host}, pid {}", std::process::id())
}

/// Who acquires a store, in words that no other acquiring ever has: two may come to the same generation where a
/// store went back between them, and must not take each other's epochs for their own.
pub(super) fn this_holder() -> String {
    let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("takings run ({}), since {since}, run {:016x}", this_process(), rand::random::<u64>())
}
