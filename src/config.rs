//! Settings: flags, environment and file name the same ones, in one place.
//!
//! A flag wins over its `TAKINGS_…` variable, and that over the file. An unknown key in the file is an
//! error. No secret is ever printed: connection strings are shown without their password.

pub mod hosts;
pub(crate) mod kafka_options;
pub mod mapping;
mod resume_at;
pub mod topics;
mod views;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use chrono_tz::Tz;
use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Deserialize;
use takings_dataflows::graph::Held;
use takings_dataflows::order::IdSpace;
use takings_dataflows::view::View;

use self::hosts::Hosts;
pub use self::resume_at::ResumeAt;
use self::topics::{Kind, ProductKey, TopicFormat};
use crate::formats::DecoderSettings;
use crate::source::place::Place;
use crate::store::JobSettings;

/// The longest correction window: 10,000 years, more than lie between any two timestamps. Moments that far apart are still
/// numbers of milliseconds and of days.
const LONGEST_WINDOW: Duration = Duration::from_secs(10_000 * 366 * 24 * 60 * 60);

/// A setting that can not be: exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("setting `{setting}`: {message}")]
pub struct ConfigError {
    /// The setting's name in the file; its flag has dashes instead of underscores.
    pub setting: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ConfigError {
    fn new(setting: &str, message: impl Into<String>) -> Self {
        ConfigError { setting: setting.to_owned(), message: message.into() }
    }
}

/// The settings as they are given: every one optional, so that three places can give them.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobArgs {
    /// Where orders come from: kafka://HOST:PORT[,HOST:PORT…], or a folder of *.jsonl files
    #[arg(long, env = "TAKINGS_SOURCE", value_name = "URL")]
    source: Option<String>,

    /// Where totals are kept: postgres://USER@HOST/DATABASE, or sqlite:FILE
    #[arg(long, env = "TAKINGS_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<String>,

    /// The topics to read, separated by commas [default: product_sold]
    #[arg(long, env = "TAKINGS_TOPICS", value_delimiter = ',', value_name = "TOPIC")]
    topics: Option<Vec<String>>,

    /// What names a product in product_sold: name or id [default: name]
    #[arg(long, env = "TAKINGS_PRODUCT_KEY", value_name = "KEY")]
    product_key: Option<String>,

    /// By topic, how it is read where its name does not say it: only in the file.
    #[arg(skip)]
    #[serde(default)]
    mapping: BTreeMap<String, toml::Table>,

    /// Worker threads [default: 1]
    #[arg(long, env = "TAKINGS_WORKERS", value_name = "N")]
    workers: Option<usize>,

    /// Several processes make one job: a file with a line HOST:PORT for each of them
    #[arg(long, env = "TAKINGS_HOSTS", value_name = "FILE")]
    hosts: Option<PathBuf>,

    /// Which line of --hosts this process is, from 0; process 0 alone writes the store
    #[arg(long, env = "TAKINGS_PROCESS", value_name = "I")]
    process: Option<usize>,

    /// The shop's time zone, by which days are cut (an IANA name) [default: UTC]
    #[arg(long, env = "TAKINGS_TIME_ZONE", value_name = "ZONE")]
    time_zone: Option<String>,

    /// The currency of orders that name none [default: USD]
    #[arg(long, env = "TAKINGS_DEFAULT_CURRENCY", value_name = "CODE")]
    default_currency: Option<String>,

    /// How far back a correction reaches, such as 30d [default: as far as the log]
    #[arg(long, env = "TAKINGS_CORRECTION_WINDOW", value_name = "DURATION")]
    correction_window: Option<String>,

    /// The views to keep, separated by commas; `default` names all but sales_facts [default: default]
    #[arg(long, env = "TAKINGS_VIEWS", value_delimiter = ',', value_name = "VIEW")]
    views: Option<Vec<String>>,

    /// How many best sellers each period has in top_products [default: 10]
    #[arg(long, env = "TAKINGS_TOP", value_name = "N")]
    top: Option<u16>,

    /// How far back orders_per_minute reaches, in the log's time [default: 48h]
    #[arg(long, env = "TAKINGS_VOLUME_WINDOW", value_name = "DURATION")]
    volume_window: Option<String>,

    /// Keep every order in the table `orders`; corrections of any age are then exact
    #[arg(long, env = "TAKINGS_KEEP_ORDERS", value_parser = BoolishValueParser::new())]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    keep_orders: Option<bool>,

    /// Reject payloads over this many bytes [default: 1048576]
    #[arg(long, env = "TAKINGS_PAYLOAD_LIMIT", value_name = "BYTES")]
    payload_limit: Option<usize>,

    /// Stop when more than this share of 1,000 records in a row is rejected [default: 0.5]
    #[arg(long, env = "TAKINGS_MAX_REJECTED_SHARE", value_name = "SHARE")]
    max_rejected_share: Option<f64>,

    /// Stop in order before the job occupies more memory than this, such as 2GiB [default: what the control group
    /// (a container's limit) grants, where there is one]
    #[arg(long, env = "TAKINGS_MEMORY_LIMIT", value_name = "SIZE")]
    memory_limit: Option<String>,

    /// An option for librdkafka, NAME=VALUE or NAME=file:PATH (security.protocol, sasl.*, ssl.*); may be repeated. The
    /// variable holds several, with a comma between: one that no name of a-z, 0-9 and dots with its `=` follows is part
    /// of the value
    #[arg(
        long = "kafka-option",
        env = "TAKINGS_KAFKA_OPTION",
        hide_env_values = true,
        value_parser = kafka_options::FlagOrVariable,
        value_name = "NAME=VALUE"
    )]
    #[serde(rename = "kafka_option", alias = "kafka")]
    kafka_options: Option<Vec<kafka_options::Given>>,

    /// Go on at another offset than the committed one, TOPIC/PARTITION=OFFSET; may be repeated, or name several with
    /// commas between
    #[arg(long, env = "TAKINGS_RESUME_AT", value_name = "PLACE")]
    #[serde(skip)]
    resume_at: Vec<String>,

    /// Do not recount closed days from the log in the background
    #[arg(long, env = "TAKINGS_NO_AUDIT", value_parser = BoolishValueParser::new())]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_audit: Option<bool>,

    /// Records that the background audit reads at most, a second [default: 5000]
    #[arg(long, env = "TAKINGS_AUDIT_RATE", value_name = "N")]
    audit_rate: Option<u32>,

    /// A day that did not change is recounted again after this time [default: 24h]
    #[arg(long, env = "TAKINGS_AUDIT_EVERY", value_name = "DURATION")]
    audit_every: Option<String>,

    /// Orders that the background audit holds at once, 80 to 160 bytes each [default: 500000]
    #[arg(long, env = "TAKINGS_AUDIT_ORDERS", value_name = "N")]
    audit_orders: Option<u64>,

    /// A file with these settings (TOML; names with underscores)
    #[arg(long, env = "TAKINGS_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// Everything a job is told.
#[derive(Clone, Debug)]
pub struct JobConfig {
    /// `kafka://HOST:PORT[,…]` or a folder.
    pub source: String,
    /// The same, read: where the log is.
    pub place: Place,
    /// `postgres://…` or `sqlite:FILE`.
    pub store: String,
    /// The topics, sorted; a topic's place is its rank.
    pub topics: Vec<String>,
    /// How each topic is read, in the order of `topics`.
    pub topic_formats: Vec<TopicFormat>,
    /// What names a product in `product_sold`.
    pub product_key: ProductKey,
    /// Worker threads, of this process.
    pub workers: usize,
    /// All processes of the job, where it has several.
    pub hosts: Option<Hosts>,
    /// The shop's time zone.
    pub time_zone: Tz,
    /// The currency of records that name none.
    pub default_currency: String,
    /// How far back a correction reaches, in log time; `None` is as far as the log holds.
    pub correction_window: Option<Duration>,
    /// The views to keep.
    pub views: Vec<View>,
    /// How many best sellers each period has.
    pub top: u16,
    /// How many minutes of the log `orders_per_minute` reaches back.
    pub volume_window: u32,
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
    /// The memory it may occupy, in bytes; `None` is what the kernel grants.
    pub memory_limit: Option<u64>,
    /// Where the running job says how much it holds.
    pub held: Held,
    /// Options passed through to librdkafka (`security.protocol`, `sasl.…`, `ssl.…`).
    pub kafka_options: Vec<(String, String)>,
    /// Partitions to go on with at another offset than the committed one, after the log lost or changed
    /// what was there.
    pub resume_at: Vec<ResumeAt>,
    /// Whether no day is recounted in the background.
    pub no_audit: bool,
    /// How many records the background audit reads a second, at most.
    pub audit_rate: u32,
    /// After which time a day that did not change is recounted again.
    pub audit_every: Duration,
    /// How many orders the background audit holds at once; a larger day it takes alone.
    pub audit_orders: u64,
}

impl JobArgs {
    /// For a log and a store, all else as it comes.
    pub fn of(source: &str, store: &str) -> Self {
        JobArgs { source: Some(source.to_owned()), store: Some(store.to_owned()), ..JobArgs::default() }
    }

    /// For these topics.
    pub fn with_topics(self, topics: &[&str]) -> Self {
        JobArgs { topics: Some(topics.iter().map(|&topic| topic.to_owned()).collect()), ..self }
    }

    /// The settings in force, from flags, environment and file.
    ///
    /// # Errors
    /// [`ConfigError`] where one is missing or can not be.
    pub fn resolve(&self) -> Result<JobConfig, ConfigError> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => JobArgs::default(),
        };
        // A variable that is there and empty says nothing.
        let named = |flag: &Option<String>, file: Option<String>| {
            flag.clone().filter(|value| !value.is_empty()).or(file).filter(|value| !value.is_empty())
        };
        let required = |setting: &str, flag: &Option<String>, file: Option<String>| {
            named(flag, file).ok_or_else(|| {
                ConfigError::new(
                    setting,
                    format!("is missing; give --{setting}, TAKINGS_{}, or the file", setting.to_uppercase()),
                )
            })
        };
        let source = required("source", &self.source, file.source)?;
        let hosts = match (self.hosts.as_ref().or(file.hosts.as_ref()), self.process.or(file.process)) {
            (None, None) => None,
            (Some(file), Some(process)) => Some(Hosts::read(file, process)?),
            (Some(_), None) => {
                return Err(ConfigError::new("process", "is missing: it says which line of --hosts this process is"));
            }
            (None, Some(_)) => return Err(ConfigError::new("hosts", "is missing: --process is a line of that file")),
        };
        let store = match &hosts {
            // The store is process 0's alone.
            Some(hosts) if hosts.process() > 0 => named(&self.store, file.store).unwrap_or_default(),
            _ => required("store", &self.store, file.store)?,
        };

        let topics = self.topics.clone().or(file.topics).unwrap_or_else(|| vec!["product_sold".to_owned()]);
        let mut topics: Vec<String> = topics.iter().map(|topic| topic.trim().to_owned()).collect();
        topics.sort();
        topics.dedup();
        if topics.is_empty() || topics.len() > 256 || topics.iter().any(String::is_empty) {
            return Err(ConfigError::new("topics", "names 1 to 256 topics, separated by commas"));
        }

        let product_key = match self.product_key.as_ref().or(file.product_key.as_ref()) {
            None => ProductKey::default(),
            Some(key) => key.parse().map_err(|message: String| ConfigError::new("product_key", message))?,
        };
        let mapping = if self.mapping.is_empty() { file.mapping } else { self.mapping.clone() };
        let topic_formats = topic_formats(&topics, mapping, product_key)?;

        let workers = self.workers.or(file.workers).unwrap_or(1);
        if !(1..=256).contains(&workers) {
            return Err(ConfigError::new("workers", format!("{workers} is not 1 to 256")));
        }
        let zone = self.time_zone.clone().or(file.time_zone).unwrap_or_else(|| "UTC".to_owned());
        let time_zone = topics::zone(&zone).map_err(|message| ConfigError::new("time_zone", message))?;
        let default_currency = self.default_currency.as_ref().or(file.default_currency.as_ref());
        let default_currency = topics::currency(default_currency.map_or("USD", String::as_str))
            .map_err(|message| ConfigError::new("default_currency", message))?;

        let correction_window = match self.correction_window.clone().or(file.correction_window) {
            None => None,
            Some(text) => {
                let wrong = |why: String| ConfigError::new("correction_window", format!("{text:?} {why}"));
                let window = humantime::parse_duration(&text)
                    .map_err(|error| wrong(format!("is no duration, such as 30d or 12h: {error}")))?;
                if window.is_zero() {
                    return Err(wrong(
                        "corrects nothing; leave it out to correct as far as the log goes back".to_owned(),
                    ));
                }
                if window > LONGEST_WINDOW {
                    return Err(wrong(
                        "is more than 10,000 years; leave it out to correct as far as the log goes back".to_owned(),
                    ));
                }
                Some(window)
            }
        };
        let keep_orders = self.keep_orders.or(file.keep_orders).unwrap_or(false);
        if correction_window.is_some() && keep_orders {
            return Err(ConfigError::new(
                "correction_window",
                "does not go with keep_orders: kept orders can be corrected at any age",
            ));
        }
        let place = Place::parse(&source).map_err(|message| ConfigError::new("source", message))?;
        if correction_window.is_some() && !place.is_kafka() {
            return Err(ConfigError::new("correction_window", "needs a log with timestamps: a file log has none"));
        }

        let views = match self.views.clone().or(file.views) {
            None => View::DEFAULT.to_vec(),
            Some(names) => views::named(&names)?,
        };
        let top = self.top.or(file.top).unwrap_or(JobSettings::TOP);
        if !(1..=1_000).contains(&top) {
            return Err(ConfigError::new("top", format!("{top} is not 1 to 1000")));
        }
        let volume_window = match self.volume_window.clone().or(file.volume_window) {
            None => JobSettings::VOLUME_WINDOW,
            Some(text) => minutes(&text).ok_or_else(|| {
                ConfigError::new("volume_window", format!("{text:?} is not 1 minute to 1 year, such as 48h"))
            })?,
        };
        if keep_orders && let Some((one, other)) = topics::of_shared_ids(&topic_formats) {
            return Err(ConfigError::new(
                "keep_orders",
                format!(
                    "does not go with a shared id_space, which {one} and {other} have: orders are kept by topic and id"
                ),
            ));
        }
        let max_rejected_share = self.max_rejected_share.or(file.max_rejected_share).unwrap_or(0.5);
        if !(0.0..=1.0).contains(&max_rejected_share) {
            return Err(ConfigError::new("max_rejected_share", format!("{max_rejected_share} is not 0 to 1")));
        }
        let given = |options: &Option<Vec<_>>| options.as_deref().and_then(kafka_options::Given::all);
        let kafka_options = given(&self.kafka_options).or_else(|| given(&file.kafka_options)).unwrap_or_default();
        let kafka_options = kafka_options::read(&kafka_options)?;
        let audit_every = match self.audit_every.clone().or(file.audit_every) {
            None => Duration::from_secs(24 * 60 * 60),
            Some(text) => humantime::parse_duration(&text).ok().filter(|every| !every.is_zero()).ok_or_else(|| {
                ConfigError::new("audit_every", format!("{text:?} is no duration, such as 24h or 90m"))
            })?,
        };
        let audit_rate = self.audit_rate.or(file.audit_rate).unwrap_or(5_000);
        if audit_rate == 0 {
            return Err(ConfigError::new("audit_rate", "0 records a second prove nothing; to turn it off: no_audit"));
        }
        Ok(JobConfig {
            source,
            place,
            store,
            topics,
            topic_formats,
            product_key,
            workers,
            hosts,
            time_zone,
            default_currency,
            correction_window,
            views,
            top,
            volume_window,
            keep_orders,
            until_caught_up: false,
            standby: false,
            payload_limit: self.payload_limit.or(file.payload_limit).unwrap_or(JobSettings::PAYLOAD_LIMIT as usize),
            max_rejected_share,
            memory_limit: memory_limit(self.memory_limit.as_ref().or(file.memory_limit.as_ref()))?,
            held: Held::default(),
            kafka_options,
            resume_at: resume_at::read(&self.resume_at)?,
            no_audit: self.no_audit.or(file.no_audit).unwrap_or(false),
            audit_rate,
            audit_every,
            audit_orders: self.audit_orders.or(file.audit_orders).unwrap_or(500_000),
        })
    }
}

impl JobConfig {
    /// What decoding needs of it.
    pub fn decoder(&self) -> DecoderSettings {
        DecoderSettings {
            topics: self.topic_formats.clone(),
            time_zone: self.time_zone,
            default_currency: self.default_currency.clone(),
            keep_orders: self.keep_orders,
            payload_limit: self.payload_limit,
        }
    }

    /// How each topic is read, by its name: a store keeps it, and refuses a run that reads otherwise.
    pub fn formats(&self) -> BTreeMap<String, String> {
        self.topic_formats.iter().map(|format| (format.topic.clone(), format.describe())).collect()
    }

    /// What the topic of this rank holds.
    pub fn kind_of(&self, topic: u8) -> Kind {
        self.topic_formats.get(usize::from(topic)).map_or(Kind::Order, TopicFormat::kind)
    }

    /// The topics that hold orders.
    pub fn order_topics(&self) -> Vec<String> {
        let of_orders = self.topic_formats.iter().filter(|format| format.kind() == Kind::Order);
        of_orders.map(|format| format.topic.clone()).collect()
    }

    /// Each topic's id space, by its rank.
    pub fn id_spaces(&self) -> Vec<IdSpace> {
        self.topic_formats.iter().map(TopicFormat::id_space).collect()
    }
}

/// How each of the job's topics is read.
fn topic_formats(
    topics: &[String],
    mut mapping: BTreeMap<String, toml::Table>,
    product_key: ProductKey,
) -> Result<Vec<TopicFormat>, ConfigError> {
    let format = |topic: &String| match mapping.remove(topic) {
        None => Ok(TopicFormat::of(topic, product_key)),
        Some(table) => TopicFormat::from_table(topic, table, product_key),
    };
    let formats = topics.iter().map(format).collect::<Result<Vec<_>, _>>()?;
    if let Some(topic) = mapping.keys().next() {
        let message = "is for a topic that is not read; add it to `topics`, or take the mapping out";
        return Err(ConfigError::new(&format!("mapping.{topic:?}"), message));
    }
    Ok(formats)
}

/// A size with its unit.
fn memory_limit(text: Option<&String>) -> Result<Option<u64>, ConfigError> {
    const LEAST: u64 = 32 << 20;
    let wrong = |message: String| ConfigError::new("memory_limit", message);
    let Some(text) = text else { return Ok(None) };
    let size: ByteSize =
        text.parse().map_err(|error| wrong(format!("{text:?} is no size, such as 2GiB or 800MB: {error}")))?;
    if size.as_u64() < LEAST {
        return Err(wrong(format!("{text:?} is less than the 32 MiB that a job needs before it has read an order")));
    }
    Ok(Some(size.as_u64()))
}

/// A duration in whole minutes, where it is of use.
fn minutes(text: &str) -> Option<u32> {
    let minutes = humantime::parse_duration(text).ok()?.as_secs() / 60;
    u32::try_from(minutes).ok().filter(|minutes| (1..=366 * 24 * 60).contains(minutes))
}

fn read(path: &Path) -> Result<JobArgs, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new("config", format!("{} can not be read: {error}", path.display())))?;
    toml::from_str(&text)
        .map_err(|error| ConfigError::new("config", format!("{}: {}", path.display(), error.message())))
}

/// A value, or what stands in the file that `file:PATH` names: for secrets.
///
/// # Errors
/// [`ConfigError`] where that file can not be read.
pub fn secret(setting: &str, value: &str) -> Result<String, ConfigError> {
    match value.strip_prefix("file:") {
        None => Ok(value.to_owned()),
        Some(path) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| ConfigError::new(setting, format!("the secret's file {path} can not be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> JobArgs {
        JobArgs::of("kafka://localhost:9092", "sqlite:shop.db")
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("takings.toml");
        std::fs::write(&path, "workers = 3\ntime_zone = \"Africa/Douala\"\nsource = \"elsewhere\"\n").expect("written");
        let config = JobArgs { config: Some(path), workers: Some(2), ..args() }.resolve().expect("right");
        assert_eq!(
            (config.workers, config.time_zone, config.source.as_str()),
            (2, Tz::Africa__Douala, "kafka://localhost:9092")
        );
    }

    #[test]
    fn yes_and_no_are_said_as_people_say_them() {
        let parse = |flag: &str| {
            let command = JobArgs::augment_args(clap::Command::new("job"));
            let given = ["job", "--source", "here", "--store", "there", flag];
            command.try_get_matches_from(given).map(|given| given.get_one::<bool>("no_audit").copied())
        };
        for (flag, is) in [("", true), ("=1", true), ("=true", true), ("=yes", true), ("=0", false), ("=off", false)] {
            assert_eq!(parse(&format!("--no-audit{flag}")).expect("a flag"), Some(is), "--no-audit{flag}");
        }
        assert!(parse("--no-audit=perhaps").is_err());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("takings.toml");
        std::fs::write(&path, "wokers = 3\n").expect("written");
        let error = JobArgs { config: Some(path), ..args() }.resolve().expect_err("a typo");
        assert!(error.to_string().contains("wokers"), "{error}");
    }

    #[test]
    fn what_can_not_be_names_its_setting() {
        let cases: [(&str, JobArgs); 18] = [
            ("audit_rate", JobArgs { audit_rate: Some(0), ..args() }),
            ("audit_every", JobArgs { audit_every: Some("often".into()), ..args() }),
            ("source", JobArgs { source: None, ..args() }),
            ("source", JobArgs { source: Some("kafak://localhost:9092".to_owned()), ..args() }),
            ("product_key", JobArgs { product_key: Some("brand".into()), ..args() }),
            ("default_currency", JobArgs { default_currency: Some(" ".into()), ..args() }),
            ("workers", JobArgs { workers: Some(0), ..args() }),
            ("time_zone", JobArgs { time_zone: Some("Mars/Olympus".into()), ..args() }),
            ("correction_window", JobArgs { correction_window: Some("soon".into()), ..args() }),
            ("correction_window", JobArgs { correction_window: Some("1d".into()), keep_orders: Some(true), ..args() }),
            ("memory_limit", JobArgs { memory_limit: Some("plenty".into()), ..args() }),
            ("memory_limit", JobArgs { memory_limit: Some("2".into()), ..args() }),
            ("views", JobArgs { views: Some(vec!["sales".into()]), ..args() }),
            ("correction_window", JobArgs { correction_window: Some("0s".into()), ..args() }),
            ("correction_window", JobArgs { correction_window: Some("10100years".into()), ..args() }),
            ("correction_window", JobArgs { correction_window: Some("580000000000years".into()), ..args() }),
            ("kafka_option", JobArgs { kafka_options: Some(vec!["security.protocol".to_owned().into()]), ..args() }),
            ("resume_at", JobArgs { resume_at: vec!["product_sold".into()], ..args() }),
        ];
        for (setting, args) in cases {
            assert_eq!(args.resolve().expect_err(setting).setting, setting);
        }
    }

    #[test]
    fn an_empty_variable_leaves_the_file_its_word() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("takings.toml");
        let text = "source = \"orders\"\nstore = \"sqlite:shop.db\"\nkafka_option = [\"debug=broker,topic\"]\n";
        std::fs::write(&path, text).expect("written");
        let args = JobArgs { config: Some(path.clone()), kafka_options: Some(Vec::new()), ..JobArgs::of("", "") };
        let config = args.resolve().expect("right");
        assert_eq!((config.source.as_str(), config.store.as_str()), ("orders", "sqlite:shop.db"));
        assert_eq!(config.kafka_options, [("debug".to_owned(), "broker,topic".to_owned())]);
        // The option's older name.
        std::fs::write(&path, text.replace("kafka_option", "kafka")).expect("written");
        assert_eq!(args.resolve().expect("right").kafka_options.len(), 1);
    }

    #[test]
    fn topics_are_trimmed_as_views_are() {
        assert_eq!(args().with_topics(&[" b", "a ", "b"]).resolve().expect("right").topics, ["a", "b"]);
        assert_eq!(args().with_topics(&["a", " "]).resolve().expect_err("no name").setting, "topics");
    }
}
