//! What arrives for several epochs at once, handed on one epoch after the other.
//!
//! A state that must stand as it was at the end of an epoch can not take in what belongs to the next one
//! before. The epoch that is open is taken in as it comes; what is ahead of it waits.

use std::collections::BTreeMap;

use timely::dataflow::operators::InputCapability;
use timely::progress::frontier::MutableAntichain;

use crate::graph::Epoch;

/// Pieces that wait for their epoch, and what is held to send at it.
pub(crate) struct InOrder<C, T> {
    waiting: BTreeMap<Epoch, (C, Vec<T>)>,
}

impl<C, T> InOrder<C, T> {
    pub(crate) fn new() -> Self {
        InOrder { waiting: BTreeMap::new() }
    }

    /// Holds `capability` for an epoch that may bring nothing.
    pub(crate) fn hold(&mut self, epoch: Epoch, capability: C) {
        self.waiting.entry(epoch).or_insert_with(|| (capability, Vec::new()));
    }

    /// Takes in what arrived. `open` is the first epoch that is not complete ([`first_open`]): what belongs to
    /// it goes to `each` at once. `retain` makes what is held out of the input's capability.
    pub(crate) fn take(
        &mut self,
        capability: &InputCapability<Epoch>,
        open: Epoch,
        retain: impl FnOnce(&InputCapability<Epoch>) -> Option<C>,
        pieces: impl Iterator<Item = T>,
        mut each: impl FnMut(Epoch, T),
    ) {
        let Some(&epoch) = capability.least() else { return };
        let waiting = match self.waiting.entry(epoch) {
            std::collections::btree_map::Entry::Occupied(entry) => &mut entry.into_mut().1,
            std::collections::btree_map::Entry::Vacant(entry) => {
                let Some(held) = retain(capability) else { return };
                &mut entry.insert((held, Vec::new())).1
            }
        };
        if epoch <= open {
            debug_assert!(waiting.is_empty(), "what had waited for the open epoch was handed on before");
            pieces.for_each(|piece| each(epoch, piece));
        } else {
            waiting.extend(pieces);
        }
    }

    /// The first epoch held, where it is before `open`, and so complete. What still waited for it goes to
    /// `each` first.
    pub(crate) fn close(&mut self, open: Epoch, mut each: impl FnMut(Epoch, T)) -> Option<(Epoch, C)> {
        let entry = self.waiting.first_entry().filter(|entry| *entry.key() < open)?;
        let (epoch, (held, pieces)) = entry.remove_entry();
        pieces.into_iter().for_each(|piece| each(epoch, piece));
        Some((epoch, held))
    }

    /// Hands on what had waited for the epoch that is open now. Everything before it must be closed.
    pub(crate) fn open(&mut self, open: Epoch, mut each: impl FnMut(Epoch, T)) {
        debug_assert!(self.waiting.keys().next().is_none_or(|&first| first >= open));
        if let Some((_, pieces)) = self.waiting.get_mut(&open) {
            pieces.drain(..).for_each(|piece| each(open, piece));
        }
    }
}

/// The first epoch that is not complete at all inputs.
pub(crate) fn first_open(frontiers: &[MutableAntichain<Epoch>]) -> Epoch {
    frontiers.iter().filter_map(|frontier| frontier.frontier().first().copied()).min().unwrap_or(Epoch::MAX)
}
