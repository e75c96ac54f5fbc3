//! What a reader can ask for beside the views: what corrected, what could not be read, what can not be a total, and
//! what is proven, and single orders.

use super::derived::COUNTED_IN;
use super::table::{Column, EPOCH, Filter, Kind, Table, Test, Trace};
use super::views::{
    BY_CATEGORY, BY_CURRENCY, BY_PAYMENT_METHOD, BY_PRODUCT, CATEGORY, CURRENCY, FROM_DAY, ORDER_DATE, PAYMENT_METHOD,
    PRODUCT, TO_DAY,
};

const PLACE: &[Column] = &[
    Column::new("topic", Kind::Text, "The record's topic."),
    Column::new("partition", Kind::Integer, "Its partition."),
    Column::new("offset", Kind::Integer, "Its offset."),
];
const BY_ORDER: Filter =
    Filter { parameter: "order_id", columns: &["order_id"], test: Test::Equals, doc: "Only this order." };
const WAS_OR_NOW_DAY: &[&str] = &["was_order_date", "now_order_date"];

/// A filter by what an order was or is.
const fn either(parameter: &'static str, columns: &'static [&'static str], doc: &'static str) -> Filter {
    Filter { parameter, columns, test: Test::EitherEquals, doc }
}

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
        Column::new(
            "noticed_at",
            Kind::Timestamp,
            "When it was committed, by the store's clock; null where an earlier version did.",
        )
        .nullable(),
        EPOCH,
    ],
    order: NEWEST_FIRST,
    descending: true,
    filters: &[
        Filter {
            parameter: "from",
            columns: WAS_OR_NOW_DAY,
            test: Test::EitherFromDay,
            doc: "The first day, `2026-11-01`; inclusive. One of the order's two days lies from here on.",
        },
        Filter {
            parameter: "to",
            columns: WAS_OR_NOW_DAY,
            test: Test::EitherToDay,
            doc: "The last day, `2026-11-30`; inclusive. One of the order's two days lies up to here.",
        },
        either("currency", &["was_currency", "now_currency"], "Only what was or is in this currency."),
        either("category", COUNTED_IN, "Only what was or is in this category, or counts in it by the catalogue."),
        either("payment_method", &["was_payment_method", "now_payment_method"], "Only what was or is paid so."),
        either("product", &["was_product", "now_product"], "Only what was or is of this product."),
        Filter { parameter: "why", columns: &["why"], test: Test::Equals, doc: "`correction` or `cancellation`." },
        BY_ORDER,
        Filter {
            parameter: "search",
            columns: &["order_id"],
            test: Test::Contains,
            doc: "Only orders with this in their id.",
        },
    ],
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
    filters: &[
        Filter { parameter: "topic", columns: &["topic"], test: Test::Equals, doc: "Only records of this topic." },
        Filter {
            parameter: "reason",
            columns: &["reason"],
            test: Test::Contains,
            doc: "Only records with this in the reason.",
        },
    ],
    trace: Trace::Untraced,
};

/// Every row whose total no set of records can have, the cured ones too.
pub static INCONSISTENT: Table = Table {
    name: "inconsistent",
    doc: "Every row whose total no set of records can have: what its view holds, and what it would be.",
    key: &[
        Column::new("view", Kind::Text, "The view."),
        Column::new("key", Kind::Text, "The row's key: a JSON object of the view's key columns."),
    ],
    values: &[
        Column::new("stands", Kind::Text, "What the view holds meanwhile, as JSON; null: no row.").nullable(),
        Column::new("would_be", Kind::Text, "What the row would be, as JSON."),
        Column::new("since_epoch", Kind::Integer, "The epoch since which it is inconsistent."),
        Column::new("cured_epoch", Kind::Integer, "The epoch since which it is a total again, and written.").nullable(),
        Column::new("noticed_at", Kind::Timestamp, "When it was noticed, by the store's clock."),
        EPOCH,
    ],
    order: &["since_epoch", "view", "key"],
    descending: true,
    filters: &[Filter { parameter: "view", columns: &["view"], test: Test::Equals, doc: "Only rows of this view." }],
    trace: Trace::Untraced,
};

/// Every closed day, and what the background audit last found of it.
pub static DAY_PROOFS: Table = Table {
    name: "day_proofs",
    doc: "Every closed day, and what the background audit last found of it.",
    key: &[Column::new("order_date", Kind::Date, "The business day.")],
    values: &[
        Column::new("state", Kind::Text, "`proven`, `changed`, `unproven`, `differs` or `not_provable`."),
        Column::new("proven_at", Kind::Timestamp, "When the verdict was reached.").nullable(),
        Column::new("epoch", Kind::Integer, "The epoch whose totals it is of.").nullable(),
        Column::new("orders", Kind::Integer, "Orders recounted.").nullable(),
        Column::new("rows", Kind::Integer, "Rows compared.").nullable(),
        Column::new("differences", Kind::Integer, "How many of them differ.").nullable(),
        Column::new("shown", Kind::Text, "The first of those, as a JSON array.").nullable(),
        Column::new("reason", Kind::Text, "Why it is not provable.").nullable(),
    ],
    order: &["order_date"],
    descending: true,
    filters: &[
        Filter {
            parameter: "from",
            columns: &["order_date"],
            test: Test::FromDay,
            doc: "The first day, `2026-11-01`; inclusive.",
        },
        Filter {
            parameter: "to",
            columns: &["order_date"],
            test: Test::ToDay,
            doc: "The last day, `2026-11-30`; inclusive.",
        },
        Filter { parameter: "state", columns: &["state"], test: Test::Equals, doc: "Only days in this state." },
    ],
    trace: Trace::Untraced,
};

/// Every order that counts, where orders are kept: each as it is part of the totals.
pub static ORDERS: Table = Table {
    name: "orders",
    doc: "Every order that counts, as it is counted, the newest day first; with --keep-orders.",
    key: &[
        Column::new("topic", Kind::Text, "The order's topic."),
        Column::new("order_id", Kind::Text, "The order's id, one of its topic's."),
    ],
    values: &[
        ORDER_DATE,
        Column::new("ordered_at", Kind::Text, "When it was made, by the shop's clock: `2026-11-22T12:34:56.789000`.")
            .nullable(),
        PRODUCT,
        Column::new("product_name", Kind::Text, "The product's name in the order.").nullable(),
        CATEGORY,
        PAYMENT_METHOD,
        CURRENCY,
        Column::new("amount", Kind::Decimal, "Its amount, exact, with six places."),
        Column::new("units", Kind::Integer, "Its quantity."),
        Column::new("partition", Kind::Integer, "The partition of the record that says so."),
        Column::new("offset", Kind::Integer, "That record's offset."),
        EPOCH,
    ],
    order: &["order_date", "topic", "order_id"],
    descending: true,
    filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_CATEGORY, BY_PAYMENT_METHOD, BY_PRODUCT, BY_ORDER],
    trace: Trace::Untraced,
};
