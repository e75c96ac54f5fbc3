//! Waiting for a condition instead of for a time.

use std::fmt::Display;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks `ready` every few milliseconds until it gives an answer, and returns that.
///
/// # Panics
/// After `limit`, naming `what`.
pub fn until<T>(what: impl Display, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}
