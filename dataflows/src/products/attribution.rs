//! Which category the sales that name none count in: that of their product's newest listing, whenever they were made.

use differential_dataflow::difference::{IsZero, Semigroup};
use hashbrown::HashMap;

use super::groups::{Group, Groups};
use super::shelf::OfProduct;
use crate::listing::Listing;
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::upsert::Newest;

/// A product's row in a group, of which some takings follow the catalogue.
pub(super) trait Attributed: OfProduct {
    /// Those takings.
    fn listed(&self) -> &Takings;

    /// The number of the category that they count in.
    fn category(&mut self) -> &mut u32;

    /// The epoch that touched the row last, by its number in the book.
    fn mark(&self) -> u32;
}

/// A row that the open epoch touched, with what it held before.
#[derive(Clone, Copy)]
pub(super) struct Touched<T> {
    pub(super) group: u32,
    pub(super) at: u32,
    pub(super) was: T,
}

/// Changes of totals by group and category, as they gather.
pub(super) struct Shifts<K>(HashMap<(K, u32), Takings>);

impl<K> Default for Shifts<K> {
    fn default() -> Self {
        Shifts(HashMap::default())
    }
}

impl<K: Copy + Eq + std::hash::Hash> Shifts<K> {
    pub(super) fn add(&mut self, group: K, category: u32, takings: &Takings) {
        if !takings.is_zero() {
            self.0.entry((group, category)).or_default().plus_equals(takings);
        }
    }

    /// Hands over what is not zero.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (K, Symbol, Takings)> {
        let changed = self.0.drain().filter(|(_, takings)| !takings.is_zero());
        changed.map(|((group, category), takings)| (group, Symbol::numbered(category), takings))
    }
}

/// The category that a listing gives to sales that name none.
pub(super) fn category_of(listing: Option<Listing>, unlisted: Symbol) -> u32 {
    listing.and_then(|listing| listing.category).unwrap_or(unlisted).number()
}

/// What an epoch did to the categories of products.
pub(super) struct Moves {
    /// Of each product that it listed, the category that it has now.
    is: HashMap<Symbol, u32>,
    /// Those among them that had another one before.
    moved: HashMap<Symbol, u32>,
}

impl Moves {
    /// From the products whose listing changed, with what it was.
    pub(super) fn of(
        relisted: &HashMap<Symbol, Option<Listing>>,
        category: impl Fn(Option<Listing>) -> u32,
        listings: &Newest<Symbol, Listing>,
    ) -> Moves {
        let is: HashMap<Symbol, u32> =
            relisted.keys().map(|&product| (product, category(listings.get(product)))).collect();
        let has_moved = |product: &Symbol, to: u32| category(relisted.get(product).copied().flatten()) != to;
        let moved = is.iter().filter(|(product, to)| has_moved(product, **to)).map(|(product, to)| (*product, *to));
        let moved = moved.collect();
        Moves { is, moved }
    }

    /// Gathers what the epoch moved between categories: sales to or from the one that their product has,
    /// and, of a product that has another one now, all that it ever sold.
    pub(super) fn attribute<K: Copy + Eq + std::hash::Hash, R: Attributed>(
        &self,
        groups: &mut Groups<K, R>,
        touched: impl Iterator<Item = Touched<Takings>>,
        mark: u32,
        shifts: &mut Shifts<K>,
    ) {
        for Touched { group, at, was } in touched {
            let Group { key, rows, .. } = &mut groups.groups[group as usize];
            let row = rows.row_mut(at);
            shifts.add(*key, *row.category(), &-was);
            // A row of this epoch may have the category of a listing that came and went within it, even
            // where its product has the same one after the epoch as before.
            if let Some(&is) = self.is.get(&row.product()) {
                *row.category() = is;
            }
            let category = *row.category();
            shifts.add(*key, category, row.listed());
        }
        if self.moved.is_empty() {
            return;
        }
        for Group { key, rows, .. } in &mut groups.groups {
            // By the shorter way: probing for each that moved, or looking at all that there are.
            let places: Vec<(u32, u32)> = if self.moved.len() < rows.len() {
                self.moved.iter().filter_map(|(&product, &to)| Some((rows.find(product)?, to))).collect()
            } else {
                rows.places().filter_map(|at| Some((at, *self.moved.get(&rows.row(at).product())?))).collect()
            };
            for (at, to) in places {
                let row = rows.row_mut(at);
                if row.mark() != mark {
                    let from = std::mem::replace(row.category(), to);
                    shifts.add(*key, from, &-*row.listed());
                    shifts.add(*key, to, row.listed());
                }
            }
        }
    }
}
