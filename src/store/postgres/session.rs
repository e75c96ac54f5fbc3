//! One connection of the job: how it is set up, how it holds the store's lock, how it runs statements.
//!
//! The lock belongs to the session, so it is free when the session ends: at once where the process dies, within
//! [`SILENT_AT_MOST`] where it freezes or its network is cut. For that the server itself ends a session that says
//! nothing for so long; a healthy process says something every [`BEAT`](crate::store::BEAT). No other process has
//! to judge whether this one lives, and nobody compares clocks: what may be written is decided by the generation.
//!
//! A session ends with its first failure, and whoever needs another opens one: no state of a broken transaction is
//! ever carried on (COMMIT after a failed statement answers ROLLBACK without an error). Only where the server says
//! itself that something stands in the way (a full disk, another's lock) is the transaction rolled back in so many
//! words, and the session kept with its lock.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use postgres_native_tls::MakeTlsConnector;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, NoTls, Row, SimpleQueryMessage, Statement};

use super::connection::{Connection, Params, Refused};
use super::fault::{connect_fault, fault};
use super::pooler;
use crate::store::url::PostgresUrl;
use crate::store::{Over, StoreError, host};

/// The advisory lock that says whose store this database is: `takings` in ASCII.
const LOCK: i64 = 0x0074_616b_696e_6773;
/// How long to wait for a session of our own that is still ending to let go of the lock.
const OWN_SESSION_ENDS: Duration = Duration::from_secs(5);
/// How long to wait for any other holder: one whose process was killed a moment ago is gone by then, as the end of its
/// connection tells the server. Not one whose host is gone, or is frozen: that takes up to [`SILENT_AT_MOST`].
const LAST_HOLDER_ENDS: Duration = Duration::from_secs(2);
/// How often the lock is asked for meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How long a session may say nothing before the server ends it, in a transaction or not. Six beats: a machine that
/// swaps keeps its store, one that is frozen loses it well within a minute.
const SILENT_AT_MOST: &str = "30s";

/// Why a loop over rows ended before the last one.
pub(super) enum Stopped {
    Driver(Error),
    Store(StoreError),
    /// Nobody takes more.
    Enough,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Stopped::Driver(error)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped::Store(error)
    }
}

impl Stopped {
    /// What whoever takes rows says of going on.
    pub(super) fn unless(taken: ControlFlow<()>) -> Result<(), Stopped> {
        if taken.is_break() { Err(Stopped::Enough) } else { Ok(()) }
    }
}

/// What every session starts with.
///
/// - No limit on statements and transactions: catching up writes a lot at once, and the job says itself how long it has
///   waited for an answer. The limit on transactions is PostgreSQL 17's; an earlier one does not know it.
/// - A lock that someone else holds on a table shows as an error to try again, not as silence.
/// - A session whose process says nothing for [`SILENT_AT_MOST`] (it is frozen) ends, and with it its locks: the
///   first takes effect within a transaction, the second outside of one (from PostgreSQL 14 on; before, someone
///   has to end the session of a frozen process). While an answer waits for a frozen process to take it,
///   `tcp_user_timeout` does the same. So ends a session whose host is gone, or whose process was killed while
///   a statement ran (where the server can look for that: from PostgreSQL 14 on).
/// - A commit that was acknowledged is on disk, whatever the server's default.
/// - Every statement has one right plan, an index lookup for each row of `unnest`. Statistics of a table
///   that was empty a minute ago would say otherwise, so the other plans are off, and one is kept. With
///   them off a scan of `job` looks dear enough to be compiled, 0.3 s each time: so is `jit`.
fn setup() -> String {
    format!(
        "SET statement_timeout = 0;
         SET lock_timeout = '10s';
         SET idle_in_transaction_session_timeout = '{SILENT_AT_MOST}';
         SET default_transaction_isolation = 'read committed';
         SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
         SET tcp_user_timeout = '20s';
         DO $$ BEGIN
             PERFORM set_config('idle_session_timeout', '{SILENT_AT_MOST}', false);
         EXCEPTION WHEN OTHERS THEN NULL; END $$;
         DO $$ BEGIN
             PERFORM set_config('client_connection_check_interval', '1s', false);
         EXCEPTION WHEN OTHERS THEN NULL; END $$;
         {NO_TRANSACTION_TIMEOUT};
         SELECT set_config('synchronous_commit', 'on', false)
         WHERE current_setting('synchronous_commit') = 'off';"
    )
}

/// Takes the limit on how long a transaction may last away, where the server knows one.
pub(in crate::store) const NO_TRANSACTION_TIMEOUT: &str = "SELECT set_config('transaction_timeout', '0', false) \
    WHERE current_setting('transaction_timeout', true) IS NOT NULL";
const ONE_PLAN: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
";

/// A statement: what it does, for messages, and its text.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) doing: Cow<'static, str>,
    pub(super) text: Cow<'static, str>,
}

impl Sql {
    pub(super) const fn new(doing: &'static str, text: &'static str) -> Sql {
        Sql { doing: Cow::Borrowed(doing), text: Cow::Borrowed(text) }
    }
}

/// A connection as the server gives it.
fn dial(url: &PostgresUrl, config: &tokio_postgres::Config, over: &Over) -> Result<Connection, StoreError> {
    let connected = match url.tls()? {
        Some(connector) => Connection::open(config, MakeTlsConnector::new(connector), over),
        None => Connection::open(config, NoTls, over),
    };
    connected.map_err(|refused| match refused {
        Refused::Server(error) => connect_fault(&url.to_string(), error),
        Refused::Silence(patience) => StoreError::Unreachable {
            store: url.to_string(),
            source: format!("it takes connections, and said nothing for {} s", patience.as_secs()).into(),
        },
        Refused::Over => StoreError::Unreachable {
            store: url.to_string(),
            source: "it was not waited for, since the job is about to end".into(),
        },
        Refused::System(error) => {
            StoreError::Fault { doing: "preparing a connection".to_owned(), source: Box::new(error) }
        }
    })
}

/// Which session of the server, so that a later one recognises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionId {
    pid: i32,
    started: SystemTime,
}

/// A connection, set up.
pub(super) struct Session {
    connection: Connection,
    store: String,
    id: SessionId,
    statements: HashMap<String, Statement>,
}

impl Session {
    /// Connects, to the server that takes writes where the URL names several.
    pub(super) fn open(url: &PostgresUrl, over: &Over) -> Result<Session, StoreError> {
        Session::connect(url, Session::to_write(url)?, over, |_| Ok(()))
    }

    /// The same for the first time: refuses a pooler that would share the session with others, before anything is
    /// set in it.
    pub(super) fn open_first(url: &PostgresUrl, over: &Over) -> Result<Session, StoreError> {
        let config = Session::to_write(url)?;
        let other = (url.clone(), config.clone(), over.clone());
        Session::connect(url, config, over, move |connection| {
            let is_shared = pooler::shares_sessions(connection, move || dial(&other.0, &other.1, &other.2))
                .map_err(|error| fault(&url.to_string(), "asking for the session's number", error))?;
            if is_shared { Err(pooler::refusal(&url.to_string())) } else { Ok(()) }
        })
    }

    /// Connects to read only; a standby server will do.
    pub(super) fn open_to_read(url: &PostgresUrl, over: &Over) -> Result<Session, StoreError> {
        Session::connect(url, url.config(&format!("takings ({})", host::this_process()))?, over, |_| Ok(()))
    }

    fn to_write(url: &PostgresUrl) -> Result<tokio_postgres::Config, StoreError> {
        let mut config = url.config(&format!("takings run ({})", host::this_process()))?;
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(config)
    }

    fn connect(
        url: &PostgresUrl,
        config: tokio_postgres::Config,
        over: &Over,
        check: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
    ) -> Result<Session, StoreError> {
        let store = url.to_string();
        let mut connection = dial(url, &config, over)?;
        check(&mut connection)?;
        let set_up = |connection: &mut Connection| {
            connection.batch_execute(&setup())?;
            connection
                .query_one("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()", &[])
                .and_then(|row| Ok(SessionId { pid: row.try_get(0)?, started: row.try_get(1)? }))
        };
        let id = set_up(&mut connection).map_err(|error| fault(&store, "setting the session up", error))?;
        connection.trust();
        Ok(Session { connection, store, id, statements: HashMap::new() })
    }

    /// That the server runs this process's statements in the session that holds the lock, given which one ran the
    /// last of them.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] where a pooler gave it another.
    pub(super) fn is_its_own(&self, pid: i32) -> Result<(), StoreError> {
        if pid == self.id.pid { Ok(()) } else { Err(pooler::refusal(&self.store)) }
    }

    /// That the database can hold every name that a record may have.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] where its encoding is another than UTF-8.
    pub(super) fn check_encoding(&mut self) -> Result<(), StoreError> {
        const ASK: Sql =
            Sql::new("asking for the database's encoding", "SELECT current_setting('server_encoding')::text");
        let encoding: String = self.query_one(&ASK, &[])?;
        // SQL_ASCII takes bytes as they come, and is told UTF-8.
        if ["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
            return Ok(());
        }
        Err(StoreError::Configuration {
            setting: "store",
            message: format!(
                "{}: the database is encoded in {encoding}, which can not hold every product's name; make one with \
                 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
                self.store
            ),
        })
    }

    /// From when on answers are of no use.
    pub(super) fn give_up_once(&mut self, over: Over) {
        self.connection.give_up_once(over);
    }

    /// Who this is, for the session that comes after.
    pub(super) const fn id(&self) -> SessionId {
        self.id
    }

    /// The store, without its password.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// Takes the store's lock, which the server frees when this session ends.
    ///
    /// The server may not have noticed yet that `previous`, this process's own session before, is gone.
    /// That one is ended: once its lock is free, what it was committing is committed or never will be.
    ///
    /// # Errors
    /// [`StoreError::Held`] where another process holds it.
    pub(super) fn lock(&mut self, previous: Option<SessionId>) -> Result<(), StoreError> {
        const TRY: Sql = Sql::new("taking the store's lock", "SELECT pg_try_advisory_lock($1)");
        if self.query_one(&TRY, &[&LOCK])? {
            return Ok(());
        }
        let holder = self.holder()?;
        let patience = match &holder {
            Some((id, _)) if previous == Some(*id) => {
                const END: Sql = Sql::new("ending this process's session before", "SELECT pg_terminate_backend($1)");
                self.query_one::<bool>(&END, &[&id.pid])?;
                OWN_SESSION_ENDS
            }
            _ => LAST_HOLDER_ENDS,
        };
        let asked = Instant::now();
        while asked.elapsed() < patience {
            std::thread::park_timeout(ASK_AGAIN);
            if self.query_one(&TRY, &[&LOCK])? {
                return Ok(());
            }
        }
        let holder = holder.map_or_else(|| "a process that just came".to_owned(), |(_, holder)| holder);
        Err(StoreError::Held { store: self.store.clone(), holder })
    }

    /// Who holds the lock, and in words. Another role's details may be hidden from us.
    fn holder(&mut self) -> Result<Option<(SessionId, String)>, StoreError> {
        const WHO: Sql = Sql::new(
            "asking who holds the store's lock",
            "SELECT l.pid, a.backend_start, a.application_name, a.usename::text, coalesce(host(a.client_addr), 'a local socket')
             FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND l.classid::bigint = $1::bigint >> 32 AND l.objid::bigint = $1::bigint & 4294967295",
        );
        let rows = self.query(&WHO, &[&LOCK])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let describe = || -> Result<(SessionId, String), Error> {
            let pid: i32 = row.try_get(0)?;
            let Some(started) = row.try_get::<_, Option<SystemTime>>(1)? else {
                return Ok((SessionId { pid, started: SystemTime::UNIX_EPOCH }, format!("server process {pid}")));
            };
            let text = |index| row.try_get::<_, Option<String>>(index).map(Option::unwrap_or_default);
            let (application, user, address) = (text(2)?, text(3)?, text(4)?);
            let since = DateTime::<Utc>::from(started).to_rfc3339_opts(SecondsFormat::Secs, true);
            let holder = format!("{application}, user {user}, from {address}, server process {pid}, since {since}");
            Ok((SessionId { pid, started }, holder))
        };
        describe().map(Some).map_err(|error| fault(&self.store, &WHO.doing, error))
    }

    /// From here on every statement is an index lookup for each row.
    pub(super) fn plan_for_commits(&mut self) -> Result<(), StoreError> {
        self.connection.batch_execute(ONE_PLAN).map_err(|error| fault(&self.store, "setting the session up", error))
    }

    /// The connection, for the migrations.
    pub(super) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Runs statements without parameters or results.
    pub(super) fn batch(&mut self, doing: &str, text: &str) -> Result<(), StoreError> {
        self.connection.batch_execute(text).map_err(|error| fault(&self.store, doing, error))
    }

    /// Runs one statement; how many rows it touched.
    pub(super) fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, StoreError> {
        self.prepared(sql)
            .and_then(|statement| self.connection.execute(&statement, params))
            .map_err(|error| fault(&self.store, &sql.doing, error))
    }

    /// Runs one statement; its rows.
    pub(super) fn query(&mut self, sql: &Sql, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        self.prepared(sql)
            .and_then(|statement| self.connection.query(&statement, params))
            .map_err(|error| fault(&self.store, &sql.doing, error))
    }

    /// Runs one statement and hands each row to `each`, without holding them all.
    pub(super) fn each(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: impl FnMut(&Row) -> Result<(), Stopped>,
    ) -> Result<(), StoreError> {
        let read = self
            .prepared(sql)
            .map_err(Stopped::from)
            .and_then(|statement| self.connection.each(&statement, params, each));
        self.ended(sql, read)
    }

    /// The same for a COPY of one column of bytes; see [`Connection::each_copied`].
    pub(super) fn each_copied(
        &mut self,
        sql: &Sql,
        mut each: impl FnMut(Option<&[u8]>) -> Result<(), Stopped>,
    ) -> Result<(), StoreError> {
        let read = self.connection.each_copied(&sql.text, Type::BYTEA, |row| each(row.try_get(0)?));
        self.ended(sql, read)
    }

    fn ended(&self, sql: &Sql, read: Result<(), Stopped>) -> Result<(), StoreError> {
        match read {
            Ok(()) | Err(Stopped::Enough) => Ok(()),
            Err(Stopped::Driver(error)) => Err(fault(&self.store, &sql.doing, error)),
            Err(Stopped::Store(error)) => Err(error),
        }
    }

    /// Runs one statement that returns one value.
    fn query_one<T>(&mut self, sql: &Sql, params: Params<'_>) -> Result<T, StoreError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.prepared(sql)
            .and_then(|statement| self.connection.query_one(&statement, params)?.try_get(0))
            .map_err(|error| fault(&self.store, &sql.doing, error))
    }

    /// Starts a transaction.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("beginning a transaction", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    }

    /// Ends the transaction and asks in the same breath which epoch stands: COMMIT answers ROLLBACK
    /// without an error when a statement before it failed.
    pub(super) fn commit(&mut self) -> Result<Option<u64>, StoreError> {
        let answers = self
            .connection
            .simple_query("COMMIT; SELECT epoch FROM job")
            .map_err(|error| fault(&self.store, "committing", error))?;
        Ok(answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        }))
    }

    fn prepared(&mut self, sql: &Sql) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(&*sql.text) {
            return Ok(statement.clone());
        }
        let statement = self.connection.prepare(&sql.text)?;
        self.statements.insert(sql.text.clone().into_owned(), statement.clone());
        Ok(statement)
    }
}
