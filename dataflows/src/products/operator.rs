//! The products as a timely operator: sales and listings in; changes of categories, changed rows and
//! changed leaders out.

use differential_dataflow::{AsCollection, VecCollection};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::{Capability, InputCapability};
use timely::dataflow::{Scope, StreamVec};

use super::book::{Book, Changed, Wanted};
use super::sale::Sale;
use crate::changes::{ByPartition, Outcomes, Output};
use crate::graph::{Epoch, Settings};
use crate::in_order::{InOrder, first_open};
use crate::listing::ListingEvent;
use crate::period::Period;
use crate::row::{Ranked, RowChange};
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::view::ViewKey;

type Categories = CapacityContainerBuilder<Vec<(ViewKey, Epoch, Takings)>>;
type Effects = CapacityContainerBuilder<Vec<Output>>;
type Leading = CapacityContainerBuilder<Vec<(((Period, Symbol), Ranked), Epoch, isize)>>;

/// What comes out.
pub(crate) struct Streams<'scope> {
    /// Changes of totals by category: of categories, and of facts.
    pub(crate) categories: VecCollection<'scope, Epoch, ViewKey, Takings>,
    /// Changed rows, newest listings, outcomes.
    pub(crate) effects: StreamVec<'scope, Epoch, Output>,
    /// Of each period and currency, this worker's best sellers: few, and among them those of all workers.
    pub(crate) leaders: VecCollection<'scope, Epoch, ((Period, Symbol), Ranked)>,
}

/// What is held to send at an epoch, on each output.
struct Held {
    categories: Capability<Epoch>,
    effects: Capability<Epoch>,
    leaders: Capability<Epoch>,
}

impl Held {
    fn of(capabilities: Vec<Capability<Epoch>>) -> Option<Self> {
        let mut each = capabilities.into_iter();
        Some(Held { categories: each.next()?, effects: each.next()?, leaders: each.next()? })
    }

    fn retain(capability: &InputCapability<Epoch>) -> Option<Self> {
        Some(Held {
            categories: capability.retain_least(0)?,
            effects: capability.retain_least(1)?,
            leaders: capability.retain_least(2)?,
        })
    }

    fn at(&self, epoch: Epoch) -> Self {
        Held {
            categories: self.categories.delayed(&epoch),
            effects: self.effects.delayed(&epoch),
            leaders: self.leaders.delayed(&epoch),
        }
    }
}

enum Arrived {
    Sale(Sale),
    Listing(ListingEvent),
}

/// What lives on from one scheduling to the next.
struct Running {
    book: Book,
    fill: Wanted,
    recovered: Epoch,
    /// Of the epoch that is open.
    outcomes: ByPartition<Outcomes>,
    /// Newest listings of the epoch that is open.
    kept: Vec<ListingEvent>,
}

impl Running {
    fn take(&mut self, epoch: Epoch, arrived: Arrived) {
        let is_live = epoch > self.recovered;
        match arrived {
            Arrived::Sale(sale) => self.book.sell(&sale),
            Arrived::Listing(event) => {
                let (outcome, newest) = self.book.list(&event);
                if is_live {
                    self.outcomes.at(event.version.partition()).count(&outcome);
                }
                if let Some(version) = newest
                    && (is_live || self.fill.catalogue)
                {
                    self.kept.push(ListingEvent { version, ..event });
                }
            }
        }
    }

    /// The epoch's rows, newest listings and outcomes, as they travel.
    fn effects(&mut self, rows: Vec<RowChange>, mut give: impl FnMut(Output)) {
        if !rows.is_empty() {
            give(Output::Rows(rows));
        }
        self.kept.drain(..).for_each(|event| give(Output::Listed(Box::new(event))));
        self.outcomes.drain(|partition, outcomes| give(Output::Outcomes(partition, outcomes)));
    }
}

/// Keeps the [`Book`]. Sales and listings of the recovered epoch are in the stored totals already.
pub(crate) fn products<'scope>(
    scope: Scope<'scope, Epoch>,
    sales: StreamVec<'scope, Epoch, Sale>,
    listings: StreamVec<'scope, Epoch, ListingEvent>,
    settings: &Settings,
) -> Streams<'scope> {
    let recovered = settings.recovered_epoch;
    let (wanted, fill) = (settings.wanted(), settings.products_to_fill());
    let mut builder = OperatorBuilder::new("Products".to_owned(), scope);
    let mut sales = builder.new_input(sales, Exchange::new(|sale: &Sale| sale.product.route()));
    let mut listings = builder.new_input(listings, Exchange::new(|event: &ListingEvent| event.product.route()));
    let (categories_out, categories) = builder.new_output();
    let mut categories_out = OutputBuilder::<_, Categories>::from(categories_out);
    let (effects_out, effects) = builder.new_output();
    let mut effects_out = OutputBuilder::<_, Effects>::from(effects_out);
    let (leaders_out, leaders) = builder.new_output();
    let mut leaders_out = OutputBuilder::<_, Leading>::from(leaders_out);

    builder.build(move |initial| {
        let (book, kept) = (Book::new(wanted), Vec::new());
        let mut running = Running { book, fill, recovered, outcomes: ByPartition::default(), kept };
        let mut arrived: InOrder<Held, Arrived> = InOrder::new();
        let mut loading = Held::of(initial);

        move |frontiers| {
            let (mut categories_out, mut effects_out, mut leaders_out) =
                (categories_out.activate(), effects_out.activate(), leaders_out.activate());
            let open = first_open(frontiers);
            while arrived.close(open.min(recovered + 1), |epoch, _, piece| running.take(epoch, piece)).is_some() {}
            if open > recovered
                && let Some(initial) = loading.take()
            {
                let stored = running.book.loaded(&running.fill);
                let at = initial.at(recovered);
                let mut session = leaders_out.session(&at.leaders);
                stored.into_iter().for_each(|(group, ranked, diff)| session.give(((group, ranked), recovered, diff)));
                // What is filled belongs to the next epoch, whether or not that brings anything.
                arrived.hold(recovered + 1, initial.at(recovered + 1));
            }
            while let Some((epoch, held)) = arrived.close(open, |epoch, _, piece| running.take(epoch, piece)) {
                let Changed { categories, rows, leaders } = running.book.close();
                let mut session = categories_out.session(&held.categories);
                categories.into_iter().for_each(|(key, takings)| session.give((key, epoch, takings)));
                let mut session = leaders_out.session(&held.leaders);
                leaders.into_iter().for_each(|(group, ranked, diff)| session.give(((group, ranked), epoch, diff)));
                let mut session = effects_out.session(&held.effects);
                running.effects(rows, |effect| session.give(effect));
            }
            arrived.open(open, |epoch, _, piece| running.take(epoch, piece));
            sales.for_each(|capability, batch| {
                let pieces = batch.drain(..).map(Arrived::Sale);
                arrived.take(&capability, open, Held::retain, pieces, |epoch, _, piece| running.take(epoch, piece));
            });
            listings.for_each(|capability, batch| {
                let pieces = batch.drain(..).map(Arrived::Listing);
                arrived.take(&capability, open, Held::retain, pieces, |epoch, _, piece| running.take(epoch, piece));
            });
        }
    });
    Streams { categories: categories.as_collection(), effects, leaders: leaders.as_collection() }
}
