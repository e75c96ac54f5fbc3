//! Records in batches, straight from librdkafka's queue: with [`topic_ids`](super::topic_ids) and
//! [`leader_hints`](super::leader_hints) the only module with `unsafe`.
//!
//! Why: the crate's own consumer hands records over one event at a time. Draining two million records
//! in batches took 0.2 s less of 1.5 s. And only queues of our own let errors go their way
//! (`BaseConsumer::poll`) while records go theirs, and tell what was logged before a record was fetched.
//!
//! What holds:
//! - *the client outlives the queue*: [`BatchQueue`] owns the consumer, and drops its queue first;
//! - *a message is read while it lives*: slices of a message exist only inside the closure that it is
//!   passed to, and the message is destroyed after the closure returned;
//! - *one thread*: a `BatchQueue` is neither `Send` nor `Sync`; the waker that librdkafka's threads call
//!   is both, and is freed only after the queue has let go of it.
#![expect(unsafe_code, reason = "see the module's documentation")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::NonNull;

use rdkafka::bindings as sys;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::context::Context;
use crate::source::Waker;

/// A queue that the partitions of one consumer are forwarded to.
pub(super) struct BatchQueue {
    /// Before the consumer, so that they are dropped first.
    queue: OwnedQueue,
    logs: OwnedQueue,
    batch: Vec<*mut sys::rd_kafka_message_t>,
    /// Called by librdkafka's threads while `queue` lives; dropped after it.
    _waker: Box<Waker>,
    consumer: BaseConsumer<Context>,
}

/// What a queue hands over.
pub(super) enum Delivered<'a> {
    /// A record.
    Message {
        topic: &'a CStr,
        partition: i32,
        offset: i64,
        /// Milliseconds since 1970, -1 without.
        timestamp: i64,
        /// The epoch of the leader that took it, -1 where the broker does not say.
        leader_epoch: i32,
        key: Option<&'a [u8]>,
        payload: Option<&'a [u8]>,
    },
    /// An error or event of a partition, `PartitionEOF` among them.
    Event { topic: &'a CStr, partition: i32, offset: i64, code: RDKafkaErrorCode, message: String },
}

/// A queue that is ours to destroy. Its client outlives it.
pub(super) struct OwnedQueue(NonNull<sys::rd_kafka_queue_t>);

impl OwnedQueue {
    /// A queue of the client's.
    ///
    /// # Safety
    /// `client` is valid, and stays so while the queue is.
    pub(super) unsafe fn of(client: *mut sys::rd_kafka_t) -> Option<Self> {
        // SAFETY: the caller's.
        NonNull::new(unsafe { sys::rd_kafka_queue_new(client) }).map(OwnedQueue)
    }

    /// For calls of librdkafka.
    pub(super) fn as_ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.0.as_ptr()
    }
}

impl Drop for OwnedQueue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from librdkafka, is owned here alone, and its client still lives.
        // Disabling the callback first means that no thread calls the waker after this.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.0.as_ptr(), None, std::ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.0.as_ptr());
        }
    }
}

unsafe extern "C" fn wake(_client: *mut sys::rd_kafka_t, waker: *mut c_void) {
    // SAFETY: `waker` is the box that `BatchQueue` keeps alive while its queue may call this; the
    // pointee is `Sync`. A waker only unparks a thread and does not unwind.
    let waker = unsafe { &*waker.cast::<Waker>() };
    waker();
}

impl BatchQueue {
    /// A queue of `capacity` records a batch. Nothing is forwarded to it yet.
    pub(super) fn new(consumer: BaseConsumer<Context>, capacity: usize, waker: Waker) -> Option<Self> {
        let waker = Box::new(waker);
        let client = consumer.client().native_ptr();
        // SAFETY: the client pointer is valid as long as `consumer`, which this struct keeps.
        let (queue, logs) = unsafe { (OwnedQueue::of(client)?, OwnedQueue::of(client)?) };
        // SAFETY: both are valid; librdkafka counts its own reference to the queue.
        unsafe { sys::rd_kafka_set_log_queue(client, logs.as_ptr()) };
        // SAFETY: the box's pointee does not move and outlives the queue (see `OwnedQueue::drop`).
        unsafe {
            let opaque: *const Waker = &*waker;
            sys::rd_kafka_queue_cb_event_enable(queue.0.as_ptr(), Some(wake), opaque.cast_mut().cast());
        }
        Some(BatchQueue { queue, logs, batch: Vec::with_capacity(capacity), _waker: waker, consumer })
    }

    /// The consumer whose queue this is.
    pub(super) fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    /// Sends a partition's records here from now on.
    pub(super) fn forward(&self, topic: &CString, partition: i32) -> bool {
        // SAFETY: client and name are valid for the call; the partition's queue is a counted reference,
        // given back at once, and forwarding keeps a reference of its own.
        unsafe {
            let client = self.consumer.client().native_ptr();
            let Some(from) = NonNull::new(sys::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition)) else {
                return false;
            };
            sys::rd_kafka_queue_forward(from.as_ptr(), self.queue.0.as_ptr());
            sys::rd_kafka_queue_destroy(from.as_ptr());
        }
        true
    }

    /// The offset after the last record of a partition, as the last answer of its broker had it; records of open
    /// transactions count.
    pub(super) fn end_of(&self, topic: &CStr, partition: i32) -> Option<u64> {
        let (mut low, mut high) = (0, 0);
        // SAFETY: client and name are valid for the call, and so are the two places to write to.
        let error = unsafe {
            let client = self.consumer.client().native_ptr();
            sys::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high)
        };
        (error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| u64::try_from(high).ok()).flatten()
    }

    /// Passes librdkafka's log lines to the context.
    pub(super) fn serve_logs(&self) {
        // SAFETY: the queue is ours; an event is destroyed once, after its last use.
        while let Some(event) = NonNull::new(unsafe { sys::rd_kafka_queue_poll(self.logs.as_ptr(), 0) }) {
            let (mut facility, mut text, mut level) = (std::ptr::null(), std::ptr::null(), 0);
            // SAFETY: the event lives; where it is a line of log, its texts live as long.
            unsafe {
                let is_log = sys::rd_kafka_event_log(event.as_ptr(), &mut facility, &mut text, &mut level) == 0;
                if is_log && !facility.is_null() && !text.is_null() {
                    let (facility, text) = (CStr::from_ptr(facility), CStr::from_ptr(text));
                    self.consumer.context().note(level_of(level), &facility.to_string_lossy(), &text.to_string_lossy());
                }
                sys::rd_kafka_event_destroy(event.as_ptr());
            }
        }
    }

    /// Hands over at most `max` of what is there, without waiting. What was logged before the records were
    /// fetched is passed on before they are; where it says that a topic is another one, they are not handed
    /// over.
    pub(super) fn poll(&mut self, max: usize, mut each: impl FnMut(Delivered<'_>)) -> usize {
        let max = max.min(self.batch.capacity());
        // SAFETY: `batch` has room for `max` pointers; librdkafka writes the first `count` of them.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.queue.0.as_ptr(), 0, self.batch.as_mut_ptr(), max) };
        let count = usize::try_from(count).unwrap_or(0);
        self.serve_logs();
        let is_recreated = self.consumer.context().recreated().is_some();
        for at in 0..count {
            // SAFETY: `at` is below `count`, so the pointer was written and the message is ours.
            let message = Message(unsafe { *self.batch.as_ptr().add(at) });
            if !is_recreated {
                each(message.delivered());
            }
        }
        count
    }
}

fn level_of(syslog: i32) -> RDKafkaLogLevel {
    match syslog {
        0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

/// A message that is destroyed when dropped, also where the reader of it panics.
struct Message(*mut sys::rd_kafka_message_t);

impl Message {
    fn delivered(&self) -> Delivered<'_> {
        // SAFETY: the message lives as long as `self`; key and payload are valid for their lengths, or
        // null; a topic's name lives as long as the topic, which the message holds.
        unsafe {
            let message = &*self.0;
            let topic = CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt));
            if message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                let text = sys::rd_kafka_message_errstr(self.0);
                let text = if text.is_null() { c"no message" } else { CStr::from_ptr(text) };
                return Delivered::Event {
                    topic,
                    partition: message.partition,
                    offset: message.offset,
                    code: message.err.into(),
                    message: text.to_string_lossy().into_owned(),
                };
            }
            Delivered::Message {
                topic,
                partition: message.partition,
                offset: message.offset,
                timestamp: sys::rd_kafka_message_timestamp(self.0, std::ptr::null_mut()),
                leader_epoch: sys::rd_kafka_message_leader_epoch(self.0),
                key: bytes(message.key, message.key_len),
                payload: bytes(message.payload, message.len),
            }
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: owned here alone, and not used after.
        unsafe { sys::rd_kafka_message_destroy(self.0) }
    }
}

/// # Safety
/// `start` is null or valid for `length` bytes during `'a`.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), length) })
}
