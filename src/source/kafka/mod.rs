//! Kafka as a log, through librdkafka.
//!
//! Partitions are assigned, never subscribed: there is no consumer group to rebalance, and the offsets
//! that count are the store's. They are committed to Kafka as well, afterwards, for lag tools alone.

mod context;
mod leader_hints;
mod queue;
mod reader;
mod stall;
mod topic_ids;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use takings_dataflows::order::PartitionId;

use self::context::{Context, TopicIds};
use self::reader::{Reader, refused};
use self::topic_ids::TopicId;
use super::{Counted, Log, PartitionRange, Source, SourceError, StartAt, Waker};

/// How long one question to the broker may take before it counts as unreachable.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a partition may be without a leader before that is told, and how soon a broker is asked again.
const LEADERS_WITHIN: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Settings that decide speed, with the reason for each. `--kafka-option` overrides them.
const TUNING: &[(&str, &str)] = &[
    // librdkafka's default waits a second when its local queue is full: 3.7 times slower in all.
    ("fetch.queue.backoff.ms", "1"),
    // Bounds the memory of records fetched ahead: 8 MB are some 23,000 orders, which librdkafka
    // keeps in about twice as much; and so do fetches of a megabyte a partition.
    ("queued.max.messages.kbytes", "8192"),
    ("queued.min.messages", "10000"),
    ("socket.nagle.disable", "true"),
    // A broker that comes back is found within a second.
    ("reconnect.backoff.max.ms", "1000"),
];

/// What exactness rests on: `--kafka-option` can not override these.
const FIXED: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // A lost offset is an error to be told, never a silent jump.
    ("auto.offset.reset", "error"),
    // The end of a partition tells "caught up", and where aborted transactions left gaps.
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
    ("allow.auto.create.topics", "false"),
    // A batch that the network or a disk has changed is an error to be told.
    ("check.crcs", "true"),
];

/// What librdkafka is to tell in its log: that a topic is another one now, see [`Context::note`].
const DEBUG: &str = "metadata";

/// A Kafka cluster.
pub struct KafkaLog {
    servers: String,
    cluster: String,
    config: ClientConfig,
    metadata: Arc<BaseConsumer<Context>>,
    topic_ids: TopicIds,
}

impl KafkaLog {
    /// Connects to these brokers, `HOST:PORT[,HOST:PORT…]`, with options for librdkafka.
    ///
    /// # Errors
    /// [`SourceError::Configuration`] where URL, options or credentials are wrong;
    /// [`SourceError::Unreachable`] where no broker answers.
    pub fn connect(brokers: &str, options: &[(String, String)]) -> Result<Self, SourceError> {
        let servers = brokers.trim_end_matches('/').to_owned();
        if servers.is_empty() || servers.contains(['/', '@', '?']) {
            return Err(SourceError::Configuration {
                setting: "source",
                message: format!("kafka://{brokers} is not kafka://HOST:PORT[,HOST:PORT…]"),
            });
        }
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &servers).set("client.id", "takings").set("group.id", "takings");
        for (name, value) in TUNING {
            config.set(*name, *value);
        }
        for (name, value) in options {
            if FIXED.iter().any(|(fixed, _)| fixed == name) {
                return Err(SourceError::Configuration {
                    setting: "kafka_option",
                    message: format!("{name} can not be set: exact totals rest on it"),
                });
            }
            config.set(name, value);
        }
        for (name, value) in FIXED {
            config.set(*name, *value);
        }
        let topic_ids = TopicIds::default();
        let metadata = Arc::new(create(&config, &topic_ids)?);
        let asked =
            options.iter().find(|(name, _)| name == "debug").map_or(String::new(), |(_, value)| format!("{value},"));
        config.set("debug", format!("{asked}{DEBUG}")).set_log_level(RDKafkaLogLevel::Debug);
        let mut log = KafkaLog { servers, cluster: String::new(), config, metadata, topic_ids };
        // Asking for metadata tells refused from away; the cluster's id alone would not.
        log.metadata.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| log.unreachable(&error))?;
        log.cluster = log
            .metadata
            .client()
            .fetch_cluster_id(ANSWER_WITHIN)
            .ok_or_else(|| log.unreachable(&KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut)))?;
        Ok(log)
    }

    /// Asks a broker; again for a while where it says that it will know soon: one that has just started, or a
    /// partition between two leaders.
    fn ask<T>(&self, ask: impl Fn() -> Result<T, KafkaError>) -> Result<T, SourceError> {
        let began = Instant::now();
        loop {
            match ask() {
                Err(error) if passes(&error) && began.elapsed() < LEADERS_WITHIN => {
                    std::thread::park_timeout(ASK_AGAIN)
                }
                Err(error) => return Err(self.unreachable(&error)),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    fn unreachable(&self, error: &KafkaError) -> SourceError {
        while self.metadata.poll(Duration::ZERO).is_some() {}
        match self.metadata.context().refused() {
            Some(message) => refused(&message),
            None => unanswered(&self.servers, error),
        }
    }
}

/// What a question came to that has no answer: waiting cures all but what no broker was asked, or will ever answer.
fn unanswered(servers: &str, error: &KafkaError) -> SourceError {
    let log = format!("kafka://{servers}");
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        error => error.rdkafka_error_code(),
    };
    match code {
        Some(RDKafkaErrorCode::InvalidArgument | RDKafkaErrorCode::UnsupportedFeature) => {
            SourceError::Fault { what: log, source: Box::new(error.clone()) }
        }
        _ => SourceError::Unreachable { log, message: error.to_string() },
    }
}

/// Why a broker does not describe a topic that it was asked about.
fn not_described(servers: &str, topic: &str, code: RDKafkaErrorCode) -> SourceError {
    match code {
        RDKafkaErrorCode::UnknownTopicOrPartition => {
            SourceError::TopicMissing { topic: topic.to_owned(), log: format!("kafka://{servers}") }
        }
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            refused(&format!("{topic}: it may not describe the topic; give it the rights to describe and to read it"))
        }
        RDKafkaErrorCode::InvalidTopic => SourceError::Configuration {
            setting: "topics",
            message: format!("{topic} is no name that a topic of Kafka can have"),
        },
        code => unanswered(servers, &KafkaError::MetadataFetch(code)),
    }
}

/// Whether a broker only does not know yet who leads a partition.
fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::ReplicaNotAvailable
                | RDKafkaErrorCode::FencedLeaderEpoch
                | RDKafkaErrorCode::UnknownLeaderEpoch
        )
    )
}

fn create(config: &ClientConfig, topic_ids: &TopicIds) -> Result<BaseConsumer<Context>, SourceError> {
    use rdkafka::config::FromClientConfigAndContext;
    BaseConsumer::from_config_and_context(config, Context::knowing(topic_ids)).map_err(wrong_option)
}

/// librdkafka's word on an option that it refuses.
pub(crate) fn wrong_option(error: KafkaError) -> SourceError {
    let message = match error {
        // Not the value, which may be a secret under a name that is misspelt.
        KafkaError::ClientConfig(_, why, name, _) => format!("librdkafka does not take {name}: {why}"),
        error => format!("librdkafka does not take an option: {error}"),
    };
    SourceError::Configuration { setting: "kafka_option", message }
}

/// The offset that a partition's part of an answer says. Each part has an error of its own, beside which stands an offset
/// that looks like the end.
fn told(part: Option<(Result<(), KafkaError>, Offset)>) -> Result<u64, KafkaError> {
    const NO_ANSWER: KafkaError = KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset);
    let (outcome, offset) = part.ok_or(NO_ANSWER)?;
    outcome?;
    match offset {
        Offset::Offset(offset) => Ok(offset as u64),
        // Where no record is that young the answer is the end: nothing to read again.
        Offset::End => Ok(u64::MAX),
        _ => Err(NO_ANSWER),
    }
}

impl Log for KafkaLog {
    fn identity(&self) -> &str {
        &self.cluster
    }

    fn partitions(&self, topics: &[String]) -> Result<Vec<PartitionRange>, SourceError> {
        let mut found = Vec::new();
        for (rank, topic) in topics.iter().enumerate() {
            let metadata = self.ask(|| self.metadata.fetch_metadata(Some(topic), ANSWER_WITHIN))?;
            let without = |code| Err(not_described(&self.servers, topic, code));
            let described = match metadata.topics().iter().find(|described| described.name() == topic) {
                None => return without(RDKafkaErrorCode::UnknownTopicOrPartition),
                Some(described) => described,
            };
            if let Some(error) = described.error() {
                return without(error.into());
            }
            if described.partitions().is_empty() {
                return without(RDKafkaErrorCode::UnknownTopicOrPartition);
            }
            for partition in described.partitions() {
                let number = u16::try_from(partition.id()).map_err(|_| SourceError::Configuration {
                    setting: "topics",
                    message: format!("{topic} has more than 65,536 partitions"),
                })?;
                let (first, end) = self.ask(|| self.metadata.fetch_watermarks(topic, partition.id(), ANSWER_WITHIN))?;
                found.push(PartitionRange {
                    partition: PartitionId { topic: rank as u8, partition: number },
                    first: first.max(0) as u64,
                    end: end.max(0) as u64,
                });
            }
        }
        found.sort_by_key(|range| range.partition);
        Ok(found)
    }

    /// A compacted topic forgets the versions of an order that it compacted away, and with them the
    /// order's history: totals could not be recounted from it.
    fn check_whole(&self, topics: &[String]) -> Result<(), SourceError> {
        // A question about no topic is one that Kafka's client does not take.
        if topics.is_empty() {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = self.config.create().map_err(wrong_option)?;
        let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let options = AdminOptions::new().request_timeout(Some(ANSWER_WITHIN));
        let described = futures_executor::block_on(admin.describe_configs(&resources, &options))
            .map_err(|error| self.unreachable(&error))?;
        for (topic, resource) in topics.iter().zip(described) {
            let Ok(resource) = resource else {
                tracing::warn!("{topic}: its settings may not be read, so that it is not compacted is taken on trust");
                continue;
            };
            let policy = resource.get("cleanup.policy").and_then(|entry| entry.value.clone()).unwrap_or_default();
            if policy.split(',').any(|policy| policy.trim() == "compact") {
                return Err(SourceError::LogChanged {
                    topic: topic.clone(),
                    partition: 0,
                    what: format!(
                        "the topic is compacted (cleanup.policy={policy}), so it forgets older versions of an order"
                    ),
                    hint: format!(
                        "keep orders in a topic with cleanup.policy=delete: kafka-configs.sh --bootstrap-server {} --alter \
                         --entity-type topics --entity-name {topic} --add-config cleanup.policy=delete",
                        self.servers
                    ),
                });
            }
        }
        Ok(())
    }

    fn open(&self, topics: &[String], from: &[StartAt], waker: Waker) -> Result<Box<dyn Source>, SourceError> {
        let from: Vec<_> = from.iter().map(|start| (*start, Counted::default())).collect();
        self.open_after(topics, &from, waker)
    }

    fn open_after(
        &self,
        topics: &[String],
        from: &[(StartAt, Counted)],
        waker: Waker,
    ) -> Result<Box<dyn Source>, SourceError> {
        let (config, topic_ids) = (self.config.clone(), TopicIds::clone(&self.topic_ids));
        let connect = Box::new(move || create(&config, &topic_ids));
        let client = Arc::clone(&self.metadata);
        Ok(Box::new(Reader::open(self.servers.clone(), connect, client, topics, from, waker)?))
    }

    fn topic_ids(&self, topics: &[String]) -> Result<Vec<Option<String>>, SourceError> {
        let described = topic_ids::describe(self.metadata.client(), topics, ANSWER_WITHIN)
            .map_err(|error| self.unreachable(&error))?;
        let id_of = |(topic, id): (&String, TopicId)| match id {
            TopicId::Is(id) => Ok(Some(id)),
            TopicId::Unknown => Ok(None),
            TopicId::Not(code) => Err(not_described(&self.servers, topic, code)),
        };
        let ids: Vec<Option<String>> = topics.iter().zip(described).map(id_of).collect::<Result<_, _>>()?;
        let mut known = self.topic_ids.lock();
        for (topic, id) in topics.iter().zip(&ids) {
            if let Some(id) = id {
                known.entry(topic.clone()).or_insert_with(|| id.clone());
            }
        }
        drop(known);
        Ok(ids)
    }

    fn offsets_since(
        &self,
        topics: &[String],
        since: &[(PartitionId, i64)],
    ) -> Result<Vec<(PartitionId, u64)>, SourceError> {
        let mut asked = TopicPartitionList::with_capacity(since.len());
        for (partition, timestamp) in since {
            let topic = &topics[partition.topic as usize];
            asked
                .add_partition_offset(topic, partition.partition.into(), Offset::Offset((*timestamp).max(0)))
                .map_err(|error| self.unreachable(&error))?;
        }
        self.ask(|| {
            // A list of its own each time: the answer is written into it.
            let answered = self.metadata.offsets_for_times(asked.clone(), ANSWER_WITHIN)?;
            let told = |(partition, _): &(PartitionId, i64)| {
                let part = answered.find_partition(&topics[partition.topic as usize], partition.partition.into());
                Ok((*partition, told(part.map(|part| (part.error(), part.offset())))?))
            };
            since.iter().map(told).collect()
        })
    }

    fn note_committed(&self, topics: &[String], offsets: &BTreeMap<PartitionId, u64>) {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (partition, offset) in offsets {
            let topic = &topics[partition.topic as usize];
            if list.add_partition_offset(topic, partition.partition.into(), Offset::Offset(*offset as i64)).is_err() {
                return;
            }
        }
        if let Err(error) = self.metadata.commit(&list, CommitMode::Async) {
            tracing::debug!("offsets for lag tools were not committed to Kafka: {error}");
        }
        // Serves the answers, errors among them, so that they do not pile up.
        while self.metadata.poll(Duration::ZERO).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_was_not_found_is_never_taken_for_the_end() {
        assert_eq!(told(Some((Ok(()), Offset::Offset(7)))), Ok(7));
        assert_eq!(told(Some((Ok(()), Offset::End))), Ok(u64::MAX), "no record is that young");
        let failed = KafkaError::OffsetFetch(RDKafkaErrorCode::NotLeaderForPartition);
        let error = told(Some((Err(failed), Offset::End))).expect_err("it failed");
        assert!(passes(&error), "{error} is asked again");
        assert!(told(None).is_err());
        assert!(told(Some((Ok(()), Offset::Invalid))).is_err());
    }

    #[test]
    fn only_a_topic_that_is_missing_is_called_that() {
        let said = |code| not_described("kafka:9092", "sold", code);
        let missing = said(RDKafkaErrorCode::UnknownTopicOrPartition);
        assert!(matches!(missing, SourceError::TopicMissing { .. }), "{missing}");
        let refused = said(RDKafkaErrorCode::TopicAuthorizationFailed);
        assert!(refused.is_configuration() && refused.to_string().contains("refused this client: sold"), "{refused}");
        let wrong = said(RDKafkaErrorCode::InvalidTopic);
        assert!(wrong.is_configuration() && wrong.to_string().contains("`topics`: sold"), "{wrong}");
        let between_leaders = said(RDKafkaErrorCode::LeaderNotAvailable);
        assert!(matches!(between_leaders, SourceError::Unreachable { .. }), "{between_leaders}");
    }

    #[test]
    fn only_what_waiting_cures_is_waited_for() {
        for (code, is_waited_for) in [
            (RDKafkaErrorCode::OperationTimedOut, true),
            (RDKafkaErrorCode::BrokerTransportFailure, true),
            (RDKafkaErrorCode::InvalidArgument, false),
            (RDKafkaErrorCode::UnsupportedFeature, false),
        ] {
            let error = unanswered("kafka:9092", &KafkaError::AdminOp(code));
            assert_eq!(error.is_transient(), is_waited_for, "{error}");
        }
    }
}
