//! When a store's answer is of no use any more.
//!
//! A server that is frozen, or a commit that waits for a replica, says nothing and fails at nothing. Who goes on needs the
//! answer, and waits for it; who is about to end does not.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How long answers are waited for still: a commit that the store is just doing mostly ends within that.
const WAITED_FOR: Duration = Duration::from_secs(5);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Tells whether whoever asks is about to end. What it asked is given up a little later.
///
/// That is safe at any moment, as `kill -9` is: a transaction takes effect or does not, and the next run asks which.
#[derive(Clone)]
pub struct Over {
    is_over: Arc<dyn Fn() -> bool + Send + Sync>,
    /// When that was seen first, by whatever waits.
    seen: Arc<OnceLock<Instant>>,
}

impl Default for Over {
    /// Never.
    fn default() -> Self {
        Over::once(|| false)
    }
}

impl Over {
    /// Once `is_over` says so, which it must not take back.
    pub fn once(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Over {
        Over { is_over: Arc::new(is_over), seen: Arc::default() }
    }

    /// Ends when answers are waited for no more.
    pub(super) async fn passes(&self) {
        while !(self.is_over)() {
            sleep(LOOK).await;
        }
        let seen = *self.seen.get_or_init(Instant::now);
        sleep(WAITED_FOR.saturating_sub(seen.elapsed())).await;
    }
}
