//! What a store must refuse, and notice.

use std::ops::ControlFlow;

use super::*;

pub(super) fn a_held_store_is_refused_naming_the_holder(make: Make) {
    let fresh = make();
    let mut holder = fresh.acquired();
    let mut other = fresh.open();
    let error = other.acquire(&settings()).unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
    holder.commit(&commit(1, vec![])).unwrap();
    drop(holder);
    assert_eq!(other.acquire(&settings()).unwrap().generation, 2);
}

pub(super) fn an_older_generation_is_fenced(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    fresh.execute("UPDATE job SET generation = 5");
    let error = store.commit(&commit(1, vec![new(day_key(0, "EUR"), total(1, 1))])).unwrap_err();
    assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 5, .. }), "{error:?}");
    assert!(fresh.view(View::Day).is_empty());
}

pub(super) fn a_holder_that_lost_its_lock_is_fenced(make: Make) {
    let fresh = make();
    let mut paused = fresh.acquired();
    fresh.break_lock();
    let mut successor = fresh.acquired();
    for _ in 0..2 {
        let error = paused.commit(&commit(1, vec![new(day_key(0, "EUR"), total(1, 1))])).unwrap_err();
        match error {
            // The first word of a connection that was cut.
            StoreError::Unreachable { .. } => {}
            error => assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 2, .. }), "{error:?}"),
        }
    }
    successor.commit(&commit(1, vec![new(day_key(0, "EUR"), total(2, 1))])).unwrap();
    assert_eq!(fresh.view(View::Day), [row(day_key(0, "EUR"), total(2, 1), 1)]);
}

pub(super) fn an_idle_holder_learns_that_it_was_replaced(make: Make) {
    let fresh = make();
    let mut idle = fresh.acquired();
    idle.beat().unwrap();
    idle.commit(&commit(1, vec![])).unwrap();
    idle.beat().unwrap();
    fresh.break_lock();
    let successor = fresh.acquired();
    match until_it_is_told(|| idle.beat()) {
        StoreError::Fenced { by, ours: 1, theirs: 2 } => {
            assert!(by.contains(&format!("pid {}", std::process::id())), "{by}");
        }
        error => panic!("{error:?}"),
    }
    // Whoever it was may be gone by then.
    drop(successor);
    let error = idle.beat().unwrap_err();
    assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 2, .. }), "{error:?}");
}

/// A server that lagged is promoted: it has not seen this process come, gives its generation to another, and that
/// one comes to the same epoch.
pub(super) fn a_generation_given_twice_is_two(make: Make) {
    let fresh = make();
    let mut ours = fresh.acquired();
    ours.commit(&commit(1, vec![])).unwrap();
    fresh.break_lock();
    fresh.execute("UPDATE job SET generation = 0, epoch = 0, holder = NULL");
    let mut theirs = fresh.acquired();
    theirs.commit(&Commit { filled: vec![], ..commit(1, vec![]) }).unwrap();
    drop(theirs);
    let error = until_it_is_told(|| ours.commit(&commit(2, vec![new(day_key(0, "EUR"), total(1, 1))])));
    assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 1, .. }), "{error:?}");
    assert!(fresh.view(View::Day).is_empty());
}

/// The first error that is not the end of a connection that was cut.
fn until_it_is_told(mut attempt: impl FnMut() -> Result<(), StoreError>) -> StoreError {
    match attempt().unwrap_err() {
        error if error.is_transient() => attempt().unwrap_err(),
        error => error,
    }
}

pub(super) fn a_commit_repeated_counts_once(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let key = day_key(0, "EUR");
    for commit in
        [commit(1, vec![new(key, total(1, 1))]), commit(2, vec![gone(key)]), commit(3, vec![new(key, total(2, 1))])]
    {
        store.commit(&commit).unwrap();
        store.commit(&commit).unwrap();
    }
    assert_eq!(fresh.view(View::Day), [row(key, total(2, 1), 3)]);
    assert_eq!(fresh.removals(), BTreeSet::from([removal(2, key)]));
}

pub(super) fn what_must_never_be_written_is_refused(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    store.commit(&commit(3, vec![])).unwrap();
    let unbalanced = PartitionState { counters: Counters { read: 1, ..Counters::default() }, ..partition(0, 1) };
    for (commit, part) in [
        (commit(4, vec![new(day_key(0, "EUR"), total(1, 0))]), "sales_per_day (2026-11-22, EUR)"),
        (commit(4, vec![changed(day_key(0, "EUR"), total(1, -1))]), "sales_per_day (2026-11-22, EUR)"),
        (Commit { partitions: vec![unbalanced], ..commit(4, vec![]) }, "product_sold/0"),
        (commit(2, vec![]), "epoch 2"),
    ] {
        let error = store.commit(&commit).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
    store.commit(&commit(4, vec![])).unwrap();
}

pub(super) fn rows_that_should_be_there_are_missed(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let (there, missing, other) = (day_key(0, "EUR"), day_key(1, "EUR"), category_key(0, "toys", "EUR"));
    store.commit(&commit(1, vec![new(there, total(1, 1))])).unwrap();
    for totals in [
        vec![new(other, total(9, 1)), changed(there, total(9, 1)), changed(missing, total(9, 1))],
        vec![new(other, total(9, 1)), gone(there), gone(missing)],
        vec![new(other, total(9, 1)), new(there, total(9, 1))],
    ] {
        let error = store.commit(&commit(2, totals)).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert!(error.to_string().contains("sales_per_day"), "{error}");
        assert_eq!(fresh.view(View::Day), [row(there, total(1, 1), 1)]);
        assert!(fresh.view(View::Category).is_empty() && fresh.removals().is_empty());
    }
}

pub(super) fn a_store_that_went_back_is_noticed(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    store.commit(&commit(8, vec![])).unwrap();
    fresh.execute("UPDATE job SET epoch = 7");
    let error = store.commit(&commit(9, vec![])).unwrap_err();
    assert!(error.to_string().contains("epoch 7") && error.to_string().contains("epoch 8"), "{error}");
    drop(store);
    assert_eq!(fresh.open().acquire(&settings()).unwrap().epoch, 7);
}

pub(super) fn an_idle_holder_notices_a_store_that_went_back(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    store.commit(&commit(8, vec![])).unwrap();
    fresh.execute("UPDATE job SET epoch = 7");
    let error = store.beat().unwrap_err();
    assert!(matches!(error, StoreError::WentBack { ours: 8, found: 7 }), "{error:?}");
    drop(store);
    // It went further back, to before this process came.
    let mut store = fresh.acquired();
    fresh.execute("UPDATE job SET generation = 1, epoch = 3, holder = 'the one before'");
    let error = store.beat().unwrap_err();
    assert!(matches!(error, StoreError::WentBack { ours: 7, found: 3 }), "{error:?}");
}

pub(super) fn a_newer_schema_is_refused(make: Make) {
    let fresh = make();
    drop(fresh.acquired());
    fresh.execute(
        "INSERT INTO takings_schema_history (version, name, applied_on, checksum)
         VALUES (999, 'later', '2027-01-01T00:00:00Z', '1')",
    );
    let error = fresh.open().acquire(&settings()).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 999, .. }), "{error:?}");
}

pub(super) fn an_older_schema_is_named_to_who_only_reads(make: Make) {
    let fresh = make();
    drop(fresh.acquired());
    fresh.execute("DELETE FROM takings_schema_history WHERE version > 2");
    let error = fresh.open().look().unwrap_err();
    assert!(matches!(error, StoreError::OlderSchema { found: 2, .. }), "{error:?}");
}

pub(super) fn other_settings_are_refused(make: Make) {
    let fresh = make();
    drop(fresh.acquired());
    for (other, name) in [
        (JobSettings { time_zone: "UTC".to_owned(), ..settings() }, "time_zone"),
        (JobSettings { default_currency: "EUR".to_owned(), ..settings() }, "default_currency"),
        (JobSettings { keep_orders: false, ..settings() }, "keep_orders"),
        (JobSettings { payload_limit: 4_000_000, ..settings() }, "payload_limit"),
        (JobSettings { formats: [("product_sold".to_owned(), "other".to_owned())].into(), ..settings() }, "mapping"),
        (JobSettings { topics: vec!["another".to_owned()], ..settings() }, "topics"),
        (JobSettings { log: "another".to_owned(), ..settings() }, "source"),
    ] {
        match fresh.open().acquire(&other).unwrap_err() {
            StoreError::Settings { setting, .. } => assert_eq!(setting, name),
            error => panic!("{error:?}"),
        }
    }
    // A topic more is allowed, and from then on belongs to it; the order of the views means nothing.
    let mut views = View::ALL.to_vec();
    views.reverse();
    let more = JobSettings { topics: vec!["another".to_owned(), "product_sold".to_owned()], views, ..settings() };
    assert_eq!(fresh.open().acquire(&more).unwrap().generation, 2);
    assert!(matches!(fresh.open().acquire(&settings()), Err(StoreError::Settings { setting: "topics", .. })));
}

pub(super) fn a_store_must_be_acquired_first(make: Make) {
    let mut store = make().open();
    assert!(store.commit(&commit(1, vec![])).is_err());
    assert!(store.kept(&Topics::default(), &mut |_| ControlFlow::Continue(())).is_err());
}
