//! Every number of the page equals the one from plain SQL, in the same epoch.
//!
//! Each number carries what it is (`dashboard/src/live/mark.ts`): a column of a view, summed over rows that its query
//! names. The browser writes down all of them, in all views of the page; here each is computed from the store's tables.

use std::collections::BTreeMap;

use serde::Deserialize;
use takings_dataflows::amount::Amount;

use crate::browser::vitest;
use crate::shop::{Kind, Shop};
use crate::support::stores::Fresh;

/// What one address of the page shows.
#[derive(Deserialize)]
struct Shown {
    query: String,
    epoch: u64,
    numbers: Vec<Number>,
}

#[derive(Deserialize)]
struct Number {
    /// `sales_per_day.orders?from=2026-11-01&currency=EUR`
    of: String,
    exact: String,
}

/// The numbers of all views of the page, checked against the store, which must stand still meanwhile.
fn compare(shop: &Shop) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("numbers.json");
    vitest("e2e/numbers.test.ts", shop, &[("NUMBERS_TO", &file.display().to_string())]);
    let pages: Vec<Shown> = serde_json::from_slice(&std::fs::read(file).expect("numbers")).expect("JSON");
    let mut wrong = BTreeMap::new();
    // Several views show the same number, and the store stands still.
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut compared = 0;
    for Shown { query, epoch, numbers } in pages {
        assert_eq!(Some(epoch), shop.epoch(), "{query} is of another epoch");
        assert!(!numbers.is_empty(), "{query} shows no number");
        for Number { of, exact } in numbers {
            let truth = known.entry(of.clone()).or_insert_with(|| computed(&shop.store, &of));
            compared += 1;
            if *truth != exact {
                wrong.insert(format!("{query} {of}"), format!("{exact} is not {truth}"));
            }
        }
    }
    println!("{compared} numbers of the page compared with SQL");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The number from the tables.
fn computed(store: &Fresh, of: &str) -> String {
    let (what, query) = of.split_once('?').unwrap_or((of, ""));
    let (view, column) = what.split_once('.').expect("a view and a column");
    let view = if view == "product_totals" { "sales_per_product" } else { view };
    if column == "average" && view != "ratings_per_product" {
        return average(store, view, query);
    }
    let conditions: Vec<String> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| condition(view, &name, &value)).collect();
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let is_money = column == "total_sales";
    let sum = match (is_money, store.is_postgres(), view) {
        (false, _, "ratings_per_product") => format!("CAST({column} AS TEXT)"),
        (false, _, "orders") if column == "amount" => "CAST(total_amount AS TEXT)".to_owned(),
        (false, _, "orders") => "CAST(product_quantity AS TEXT)".to_owned(),
        (false, _, _) => format!("CAST(coalesce(sum({column}), 0) AS TEXT)"),
        (true, true, _) => "CAST(coalesce(sum(total_sales), 0) AS TEXT)".to_owned(),
        (true, false, _) => "coalesce(sum(total_sales_micros), 0)".to_owned(),
    };
    let rows = store.texts(&format!("SELECT {sum} FROM {view}{filter}"));
    let text = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default();
    match (is_money, store.is_postgres()) {
        (false, _) => text,
        (true, false) => Amount::from_micros(text.parse().expect("micros")).to_string(),
        (true, true) => text.parse::<Amount>().expect("an amount").to_string(),
    }
}

/// `TOTAL / ORDERS = AVERAGE`: the quotient is rounded half up to the currency's minor unit.
fn average(store: &Fresh, view: &str, query: &str) -> String {
    let total = computed(store, &format!("{view}.total_sales?{query}"));
    let orders = computed(store, &format!("{view}.orders?{query}"));
    let currency =
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "currency").expect("a currency");
    let unit = if currency.1 == "FCFA" { 1_000_000 } else { 10_000 };
    let amount: Amount = total.parse().expect("an amount");
    let by = 2 * unit * orders.parse::<i128>().expect("a count");
    let rounded = Amount::from_micros((2 * amount.micros() + by / 2).div_euclid(by) * unit);
    format!("{total} / {orders} = {rounded}")
}

/// One part of a mark's query, in SQL.
fn condition(view: &str, name: &str, value: &str) -> String {
    let text = format!("'{}'", value.replace('\'', "''"));
    match (name, view) {
        ("from", _) => format!("order_date >= {text}"),
        ("to", _) => format!("order_date <= {text}"),
        ("month", "sales_per_month") => match value.split_once('-') {
            Some((year, month)) => format!("year = {year} AND month = {}", month.trim_start_matches('0')),
            None => format!("year = {value}"),
        },
        ("rank", _) => format!("rank = {value}"),
        ("currency" | "category" | "payment_method" | "product" | "minute" | "period" | "topic" | "order_id", _) => {
            format!("{name} = {text}")
        }
        _ => panic!("{view} has nothing to be found by {name}"),
    }
}

#[test]
fn every_number_on_the_page_is_that_of_plain_sql() {
    let shop = Shop::on(Kind::Servers, "--views default,sales_facts --keep-orders", 20_000);
    compare(&shop);
    shop.stop();
}

#[test]
fn every_number_on_the_page_is_that_of_plain_sql_on_the_embedded_default() {
    let shop = Shop::on(Kind::Embedded, "", 20_000);
    compare(&shop);
    shop.stop();
}

#[test]
fn every_number_on_the_page_is_that_of_plain_sql_while_orders_arrive() {
    let shop = Shop::on(Kind::Servers, "", 20_000);
    let live = shop.traffic(2_000);
    let first = shop.epoch();
    crate::support::wait::until("orders are counted", std::time::Duration::from_secs(60), || {
        (shop.epoch() > first).then_some(())
    });
    // The job stands still in the middle of them, wherever it is: so does the store, and orders go on arriving.
    shop.job.signal("STOP");
    compare(&shop);
    shop.job.signal("CONT");
    drop(live);
    shop.stop();
}
