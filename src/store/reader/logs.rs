//! The two logs that a reader can ask for: what corrected, and what could not be read.

use super::table::{Column, EPOCH, Filter, Kind, Table, Test, Trace};

const PLACE: &[Column] = &[
    Column::new("topic", Kind::Text, "The record's topic."),
    Column::new("partition", Kind::Integer, "Its partition."),
    Column::new("offset", Kind::Integer, "Its offset."),
];
const NEWEST_FIRST: &[&str] = &["epoch", "topic", "partition", "offset"];

/// Every record that changed or cancelled an order.
pub static CORRECTIONS: Table = Table {
    name: "corrections",
    doc: "Every record that changed or cancelled an order: what the order was, and what it is now.",
    key: PLACE,
    values: &[
        Column::new("order_id", Kind::Text, "The order."),
        Column::new("why", Kind::Text, "`correction` or `cancellation`."),
        Column::new("was_order_date", Kind::Date, "What its day was.").nullable(),
        Column::new("was_product", Kind::Text, "What product it was counted under.").nullable(),
        Column::new("was_category", Kind::Text, "What its category was; null where the catalogue says it.").nullable(),
        Column::new("was_payment_method", Kind::Text, "What its payment method was.").nullable(),
        Column::new("was_currency", Kind::Text, "What its currency was.").nullable(),
        Column::new("was_amount", Kind::Decimal, "What its amount was.").nullable(),
        Column::new("was_units", Kind::Integer, "What its quantity was.").nullable(),
        Column::new("now_order_date", Kind::Date, "What its day is now.").nullable(),
        Column::new("now_product", Kind::Text, "What product it is counted under now.").nullable(),
        Column::new("now_category", Kind::Text, "What its category is now; null where the catalogue says it.")
            .nullable(),
        Column::new("now_payment_method", Kind::Text, "What its payment method is now.").nullable(),
        Column::new("now_currency", Kind::Text, "What its currency is now.").nullable(),
        Column::new("now_amount", Kind::Decimal, "What its amount is now.").nullable(),
        Column::new("now_units", Kind::Integer, "What its quantity is now.").nullable(),
        EPOCH,
    ],
    order: NEWEST_FIRST,
    descending: true,
    filters: &[Filter { parameter: "order_id", columns: &["order_id"], test: Test::Equals, doc: "Only this order." }],
    trace: Trace::Untraced,
};

/// Every record that could not be read.
pub static REJECTED: Table = Table {
    name: "rejected",
    doc: "Every record that could not be read, and why.",
    key: PLACE,
    values: &[
        Column::new("key", Kind::Bytes, "Its key's bytes.").nullable(),
        Column::new("payload", Kind::Bytes, "Its payload's bytes, cut at 2 kB.").nullable(),
        Column::new("reason", Kind::Text, "Why, naming the field."),
        EPOCH,
    ],
    order: NEWEST_FIRST,
    descending: true,
    filters: &[],
    trace: Trace::Untraced,
};
