//! Runs the real dataflow on given epochs, and recomputes the truth the plainest way.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier, Mutex};

use takings_dataflows::amount::Amount;
use takings_dataflows::changes::{Change, EpochChanges, Output, Progress};
use takings_dataflows::event::Event;
use takings_dataflows::graph::{self, Committed, Settings, Watermark};
use takings_dataflows::listing::Listing;
use takings_dataflows::minute::Minute;
use takings_dataflows::order::{Content, Contribution, OrderId, PartitionId, Version};
use takings_dataflows::period::Period;
use takings_dataflows::rating::{Rating, Stars};
use takings_dataflows::row::{ProductTakings, Ranked, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

/// Every row of every view.
pub type Rows = BTreeMap<ViewKey, RowValue>;

/// The epochs of a run, each the records it brings.
pub type Epochs = Vec<Vec<Event>>;

/// Steps in which what a worker sends is with the others.
const STEPS: usize = 5;

/// The topics by rank: orders, listings, feedback.
pub const ORDERS: u8 = 0;

/// What a run starts from.
#[derive(Clone, Default)]
pub struct Base {
    pub rows: Rows,
    /// Records already counted in `rows`: orders that are replayed, listings and feedback as they are kept (or
    /// replayed, where their views are to be filled).
    pub replay: Vec<Event>,
    /// Every record that the run before read, for the newest timestamps.
    pub read: Vec<Event>,
}

/// Runs the dataflow with so many workers over the epochs, the first of them just after
/// `settings.recovered_epoch`, and returns what each changed.
pub fn run(workers: usize, settings: Settings, base: Base, epochs: Epochs) -> Vec<EpochChanges> {
    run_apart(workers, 0, settings, base, epochs)
}

/// The same with the first worker so many epochs before the others: what it sends of a later epoch is with them before
/// they have sent what they have of an earlier one. In a job it is one at most.
pub fn run_apart(workers: usize, lead: usize, settings: Settings, base: Base, epochs: Epochs) -> Vec<EpochChanges> {
    let log_time = base.replay.iter().map(|event| event.version().timestamp()).max().unwrap_or(0);
    let settings = Settings { log_time, ..settings };
    let handed_over: Arc<Mutex<Vec<EpochChanges>>> = Arc::default();
    let collected = Arc::clone(&handed_over);
    let committed = Committed::default();
    committed.set(settings.recovered_epoch);
    // Three workers talk as processes do: everything that they exchange is written to bytes and read again.
    let communication = match workers {
        3 => timely::CommunicationConfig::ProcessBinary(workers),
        _ => timely::CommunicationConfig::Process(workers),
    };
    let config = timely::Config { communication, worker: timely::WorkerConfig::default() };
    let is_sent = Arc::new(Barrier::new(workers));
    timely::execute(config, move |worker| {
        let handed_over = Arc::clone(&handed_over);
        let in_sink = committed.clone();
        let mut graph = graph::build(worker, &settings, &committed, move |changes| {
            in_sink.set(changes.epoch);
            handed_over.lock().unwrap().push(changes);
        });
        let (index, peers) = (worker.index(), worker.peers());
        let mine = |event: &Event| event.version().partition().partition as usize % peers == index;

        let mut epoch = settings.recovered_epoch;
        graph.inputs.advance_to(epoch);
        base.replay.iter().filter(|event| mine(event)).for_each(|event| graph.inputs.send(event.clone()));
        if index == 0 {
            base.rows.iter().for_each(|(key, value)| graph.inputs.base.send((*key, *value)));
            base.read.iter().for_each(|event| graph.inputs.watermarks.send(watermark(event)));
        }
        epoch += 1;
        graph.inputs.advance_to(epoch);
        for stage in 0..epochs.len() + lead {
            if index > 0 && lead > 0 {
                is_sent.wait();
                (0..STEPS).for_each(|_| _ = worker.step());
            }
            let records = if index == 0 { epochs.get(stage) } else { stage.checked_sub(lead).map(|own| &epochs[own]) };
            let is_mine_open = records.is_some();
            let mut progress = BTreeMap::<PartitionId, Progress>::new();
            for event in records.into_iter().flatten().filter(|event| mine(event)) {
                let version = event.version();
                if graph::takes(&settings.views, event) {
                    graph.inputs.send(event.clone());
                }
                graph.inputs.watermarks.send(watermark(event));
                let progress = progress.entry(version.partition()).or_default();
                progress.read += 1;
                progress.offset = progress.offset.max(version.offset() + 1);
                progress.newest_timestamp = progress.newest_timestamp.max(version.timestamp());
            }
            for (partition, progress) in progress {
                graph.inputs.reports.send(Output::Progress(partition, progress));
            }
            epoch += u64::from(is_mine_open);
            graph.inputs.advance_to(epoch);
            if index == 0 && lead > 0 {
                (0..STEPS).for_each(|_| _ = worker.step());
                is_sent.wait();
            }
            let complete = settings.recovered_epoch + 2 + stage as u64 - lead.min(stage + 1) as u64;
            worker.step_or_park_while(None, || graph.probe.less_than(&complete));
        }
    })
    .expect("workers start")
    .join()
    .into_iter()
    .for_each(|worker| worker.expect("no worker panics"));
    Arc::try_unwrap(collected).expect("workers are gone").into_inner().unwrap()
}

fn watermark(event: &Event) -> Watermark {
    let version = event.version();
    let partition = version.partition();
    Watermark { partition, timestamp: version.timestamp(), is_at_end: false, is_of_orders: partition.topic == ORDERS }
}

/// Applies an epoch's changes as a store would, checking that each change fits what is there.
pub fn apply(rows: &mut Rows, changes: &EpochChanges) {
    let mut changed = BTreeSet::new();
    let mut put = |key: ViewKey, old: Option<RowValue>, new: Option<RowValue>| {
        let epoch = changes.epoch;
        assert!(changed.insert(key), "{key}: twice in epoch {epoch}");
        assert_eq!(rows.get(&key).copied(), old, "{key}: what was there before epoch {epoch}");
        assert_ne!(old, new, "{key}: a row that did not change is not written");
        match new {
            Some(new) => {
                assert!(new.is_consistent(), "{key}: {new:?}");
                rows.insert(key, new)
            }
            None => rows.remove(&key),
        };
    };
    for (key, change) in &changes.totals {
        let (was, is) = settled(key, change);
        put(*key, was.map(RowValue::Takings), is.map(RowValue::Takings));
    }
    for (key, change) in &changes.ranked {
        let (was, is) = settled(key, change);
        if was != is {
            put(*key, was.map(RowValue::Ranked), is.map(RowValue::Ranked));
        }
    }
    for (key, change) in &changes.rated {
        let (was, is) = settled(key, change);
        put(*key, was.map(RowValue::Stars), is.map(RowValue::Stars));
    }
    for change in &changes.rows {
        put(change.key, change.old, change.new);
    }
}

fn settled<V: Copy + PartialEq + std::fmt::Debug>(key: &ViewKey, change: &Change<V>) -> (Option<V>, Option<V>) {
    change.was_and_is().unwrap_or_else(|pieces| panic!("{key}: {pieces:?}"))
}

/// The newest version of each order, listing and feedback, with the first minute of each order.
#[derive(Default)]
pub struct Newest {
    pub orders: BTreeMap<OrderId, (Version, Minute, Content)>,
    pub listings: BTreeMap<Symbol, (Version, Option<Listing>)>,
    pub ratings: BTreeMap<OrderId, (Version, Option<Rating>)>,
    pub time: i64,
}

/// The newest timestamp of each order (or listing, or feedback) in each partition.
#[derive(Default)]
struct Dates(BTreeMap<(String, PartitionId), i64>);

impl Dates {
    /// A record is never dated before an earlier one of the same order in the same partition.
    fn date(&mut self, key: String, version: Version) -> Version {
        let partition = version.partition();
        let date = self.0.entry((key, partition)).or_default();
        *date = version.timestamp().max(*date);
        Version::new(*date, partition.topic, partition.partition, version.offset())
    }
}

impl Newest {
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Event>) -> Newest {
        let mut newest = Newest::default();
        let mut dates = Dates::default();
        for event in records {
            newest.time = newest.time.max(event.version().timestamp());
            let key = match event {
                Event::Order(event) => format!("order {:?}", event.id),
                Event::Listing(event) => format!("product {}", event.product),
                Event::Rating(event) => format!("feedback {:?}", event.id),
            };
            let version = dates.date(key, event.version());
            match event {
                Event::Order(event) => {
                    let known = newest.orders.entry(event.id).or_insert((version, event.minute, event.content));
                    known.1 = known.1.min(event.minute);
                    if version > known.0 {
                        (known.0, known.2) = (version, event.content);
                    }
                }
                Event::Listing(event) => {
                    let known = newest.listings.entry(event.product).or_insert((version, event.content));
                    if version > known.0 {
                        *known = (version, event.content);
                    }
                }
                Event::Rating(event) => {
                    let known = newest.ratings.entry(event.id).or_insert((version, event.content));
                    if version > known.0 {
                        *known = (version, event.content);
                    }
                }
            }
        }
        newest
    }
}

/// The oracle: everything's newest version, summed from scratch.
pub fn recount<'a>(records: impl IntoIterator<Item = &'a Event>, settings: &Settings) -> Rows {
    let newest = Newest::of(records);
    let mut sums: BTreeMap<ViewKey, Takings> = BTreeMap::new();
    let mut sold: BTreeMap<ViewKey, ProductTakings> = BTreeMap::new();
    let mut periods: BTreeMap<(Period, Symbol), BTreeMap<Symbol, Takings>> = BTreeMap::new();
    let first = Minute::of_millis(newest.time).before(settings.volume_window).max(Minute::from_number(1));
    for (_, minute, content) in newest.orders.values() {
        let Content::Order { contribution, .. } = content else { continue };
        let Contribution { fact, product, amount, units } = *contribution;
        let (day, currency, payment_method) = (fact.day, fact.currency, fact.payment_method);
        let listed = newest.listings.get(&product).and_then(|(_, listing)| *listing);
        let category = fact.category.or(listed.and_then(|listing| listing.category)).unwrap_or(Symbol::new("unlisted"));
        let mut keys = vec![
            ViewKey::Category { day, category, currency },
            ViewKey::Day { day, currency },
            ViewKey::Month { month: day.month(), currency },
            ViewKey::PaymentMethod { day, payment_method, currency },
            ViewKey::Facts { day, category, payment_method, currency },
        ];
        if fact.category.is_none() {
            keys.push(ViewKey::ListedFacts { day, product, payment_method, currency });
        }
        if *minute >= first {
            keys.push(ViewKey::Minute { minute: *minute, currency });
        }
        for key in keys {
            add(sums.entry(key).or_default(), amount, units);
        }
        let product_sold = sold.entry(ViewKey::Product { day, product, currency }).or_default();
        add(&mut product_sold.all, amount, units);
        if fact.category.is_none() {
            add(&mut product_sold.listed, amount, units);
        }
        for period in [Period::All, Period::Month(day.month()), Period::Day(day)] {
            add(periods.entry((period, currency)).or_default().entry(product).or_default(), amount, units);
        }
    }

    let mut rows: Rows = sums.into_iter().map(|(key, takings)| (key, RowValue::Takings(takings))).collect();
    rows.extend(sold.into_iter().map(|(key, sold)| (key, RowValue::Product(sold))));
    for ((period, currency), products) in periods {
        let mut ranked: Vec<(Symbol, Takings)> = products.into_iter().collect();
        ranked.sort_by_key(|(product, takings)| (-takings.amount, product.text()));
        for ((product, takings), rank) in ranked.into_iter().take(settings.top).zip(1..) {
            let key = ViewKey::Top { period, currency, rank };
            rows.insert(key, RowValue::Ranked(Ranked { product, takings }));
        }
    }
    for (product, (_, listing)) in newest.listings {
        if let Some(listing) = listing {
            rows.insert(ViewKey::Listing { product }, RowValue::Listing(listing));
        }
    }
    let mut stars: BTreeMap<Symbol, Stars> = BTreeMap::new();
    for rating in newest.ratings.into_values().filter_map(|(_, rating)| rating) {
        stars.entry(rating.product).or_default().0[usize::from(rating.stars) - 1] += 1;
    }
    rows.extend(stars.into_iter().map(|(product, stars)| (ViewKey::Rating { product }, RowValue::Stars(stars))));
    rows.retain(|key, _| is_kept(&settings.views, key.view()));
    rows
}

/// Whether a table has rows for these views alone: not only for what other views need of it.
pub fn is_kept(views: &[View], table: View) -> bool {
    match table {
        View::ListedFacts => views.contains(&View::Facts),
        view => views.contains(&view),
    }
}

fn add(takings: &mut Takings, amount: Amount, units: i64) {
    takings.amount += amount;
    takings.orders += 1;
    takings.units += units;
}

/// Settings that keep every view.
pub fn settings(recovered_epoch: u64) -> Settings {
    Settings {
        views: View::ALL.to_vec(),
        fill: Vec::new(),
        keep_orders: false,
        horizon: Default::default(),
        recovered_epoch,
        top: 2,
        volume_window: 2,
        log_time: 0,
        to_replay: Vec::new(),
        held: Default::default(),
    }
}
