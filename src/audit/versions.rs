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
    /// The record's own timestamp.
    pub(super) written: i64,
}

impl<T> Version<T> {
    pub(super) fn new(place: Place, said: Option<T>) -> Self {
        Version { place, said, written: place.0 }
    }
}

/// The newest of some versions, which come partition by partition, those of one in their order. It dates them as
/// [`Books::settle`] does.
#[derive(Clone, Copy)]
pub(super) struct Newest<T> {
    place: Place,
    pub(super) said: T,
    /// The partition of the version that came last, and its date there.
    last: (PartitionId, i64),
}

impl<T> Newest<T> {
    pub(super) const fn first(place: Place, said: T) -> Self {
        Newest { last: (place.1, place.0), place, said }
    }

    pub(super) fn next(&mut self, (written, partition, offset): Place, said: T) {
        let date = if self.last.0 == partition { written.max(self.last.1) } else { written };
        self.last = (partition, date);
        let place = (date, partition, offset);
        if self.place < place {
            (self.place, self.said) = (place, said);
        }
    }
}

/// The counters of every partition.
#[derive(Default)]
pub(super) struct Books {
    pub(super) counters: BTreeMap<PartitionId, Counters>,
    /// Partitions that share an order, a listing or a feedback with another one: which record came first
    /// depends on the run.
    pub(super) crossed: BTreeSet<PartitionId>,
    /// Whether a window took versions of one id for several orders.
    pub(super) windowed: bool,
}

impl Books {
    pub(super) fn of(&mut self, partition: PartitionId) -> &mut Counters {
        self.counters.entry(partition).or_default()
    }

    /// Sorts the versions, counts what became of each, and hands over what stands, with the timestamp of the
    /// oldest record of it. Of two records of a partition the later one is the newer version: it is never dated
    /// before the other. Two versions are of one order only if they lie within `window` milliseconds.
    pub(super) fn settle<T: Copy + PartialEq>(
        &mut self,
        versions: &mut [Version<T>],
        window: i64,
        stands: &mut dyn FnMut(i64, T),
    ) {
        let partition_of = |version: &Version<T>| version.place.1;
        versions.sort_unstable_by_key(|version| (version.place.1, version.place.2));
        for at in 1..versions.len() {
            if partition_of(&versions[at]) == partition_of(&versions[at - 1]) {
                versions[at].place.0 = versions[at].place.0.max(versions[at - 1].place.0);
            }
        }
        versions.sort_unstable_by_key(|version| version.place);
        if versions.windows(2).any(|pair| partition_of(&pair[0]) != partition_of(&pair[1])) {
            self.crossed.extend(versions.iter().map(partition_of));
        }
        // The oldest timestamp and the newest date so far, and what stands.
        let mut known: Option<(i64, i64, Option<T>)> = None;
        for &Version { place: (date, partition, _), said, written } in versions.iter() {
            // Past the window an id stands for another order, and the one before stays.
            if let Some((oldest, before, standing)) = known
                && date.saturating_sub(before) > window
            {
                standing.into_iter().for_each(|said| stands(oldest, said));
                known = None;
                self.windowed = true;
            }
            let counters = self.of(partition);
            match (known, said) {
                (None, Some(_)) => counters.applied += 1,
                (None, None) => counters.cancellations += 1,
                (Some((_, _, before)), now) if before == now => counters.duplicates += 1,
                (Some(_), Some(_)) => counters.corrections += 1,
                (Some(_), None) => counters.cancellations += 1,
            }
            known = Some((known.map_or(written, |(oldest, ..)| oldest.min(written)), date, said));
        }
        if let Some((oldest, _, standing)) = known {
            standing.into_iter().for_each(|said| stands(oldest, said));
        }
    }
}
