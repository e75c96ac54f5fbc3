//! The monoid of totals: what an order adds, and what a total is.

use differential_dataflow::difference::{Abelian, IsZero, Monoid, Multiply, Semigroup};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// A total, or what one order adds to a total: the diff of every collection of sales.
///
/// It is a commutative group under component-wise addition, so differential dataflow can sum,
/// retract and compare it. All sums are checked at the edge: an [`Amount`] that enters is at most
/// [`Amount::MAX_ABS`], and 2^63 of those still fit an `i128`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Takings {
    /// Sum of the orders' amounts, in one currency.
    pub amount: Amount,
    /// Number of orders. Keeps a group alive: a total of zero money is a total, a total of zero
    /// orders is a deletion.
    pub orders: i64,
    /// Sum of the orders' quantities.
    pub units: i64,
}

impl Takings {
    /// What one order with this `amount` and these `units` adds.
    pub const fn of_order(amount: Amount, units: i64) -> Self {
        Takings { amount, orders: 1, units }
    }

    /// Whether any order is left in this total. Never judge a group by its amount.
    pub const fn is_alive(&self) -> bool {
        self.orders != 0
    }

    /// Whether this can be the total of a set of orders: no negative number of orders, and nothing
    /// left over where there are none. A total for which this is false is a fault of takings or of
    /// its store, and must never be written.
    pub fn is_consistent(&self) -> bool {
        self.orders > 0 || self.is_zero()
    }
}

impl IsZero for Takings {
    fn is_zero(&self) -> bool {
        self.amount.is_zero() && self.orders == 0 && self.units == 0
    }
}

impl Semigroup for Takings {
    fn plus_equals(&mut self, other: &Self) {
        self.amount += other.amount;
        self.orders += other.orders;
        self.units += other.units;
    }
}

impl Monoid for Takings {
    fn zero() -> Self {
        Takings::default()
    }
}

impl Abelian for Takings {
    fn negate(&mut self) {
        self.amount = -self.amount;
        self.orders = -self.orders;
        self.units = -self.units;
    }
}

impl std::ops::Neg for Takings {
    type Output = Takings;
    fn neg(mut self) -> Takings {
        self.negate();
        self
    }
}

impl Multiply<isize> for Takings {
    type Output = Takings;

    fn multiply(self, factor: &isize) -> Takings {
        Takings {
            amount: self.amount.times(*factor as i64),
            orders: self.orders * *factor as i64,
            units: self.units * *factor as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_of_zero_money_is_alive() {
        let refunded = Takings { amount: Amount::ZERO, orders: 2, units: 2 };
        assert!(refunded.is_alive());
        assert!(!refunded.is_zero());
    }

    #[test]
    fn what_is_added_and_retracted_leaves_nothing() {
        let order = Takings::of_order(Amount::from_micros(12_345), 3);
        let mut sum = order;
        let mut back = order;
        back.negate();
        sum.plus_equals(&back);
        assert!(sum.is_zero());
        assert_eq!(order.multiply(&-1), back);
    }

    #[test]
    fn money_without_orders_is_inconsistent() {
        assert!(!Takings { amount: Amount::from_micros(1), orders: 0, units: 0 }.is_consistent());
        assert!(!Takings { amount: Amount::ZERO, orders: -1, units: 0 }.is_consistent());
        assert!(Takings::default().is_consistent());
    }
}
