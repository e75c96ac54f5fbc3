//! `takings audit`: counts the log again, the plainest way, and compares every total and counter.
//!
//! It is a proof only as far as it is independent: records are read by [`plain`], all versions of all
//! orders are held in one map, sorted, and summed. No code of the dataflow, the upsert or the decoder
//! takes part, only their types of money and days. It needs memory for every order.

pub mod plain;
mod recount;
mod report;

use std::time::Duration;

use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use crate::source::{Log, SourceError};
use crate::store::PartitionState;

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
}

/// What the store says, all read in one transaction.
#[derive(Clone, Debug, Default)]
pub struct StoredState {
    /// Every row of every kept view.
    pub totals: Vec<(ViewKey, Takings)>,
    /// Every partition: how far it is committed, and its counters.
    pub partitions: Vec<PartitionState>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] SourceError),
    /// The log no longer holds what the store counted.
    #[error(
        "not provable: {0}; a store can be audited as long as its log holds every record, so keep the log longer, \
         or start a new store from what it still holds"
    )]
    NotProvable(String),
    /// The store counted a topic that this audit was not told of.
    #[error("the store counted topic {0}, which is not among --topics; add it")]
    UnknownTopic(String),
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
    let ranges = if stored.partitions.is_empty() { Vec::new() } else { log.partitions(&settings.topics)? };
    for state in &stored.partitions {
        let PartitionState { topic, partition, offset, .. } = state;
        let Some(rank) = settings.topics.iter().position(|known| known == topic) else {
            return Err(AuditError::UnknownTopic(topic.clone()));
        };
        let range = ranges
            .iter()
            .find(|range| usize::from(range.partition.topic) == rank && range.partition.partition == *partition);
        let Some(range) = range.filter(|range| range.end >= *offset) else {
            let end = range.map_or("is gone".to_owned(), |range| format!("ends at offset {}", range.end));
            let what = format!("{topic}/{partition} {end}, and it was counted up to {offset}");
            return Err(AuditError::NotProvable(what));
        };
        if range.first > 0 && *offset > 0 {
            lost.push(format!("{topic}/{partition} starts at offset {}", range.first));
        }
        recount.read(log, range, state, progress)?;
    }
    let report = recount.compare(&stored);
    // What was lost may have been lost before the store was made: then nothing is missing.
    if !lost.is_empty() && !report.is_clean() {
        let what =
            format!("the log lost its first records ({}), and {} totals differ", lost.join(", "), report.differences);
        return Err(AuditError::NotProvable(what));
    }
    Ok(report)
}
