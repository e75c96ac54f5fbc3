//! Hints about new leaders, which come with answers of brokers (KIP-951) and are ignored.
//!
//! Why: librdkafka (2.6.1 and 2.12.1 for sure) counts the partitions of a hint before it leaves out those that have no
//! leader just now, and reads memory that was never written for the rest
//! (<https://github.com/confluentinc/librdkafka/issues/5280>). While a broker restarts, whole programs end of that, and
//! what a wrong number makes it write to may be anybody's. An hour of the fault suite ended by a signal right after
//! `METADATAUPDATE … Partition product_sold[196]: not found in cache`, of a topic with a few.
//!
//! Nothing is lost by it: the same answer says that its broker leads the partition no more, upon which librdkafka asks
//! for the topic's leaders, as it does where brokers are older than hints. The hint would save that question.
//!
//! How: `build.rs` has the linker take [`ignored`] wherever librdkafka calls the function that applies a hint
//! (`--wrap`, which linkers of ELF know). Elsewhere hints are applied. Once librdkafka is mended this goes.
#![expect(unsafe_code, reason = "see the module's documentation")]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

/// `RD_KAFKA_OP_RES_HANDLED`: librdkafka frees the hint, and goes on.
const HANDLED: c_int = 1;

static IGNORED: AtomicU64 = AtomicU64::new(0);

/// In place of `rd_kafka_metadata_update_op(rk, mdi)`: reads neither.
///
/// What holds: the type is the C function's, and it may be called by any of librdkafka's threads.
// SAFETY: no other symbol has this name, which only a linker that was told to wrap gives a meaning.
#[unsafe(export_name = "__wrap_rd_kafka_metadata_update_op")]
extern "C" fn ignored(_client: *mut c_void, _hint: *mut c_void) -> c_int {
    IGNORED.fetch_add(1, Ordering::Relaxed);
    HANDLED
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::{Duration, Instant};

    use rdkafka::config::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use rdkafka::{Message, Offset, TopicPartitionList};

    use super::*;

    /// Brokers of librdkafka's own making, since real ones send hints when they like.
    #[test]
    fn hints_are_ignored_and_new_leaders_found_all_the_same() {
        const TOPIC: &str = "hinted";
        let cluster = MockCluster::new(2).expect("a cluster");
        cluster.create_topic(TOPIC, 2, 2).expect("a topic");
        let lead = |broker| {
            (0..2).for_each(|partition| cluster.partition_leader(TOPIC, partition, Some(broker)).expect("a leader"));
        };
        lead(1);
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers()).set("group.id", "takings");
        let producer: BaseProducer = config.create().expect("a producer");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut partitions = TopicPartitionList::new();
        for partition in 0..2 {
            partitions.add_partition_offset(TOPIC, partition, Offset::Beginning).expect("a partition");
        }
        consumer.assign(&partitions).expect("assigned");
        let begun = Instant::now();
        let read = |text: &str| {
            for partition in 0..2 {
                let record = BaseRecord::<str, str>::to(TOPIC).partition(partition).payload(text);
                producer.send(record).expect("queued");
            }
            producer.flush(Duration::from_secs(30)).expect("sent");
            let mut found = 0;
            while found < 2 {
                assert!(begun.elapsed() < Duration::from_secs(60), "{text}: {found} of 2 records came");
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                    found += usize::from(message.payload() == Some(text.as_bytes()));
                }
            }
        };
        read("before");
        let ignored = IGNORED.load(Ordering::Relaxed);
        lead(2);
        read("after");
        assert!(IGNORED.load(Ordering::Relaxed) > ignored, "the linker was not told to wrap, or no broker hinted");
    }
}
