//! The floor: what reading the topic costs when nothing is done with it.
//!
//! librdkafka as takings uses it: partitions assigned at numeric offsets, its tuning, whole batches from a queue.
#![expect(unsafe_code, reason = "whole batches are to be had from librdkafka's C interface alone")]

use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::child::{self, Used};

/// Messages a batch at most.
const BATCH: usize = 4096;

/// What to read.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The broker.
    #[arg(long)]
    pub bootstrap: String,
    /// The topics.
    #[arg(long, value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Partitions of each topic.
    #[arg(long)]
    pub partitions: i32,
    /// Consumers, each with a thread of its own and its share of the partitions.
    #[arg(long)]
    pub consumers: i32,
}

impl Options {
    /// Reads it in a process of its own, from that one's start to its end.
    pub fn measure(&self, log: &std::path::Path) -> Result<Used> {
        let mut command = child::this_program()?;
        command.args(["floor", "--bootstrap", &self.bootstrap, "--topics", &self.topics.join(",")]);
        command.args(["--partitions", &self.partitions.to_string(), "--consumers", &self.consumers.to_string()]);
        child::run(&mut command, log).context("the floor failed")
    }

    /// Reads it here.
    pub fn run(&self) -> Result<()> {
        let readers: Vec<_> = (0..self.consumers)
            .map(|index| {
                let numbers = (0..self.partitions).filter(|number| number % self.consumers == index);
                let of_topic = |number| self.topics.iter().map(move |topic| (topic.clone(), number));
                let partitions = numbers.flat_map(of_topic).collect();
                let bootstrap = self.bootstrap.clone();
                std::thread::spawn(move || read(&bootstrap, partitions))
            })
            .collect();
        let mut count = 0;
        for reader in readers {
            count += reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
        }
        println!("{count} messages");
        // The client's own farewell to the broker is no part of reading.
        std::process::exit(0)
    }
}

/// Reads some partitions to the end that they have now, and returns how many messages they held.
fn read(bootstrap: &str, partitions: Vec<(String, i32)>) -> Result<u64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "floor")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.queue.backoff.ms", "1")
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.message.max.bytes", "4194304")
        .set("socket.nagle.disable", "true")
        .create()?;
    let mut list = TopicPartitionList::new();
    let mut left = 0;
    // SAFETY: the client lives until the end of this function, and the queue is destroyed before.
    let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
    for (topic, number) in partitions {
        let (first, end) = consumer.fetch_watermarks(&topic, number, Duration::from_secs(10))?;
        list.add_partition_offset(&topic, number, Offset::Offset(first))?;
        let name = CString::new(topic.as_str())?;
        left += end - first;
        // SAFETY: client and name are valid for the call, and the partition's queue is given back.
        unsafe {
            let from = sys::rd_kafka_queue_get_partition(consumer.client().native_ptr(), name.as_ptr(), number);
            ensure!(!from.is_null(), "librdkafka gave no queue for {topic}/{number}");
            sys::rd_kafka_queue_forward(from, queue);
            sys::rd_kafka_queue_destroy(from);
        }
    }
    consumer.assign(&list)?;

    let mut batch = vec![ptr::null_mut(); BATCH];
    let mut count = 0;
    while left > 0 {
        // SAFETY: `batch` has room for `BATCH` pointers, and the queue lives.
        let got = unsafe { sys::rd_kafka_consume_batch_queue(queue, 100, batch.as_mut_ptr(), BATCH) };
        for &message in &batch[..usize::try_from(got)?] {
            // SAFETY: librdkafka wrote these pointers, they are ours, and each is destroyed once.
            let error = unsafe {
                let error = (*message).err;
                sys::rd_kafka_message_destroy(message);
                error
            };
            if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                bail!("reading failed: {error:?}");
            }
            left -= 1;
            count += 1;
        }
    }
    // SAFETY: it is ours and not used after.
    unsafe { sys::rd_kafka_queue_destroy(queue) };
    Ok(count)
}
