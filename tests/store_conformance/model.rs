//! Random epochs against the tables as plain maps.

use super::*;

/// Random epochs over few keys, some repeated, some followed by a new start, against the tables as
/// plain maps.
pub(super) fn any_sequence_of_commits_is_the_model(make: Make) {
    let keys = [
        day_key(0, "EUR"),
        day_key(0, "USD"),
        day_key(1, "EUR"),
        category_key(0, "toys", "EUR"),
        category_key(0, "a\0", "EUR"),
        ViewKey::Month { month: day(0).month(), currency: Symbol::new("EUR") },
        ViewKey::PaymentMethod { day: day(0), payment_method: Symbol::new("CARD"), currency: Symbol::new("EUR") },
        ViewKey::Facts {
            day: day(0),
            category: Symbol::new("toys"),
            payment_method: Symbol::new("CARD"),
            currency: Symbol::new("EUR"),
        },
    ];
    let change = (0..keys.len(), prop::option::of((any::<i64>(), 1..5i64)));
    let epochs = prop::collection::vec((prop::collection::vec(change, 0..6), 1..3u64, 0..4u8), 1..8);
    let runs = Config { cases: 24, failure_persistence: None, ..Config::default() };
    TestRunner::new(runs)
        .run(&epochs, |epochs| {
            let fresh = make();
            let mut store = fresh.acquired();
            let mut rows: BTreeMap<ViewKey, (Takings, u64)> = BTreeMap::new();
            let mut removals = BTreeSet::new();
            let mut offset = 0;
            let mut epoch = 0;
            for (changes, step, after) in epochs {
                epoch += step;
                offset += changes.len() as u64;
                let wanted: BTreeMap<usize, Option<(i64, i64)>> = changes.into_iter().collect();
                let mut totals = Vec::new();
                for (index, wanted) in wanted {
                    let key = keys[index];
                    let old = rows.get(&key).map(|(total, _)| *total);
                    let new = wanted.map(|(micros, orders)| total(micros.into(), orders));
                    totals.push(RowChange { key, old: old.map(RowValue::Takings), new: new.map(RowValue::Takings) });
                    match new {
                        Some(total) => drop(rows.insert(key, (total, epoch))),
                        None if rows.remove(&key).is_some() => drop(removals.insert(removal(epoch, key))),
                        None => {}
                    }
                }
                let commit = Commit { partitions: vec![partition(0, offset)], ..commit(epoch, totals) };
                store.commit(&commit).unwrap();
                if after == 1 {
                    store.commit(&commit).unwrap();
                }
                if after == 2 {
                    drop(store);
                    store = fresh.open();
                    let recovered = store.acquire(&settings()).unwrap();
                    let totals: BTreeMap<_, _> = recovered.rows.into_iter().collect();
                    let expected: BTreeMap<_, _> =
                        rows.iter().map(|(&key, &(total, _))| (key, RowValue::Takings(total))).collect();
                    prop_assert_eq!(totals, expected);
                    prop_assert_eq!(recovered.epoch, epoch);
                    prop_assert_eq!(recovered.partitions, vec![partition(0, offset)]);
                }
            }
            for view in View::ALL {
                let of_view = rows.iter().filter(|(key, _)| key.view() == view);
                let mut expected: Vec<_> = of_view.map(|(&key, &(total, epoch))| row(key, total, epoch)).collect();
                expected.sort();
                prop_assert_eq!(fresh.view(view), expected);
            }
            prop_assert_eq!(fresh.removals(), removals);
            Ok(())
        })
        .unwrap();
}
