//! A log in memory, for books that are kept by hand.

use takings::source::{Log, PartitionRange, Polled, Record, Source, SourceError, StartAt, Waker};
use takings_dataflows::order::PartitionId;

/// Records of one partition: timestamp, key, payload.
pub(super) type Records = Vec<(i64, Option<Vec<u8>>, Option<Vec<u8>>)>;

/// A log in memory: all partitions of one topic, which may have an id.
#[derive(Default)]
pub(super) struct MemoryLog {
    pub(super) topic_id: Option<String>,
    pub(super) partitions: Vec<(u64, Records)>,
}

impl Log for MemoryLog {
    fn identity(&self) -> &str {
        "memory"
    }

    fn partitions(&self, _: &[String]) -> Result<Vec<PartitionRange>, SourceError> {
        Ok((0u16..)
            .zip(&self.partitions)
            .map(|(partition, (first, records))| PartitionRange {
                partition: PartitionId { topic: 0, partition },
                first: *first,
                end: first + records.len() as u64,
            })
            .collect())
    }

    fn topic_ids(&self, topics: &[String]) -> Result<Vec<Option<String>>, SourceError> {
        Ok(vec![self.topic_id.clone(); topics.len()])
    }

    fn open(&self, _: &[String], from: &[StartAt], _: Waker) -> Result<Box<dyn Source>, SourceError> {
        let parts = from.iter().map(|start| {
            let (first, records) = &self.partitions[usize::from(start.partition.partition)];
            (*start, *first, records.clone())
        });
        Ok(Box::new(MemorySource { parts: parts.collect() }))
    }
}

struct MemorySource {
    parts: Vec<(StartAt, u64, Records)>,
}

impl Source for MemorySource {
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
        let mut count = 0;
        for (start, first, records) in &mut self.parts {
            while count < max
                && let Some((timestamp, key, payload)) = records.get((start.offset - *first) as usize)
            {
                each(Polled::Record(Record {
                    partition: start.partition,
                    offset: start.offset,
                    next_offset: start.offset + 1,
                    timestamp: *timestamp,
                    leader_epoch: None,
                    key: key.as_deref(),
                    payload: payload.as_deref(),
                }));
                start.offset += 1;
                count += 1;
            }
        }
        Ok(count)
    }
}
