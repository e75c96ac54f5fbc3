//! The dataflow itself: what is connected to what.
//!
//! ```text
//!  events ──(exchange by order)──► upsert + combine ──► rows ──┬──► count_total ──► totals ─┐
//!                                        │         base totals ┘                            ├──► gather ──► hand over
//!                                        └──► corrected, kept, outcomes ────────────────────┤    (worker 0)
//!  reports (progress, rejected) ────────────────────────────────────────────────────────────┘
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

use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use differential_dataflow::operators::count::CountTotal;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::{Capability, Concatenate, Input, Probe};
use timely::dataflow::{InputHandle, ProbeHandle, Scope, StreamVec};
use timely::scheduling::SyncActivator;
use timely::worker::Worker;

use crate::changes::{EpochChanges, Output};
use crate::order::{OrderEvent, PartitionId};
use crate::takings::Takings;
use crate::upsert::{Horizon, upsert};
use crate::view::{View, ViewKey};

/// Logical time: one transaction each.
pub type Epoch = u64;

/// What the dataflow is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The views to keep.
    pub views: Vec<View>,
    /// Whether every changed order comes out in full.
    pub keep_orders: bool,
    /// How far back a correction reaches.
    pub horizon: Horizon,
    /// The epoch at which the graph is loaded; later ones are live.
    pub recovered_epoch: Epoch,
}

/// The inputs of one worker. All must be advanced together, each epoch.
pub struct Inputs {
    /// Versions of orders.
    pub events: InputHandle<Epoch, CapacityContainerBuilder<Vec<OrderEvent>>>,
    /// Progress and rejected records: what the sink needs to know of the source.
    pub reports: InputHandle<Epoch, CapacityContainerBuilder<Vec<Output>>>,
    /// Base totals, at the recovered epoch only.
    pub base: InputSession<Epoch, ViewKey, Takings>,
    /// The oldest of all partitions' newest timestamps, for eviction; sent to every worker.
    pub watermarks: InputHandle<Epoch, CapacityContainerBuilder<Vec<(PartitionId, i64)>>>,
}

impl Inputs {
    /// Closes every epoch before `epoch`.
    pub fn advance_to(&mut self, epoch: Epoch) {
        self.events.advance_to(epoch);
        self.reports.advance_to(epoch);
        self.watermarks.advance_to(epoch);
        self.base.advance_to(epoch);
        self.base.flush();
    }

    /// The open epoch.
    pub fn epoch(&self) -> Epoch {
        *self.events.time()
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
    let mut events = InputHandle::new();
    let mut reports = InputHandle::new();
    let mut watermarks = InputHandle::new();
    let mut base = InputSession::new();
    let probe = ProbeHandle::new();

    let sink = worker.dataflow::<Epoch, _, _>(|scope| {
        let event_stream = scope.input_from(&mut events);
        let watermark_stream = scope.input_from(&mut watermarks);
        let report_stream = scope.input_from(&mut reports);
        let base_totals = base.to_collection(scope);

        let (rows, effects) = upsert(scope, event_stream, watermark_stream, settings);
        let totals = to_outputs(rows.concat(base_totals).count_total());
        let outputs = scope.concatenate([totals, effects, report_stream]);
        let (activator, done) = gather(scope, outputs, settings.recovered_epoch, committed.clone(), hand_over);
        done.probe_with(&probe);
        activator
    });

    Graph { inputs: Inputs { events, reports, base, watermarks }, probe, sink }
}

/// Changed totals as outputs, each under its own epoch.
///
/// Epochs that are closed together leave `count_total` in one batch, under the earliest of their
/// times: the time that counts is the one inside each change.
fn to_outputs<'scope>(
    totals: VecCollection<'scope, Epoch, (ViewKey, Takings), isize>,
) -> StreamVec<'scope, Epoch, Output> {
    totals.inner.unary::<CapacityContainerBuilder<Vec<Output>>, _, _, _>(Pipeline, "TotalsToOutputs", |_, _| {
        let mut by_epoch: BTreeMap<Epoch, Vec<Output>> = BTreeMap::new();
        move |input, output| {
            input.for_each(|capability, changed| {
                for ((key, takings), epoch, diff) in changed.drain(..) {
                    by_epoch.entry(epoch).or_default().push(Output::Total { key, takings, diff: diff as i64 });
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
