//! Who looks at the totals: with SQL, and through the event stream of a service.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::bank::{CURRENCIES, ORDERS};

/// The views in which transfers move money.
const VIEWS: [(&str, &[&str]); 2] = [
    ("sales_per_category", &["order_date", "category", "currency"]),
    ("sales_per_payment_method", &["order_date", "payment_method", "currency"]),
];

/// What a reader has seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// States, the same one more than once.
    pub states: u64,
    /// Different epochs among them.
    pub epochs: u64,
    /// States that differ from the one before: money had moved.
    pub different: u64,
    /// The newest epoch.
    pub epoch: u64,
    /// Snapshots that were loaded, of those who follow a stream.
    pub snapshots: u64,
    /// Of the rows seen last.
    rows: u64,
}

/// The balances of a view, in micro-units, with the number of orders, by currency; and a text of all rows.
#[derive(Default)]
pub struct Balances {
    sums: BTreeMap<String, (i128, i64)>,
    text: String,
}

impl Balances {
    fn add(&mut self, currency: &str, micros: i128, orders: i64) {
        let sum = self.sums.entry(currency.to_owned()).or_default();
        sum.0 += micros;
        sum.1 += orders;
        self.text += &format!("{currency} {micros} {orders}\n");
    }

    /// That nothing came and nothing went.
    fn check(&self, view: &str, epoch: u64) {
        let expected = CURRENCIES.iter().map(|currency| ((*currency).to_owned(), (0, ORDERS as i64))).collect();
        assert_eq!(self.sums, expected, "{view} at epoch {epoch} does not sum to zero:\n{}", self.text);
    }
}

/// A reader, on a thread of its own.
pub struct Reading {
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

impl Reading {
    fn start(read: impl FnOnce(&Mutex<Seen>) + Send + 'static) -> Reading {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        Reading { seen, thread: thread::spawn(move || read(&shared)) }
    }

    /// So far.
    ///
    /// # Panics
    /// When it saw a state that never was.
    pub fn seen(&self) -> Seen {
        assert!(!self.thread.is_finished(), "the reader ended; what it saw is above");
        self.seen.lock().expect("nobody panics with it").clone()
    }

    /// In all.
    pub fn end(self) -> Seen {
        self.thread.join().expect("every state sums to zero");
        self.seen.lock().expect("nobody panics with it").clone()
    }
}

fn note(seen: &Mutex<Seen>, epoch: u64, balances: &Balances) {
    let mut seen = seen.lock().expect("nobody panics with it");
    assert!(epoch >= seen.epoch, "epoch {epoch} after {}", seen.epoch);
    seen.states += 1;
    seen.epochs += u64::from(epoch != seen.epoch);
    let rows = xxhash_rust::xxh3::xxh3_64(balances.text.as_bytes());
    seen.different += u64::from(rows != seen.rows);
    seen.epoch = epoch;
    seen.rows = rows;
}

/// A store's tables.
pub trait Tables: Send {
    /// How many records are committed.
    fn read(&mut self) -> Result<u64, String>;
    /// The epoch, and the balances of each view, in one snapshot.
    fn balances(&mut self) -> Result<(u64, Vec<Balances>), String>;
}

/// Looks at the tables until it is over; a database that is away is asked again.
pub fn read_tables(mut tables: impl Tables + 'static, is_over: Arc<AtomicBool>) -> Reading {
    Reading::start(move |seen| {
        while !is_over.load(Ordering::Relaxed) {
            let Ok((epoch, views)) = tables.balances() else {
                thread::yield_now();
                continue;
            };
            for ((view, _), balances) in VIEWS.iter().zip(&views) {
                balances.check(view, epoch);
            }
            note(seen, epoch, &views[0]);
        }
    })
}

pub struct Postgres {
    url: String,
    client: Option<postgres::Client>,
}

impl Postgres {
    pub fn new(url: &str) -> Postgres {
        Postgres { url: url.to_owned(), client: None }
    }

    fn see<T>(&mut self, look: impl FnOnce(&mut postgres::Client) -> Result<T, postgres::Error>) -> Result<T, String> {
        let connect = || postgres::Client::connect(&self.url, postgres::NoTls).map_err(|error| error.to_string());
        let mut client = self.client.take().map_or_else(connect, Ok)?;
        let seen = look(&mut client).map_err(|error| error.to_string())?;
        self.client = Some(client);
        Ok(seen)
    }
}

impl Clone for Postgres {
    fn clone(&self) -> Self {
        Postgres::new(&self.url)
    }
}

impl Tables for Postgres {
    fn read(&mut self) -> Result<u64, String> {
        self.see(|client| {
            Ok(client.query_one("SELECT coalesce(sum(read), 0)::bigint FROM sources", &[])?.get::<_, i64>(0) as u64)
        })
    }

    fn balances(&mut self) -> Result<(u64, Vec<Balances>), String> {
        self.see(|client| {
            let mut snapshot = client.transaction()?;
            snapshot.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let epoch: i64 = snapshot.query_one("SELECT epoch FROM job", &[])?.get(0);
            let mut all = Vec::new();
            for (view, _) in VIEWS {
                let mut balances = Balances::default();
                let rows =
                    format!("SELECT currency, (total_sales * 1000000)::bigint, orders FROM {view} ORDER BY 1, 2, 3");
                for row in snapshot.query(&rows, &[])? {
                    balances.add(row.get(0), row.get::<_, i64>(1).into(), row.get(2));
                }
                all.push(balances);
            }
            Ok((epoch as u64, all))
        })
    }
}

#[derive(Clone)]
pub struct Sqlite {
    file: PathBuf,
}

impl Sqlite {
    pub fn new(file: &Path) -> Sqlite {
        Sqlite { file: file.to_owned() }
    }

    fn see<T>(&self, look: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, String> {
        let see = || {
            let mut connection =
                rusqlite::Connection::open_with_flags(&self.file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            look(&connection.transaction()?)
        };
        see().map_err(|error| error.to_string())
    }
}

impl Tables for Sqlite {
    fn read(&mut self) -> Result<u64, String> {
        self.see(|snapshot| {
            snapshot.query_row("SELECT coalesce(sum(read), 0) FROM sources", [], |row| row.get::<_, i64>(0))
        })
        .map(|read| read as u64)
    }

    fn balances(&mut self) -> Result<(u64, Vec<Balances>), String> {
        self.see(|snapshot| {
            let epoch: i64 = snapshot.query_row("SELECT epoch FROM job", [], |row| row.get(0))?;
            let mut all = Vec::new();
            for (view, _) in VIEWS {
                let mut balances = Balances::default();
                let sql = format!("SELECT currency, total_sales_micros, orders FROM {view} ORDER BY 1, 2, 3");
                let mut statement = snapshot.prepare(&sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    balances.add(&row.get::<_, String>(0)?, row.get::<_, i64>(1)?.into(), row.get(2)?);
                }
                all.push(balances);
            }
            Ok((epoch as u64, all))
        })
    }
}

/// Follows the event stream at this address, on top of snapshots, until it is over.
pub fn read_stream(address: &str, is_over: Arc<AtomicBool>) -> Reading {
    let base = format!("http://{address}/api/v1");
    Reading::start(move |seen| {
        let client = reqwest::blocking::Client::builder().timeout(None).build().expect("a client");
        let mut page = Page::default();
        while !is_over.load(Ordering::Relaxed) {
            let mut request = client.get(format!("{base}/events"));
            if let Some(epoch) = page.epoch() {
                request = request.header("last-event-id", epoch.to_string());
            }
            let Ok(response) = request.send() else {
                thread::yield_now();
                continue;
            };
            if response.status() != 200 {
                continue;
            }
            follow(BufReader::new(response), &client, &base, &mut page, seen, &is_over);
        }
    })
}

/// Takes the events of one connection until it ends.
fn follow(
    mut lines: impl BufRead,
    client: &reqwest::blocking::Client,
    base: &str,
    page: &mut Page,
    seen: &Mutex<Seen>,
    is_over: &AtomicBool,
) {
    let (mut name, mut line) = (String::new(), String::new());
    while !is_over.load(Ordering::Relaxed) && lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(text) = line.strip_prefix("event: ") {
            name = text.trim_end().to_owned();
        } else if let Some(text) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(text.trim_end()).expect("JSON");
            match name.as_str() {
                "changes" if page.apply(&data) => page.check(seen),
                // A state to start from; a chain that broke.
                "hello" | "reset" | "changes" => {
                    while !is_over.load(Ordering::Relaxed) && !page.load(client, base) {
                        thread::yield_now();
                    }
                    seen.lock().expect("nobody panics with it").snapshots += 1;
                }
                _ => {}
            }
        }
        line.clear();
    }
}

/// A page in a browser: rows by their key, in each view, and the epoch of each view.
#[derive(Default)]
struct Page {
    views: HashMap<&'static str, (u64, HashMap<String, Value>)>,
}

impl Page {
    /// The epoch that every view has reached, once there is a state.
    fn epoch(&self) -> Option<u64> {
        self.views.values().map(|(epoch, _)| *epoch).min()
    }

    /// Loads every view anew; whether the service had them.
    fn load(&mut self, client: &reqwest::blocking::Client, base: &str) -> bool {
        let mut views = HashMap::new();
        for (view, key) in VIEWS {
            let Ok(response) = client.get(format!("{base}/{view}?limit=10000")).send() else { return false };
            if response.status() != 200 {
                return false;
            }
            let Ok(whole) = response.json::<Value>() else { return false };
            assert_eq!(whole["next_cursor"], Value::Null, "all rows are on one page");
            let rows = whole["rows"].as_array().expect("rows").iter();
            let rows = rows.map(|row| (key_of(row, key), row.clone())).collect();
            views.insert(view, (whole["epoch"].as_u64().expect("an epoch"), rows));
        }
        self.views = views;
        true
    }

    /// Applies a link of the chain; false where it does not fit.
    fn apply(&mut self, event: &Value) -> bool {
        let (since, epoch) = (event["since"].as_u64().expect("since"), event["epoch"].as_u64().expect("an epoch"));
        for (view, key) in VIEWS {
            let Some((at, rows)) = self.views.get_mut(view) else { return false };
            if epoch <= *at {
                continue;
            }
            if since > *at {
                return false;
            }
            for gone in event["removed"][view].as_array().into_iter().flatten() {
                rows.remove(&key_of(gone, key));
            }
            for row in event["changed"][view].as_array().into_iter().flatten() {
                rows.insert(key_of(row, key), row.clone());
            }
            *at = epoch;
        }
        true
    }

    fn check(&self, seen: &Mutex<Seen>) {
        for (view, _) in VIEWS {
            let (epoch, rows) = &self.views[view];
            let mut sorted: Vec<(&str, i128, i64)> = rows
                .values()
                .map(|row| {
                    let currency = row["currency"].as_str().expect("a currency");
                    let micros = micros(row["total_sales"].as_str().expect("an amount"));
                    (currency, micros, row["orders"].as_i64().expect("a number"))
                })
                .collect();
            sorted.sort_unstable();
            let mut balances = Balances::default();
            sorted.into_iter().for_each(|(currency, micros, orders)| balances.add(currency, micros, orders));
            balances.check(view, *epoch);
            if view == VIEWS[0].0 {
                note(seen, *epoch, &balances);
            }
        }
    }
}

fn key_of(row: &Value, key: &[&str]) -> String {
    key.iter().map(|column| format!("{}|", row[*column])).collect()
}

/// Decimal text with six places.
fn micros(text: &str) -> i128 {
    let digits: String = text.chars().filter(|digit| *digit != '.').collect();
    assert_eq!(text.len() - text.find('.').expect("a point"), 7, "{text}");
    digits.parse().expect("a number")
}
