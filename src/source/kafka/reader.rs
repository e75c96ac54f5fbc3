//! One worker's consumer: static partitions, offsets of our own.

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;

use super::ANSWER_WITHIN;
use super::context::{Context, Recreated};
use super::queue::{BatchQueue, Delivered};
use super::stall::{ABSENCE, Asked, Asker, Held, Progress};
use crate::source::{Counted, NEWEST_TIMESTAMP, Polled, Record, Source, SourceError, StartAt, Waiting, Waker};

/// Records handed over in one batch at most.
const BATCH: usize = 4096;

/// How often logs and errors of the client are looked at while records flow.
const SERVE_EVERY: Duration = Duration::from_millis(100);

/// What librdkafka calls its error `_LOG_TRUNCATION` in texts (`rd_kafka_err2str`).
const TRUNCATED: &str = "Partition log truncation detected";

/// Makes the client of a reader.
pub(super) type Connect = Box<dyn Fn() -> Result<BaseConsumer<Context>, SourceError>>;

/// Reads some partitions. Created on the thread that uses it.
pub(super) struct Reader {
    servers: String,
    connect: Connect,
    waker: Waker,
    queue: BatchQueue,
    partitions: Vec<Partition>,
    polled: Instant,
    served: Instant,
    asker: Asker,
}

struct Partition {
    id: PartitionId,
    topic: CString,
    number: i32,
    /// The offset after the last record that was handed over.
    next: u64,
    /// The last record that was handed over, or counted before that.
    last: Option<Last>,
    /// Whether that one is read again first: another may stand there by now.
    is_recalled: bool,
    /// Whether it may be gone all the same.
    may_have_gaps: bool,
    /// The end of what is wanted of it.
    until: Option<u64>,
    /// Where it was last read to its end, and since when; `None` where more came.
    end: Option<(u64, Instant)>,
    /// Whether that it waits was said.
    is_told: bool,
    progress: Progress,
}

/// What is known of a record that another one may have taken the place of.
#[derive(Clone, Copy)]
struct Last {
    offset: u64,
    /// The epoch of its leader.
    leader_epoch: Option<i32>,
    /// Of one that an earlier run counted: see [`Record::as_last`].
    checksum: Option<u32>,
}

impl Last {
    /// Whether this is that record, as far as both are known.
    fn is(&self, found: &Record<'_>) -> bool {
        let Last { offset, leader_epoch, checksum } = *self;
        let is_same_epoch = leader_epoch.zip(found.leader_epoch).is_none_or(|(was, is)| was == is);
        offset == found.offset && is_same_epoch && checksum.is_none_or(|checksum| checksum == found.as_last().checksum)
    }
}

/// A transaction that stays open so long is worth a word.
const OPEN_FOR_LONG: Duration = Duration::from_secs(10);

impl Reader {
    /// `client` is another one, to ask how far partitions may be read.
    pub(super) fn open(
        servers: String,
        connect: Connect,
        client: Arc<BaseConsumer<Context>>,
        topics: &[String],
        from: &[(StartAt, Counted)],
        waker: Waker,
    ) -> Result<Self, SourceError> {
        let now = Instant::now();
        let mut partitions = Vec::with_capacity(from.len());
        for (start, Counted { last, may_have_gaps }) in from {
            let topic = topics[start.partition.topic as usize].as_str();
            partitions.push(Partition {
                id: start.partition,
                topic: CString::new(topic).map_err(|source| fault(topic, source))?,
                number: i32::from(start.partition.partition),
                next: start.offset,
                last: last.map(|LastRecord { offset, leader_epoch, checksum }| Last {
                    offset,
                    leader_epoch,
                    checksum: Some(checksum),
                }),
                // Without the epoch of a record that it read, the client can not tell that a log was cut off.
                is_recalled: last.is_some(),
                may_have_gaps: *may_have_gaps,
                until: start.until,
                end: None,
                is_told: false,
                progress: Progress::new(now),
            });
        }
        let queue = queue(connect()?, &partitions, &waker)?;
        Ok(Reader { servers, connect, waker, queue, partitions, polled: now, served: now, asker: Asker::new(client) })
    }

    /// Finds partitions that are stuck, and reads on with another client from where each of them was read to.
    fn look_for_stalls(&mut self) -> Result<(), SourceError> {
        let now = Instant::now();
        let Reader { partitions, asker, .. } = self;
        let held = asker.answer();
        // Nothing came of it since the broker was asked.
        let is_stuck = |held: &&Held| {
            let partition = &partitions[held.asked.at];
            held.is_stalled()
                && partition.position() == held.asked.position
                && partition.progress.silence(now).is_some()
        };
        let stalled: Vec<&Held> = held.iter().filter(is_stuck).collect();
        for Held { asked, end, .. } in &stalled {
            let progress = &mut partitions[asked.at].progress;
            tracing::warn!(
                "{}/{}: nothing came from offset {} on for {} s, and the broker says that there is more, up to {}: reading on \
                 from there with a new connection",
                asked.topic.to_string_lossy(),
                asked.number,
                asked.position,
                progress.silence(now).unwrap_or_default().as_secs(),
                end - 1
            );
            progress.again(now);
        }
        if !stalled.is_empty() {
            recall(partitions, &held);
            self.queue = queue((self.connect)()?, partitions, &self.waker)?;
        } else if asker.may_ask(now) {
            let asked = |(at, partition): (usize, &Partition)| {
                let position = partition.position();
                let is_wanted = partition.until.is_none_or(|until| position < until);
                let is_silent = is_wanted && partition.progress.silence(now).is_some();
                Asked { at, topic: partition.topic.clone(), number: partition.number, position, is_silent }
            };
            let asked: Vec<Asked> = partitions.iter().enumerate().map(asked).collect();
            if asked.iter().any(|asked| asked.is_silent) {
                asker.ask(asked, now);
            }
        }
        Ok(())
    }

    /// What is to be said where an offset is gone at which a record is read again that was counted: where retention took it,
    /// nothing is lost so far.
    fn of_recalled(&self, failure: SourceError) -> SourceError {
        let SourceError::OffsetGone { topic, partition: number, what } = &failure else { return failure };
        let is_it = |partition: &&Partition| {
            partition.id.partition == *number && partition.topic.to_bytes() == topic.as_bytes() && partition.is_recalled
        };
        let Some(partition) = self.partitions.iter().find(is_it) else { return failure };
        match self.queue.consumer().fetch_watermarks(topic, partition.number, ANSWER_WITHIN) {
            Ok((_, end)) if u64::try_from(end).is_ok_and(|end| end <= partition.start()) => cut_off(partition, what),
            _ => failure.of_what_was_counted(),
        }
    }

    fn tell_what_waits(&mut self) {
        let Reader { queue, partitions, .. } = self;
        for partition in partitions.iter_mut().filter(|partition| !partition.is_told) {
            if partition.end.is_some_and(|(_, since)| since.elapsed() > OPEN_FOR_LONG)
                && let Some(waiting) = partition.waiting(queue, |_| true)
            {
                tracing::warn!("{waiting}");
                partition.is_told = true;
            }
        }
    }

    /// That the topics are those whose offsets are known.
    fn check_topics(&self) -> Result<(), SourceError> {
        let Some(Recreated { topic, was, is }) = self.queue.consumer().context().recreated() else { return Ok(()) };
        Err(SourceError::LogChanged {
            partition: 0,
            what: format!(
                "the topic was deleted and created anew: its id was {was}, and is {is}; nothing of the new one was read"
            ),
            hint: "start again: the start checks the log against the store, and says how to go on".to_owned(),
            topic,
        })
    }

    /// Lets librdkafka deliver its log lines and errors.
    fn serve(&mut self) -> Result<(), SourceError> {
        self.served = Instant::now();
        self.queue.serve_logs();
        while self.queue.consumer().poll(Duration::ZERO).is_some() {}
        self.check_topics()?;
        self.tell_what_waits();
        match self.queue.consumer().context().refused() {
            Some(message) => Err(refused(&message)),
            None => Ok(()),
        }
    }
}

/// Has each partition's last record read again by the new client, where the broker holds it: without the epoch of what
/// it read that client could not tell that a log was cut off meanwhile, of a partition that stood still or of another.
fn recall(partitions: &mut [Partition], held: &[Held]) {
    for Held { asked, first, .. } in held {
        let partition = &mut partitions[asked.at];
        partition.is_recalled = partition.last.is_some_and(|last| last.offset >= *first);
    }
}

/// The client's queue, to which these partitions come from where they were read to.
fn queue(consumer: BaseConsumer<Context>, partitions: &[Partition], waker: &Waker) -> Result<BatchQueue, SourceError> {
    let mut assignment = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        let (topic, position) = (partition.topic.to_string_lossy(), partition.start());
        assignment
            .add_partition_offset(&topic, partition.number, Offset::Offset(position as i64))
            .map_err(|source| fault(&format!("{topic}/{} from offset {position}", partition.number), source))?;
    }
    let queue = BatchQueue::new(consumer, BATCH, Waker::clone(waker))
        .ok_or_else(|| fault("Kafka", "librdkafka gave no queue"))?;
    // Forwarded before it is assigned: no record can go another way.
    for Partition { topic, number, .. } in partitions {
        if !queue.forward(topic, *number) {
            return Err(fault(&format!("{}/{number}", topic.to_string_lossy()), "librdkafka gave no queue"));
        }
    }
    queue.consumer().assign(&assignment).map_err(|source| fault("the assigned partitions", source))?;
    Ok(queue)
}

fn fault(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
    SourceError::Fault { what: what.to_owned(), source: source.into() }
}

/// Credentials or rights that only a change of settings cures.
pub(super) fn refused(message: &str) -> SourceError {
    SourceError::Configuration {
        setting: "kafka_option",
        message: format!(
            "the broker refused this client: {message}; check security.protocol, sasl.* and ssl.* (--kafka-option)"
        ),
    }
}

impl Source for Reader {
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
        let Reader { servers, queue, partitions, polled, .. } = self;
        let mut failure = None;
        let mut last = 0;
        let now = Instant::now();
        if now.saturating_duration_since(*polled) > ABSENCE {
            partitions.iter_mut().for_each(|partition| partition.progress.excuse(now));
        }
        *polled = now;
        let count = queue.poll(max, |delivered| match delivered {
            Delivered::Message { topic, partition, offset, timestamp, leader_epoch, key, payload } => {
                let Some(partition) = find(partitions, &mut last, topic, partition) else { return };
                let (offset, leader_epoch) = (offset as u64, Some(leader_epoch).filter(|epoch| *epoch >= 0));
                let record = Record {
                    partition: partition.id,
                    offset,
                    next_offset: offset + 1,
                    timestamp: timestamp.clamp(0, NEWEST_TIMESTAMP),
                    leader_epoch,
                    key,
                    payload,
                };
                if std::mem::take(&mut partition.is_recalled) {
                    failure = failure.take().or_else(|| partition.missed(&record));
                }
                // What was read again, and what lies between that and where reading goes on: records that are too long
                // are not known by their checksums.
                if failure.is_some() || offset < partition.next {
                    return;
                }
                (partition.next, partition.end) = (offset + 1, None);
                partition.last = Some(Last { offset, leader_epoch, checksum: None });
                partition.progress.note(now);
                each(Polled::Record(record));
            }
            Delivered::Event { topic, partition, offset, code, message } => {
                let Some(partition) = find(partitions, &mut last, topic, partition) else { return };
                match code {
                    RDKafkaErrorCode::PartitionEOF => {
                        partition.progress.note(now);
                        // A new leader may not know yet how far it may be read.
                        let offset = (offset as u64).max(partition.next);
                        if partition.end.is_none_or(|(end, _)| end != offset) {
                            partition.end = Some((offset, Instant::now()));
                            partition.is_told = false;
                        }
                        each(Polled::End { partition: partition.id, offset });
                    }
                    // The client reads ahead: what is not wanted may well be what can not be read.
                    _ if partition.until.is_some_and(|until| offset >= until as i64) => {}
                    _ => failure = failure.take().or_else(|| fatal(servers, partition, offset, code, &message)),
                }
            }
        });
        if let Some(failure) = failure {
            return Err(self.of_recalled(failure));
        }
        self.check_topics()?;
        if count > 0 {
            self.queue.consumer().context().contact();
        }
        if count == 0 {
            self.look_for_stalls()?;
        }
        if count == 0 || self.served.elapsed() > SERVE_EVERY {
            self.serve()?;
        }
        Ok(count)
    }

    fn waiting(&self) -> Vec<Waiting> {
        let waiting = |partition: &Partition| {
            // Where its end was not seen yet, the broker is asked how far it may be read.
            let is_all = |topic: &str| {
                partition.end.is_some()
                    || self
                        .queue
                        .consumer()
                        .fetch_watermarks(topic, partition.number, ANSWER_WITHIN)
                        .is_ok_and(|(_, stable)| u64::try_from(stable).is_ok_and(|stable| stable <= partition.next))
            };
            partition.waiting(&self.queue, is_all)
        };
        self.partitions.iter().filter_map(waiting).collect()
    }
}

impl Partition {
    /// Where it was read to: transactions leave gaps that only an end shows.
    fn position(&self) -> u64 {
        self.end.map_or(self.next, |(end, _)| end)
    }

    /// Where reading begins.
    fn start(&self) -> u64 {
        self.last.filter(|_| self.is_recalled).map_or(self.position(), |last| last.offset)
    }

    /// What is wrong where the last record is to be read again, and this one comes.
    fn missed(&self, found: &Record<'_>) -> Option<SourceError> {
        match self.last {
            Some(last) if last.is(found) => None,
            Some(last) if found.offset > last.offset && self.may_have_gaps => None,
            Some(last) if found.offset > last.offset => Some(fault(
                &format!("{}/{} from offset {} on", self.topic.to_string_lossy(), self.number, last.offset),
                "the record there is gone; a new start tells whether the topic was compacted or the log was cut off",
            )),
            _ => Some(cut_off(self, "another record stands there")),
        }
    }

    /// What it holds after what was read, where that may be no more.
    fn waiting(&self, queue: &BatchQueue, is_all: impl FnOnce(&str) -> bool) -> Option<Waiting> {
        let from = self.position();
        let end = queue.end_of(&self.topic, self.number).filter(|end| *end > from)?;
        let topic = self.topic.to_string_lossy().into_owned();
        is_all(&topic).then_some(Waiting { topic, partition: self.id.partition, from, end })
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

/// Records that were acknowledged and read are gone.
fn cut_off(partition: &Partition, message: &str) -> SourceError {
    SourceError::LogChanged {
        topic: partition.topic.to_string_lossy().into_owned(),
        partition: partition.id.partition,
        what: format!("the log was cut off before offset {}, up to which it was read ({message})", partition.next),
        hint: "start again: the start checks the log against the store, and says how to go on. See \
               unclean.leader.election.enable"
            .to_owned(),
    }
}

/// The errors that waiting does not cure.
fn fatal(
    servers: &str,
    partition: &Partition,
    offset: i64,
    code: RDKafkaErrorCode,
    message: &str,
) -> Option<SourceError> {
    let topic = partition.topic.to_string_lossy().into_owned();
    let number = partition.id.partition;
    match code {
        // Records that were acknowledged are gone: a leader was elected that did not have them. Where a client may not
        // go on somewhere else, librdkafka tells it as a reset that failed, whose reason is in the text alone.
        RDKafkaErrorCode::LogTruncation => Some(cut_off(partition, message)),
        RDKafkaErrorCode::AutoOffsetReset if message.contains(TRUNCATED) => Some(cut_off(partition, message)),
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => {
            // The offset of such an event may be none at all.
            let offset = u64::try_from(offset).unwrap_or(partition.next);
            let what = format!("offset {offset} is no longer in the log ({message})");
            Some(SourceError::OffsetGone { topic, partition: number, what })
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
        RDKafkaErrorCode::TopicAuthorizationFailed => Some(refused(&format!("{topic}/{number}: {message}"))),
        // librdkafka would go on after what it can not read: never in silence, and never of itself.
        RDKafkaErrorCode::BadMessage
        | RDKafkaErrorCode::BadCompression
        | RDKafkaErrorCode::InvalidMessage
        | RDKafkaErrorCode::NotImplemented
        | RDKafkaErrorCode::MessageSizeTooLarge => Some(SourceError::Damaged {
            hint: format!(
                "nothing from there on was read. If the network or a broker's memory did it, a new start reads it whole; if a \
                 disk did, make another replica the leader, which may have it. To give it up, cut the log after the batch \
                 (kafka-dump-log.sh says where it ends; the totals stay as they are): echo \
                 '{{\"partitions\":[{{\"topic\":\"{topic}\",\"partition\":{number},\"offset\":END}}]}}' > cut.json; \
                 kafka-delete-records.sh --bootstrap-server {servers} --offset-json-file cut.json; then start again"
            ),
            what: message.to_owned(),
            topic,
            partition: number,
            offset,
        }),
        _ => {
            tracing::warn!("{topic}/{number} at offset {offset}: {message}; reading goes on when it is cured");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: PartitionId = PartitionId { topic: 0, partition: 3 };

    fn record(offset: u64, leader_epoch: Option<i32>, payload: &'static str) -> Record<'static> {
        let payload = Some(payload.as_bytes());
        Record { partition: ID, offset, next_offset: offset + 1, timestamp: 1, leader_epoch, key: None, payload }
    }

    #[test]
    fn what_comes_first_is_the_record_that_was_counted_or_one_that_is_not() {
        let counted = record(7, Some(3), "a").as_last();
        let partition = |checksum, may_have_gaps| Partition {
            id: ID,
            topic: c"sold".to_owned(),
            number: 3,
            next: 8,
            last: Some(Last { offset: counted.offset, leader_epoch: counted.leader_epoch, checksum }),
            is_recalled: true,
            may_have_gaps,
            until: None,
            end: None,
            is_told: false,
            progress: Progress::new(Instant::now()),
        };
        let by_checksum = partition(Some(counted.checksum), false);
        let by_epoch = partition(None, false);
        let compacted = partition(Some(counted.checksum), true);
        assert_eq!((by_checksum.start(), by_checksum.position()), (7, 8));
        for (found, [of_checksum, of_epoch, of_compacted]) in [
            (record(7, Some(3), "a"), ["", "", ""]),
            // What is not known says nothing.
            (record(7, None, "a"), ["", "", ""]),
            (record(7, Some(3), "b"), ["cut off", "", "cut off"]),
            (record(7, Some(4), "a"), ["cut off", "cut off", "cut off"]),
            (record(9, Some(3), "c"), ["from offset 7 on", "from offset 7 on", ""]),
        ] {
            for (partition, said) in [(&by_checksum, of_checksum), (&by_epoch, of_epoch), (&compacted, of_compacted)] {
                let told = partition.missed(&found).map(|error| error.to_string());
                assert_eq!(told.is_some(), !said.is_empty(), "{found:?}: {told:?}");
                assert!(told.unwrap_or_default().contains(said), "{found:?}");
            }
        }
    }
}
