//! The HTTP server around the routes: what no client may do to it, and what every answer carries.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;
use warp::Filter;
use warp::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use warp::http::{HeaderName, HeaderValue, Request};
use warp::reply::Response;

use super::access::{self, Access};
use super::connections::{Connection, Connections};
use super::metrics::Metrics;
use super::routes::Route;
use super::session;

/// How long a client may take to send the head of a request, and how long a kept connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// How many connections are open at most, where the system lets it have as many files.
pub const MAX_CONNECTIONS: usize = 20_000;
/// How many bytes on their way to a client the kernel holds at most (it doubles this for its own needs): they
/// count as this process's memory where it runs in a control group.
const SEND_BUFFER: usize = 128 * 1024;
/// How long answers under way may take once the service stops.
const GRACE: Duration = Duration::from_secs(3);

/// On every answer. Nothing may be inline; what charts set on their elements goes through the object model.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// What bounds the clients of a server.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many may be connected.
    pub connections: usize,
    /// How long one may take no byte of what is sent to it.
    pub stall: Duration,
}

/// Serves until `shutdown`; then lets answers under way end.
pub async fn run<F>(
    listener: TcpListener,
    routes: F,
    access: Access,
    metrics: Arc<Metrics>,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) where
    F: Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static,
    F::Future: Send,
{
    let mut shutdown = std::pin::pin!(shutdown);
    let connections = Connections::new(metrics.clone());
    let room = Arc::new(Semaphore::new(bounds.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &room, &connections) => accepted,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, mostly: others must close first.
                tracing::warn!(%error, "a connection could not be accepted");
                connections.cut_an_idle_one();
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // An event must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(bounds.stall));

        let open = connections.open();
        let this = open.connection().clone();
        let (routes, access, metrics, connections) =
            (routes.clone(), access.clone(), metrics.clone(), connections.clone());
        let service = {
            let this = this.clone();
            service_fn(move |request| {
                let (this, connections) = (this.clone(), connections.clone());
                let answering = answer(routes.clone(), access.clone(), metrics.clone(), request);
                async move { held(answering, &connections, &this).await }
            })
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = connection => ended.err(),
                () = this.cut() => None,
            };
            // Clients go away as they please: that is no fault.
            if let Some(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((open, permit));
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("some answers were cut off: their clients were too slow");
    }
}

/// The next client. Where there is no room, the one that has been idle longest gives its place up.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
    connections: &Connections,
) -> std::io::Result<(tokio::net::TcpStream, OwnedSemaphorePermit)> {
    let (stream, _) = listener.accept().await?;
    let permit = match room.clone().try_acquire_owned() {
        Ok(permit) => permit,
        Err(_) => {
            connections.cut_an_idle_one();
            room.clone().acquire_owned().await.map_err(std::io::Error::other)?
        }
    };
    Ok((stream, permit))
}

/// The answer, with its bytes counted for as long as its client does not take them. A stream has no length,
/// and its connection is not idle while it lasts.
async fn held(
    answering: impl Future<Output = Result<Response, Infallible>>,
    connections: &Arc<Connections>,
    connection: &Arc<Connection>,
) -> Result<Response, Infallible> {
    connections.asks(connection);
    let (head, body) = answering.await?.into_parts();
    if body.size_hint().exact().is_none() {
        return Ok(Response::from_parts(head, body));
    }
    // It is in memory as a whole: nothing is waited for, and nothing copied.
    let bytes = body.collect().await.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
    connections.is_answered(connection);
    Ok(Response::from_parts(head, connections.hold(bytes, connection).into()))
}

async fn answer<F>(
    routes: F,
    access: Access,
    metrics: Arc<Metrics>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response, Infallible>
where
    F: Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static,
    F::Future: Send,
{
    let started = Instant::now();
    let mut response = match access.check(&request) {
        Ok(()) if request.uri().path() == session::PATH => session::answer(&access, request).await,
        Ok(()) => warp::service(routes).call(request).await?,
        Err(problem) => access::refused(request.headers(), access.told(request.headers(), problem).await),
    };
    let route = response.extensions().get().map_or("none", |Route(route)| route);
    metrics.answered(route, response.status().as_u16(), started.elapsed());
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
