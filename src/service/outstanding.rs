//! Events that were made for one client alone, and what they hold together.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many bytes of them at most: whoever comes back with more before it starts over instead.
pub const MAX_OUTSTANDING: usize = 64 * 1024 * 1024;

/// Room for those that were not yet taken, a permit a byte.
#[derive(Debug)]
pub struct Outstanding(Arc<Semaphore>);

impl Default for Outstanding {
    fn default() -> Self {
        Outstanding(Arc::new(Semaphore::new(MAX_OUTSTANDING)))
    }
}

impl Outstanding {
    /// An event, counted until the last copy of it is dropped; `None` where there is no room for it.
    pub fn hold(&self, event: Bytes) -> Option<Bytes> {
        let length = u32::try_from(event.len()).ok()?;
        let _room = Arc::clone(&self.0).try_acquire_many_owned(length).ok()?;
        Some(Bytes::from_owner(Held { event, _room }))
    }
}

struct Held {
    event: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.event
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
