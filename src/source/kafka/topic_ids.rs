//! Kafka's ids of topics, which tell a topic from a later one of the same name (KIP-516).
//!
//! Why `unsafe`: librdkafka answers `DescribeTopics`, and the crate has no call for it. What holds:
//! - *the client outlives the call*: it is borrowed for it, and the queue of the answer is dropped within;
//! - *what is read of an answer is read while the answer lives*: texts are copied before the event is destroyed.
#![expect(unsafe_code, reason = "see the module's documentation")]

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::queue::OwnedQueue;

/// Kafka's spelling of no id, which brokers before 2.8 give.
const NONE: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// What is known of a topic's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TopicId {
    /// Its id, as Kafka's tools spell it.
    Is(String),
    /// The brokers are older than ids.
    Unknown,
    /// The broker says why it describes none: there is no such topic, say, or it may not be described.
    Not(RDKafkaErrorCode),
}

/// Asks for the ids of topics, in their order.
///
/// # Errors
/// Where no broker answered in time, or refused.
pub(super) fn describe<C: rdkafka::ClientContext>(
    client: &rdkafka::client::Client<C>,
    topics: &[String],
    within: Duration,
) -> Result<Vec<TopicId>, KafkaError> {
    let names: Vec<CString> = topics.iter().map(|topic| CString::new(topic.as_str())).collect::<Result<_, _>>()?;
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let millis = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    let failed = |code: RDKafkaErrorCode| KafkaError::AdminOp(code);
    // SAFETY: the client is borrowed and outlives the queue; names outlive the collection, which librdkafka
    // copies; what librdkafka made is destroyed once, after its last use.
    let event = unsafe {
        let client = client.native_ptr();
        let queue = OwnedQueue::of(client).ok_or_else(|| failed(RDKafkaErrorCode::Fail))?;
        let options =
            sys::rd_kafka_AdminOptions_new(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        let mut text = [0 as c_char; 256];
        sys::rd_kafka_AdminOptions_set_request_timeout(options, millis, text.as_mut_ptr(), text.len());
        let collection = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        sys::rd_kafka_DescribeTopics(client, collection, options, queue.as_ptr());
        // The request has a time-out of its own; the margin is for its answer to come through.
        let event = sys::rd_kafka_queue_poll(queue.as_ptr(), millis.saturating_add(1_000));
        sys::rd_kafka_TopicCollection_destroy(collection);
        sys::rd_kafka_AdminOptions_destroy(options);
        NonNull::new(event).map(Answer).ok_or_else(|| failed(RDKafkaErrorCode::OperationTimedOut))?
    };
    event.ids(topics)
}

/// An answer that is destroyed when dropped.
struct Answer(NonNull<sys::rd_kafka_event_t>);

impl Answer {
    fn ids(&self, topics: &[String]) -> Result<Vec<TopicId>, KafkaError> {
        // SAFETY: the event lives as long as `self`, and all that it holds with it; the array has `count` entries.
        unsafe {
            let error = sys::rd_kafka_event_error(self.0.as_ptr());
            if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(KafkaError::AdminOp(error.into()));
            }
            let result = sys::rd_kafka_event_DescribeTopics_result(self.0.as_ptr());
            if result.is_null() {
                return Err(KafkaError::AdminOp(RDKafkaErrorCode::Fail));
            }
            let mut count = 0;
            let described = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            let mut ids = vec![TopicId::Not(RDKafkaErrorCode::UnknownTopicOrPartition); topics.len()];
            for at in 0..count {
                let topic = *described.add(at);
                let name = CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic)).to_string_lossy();
                let Some(place) = topics.iter().position(|topic| *topic == name) else { continue };
                let error = sys::rd_kafka_TopicDescription_error(topic);
                if !error.is_null() && sys::rd_kafka_error_code(error) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    ids[place] = TopicId::Not(sys::rd_kafka_error_code(error).into());
                    continue;
                }
                let id = sys::rd_kafka_Uuid_base64str(sys::rd_kafka_TopicDescription_topic_id(topic));
                let id = CStr::from_ptr(id).to_string_lossy();
                ids[place] = if id == NONE { TopicId::Unknown } else { TopicId::Is(id.into_owned()) };
            }
            Ok(ids)
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: owned here alone, and not used after.
        unsafe { sys::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}
