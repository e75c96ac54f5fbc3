//! Where a run starts: the store's word against the log's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use takings_dataflows::day::Day;
use takings_dataflows::graph::keeps_catalogue;
use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;
use takings_dataflows::upsert::Horizon;
use takings_dataflows::view::View;

use super::JobError;
use super::cut_off::{check_last, holds_last, how_to_go_on, parts_at};
use super::roll_ups::check_roll_ups;
use crate::config::{JobConfig, ResumeAt};
use crate::formats::Kind;
use crate::source::{Log, PartitionRange, SourceError, StartAt, heads};
use crate::store::{FilledView, PartitionState, PassedOver, Recovered};

/// Where all workers start, in every process: what process 0 reads in the store, and the others are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The last committed epoch.
    pub(super) epoch: u64,
    /// Which log it is.
    pub(super) log: String,
    /// Views that are switched on and not filled yet.
    pub(super) fill: Vec<View>,
    pub(super) start: Start,
}

/// Where every partition starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// Sorted by partition: a partition's place here decides its worker.
    pub(super) partitions: Vec<PartitionStart>,
    /// The day from which the log is whole of orders; `None` where none of them is lost.
    pub(super) complete_from: Option<Day>,
    /// The views to fill, each with the day from which its part of the log is whole.
    pub(super) to_fill: Vec<FilledView>,
    /// Which topics these are, by rank.
    pub(super) topic_ids: Vec<Option<String>>,
}

/// Where one partition starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartitionStart {
    pub(super) range: PartitionRange,
    /// How often its log has begun anew.
    pub(super) incarnation: u8,
    /// The offset of the first record that is not yet counted.
    pub(super) committed: u64,
    /// From here to `committed` the log is read again, for the versions of orders alone, but for what was passed over.
    pub(super) replay_from: u64,
    /// What was never counted, because a run was told to resume behind it.
    pub(super) passed_over: PassedOver,
    /// See [`PartitionState::lost_until`].
    pub(super) lost_until: i64,
    /// The newest timestamp before `committed`.
    pub(super) newest_timestamp: i64,
    /// The last record counted, where the log should hold it still.
    pub(super) last: Option<LastRecord>,
    /// How far the partition's time has come at `committed`.
    pub(super) log_time: i64,
    /// What its records are versions of.
    pub(super) kind: Kind,
    /// Whether the store knows it: something of it was committed.
    pub(super) is_known: bool,
    /// Whether `committed` is where it was told to resume, instead of what the store has.
    pub(super) is_resumed: bool,
}

impl PartitionStart {
    /// Where live reading starts.
    pub(super) fn at(&self) -> StartAt {
        StartAt::on(self.range.partition, self.committed)
    }

    /// The stretches of the log that are read again.
    pub(super) fn to_replay(&self) -> Vec<(u64, u64)> {
        self.passed_over.counted(self.replay_from, self.committed)
    }

    /// Whether everything that the log holds of it is committed.
    pub(super) fn is_at_end(&self) -> bool {
        self.committed >= self.range.end
    }
}

impl Start {
    /// How far the log is read again, in offsets.
    pub(super) fn to_replay(&self) -> u64 {
        self.partitions.iter().flat_map(PartitionStart::to_replay).map(|(first, end)| end - first).sum()
    }
}

/// Checks the log against what is committed, and the totals against each other, and says where to start.
///
/// # Errors
/// [`SourceError::LogChanged`] where the log is not the one that was read;
/// [`JobError::RollUpsDiffer`].
pub(super) fn start(
    config: &JobConfig,
    log: &dyn Log,
    recovered: &Recovered,
    ranges: &[PartitionRange],
    topic_ids: Vec<Option<String>>,
) -> Result<Start, JobError> {
    check_roll_ups(&recovered.rows, config.top, &recovered.incomplete)?;
    let mut known: BTreeMap<(&str, u16), &PartitionState> =
        recovered.partitions.iter().map(|state| ((state.topic.as_str(), state.partition), state)).collect();
    let mut partitions = Vec::with_capacity(ranges.len());
    for range in ranges {
        let topic = config.topics[range.partition.topic as usize].as_str();
        let state = known.remove(&(topic, range.partition.partition));
        let topic_id = topic_ids[range.partition.topic as usize].as_deref();
        partitions.push(partition_start(config, log, topic, topic_id, range, state)?);
    }
    check_last(config, log, &partitions)?;
    if let Some(((topic, partition), state)) =
        known.into_iter().find(|((topic, _), _)| config.topics.iter().any(|known| known == topic))
    {
        return Err(SourceError::LogChanged {
            topic: topic.to_owned(),
            partition,
            what: format!("{} of its records are committed, and the log has no such partition any more", state.counters.read),
            hint: "if the topic was created anew with fewer partitions, start a new store: `takings run` with another --store \
                   counts what the log holds"
                .to_owned(),
        }
        .into());
    }
    let mut start = Start { partitions, complete_from: None, to_fill: Vec::new(), topic_ids };
    start.complete_from = complete_from(config, log, &start.partitions, Kind::Order)?;
    for &view in &recovered.to_fill {
        let complete_from = match view {
            View::Products => complete_from(config, log, &start.partitions, Kind::Listing)?,
            View::Ratings => complete_from(config, log, &start.partitions, Kind::Feedback)?,
            // Kept orders are all there, whatever the log holds.
            _ if config.keep_orders && recovered.epoch > 0 => None,
            _ => start.complete_from,
        };
        start.to_fill.push(FilledView { view, complete_from });
    }
    let fills = Fills::of(recovered, config);
    if let Some(window) = config.correction_window.filter(|_| !fills.orders) {
        replay_the_window_only(config, log, window.as_millis() as i64, &mut start)?;
    }
    for start in &mut start.partitions {
        let is_replayed = match start.kind {
            Kind::Order => !config.keep_orders,
            Kind::Listing => fills.listings,
            Kind::Feedback => fills.ratings,
        };
        if !is_replayed {
            start.replay_from = start.committed;
        }
    }
    Ok(start)
}

/// What the views that are to be filled need from the log again. Orders are replayed anyway, listings and
/// feedback are in tables of their own.
struct Fills {
    orders: bool,
    listings: bool,
    ratings: bool,
}

impl Fills {
    fn of(recovered: &Recovered, config: &JobConfig) -> Fills {
        let before: Vec<View> = config.views.iter().copied().filter(|view| !recovered.to_fill.contains(view)).collect();
        let of_orders = |view: &View| !matches!(view, View::Products | View::Ratings | View::Minute);
        Fills {
            orders: recovered.to_fill.iter().any(of_orders),
            listings: keeps_catalogue(&config.views) && !keeps_catalogue(&before),
            ratings: recovered.to_fill.contains(&View::Ratings),
        }
    }
}

fn partition_start(
    config: &JobConfig,
    log: &dyn Log,
    topic: &str,
    topic_id: Option<&str>,
    range: &PartitionRange,
    state: Option<&PartitionState>,
) -> Result<PartitionStart, SourceError> {
    let PartitionRange { partition, first, end } = *range;
    let (number, kind) = (partition.partition, config.kind_of(partition.topic));
    let (mut committed, newest_timestamp) = state.map_or((first, 0), |state| (state.offset, state.newest_timestamp));
    let log_time = state.map_or(0, |state| state.log_time);
    let counted = committed;
    let mut passed_over = state.map(|state| state.passed_over.clone()).unwrap_or_default();
    let last = state.and_then(|state| state.last);
    // Told by both ids, where the log has such things.
    let ids = state.and_then(|state| state.topic_id.as_deref()).zip(topic_id);
    let another_topic = ids.filter(|(was, is)| was != is);
    let resume = config.resume_at.iter().find(|at| at.topic == topic && at.partition == number);
    let mut resume = resume.filter(|resume| resume.offset >= first && resume.offset <= end);
    if let Some(ResumeAt { offset, .. }) = resume
        && another_topic.is_none()
        && is_resumed_already(config, log, range, last, *offset, counted, &passed_over)?
    {
        tracing::warn!(
            "{topic}/{number}: --resume-at offset {offset} is passed over, since the log holds what was counted up to offset \
             {counted}, and nothing may count twice; take it out of the command"
        );
        resume = None;
    }
    if let Some(resume) = resume {
        tracing::warn!("{topic}/{number}: resuming at offset {} as told, instead of {committed}", resume.offset);
        committed = resume.offset;
    }
    let changed = |what, hint| SourceError::LogChanged { topic: topic.to_owned(), partition: number, what, hint };
    let go_on_at_first = || how_to_go_on(config, topic, range, Some(first));
    if let (None, Some((was, is))) = (resume, another_topic) {
        return Err(changed(
            format!(
                "the topic was created anew: its id is {is}, and what was counted up to offset {committed} is of {was}, \
                 which is gone"
            ),
            go_on_at_first(),
        ));
    }
    if committed < first {
        return Err(changed(
            format!("offsets {committed} to {} are gone from the log before they were read", first - 1),
            go_on_at_first(),
        ));
    }
    if committed > end {
        let is_same_topic = ids.is_some() && another_topic.is_none();
        let mut hint = String::new();
        let why = if is_same_topic {
            "it was cut off"
        } else {
            hint =
                format!("if it was created anew, --resume-at {topic}/{number}={first} counts what it holds; if not, ");
            "the topic was created anew or cut off"
        };
        let parts = match last.filter(|_| is_same_topic) {
            Some(last) => parts_at(log, &config.topics, range, last)?,
            None => None,
        };
        hint.push_str(&how_to_go_on(config, topic, range, parts));
        return Err(changed(format!("offset {committed} is committed, but the log ends at {end}: {why}"), hint));
    }
    let (mut incarnation, mut lost_until) = state.map_or((0, 0), |state| (state.incarnation, state.lost_until));
    if resume.is_some() {
        if another_topic.is_some() || committed < counted {
            lost_until = state.map_or(0, PartitionState::time);
        }
        let begins_anew = another_topic.is_some()
            || (committed < counted && holds_only_new_records(config, log, range, last, committed)?);
        if begins_anew {
            incarnation = incarnation.checked_add(1).ok_or_else(|| {
                changed(
                    format!("the log began anew more than {} times, which versions can not tell apart", u8::MAX),
                    "start with a new store: `takings run` with another --store counts what the log holds".to_owned(),
                )
            })?;
        }
        if another_topic.is_some() {
            // Nothing of it was ever counted.
            passed_over = PassedOver::default();
            passed_over.add(0, committed);
        } else {
            // Cut off and gone on, or passed over: of what is before, what was counted still is.
            passed_over.cut(committed);
            passed_over.add(counted, committed);
        }
    }
    Ok(PartitionStart {
        range: *range,
        incarnation,
        lost_until,
        committed,
        replay_from: first,
        passed_over,
        newest_timestamp,
        // Told to resume before it, or in another topic, it is no more.
        last: last.filter(|last| resume.is_none() || (another_topic.is_none() && last.offset < committed)),
        log_time,
        kind,
        is_known: state.is_some(),
        is_resumed: resume.is_some(),
    })
}

/// Whether going back to `offset` would count again what is counted: an earlier start was told to, and read on. The
/// command may be repeated for ever by what restarts the job, and the job starts again by itself as well.
fn is_resumed_already(
    config: &JobConfig,
    log: &dyn Log,
    range: &PartitionRange,
    last: Option<LastRecord>,
    offset: u64,
    counted: u64,
    passed_over: &PassedOver,
) -> Result<bool, SourceError> {
    // Where orders are kept, what is read twice counts once, and what was passed over may be wanted after all.
    let is_wanted = config.keep_orders && passed_over.stretches().any(|(from, to)| from <= offset && offset < to);
    match last.filter(|_| offset < counted && !is_wanted) {
        Some(last) => holds_last(config, log, range, last),
        None => Ok(false),
    }
}

/// Whether nothing that the log holds from `resumed` on was ever counted, as far as leader epochs say. Where some of it
/// may have been, it is known by the offsets that it has.
fn holds_only_new_records(
    config: &JobConfig,
    log: &dyn Log,
    range: &PartitionRange,
    last: Option<LastRecord>,
    resumed: u64,
) -> Result<bool, SourceError> {
    let Some(last) = last else { return Ok(false) };
    Ok(parts_at(log, &config.topics, range, last)?.is_some_and(|parts| parts <= resumed))
}

/// What a replay finds in a log whose records are not those that were counted: all of these have a
/// timestamp no newer than the newest one committed.
pub(super) fn rewritten(config: &JobConfig, partition: PartitionId, offset: u64) -> SourceError {
    let topic = config.topics[partition.topic as usize].clone();
    let number = partition.partition;
    SourceError::LogChanged {
        what: format!(
            "the record at offset {offset} is newer than everything committed: the topic was created anew, or a leader that \
             had not got what was read took over (unclean.leader.election.enable)"
        ),
        hint: format!(
            "to add what the log holds from there on to the totals: takings run --source {} --store … --resume-at \
             {topic}/{number}={offset}; to count the log from nothing: start with a new store",
            config.source
        ),
        topic,
        partition: number,
    }
}

/// Records at the start of a partition that are asked for their date: one wrong clock does not say it.
const FIRST_RECORDS: usize = 100;

/// The day of the first records that a log still holds, the latest of all partitions that lost some. Of a
/// partition that holds none any more, the time it had come to stands for it.
fn complete_from(
    config: &JobConfig,
    log: &dyn Log,
    partitions: &[PartitionStart],
    kind: Kind,
) -> Result<Option<Day>, SourceError> {
    let cut: Vec<_> = partitions.iter().filter(|start| start.range.first > 0 && start.kind == kind).collect();
    if cut.is_empty() {
        return Ok(None);
    }
    let mut from = Vec::new();
    let mut oldest = Vec::new();
    for start in &cut {
        let PartitionRange { partition, first, end } = start.range;
        if first == end {
            oldest.push(if start.log_time > 0 { start.log_time } else { start.newest_timestamp });
        } else {
            from.push(StartAt::on(partition, first));
        }
    }
    for firsts in heads(log, &config.topics, &from, FIRST_RECORDS)?.into_values() {
        oldest.push(firsts.records.iter().map(|head| head.timestamp).min().unwrap_or(0));
    }
    let newest = oldest.into_iter().max().filter(|newest| *newest > 0);
    Ok(newest.and_then(|newest| business_day(config, newest)))
}

/// The business day of a log's timestamp.
fn business_day(config: &JobConfig, timestamp: i64) -> Option<Day> {
    let at = chrono::DateTime::from_timestamp_millis(timestamp)?;
    Some(Day::from_date(at.with_timezone(&config.time_zone).date_naive()))
}

/// With a window, older versions can not be corrected: only the window is read again. By the rule of the running
/// job, which forgets nothing that this leaves out (`upsert::Orders::evict`): a partition that is committed to its
/// end holds nothing back.
fn replay_the_window_only(
    config: &JobConfig,
    log: &dyn Log,
    window: i64,
    start: &mut Start,
) -> Result<(), SourceError> {
    let of_orders = || start.partitions.iter().filter(|start| start.kind == Kind::Order);
    let Some(newest) = of_orders().map(|start| start.log_time).max() else { return Ok(()) };
    let behind = of_orders().filter(|start| !start.is_at_end()).map(|start| start.log_time).min();
    let lateness = Horizon { window: Some(window), complete_from: None }.lateness();
    let since = behind.unwrap_or(newest) - window - lateness;
    let ids: Vec<_> = start.partitions.iter().map(|start| start.range.partition).collect();
    for (partition, offset) in log.offsets_since(&config.topics, &ids, since)? {
        for start in start.partitions.iter_mut().filter(|start| start.range.partition == partition) {
            start.replay_from = offset.clamp(start.range.first, start.committed);
        }
    }
    // What is not read again is not known: an order dated before counts as beyond the horizon.
    if start.partitions.iter().any(|start| start.replay_from > start.range.first && start.kind == Kind::Order) {
        start.complete_from = start.complete_from.max(business_day(config, since));
    }
    Ok(())
}
