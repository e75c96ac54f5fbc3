//! The last record that was read of a partition, by what tells it from any other that may come to stand in its place.

use serde::{Deserialize, Serialize};

/// A record's place, and whose it is. The greater one is the later one of its partition.
///
/// A log can lose its end and grow again: an unclean leader of Kafka, a volume that was restored, a file that was
/// written anew. Offsets alone do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LastRecord {
    /// Its offset.
    pub offset: u64,
    /// The epoch of the leader that took it, where the log has such a thing. Epochs only grow within a log, and
    /// leader epoch and offset together belong to one record for ever (Kafka's KIP-101).
    pub leader_epoch: Option<i32>,
    /// CRC-32 of its timestamp, key and payload.
    pub checksum: u32,
}

impl LastRecord {
    /// Whether both are one record. An epoch that one of them does not know says nothing.
    pub fn is_same(&self, other: &LastRecord) -> bool {
        let is_same_epoch = self.leader_epoch.zip(other.leader_epoch).is_none_or(|(one, other)| one == other);
        self.offset == other.offset && self.checksum == other.checksum && is_same_epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_epoch_says_nothing() {
        let record = |offset, leader_epoch, checksum| LastRecord { offset, leader_epoch, checksum };
        let one = record(7, Some(3), 5);
        for (other, is_same) in [
            (one, true),
            (record(7, None, 5), true),
            (record(7, Some(4), 5), false),
            (record(7, None, 6), false),
            (record(8, Some(3), 5), false),
        ] {
            assert_eq!((one.is_same(&other), other.is_same(&one)), (is_same, is_same), "{other:?}");
        }
    }
}
