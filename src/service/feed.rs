//! What changed, told to every browser: one query an epoch however many listen.
//!
//! Clauses that hold, and on which a client's numbers rest:
//! - *a chain*: the feed publishes `changes` with (since, epoch]; each one's `since` is the `epoch`
//!   published before it. Under load several epochs are one link;
//! - *absolute*: a link holds every row that changed after `since` as it is at `epoch`, and the key of
//!   every row that left, all read at one snapshot. So it takes any state from `since` to `epoch` to
//!   the state at `epoch`: an overlap does no harm, and a chain has no gap;
//! - *joined in one step*: a client learns the published epoch and is subscribed under one lock. Its
//!   snapshot is then at that epoch or later, and the links to come start at or before it;
//! - *no way back*: where a chain can not be told (the store went back, rows that left are forgotten, a view
//!   was switched on or off, more rows changed than is worth sending) a `reset` takes its place: the client loads a snapshot,
//!   and the chain starts anew at the reset's epoch;
//! - *followed products are absolute as well*: a link to who follows products holds, for each of them, every day of which
//!   anything changed after `since` and all rows that the product has on it at `epoch` (none: it has none), read at the
//!   link's own snapshot, once for all sets that are read together. So they take the product's rows from `since` to
//!   `epoch` without its removals. A link that was read before a set was followed, or without it, since more sets are
//!   followed than are read together, or in which there is too much of it, has nothing of it: who follows it asks as one
//!   who comes back does, and is told to start over where it is too much then;
//! - *in turns*: a crowd is told room by room (`rooms.rs`), by one teller, each message to all before the next;
//! - *others see nothing of it*: a stream without products gets the same bytes, whatever others follow.
//!
//! Nobody waits for a slow client: one that falls behind loses its place in the queue, and is told
//! what changed since its own last link by a query of its own, one at a time for all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use tokio::sync::{Notify, broadcast};

use super::errors::cause;
use super::metrics::Metrics;
use super::outstanding::Outstanding;
use super::rooms::{Rooms, tell};
use super::watched::{ProductSet, SHARED_SETS, Watched};
use super::wire::Named;
use crate::job::chain;
use crate::store::StoreError;
use crate::store::reader::state_id::StateId;
use crate::store::reader::table::Table;
use crate::store::reader::value::Row;
use crate::store::reader::views::view;
use crate::store::reader::{COUNTERS, Changes, Followed, Head, ProductDays, Reader, SOLD, Since};

/// A link with more rows than this is a reset: a snapshot is less to send and to apply.
pub const MAX_ROWS: u32 = 5_000;
/// How many rows of followed products are read at once, of all sets that are read together.
const MAX_FOLLOWED_ROWS: u32 = 20_000;
/// How long the feed looks away after a link, at least: no eye sees more.
const REST: Duration = Duration::from_millis(20);
/// How often the time that telling took the feed looks away after it: telling a crowd must not take all the time, or every
/// one is told later and later.
const REST_AFTER_TELLING: u32 = 2;
/// How long it looks away after a reset: each makes every client load a snapshot.
const REST_AFTER_RESET: Duration = Duration::from_secs(1);
/// How often the feed looks without being woken: it finds what no one told, and whether there is contact.
const LOOK: Duration = Duration::from_secs(2);
/// How soon it looks again without contact.
const LOOK_FOR_CONTACT: Duration = Duration::from_millis(500);

/// What is told, ready to be sent.
#[derive(Clone, Debug)]
pub enum Message {
    /// The first state that this service saw.
    Hello(StateId, Bytes),
    /// A link of the chain.
    Changes {
        /// The epoch it starts after.
        since: u64,
        /// The state it ends with.
        seen: StateId,
        /// The event.
        event: Bytes,
        /// The event for each set of products that was read with it.
        with_products: Arc<BTreeMap<ProductSet, Bytes>>,
    },
    /// The chain starts anew at this state.
    Reset(StateId, Bytes),
    /// Contact with the store was lost, or is back.
    Contact(Bytes),
}

/// The one feed of a service.
pub struct Feed {
    reader: Reader,
    metrics: Arc<Metrics>,
    /// The products that streams follow.
    pub watched: Arc<Watched>,
    state: Mutex<State>,
    /// One client that came back asks the store at a time.
    turn: tokio::sync::Mutex<()>,
    resumed: Mutex<Answers>,
    outstanding: Outstanding,
}

/// What clients that came back were told last.
#[derive(Default)]
struct Answers {
    /// By the products that they follow: from which state on.
    last: BTreeMap<Option<ProductSet>, (StateId, Resumed)>,
    /// How often the chain started anew.
    chain: u64,
}

#[derive(Default)]
struct State {
    /// The state that the chain has reached, and its hello.
    published: Option<(StateId, Bytes)>,
    /// The views that were kept then.
    views: Option<Vec<String>>,
    /// The event that says so, where contact is lost.
    trouble: Option<Bytes>,
    /// None once the service stops.
    rooms: Option<Rooms<Message>>,
}

/// A place in the feed.
pub struct Subscription {
    /// The state that the chain had reached, and its hello.
    pub published: Option<(StateId, Bytes)>,
    /// The event that says so, where contact is lost.
    pub trouble: Option<Bytes>,
    /// Everything after that.
    pub messages: broadcast::Receiver<Message>,
}

/// What a client that comes back is told.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// The state it is at then.
    pub seen: StateId,
    /// The event, where anything changed.
    pub event: Option<Bytes>,
}

impl Feed {
    /// The feed of a store.
    pub fn new(reader: Reader, metrics: Arc<Metrics>) -> Arc<Self> {
        let state = State { rooms: Some(Rooms::new()), ..State::default() };
        let (watched, turn, resumed) = (Arc::default(), tokio::sync::Mutex::default(), Mutex::default());
        let outstanding = Outstanding::default();
        Arc::new(Feed { reader, metrics, watched, state: Mutex::new(state), turn, resumed, outstanding })
    }

    /// Takes a place; `None` once the service stops.
    pub fn subscribe(&self) -> Option<Subscription> {
        let mut state = self.state.lock();
        let messages = state.rooms.as_mut()?.join();
        Some(Subscription { published: state.published.clone(), trouble: state.trouble.clone(), messages })
    }

    /// The event that says how contact with the store stands.
    pub fn contact(&self) -> Bytes {
        let state = self.state.lock();
        let seen = state.published.as_ref().map(|(seen, _)| seen.epoch);
        state.trouble.clone().unwrap_or_else(|| contact(true, seen, None))
    }

    /// Ends every client's stream.
    pub fn close(&self) {
        self.state.lock().rooms = None;
    }

    /// Whether the last look found the store.
    pub fn has_contact(&self) -> bool {
        let state = self.state.lock();
        state.published.is_some() && state.trouble.is_none()
    }

    /// Tells what changed, for ever. `wake` is notified when there may be something.
    pub async fn run(&self, wake: Arc<Notify>) {
        loop {
            let started = Instant::now();
            let look = self.look().await;
            let took = started.elapsed();
            match look {
                Ok(Some(message)) => {
                    self.metrics.feed_read(took);
                    let reset = matches!(message, Message::Reset(..));
                    let telling = Instant::now();
                    self.tell(message).await;
                    let told = telling.elapsed() * REST_AFTER_TELLING;
                    // Rest longer than the store worked, so that it is left to the job.
                    tokio::time::sleep(if reset { REST_AFTER_RESET } else { REST.max(took * 3).max(told) }).await;
                }
                Ok(None) => {}
                Err(error) => self.lost(&error).await,
            }
            let wait = if self.has_contact() { LOOK } else { LOOK_FOR_CONTACT };
            let _ = tokio::time::timeout(wait, wake.notified()).await;
        }
    }

    /// Tells all who are there now. Who joins from here on is greeted with what was published before.
    async fn tell(&self, message: Message) {
        let rooms = self.state.lock().rooms.as_mut().map(Rooms::in_turn);
        tell(rooms.unwrap_or_default(), message).await;
    }

    /// Looks once, and publishes what is to be told.
    async fn look(&self) -> Result<Option<Message>, StoreError> {
        let (published, views) = {
            let state = self.state.lock();
            (state.published.as_ref().map(|(seen, _)| seen.clone()), state.views.clone())
        };
        let (head, message) = match published {
            None => {
                let head = self.reader.head().await?;
                let message = Message::Hello(head.state(), hello(&head));
                (head, Some(message))
            }
            Some(seen) => {
                let since = seen.epoch;
                let sets = self.watched.shared();
                let products: BTreeSet<&String> = sets.iter().flat_map(|set| set.iter()).collect();
                let products: Vec<String> = products.into_iter().cloned().collect();
                let followed = Followed { products: &products, limit: MAX_FOLLOWED_ROWS };
                let found = match self.reader.changes(&seen, MAX_ROWS, followed).await? {
                    // The rows of a view that was switched off went without an epoch.
                    Since::Changed(changes) if views.is_some() && changes.head.views != views => {
                        Since::StartOver(changes.head)
                    }
                    found => found,
                };
                match found {
                    Since::Changed(changes) if changes.head.epoch == since => (changes.head, None),
                    Since::Changed(changes) => {
                        let event = changes_event(since, &changes);
                        let seen = changes.head.state();
                        let with_products = Arc::new(with_products(&event, changes.of_products.as_ref(), &sets));
                        (changes.head, Some(Message::Changes { since, seen, event, with_products }))
                    }
                    Since::StartOver(head) => {
                        // What was told to others may be of a store that is no more.
                        let mut resumed = self.resumed.lock();
                        *resumed = Answers { chain: resumed.chain + 1, ..Answers::default() };
                        drop(resumed);
                        let message = Message::Reset(head.state(), reset(&head));
                        (head, Some(message))
                    }
                }
            }
        };
        // Nobody is told of two things at once: contact is back before anything else.
        if self.state.lock().trouble.take().is_some() {
            tracing::info!("the store is back");
            self.metrics.contact(true);
            self.tell(Message::Contact(contact(true, Some(head.epoch), None))).await;
        }
        let mut state = self.state.lock();
        state.views = head.views.clone();
        if let Some(message) = &message {
            state.published = Some((head.state(), hello(&head)));
            self.metrics.reached(head.epoch);
            match message {
                Message::Changes { .. } => self.metrics.told_changes(),
                Message::Reset(..) => self.metrics.told_reset(),
                Message::Hello(..) | Message::Contact(_) => {}
            }
        }
        Ok(message)
    }

    async fn lost(&self, error: &StoreError) {
        let event = {
            let mut state = self.state.lock();
            if state.trouble.is_some() {
                return;
            }
            tracing::warn!("no contact with the store; trying again: {}", chain(error));
            self.metrics.contact(false);
            let seen = state.published.as_ref().map(|(seen, _)| seen.epoch);
            let event = contact(false, seen, Some(&cause(error)));
            state.trouble = Some(event.clone());
            event
        };
        self.tell(Message::Contact(event)).await;
    }

    /// What a client that has seen the state `at` and follows these products must be told, to be at the answer's epoch.
    /// Clients that come back together (a service was restarted) share one query. Who goes away meanwhile, and so drops
    /// this, leaves the line; the feed itself never stands in it.
    ///
    /// # Errors
    /// As [`Reader::changes`].
    pub async fn resume(&self, at: &StateId, set: Option<ProductSet>) -> Result<Resumed, StoreError> {
        let _turn = self.turn.lock().await;
        let reached = self.state.lock().published.as_ref().map_or(0, |(seen, _)| seen.epoch);
        let chain = {
            let Answers { last, chain } = &*self.resumed.lock();
            if let Some((asked, answer)) = last.get(&set)
                && asked == at
                && answer.seen.epoch >= reached
            {
                return Ok(answer.clone());
            }
            *chain
        };
        let followed = Followed { products: set.as_deref().unwrap_or_default(), limit: MAX_ROWS };
        let since = at.epoch;
        let answer = match self.reader.changes(at, MAX_ROWS, followed).await? {
            Since::Changed(changes) if changes.head.epoch == since => {
                Resumed { seen: changes.head.state(), event: None }
            }
            Since::Changed(changes) => {
                let event = changes_event(since, &changes);
                let event = match &set {
                    None => event,
                    Some(set) => {
                        let sets = std::slice::from_ref(set);
                        let told = with_products(&event, changes.of_products.as_ref(), sets).remove(set);
                        told.unwrap_or_else(|| reset(&changes.head))
                    }
                };
                // A snapshot is less to hold, and always right.
                let event = self.outstanding.hold(event).unwrap_or_else(|| reset(&changes.head));
                Resumed { seen: changes.head.state(), event: Some(event) }
            }
            Since::StartOver(head) => Resumed { seen: head.state(), event: Some(reset(&head)) },
        };
        self.metrics.resumed();
        let mut resumed = self.resumed.lock();
        resumed.last.retain(|set, _| set.as_ref().is_none_or(|set| self.watched.has(set)));
        // Those that many share are asked for again at once; of the others each is asked for once anyway.
        if resumed.last.len() > SHARED_SETS {
            resumed.last.clear();
        }
        // An answer of before the chain started anew is for who asked then alone.
        if resumed.chain == chain {
            resumed.last.insert(set, (at.clone(), answer.clone()));
        }
        Ok(answer)
    }
}

/// `event: NAME`, `id: STATE`, `data: JSON` (which has no line ends).
fn event(name: &str, id: Option<&StateId>, data: &impl Serialize) -> Bytes {
    // Maps with text keys, text and numbers: can not fail to become JSON.
    let data = serde_json::to_string(data).unwrap_or_default();
    let id = id.map(|seen| format!("id: {seen}\n")).unwrap_or_default();
    Bytes::from(format!("event: {name}\n{id}data: {data}\n\n"))
}

fn hello(head: &Head) -> Bytes {
    event("hello", Some(&head.state()), &place(head))
}

fn reset(head: &Head) -> Bytes {
    event("reset", Some(&head.state()), &place(head))
}

fn place(head: &Head) -> serde_json::Value {
    let Head { epoch, committed_at, newest_record_at, .. } = head;
    serde_json::json!({"epoch": epoch, "committed_at": committed_at, "newest_record_at": newest_record_at})
}

fn contact(contact: bool, epoch: Option<u64>, message: Option<&str>) -> Bytes {
    event("contact", None, &serde_json::json!({"contact": contact, "epoch": epoch, "message": message}))
}

/// Rows (or keys) by the names of their views.
struct ByView<'a> {
    views: &'a [(&'static Table, Vec<Row>)],
    keys_only: bool,
}

impl Serialize for ByView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.views.iter().map(|(table, rows)| {
            // A key is as long as its columns: naming stops where either ends.
            let columns = table.columns().take(if self.keys_only { table.key.len() } else { usize::MAX });
            (table.name, rows.iter().map(|row| Named(columns.clone(), row)).collect::<Vec<_>>())
        }))
    }
}

/// What became of all records so far, by the names of the counters.
struct Sources<'a>(&'a [u64]);

impl Serialize for Sources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(COUNTERS.iter().zip(self.0))
    }
}

/// The data of a link.
#[derive(Serialize)]
struct Link<'a> {
    since: u64,
    epoch: u64,
    committed_at: Option<&'a str>,
    newest_record_at: Option<&'a str>,
    changed: ByView<'a>,
    removed: ByView<'a>,
    sources: Sources<'a>,
}

fn changes_event(since: u64, changes: &Changes) -> Bytes {
    let link = Link {
        since,
        epoch: changes.head.epoch,
        committed_at: changes.head.committed_at.as_deref(),
        newest_record_at: changes.head.newest_record_at.as_deref(),
        changed: ByView { views: &changes.changed, keys_only: false },
        removed: ByView { views: &changes.removed, keys_only: true },
        sources: Sources(&changes.counters),
    };
    event("changes", Some(&changes.head.state()), &link)
}

/// A link as it is for each of these sets, with how their products stand; without those of which there is too much.
fn with_products(event: &Bytes, days: Option<&ProductDays>, sets: &[ProductSet]) -> BTreeMap<ProductSet, Bytes> {
    let (Some(ProductDays { days, rows }), Some(table)) = (days, view(SOLD)) else { return BTreeMap::new() };
    let product_of = |row: &Row| table.column("product").and_then(|(place, _)| row[place].text().map(str::to_owned));
    let mut by_product: BTreeMap<String, Vec<Named<'_, _>>> = BTreeMap::new();
    for row in rows {
        if let Some(product) = product_of(row) {
            by_product.entry(product).or_default().push(Named(table.columns(), row));
        }
    }
    let none = Vec::new();
    let of = |set: &ProductSet| {
        let rows_of = |product: &String| by_product.get(product).unwrap_or(&none);
        if set.iter().map(|product| rows_of(product).len()).sum::<usize>() > MAX_ROWS as usize {
            return None;
        }
        let products: Vec<Standing<'_, _>> =
            set.iter().map(|product| Standing { product, days, rows: rows_of(product) }).collect();
        // As above: can not fail.
        let products = serde_json::to_string(&products).unwrap_or_default();
        // A member more of the link's object, whose end is the event's.
        let (open, end) = event.split_at(event.len() - LINK_END.len());
        debug_assert_eq!(end, LINK_END);
        let told = [open, b",\"products\":", products.as_bytes(), LINK_END].concat();
        Some((set.clone(), Bytes::from(told)))
    };
    sets.iter().filter_map(of).collect()
}

/// How the event of a link ends.
const LINK_END: &[u8] = b"}\n\n";

/// How a product stands on the days that changed.
#[derive(Serialize)]
struct Standing<'a, R> {
    product: &'a str,
    days: &'a [String],
    rows: &'a [R],
}
