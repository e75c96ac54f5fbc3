//! Where a run starts: the store's word against the log's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use takings_dataflows::day::Day;
use takings_dataflows::graph::keeps_catalogue;
use takings_dataflows::order::PartitionId;
use takings_dataflows::upsert::Horizon;
use takings_dataflows::view::View;

use super::JobError;
use super::cut_off::{check_last, told_to_resume};
use super::partition_start::PartitionStart;
use super::roll_ups::check_roll_ups;
use crate::config::JobConfig;
use crate::formats::Kind;
use crate::source::{Heads, Log, PartitionRange, SourceError, StartAt, heads};
use crate::store::loss::{FIRST_RECORDS, first_date};
use crate::store::{FilledView, Loss, PartitionState, Recovered};

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
    /// The day from which all orders are known; `None` where none of them is lost.
    pub(super) complete_from: Option<Day>,
    /// The views to fill, each with the day from which its part of the log is whole.
    pub(super) to_fill: Vec<FilledView>,
    /// Which topics these are, by rank.
    pub(super) topic_ids: Vec<Option<String>>,
}

impl Start {
    /// How far the log is read again, in offsets.
    pub(super) fn to_replay(&self) -> u64 {
        self.partitions.iter().flat_map(PartitionStart::to_replay).map(|(first, end)| end - first).sum()
    }

    /// The partitions that one of `peers` workers reads, of which each process has so many `threads`. They go to one process
    /// after the other, and there to one worker after the other: fewer of them than workers are still spread over all
    /// processes.
    pub(super) fn share(&self, worker: usize, peers: usize, threads: usize) -> Vec<&PartitionStart> {
        let (process, thread, processes) = (worker / threads, worker % threads, peers / threads);
        self.partitions.iter().skip(thread * processes + process).step_by(peers).collect()
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
    check_roll_ups(&recovered.rows, config.top, &config.views, &recovered.incomplete)?;
    let mut known: BTreeMap<(&str, u16), &PartitionState> =
        recovered.partitions.iter().map(|state| ((state.topic.as_str(), state.partition), state)).collect();
    let mut partitions = Vec::with_capacity(ranges.len());
    for range in ranges {
        let topic = config.topics[range.partition.topic as usize].as_str();
        let state = known.remove(&(topic, range.partition.partition));
        let topic_id = topic_ids[range.partition.topic as usize].as_deref();
        let is_counted = recovered.partitions.iter().any(|state| state.topic == topic);
        partitions.push(PartitionStart::of(config, log, *range, topic_id, state, is_counted)?);
    }
    check_last(config, log, &partitions)?;
    if let Some(((topic, partition), state)) = known
        .into_iter()
        .find(|((topic, _), state)| state.counters.read > 0 && config.topics.iter().any(|known| known == topic))
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
    start.complete_from = orders_known_from(config, log, recovered, &start.partitions)?;
    let counts_otherwise = counts_otherwise(config, recovered);
    for &view in &recovered.to_fill {
        let complete_from = match made_of(view) {
            Kind::Order if counts_otherwise && start.complete_from.is_none() => {
                first_day(config, log, &start.partitions)?
            }
            Kind::Order => start.complete_from,
            kind => complete_from(config, log, &start.partitions, kind)?,
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

/// What the rows of a view are made of.
const fn made_of(view: View) -> Kind {
    match view {
        View::Products => Kind::Listing,
        View::Ratings => Kind::Feedback,
        _ => Kind::Order,
    }
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
        let of_orders = |view: &View| made_of(*view) == Kind::Order && *view != View::Minute;
        Fills {
            orders: recovered.to_fill.iter().any(of_orders),
            listings: keeps_catalogue(&config.views) && !keeps_catalogue(&before),
            ratings: recovered.to_fill.contains(&View::Ratings),
        }
    }
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
            "to add what the log holds from there on to the totals: {}; to count the log from nothing: start with a new store",
            told_to_resume(&topic, number, offset)
        ),
        topic,
        partition: number,
    }
}

/// The day from which all orders are known: those that the log holds, or that are kept.
fn orders_known_from(
    config: &JobConfig,
    log: &dyn Log,
    recovered: &Recovered,
    partitions: &[PartitionStart],
) -> Result<Option<Day>, SourceError> {
    if !config.keep_orders || recovered.epoch == 0 {
        return complete_from(config, log, partitions, Kind::Order);
    }
    // What was counted is kept, whatever retention took of the log since. What is not known was gone before it was read:
    // when the store was made, which its views say, or from partitions that are new, or was passed over.
    let when_made = recovered
        .incomplete
        .iter()
        .filter(|incomplete| made_of(incomplete.view) == Kind::Order)
        .map(|incomplete| incomplete.complete_from)
        .max();
    let lacking = partitions.iter().filter(|start| !start.is_known || start.passed_over.stretches().next().is_some());
    Ok(when_made.max(complete_from(config, log, lacking, Kind::Order)?))
}

/// Whether a view that is filled from a log that is whole may count otherwise than those that were kept all along: with a
/// correction window, which may have been another one when they counted, and decides by what it knew then; or where what
/// they counted came from beyond a horizon. Such a view is not to be compared with them, and so says from when it counts.
fn counts_otherwise(config: &JobConfig, recovered: &Recovered) -> bool {
    recovered.epoch > 0
        && (config.correction_window.is_some()
            || recovered.partitions.iter().any(|state| state.counters.beyond_horizon > 0))
}

/// The day of the first record that the log holds of any of these partitions of orders.
fn first_day(config: &JobConfig, log: &dyn Log, partitions: &[PartitionStart]) -> Result<Option<Day>, SourceError> {
    let held = partitions.iter().filter(|start| start.kind == Kind::Order && start.range.first < start.range.end);
    let from: Vec<_> = held.map(|start| StartAt::on(start.range.partition, start.range.first)).collect();
    let firsts = heads(log, &config.topics, &from, FIRST_RECORDS)?;
    let oldest = firsts.values().filter_map(|firsts| first_date(&dates(firsts))).map(|(date, _)| date).min();
    Ok(some_day(config, oldest))
}

fn dates(heads: &Heads) -> Vec<i64> {
    heads.records.iter().map(|head| head.timestamp).collect()
}

/// The business day of a log's timestamp; of one without, today: what was counted so far is dated before.
fn some_day(config: &JobConfig, timestamp: Option<i64>) -> Option<Day> {
    timestamp
        .and_then(|timestamp| business_day(config, timestamp))
        .or_else(|| business_day(config, chrono::Utc::now().timestamp_millis()))
}

/// The first day of which these partitions may have all, the latest of those that lost some: that of the first records that
/// the log still holds, or the one after the last that is gone; today, where no date says.
fn complete_from<'a>(
    config: &JobConfig,
    log: &dyn Log,
    partitions: impl IntoIterator<Item = &'a PartitionStart>,
    kind: Kind,
) -> Result<Option<Day>, SourceError> {
    let of_kind = partitions.into_iter().filter(|start| start.kind == kind);
    let lacking: Vec<_> = of_kind.filter_map(|start| Some((start, start.loss()?))).collect();
    let holds_some = |range: &PartitionRange| range.first > 0 && range.first < range.end;
    let held = lacking.iter().map(|(start, _)| start.range).filter(holds_some);
    let from: Vec<_> = held.map(|range| StartAt::on(range.partition, range.first)).collect();
    let firsts = heads(log, &config.topics, &from, FIRST_RECORDS)?;
    let now = chrono::Utc::now().timestamp_millis();
    let day = |(start, loss): &(&PartitionStart, Loss)| {
        let firsts = firsts.get(&start.range.partition).map(dates).unwrap_or_default();
        let until = loss.until(&firsts, start.reached(now));
        let day = some_day(config, until)?;
        let is_of_one_gone = until.is_some_and(|until| firsts.is_empty() || until == start.lost_until);
        Some(if is_of_one_gone { Day::from_epoch_days(day.epoch_days() + 1) } else { day })
    };
    Ok(lacking.iter().filter_map(day).max())
}

/// The business day of a log's timestamp.
fn business_day(config: &JobConfig, timestamp: i64) -> Option<Day> {
    let at = chrono::DateTime::from_timestamp_millis(timestamp)?;
    Some(Day::from_date(at.with_timezone(&config.time_zone).date_naive()))
}

/// With a window, older versions can not be corrected: only the window is read again. By the rule of the running
/// job, which forgets nothing that this leaves out (`upsert::Orders::evict`): a partition that is committed to its
/// end holds nothing back of the others, and what is read of each begins no later than by its own time. Minutes are counted anew at each start, each order in that of its oldest version: where they are
/// kept, the window is that of the oldest minute. Listings and feedback know no window.
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
    let counts_minutes = config.views.contains(&View::Minute);
    let minutes = if counts_minutes { i64::from(config.volume_window) * 60_000 } else { 0 };
    let reach = window + lateness;
    let since = behind.unwrap_or(newest).min(newest - minutes) - reach;
    let of_each: Vec<_> = of_orders().map(|start| (start.range.partition, since.min(start.log_time - reach))).collect();
    for (partition, offset) in log.offsets_since(&config.topics, &of_each)? {
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
