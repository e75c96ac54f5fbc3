//! The tables that are compared, row by row and as text, in either store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::oracle::Expected;

/// Rows of each table.
pub type Rows = BTreeMap<&'static str, BTreeSet<Vec<String>>>;

/// A table, and the columns of it that are compared.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    columns: &'static str,
}

/// All tables that the records decide.
pub const TABLES: [Table; 15] = [
    Table { name: "sales_per_category", columns: "order_date category currency total_sales orders units" },
    Table { name: "sales_per_day", columns: "order_date currency total_sales orders units" },
    Table { name: "sales_per_month", columns: "year month currency total_sales orders units" },
    Table { name: "sales_per_payment_method", columns: "order_date payment_method currency total_sales orders units" },
    Table { name: "sales_facts", columns: "order_date category payment_method currency total_sales orders units" },
    Table { name: "listed_facts", columns: "order_date product payment_method currency total_sales orders units" },
    Table {
        name: "sales_per_product",
        columns: "order_date product currency total_sales orders units listed_sales listed_orders listed_units",
    },
    Table { name: "top_products", columns: "period currency rank product total_sales orders units" },
    Table { name: "products", columns: "product name category price" },
    Table { name: "ratings_per_product", columns: "product ratings average ones twos threes fours fives" },
    Table { name: "orders_per_minute", columns: "@minute currency total_sales orders units" },
    Table { name: "sources", columns: "topic partition read rejected other rounded" },
    Table {
        name: "corrections",
        columns: "topic partition offset order_id why was_order_date was_category was_payment_method was_currency \
                  was_amount was_units now_order_date now_category now_payment_method now_currency now_amount now_units",
    },
    Table { name: "rejected", columns: "topic partition offset #key #payload" },
    Table {
        name: "orders",
        columns: "topic order_id product product_category total_amount product_quantity currency customer_id business_day \
                  payment_method partition incarnation offset",
    },
];

/// The counters of what became of records, in the order of [`outcomes`].
pub const OUTCOMES: Table = Table {
    name: "sources",
    columns: "topic partition applied duplicates superseded corrections cancellations beyond_horizon",
};

/// A store's rows, several queries at one moment; an error where the store does not answer just now.
pub trait Look: Send {
    /// Whether it is PostgreSQL.
    fn is_postgres(&self) -> bool;

    /// The rows of each query, every column as text.
    fn look(&mut self, queries: &[String]) -> Result<Vec<Vec<Vec<String>>>, String>;
}

impl Table {
    /// The query of its rows.
    pub fn query(&self, is_postgres: bool) -> String {
        let text = |column: &str| match (column.split_at(1), is_postgres) {
            (("@", minute), true) => {
                format!("to_char({minute} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')")
            }
            (("@", minute), false) => format!("strftime('%Y-%m-%dT%H:%MZ', {minute})"),
            (("#", bytes), true) => format!("encode({bytes}, 'hex')"),
            // An empty hex() is empty whether there are bytes or not.
            (("#", bytes), false) => format!("CASE WHEN {bytes} IS NOT NULL THEN lower(hex({bytes})) END"),
            _ => format!("CAST(\"{column}\" AS TEXT)"),
        };
        let columns: Vec<String> = self.columns.split_whitespace().map(text).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.name)
    }
}

/// Every table, and the counters of outcomes, at one moment.
pub fn read(look: &mut dyn Look) -> Result<(Rows, Vec<Vec<String>>), String> {
    let is_postgres = look.is_postgres();
    let queries: Vec<String> = TABLES.iter().chain([&OUTCOMES]).map(|table| table.query(is_postgres)).collect();
    let mut answers = look.look(&queries)?;
    let outcomes = answers.pop().unwrap_or_default();
    let rows = TABLES.iter().zip(answers).map(|(table, rows)| (table.name, rows.into_iter().collect()));
    Ok((rows.collect(), outcomes))
}

/// What differs, in words; empty where nothing does.
pub fn differences(expected: &Expected, mut found: Rows, outcomes: &[Vec<String>]) -> String {
    let mut told = String::new();
    // Rows of orders that roam, which are as the run had them, are held against what the record says.
    found.entry("corrections").or_default().retain(|row| {
        let place = (row[1].parse().unwrap_or(u16::MAX), row[2].parse().unwrap_or(u64::MAX));
        let there = expected.roaming.get(&place).filter(|_| row[0] == "product_sold");
        let mut of_it = there.into_iter().flatten().filter(|says| says[0] == row[3]).peekable();
        if of_it.peek().is_none() {
            return true;
        }
        if !of_it.any(|says| row[11..] == says[1..]) {
            let _ = writeln!(told, "corrections: {row:?} is of a record that says {there:?}");
        }
        false
    });
    // Those say where a partition starts, of which nothing was ever read.
    found.entry("sources").or_default().retain(|row| row[2..].iter().any(|counter| counter != "0"));
    for (table, wanted) in &expected.rows {
        let nothing = BTreeSet::new();
        let stored = found.get(table).unwrap_or(&nothing);
        for (what, rows) in [("is missing", wanted.difference(stored)), ("should not be", stored.difference(wanted))] {
            for row in rows.take(12) {
                let _ = writeln!(told, "{table}: {} {what}", row.join(" | "));
            }
        }
    }
    told + &outcome_differences(expected, outcomes)
}

fn outcome_differences(expected: &Expected, outcomes: &[Vec<String>]) -> String {
    let mut told = String::new();
    for row in outcomes {
        let partition = row[1].parse().unwrap_or(u16::MAX);
        let known = expected.outcomes.iter().find(|((topic, number), _)| *topic == row[0] && *number == partition);
        let wanted = known.map(|(_, outcomes)| *outcomes).unwrap_or_default();
        let numbers: Vec<u64> = row[2..].iter().map(|number| number.parse().unwrap_or(u64::MAX)).collect();
        // Of records whose order has versions elsewhere the run decides what becomes.
        let in_range = |found: u64, sure: u64| (sure..=sure + wanted.roaming).contains(&found);
        let is_right = in_range(numbers[0], wanted.applied)
            && in_range(numbers[1], wanted.duplicates)
            && in_range(numbers[2], 0)
            && in_range(numbers[3], wanted.corrections)
            && in_range(numbers[4], wanted.cancellations)
            && numbers[5] == 0
            && numbers[..5].iter().sum::<u64>()
                == wanted.applied + wanted.duplicates + wanted.corrections + wanted.cancellations + wanted.roaming;
        if !is_right {
            let _ = writeln!(
                told,
                "sources: {} has applied, duplicates, superseded, corrections, cancellations, beyond_horizon = {numbers:?}, \
                 and should have {wanted:?}",
                row[..2].join("/")
            );
        }
    }
    told
}
