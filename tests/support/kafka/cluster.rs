//! Three brokers, each with a controller: a partition has a copy on each of them.

use std::ops::Deref;

use super::{CLUSTER_PATIENCE, JAVA_OPTIONS, Kafka, Place, uuid_in_kafkas_spelling};
use crate::support::port;

/// Three brokers on a busy machine are slow to say that they live.
const SETTINGS: &[&str] = &[
    "min.insync.replicas=2",
    "broker.session.timeout.ms=9000",
    "broker.heartbeat.interval.ms=1000",
    "controller.quorum.election.timeout.ms=3000",
    "controller.quorum.fetch.timeout.ms=6000",
];

/// A cluster of three brokers, nodes 1 to 3. Any two of them keep it going.
pub struct KafkaCluster {
    nodes: Vec<Kafka>,
}

impl KafkaCluster {
    /// Starts three brokers, and returns once each knows of all. Topics have three copies, of which two must
    /// acknowledge a record.
    ///
    /// # Panics
    /// When they do not start.
    pub fn start() -> KafkaCluster {
        // Between finding a port free and listening on it another process may take it: then try again.
        for _ in 0..3 {
            let mut nodes: Vec<Kafka> = (0..3).map(|_| Kafka::not_started(JAVA_OPTIONS)).collect();
            let listeners = [port::free(), port::free(), port::free()];
            let quorum = [port::free(), port::free(), port::free()];
            let bootstrap = listeners.map(|port| format!("127.0.0.1:{port}")).join(",");
            let cluster = uuid_in_kafkas_spelling();
            for (at, kafka) in nodes.iter_mut().enumerate() {
                let place = Place { node: at + 1, listener: listeners[at], controller: quorum[at], quorum: &quorum };
                kafka.configure(&place, SETTINGS);
                kafka.bootstrap.clone_from(&bootstrap);
                kafka.replicas = 3;
                kafka.format(&cluster);
            }
            nodes.iter_mut().for_each(Kafka::spawn);
            if nodes.iter_mut().all(|kafka| kafka.answers(3, CLUSTER_PATIENCE)) {
                return KafkaCluster { nodes };
            }
        }
        panic!("three brokers did not start");
    }

    /// Starts a node again; it may need others to answer.
    pub fn start_again(&mut self, number: i32) {
        self.node(number).spawn();
    }

    /// A node, by its number.
    pub fn node(&mut self, number: i32) -> &mut Kafka {
        &mut self.nodes[usize::try_from(number).expect("a node") - 1]
    }
}

/// What a client does with any of them, it does with all.
impl Deref for KafkaCluster {
    type Target = Kafka;

    fn deref(&self) -> &Kafka {
        &self.nodes[0]
    }
}
