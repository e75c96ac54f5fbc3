//! A connection for one thread, which waits for each answer: tokio-postgres, driven while somebody waits.
//!
//! Why not the `postgres` crate, which is the same: it waits for a server's greeting for ever. A server that takes
//! connections and says nothing (behind a load balancer, or its answers lost) was waited for in silence.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Row, SimpleQueryMessage, Socket, Statement, ToStatement};

/// How long a server may take to greet, each one that the URL names, and then to answer each question until the
/// session is set up. From there on it ends a silent session itself, see [`session`](super::session).
const GREETS_WITHIN: Duration = Duration::from_secs(20);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a statement takes.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection to a server.
pub(super) struct Connection {
    /// Before the runtime, so that it is dropped first.
    client: Option<Client>,
    /// Carries what is said; ends with the connection.
    driver: JoinHandle<()>,
    /// How long an answer may take.
    patience: Option<Duration>,
    runtime: Runtime,
}

/// Why there is no connection.
pub(super) enum Refused {
    /// The server, or the way to it.
    Server(Error),
    /// Nobody said anything for so long.
    Silence(Duration),
    /// The system gave no event loop.
    System(std::io::Error),
}

impl Connection {
    /// Connects, and waits for each answer no longer than [`GREETS_WITHIN`] until told [otherwise](Self::trust).
    pub(super) fn open<T>(config: &Config, tls: T) -> Result<Connection, Refused>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::System)?;
        let servers = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        let patience = GREETS_WITHIN * servers as u32;
        let (client, driver) = runtime.block_on(async {
            let connected = timeout(patience, config.connect(tls)).await;
            let (client, connection) = connected.map_err(|_| Refused::Silence(patience))?.map_err(Refused::Server)?;
            let driver = async {
                // Whoever waits for an answer is told as well.
                let _ = connection.await;
            };
            Ok((client, tokio::spawn(driver)))
        })?;
        Ok(Connection { client: Some(client), driver, patience: Some(GREETS_WITHIN), runtime })
    }

    /// From here on an answer may take as long as it takes.
    pub(super) fn trust(&mut self) {
        self.patience = None;
    }

    /// Waits for an answer. Where it takes too long the connection is given up, which is the answer then.
    fn wait<'c, T, F>(&'c self, ask: impl FnOnce(&'c Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let Some(client) = &self.client else { unreachable!("it is taken when the connection is dropped") };
        self.runtime.block_on(async {
            let mut answer = pin!(ask(client));
            if let Some(patience) = self.patience {
                tokio::select! {
                    answer = &mut answer => return answer,
                    () = sleep(patience) => {
                        tracing::warn!("no answer from the store for {} s: giving up that connection", patience.as_secs());
                        self.driver.abort();
                    }
                }
            }
            answer.await
        })
    }

    pub(super) fn batch_execute(&mut self, text: &str) -> Result<(), Error> {
        self.wait(|client| client.batch_execute(text))
    }

    pub(super) fn simple_query(&mut self, text: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        self.wait(|client| client.simple_query(text))
    }

    pub(super) fn prepare(&mut self, text: &str) -> Result<Statement, Error> {
        self.wait(|client| client.prepare(text))
    }

    pub(super) fn execute(&mut self, statement: &Statement, params: Params<'_>) -> Result<u64, Error> {
        self.wait(|client| client.execute(statement, params))
    }

    pub(super) fn query(&mut self, statement: &Statement, params: Params<'_>) -> Result<Vec<Row>, Error> {
        self.wait(|client| client.query(statement, params))
    }

    pub(super) fn query_one(
        &mut self,
        statement: &(impl ?Sized + ToStatement),
        params: Params<'_>,
    ) -> Result<Row, Error> {
        self.wait(|client| client.query_one(statement, params))
    }

    /// Hands each row over, without holding them all.
    pub(super) fn each(
        &mut self,
        statement: &Statement,
        params: Params<'_>,
        mut each: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.wait(|client| async move {
            let mut rows = pin!(client.query_raw(statement, params.iter().copied()).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    /// Hands the connection to what needs it as it is.
    pub(super) fn with<T>(&mut self, ask: impl AsyncFnOnce(&mut Client) -> T) -> T {
        let Some(client) = &mut self.client else { unreachable!("it is taken when the connection is dropped") };
        self.runtime.block_on(ask(client))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The driver says goodbye once nobody can ask any more.
        self.client = None;
        let driver = &mut self.driver;
        let _ = self.runtime.block_on(async { timeout(FAREWELL, driver).await });
    }
}
