//! `takings serve`: the store's totals over HTTP, and live on a page.
//!
//! What it can not do: write. It reads each answer at one snapshot and names its epoch; it goes on
//! serving through an outage of the store, saying so.

mod access;
mod answer;
mod assets;
mod connections;
mod descriptors;
mod errors;
mod events;
mod feed;
mod logged;
mod metrics;
pub mod openapi;
mod outstanding;
pub mod parameters;
mod product_totals;
mod proofs;
mod rooms;
mod routes;
mod server;
mod session;
mod watched;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use takings_dataflows::graph::Held;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, oneshot};

use self::access::Access;
use self::feed::Feed;
use self::metrics::Metrics;
use self::routes::Shop;
use self::server::Bounds;
use crate::store::reader::{Reader, ReaderOptions};
use crate::store::url::StoreUrl;

/// How many event streams are open at most.
const MAX_STREAMS: usize = 16_384;
/// How many large pages are read and written at once.
const LARGE_AT_ONCE: usize = 2;
/// How long a client may take nothing of what is sent to it. One that comes back is told what it missed.
const STALL: Duration = Duration::from_secs(30);
/// The feed's own connections, which no request can take: one for the feed, one for clients that come back.
const FEED_CONNECTIONS: usize = 2;

/// What a service is told.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The store to read.
    pub store: StoreUrl,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The bearer token that clients must send; needed where others than this machine can ask.
    pub token: Option<String>,
    /// How many answers are read from the store at once.
    pub connections: usize,
    /// How long an answer may take to be read.
    pub timeout: Duration,
    /// How long a client may take no byte of what is sent to it, before its connection is cut.
    pub stall: Duration,
    /// What a job in the same process holds, for the metrics.
    pub held: Option<Held>,
    /// Notified by a job in the same process after each commit. The store tells of commits as well;
    /// this is sooner.
    pub wake: Arc<Notify>,
}

impl ServeConfig {
    /// A service of `store` on `listen`, without a token, all else as usual.
    pub fn new(store: StoreUrl, listen: SocketAddr) -> Self {
        let ReaderOptions { connections, timeout } = ReaderOptions::default();
        let wake = Arc::new(Notify::new());
        ServeConfig { store, listen, token: None, connections, timeout, stall: STALL, held: None, wake }
    }
}

/// Why a service can not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting is wrong.
    #[error("setting `{setting}`: {message}")]
    Configuration {
        /// The setting to change, as it is named in the configuration file.
        setting: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The address can not be listened on.
    #[error("setting `listen`: {address} can not be listened on; stop what uses it, or give another port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A service that listens, and is not yet answering.
pub struct Service {
    listener: TcpListener,
    access: Access,
    reader: Reader,
    feed_reader: Reader,
    stall: Duration,
    metrics: Arc<Metrics>,
    wake: Arc<Notify>,
}

impl Service {
    /// Checks the settings and listens. The store need not be there yet.
    ///
    /// # Errors
    /// [`ServeError`], or [`crate::store::StoreError::Configuration`] of the store's address.
    pub async fn bind(config: ServeConfig) -> anyhow::Result<Self> {
        let ServeConfig { store, listen, token, connections, timeout, stall, held, wake } = config;
        let access = Access::new(listen, token)?;
        let reader = Reader::open(&store, ReaderOptions { connections, timeout })?;
        let feed_reader = Reader::open(&store, ReaderOptions { connections: FEED_CONNECTIONS, timeout })?;
        let listener =
            TcpListener::bind(listen).await.map_err(|source| ServeError::Listen { address: listen, source })?;
        let metrics = Arc::new(Metrics::of(held));
        Ok(Service { listener, access, reader, feed_reader, stall, metrics, wake })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says of its own socket.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown`, then ends every event stream and lets answers under way end.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Service { listener, access, reader, feed_reader, stall, metrics, wake } = self;
        let _watch = feed_reader.watch(wake.clone());
        let feed = Feed::new(feed_reader, metrics.clone());
        let telling = tokio::spawn({
            let feed = feed.clone();
            async move { feed.run(wake).await }
        });
        let holding = tokio::spawn({
            let reader = reader.clone();
            async move { reader.hold_product_totals().await }
        });
        let connections = descriptors::connections(server::MAX_CONNECTIONS);
        let streams = Arc::new(Semaphore::new(most_streams(connections)));
        let large = Semaphore::new(LARGE_AT_ONCE);
        let shop = Shop { reader, feed: feed.clone(), metrics: metrics.clone(), streams, large };
        let stop = async {
            shutdown.await;
            // Streams have no end of their own.
            feed.close();
        };
        let bounds = Bounds { connections, stall };
        server::run(listener, routes::routes(Arc::new(shop)), access, metrics, bounds, stop).await;
        telling.abort();
        holding.abort();
    }
}

/// How many event streams may be open where there is room for so many connections: none of them is ever idle, so that
/// others need room of their own.
fn most_streams(connections: usize) -> usize {
    MAX_STREAMS.min(connections / 5 * 4)
}

/// Serves until `shutdown`.
///
/// # Errors
/// As [`Service::bind`]; once it listens, it goes on through whatever happens to the store.
pub async fn serve(config: ServeConfig, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let service = Service::bind(config).await?;
    tracing::info!("listening on http://{}", service.address().context("asking where the service listens")?);
    service.run(shutdown).await;
    Ok(())
}

/// A service on a thread of its own, with its own runtime. Stops when dropped.
pub struct Running {
    address: SocketAddr,
    wake: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Starts a service; returns once it listens.
    ///
    /// # Errors
    /// As [`Service::bind`].
    pub fn start(config: ServeConfig) -> anyhow::Result<Self> {
        let wake = config.wake.clone();
        let (stop, stopped) = oneshot::channel();
        let (started, start) = crossbeam_channel::bounded(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("takings-serve")
            .enable_all()
            .build()
            .context("starting the service's threads")?;
        let thread = std::thread::Builder::new().name("takings-serve".into()).spawn(move || {
            runtime.block_on(async move {
                let service = match Service::bind(config).await.and_then(|service| Ok((service.address()?, service))) {
                    Ok((address, service)) => {
                        let _ = started.send(Ok(address));
                        service
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                        return;
                    }
                };
                service
                    .run(async {
                        // A sender that is gone says stop as well.
                        let _ = stopped.await;
                    })
                    .await;
            });
            // Reads that hang must not hold the process.
            runtime.shutdown_background();
        })?;
        let address = start.recv().context("the service's thread ended before it listened")??;
        Ok(Running { address, wake, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// To be notified (`notify_one`, from any thread) after each commit.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Stops it, and waits until it has: some seconds at most.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
