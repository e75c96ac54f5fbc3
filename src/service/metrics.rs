//! What Prometheus reads: each metric declared once, with its doc.
//!
//! [`Metrics`] are this process's own and always there. [`StoreMetrics`] need the store: they are
//! made anew from one snapshot at each scrape, and absent where the store does not answer.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use takings_dataflows::graph::Held;

use super::wire::Freshness;
use crate::job::memory;

/// The content type of what [`Metrics::text`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    topic: String,
    partition: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    topic: String,
    partition: u64,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DayState {
    state: &'static str,
}

/// The metrics of this process.
pub struct Metrics {
    registry: Registry,
    held: Option<Held>,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
    connections: Gauge,
    cut: Family<Why, Counter>,
    streams: Gauge,
    links: Counter,
    resets: Counter,
    resumes: Counter,
    feed_seconds: Histogram,
    feed_epoch: Gauge<u64, AtomicU64>,
    feed_contact: Gauge,
}

/// Half a millisecond to sixteen seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        Metrics::of(None)
    }

    /// All at zero; with what a job in this process holds.
    pub fn of(held: Option<Held>) -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("takings"),
            held,
            requests: Family::default(),
            request_seconds: seconds(),
            connections: Gauge::default(),
            cut: Family::default(),
            streams: Gauge::default(),
            links: Counter::default(),
            resets: Counter::default(),
            resumes: Counter::default(),
            feed_seconds: seconds(),
            feed_epoch: Gauge::default(),
            feed_contact: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests answered, by route and status", metrics.requests.clone());
        registry.register_with_unit(
            "http_request",
            "Time from a request's head to its answer's head",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register("http_connections", "Connections open now", metrics.connections.clone());
        registry.register(
            "http_connections_cut",
            "Connections cut to make room: the idlest, and those whose answers waited longest",
            metrics.cut.clone(),
        );
        registry.register("event_streams", "Event streams open now", metrics.streams.clone());
        registry.register("feed_links", "Changes told to all event streams", metrics.links.clone());
        registry.register("feed_resets", "Times all event streams were told to start over", metrics.resets.clone());
        registry.register(
            "feed_resumes",
            "Queries for clients that came back or were too slow",
            metrics.resumes.clone(),
        );
        registry.register_with_unit(
            "feed_read",
            "Time to read what changed, once for all event streams",
            Unit::Seconds,
            metrics.feed_seconds.clone(),
        );
        registry.register("feed_epoch", "The epoch that event streams have reached", metrics.feed_epoch.clone());
        registry.register(
            "feed_contact",
            "1 where the last look found the store, 0 without contact",
            metrics.feed_contact.clone(),
        );
        metrics
    }

    /// A request was answered.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Request { route, status }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// A connection was opened (1), or ended (-1).
    pub fn connection(&self, more: i64) {
        self.connections.inc_by(more);
    }

    /// A connection was cut to make room.
    pub fn cut(&self, why: &'static str) {
        self.cut.get_or_create(&Why { why }).inc();
    }

    /// Counts a stream for as long as what is returned lives.
    pub fn stream(&self) -> StreamGauge {
        self.streams.inc();
        StreamGauge(self.streams.clone())
    }

    /// The feed has reached an epoch.
    pub fn reached(&self, epoch: u64) {
        self.feed_epoch.set(epoch);
        self.feed_contact.set(1);
    }

    /// The feed told what changed.
    pub fn told_changes(&self) {
        self.links.inc();
    }

    /// The feed told to start over.
    pub fn told_reset(&self) {
        self.resets.inc();
    }

    /// Contact with the store was lost, or is back.
    pub fn contact(&self, contact: bool) {
        self.feed_contact.set(contact.into());
    }

    /// The feed read what changed.
    pub fn feed_read(&self, took: Duration) {
        self.feed_seconds.observe(took.as_secs_f64());
    }

    /// A client that came back was answered by a query.
    pub fn resumed(&self) {
        self.resumes.inc();
    }

    /// All metrics as text; `freshness` where the store answers.
    pub fn text(&self, freshness: Option<&Freshness>) -> String {
        let mut text = String::new();
        let store = StoreMetrics::of(freshness);
        let process = self.of_process();
        // Writing to a string can not fail.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, &process);
        let _ = encode_registry(&mut text, &store.0);
        let _ = encode_eof(&mut text);
        text
    }
}

impl Metrics {
    /// What this process occupies now.
    fn of_process(&self) -> Registry {
        let mut registry = Registry::with_prefix("takings");
        if let Some(bytes) = memory::resident() {
            let resident = Gauge::<u64, AtomicU64>::default();
            resident.set(bytes);
            registry.register_with_unit("resident_memory", "Memory that this process occupies", Unit::Bytes, resident);
        }
        if let Some(held) = &self.held {
            let orders = Gauge::<u64, AtomicU64>::default();
            orders.set(held.orders());
            registry.register("orders_held", "Orders that the job knows, and may still be corrected", orders);
        }
        registry
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

/// Counts one stream less when dropped.
pub struct StreamGauge(Gauge);

impl Drop for StreamGauge {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The metrics of the store, at one snapshot.
struct StoreMetrics(Registry);

impl StoreMetrics {
    fn of(freshness: Option<&Freshness>) -> Self {
        let mut registry = Registry::with_prefix("takings");
        let reachable = Gauge::<i64>::default();
        reachable.set(freshness.is_some().into());
        registry.register("store_reachable", "1 where the store answered this scrape", reachable);
        let Some(freshness) = freshness else { return StoreMetrics(registry) };

        let epoch = Gauge::<u64, AtomicU64>::default();
        epoch.set(freshness.epoch);
        registry.register("committed_epoch", "The last committed epoch", epoch);

        if let Some(seconds) = freshness.age_seconds {
            let age = Gauge::<f64, AtomicU64>::default();
            age.set(seconds);
            registry.register_with_unit("committed_age", "Time since the last commit", Unit::Seconds, age);
        }

        let offsets = Family::<Place, Gauge<u64, AtomicU64>>::default();
        let records = Family::<Outcome, Counter>::default();
        let books = Family::<Place, Gauge>::default();
        for partition in &freshness.partitions {
            let place = Place { topic: partition.topic.clone(), partition: partition.partition };
            offsets.get_or_create(&place).set(partition.offset);
            books.get_or_create(&place).set(partition.balanced.into());
            for (outcome, count) in partition.outcomes() {
                let label = Outcome { topic: partition.topic.clone(), partition: partition.partition, outcome };
                records.get_or_create(&label).inc_by(count);
            }
        }
        registry.register("committed_offset", "The offset of the next record to read, by partition", offsets);
        registry.register(
            "records",
            "What became of the records read; the outcomes of a partition add up to all it read",
            records,
        );
        registry.register("books_balanced", "1 where all that a partition read has one outcome, by partition", books);

        let proofs = &freshness.proofs;
        let inconsistent = Gauge::<u64, AtomicU64>::default();
        inconsistent.set(proofs.inconsistent_groups);
        registry.register("inconsistent_groups", "Rows whose total no set of records can have", inconsistent);
        let days = Family::<DayState, Gauge<u64, AtomicU64>>::default();
        for (state, count) in [
            ("proven", proofs.proven),
            ("differs", proofs.differing),
            ("not_provable", proofs.not_provable),
            ("unproven", proofs.unproven),
        ] {
            days.get_or_create(&DayState { state }).set(count);
        }
        registry.register("audit_days", "Closed days, by what the background audit last found", days);
        let last = proofs.last_proven_at.as_deref().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
        if let Some(last) = last {
            let at = Gauge::<f64, AtomicU64>::default();
            at.set(last.timestamp_millis() as f64 / 1000.0);
            registry.register_with_unit("audit_last_proven_timestamp", "When a day was last proven", Unit::Seconds, at);
        }
        StoreMetrics(registry)
    }
}
