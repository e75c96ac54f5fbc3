//! A service on a store, a browser's view of it, and a shop whose every epoch is known.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::HeaderMap;
use serde_json::Value;
use takings::service::{Running, ServeConfig};
use takings::store::Commit;
use takings::store::{Store, StoreUrl};
use takings_dataflows::amount::Amount;
use takings_dataflows::order::Fact;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::stores::day;

/// The views of sales that a [`Shop`] fills: each order is part of exactly one row of each.
pub const SALES: [View; 5] = [View::Category, View::Day, View::Month, View::PaymentMethod, View::Facts];

/// How long anything may take to be seen.
pub const SOON: Duration = Duration::from_secs(20);

/// A running service.
pub struct Serving {
    pub running: Running,
    client: Client,
}

impl Serving {
    /// On a free port of this machine, without a token.
    pub fn of(store: &StoreUrl) -> Serving {
        let mut config = ServeConfig::new(store.clone(), "127.0.0.1:0".parse().unwrap());
        config.timeout = Duration::from_secs(5);
        // A busy machine must not look like a client that takes nothing.
        config.stall = Duration::from_secs(600);
        Serving::with(config)
    }

    pub fn with(config: ServeConfig) -> Serving {
        let running = Running::start(config).expect("it listens");
        Serving { running, client: Client::builder().timeout(None).build().unwrap() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    /// Asks for a path with some headers.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = headers
            .iter()
            .fold(self.client.get(self.url(path)), |request, (name, value)| request.header(*name, *value));
        Answer::of(request.send().expect(path))
    }

    pub fn send(&self, method: &str, path: &str, body: &'static str) -> Answer {
        let method = method.parse().unwrap();
        Answer::of(self.client.request(method, self.url(path)).body(body).send().expect(path))
    }

    /// Sends a request with these headers and this body.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = self.client.request(method.parse().unwrap(), self.url(path)).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request.send().expect(path))
    }

    /// The JSON of a path that must answer 200.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.ask(path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The rows of a view, all pages.
    pub fn rows(&self, view: &str) -> Vec<Value> {
        let whole = self.json(&format!("/api/v1/{view}?limit=10000"));
        assert_eq!(whole["next_cursor"], Value::Null);
        whole["rows"].as_array().unwrap().clone()
    }

    /// Opens the event stream at this path.
    pub fn ask_events(&self, path: &str) -> Events {
        Events::of(self.client.get(self.url(path)).send().expect("the stream opens"))
    }

    /// Opens an event stream.
    pub fn events(&self, last: Option<u64>) -> Events {
        match last {
            None => self.ask_events("/api/v1/events"),
            Some(epoch) => self.events_after(&epoch.to_string()),
        }
    }

    /// Opens the event stream as a browser that comes back does, whose last event had this id.
    pub fn events_after(&self, state: &str) -> Events {
        let request = self.client.get(self.url("/api/v1/events")).header("last-event-id", state);
        Events::of(request.send().expect("the stream opens"))
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    fn of(response: Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().expect("a body");
        Answer { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code and the message of a problem.
    pub fn problem(&self) -> (String, String) {
        let error = &self.json()["error"];
        assert!(!error["hint"].as_str().unwrap().is_empty());
        (error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    }
}

/// A server-sent event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    /// The epoch of its id.
    pub id: Option<u64>,
    /// The id as it stands.
    pub state: String,
    pub data: Value,
}

/// An open event stream, read by a thread of its own.
pub struct Events(Receiver<Event>);

impl Events {
    fn of(response: Response) -> Events {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events::read(BufReader::new(response))
    }

    pub fn read(mut lines: impl BufRead + Send + 'static) -> Events {
        let (sender, receiver) = sync_channel(100_000);
        std::thread::spawn(move || {
            let (mut name, mut state, mut line) = (String::new(), String::new(), String::new());
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                if let Some(text) = line.strip_prefix("event: ") {
                    name = text.trim_end().to_owned();
                } else if let Some(text) = line.strip_prefix("id: ") {
                    text.trim_end().clone_into(&mut state);
                } else if let Some(text) = line.strip_prefix("data: ") {
                    let data = serde_json::from_str(text.trim_end()).expect("JSON");
                    let id = state.split('-').next().filter(|epoch| !epoch.is_empty());
                    let id = id.map(|epoch| epoch.parse().expect("an epoch"));
                    let (name, state) = (std::mem::take(&mut name), std::mem::take(&mut state));
                    let event = Event { name, id, state, data };
                    if sender.send(event).is_err() {
                        return;
                    }
                }
                line.clear();
            }
        });
        Events(receiver)
    }

    /// The next event.
    pub fn next(&self) -> Event {
        self.0.recv_timeout(SOON).expect("an event")
    }

    /// The next event, or `None` where the stream has ended.
    pub fn next_or_end(&self) -> Option<Event> {
        match self.0.recv_timeout(SOON) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("neither an event nor the end"),
        }
    }

    /// The next event with this name, others aside.
    pub fn wait_for(&self, name: &str) -> Event {
        std::iter::from_fn(|| Some(self.next())).find(|event| event.name == name).expect("endless")
    }
}

/// The page in a browser: a snapshot, and the events that change it.
#[derive(Debug, Default)]
pub struct Browser {
    views: BTreeMap<String, BTreeMap<String, Value>>,
    /// The epoch of each view's snapshot, and then of the last event.
    loaded: HashMap<String, u64>,
}

impl Browser {
    /// Loads every view.
    pub fn load(serving: &Serving) -> Browser {
        let mut browser = Browser::default();
        for view in SALES {
            let whole = serving.json(&format!("/api/v1/{view}?limit=10000"));
            assert_eq!(whole["next_cursor"], Value::Null);
            let rows = whole["rows"].as_array().unwrap().iter();
            let keyed = rows.map(|row| (key_of(view, row), row.clone())).collect();
            browser.views.insert(view.name().to_owned(), keyed);
            browser.loaded.insert(view.name().to_owned(), whole["epoch"].as_u64().unwrap());
        }
        browser
    }

    /// Applies a `changes` event, as the contract tells clients to: where it is later than the snapshot.
    pub fn apply(&mut self, event: &Event) {
        assert_eq!(event.name, "changes");
        let epoch = event.id.unwrap();
        assert_eq!(event.data["epoch"].as_u64(), Some(epoch));
        for view in SALES {
            if epoch <= self.loaded[view.name()] {
                continue;
            }
            assert!(event.data["since"].as_u64().unwrap() <= self.loaded[view.name()], "a gap before {event:?}");
            let rows = self.views.get_mut(view.name()).unwrap();
            for key in event.data["removed"][view.name()].as_array().into_iter().flatten() {
                rows.remove(&key_of(view, key));
            }
            for row in event.data["changed"][view.name()].as_array().into_iter().flatten() {
                rows.insert(key_of(view, row), row.clone());
            }
            self.loaded.insert(view.name().to_owned(), epoch);
        }
    }

    /// The epoch that every view has reached at least: what changed after it must still be told.
    pub fn epoch(&self) -> u64 {
        self.loaded.values().copied().min().unwrap_or(0)
    }

    /// Whether every view is of the same epoch: snapshots were loaded one after the other.
    pub fn is_of_one_state(&self) -> bool {
        self.loaded.values().all(|&epoch| epoch == self.epoch())
    }

    pub fn view(&self, view: View) -> Vec<Value> {
        self.views[view.name()].values().cloned().collect()
    }

    /// The grand total in a view, by currency: the same in every view of one state.
    pub fn grand_total(&self, view: View) -> BTreeMap<String, (Amount, u64)> {
        grand_total(&self.view(view))
    }
}

/// The key columns of a row, as text that orders and compares.
fn key_of(view: View, row: &Value) -> String {
    let columns = takings::store::columns::key_columns(view);
    columns.iter().map(|(name, _)| format!("{:>12}|", row[*name].to_string())).collect()
}

/// What rows of any view add up to, by currency.
pub fn grand_total(rows: &[Value]) -> BTreeMap<String, (Amount, u64)> {
    let mut totals = BTreeMap::new();
    for row in rows {
        let total: &mut (Amount, u64) = totals.entry(row["currency"].as_str().unwrap().to_owned()).or_default();
        total.0 += row["total_sales"].as_str().unwrap().parse().unwrap();
        total.1 += row["orders"].as_u64().unwrap();
    }
    totals
}

/// The rows of sales that an order is part of.
fn keys_of(fact: &Fact) -> [ViewKey; 5] {
    let &Fact { day, category, payment_method, currency } = fact;
    let category = category.expect("these orders name theirs");
    [
        ViewKey::Category { day, category, currency },
        ViewKey::Day { day, currency },
        ViewKey::Month { month: day.month(), currency },
        ViewKey::PaymentMethod { day, payment_method, currency },
        ViewKey::Facts { day, category, payment_method, currency },
    ]
}

/// A shop whose orders come and go: what each epoch changes in every view.
#[derive(Default)]
pub struct Shop {
    pub epoch: u64,
    pub records: u64,
    totals: HashMap<ViewKey, Takings>,
    orders: VecDeque<(Fact, Takings)>,
}

impl Shop {
    /// The epoch in which these orders come, and the `cancelled` oldest ones go.
    pub fn epoch(&mut self, new: &[(Fact, Takings)], cancelled: usize) -> Commit {
        use differential_dataflow::difference::{Abelian, Semigroup};
        self.epoch += 1;
        self.records += (new.len() + cancelled) as u64;
        let gone: Vec<(Fact, Takings)> = self.orders.drain(..cancelled).collect();
        self.orders.extend(new);
        let mut before: HashMap<ViewKey, Option<Takings>> = HashMap::new();
        let negated = gone.iter().map(|(fact, order)| {
            let mut order = *order;
            order.negate();
            (*fact, order)
        });
        for (fact, order) in new.iter().copied().chain(negated) {
            for key in keys_of(&fact) {
                before.entry(key).or_insert_with(|| self.totals.get(&key).copied());
                self.totals.entry(key).or_default().plus_equals(&order);
            }
        }
        let mut rows = Vec::new();
        for (key, old) in before {
            let new = self.totals.get(&key).copied().filter(Takings::is_alive);
            if new.is_none() {
                self.totals.remove(&key);
            }
            if old != new {
                rows.push(RowChange { key, old: old.map(RowValue::Takings), new: new.map(RowValue::Takings) });
            }
        }
        let mut partition = super::stores::partition(0, self.records);
        partition.counters.applied = self.records;
        partition.counters.duplicates = 0;
        // Once: a view that is filled again makes every reader start over.
        let filled = if self.epoch == 1 { super::stores::all_filled() } else { Vec::new() };
        Commit { epoch: self.epoch, rows, partitions: vec![partition], filled, ..Commit::default() }
    }

    /// Commits [`epoch`](Self::epoch).
    pub fn commit(&mut self, store: &mut dyn Store, new: &[(Fact, Takings)], cancelled: usize) -> u64 {
        let commit = self.epoch(new, cancelled);
        store.commit(&commit).expect("committed");
        self.epoch
    }

    /// How many orders there are.
    pub fn len(&self) -> usize {
        self.orders.len()
    }
}

/// An order: its day, category and currency by number, its amount in cents.
pub fn order(on: i32, category: usize, currency: usize, cents: i64) -> (Fact, Takings) {
    let fact = Fact {
        day: day(on),
        category: Some(Symbol::new(["Books", "Électronique", "Garden", "unlisted"][category % 4])),
        payment_method: Symbol::new(["CREDIT_CARD", "ORANGE_MONEY"][category % 2]),
        currency: Symbol::new(["EUR", "FCFA", "USD"][currency % 3]),
    };
    (fact, Takings::of_order(Amount::from_micros(i128::from(cents) * 10_000), 1))
}
