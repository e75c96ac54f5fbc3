//! What an epoch has gathered of its orders while it is open.

use differential_dataflow::difference::{IsZero, Semigroup};
use hashbrown::HashMap;

use super::facts::{FactTable, Group};
use super::orders::{Counted, Effect};
use crate::changes::{ByPartition, Outcomes};
use crate::minute::Minute;
use crate::order::OrderEvent;
use crate::products::{Part, Sale};
use crate::rollup::{Changes, RollUp};
use crate::symbol::Symbol;
use crate::takings::Takings;
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

/// Used again for a later epoch: it keeps its memory.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) changes: Changes,
    pub(super) minutes: HashMap<MinuteKey, Takings>,
    pub(super) outcomes: ByPartition<Outcomes>,
}

impl Gathered {
    /// Adds what a record changed to the sums of facts, and hands its sales on.
    pub(super) fn sum(
        &mut self,
        roll_up: &mut RollUp,
        facts: &FactTable,
        event: &OrderEvent,
        effect: &Effect,
        sold: Sold,
        mut sell: impl FnMut(Sale),
    ) {
        if !effect.changes_order() {
            return;
        }
        if let Some(was) = effect.was() {
            roll_up.add(facts, &mut self.changes, was.fact, &-was.takings());
            sales_of(facts, &was, sold, || was.product.symbol(), |sale| sell(Sale { takings: -sale.takings, ..sale }));
        }
        if let Some(is) = effect.is {
            roll_up.add(facts, &mut self.changes, is.fact, &is.takings());
            let product = || event.contribution().map_or_else(|| is.product.symbol(), |counts| counts.product);
            sales_of(facts, &is, sold, product, sell);
        }
    }

    /// Adds what a record changed to the sums of minutes, from `since` on.
    pub(super) fn time(&mut self, facts: &FactTable, effect: &Effect, since: Minute) {
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
