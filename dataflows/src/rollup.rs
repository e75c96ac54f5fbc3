//! Combining: one epoch's changes of facts, summed into the rows of every view.
//!
//! This is what makes the rest cheap: however many orders an epoch brings, differential dataflow sees
//! each row that changed once. Measured in a prototype against giving it every order: 30 ns instead of
//! 250 ns an order at epochs of 100,000.

use differential_dataflow::difference::{IsZero, Semigroup};

use crate::order::{Contribution, Fact};
use crate::takings::Takings;
use crate::view::{View, ViewKey};

/// Which rows each fact is part of: grows by a few bytes with every fact and row ever seen.
pub struct RollUp {
    views: Vec<View>,
    facts: hashbrown::HashMap<Fact, u32>,
    /// `views.len()` rows for each fact.
    rows_of_fact: Vec<u32>,
    rows: hashbrown::HashMap<ViewKey, u32>,
    keys: Vec<ViewKey>,
}

/// The changes of one epoch, as they gather.
#[derive(Default)]
pub struct Changes {
    facts: Dense,
    rows: Dense,
}

/// A sum for each of a dense range of numbers, most of them zero.
#[derive(Default)]
struct Dense {
    sums: Vec<Takings>,
    is_touched: Vec<bool>,
    touched: Vec<u32>,
}

impl Dense {
    fn add(&mut self, at: u32, change: &Takings) {
        let index = at as usize;
        if index >= self.sums.len() {
            self.sums.resize(index + 1, Takings::default());
            self.is_touched.resize(index + 1, false);
        }
        if !self.is_touched[index] {
            self.is_touched[index] = true;
            self.touched.push(at);
        }
        self.sums[index].plus_equals(change);
    }

    fn drain(&mut self, mut each: impl FnMut(u32, Takings)) {
        for at in self.touched.drain(..) {
            let index = at as usize;
            self.is_touched[index] = false;
            let sum = std::mem::take(&mut self.sums[index]);
            if !sum.is_zero() {
                each(at, sum);
            }
        }
    }
}

impl RollUp {
    /// For these views.
    pub fn new(views: &[View]) -> Self {
        RollUp {
            views: views.to_vec(),
            facts: hashbrown::HashMap::default(),
            rows_of_fact: Vec::new(),
            rows: hashbrown::HashMap::default(),
            keys: Vec::new(),
        }
    }

    /// Adds a contribution to an epoch's changes.
    pub fn add(&mut self, changes: &mut Changes, contribution: &Contribution) {
        let fact = self.intern(&contribution.fact);
        changes.facts.add(fact, &contribution.takings());
    }

    /// Takes a contribution back.
    pub fn retract(&mut self, changes: &mut Changes, contribution: &Contribution) {
        use differential_dataflow::difference::Abelian;
        let fact = self.intern(&contribution.fact);
        let mut takings = contribution.takings();
        takings.negate();
        changes.facts.add(fact, &takings);
    }

    /// Hands over each row that the epoch changed, once, with the sum of its changes. Leaves `changes`
    /// empty, for another epoch.
    pub fn drain(&self, changes: &mut Changes, mut each: impl FnMut(ViewKey, Takings)) {
        let Changes { facts, rows } = changes;
        let width = self.views.len();
        facts.drain(|fact, sum| {
            for &row in &self.rows_of_fact[fact as usize * width..][..width] {
                rows.add(row, &sum);
            }
        });
        rows.drain(|row, sum| each(self.keys[row as usize], sum));
    }

    fn intern(&mut self, fact: &Fact) -> u32 {
        if let Some(&index) = self.facts.get(fact) {
            return index;
        }
        let index = self.facts.len() as u32;
        self.facts.insert(*fact, index);
        for &view in &self.views {
            let key = ViewKey::of(view, fact);
            let next = self.keys.len() as u32;
            let row = *self.rows.entry(key).or_insert(next);
            if row == next {
                self.keys.push(key);
            }
            self.rows_of_fact.push(row);
        }
        index
    }
}
