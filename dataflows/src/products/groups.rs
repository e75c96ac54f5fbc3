//! Rows of products in groups, such as all that a day and a currency have, each group with its leaders.

use hashbrown::HashMap;

use super::leaders::Leaders;
use super::shelf::{OfProduct, Shelf};
use crate::row::Ranked;
use crate::symbol::Symbol;
use crate::takings::Takings;

/// Products of many groups.
pub(super) struct Groups<K, R> {
    numbers: HashMap<K, u32>,
    pub(super) groups: Vec<Group<K, R>>,
    /// The group asked for last: sales of a day come together.
    last: Option<(K, u32)>,
    /// Groups whose leaders were updated since they were published.
    led: Vec<u32>,
}

pub(super) struct Group<K, R> {
    pub(super) key: K,
    pub(super) rows: Shelf<R>,
    leaders: Leaders,
    /// Whether its number is in `led`.
    is_led: bool,
}

impl<K: Copy + Eq + std::hash::Hash, R: OfProduct> Groups<K, R> {
    pub(super) fn new() -> Self {
        Groups { numbers: HashMap::default(), groups: Vec::new(), last: None, led: Vec::new() }
    }

    /// The number of a group, a new one if need be.
    pub(super) fn number(&mut self, key: K) -> u32 {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == key) {
            return number;
        }
        let next = self.groups.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.groups.push(Group { key, rows: Shelf::new(), leaders: Leaders::default(), is_led: false });
        }
        self.last = Some((key, number));
        number
    }

    /// Takes in that a product's total in a group changed.
    pub(super) fn lead(&mut self, top: usize, number: u32, product: Symbol, was: Takings, is: Takings) {
        let Group { leaders, is_led, .. } = &mut self.groups[number as usize];
        leaders.update(top, product, ranks(was), ranks(is));
        if leaders.is_dirty() && !std::mem::replace(is_led, true) {
            self.led.push(number);
        }
    }

    /// Hands over how the leaders of each group changed.
    pub(super) fn publish(
        &mut self,
        top: usize,
        ranked: impl Fn(&R) -> Ranked,
        mut each: impl FnMut(K, Ranked, isize),
    ) {
        for number in self.led.drain(..) {
            let Group { key, rows, leaders, is_led } = &mut self.groups[number as usize];
            *is_led = false;
            if leaders.is_short() {
                leaders.refill(top, rows.rows().map(&ranked).filter(|ranked| ranks(ranked.takings).is_some()));
            }
            leaders.publish(top, |ranked, diff| each(*key, ranked, diff));
        }
    }
}

/// The total by which a product may lead: what no set of sales can sum to has no rank.
fn ranks(takings: Takings) -> Option<Takings> {
    (takings.is_alive() && takings.is_consistent()).then_some(takings)
}
