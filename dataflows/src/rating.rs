//! Feedback: a product's rating by one customer, and a product's ratings summed.

use compact_str::CompactString;
use differential_dataflow::difference::{Abelian, IsZero, Monoid, Semigroup};
use serde::{Deserialize, Serialize};

use crate::order::{OrderId, Version};
use crate::symbol::Symbol;

/// What one feedback says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The product.
    pub product: Symbol,
    /// 1 to 5.
    pub stars: u8,
    /// A hash of every field that takings reads: tells a correction from a repetition.
    pub fingerprint: u64,
}

/// One record of a feedback topic, decoded: one version of one feedback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingEvent {
    /// The feedback; ids are scoped as those of orders.
    pub id: OrderId,
    /// The id's text where the id does not give it back; see [`crate::order::IdSpace::id`].
    pub id_text: CompactString,
    /// Where the record stands, and how new it is.
    pub version: Version,
    /// What it says; `None` withdraws the feedback (a null payload).
    pub content: Option<Rating>,
}

/// How many ratings of each number of stars: the diff of the collection of ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stars(pub [i64; 5]);

impl Stars {
    /// One rating of so many stars, 1 to 5.
    pub fn one(stars: u8) -> Self {
        debug_assert!((1..=5).contains(&stars));
        let mut counts = [0; 5];
        counts[usize::from(stars.clamp(1, 5)) - 1] = 1;
        Stars(counts)
    }

    /// The number of ratings.
    pub fn ratings(&self) -> i64 {
        self.0.iter().sum()
    }

    /// The sum of all stars.
    pub fn stars(&self) -> i64 {
        self.0.iter().zip(1..).map(|(count, stars)| count * stars).sum()
    }

    /// Whether this can be the sum of some ratings, at least one.
    pub fn is_consistent(&self) -> bool {
        self.0.iter().all(|&count| count >= 0) && !self.is_zero()
    }
}

impl IsZero for Stars {
    fn is_zero(&self) -> bool {
        self.0 == [0; 5]
    }
}

impl Semigroup for Stars {
    fn plus_equals(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

impl Monoid for Stars {
    fn zero() -> Self {
        Stars::default()
    }
}

impl Abelian for Stars {
    fn negate(&mut self) {
        self.0.iter_mut().for_each(|count| *count = -*count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_summed_by_stars() {
        let mut sum = Stars::default();
        for stars in [5, 5, 1, 3] {
            sum.plus_equals(&Stars::one(stars));
        }
        assert_eq!((sum.0, sum.ratings(), sum.stars()), ([1, 0, 1, 0, 2], 4, 14));
        let mut less = Stars::one(4);
        less.negate();
        sum.plus_equals(&less);
        assert!(!sum.is_consistent(), "a count below zero");
        assert!(!Stars::default().is_consistent(), "no ratings are no row");
    }
}
