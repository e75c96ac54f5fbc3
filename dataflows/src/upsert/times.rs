//! The time of every partition of orders: what may be forgotten of them.
//!
//! - *An idle partition holds no other back*: what was read to its end stands at the newest time of all, since its next
//!   record is yet to be written. What is still to be read of a partition holds back all: it may correct any order dated
//!   since.
//! - *A partition that stands still forgets nothing of its own*: its broker may be away, or a transaction open, and what
//!   corrects its orders be written meanwhile. It brings no new orders either, so that what is held of it is no more than
//!   its last window's.

use hashbrown::HashMap;

use crate::graph::Watermark;
use crate::order::{PartitionId, Version};

/// All of them.
#[derive(Default)]
pub(super) struct Times {
    partitions: HashMap<PartitionId, Watermark>,
}

impl Times {
    /// A partition has come so far.
    pub(super) fn note(&mut self, watermark: &Watermark) {
        let known = self.partitions.entry(watermark.partition).or_insert(*watermark);
        *known = Watermark { timestamp: watermark.timestamp.max(known.timestamp), ..*watermark };
    }

    /// The log's time, in milliseconds since 1970: what comes now is dated about then, or later.
    pub(super) fn of_all(&self) -> Option<i64> {
        let newest = self.partitions.values().map(|known| known.timestamp).max()?;
        let behind = self.partitions.values().filter(|known| !known.is_at_end).map(|known| known.timestamp).min();
        Some(behind.unwrap_or(newest))
    }

    /// Whether a version is dated before `moment`, and lies further than that behind the time of its partition too, which
    /// is at most so much: `moment` is `ago` milliseconds before the log's time.
    pub(super) fn is_before(&self, version: Version, moment: i64, ago: i64) -> bool {
        let timestamp = version.timestamp();
        timestamp < moment
            && self.partitions.get(&version.partition()).is_none_or(|known| timestamp < known.timestamp - ago)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_are_read_hold_nothing_back_and_others_do() {
        let mut times = Times::default();
        let mut note = |partition, timestamp, is_at_end| {
            let partition = PartitionId { topic: 0, partition };
            times.note(&Watermark { partition, timestamp, is_at_end, is_of_orders: true });
            times.of_all()
        };
        assert_eq!(note(0, 0, true), Some(0), "no record was ever in it");
        assert_eq!(note(1, 900, true), Some(900), "an idle partition waits for records that are yet to be written");
        assert_eq!(note(2, 300, false), Some(300), "of this one there is more to read, dated since");
        assert_eq!(note(2, 250, false), Some(300), "time never goes back");
        assert_eq!(note(2, 500, true), Some(900));
        assert_eq!(note(0, 0, false), Some(0), "records of any date came");
    }
}
