//! What librdkafka says: its log lines and errors, as ours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// Kafka's id of each topic, as it was when its offsets were found right.
pub(super) type TopicIds = Arc<Mutex<BTreeMap<String, String>>>;

/// What librdkafka calls, in texts (`rd_kafka_err2str`), a connection that broke and an answer that did not come.
const GONE: [&str; 2] = ["Local: Broker transport failure", "Local: Timed out"];

/// A topic that is not the one whose offsets are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recreated {
    pub(super) topic: String,
    pub(super) was: String,
    pub(super) is: String,
}

/// One client's state of contact.
#[derive(Default)]
pub(super) struct Context {
    topic_ids: TopicIds,
    is_away: AtomicBool,
    /// The last error that only a change of settings cures.
    refused: Mutex<Option<String>>,
    has_other_topic: AtomicBool,
    recreated: Mutex<Option<Recreated>>,
}

impl Context {
    /// Of a client that reads topics of these ids alone.
    pub(super) fn knowing(topic_ids: &TopicIds) -> Self {
        Context { topic_ids: Arc::clone(topic_ids), ..Context::default() }
    }

    /// A topic that turned out to be another one of its name, where there is one.
    pub(super) fn recreated(&self) -> Option<Recreated> {
        if self.has_other_topic.load(Ordering::Acquire) { self.recreated.lock().clone() } else { None }
    }

    /// A line of log. librdkafka goes on in silence, at the offset where it was, when a topic is deleted and
    /// created anew; all it does is to say so here (`METADATA`, at level debug), before it asks for any record
    /// of the new topic.
    pub(super) fn note(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if let Some((topic, is)) = changed_id(facility, message)
            && let Some(was) = self.topic_ids.lock().get(topic).filter(|was| *was != is)
        {
            let (topic, was, is) = (topic.to_owned(), was.clone(), is.to_owned());
            self.recreated.lock().get_or_insert(Recreated { topic, was, is });
            self.has_other_topic.store(true, Ordering::Release);
        }
        self.log(level, facility, message);
    }

    /// Notes that the broker answered.
    pub(super) fn contact(&self) {
        if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("Kafka answers again; reading goes on");
        }
    }

    /// Why the broker refused this client, where it did.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().clone()
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(target: "librdkafka", "{facility}: {message}");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", "{facility}: {message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", "{facility}: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "no contact with Kafka ({reason}); nothing is lost, reading goes on when it answers"
                    );
                }
            }
            // A broker that went away in the middle of it; that too is told as authentication that failed.
            Some(RDKafkaErrorCode::Authentication) if GONE.iter().any(|gone| reason.contains(gone)) => {
                tracing::debug!(target: "librdkafka", "{error}: {reason}");
            }
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::SSL,
            ) => *self.refused.lock() = Some(reason.to_owned()),
            _ => tracing::debug!(target: "librdkafka", "{error}: {reason}"),
        }
    }
}

impl ConsumerContext for Context {}

/// The topic and its new id, in `[thrd:main]: Topic NAME changed id from OLD to NEW`.
fn changed_id<'a>(facility: &str, message: &'a str) -> Option<(&'a str, &'a str)> {
    if facility != "METADATA" {
        return None;
    }
    let (_, rest) = message.split_once("Topic ")?;
    let (topic, ids) = rest.split_once(" changed id from ")?;
    let (_, is) = ids.split_once(" to ")?;
    Some((topic, is.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_topic_of_the_same_name_is_noticed_in_the_log() {
        let ids = TopicIds::default();
        ids.lock().insert("product_sold".to_owned(), "Zb4s0CjQQ_Wf5T7gqqXm2A".to_owned());
        let context = Context::knowing(&ids);
        let line = |is: &str| format!("[thrd:main]: Topic product_sold changed id from AAAAAAAAAAAAAAAAAAAAAA to {is}");
        context.note(RDKafkaLogLevel::Debug, "METADATA", &line("Zb4s0CjQQ_Wf5T7gqqXm2A"));
        context.note(RDKafkaLogLevel::Debug, "METADATA", "[thrd:main]: Topic other changed id from A to B");
        assert_eq!(context.recreated(), None);
        context.note(RDKafkaLogLevel::Debug, "METADATA", &line("qSNsW2kZQMSEwqDzDq1ZJg"));
        let found = context.recreated().expect("noticed");
        assert_eq!((found.topic.as_str(), found.is.as_str()), ("product_sold", "qSNsW2kZQMSEwqDzDq1ZJg"));
    }

    #[test]
    fn a_broker_that_goes_away_while_it_greets_has_refused_nobody() {
        let context = Context::default();
        let say = |code, reason: &str| context.error(KafkaError::Global(code), reason);
        for gone in GONE {
            let reason = format!(
                "sasl_plaintext://kafka:9092/bootstrap: SASL PLAIN mechanism handshake failed: {gone}: broker's supported \
                 mechanisms:  (after 5ms in state AUTH_HANDSHAKE)"
            );
            say(RDKafkaErrorCode::Authentication, &reason);
            assert_eq!(context.refused(), None);
        }
        let reason = "sasl_plaintext://kafka:9092/bootstrap: SASL authentication error: Invalid username or password";
        say(RDKafkaErrorCode::Authentication, reason);
        assert_eq!(context.refused().as_deref(), Some(reason));
    }
}
