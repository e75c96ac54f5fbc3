//! What was in the log at the start and is not read yet: of a run that ends once it has caught up.
//!
//! An end that comes before the one of the start is none: a new leader may not know yet how far it may be read. Or the log
//! was cut off, which nobody is told who has not read so far; so then the log is asked again how far it goes.

use std::time::{Duration, Instant};

// Asked for every record: its hash is a tenth of the standard library's.
use hashbrown::HashMap;
use takings_dataflows::order::PartitionId;

use super::partition_start::PartitionStart;
use crate::source::PartitionRange;

/// How long after an end that came too early the log is asked, and how soon again.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// Partitions that are not read yet to where they ended at the start.
pub(super) struct Unread {
    left: HashMap<PartitionId, Left>,
    /// When to ask how far the log goes.
    asks_at: Option<Instant>,
}

struct Left {
    end: u64,
    /// Up to where all of it was read.
    reached: u64,
}

impl Unread {
    /// Of these partitions.
    pub(super) fn of<'a>(partitions: impl IntoIterator<Item = &'a PartitionStart>) -> Unread {
        let unread = partitions.into_iter().filter(|start| start.committed < start.range.end);
        let left = unread.map(|start| {
            let PartitionRange { partition, end, .. } = start.range;
            (partition, Left { end, reached: start.committed })
        });
        Unread { left: left.collect(), asks_at: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// All of a partition before `offset` was read; whether its source says that it ends there.
    pub(super) fn reach(&mut self, partition: PartitionId, offset: u64, is_at_end: bool) {
        if self.left.is_empty() {
            return;
        }
        let Some(left) = self.left.get_mut(&partition) else { return };
        left.reached = left.reached.max(offset);
        if left.reached >= left.end {
            self.left.remove(&partition);
        } else if is_at_end {
            self.asks_at.get_or_insert_with(|| Instant::now() + ASK_AFTER);
        }
    }

    /// Whether the log is to be asked now how far it goes.
    pub(super) fn asks(&mut self) -> bool {
        let asks = !self.left.is_empty() && self.asks_at.is_some_and(|at| at <= Instant::now());
        if asks {
            self.asks_at = Some(Instant::now() + ASK_AFTER);
        }
        asks
    }

    /// How far the log goes now: what is gone from it is not waited for.
    pub(super) fn shorten(&mut self, ranges: &[PartitionRange]) {
        for range in ranges {
            if let Some(left) = self.left.get_mut(&range.partition) {
                left.end = left.end.min(range.end);
            }
        }
        self.left.retain(|_, left| left.reached < left.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITION: PartitionId = PartitionId { topic: 0, partition: 3 };

    fn unread(end: u64) -> Unread {
        Unread { left: HashMap::from_iter([(PARTITION, Left { end, reached: 0 })]), asks_at: None }
    }

    #[test]
    fn an_end_counts_where_nothing_is_left_before_it() {
        // The last record, and markers of transactions after it.
        let mut unread = unread(10);
        unread.reach(PARTITION, 8, false);
        assert!(!unread.is_empty());
        unread.reach(PARTITION, 10, true);
        assert!(unread.is_empty() && !unread.asks());
    }

    #[test]
    fn an_end_that_comes_too_early_is_asked_about() {
        let mut unread = unread(10);
        unread.reach(PARTITION, 5, true);
        assert!(!unread.is_empty() && !unread.asks(), "its leader is given a moment");
        unread.asks_at = unread.asks_at.and_then(|at| at.checked_sub(ASK_AFTER));
        assert!(unread.asks() && !unread.asks());
        // The leader knows by now, or was behind and the log goes on after it.
        let now = |end| [PartitionRange { partition: PARTITION, first: 0, end }];
        unread.shorten(&now(12));
        assert!(!unread.is_empty());
        // It was cut off.
        unread.shorten(&now(5));
        assert!(unread.is_empty());
    }
}
