//! Reading PostgreSQL: a bounded pool, one repeatable-read transaction an answer, and `LISTEN` for
//! new epochs.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Transaction,
};
use futures_util::future::{BoxFuture, try_join_all};
use native_tls::TlsConnector;
use postgres_native_tls::MakeTlsConnector;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, IsolationLevel, NoTls, Socket};
use tracing::{debug, info, warn};

use super::statement::{Dialect, Statement};
use super::table::Kind;
use super::value::{Row, Value};
use super::{Backend, ReaderOptions, Then, WatchGuard};
use crate::store::StoreError;
use crate::store::postgres::servers::{self, NoServer};
use crate::store::postgres::session::NO_TRANSACTION_TIMEOUT;
use crate::store::url::PostgresUrl;

/// How these sessions show up in `pg_stat_activity`.
const APPLICATION: &str = "takings serve";
/// The channel on which the job's transaction tells of its epoch.
const CHANNEL: &str = "takings";
/// How long a connection may hear nothing before it is asked whether it still would.
const PULSE: Duration = Duration::from_secs(10);
/// How long the server has to take word that nobody waits for a query any more.
const CANCELLED_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait before listening again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A PostgreSQL store, read.
pub struct Postgres {
    name: String,
    pool: Pool,
    connector: Connector,
    timeout: Duration,
}

/// Connects: as the writer does, the password read anew each time, and every session read-only.
#[derive(Clone)]
struct Connector {
    url: Arc<PostgresUrl>,
    tls: Option<TlsConnector>,
    timeout: Duration,
}

impl Postgres {
    /// A reader of the database at `url`; connects when first asked.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] where a certificate can not be read.
    pub fn open(url: PostgresUrl, options: ReaderOptions) -> Result<Self, StoreError> {
        let name = url.to_string();
        let timeout = options.timeout;
        let connector = Connector { tls: url.tls()?, url: Arc::new(url), timeout };
        let config = connector.url.config(APPLICATION)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_connect(config, connector.clone(), recycling))
            .max_size(options.connections)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .recycle_timeout(Some(timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| fault("setting the connection pool up", error))?;
        Ok(Postgres { name, pool, connector, timeout })
    }

    fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError::Unreachable { store: self.name.clone(), source: source.into() }
    }

    fn slow(&self) -> StoreError {
        self.unreachable(format!("no answer within {} s", self.timeout.as_secs_f32()))
    }

    /// Who must act on a failure.
    fn judge(&self, error: Error) -> StoreError {
        let Some(code) = error.code().map(|state| state.code().to_owned()) else {
            return self.unreachable(error);
        };
        let message = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        match (&code[..2], code.as_str()) {
            // Connection, operator intervention (shutdown, starting up, timeout), resources, conflicts
            // of a standby with its recovery.
            ("08" | "57" | "53" | "40", _) => self.unreachable(message),
            // A session that was idle in a transaction, or whose transaction took longer than the server allows.
            (_, "25P03" | "25P04") => self.unreachable(message),
            (_, "42P01" | "3F000") => StoreError::Empty { store: self.name.clone() },
            (_, "42501") => StoreError::Withheld { message },
            ("28", _) | (_, "3D000") => StoreError::Configuration { setting: "store", message },
            _ => fault("reading the store", error),
        }
    }
}

fn fault(doing: &str, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Fault { doing: doing.to_owned(), source: Box::new(source) }
}

/// A connection that goes back to the pool only when its work was finished: one that was given up on
/// may still be busy with it. It is closed, and the server told to end what nobody waits for.
struct InUse {
    client: Option<Object>,
    tls: Option<TlsConnector>,
}

impl Drop for InUse {
    fn drop(&mut self) {
        let (Some(busy), Ok(runtime)) = (self.client.take(), Handle::try_current()) else { return };
        let (cancel, tls, patience) = (busy.cancel_token(), self.tls.take(), CANCELLED_WITHIN);
        drop(Object::take(busy));
        runtime.spawn(async move {
            let cancelled = async {
                match tls {
                    Some(tls) => cancel.cancel_query(MakeTlsConnector::new(tls)).await,
                    None => cancel.cancel_query(NoTls).await,
                }
            };
            match timeout(patience, cancelled).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "a query that nobody waits for was not cancelled"),
                Err(_) => debug!("a query that nobody waits for was not cancelled: no answer"),
            }
        });
    }
}

#[async_trait]
impl Backend for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn read_then(&self, statements: Vec<Statement>, then: Then) -> Result<Vec<Vec<Row>>, StoreError> {
        let client = match self.pool.get().await {
            Ok(client) => client,
            Err(PoolError::Backend(error)) => return Err(self.judge(error)),
            Err(PoolError::Timeout(_)) => return Err(self.slow()),
            Err(error) => return Err(fault("taking a connection from the pool", error)),
        };
        let mut in_use = InUse { client: Some(client), tls: self.connector.tls.clone() };
        let Some(client) = in_use.client.as_mut() else { return Err(self.slow()) };
        match timeout(self.timeout, snapshot(client, &statements, then)).await {
            Ok(Ok(tables)) => {
                drop(in_use.client.take());
                Ok(tables)
            }
            Ok(Err(error)) => Err(self.judge(error)),
            Err(_) => Err(self.slow()),
        }
    }

    fn watch(&self, wake: Arc<Notify>) -> WatchGuard {
        let connector = self.connector.clone();
        let task = tokio::spawn(async move {
            let mut wait = BACKOFF.0;
            loop {
                match listen(&connector, &wake, &mut wait).await {
                    Ok(()) => debug!("the connection that listens for epochs was closed"),
                    Err(error) => debug!(%error, "listening for epochs failed"),
                }
                sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
            }
        });
        WatchGuard::new(move || task.abort())
    }
}

/// Runs the statements in one transaction, and then those that follow from their answers.
async fn snapshot(client: &mut Object, statements: &[Statement], then: Then) -> Result<Vec<Vec<Row>>, Error> {
    let transaction =
        client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
    let mut tables = answers(&transaction, statements).await?;
    let more = then(&tables);
    if !more.is_empty() {
        tables.append(&mut answers(&transaction, &more).await?);
    }
    transaction.commit().await?;
    Ok(tables)
}

/// The statements are sent together: one round trip for all.
async fn answers(transaction: &Transaction<'_>, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Error> {
    let answers = statements.iter().map(|statement| async move {
        let prepared = transaction.prepare_cached(&statement.sql).await?;
        let parameters: Vec<&(dyn ToSql + Sync)> = statement.parameters.iter().map(|value| value as _).collect();
        let rows = transaction.query(&prepared, &parameters).await?;
        rows.iter().map(|row| values(row, &statement.kinds)).collect::<Result<Vec<Row>, Error>>()
    });
    try_join_all(answers).await
}

fn values(row: &tokio_postgres::Row, kinds: &[Kind]) -> Result<Row, Error> {
    let value = |(place, kind): (usize, &Kind)| {
        Ok(match kind {
            Kind::Integer => row.try_get::<_, Option<i64>>(place)?.map(Value::Integer),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(place)?.map(Value::Bytes),
            Kind::Text | Kind::Date | Kind::Decimal | Kind::Timestamp => {
                row.try_get::<_, Option<String>>(place)?.map(Value::Text)
            }
        }
        .unwrap_or(Value::Null))
    };
    kinds.iter().enumerate().map(value).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(tokio_postgres::types::IsNull::Yes),
            Value::Text(text) => text.to_sql(ty, out),
            Value::Integer(number) => number.to_sql(ty, out),
            Value::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TEXT | Type::INT8 | Type::BYTEA)
    }

    tokio_postgres::types::to_sql_checked!();
}

impl Connector {
    fn config(&self, given: &Config) -> Config {
        self.url.config(APPLICATION).unwrap_or_else(|error| {
            warn!(%error, "the store's password can not be read; trying the one read before");
            given.clone()
        })
    }

    /// What holds for every session. A timeout on the server's side as well: it then stops working on
    /// what no one waits for. None on whole transactions, which may be of several statements: whoever waits for one gives
    /// up by itself.
    async fn prepare(&self, client: &Client) -> Result<(), Error> {
        let limit = self.timeout.as_millis();
        client
            .batch_execute(&format!(
                "SET default_transaction_read_only = on; SET statement_timeout = {limit}; \
                 SET idle_in_transaction_session_timeout = {limit}; {NO_TRANSACTION_TIMEOUT}"
            ))
            .await
    }

    async fn client(&self, config: Config) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, task) = match &self.tls {
            Some(tls) => {
                let tls = MakeTlsConnector::new(tls.clone());
                let (client, connection) = connect(&config, tls, self.timeout).await?;
                (client, tokio::spawn(drive(connection)))
            }
            None => {
                let (client, connection) = connect(&config, NoTls, self.timeout).await?;
                (client, tokio::spawn(drive(connection)))
            }
        };
        if let Err(error) = self.prepare(&client).await {
            task.abort();
            return Err(error);
        }
        Ok((client, task))
    }
}

impl Connect for Connector {
    fn connect(&self, given: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = self.config(given);
        Box::pin(self.client(config))
    }
}

/// Connects to one of the servers named, all of which together have this long. Whoever waits gives up then.
async fn connect<T>(
    config: &Config,
    tls: T,
    patience: Duration,
) -> Result<(Client, tokio_postgres::Connection<Socket, T::Stream>), Error>
where
    T: MakeTlsConnect<Socket> + Clone,
{
    match servers::connect(config, tls, patience / servers::count(config) as u32).await {
        Ok((client, connection, _)) => Ok((client, connection)),
        Err(NoServer::Error(error)) => Err(error),
        Err(NoServer::Silence(_)) => pending().await,
    }
}

async fn drive(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        debug!(%error, "a connection to the store ended");
    }
}

/// Listens until the connection ends, or is no longer answered. Once it listens, `wake` is notified (an epoch may have
/// passed unheard) and the backoff starts anew.
async fn listen(connector: &Connector, wake: &Notify, wait: &mut Duration) -> Result<(), Error> {
    let config = match connector.url.config(APPLICATION) {
        Ok(config) => config,
        Err(error) => {
            debug!(%error, "listening for epochs needs the store's password");
            return Ok(());
        }
    };
    let patience = connector.timeout;
    match &connector.tls {
        Some(tls) => {
            let tls = MakeTlsConnector::new(tls.clone());
            hear(connect(&config, tls, patience), patience, wake, wait).await
        }
        None => hear(connect(&config, NoTls, patience), patience, wake, wait).await,
    }
}

fn unheard(patience: Duration) -> Result<(), Error> {
    warn!(
        "the connection that listens for epochs was not answered for {} s; listening on a new one, and looking every \
         other second meanwhile",
        patience.as_secs_f32()
    );
    Ok(())
}

/// A connection on which nothing arrives any more looks like one on which there is nothing to hear: so it is asked now
/// and then.
async fn hear<S>(
    connecting: impl Future<Output = Result<(Client, tokio_postgres::Connection<Socket, S>), Error>>,
    patience: Duration,
    wake: &Notify,
    wait: &mut Duration,
) -> Result<(), Error>
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    let Ok(connected) = timeout(patience, connecting).await else { return unheard(patience) };
    let (client, mut connection) = connected?;
    let command = format!("LISTEN {CHANNEL}");
    let mut asked: Option<BoxFuture<'_, Result<(), Error>>> = Some(Box::pin(client.batch_execute(&command)));
    let mut listening = false;
    loop {
        let silence = if asked.is_some() { patience } else { PULSE };
        tokio::select! {
            answer = answered(&mut asked), if asked.is_some() => {
                asked = None;
                answer?;
                if !std::mem::replace(&mut listening, true) {
                    *wait = BACKOFF.0;
                    info!("listening for epochs");
                    wake.notify_one();
                }
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(_))) => wake.notify_one(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = sleep(silence) => {
                if asked.is_some() {
                    return unheard(patience);
                }
                asked = Some(Box::pin(client.batch_execute("")));
            }
        }
    }
}

/// The answer to what was asked; none ever, where nothing was.
async fn answered(asked: &mut Option<BoxFuture<'_, Result<(), Error>>>) -> Result<(), Error> {
    match asked {
        Some(answer) => answer.await,
        None => pending().await,
    }
}
