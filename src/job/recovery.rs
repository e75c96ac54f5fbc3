//! Where a run starts: the store's word against the log's.

use std::collections::BTreeMap;

use takings_dataflows::day::Day;
use takings_dataflows::order::PartitionId;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::JobError;
use crate::config::JobConfig;
use crate::source::{Log, PartitionRange, Polled, SourceError, StartAt};
use crate::store::{PartitionState, Recovered};

/// Where every partition starts.
pub(super) struct Start {
    /// Sorted by partition: a partition's place here decides its worker.
    pub(super) partitions: Vec<PartitionStart>,
    /// The day from which the log is whole; `None` where nothing of it is lost.
    pub(super) complete_from: Option<Day>,
}

/// Where one partition starts.
pub(super) struct PartitionStart {
    pub(super) range: PartitionRange,
    /// The offset of the first record that is not yet counted.
    pub(super) committed: u64,
    /// From here to `committed` the log is read again, for the versions of orders alone.
    pub(super) replay_from: u64,
    /// The newest timestamp before `committed`.
    pub(super) newest_timestamp: i64,
}

impl PartitionStart {
    /// Where live reading starts.
    pub(super) fn at(&self) -> StartAt {
        StartAt { partition: self.range.partition, offset: self.committed, newest_timestamp: self.newest_timestamp }
    }
}

impl Start {
    /// How far the log is read again, in offsets.
    pub(super) fn to_replay(&self) -> u64 {
        self.partitions.iter().map(|start| start.committed - start.replay_from).sum()
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
) -> Result<Start, JobError> {
    check_roll_ups(&recovered.totals)?;
    let mut known: BTreeMap<(&str, u16), &PartitionState> =
        recovered.partitions.iter().map(|state| ((state.topic.as_str(), state.partition), state)).collect();
    let mut partitions = Vec::with_capacity(ranges.len());
    for range in ranges {
        let topic = config.topics[range.partition.topic as usize].as_str();
        let state = known.remove(&(topic, range.partition.partition));
        partitions.push(partition_start(config, topic, range, state)?);
    }
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
    let mut start = Start { partitions, complete_from: None };
    start.complete_from = complete_from(config, log, &start.partitions)?;
    if config.keep_orders {
        start.partitions.iter_mut().for_each(|start| start.replay_from = start.committed);
    } else if let Some(window) = config.correction_window {
        replay_the_window_only(config, log, window.as_millis() as i64, &mut start)?;
    }
    Ok(start)
}

fn partition_start(
    config: &JobConfig,
    topic: &str,
    range: &PartitionRange,
    state: Option<&PartitionState>,
) -> Result<PartitionStart, SourceError> {
    let PartitionRange { partition, first, end } = *range;
    let number = partition.partition;
    let (mut committed, newest_timestamp) = state.map_or((first, 0), |state| (state.offset, state.newest_timestamp));
    let resume = config.resume_at.iter().find(|at| at.topic == topic && at.partition == number);
    if let Some(resume) = resume.filter(|resume| resume.offset >= first && resume.offset <= end) {
        tracing::warn!("{topic}/{number}: resuming at offset {} as told, instead of {committed}", resume.offset);
        committed = resume.offset;
    }
    let changed = |what: String, offset: u64| SourceError::LogChanged {
        topic: topic.to_owned(),
        partition: number,
        what,
        hint: format!(
            "to go on with what the log holds now, keeping the totals as they are: takings run --source {} --store … --resume-at \
             {topic}/{number}={offset}; to count the log from nothing: start with a new store",
            config.source
        ),
    };
    if committed < first {
        return Err(changed(
            format!("offsets {committed} to {} are gone from the log before they were read", first - 1),
            first,
        ));
    }
    if committed > end {
        return Err(changed(
            format!(
                "offset {committed} is committed, but the log ends at {end}: the topic was created anew or cut off"
            ),
            first,
        ));
    }
    Ok(PartitionStart { range: *range, committed, replay_from: first, newest_timestamp })
}

/// What a replay finds in a log whose records are not those that were counted: all of these have a
/// timestamp no newer than the newest one committed.
pub(super) fn rewritten(config: &JobConfig, partition: PartitionId, offset: u64) -> SourceError {
    let topic = config.topics[partition.topic as usize].clone();
    let number = partition.partition;
    SourceError::LogChanged {
        what: format!("the record at offset {offset} is newer than everything committed: the topic was created anew"),
        hint: format!(
            "to add what the log holds now to the totals: takings run --source {} --store … --resume-at {topic}/{number}=0; to \
             count the log from nothing: start with a new store",
            config.source
        ),
        topic,
        partition: number,
    }
}

/// The day of the first record that a log still holds, the latest of all partitions that lost some. Of a
/// partition that holds none any more, the newest record that was counted stands for it.
fn complete_from(config: &JobConfig, log: &dyn Log, partitions: &[PartitionStart]) -> Result<Option<Day>, SourceError> {
    let cut: Vec<_> = partitions.iter().filter(|start| start.range.first > 0).collect();
    if cut.is_empty() {
        return Ok(None);
    }
    let mut firsts: BTreeMap<PartitionId, i64> = BTreeMap::new();
    let mut from = Vec::new();
    for start in &cut {
        let PartitionRange { partition, first, end } = start.range;
        if first == end {
            firsts.insert(partition, start.newest_timestamp);
        } else {
            from.push(StartAt { partition, offset: first, newest_timestamp: 0 });
        }
    }
    if !from.is_empty() {
        let thread = std::thread::current();
        let mut source = log.open(&config.topics, &from, std::sync::Arc::new(move || thread.unpark()))?;
        while firsts.len() < cut.len() {
            let handed = source.poll(256, &mut |polled| match polled {
                Polled::Record(record) => _ = firsts.entry(record.partition).or_insert(record.timestamp),
                Polled::End { partition, .. } => _ = firsts.entry(partition).or_insert(0),
            })?;
            if handed == 0 {
                std::thread::park_timeout(std::time::Duration::from_millis(100));
            }
        }
    }
    let newest = firsts.into_values().max().filter(|newest| *newest > 0);
    let day = |at: chrono::DateTime<chrono::Utc>| Day::from_date(at.with_timezone(&config.time_zone).date_naive());
    Ok(newest.and_then(chrono::DateTime::from_timestamp_millis).map(day))
}

/// With a window, older versions can not be corrected: only the window is read again.
fn replay_the_window_only(
    config: &JobConfig,
    log: &dyn Log,
    window: i64,
    start: &mut Start,
) -> Result<(), SourceError> {
    let Some(newest) =
        start.partitions.iter().filter(|start| start.committed > 0).map(|start| start.newest_timestamp).min()
    else {
        return Ok(());
    };
    let since = newest - window;
    let ids: Vec<_> = start.partitions.iter().map(|start| start.range.partition).collect();
    for (partition, offset) in log.offsets_since(&config.topics, &ids, since)? {
        for start in start.partitions.iter_mut().filter(|start| start.range.partition == partition) {
            start.replay_from = offset.clamp(start.range.first, start.committed);
        }
    }
    Ok(())
}

/// Recomputes every roll-up from the finer tables that were read with it.
fn check_roll_ups(totals: &[(ViewKey, Takings)]) -> Result<(), JobError> {
    use differential_dataflow::difference::Semigroup;

    let stored: BTreeMap<ViewKey, Takings> = totals.iter().copied().collect();
    let mut differences = Vec::new();
    // Each view as the sums that it must have: by day and currency from the two finer ones, by month from days.
    let sums = |from: View, into: fn(&ViewKey) -> Option<ViewKey>| {
        let mut sums: BTreeMap<ViewKey, Takings> = BTreeMap::new();
        for (key, takings) in stored.iter().filter(|(key, _)| key.view() == from) {
            if let Some(into) = into(key) {
                sums.entry(into).or_default().plus_equals(takings);
            }
        }
        sums
    };
    let has = |view: View| stored.keys().any(|key| key.view() == view);
    let to_day = |key: &ViewKey| match *key {
        ViewKey::Category { day, currency, .. } | ViewKey::PaymentMethod { day, currency, .. } => {
            Some(ViewKey::Day { day, currency })
        }
        ViewKey::Day { .. } | ViewKey::Month { .. } => None,
    };
    let to_month = |key: &ViewKey| match *key {
        ViewKey::Day { day, currency }
        | ViewKey::Category { day, currency, .. }
        | ViewKey::PaymentMethod { day, currency, .. } => Some(ViewKey::Month { month: day.month(), currency }),
        ViewKey::Month { .. } => None,
    };
    let mut compare = |from: View, view: View, expected: BTreeMap<ViewKey, Takings>| {
        if !has(from) || !has(view) {
            return;
        }
        let of_view = stored.iter().filter(|(key, _)| key.view() == view);
        for (key, found) in of_view.clone() {
            if expected.get(key) != Some(found) {
                differences.push(format!("{key} is {found:?}, and {from} sums to {:?}", expected.get(key)));
            }
        }
        let found: std::collections::BTreeSet<_> = of_view.map(|(key, _)| key).collect();
        for (key, expected) in expected.iter().filter(|(key, _)| !found.contains(key)) {
            differences.push(format!("{key} is missing, and {from} sums to {expected:?}"));
        }
    };
    for from in [View::Category, View::PaymentMethod] {
        compare(from, View::Day, sums(from, to_day));
        compare(from, View::Month, sums(from, to_month));
    }
    compare(View::Day, View::Month, sums(View::Day, to_month));
    for (key, takings) in &stored {
        if !takings.is_consistent() || !takings.is_alive() {
            differences.push(format!("{key} is {takings:?}, which no orders sum to"));
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    let more = differences.len().saturating_sub(5);
    differences.truncate(5);
    let mut text = differences.join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    Err(JobError::RollUpsDiffer { differences: text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use takings_dataflows::amount::Amount;
    use takings_dataflows::symbol::Symbol;

    fn total(amount: i128, orders: i64) -> Takings {
        Takings { amount: Amount::from_micros(amount), orders, units: orders }
    }

    fn totals() -> Vec<(ViewKey, Takings)> {
        let (day, currency) = (Day::from_epoch_days(20_000), Symbol::new("EUR"));
        let category = |name: &str| ViewKey::Category { day, category: Symbol::new(name), currency };
        vec![
            (category("Books"), total(10, 1)),
            (category("Toys"), total(-30, 2)),
            (ViewKey::Day { day, currency }, total(-20, 3)),
            (ViewKey::Month { month: day.month(), currency }, total(-20, 3)),
        ]
    }

    #[test]
    fn totals_that_add_up_pass() {
        assert!(check_roll_ups(&totals()).is_ok());
        assert!(check_roll_ups(&[]).is_ok());
    }

    #[test]
    fn any_row_changed_or_lost_is_named() {
        for index in 0..4 {
            let mut changed = totals();
            changed[index].1.units += 1;
            let message = check_roll_ups(&changed).expect_err("a changed row").to_string();
            assert!(message.contains("sales_per_"), "{message}");
            let mut lost = totals();
            lost.remove(index);
            // Without a single row of it a view counts as switched off.
            assert!(check_roll_ups(&lost).is_err() || index > 1, "row {index} lost");
        }
    }
}
