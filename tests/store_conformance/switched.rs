//! Views switched on and off between runs.

use super::*;

fn with_views(views: &[View]) -> JobSettings {
    JobSettings { views: views.to_vec(), ..settings() }
}

/// One row of each view that is asked about here, all of one listed sale.
fn some_rows() -> Vec<RowChange> {
    let (product, eur, payment_method) = (Symbol::new("tea"), Symbol::new("EUR"), Symbol::new("CASH"));
    let takings = total(5_000_000, 1);
    let mixed = ProductTakings { all: total(15_000_000, 3), listed: total(5_000_000, 1) };
    let own = ProductTakings { all: total(1, 1), listed: Takings::default() };
    vec![
        new(category_key(0, "unlisted", "EUR"), takings),
        new(day_key(0, "EUR"), takings),
        new(ViewKey::Facts { day: day(0), category: Symbol::new("unlisted"), payment_method, currency: eur }, takings),
        new(ViewKey::ListedFacts { day: day(0), product, payment_method, currency: eur }, takings),
        new(ViewKey::Product { day: day(0), product, currency: eur }, RowValue::Product(mixed)),
        new(ViewKey::Product { day: day(1), product, currency: eur }, RowValue::Product(own)),
        new(
            ViewKey::Top { period: Period::All, currency: eur, rank: 1 },
            RowValue::Ranked(Ranked { product, takings }),
        ),
        new(ViewKey::Rating { product }, RowValue::Stars(Stars::one(4))),
    ]
}

fn stocked(make: Make) -> Fresh {
    let fresh = make();
    fresh.acquired().commit(&commit(1, some_rows())).unwrap();
    fresh
}

fn kept_views(fresh: &Fresh) -> Vec<(String, Option<String>)> {
    let rows = fresh.rows(&["view", "complete_from"], "views").into_iter();
    rows.map(|mut row| (row.remove(0).unwrap(), row.remove(0))).collect()
}

pub(super) fn a_view_switched_off_is_empty(make: Make) {
    let fresh = stocked(make);
    let recovered = fresh.open().acquire(&with_views(&[View::Day])).unwrap();
    assert_eq!(recovered.rows, [(day_key(0, "EUR"), total(5_000_000, 1).into())]);
    assert!(recovered.to_fill.is_empty());
    for view in View::TABLES.into_iter().filter(|view| *view != View::Day) {
        assert!(fresh.view(view).is_empty(), "{view}");
    }
    assert_eq!(kept_views(&fresh), [("sales_per_day".to_owned(), None)]);
    // Nobody could follow that row by row: feeds start over.
    assert_eq!(fresh.rows(&["removals_after"], "job"), [[Some("1".to_owned())]]);
}

pub(super) fn a_view_switched_on_is_to_be_filled_until_it_is(make: Make) {
    let fresh = make();
    let day_only = with_views(&[View::Day]);
    let mut store = fresh.open();
    assert_eq!(store.acquire(&day_only).unwrap().to_fill, [View::Day]);
    let filled = |view, complete_from| vec![FilledView { view, complete_from }];
    let first = commit(1, vec![new(day_key(0, "EUR"), total(5, 1))]);
    store.commit(&Commit { filled: filled(View::Day, None), ..first }).unwrap();
    drop(store);

    let both = with_views(&[View::Day, View::Month]);
    for _ in 0..2 {
        // A run that ends before its first commit leaves it to the next.
        let recovered = fresh.open().acquire(&both).unwrap();
        assert_eq!(recovered.to_fill, [View::Month]);
        assert_eq!(recovered.rows.len(), 1);
    }
    let mut store = fresh.open();
    store.acquire(&both).unwrap();
    let month = ViewKey::Month { month: day(0).month(), currency: Symbol::new("EUR") };
    let second = commit(2, vec![new(month, total(5, 1))]);
    store.commit(&Commit { filled: filled(View::Month, Some(day(-3))), ..second }).unwrap();
    drop(store);
    let recovered = fresh.open().acquire(&both).unwrap();
    assert!(recovered.to_fill.is_empty());
    let incomplete = IncompleteView { view: View::Month, complete_from: day(-3), since_epoch: 2 };
    assert_eq!(recovered.incomplete, [incomplete]);
    assert_eq!(recovered.rows.len(), 2);
    let expected = [("sales_per_day".to_owned(), None), ("sales_per_month".to_owned(), Some(day(-3).to_string()))];
    assert_eq!(kept_views(&fresh), expected);
}

pub(super) fn categories_keep_what_they_need_of_products(make: Make) {
    let fresh = stocked(make);
    let (product, eur) = (Symbol::new("tea"), Symbol::new("EUR"));
    let recovered = fresh.open().acquire(&with_views(&[View::Category])).unwrap();
    let listed = total(5_000_000, 1);
    let sold = RowValue::Product(ProductTakings { all: listed, listed });
    let product_key = ViewKey::Product { day: day(0), product, currency: eur };
    let category = (category_key(0, "unlisted", "EUR"), RowValue::Takings(listed));
    assert_eq!(recovered.rows, [category, (product_key, sold)]);
    assert_eq!(fresh.view(View::Product), [row(product_key, sold, 1)]);
    if !fresh.is_postgres() {
        let micros = fresh.rows(&["total_sales_micros"], "sales_per_product");
        assert_eq!(micros, [[Some("5000000".to_owned())]]);
    }

    let recovered = fresh.open().acquire(&with_views(&[View::Category, View::Product])).unwrap();
    assert_eq!(recovered.to_fill, [View::Product]);
    assert_eq!(recovered.rows.len(), 2, "the listed sales are there, the others come from the log");
}

pub(super) fn facts_keep_what_they_need_and_go_with_it(make: Make) {
    let fresh = stocked(make);
    let recovered = fresh.open().acquire(&with_views(&[View::Facts])).unwrap();
    assert!(recovered.to_fill.is_empty());
    let views: Vec<View> = recovered.rows.iter().map(|(key, _)| key.view()).collect();
    assert_eq!(views, [View::Facts, View::ListedFacts], "no totals of products by day");
    let recovered = fresh.open().acquire(&with_views(&View::DEFAULT)).unwrap();
    assert!(!recovered.to_fill.contains(&View::Facts));
    assert!(fresh.view(View::Facts).is_empty() && fresh.view(View::ListedFacts).is_empty());
    // On again: from the log, all of it.
    let recovered = fresh.open().acquire(&settings()).unwrap();
    assert!(recovered.to_fill.contains(&View::Facts) && recovered.rows.is_empty());
}

pub(super) fn another_number_of_best_sellers_is_filled_anew(make: Make) {
    let fresh = stocked(make);
    let recovered = fresh.open().acquire(&JobSettings { top: 3, ..settings() }).unwrap();
    assert_eq!(recovered.to_fill, [View::Top]);
    assert!(fresh.view(View::Top).is_empty());
    assert_eq!(fresh.view(View::Product).len(), 2);
}

/// A store as the first schema left it, with these categories.
fn of_the_first_schema(make: Make, categories: &[&str]) -> Fresh {
    let fresh = make();
    let kind = if fresh.is_postgres() { "postgres" } else { "sqlite" };
    let path = format!("{}/sql/{kind}/migrations/V1__totals.sql", env!("CARGO_MANIFEST_DIR"));
    let sql = std::fs::read_to_string(path).unwrap();
    fresh.execute(&sql);
    let checksum = refinery::Migration::unapplied("V1__totals", &sql).unwrap().checksum();
    let names = ["sales_per_category", "sales_per_day", "sales_per_month", "sales_per_payment_method"];
    let list = |open: &str, quote: &str, close: &str| {
        format!("{open}{}{close}", names.map(|name| format!("{quote}{name}{quote}")).join(","))
    };
    let (views, topics) = if fresh.is_postgres() {
        (list("'{", "", "}'"), "'{product_sold}'")
    } else {
        (list("'[", "\"", "]'"), "'[\"product_sold\"]'")
    };
    fresh.execute(&format!(
        "CREATE TABLE takings_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255),
           checksum VARCHAR(255));
         INSERT INTO takings_schema_history VALUES (1, 'totals', '2026-11-23T00:00:00Z', '{checksum}');
         UPDATE job SET epoch = 7, time_zone = 'Africa/Dakar', default_currency = 'FCFA', keep_orders = {},
           views = {views}, topics = {topics}, log = 'a log';
         INSERT INTO sales_per_day (order_date, currency, total_sales, orders, units, epoch)
         VALUES ('2026-11-22', 'EUR', '5.000000', 1, 2, 7);",
        if fresh.is_postgres() { "true" } else { "1" }
    ));
    for category in categories {
        fresh.execute(&format!(
            "INSERT INTO sales_per_category (order_date, category, currency, total_sales, orders, units, epoch)
             VALUES ('2026-11-22', '{category}', 'EUR', '5.000000', 1, 2, 7)"
        ));
    }
    fresh
}

pub(super) fn a_store_of_the_first_schema_is_brought_up_to_date(make: Make) {
    let new = [View::Product, View::Top, View::Ratings, View::Minute];
    let fresh = of_the_first_schema(make, &["toys"]);
    // As a run does that is not told which views to keep: none that it has to be told of.
    let recovered = fresh.open().acquire(&with_views(&View::DEFAULT)).unwrap();
    assert_eq!(recovered.epoch, 7);
    assert_eq!(recovered.to_fill, new);
    assert!(fresh.view(View::Facts).is_empty());
    let rows = [(category_key(0, "toys", "EUR"), total(5_000_000, 1)), (day_key(0, "EUR"), total(5_000_000, 1))];
    assert_eq!(recovered.rows, rows.map(|(key, total)| (key, RowValue::Takings(total))));

    // Whose products the unlisted ones were is not known.
    let fresh = of_the_first_schema(make, &["toys", "unlisted"]);
    let recovered = fresh.open().acquire(&settings()).unwrap();
    assert!(recovered.to_fill.starts_with(&[View::Category, View::Facts, View::Product]));
    assert_eq!(recovered.rows, [(day_key(0, "EUR"), RowValue::Takings(total(5_000_000, 1)))]);
}
