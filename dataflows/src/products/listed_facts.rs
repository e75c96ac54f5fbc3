//! The sales that follow the catalogue by payment method as well: what the totals of facts need to follow it too.
//!
//! Apart from the rows of days, and only where facts are wanted: a product that is paid for in six ways has six rows a
//! day here, of 48 bytes each.

use differential_dataflow::difference::{IsZero, Semigroup};

use super::attribution::{Attributed, Moves, Shifts, Touched};
use super::groups::{Group, Groups};
use super::shelf::OfProduct;
use crate::day::Day;
use crate::row::{RowChange, RowValue};
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::view::ViewKey;

/// A day, a payment method and a currency.
type Paid = (Day, Symbol, Symbol);

/// One worker's rows of `listed_facts`. The clauses of the book hold for them.
pub(super) struct ListedFacts {
    groups: Groups<Paid, Row>,
    /// Rows that the open epoch touched.
    touched: Vec<Touched<Takings>>,
    /// Changes of facts, as they gather.
    shifts: Shifts<Paid>,
}

/// A product in a group. 48 bytes.
struct Row {
    product: Symbol,
    category: u32,
    mark: u32,
    takings: Takings,
}

const _: () = assert!(size_of::<Row>() == 48);

impl OfProduct for Row {
    fn product(&self) -> Symbol {
        self.product
    }
}

impl Attributed for Row {
    fn listed(&self) -> &Takings {
        &self.takings
    }

    fn category(&mut self) -> &mut u32 {
        &mut self.category
    }

    fn mark(&self) -> u32 {
        self.mark
    }
}

impl ListedFacts {
    pub(super) fn new() -> Self {
        ListedFacts { groups: Groups::new(), touched: Vec::new(), shifts: Shifts::default() }
    }

    /// Takes a sale in, or takes one back. `mark` is the open epoch's; `category` that of a row that is new.
    pub(super) fn sell(
        &mut self,
        paid: Paid,
        product: Symbol,
        takings: &Takings,
        mark: u32,
        category: impl FnOnce() -> u32,
    ) {
        let group = self.groups.number(paid);
        let rows = &mut self.groups.groups[group as usize].rows;
        let at = rows.place(product, || Row { product, category: category(), mark: 0, takings: Takings::default() });
        let row = rows.row_mut(at);
        if row.mark != mark {
            row.mark = mark;
            self.touched.push(Touched { group, at, was: row.takings });
        }
        row.takings.plus_equals(takings);
    }

    /// Ends the loading: a row's listing may have come after it.
    pub(super) fn loaded(&mut self, category: impl Fn(Symbol) -> u32) {
        for Touched { group, at, .. } in std::mem::take(&mut self.touched) {
            let row = self.groups.groups[group as usize].rows.row_mut(at);
            row.category = category(row.product);
        }
    }

    /// Hands over what the epoch moved between the facts of categories.
    pub(super) fn attribute(&mut self, moves: &Moves, mark: u32, mut each: impl FnMut(ViewKey, Takings)) {
        moves.attribute(&mut self.groups, self.touched.iter().copied(), mark, &mut self.shifts);
        for ((day, payment_method, currency), category, takings) in self.shifts.drain() {
            each(ViewKey::Facts { day, category, payment_method, currency }, takings);
        }
    }

    /// Ends an epoch: hands over the rows that it changed.
    pub(super) fn close(&mut self, mut each: impl FnMut(RowChange)) {
        for Touched { group, at, was } in self.touched.drain(..) {
            let Group { key: (day, payment_method, currency), rows, .. } = &mut self.groups.groups[group as usize];
            let (day, payment_method, currency) = (*day, *payment_method, *currency);
            let &Row { product, takings: is, .. } = rows.row(at);
            let value = |takings: Takings| (!takings.is_zero()).then_some(RowValue::Takings(takings));
            let (old, new) = (value(was), value(is));
            if old != new {
                let key = ViewKey::ListedFacts { day, product, payment_method, currency };
                each(RowChange { key, old, new });
            }
            if new.is_none() {
                rows.remove(at);
            }
        }
    }
}
