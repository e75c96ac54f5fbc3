//! One worker's consumer: static partitions, offsets of our own.

use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use takings_dataflows::order::PartitionId;

use super::context::Context;
use super::queue::{BatchQueue, Delivered};
use crate::source::{Polled, Record, Source, SourceError, StartAt, Waker};

/// Records handed over in one batch at most.
const BATCH: usize = 4096;

/// How often logs and errors of the client are looked at while records flow.
const SERVE_EVERY: Duration = Duration::from_millis(100);

/// Reads some partitions. Created on the thread that uses it.
pub(super) struct Reader {
    queue: BatchQueue,
    partitions: Vec<Partition>,
    served: Instant,
}

struct Partition {
    id: PartitionId,
    topic: CString,
    number: i32,
    newest_timestamp: i64,
}

impl Reader {
    pub(super) fn open(
        consumer: BaseConsumer<Context>,
        topics: &[String],
        from: &[StartAt],
        waker: Waker,
    ) -> Result<Self, SourceError> {
        let fault = |what: &str, source: Box<dyn std::error::Error + Send + Sync>| SourceError::Fault {
            what: what.to_owned(),
            source,
        };
        let mut assignment = TopicPartitionList::with_capacity(from.len());
        let mut partitions = Vec::with_capacity(from.len());
        for start in from {
            let topic = &topics[start.partition.topic as usize];
            let number = i32::from(start.partition.partition);
            assignment
                .add_partition_offset(topic, number, Offset::Offset(start.offset as i64))
                .map_err(|source| fault(&format!("{topic}/{number} from offset {}", start.offset), source.into()))?;
            partitions.push(Partition {
                id: start.partition,
                topic: CString::new(topic.as_str()).map_err(|source| fault(topic, source.into()))?,
                number,
                newest_timestamp: start.newest_timestamp,
            });
        }
        let queue =
            BatchQueue::new(consumer, BATCH, waker).ok_or_else(|| fault("Kafka", "librdkafka gave no queue".into()))?;
        // Forwarded before it is assigned: no record can go another way.
        for partition in &partitions {
            if !queue.forward(&partition.topic, partition.number) {
                return Err(fault(
                    &format!("{}/{}", topics[partition.id.topic as usize], partition.number),
                    "librdkafka gave no queue".into(),
                ));
            }
        }
        queue.consumer().assign(&assignment).map_err(|source| fault("the assigned partitions", source.into()))?;
        Ok(Reader { queue, partitions, served: Instant::now() })
    }

    /// Lets librdkafka deliver its log lines and errors.
    fn serve(&mut self) -> Result<(), SourceError> {
        self.served = Instant::now();
        while self.queue.consumer().poll(Duration::ZERO).is_some() {}
        match self.queue.consumer().context().refused() {
            Some(message) => Err(refused(&message)),
            None => Ok(()),
        }
    }
}

/// Credentials or rights that only a change of settings cures.
pub(super) fn refused(message: &str) -> SourceError {
    SourceError::Configuration {
        setting: "kafka",
        message: format!(
            "the broker refused this client: {message}; check security.protocol, sasl.* and ssl.* (--kafka-option)"
        ),
    }
}

impl Source for Reader {
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
        let Reader { queue, partitions, .. } = self;
        let mut failure = None;
        let mut last = 0;
        let count = queue.poll(max, |delivered| match delivered {
            Delivered::Message { topic, partition, offset, timestamp, key, payload } => {
                let Some(partition) = find(partitions, &mut last, topic, partition) else { return };
                partition.newest_timestamp = partition.newest_timestamp.max(timestamp);
                let offset = offset as u64;
                each(Polled::Record(Record {
                    partition: partition.id,
                    offset,
                    next_offset: offset + 1,
                    timestamp: partition.newest_timestamp,
                    key,
                    payload,
                }));
            }
            Delivered::Event { topic, partition, offset, code, message } => {
                let Some(partition) = find(partitions, &mut last, topic, partition) else { return };
                match code {
                    RDKafkaErrorCode::PartitionEOF => {
                        each(Polled::End { partition: partition.id, offset: offset as u64 });
                    }
                    _ => failure = failure.take().or_else(|| fatal(partition, offset, code, &message)),
                }
            }
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        if count > 0 {
            self.queue.consumer().context().contact();
        }
        if count == 0 || self.served.elapsed() > SERVE_EVERY {
            self.serve()?;
        }
        Ok(count)
    }
}

/// Records come in runs of one partition: the last one found is tried first.
fn find<'a>(partitions: &'a mut [Partition], last: &mut usize, topic: &CStr, number: i32) -> Option<&'a mut Partition> {
    let is_it = |partition: &Partition| partition.number == number && partition.topic.as_c_str() == topic;
    if !partitions.get(*last).is_some_and(is_it) {
        *last = partitions.iter().position(is_it)?;
    }
    partitions.get_mut(*last)
}

/// The errors that waiting does not cure.
fn fatal(partition: &Partition, offset: i64, code: RDKafkaErrorCode, message: &str) -> Option<SourceError> {
    let topic = partition.topic.to_string_lossy().into_owned();
    let number = partition.id.partition;
    match code {
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => {
            Some(SourceError::LogChanged {
                what: format!("offset {offset} is no longer in the log ({message})"),
                hint: "start again: the start checks the log against the store, and says how to go on".to_owned(),
                topic,
                partition: number,
            })
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => Some(SourceError::LogChanged {
            what: format!("the partition is gone: its topic was deleted ({message})"),
            hint:
                "create the topic, then start again: the start checks the log against the store, and says how to go on"
                    .to_owned(),
            topic,
            partition: number,
        }),
        RDKafkaErrorCode::TopicAuthorizationFailed => Some(refused(message)),
        _ => {
            tracing::warn!("{topic}/{number} at offset {offset}: {message}; reading goes on when it is cured");
            None
        }
    }
}
