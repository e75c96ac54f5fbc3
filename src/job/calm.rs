//! Whether the job has time for other things: it is live, and not catching up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::pace::LARGE;

/// So long after a large epoch there may be another one.
const AFTER_A_LARGE_EPOCH: Duration = Duration::from_secs(5);

/// What the workers and the writer say of it.
pub(super) struct Calm {
    /// Whether the replay is over.
    is_live: AtomicBool,
    since: Instant,
    /// When the last large epoch was committed, in milliseconds after `since`; 0 before the first.
    large_at: AtomicU64,
}

impl Default for Calm {
    fn default() -> Self {
        Calm { is_live: AtomicBool::new(false), since: Instant::now(), large_at: AtomicU64::new(0) }
    }
}

impl Calm {
    /// Live input begins.
    pub(super) fn go_live(&self) {
        self.is_live.store(true, Ordering::Release);
    }

    /// An epoch of so many records was committed.
    pub(super) fn committed(&self, records: u64) {
        if records >= LARGE {
            self.large_at.store(self.since.elapsed().as_millis() as u64 + 1, Ordering::Release);
        }
    }

    /// Whether there is time, while the open epoch has `fed` records.
    pub(super) fn has_time(&self, fed: u64) -> bool {
        let large_at = self.large_at.load(Ordering::Acquire);
        let is_over =
            large_at == 0 || self.since.elapsed().saturating_sub(Duration::from_millis(large_at)) > AFTER_A_LARGE_EPOCH;
        self.is_live.load(Ordering::Acquire) && fed < LARGE && is_over
    }
}
