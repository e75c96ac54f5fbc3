//! Runs the real dataflow on given epochs, and recomputes the truth the plainest way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use takings_dataflows::changes::{EpochChanges, Output, Progress};
use takings_dataflows::graph::{self, Committed, Settings};
use takings_dataflows::order::{Content, OrderEvent, OrderId, PartitionId, Version};
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

/// Every total of every view.
pub type Totals = BTreeMap<ViewKey, Takings>;

/// The epochs of a run, each the records it brings.
pub type Epochs = Vec<Vec<OrderEvent>>;

/// What a run starts from.
#[derive(Clone, Default)]
pub struct Base {
    pub totals: Totals,
    /// Records already counted in `totals`.
    pub replay: Vec<OrderEvent>,
}

/// Runs the dataflow with so many workers over the epochs, the first of them just after
/// `settings.recovered_epoch`, and returns what each changed.
pub fn run(workers: usize, settings: Settings, base: Base, epochs: Epochs) -> Vec<EpochChanges> {
    let handed_over: Arc<Mutex<Vec<EpochChanges>>> = Arc::default();
    let collected = Arc::clone(&handed_over);
    let committed = Committed::default();
    committed.set(settings.recovered_epoch);
    timely::execute(timely::Config::process(workers), move |worker| {
        let handed_over = Arc::clone(&handed_over);
        let in_sink = committed.clone();
        let mut graph = graph::build(worker, &settings, &committed, move |changes| {
            in_sink.set(changes.epoch);
            handed_over.lock().unwrap().push(changes);
        });
        let (index, peers) = (worker.index(), worker.peers());
        let mine = |event: &OrderEvent| event.version.partition().partition as usize % peers == index;

        let mut epoch = settings.recovered_epoch;
        graph.inputs.advance_to(epoch);
        base.replay.iter().filter(|event| mine(event)).for_each(|event| graph.inputs.events.send(event.clone()));
        if index == 0 {
            base.totals.iter().for_each(|(key, takings)| graph.inputs.base.update(*key, *takings));
        }
        epoch += 1;
        graph.inputs.advance_to(epoch);
        for records in &epochs {
            let mut progress = BTreeMap::<PartitionId, Progress>::new();
            for event in records.iter().filter(|event| mine(event)) {
                graph.inputs.events.send(event.clone());
                let progress = progress.entry(event.version.partition()).or_default();
                progress.read += 1;
                progress.offset = progress.offset.max(event.version.offset() + 1);
                progress.newest_timestamp = progress.newest_timestamp.max(event.version.timestamp());
            }
            for (partition, progress) in progress {
                graph.inputs.watermarks.send((partition, progress.newest_timestamp));
                graph.inputs.reports.send(Output::Progress(partition, progress));
            }
            epoch += 1;
            graph.inputs.advance_to(epoch);
            worker.step_or_park_while(None, || graph.probe.less_than(&epoch));
        }
    })
    .expect("workers start")
    .join()
    .into_iter()
    .for_each(|worker| worker.expect("no worker panics"));
    Arc::try_unwrap(collected).expect("workers are gone").into_inner().unwrap()
}

/// Applies an epoch's changes as a store would, checking that each change fits what is there.
pub fn apply(totals: &mut Totals, changes: &EpochChanges) {
    for (key, change) in &changes.totals {
        let (was, is) = change.was_and_is().unwrap_or_else(|pieces| panic!("{key}: {pieces:?}"));
        assert_eq!(totals.get(key).copied(), was, "{key}: the old total of epoch {}", changes.epoch);
        assert_ne!(was, is, "{key}: a row that did not change is not written");
        match is {
            Some(is) => totals.insert(*key, is),
            None => totals.remove(key),
        };
    }
}

/// The oracle: every order's newest version, summed from scratch.
pub fn recount<'a>(records: impl IntoIterator<Item = &'a OrderEvent>, views: &[View]) -> Totals {
    let mut newest: BTreeMap<OrderId, (Version, Content)> = BTreeMap::new();
    for event in records {
        let known = newest.entry(event.id).or_insert((event.version, event.content));
        if event.version > known.0 {
            *known = (event.version, event.content);
        }
    }
    let mut totals = Totals::new();
    for (_, content) in newest.values() {
        let Content::Order { contribution, .. } = content else { continue };
        for &view in views {
            let total = totals.entry(ViewKey::of(view, &contribution.fact)).or_default();
            total.amount += contribution.amount;
            total.orders += 1;
            total.units += contribution.units;
        }
    }
    totals
}
