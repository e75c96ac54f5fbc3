//! Says in the log that the store takes long to answer.
//!
//! A server that is frozen, a network that swallows everything, a commit that waits for a synchronous replica: none of
//! them gives an error to tell, and to end the wait would be to guess.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;

/// How long an answer may take before it is told.
const LONG: Duration = Duration::from_secs(30);
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What the store was asked, and when. Set by the writer, read by a thread that watches it.
#[derive(Default)]
pub(super) struct Patience {
    asked: Mutex<Option<Asked>>,
}

struct Asked {
    doing: String,
    at: Instant,
    told: Option<Instant>,
}

impl Patience {
    /// Runs `ask`, which should not take long.
    pub(super) fn with<T>(&self, doing: &str, ask: impl FnOnce() -> T) -> T {
        *self.asked.lock() = Some(Asked { doing: doing.to_owned(), at: Instant::now(), told: None });
        let answer = ask();
        if let Some(Asked { doing, at, told: Some(_) }) = self.asked.lock().take() {
            tracing::info!("{doing}: the store answered after {} s", at.elapsed().as_secs());
        }
        answer
    }

    /// Tells of what takes long, and again every now and then, until `ended` is closed.
    pub(super) fn watch(&self, ended: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            self.look(LONG);
        }
    }

    /// Whether something was told.
    fn look(&self, long: Duration) -> bool {
        let mut asked = self.asked.lock();
        let Some(Asked { doing, at, told }) = &mut *asked else { return false };
        if told.unwrap_or(*at).elapsed() < long {
            return false;
        }
        *told = Some(Instant::now());
        let seconds = at.elapsed().as_secs();
        tracing::warn!(
            "{doing}: no answer from the store for {seconds} s, still waiting; see whether its server is frozen, or waits \
             for a replica (pg_stat_activity), and whether the network passes"
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_long_is_told() {
        let patience = Patience::default();
        assert!(!patience.look(Duration::ZERO), "nothing was asked");
        patience.with("writing epoch 1", || {
            assert!(!patience.look(LONG));
            assert!(patience.look(Duration::ZERO));
            assert!(!patience.look(LONG), "told a moment ago");
        });
        assert!(!patience.look(Duration::ZERO), "it was answered");
    }
}
