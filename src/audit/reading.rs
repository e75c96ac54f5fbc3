//! Whether the log is the one that was counted, what it still holds of a partition, and reading it from its first record
//! to the committed offset.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::Rules;
use crate::job::first_of_another;
use crate::source::{Log, PartitionRange, Polled, Record, SourceError, StartAt};
use crate::store::PartitionState;

/// How long a reader that waits for records goes without asking whether to go on.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What a log has of a partition that was counted.
pub(super) enum InLog<'a> {
    /// All up to the committed offset, but for what retention took.
    Here(&'a PartitionRange),
    /// Nothing, and nothing was read of it: a file without a line, say, that somebody took away.
    NothingRead,
    /// Less than was counted: it ends before, or is not there.
    Short { end: Option<u64> },
}

impl<'a> InLog<'a> {
    /// Looks for the partition of `state` among the `ranges` of `topics`.
    pub(super) fn of(state: &PartitionState, ranges: &'a [PartitionRange], topics: &[String]) -> Self {
        let is_it = |range: &&PartitionRange| {
            topics.get(usize::from(range.partition.topic)) == Some(&state.topic)
                && range.partition.partition == state.partition
        };
        match ranges.iter().find(is_it) {
            Some(range) if range.end >= state.offset => InLog::Here(range),
            _ if state.counters.read == 0 => InLog::NothingRead,
            range => InLog::Short { end: range.map(|range| range.end) },
        }
    }
}

/// Why the log of these `ranges` is not the one that was counted, if it is not: as a start does, it asks for the ids of
/// topics and for the last record of each partition. What an audit would find in another log are no faults of the store.
///
/// # Errors
/// [`SourceError`] where the log can not be read.
pub(super) fn is_of_another_log(
    log: &dyn Log,
    topics: &[String],
    rules: &Rules,
    ranges: &[PartitionRange],
    states: &[PartitionState],
) -> Result<Option<String>, SourceError> {
    const GO_ON: &str =
        "it can not be held against what that says; a start of `takings run` tells how to go on with it";
    let ids = log.topic_ids(topics)?;
    let mut counted = Vec::new();
    for state in states.iter().filter(|state| state.counters.read > 0) {
        let PartitionState { topic, partition, .. } = state;
        let rank = topics.iter().position(|known| known == topic);
        let is = rank.and_then(|rank| ids.get(rank)?.as_ref());
        if let Some((was, is)) = state.topic_id.as_ref().zip(is).filter(|(was, is)| was != is) {
            return Ok(Some(format!(
                "topic {topic} was created anew: its id is {is}, and what was counted of {topic}/{partition} is of {was}, \
                 which is gone; {GO_ON}"
            )));
        }
        if let (InLog::Here(range), Some(last)) = (InLog::of(state, ranges, topics), state.last) {
            counted.push((*range, last, rules.topic(topic).kind()));
        }
    }
    let another = first_of_another(log, topics, &counted)?;
    Ok(another.map(|(PartitionRange { partition, .. }, last)| {
        format!(
            "the record at offset {} of {}/{} is not the one that stood there when it was counted: the log was cut off, \
             restored from a copy or written anew; {GO_ON}",
            last.offset,
            topics[usize::from(partition.topic)],
            partition.partition
        )
    }))
}

/// Hands every record of a partition that is counted in `state` to `each`. After at most `at_once` records `goes_on` is told
/// how many they were; where it says no, the reading ends there. Returns whether it came to its end.
///
/// # Errors
/// [`SourceError`] where the log can not be read.
pub(super) fn read_partition(
    log: &dyn Log,
    topics: &[String],
    range: &PartitionRange,
    state: &PartitionState,
    at_once: usize,
    goes_on: &mut dyn FnMut(u64) -> bool,
    each: &mut dyn FnMut(&Record<'_>),
) -> Result<bool, SourceError> {
    for (first, end) in state.passed_over.counted(range.first, state.offset) {
        let stretch = StartAt { partition: range.partition, offset: first, until: Some(end) };
        if !read_stretch(log, topics, stretch, at_once, goes_on, each)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_stretch(
    log: &dyn Log,
    topics: &[String],
    start: StartAt,
    at_once: usize,
    goes_on: &mut dyn FnMut(u64) -> bool,
    each: &mut dyn FnMut(&Record<'_>),
) -> Result<bool, SourceError> {
    let until = start.until.unwrap_or(u64::MAX);
    let (sender, woken) = sync_channel(1);
    let waker = Arc::new(move || sender.try_send(()).unwrap_or_default());
    let mut source = log.open(topics, &[start], waker)?;
    let mut is_complete = false;
    while !is_complete {
        let mut records = 0;
        let polled = source.poll(at_once, &mut |polled| match polled {
            Polled::Record(record) if record.offset < until => {
                records += 1;
                each(&record);
                is_complete |= record.next_offset >= until;
            }
            Polled::Record(_) => is_complete = true,
            Polled::End { offset, .. } => is_complete |= offset >= until,
        });
        let count = polled.map_err(SourceError::of_what_was_counted)?;
        if !goes_on(records) {
            return Ok(false);
        }
        if count == 0 && !is_complete {
            // A call may be missed between poll and here; then the look a second later finds it.
            let _ = woken.recv_timeout(ASK_EVERY);
        }
    }
    Ok(true)
}
