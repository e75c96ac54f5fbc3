//! Where orders stand: one cache line each, in chunks that never move.

use super::effect::Counted;
use super::facts::{FactIndex, FactTable, ProductNumber};
use crate::amount::Amount;
use crate::minute::Minute;
use crate::order::{Content, Contribution, OrderEvent, OrderId, Version};

/// A slot's place, with as much of its id's hash as the index needs: it grows and compares without a
/// look at the slots.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) tag: u32,
    pub(super) at: u32,
}

impl Place {
    pub(super) fn hash(&self) -> u64 {
        u64::from(self.tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// One order. Exactly one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) id: OrderId,
    /// `Version` in two halves: a `u128` would only waste alignment elsewhere, and is one here.
    pub(super) version: Version,
    /// Micros; [`Amount::MAX_ABS`] fits.
    pub(super) amount: i64,
    pub(super) units: i32,
    pub(super) product: ProductNumber,
    /// Half of the content's hash: it only tells apart what all totals have in common.
    pub(super) fingerprint: u32,
    pub(super) minute: Minute,
    pub(super) fact: FactIndex,
}

const _: () = assert!(size_of::<Slot>() == 64);

/// Slots in chunks, which stay where they are as more come.
#[derive(Default)]
pub(super) struct Slots {
    full: Vec<Vec<Slot>>,
    /// The chunk that grows. Here, since the header of one in `full` is another place in memory to wait for.
    open: Vec<Slot>,
    pub(super) length: usize,
}

impl Slots {
    /// 4 KiB each.
    const CHUNK: usize = 64;

    pub(super) fn push(&mut self, slot: Slot) -> u32 {
        let at = self.length;
        if at.is_multiple_of(Slots::CHUNK) {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(Slots::CHUNK));
            if at > 0 {
                self.full.push(full);
            }
        }
        self.open.push(slot);
        self.length += 1;
        at as u32
    }

    pub(super) fn at(&self, at: u32) -> &Slot {
        let (chunk, at) = (at as usize / Slots::CHUNK, at as usize % Slots::CHUNK);
        &self.full.get(chunk).unwrap_or(&self.open)[at]
    }

    pub(super) fn at_mut(&mut self, at: u32) -> &mut Slot {
        let (chunk, at) = (at as usize / Slots::CHUNK, at as usize % Slots::CHUNK);
        &mut self.full.get_mut(chunk).unwrap_or(&mut self.open)[at]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.full.iter().flatten().chain(&self.open)
    }
}

impl Slot {
    pub(super) fn of(event: &OrderEvent, facts: &mut FactTable) -> Slot {
        let (id, version, minute) = (event.id, event.version, event.minute);
        match &event.content {
            Content::Tombstone => Slot {
                id,
                version,
                amount: 0,
                units: 0,
                product: ProductNumber::NONE,
                fingerprint: 0,
                minute,
                fact: FactIndex::CANCELLED,
            },
            Content::Order { contribution, fingerprint } => {
                debug_assert!(contribution.amount.micros().abs() <= Amount::MAX_ABS.micros());
                debug_assert!(contribution.units.abs() <= Contribution::MAX_UNITS);
                Slot {
                    id,
                    version,
                    amount: contribution.amount.micros() as i64,
                    units: contribution.units as i32,
                    product: ProductNumber::of(contribution.product),
                    fingerprint: *fingerprint as u32,
                    minute,
                    fact: facts.intern(&contribution.fact),
                }
            }
        }
    }

    pub(super) fn counted(&self) -> Option<Counted> {
        (self.fact != FactIndex::CANCELLED).then(|| Counted {
            fact: self.fact,
            product: self.product,
            amount: Amount::from_micros(self.amount.into()),
            units: self.units.into(),
        })
    }
}
