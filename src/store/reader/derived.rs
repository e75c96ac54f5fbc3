//! Tables that are read, and of which a store has only the parts: the SQL that puts them together.
//!
//! A statement reads such a source under the name `t`, as it reads any table. Both stores look through it: what is
//! asked of its columns goes to the indices of the parts.

use std::borrow::Cow;

use takings_dataflows::view::UNLISTED;

use super::logs::{CORRECTIONS, ORDERS};
use super::statement::{Condition, Dialect};
use super::table::Table;

/// What stands after `FROM`.
pub(super) fn source(dialect: Dialect, table: &Table) -> Cow<'static, str> {
    match table.name {
        name if name == ORDERS.name => orders(dialect).into(),
        name if name == CORRECTIONS.name => corrections().into(),
        name => name.into(),
    }
}

/// The categories in which both sides of a correction count now: columns that rows are chosen by, and that are not
/// shown.
pub(super) const COUNTED_IN: &[&str] = &["was_counted_in", "now_counted_in"];

fn corrections() -> String {
    let counted = |side: &str, listing: &str| {
        format!(
            "CASE WHEN c.{side}_order_date IS NOT NULL \
             THEN coalesce(c.{side}_category, {listing}.category, '{UNLISTED}') END"
        )
    };
    format!(
        "(SELECT c.*, {} AS was_counted_in, {} AS now_counted_in FROM corrections c \
         LEFT JOIN products w ON w.product = c.was_product LEFT JOIN products n ON n.product = c.now_product)",
        counted("was", "w"),
        counted("now", "n")
    )
}

/// The kept orders, each as it is counted. In a row of the first schema the product is told by the rule of its time,
/// as at a start.
fn orders(dialect: Dialect) -> String {
    const PRODUCT: &str = "coalesce(o.product, nullif(o.product_name, ''), 'unknown')";
    let ordered_at = match dialect {
        Dialect::Postgres => "to_char(o.order_date, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
        Dialect::Sqlite => "o.order_date",
    };
    format!(
        "(SELECT o.topic, o.order_id, o.business_day AS order_date, {ordered_at} AS ordered_at, {PRODUCT} AS product, \
         o.product_name, coalesce(o.product_category, p.category, '{UNLISTED}') AS category, o.payment_method, \
         o.currency, o.total_amount AS amount, o.product_quantity AS units, o.partition, o.\"offset\", o.epoch \
         FROM orders o LEFT JOIN products p ON p.product = {PRODUCT})"
    )
}

/// What narrows a condition to an index, where it has none of its own: the key of `orders` begins with the topic, and
/// topics are few.
pub(super) fn narrowed(dialect: Dialect, table: &Table, condition: &Condition) -> Option<&'static str> {
    (table.name == ORDERS.name && condition.columns == ["order_id"]).then_some(match dialect {
        Dialect::Postgres => "t.topic = ANY (ARRAY(SELECT DISTINCT s.topic FROM sources s))",
        Dialect::Sqlite => "t.topic IN (SELECT s.topic FROM sources s)",
    })
}
