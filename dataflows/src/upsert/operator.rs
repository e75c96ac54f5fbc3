//! The upsert as a timely operator: orders in; changed rows, sales, minutes, corrections and outcomes out.

use std::collections::BTreeMap;

use differential_dataflow::{AsCollection, VecCollection};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{OutputBuilder, OutputBuilderSession};
use timely::dataflow::operators::{Capability, InputCapability};
use timely::dataflow::{Scope, StreamVec};

use super::effect::{Effect, Outcome};
use super::facts::FactTable;
use super::orders::{Orders, route};
use super::sums::{ReplayedSales, Sums};
use crate::changes::{Corrected, Earlier, Kept, Output};
use crate::graph::{Epoch, Settings, Watermark};
use crate::in_order::{At, InOrder, first_open};
use crate::minute::Minute;
use crate::order::OrderEvent;
use crate::products::Sale;
use crate::rollup::RollUp;
use crate::takings::Takings;
use crate::view::{View, ViewKey};
use crate::volume::MinuteKey;

type Rows = CapacityContainerBuilder<Vec<(ViewKey, Epoch, Takings)>>;
type Effects = CapacityContainerBuilder<Vec<Output>>;
type Sales = CapacityContainerBuilder<Vec<Sale>>;
type Minutes = CapacityContainerBuilder<Vec<(MinuteKey, Takings)>>;

/// What comes out.
pub(crate) struct Upserted<'scope> {
    /// Changes of the totals that need no product.
    pub(crate) rows: VecCollection<'scope, Epoch, ViewKey, Takings>,
    /// Corrections, kept orders, outcomes.
    pub(crate) effects: StreamVec<'scope, Epoch, Output>,
    /// Changes of what products sold, where that is asked for.
    pub(crate) sales: StreamVec<'scope, Epoch, Sale>,
    /// Changes of minutes' totals, where they are asked for; of the replay too, at the recovered epoch.
    pub(crate) minutes: StreamVec<'scope, Epoch, (MinuteKey, Takings)>,
}

/// Upserts every order and combines each epoch's changes, in one operator. Effects and sales leave it as
/// they happen, the epoch's changed rows, minutes and outcomes when the epoch is closed.
///
/// What is replayed changes nothing, but for views that are being filled: those count it in the epoch after
/// the recovered one, summed until then.
///
/// *One epoch after the other*: what arrives for an epoch is applied once all before it is complete. Workers are an epoch
/// apart now and then, and the versions of one order may come through both. If the later epoch's version were applied
/// first, the earlier epoch would be committed with the difference to something that is not in any total yet: wrong for
/// whoever looks between the two, and for good where the later one is never committed.
pub(crate) fn upsert<'scope>(
    scope: Scope<'scope, Epoch>,
    events: StreamVec<'scope, Epoch, OrderEvent>,
    watermarks: StreamVec<'scope, Epoch, Watermark>,
    settings: &Settings,
) -> Upserted<'scope> {
    use timely::dataflow::operators::vec::Broadcast;

    let (sold, sold_to_fill) = (settings.sold(), settings.sold_to_fill());
    let Settings {
        views, fill, keep_orders, horizon, recovered_epoch, volume_window, log_time, to_replay, held, ..
    } = settings.clone();
    let counts_minutes = views.contains(&View::Minute);
    // A log of years has more minutes than memory should hold. The log's time only grows: none that is kept is left out.
    let first_replayed_minute = Minute::of_millis(log_time).before(volume_window);
    let mut builder = OperatorBuilder::new("UpsertAndCombine".to_owned(), scope);
    let mut events = builder.new_input(events, Exchange::new(|event: &OrderEvent| route(event.id)));
    let mut watermarks = builder.new_input(watermarks.broadcast(), Pipeline);
    let (rows_out, rows) = builder.new_output();
    let mut rows_out = OutputBuilder::<_, Rows>::from(rows_out);
    let (effects_out, effects) = builder.new_output();
    let mut effects_out = OutputBuilder::<_, Effects>::from(effects_out);
    let (sales_out, sales) = builder.new_output();
    let mut sales_out = OutputBuilder::<_, Sales>::from(sales_out);
    let (minutes_out, minutes) = builder.new_output();
    let mut minutes_out = OutputBuilder::<_, Minutes>::from(minutes_out);

    builder.build(move |initial| {
        let mut orders = Orders::new(horizon);
        // Until it says how far it has come.
        let unheard = |&partition| Watermark { partition, timestamp: 0, is_at_end: false, is_of_orders: true };
        to_replay.iter().map(unheard).for_each(|watermark| orders.note(&watermark));
        let mut noted: BTreeMap<Epoch, Vec<Watermark>> = BTreeMap::new();
        let mut held = held.share();
        let minutes_since = |first| counts_minutes.then_some(first);
        let mut live = Sums::new(RollUp::new(&views), sold, minutes_since(Minute::NONE));
        let mut arrived: InOrder<Capabilities, Vec<OrderEvent>> = InOrder::new();
        let mut loading = Capabilities::to_load(initial, recovered_epoch).map(|at| {
            let sums = Sums::new(RollUp::new(&fill), sold_to_fill, minutes_since(first_replayed_minute));
            (at, sums, ReplayedSales::default())
        });

        move |frontiers| {
            let mut rows_out = rows_out.activate();
            let mut minutes_out = minutes_out.activate();
            let (effects, sales) = (effects_out.activate(), sales_out.activate());
            let mut applying = Applying { effects, sales, orders: &mut orders, keep_orders };

            // Nothing of an epoch before this one is still to come. While anything is replayed, nothing live is open.
            let open = first_open(&frontiers[..1]);
            if open > recovered_epoch
                && let Some((at, mut replayed, sales)) = loading.take()
            {
                let mut session = rows_out.session(&at.rows);
                replayed.drain_rows(|key, sum| session.give((key, recovered_epoch + 1, sum)));
                let mut session = minutes_out.session(&at.minutes);
                replayed.drain_minutes(|key, sum| session.give((key, sum)));
                let mut session = applying.sales.session(&at.sales);
                sales.into_sales().for_each(|sale| session.give(sale));
            }
            while let Some((epoch, at)) =
                arrived.close(open, |_, at, mut batch| applying.live(at, &mut live, &mut batch))
            {
                let mut session = rows_out.session(&at.rows);
                live.drain_rows(|key, sum| session.give((key, epoch, sum)));
                let mut session = minutes_out.session(&at.minutes);
                live.drain_minutes(|key, sum| session.give((key, sum)));
                let mut session = applying.effects.session(&at.effects);
                live.outcomes.drain(|partition, outcomes| session.give(Output::Outcomes(partition, outcomes)));
                drop(session);
                applying.note(&mut noted, epoch);
                applying.orders.evict();
            }
            applying.note(&mut noted, open.saturating_sub(1));
            // Before what comes now: the records of a partition count in their order.
            arrived.open(open, |_, at, mut batch| applying.live(at, &mut live, &mut batch));
            events.for_each(|capability, batch| {
                let is_replayed = capability.least().is_some_and(|epoch| *epoch <= recovered_epoch);
                if let Some((_, replayed, sales)) = loading.as_mut().filter(|_| is_replayed) {
                    applying.replayed(replayed, sales, batch);
                    return;
                }
                match arrived.at(&capability, open, Capabilities::retain) {
                    Some(At::Open(_, at)) => applying.live(at, &mut live, batch),
                    Some(At::Ahead(waiting)) => waiting.push(std::mem::take(batch)),
                    None => {}
                }
            });
            watermarks.for_each(|capability, batch| {
                let Some(&epoch) = capability.least() else { return };
                noted.entry(epoch).or_default().extend(batch.drain(..).filter(|watermark| watermark.is_of_orders));
            });
            // What a view is filled from may be years of orders, of which a window holds few.
            if !fill.is_empty() && loading.is_some() {
                applying.note(&mut noted, recovered_epoch);
                applying.orders.evict();
            }
            held.set(applying.orders.len() as u64);
        }
    });
    Upserted { rows: rows.as_collection(), effects, sales, minutes }
}

/// The right to send at one epoch, on each output.
struct Capabilities {
    rows: Capability<Epoch>,
    effects: Capability<Epoch>,
    sales: Capability<Epoch>,
    minutes: Capability<Epoch>,
}

impl Capabilities {
    fn retain(capability: &InputCapability<Epoch>) -> Option<Self> {
        Some(Capabilities {
            rows: capability.retain_least(0)?,
            effects: capability.retain_least(1)?,
            sales: capability.retain_least(2)?,
            minutes: capability.retain_least(3)?,
        })
    }

    /// For what is replayed: filled rows and sales belong to the epoch after the recovered one; minutes are known by then.
    fn to_load(initial: Vec<Capability<Epoch>>, recovered: Epoch) -> Option<Self> {
        let [rows, effects, sales, minutes] = <[_; 4]>::try_from(initial).ok()?;
        let next = recovered + 1;
        Some(Capabilities {
            rows: rows.delayed(&next),
            effects: effects.delayed(&next),
            sales: sales.delayed(&next),
            minutes: minutes.delayed(&recovered),
        })
    }
}

/// What an activation applies events with.
struct Applying<'a> {
    orders: &'a mut Orders,
    keep_orders: bool,
    effects: OutputBuilderSession<'a, Epoch, Effects>,
    sales: OutputBuilderSession<'a, Epoch, Sales>,
}

impl Applying<'_> {
    fn live(&mut self, at: &Capabilities, sums: &mut Sums, batch: &mut Vec<OrderEvent>) {
        let mut session = self.effects.session(&at.effects);
        let mut selling = self.sales.session(&at.sales);
        each_of(self.orders, batch, |orders, event| {
            let effect = orders.apply(event);
            sums.add(orders.facts(), event, &effect, |sale| selling.give(sale));
            sums.outcomes.at(event.version.partition()).count(&effect.outcome);
            effects_of(event, &effect, orders.facts(), self.keep_orders, |effect| session.give(effect));
        });
    }

    /// The orders are known again; what they say was counted and kept before, and is summed for views that are filled.
    fn replayed(&mut self, sums: &mut Sums, sales: &mut ReplayedSales, batch: &mut Vec<OrderEvent>) {
        each_of(self.orders, batch, |orders, event| {
            let effect = orders.apply(event);
            sums.add(orders.facts(), event, &effect, |sale| sales.add(sale));
        });
    }

    /// How far partitions had come by the end of an epoch. What belongs to it is applied: what is forgotten by that time
    /// was to be found until then.
    fn note(&mut self, noted: &mut BTreeMap<Epoch, Vec<Watermark>>, epoch: Epoch) {
        while let Some(entry) = noted.first_entry().filter(|entry| *entry.key() <= epoch) {
            entry.remove().iter().for_each(|watermark| self.orders.note(watermark));
        }
    }
}

/// Each event where it lies: another worker has written its three cache lines, and moving them waits for all.
#[inline]
fn each_of(orders: &mut Orders, batch: &mut Vec<OrderEvent>, mut each: impl FnMut(&mut Orders, &mut OrderEvent)) {
    orders.approach(batch);
    batch.iter_mut().for_each(|event| each(orders, event));
    batch.clear();
}

/// What leaves the upsert beside totals; what an event holds in memory goes with it.
fn effects_of(
    event: &mut OrderEvent,
    effect: &Effect,
    facts: &FactTable,
    keep_orders: bool,
    mut give: impl FnMut(Output),
) {
    let now = event.contribution().copied();
    match effect.outcome {
        // Not the newest: what is kept stays, but for when the order was first heard of.
        Outcome::Superseded | Outcome::Duplicate { is_newest: false } => {
            if keep_orders && effect.minute != effect.minute_was {
                let OrderEvent { id, version, .. } = *event;
                let id_text = std::mem::take(&mut event.id_text);
                give(Output::Earlier(Box::new(Earlier { id, id_text, version, minute: effect.minute })));
            }
            return;
        }
        Outcome::Corrected { was } => {
            give(Output::Corrected(Box::new(Corrected {
                id: event.id,
                id_text: event.id_text.clone(),
                version: event.version,
                was: was.map(|was| facts.contribution(was)),
                now,
            })));
        }
        // A cancellation of an order that was never seen changed nothing.
        Outcome::Cancelled { was: Some(was), .. } => {
            give(Output::Corrected(Box::new(Corrected {
                id: event.id,
                id_text: event.id_text.clone(),
                version: event.version,
                was: Some(facts.contribution(was)),
                now: None,
            })));
        }
        Outcome::Applied { .. } | Outcome::Duplicate { is_newest: true } | Outcome::Cancelled { was: None, .. } => {}
    }
    if keep_orders {
        let OrderEvent { id, content, .. } = *event;
        let (id_text, details) = (std::mem::take(&mut event.id_text), event.details.take());
        let Effect { version, minute, .. } = *effect;
        give(Output::Kept(Box::new(Kept { id, id_text, version, minute, content, details })));
    }
}
