//! All versions of one order, listing or feedback: which stands, and what became of each record.

use std::collections::{BTreeMap, BTreeSet};

use takings_dataflows::order::PartitionId;

use crate::store::commit::Counters;

/// Where a record stands in the order of versions: timestamp, topic, partition, offset.
pub(super) type Place = (i64, PartitionId, u64);

/// One record's word on its order, listing or feedback; `None` takes it back.
#[derive(Clone, Copy)]
pub(super) struct Version<T> {
    pub(super) place: Place,
    pub(super) said: Option<T>,
}

/// The counters of every partition.
#[derive(Default)]
pub(super) struct Books {
    pub(super) counters: BTreeMap<PartitionId, Counters>,
    /// Partitions that share an order, a listing or a feedback with another one: which record came first
    /// depends on the run.
    pub(super) crossed: BTreeSet<PartitionId>,
}

impl Books {
    pub(super) fn of(&mut self, partition: PartitionId) -> &mut Counters {
        self.counters.entry(partition).or_default()
    }

    /// Sorts the versions, counts what became of each, and hands over what stands, with the timestamp of the
    /// oldest version of it. Two versions are of one order only if they lie within `window` milliseconds.
    pub(super) fn settle<T: Copy + PartialEq>(
        &mut self,
        versions: &mut [Version<T>],
        window: i64,
        stands: &mut dyn FnMut(i64, T),
    ) {
        versions.sort_unstable_by_key(|version| version.place);
        let partition_of = |version: &Version<T>| version.place.1;
        if versions.windows(2).any(|pair| partition_of(&pair[0]) != partition_of(&pair[1])) {
            self.crossed.extend(versions.iter().map(partition_of));
        }
        // The oldest and the newest timestamp so far, and what stands.
        let mut known: Option<(i64, i64, Option<T>)> = None;
        for &Version { place: (timestamp, partition, _), said } in versions.iter() {
            // Past the window an id stands for another order, and the one before stays.
            if let Some((oldest, before, standing)) = known
                && timestamp.saturating_sub(before) > window
            {
                standing.into_iter().for_each(|said| stands(oldest, said));
                known = None;
            }
            let counters = self.of(partition);
            match (known, said) {
                (None, Some(_)) => counters.applied += 1,
                (None, None) => counters.cancellations += 1,
                (Some((_, _, before)), now) if before == now => counters.duplicates += 1,
                (Some(_), Some(_)) => counters.corrections += 1,
                (Some(_), None) => counters.cancellations += 1,
            }
            known = Some((known.map_or(timestamp, |(oldest, ..)| oldest), timestamp, said));
        }
        if let Some((oldest, _, standing)) = known {
            standing.into_iter().for_each(|said| stands(oldest, said));
        }
    }
}
