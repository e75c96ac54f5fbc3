//! Facts by number: they are few, and orders are many.

use super::orders::Counted;
use crate::order::{Contribution, Fact};

/// A fact's number in one worker. It can not travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactIndex(u32);

impl FactIndex {
    /// No fact: in a slot of a cancelled order.
    pub(super) const CANCELLED: FactIndex = FactIndex(u32::MAX);

    /// As a place in a table.
    pub const fn place(self) -> u32 {
        self.0
    }
}

/// Every fact that a worker has seen. Grows with days, categories, payment methods and currencies: about
/// 40 bytes for each of their combinations that occurs.
#[derive(Default)]
pub struct FactTable {
    numbers: hashbrown::HashMap<Fact, FactIndex>,
    facts: Vec<Fact>,
    /// The last one asked for: a new order's fact is asked for twice.
    last: Option<(Fact, FactIndex)>,
}

impl FactTable {
    /// The number of a fact.
    pub fn intern(&mut self, fact: &Fact) -> FactIndex {
        if let Some((last, index)) = &self.last
            && last == fact
        {
            return *index;
        }
        let next = FactIndex(self.facts.len() as u32);
        debug_assert_ne!(next, FactIndex::CANCELLED);
        let index = *self.numbers.entry(*fact).or_insert(next);
        if index == next {
            self.facts.push(*fact);
        }
        self.last = Some((*fact, index));
        index
    }

    /// What a slot counted, with its fact in full.
    pub fn contribution(&self, counted: Counted) -> Contribution {
        let Counted { fact, amount, units } = counted;
        Contribution { fact: self.facts[fact.0 as usize], amount, units }
    }

    /// All of them, each at its place.
    pub fn all(&self) -> &[Fact] {
        &self.facts
    }
}
