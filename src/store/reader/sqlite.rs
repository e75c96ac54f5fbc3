//! Reading SQLite: read-only connections, one read transaction an answer, and `data_version` for new
//! epochs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use rusqlite::types::{ToSql, ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use takings_dataflows::amount::Amount;
use tokio::sync::{Notify, Semaphore};

use super::statement::{Dialect, Statement};
use super::value::{Row, Value};
use super::{Backend, ReaderOptions, Then, WatchGuard};
use crate::store::StoreError;

/// How often the watch looks for a commit while they come; a look touches no disk.
const LOOK: Duration = Duration::from_millis(10);
/// How often it looks while none come: five system calls each time add up to a third of a percent.
const IDLE_LOOK: Duration = Duration::from_millis(40);
/// How long after the last commit that is.
const IDLE_AFTER: Duration = Duration::from_secs(5);
/// How many looks pass before the watch makes sure that the file is still the one it watches.
const LOOKS_A_FILE: u32 = 50;

/// A SQLite store, read.
pub struct Sqlite {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Opened>>,
    timeout: Duration,
}

/// A connection, and which file it was opened on: a file that was replaced has another identity.
struct Opened {
    connection: Connection,
    identity: Identity,
}

type Identity = Option<(u64, u64)>;

impl Sqlite {
    /// A reader of the database in `file`; opens it when first asked.
    pub fn open(file: &Path, options: ReaderOptions) -> Self {
        let ReaderOptions { connections, timeout } = options;
        let shared = Shared { file: file.to_owned(), idle: Mutex::default(), timeout };
        Sqlite { shared: Arc::new(shared), permits: Arc::new(Semaphore::new(connections)), timeout }
    }
}

#[async_trait]
impl Backend for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn read_then(&self, statements: Vec<Statement>, then: Then) -> Result<Vec<Vec<Row>>, StoreError> {
        let waiting = tokio::time::timeout(self.timeout, self.permits.clone().acquire_owned());
        let Ok(Ok(permit)) = waiting.await else {
            return Err(self.shared.unreachable("every connection is busy".to_owned()));
        };
        let shared = self.shared.clone();
        // Dropped where no one waits any more: the work then ends at its next look, and the permit is given back.
        let awaited = Arc::new(());
        let is_awaited = Arc::downgrade(&awaited);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            shared.read(&statements, then, &is_awaited)
        });
        let read = work.await;
        drop(awaited);
        read.map_err(|error| StoreError::Fault { doing: "reading the store".into(), source: Box::new(error) })?
    }

    fn watch(&self, wake: Arc<Notify>) -> WatchGuard {
        let shared = self.shared.clone();
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let watching = std::thread::Builder::new().name("takings-watch".into()).spawn(move || {
            while !passed(&stopped, LOOK * 10) {
                shared.watch_file(&wake, &stopped);
            }
        });
        if let Err(error) = watching {
            tracing::warn!(%error, "no thread to watch the store with; new epochs are noticed later");
        }
        WatchGuard::new(move || drop(stop))
    }
}

/// Waits for a time; whether it was stopped in it.
fn passed(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
}

impl Shared {
    fn read(&self, statements: &[Statement], then: Then, is_awaited: &Weak<()>) -> Result<Vec<Vec<Row>>, StoreError> {
        let identity = identity(&self.file);
        let kept = {
            let mut idle = self.idle.lock();
            idle.retain(|opened| opened.identity == identity);
            idle.pop()
        };
        let mut opened = match kept {
            Some(opened) => opened,
            None => Opened { connection: self.connect().map_err(|error| self.judge(error))?, identity },
        };
        let tables = snapshot(&mut opened.connection, statements, then, self.timeout, is_awaited)
            .map_err(|error| self.judge(error))?;
        self.idle.lock().push(opened);
        Ok(tables)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.busy_timeout(self.timeout.min(Duration::from_secs(2)))?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(connection)
    }

    /// Watches one file until it is replaced, goes, or no one watches any more.
    fn watch_file(&self, wake: &Notify, stopped: &Receiver<()>) {
        let watched = identity(&self.file);
        let Ok(connection) = self.connect() else { return };
        let Ok(mut look) = connection.prepare("PRAGMA data_version") else { return };
        let (mut seen, mut last) = (None, Instant::now());
        for count in 0u32.. {
            if count % LOOKS_A_FILE == 0 && identity(&self.file) != watched {
                return;
            }
            let Ok(version) = look.query_row([], |row| row.get::<_, i64>(0)) else { return };
            if seen.replace(version) != Some(version) {
                last = Instant::now();
                wake.notify_one();
            }
            if passed(stopped, if last.elapsed() < IDLE_AFTER { LOOK } else { IDLE_LOOK }) {
                return;
            }
        }
    }

    fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError::Unreachable { store: format!("sqlite:{}", self.file.display()), source: source.into() }
    }

    /// Who must act on a failure.
    fn judge(&self, error: rusqlite::Error) -> StoreError {
        if error.to_string().contains("no such table") {
            return StoreError::Empty { store: format!("sqlite:{}", self.file.display()) };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) if !self.file.exists() => {
                self.unreachable("the file is not there yet; `takings run` makes it")
            }
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::OperationInterrupted,
            ) => self.unreachable(error),
            Some(ErrorCode::PermissionDenied | ErrorCode::NotADatabase) => {
                StoreError::Configuration { setting: "store", message: format!("{}: {error}", self.file.display()) }
            }
            _ => StoreError::Fault { doing: "reading the store".into(), source: Box::new(error) },
        }
    }
}

/// Which file this is, beyond its name.
fn identity(file: &Path) -> Identity {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(file).ok().map(|data| (data.dev(), data.ino()))
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(file).ok().map(|_| (0, 0))
    }
}

/// Runs the statements in one read transaction, which in WAL mode is one snapshot, and then those that follow from their
/// answers. What takes longer than `timeout` is interrupted, and what nobody waits for.
fn snapshot(
    connection: &mut Connection,
    statements: &[Statement],
    then: Then,
    timeout: Duration,
    is_awaited: &Weak<()>,
) -> rusqlite::Result<Vec<Vec<Row>>> {
    let (deadline, is_awaited) = (Instant::now() + timeout, is_awaited.clone());
    connection.progress_handler(100_000, Some(move || Instant::now() > deadline || is_awaited.strong_count() == 0))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let answer = |statement: &Statement| answer(&transaction, statement);
    let mut tables = statements.iter().map(answer).collect::<rusqlite::Result<Vec<_>>>()?;
    for statement in then(&tables) {
        tables.push(answer(&statement)?);
    }
    transaction.commit()?;
    Ok(tables)
}

fn answer(transaction: &Transaction<'_>, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = transaction.prepare_cached(&statement.sql)?;
    if statement.is_to_be_summed {
        return summed(&mut prepared, &statement.parameters);
    }
    let width = statement.kinds.len();
    let rows = prepared.query_map(rusqlite::params_from_iter(&statement.parameters), |row| {
        (0..width).map(|place| row.get_ref(place).map(value)).collect::<rusqlite::Result<Row>>()
    })?;
    rows.collect()
}

/// Rows of (product, currency, amount, orders, units), summed by the first two as they come. An amount is its
/// millionths, or its text where those do not fit.
fn summed(statement: &mut rusqlite::Statement<'_>, parameters: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut sums: HashMap<String, Vec<(String, Amount, i64, i64)>> = HashMap::new();
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let (product, currency) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
        let amount = match row.get_ref(2)? {
            ValueRef::Integer(micros) => Amount::from_micros(micros.into()),
            other => other.as_str()?.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
            })?,
        };
        let (orders, units): (i64, i64) = (row.get(3)?, row.get(4)?);
        // A day's products come again each day: nothing is allocated for those that are known.
        let of_product = match sums.get_mut(product) {
            Some(found) => found,
            None => sums.entry(product.to_owned()).or_default(),
        };
        match of_product.iter_mut().find(|(known, ..)| known == currency) {
            Some((_, total, all_orders, all_units)) => {
                *total += amount;
                *all_orders += orders;
                *all_units += units;
            }
            None => of_product.push((currency.to_owned(), amount, orders, units)),
        }
    }
    let rows = sums.into_iter().flat_map(|(product, of_product)| {
        of_product.into_iter().map(move |(currency, amount, orders, units)| {
            let (product, amount) = (Value::Text(product.clone()), Value::Text(amount.to_string()));
            vec![product, Value::Text(currency), amount, Value::Integer(orders), Value::Integer(units)]
        })
    });
    Ok(rows.collect())
}

fn value(held: ValueRef<'_>) -> Value {
    match held {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        // The schema is strict and holds no float; shown as it stands rather than hidden.
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Owned(SqliteValue::Null),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Integer(number) => ToSqlOutput::Owned(SqliteValue::Integer(*number)),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
