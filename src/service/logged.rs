//! The rows of the two logs as the API shows them: what corrected an order, and what could not be read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::reader::table::{BYTES_SHOWN, Table};
use crate::store::reader::value::{Row, Value};

/// A record that changed or cancelled an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorrectionRow {
    /// The record's topic.
    pub topic: String,
    /// Its partition.
    pub partition: u64,
    /// Its offset.
    pub offset: u64,
    /// The order.
    pub order_id: String,
    /// `correction` or `cancellation`.
    pub why: String,
    /// What the order counted as; null where it had been cancelled.
    pub was: Option<Counted>,
    /// What it counts as now; null where it is cancelled.
    pub now: Option<Counted>,
    /// When it was committed, by the store's clock; null where an earlier version of takings did.
    #[schema(format = DateTime)]
    pub noticed_at: Option<String>,
    /// The epoch of the correction.
    pub epoch: u64,
}

/// What an order counts as.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counted {
    /// The business day.
    #[schema(format = Date)]
    pub order_date: String,
    /// The product that it is counted under.
    pub product: Option<String>,
    /// The category; null where the catalogue says it.
    pub category: Option<String>,
    /// The payment method.
    pub payment_method: String,
    /// The currency.
    pub currency: String,
    /// The amount, exact.
    #[schema(example = "12.340000")]
    pub amount: String,
    /// The quantity.
    pub units: i64,
}

impl CorrectionRow {
    /// From a row of `corrections`.
    pub fn read(table: &Table, row: &Row) -> Self {
        let at = |name: &str| table.column(name).map_or(&Value::Null, |(place, _)| &row[place]);
        let own = |name: &str| at(name).text().unwrap_or_default().to_owned();
        let side = |prefix: &str| {
            let own = |name: &str| own(&format!("{prefix}_{name}"));
            let perhaps = |name: &str| at(&format!("{prefix}_{name}")).text().map(str::to_owned);
            at(&format!("{prefix}_order_date")).text()?;
            Some(Counted {
                order_date: own("order_date"),
                product: perhaps("product"),
                category: perhaps("category"),
                payment_method: own("payment_method"),
                currency: own("currency"),
                amount: own("amount"),
                units: at(&format!("{prefix}_units")).integer().unwrap_or(0),
            })
        };
        CorrectionRow {
            topic: own("topic"),
            partition: at("partition").count(),
            offset: at("offset").count(),
            order_id: own("order_id"),
            why: own("why"),
            was: side("was"),
            now: side("now"),
            noticed_at: at("noticed_at").text().map(str::to_owned),
            epoch: at("epoch").count(),
        }
    }
}

/// A record that could not be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedRow {
    /// The record's topic.
    pub topic: String,
    /// Its partition.
    pub partition: u64,
    /// Its offset.
    pub offset: u64,
    /// Its key as text; what is no UTF-8 is replaced.
    pub key: Option<String>,
    /// Its payload as text, cut at 2 kB; what is no UTF-8 is replaced.
    pub payload: Option<String>,
    /// The same bytes of the payload as they came.
    pub payload_base64: Option<String>,
    /// Whether there are more bytes than are shown; the store's table `rejected` has them all.
    pub payload_cut: bool,
    /// Why, naming the field.
    pub reason: String,
    /// The epoch it was read in.
    pub epoch: u64,
}

impl RejectedRow {
    /// From a row of `rejected`.
    pub fn read(table: &Table, row: &Row) -> Self {
        let at = |name: &str| table.column(name).map_or(&Value::Null, |(place, _)| &row[place]);
        let bytes = |name: &str| match at(name) {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        };
        let payload = bytes("payload");
        let shown = payload.map(shown);
        RejectedRow {
            topic: at("topic").text().unwrap_or_default().to_owned(),
            partition: at("partition").count(),
            offset: at("offset").count(),
            key: bytes("key").map(text_of),
            payload: payload.map(text_of),
            payload_base64: shown.map(|bytes| BASE64.encode(bytes)),
            payload_cut: is_payload_cut(table, row),
            reason: at("reason").text().unwrap_or_default().to_owned(),
            epoch: at("epoch").count(),
        }
    }
}

fn shown(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(BYTES_SHOWN)]
}

/// Bytes as text, as far as they are shown; what is no UTF-8 is replaced.
pub(super) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(shown(bytes)).into_owned()
}

/// Whether there are more bytes of a rejected record's payload than are shown: one more is read.
pub(super) fn is_payload_cut(table: &Table, row: &Row) -> bool {
    let payload = table.column("payload").map(|(place, _)| &row[place]);
    matches!(payload, Some(Value::Bytes(bytes)) if bytes.len() > BYTES_SHOWN)
}
