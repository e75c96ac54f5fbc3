//! What an audit found of single days: what it asks of a store, and what it leaves there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use takings_dataflows::day::Day;
use takings_dataflows::row::RowValue;
use takings_dataflows::view::{View, ViewKey};

use super::{JobSettings, PartitionState};

/// The tables whose rows lie in a day. A day's best sellers are rows of `top_products` with that day as period.
pub const BY_DAY: [View; 7] =
    [View::Category, View::Day, View::PaymentMethod, View::Facts, View::Product, View::Top, View::ListedFacts];

/// Stored rows of some days.
pub type DayRows = Vec<(ViewKey, RowValue)>;

/// A store as its last commit left it, without its rows.
#[derive(Clone, Debug, Default)]
pub struct DaysSeen {
    /// The settings of the job.
    pub settings: JobSettings,
    /// The epoch of the snapshot.
    pub epoch: u64,
    /// How far each partition is committed.
    pub partitions: Vec<PartitionState>,
    /// The views whose rows are complete.
    pub views: Vec<View>,
    /// Every day that any order was ever dated, by day.
    pub days: Vec<DayState>,
}

/// A day as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayState {
    /// The day.
    pub day: Day,
    /// The last epoch that changed any of its totals.
    pub changed_epoch: u64,
    /// How many orders it has, as far as a kept view says.
    pub orders: u64,
    /// The last verdict: epoch, moment, outcome.
    pub verdict: Option<(u64, DateTime<Utc>, Outcome)>,
}

/// What an audit found of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row is what the log says.
    Proven,
    /// A row is not.
    Differs,
    /// The log no longer holds all that the day was counted from.
    NotProvable,
}

impl Outcome {
    /// As it is written in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Proven => "proven",
            Outcome::Differs => "differs",
            Outcome::NotProvable => "not_provable",
        }
    }

    /// The outcome of this name.
    pub fn of_name(name: &str) -> Option<Outcome> {
        [Outcome::Proven, Outcome::Differs, Outcome::NotProvable].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A row of `proven_days`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenDay {
    /// The day.
    pub day: Day,
    /// The verdict.
    pub outcome: Outcome,
    /// When it was reached.
    pub at: DateTime<Utc>,
    /// The epoch whose totals it is of.
    pub epoch: u64,
    /// Orders recounted.
    pub orders: u64,
    /// Rows compared.
    pub rows: u64,
    /// How many of them differ.
    pub differences: u64,
    /// The first of those.
    pub shown: Vec<ShownDifference>,
    /// Why it is not provable, or what else there is to say.
    pub reason: Option<String>,
}

/// A row that is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDifference {
    /// Which, such as `sales_per_day (2026-11-22, EUR)`.
    pub what: String,
    /// As stored.
    pub stored: String,
    /// As counted from the log.
    pub counted: String,
}

impl ProvenDay {
    /// Its first differences as the table holds them.
    pub(super) fn shown_json(&self) -> String {
        let shown = serde_json::json!(self.shown).to_string();
        // Text of a store holds no U+0000, not even as an escape of JSON.
        shown.replace("\\u0000", "␀0")
    }
}

/// The view that tells how many orders a day has: each order is in exactly one row of each. The smallest first.
pub(super) fn counted_by(views: &[View]) -> Option<View> {
    let by_size = [View::Day, View::PaymentMethod, View::Category, View::Facts, View::Product];
    by_size.into_iter().find(|view| views.contains(view))
}
