//! The oracle: random records over random epochs, recomputed from scratch after each.
//!
//! - `every_epoch_equals_a_recount`: any interleaving of partitions, any number of workers, ids that
//!   cross partitions, duplicates, corrections, cancellations, revivals; totals equal the recount at
//!   every epoch, and each change names the total that was there.
//! - `a_restart_changes_nothing`: loading base totals and replaying at any epoch goes on as if nothing
//!   had happened.
//! - `the_books_balance`: outcomes against a plain sequential count, where each id stays in its partition.
//! - `an_order_that_stays_never_writes`: a repetition changes no row.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use std::collections::HashMap;

use support::{Base, Epochs, Totals, apply, recount, run};
use takings_dataflows::amount::Amount;
use takings_dataflows::changes::Outcomes;
use takings_dataflows::day::Day;
use takings_dataflows::graph::Settings;
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, OrderId, Version};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::upsert::Horizon;
use takings_dataflows::view::View;

fn settings(recovered_epoch: u64) -> Settings {
    Settings { views: View::ALL.to_vec(), keep_orders: false, horizon: Horizon::default(), recovered_epoch }
}

/// A record as proptest makes it: small domains, so that ids, versions and groups meet often.
#[derive(Clone, Debug)]
struct Drawn {
    id: u8,
    partition: u8,
    timestamp: u8,
    /// `None`: a tombstone.
    content: Option<(u8, u8, u8, u8, i16, i8)>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let content = (0..5u8, 0..3u8, 0..2u8, 0..2u8, -3..4i16, 0..3i8);
    (0..20u8, 0..3u8, 0..6u8, proptest::option::weighted(0.85, content))
        .prop_map(|(id, partition, timestamp, content)| Drawn { id, partition, timestamp, content })
}

fn epochs() -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    proptest::collection::vec(proptest::collection::vec(drawn(), 0..12), 1..8)
}

/// Gives each record its offset, and clamps timestamps within the partition as a source does.
fn placed(epochs: &[Vec<Drawn>], by_id: bool) -> Epochs {
    let mut offsets = [0u64; 3];
    let mut newest = [0i64; 3];
    let place = |drawn: &Drawn| {
        let partition = if by_id { drawn.id % 3 } else { drawn.partition } as usize;
        newest[partition] = newest[partition].max(drawn.timestamp.into());
        offsets[partition] += 1;
        let (id, id_text) = IdSpace::new("oracle").id(&drawn.id.to_string());
        let content = match drawn.content {
            None => Content::Tombstone,
            Some((day, category, payment, currency, amount, units)) => Content::Order {
                contribution: Contribution {
                    fact: Fact {
                        day: Day::from_epoch_days(i32::from(day) * 20),
                        category: Symbol::new(["Books", "Games", "Toys"][category as usize]),
                        payment_method: Symbol::new(["CARD", "CASH"][payment as usize]),
                        currency: Symbol::new(["EUR", "FCFA"][currency as usize]),
                    },
                    amount: Amount::from_micros(i128::from(amount) * 500_000),
                    units: units.into(),
                },
                fingerprint: 0,
            },
        };
        let version = Version::new(newest[partition], 0, partition as u16, offsets[partition]);
        OrderEvent { id, id_text, version, content, details: None }
    };
    let mut place = place;
    epochs.iter().map(|records| records.iter().map(&mut place).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn every_epoch_equals_a_recount(drawn in epochs(), workers in 1..4usize) {
        let epochs = placed(&drawn, false);
        let changes = run(workers, settings(7), Base::default(), epochs.clone());
        let mut totals = Totals::new();
        let mut changes = changes.iter().peekable();
        for (index, _) in epochs.iter().enumerate() {
            if let Some(changed) = changes.next_if(|changes| changes.epoch == 8 + index as u64) {
                apply(&mut totals, changed);
            }
            prop_assert_eq!(&totals, &recount(epochs[..=index].iter().flatten(), &View::ALL), "epoch {}", index);
        }
        prop_assert!(changes.next().is_none());
    }

    #[test]
    fn a_restart_changes_nothing(drawn in epochs(), cut in 0..8usize, workers in (1..4usize, 1..4usize)) {
        let epochs = placed(&drawn, false);
        let cut = cut.min(epochs.len());
        let (before, after) = epochs.split_at(cut);
        let mut totals = Totals::new();
        run(workers.0, settings(0), Base::default(), before.to_vec()).iter().for_each(|changes| apply(&mut totals, changes));
        let base = Base { totals: totals.clone(), replay: before.iter().flatten().cloned().collect() };
        run(workers.1, settings(cut as u64), base, after.to_vec()).iter().for_each(|changes| apply(&mut totals, changes));
        prop_assert_eq!(&totals, &recount(epochs.iter().flatten(), &View::ALL));
    }

    #[test]
    fn the_books_balance(drawn in epochs(), workers in 1..4usize) {
        let epochs = placed(&drawn, true);
        let changes = run(workers, settings(0), Base::default(), epochs.clone());
        let mut counted: HashMap<u16, Outcomes> = HashMap::new();
        let mut read: HashMap<u16, u64> = HashMap::new();
        for changes in &changes {
            for (partition, outcomes) in &changes.outcomes {
                counted.entry(partition.partition).or_default().add(outcomes);
            }
            for (partition, progress) in &changes.progress {
                *read.entry(partition.partition).or_default() += progress.read;
            }
        }
        let mut expected: HashMap<u16, Outcomes> = HashMap::new();
        let mut known: HashMap<OrderId, Content> = HashMap::new();
        for event in epochs.iter().flatten() {
            let counts = expected.entry(event.version.partition().partition).or_default();
            match (known.insert(event.id, event.content), event.content) {
                (None, Content::Order { .. }) => counts.applied += 1,
                (None, Content::Tombstone) => counts.cancellations += 1,
                (Some(old), new) if old == new => counts.duplicates += 1,
                (Some(_), Content::Order { .. }) => counts.corrections += 1,
                (Some(_), Content::Tombstone) => counts.cancellations += 1,
            }
        }
        prop_assert_eq!(&counted, &expected);
        for (partition, outcomes) in counted {
            let Outcomes { applied, duplicates, superseded, corrections, cancellations, beyond_horizon: _ } = outcomes;
            prop_assert_eq!(read[&partition], applied + duplicates + superseded + corrections + cancellations);
        }
    }

    #[test]
    fn an_order_that_stays_never_writes(drawn in epochs()) {
        let mut epochs = placed(&drawn, true);
        let again: Vec<OrderEvent> = recount_newest(&epochs);
        epochs.push(again);
        let last = epochs.len() as u64;
        let changes = run(2, settings(0), Base::default(), epochs);
        for changes in changes.iter().filter(|changes| changes.epoch == last) {
            prop_assert!(changes.totals.is_empty());
            prop_assert!(changes.corrected.is_empty());
        }
    }
}

/// The newest version of each order once more, at a later offset.
fn recount_newest(epochs: &Epochs) -> Vec<OrderEvent> {
    let mut newest: HashMap<OrderId, OrderEvent> = HashMap::new();
    for event in epochs.iter().flatten() {
        newest.insert(event.id, event.clone());
    }
    newest
        .into_values()
        .map(|event| {
            let version = event.version;
            let later = Version::new(version.timestamp(), 0, version.partition().partition, version.offset() + 1_000);
            OrderEvent { version: later, ..event }
        })
        .collect()
}
