//! The upsert of what is few and small: listings by product, ratings by feedback.

use std::hash::Hash;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::Outcome;
use crate::order::Version;

/// Each key's newest version. The clauses are those of [`super::Orders`]: the newest version wins,
/// however partitions interleave. Nothing is ever forgotten.
pub(crate) struct Newest<K, T> {
    known: HashMap<K, (Version, Option<T>)>,
}

/// What one record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replaced<T> {
    /// Its outcome, in the terms of the books. `Corrected` and `Cancelled` name no order here.
    pub(crate) outcome: Outcome,
    /// What was said before; `None` where nothing was, or it was withdrawn.
    pub(crate) was: Option<T>,
    /// What is said now.
    pub(crate) is: Option<T>,
    /// Where the record is now the newest version, that version; see [`Version::beside`] for its timestamp.
    pub(crate) newest: Option<Version>,
}

impl<K: Copy + Eq + Hash, T: Copy + PartialEq> Newest<K, T> {
    pub(crate) fn new() -> Self {
        Newest { known: HashMap::default() }
    }

    /// What is said of a key.
    pub(crate) fn get(&self, key: K) -> Option<T> {
        self.known.get(&key).and_then(|(_, content)| *content)
    }

    /// Takes one version in; `content` is `None` where it withdraws.
    pub(crate) fn apply(&mut self, key: K, version: Version, content: Option<T>) -> Replaced<T> {
        match self.known.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert((version, content));
                let outcome = match content {
                    Some(_) => Outcome::Applied { beyond_horizon: false },
                    None => Outcome::Cancelled { was: None, beyond_horizon: false },
                };
                Replaced { outcome, was: None, is: content, newest: Some(version) }
            }
            Entry::Occupied(mut entry) => {
                let (newest, known) = entry.get_mut();
                let version = version.beside(*newest);
                let (was, same) = (*known, *known == content);
                let is_newest = version > *newest;
                let outcome = match content {
                    _ if same => Outcome::Duplicate { is_newest },
                    _ if !is_newest => Outcome::Superseded,
                    Some(_) => Outcome::Corrected { was: None },
                    None => Outcome::Cancelled { was: None, beyond_horizon: false },
                };
                if is_newest {
                    (*newest, *known) = (version, content);
                }
                Replaced { outcome, was, is: *known, newest: is_newest.then_some(version) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_wins_in_any_order_of_arrival() {
        let version = |offset| Version::new(0, 0, 0, offset);
        let records = [(1, Some('a')), (2, Some('b')), (3, None), (4, Some('c')), (5, Some('c'))];
        for rotation in 0..records.len() {
            let mut newest = Newest::new();
            let mut arriving = records;
            arriving.rotate_left(rotation);
            for (offset, content) in arriving {
                newest.apply("key", version(offset), content);
            }
            assert_eq!(newest.get("key"), Some('c'), "rotated by {rotation}");
        }
    }

    #[test]
    fn each_version_has_its_outcome() {
        let version = |offset| Version::new(0, 0, 0, offset);
        let mut newest = Newest::new();
        let steps = [
            (2, Some(5), Outcome::Applied { beyond_horizon: false }, true, Some(5)),
            (3, Some(5), Outcome::Duplicate { is_newest: true }, true, Some(5)),
            (1, Some(5), Outcome::Duplicate { is_newest: false }, false, Some(5)),
            (1, Some(4), Outcome::Superseded, false, Some(5)),
            (4, Some(4), Outcome::Corrected { was: None }, true, Some(4)),
            (5, None, Outcome::Cancelled { was: None, beyond_horizon: false }, true, None),
            (6, None, Outcome::Duplicate { is_newest: true }, true, None),
        ];
        let mut was = None;
        for (offset, content, outcome, is_newest, is) in steps {
            let newest_now = is_newest.then_some(version(offset));
            assert_eq!(
                newest.apply("key", version(offset), content),
                Replaced { outcome, was, is, newest: newest_now }
            );
            was = is;
        }
        assert_eq!(
            newest.apply("other", version(1), None).outcome,
            Outcome::Cancelled { was: None, beyond_horizon: false }
        );
    }
}
