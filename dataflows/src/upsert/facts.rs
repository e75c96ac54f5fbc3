//! Facts in eight bytes: a day, and the number of the rest.
//!
//! Days and groups are numbered apart because their combinations are many and they are few: a table of
//! all combinations of a year is megabytes, and looking there cost 200 ns an order in cache misses; the
//! table of groups stays in the nearest cache.

use super::effect::Counted;
use crate::day::Day;
use crate::order::{Contribution, Fact};
use crate::symbol::Symbol;

/// A fact in one worker. It can not travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactIndex {
    /// The business day.
    pub day: Day,
    group: u32,
}

impl FactIndex {
    /// No fact: in a slot of a cancelled order.
    pub(super) const CANCELLED: FactIndex = FactIndex { day: Day::from_epoch_days(0), group: u32::MAX };

    /// The place of its group in [`FactTable::groups`].
    pub const fn group(self) -> usize {
        self.group as usize
    }
}

/// A fact without its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// The category that the order names; `None`: the catalogue's.
    pub category: Option<Symbol>,
    /// How it was paid.
    pub payment_method: Symbol,
    /// The currency of the amount.
    pub currency: Symbol,
}

/// A product by its symbol's number. It can not travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductNumber(u32);

impl ProductNumber {
    /// No product: in a slot of a cancelled order.
    pub(super) const NONE: ProductNumber = ProductNumber(u32::MAX);

    /// The number of a product.
    pub(super) const fn of(product: Symbol) -> Self {
        ProductNumber(product.number())
    }

    /// The product. Takes a lock: for orders that are taken back, which are few.
    pub fn symbol(self) -> Symbol {
        Symbol::numbered(self.0)
    }
}

/// Every group that a worker has seen. Grows with categories, payment methods and currencies: about 40
/// bytes for each of their combinations that occurs.
#[derive(Default)]
pub struct FactTable {
    numbers: hashbrown::HashMap<Group, u32>,
    groups: Vec<Group>,
}

impl FactTable {
    /// The fact, its group numbered.
    pub fn intern(&mut self, fact: &Fact) -> FactIndex {
        let &Fact { day, category, payment_method, currency } = fact;
        let group = Group { category, payment_method, currency };
        let next = self.groups.len() as u32;
        let number = *self.numbers.entry(group).or_insert(next);
        if number == next {
            debug_assert_ne!(next, FactIndex::CANCELLED.group);
            self.groups.push(group);
        }
        FactIndex { day, group: number }
    }

    /// What a slot counted, with its fact in full.
    pub fn contribution(&self, counted: Counted) -> Contribution {
        let Counted { fact: FactIndex { day, group }, product, amount, units } = counted;
        let Group { category, payment_method, currency } = self.groups[group as usize];
        let fact = Fact { day, category, payment_method, currency };
        Contribution { fact, product: product.symbol(), amount, units }
    }

    /// All groups, each at its place.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}
