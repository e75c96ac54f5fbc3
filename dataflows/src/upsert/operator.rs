//! The upsert as a timely operator: orders in; changed rows, corrections and outcomes out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use differential_dataflow::difference::Abelian;
use differential_dataflow::{AsCollection, VecCollection};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::{Capability, InputCapability};
use timely::dataflow::{Scope, StreamVec};

use super::facts::FactTable;
use super::orders::{Orders, Outcome, route};
use crate::changes::{Corrected, Kept, Outcomes, Output};
use crate::graph::{Epoch, Settings};
use crate::order::{Content, OrderEvent, PartitionId};
use crate::rollup::{Changes, RollUp};
use crate::takings::Takings;
use crate::view::ViewKey;

type Rows = CapacityContainerBuilder<Vec<(ViewKey, Epoch, Takings)>>;
type Effects = CapacityContainerBuilder<Vec<Output>>;

/// Upserts every order and combines each epoch's changes, in one operator. Effects leave it as they
/// happen, the epoch's changed rows and outcomes when the epoch is closed.
pub(crate) fn upsert<'scope>(
    scope: Scope<'scope, Epoch>,
    events: StreamVec<'scope, Epoch, OrderEvent>,
    watermarks: StreamVec<'scope, Epoch, (PartitionId, i64)>,
    settings: &Settings,
) -> (VecCollection<'scope, Epoch, ViewKey, Takings>, StreamVec<'scope, Epoch, Output>) {
    use timely::dataflow::operators::vec::Broadcast;

    let Settings { views, keep_orders, horizon, recovered_epoch } = settings.clone();
    let mut builder = OperatorBuilder::new("UpsertAndCombine".to_owned(), scope);
    let mut events = builder.new_input(events, Exchange::new(|event: &OrderEvent| route(event.id)));
    let mut watermarks = builder.new_input(watermarks.broadcast(), Pipeline);
    let (rows_out, rows) = builder.new_output();
    let mut rows_out = OutputBuilder::<_, Rows>::from(rows_out);
    let (effects_out, effects) = builder.new_output();
    let mut effects_out = OutputBuilder::<_, Effects>::from(effects_out);

    builder.build(move |_capabilities| {
        let mut orders = Orders::new(horizon);
        let mut roll_up = RollUp::new(&views);
        let mut open: BTreeMap<Epoch, OpenEpoch> = BTreeMap::new();
        let mut spare: Vec<Gathered> = Vec::new();
        let mut newest: BTreeMap<PartitionId, i64> = BTreeMap::new();
        // Live records that overtook another worker's replay wait until it is complete: otherwise a
        // replayed version would find itself superseded, and never be taken back from its totals.
        let mut is_loaded = false;
        let mut early: Vec<(Capabilities, Vec<OrderEvent>)> = Vec::new();

        move |frontiers| {
            let mut effects_out = effects_out.activate();
            let mut apply = |at: &mut OpenEpoch, orders: &mut Orders, batch: &mut Vec<OrderEvent>| {
                let OpenEpoch { capabilities, gathered } = at;
                let mut session = effects_out.session(&capabilities.effects);
                for event in batch.drain(..) {
                    let outcome = orders.apply(&event);
                    gathered.count(event.version.partition(), &outcome);
                    gathered.combine(&mut roll_up, orders, &event, &outcome);
                    effects_of(event, outcome, orders.facts(), keep_orders, |effect| session.give(effect));
                }
            };

            events.for_each(|capability, batch| {
                let Some(&epoch) = capability.least() else { return };
                if epoch <= recovered_epoch {
                    for event in batch.drain(..) {
                        orders.apply(&event);
                    }
                } else if is_loaded {
                    let at = match open.entry(epoch) {
                        Entry::Occupied(entry) => entry.into_mut(),
                        Entry::Vacant(entry) => {
                            let Some(capabilities) = Capabilities::retain(&capability) else { return };
                            entry.insert(OpenEpoch { capabilities, gathered: spare.pop().unwrap_or_default() })
                        }
                    };
                    apply(at, &mut orders, batch);
                } else if let Some(capabilities) = Capabilities::retain(&capability) {
                    early.push((capabilities, std::mem::take(batch)));
                }
            });
            if !is_loaded && !frontiers[0].less_equal(&recovered_epoch) {
                is_loaded = true;
                for (capabilities, mut batch) in early.drain(..) {
                    let at = open
                        .entry(*capabilities.rows.time())
                        .or_insert_with(|| OpenEpoch { capabilities, gathered: Gathered::default() });
                    apply(at, &mut orders, &mut batch);
                }
            }

            watermarks.for_each(|_capability, batch| {
                for (partition, timestamp) in batch.drain(..) {
                    let known = newest.entry(partition).or_insert(timestamp);
                    *known = timestamp.max(*known);
                }
            });

            let mut rows_out = rows_out.activate();
            while let Some(entry) = open.first_entry() {
                if frontiers[0].less_equal(entry.key()) {
                    break;
                }
                let (epoch, OpenEpoch { capabilities, mut gathered }) = entry.remove_entry();
                let mut session = rows_out.session(&capabilities.rows);
                roll_up.drain(&mut gathered.changes, |key, sum| session.give((key, epoch, sum)));
                let mut session = effects_out.session(&capabilities.effects);
                for (partition, outcomes) in gathered.outcomes.drain(..) {
                    session.give(Output::Outcomes(partition, outcomes));
                }
                spare.push(gathered);
                if let Some(&watermark) = newest.values().min() {
                    orders.evict(watermark);
                }
            }
        }
    });
    (rows.as_collection(), effects)
}

/// The right to send at one epoch, on either output.
struct Capabilities {
    rows: Capability<Epoch>,
    effects: Capability<Epoch>,
}

impl Capabilities {
    fn retain(capability: &InputCapability<Epoch>) -> Option<Self> {
        Some(Capabilities { rows: capability.retain_least(0)?, effects: capability.retain_least(1)? })
    }
}

struct OpenEpoch {
    capabilities: Capabilities,
    gathered: Gathered,
}

/// What an epoch has gathered while it is open. Used again for a later one: it keeps its memory.
#[derive(Default)]
struct Gathered {
    changes: Changes,
    /// Few partitions: a scan beats a map.
    outcomes: Vec<(PartitionId, Outcomes)>,
}

impl Gathered {
    fn count(&mut self, partition: PartitionId, outcome: &Outcome) {
        let counts = match self.outcomes.iter_mut().find(|(known, _)| *known == partition) {
            Some((_, counts)) => counts,
            None => &mut self.outcomes.push_mut((partition, Outcomes::default())).1,
        };
        match outcome {
            Outcome::Applied { beyond_horizon } => {
                counts.applied += 1;
                counts.beyond_horizon += u64::from(*beyond_horizon);
            }
            Outcome::Duplicate { .. } => counts.duplicates += 1,
            Outcome::Superseded => counts.superseded += 1,
            Outcome::Corrected { .. } => counts.corrections += 1,
            Outcome::Cancelled { .. } => counts.cancellations += 1,
        }
    }

    fn combine(&mut self, roll_up: &mut RollUp, orders: &mut Orders, event: &OrderEvent, outcome: &Outcome) {
        let was = match outcome {
            Outcome::Duplicate { .. } | Outcome::Superseded => return,
            Outcome::Applied { .. } => None,
            Outcome::Corrected { was } | Outcome::Cancelled { was } => was.as_ref(),
        };
        if let Some(was) = was {
            let mut takings = was.takings();
            takings.negate();
            roll_up.add(orders.facts(), &mut self.changes, was.fact, &takings);
        }
        if let Content::Order { contribution, .. } = &event.content {
            let now = orders.counted(contribution);
            roll_up.add(orders.facts(), &mut self.changes, now.fact, &now.takings());
        }
    }
}

/// What leaves the upsert beside totals.
fn effects_of(event: OrderEvent, outcome: Outcome, facts: &FactTable, keep_orders: bool, mut give: impl FnMut(Output)) {
    let now = match &event.content {
        Content::Order { contribution, .. } => Some(*contribution),
        Content::Tombstone => None,
    };
    match outcome {
        // Not the newest: what is kept stays.
        Outcome::Superseded | Outcome::Duplicate { is_newest: false } => return,
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
        Outcome::Cancelled { was: Some(was) } => {
            give(Output::Corrected(Box::new(Corrected {
                id: event.id,
                id_text: event.id_text.clone(),
                version: event.version,
                was: Some(facts.contribution(was)),
                now: None,
            })));
        }
        Outcome::Applied { .. } | Outcome::Duplicate { is_newest: true } | Outcome::Cancelled { was: None } => {}
    }
    if keep_orders {
        let OrderEvent { id, id_text, version, content, details } = event;
        give(Output::Kept(Box::new(Kept { id, id_text, version, content, details })));
    }
}
