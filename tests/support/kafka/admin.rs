//! Topics: made, changed, cut and removed.

use std::future::Future;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::{CLUSTER_PATIENCE, Kafka, PATIENCE};
use crate::support::wait;

impl Kafka {
    /// Makes a topic, and returns once it can be written to.
    pub fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    /// Makes a topic with settings of its own, such as `("cleanup.policy", "compact")` or `("retention.ms",
    /// "1000")`, and returns once it can be written to.
    ///
    /// # Panics
    /// When it is there already, or a setting is unknown.
    pub fn create_topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let topic = settings
            .iter()
            .fold(NewTopic::new(name, partitions, TopicReplication::Fixed(self.replicas)), |topic, (key, value)| {
                topic.set(key, value)
            });
        each_succeeded(self.administer(|admin, options| admin.create_topics([&topic], options)));
        self.await_partitions(name, partitions);
    }

    /// Makes a topic of one partition with a copy on each of these nodes, the first of them its leader.
    pub fn create_topic_on(&self, name: &str, nodes: &[i32], settings: &[(&str, &str)]) {
        let placed = [nodes];
        let topic =
            settings.iter().fold(NewTopic::new(name, 1, TopicReplication::Variable(&placed)), |topic, (key, value)| {
                topic.set(key, value)
            });
        each_succeeded(self.administer(|admin, options| admin.create_topics([&topic], options)));
        self.await_partitions(name, 1);
    }

    /// Changes a topic's settings: those not named go back to what they are of themselves.
    pub fn alter_topic(&self, name: &str, settings: &[(&str, &str)]) {
        let altered = settings
            .iter()
            .fold(AlterConfig::new(ResourceSpecifier::Topic(name)), |all, (key, value)| all.set(key, value));
        for result in self.administer(|admin, options| admin.alter_configs([&altered], options)) {
            result.unwrap_or_else(|(_, error)| panic!("topic {name} could not be changed: {error}"));
        }
    }

    /// The node that leads a partition, once there is one.
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        wait::until(format_args!("a leader of {topic}/{partition}"), CLUSTER_PATIENCE, || {
            self.partition_now(topic, partition, |partition| partition.leader()).filter(|leader| *leader >= 0)
        })
    }

    /// Returns once this node leads a partition.
    pub fn until_led_by(&self, node: i32, topic: &str, partition: i32) {
        wait::until(format_args!("node {node} to lead {topic}/{partition}"), CLUSTER_PATIENCE, || {
            let leader = self.partition_now(topic, partition, |partition| partition.leader());
            (leader == Some(node)).then_some(())
        });
    }

    /// Returns once so many nodes have all of a partition.
    pub fn until_in_sync(&self, nodes: usize, topic: &str, partition: i32) {
        wait::until(format_args!("{nodes} nodes to have all of {topic}/{partition}"), CLUSTER_PATIENCE, || {
            let in_sync = self.partition_now(topic, partition, |partition| partition.isr().len());
            (in_sync == Some(nodes)).then_some(())
        });
    }

    fn partition_now<T>(
        &self,
        topic: &str,
        partition: i32,
        what: impl Fn(&rdkafka::metadata::MetadataPartition) -> T,
    ) -> Option<T> {
        let metadata = self.consumer().fetch_metadata(Some(topic), Duration::from_secs(5)).ok()?;
        let topic = metadata.topics().first()?;
        topic.partitions().iter().find(|described| described.id() == partition).map(what)
    }

    /// Removes a topic, and returns once no client sees it any more.
    ///
    /// # Panics
    /// When it is not there.
    pub fn delete_topic(&self, name: &str) {
        each_succeeded(self.administer(|admin, options| admin.delete_topics(&[name], options)));
        wait::until(format_args!("topic {name} to go"), PATIENCE, || {
            self.partition_count(name).is_none().then_some(())
        });
    }

    /// Gives a topic more partitions: `total` in all.
    pub fn add_partitions(&self, name: &str, total: i32) {
        let wanted = NewPartitions::new(name, usize::try_from(total).expect("a count"));
        each_succeeded(self.administer(|admin, options| admin.create_partitions([&wanted], options)));
        self.await_partitions(name, total);
    }

    /// Deletes a partition's records before `offset`, as retention would.
    pub fn delete_records_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut cut = TopicPartitionList::new();
        cut.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("a valid offset");
        let result = self.administer(|admin, options| admin.delete_records(&cut, options));
        for element in result.elements() {
            element.error().unwrap_or_else(|error| panic!("{topic}/{partition} could not be cut at {offset}: {error}"));
        }
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: &str) -> usize {
        self.partition_count(topic).expect("the topic is there")
    }

    /// The offset of the first record still held, and the offset after the last one.
    pub fn watermarks(&self, topic: &str, partition: i32) -> (i64, i64) {
        self.consumer().fetch_watermarks(topic, partition, PATIENCE).expect("the partition is there")
    }

    /// The cluster's id, which tells one Kafka from another.
    pub fn cluster_id(&self) -> String {
        self.consumer().client().fetch_cluster_id(PATIENCE).expect("the broker answers")
    }

    pub(super) fn consumer(&self) -> BaseConsumer {
        self.client().create().expect("a consumer")
    }

    /// How many partitions the topic has, each with a leader; none where it does not exist.
    fn partition_count(&self, topic: &str) -> Option<usize> {
        // A new client each time: one that lives has a cache.
        let metadata = self.consumer().fetch_metadata(Some(topic), PATIENCE).ok()?;
        let topic = metadata.topics().first().filter(|topic| topic.error().is_none())?;
        let all_led = topic.partitions().iter().all(|partition| partition.leader() >= 0);
        (all_led && !topic.partitions().is_empty()).then(|| topic.partitions().len())
    }

    fn await_partitions(&self, topic: &str, partitions: i32) {
        let wanted = usize::try_from(partitions).ok();
        wait::until(format_args!("{partitions} partitions of {topic}"), PATIENCE, || {
            (self.partition_count(topic) == wanted).then_some(())
        });
    }

    fn administer<F, T>(&self, act: impl FnOnce(&AdminClient<DefaultClientContext>, &AdminOptions) -> F) -> T
    where
        F: Future<Output = KafkaResult<T>>,
    {
        let admin: AdminClient<DefaultClientContext> = self.client().create().expect("an admin client");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(act(&admin, &options)).expect("the broker answers")
    }
}

fn each_succeeded(results: Vec<TopicResult>) {
    for result in results {
        result.unwrap_or_else(|(topic, error)| panic!("topic {topic}: {error}"));
    }
}
