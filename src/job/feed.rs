//! From records to the dataflow's inputs: one worker's decoding and bookkeeping.

use std::time::{Duration, Instant};

use takings_dataflows::changes::{ByPartition, Output, Progress, Rejected};
use takings_dataflows::graph::{Inputs, Watermark, takes};
use takings_dataflows::log_time::LogTime;
use takings_dataflows::order::PartitionId;
use takings_dataflows::view::View;

use super::JobError;
use super::recovery::Start;
use crate::config::JobConfig;
use crate::formats::{Decode, Decoded, Decoder, Kind};
use crate::source::Record;

/// The share of rejected records is judged over so many at a time.
const STRETCH: u64 = 1_000;

/// An epoch holds so many bytes of rejected payloads as if they were a record more.
const BYTES_AS_HEAVY_AS_A_RECORD: u64 = 256;

/// How long an offset that moved over nothing but what nobody may see waits to be committed with a record. A log at rest
/// moves none, so a shop without orders writes nothing; one transaction a marker would be twice as many in all.
const ALONE_AT_MOST: Duration = Duration::from_secs(10);

/// One worker's feed.
pub(super) struct Feed {
    decoder: Decoder,
    topics: Vec<String>,
    max_rejected_share: f64,
    payload_limit: usize,
    /// What each topic's records are versions of.
    kinds: Vec<Kind>,
    views: Vec<View>,
    /// What each partition did in the open epoch.
    progress: ByPartition<Progress>,
    /// Since when an offset waits for company that moved over nothing but what nobody may see.
    alone_since: Option<Instant>,
    /// How far each partition has come.
    reached: ByPartition<Reached>,
    /// How far a replay has come that must forget on its way: `None` where it is of what is known alone.
    replayed: Option<ByPartition<LogTime>>,
    stretch: Stretch,
}

#[derive(Clone, Copy, Default)]
struct Reached {
    /// How often its log has begun anew.
    incarnation: u8,
    /// The offset that the store has, or will have with the epochs that are closed.
    reported: u64,
    time: LogTime,
    /// Whether it was read to its end.
    is_at_end: bool,
    /// What the dataflow was told of that.
    said_at_end: bool,
}

#[derive(Default)]
struct Stretch {
    read: u64,
    rejected: u64,
}

impl Feed {
    pub(super) fn new(config: &JobConfig, start: &Start) -> Self {
        let mut reached = ByPartition::default();
        for start in &start.partitions {
            let (time, is_at_end) = (LogTime::starting_at(start.log_time), start.is_at_end());
            let (incarnation, reported) = (start.incarnation, start.committed);
            *reached.at(start.range.partition) =
                Reached { incarnation, reported, time, is_at_end, said_at_end: is_at_end };
        }
        Feed {
            decoder: Decoder::new(config.decoder()),
            topics: config.topics.clone(),
            max_rejected_share: config.max_rejected_share,
            payload_limit: config.payload_limit,
            kinds: (0..config.topics.len()).map(|topic| config.kind_of(topic as u8)).collect(),
            views: config.views.clone(),
            progress: ByPartition::default(),
            alone_since: None,
            reached,
            // Views that are filled are filled from all that the log holds, of which a window may hold a small part.
            replayed: (config.correction_window.is_some() && !start.to_fill.is_empty()).then(ByPartition::default),
            stretch: Stretch::default(),
        }
    }

    /// A record that was counted already: only its version matters, but to views that are being filled.
    pub(super) fn replay(&mut self, inputs: &mut Inputs, record: &Record<'_>) {
        let reached = self.reached.at(record.partition);
        reached.time.note(record.timestamp);
        if let Some(replayed) = &mut self.replayed {
            replayed.at(record.partition).note(record.timestamp);
        }
        match self.decoder.decode(record) {
            Decoded::Event { mut event, .. } if takes(&self.views, &event) => {
                event.move_to_incarnation(reached.incarnation);
                inputs.send(event);
            }
            // What is rejected is in `rejected` since it was first read.
            Decoded::Event { .. } | Decoded::Rejected(_) => {}
        }
    }

    /// A new record. Returns what it weighs in its epoch, in records: one that is rejected is held in
    /// full until the epoch is committed, and weighs accordingly.
    ///
    /// # Errors
    /// [`JobError::TooManyRejected`].
    pub(super) fn live(&mut self, inputs: &mut Inputs, record: &Record<'_>) -> Result<u64, JobError> {
        let mut weight = 1;
        let reached = self.reached.at(record.partition);
        reached.time.note(record.timestamp);
        reached.is_at_end = false;
        // Of a longer one a source may hand over less, and by another limit more: it can not be told again.
        let is_whole = record.payload.is_none_or(|payload| payload.len() <= self.payload_limit);
        let mut step = Progress {
            offset: record.next_offset,
            newest_timestamp: record.timestamp,
            log_time: reached.time.millis(),
            last: is_whole.then(|| record.as_last()),
            read: 1,
            ..Progress::default()
        };
        let mut outcome = Ok(());
        match self.decoder.decode(record) {
            Decoded::Event { mut event, rounded } => {
                step.rounded = rounded.into();
                event.move_to_incarnation(reached.incarnation);
                if takes(&self.views, &event) {
                    inputs.send(event);
                } else {
                    step.other = 1;
                }
            }
            Decoded::Rejected(reason) => {
                step.rejected = 1;
                self.stretch.rejected += 1;
                let held: usize = [record.key, record.payload].into_iter().flatten().map(<[u8]>::len).sum();
                weight += held as u64 / BYTES_AS_HEAVY_AS_A_RECORD;
                let reason = reason.to_string();
                outcome = self.judge(record, &reason);
                inputs.reports.send(Output::Rejected(Box::new(Rejected {
                    partition: record.partition,
                    offset: record.offset,
                    key: record.key.map(<[u8]>::to_vec),
                    payload: record.payload.map(<[u8]>::to_vec),
                    reason,
                })));
            }
        }
        self.stretch.read += 1;
        if self.stretch.read == STRETCH {
            self.stretch = Stretch::default();
        }
        self.progress.at(record.partition).add(&step);
        outcome.map(|()| weight)
    }

    /// Everything of a partition before `offset` was read.
    pub(super) fn end(&mut self, partition: PartitionId, offset: u64) {
        let reached = self.reached.at(partition);
        reached.is_at_end = true;
        if offset <= reached.reported {
            return;
        }
        let progress = self.progress.at(partition);
        if offset > progress.offset {
            progress.offset = offset;
            self.alone_since.get_or_insert_with(Instant::now);
        }
    }

    /// Whether an offset that moved alone has waited for company long enough: markers of transactions, say, after the last
    /// record. Said once; the epoch that is open then is to close. Were such an offset never committed, a partition that
    /// retention emptied would seem to have lost what stood there.
    pub(super) fn has_waited(&mut self) -> bool {
        let has_waited = self.alone_since.is_some_and(|since| since.elapsed() >= ALONE_AT_MOST);
        if has_waited {
            self.alone_since = None;
        }
        has_waited
    }

    /// How far a partition's time has come, for what is to be forgotten.
    fn watermark(&mut self, partition: PartitionId) -> Watermark {
        let reached = self.reached.at(partition);
        reached.said_at_end = reached.is_at_end;
        watermark(&self.kinds, partition, &reached.time, reached.is_at_end)
    }

    /// Says how far these partitions have come in a replay that must forget on its way, each with whether all of it was read.
    pub(super) fn announce_replay(
        &mut self,
        inputs: &mut Inputs,
        partitions: impl Iterator<Item = (PartitionId, bool)>,
    ) {
        let Feed { replayed: Some(replayed), kinds, .. } = self else { return };
        for (partition, is_at_end) in partitions {
            inputs.watermarks.send(watermark(kinds, partition, replayed.at(partition), is_at_end));
        }
        // They are few, and would wait for an epoch's end to be sent.
        inputs.watermarks.flush();
    }

    /// Says how far each partition's time has come, as the store and the replay have it.
    pub(super) fn announce(&mut self, inputs: &mut Inputs, partitions: impl Iterator<Item = PartitionId>) {
        partitions.for_each(|partition| inputs.watermarks.send(self.watermark(partition)));
    }

    /// Sends what the epoch did to each partition; to be called just before it closes. An epoch closes because of records,
    /// of whatever worker, at a stop, or because of [`Feed::has_waited`]: so an offset that moved alone finds company, or
    /// is the last thing to say.
    pub(super) fn report(&mut self, inputs: &mut Inputs) {
        let mut to_say = Vec::new();
        self.alone_since = None;
        let Feed { progress, reached, .. } = self;
        progress.drain(|partition, progress| {
            if progress.read > 0 {
                to_say.push(partition);
            }
            reached.at(partition).reported = progress.offset;
            inputs.reports.send(Output::Progress(partition, progress));
        });
        self.reached.retain(|partition, reached| {
            if reached.is_at_end != reached.said_at_end && !to_say.contains(&partition) {
                to_say.push(partition);
            }
            true
        });
        self.announce(inputs, to_say.into_iter());
    }

    fn judge(&self, record: &Record<'_>, reason: &str) -> Result<(), JobError> {
        let Stretch { rejected, .. } = self.stretch;
        if (rejected as f64) <= self.max_rejected_share * STRETCH as f64 {
            return Ok(());
        }
        Err(JobError::TooManyRejected {
            topic: self.topics[record.partition.topic as usize].clone(),
            rejected,
            stretch: STRETCH,
            partition: record.partition.partition,
            offset: record.offset,
            reason: reason.to_owned(),
        })
    }
}

fn watermark(kinds: &[Kind], partition: PartitionId, time: &LogTime, is_at_end: bool) -> Watermark {
    let is_of_orders = kinds[usize::from(partition.topic)] == Kind::Order;
    Watermark { partition, timestamp: time.millis(), is_at_end, is_of_orders }
}
