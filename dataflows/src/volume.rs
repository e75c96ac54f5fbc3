//! Orders by the minute of the log: how busy the shop is right now.
//!
//! *Rebuilt at every start*: the minute of an order is that of its oldest record that the log still holds,
//! and the log loses records. So what the replay finds is the truth, not what is stored: the first epoch
//! writes where the two differ.
//!
//! *Old minutes go* by the log's own time: what is kept follows from the log alone, whenever it is read.

use std::collections::{BTreeMap, BTreeSet};

use differential_dataflow::difference::{IsZero, Semigroup};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Scope, StreamVec};

use crate::changes::Output;
use crate::graph::{Epoch, Settings, Watermark};
use crate::in_order::{InOrder, first_open};
use crate::minute::Minute;
use crate::row::{RowChange, RowValue};
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::view::ViewKey;

/// A minute and a currency.
pub(crate) type MinuteKey = (Minute, Symbol);

enum Arrived {
    /// A change of a minute's total.
    Change(MinuteKey, Takings),
    /// What the store holds of a minute.
    Stored(MinuteKey, Takings),
    /// The time of a partition.
    Time(i64),
}

/// All minutes that are kept.
struct Volume {
    window: u32,
    newest: Minute,
    totals: BTreeMap<MinuteKey, Takings>,
    /// What the store holds once the last epoch that was closed is committed.
    stored: BTreeMap<MinuteKey, Takings>,
    touched: BTreeSet<MinuteKey>,
}

impl Volume {
    fn new(window: u32) -> Self {
        Volume {
            window,
            newest: Minute::NONE,
            totals: BTreeMap::new(),
            stored: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    fn take(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Change(key, takings) => {
                self.totals.entry(key).or_default().plus_equals(&takings);
                self.touched.insert(key);
            }
            Arrived::Stored(key, takings) => {
                self.stored.insert(key, takings);
                self.touched.insert(key);
            }
            Arrived::Time(newest) => self.newest = self.newest.max(Minute::of_millis(newest)),
        }
    }

    /// The first minute that is kept.
    fn first(&self) -> Minute {
        self.newest.before(self.window).max(Minute::from_number(1))
    }

    /// Ends an epoch: what changed in the store's rows.
    fn close(&mut self) -> Vec<RowChange> {
        let first = (self.first(), Symbol::LEAST);
        let kept = self.totals.split_off(&first);
        self.touched.extend(std::mem::replace(&mut self.totals, kept).into_keys());
        self.touched.extend(self.stored.range(..first).map(|(key, _)| *key));
        let mut changes = Vec::new();
        for key in std::mem::take(&mut self.touched) {
            let old = self.stored.get(&key).copied();
            let new = self.totals.get(&key).copied().filter(|takings| !takings.is_zero());
            if old == new {
                continue;
            }
            match new {
                Some(takings) => _ = self.stored.insert(key, takings),
                None => _ = self.stored.remove(&key),
            }
            if new.is_none() {
                self.totals.remove(&key);
            }
            let (minute, currency) = key;
            changes.push(RowChange {
                key: ViewKey::Minute { minute, currency },
                old: old.map(RowValue::Takings),
                new: new.map(RowValue::Takings),
            });
        }
        changes
    }
}

/// Keeps orders by minute, on one worker: there are few.
pub(crate) fn volume<'scope>(
    scope: Scope<'scope, Epoch>,
    changes: StreamVec<'scope, Epoch, (MinuteKey, Takings)>,
    stored: StreamVec<'scope, Epoch, (ViewKey, RowValue)>,
    watermarks: StreamVec<'scope, Epoch, Watermark>,
    settings: &Settings,
) -> StreamVec<'scope, Epoch, Output> {
    let (recovered, window) = (settings.recovered_epoch, settings.volume_window);
    let mut builder = OperatorBuilder::new("Volume".to_owned(), scope);
    let mut changes = builder.new_input(changes, Exchange::new(|_: &(MinuteKey, Takings)| 0));
    let mut stored = builder.new_input(stored, Exchange::new(|_: &(ViewKey, RowValue)| 0));
    let mut watermarks = builder.new_input(watermarks, Exchange::new(|_: &Watermark| 0));
    let (rows_out, rows) = builder.new_output();
    let mut rows_out = OutputBuilder::<_, CapacityContainerBuilder<Vec<Output>>>::from(rows_out);

    builder.build(move |mut initial| {
        let mut volume = Volume::new(window);
        let mut arrived: InOrder<Capability<Epoch>, Arrived> = InOrder::new();
        let mut loading = initial.pop();

        move |frontiers| {
            let mut rows_out = rows_out.activate();
            let open = first_open(frontiers);
            while arrived.close(open.min(recovered + 1), |_, _, piece| volume.take(piece)).is_some() {}
            if open > recovered
                && let Some(initial) = loading.take()
            {
                // Where the replay found other minutes than are stored, the next epoch writes them.
                arrived.hold(recovered + 1, initial.delayed(&(recovered + 1)));
            }
            while let Some((_, held)) = arrived.close(open, |_, _, piece| volume.take(piece)) {
                let changes = volume.close();
                if !changes.is_empty() {
                    rows_out.session(&held).give(Output::Rows(changes));
                }
            }
            arrived.open(open, |_, _, piece| volume.take(piece));
            changes.for_each(|capability, batch| {
                let pieces = batch.drain(..).map(|(key, takings)| Arrived::Change(key, takings));
                arrived.take(&capability, open, |held| held.retain_least(0), pieces, |_, _, piece| volume.take(piece));
            });
            stored.for_each(|capability, batch| {
                let pieces = batch.drain(..).filter_map(|(key, value)| match (key, value) {
                    (ViewKey::Minute { minute, currency }, RowValue::Takings(takings)) => {
                        Some(Arrived::Stored((minute, currency), takings))
                    }
                    _ => None,
                });
                arrived.take(&capability, open, |held| held.retain_least(0), pieces, |_, _, piece| volume.take(piece));
            });
            watermarks.for_each(|capability, batch| {
                let pieces = batch.drain(..).map(|watermark| Arrived::Time(watermark.timestamp));
                arrived.take(&capability, open, |held| held.retain_least(0), pieces, |_, _, piece| volume.take(piece));
            });
        }
    });
    rows
}
