//! The store in a SQLite file, for one machine without a server.
//!
//! The file is in WAL mode, so readers and the job never wait for each other, with `synchronous=FULL`:
//! each commit is on disk before it is acknowledged, and neither `kill -9` nor a power cut loses an
//! epoch. (With NORMAL a power cut could take the last epochs back; the totals would still be whole, but
//! an acknowledged epoch would be gone.)
//!
//! What it can not do: live on a network file system. Neither WAL nor the lock work there.

mod books;
mod fault;
mod kept;
mod lock;
mod orders;
mod proofs;
mod rows;
mod views;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::event::Event;

use self::fault::{fault, migration_fault};
use self::lock::FileLock;
use super::proof::{BY_DAY, DayRows, DaysSeen, ProvenDay};
use super::schema::{HISTORY, check_to_look, is_to_migrate};
use super::settings::{StoredSettings, job_columns, view_names};
use super::switch::Switch;
use super::{Commit, JobSettings, Recovered, Store, StoreError, Topics, host};

#[allow(missing_docs, unreachable_pub)]
mod embedded {
    refinery::embed_migrations!("sql/sqlite/migrations");
}

/// How long another program that writes the file is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How often rows of `removals` that are older than a day are dropped.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// The write side in SQLite.
pub(super) struct SqliteStore {
    file: PathBuf,
    store: String,
    /// The connection; dropped with its transaction at any failure.
    connection: Option<Connection>,
    /// Held from the first acquire on.
    lock: Option<FileLock>,
    held: Option<Held>,
    pruned: Option<Instant>,
}

/// How far this process knows the store to be its own.
#[derive(Clone)]
struct Held {
    generation: i64,
    /// The epoch committed last.
    epoch: i64,
    /// This process, in words that no other acquiring has: a backup that was put back may give a generation twice.
    holder: String,
}

impl Held {
    /// Whether the store is still this process's; otherwise why not. Then the epoch at which it stands.
    fn check(&self, connection: &Connection) -> Result<i64, Failed> {
        let stands = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (generation, epoch, holder): (i64, i64, Option<String>) = connection
            .query_row("SELECT generation, epoch, holder FROM job", [], stands)
            .map_err(|error| Failed::at("reading job", error))?;
        let is_ours = holder.as_deref() == Some(&self.holder);
        if generation > self.generation || (generation == self.generation && !is_ours) {
            let by = holder.unwrap_or_else(|| "another process".to_owned());
            let (ours, theirs) = (self.generation as u64, generation as u64);
            return Err(Failed::Store(StoreError::Fenced { by, ours, theirs }));
        }
        if !is_ours || epoch < self.epoch {
            return Err(Failed::Store(StoreError::WentBack { ours: self.epoch as u64, found: epoch as u64 }));
        }
        Ok(epoch)
    }
}

/// What failed inside, before the store's name is added.
enum Failed {
    Sqlite { doing: String, error: rusqlite::Error },
    Store(StoreError),
}

impl Failed {
    fn at(doing: impl Into<String>, error: rusqlite::Error) -> Failed {
        Failed::Sqlite { doing: doing.into(), error }
    }
}

/// An amount as its two columns: exact text, and the scaled integer where it fits.
fn exact(amount: Amount) -> (String, Option<i64>) {
    (amount.to_string(), i64::try_from(amount.micros()).ok())
}

impl SqliteStore {
    pub(super) fn new(file: PathBuf) -> Self {
        let store = format!("sqlite:{}", file.display());
        SqliteStore { file, store, connection: None, lock: None, held: None, pruned: None }
    }

    fn name(&self, failed: Failed) -> StoreError {
        match failed {
            Failed::Sqlite { doing, error } => fault(&self.store, &doing, error),
            Failed::Store(error) => error,
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
        let open = || {
            let connection = Connection::open_with_flags(&self.file, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(connection)
        };
        open().map_err(|error| fault(&self.store, "opening", error))
    }

    /// Runs `work` in a read transaction of a connection of its own, with the generation, epoch and settings of then.
    fn read_at_one_moment<T>(
        &self,
        work: impl FnOnce(&Connection, i64, i64, JobSettings) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        if !self.file.exists() {
            return Err(StoreError::Empty { store: self.store.clone() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.file, flags)
            .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
            .map_err(|error| fault(&self.store, "opening", error))?;
        check_to_look(self.schema_version(&connection)?, &self.store)?;
        let read = || {
            let transaction = connection.transaction().map_err(|error| Failed::at("beginning to read", error))?;
            let (generation, epoch, stored) = read_job(&transaction, LOOK, &[])?;
            let empty = || Failed::Store(StoreError::Empty { store: self.store.clone() });
            work(&transaction, generation, epoch, stored.complete().ok_or_else(empty)?)
        };
        read().map_err(|failed| self.name(failed))
    }

    /// Runs `work` on the connection, a new one if need be; a failure ends it.
    fn with_connection<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &Held) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let held = self.held.clone().ok_or_else(|| StoreError::Fault {
            doing: "writing to a store that was not acquired".to_owned(),
            source: "acquire it first".into(),
        })?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let done = work(&mut connection, &held).map_err(|failed| self.name(failed))?;
        self.connection = Some(connection);
        Ok(done)
    }

    /// Applies the migrations that are missing, all in one transaction.
    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        if !is_to_migrate(self.schema_version(connection)?)? {
            return Ok(());
        }
        let mut runner = embedded::migrations::runner().set_grouped(true);
        runner.set_migration_table_name(HISTORY);
        runner.run(connection).map(drop).map_err(|error| migration_fault(&self.store, error))
    }

    fn schema_version(&self, connection: &Connection) -> Result<u32, StoreError> {
        schema_version(connection).map_err(|error| fault(&self.store, "reading the schema's version", error))
    }
}

impl Store for SqliteStore {
    fn acquire(&mut self, settings: &JobSettings) -> Result<Recovered, StoreError> {
        self.held = None;
        self.connection = None;
        if self.lock.is_none() {
            self.lock = Some(FileLock::take(&self.file)?);
        }
        let acquired = self.connect().and_then(|mut connection| {
            self.migrate(&mut connection)?;
            let holder = host::this_holder();
            let recovered = recover(&mut connection, settings, &holder).map_err(|failed| self.name(failed))?;
            let (generation, epoch) = (recovered.generation as i64, recovered.epoch as i64);
            Ok((connection, recovered, Held { generation, epoch, holder }))
        });
        match acquired {
            Ok((connection, recovered, held)) => {
                self.held = Some(held);
                self.connection = Some(connection);
                Ok(recovered)
            }
            Err(error) => {
                self.lock = None;
                Err(error)
            }
        }
    }

    fn look(&mut self) -> Result<(JobSettings, Recovered), StoreError> {
        self.read_at_one_moment(|transaction, generation, epoch, settings| {
            let switch = Switch::of(&views::complete(transaction)?, Some(settings.top), &settings);
            let recovered = read_rest(transaction, generation, epoch, switch)?;
            Ok((settings, recovered))
        })
    }

    fn look_at_days(
        &mut self,
        choose: &mut dyn FnMut(&DaysSeen) -> Vec<Day>,
    ) -> Result<(DaysSeen, DayRows), StoreError> {
        self.read_at_one_moment(|transaction, _, epoch, settings| {
            let switch = Switch::of(&views::complete(transaction)?, Some(settings.top), &settings);
            let views = settings.views.iter().copied().filter(|view| !switch.to_fill.contains(view)).collect();
            let partitions = books::read_sources(transaction)?;
            let days = proofs::read_days(transaction, &switch.to_read)?;
            let seen = DaysSeen { settings, epoch: epoch as u64, partitions, views, days };
            let days = choose(&seen);
            let mut rows = Vec::new();
            for view in BY_DAY.into_iter().filter(|view| switch.to_read.contains(view)) {
                rows.append(&mut rows::read_of_days(transaction, view, &days)?);
            }
            Ok((seen, rows))
        })
    }

    fn prove(&mut self, days: &[ProvenDay]) -> Result<(), StoreError> {
        self.with_connection(|connection, held| proofs::prove(connection, held, days))
    }

    fn kept(&mut self, topics: &Topics, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.with_connection(|connection, _| {
            kept::read_listings(connection, topics, each)?;
            kept::read_feedback(connection, topics, each)?;
            orders::read(connection, topics, each)
        })
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        if commit.is_done_or_refused(self.held.as_ref().map(|held| held.epoch))? {
            return Ok(());
        }
        let prune = self.pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE_EVERY);
        self.with_connection(|connection, held| write(connection, held, commit, prune))?;
        if let Some(held) = &mut self.held {
            held.epoch = commit.epoch as i64;
        }
        if prune {
            self.pruned = Some(Instant::now());
        }
        Ok(())
    }

    fn beat(&mut self) -> Result<(), StoreError> {
        self.with_connection(|connection, held| held.check(connection).map(drop))
    }
}

/// The store's schema version; 0 where it has none.
fn schema_version(connection: &Connection) -> rusqlite::Result<u32> {
    let history = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [HISTORY], |_| Ok(()))
        .optional()?;
    match history {
        None => Ok(0),
        Some(()) => {
            connection.query_row(&format!("SELECT coalesce(max(version), 0) FROM {HISTORY}"), [], |row| row.get(0))
        }
    }
}

/// Raises the generation and reads what the last commit left.
fn recover(connection: &mut Connection, settings: &JobSettings, holder: &str) -> Result<Recovered, Failed> {
    let at_job = |error| Failed::at("acquiring job", error);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at_job)?;
    let (generation, epoch, stored) = read_job(&transaction, RAISE, &[&holder])?;
    stored.check(settings).map_err(Failed::Store)?;
    let switch = Switch::of(&views::complete(&transaction)?, stored.top, settings);
    let is_switched = views::switch(&transaction, epoch, &switch)?;
    transaction
        .execute(
            "INSERT INTO runs (run, epoch, switched) VALUES (lower(hex(randomblob(6))), ?1, ?2)",
            params![epoch, is_switched],
        )
        .and_then(|_| transaction.execute("DELETE FROM runs WHERE number <= (SELECT max(number) FROM runs) - 1000", []))
        .map_err(at_job)?;
    let JobSettings { time_zone, default_currency, keep_orders, topics, log, top, formats, .. } = settings;
    let formats = serde_json::json!(formats).to_string();
    let (views, topics) = (serde_json::json!(view_names(settings)).to_string(), serde_json::json!(topics).to_string());
    transaction
        .execute(
            "UPDATE job SET time_zone = ?1, default_currency = ?2, keep_orders = ?3, views = ?4, topics = ?5, log = ?6,
               top = ?7, formats = ?8, payload_limit = ?9, volume_window = ?10, correction_window_ms = ?11",
            params![
                time_zone,
                default_currency,
                keep_orders,
                views,
                topics,
                log,
                top,
                formats,
                settings.payload_limit as i64,
                settings.volume_window,
                settings.correction_window.map(|window| window.as_millis() as i64),
            ],
        )
        .map_err(at_job)?;
    let recovered = read_rest(&transaction, generation, epoch, switch)?;
    transaction.commit().map_err(at_job)?;
    Ok(recovered)
}

const RAISE: &str = concat!("UPDATE job SET generation = generation + 1, holder = ?1 RETURNING ", job_columns!());
const LOOK: &str = concat!("SELECT ", job_columns!(), " FROM job");

/// The one row of `job`: generation, epoch, settings.
fn read_job(
    connection: &Connection,
    sql: &str,
    params: &[&dyn rusqlite::ToSql],
) -> Result<(i64, i64, StoredSettings), Failed> {
    connection
        .query_row(sql, params, |row| {
            let list = |index| -> rusqlite::Result<Option<Vec<String>>> {
                let text: Option<String> = row.get(index)?;
                text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
                })
            };
            let stored = StoredSettings {
                time_zone: row.get(2)?,
                default_currency: row.get(3)?,
                keep_orders: row.get(4)?,
                views: list(5)?,
                topics: list(6)?,
                log: row.get(7)?,
                top: row.get(8)?,
                formats: row.get_ref(9)?.as_str_or_null()?.map(serde_json::from_str).transpose().map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, Box::new(error))
                })?,
                payload_limit: row.get::<_, Option<i64>>(10)?.map(|limit| limit as u64),
                volume_window: row.get(11)?,
                correction_window: row.get::<_, Option<i64>>(12)?.map(|millis| Duration::from_millis(millis as u64)),
            };
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, stored))
        })
        .map_err(|error| Failed::at("reading job", error))
}

/// Sources and rows, in the transaction that is open.
fn read_rest(connection: &Connection, generation: i64, epoch: i64, switch: Switch) -> Result<Recovered, Failed> {
    let partitions = books::read_sources(connection)?;
    let mut rows = Vec::new();
    for &view in &switch.to_read {
        rows.append(&mut rows::read(connection, view)?);
    }
    let (generation, epoch) = (generation as u64, epoch as u64);
    let incomplete = views::incomplete(connection)?;
    let inconsistent = proofs::read_inconsistent(connection)?;
    Ok(Recovered { generation, epoch, partitions, rows, to_fill: switch.to_fill, incomplete, inconsistent })
}

/// One epoch in one transaction.
fn write(connection: &mut Connection, held: &Held, commit: &Commit, prune: bool) -> Result<(), Failed> {
    let epoch = commit.epoch as i64;
    let at_job = |error| Failed::at("moving the job on", error);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at_job)?;
    let moved = transaction
        .prepare_cached(
            "UPDATE job SET epoch = ?1, committed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
             WHERE generation = ?2 AND epoch = ?3 AND holder = ?4",
        )
        .and_then(|mut guard| guard.execute(params![epoch, held.generation, held.epoch, held.holder]))
        .map_err(at_job)?;
    if moved == 0 {
        return match held.check(&transaction)? {
            found if found == epoch => Ok(()),
            found => Err(Failed::Store(StoreError::Corrupt(format!(
                "it stands at epoch {found}, and this process committed epoch {} last: somebody wrote to the table job; \
                 restore a backup",
                held.epoch
            )))),
        };
    }
    rows::write(&transaction, epoch, &commit.rows)?;
    proofs::write_inconsistent(&transaction, epoch, &commit.inconsistent, &commit.cured)?;
    orders::write(&transaction, epoch, &commit.orders)?;
    orders::write_earlier(&transaction, epoch, &commit.earlier)?;
    kept::write_listings(&transaction, epoch, &commit.listings)?;
    kept::write_feedback(&transaction, epoch, &commit.feedback)?;
    views::write_filled(&transaction, epoch, &commit.filled)?;
    books::write_corrections(&transaction, epoch, &commit.corrections)?;
    books::write_rejected(&transaction, epoch, &commit.rejected)?;
    books::write_sources(&transaction, epoch, &commit.partitions)?;
    if prune {
        transaction
            .execute("DELETE FROM removals WHERE removed_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')", [])
            .map_err(|error| Failed::at("pruning removals", error))?;
    }
    transaction.commit().map_err(|error| Failed::at("committing", error))
}
