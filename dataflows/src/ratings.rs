//! Feedback as a timely operator: versions of feedback in; changes of products' stars out.

use differential_dataflow::difference::Abelian;
use differential_dataflow::{AsCollection, VecCollection};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::{Capability, InputCapability};
use timely::dataflow::{Scope, StreamVec};

use crate::changes::{ByPartition, Outcomes, Output};
use crate::graph::{Epoch, Settings};
use crate::in_order::{InOrder, first_open};
use crate::order::OrderId;
use crate::rating::{Rating, RatingEvent, Stars};
use crate::symbol::Symbol;
use crate::upsert::{Newest, route};
use crate::view::View;

type Rated = CapacityContainerBuilder<Vec<(Symbol, Epoch, Stars)>>;
type Effects = CapacityContainerBuilder<Vec<Output>>;

/// What is held to send at an epoch, on each output.
struct Held {
    rated: Capability<Epoch>,
    effects: Capability<Epoch>,
}

impl Held {
    fn retain(capability: &InputCapability<Epoch>) -> Option<Self> {
        Some(Held { rated: capability.retain_least(0)?, effects: capability.retain_least(1)? })
    }
}

/// What lives on from one scheduling to the next.
struct Running {
    feedback: Newest<OrderId, Rating>,
    recovered: Epoch,
    /// Whether what is loaded is to be counted, instead of being counted already.
    is_filling: bool,
    /// Of the epoch that is open.
    rated: Vec<(Symbol, Stars)>,
    kept: Vec<RatingEvent>,
    outcomes: ByPartition<Outcomes>,
}

impl Running {
    fn take(&mut self, epoch: Epoch, event: RatingEvent) {
        let replaced = self.feedback.apply(event.id, event.version, event.content);
        let is_live = epoch > self.recovered;
        if is_live {
            self.outcomes.at(event.version.partition()).count(&replaced.outcome);
        }
        if !is_live && !self.is_filling {
            return;
        }
        if replaced.was != replaced.is {
            if let Some(Rating { product, stars, .. }) = replaced.was {
                let mut less = Stars::one(stars);
                less.negate();
                self.rated.push((product, less));
            }
            if let Some(Rating { product, stars, .. }) = replaced.is {
                self.rated.push((product, Stars::one(stars)));
            }
        }
        if let Some(version) = replaced.newest {
            self.kept.push(RatingEvent { version, ..event });
        }
    }
}

/// Upserts feedback by its id. That of the recovered epoch is in the stored ratings already, unless they
/// are to be filled: then it counts in the epoch after.
pub(crate) fn ratings<'scope>(
    scope: Scope<'scope, Epoch>,
    events: StreamVec<'scope, Epoch, RatingEvent>,
    settings: &Settings,
) -> (VecCollection<'scope, Epoch, Symbol, Stars>, StreamVec<'scope, Epoch, Output>) {
    let recovered = settings.recovered_epoch;
    let is_filling = settings.fill.contains(&View::Ratings);
    let mut builder = OperatorBuilder::new("Ratings".to_owned(), scope);
    let mut events = builder.new_input(events, Exchange::new(|event: &RatingEvent| route(event.id)));
    let (rated_out, rated) = builder.new_output();
    let mut rated_out = OutputBuilder::<_, Rated>::from(rated_out);
    let (effects_out, effects) = builder.new_output();
    let mut effects_out = OutputBuilder::<_, Effects>::from(effects_out);

    builder.build(move |initial| {
        let mut running = Running {
            feedback: Newest::new(),
            recovered,
            is_filling,
            rated: Vec::new(),
            kept: Vec::new(),
            outcomes: ByPartition::default(),
        };
        let mut arrived: InOrder<Held, RatingEvent> = InOrder::new();
        let mut loading = Some(initial);

        move |frontiers| {
            let (mut rated_out, mut effects_out) = (rated_out.activate(), effects_out.activate());
            let open = first_open(frontiers);
            while arrived.close(open.min(recovered + 1), |epoch, _, event| running.take(epoch, event)).is_some() {}
            if open > recovered
                && let Some(initial) = loading.take()
                && let [rated, effects] = initial.as_slice()
            {
                let next = recovered + 1;
                arrived.hold(next, Held { rated: rated.delayed(&next), effects: effects.delayed(&next) });
            }
            while let Some((epoch, held)) = arrived.close(open, |epoch, _, event| running.take(epoch, event)) {
                let mut session = rated_out.session(&held.rated);
                running.rated.drain(..).for_each(|(product, stars)| session.give((product, epoch, stars)));
                let mut session = effects_out.session(&held.effects);
                running.kept.drain(..).for_each(|event| session.give(Output::Feedback(Box::new(event))));
                running.outcomes.drain(|partition, outcomes| session.give(Output::Outcomes(partition, outcomes)));
            }
            arrived.open(open, |epoch, _, event| running.take(epoch, event));
            events.for_each(|capability, batch| {
                let pieces = batch.drain(..);
                arrived.take(&capability, open, Held::retain, pieces, |epoch, _, event| running.take(epoch, event));
            });
        }
    });
    (rated.as_collection(), effects)
}
