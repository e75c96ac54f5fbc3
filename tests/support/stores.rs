//! Fresh stores of both kinds, what to commit to them, and a look into their tables behind their back.

use std::collections::BTreeSet;

use takings::store::columns::{
    Cell, CellType, key_cells, key_columns, key_json, minute_text, value_cells, value_columns,
};
use takings::store::commit::Counters;
use takings::store::{Commit, FilledView, JobSettings, PartitionState, PassedOver, Store, StoreUrl, open};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::last_record::LastRecord;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::postgres::PostgresServer;

/// A row of a table, as text; `None` is null.
pub type TextRow = Vec<Option<String>>;

/// A store that nobody has used yet.
pub struct Fresh {
    kind: Kind,
    pub url: StoreUrl,
}

enum Kind {
    Postgres { server: PostgresServer, database: String },
    Sqlite { folder: tempfile::TempDir },
}

impl Fresh {
    /// An empty database on the shared server.
    pub fn postgres() -> Fresh {
        Fresh::on(PostgresServer::shared())
    }

    /// An empty database on this server.
    pub fn on(server: PostgresServer) -> Fresh {
        let database = server.fresh_database();
        let url = StoreUrl::parse(&server.url(&database)).expect("a URL");
        Fresh { kind: Kind::Postgres { server, database }, url }
    }

    /// A file that does not exist yet.
    pub fn sqlite() -> Fresh {
        Fresh::sqlite_in(tempfile::tempdir().expect("a folder"))
    }

    /// The file `takings.db` in this folder, there or not.
    pub fn sqlite_in(folder: tempfile::TempDir) -> Fresh {
        let url = StoreUrl::Sqlite(folder.path().join("takings.db"));
        Fresh { kind: Kind::Sqlite { folder }, url }
    }

    /// Whether it is in PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres { .. })
    }

    /// The database's name, on the server.
    pub fn database(&self) -> &str {
        match &self.kind {
            Kind::Postgres { database, .. } => database,
            Kind::Sqlite { .. } => panic!("SQLite has no databases"),
        }
    }

    /// The write side, not acquired.
    pub fn open(&self) -> Box<dyn Store> {
        open(&self.url).expect("a store")
    }

    /// The write side, acquired under [`settings`].
    pub fn acquired(&self) -> Box<dyn Store> {
        let mut store = self.open();
        store.acquire(&settings()).expect("acquired");
        store
    }

    /// Frees the lock as if the server had dropped the holder's connection, or someone the file.
    pub fn break_lock(&self) {
        match &self.kind {
            Kind::Postgres { server, database } => {
                let mut client = server.client(database);
                let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
                             WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = $1)";
                client.query_one(ended, &[database]).expect("ended");
            }
            Kind::Sqlite { folder } => {
                std::fs::remove_file(folder.path().join("takings.db.lock")).expect("it is there")
            }
        }
    }

    /// Runs a statement behind the store's back.
    pub fn execute(&self, sql: &str) {
        match &self.kind {
            Kind::Postgres { server, database } => server.client(database).batch_execute(sql).expect(sql),
            Kind::Sqlite { .. } => self.sqlite_connection().execute_batch(sql).expect(sql),
        }
    }

    /// Some columns of all rows of a table (with what follows FROM), sorted.
    pub fn rows(&self, columns: &[&str], from: &str) -> Vec<TextRow> {
        let columns: Vec<String> = columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
        let mut rows = self.texts(&format!("SELECT {} FROM {from}", columns.join(", ")));
        rows.sort();
        rows
    }

    /// The rows of a query, every column as text.
    pub fn texts(&self, sql: &str) -> Vec<TextRow> {
        match &self.kind {
            Kind::Postgres { server, database } => {
                let answers = server.client(database).simple_query(sql).expect(sql);
                let rows = answers.into_iter().filter_map(|answer| match answer {
                    postgres::SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| (0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect()).collect()
            }
            Kind::Sqlite { .. } => {
                let connection = self.sqlite_connection();
                let mut statement = connection.prepare(sql).expect(sql);
                let width = statement.column_count();
                let text = |value| match value {
                    rusqlite::types::Value::Null => None,
                    rusqlite::types::Value::Integer(number) => Some(number.to_string()),
                    rusqlite::types::Value::Text(text) => Some(text),
                    other => panic!("{sql}: {other:?} is no exact value"),
                };
                let row = |row: &rusqlite::Row<'_>| (0..width).map(|index| Ok(text(row.get(index)?))).collect();
                statement.query_map([], row).expect(sql).collect::<Result<_, _>>().expect(sql)
            }
        }
    }

    /// A column of bytes, for [`rows`](Self::rows).
    pub fn hex(&self, column: &str) -> String {
        match &self.kind {
            Kind::Postgres { .. } => format!("encode({column}, 'hex')"),
            Kind::Sqlite { .. } => format!("CASE WHEN {column} IS NOT NULL THEN lower(hex({column})) END"),
        }
    }

    /// The rows of a view: its key, its values, its epoch.
    pub fn view(&self, view: View) -> Vec<TextRow> {
        let columns: Vec<String> = key_columns(view)
            .iter()
            .chain(value_columns(view))
            .map(|(name, kind)| match kind {
                CellType::Minute if self.is_postgres() => {
                    format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
                }
                _ => (*name).to_owned(),
            })
            .chain(["epoch".to_owned()])
            .collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        self.rows(&columns, view.name())
    }

    /// What `removals` holds: epoch, view, key.
    pub fn removals(&self) -> BTreeSet<(u64, String, String)> {
        let rows = self.rows(&["epoch", "view", "key"], "removals");
        rows.into_iter()
            .map(|row| {
                let [epoch, view, key] =
                    <[Option<String>; 3]>::try_from(row).expect("three columns").map(Option::unwrap);
                let key: serde_json::Value = serde_json::from_str(&key).expect("JSON");
                (epoch.parse().expect("an epoch"), view, sorted_json(&key))
            })
            .collect()
    }

    fn sqlite_connection(&self) -> rusqlite::Connection {
        let Kind::Sqlite { folder } = &self.kind else { panic!("not SQLite") };
        let connection = rusqlite::Connection::open(folder.path().join("takings.db")).expect("opened");
        connection.busy_timeout(std::time::Duration::from_secs(10)).expect("set");
        connection
    }
}

/// A flat object as text, its keys in order: PostgreSQL keeps its own.
pub fn sorted_json(value: &serde_json::Value) -> String {
    let object = value.as_object().expect("an object");
    let sorted: std::collections::BTreeMap<_, _> = object.iter().collect();
    serde_json::to_string(&sorted).expect("JSON")
}

/// A key as [`Fresh::removals`] gives it.
pub fn removal(epoch: u64, key: ViewKey) -> (u64, String, String) {
    (epoch, key.view().name().to_owned(), sorted_json(&key_json(&key)))
}

/// A row as [`Fresh::view`] gives it.
pub fn row(key: ViewKey, value: impl Into<RowValue>, epoch: u64) -> TextRow {
    let text = |cell| match cell {
        Cell::Null => None,
        Cell::Day(day) => Some(day.to_string()),
        Cell::Name(name) => Some(takings::store::text::escaped(name.text()).into_owned()),
        Cell::Period(period) => Some(period.to_string()),
        Cell::Number(number) => Some(number.to_string()),
        Cell::Minute(minute) => Some(minute_text(minute)),
        Cell::Decimal(amount) => Some(amount.to_string()),
        Cell::Count(count) => Some(count.to_string()),
    };
    let mut row: TextRow = key_cells(&key).chain(value_cells(&value.into())).map(text).collect();
    row.push(Some(epoch.to_string()));
    row
}

/// The settings that tests run under.
pub fn settings() -> JobSettings {
    JobSettings {
        time_zone: "Africa/Dakar".to_owned(),
        default_currency: "FCFA".to_owned(),
        keep_orders: true,
        views: View::ALL.to_vec(),
        topics: vec!["product_sold".to_owned()],
        log: "a log".to_owned(),
        top: 10,
        formats: [("product_sold".to_owned(), "product_sold".to_owned())].into(),
        payload_limit: JobSettings::PAYLOAD_LIMIT,
        volume_window: JobSettings::VOLUME_WINDOW,
        correction_window: None,
    }
}

/// The day this many days after 2026-11-22.
pub fn day(after: i32) -> Day {
    Day::from_epoch_days(20_779 + after)
}

/// A row of `sales_per_day`.
pub fn day_key(after: i32, currency: &str) -> ViewKey {
    ViewKey::Day { day: day(after), currency: Symbol::new(currency) }
}

/// A row of `sales_per_category`.
pub fn category_key(after: i32, category: &str, currency: &str) -> ViewKey {
    ViewKey::Category { day: day(after), category: Symbol::new(category), currency: Symbol::new(currency) }
}

/// A total.
pub fn total(micros: i128, orders: i64) -> Takings {
    Takings { amount: Amount::from_micros(micros), orders, units: orders * 2 }
}

/// A new row.
pub fn new(key: ViewKey, new: impl Into<RowValue>) -> RowChange {
    RowChange { key, old: None, new: Some(new.into()) }
}

/// A row that changes. What it was matters to no store.
pub fn changed(key: ViewKey, new: impl Into<RowValue>) -> RowChange {
    RowChange { key, old: Some(total(0, 1).into()), new: Some(new.into()) }
}

/// A row that goes.
pub fn gone(key: ViewKey) -> RowChange {
    RowChange { key, old: Some(total(0, 1).into()), new: None }
}

/// An epoch with only rows. As a job's first one it says that its views are complete.
pub fn commit(epoch: u64, rows: Vec<RowChange>) -> Commit {
    Commit { epoch, rows, filled: all_filled(), ..Commit::default() }
}

/// All views, complete from the beginning.
pub fn all_filled() -> Vec<FilledView> {
    View::ALL.map(|view| FilledView { view, complete_from: None }).to_vec()
}

/// A partition whose books balance.
pub fn partition(partition: u16, offset: u64) -> PartitionState {
    PartitionState {
        topic: "product_sold".to_owned(),
        partition,
        incarnation: 1,
        offset,
        newest_timestamp: 1_700_000_000_000 + offset as i64,
        log_time: 1_600_000_000_000 + offset as i64,
        topic_id: Some("Zb4s0CjQQ_Wf5T7gqqXm2A".to_owned()),
        passed_over: PassedOver::default(),
        lost_until: 0,
        last: offset.checked_sub(1).map(|offset| LastRecord { offset, leader_epoch: Some(3), checksum: u32::MAX }),
        counters: Counters {
            read: offset,
            applied: offset - offset / 2,
            duplicates: offset / 2,
            beyond_horizon: offset / 3,
            rounded: offset / 5,
            ..Counters::default()
        },
    }
}
