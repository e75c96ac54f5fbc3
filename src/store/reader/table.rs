//! What a reader can ask for: each view described once.
//!
//! SQL, routes, CSV, the event feed and the OpenAPI description are all made from [`VIEWS`] (and the
//! two logs, [`CORRECTIONS`] and [`REJECTED`]): adding a view is adding one entry.

/// What a column holds, and so how it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A calendar day, as `2026-11-22`.
    Date,
    /// A whole number of 64 bits.
    Integer,
    /// Exact money, as decimal text with six places.
    Decimal,
    /// A moment, as `2026-11-22T12:34:56.789Z`.
    Timestamp,
    /// Bytes as they came; at most [`BYTES_SHOWN`] of them are read.
    Bytes,
}

/// How many bytes of a record's key and payload are read.
pub const BYTES_SHOWN: usize = 2048;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: a contract with readers.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it means, for the API's description.
    pub doc: &'static str,
}

impl Column {
    const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Column { name, kind, nullable: false, doc }
    }

    const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
}

/// What a parameter's text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The column equals the text.
    Equals,
    /// The column (a day) is this day or later.
    FromDay,
    /// The column (a day) is this day or earlier.
    ToDay,
    /// The columns (year, month) are this month or later; a day stands for its month.
    FromMonth,
    /// The columns (year, month) are this month or earlier.
    ToMonth,
}

/// A parameter by which a table's rows are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The columns it is compared with.
    pub columns: &'static [&'static str],
    /// How.
    pub test: Test,
    /// What it means, for the API's description.
    pub doc: &'static str,
}

/// A table that can be read in pages.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name: of the table, of the route and of its key in the event feed.
    pub name: &'static str,
    /// What it holds, for the API's description.
    pub doc: &'static str,
    /// The key columns.
    pub key: &'static [Column],
    /// The other columns.
    pub values: &'static [Column],
    /// The columns by which pages are ordered; together unique.
    pub order: &'static [&'static str],
    /// Whether the greatest comes first unless asked otherwise.
    pub descending: bool,
    /// The parameters that choose rows.
    pub filters: &'static [Filter],
}

impl Table {
    /// All columns, in the order of the table.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.key.iter().chain(self.values)
    }

    /// The place and the description of a column.
    pub fn column(&self, name: &str) -> Option<(usize, &'static Column)> {
        self.columns().enumerate().find(|(_, column)| column.name == name)
    }

    /// The filter with this parameter's name.
    pub fn filter(&self, parameter: &str) -> Option<&'static Filter> {
        self.filters.iter().find(|filter| filter.parameter == parameter)
    }
}

/// The view with this name.
pub fn view(name: &str) -> Option<&'static Table> {
    VIEWS.iter().find(|table| table.name == name)
}

const ORDER_DATE: Column = Column::new("order_date", Kind::Date, "The business day, in the shop's time zone.");
const YEAR: Column = Column::new("year", Kind::Integer, "The year.");
const MONTH: Column = Column::new("month", Kind::Integer, "The month, 1 to 12.");
const CATEGORY: Column = Column::new("category", Kind::Text, "The product's category; `unlisted` where none is known.");
const PAYMENT_METHOD: Column =
    Column::new("payment_method", Kind::Text, "How it was paid; `unknown` where the order does not say.");
const CURRENCY: Column =
    Column::new("currency", Kind::Text, "The currency; amounts of different ones are never added.");
const EPOCH: Column = Column::new("epoch", Kind::Integer, "The epoch that last changed this row.");

/// The columns of a total.
const TOTALS: &[Column] = &[
    Column::new("total_sales", Kind::Decimal, "The sum of the orders' amounts, exact, with six places."),
    Column::new("orders", Kind::Integer, "The number of orders."),
    Column::new("units", Kind::Integer, "The sum of the orders' quantities."),
    EPOCH,
];

const FROM_DAY: Filter = Filter {
    parameter: "from",
    columns: &["order_date"],
    test: Test::FromDay,
    doc: "The first day, `2026-11-01`; inclusive.",
};
const TO_DAY: Filter = Filter {
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
const BY_CURRENCY: Filter =
    Filter { parameter: "currency", columns: &["currency"], test: Test::Equals, doc: "Only this currency." };
const BY_CATEGORY: Filter =
    Filter { parameter: "category", columns: &["category"], test: Test::Equals, doc: "Only this category." };
const BY_PAYMENT_METHOD: Filter = Filter {
    parameter: "payment_method",
    columns: &["payment_method"],
    test: Test::Equals,
    doc: "Only this payment method.",
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
};

/// Every view, in the order of the documentation.
pub static VIEWS: [Table; 4] = [
    Table {
        name: "sales_per_category",
        doc: "Totals by business day, category and currency.",
        key: &[ORDER_DATE, CATEGORY, CURRENCY],
        values: TOTALS,
        order: &["order_date", "category", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_CATEGORY],
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
    },
    Table {
        name: "sales_per_payment_method",
        doc: "Totals by business day, payment method and currency.",
        key: &[ORDER_DATE, PAYMENT_METHOD, CURRENCY],
        values: TOTALS,
        order: &["order_date", "payment_method", "currency"],
        descending: true,
        filters: &[FROM_DAY, TO_DAY, BY_CURRENCY, BY_PAYMENT_METHOD],
    },
];

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
        Column::new("was_category", Kind::Text, "What its category was.").nullable(),
        Column::new("was_payment_method", Kind::Text, "What its payment method was.").nullable(),
        Column::new("was_currency", Kind::Text, "What its currency was.").nullable(),
        Column::new("was_amount", Kind::Decimal, "What its amount was.").nullable(),
        Column::new("was_units", Kind::Integer, "What its quantity was.").nullable(),
        Column::new("now_order_date", Kind::Date, "What its day is now.").nullable(),
        Column::new("now_category", Kind::Text, "What its category is now.").nullable(),
        Column::new("now_payment_method", Kind::Text, "What its payment method is now.").nullable(),
        Column::new("now_currency", Kind::Text, "What its currency is now.").nullable(),
        Column::new("now_amount", Kind::Decimal, "What its amount is now.").nullable(),
        Column::new("now_units", Kind::Integer, "What its quantity is now.").nullable(),
        EPOCH,
    ],
    order: NEWEST_FIRST,
    descending: true,
    filters: &[Filter { parameter: "order_id", columns: &["order_id"], test: Test::Equals, doc: "Only this order." }],
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
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::columns::key_columns;
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
        for table in VIEWS.iter().chain([&CORRECTIONS, &REJECTED]) {
            let named = table.filters.iter().flat_map(|filter| filter.columns).chain(table.order);
            for name in named {
                assert!(table.column(name).is_some(), "{} has no column {name}", table.name);
            }
            assert!(table.column("epoch").is_some(), "{} has no epoch", table.name);
        }
    }
}
