//! Events that were made for one client alone, and what they hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// So many bytes of them at most: whoever comes back with more before it starts over instead.
pub const MAX_OUTSTANDING: usize = 64 * 1024 * 1024;

/// The bytes of all that were not yet taken.
#[derive(Debug, Default)]
pub struct Outstanding(Arc<AtomicUsize>);

impl Outstanding {
    /// An event, counted until the last copy of it is dropped; `None` where there is no room for it.
    pub fn hold(&self, event: Bytes) -> Option<Bytes> {
        let length = event.len();
        let has_room = |held: usize| held.checked_add(length).filter(|&held| held <= MAX_OUTSTANDING);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, has_room).ok()?;
        Some(Bytes::from_owner(Held { event, of: Arc::clone(&self.0) }))
    }
}

struct Held {
    event: Bytes,
    of: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.event
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.fetch_sub(self.event.len(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_again_once_the_last_copy_is_gone() {
        let outstanding = Outstanding::default();
        let half = || Bytes::from(vec![7; MAX_OUTSTANDING / 2]);
        let first = outstanding.hold(half()).expect("room");
        let rest = first.slice(5..);
        let _second = outstanding.hold(half()).expect("room");
        assert_eq!(outstanding.hold(Bytes::from_static(b"x")), None);
        drop(first);
        assert_eq!(outstanding.hold(Bytes::from_static(b"x")), None, "a part of it is to be sent yet");
        drop(rest);
        assert_eq!(outstanding.hold(Bytes::from_static(b"x")).as_deref(), Some(b"x".as_slice()));
    }
}
