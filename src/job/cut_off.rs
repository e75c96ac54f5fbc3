//! Whether the log still holds what was counted last, and where one that lost its end and grew anew parts from it.
//!
//! Offsets alone do not tell: a log that was cut off before the committed offset, by an unclean leader or a volume that
//! was restored, may have grown past it again before anybody looked. So the last record counted is kept in the store,
//! and looked for at its offset. Kafka's leader epochs then say from where on all is new (its KIP-101): they only grow,
//! and what was counted is of the last record's epoch at the most. Files have no such thing; in one that was written anew
//! with lines of other lengths no record may start at that offset, which says as much as another one there.

use std::collections::BTreeMap;

use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;

use super::partition_start::PartitionStart;
use crate::config::JobConfig;
use crate::formats::Kind;
use crate::source::{Heads, Log, PartitionRange, SourceError, StartAt, heads};

/// Looks for the last record counted of each partition. One that retention took can not be looked for.
///
/// # Errors
/// [`SourceError::LogChanged`] where another record stands in its place, or none; [`SourceError::Unreachable`] where
/// that can not be seen yet.
pub(super) fn check_last(config: &JobConfig, log: &dyn Log, partitions: &[PartitionStart]) -> Result<(), SourceError> {
    let known: Vec<(&PartitionStart, LastRecord)> = partitions
        .iter()
        .filter_map(|start| Some((start, start.last?)))
        .filter(|(start, last)| last.offset >= start.range.first)
        .collect();
    let from: Vec<StartAt> = known.iter().map(|(PartitionStart { range, .. }, last)| place_of(range, last)).collect();
    let found = look(log, &config.topics, from)?;
    for (PartitionStart { range, kind, .. }, last) in known {
        let found = found.get(&range.partition);
        match judge(found, &last, *kind) {
            Found::It => {}
            Found::NothingYet => return Err(not_yet(config, range, last, found)),
            Found::Another => return Err(another(config, log, range, last, found)?),
        }
    }
    Ok(())
}

/// Whether the log still holds the last record that was counted of a partition, so that it goes on from there.
///
/// # Errors
/// [`SourceError::Unreachable`] where that can not be seen yet.
pub(super) fn holds_last(
    config: &JobConfig,
    log: &dyn Log,
    range: &PartitionRange,
    last: LastRecord,
) -> Result<bool, SourceError> {
    if last.offset < range.first || last.offset >= range.end {
        return Ok(false);
    }
    let found = look(log, &config.topics, vec![place_of(range, &last)])?;
    let found = found.get(&range.partition);
    match judge(found, &last, config.kind_of(range.partition.topic)) {
        Found::It => Ok(true),
        Found::Another => Ok(false),
        Found::NothingYet => Err(not_yet(config, range, last, found)),
    }
}

/// The first of some partitions, each with its last record counted, that holds another in its place. What may not be read
/// yet is not another; nor is one that retention took, or that stands past the end.
///
/// # Errors
/// As [`heads`].
pub(crate) fn first_of_another(
    log: &dyn Log,
    topics: &[String],
    counted: &[(PartitionRange, LastRecord, Kind)],
) -> Result<Option<(PartitionRange, LastRecord)>, SourceError> {
    let known: Vec<_> =
        counted.iter().filter(|(range, last, _)| (range.first..range.end).contains(&last.offset)).collect();
    let found = look(log, topics, known.iter().map(|(range, last, _)| place_of(range, last)).collect())?;
    let is_another = |(range, last, kind): &&&(PartitionRange, LastRecord, Kind)| {
        judge(found.get(&range.partition), last, *kind) == Found::Another
    };
    Ok(known.iter().find(is_another).map(|(range, last, _)| (*range, *last)))
}

/// The first record from each of these offsets on; of a partition where no record starts at its offset, nothing.
fn look(log: &dyn Log, topics: &[String], mut from: Vec<StartAt>) -> Result<BTreeMap<PartitionId, Heads>, SourceError> {
    loop {
        match heads(log, topics, &from, 1) {
            // The others are still to be looked at.
            Err(SourceError::NoRecordAt { partition, .. }) if from.iter().any(|start| start.partition == partition) => {
                from.retain(|start| start.partition != partition);
            }
            found => return found,
        }
    }
}

/// Where a partition's last record is looked for.
const fn place_of(range: &PartitionRange, last: &LastRecord) -> StartAt {
    StartAt { partition: range.partition, offset: last.offset, until: Some(last.offset + 1) }
}

fn not_yet(config: &JobConfig, range: &PartitionRange, last: LastRecord, found: Option<&Heads>) -> SourceError {
    SourceError::Unreachable {
        log: config.source.clone(),
        message: format!(
            "{}/{} was read up to offset {}, and may be read only up to {} now: a new leader does not know yet how much of it \
             the others have, or a transaction stands open there",
            config.topics[range.partition.topic as usize],
            range.partition.partition,
            last.offset,
            found.and_then(|found| found.end).unwrap_or(0)
        ),
    }
}

/// What stands at the last record's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// That record, or nothing that speaks against it.
    It,
    /// Nothing may be read there yet.
    NothingYet,
    /// Another record, or none, though the log goes on.
    Another,
}

/// `found`: the first record from the last one's offset on, as [`look`] finds it. Topics of listings and of feedback may
/// be compacted, and have gaps where older ones were; topics of orders never ([`Log::check_whole`]).
fn judge(found: Option<&Heads>, last: &LastRecord, kind: Kind) -> Found {
    let Some(found) = found else { return Found::Another };
    let is_whole = kind == Kind::Order;
    match found.records.first() {
        Some(head) if head.record.is_same(last) => Found::It,
        Some(head) if head.record.offset == last.offset || is_whole => Found::Another,
        Some(_) => Found::It,
        None if found.end.is_none_or(|end| end <= last.offset) => Found::NothingYet,
        None if is_whole => Found::Another,
        None => Found::It,
    }
}

/// What is to be said where the last record counted is not at its offset.
fn another(
    config: &JobConfig,
    log: &dyn Log,
    range: &PartitionRange,
    last: LastRecord,
    found: Option<&Heads>,
) -> Result<SourceError, SourceError> {
    let topic = config.topics[range.partition.topic as usize].clone();
    let starts_there = found.is_some();
    let found = found.and_then(|found| found.records.first());
    let epochs = found.and_then(|head| head.record.leader_epoch.zip(last.leader_epoch));
    let is_later = epochs.is_some_and(|(found, counted)| found > counted);
    let why = match epochs {
        _ if !starts_there => {
            "no record starts there now: the log was restored from a copy, or written anew".to_owned()
        }
        _ if found.is_none() => "none does".to_owned(),
        Some((found, counted)) if is_later => format!(
            "its leader epoch is {found}, that one's was {counted}: a leader took over that had not got all that was read \
             (unclean.leader.election.enable)"
        ),
        _ => "the log was restored from a copy, or written anew".to_owned(),
    };
    let parts = if is_later { parts_at(log, &config.topics, range, last)? } else { None };
    Ok(SourceError::LogChanged {
        what: format!(
            "the record at offset {} is not the one that stood there when it was counted ({why}), so that what comes before \
             may be other records too",
            last.offset
        ),
        hint: how_to_go_on(config, &topic, range, parts),
        topic,
        partition: range.partition.partition,
    })
}

/// The first offset at which the log holds what was never counted, where leader epochs say so. What is left of the log
/// before it is what was counted.
///
/// # Errors
/// As [`heads`].
pub(super) fn parts_at(
    log: &dyn Log,
    topics: &[String],
    range: &PartitionRange,
    last: LastRecord,
) -> Result<Option<u64>, SourceError> {
    let Some(counted) = last.leader_epoch else { return Ok(None) };
    // What lies before `low` is of epochs up to `counted`; from `high` on is nothing, or of later ones.
    let (mut low, mut high) = (range.first, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        let from = StartAt { partition: range.partition, offset: middle, until: Some(high) };
        let found = heads(log, topics, &[from], 1)?;
        match found.get(&range.partition).and_then(|found| found.records.first()).map(|head| head.record) {
            Some(LastRecord { leader_epoch: None, .. }) => return Ok(None),
            Some(LastRecord { offset, leader_epoch: Some(epoch), .. }) if epoch <= counted => {
                low = (offset + 1).min(high);
            }
            Some(_) | None => high = middle,
        }
    }
    Ok(Some(low))
}

/// How to start again at an offset: what a start was told besides stays as it is, or it would be refused for that.
pub(super) fn told_to_resume(topic: &str, partition: u16, offset: u64) -> String {
    format!("start again with the settings it has and --resume-at {topic}/{partition}={offset} (or TAKINGS_RESUME_AT)")
}

/// How to go on with a log that lost its end. `parts`: see [`parts_at`].
pub(super) fn how_to_go_on(config: &JobConfig, topic: &str, range: &PartitionRange, parts: Option<u64>) -> String {
    let number = range.partition.partition;
    let go_on = |offset: u64, how: &str| {
        format!(
            "to go on with what the log holds now, keeping the totals as they are{how}: {}; ",
            told_to_resume(topic, number, offset)
        )
    };
    let go_on = match parts {
        Some(offset) => go_on(offset, ""),
        // What is read twice is known, and changes nothing.
        None if config.keep_orders => go_on(range.first, " (orders that are known count once)"),
        None => "where it parts from what was counted is not known: put the log back as it was, or ".to_owned(),
    };
    format!("{go_on}to count the log from nothing: start with a new store")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{Head, Polled, Record, Source, Waker};

    const PARTITION: PartitionId = PartitionId { topic: 0, partition: 0 };

    /// A partition of records with the epochs of their leaders; `None` at offsets without one.
    #[derive(Clone)]
    struct Epochs {
        first: u64,
        epochs: Vec<Option<i32>>,
    }

    impl Epochs {
        fn range(&self) -> PartitionRange {
            PartitionRange { partition: PARTITION, first: self.first, end: self.first + self.epochs.len() as u64 }
        }

        fn at(&self, offset: u64) -> Option<i32> {
            *self.epochs.get((offset - self.first) as usize)?
        }
    }

    impl Log for Epochs {
        fn identity(&self) -> &str {
            "epochs"
        }

        fn partitions(&self, _: &[String]) -> Result<Vec<PartitionRange>, SourceError> {
            Ok(vec![self.range()])
        }

        fn open(&self, _: &[String], from: &[StartAt], _: Waker) -> Result<Box<dyn Source>, SourceError> {
            Ok(Box::new(Reading { log: self.clone(), offset: from[0].offset }))
        }
    }

    struct Reading {
        log: Epochs,
        offset: u64,
    }

    impl Source for Reading {
        fn poll(&mut self, _: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
            let end = self.log.range().end;
            let next = (self.offset..end).find_map(|offset| Some((offset, self.log.at(offset)?)));
            self.offset = next.map_or(end, |(offset, _)| offset + 1);
            each(match next {
                None => Polled::End { partition: PARTITION, offset: end },
                Some((offset, epoch)) => Polled::Record(Record {
                    partition: PARTITION,
                    offset,
                    next_offset: offset + 1,
                    timestamp: 0,
                    leader_epoch: Some(epoch),
                    key: None,
                    payload: None,
                }),
            });
            Ok(1)
        }
    }

    proptest! {
        #[test]
        fn a_log_parts_where_later_epochs_begin(
            first in 0u64..5,
            steps in prop::collection::vec((0i32..3, prop::bool::weighted(0.8)), 0..40),
            counted in 0i32..30,
        ) {
            let mut epoch = 0;
            let epochs = steps.iter().map(|(step, is_record)| {
                epoch += step;
                is_record.then_some(epoch)
            });
            let log = Epochs { first, epochs: epochs.collect() };
            let range = log.range();
            let last = LastRecord { offset: 99, leader_epoch: Some(counted), checksum: 0 };
            let parts = parts_at(&log, &["orders".to_owned()], &range, last).expect("readable").expect("known");
            let known = (range.first..range.end).filter(|offset| log.at(*offset).is_some_and(|epoch| epoch <= counted));
            prop_assert_eq!(parts, known.max().map_or(range.first, |offset| offset + 1));
        }
    }

    #[test]
    fn only_a_topic_that_may_be_compacted_may_have_lost_the_record() {
        let record = |offset, epoch| LastRecord { offset, leader_epoch: Some(epoch), checksum: 5 };
        let heads = |records: &[LastRecord], end| Heads {
            records: records.iter().map(|&record| Head { record, timestamp: 0 }).collect(),
            end,
        };
        let last = record(7, 3);
        for (found, of_orders, of_others) in [
            (heads(&[last], None), Found::It, Found::It),
            (heads(&[record(7, 4)], None), Found::Another, Found::Another),
            (heads(&[record(9, 3)], None), Found::Another, Found::It),
            (heads(&[], Some(9)), Found::Another, Found::It),
            (heads(&[], Some(7)), Found::NothingYet, Found::NothingYet),
            (heads(&[], Some(5)), Found::NothingYet, Found::NothingYet),
        ] {
            assert_eq!(judge(Some(&found), &last, Kind::Order), of_orders, "{found:?}");
            for kind in [Kind::Listing, Kind::Feedback] {
                assert_eq!(judge(Some(&found), &last, kind), of_others, "{found:?}");
            }
        }
        // Compacting moves no record: where none starts any more, the log is another.
        for kind in [Kind::Order, Kind::Listing, Kind::Feedback] {
            assert_eq!(judge(None, &last, kind), Found::Another);
        }
    }

    #[test]
    fn without_epochs_nothing_is_said() {
        let log = Epochs { first: 0, epochs: vec![Some(1); 3] };
        let last = LastRecord { offset: 1, leader_epoch: None, checksum: 0 };
        assert_eq!(parts_at(&log, &["orders".to_owned()], &log.range(), last).expect("readable"), None);
    }
}
