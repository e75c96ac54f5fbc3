//! Settings: file, environment and flags name the same ones, in one place.

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use takings_dataflows::view::View;

/// Everything a job is told.
#[derive(Clone, Debug)]
pub struct JobConfig {
    /// `kafka://HOST:PORT[,…]` or a folder.
    pub source: String,
    /// `postgres://…` or `sqlite:FILE`.
    pub store: String,
    /// The topics, sorted; a topic's place is its rank.
    pub topics: Vec<String>,
    /// Worker threads.
    pub workers: usize,
    /// The shop's time zone.
    pub time_zone: Tz,
    /// The currency of records that name none.
    pub default_currency: String,
    /// How far back a correction reaches, in log time; `None` is as far as the log holds.
    pub correction_window: Option<Duration>,
    /// The views to keep.
    pub views: Vec<View>,
    /// Whether to keep every order.
    pub keep_orders: bool,
    /// Whether to stop once everything present at the start is committed.
    pub until_caught_up: bool,
    /// Whether to wait for the store's lock.
    pub standby: bool,
    /// A payload over this many bytes is rejected.
    pub payload_limit: usize,
    /// Stop when more than this share of a stretch of records is rejected.
    pub max_rejected_share: f64,
    /// Options passed through to librdkafka (`security.protocol`, `sasl.…`, `ssl.…`).
    pub kafka_options: Vec<(String, String)>,
    /// Partitions to go on with at another offset than the committed one, after the log lost or changed
    /// what was there.
    pub resume_at: Vec<ResumeAt>,
    /// The configuration file, where there was one.
    pub file: Option<PathBuf>,
}

/// `TOPIC/PARTITION=OFFSET`: where to go on in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeAt {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u16,
    /// The first offset to read.
    pub offset: u64,
}
