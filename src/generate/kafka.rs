//! Events into Kafka.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};

use super::Sink;
use super::event::{Event, Topic};
use crate::source::kafka::wrong_option;

/// How long the brokers may take to answer at the start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A producer.
///
/// It names the partition of each record, since most records of the plain topics have no key: so versions of
/// one order share a partition and keep their order all the same. Records have the log's own timestamps
/// (`CreateTime`), as in a file log: orders per minute are then the same, whenever and however fast they are
/// sent. None lies in the future, which brokers refuse; and topics made here keep records of any age, or else
/// a shop of the past would be deleted as soon as it was sent.
pub(super) struct KafkaSink {
    producer: BaseProducer<Deliveries>,
    /// Name and number of partitions.
    topics: BTreeMap<Topic, (String, u64)>,
    failure: Arc<Mutex<Option<KafkaError>>>,
    sent: u64,
}

/// Keeps the first record that could not be delivered.
#[derive(Clone)]
struct Deliveries(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Deliveries {}

impl ProducerContext<NoCustomPartitioner> for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let Err((error, _)) = result {
            self.0.lock().get_or_insert_with(|| error.clone());
        }
    }
}

impl KafkaSink {
    pub(super) fn connect(
        brokers: &str,
        topics: &[(Topic, String)],
        partitions: u16,
        options: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers).set("client.id", "takings-generate");
        for (key, value) in options {
            client.set(key, value);
        }
        let mut partitioned = BTreeMap::new();
        for (topic, name) in topics {
            let partitions = create_topic(&client, brokers, name, partitions)?;
            partitioned.insert(*topic, (name.clone(), partitions));
        }

        for (key, value) in [
            ("enable.idempotence", "true"),
            ("compression.type", "lz4"),
            ("linger.ms", "5"),
            ("batch.size", "1000000"),
            ("batch.num.messages", "20000"),
            ("queue.buffering.max.messages", "200000"),
            ("queue.buffering.max.kbytes", "131072"),
        ] {
            if !options.iter().any(|(given, _)| given == key) {
                client.set(key, value);
            }
        }
        let failure = Arc::default();
        let producer = client.create_with_context(Deliveries(Arc::clone(&failure))).map_err(wrong_option)?;
        Ok(KafkaSink { producer, topics: partitioned, failure, sent: 0 })
    }

    fn check(&self) -> anyhow::Result<()> {
        match self.failure.lock().clone() {
            None => Ok(()),
            Some(error) => Err(anyhow!(error).context("delivering an event")),
        }
    }
}

/// Makes the topic, if it is not there. Returns how many partitions it has.
fn create_topic(client: &ClientConfig, brokers: &str, topic: &str, partitions: u16) -> anyhow::Result<u64> {
    let admin: AdminClient<DefaultClientContext> = client.create().map_err(wrong_option)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("starting a runtime")?;
    let new = NewTopic::new(topic, partitions.into(), TopicReplication::Fixed(-1)).set("retention.ms", "-1");
    let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let results = runtime
        .block_on(admin.create_topics([&new], &options))
        .with_context(|| format!("creating topic {topic} on {brokers}: no broker answered; check --to"))?;
    for result in results {
        match result {
            Ok(_) => {}
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {
                let metadata = admin.inner().fetch_metadata(Some(topic), PATIENCE);
                let metadata = metadata.with_context(|| format!("asking {brokers} about topic {topic}"))?;
                let there = metadata.topics().first().map_or(0, |topic| topic.partitions().len() as u64);
                if there == 0 {
                    bail!("topic {topic} on {brokers} has no partition; make it anew, or name another one");
                }
                return Ok(there);
            }
            Err((_, code)) => bail!("creating topic {topic} on {brokers}: {code}"),
        }
    }
    Ok(partitions.into())
}

impl Sink for KafkaSink {
    fn send(&mut self, event: &Event) -> anyhow::Result<()> {
        let topic = self.topics.get(&event.topic);
        let (topic, partitions) = topic.with_context(|| format!("topic {} was not made", event.topic.name()))?;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic)
            .partition((event.place % partitions) as i32)
            .timestamp(event.timestamp.min(chrono::Utc::now().timestamp_millis()));
        record.key = event.key.as_deref();
        record.payload = event.payload.as_deref();
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    self.check()?;
                    self.producer.poll(Duration::from_millis(20));
                    record = refused;
                }
                Err((error, _)) => return Err(error).context(format!("sending an event to topic {topic}")),
            }
        }
        self.sent += 1;
        if self.sent.is_multiple_of(1_000) {
            self.producer.poll(Duration::ZERO);
            self.check()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        // The producer sends by itself within `linger.ms`.
        self.producer.poll(Duration::ZERO);
        self.check()
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        // Each record is delivered or fails by librdkafka's own `message.timeout.ms`.
        let started = Instant::now();
        while self.producer.in_flight_count() > 0 {
            match self.producer.flush(Duration::from_secs(1)) {
                Ok(()) | Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)) => {}
                Err(error) => return Err(error).context("waiting for the last events to be delivered"),
            }
            self.check()?;
            let waiting = self.producer.in_flight_count();
            if waiting > 0 {
                tracing::info!(waiting, seconds = started.elapsed().as_secs(), "waiting for Kafka to take events");
            }
        }
        self.check()
    }
}
