//! What an epoch has gathered of its orders while it is open.

use differential_dataflow::difference::{IsZero, Semigroup};
use hashbrown::HashMap;

use super::facts::{FactTable, Group};
use super::orders::{Counted, Effect};
use crate::changes::{ByPartition, Outcomes};
use crate::log_time::LogTime;
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

/// Minutes of a replay past which only the last ones are kept: a log of years has more than memory should
/// hold. Where the last ones are more than half of that, so many more are held.
const MINUTES_AT_MOST: usize = 1 << 18;

/// Used again for a later epoch: it keeps its memory.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) changes: Changes,
    pub(super) minutes: HashMap<MinuteKey, Takings>,
    pub(super) outcomes: ByPartition<Outcomes>,
    /// How far a replay has come, in minutes: one clock that is ahead does not say it.
    time: LogTime,
    /// How many minutes the last purge left.
    left: usize,
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

    /// Adds what a record changed to the sums of minutes.
    pub(super) fn time(&mut self, facts: &FactTable, effect: &Effect) {
        if !effect.changes_order() && effect.minute_was == effect.minute {
            return;
        }
        let mut add = |minute: Minute, counted: &Counted, takings: Takings| {
            if minute != Minute::NONE {
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

    /// Notes how far a replay comes with these orders.
    pub(super) fn replays(&mut self, orders: &[OrderEvent]) {
        orders.iter().for_each(|order| self.time.note(order.minute.number().into()));
    }

    /// Forgets the oldest minutes where there are too many.
    pub(super) fn bound_minutes(&mut self, window: u32) {
        if self.minutes.len() > MINUTES_AT_MOST.max(2 * self.left) {
            // What is noted are minutes.
            let newest = Minute::from_number(self.time.millis() as u32);
            self.minutes.retain(|(minute, _), _| *minute >= newest.before(window));
            self.left = self.minutes.len();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;

    /// Replays an order in each of these minutes.
    fn replayed(minutes: impl IntoIterator<Item = u32>) -> Gathered {
        let mut gathered = Gathered::default();
        for minute in minutes {
            let minute = Minute::from_number(minute);
            gathered.minutes.insert((minute, Symbol::new("EUR")), Takings::of_order(Amount::ZERO, 1));
            gathered.time.note(minute.number().into());
            gathered.bound_minutes(60);
        }
        gathered
    }

    fn keeps(gathered: &Gathered, minute: u32) -> bool {
        gathered.minutes.contains_key(&(Minute::from_number(minute), Symbol::new("EUR")))
    }

    #[test]
    fn a_replay_of_years_keeps_the_newest_minutes() {
        let newest = MINUTES_AT_MOST as u32 + 10;
        let gathered = replayed(1..=newest);
        assert!(gathered.minutes.len() < MINUTES_AT_MOST);
        assert!((newest - 60..=newest).all(|minute| keeps(&gathered, minute)), "those within the window are there");
        assert!(!keeps(&gathered, 1));
    }

    #[test]
    fn one_clock_that_is_ahead_takes_no_minute_away() {
        const YEAR_2100: u32 = 68_374_080;
        let newest = MINUTES_AT_MOST as u32 + 10;
        let gathered = replayed([YEAR_2100].into_iter().chain(1..=newest));
        assert!((newest - 60..=newest).all(|minute| keeps(&gathered, minute)));
    }

    #[test]
    fn where_all_minutes_are_within_the_window_more_are_held() {
        let mut gathered = replayed(1..=MINUTES_AT_MOST as u32);
        let (one, currency) = (Takings::of_order(Amount::ZERO, 1), Symbol::new("EUR"));
        gathered.minutes.insert((Minute::from_number(1 << 20), currency), one);
        gathered.bound_minutes(u32::MAX);
        assert!(keeps(&gathered, 1), "all are within the window");
        // It looked, and will not again before there are twice as many.
        gathered.minutes.insert((Minute::from_number(1 << 21), currency), one);
        gathered.bound_minutes(0);
        assert!(keeps(&gathered, 1));
        gathered.left = 0;
        gathered.bound_minutes(0);
        assert!(!keeps(&gathered, 1));
    }
}
