//! One browser's stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::task::AbortOnDropHandle;
use warp::Reply;
use warp::http::HeaderValue;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use warp::reply::Response;

use super::feed::{Feed, Message, Resumed};
use super::metrics::StreamGauge;
use super::watched::Watch;
use crate::store::StoreError;
use crate::store::reader::state_id::StateId;

/// After how much silence a comment shows that the line still stands.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long to wait before asking the store again what a client missed.
const AGAIN: Duration = Duration::from_secs(1);
/// How soon a browser comes back after its connection was cut.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
const ALIVE: Bytes = Bytes::from_static(b"event: heartbeat\ndata: {}\n\n");
const RESUMED: Bytes = Bytes::from_static(b": nothing changed\n\n");

/// What keeps count of a stream: dropped with it.
pub struct Counted {
    /// Leave to be open.
    pub _permit: OwnedSemaphorePermit,
    /// One of those open.
    pub _gauge: StreamGauge,
}

struct Client {
    feed: Arc<Feed>,
    messages: Receiver<Message>,
    /// The products that it follows.
    watch: Option<Watch>,
    /// The state that the client is at, once it has a snapshot of the hello's epoch or later.
    at: Option<StateId>,
    /// Whether what changed after `at` must be asked for before the messages can go on.
    behind: bool,
    /// What it asked for, being behind. On a task of its own, which ends with the client: a stream is shared between
    /// threads, and a query's future can not be.
    asking: Option<AbortOnDropHandle<Result<Resumed, StoreError>>>,
    /// What is to be sent before anything else.
    ready: std::collections::VecDeque<Bytes>,
    _counted: Counted,
}

/// The stream of a client that has seen `last_event` and follows some products; `None` once the service stops.
pub fn reply(
    feed: &Arc<Feed>,
    last_event: Option<StateId>,
    watch: Option<Watch>,
    counted: Counted,
) -> Option<Response> {
    let place = feed.subscribe()?;
    let mut ready = std::collections::VecDeque::from([RETRY]);
    ready.extend(place.trouble);
    let (mut at, mut behind) = (last_event.clone(), false);
    match (last_event, place.published) {
        (None, Some((seen, hello))) => {
            at = Some(seen);
            ready.push_back(hello);
        }
        (Some(last), Some((seen, _))) if last == seen => ready.push_back(RESUMED),
        (Some(_), _) => behind = true,
        (None, None) => {}
    }
    let (feed, messages) = (feed.clone(), place.messages);
    let client = Client { feed, messages, watch, at, behind, asking: None, ready, _counted: counted };
    let mut response = warp::reply::stream(events(client)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that would wait for more of it.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Some(response)
}

fn events(client: Client) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    stream::unfold(client, |mut client| async move {
        let bytes = client.next().await?;
        Some((Ok(bytes), client))
    })
}

impl Client {
    /// What is sent next; `None` where the service stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.behind {
                // There may be many before it.
                if tokio::time::timeout(HEARTBEAT, self.catch_up()).await.is_err() {
                    return Some(ALIVE);
                }
                continue;
            }
            match tokio::time::timeout(HEARTBEAT, self.messages.recv()).await {
                Err(_) => return Some(ALIVE),
                Ok(Ok(message)) => {
                    if let Some(bytes) = self.take(message) {
                        return Some(bytes);
                    }
                }
                // Too slow: what was lost is asked for as a whole, and may have said that contact is back.
                Ok(Err(RecvError::Lagged(_))) => {
                    self.behind = self.at.is_some();
                    self.ready.push_back(self.feed.contact());
                }
                Ok(Err(RecvError::Closed)) => return None,
            }
        }
    }

    fn take(&mut self, message: Message) -> Option<Bytes> {
        match message {
            Message::Contact(event) => Some(event),
            Message::Reset(seen, event) => {
                self.at = Some(seen);
                Some(event)
            }
            Message::Hello(seen, event) => match &self.at {
                None => {
                    self.at = Some(seen);
                    Some(event)
                }
                // It came back with a state of its own while the service was starting.
                Some(at) => {
                    self.behind = seen != *at;
                    None
                }
            },
            Message::Changes { since, seen, event, with_products } => match &self.at {
                // What it was told on coming back reached further than this link.
                Some(at) if seen.epoch <= at.epoch => None,
                Some(at) if since <= at.epoch => {
                    let event = match &self.watch {
                        None => Some(event),
                        Some(watch) => with_products.get(watch.set()).cloned(),
                    };
                    match event {
                        Some(_) => self.at = Some(seen),
                        // It was read without these products, or holds too many of their rows.
                        None => self.behind = true,
                    }
                    event
                }
                // A gap in the chain, or a client that was never greeted: neither can be, and either
                // is mended by asking.
                _ => {
                    self.at.get_or_insert(StateId { epoch: since, run: None });
                    self.behind = true;
                    None
                }
            },
        }
    }

    /// Asks what changed since the client's epoch; goes on where it was left.
    async fn catch_up(&mut self) {
        let Some(at) = self.at.clone() else {
            self.behind = false;
            return;
        };
        let Client { feed, watch, asking, .. } = self;
        let asking = asking.get_or_insert_with(|| {
            let (feed, set) = (feed.clone(), watch.as_ref().map(|watch| watch.set().clone()));
            AbortOnDropHandle::new(tokio::spawn(async move { feed.resume(&at, set).await }))
        });
        let asked = asking.await;
        self.asking = None;
        match asked {
            Ok(Ok(resumed)) => {
                self.at = Some(resumed.seen);
                self.behind = false;
                self.ready.push_back(resumed.event.unwrap_or(RESUMED));
            }
            Ok(Err(_)) | Err(_) => {
                // The feed tells of lost contact; this client's turn comes when it is back.
                tokio::time::sleep(AGAIN).await;
                self.ready.push_back(ALIVE);
            }
        }
    }
}
