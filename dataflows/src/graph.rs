//! The dataflow itself: what is connected to what.
//!
//! ```text
//!  events ──(by order)──► upsert + combine ─┬─► rows ─────────────────────┬──► count_total ──► totals ──┐
//!                                           │              base totals ───┤                             │
//!                                           │                             ├ changes of categories       │
//!                                           ├─► sales ──(by product)──► products ─┬─► rows, listings ───┤
//!  listings ────────────────────────────────┼──────────────────────────────┘      └─► leaders ─► reduce ┼──► gather ──► hand over
//!                                           ├─► minutes ──────────────► volume ─────────────────────────┤    (worker 0)
//!                                           └─► corrected, kept, outcomes ──────────────────────────────┤
//!  ratings ──(by feedback)──► upsert ──► stars ──► count_total ─────────────────────────────────────────┤
//!  reports (progress, rejected) ────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Time is the epoch. At the *recovered epoch* the graph is loaded: base totals and the versions of
//! the orders already counted in them go in, and nothing comes out. Every later epoch is live.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use differential_dataflow::difference::{IsZero, Semigroup};
use differential_dataflow::operators::count::CountTotal;
use differential_dataflow::{AsCollection, VecCollection};
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Capability, Concat, Concatenate, Input, Probe};
use timely::dataflow::{InputHandle, ProbeHandle, Scope, StreamVec};
use timely::scheduling::SyncActivator;
use timely::worker::Worker;

use crate::changes::{EpochChanges, Output};
use crate::event::Event;
use crate::listing::ListingEvent;
use crate::order::{OrderEvent, PartitionId};
use crate::products::{Part, Sale, Wanted, by_rank, products};
use crate::rating::RatingEvent;
use crate::ratings::ratings as ratings_of;
use crate::row::{ProductTakings, Ranked, RowValue};
use crate::upsert::{Daily, Horizon, Sold, upsert};
use crate::view::{View, ViewKey};
use crate::volume::volume;

/// Logical time: one transaction each.
pub type Epoch = u64;

/// What the dataflow is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The views to keep.
    pub views: Vec<View>,
    /// Those among them whose stored rows are missing: they count what is replayed, in the epoch after
    /// the recovered one.
    pub fill: Vec<View>,
    /// Whether every changed order comes out in full.
    pub keep_orders: bool,
    /// How far back a correction reaches.
    pub horizon: Horizon,
    /// The epoch at which the graph is loaded; later ones are live.
    pub recovered_epoch: Epoch,
    /// How many best sellers each period and currency has.
    pub top: usize,
    /// How many minutes before the log's newest one are kept.
    pub volume_window: u32,
    /// How far the furthest partition's time has come at the recovered epoch, in milliseconds since 1970; 0 where nothing
    /// says.
    pub log_time: i64,
    /// The partitions of orders of which something is replayed, by whatever worker. Each holds back what is forgotten until
    /// it says how far it has come.
    pub to_replay: Vec<PartitionId>,
    /// Where it says how much it holds.
    pub held: Held,
}

/// How much the workers of this process hold, for whoever watches their memory. They say it as they go.
#[derive(Clone, Debug, Default)]
pub struct Held(Arc<AtomicU64>);

impl Held {
    /// Orders known, the cancelled ones included.
    pub fn orders(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// A worker's own part.
    pub(crate) fn share(&self) -> Share {
        Share { of: self.clone(), orders: 0 }
    }
}

/// What one worker holds; nothing any more once it is dropped.
pub(crate) struct Share {
    of: Held,
    orders: u64,
}

impl Share {
    pub(crate) fn set(&mut self, orders: u64) {
        // Both wrap, and so does their difference: the sum is right.
        self.of.0.fetch_add(orders.wrapping_sub(self.orders), Ordering::Relaxed);
        self.orders = orders;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl Settings {
    fn needs(views: &[View], one_of: &[View]) -> bool {
        one_of.iter().any(|view| views.contains(view))
    }

    /// The rows of products and days that the views need. Totals of categories need the sales that follow the
    /// catalogue, best sellers all of them.
    fn daily_for(views: &[View]) -> Daily {
        if Settings::needs(views, &[View::Product, View::Top]) {
            Daily::All
        } else if views.contains(&View::Category) {
            Daily::Listed
        } else {
            Daily::Nothing
        }
    }

    fn views_before(&self) -> Vec<View> {
        self.views.iter().copied().filter(|view| !self.fill.contains(view)).collect()
    }

    /// Which sales go on to their products.
    pub(crate) fn sold(&self) -> Sold {
        Sold { daily: Settings::daily_for(&self.views), by_payment_method: keeps_listed_facts(&self.views) }
    }

    /// Which of the replayed sales do: those whose products' rows are not stored yet.
    pub(crate) fn sold_to_fill(&self) -> Sold {
        let before = self.views_before();
        let wanted = self.sold();
        let daily = match (Settings::daily_for(&before), wanted.daily) {
            (Daily::Nothing, wanted) => wanted,
            (Daily::Listed, Daily::All) => Daily::Own,
            _ => Daily::Nothing,
        };
        Sold { daily, by_payment_method: wanted.by_payment_method && !keeps_listed_facts(&before) }
    }

    /// What is kept of products.
    pub(crate) fn wanted(&self) -> Wanted {
        Settings::wanted_for(&self.views, self.top)
    }

    /// What of that is not stored yet.
    pub(crate) fn products_to_fill(&self) -> Wanted {
        let before = Settings::wanted_for(&self.views_before(), self.top);
        let wanted = self.wanted();
        Wanted {
            top: wanted.top.filter(|_| before.top.is_none()),
            categories: wanted.categories && !before.categories,
            facts: wanted.facts && !before.facts,
            catalogue: wanted.catalogue && !before.catalogue,
        }
    }

    fn wanted_for(views: &[View], top: usize) -> Wanted {
        Wanted {
            top: views.contains(&View::Top).then_some(top),
            categories: views.contains(&View::Category),
            facts: views.contains(&View::Facts),
            catalogue: keeps_catalogue(views),
        }
    }
}

/// Whether any of these views needs what a record says. What none needs is not to be fed.
pub fn takes(views: &[View], event: &Event) -> bool {
    match event {
        Event::Order(_) => true,
        Event::Listing(_) => keeps_catalogue(views),
        Event::Rating(_) => views.contains(&View::Ratings),
    }
}

/// Whether these views need the catalogue, and with it the rows of `products`: a listing's category decides
/// where sales count.
pub fn keeps_catalogue(views: &[View]) -> bool {
    Settings::needs(views, &[View::Category, View::Facts, View::Products])
}

/// Whether these views need rows of `listed_facts`.
pub fn keeps_listed_facts(views: &[View]) -> bool {
    views.contains(&View::Facts)
}

/// Whether these views need rows of `sales_per_product`, and whether of all sales (or only of those that
/// follow the catalogue).
pub fn keeps_products(views: &[View]) -> Option<bool> {
    match Settings::daily_for(views) {
        Daily::Nothing => None,
        daily => Some(daily == Daily::All),
    }
}

/// How far the time of a partition has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The partition.
    pub partition: PartitionId,
    /// In milliseconds since 1970. It is for the source to say how it follows from records' timestamps, such
    /// that no single one decides.
    pub timestamp: i64,
    /// Whether everything that the partition holds was read.
    pub is_at_end: bool,
    /// Whether the partition holds orders: only then can it hold back what is forgotten of them.
    pub is_of_orders: bool,
}

/// The inputs of one worker. All must be advanced together, each epoch.
pub struct Inputs {
    /// Versions of orders.
    pub orders: InputHandle<Epoch, CapacityContainerBuilder<Vec<OrderEvent>>>,
    /// Versions of listings; of the recovered epoch those that are stored.
    pub listings: InputHandle<Epoch, CapacityContainerBuilder<Vec<ListingEvent>>>,
    /// Versions of feedback; of the recovered epoch those that are stored.
    pub ratings: InputHandle<Epoch, CapacityContainerBuilder<Vec<RatingEvent>>>,
    /// Progress and rejected records: what the sink needs to know of the source.
    pub reports: InputHandle<Epoch, CapacityContainerBuilder<Vec<Output>>>,
    /// The stored rows of all views, at the recovered epoch only.
    pub base: InputHandle<Epoch, CapacityContainerBuilder<Vec<(ViewKey, RowValue)>>>,
    /// Every partition's time, as it moves: the log's time.
    pub watermarks: InputHandle<Epoch, CapacityContainerBuilder<Vec<Watermark>>>,
}

impl Inputs {
    /// Closes every epoch before `epoch`.
    pub fn advance_to(&mut self, epoch: Epoch) {
        let Inputs { orders, listings, ratings, reports, base, watermarks } = self;
        orders.advance_to(epoch);
        listings.advance_to(epoch);
        ratings.advance_to(epoch);
        reports.advance_to(epoch);
        base.advance_to(epoch);
        watermarks.advance_to(epoch);
    }

    /// Feeds what a record says.
    pub fn send(&mut self, event: Event) {
        match event {
            Event::Order(event) => self.orders.send(event),
            Event::Listing(event) => self.listings.send(event),
            Event::Rating(event) => self.ratings.send(event),
        }
    }

    /// The open epoch.
    pub fn epoch(&self) -> Epoch {
        *self.orders.time()
    }
}

/// One worker's side of a running dataflow.
pub struct Graph {
    /// Where to feed it.
    pub inputs: Inputs,
    /// Tells how far it is committed: an epoch the probe has passed is durable.
    pub probe: ProbeHandle<Epoch>,
    /// Wakes the sink after [`Committed`] moved. Meaningful on worker 0.
    pub sink: SyncActivator,
}

/// Up to which epoch the store holds everything; set by whoever writes, read by the sink.
#[derive(Clone, Debug, Default)]
pub struct Committed(Arc<AtomicU64>);

impl Committed {
    /// Everything up to and including `epoch` is durable.
    pub fn set(&self, epoch: Epoch) {
        self.0.store(epoch, Ordering::Release);
    }

    /// The last durable epoch.
    pub fn get(&self) -> Epoch {
        self.0.load(Ordering::Acquire)
    }
}

/// Builds the dataflow in one worker. `hand_over` is called on worker 0 alone, once for each epoch in
/// which anything happened, in the order of epochs; the probe passes an epoch only when `committed`
/// has reached it.
pub fn build(
    worker: &mut Worker,
    settings: &Settings,
    committed: &Committed,
    hand_over: impl FnMut(EpochChanges) + 'static,
) -> Graph {
    let mut inputs = Inputs {
        orders: InputHandle::new(),
        listings: InputHandle::new(),
        ratings: InputHandle::new(),
        reports: InputHandle::new(),
        base: InputHandle::new(),
        watermarks: InputHandle::new(),
    };
    let probe = ProbeHandle::new();

    let sink = worker.dataflow::<Epoch, _, _>(|scope| {
        let orders = scope.input_from(&mut inputs.orders);
        let listings = scope.input_from(&mut inputs.listings);
        let ratings = scope.input_from(&mut inputs.ratings);
        let reports = scope.input_from(&mut inputs.reports);
        let base = scope.input_from(&mut inputs.base);
        let watermarks = scope.input_from(&mut inputs.watermarks);
        let recovered = settings.recovered_epoch;

        let upserted = upsert(scope, orders, watermarks.clone(), settings);
        let sales = upserted.sales.concat(base_sales(base.clone()));
        let products = products(scope, sales, listings, settings);
        let stored = base.clone().flat_map(|(key, value)| match value {
            // Minutes are counted anew, and what is listed comes from products.
            RowValue::Takings(takings) if !matches!(key.view(), View::Minute | View::ListedFacts) => {
                Some((key, takings))
            }
            _ => None,
        });
        let stored = stored.map(move |(key, takings)| (key, recovered, takings)).as_collection();
        let totals = upserted.rows.concat(products.categories).concat(stored).count_total();
        let totals = to_outputs("Totals", totals, |(key, takings), diff| Output::Total { key, takings, diff });

        let top = settings.top;
        let ranked = products.leaders.reduce(move |_group, leaders, ranked| rank(top, leaders, ranked));
        let ranked = to_outputs("Ranks", ranked, |((period, currency), (rank, ranked)), diff| Output::Ranked {
            key: ViewKey::Top { period, currency, rank },
            ranked,
            diff,
        });

        let (rated, feedback) = ratings_of(scope, ratings, settings);
        let stored = base.clone().flat_map(move |(key, value)| match (key, value) {
            (ViewKey::Rating { product }, RowValue::Stars(stars)) => Some((product, recovered, stars)),
            _ => None,
        });
        let rated = rated.concat(stored.as_collection()).count_total();
        let rated = to_outputs("Ratings", rated, |(product, stars), diff| Output::Rated {
            key: ViewKey::Rating { product },
            stars,
            diff,
        });

        let volume = volume(scope, upserted.minutes, base, watermarks, settings);
        let effects = [upserted.effects, products.effects, feedback, volume, reports];
        let outputs = scope.concatenate([totals, ranked, rated].into_iter().chain(effects));
        let (activator, done) = gather(scope, outputs, recovered, committed.clone(), hand_over);
        done.probe_with(&probe);
        activator
    });

    Graph { inputs, probe, sink }
}

/// The stored rows of products as the sales that they are the sum of.
fn base_sales<'scope>(base: StreamVec<'scope, Epoch, (ViewKey, RowValue)>) -> StreamVec<'scope, Epoch, Sale> {
    base.flat_map(|(key, value)| match (key, value) {
        (ViewKey::Product { day, product, currency }, RowValue::Product(ProductTakings { all, listed })) => {
            let mut own = all;
            own.plus_equals(&-listed);
            let sale = |part, takings| Sale { product, day, currency, part, takings };
            let sales = [sale(Part::Own, own), sale(Part::Listed, listed)];
            sales.into_iter().filter(|sale| !sale.takings.is_zero()).collect()
        }
        (ViewKey::ListedFacts { day, product, payment_method, currency }, RowValue::Takings(takings)) => {
            vec![Sale { product, day, currency, part: Part::ListedBy(payment_method), takings }]
        }
        _ => Vec::new(),
    })
}

/// The ranks of one period and currency, from the best sellers of each worker.
fn rank(top: usize, leaders: &[(&Ranked, isize)], ranked: &mut Vec<((u16, Ranked), isize)>) {
    debug_assert!(leaders.iter().all(|(_, count)| *count == 1), "a product leads once");
    let mut all: Vec<Ranked> = leaders.iter().map(|(ranked, _)| **ranked).collect();
    all.sort_unstable_by(by_rank);
    ranked.extend((1..).zip(all).take(top).map(|(rank, leader)| ((rank, leader), 1)));
}

/// Changes as outputs, each under its own epoch.
///
/// Epochs that are closed together leave `count_total` in one batch, under the earliest of their
/// times: the time that counts is the one inside each change.
fn to_outputs<'scope, D: Clone + 'static>(
    name: &str,
    changes: VecCollection<'scope, Epoch, D, isize>,
    output_of: impl Fn(D, i64) -> Output + 'static,
) -> StreamVec<'scope, Epoch, Output> {
    changes.inner.unary::<CapacityContainerBuilder<Vec<Output>>, _, _, _>(Pipeline, name, |_, _| {
        let mut by_epoch: BTreeMap<Epoch, Vec<Output>> = BTreeMap::new();
        move |input, output| {
            input.for_each(|capability, changed| {
                for (what, epoch, diff) in changed.drain(..) {
                    by_epoch.entry(epoch).or_default().push(output_of(what, diff as i64));
                }
                while let Some((epoch, mut outputs)) = by_epoch.pop_first() {
                    output.session(&capability.delayed(&epoch, 0)).give_container(&mut outputs);
                }
            });
        }
    })
}

/// Gathers each epoch's outputs on worker 0, hands them over when the epoch is complete, and lets the
/// epoch go when it is committed.
fn gather<'scope>(
    scope: Scope<'scope, Epoch>,
    outputs: StreamVec<'scope, Epoch, Output>,
    recovered_epoch: Epoch,
    committed: Committed,
    mut hand_over: impl FnMut(EpochChanges) + 'static,
) -> (SyncActivator, StreamVec<'scope, Epoch, ()>) {
    let address = Rc::new(RefCell::new(Vec::new()));
    let address_out = Rc::clone(&address);
    let done = outputs.unary_frontier::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
        Exchange::new(|_: &Output| 0),
        "Gather",
        move |_capability, info| {
            *address_out.borrow_mut() = info.address.to_vec();
            let mut gathering: BTreeMap<Epoch, (Capability<Epoch>, EpochChanges)> = BTreeMap::new();
            let mut committing: Vec<Capability<Epoch>> = Vec::new();
            move |(input, frontier), _output| {
                input.for_each(|capability, batch| {
                    let Some(&epoch) = capability.least() else { return };
                    if epoch <= recovered_epoch {
                        batch.clear();
                        return;
                    }
                    let (_, changes) = match gathering.entry(epoch) {
                        Entry::Occupied(entry) => entry.into_mut(),
                        Entry::Vacant(entry) => {
                            let Some(held) = capability.retain_least(0) else { return };
                            entry.insert((held, EpochChanges { epoch, ..EpochChanges::default() }))
                        }
                    };
                    batch.drain(..).for_each(|output| changes.add(output));
                });
                while let Some(entry) = gathering.first_entry() {
                    if frontier.less_equal(entry.key()) {
                        break;
                    }
                    let (capability, changes) = entry.remove();
                    debug_assert!(!changes.is_empty());
                    committing.push(capability);
                    hand_over(changes);
                }
                let durable = committed.get();
                committing.retain(|capability| *capability.time() > durable);
            }
        },
    );
    let address = address.borrow().clone();
    (scope.worker().sync_activator_for(address), done)
}
