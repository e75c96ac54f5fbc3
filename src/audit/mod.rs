//! `takings audit`: counts the log again, the plainest way, and compares every total and counter. And [`days`]: the same
//! for single days, beside a running job.
//!
//! It is a proof only as far as it is independent: records are read by [`plain`], all versions of all
//! orders, listings and feedbacks are held in maps, sorted, and summed. No code of the dataflow, the upsert
//! or the decoder takes part, only their types of money, days and stored rows. It needs memory for every
//! order.

pub mod days;
mod names;
pub mod plain;
mod reading;
mod recount;
mod report;
mod standing;
mod value;
mod versions;

use std::time::Duration;

use takings_dataflows::row::RowValue;
use takings_dataflows::view::{View, ViewKey};

use self::reading::{InLog, is_of_another_log};
use crate::config::JobConfig;
use crate::config::topics::Kind;
use crate::source::{Log, SourceError};
use crate::store::{IncompleteView, Inconsistent, PartitionState};

pub use plain::Rules;
pub use report::{AuditReport, Difference};

/// What to recount, and by which rules.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// The job's topics, sorted; a topic's place is its rank.
    pub topics: Vec<String>,
    /// How records are read.
    pub rules: Rules,
    /// The views that are kept.
    pub views: Vec<View>,
    /// Two versions are of one order only if they lie within this of each other, in log time.
    pub correction_window: Option<Duration>,
    /// How many best sellers each period has.
    pub top: usize,
    /// How many minutes of the log `orders_per_minute` reaches back.
    pub volume_window: u32,
}

impl AuditSettings {
    /// As a job of these settings counts.
    pub fn of(config: &JobConfig) -> Self {
        AuditSettings {
            topics: config.topics.clone(),
            rules: Rules::of(config),
            views: config.views.clone(),
            correction_window: config.correction_window,
            top: config.top.into(),
            volume_window: config.volume_window,
        }
    }

    /// Whether a table is kept, if only for another view: categories and facts need the catalogue, and the
    /// sales that follow it.
    fn keeps(&self, view: View) -> bool {
        let has = |view| self.views.contains(&view);
        match view {
            View::Products => has(view) || has(View::Category) || has(View::Facts),
            View::Product => has(view) || has(View::Category) || has(View::Top),
            View::ListedFacts => has(View::Facts),
            view => has(view),
        }
    }

    /// Whether any view needs records of a kind; those that none needs are passed over.
    fn takes(&self, kind: Kind) -> bool {
        match kind {
            Kind::Order => true,
            Kind::Listing => self.keeps(View::Products),
            Kind::Feedback => self.keeps(View::Ratings),
        }
    }
}

/// What the store says, all read in one transaction.
#[derive(Clone, Debug, Default)]
pub struct StoredState {
    /// Every row of every kept view.
    pub rows: Vec<(ViewKey, RowValue)>,
    /// Every partition: how far it is committed, and its counters.
    pub partitions: Vec<PartitionState>,
    /// Views that were filled when the log had lost its first records.
    pub incomplete: Vec<IncompleteView>,
    /// Rows whose total no set of records can have.
    pub inconsistent: Vec<Inconsistent>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] SourceError),
    /// The log no longer holds what the store counted, or is another, or a correction window decided. With what to do.
    #[error("not provable: {0}")]
    NotProvable(String),
    /// The store counted a topic that this audit was not told of.
    #[error("the store counted topic {0}, which is not among --topics; add it")]
    UnknownTopic(String),
}

/// What to do where the log lost some.
const KEEP_THE_LOG: &str = "a store can be audited as long as its log holds every record, so keep the log longer, or start a \
                            new store from what it still holds";

/// What to do where a window decided.
const WITHOUT_A_WINDOW: &str = "a new store without --correction-window counts what can be proven";

/// In words, that a correction window decided what some records count as, or may have. What it was when they were counted,
/// and what was forgotten by then, no recount can tell: it knows only what it is now. `has_lost`: whether the log lost
/// some. Then without a window that is why records count as late. `windowed`: whether the recount met such records.
fn decided_by_window(
    settings: &AuditSettings,
    partitions: &[PartitionState],
    has_lost: bool,
    windowed: bool,
) -> Option<String> {
    let late: u64 = partitions.iter().map(|state| state.counters.beyond_horizon).sum();
    let is_late = late > 0 && (settings.correction_window.is_some() || !has_lost);
    (is_late || windowed).then(|| {
        let late =
            if late > 0 { format!("{late} late records were counted") } else { "versions lie far apart".to_owned() };
        format!("a correction window decided what counts ({late})")
    })
}

/// Recounts the log from its first record up to the committed offsets, and compares. `progress` is
/// told now and then how many records were read, and of which partition.
///
/// # Errors
/// [`AuditError`] where no verdict is possible. A difference is no error: see
/// [`AuditReport::is_clean`].
pub fn run(
    log: &dyn Log,
    stored: StoredState,
    settings: &AuditSettings,
    progress: &mut dyn FnMut(u64, &PartitionState),
) -> Result<AuditReport, AuditError> {
    let mut recount = recount::Recount::new(settings);
    let mut lost = Vec::new();
    if stored.partitions.is_empty() {
        return Ok(recount.compare(&stored).0);
    }
    if let Some(state) = stored.partitions.iter().find(|state| !settings.topics.contains(&state.topic)) {
        return Err(AuditError::UnknownTopic(state.topic.clone()));
    }
    let ranges = log.partitions(&settings.topics)?;
    if let Some(why) = is_of_another_log(log, &settings.topics, &settings.rules, &ranges, &stored.partitions)? {
        return Err(AuditError::NotProvable(why));
    }
    for state in &stored.partitions {
        let PartitionState { topic, partition, offset, .. } = state;
        let range = match InLog::of(state, &ranges, &settings.topics) {
            InLog::Here(range) => range,
            InLog::NothingRead => continue,
            InLog::Short { end } => {
                let end = end.map_or("is gone".to_owned(), |end| format!("ends at offset {end}"));
                let what = format!("{topic}/{partition} {end}, and it was counted up to {offset}; {KEEP_THE_LOG}");
                return Err(AuditError::NotProvable(what));
            }
        };
        lost.extend(state.lost(range.first));
        recount.read(log, range, state, progress)?;
    }
    let (mut report, windowed) = recount.compare(&stored);
    for PartitionState { topic, partition, passed_over, .. } in &stored.partitions {
        for (first, end) in passed_over.stretches() {
            let last = end - 1;
            report.notes.push(format!(
                "{topic}/{partition}: offsets {first} to {last} were passed over by --resume-at, and are no part of the totals"
            ));
        }
    }
    for IncompleteView { view, complete_from: day, .. } in &stored.incomplete {
        if !settings.views.contains(view) {
            continue;
        }
        report.notes.push(format!("{view} is complete from {day} on: what it counts of earlier records is not proven"));
    }
    for Inconsistent { key, would_be, .. } in &stored.inconsistent {
        report.notes.push(format!(
            "{key} is inconsistent: its changes sum to {would_be:?}, which no set of records can; the view keeps an older value"
        ));
    }
    // What was lost may have been lost before the store was made: then nothing is missing.
    if !lost.is_empty() && !report.is_clean() {
        let (lost, differences) = (lost.join(", "), report.differences);
        let what = format!("the log lost records ({lost}), and {differences} totals differ; {KEEP_THE_LOG}");
        return Err(AuditError::NotProvable(what));
    }
    if let Some(why) = decided_by_window(settings, &stored.partitions, !lost.is_empty(), windowed)
        && !report.is_clean()
    {
        return Err(AuditError::NotProvable(format!(
            "{why}, and {} totals differ; {}",
            report.differences, WITHOUT_A_WINDOW
        )));
    }
    if !lost.is_empty() {
        report.notes.push(format!(
            "the log lost records ({}): this proves the totals from there on, and nothing before it",
            lost.join(", ")
        ));
    }
    Ok(report)
}
