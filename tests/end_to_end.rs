//! The real binary from a log of orders to totals in a database, on real servers.
//!
//! - `a_shop_is_counted_the_same_everywhere`: generate, run, audit, on Kafka and PostgreSQL and on a
//!   file log and SQLite; both give the totals that the generator knows.
//! - `a_producer_in_python_is_counted_right`: a shop's own code, `json.dumps` and all.
//! - `kept_orders_are_what_is_counted`: `--keep-orders`, across a restart, is the log's newest versions.
//! - `an_older_record_that_comes_late_moves_its_order_for_good`: to its minute, across restarts, orders kept or not.
//! - `aborted_transactions_never_count`: neither do the gaps that they leave stall a job.
//! - `one_bad_record_is_kept_and_the_job_goes_on`; `a_change_of_format_stops_the_job`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use support::kafka::{Kafka, Message};
use support::postgres::PostgresServer;
use support::python::produce;
use support::takings::{Takings, takings};

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

/// A database of its own on the shared server.
fn database() -> (String, String) {
    let server = PostgresServer::shared();
    let name = server.fresh_database();
    (server.url(&name), name)
}

/// Every row of the views in PostgreSQL, as text.
fn rows(database: &str, sql: &str) -> Vec<String> {
    let mut client = PostgresServer::shared().client(database);
    let rows = client.query(&format!("SELECT t::text FROM ({sql}) t"), &[]).expect("the query runs");
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn a_shop_is_counted_the_same_everywhere() {
    let shop = "--orders 30000 --days 60 --seed 11 --until 2026-11-22 --duplicates 0.01 --corrections 0.02 \
                --cancellations 0.005 --invalid 0.001";
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display();
    let (kafka, (store, name)) = (KAFKA.url(), database());
    takings(&format!("generate --to {kafka} --topic everywhere {shop} --report {at}/kafka.json")).done();
    let job = format!("--source {kafka} --topics everywhere --store {store}");
    takings(&format!("run {job} --workers 2 --until-caught-up")).done();
    let audit = takings(&format!("audit {job}")).done();
    assert!(audit.out.contains("no difference"), "{}", audit.out);

    let embedded = format!("--source {at}/log --store sqlite:{at}/totals.db");
    takings(&format!("generate --to {at}/log {shop} --report {at}/files.json")).done();
    takings(&format!("run {embedded} --workers 2 --until-caught-up")).done();
    takings(&format!("audit {embedded}")).done();
    takings(&format!("check {embedded}")).done();

    let sqlite = rusqlite::Connection::open(folder.path().join("totals.db")).expect("the store");
    for (view, key) in [
        ("sales_per_category", "order_date, category, currency"),
        ("sales_per_day", "order_date, currency"),
        ("sales_per_month", "year, month, currency"),
        ("sales_per_payment_method", "order_date, payment_method, currency"),
    ] {
        let columns = format!("{key}, total_sales, orders, units").replace(", ", " || ',' || ");
        let mut statement = sqlite.prepare(&format!("SELECT {columns} FROM {view} ORDER BY 1")).expect("a view");
        let mut in_sqlite: Vec<String> =
            statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("text");
        let mut client = PostgresServer::shared().client(&name);
        let mut in_postgres: Vec<String> = client
            .query(&format!("SELECT {columns} FROM {view}"), &[])
            .expect("a view")
            .iter()
            .map(|row| row.get(0))
            .collect();
        in_sqlite.sort();
        in_postgres.sort();
        assert!(!in_postgres.is_empty() && in_sqlite == in_postgres, "{view} differs between the stores");
    }
    // The audit shares no code with the job, but both read the log; the generator knows what it meant.
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("kafka.json")).expect("a report")).expect("JSON");
    for total in report["totals"].as_array().expect("totals by currency") {
        let text = |field: &str| total[field].as_str().expect("text");
        let found = rows(
            &name,
            &format!(
                "SELECT sum(total_sales) = '{}'::numeric AND sum(orders) = {} AND sum(units) = {}
                 FROM sales_per_month WHERE currency = '{}'",
                text("total_sales"),
                total["orders"],
                total["units"],
                text("currency")
            ),
        );
        assert_eq!(found, ["(t)"], "{total}");
    }
}

#[test]
fn a_producer_in_python_is_counted_right() {
    KAFKA.create_topic("python", 3);
    let truth = produce("product_sold.py", &KAFKA, "python", 4_000, 7);
    let (store, name) = database();
    takings(&format!("run --source {} --topics python --store {store} --until-caught-up", KAFKA.url())).done();
    let expected: BTreeMap<String, String> = truth["totals"]
        .as_array()
        .expect("totals")
        .iter()
        .map(|total| {
            let text = |field: &str| total[field].as_str().expect("text").to_owned();
            (
                format!("{}/{}/{}", text("order_date"), text("category"), text("currency")),
                format!("{}/{}/{}", text("total_sales"), total["orders"], total["units"]),
            )
        })
        .collect();
    let mut client = PostgresServer::shared().client(&name);
    let found: BTreeMap<String, String> = client
        .query(
            "SELECT order_date || '/' || category || '/' || currency, total_sales || '/' || orders || '/' || units
             FROM sales_per_category",
            &[],
        )
        .expect("the view")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(found, expected);
    let resent = rows(&name, "SELECT sum(duplicates) FROM sources");
    let sent = truth["sent"].as_u64().expect("a number") - truth["orders"].as_u64().expect("a number");
    assert_eq!(resent, [format!("({sent})")]);
}

#[test]
fn kept_orders_are_what_is_counted() {
    let (kafka, (store, name)) = (KAFKA.url(), database());
    let job = format!("run --source {kafka} --topics kept --store {store} --keep-orders --until-caught-up --workers 2");
    let shop = "--orders 4000 --days 30 --corrections 0.05 --cancellations 0.05 --duplicates 0.02";
    takings(&format!("generate --to {kafka} --topic kept {shop} --seed 1")).done();
    takings(&job).done();
    // The same ids again, with the corrections of another shop: the second run knows them from `orders` alone.
    takings(&format!("generate --to {kafka} --topic kept {shop} --seed 1")).done();
    takings(&format!("generate --to {kafka} --topic kept {shop} --seed 2")).done();
    let second = takings(&job).done();
    assert!(!second.log.contains("replayed"), "kept orders make a replay needless:\n{}", second.log);
    takings(&format!("audit --source {kafka} --topics kept --store {store}")).done();
    let differing = rows(
        &name,
        "SELECT business_day, coalesce(product_category, 'unlisted'), currency, sum(total_amount), count(*), sum(product_quantity)
         FROM orders GROUP BY 1, 2, 3
         EXCEPT SELECT order_date, category, currency, total_sales, orders, units FROM sales_per_category",
    );
    assert_eq!(differing, [""; 0]);
    assert_eq!(rows(&name, "SELECT count(*) > 0 FROM cancelled_orders"), ["(t)"]);
}

fn order(id: &str, amount: &str) -> Message {
    let payload = format!(
        r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": {amount}, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
    );
    Message::new(id, payload)
}

#[test]
fn an_older_record_that_comes_late_moves_its_order_for_good() {
    for keep in ["", " --keep-orders"] {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        std::fs::create_dir(at.join("log")).expect("a folder");
        let line = |id: &str, minute: i64, amount: u32| {
            format!(
                "{{\"key\":\"{id}\",\"value\":{{\"orderId\":\"{id}\",\"orderDate\":\"2026-03-02\",\"totalAmount\":{amount}}},\
                 \"timestamp\":{}}}\n",
                1_772_438_400_000i64 + minute * 60_000
            )
        };
        let run = format!("run --source {0}/log --store sqlite:{0}/totals.db --until-caught-up{keep}", at.display());
        let minutes = || {
            let sqlite = rusqlite::Connection::open(at.join("totals.db")).expect("the store");
            let rows =
                "SELECT substr(minute, 15, 2) || ' ' || orders || ' ' || total_sales FROM orders_per_minute ORDER BY 1";
            let mut statement = sqlite.prepare(rows).expect("a view");
            statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<Vec<String>, _>>().expect("text")
        };
        let write = |partition: u16, lines: String| {
            std::fs::write(at.join(format!("log/product_sold-{partition}.jsonl")), lines).expect("written");
        };
        write(0, line("a", 10, 7) + &line("b", 10, 5));
        takings(&run).done();
        assert_eq!(minutes(), ["10 2 12.000000"]);
        // Older versions, one of them with the same content: neither changes its order.
        write(1, line("a", 3, 1) + &line("b", 4, 5));
        takings(&run).done();
        let moved = ["03 1 7.000000", "04 1 5.000000"];
        assert_eq!(minutes(), moved, "{keep}");
        write(2, line("c", 11, 2));
        takings(&run).done();
        assert_eq!(minutes(), [moved[0], moved[1], "11 1 2.000000"], "after a restart{keep}");
    }
}

#[test]
fn aborted_transactions_never_count() {
    KAFKA.create_topic("transactional", 1);
    KAFKA.produce("transactional", &[order("1", "10.50")]);
    let aborted = KAFKA.transaction("aborts");
    aborted.produce("transactional", &[order("2", "1000"), order("1", "99")]);
    aborted.abort();
    let committed = KAFKA.transaction("commits");
    committed.produce("transactional", &[order("3", "0.25")]);
    committed.commit();
    let last = KAFKA.transaction("aborts again");
    last.produce("transactional", &[order("4", "1000")]);
    last.abort();
    let (store, name) = database();
    let job = format!("--source {} --topics transactional --store {store}", KAFKA.url());
    takings(&format!("run {job} --until-caught-up")).done();
    takings(&format!("run {job} --until-caught-up")).done();
    assert_eq!(rows(&name, "SELECT total_sales, orders FROM sales_per_day"), ["(10.750000,2)"]);
    takings(&format!("audit {job}")).done();
}

#[test]
fn one_bad_record_is_kept_and_the_job_goes_on() {
    KAFKA.create_topic("bad", 1);
    let bytes = b"{\"orderId\": \"\xff\", \"totalAmount\": 1}\0".to_vec();
    KAFKA.produce(
        "bad",
        &[order("1", "1.00"), Message::new("k", bytes.clone()), order("2", "2.00"), order("3", "\"many\"")],
    );
    let (store, name) = database();
    takings(&format!("run --source {} --topics bad --store {store} --until-caught-up", KAFKA.url())).done();
    assert_eq!(rows(&name, "SELECT sum(total_sales) FROM sales_per_day"), ["(3.000000)"]);
    let mut client = PostgresServer::shared().client(&name);
    let rejected = client.query(r#"SELECT "offset", payload, reason FROM rejected ORDER BY 1"#, &[]).expect("rejected");
    assert_eq!((rejected[0].get::<_, i64>(0), rejected[0].get::<_, Vec<u8>>(1)), (1, bytes));
    let reason: String = rejected[1].get(2);
    assert!(reason.contains("totalAmount"), "{reason}");
    assert_eq!(rows(&name, "SELECT read, applied, rejected FROM sources"), ["(4,2,2)"]);
}

#[test]
fn a_change_of_format_stops_the_job() {
    KAFKA.create_topic("changed", 1);
    let good: Vec<Message> = (0..1_000).map(|id| order(&id.to_string(), "1.00")).collect();
    let new = |id: &usize| Message::new(id.to_string(), format!(r#"{{"id": {id}, "total": 1}}"#));
    KAFKA.produce("changed", &good);
    let (store, name) = database();
    let job = format!("run --source {} --topics changed --store {store}", KAFKA.url());
    takings(&format!("{job} --until-caught-up")).done();
    KAFKA.produce("changed", &(0..2_000).map(|id| new(&id)).collect::<Vec<_>>());
    takings(&format!("{job} --until-caught-up"))
        .refused(78, &["changed", "could not be read", "orderId", "--max-rejected-share"]);
    assert_eq!(rows(&name, "SELECT sum(read) <= 1501 AND sum(applied) = 1000 FROM sources"), ["(t)"]);
    // Told to, it goes on, and nothing is lost: each of them is in `rejected`.
    takings(&format!("{job} --until-caught-up --max-rejected-share 1")).done();
    assert_eq!(rows(&name, "SELECT count(*) FROM rejected"), ["(2000)"]);
    assert_eq!(rows(&name, "SELECT read, applied, rejected FROM sources"), ["(3000,1000,2000)"]);
}

#[test]
fn a_stop_commits_what_was_read() {
    let (kafka, (store, name)) = (KAFKA.url(), database());
    takings(&format!("generate --to {kafka} --topic stopped --orders 3000 --seed 3")).done();
    let job = format!("--source {kafka} --topics stopped --store {store}");
    let mut running = Takings::start(&format!("run {job} --workers 2"));
    support::wait::until("the first commit", std::time::Duration::from_secs(60), || {
        assert!(running.is_running(), "{}", running.log());
        let mut client = PostgresServer::shared().client(&name);
        client.query_one("SELECT 1 FROM sources WHERE read > 0 LIMIT 1", &[]).ok()
    });
    running.signal("TERM");
    let ended = running.wait().done();
    assert!(ended.log.contains("all that was read is committed"), "{}", ended.log);
    takings(&format!("audit {job}")).done();
}

#[test]
fn a_partition_added_while_running_is_read() {
    KAFKA.create_topic("grows", 1);
    KAFKA.produce("grows", &[order("1", "1.00")]);
    let (store, name) = database();
    let mut running = Takings::start(&format!("run --source {} --topics grows --store {store}", KAFKA.url()));
    running.wait_for("the store is ours");
    KAFKA.add_partitions("grows", 2);
    KAFKA.produce("grows", &[order("2", "2.00").in_partition(1)]);
    running.wait_for("has a new partition");
    support::wait::until("both orders are counted", std::time::Duration::from_secs(60), || {
        assert!(running.is_running(), "{}", running.log());
        (rows(&name, "SELECT sum(total_sales) FROM sales_per_day") == ["(3.000000)"]).then_some(())
    });
    running.signal("TERM");
    running.wait().done();
}
