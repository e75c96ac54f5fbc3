//! What arrives for several epochs at once, handed on one epoch after the other.
//!
//! A state that must stand as it was at the end of an epoch can not take in what belongs to the next one
//! before. The epoch that is open is taken in as it comes; what is ahead of it waits.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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

    /// Where what arrived with `capability` belongs. `open` is the first epoch that is not complete ([`first_open`]).
    /// `retain` makes what is held out of the input's capability.
    pub(crate) fn at(
        &mut self,
        capability: &InputCapability<Epoch>,
        open: Epoch,
        retain: impl FnOnce(&InputCapability<Epoch>) -> Option<C>,
    ) -> Option<At<'_, C, T>> {
        let &epoch = capability.least()?;
        let (held, waiting) = match self.waiting.entry(epoch) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((retain(capability)?, Vec::new())),
        };
        let is_open = epoch <= open;
        debug_assert!(!is_open || waiting.is_empty(), "what had waited for the open epoch was handed on before");
        Some(if is_open { At::Open(epoch, held) } else { At::Ahead(waiting) })
    }

    /// Takes in what arrived: what belongs to the open epoch goes to `each` at once. See [`InOrder::at`].
    pub(crate) fn take(
        &mut self,
        capability: &InputCapability<Epoch>,
        open: Epoch,
        retain: impl FnOnce(&InputCapability<Epoch>) -> Option<C>,
        pieces: impl Iterator<Item = T>,
        mut each: impl FnMut(Epoch, &C, T),
    ) {
        match self.at(capability, open, retain) {
            Some(At::Open(epoch, held)) => pieces.for_each(|piece| each(epoch, held, piece)),
            Some(At::Ahead(waiting)) => waiting.extend(pieces),
            None => {}
        }
    }

    /// The first epoch held, where it is before `open`, and so complete. What still waited for it goes to
    /// `each` first.
    pub(crate) fn close(&mut self, open: Epoch, mut each: impl FnMut(Epoch, &C, T)) -> Option<(Epoch, C)> {
        let entry = self.waiting.first_entry().filter(|entry| *entry.key() < open)?;
        let (epoch, (held, pieces)) = entry.remove_entry();
        pieces.into_iter().for_each(|piece| each(epoch, &held, piece));
        Some((epoch, held))
    }

    /// Hands on what had waited for the epoch that is open now. Everything before it must be closed.
    pub(crate) fn open(&mut self, open: Epoch, mut each: impl FnMut(Epoch, &C, T)) {
        debug_assert!(self.waiting.keys().next().is_none_or(|&first| first >= open));
        if let Some((held, pieces)) = self.waiting.get_mut(&open) {
            pieces.drain(..).for_each(|piece| each(open, held, piece));
        }
    }
}

/// Where pieces belong.
pub(crate) enum At<'a, C, T> {
    /// To the open epoch: they are taken in at once, and this is what is held for it.
    Open(Epoch, &'a C),
    /// To a later one: among those that wait for it.
    Ahead(&'a mut Vec<T>),
}

/// The first epoch that is not complete at all inputs.
pub(crate) fn first_open(frontiers: &[MutableAntichain<Epoch>]) -> Epoch {
    frontiers.iter().filter_map(|frontier| frontier.frontier().first().copied()).min().unwrap_or(Epoch::MAX)
}
