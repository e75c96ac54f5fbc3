//! `takings check`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use takings_dataflows::event::Event;
use takings_dataflows::order::{Content, IdSpace, Version};

use super::Exit;
use crate::config::{JobArgs, JobConfig};
use crate::formats::{Decode, Decoded, Decoder};
use crate::job;
use crate::source::{Log, Polled, StartAt};
use crate::store::{Recovered, StoreError, StoreUrl};

/// How many of the newest records of each partition are decoded.
const SAMPLE: u64 = 200;

/// How many of each topic's newest records are shown.
const SHOWN: usize = 3;

/// How long a broker may take to hand the sample over.
const PATIENCE: Duration = Duration::from_secs(15);

/// Rehearse everything a run needs, and change nothing
#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// Goes through everything that a run would do before its first order, and says what it finds.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let config = args.job.resolve()?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "settings   ok: {} topics, {} views, days cut in {}",
        config.topics.len(),
        config.views.len(),
        config.time_zone
    )?;

    let log = job::open_log(&config).with_context(|| format!("source     {}", config.source))?;
    let ranges = log.partitions(&config.topics).context("source")?;
    let records: u64 = ranges.iter().map(|range| range.end - range.first).sum();
    writeln!(out, "source     ok: {} partitions, offsets for {records} at most", ranges.len())?;

    let settings = job::settings(&config, log.as_ref());
    let recovered = match crate::store::open(&StoreUrl::parse(&config.store)?)?.look() {
        Ok((stored, recovered)) => {
            stored.allow(&settings)?;
            writeln!(out, "store      ok: epoch {}, {} rows", recovered.epoch, recovered.rows.len())?;
            Some(recovered)
        }
        Err(StoreError::Empty { store }) => {
            writeln!(out, "store      ok: {store} is new")?;
            Some(Recovered::default())
        }
        Err(StoreError::OlderSchema { found, known }) => {
            writeln!(out, "store      ok: schema version {found}, which the next start brings to version {known}")?;
            None
        }
        Err(error) => return Err(error.into()),
    };

    match recovered {
        Some(recovered) => {
            let rehearsal = job::rehearse(&config, log.as_ref(), &recovered)?;
            writeln!(
                out,
                "start      ok: totals add up; {} offsets to read again for corrections, {} to read for the first time",
                rehearsal.to_replay, rehearsal.to_read
            )?;
        }
        None => writeln!(out, "start      not tried: nothing is changed here, and only the new schema can be read")?,
    }

    let Sample { read, newest, rejected, silent } = sample(&config, log.as_ref())?;
    let bad: u64 = rejected.values().map(|(count, _)| count).sum();
    let found = if bad == 0 && silent == 0 { "ok" } else { "look" };
    writeln!(out, "records    {found}: {} of the newest {read} can be read", read - bad)?;
    if silent > 0 {
        writeln!(
            out,
            "             {silent} partitions hold records and handed over less than asked for within {} s: the broker is slow, \
             or a transaction stands open; try again",
            PATIENCE.as_secs()
        )?;
    }
    for (topic, events) in config.topic_formats.iter().zip(&newest) {
        writeln!(out, "             {} is read as {}", topic.topic, topic.format)?;
        for event in events.values().rev() {
            writeln!(out, "               {}", in_words(event, &topic.id_space()))?;
        }
    }
    for (reason, (count, place)) in &rejected {
        writeln!(out, "             {count} × {reason} (such as {place})")?;
    }
    Ok(if read > 0 && bad as f64 > config.max_rejected_share * read as f64 { Exit::Difference } else { Exit::Done })
}

/// What the newest records say.
#[derive(Default)]
struct Sample {
    read: u64,
    /// By topic, the newest that can be read.
    newest: Vec<BTreeMap<Version, Event>>,
    /// By reason, how many were rejected, and where one of them stands.
    rejected: BTreeMap<String, (u64, String)>,
    /// Partitions that hold something, and had not handed it over when patience ran out.
    silent: usize,
}

/// Decodes the newest records.
fn sample(config: &JobConfig, log: &dyn Log) -> anyhow::Result<Sample> {
    let mut left: BTreeMap<_, u64> = BTreeMap::new();
    let mut from = Vec::new();
    for range in log.partitions(&config.topics)? {
        let offset = log.newest(&config.topics, range, SAMPLE)?;
        if offset < range.end {
            left.insert(range.partition, range.end);
            from.push(StartAt::on(range.partition, offset));
        }
    }
    let mut decoder = Decoder::new(config.decoder());
    let newest = config.topics.iter().map(|_| BTreeMap::new()).collect();
    let mut sample = Sample { newest, ..Sample::default() };
    if from.is_empty() {
        return Ok(sample);
    }
    let thread = std::thread::current();
    let mut source = log.open(&config.topics, &from, Arc::new(move || thread.unpark()))?;
    let until = Instant::now() + PATIENCE;
    while !left.is_empty() && Instant::now() < until && sample.read < SAMPLE * from.len() as u64 {
        let handed = source.poll(256, &mut |polled| match polled {
            Polled::Record(record) => {
                sample.read += 1;
                let topic = usize::from(record.partition.topic);
                match decoder.decode(&record) {
                    Decoded::Event { event, .. } => {
                        let newest = &mut sample.newest[topic];
                        newest.insert(event.version(), event);
                        if newest.len() > SHOWN {
                            newest.pop_first();
                        }
                    }
                    Decoded::Rejected(reason) => {
                        let (topic, partition) = (&config.topics[topic], record.partition.partition);
                        let place = format!("{topic}/{partition} at offset {}", record.offset);
                        sample.rejected.entry(reason.to_string()).or_insert((0, place)).0 += 1;
                    }
                }
                if left.get(&record.partition).is_some_and(|&end| record.next_offset >= end) {
                    left.remove(&record.partition);
                }
            }
            Polled::End { partition, .. } => _ = left.remove(&partition),
        })?;
        if handed == 0 {
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }
    if Instant::now() >= until {
        sample.silent = left.len();
    }
    Ok(sample)
}

/// What a record says, field by field: whether a mapping reads what was meant is seen by looking.
fn in_words(event: &Event, space: &IdSpace) -> String {
    match event {
        Event::Order(order) => {
            let id = space.text(order.id, &order.id_text);
            let Content::Order { contribution, .. } = order.content else { return format!("order {id}: cancelled") };
            let (fact, product) = (contribution.fact, contribution.product);
            let category = fact.category.map_or("of its listing", |category| category.text());
            format!(
                "order {id}: product {product}, amount {} {}, units {}, day {}, category {category}, paid by {}",
                contribution.amount, fact.currency, contribution.units, fact.day, fact.payment_method
            )
        }
        Event::Listing(listing) => {
            let product = listing.product;
            let Some(content) = listing.content else { return format!("listing of {product}: withdrawn") };
            let said = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
            format!(
                "listing of {product}: name {}, category {}, price {}",
                said(content.name.map(|name| name.to_string())),
                said(content.category.map(|category| category.to_string())),
                said(content.price.map(|price| price.to_string()))
            )
        }
        Event::Rating(rating) => {
            let id = space.text(rating.id, &rating.id_text);
            match rating.content {
                None => format!("feedback {id}: withdrawn"),
                Some(content) => format!("feedback {id}: product {}, rating {}", content.product, content.stars),
            }
        }
    }
}
