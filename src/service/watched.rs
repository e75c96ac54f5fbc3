//! The products that event streams follow beside everything else: in which sets, and how many streams each.
//!
//! What changed of those that most streams follow is read for all of them together and written once a set. Who follows
//! others asks for himself, one at a time (`feed.rs`): later, but told. So memory is bounded, and the number of readers is
//! not.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many products one stream follows at most.
pub const MAX_PRODUCTS: usize = 5;
/// How many different sets of products are read together, at most.
pub const SHARED_SETS: usize = 32;

/// Products that a stream follows: each once, the lesser text first.
pub type ProductSet = Arc<[String]>;

/// All of them.
#[derive(Default)]
pub struct Watched {
    sets: Mutex<BTreeMap<ProductSet, usize>>,
}

impl Watched {
    /// Follows these products for as long as what is returned lives.
    pub fn watch(self: &Arc<Self>, mut products: Vec<String>) -> Watch {
        products.sort();
        products.dedup();
        let set = ProductSet::from(products);
        *self.sets.lock().entry(set.clone()).or_default() += 1;
        Watch { set, watched: self.clone() }
    }

    /// The sets that most streams follow now, as many as are read together.
    pub fn shared(&self) -> Vec<ProductSet> {
        let mut sets: Vec<(usize, ProductSet)> =
            self.sets.lock().iter().map(|(set, streams)| (*streams, set.clone())).collect();
        // Of those that as many follow always the same ones.
        sets.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.cmp(second)));
        sets.into_iter().take(SHARED_SETS).map(|(_, set)| set).collect()
    }

    /// Whether anyone follows this set.
    pub fn has(&self, set: &ProductSet) -> bool {
        self.sets.lock().contains_key(set)
    }
}

/// One stream's set.
pub struct Watch {
    set: ProductSet,
    watched: Arc<Watched>,
}

impl Watch {
    /// The products.
    pub const fn set(&self) -> &ProductSet {
        &self.set
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut sets = self.watched.sets.lock();
        if let Some(streams) = sets.get_mut(&self.set) {
            *streams -= 1;
            if *streams == 0 {
                sets.remove(&self.set);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_one_however_it_is_asked_for_and_goes_with_its_last_stream() {
        let watched = Arc::new(Watched::default());
        let one = watched.watch(vec!["b".into(), "a".into(), "b".into()]);
        let same = watched.watch(vec!["a".into(), "b".into()]);
        assert_eq!((watched.shared().len(), one.set()), (1, same.set()));
        drop(one);
        assert!(watched.has(same.set()));
        drop(same);
        assert!(watched.shared().is_empty());
    }

    #[test]
    fn those_that_most_follow_are_shared_and_all_are_followed() {
        let watched = Arc::new(Watched::default());
        let single: Vec<Watch> = (0..100).map(|number| watched.watch(vec![format!("p{number:03}")])).collect();
        let twice = watched.watch(vec!["p099".into()]);
        let shared = watched.shared();
        assert_eq!((shared.len(), &shared[0]), (SHARED_SETS, twice.set()));
        assert!(single.iter().all(|watch| watched.has(watch.set())));
        drop(single);
        assert_eq!(watched.shared(), vec![twice.set().clone()]);
    }
}
