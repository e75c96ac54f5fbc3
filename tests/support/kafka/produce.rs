//! Records written reliably, and transactions that are committed or aborted.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::{Kafka, PATIENCE};

/// A record to write.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its partition; by its key where there is none.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its payload; none is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Its timestamp in milliseconds since 1970; now where there is none.
    pub timestamp: Option<i64>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Message {
    /// A record with a key and a payload.
    pub fn new(key: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>) -> Message {
        Message { key: Some(key.into()), payload: Some(payload.into()), ..Message::default() }
    }

    /// A record with a key and no payload.
    pub fn tombstone(key: impl Into<Vec<u8>>) -> Message {
        Message { key: Some(key.into()), ..Message::default() }
    }

    /// The same in this partition.
    #[must_use]
    pub fn in_partition(mut self, partition: i32) -> Message {
        self.partition = Some(partition);
        self
    }

    /// The same with this timestamp, in milliseconds since 1970.
    #[must_use]
    pub fn at(mut self, timestamp: i64) -> Message {
        self.timestamp = Some(timestamp);
        self
    }
}

/// Where a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl Kafka {
    /// Writes records in their order, each exactly once, and returns where each one is.
    ///
    /// # Panics
    /// When one can not be written within a minute.
    pub fn produce(&self, topic: &str, messages: &[Message]) -> Vec<Placed> {
        self.produce_with(topic, messages, &[])
    }

    /// As [`Kafka::produce`], with settings of the producer such as `("compression.codec", "zstd")`.
    pub fn produce_with(&self, topic: &str, messages: &[Message], settings: &[(&str, &str)]) -> Vec<Placed> {
        let mut config = self.client();
        for (key, value) in settings {
            config.set(*key, *value);
        }
        produce_through(config, topic, messages)
    }

    /// A transactional producer with a transaction begun. A second one with the same id fences the first.
    pub fn transaction(&self, id: &str) -> Transaction {
        self.transaction_with(id, &[])
    }

    /// As [`Kafka::transaction`], with settings of the producer such as `("transaction.timeout.ms", "2000")`.
    pub fn transaction_with(&self, id: &str, settings: &[(&str, &str)]) -> Transaction {
        let mut config = self.client();
        config.set("transactional.id", id);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let producer: ThreadedProducer<Deliveries> =
            config.create_with_context(Deliveries::default()).expect("a producer");
        producer.init_transactions(PATIENCE).expect("the transaction coordinator answers");
        producer.begin_transaction().expect("no transaction is open");
        Transaction { producer }
    }
}

/// A transaction that is open. Dropped, it stays open until the broker's timeout: readers wait before it.
pub struct Transaction {
    producer: ThreadedProducer<Deliveries>,
}

impl Transaction {
    /// Writes records in the transaction, and returns once the broker has them.
    pub fn produce(&self, topic: &str, messages: &[Message]) {
        let first = self.producer.context().expect_more(messages.len());
        for (index, message) in messages.iter().enumerate() {
            send(&self.producer, topic, message, first + index);
        }
        self.producer.flush(PATIENCE).expect("all records are written");
    }

    /// Makes its records visible, and returns where each one is.
    pub fn commit(self) -> Vec<Placed> {
        self.producer.commit_transaction(PATIENCE).expect("the transaction can be committed");
        self.producer.context().placed()
    }

    /// Takes its records back: their offsets stay, as gaps.
    pub fn abort(self) {
        self.producer.abort_transaction(PATIENCE).expect("the transaction can be aborted");
    }
}

/// As [`Kafka::produce`], by a client of its own: while a test does something to the brokers.
///
/// # Panics
/// As [`Kafka::produce`].
pub fn produce_through(mut client: ClientConfig, topic: &str, messages: &[Message]) -> Vec<Placed> {
    client.set("enable.idempotence", "true").set("linger.ms", "1");
    let deliveries = Deliveries::expecting(messages.len());
    let producer: ThreadedProducer<Deliveries> = client.create_with_context(deliveries).expect("a producer");
    for (index, message) in messages.iter().enumerate() {
        send(&producer, topic, message, index);
    }
    producer.flush(PATIENCE).expect("all records are written");
    producer.context().placed()
}

fn send(producer: &ThreadedProducer<Deliveries>, topic: &str, message: &Message, index: usize) {
    let mut record = BaseRecord::<[u8], [u8], usize>::with_opaque_to(topic, index);
    record.partition = message.partition;
    record.key = message.key.as_deref();
    record.payload = message.payload.as_deref();
    record.timestamp = message.timestamp;
    if !message.headers.is_empty() {
        let headers = message
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        record.headers = Some(headers);
    }
    // A full queue empties itself from the producer's own thread.
    while let Err((error, refused)) = producer.send(record) {
        assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), "a record was refused");
        producer.flush(Duration::from_millis(100)).ok();
        record = refused;
    }
}

/// Where each record went, as the broker acknowledges it.
#[derive(Default)]
struct Deliveries {
    placed: Mutex<Vec<Option<Placed>>>,
}

impl Deliveries {
    fn expecting(count: usize) -> Deliveries {
        Deliveries { placed: Mutex::new(vec![None; count]) }
    }

    /// Room for more records; returns the index of the first of them.
    fn expect_more(&self, count: usize) -> usize {
        let mut placed = self.placed.lock().expect("no delivery panics");
        let first = placed.len();
        placed.resize(first + count, None);
        first
    }

    fn placed(&self) -> Vec<Placed> {
        let placed = self.placed.lock().expect("no delivery panics");
        placed.iter().map(|place| place.expect("every record was acknowledged")).collect()
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        // A record that failed stays `None`, and `placed` says so.
        if let Ok(message) = result {
            let place = Placed { partition: message.partition(), offset: message.offset() };
            self.placed.lock().expect("no delivery panics")[index] = Some(place);
        }
    }
}
