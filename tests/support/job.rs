//! A job of one topic with an embedded store, and the orders that a test sends it.

use std::time::Duration;

use super::kafka::{Kafka, Message};
use super::link::Link;
use super::takings::{Ended, Takings, takings};
use super::wait;

/// How long a commit may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Milliseconds since 1970 of 2026-11-22T10:00:00Z, the moment of [`order`]s.
pub const NOON: i64 = 1_795_341_600_000;

/// An order of 2026-11-22.
pub fn order(id: &str, amount: &str) -> Message {
    dated(id, amount, "2026-11-22")
}

/// An order of a day.
pub fn dated(id: &str, amount: &str, day: &str) -> Message {
    let payload = format!(
        r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": {amount}, "currency": "EUR", "orderDate": "{day}T10:00:00", "productId": "p"}}"#
    );
    Message::new(id, payload)
}

/// Orders of one euro each.
pub fn orders(ids: std::ops::Range<u32>) -> Vec<Message> {
    ids.map(|id| order(&id.to_string(), "1")).collect()
}

/// One topic, and a store in a folder of its own.
pub struct Job {
    source: String,
    topic: String,
    options: String,
    folder: tempfile::TempDir,
}

impl Job {
    /// A job that reads this topic into a store that is not there yet.
    pub fn of(kafka: &Kafka, topic: &str) -> Job {
        Job::with(kafka, topic, "")
    }

    /// With these options besides.
    pub fn with(kafka: &Kafka, topic: &str, options: &str) -> Job {
        let folder = tempfile::tempdir().expect("a folder");
        Job { source: kafka.url(), topic: topic.to_owned(), options: options.to_owned(), folder }
    }

    /// One that comes to Kafka by way of a link.
    pub fn through(kafka: &Kafka, link: &Link, topic: &str, options: &str) -> Job {
        Job { source: kafka.url_through(link), ..Job::with(kafka, topic, options) }
    }

    /// Its store.
    pub fn store(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("totals.db").display())
    }

    fn words(&self) -> String {
        format!("--source {} --topics {} --store {} {}", self.source, self.topic, self.store(), self.options)
    }

    /// The words of the command that runs it.
    pub fn run_words(&self) -> String {
        format!("run {}", self.words())
    }

    /// Runs until it has caught up, or fails.
    pub fn caught_up(&self) -> Ended {
        self.caught_up_with("")
    }

    /// The same with these options for this once.
    pub fn caught_up_with(&self, options: &str) -> Ended {
        takings(&format!("run {} --until-caught-up {options}", self.words()))
    }

    /// Runs, and goes on; returns once it reads.
    pub fn start(&self) -> Takings {
        let mut running = Takings::start(&self.run_words());
        running.wait_for("the store is ours");
        running
    }

    /// The totals are those of the log.
    ///
    /// # Panics
    /// With the differences, where they are not.
    pub fn audit(&self) -> Ended {
        takings(&format!("audit {}", self.words())).done()
    }

    /// Changes its store by hand.
    pub fn execute(&self, sql: &str) {
        let store = rusqlite::Connection::open(self.folder.path().join("totals.db")).expect("the store");
        store.execute_batch(sql).expect("the statement runs");
    }

    /// Rows of a query, each its columns' text joined by spaces.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let store = rusqlite::Connection::open(self.folder.path().join("totals.db")).expect("the store");
        store.busy_timeout(Duration::from_secs(30)).expect("a time-out");
        let mut statement = store.prepare(sql).expect("the query can be read");
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let text = |column| {
                Ok(match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Null => "-".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                })
            };
            Ok((0..columns).map(text).collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        };
        statement.query_map([], row).expect("the query runs").collect::<Result<_, _>>().expect("rows")
    }

    /// What 2026-11-22 took: total and orders.
    pub fn total(&self) -> String {
        self.rows("SELECT total_sales, orders FROM sales_per_day WHERE order_date = '2026-11-22'").join(",")
    }

    /// One counter of all partitions.
    pub fn count(&self, counter: &str) -> i64 {
        self.rows(&format!("SELECT coalesce(sum({counter}), 0) FROM sources"))[0].parse().expect("a number")
    }

    /// Waits until so many records are committed.
    pub fn until_read(&self, running: &mut Takings, records: i64) {
        wait::until(format_args!("{records} records of {} to be committed", self.topic), PATIENCE, || {
            assert!(running.is_running(), "it ended:\n{}", running.log());
            (self.count("read") >= records).then_some(())
        });
    }
}
