//! What the job and the audit make of few records, held to what the rules say.

use takings::audit::StoredState;
use takings::config::JobConfig;
use takings::store::commit::Counters;
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::View;

use super::small_shop::small_shop;
use super::{stored, verdict};

/// Every row as text, sorted.
fn rows(stored: &StoredState, view: View) -> Vec<String> {
    let mut rows: Vec<String> = stored
        .rows
        .iter()
        .filter(|(key, _)| key.view() == view)
        .map(|(key, value)| match value {
            RowValue::Ranked(ranked) => format!("{key} {} {}", ranked.product, ranked.takings.amount),
            RowValue::Listing(listing) => format!("{key} {:?}", listing.category.map(Symbol::text)),
            RowValue::Stars(stars) => format!("{key} {:?}", stars.0),
            value => format!("{key} {}", value.takings().expect("a total").amount),
        })
        .collect();
    rows.sort();
    rows
}

/// Job and audit are two readings of the same rules; this holds both to what the rules say.
#[test]
fn every_view_is_what_its_rules_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let stored = stored(&config);
    assert_eq!(
        rows(&stored, View::Category),
        [
            "sales_per_category (2026-11-21, Home, EUR) 7.500000",
            "sales_per_category (2026-11-21, unlisted, EUR) 7.500000",
            "sales_per_category (2026-11-22, Books, USD) 10.000000",
            "sales_per_category (2026-11-22, unlisted, USD) 23.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::Facts),
        [
            "sales_facts (2026-11-21, Home, unknown, EUR) 7.500000",
            "sales_facts (2026-11-21, unlisted, unknown, EUR) 7.500000",
            "sales_facts (2026-11-22, Books, unknown, USD) 10.000000",
            "sales_facts (2026-11-22, unlisted, unknown, USD) 23.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::ListedFacts),
        [
            "listed_facts (2026-11-21, Chair, unknown, EUR) 7.500000",
            "listed_facts (2026-11-22, 1001, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1002, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1003, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1004, unknown, USD) 3.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::Top)[..7],
        [
            "top_products (2026-11, EUR, 1) Chair 7.500000",
            "top_products (2026-11, EUR, 2) Lamp 7.500000",
            "top_products (2026-11, USD, 1) 1001 10.000000",
            "top_products (2026-11, USD, 2) 1002 10.000000",
            "top_products (2026-11, USD, 3) 1003 10.000000",
            "top_products (2026-11, USD, 4) 1004 3.000000",
            "top_products (2026-11-21, EUR, 1) Chair 7.500000",
        ]
    );
    assert_eq!(rows(&stored, View::Products), ["products (1001) Some(\"Books\")", "products (1003) None"]);
    assert_eq!(
        rows(&stored, View::Ratings),
        ["ratings_per_product (1001) [1, 0, 0, 1, 0]", "ratings_per_product (1009) [0, 1, 0, 0, 0]"]
    );
    assert_eq!(rows(&stored, View::Minute).len(), 7, "{:?}", rows(&stored, View::Minute));
    assert!(rows(&stored, View::Minute)[6].ends_with("EUR) 2.500000"), "{:?}", rows(&stored, View::Minute));
    let report = verdict(&config, stored);
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");
    assert_eq!((report.records, report.orders, report.products, report.feedback), (24, 8, 3, 4));
}

#[test]
fn counters_of_listings_and_feedback_are_recounted() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let sound = stored(&config);
    let counters = |topic: &str| {
        let state = sound.partitions.iter().find(|state| state.topic == topic).expect("read");
        let Counters { read, applied, duplicates, corrections, cancellations, rejected, .. } = state.counters;
        [read, applied, duplicates, corrections, cancellations, rejected]
    };
    assert_eq!(counters("product_listings"), [6, 3, 1, 1, 1, 0]);
    assert_eq!(counters("feedback"), [7, 4, 0, 1, 1, 1]);
    for topic in ["product_listings", "feedback"] {
        let mut stored = sound.clone();
        let state = stored.partitions.iter_mut().find(|state| state.topic == topic).expect("read");
        (state.counters.applied, state.counters.corrections) = (2, 99);
        let report = verdict(&config, stored);
        assert_eq!(report.differences, 2, "{report}");
        assert!(report.shown.iter().all(|found| found.what.starts_with(&format!("{topic}/0 "))), "{report}");
    }
}

/// Kafka keeps a key's newest record, and in time not even the one that takes it back.
#[test]
fn what_was_compacted_is_proven_without_its_counters() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let mut stored = stored(&config);
    for (topic, gone) in [("product_listings", &[0, 1, 3, 5][..]), ("feedback", &[0, 3, 4])] {
        let file = folder.path().join(format!("log/{topic}-0.jsonl"));
        let text = std::fs::read_to_string(&file).expect("written");
        // Offsets are bytes, and a line without a record is none.
        let line =
            |(at, line): (usize, &str)| if gone.contains(&at) { " ".repeat(line.len()) } else { line.to_owned() };
        let lines: Vec<String> = text.lines().enumerate().map(line).collect();
        std::fs::write(&file, lines.join("\n") + "\n").expect("written");
    }
    let report = verdict(&config, stored.clone());
    assert!(report.is_clean(), "{report}");
    let notes = report.notes.iter().filter(|note| note.contains("its counters were not compared")).count();
    assert_eq!(notes, 2, "{report}");
    assert!(report.notes.iter().any(|note| note.starts_with("feedback/0 holds 4 of the 7 records")), "{report}");

    stored.rows.retain(|(key, _)| key.view() != View::Ratings);
    let report = verdict(&config, stored);
    assert_eq!(report.differences, 2, "rows are compared all the same: {report}");
}

/// Categories alone need the catalogue, and the sales that follow it; feedback is passed over. Switched on
/// later, ratings are filled from the log.
#[test]
fn views_that_are_off_are_neither_missed_nor_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = small_shop(folder.path());
    let some = JobConfig { views: vec![View::Category], ..whole.clone() };
    let counted = stored(&some);
    assert!(counted.rows.iter().all(|(key, _)| ![View::Day, View::Ratings].contains(&key.view())));
    let report = verdict(&some, counted);
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");

    let report = verdict(&whole, stored(&whole));
    assert!(report.is_clean(), "{report}");
    assert!(report.notes[0].contains("feedback/0 was read in part while no view needed it"), "{report}");
}
