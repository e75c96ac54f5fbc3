//! Where a job stands: a log, a store, and the faults that these can have.

use rand_chacha::ChaCha8Rng;

use crate::plan::Action;
use crate::shop::{Placed, Record};
use crate::tables::Look;

/// A log and a store.
pub trait Ground {
    /// `--source … --store …`, as the job is told.
    fn job(&self) -> String;

    /// The same for who comes to compare: by the straight way.
    fn straight(&self) -> String;

    /// Writes records; where each of them is then.
    fn write(&mut self, records: Vec<Record>) -> Vec<Placed>;

    /// Does what the action says to the log, the store or the ways there. `chance` decides moments only.
    fn suffer(&mut self, action: Action, records: Vec<Record>, chance: &mut ChaCha8Rng);

    /// Cures whatever is broken; what only now is in the log.
    fn heal(&mut self) -> Vec<Placed>;

    /// Makes the store what the last release would have left. Nobody but readers uses it now.
    fn to_last_release(&mut self);

    /// Eyes on the store, wherever it goes.
    fn look(&self) -> Box<dyn Look>;
}
