//! What librdkafka says: its log lines and errors, as ours.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// One client's state of contact.
#[derive(Default)]
pub(super) struct Context {
    is_away: AtomicBool,
    /// The last error that only a change of settings cures.
    refused: Mutex<Option<String>>,
}

impl Context {
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
