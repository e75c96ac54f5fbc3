//! Totals that can be none, and days that are proven.

use chrono::{DateTime, Utc};
use takings::store::proof::ShownDifference;
use takings::store::{DaysSeen, Outcome, ProvenDay};
use takings_dataflows::day::Day;

use super::*;

fn odd(key: ViewKey, stands: Option<Takings>, would_be: Takings) -> Inconsistent {
    Inconsistent { key, stands: stands.map(RowValue::Takings), would_be: would_be.into() }
}

fn noted(epoch: u64, inconsistent: Vec<Inconsistent>) -> Commit {
    Commit { inconsistent, ..commit(epoch, vec![]) }
}

/// View, what stands, what it would be, since when, last changed, cured: of every row of `inconsistent`.
fn rows(fresh: &Fresh) -> Vec<[String; 6]> {
    let rows = fresh.rows(&["view", "stands", "would_be", "since_epoch", "epoch", "cured_epoch"], "inconsistent");
    rows.into_iter().map(|row| row.try_into().map(|row: [_; 6]| row.map(Option::unwrap_or_default)).unwrap()).collect()
}

fn recovered(fresh: &Fresh) -> Vec<Inconsistent> {
    fresh.open().acquire(&settings()).unwrap().inconsistent
}

pub(super) fn a_total_that_can_be_none_is_noted_and_never_written(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let (key, other) = (day_key(0, "EUR"), day_key(1, "EUR"));
    store.commit(&commit(1, vec![new(key, total(10, 1))])).unwrap();
    let first = odd(key, Some(total(10, 1)), total(-5, 0));
    store.commit(&noted(2, vec![first, odd(other, None, total(-1, -1))])).unwrap();
    let second = odd(key, Some(total(10, 1)), total(-6, -1));
    store.commit(&noted(3, vec![second])).unwrap();
    store.commit(&noted(3, vec![second])).unwrap();
    assert_eq!(fresh.view(View::Day), [row(key, total(10, 1), 1)], "the view keeps what it held");
    let found = rows(&fresh);
    assert_eq!(found.len(), 2);
    let of_first = found.iter().find(|row| !row[1].is_empty()).unwrap();
    assert_eq!(of_first[1], r#"{"total_sales":"0.000010","orders":1,"units":2}"#);
    assert_eq!(of_first[2], r#"{"total_sales":"-0.000006","orders":-1,"units":-2}"#);
    assert_eq!(of_first[3..], ["2", "3", ""]);
    drop(store);
    assert_eq!(recovered(&fresh), [second, odd(other, None, total(-1, -1))]);

    // What could be a total is not to be noted, and what can be none never stands in a view.
    let mut store = fresh.acquired();
    for wrong in [odd(key, None, total(1, 1)), odd(key, Some(total(1, 0)), total(-1, 0))] {
        let error = store.commit(&noted(4, vec![wrong])).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)) && error.to_string().contains("sales_per_day"), "{error}");
    }
}

pub(super) fn what_was_cured_is_history(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let key = day_key(0, "EUR");
    store.commit(&noted(1, vec![odd(key, None, total(-1, -1))])).unwrap();
    let cured = Commit { cured: vec![key], ..commit(2, vec![new(key, total(5, 1))]) };
    store.commit(&cured).unwrap();
    assert_eq!(rows(&fresh)[0][3..], ["1", "2", "2"]);
    assert_eq!(fresh.view(View::Day), [row(key, total(5, 1), 2)]);
    drop(store);
    assert_eq!(recovered(&fresh), []);
    // And may come about again.
    fresh.acquired().commit(&noted(7, vec![odd(key, Some(total(5, 1)), total(0, -2))])).unwrap();
    assert_eq!(rows(&fresh)[0][3..], ["7", "7", ""]);
}

pub(super) fn a_key_of_any_text_and_view_comes_back(make: Make) {
    let fresh = make();
    let (name, eur) = (Symbol::new("a\0\"b\\␀é'"), Symbol::new("EUR"));
    let product = RowValue::Product(ProductTakings { all: total(-3, -1), listed: total(10i128.pow(30), 2) });
    let all = [
        odd(category_key(0, name.text(), "EUR"), Some(total(10i128.pow(24), 1)), total(-1, 0)),
        odd(ViewKey::Month { month: day(0).month(), currency: eur }, None, total(-1, -1)),
        odd(ViewKey::Facts { day: day(0), category: name, payment_method: name, currency: eur }, None, total(-1, -1)),
        Inconsistent {
            key: ViewKey::Product { day: day(0), product: name, currency: eur },
            stands: None,
            would_be: product,
        },
        Inconsistent {
            key: ViewKey::Rating { product: name },
            stands: Some(RowValue::Stars(Stars::one(2))),
            would_be: RowValue::Stars(Stars([0, 1, -1, 0, 0])),
        },
        odd(ViewKey::Minute { minute: Minute::of_millis(1_800_000_000_000), currency: eur }, None, total(-1, -1)),
        odd(
            ViewKey::ListedFacts { day: day(0), product: name, payment_method: name, currency: eur },
            Some(total(1, 1)),
            total(0, -1),
        ),
    ];
    fresh.acquired().commit(&noted(1, all.to_vec())).unwrap();
    let mut found = recovered(&fresh);
    found.sort_by_key(|row| row.key);
    assert_eq!(found, all);
    let cured = Commit { cured: all.map(|row| row.key).to_vec(), ..commit(2, vec![]) };
    fresh.acquired().commit(&cured).unwrap();
    assert_eq!(recovered(&fresh), []);
}

pub(super) fn inconsistent_rows_go_with_their_view(make: Make) {
    let fresh = make();
    let category = odd(category_key(0, "toys", "EUR"), None, total(-1, -1));
    fresh.acquired().commit(&noted(1, vec![category, odd(day_key(0, "EUR"), None, total(-1, -1))])).unwrap();
    let only_categories = JobSettings { views: vec![View::Category], ..settings() };
    assert_eq!(fresh.open().acquire(&only_categories).unwrap().inconsistent, [category]);
    assert_eq!(rows(&fresh).len(), 1);
}

pub(super) fn products_cut_down_to_listed_sales_may_be_totals_again(make: Make) {
    let fresh = make();
    let product =
        |name: &str| ViewKey::Product { day: day(0), product: Symbol::new(name), currency: Symbol::new("EUR") };
    let sold = |all, listed| RowValue::Product(ProductTakings { all, listed });
    let none = Takings::default();
    let row_of = |name, stands: Option<RowValue>, would_be| Inconsistent { key: product(name), stands, would_be };
    let open = vec![
        // Its own sales are impossible, its listed ones are not, and more than those that stand.
        row_of("cured", Some(sold(total(9, 3), total(5, 1))), sold(total(-1, 1), total(6, 2))),
        row_of("gone", Some(sold(total(9, 1), none)), sold(total(-1, -1), none)),
        row_of("still", Some(sold(total(9, 3), total(5, 1))), sold(total(9, 1), total(-1, -1))),
    ];
    let rows = open.iter().filter_map(|row| Some(new(row.key, row.stands?))).collect();
    fresh.acquired().commit(&Commit { inconsistent: open, ..commit(1, rows) }).unwrap();
    let recovered = fresh.open().acquire(&JobSettings { views: vec![View::Category], ..settings() }).unwrap();
    let listed = |total| sold(total, total);
    assert_eq!(recovered.inconsistent, [row_of("still", Some(listed(total(5, 1))), listed(total(-1, -1)))]);
    let mut found = recovered.rows;
    found.sort_by_key(|(key, _)| key.to_string());
    assert_eq!(found, [(product("cured"), listed(total(6, 2))), (product("still"), listed(total(5, 1)))]);
}

fn verdict(day: Day, outcome: Outcome, epoch: u64) -> ProvenDay {
    ProvenDay {
        day,
        outcome,
        at: DateTime::from_timestamp_millis(1_800_000_000_123).unwrap(),
        epoch,
        orders: 7,
        rows: 20,
        differences: 0,
        shown: Vec::new(),
        reason: None,
    }
}

fn seen(fresh: &Fresh) -> DaysSeen {
    fresh.open().look_at_days(&mut |_| Vec::new()).unwrap().0
}

pub(super) fn days_are_read_at_one_moment(make: Make) {
    let fresh = make();
    assert!(matches!(fresh.open().look_at_days(&mut |_| Vec::new()), Err(StoreError::Empty { .. })));
    let mut store = fresh.acquired();
    let (eur, tea) = (Symbol::new("EUR"), Symbol::new("tea"));
    let ranked = RowValue::Ranked(Ranked { product: tea, takings: total(5, 1) });
    let top = |period| ViewKey::Top { period, currency: eur, rank: 1 };
    let of_day_0 = [
        (category_key(0, "toys", "EUR"), RowValue::Takings(total(5, 1))),
        (day_key(0, "EUR"), RowValue::Takings(total(5, 1))),
        (day_key(0, "USD"), RowValue::Takings(total(6, 2))),
        (
            ViewKey::Facts { day: day(0), category: tea, payment_method: tea, currency: eur },
            RowValue::Takings(total(5, 1)),
        ),
        (top(Period::Day(day(0))), ranked),
        (
            ViewKey::ListedFacts { day: day(0), product: tea, payment_method: tea, currency: eur },
            RowValue::Takings(total(5, 1)),
        ),
    ];
    let others = [
        (day_key(1, "EUR"), RowValue::Takings(total(7, 4))),
        (ViewKey::Month { month: day(0).month(), currency: eur }, RowValue::Takings(total(12, 5))),
        (top(Period::Month(day(0).month())), ranked),
        (top(Period::All), ranked),
    ];
    let rows = of_day_0.iter().chain(&others).map(|&(key, value)| new(key, value)).collect();
    store.commit(&Commit { partitions: vec![partition(0, 9)], ..commit(3, rows) }).unwrap();
    let choose = &mut |seen: &DaysSeen| {
        assert_eq!((seen.epoch, &seen.partitions), (3, &vec![partition(0, 9)]));
        assert_eq!((&seen.settings, seen.views.len()), (&settings(), View::ALL.len()));
        let days: Vec<_> = seen.days.iter().map(|state| (state.day, state.changed_epoch, state.orders)).collect();
        assert_eq!(days, [(day(0), 3, 3), (day(1), 3, 4)]);
        // A commit meanwhile is not of this moment.
        let later = vec![changed(day_key(0, "EUR"), total(9, 9)), gone(day_key(0, "USD"))];
        store.commit(&commit(4, later)).unwrap();
        vec![day(0)]
    };
    let (seen, mut rows) = fresh.open().look_at_days(choose).unwrap();
    rows.sort_by_key(|(key, _)| *key);
    assert_eq!((seen.epoch, rows), (3, of_day_0.to_vec()));
}

pub(super) fn verdicts_stand_until_the_next_and_tell_what_changed(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let days: Vec<_> = (0..4).map(|after| new(day_key(after, "EUR"), total(5, 1))).collect();
    store.commit(&commit(5, days)).unwrap();
    assert!(seen(&fresh).days.iter().all(|state| state.verdict.is_none()));
    let shown = vec![ShownDifference { what: "a\0b".into(), stored: "1".into(), counted: "2".into() }];
    let differs = ProvenDay { differences: 1, shown, ..verdict(day(1), Outcome::Differs, 5) };
    let lost = ProvenDay { reason: Some("lost".into()), ..verdict(day(2), Outcome::NotProvable, 5) };
    store.prove(&[verdict(day(0), Outcome::Differs, 5), differs, lost]).unwrap();
    store.prove(&[verdict(day(0), Outcome::Proven, 5)]).unwrap();

    let found: Vec<_> = seen(&fresh).days.iter().map(|state| state.verdict).collect();
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
    let outcomes = [Outcome::Proven, Outcome::Differs, Outcome::NotProvable].map(|outcome| Some((5, at, outcome)));
    assert_eq!(found, [&outcomes[..], &[None]].concat());
    let states = || fresh.rows(&["order_date", "state", "orders"], "day_proofs");
    let state = |after, state: &str, orders: Option<&str>| {
        vec![Some(day(after).to_string()), Some(state.to_owned()), orders.map(str::to_owned)]
    };
    let (differs, lost) = (state(1, "differs", Some("7")), state(2, "not_provable", Some("7")));
    // The newest day is still open, and no epoch was made.
    assert_eq!(states(), [state(0, "proven", Some("7")), differs.clone(), lost.clone()]);
    assert_eq!(seen(&fresh).epoch, 5);
    store
        .commit(&commit(6, vec![changed(day_key(0, "EUR"), total(6, 2)), new(day_key(4, "EUR"), total(1, 1))]))
        .unwrap();
    assert_eq!(states(), [state(0, "changed", Some("7")), differs, lost, state(3, "unproven", None)]);
    drop(store);
    // A restart keeps what was proven.
    drop(fresh.acquired());
    assert_eq!(states().len(), 4);
}

pub(super) fn verdicts_on_a_store_that_went_back_are_refused(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    store.commit(&commit(8, vec![])).unwrap();
    fresh.execute("UPDATE job SET epoch = 7");
    let error = store.prove(&[verdict(day(0), Outcome::Proven, 8)]).unwrap_err();
    assert!(matches!(error, StoreError::WentBack { ours: 8, found: 7 }), "{error:?}");
    assert!(fresh.rows(&["order_date"], "proven_days").is_empty());
}

pub(super) fn verdicts_of_an_older_generation_are_refused(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    fresh.execute("UPDATE job SET generation = 5");
    let error = store.prove(&[verdict(day(0), Outcome::Proven, 1)]).unwrap_err();
    assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 5, .. }), "{error:?}");
    assert!(fresh.rows(&["order_date"], "proven_days").is_empty());
}
