//! What is proven, as the API shows it, and rows whose total can be none.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::proof::ShownDifference;
use crate::store::reader;
use crate::store::reader::table::Table;
use crate::store::reader::value::{Row, Value};

/// How many closed days are proven: recounted from the log in the background, and found to be what the log says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proofs {
    /// Closed days: all before the newest one.
    pub days: u64,
    /// Those that are proven, and did not change since.
    pub proven: u64,
    /// Those with a row that is not what the log says.
    pub differing: u64,
    /// Those that the log no longer holds whole.
    pub not_provable: u64,
    /// Those that were not recounted yet, or changed since.
    pub unproven: u64,
    /// When the oldest proof was found.
    #[schema(format = DateTime)]
    pub first_proven_at: Option<String>,
    /// When the newest one was.
    #[schema(format = DateTime)]
    pub last_proven_at: Option<String>,
    /// Rows whose total no set of records can have, now; see `inconsistent`.
    pub inconsistent_groups: u64,
}

impl From<&reader::Proofs> for Proofs {
    fn from(proofs: &reader::Proofs) -> Self {
        let reader::Proofs { days, proven, differing, not_provable, inconsistent, .. } = *proofs;
        Proofs {
            days,
            proven,
            differing,
            not_provable,
            unproven: days.saturating_sub(proven + differing + not_provable),
            first_proven_at: proofs.first_proven_at.clone(),
            last_proven_at: proofs.last_proven_at.clone(),
            inconsistent_groups: inconsistent,
        }
    }
}

/// What the background audit found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Audit {
    /// The epoch it was read at.
    pub epoch: u64,
    /// All closed days in numbers.
    pub proofs: Proofs,
    /// Closed days, the newest first.
    pub rows: Vec<DayProof>,
    /// What to give as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// A closed day, and what the background audit last found of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayProof {
    /// The business day.
    #[schema(format = Date)]
    pub order_date: String,
    /// `proven`, `changed` (since it was proven), `unproven`, `differs` or `not_provable`.
    pub state: String,
    /// When the verdict was reached.
    #[schema(format = DateTime)]
    pub proven_at: Option<String>,
    /// The epoch whose totals it is of.
    pub epoch: Option<u64>,
    /// Orders recounted.
    pub orders: Option<u64>,
    /// Rows compared.
    pub rows: Option<u64>,
    /// How many of them differ.
    pub differences: Option<u64>,
    /// The first of those.
    pub shown: Vec<Difference>,
    /// Why it is not provable.
    pub reason: Option<String>,
}

/// A row that is not what the log says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// Which row.
    #[schema(example = "sales_per_day (2026-11-22, EUR)")]
    pub what: String,
    /// As stored.
    pub stored: String,
    /// As counted from the log.
    pub counted: String,
}

impl DayProof {
    /// From a row of `day_proofs`.
    pub fn read(table: &Table, row: &Row) -> Self {
        let at = |name: &str| table.column(name).map_or(&Value::Null, |(place, _)| &row[place]);
        let text = |name: &str| at(name).text().map(str::to_owned);
        let count = |name: &str| at(name).integer().and_then(|number| u64::try_from(number).ok());
        let shown: Vec<ShownDifference> =
            at("shown").text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let difference = |ShownDifference { what, stored, counted }| Difference { what, stored, counted };
        DayProof {
            order_date: text("order_date").unwrap_or_default(),
            state: text("state").unwrap_or_default(),
            proven_at: text("proven_at"),
            epoch: count("epoch"),
            orders: count("orders"),
            rows: count("rows"),
            differences: count("differences"),
            shown: shown.into_iter().map(difference).collect(),
            reason: text("reason"),
        }
    }
}

/// A row whose total no set of records can have.
#[derive(Debug, Serialize, ToSchema)]
pub struct InconsistentRow {
    /// The view.
    pub view: String,
    /// The row's key: its view's key columns.
    #[schema(value_type = Object)]
    pub key: serde_json::Value,
    /// What the view holds in its place: the last values that records could sum to; null: it has no row.
    #[schema(value_type = Option<Object>)]
    pub stands: Option<serde_json::Value>,
    /// What the row would be.
    #[schema(value_type = Object)]
    pub would_be: serde_json::Value,
    /// The epoch since which it is inconsistent.
    pub since_epoch: u64,
    /// The epoch since which it is a total again, and written; null while it is not.
    pub cured_epoch: Option<u64>,
    /// When it was noticed, by the store's clock.
    #[schema(format = DateTime)]
    pub noticed_at: String,
    /// The epoch that last changed what it would be.
    pub epoch: u64,
}

impl InconsistentRow {
    /// From a row of `inconsistent`.
    pub fn read(table: &Table, row: &Row) -> Self {
        let at = |name: &str| table.column(name).map_or(&Value::Null, |(place, _)| &row[place]);
        let text = |name: &str| at(name).text().unwrap_or_default().to_owned();
        let json = |name: &str| at(name).text().and_then(|text| serde_json::from_str(text).ok());
        InconsistentRow {
            view: text("view"),
            key: json("key").unwrap_or_default(),
            stands: json("stands"),
            would_be: json("would_be").unwrap_or_default(),
            since_epoch: at("since_epoch").count(),
            cured_epoch: at("cured_epoch").integer().map(|_| at("cured_epoch").count()),
            noticed_at: text("noticed_at"),
            epoch: at("epoch").count(),
        }
    }
}
