//! The running job against its own log: days that are proven, and rows that are not what the log says; totals that no
//! set of orders can have. On a real Kafka with PostgreSQL, and on files with SQLite.
//!
//! - `days_are_proven_differences_found_and_late_orders_proven_anew`
//! - `a_restart_keeps_what_was_proven`
//! - `what_the_log_lost_is_not_provable`
//! - `what_a_topic_created_anew_lost_is_not_provable`
//! - `an_impossible_total_is_held_back_and_the_job_goes_on`: orders that `--resume-at` passed over are cancelled.
//! - `rows_deleted_by_hand_make_no_impossible_total`: rows deleted by hand in every table, then the order is cancelled.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use support::kafka::{Kafka, Message};
use support::service::Serving;
use support::stores::Fresh;
use support::takings::{Takings, takings};
use support::wait::until;
use takings::store::StoreUrl;

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

const PATIENCE: Duration = Duration::from_secs(240);

/// A record to write: an order's id, and its day, category and amount; `None` cancels it.
type Sent<'a> = (&'a str, Option<(&'a str, &'a str, u32)>);

/// A log and a store that a real job works on.
struct Shop {
    store: Fresh,
    log: Log,
    topic: &'static str,
}

enum Log {
    Kafka,
    Files(tempfile::TempDir),
}

impl Shop {
    /// On Kafka and PostgreSQL, and on files and SQLite.
    fn both(topic: &'static str, partitions: i32) -> [Shop; 2] {
        KAFKA.create_topic(topic, partitions);
        let files = Log::Files(tempfile::tempdir().unwrap());
        [Shop { store: Fresh::postgres(), log: Log::Kafka, topic }, Shop { store: Fresh::sqlite(), log: files, topic }]
    }

    /// The words that name both.
    fn job(&self) -> String {
        let source = match &self.log {
            Log::Kafka => KAFKA.url(),
            Log::Files(folder) => folder.path().display().to_string(),
        };
        let store = match &self.store.url {
            StoreUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
            StoreUrl::Postgres(_) => support::postgres::PostgresServer::shared().url(self.store.database()),
        };
        // A topic's name need not say how it is read.
        format!("--source {source} --store {store} --topics {} --default-currency EUR", self.topic)
    }

    /// Writes records. Returns the offset after each.
    fn write(&self, records: &[Sent<'_>]) -> Vec<u64> {
        let payload = |id: &str, (day, category, amount): (&str, &str, u32)| {
            format!(
                r#"{{"orderId":"{id}","orderDate":"{day}","productCategory":"{category}","productName":"p","totalAmount":{amount},"paymentMethod":"CASH"}}"#
            )
        };
        match &self.log {
            Log::Kafka => {
                let message = |(id, order): &Sent<'_>| match order {
                    Some(order) => Message::new(*id, payload(id, *order)),
                    None => Message::tombstone(*id),
                };
                let messages: Vec<_> = records.iter().map(message).collect();
                KAFKA.produce(self.topic, &messages).iter().map(|placed| placed.offset as u64 + 1).collect()
            }
            Log::Files(folder) => {
                let path = folder.path().join(format!("{}.jsonl", self.topic));
                let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
                let mut ends = Vec::new();
                for (id, order) in records {
                    let value = order.map_or("null".to_owned(), |order| payload(id, order));
                    writeln!(file, r#"{{"key":"{id}","value":{value}}}"#).unwrap();
                    ends.push(file.metadata().unwrap().len());
                }
                ends
            }
        }
    }

    fn serving(&self) -> Serving {
        Serving::of(&self.store.url)
    }
}

/// A day of the audit's answer.
fn day_of(audit: &Value, day: &str) -> Value {
    audit["rows"].as_array().unwrap().iter().find(|row| row["order_date"] == day).cloned().unwrap_or_default()
}

fn audit(serving: &Serving) -> Value {
    let answer = serving.ask("/api/v1/audit", &[]);
    if answer.status == 200 { answer.json() } else { json!({"rows": []}) }
}

/// Waits until a day is as `is` says.
fn until_day(what: &str, serving: &Serving, job: &mut Takings, day: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(format!("{day} {what}"), PATIENCE, || {
        assert!(job.is_running(), "{}", job.log());
        Some(day_of(&audit(serving), day)).filter(&is)
    })
}

fn metric(serving: &Serving, name: &str) -> Option<f64> {
    let text = serving.ask("/metrics", &[]).body;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

const FIRST: &str = "2026-11-20";

#[test]
fn days_are_proven_differences_found_and_late_orders_proven_anew() {
    for shop in Shop::both("proven", 2) {
        shop.write(&[
            ("1", Some((FIRST, "Books", 10))),
            ("2", Some((FIRST, "Toys", 20))),
            ("3", Some(("2026-11-21", "Toys", 30))),
            ("4", Some(("2026-11-22", "Toys", 40))),
            // From one closed day to another, and one that is cancelled.
            ("2", Some(("2026-11-21", "Toys", 25))),
            ("5", Some((FIRST, "Toys", 50))),
            ("5", None),
        ]);
        let mut job = Takings::start(&format!("run {} --workers 2 --audit-every 1s", shop.job()));
        job.wait_for("the store is ours");
        let serving = shop.serving();
        let is_proven = |orders: u64| move |day: &Value| day["state"] == "proven" && day["orders"] == orders;
        until_day("is proven", &serving, &mut job, FIRST, is_proven(1));
        until_day("is proven", &serving, &mut job, "2026-11-21", is_proven(2));
        let answer = audit(&serving);
        assert_eq!(day_of(&answer, "2026-11-22"), Value::Null, "the newest day is open");
        assert_eq!((&answer["proofs"]["days"], &answer["proofs"]["differing"]), (&json!(2), &json!(0)), "{answer}");
        assert!(metric(&serving, "takings_audit_last_proven_timestamp_seconds").unwrap() > 1.7e9);
        let freshness = serving.json("/api/v1/freshness");
        assert_eq!(freshness["partitions"][0]["balanced"], true, "{freshness}");
        assert_eq!(freshness["proofs"]["inconsistent_groups"], 0);
        let balanced = format!("takings_books_balanced{{topic=\"{}\",partition=\"0\"}}", shop.topic);
        assert_eq!(metric(&serving, &balanced), Some(1.0));

        // Behind the job's back, in one table.
        let change = |amount: &str| {
            shop.store
                .execute(&format!("UPDATE sales_per_day SET total_sales = '{amount}' WHERE order_date = '{FIRST}'"));
        };
        change("10.000001");
        let found = until_day("differs", &serving, &mut job, FIRST, |day| day["state"] == "differs");
        let shown = json!({"what": format!("sales_per_day ({FIRST}, EUR)"), "stored": "10.000001 of 1 orders, 1 units",
            "counted": "10.000000 of 1 orders, 1 units"});
        assert_eq!((&found["differences"], &found["shown"][0]), (&json!(1), &shown));
        job.wait_for("the store is not what the log says");
        let log = job.log();
        assert!(log.contains(&format!("sales_per_day ({FIRST}, EUR): stored 10.000001 of 1 orders")), "{log}");
        assert_eq!(metric(&serving, "takings_audit_days{state=\"differs\"}"), Some(1.0));
        let csv = serving.ask("/api/v1/audit.csv?state=differs", &[]).body;
        assert!(csv.lines().count() == 2 && csv.contains(FIRST), "{csv}");
        change("10.000000");
        let proven = until_day("is proven again", &serving, &mut job, FIRST, is_proven(1));

        // A late order: the day changed, and is proven with it.
        shop.write(&[("late", Some((FIRST, "Toys", 5)))]);
        let anew = until_day("is proven with the late order", &serving, &mut job, FIRST, is_proven(2));
        assert!(anew["epoch"].as_u64() > proven["epoch"].as_u64(), "{proven} {anew}");
        job.signal("TERM");
        job.wait().done();
        takings(&format!("audit {}", shop.job())).done();
    }
}

#[test]
fn a_restart_keeps_what_was_proven() {
    for shop in Shop::both("restarted", 1) {
        shop.write(&[("1", Some((FIRST, "Books", 10))), ("2", Some(("2026-11-22", "Books", 10)))]);
        let serving = shop.serving();
        let mut job = Takings::start(&format!("run {} --audit-every 1s", shop.job()));
        job.wait_for("the store is ours");
        until_day("is proven", &serving, &mut job, FIRST, |day| day["state"] == "proven");
        job.kill();
        let before = audit(&serving);
        let mut job = Takings::start(&format!("run {} --audit-every 24h --workers 2", shop.job()));
        job.wait_for("the store is ours");
        shop.write(&[("3", Some(("2026-11-22", "Books", 10)))]);
        until("the next order is counted", PATIENCE, || (serving.json("/api/v1/summary")["orders"] == 3).then_some(()));
        let after = audit(&serving);
        assert_eq!((&after["rows"], &after["proofs"]), (&before["rows"], &before["proofs"]));
        job.signal("TERM");
        job.wait().done();
        // Turned off, it proves nothing.
        takings(&format!("run {} --no-audit --until-caught-up", shop.job())).done();
        assert_eq!(audit(&serving)["rows"], before["rows"]);
    }
}

#[test]
fn what_the_log_lost_is_not_provable() {
    let [shop, _] = Shop::both("lost", 1);
    let kept: Vec<String> = (0..5).map(|id| format!("kept-{id}")).collect();
    let mut records = vec![("gone", Some((FIRST, "Books", 10)))];
    records.extend(kept.iter().map(|id| (id.as_str(), Some(("2026-11-21", "Books", 1)))));
    records.push(("newest", Some(("2026-11-22", "Books", 1))));
    shop.write(&records);
    takings(&format!("run {} --until-caught-up", shop.job())).done();
    KAFKA.delete_records_before("lost", 0, 1);
    is_partly_provable(&shop, "the log lost records (lost/0 starts at offset 1)", 5);
}

#[test]
fn what_a_topic_created_anew_lost_is_not_provable() {
    let [shop, _] = Shop::both("began_anew", 1);
    shop.write(&[("gone", Some((FIRST, "Books", 10)))]);
    takings(&format!("run {} --until-caught-up", shop.job())).done();
    KAFKA.delete_topic("began_anew");
    KAFKA.create_topic("began_anew", 1);
    shop.write(&[("kept", Some(("2026-11-21", "Books", 1))), ("newest", Some(("2026-11-22", "Books", 1)))]);
    takings(&format!("run {} --until-caught-up --resume-at began_anew/0=0", shop.job())).done();
    takings(&format!("audit {}", shop.job())).refused(78, &["not provable", "began_anew/0 began anew after 20"]);
    is_partly_provable(&shop, "the log lost records (began_anew/0 began anew after 20", 1);
}

/// A job finds the first day not provable for this reason, and the next, of so many orders, which the log holds, proven.
fn is_partly_provable(shop: &Shop, why: &str, orders: u32) {
    let serving = shop.serving();
    let mut job = Takings::start(&format!("run {} --audit-every 1s", shop.job()));
    job.wait_for("the store is ours");
    let lost = until_day("is not provable", &serving, &mut job, FIRST, |day| day["state"] == "not_provable");
    let reason = lost["reason"].as_str().unwrap();
    assert!(reason.contains(why), "{reason}");
    let agrees = |day: &Value| day["state"] == "proven" && day["orders"] == orders;
    until_day("is proven", &serving, &mut job, "2026-11-21", agrees);
    job.wait_for("can not be proven");
    job.signal("TERM");
    job.wait().done();
}

/// Sales of a day by category, and of the day, as the API shows them.
fn totals(serving: &Serving, day: &str) -> Vec<String> {
    let rows = |view: &str, name: &str| {
        let answer = serving.json(&format!("/api/v1/{view}?from={day}&to={day}&order=asc"));
        let row = |row: &Value| {
            format!("{} {} {}", row[name].as_str().unwrap(), row["total_sales"].as_str().unwrap(), row["orders"])
        };
        answer["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    [rows("sales_per_category", "category"), rows("sales_per_day", "currency")].concat()
}

/// Which rows of these two views are inconsistent, and what they would be.
fn open(serving: &Serving) -> Vec<String> {
    let answer = serving.json("/api/v1/inconsistent?limit=1000");
    let rows = answer["rows"].as_array().unwrap().iter().filter(|row| row["cured_epoch"].is_null());
    let mut rows: Vec<String> = rows
        .filter(|row| ["sales_per_category", "sales_per_day"].contains(&row["view"].as_str().unwrap()))
        .map(|row| {
            let would_be = &row["would_be"];
            let category = row["key"]["category"].as_str().unwrap_or("-");
            format!(
                "{} {category} {} {}",
                row["view"].as_str().unwrap(),
                would_be["total_sales"].as_str().unwrap(),
                would_be["orders"]
            )
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn an_impossible_total_is_held_back_and_the_job_goes_on() {
    for shop in Shop::both("impossible", 1) {
        let run = format!("run {} --until-caught-up", shop.job());
        shop.write(&[("1", Some((FIRST, "Books", 10)))]);
        takings(&run).done();
        let serving = shop.serving();
        // Someone passes over an order that they take for a mistake...
        let passed = shop.write(&[("2", Some((FIRST, "Toys", 5))), ("9", Some(("2026-11-21", "Toys", 9)))])[0];
        takings(&format!("{run} --resume-at impossible/0={passed}")).done();
        assert_eq!(totals(&serving, FIRST), ["Books 10.000000 1", "EUR 10.000000 1"]);
        // ... someone else's hand makes the store forget that, so that the next run takes it for counted...
        shop.store.execute("UPDATE sources SET passed_over = NULL");
        // ... and it is cancelled later: the log says that it was there, and the totals never had it.
        shop.write(&[("2", None)]);
        let told = takings(&run).done();
        assert!(told.log.contains(&format!("sales_per_category ({FIRST}, Toys, EUR) is inconsistent")), "{}", told.log);
        assert!(told.log.contains(&format!("sales_per_day ({FIRST}, EUR) is inconsistent")), "{}", told.log);
        assert_eq!(totals(&serving, FIRST), ["Books 10.000000 1", "EUR 10.000000 1"], "what stood stands");
        let impossible = ["sales_per_category Toys -5.000000 -1", "sales_per_day - 5.000000 0"];
        assert_eq!(open(&serving), impossible);
        let groups = metric(&serving, "takings_inconsistent_groups").unwrap();
        assert!(groups >= 4.0, "of days, categories, methods and products: {groups}");
        assert_eq!(serving.json("/api/v1/audit")["proofs"]["inconsistent_groups"], json!(groups as u64));
        let audit = takings(&format!("audit {}", shop.job()));
        assert_eq!(audit.code, Some(1), "{}", audit.out);
        assert!(audit.out.contains("Toys, EUR) is inconsistent"), "{}", audit.out);

        // The next run has what this one had: nothing hardens.
        let told = takings(&run).done();
        assert!(told.log.contains("inconsistent since an earlier run"), "{}", told.log);
        assert_eq!((totals(&serving, FIRST).len(), open(&serving)), (2, impossible.map(str::to_owned).to_vec()));
        takings(&format!("check {}", shop.job())).done();

        // With another order the day can be a total, its category can not yet.
        shop.write(&[("3", Some((FIRST, "Toys", 7)))]);
        let told = takings(&format!("{run} --workers 2")).done();
        assert!(told.log.contains(&format!("sales_per_day ({FIRST}, EUR) is a total again")), "{}", told.log);
        assert_eq!(totals(&serving, FIRST), ["Books 10.000000 1", "EUR 12.000000 1"]);
        assert_eq!(open(&serving), ["sales_per_category Toys 2.000000 0"]);
        shop.write(&[("4", Some((FIRST, "Toys", 1)))]);
        takings(&run).done();
        assert_eq!(totals(&serving, FIRST), ["Books 10.000000 1", "Toys 3.000000 1", "EUR 13.000000 2"]);
        assert_eq!(open(&serving), [""; 0]);
        assert_eq!(metric(&serving, "takings_inconsistent_groups"), Some(0.0));
        // What was impossible once stays told, and the audit still says that it is wrong.
        assert!(!serving.json("/api/v1/inconsistent")["rows"].as_array().unwrap().is_empty());
        assert_eq!(takings(&format!("audit {}", shop.job())).code, Some(1));
        // The roll-ups still add up.
        takings(&run).done();
    }
}

#[test]
fn rows_deleted_by_hand_make_no_impossible_total() {
    for shop in Shop::both("by_hand", 1) {
        let run = format!("run {} --until-caught-up", shop.job());
        shop.write(&[("test", Some((FIRST, "Books", 10)))]);
        takings(&run).done();
        for table in ["category", "day", "month", "payment_method", "product"].map(|name| format!("sales_per_{name}")) {
            shop.store.execute(&format!("DELETE FROM {table}"));
        }
        shop.store.execute("DELETE FROM top_products");
        shop.write(&[("test", None)]);
        takings(&run).done();
        let serving = shop.serving();
        assert_eq!(totals(&serving, FIRST), [""; 0]);
        assert_eq!(open(&serving), ["sales_per_category Books -10.000000 -1", "sales_per_day - -10.000000 -1"]);
        // No product leads with less than nothing.
        assert_eq!(serving.json("/api/v1/top_products?period=all")["rows"], json!([]));
        // An inconsistent row that is edited by hand is no base to go on from.
        shop.store.execute(&format!(
            "INSERT INTO sales_per_day (order_date, currency, total_sales, orders, units, epoch)
             VALUES ('{FIRST}', 'EUR', '1.000000', 1, 1, 1)"
        ));
        takings(&run).refused(78, &["sales_per_day", "inconsistent"]);
    }
}
