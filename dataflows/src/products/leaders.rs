//! The best sellers of one group, kept while totals change, without looking at the rest.
//!
//! A flat "top N" looks at every product of a group each time one of them changes: 9 ms an epoch with
//! 100,000 products. Here a few more than N are held in order. Nearly every change is of a product that
//! ranks behind all of those before and after, and costs one comparison. Only when so many of those held
//! have fallen behind that fewer than N are left is the group looked through again.

use std::cmp::Ordering;

use crate::row::Ranked;
use crate::symbol::Symbol;
use crate::takings::Takings;

/// The rule of ranks: the greater total first; of equal ones, the product whose text comes first, byte
/// by byte. Two different products are never equal.
pub(crate) fn by_rank(one: &Ranked, other: &Ranked) -> Ordering {
    other.takings.amount.cmp(&one.takings.amount).then_with(|| {
        if one.product == other.product {
            return Ordering::Equal;
        }
        one.product.text().cmp(other.product.text())
    })
}

/// The leaders of one group.
///
/// Clauses that hold between epochs:
/// - *in order*: `best` is sorted by rank, and each product's total is its newest;
/// - *no better one outside*: every product of the group that is not in `best` ranks behind all that are;
/// - *enough*: `best` holds at least N products, or all of the group.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    best: Vec<Ranked>,
    /// Whether the group may have products that are not in `best`.
    has_more: bool,
    /// Fewer than N are left of more: `best` is to be made anew, and until then not to be trusted.
    is_short: bool,
    /// Whether `best` changed since it was published.
    is_dirty: bool,
    published: Vec<Ranked>,
}

/// How many are held for the `top` that are asked for: departures are spread over so many more changes
/// before the group is looked through.
const fn held(top: usize) -> usize {
    top * 2 + 16
}

impl Leaders {
    /// Takes in that a product's total changed; `None` is no sale.
    pub(crate) fn update(&mut self, top: usize, product: Symbol, was: Option<Takings>, is: Option<Takings>) {
        if self.is_short {
            return;
        }
        if let Some(takings) = was
            && let Ok(place) = self.best.binary_search_by(|held| by_rank(held, &Ranked { product, takings }))
        {
            self.best.remove(place);
            self.is_dirty = true;
        }
        if let Some(takings) = is {
            let ranked = Ranked { product, takings };
            let place = self.best.partition_point(|held| by_rank(held, &ranked) == Ordering::Less);
            if place < self.best.len() || !self.has_more {
                self.best.insert(place, ranked);
                self.is_dirty = true;
                if self.best.len() > held(top) {
                    self.best.pop();
                    self.has_more = true;
                }
            }
        }
        self.is_short = self.best.len() < top && self.has_more;
    }

    /// Whether [`Leaders::refill`] is needed.
    pub(crate) const fn is_short(&self) -> bool {
        self.is_short
    }

    /// Whether [`Leaders::publish`] may have anything to say.
    pub(crate) const fn is_dirty(&self) -> bool {
        self.is_dirty || self.is_short
    }

    /// Makes the leaders anew from all products of the group.
    pub(crate) fn refill(&mut self, top: usize, all: impl Iterator<Item = Ranked>) {
        self.best.clear();
        self.has_more = false;
        let limit = held(top);
        for ranked in all {
            self.best.push(ranked);
            if self.best.len() >= 4 * limit {
                self.best.select_nth_unstable_by(limit - 1, by_rank);
                self.best.truncate(limit);
                self.has_more = true;
            }
        }
        self.best.sort_unstable_by(by_rank);
        if self.best.len() > limit {
            self.best.truncate(limit);
            self.has_more = true;
        }
        self.is_short = false;
        self.is_dirty = true;
    }

    /// The first `top` where they differ from those published before: hands over each that is no longer
    /// among them with -1, each new one with +1. A changed total is both.
    pub(crate) fn publish(&mut self, top: usize, mut each: impl FnMut(Ranked, isize)) {
        debug_assert!(!self.is_short);
        debug_assert!(self.best.is_sorted_by(|one, next| by_rank(one, next) == Ordering::Less));
        self.is_dirty = false;
        let now = &self.best[..self.best.len().min(top)];
        if now == self.published.as_slice() {
            return;
        }
        self.published.iter().filter(|ranked| !now.contains(ranked)).for_each(|ranked| each(*ranked, -1));
        now.iter().filter(|ranked| !self.published.contains(ranked)).for_each(|ranked| each(*ranked, 1));
        self.published.clear();
        self.published.extend_from_slice(now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::amount::Amount;

    fn takings(amount: i8) -> Takings {
        Takings { amount: Amount::from_micros(amount.into()), orders: 1, units: 1 }
    }

    /// What the published changes add up to, and the plain truth.
    fn check(published: &BTreeMap<(Symbol, Takings), isize>, totals: &BTreeMap<Symbol, Takings>, top: usize) {
        let mut all: Vec<Ranked> = totals.iter().map(|(&product, &takings)| Ranked { product, takings }).collect();
        all.sort_by(by_rank);
        all.truncate(top);
        let mut found: Vec<Ranked> = published
            .iter()
            .filter(|(_, count)| **count != 0)
            .map(|(&(product, takings), count)| {
                assert_eq!(*count, 1);
                Ranked { product, takings }
            })
            .collect();
        found.sort_by(by_rank);
        assert_eq!(found, all);
    }

    proptest! {
        /// Random totals of many products, in batches that change a product several times.
        #[test]
        fn the_first_ones_are_those_of_a_sort(
            batches in prop::collection::vec(prop::collection::vec((0..120u8, prop::option::of(-3..60i8)), 1..80), 1..30),
            top in 1..5usize,
        ) {
            let (mut leaders, mut totals, mut published) = (Leaders::default(), BTreeMap::new(), BTreeMap::new());
            for batch in batches {
                for (product, amount) in batch {
                    let product = Symbol::new(&format!("product {product}"));
                    let is = amount.map(takings);
                    let was = match is {
                        Some(is) => totals.insert(product, is),
                        None => totals.remove(&product),
                    };
                    leaders.update(top, product, was, is);
                }
                if leaders.is_short() {
                    leaders.refill(top, totals.iter().map(|(&product, &takings)| Ranked { product, takings }));
                }
                leaders.publish(top, |ranked, diff| *published.entry((ranked.product, ranked.takings)).or_default() += diff);
                check(&published, &totals, top);
            }
        }
    }

    #[test]
    fn ties_go_by_the_products_text() {
        let ranked = |product: &str| Ranked { product: Symbol::new(product), takings: takings(7) };
        let mut all = [ranked("b"), ranked("é"), ranked("a"), ranked("B")];
        all.sort_by(by_rank);
        assert_eq!(all.map(|ranked| ranked.product.text()), ["B", "a", "b", "é"]);
    }

    /// Far more than are held leave, the best one first each time.
    #[test]
    fn leaders_that_leave_are_replaced_by_those_behind_them() {
        let top = 3;
        let (mut leaders, mut totals, mut published) = (Leaders::default(), BTreeMap::new(), BTreeMap::new());
        for number in 0..100i8 {
            let product = Symbol::new(&format!("leaving {number}"));
            totals.insert(product, takings(number));
            leaders.update(top, product, None, Some(takings(number)));
        }
        for number in (0..100i8).rev() {
            leaders
                .publish(top, |ranked, diff| *published.entry((ranked.product, ranked.takings)).or_default() += diff);
            check(&published, &totals, top);
            let product = Symbol::new(&format!("leaving {number}"));
            totals.remove(&product);
            leaders.update(top, product, Some(takings(number)), None);
            assert!(leaders.best.len() >= top.min(totals.len()) || leaders.is_short(), "{number}");
            if leaders.is_short() {
                leaders.refill(top, totals.iter().map(|(&product, &takings)| Ranked { product, takings }));
            }
        }
    }

    #[test]
    fn a_newcomer_does_not_pass_better_ones_outside() {
        let product = |number: i8| Symbol::new(&format!("passing {number}"));
        let mut leaders = Leaders::default();
        (0..30).for_each(|place: i8| leaders.update(1, product(100 - place), None, Some(takings(100 - place))));
        let held = leaders.best.len() as i8;
        (0..5).for_each(|place| leaders.update(1, product(100 - place), Some(takings(100 - place)), None));
        leaders.update(1, product(1), None, Some(takings(1)));
        (5..held).for_each(|place| leaders.update(1, product(100 - place), Some(takings(100 - place)), None));
        assert!(leaders.is_short(), "the best one now is among those that were not held: {:?}", leaders.best);
    }

    #[test]
    fn few_products_need_no_second_look() {
        let mut leaders = Leaders::default();
        let products: Vec<Symbol> = (0..10).map(|number| Symbol::new(&format!("few {number}"))).collect();
        for &product in &products {
            leaders.update(10, product, None, Some(takings(5)));
        }
        for &product in &products[1..] {
            leaders.update(10, product, Some(takings(5)), None);
        }
        assert!(!leaders.is_short(), "there is none outside to look for");
        assert_eq!(leaders.best.len(), 1);
    }
}
