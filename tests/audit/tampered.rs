//! Rows that were changed since the job wrote them.

use takings_dataflows::amount::Amount;
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::{View, ViewKey};

use super::small_shop::small_shop;
use super::{stored, verdict};

type Rows = Vec<(ViewKey, RowValue)>;

/// A change of a view's first stored row, and what the difference must say.
type Tampering = (View, fn(&mut Rows, usize), &'static str);

fn one_more_order(rows: &mut Rows, at: usize) {
    match &mut rows[at].1 {
        RowValue::Takings(takings) => takings.orders += 1,
        RowValue::Product(product) => product.all.orders += 1,
        RowValue::Ranked(ranked) => ranked.takings.orders += 1,
        value => panic!("{value:?} has no orders"),
    }
}

fn gone(rows: &mut Rows, at: usize) {
    rows.remove(at);
}

#[test]
fn each_kind_of_row_that_is_changed_by_hand_is_found_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let sound = stored(&config);
    let mut tamperings: Vec<Tampering> = Vec::new();
    for view in View::TABLES {
        tamperings.push((view, gone, "stored nothing, counted "));
        if ![View::Products, View::Ratings].contains(&view) {
            tamperings.push((view, one_more_order, " orders, "));
        }
    }
    tamperings.extend::<[Tampering; 7]>([
        (
            View::Ratings,
            |rows, at| {
                if let RowValue::Stars(stars) = &mut rows[at].1 {
                    stars.0[2] += 1
                }
            },
            " 1 threes, ",
        ),
        (
            View::Products,
            |rows, at| {
                if let RowValue::Listing(listing) = &mut rows[at].1 {
                    listing.category = Some(Symbol::new("Garden"));
                }
            },
            "category \"Garden\"",
        ),
        (
            View::Products,
            |rows, at| {
                if let RowValue::Listing(listing) = &mut rows[at].1 {
                    listing.price = Some(Amount::from_micros(1));
                }
            },
            "price 0.000001",
        ),
        (
            View::Product,
            |rows, at| {
                if let RowValue::Product(product) = &mut rows[at].1 {
                    product.listed.units += 1;
                }
            },
            "of those that follow the catalogue",
        ),
        (
            View::Top,
            |rows, at| {
                if let RowValue::Ranked(ranked) = &mut rows[at].1 {
                    ranked.product = Symbol::new("Kettle");
                }
            },
            "Kettle with",
        ),
        (
            View::Minute,
            |rows, at| {
                // A minute that should have gone.
                let (mut key, value) = rows[at];
                if let ViewKey::Minute { minute, .. } = &mut key {
                    *minute = minute.before(3_200);
                }
                rows.push((key, value));
            },
            "counted nothing",
        ),
        (
            View::Category,
            |rows, at| {
                let (mut key, value) = rows[at];
                if let ViewKey::Category { currency, .. } = &mut key {
                    *currency = Symbol::new("CHF");
                }
                rows.push((key, value));
            },
            "CHF): stored ",
        ),
    ]);
    for (view, change, found) in tamperings {
        let mut stored = sound.clone();
        let at = stored.rows.iter().position(|(key, _)| key.view() == view).expect("a row");
        change(&mut stored.rows, at);
        let report = verdict(&config, stored);
        assert_eq!(report.differences, 1, "{view} {found}: {report}");
        let printed = report.to_string();
        assert!(printed.contains(found) && report.shown[0].what.starts_with(view.name()), "{found}: {printed}");
    }
}
