//! Rows of products, found by product: one probe, and then by their place.
//!
//! Rows stand in chunks and never move, so that growth copies nothing, and a place that was found once in an
//! epoch serves until its end.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::symbol::Symbol;

/// What has a row.
pub(super) trait OfProduct {
    /// Whose row it is.
    fn product(&self) -> Symbol;
}

/// Rows of one group.
pub(super) struct Shelf<R> {
    /// Each product's number, and where its row is: no probe looks at a row.
    places: HashTable<(u32, u32)>,
    chunks: Vec<Vec<R>>,
    length: u32,
    /// Places whose row is gone.
    free: Vec<u32>,
}

/// Rows in a chunk.
const CHUNK: usize = 32;

/// The probe's hash of a product's number. Symbols of one worker share bits of their own hash, which routed them
/// here.
fn hash(number: u32) -> u64 {
    (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<R: OfProduct> Shelf<R> {
    pub(super) const fn new() -> Self {
        Shelf { places: HashTable::new(), chunks: Vec::new(), length: 0, free: Vec::new() }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Where a product's row is.
    pub(super) fn find(&self, product: Symbol) -> Option<u32> {
        let number = product.number();
        self.places.find(hash(number), |&(known, _)| known == number).map(|&(_, at)| at)
    }

    /// Where a product's row is, a new one if need be.
    pub(super) fn place(&mut self, product: Symbol, new: impl FnOnce() -> R) -> u32 {
        let Shelf { places, chunks, length, free } = self;
        let number = product.number();
        match places.entry(hash(number), |&(known, _)| known == number, |&(known, _)| hash(known)) {
            Entry::Occupied(entry) => entry.get().1,
            Entry::Vacant(entry) => {
                let at = match free.pop() {
                    Some(at) => {
                        chunks[at as usize / CHUNK][at as usize % CHUNK] = new();
                        at
                    }
                    None => {
                        let at = *length;
                        if (at as usize).is_multiple_of(CHUNK) {
                            chunks.push(Vec::with_capacity(CHUNK));
                        }
                        chunks[at as usize / CHUNK].push(new());
                        *length += 1;
                        at
                    }
                };
                entry.insert((number, at));
                at
            }
        }
    }

    pub(super) fn row(&self, at: u32) -> &R {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    pub(super) fn row_mut(&mut self, at: u32) -> &mut R {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    /// Takes a row away. Its place serves another.
    pub(super) fn remove(&mut self, at: u32) {
        let number = self.row(at).product().number();
        if let Ok(entry) = self.places.find_entry(hash(number), |&(known, _)| known == number) {
            entry.remove();
            self.free.push(at);
        }
    }

    /// The places of all rows, in no particular order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.places.iter().map(|&(_, at)| at)
    }

    /// All rows, in no particular order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &R> {
        self.places().map(|at| self.row(at))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl OfProduct for (Symbol, u8) {
        fn product(&self) -> Symbol {
            self.0
        }
    }

    proptest! {
        #[test]
        fn a_shelf_is_a_map(steps in prop::collection::vec((0..200u8, any::<u8>(), any::<bool>()), 0..600)) {
            let (mut shelf, mut map) = (Shelf::<(Symbol, u8)>::new(), BTreeMap::new());
            for (number, value, stays) in steps {
                let product = Symbol::new(&format!("shelved {number}"));
                let at = shelf.place(product, || (product, 0));
                prop_assert_eq!(shelf.row(at).1, map.get(&product).copied().unwrap_or(0));
                if stays {
                    shelf.row_mut(at).1 = value;
                    map.insert(product, value);
                } else {
                    shelf.remove(at);
                    map.remove(&product);
                    prop_assert_eq!(shelf.find(product), None);
                }
                prop_assert_eq!(shelf.len(), map.len());
            }
            let rows: BTreeMap<Symbol, u8> = shelf.rows().copied().collect();
            prop_assert_eq!(rows, map);
        }
    }
}
