//! A shop whose orders are counted by one process and served by another, so that each can be stopped alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::kafka::{Kafka, Message};
use crate::support::stores::Fresh;
use crate::support::takings::{Takings, takings};
use crate::support::{port, wait};
use crate::till::{Record, Till};

const TOPICS: &str = "product_sold,product_listings,feedback";
const PATIENCE: Duration = Duration::from_secs(120);

/// Where its orders are.
enum Log {
    Kafka(Kafka),
    Files(TempDir),
}

/// What it runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Kafka and PostgreSQL.
    Servers,
    /// The embedded default: a folder of files, and SQLite.
    Embedded,
}

pub struct Shop {
    log: Arc<Log>,
    pub store: Fresh,
    pub job: Takings,
    service: Takings,
    pub url: String,
}

impl Shop {
    /// `options` are the job's.
    pub fn on(kind: Kind, options: &str, orders: u32) -> Shop {
        Shop::open(kind, options, orders, "")
    }

    /// Its last orders are some days old, so that a test knows all of today's and yesterday's.
    pub fn quiet_of_late(kind: Kind, options: &str, orders: u32) -> Shop {
        let until = (chrono::Utc::now() - chrono::TimeDelta::days(3)).format("--until %Y-%m-%dT%H:%M:%S").to_string();
        Shop::open(kind, options, orders, &until)
    }

    fn open(kind: Kind, options: &str, orders: u32, made: &str) -> Shop {
        let (log, store) = match kind {
            Kind::Servers => (Log::Kafka(Kafka::start()), Fresh::postgres()),
            Kind::Embedded => (Log::Files(tempfile::tempdir().expect("a folder")), Fresh::sqlite()),
        };
        let source = log.url();
        let sent = sent(&source, orders, made);
        let job = Takings::start(&format!("run --source {source} --store {} --topics {TOPICS} {options}", store.url));
        let listen = format!("127.0.0.1:{}", port::free());
        let service = Takings::start(&format!("serve --store {} --listen {listen}", store.url));
        let mut shop = Shop { log: Arc::new(log), store, job, service, url: format!("http://{listen}") };
        shop.wait_until_counted(sent);
        shop
    }

    /// The broker, where there is one.
    pub fn kafka(&self) -> &Kafka {
        match &*self.log {
            Log::Kafka(kafka) => kafka,
            Log::Files(_) => panic!("its orders are in files"),
        }
    }

    /// Orders that arrive until this is dropped, at this rate.
    pub fn traffic(&self, rate: u32) -> Takings {
        let append = if matches!(*self.log, Log::Files(_)) { "--append" } else { "" };
        Takings::start(&format!("generate --to {} --topics {TOPICS} --rate {rate} --seed 6 {append}", self.log.url()))
    }

    /// Where single orders can be sold.
    pub fn till(&self) -> Till {
        let log = self.log.clone();
        Till::open(move |records| log.write(records))
    }

    /// The same shop, served where a token is needed: until what is returned is dropped.
    pub fn guarded(&self, token: &str) -> (Takings, String) {
        let listen = format!("127.0.0.1:{}", port::free());
        let service = Takings::start(&format!("serve --store {} --listen {listen} --token {token}", self.store.url));
        let url = format!("http://{listen}");
        wait::until("the guarded service answers", PATIENCE, || {
            reqwest::blocking::get(format!("{url}/api/v1/session")).ok().map(drop)
        });
        (service, url)
    }

    /// The epoch that is served.
    pub fn epoch(&self) -> Option<u64> {
        self.summary()?["epoch"].as_u64()
    }

    /// Waits until all that was sent is counted, and served. A pause in the counting says nothing: a busy machine
    /// takes longer for an epoch than any pause one would wait for.
    fn wait_until_counted(&mut self, sent: u64) {
        wait::until(format!("all {sent} records are counted and served"), PATIENCE, || {
            assert!(self.job.is_running(), "{}", self.job.log());
            let read = self.summary()?["read"].as_u64()?;
            assert!(read <= sent, "{read} of {sent} records are counted");
            (read == sent).then_some(())
        });
    }

    /// Ends the service as a crash does, and starts another one at its address.
    pub fn restart_service(&mut self) {
        let listen = self.url.trim_start_matches("http://").to_owned();
        let next = format!("serve --store {} --listen {listen}", self.store.url);
        self.service.signal("KILL");
        wait::until("the service has ended", PATIENCE, || (!self.service.is_running()).then_some(()));
        self.service = Takings::start(&next);
    }

    /// Ends it in order.
    pub fn stop(self) {
        self.job.signal("TERM");
        self.job.wait().done();
    }

    fn summary(&self) -> Option<serde_json::Value> {
        reqwest::blocking::get(format!("{}/api/v1/summary", self.url)).ok()?.json().ok()
    }
}

/// Makes the shop's past, with these options, and says how many records that is.
fn sent(to: &str, orders: u32, made: &str) -> u64 {
    let report = tempfile::NamedTempFile::new().expect("a file");
    let at = report.path().display();
    let past = format!("--orders {orders} --days 120 --seed 5 {made}");
    takings(&format!("generate --to {to} --topics {TOPICS} {past} --report {at}")).done();
    let report: serde_json::Value = serde_json::from_reader(report).expect("a report");
    report["events"].as_u64().expect("how many events")
}

impl Log {
    /// Writes records as their producers do.
    fn write(&self, records: Vec<Record>) {
        let mut topics: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in records {
            topics.entry(record.topic.clone()).or_default().push(record);
        }
        for (topic, records) in topics {
            match self {
                Log::Kafka(kafka) => {
                    let messages: Vec<Message> = records.into_iter().map(message).collect();
                    kafka.produce(&topic, &messages);
                }
                Log::Files(_) => {
                    let mut lines = String::new();
                    for record in &records {
                        let _ = writeln!(lines, "{}", line(record));
                    }
                    let file = format!("{}/{topic}-0.jsonl", self.url());
                    let written = OpenOptions::new()
                        .append(true)
                        .open(file)
                        .and_then(|mut file| file.write_all(lines.as_bytes()));
                    written.expect("the log takes lines");
                }
            }
        }
    }

    fn url(&self) -> String {
        match self {
            Log::Kafka(kafka) => kafka.url(),
            Log::Files(folder) => folder.path().join("log").display().to_string(),
        }
    }
}

fn message(Record { key, value, timestamp, .. }: Record) -> Message {
    Message {
        key: key.map(String::into_bytes),
        payload: value.map(String::into_bytes),
        timestamp,
        ..Message::default()
    }
}

/// The record as a line of a file log.
fn line(Record { key, value, timestamp, .. }: &Record) -> serde_json::Value {
    let now = || chrono::Utc::now().timestamp_millis();
    serde_json::json!({ "key": key, "value": value, "timestamp": timestamp.unwrap_or_else(now) })
}
