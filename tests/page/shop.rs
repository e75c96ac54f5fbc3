//! A shop whose orders are counted by one process and served by another, so that each can be stopped alone.

use std::time::Duration;

use tempfile::TempDir;

use crate::support::kafka::Kafka;
use crate::support::stores::Fresh;
use crate::support::takings::{Takings, takings};
use crate::support::{port, wait};

const TOPICS: &str = "product_sold,product_listings,feedback";
const PATIENCE: Duration = Duration::from_secs(120);

/// Where its orders are.
enum Log {
    Kafka(Kafka),
    Files(TempDir),
}

pub struct Shop {
    log: Log,
    pub store: Fresh,
    pub job: Takings,
    service: Takings,
    pub url: String,
}

impl Shop {
    /// Kafka and PostgreSQL; `options` are the job's.
    pub fn on_kafka(options: &str, orders: u32) -> Shop {
        Shop::open(Log::Kafka(Kafka::start()), Fresh::postgres(), options, orders)
    }

    /// The embedded default: a folder of files, and SQLite.
    pub fn on_files(options: &str, orders: u32) -> Shop {
        Shop::open(Log::Files(tempfile::tempdir().expect("a folder")), Fresh::sqlite(), options, orders)
    }

    fn open(log: Log, store: Fresh, options: &str, orders: u32) -> Shop {
        let source = log.url();
        let sent = sent(&source, orders);
        let job = Takings::start(&format!("run --source {source} --store {} --topics {TOPICS} {options}", store.url));
        let listen = format!("127.0.0.1:{}", port::free());
        let service = Takings::start(&format!("serve --store {} --listen {listen}", store.url));
        let mut shop = Shop { log, store, job, service, url: format!("http://{listen}") };
        shop.wait_until_counted(sent);
        shop
    }

    /// The broker, where there is one.
    pub fn kafka(&self) -> &Kafka {
        match &self.log {
            Log::Kafka(kafka) => kafka,
            Log::Files(_) => panic!("its orders are in files"),
        }
    }

    /// Orders that arrive until this is dropped, at this rate.
    pub fn traffic(&self, rate: u32) -> Takings {
        let append = if matches!(self.log, Log::Files(_)) { "--append" } else { "" };
        Takings::start(&format!("generate --to {} --topics {TOPICS} --rate {rate} --seed 6 {append}", self.log.url()))
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

/// Makes the shop's past, and says how many records that is.
fn sent(to: &str, orders: u32) -> u64 {
    let report = tempfile::NamedTempFile::new().expect("a file");
    let at = report.path().display();
    takings(&format!("generate --to {to} --topics {TOPICS} --orders {orders} --days 120 --seed 5 --report {at}"))
        .done();
    let report: serde_json::Value = serde_json::from_reader(report).expect("a report");
    report["events"].as_u64().expect("how many events")
}

impl Log {
    fn url(&self) -> String {
        match self {
            Log::Kafka(kafka) => kafka.url(),
            Log::Files(folder) => folder.path().join("log").display().to_string(),
        }
    }
}
