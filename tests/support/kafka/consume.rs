//! Records read back.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::{Kafka, PATIENCE};
use crate::support::wait;

/// A record as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds since 1970.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its payload; none is a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl Kafka {
    /// Reads a partition from an offset on, without what was aborted, until there are at least `count`
    /// records.
    ///
    /// # Panics
    /// When there are fewer after a minute.
    pub fn read(&self, topic: &str, partition: i32, from: i64, count: usize) -> Vec<Written> {
        let mut config = self.client();
        config.set("group.id", "tests").set("enable.auto.commit", "false").set("isolation.level", "read_committed");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut start = TopicPartitionList::new();
        start.add_partition_offset(topic, partition, Offset::Offset(from)).expect("a valid offset");
        consumer.assign(&start).expect("an assignment");
        let mut found = Vec::new();
        wait::until(format_args!("{count} records of {topic}/{partition}"), PATIENCE, || {
            while let Some(record) = consumer.poll(Duration::from_millis(10)) {
                let record = record.expect("the record can be read");
                found.push(Written {
                    offset: record.offset(),
                    timestamp: record.timestamp().to_millis().unwrap_or_default(),
                    key: record.key().map(<[u8]>::to_vec),
                    payload: record.payload().map(<[u8]>::to_vec),
                });
            }
            (found.len() >= count).then_some(())
        });
        found
    }
}
