//! What changed is found by an index, whatever PostgreSQL knows of the tables: just filled and never analysed, or long
//! since, planned for any epoch. Asked for many times a second, it may not read what did not change.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::stores::Fresh;
use takings::store::reader::statement::{Dialect, Statement, Statements};
use takings::store::reader::views::{VIEWS, view};

/// Tables whose rows are bounded: months, and the minutes of two days. They have no index for it, and need none.
const SMALL: [&str; 2] = ["sales_per_month", "orders_per_minute"];

/// 400 days of a shop of 5,000 products, of which the last epoch changed nearly nothing.
const FILLED: &str = "
    INSERT INTO changed_days (order_date, epoch) SELECT day::date, n FROM
        generate_series('2025-01-01'::timestamp, '2026-02-04', '1 day') WITH ORDINALITY AS days(day, n);
    INSERT INTO sales_per_day (order_date, currency, total_sales, orders, units, epoch)
        SELECT order_date, currency, 1, 1, 1, epoch FROM changed_days, unnest(ARRAY['EUR', 'USD', 'GBP']) currency;
    INSERT INTO sales_per_category (order_date, category, currency, total_sales, orders, units, epoch)
        SELECT order_date, 'c' || n, currency, 1, 1, 1, epoch FROM sales_per_day, generate_series(1, 20) n;
    INSERT INTO sales_per_payment_method (order_date, payment_method, currency, total_sales, orders, units, epoch)
        SELECT order_date, 'm' || n, currency, 1, 1, 1, epoch FROM sales_per_day, generate_series(1, 8) n;
    INSERT INTO sales_facts (order_date, category, payment_method, currency, total_sales, orders, units, epoch)
        SELECT order_date, category, 'm' || n, currency, 1, 1, 1, epoch FROM sales_per_category, generate_series(1, 4) n;
    INSERT INTO sales_per_product (order_date, product, currency, total_sales, orders, units, epoch)
        SELECT order_date, 'p' || n, currency, 1, 1, 1, epoch FROM sales_per_day, generate_series(1, 100) n;
    INSERT INTO top_products (period, currency, rank, product, total_sales, orders, units, epoch)
        SELECT to_char(order_date, 'YYYY-MM-DD'), currency, n, 'p' || n, 1, 1, 1, epoch
        FROM sales_per_day, generate_series(1, 10) n;
    INSERT INTO products (product, epoch) SELECT 'p' || n, 1 FROM generate_series(1, 5000) n;
    INSERT INTO ratings_per_product (product, ratings, average, ones, twos, threes, fours, fives, epoch)
        SELECT 'p' || n, 1, 1, 1, 0, 0, 0, 0, 1 FROM generate_series(1, 5000) n;";

/// How PostgreSQL runs it once it has planned it for any parameters, as it does for a statement that is kept.
fn plan(store: &Fresh, name: &str, statement: &Statement) -> String {
    let parameters = vec!["NULL"; statement.parameters.len()].join(", ");
    let rows = store.texts(&format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE {name} AS {}; EXPLAIN EXECUTE {name}({parameters})",
        statement.sql
    ));
    let lines: Vec<String> = rows.into_iter().flatten().flatten().collect();
    lines.join("\n")
}

#[test]
fn what_changed_is_found_without_reading_what_did_not() {
    let store = Fresh::postgres();
    drop(store.acquired());
    store.execute(FILLED);
    let statements = Statements(Dialect::Postgres);
    let streamed = VIEWS.iter().filter(|table| !SMALL.contains(&table.name));
    let mut asked: Vec<(&str, Statement)> =
        streamed.filter_map(|table| Some((table.name, statements.changed(table, 0, 5_000)?))).collect();
    let sold = view("sales_per_product").unwrap();
    asked.push((sold.name, statements.of_changed_days(sold, &["p1".to_owned()], 0, 5_000)));
    assert!(asked.len() > 6, "{asked:?}");
    for state in ["never analysed", "analysed"] {
        for (name, statement) in &asked {
            let plan = plan(&store, &format!("of_{name}"), statement);
            assert!(plan.contains(&format!("{name}_")), "{name}, {state}: no index of it is used:\n{plan}");
            assert!(!plan.contains(&format!("Seq Scan on {name} ")), "{name}, {state}: read whole:\n{plan}");
        }
        store.execute("ANALYZE");
    }
}
