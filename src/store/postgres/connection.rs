//! A connection for one thread, which waits for each answer: tokio-postgres, driven while somebody waits.
//!
//! Why not the `postgres` crate, which is the same: it waits for a server's greeting for ever. A server that takes
//! connections and says nothing (behind a load balancer, or its answers lost) was waited for in silence.

use std::future::{Future, pending};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row, SimpleQueryMessage, Socket, Statement, ToStatement};

use super::servers::{self, NoServer};
use crate::store::Over;

/// How long a server may take to greet, each one that the URL names, and then to answer each question until the
/// session is set up. From there on it ends a silent session itself, see [`session`](super::session).
const GREETS_WITHIN: Duration = Duration::from_secs(20);
/// How long an answer may take before it is looked whether the server still greets, where the URL names others.
const LOOKS_AROUND_AFTER: Duration = Duration::from_secs(20);
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
    limits: Limits,
    runtime: Runtime,
}

/// How long an answer is waited for.
struct Limits {
    /// No longer than this.
    patience: Option<Duration>,
    /// Looks whether to go to another server; `None` where no other is named.
    looks_around: Option<Box<dyn Fn() -> BoxFuture<'static, bool> + Send>>,
    /// When nobody needs it any more.
    over: Over,
}

impl Limits {
    /// Ends once waiting on is in vain, and says why.
    async fn are_reached(&self) -> String {
        tokio::select! {
            why = self.is_in_vain() => why,
            () = self.over.passes() => "the job is about to end, and the store has not answered".to_owned(),
        }
    }

    async fn is_in_vain(&self) -> String {
        if let Some(patience) = self.patience {
            sleep(patience).await;
            return format!("no answer from the store for {} s", patience.as_secs());
        }
        let Some(look) = &self.looks_around else { return pending().await };
        loop {
            sleep(LOOKS_AROUND_AFTER).await;
            if look().await {
                return "the store's server answers no more, and another one that the URL names does".to_owned();
            }
        }
    }
}

/// What the server answers. Where it takes too long the connection is given up, which is the answer then.
async fn within<T>(limits: &Limits, driver: &JoinHandle<()>, answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    tokio::select! {
        answer = &mut answer => return answer,
        why = limits.are_reached() => {
            tracing::warn!("{why}: giving up that connection");
            driver.abort();
        }
    }
    answer.await
}

/// Why there is no connection.
pub(super) enum Refused {
    /// The server, or the way to it.
    Server(Error),
    /// None said anything for so long.
    Silence(Duration),
    /// None said anything before it was of no use any more.
    Over,
    /// The system gave no event loop.
    System(std::io::Error),
}

impl Connection {
    /// Connects, and waits for each answer no longer than [`GREETS_WITHIN`] until told [otherwise](Self::trust).
    pub(super) fn open<T>(config: &Config, tls: T, over: &Over) -> Result<Connection, Refused>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::System)?;
        let (client, driver, server) = runtime.block_on(async {
            let connected = tokio::select! {
                connected = servers::connect(config, tls.clone(), GREETS_WITHIN) => connected,
                () = over.passes() => return Err(Refused::Over),
            };
            let (client, connection, server) = connected.map_err(|none| match none {
                NoServer::Error(error) => Refused::Server(error),
                NoServer::Silence(patience) => Refused::Silence(patience),
            })?;
            let driver = async {
                // Whoever waits for an answer is told as well.
                let _ = connection.await;
            };
            Ok((client, tokio::spawn(driver), server))
        })?;
        let has_others = server.has_others();
        let look = move || {
            let (server, tls) = (server.clone(), tls.clone());
            async move { server.is_to_be_left(tls, GREETS_WITHIN).await }.boxed()
        };
        let looks_around = has_others.then(|| Box::new(look) as _);
        let limits = Limits { patience: Some(GREETS_WITHIN), looks_around, over: over.clone() };
        Ok(Connection { client: Some(client), driver, limits, runtime })
    }

    /// From here on an answer may take as long as it takes, as long as there is no better server to ask.
    pub(super) fn trust(&mut self) {
        self.limits.patience = None;
    }

    /// From when on answers are of no use.
    pub(super) fn give_up_once(&mut self, over: Over) {
        self.limits.over = over;
    }

    /// Waits for an answer.
    fn wait<'c, T, E, F>(&'c self, ask: impl FnOnce(&'c Client) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let Some(client) = &self.client else { unreachable!("it is taken when the connection is dropped") };
        self.runtime.block_on(within(&self.limits, &self.driver, ask(client)))
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

    /// Hands each row over, without holding them all, until one is not taken.
    pub(super) fn each<E: From<Error>>(
        &mut self,
        statement: &Statement,
        params: Params<'_>,
        mut each: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        self.wait(|client| async move {
            let mut rows = pin!(client.query_raw(statement, params.iter().copied()).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    /// The same of the rows that `COPY … TO STDOUT (FORMAT binary)` sends, each of one value: for the driver and the
    /// server two thirds of the work.
    pub(super) fn each_copied<E: From<Error>>(
        &mut self,
        copy: &str,
        kind: Type,
        mut each: impl FnMut(&BinaryCopyOutRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.wait(|client| async move {
            let mut rows = pin!(BinaryCopyOutStream::new(client.copy_out(copy).await?, &[kind]));
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    /// Hands the connection to what needs it as it is.
    pub(super) fn with<T>(&mut self, ask: impl AsyncFnOnce(&mut Client) -> T) -> T {
        let Some(client) = &mut self.client else { unreachable!("it is taken when the connection is dropped") };
        self.runtime.block_on(within(&self.limits, &self.driver, ask(client)))
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
