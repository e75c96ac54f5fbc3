//! What the open epoch, or the replay, adds up to.

use differential_dataflow::difference::{IsZero, Semigroup};
use hashbrown::HashMap;

use super::effect::{Counted, Effect};
use super::facts::{FactTable, Group};
use crate::changes::{ByPartition, Outcomes};
use crate::day::Day;
use crate::minute::Minute;
use crate::order::OrderEvent;
use crate::products::{Part, Sale};
use crate::rollup::{Changes, RollUp};
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::view::ViewKey;
use crate::volume::MinuteKey;

/// Which orders' sales go on to their products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sold {
    /// To the rows of days.
    pub(crate) daily: Daily,
    /// Whether those that name no category go to the rows of payment methods.
    pub(crate) by_payment_method: bool,
}

impl Sold {
    /// Nobody asks for what products sold.
    pub(crate) const NOTHING: Sold = Sold { daily: Daily::Nothing, by_payment_method: false };
}

/// Which orders' sales go to their product's rows of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daily {
    /// None: no view needs them.
    Nothing,
    /// Those that name no category: the totals of categories need them.
    Listed,
    /// Those that name a category.
    Own,
    /// All.
    All,
}

impl Daily {
    const fn includes(self, is_listed: bool) -> bool {
        match self {
            Daily::Nothing => false,
            Daily::Listed => is_listed,
            Daily::Own => !is_listed,
            Daily::All => true,
        }
    }
}

/// What a replay sold, which nobody takes before its end: summed, since a log of years has more sales than memory should
/// hold.
#[derive(Default)]
pub(super) struct ReplayedSales(HashMap<(Symbol, Day, Symbol, Part), Takings>);

impl ReplayedSales {
    pub(super) fn add(&mut self, Sale { product, day, currency, part, takings }: Sale) {
        self.0.entry((product, day, currency, part)).or_default().plus_equals(&takings);
    }

    /// Those that did not cancel each other out.
    pub(super) fn into_sales(self) -> impl Iterator<Item = Sale> {
        let sales = self.0.into_iter().filter(|(_, takings)| !takings.is_zero());
        sales.map(|((product, day, currency, part), takings)| Sale { product, day, currency, part, takings })
    }
}

/// Sums of what orders changed. Used again for the next epoch: they keep their memory.
pub(super) struct Sums {
    roll_up: RollUp,
    changes: Changes,
    sold: Sold,
    minutes: HashMap<MinuteKey, Takings>,
    /// The first minute that is summed, where any is.
    minutes_since: Option<Minute>,
    pub(super) outcomes: ByPartition<Outcomes>,
}

impl Sums {
    /// For the views of `roll_up`, the sales that are `sold`, and minutes.
    pub(super) fn new(roll_up: RollUp, sold: Sold, minutes_since: Option<Minute>) -> Self {
        Sums {
            roll_up,
            changes: Changes::default(),
            sold,
            minutes: HashMap::new(),
            minutes_since,
            outcomes: ByPartition::default(),
        }
    }

    /// Adds what a record changed, and hands its sales on.
    pub(super) fn add(&mut self, facts: &FactTable, event: &OrderEvent, effect: &Effect, sell: impl FnMut(Sale)) {
        // A replay mostly fills no view: its sums would be thrown away.
        if self.roll_up.has_views() || self.sold != Sold::NOTHING {
            self.add_facts(facts, event, effect, sell);
        }
        if let Some(since) = self.minutes_since {
            self.add_minutes(facts, effect, since);
        }
    }

    fn add_facts(&mut self, facts: &FactTable, event: &OrderEvent, effect: &Effect, mut sell: impl FnMut(Sale)) {
        if !effect.changes_order() {
            return;
        }
        let Sums { roll_up, changes, sold, .. } = self;
        if let Some(was) = effect.was() {
            roll_up.add(facts, changes, was.fact, &-was.takings());
            sales_of(facts, &was, *sold, || was.product.symbol(), |sale| sell(Sale { takings: -sale.takings, ..sale }));
        }
        if let Some(is) = effect.is {
            roll_up.add(facts, changes, is.fact, &is.takings());
            let product = || event.contribution().map_or_else(|| is.product.symbol(), |counts| counts.product);
            sales_of(facts, &is, *sold, product, sell);
        }
    }

    fn add_minutes(&mut self, facts: &FactTable, effect: &Effect, since: Minute) {
        if !effect.changes_order() && effect.minute_was == effect.minute {
            return;
        }
        let mut add = |minute: Minute, counted: &Counted, takings: Takings| {
            if minute != Minute::NONE && minute >= since {
                let currency = facts.groups()[counted.fact.group()].currency;
                self.minutes.entry((minute, currency)).or_default().plus_equals(&takings);
            }
        };
        if let Some(was) = effect.was() {
            add(effect.minute_was, &was, -was.takings());
        }
        if let Some(is) = effect.is {
            add(effect.minute, &is, is.takings());
        }
    }

    /// Hands over each row's change.
    pub(super) fn drain_rows(&mut self, each: impl FnMut(ViewKey, Takings)) {
        self.roll_up.drain(&mut self.changes, each);
    }

    /// Hands over each minute's change.
    pub(super) fn drain_minutes(&mut self, mut each: impl FnMut(MinuteKey, Takings)) {
        for (key, takings) in self.minutes.drain() {
            if !takings.is_zero() {
                each(key, takings);
            }
        }
    }
}

fn sales_of(
    facts: &FactTable,
    counted: &Counted,
    sold: Sold,
    product: impl FnOnce() -> Symbol,
    mut sell: impl FnMut(Sale),
) {
    let Group { category, payment_method, currency } = facts.groups()[counted.fact.group()];
    let is_listed = category.is_none();
    let (daily, by_payment_method) = (sold.daily.includes(is_listed), sold.by_payment_method && is_listed);
    if !daily && !by_payment_method {
        return;
    }
    let (product, day, takings) = (product(), counted.fact.day, counted.takings());
    let mut sell = |part| sell(Sale { product, day, currency, part, takings });
    if daily {
        sell(if is_listed { Part::Listed } else { Part::Own });
    }
    if by_payment_method {
        sell(Part::ListedBy(payment_method));
    }
}
