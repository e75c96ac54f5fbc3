//! Every view that a reader can ask for, described once.

use super::table::{Column, EPOCH, Filter, Kind, Table, Test, Trace};

/// The view with this name.
pub fn view(name: &str) -> Option<&'static Table> {
    VIEWS.iter().find(|table| table.name == name)
}

pub(super) const ORDER_DATE: Column =
    Column::new("order_date", Kind::Date, "The business day, in the shop's time zone.");
const YEAR: Column = Column::new("year", Kind::Integer, "The year.");
const MONTH: Column = Column::new("month", Kind::Integer, "The month, 1 to 12.");
pub(super) const CATEGORY: Column =
    Column::new("category", Kind::Text, "The product's category; `unlisted` where none is known.");
pub(super) const PAYMENT_METHOD: Column =
    Column::new("payment_method", Kind::Text, "How it was paid; `unknown` where the order does not say.");
pub(super) const CURRENCY: Column =
    Column::new("currency", Kind::Text, "The currency; amounts of different ones are never added.");
pub(super) const PRODUCT: Column =
    Column::new("product", Kind::Text, "The product: the text of its id, or its name where the topic counts by name.");

pub(super) const TOTAL_SALES: Column =
    Column::new("total_sales", Kind::Decimal, "The sum of the orders' amounts, exact, with six places.");
pub(super) const ORDERS: Column = Column::new("orders", Kind::Integer, "The number of orders.");
pub(super) const UNITS: Column = Column::new("units", Kind::Integer, "The sum of the orders' quantities.");

/// The columns of a total.
const TOTALS: &[Column] = &[TOTAL_SALES, ORDERS, UNITS, EPOCH];

pub(super) const FROM_DAY: Filter = Filter {
    parameter: "from",
    columns: &["order_date"],
    test: Test::FromDay,
    doc: "The first day, `2026-11-01`; inclusive.",
};
pub(super) const TO_DAY: Filter = Filter {
    parameter: "to",
    columns: &["order_date"],
    test: Test::ToDay,
    doc: "The last day, `2026-11-30`; inclusive.",
};
const FROM_MONTH: Filter = Filter {
    parameter: "from",
    columns: &["year", "month"],
    test: Test::FromMonth,
    doc: "The first month, `2026-01`, or a day in it; inclusive.",
};
const TO_MONTH: Filter = Filter {
    parameter: "to",
    columns: &["year", "month"],
    test: Test::ToMonth,
    doc: "The last month, `2026-11`, or a day in it; inclusive.",
};
pub(super) const BY_CURRENCY: Filter =
    Filter { parameter: "currency", columns: &["currency"], test: Test::Equals, doc: "Only this currency." };
pub(super) const BY_CATEGORY: Filter =
    Filter { parameter: "category", columns: &["category"], test: Test::Equals, doc: "Only this category." };
pub(super) const BY_PAYMENT_METHOD: Filter = Filter {
    parameter: "payment_method",
    columns: &["payment_method"],
    test: Test::Equals,
    doc: "Only this payment method.",
};
const FROM_MOMENT: Filter = Filter {
    parameter: "from",
    columns: &["minute"],
    test: Test::FromMoment,
    doc: "The first minute, `2026-11-22T12:00:00Z`, or a day (UTC); inclusive.",
};
const TO_MOMENT: Filter = Filter {
    parameter: "to",
    columns: &["minute"],
    test: Test::ToMoment,
    doc: "The last minute, `2026-11-22T12:59:00Z`, or a day (UTC); inclusive.",
};
pub(super) const BY_PRODUCT: Filter =
    Filter { parameter: "product", columns: &["product"], test: Test::Equals, doc: "Only this product." };
pub(super) const BY_PRODUCTS: Filter = Filter {
    parameter: "product",
    columns: &["product"],
    test: Test::AnyOf,
    doc: "Only these products: given once for each, at most 100 times.",
};

/// Totals by day and currency: what the summary is made from where it is kept.
pub const SALES_PER_DAY: Table = Table {
    name: "sales_per_day",
    doc: "Totals by business day and currency.",
    key: &[ORDER_DATE, CURRENCY],
    values: TOTALS,
    order: &["order_date", "currency"],
    descending: true,
    filters: &[FROM_DAY, TO_DAY, BY_CURRENCY],
    trace: Trace::ByDay,
};

/// Every view, in the order of the documentation.
pub static VIEWS: [Table; 10] = [
    Table {
        name: "sales_per_category",
        doc: "Totals by business day, category and currency.",
        key: &[ORDER_DATE, CATEGORY, CURRENCY],
        values: TOTALS,
        order: &["order_date", "category", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_CATEGORY],
        trace: Trace::ByDay,
    },
    SALES_PER_DAY,
    Table {
        name: "sales_per_month",
        doc: "Totals by month and currency.",
        key: &[YEAR, MONTH, CURRENCY],
        values: TOTALS,
        order: &["year", "month", "currency"],
        descending: true,
        filters: &[FROM_MONTH, TO_MONTH, BY_CURRENCY],
        trace: Trace::ByEpoch,
    },
    Table {
        name: "sales_per_payment_method",
        doc: "Totals by business day, payment method and currency.",
        key: &[ORDER_DATE, PAYMENT_METHOD, CURRENCY],
        values: TOTALS,
        order: &["order_date", "payment_method", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_PAYMENT_METHOD],
        trace: Trace::ByDay,
    },
    Table {
        name: "sales_facts",
        doc: "Totals by business day, category, payment method and currency; kept where it is asked for.",
        key: &[ORDER_DATE, CATEGORY, PAYMENT_METHOD, CURRENCY],
        values: TOTALS,
        order: &["order_date", "category", "payment_method", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_CATEGORY, BY_PAYMENT_METHOD],
        trace: Trace::ByDay,
    },
    Table {
        name: "sales_per_product",
        doc: "Totals by business day, product and currency.",
        key: &[ORDER_DATE, PRODUCT, CURRENCY],
        values: TOTALS,
        order: &["order_date", "product", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_PRODUCT],
        trace: Trace::Untraced,
    },
    Table {
        name: "top_products",
        doc: "The best sellers by total sales: of all time, of each month and of each day, by currency.",
        key: &[
            Column::new("period", Kind::Text, "`all`, a month (`2026-11`) or a business day (`2026-11-22`)."),
            CURRENCY,
            Column::new(
                "rank",
                Kind::Integer,
                "The place, from 1; of two with the same sales the lesser name is first.",
            ),
        ],
        values: &[PRODUCT, TOTAL_SALES, ORDERS, UNITS, EPOCH],
        order: &["period", "currency", "rank"],
        descending: false,
        filters: &[
            Filter {
                parameter: "period",
                columns: &["period"],
                test: Test::Period,
                doc: "Only this period: `all`, a month such as `2026-11`, or a day such as `2026-11-22`.",
            },
            BY_CURRENCY,
            BY_PRODUCT,
        ],
        trace: Trace::ByPeriod,
    },
    Table {
        name: "products",
        doc: "The catalogue: the newest listing of each product.",
        key: &[PRODUCT],
        values: &[
            Column::new("name", Kind::Text, "Its name.").nullable(),
            Column::new("category", Kind::Text, "Its category.").nullable(),
            Column::new("price", Kind::Decimal, "Its price, exact.").nullable(),
            EPOCH,
        ],
        order: &["product"],
        descending: false,
        filters: &[BY_PRODUCTS, BY_CATEGORY],
        trace: Trace::ByEpoch,
    },
    Table {
        name: "ratings_per_product",
        doc: "How each product is rated, the most rated first.",
        key: &[PRODUCT],
        values: &[
            Column::new("ratings", Kind::Integer, "The number of ratings."),
            Column::new("average", Kind::Decimal, "Their average, from 1 to 5, with six places."),
            Column::new("ones", Kind::Integer, "How many gave one star."),
            Column::new("twos", Kind::Integer, "How many gave two."),
            Column::new("threes", Kind::Integer, "How many gave three."),
            Column::new("fours", Kind::Integer, "How many gave four."),
            Column::new("fives", Kind::Integer, "How many gave five."),
            EPOCH,
        ],
        order: &["ratings", "product"],
        descending: true,
        filters: &[BY_PRODUCTS],
        trace: Trace::ByEpoch,
    },
    Table {
        name: "orders_per_minute",
        doc: "Orders by the minute of the log in which they first came, by currency; the last 48 hours.",
        key: &[Column::new("minute", Kind::Timestamp, "The minute's first moment, by the log's clock."), CURRENCY],
        values: TOTALS,
        order: &["minute", "currency"],
        descending: true,
        filters: &[FROM_MOMENT, TO_MOMENT, BY_CURRENCY],
        trace: Trace::ByEpoch,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::columns::key_columns;
    use crate::store::reader::derived::COUNTED_IN;
    use crate::store::reader::logs::{CORRECTIONS, DAY_PROOFS, INCONSISTENT, ORDERS, REJECTED};
    use takings_dataflows::view::View;

    #[test]
    fn every_view_of_the_dataflow_can_be_read_by_its_key() {
        for kept in View::ALL {
            let table = view(kept.name()).unwrap_or_else(|| panic!("{kept} has no entry in VIEWS"));
            let written: Vec<&str> = key_columns(kept).iter().map(|(name, _)| *name).collect();
            let read: Vec<&str> = table.key.iter().map(|column| column.name).collect();
            assert_eq!(read, written, "{kept}");
        }
    }

    #[test]
    fn filters_and_orders_name_columns_that_are_there() {
        for table in VIEWS.iter().chain([&CORRECTIONS, &REJECTED, &INCONSISTENT, &DAY_PROOFS, &ORDERS]) {
            let named = table.filters.iter().flat_map(|filter| filter.columns).chain(table.order);
            for name in named {
                let is_there = table.column(name).is_some() || COUNTED_IN.contains(name);
                assert!(is_there, "{} has no column {name}", table.name);
            }
            assert!(table.column("epoch").is_some(), "{} has no epoch", table.name);
            let by_day = table.key.first().is_some_and(|column| column.name == "order_date");
            assert!(by_day || table.trace != Trace::ByDay, "{} has no days to go by", table.name);
        }
    }
}
