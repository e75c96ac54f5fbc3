//! What can still change: the newest of what was sent.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How many of the newest can still change. Shops correct what is fresh.
const NEWEST: usize = 1 << 16;

/// The newest orders, or feedback, that stand.
pub(super) struct Open<T> {
    standing: Vec<T>,
    /// Where the next one goes when all places are taken: the oldest gives way.
    next: usize,
}

impl<T: Copy> Open<T> {
    pub(super) fn new() -> Self {
        Open { standing: Vec::new(), next: 0 }
    }

    pub(super) fn add(&mut self, item: T) {
        if self.standing.len() < NEWEST {
            self.standing.push(item);
        } else {
            self.standing[self.next] = item;
            self.next = (self.next + 1) % NEWEST;
        }
    }

    /// One of them, and its place.
    pub(super) fn choose(&self, random: &mut ChaCha8Rng) -> Option<(usize, T)> {
        if self.standing.is_empty() {
            return None;
        }
        let at = random.random_range(0..self.standing.len());
        Some((at, self.standing[at]))
    }

    pub(super) fn replace(&mut self, at: usize, item: T) {
        self.standing[at] = item;
    }

    /// Takes out what no longer stands.
    pub(super) fn remove(&mut self, at: usize) {
        self.standing.swap_remove(at);
    }
}
