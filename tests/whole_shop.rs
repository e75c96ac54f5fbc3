//! The second family of events on real servers: plain transactions, a catalogue that changes, ratings.
//!
//! - `plain_producers_are_counted_right`: three producers in Python, as simple as they come, against what they say
//!   that they sent: revenue, totals by category after each product moved several times, best sellers, ratings,
//!   volume; while one job runs, and again after a restart with more workers.
//! - `a_listing_that_comes_late_moves_the_past`: a sale is `unlisted` until its product is listed, moves with it, and
//!   is `unlisted` again when the listing is withdrawn.
//! - `a_view_switched_on_later_is_filled_from_the_log`: and says from when on it is complete.
//! - `views_that_are_filled_from_a_log_that_lost_some_start_again`: by retention, since it began anew, or since a
//!   correction window forgot it, views that are switched on later count less, or otherwise, than those before them.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use support::kafka::{Kafka, Message};
use support::postgres::PostgresServer;
use support::python::produce;
use support::takings::{Takings, takings};
use support::wait;
use takings_dataflows::amount::Amount;

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

const TOPICS: &str = "transactions,product_listings,feedback";

/// The view that must be named, too.
const ALL_VIEWS: &str = "--views default,sales_facts";

/// A database of its own on the shared server.
fn database() -> (String, String) {
    let server = PostgresServer::shared();
    let name = server.fresh_database();
    (server.url(&name), name)
}

/// The rows of a query, each column as text.
fn rows(database: &str, sql: &str) -> Vec<Vec<String>> {
    let answers = PostgresServer::shared().client(database).simple_query(sql).expect(sql);
    let rows = answers.into_iter().filter_map(|answer| match answer {
        postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("null").to_owned()).collect()).collect()
}

/// What the three producers say that they sent.
struct Truth {
    /// Product and day to total and orders.
    sold: BTreeMap<(String, String), (Amount, i64)>,
    /// Product to category, name and price.
    catalogue: BTreeMap<String, (Option<String>, String, Amount)>,
    /// Product to how many of each number of stars.
    stars: BTreeMap<String, Vec<i64>>,
    sent: u64,
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

impl Truth {
    fn of(transactions: &Value, listings: &Value, feedback: &Value) -> Truth {
        let each = |value: &Value, name: &str| value[name].as_array().expect("a list").clone();
        let sold = each(transactions, "sold").into_iter().map(|row| {
            let total = text(&row["total_sales"]).parse().expect("an amount");
            ((text(&row["product"]), text(&row["day"])), (total, row["orders"].as_i64().expect("a number")))
        });
        let catalogue = each(listings, "catalogue").into_iter().map(|row| {
            let category = row["category"].as_str().map(str::to_owned);
            let price = text(&row["price"]).parse().expect("an amount");
            (text(&row["product"]), (category, text(&row["name"]), price))
        });
        let stars = each(feedback, "rated").into_iter().map(|row| {
            let counts = row["stars"].as_array().expect("a list").iter();
            (text(&row["product"]), counts.map(|count| count.as_i64().expect("a number")).collect())
        });
        let sent = [transactions, listings, feedback].map(|truth| truth["sent"].as_u64().expect("a number"));
        Truth { sold: sold.collect(), catalogue: catalogue.collect(), stars: stars.collect(), sent: sent.iter().sum() }
    }

    /// Sums of sales by whatever `by` makes of product and day.
    fn sums(&self, by: impl Fn(&str, &str) -> String) -> BTreeMap<String, (Amount, i64)> {
        let mut sums: BTreeMap<String, (Amount, i64)> = BTreeMap::new();
        for ((product, day), (total, orders)) in &self.sold {
            let sum = sums.entry(by(product, day)).or_default();
            sum.0 += *total;
            sum.1 += orders;
        }
        sums
    }

    /// Compares every view with what was sent.
    fn check(&self, name: &str) {
        let totals = |sql: &str| -> BTreeMap<String, (Amount, i64)> {
            let read = |row: Vec<String>| (row[0].clone(), (row[1].parse().unwrap(), row[2].parse().unwrap()));
            rows(name, sql).into_iter().map(read).collect()
        };
        let category = |product: &str| {
            self.catalogue.get(product).and_then(|(category, ..)| category.clone()).unwrap_or("unlisted".to_owned())
        };
        assert_eq!(
            totals("SELECT currency, sum(total_sales), sum(orders) FROM sales_per_day GROUP BY 1"),
            self.sums(|_, _| "USD".to_owned()),
            "revenue"
        );
        assert_eq!(
            totals("SELECT order_date || '/' || category, total_sales, orders FROM sales_per_category"),
            self.sums(|product, day| format!("{day}/{}", category(product))),
            "categories"
        );
        // A transaction says nothing of how it was paid.
        let facts =
            "SELECT order_date || '/' || category || '/' || payment_method, total_sales, orders FROM sales_facts";
        assert_eq!(totals(facts), self.sums(|product, day| format!("{day}/{}/unknown", category(product))), "facts");
        assert_eq!(
            totals("SELECT order_date || '/' || product, total_sales, orders FROM sales_per_product"),
            self.sums(|product, day| format!("{day}/{product}")),
            "products"
        );
        let volume = rows(name, "SELECT sum(orders), sum(total_sales) FROM orders_per_minute");
        let all = self.sums(|_, _| String::new())[""];
        assert_eq!(volume, [[all.1.to_string(), all.0.to_string()]], "volume: everything was sent just now");

        type Periods = [(&'static str, fn(&str) -> String); 3];
        let periods: Periods =
            [("all", |_| "all".to_owned()), ("month", |day| day[..7].to_owned()), ("day", |day| day.to_owned())];
        for (kind, period) in periods {
            let mut best: BTreeMap<String, Vec<(Amount, String, i64)>> = BTreeMap::new();
            for (key, (total, orders)) in self.sums(|product, day| format!("{}/{product}", period(day))) {
                let (period, product) = key.split_once('/').expect("both");
                best.entry(period.to_owned()).or_default().push((total, product.to_owned(), orders));
            }
            let mut expected = Vec::new();
            for (period, mut products) in best {
                products.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
                for ((total, product, orders), rank) in products.into_iter().take(10).zip(1..) {
                    let (total, orders) = (total.to_string(), orders.to_string());
                    expected.push(vec![period.clone(), rank.to_string(), product, total, orders]);
                }
            }
            let condition = ["all", "month", "day"].into_iter().zip(["= 3", "= 7", "= 10"]);
            let (_, length) = condition.into_iter().find(|(known, _)| *known == kind).expect("one of them");
            let found = rows(
                name,
                &format!(
                    "SELECT period, rank, product, total_sales, orders FROM top_products
                     WHERE length(period) {length} ORDER BY period COLLATE \"C\", rank"
                ),
            );
            assert_eq!(found, expected, "best sellers by {kind}");
        }

        let ratings: Vec<Vec<String>> = self
            .stars
            .iter()
            .map(|(product, stars)| {
                let ratings: i64 = stars.iter().sum();
                let mut row = vec![product.clone(), ratings.to_string()];
                row.extend(stars.iter().map(i64::to_string));
                row
            })
            .collect();
        let found =
            rows(name, "SELECT product, ratings, ones, twos, threes, fours, fives FROM ratings_per_product ORDER BY 1");
        assert_eq!(found, ratings, "ratings");
        let odd = "SELECT product FROM ratings_per_product WHERE average !=
                   round((ones + 2 * twos + 3 * threes + 4 * fours + 5 * fives)::numeric / ratings, 6)";
        assert!(rows(name, odd).is_empty(), "averages");

        let catalogue: Vec<Vec<String>> = self
            .catalogue
            .iter()
            .map(|(product, (category, name, price))| {
                vec![product.clone(), name.clone(), category.clone().unwrap_or("null".to_owned()), price.to_string()]
            })
            .collect();
        assert_eq!(
            rows(name, "SELECT product, name, category, price FROM products ORDER BY 1"),
            catalogue,
            "catalogue"
        );
    }
}

#[test]
fn plain_producers_are_counted_right() {
    for topic in TOPICS.split(',') {
        KAFKA.create_topic(topic, 3);
    }
    let (store, name) = database();
    let job = format!("--source {} --topics {TOPICS} --store {store} {ALL_VIEWS}", KAFKA.url());
    // Sales first, then a catalogue that changes while the job runs: what was sold moves with it.
    let mut running = Takings::start(&format!("run {job}"));
    running.wait_for("the store is ours");
    let transactions = produce("transactions.py", &KAFKA, "transactions", 3_000, 1);
    let feedback = produce("feedback.py", &KAFKA, "feedback", 1_500, 2);
    let listings = produce("product_listings.py", &KAFKA, "product_listings", 500, 3);
    let truth = Truth::of(&transactions, &listings, &feedback);
    wait::until("everything is read", Duration::from_secs(60), || {
        assert!(running.is_running(), "{}", running.log());
        (rows(&name, "SELECT coalesce(sum(read), 0) FROM sources") == [[truth.sent.to_string()]]).then_some(())
    });
    truth.check(&name);
    assert_eq!(rows(&name, "SELECT sum(rejected), sum(other) FROM sources"), [["0", "0"]]);
    running.signal("TERM");
    running.wait().done();
    takings(&format!("audit {job}")).done();

    // From the log alone, with more workers, and on the other store: the same.
    takings(&format!("run {job} --workers 3 --until-caught-up")).done();
    truth.check(&name);
    let (again, again_name) = database();
    let job = format!("--source {} --topics {TOPICS} --store {again} {ALL_VIEWS}", KAFKA.url());
    takings(&format!("run {job} --workers 2 --until-caught-up")).done();
    truth.check(&again_name);
    takings(&format!("audit {job}")).done();
}

fn sale(id: u64, product: u64, amount: &str) -> Message {
    let payload = format!(
        r#"{{"transaction_id": {id}, "product_id": {product}, "amount": {amount}, "timestamp": "2026-11-{:02}T10:00:00"}}"#,
        id % 28 + 1
    );
    Message::new("", payload)
}

fn listing(product: u64, category: &str) -> Message {
    Message::new(product.to_string(), format!(r#"{{"product_id": {product}, "category": "{category}", "price": 1.5}}"#))
}

/// Waits until all records of the three topics are committed.
fn committed(name: &str, records: u64, running: &mut Takings) {
    // Before that a new store has no tables.
    running.wait_for("the store is ours");
    wait::until(format!("{records} records are committed"), Duration::from_secs(60), || {
        assert!(running.is_running(), "{}", running.log());
        (rows(name, "SELECT coalesce(sum(read), 0) FROM sources") == [[records.to_string()]]).then_some(())
    });
}

#[test]
fn a_listing_that_comes_late_moves_the_past() {
    let topics = ["late_sales", "late_listings"];
    topics.iter().for_each(|topic| KAFKA.create_topic(topic, 1));
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("takings.toml");
    let formats =
        "[mapping.late_sales]\nformat = \"transactions\"\n[mapping.late_listings]\nformat = \"product_listings\"\n";
    std::fs::write(&mapping, formats).unwrap();
    let (store, name) = database();
    let job = format!(
        "--source {} --topics {} --store {store} --config {} {ALL_VIEWS}",
        KAFKA.url(),
        topics.join(","),
        mapping.display()
    );
    let mut running = Takings::start(&format!("run {job}"));
    let categories = || {
        let sums =
            |view: &str| rows(&name, &format!("SELECT category, sum(total_sales), sum(orders) FROM {view} GROUP BY 1"));
        assert_eq!(sums("sales_facts"), sums("sales_per_category"));
        sums("sales_per_category")
    };
    let all_in = |category: &str| [[category.to_owned(), "30.750000".to_owned(), "3".to_owned()]];

    KAFKA.produce(topics[0], &[sale(1, 7, "10.25"), sale(2, 7, "10.25"), sale(3, 7, "10.25")]);
    committed(&name, 3, &mut running);
    assert_eq!(categories(), all_in("unlisted"));
    KAFKA.produce(topics[1], &[listing(7, "Tea")]);
    committed(&name, 4, &mut running);
    assert_eq!(categories(), all_in("Tea"));
    // Only what the listing changed was written.
    assert_eq!(rows(&name, "SELECT count(DISTINCT epoch) FROM sales_per_product"), [["1"]]);
    KAFKA.produce(topics[1], &[listing(7, "Herbs")]);
    committed(&name, 5, &mut running);
    assert_eq!(categories(), all_in("Herbs"));
    running.kill();

    // The catalogue is known again without a replay of its topic; then it is withdrawn.
    let mut running = Takings::start(&format!("run {job}"));
    KAFKA.produce(topics[1], &[Message::tombstone("7")]);
    committed(&name, 6, &mut running);
    assert_eq!(categories(), all_in("unlisted"));
    assert!(rows(&name, "SELECT * FROM products").is_empty());
    running.signal("TERM");
    running.wait().done();
    takings(&format!("audit {job}")).done();

    // The catalogue is published anew, in a topic whose offsets begin anew: it is the newest word.
    KAFKA.delete_topic(topics[1]);
    KAFKA.create_topic(topics[1], 1);
    KAFKA.produce(topics[1], &[listing(7, "Spices")]);
    takings(&format!("run {job} --until-caught-up --resume-at {}/0=0", topics[1])).done();
    assert_eq!(categories(), all_in("Spices"));
    KAFKA.produce(topics[1], &[listing(7, "Tea")]);
    takings(&format!("run {job} --until-caught-up")).done();
    assert_eq!(categories(), all_in("Tea"));
}

#[test]
fn a_view_switched_on_later_is_filled_from_the_log() {
    KAFKA.create_topic("switched", 1);
    let (store, name) = database();
    let job = format!("--source {} --topics switched --store {store}", KAFKA.url());
    let order = |number: u64| {
        let at = 1_790_000_000_000 + number as i64 * 3_600_000;
        let payload = format!(
            r#"{{"orderId": "{number}", "productName": "Tea", "productCategory": "Drinks", "totalAmount": 2.5, "orderDate": {at}}}"#
        );
        Message::new(number.to_string(), payload).at(at)
    };
    let some = |numbers: std::ops::Range<u64>| numbers.map(order).collect::<Vec<_>>();
    KAFKA.produce("switched", &some(0..100));
    takings(&format!("run {job} --until-caught-up --views sales_per_day")).done();
    let kept = || rows(&name, "SELECT view, complete_from, since_epoch FROM views ORDER BY 1");
    assert_eq!(kept(), [["sales_per_day", "null", "1"]]);

    // The log loses its first half; then products and months are asked for.
    KAFKA.delete_records_before("switched", 0, 50);
    KAFKA.produce("switched", &some(100..110));
    let views = "--views sales_per_day,sales_per_month,sales_per_product";
    takings(&format!("run {job} --until-caught-up {views}")).done();
    let first_held = rows(&name, "SELECT order_date FROM sales_per_product ORDER BY 1 LIMIT 1");
    assert_eq!(
        kept(),
        [
            ["sales_per_day", "null", "1"],
            ["sales_per_month", &first_held[0][0], "2"],
            ["sales_per_product", &first_held[0][0], "2"]
        ]
    );
    for (view, orders) in [("sales_per_day", "110"), ("sales_per_month", "60"), ("sales_per_product", "60")] {
        assert_eq!(rows(&name, &format!("SELECT sum(orders) FROM {view}")), [[orders]], "{view}");
    }
    // A start compares what must add up, and a view that counts less of the log is no fault.
    KAFKA.produce("switched", &some(110..111));
    takings(&format!("run {job} --until-caught-up {views}")).done();
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_per_month"), [["61"]]);
    // Facts have to be asked for, whatever else is kept.
    takings(&format!("run {job} --until-caught-up")).done();
    assert_eq!(rows(&name, "SELECT count(*) FROM sales_facts"), [["0"]]);
    takings(&format!("run {job} --until-caught-up {ALL_VIEWS}")).done();
    assert_eq!(rows(&name, "SELECT category, sum(orders) FROM sales_facts GROUP BY 1"), [["Drinks", "61"]]);
    // Off again: its rows go.
    takings(&format!("run {job} --until-caught-up --views sales_per_day")).done();
    assert!(rows(&name, "SELECT * FROM sales_per_product").is_empty());
    assert_eq!(kept(), [["sales_per_day", "null", "1"]]);

    // The log loses all that it held: a view that is filled from it says from when it counts.
    KAFKA.delete_records_before("switched", 0, 111);
    takings(&format!("run {job} --until-caught-up --views sales_per_day,sales_facts")).done();
    assert!(rows(&name, "SELECT * FROM sales_facts").is_empty());
    let last = rows(&name, "SELECT max(order_date) + 1 FROM sales_per_day");
    assert_eq!(rows(&name, "SELECT complete_from FROM views WHERE view = 'sales_facts'"), last);
}

/// Orders of which every second one follows the catalogue, each an hour after the one before.
fn order_of(number: u64) -> Message {
    let at = 1_790_000_000_000 + number as i64 * 3_600_000;
    let category = if number.is_multiple_of(2) { r#""Drinks""# } else { "null" };
    let payload = format!(
        r#"{{"orderId": "{number}", "productName": "Tea", "productCategory": {category}, "totalAmount": 2.5, "orderDate": {at}}}"#
    );
    Message::new(number.to_string(), payload).at(at)
}

#[test]
fn views_that_are_filled_from_a_log_that_lost_some_start_again() {
    for first_view in ["sales_per_category", "sales_per_product", "sales_per_day"] {
        let topic = format!("lost_by_retention_{first_view}");
        KAFKA.create_topic(&topic, 1);
        let (store, name) = database();
        let job = format!("--source {} --topics {topic} --store {store}", KAFKA.url());
        let run = |options: &str| takings(&format!("run {job} --until-caught-up {options}")).done();
        KAFKA.produce(&topic, &(0..100).map(order_of).collect::<Vec<_>>());
        run(&format!("--views {first_view}"));
        KAFKA.delete_records_before(&topic, 0, 50);
        KAFKA.produce(&topic, &(100..110).map(order_of).collect::<Vec<_>>());
        run(ALL_VIEWS);
        // What is told apart is told apart at each start.
        KAFKA.produce(&topic, &[order_of(110)]);
        run(ALL_VIEWS);
        assert_eq!(rows(&name, &format!("SELECT sum(orders) FROM {first_view}")), [["111"]], "{first_view}");
        assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_per_payment_method"), [["61"]], "{first_view}");
        run(ALL_VIEWS);
    }
}

#[test]
fn a_view_that_is_filled_from_a_log_that_began_anew_says_so() {
    KAFKA.create_topic("filled_anew", 1);
    let (store, name) = database();
    let job = format!("--source {} --topics filled_anew --store {store}", KAFKA.url());
    let run = |options: &str| takings(&format!("run {job} --until-caught-up {options}"));
    KAFKA.produce("filled_anew", &(0..10).map(order_of).collect::<Vec<_>>());
    run("--views default").done();
    KAFKA.delete_topic("filled_anew");
    KAFKA.create_topic("filled_anew", 1);
    KAFKA.produce("filled_anew", &(10..15).map(order_of).collect::<Vec<_>>());
    run("--views default --resume-at filled_anew/0=0").done();
    run(ALL_VIEWS).done();
    let complete_from = rows(&name, "SELECT complete_from IS NOT NULL FROM views WHERE view = 'sales_facts'");
    assert_eq!(complete_from, [["t"]]);
    // Of the lost log nothing is known, and what corrects it counts as new, and is told.
    KAFKA.produce("filled_anew", &[order_of(3)]);
    run(ALL_VIEWS).done();
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_facts"), [["6"]]);
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_per_day"), [["16"]]);
    assert_eq!(rows(&name, "SELECT sum(beyond_horizon) FROM sources"), [["1"]]);
    run(ALL_VIEWS).done();
}

#[test]
fn a_view_that_is_filled_under_another_window_counts_for_itself() {
    const DAY: u64 = 24;
    KAFKA.create_topic("filled_in_a_window", 1);
    let (store, name) = database();
    let job = format!("--source {} --topics filled_in_a_window --store {store}", KAFKA.url());
    let run = |options: &str| takings(&format!("run {job} --until-caught-up {options}")).done();
    // The same order twice, three days apart: two orders within a window of a day, and one within thirty.
    let again = Message { timestamp: order_of(3 * DAY).timestamp, ..order_of(0) };
    KAFKA.produce("filled_in_a_window", &[order_of(0), order_of(2), again]);
    run("--views default --correction-window 1d");
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_per_day"), [["3"]]);
    run(&format!("{ALL_VIEWS} --correction-window 30d"));
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_facts"), [["2"]]);
    run(&format!("{ALL_VIEWS} --correction-window 30d"));
    run(ALL_VIEWS);
    assert_eq!(rows(&name, "SELECT sum(orders) FROM sales_per_day"), [["3"]]);
}
