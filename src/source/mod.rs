//! Where orders come from: a log of partitions, each an append-only sequence of records.
//!
//! Two implementations, Kafka and the file log, pass one conformance suite. Nothing outside
//! `source/kafka` knows librdkafka.

pub mod files;
mod heads;
pub mod kafka;
pub mod place;

use std::collections::BTreeMap;

use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;

pub use self::heads::{Head, Heads, heads};

/// One record as the log holds it. Borrowed: it lives until the next poll.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The partition it is in.
    pub partition: PartitionId,
    /// Its offset: a number in Kafka, the position of its first byte in a file log.
    pub offset: u64,
    /// The offset of the next record: `offset + 1` in Kafka, the position after the line in a file log.
    pub next_offset: u64,
    /// The log's timestamp in milliseconds since 1970, as it was written (within 0 to [`NEWEST_TIMESTAMP`]): it
    /// may go back, or lie in the future; 0 in a log without timestamps.
    pub timestamp: i64,
    /// The epoch of the leader that took it, in a log that has leaders and knows: see [`LastRecord`].
    pub leader_epoch: Option<i32>,
    /// The key, where it has one.
    pub key: Option<&'a [u8]>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
}

impl Record<'_> {
    /// What tells it from any other record.
    pub fn as_last(&self) -> LastRecord {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&self.timestamp.to_le_bytes());
        for bytes in [self.key, self.payload] {
            // None is not empty, and where the key ends counts.
            checksum.update(&bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
            checksum.update(bytes.unwrap_or_default());
        }
        LastRecord { offset: self.offset, leader_epoch: self.leader_epoch, checksum: checksum.finalize() }
    }
}

/// What a poll hands over.
#[derive(Clone, Copy, Debug)]
pub enum Polled<'a> {
    /// A record, in the order of its partition.
    Record(Record<'a>),
    /// Everything readable of a partition has been handed over, up to `offset`, the offset that the
    /// next record will have at least. Transactions that were aborted leave gaps that only this shows.
    End {
        /// The partition.
        partition: PartitionId,
        /// Where the next record will stand, at least.
        offset: u64,
    },
}

/// The latest timestamp that a record has, in milliseconds since 1970: the end of the year 9999, as far as stores
/// reach. What a log dates later counts as that.
pub const NEWEST_TIMESTAMP: i64 = 253_402_300_799_999;

/// A partition as it stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartitionRange {
    /// The partition.
    pub partition: PartitionId,
    /// The offset of the first record still held.
    pub first: u64,
    /// The offset after the last record.
    pub end: u64,
}

/// Wakes the worker that reads a source, from any thread: new records may be there.
pub type Waker = std::sync::Arc<dyn Fn() + Send + Sync>;

/// A worker's own reader of some partitions.
pub trait Source {
    /// Hands over at most `max` records that are there already; never blocks. Returns how many
    /// [`Polled`] it handed over. When it returns 0 the waker given at opening is called once there
    /// is more, perhaps also without cause.
    ///
    /// # Errors
    /// [`SourceError`] when reading can not go on. An outage is no error: the source waits and says so
    /// in the log.
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError>;

    /// What the log holds and does not let be read yet: behind a transaction that is still open.
    fn waiting(&self) -> Vec<Waiting> {
        Vec::new()
    }
}

/// A partition that was read as far as may be, and holds more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u16,
    /// From this offset on nothing may be read.
    pub from: u64,
    /// The offset after the last record.
    pub end: u64,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Waiting { topic, partition, from, end } = self;
        write!(
            f,
            "{topic}/{partition}: offsets {from} to {} wait for a transaction that is still open; they are read once its \
             producer ends it, or the broker does after the producer's transaction.timeout.ms (kafka-transactions.sh \
             find-hanging lists those that no broker ends)",
            end - 1
        )
    }
}

/// A log that workers can read.
pub trait Log: Send + Sync {
    /// Which log this is (Kafka's cluster id, or the folder): offsets belong to one log.
    fn identity(&self) -> &str;

    /// The partitions of the job's topics as they stand now, sorted. `topics` gives each topic's rank.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] and [`SourceError::TopicMissing`] may be tried again.
    fn partitions(&self, topics: &[String]) -> Result<Vec<PartitionRange>, SourceError>;

    /// Checks that these topics hold every record until it is old, as topics of orders must: a topic that keeps
    /// only the newest record of each key has lost what an order was before.
    ///
    /// # Errors
    /// [`SourceError::LogChanged`] naming the topic; as [`partitions`](Log::partitions).
    fn check_whole(&self, topics: &[String]) -> Result<(), SourceError> {
        let _ = topics;
        Ok(())
    }

    /// What tells each topic from a later one of the same name, which has offsets of its own; `None` in a log
    /// that has no such thing. A source opened after this hands over no record of any other topic.
    ///
    /// # Errors
    /// As [`partitions`](Log::partitions).
    fn topic_ids(&self, topics: &[String]) -> Result<Vec<Option<String>>, SourceError> {
        Ok(vec![None; topics.len()])
    }

    /// Opens some partitions for one worker, each at the offset to read first.
    fn open(&self, topics: &[String], from: &[StartAt], waker: Waker) -> Result<Box<dyn Source>, SourceError>;

    /// The same for going on after what was counted: a log that can lose its end and grow again looks for the last record
    /// of each partition, which is not handed over again, before it hands over any other. A start has looked for it, and
    /// what happens between that and the first record that comes would be seen by nobody otherwise.
    ///
    /// # Errors
    /// As [`open`](Log::open).
    fn open_after(
        &self,
        topics: &[String],
        from: &[(StartAt, Counted)],
        waker: Waker,
    ) -> Result<Box<dyn Source>, SourceError> {
        let from: Vec<StartAt> = from.iter().map(|(start, _)| *start).collect();
        self.open(topics, &from, waker)
    }

    /// For each partition the offset of its first record at or after the timestamp given with it (milliseconds since
    /// 1970), or its end; may answer an earlier one. A log without timestamps answers its start.
    ///
    /// # Errors
    /// As [`partitions`](Log::partitions).
    fn offsets_since(
        &self,
        topics: &[String],
        since: &[(PartitionId, i64)],
    ) -> Result<Vec<(PartitionId, u64)>, SourceError> {
        let _ = topics;
        Ok(since.iter().map(|(partition, _)| (*partition, 0)).collect())
    }

    /// Where the newest records of a partition begin, about so many; what is there may be fewer.
    ///
    /// # Errors
    /// As [`partitions`](Log::partitions).
    fn newest(&self, topics: &[String], range: PartitionRange, records: u64) -> Result<u64, SourceError> {
        let _ = topics;
        Ok(range.end.saturating_sub(records).max(range.first))
    }

    /// Tells the log's own tools how far the store is committed. Best effort: nothing reads it back.
    fn note_committed(&self, topics: &[String], offsets: &BTreeMap<PartitionId, u64>) {
        let _ = (topics, offsets);
    }
}

/// Where to start in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartAt {
    /// The partition.
    pub partition: PartitionId,
    /// The first offset to hand over.
    pub offset: u64,
    /// The end of what is wanted, where there is one: records from there on may be handed over all the same, but a
    /// fault among them is none.
    pub until: Option<u64>,
}

impl StartAt {
    /// From an offset on, without end.
    pub const fn on(partition: PartitionId, offset: u64) -> StartAt {
        StartAt { partition, offset, until: None }
    }
}

/// What was counted of a partition, where reading goes on after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The last record of it, where that is known and should be in the log still.
    pub last: Option<LastRecord>,
    /// Whether records may be gone from between others, as in a topic that is compacted.
    pub may_have_gaps: bool,
}

/// Why a log can not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No contact. Trying again may help.
    #[error("the log at {log} is not reachable: {message}")]
    Unreachable {
        /// The log, without credentials.
        log: String,
        /// What the client said.
        message: String,
    },
    /// A topic (or a file log's folder) is not there yet. Trying again may help.
    #[error("topic {topic} does not exist in the log at {log}; create it, or check --topics")]
    TopicMissing {
        /// The topic.
        topic: String,
        /// The log, without credentials.
        log: String,
    },
    /// A setting is wrong: the URL, the credentials, an option.
    #[error("setting `{setting}`: {message}")]
    Configuration {
        /// The setting to change, as it is named in the configuration file.
        setting: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The log no longer holds what comes next, or is not the log it was.
    #[error("{topic}/{partition}: {what}; {hint}")]
    LogChanged {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// What happened, with the offsets.
        what: String,
        /// How to go on.
        hint: String,
    },
    /// No record starts where one was to be read, as in a file that was written anew with lines of other lengths: whatever
    /// stood there stands there no more.
    #[error("{topic}/{number}: {what}; {hint}", number = .partition.partition)]
    NoRecordAt {
        /// The topic.
        topic: String,
        /// The partition.
        partition: PartitionId,
        /// What is there instead, with the offset.
        what: String,
        /// How to go on.
        hint: String,
    },
    /// What was to be read is in the log no more, as where retention took it meanwhile. A new look at the log tells what
    /// that means: where it was counted already, nothing is lost.
    #[error(
        "{topic}/{partition}: {what}; start again: the start checks the log against the store, and says how to go on"
    )]
    OffsetGone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// What happened, with the offset.
        what: String,
    },
    /// A stretch of the log can not be read. A restart may help, where it was damaged on its way.
    #[error("{topic}/{partition}: the records at offset {offset} are damaged: {what}; {hint}")]
    Damaged {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// Where the damage begins.
        offset: i64,
        /// What the client said.
        what: String,
        /// How to go on.
        hint: String,
    },
    /// Any other fault of the log or its client.
    #[error("reading {what} failed")]
    Fault {
        /// Topic, partition, offset or file.
        what: String,
        /// What the client said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SourceError {
    /// Whether trying the same again may help.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            SourceError::Unreachable { .. } | SourceError::TopicMissing { .. } | SourceError::OffsetGone { .. }
        )
    }

    /// The same where all that was to be read is counted: what retention takes of it is lost to nobody, so a new attempt,
    /// which goes by what is left, needs no person.
    #[must_use]
    pub fn of_what_was_counted(self) -> SourceError {
        match self {
            // Its text alone: as a cause it would say that somebody must decide.
            gone @ SourceError::OffsetGone { .. } => {
                SourceError::Fault { what: "again what is committed".to_owned(), source: gone.to_string().into() }
            }
            other => other,
        }
    }

    /// Whether a person must decide how to go on, where it comes of reading what was never counted.
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            SourceError::Configuration { .. }
                | SourceError::LogChanged { .. }
                | SourceError::NoRecordAt { .. }
                | SourceError::OffsetGone { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_retention_took_of_what_was_counted_needs_no_person() {
        let gone =
            || SourceError::OffsetGone { topic: "sold".to_owned(), partition: 3, what: "offset 7 is gone".to_owned() };
        assert!(gone().is_configuration() && gone().is_transient());
        let counted = crate::job::chain(&gone().of_what_was_counted());
        assert!(counted.starts_with("reading again what is committed failed: sold/3: offset 7 is gone; start again"));
        assert!(!gone().of_what_was_counted().is_configuration());
    }

    #[test]
    fn records_that_differ_in_anything_are_told_apart() {
        let partition = PartitionId { topic: 0, partition: 0 };
        let record = |timestamp, leader_epoch, key, payload| {
            Record { partition, offset: 7, next_offset: 8, timestamp, leader_epoch, key, payload }.as_last()
        };
        let [a, ab, nothing] = ["a", "ab", ""].map(|text| Some(text.as_bytes()));
        let all = [
            record(1, Some(3), ab, a),
            record(2, Some(3), ab, a),
            record(1, Some(4), ab, a),
            record(1, None, ab, a),
            record(1, Some(3), a, ab),
            record(1, Some(3), ab, nothing),
            record(1, Some(3), ab, None),
            record(1, Some(3), None, ab),
            record(1, Some(3), nothing, ab),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{one:?}");
        }
        // Kept in stores: must never change.
        assert_eq!(all[0].checksum, 1_774_491_451);
    }
}
