//! The SQL files that readers are given: each runs, on both stores where it can, with the right result.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::postgres::PostgresServer;
use support::products::Products;
use support::stores::{Fresh, category_key, changed, commit, day, day_key, gone, new, partition, total};
use takings::store::commit::{KeptContent, KeptOrder, Rejected};
use takings::store::{Commit, Outcome, PartitionState, ProvenDay};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Month;
use takings_dataflows::order::{Contribution, Fact, OrderDetails};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::ViewKey;

/// What each query must give on the shop below.
const EXPECTED: [(&str, &[&str]); 12] = [
    (
        "best_days",
        &[
            "EUR 1 2026-11-23 100.000000 9",
            "EUR 2 2026-11-24 100.000000 1",
            "EUR 3 2026-11-22 9.500000 2",
            "FCFA 1 2026-11-22 2500.000000 1",
            "FCFA 2 2026-11-23 -500.000000 1",
        ],
    ),
    ("category_share", &["EUR books 75.000001 75.00", "EUR toys 25.000000 25.00", "USD unlisted -1.000000 100.00"]),
    (
        "month_over_month",
        &[
            "EUR 2025 12 80.000000 - -",
            "EUR 2026 1 100.000000 20.000000 25.0",
            "EUR 2026 2 0.000000 -100.000000 -100.0",
            "EUR 2026 3 0.000001 0.000001 -",
        ],
    ),
    ("best_sellers", &["EUR 1 café 7.000000 7", "EUR 2 Teapot 6.000000 6"]),
    ("best_seller_ratings", &["EUR 3 2 4 4.00"]),
    (
        "busiest_minutes",
        &[
            "EUR 1 2026-11-23 00:00 3 3.000000",
            "EUR 2 2026-11-22 23:59 2 2.000000",
            "EUR 3 2026-11-23 00:02 1 1.000000",
        ],
    ),
    ("payment_methods", &["EUR CASH_ON_DELIVERY 5 10", "EUR CREDIT_CARD 4 8"]),
    (
        "category_payments",
        &[
            "EUR books CREDIT_CARD 1 2",
            "EUR toys CASH_ON_DELIVERY 6 12",
            "EUR toys CREDIT_CARD 2 4",
            "USD toys CASH_ON_DELIVERY 1 2",
        ],
    ),
    ("changed_since", &["2 went 2026-11-24 gone EUR - -", "2 changed 2026-11-22 toys EUR 25.000000 1"]),
    ("books", &["product_sold 12 7 5 0 0 0 0 0 0"]),
    (
        "rejected_reasons",
        &["product_sold field totalAmount: not a decimal number 2 0 5", "product_sold not JSON 1 1 9"],
    ),
    (
        "unproven_days",
        &[
            "2026-11-22 changed 0 -",
            "2026-11-24 differs 2 -",
            "2026-11-25 unproven - -",
            "2026-11-26 not_provable 1 the log lost it",
        ],
    ),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(name)
}

/// A small shop, in two epochs.
fn shop(fresh: &Fresh) {
    let month = |year, month| ViewKey::Month { month: Month { year, month }, currency: Symbol::new("EUR") };
    let paid = |after, method| ViewKey::PaymentMethod {
        day: day(after),
        payment_method: Symbol::new(method),
        currency: Symbol::new("EUR"),
    };
    let fact = |after, category, method, currency| ViewKey::Facts {
        day: day(after),
        category: Symbol::new(category),
        payment_method: Symbol::new(method),
        currency: Symbol::new(currency),
    };
    let rejected = |partition, offset, reason: &str| Rejected {
        topic: "product_sold".to_owned(),
        partition,
        offset,
        key: None,
        payload: None,
        reason: reason.to_owned(),
    };
    let amount = "field totalAmount: not a decimal number";
    let mut store = fresh.acquired();
    let totals = vec![
        new(day_key(0, "EUR"), total(9_500_000, 2)),
        new(day_key(1, "EUR"), total(100_000_000, 9)),
        new(day_key(2, "EUR"), total(100_000_000, 1)),
        new(day_key(3, "EUR"), total(9_000_000, 1)),
        new(day_key(4, "EUR"), total(8_000_000, 1)),
        new(day_key(0, "FCFA"), total(2_500_000_000, 1)),
        new(day_key(1, "FCFA"), total(-500_000_000, 1)),
        new(category_key(0, "toys", "EUR"), total(1, 1)),
        new(category_key(1, "books", "EUR"), total(75_000_001, 1)),
        new(category_key(2, "gone", "EUR"), total(1, 1)),
        new(category_key(30, "toys", "EUR"), total(1, 1)),
        new(category_key(0, "unlisted", "USD"), total(-1_000_000, 1)),
        new(month(2025, 12), total(80_000_000, 1)),
        new(month(2026, 1), total(100_000_000, 1)),
        new(month(2026, 2), total(0, 1)),
        new(month(2026, 3), total(1, 1)),
        new(paid(0, "CREDIT_CARD"), total(1, 4)),
        new(paid(0, "CASH_ON_DELIVERY"), total(1, 3)),
        new(paid(1, "CASH_ON_DELIVERY"), total(1, 2)),
        new(fact(0, "toys", "CREDIT_CARD", "EUR"), total(1, 2)),
        new(fact(0, "toys", "CASH_ON_DELIVERY", "EUR"), total(1, 2)),
        new(fact(1, "toys", "CASH_ON_DELIVERY", "EUR"), total(1, 4)),
        new(fact(1, "toys", "CASH_ON_DELIVERY", "USD"), total(1, 1)),
        new(fact(1, "books", "CREDIT_CARD", "EUR"), total(1, 1)),
        new(fact(30, "books", "CREDIT_CARD", "EUR"), total(1, 7)),
    ];
    let partitions: Vec<PartitionState> = vec![partition(0, 7), partition(1, 5)];
    let rejected = vec![rejected(0, 5, amount), rejected(1, 6, amount), rejected(1, 9, "not JSON")];
    store.commit(&Commit { partitions, rejected, ..commit(1, totals) }).unwrap();
    let totals =
        vec![changed(category_key(0, "toys", "EUR"), total(25_000_000, 1)), gone(category_key(2, "gone", "EUR"))];
    store.commit(&commit(2, totals)).unwrap();
    let proven = |after, outcome, epoch, differences, reason: Option<&str>| ProvenDay {
        day: day(after),
        outcome,
        at: chrono::DateTime::UNIX_EPOCH,
        epoch,
        orders: 1,
        rows: 1,
        differences,
        shown: Vec::new(),
        reason: reason.map(str::to_owned),
    };
    let verdicts = [
        proven(0, Outcome::Proven, 1, 0, None),
        proven(1, Outcome::Proven, 2, 0, None),
        proven(2, Outcome::Differs, 2, 2, None),
        proven(4, Outcome::NotProvable, 2, 1, Some("the log lost it")),
    ];
    store.prove(&verdicts).unwrap();
}

/// Runs every query on a store; where there is a form for SQLite, that one there.
fn run_all(fresh: &Fresh) {
    shop(fresh);
    let products = Products::in_epoch_1(fresh);
    // One that no one rated, one of another month, and a busy minute of long ago.
    products.rank("2026-10", 1, "1001", 99, 1);
    products.rank("all", 3, "unrated", 1, 1);
    products.minute("2026-11-21T23:00", 99, 1);
    for (name, expected) in EXPECTED {
        let of_sqlite = folder("queries").join(format!("{name}.sqlite.sql"));
        let portable = folder("queries").join(format!("{name}.sql"));
        let file = if !fresh.is_postgres() && of_sqlite.exists() { of_sqlite } else { portable };
        let sql = fs::read_to_string(&file).expect("it is there").replace(":epoch", "1");
        let rows: Vec<String> = fresh
            .texts(&sql)
            .into_iter()
            .map(|row| row.into_iter().map(|text| text.unwrap_or("-".to_owned())).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(rows, expected, "{}", file.display());
    }
}

#[test]
fn every_query_answers_right_on_postgres() {
    run_all(&Fresh::postgres());
}

#[test]
fn every_query_answers_right_on_sqlite() {
    run_all(&Fresh::sqlite());
}

#[test]
fn every_query_has_a_result_to_meet_and_a_line_in_the_readme() {
    let readme = fs::read_to_string(folder("queries/README.md")).unwrap();
    let files: BTreeSet<String> = fs::read_dir(folder("queries"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".sql").map(|name| name.trim_end_matches(".sqlite").to_owned()))
        .collect();
    assert_eq!(files, EXPECTED.map(|(name, _)| name.to_owned()).into_iter().collect());
    for name in files {
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_flink_job_s_readers_find_what_they_knew() {
    let fresh = Fresh::postgres();
    shop(&fresh);
    let kept = |order_id: &str, currency: &str| KeptOrder {
        topic: "product_sold".to_owned(),
        order_id: order_id.to_owned(),
        partition: 0,
        incarnation: 0,
        offset: 3,
        timestamp: 0,
        first_timestamp: 0,
        current: Some(KeptContent {
            contribution: Contribution {
                fact: Fact {
                    day: day(0),
                    category: Some(Symbol::new("toys")),
                    payment_method: Symbol::new("CREDIT_CARD"),
                    currency: Symbol::new(currency),
                },
                product: Symbol::new("Top"),
                amount: Amount::from_micros(12_500_000),
                units: 5,
            },
            details: OrderDetails {
                product_id: "p1".to_owned(),
                product_name: Some("Top".to_owned()),
                product_brand: None,
                product_price: Some(Amount::from_micros(2_500_000)),
                customer_id: Some("ann".to_owned()),
                ordered_at: i64::from(day(0).epoch_days()) * 86_400_000_000 + 1_500_000,
            },
            fingerprint: 0,
        }),
    };
    let mut store = fresh.acquired();
    store.commit(&Commit { orders: vec![kept("o1", "EUR"), kept("o2", "USD")], ..commit(3, vec![]) }).unwrap();

    let views = fs::read_to_string(folder("compat/flink.sql")).unwrap();
    fresh.execute(&views);
    let query = |sql: &str| -> Vec<String> {
        let rows = fresh.texts(&format!("SET search_path = compat; {sql}"));
        rows.into_iter()
            .map(|row| row.into_iter().map(|text| text.unwrap_or("-".to_owned())).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(query("SELECT order_id FROM transactions"), ["o2"]);
    // The one place, chosen again; and the script, run again, keeps the choice.
    fresh.execute("CREATE OR REPLACE FUNCTION compat.currency() RETURNS text LANGUAGE sql IMMUTABLE RETURN 'EUR'");
    fresh.execute(&views);
    assert_eq!(
        query("SELECT * FROM transactions"),
        ["o1 p1 Top toys 2.500000 5 - 12.500000 EUR ann 2026-11-22 00:00:01.5 CREDIT_CARD"]
    );
    assert_eq!(
        query("SELECT * FROM sales_per_category WHERE order_date < '2026-11-24' ORDER BY total_sales"),
        ["2026-11-22 toys 25.000000", "2026-11-23 books 75.000001"]
    );
    assert_eq!(query("SELECT * FROM sales_per_day ORDER BY order_date LIMIT 1"), ["2026-11-22 9.500000"]);
    assert_eq!(query("SELECT * FROM sales_per_month ORDER BY year, month LIMIT 1"), ["2025 12 80.000000"]);
    let types = "SELECT column_name, data_type FROM information_schema.columns
                 WHERE table_schema = 'compat' AND column_name IN ('order_date', 'year') AND table_name <> 'sales_per_category'
                 ORDER BY table_name";
    assert_eq!(query(types), ["order_date date", "year integer", "order_date timestamp without time zone"]);
}

#[test]
fn a_reader_can_read_and_nothing_else() {
    let server = PostgresServer::start();
    let fresh = Fresh::on(server.clone());
    shop(&fresh);
    let roles = fs::read_to_string(folder("postgres/roles.sql")).unwrap();
    fresh.execute(&roles);
    fresh.execute(&roles);
    fresh.execute("CREATE ROLE dashboard LOGIN IN ROLE takings_reader; CREATE TABLE later (id integer)");
    fresh.execute(&fs::read_to_string(folder("compat/flink.sql")).unwrap());
    let url = server.url(fresh.database()).replace("takings@", "dashboard@");
    let mut reader = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    reader.batch_execute("LISTEN takings").unwrap();
    for table in [
        "job",
        "sales_per_day",
        "top_products",
        "views",
        "removals",
        "orders",
        "takings_schema_history",
        "later",
        "compat.transactions",
    ] {
        reader.batch_execute(&format!("SELECT * FROM {table}")).expect(table);
    }
    for write in ["DELETE FROM sales_per_day", "UPDATE job SET epoch = 0", "CREATE TABLE mine (id integer)"] {
        let refused = reader.batch_execute(write).unwrap_err();
        assert_eq!(refused.code(), Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{write}");
    }
}
