//! The products that event streams follow beside everything else: in which sets, and how many streams each.
//!
//! What changed of them is read for all sets together and written once a set, so that their number is bounded and the
//! number of streams is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many products one stream follows at most.
pub const MAX_PRODUCTS: usize = 5;
/// How many different sets of products are followed at once, at most.
const MAX_SETS: usize = 32;

/// Products that a stream follows: each once, the lesser text first.
pub type ProductSet = Arc<[String]>;

/// All of them.
#[derive(Default)]
pub struct Watched {
    sets: Mutex<BTreeMap<ProductSet, usize>>,
}

impl Watched {
    /// Follows these products for as long as what is returned lives; `None` where others follow as many sets as are
    /// allowed.
    pub fn watch(self: &Arc<Self>, mut products: Vec<String>) -> Option<Watch> {
        products.sort();
        products.dedup();
        let set = ProductSet::from(products);
        let mut sets = self.sets.lock();
        if sets.len() >= MAX_SETS && !sets.contains_key(&set) {
            return None;
        }
        *sets.entry(set.clone()).or_default() += 1;
        drop(sets);
        Some(Watch { set, watched: self.clone() })
    }

    /// The sets that are followed now.
    pub fn sets(&self) -> Vec<ProductSet> {
        self.sets.lock().keys().cloned().collect()
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
        let one = watched.watch(vec!["b".into(), "a".into(), "b".into()]).expect("room");
        let same = watched.watch(vec!["a".into(), "b".into()]).expect("room");
        assert_eq!((watched.sets().len(), one.set()), (1, same.set()));
        let more: Vec<Watch> =
            (1..MAX_SETS).map(|number| watched.watch(vec![number.to_string()]).expect("room")).collect();
        assert!(watched.watch(vec!["another".into()]).is_none());
        assert!(watched.watch(vec!["a".into(), "b".into()]).is_some(), "that one is followed already");
        drop(one);
        assert!(watched.watch(vec!["another".into()]).is_none());
        drop(same);
        assert!(watched.watch(vec!["another".into()]).is_some());
        drop(more);
        assert!(watched.sets().is_empty());
    }
}
