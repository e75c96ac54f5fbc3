//! The oracle: random records over random epochs, recomputed from scratch after each.
//!
//! - `every_epoch_equals_a_recount`: any interleaving of partitions, any number of workers, one of them an epoch before the
//!   others or none, ids that cross partitions, duplicates, corrections, cancellations, revivals; products that are listed late, moved
//!   and withdrawn; ratings that change; every row of every view equals the recount at every epoch, and each
//!   change names what was there.
//! - `a_restart_changes_nothing`: loading base rows and replaying at any epoch goes on as if nothing
//!   had happened.
//! - `a_view_switched_on_later_is_filled`: from any views to all of them.
//! - `the_books_balance`: outcomes against a plain sequential count, where each id stays in its partition.
//! - `what_stays_never_writes`: a repetition changes no row, not even of the minute in which it comes.
//! - `kept_versions_are_the_newest`: what a store would keep of listings and feedback.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use support::{Base, Epochs, Newest, Rows, apply, is_kept, recount, run, run_apart, settings};
use takings_dataflows::amount::Amount;
use takings_dataflows::changes::Outcomes;
use takings_dataflows::day::Day;
use takings_dataflows::event::Event;
use takings_dataflows::graph::{Settings, keeps_catalogue, keeps_products};
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, PartitionId, Version};
use takings_dataflows::rating::{Rating, RatingEvent};
use takings_dataflows::row::{ProductTakings, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::{View, ViewKey};

/// A record as proptest makes it: small domains, so that ids, versions and groups meet often.
#[derive(Clone, Debug)]
struct Drawn {
    id: u8,
    partition: u8,
    timestamp: u8,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Order { day: u8, category: Option<u8>, payment: u8, currency: u8, product: u8, amount: i16, units: i8 },
    Cancellation,
    Listing { category: Option<u8>, name: Option<u8>, price: Option<i16> },
    Withdrawal,
    Rating { product: u8, stars: u8, fingerprint: u8 },
    RatingWithdrawal,
}

fn what() -> impl Strategy<Value = What> {
    let order = (0..3u8, proptest::option::weighted(0.35, 0..2u8), 0..2u8, 0..2u8, 0..3u8, -3..4i16, 0..3i8).prop_map(
        |(day, category, payment, currency, product, amount, units)| What::Order {
            day,
            category,
            payment,
            currency,
            product,
            amount,
            units,
        },
    );
    let maybe = |numbers: std::ops::Range<i16>| proptest::option::of(numbers);
    let listing = (proptest::option::weighted(0.7, 0..2u8), proptest::option::of(0..2u8), maybe(0..2))
        .prop_map(|(category, name, price)| What::Listing { category, name, price });
    let rating =
        (0..3u8, 1..6u8, 0..2u8).prop_map(|(product, stars, fingerprint)| What::Rating { product, stars, fingerprint });
    prop_oneof![
        10 => order,
        2 => Just(What::Cancellation),
        6 => listing,
        2 => Just(What::Withdrawal),
        3 => rating,
        1 => Just(What::RatingWithdrawal),
    ]
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (0..20u8, 0..3u8, 0..9u8, what()).prop_map(|(id, partition, timestamp, what)| Drawn {
        id,
        partition,
        timestamp,
        what,
    })
}

fn epochs() -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    proptest::collection::vec(proptest::collection::vec(drawn(), 0..20), 1..7)
}

/// Few, and of few products: within one epoch a product is to be sold, listed, moved back and withdrawn.
const NAMES: [&str; 3] = ["A", "b", "C"];

/// Gives each record its offset. Timestamps go back and forth, as clocks do.
fn placed(epochs: &[Vec<Drawn>], by_id: bool) -> Epochs {
    let mut offsets = [[0u64; 3]; 3];
    let mut place = |drawn: &Drawn| {
        let topic = match drawn.what {
            What::Order { .. } | What::Cancellation => 0,
            What::Listing { .. } | What::Withdrawal => 1,
            What::Rating { .. } | What::RatingWithdrawal => 2,
        };
        let partition = if by_id { drawn.id % 3 } else { drawn.partition } as usize;
        // Half a minute each, the first ones without a timestamp.
        let timestamp = i64::from(drawn.timestamp.saturating_sub(1)) * 30_000;
        offsets[topic][partition] += 1;
        let version = Version::new(timestamp, topic as u8, partition as u16, offsets[topic][partition]);
        let (id, id_text) = IdSpace::new("oracle").id(&drawn.id.to_string());
        let named = |number: u8| Symbol::new(NAMES[number as usize]);
        let amount = |amount: i16| Amount::from_micros(i128::from(amount) * 500_000);
        let order = |content| {
            let id_text = id_text.clone();
            Event::Order(OrderEvent { id, id_text, version, minute: version.minute(), content, details: None })
        };
        let listing = |content| Event::Listing(ListingEvent { product: named(drawn.id % 3), version, content });
        let rating = |content| Event::Rating(RatingEvent { id, id_text: id_text.clone(), version, content });
        match drawn.what {
            What::Order { day, category, payment, currency, product, amount: paid, units } => {
                let fact = Fact {
                    day: Day::from_epoch_days(i32::from(day) * 20),
                    category: category.map(named),
                    payment_method: Symbol::new(["CARD", "CASH"][payment as usize]),
                    currency: Symbol::new(["EUR", "FCFA"][currency as usize]),
                };
                let (product, amount) = (named(product), amount(paid));
                let contribution = Contribution { fact, product, amount, units: units.into() };
                order(Content::Order { contribution, fingerprint: 0 })
            }
            What::Cancellation => order(Content::Tombstone),
            What::Listing { category, name, price } => listing(Some(Listing {
                name: name.map(named),
                category: category.map(named),
                price: price.map(amount),
            })),
            What::Withdrawal => listing(None),
            What::Rating { product, stars, fingerprint } => {
                rating(Some(Rating { product: named(product), stars, fingerprint: fingerprint.into() }))
            }
            What::RatingWithdrawal => rating(None),
        }
    };
    epochs.iter().map(|records| records.iter().map(&mut place).collect()).collect()
}

/// The newest versions of listings and feedback, as a store keeps them.
fn kept(newest: &Newest) -> Vec<Event> {
    let listings = newest
        .listings
        .iter()
        .map(|(&product, &(version, content))| Event::Listing(ListingEvent { product, version, content }));
    let ratings = newest.ratings.iter().map(|(&id, &(version, content))| {
        Event::Rating(RatingEvent { id, id_text: Default::default(), version, content })
    });
    listings.chain(ratings).collect()
}

/// What a restart after `before` starts from, where the store has `rows` of `views` and the next run fills
/// `fill`.
fn base(before: &[Vec<Event>], rows: Rows, fills_listings: bool, fills_ratings: bool) -> Base {
    let read: Vec<Event> = before.iter().flatten().cloned().collect();
    let newest = Newest::of(&read);
    let is_replayed = |event: &&Event| match event {
        Event::Order(_) => true,
        Event::Listing(_) => fills_listings,
        Event::Rating(_) => fills_ratings,
    };
    let mut replay: Vec<Event> = read.iter().filter(is_replayed).cloned().collect();
    replay.extend(kept(&newest).into_iter().filter(|event| !is_replayed(&event)));
    Base { rows, replay, read }
}

fn any_views() -> impl Strategy<Value = Vec<View>> {
    proptest::sample::subsequence(View::ALL.to_vec(), 0..=View::ALL.len())
}

proptest! {
    #[test]
    fn every_epoch_equals_a_recount(
        drawn in epochs(), (workers, lead) in (1..4usize, 0..2usize), views in any_views()
    ) {
        let epochs = placed(&drawn, false);
        let settings = Settings { views, ..settings(7) };
        let changes = run_apart(workers, lead, settings.clone(), Base::default(), epochs.clone());
        let mut rows = Rows::new();
        let mut changes = changes.iter().peekable();
        let is_visible = |settings: &Settings, rows: &Rows| -> Rows {
            rows.iter().filter(|(key, _)| is_kept(&settings.views, key.view())).map(|(key, row)| (*key, *row)).collect()
        };
        for (index, _) in epochs.iter().enumerate() {
            if let Some(changed) = changes.next_if(|changes| changes.epoch == 8 + index as u64) {
                apply(&mut rows, changed);
            }
            let expected = recount(epochs[..=index].iter().flatten(), &settings);
            prop_assert_eq!(&is_visible(&settings, &rows), &expected, "epoch {}", index);
        }
        prop_assert!(changes.next().is_none());
    }

    #[test]
    fn a_restart_changes_nothing(drawn in epochs(), cut in 0..8usize, workers in (1..4usize, 1..4usize)) {
        let epochs = placed(&drawn, false);
        let cut = cut.min(epochs.len());
        let (before, after) = epochs.split_at(cut);
        let mut rows = Rows::new();
        run(workers.0, settings(0), Base::default(), before.to_vec()).iter().for_each(|changes| apply(&mut rows, changes));
        let base = base(before, rows.clone(), false, false);
        let changes = run(workers.1, settings(cut as u64), base, after.to_vec());
        changes.iter().for_each(|changes| apply(&mut rows, changes));
        prop_assert_eq!(&rows, &recount(epochs.iter().flatten(), &settings(0)));
        let first = changes.first().map(|changes| changes.epoch);
        prop_assert!(after.iter().any(|records| !records.is_empty()) || first.is_none(), "nothing came, {:?} was written", first);
    }

    #[test]
    fn a_view_switched_on_later_is_filled(drawn in epochs(), cut in 1..8usize, had in any_views(), workers in 1..3usize) {
        let epochs = placed(&drawn, false);
        let cut = cut.min(epochs.len());
        let (before, after) = epochs.split_at(cut);
        let first = Settings { views: had.clone(), ..settings(0) };
        let mut rows = Rows::new();
        run(workers, first, Base::default(), before.to_vec()).iter().for_each(|changes| apply(&mut rows, changes));
        // What a store keeps of the two tables that hold more than their own view needs, see `store::switch`.
        for row in rows.values() {
            if let RowValue::Product(ProductTakings { all, listed }) = row {
                prop_assert!(keeps_products(&had) == Some(true) || all == listed);
            }
        }
        let is_there = |view: View| match view {
            View::Product => keeps_products(&had) == Some(true),
            View::Products => keeps_catalogue(&had),
            view => had.contains(&view),
        };
        let fill: Vec<View> = View::ALL.into_iter().filter(|&view| !is_there(view)).collect();
        let base = base(before, rows.clone(), !keeps_catalogue(&had), fill.contains(&View::Ratings));
        let second = Settings { fill: fill.clone(), ..settings(cut as u64) };
        // At least one more epoch, as a job makes it.
        let mut after = after.to_vec();
        after.push(Vec::new());
        run(workers, second, base, after).iter().for_each(|changes| apply(&mut rows, changes));
        prop_assert_eq!(&rows, &recount(epochs.iter().flatten(), &settings(0)), "filled {:?}", fill);
    }

    #[test]
    fn the_books_balance(drawn in epochs(), (workers, lead) in (1..4usize, 0..2usize)) {
        let epochs = placed(&drawn, true);
        let changes = run_apart(workers, lead, settings(0), Base::default(), epochs.clone());
        let mut counted: HashMap<PartitionId, Outcomes> = HashMap::new();
        let mut read: HashMap<PartitionId, u64> = HashMap::new();
        for changes in &changes {
            for (partition, outcomes) in &changes.outcomes {
                counted.entry(*partition).or_default().add(outcomes);
            }
            for (partition, progress) in &changes.progress {
                *read.entry(*partition).or_default() += progress.read;
            }
        }
        // Listings of a product come from several partitions; orders and feedback of one id from one.
        let expected = plain_outcomes(&epochs);
        let of_ids = |counted: &HashMap<PartitionId, Outcomes>| -> HashMap<PartitionId, Outcomes> {
            counted.iter().filter(|(partition, _)| partition.topic != 1).map(|(partition, outcomes)| (*partition, *outcomes)).collect()
        };
        prop_assert_eq!(of_ids(&counted), of_ids(&expected));
        for (partition, outcomes) in counted {
            let Outcomes { applied, duplicates, superseded, corrections, cancellations, beyond_horizon: _ } = outcomes;
            prop_assert_eq!(read[&partition], applied + duplicates + superseded + corrections + cancellations);
        }
    }

    #[test]
    fn what_stays_never_writes(drawn in epochs()) {
        let mut epochs = placed(&drawn, true);
        let newest = Newest::of(epochs.iter().flatten());
        let later = |version: Version| {
            let PartitionId { topic, partition } = version.partition();
            Version::new(version.timestamp(), topic, partition, version.offset() + 1_000)
        };
        let mut again: Vec<Event> = kept(&newest);
        again.extend(newest.orders.iter().map(|(&id, &(version, _, content))| {
            Event::Order(OrderEvent { id, id_text: Default::default(), version, minute: version.minute(), content, details: None })
        }));
        for event in &mut again {
            match event {
                Event::Order(event) => event.version = later(event.version),
                Event::Listing(event) => event.version = later(event.version),
                Event::Rating(event) => event.version = later(event.version),
            }
        }
        let all = again.len() as u64;
        epochs.push(again);
        let last = epochs.len() as u64;
        let changes = run(2, settings(0), Base::default(), epochs);
        for changes in changes.iter().filter(|changes| changes.epoch == last) {
            let mut rows = Rows::new();
            prop_assert!(changes.totals.is_empty() && changes.ranked.is_empty() && changes.rated.is_empty());
            prop_assert!(changes.rows.is_empty(), "{:?}", changes.rows);
            prop_assert!(changes.corrected.is_empty());
            apply(&mut rows, changes);
            let duplicates: u64 = changes.outcomes.values().map(|outcomes| outcomes.duplicates).sum();
            prop_assert_eq!(duplicates, all);
        }
    }

    #[test]
    fn kept_versions_are_the_newest(drawn in epochs(), workers in 1..4usize) {
        let epochs = placed(&drawn, false);
        let changes = run(workers, settings(0), Base::default(), epochs.clone());
        let mut stored: Vec<Event> = Vec::new();
        for changes in &changes {
            stored.extend(changes.listings.iter().copied().map(Event::Listing));
            stored.extend(changes.feedback.iter().cloned().map(Event::Rating));
        }
        let (stored, expected) = (Newest::of(&stored), Newest::of(epochs.iter().flatten()));
        prop_assert_eq!(stored.listings, expected.listings);
        prop_assert_eq!(stored.ratings, expected.ratings);
    }
}

/// What became of each record, in the order in which they came.
fn plain_outcomes(epochs: &Epochs) -> HashMap<PartitionId, Outcomes> {
    let mut outcomes: HashMap<PartitionId, Outcomes> = HashMap::new();
    // The key of what a record is a version of, and what it says: `None` takes it away.
    let mut known: HashMap<(u8, String), Option<String>> = HashMap::new();
    for event in epochs.iter().flatten() {
        let partition = event.version().partition();
        let (key, said) = match event {
            Event::Order(event) => (format!("{:?}", event.id), event.contribution().map(|said| format!("{said:?}"))),
            Event::Listing(event) => (event.product.to_string(), event.content.map(|said| format!("{said:?}"))),
            Event::Rating(event) => (format!("{:?}", event.id), event.content.map(|said| format!("{said:?}"))),
        };
        let counts = outcomes.entry(partition).or_default();
        match (known.insert((partition.topic, key), said.clone()), said) {
            (None, Some(_)) => counts.applied += 1,
            (None, None) => counts.cancellations += 1,
            (Some(old), new) if old == new => counts.duplicates += 1,
            (Some(_), Some(_)) => counts.corrections += 1,
            (Some(_), None) => counts.cancellations += 1,
        }
    }
    outcomes
}

/// A listing that moves a product moves everything it ever sold without a category of its own, and only
/// the rows that this changes are written.
#[test]
fn a_listing_moves_the_past() {
    let space = IdSpace::new("test");
    let (coffee, euro, card) = (Symbol::new("coffee"), Symbol::new("EUR"), Symbol::new("CARD"));
    let order = |number: u64, day: i32, category: Option<&str>| {
        let (id, id_text) = space.id(&number.to_string());
        let version = Version::new(60_000, 0, 0, number);
        let fact = Fact {
            day: Day::from_epoch_days(day),
            category: category.map(Symbol::new),
            payment_method: card,
            currency: euro,
        };
        let contribution = Contribution { fact, product: coffee, amount: Amount::from_micros(1_000_000), units: 1 };
        let content = Content::Order { contribution, fingerprint: number };
        Event::Order(OrderEvent { id, id_text, version, minute: version.minute(), content, details: None })
    };
    let listing = |offset: u64, category: &str| {
        let content = Some(Listing { category: Some(Symbol::new(category)), ..Listing::default() });
        Event::Listing(ListingEvent { product: coffee, version: Version::new(0, 1, 0, offset), content })
    };
    let days = 1_000;
    let mut sales: Vec<Event> = (0..days).map(|day| order(day as u64, day, None)).collect();
    sales.push(order(5_000, 0, Some("Own")));
    let epochs =
        vec![sales, vec![listing(1, "Drinks")], vec![listing(2, "Hot drinks")], vec![listing(3, "Hot drinks")]];
    let changes = run(1, settings(0), Base::default(), epochs.clone());
    let mut rows = Rows::new();
    for (changed, index) in changes.iter().zip(1..) {
        apply(&mut rows, changed);
        assert_eq!(rows, recount(epochs[..index].iter().flatten(), &settings(0)));
    }
    let moved = &changes[2];
    for view in [View::Category, View::Facts] {
        let of_view = moved.totals.keys().filter(|key| key.view() == view).count();
        assert_eq!(of_view, 2 * days as usize, "{view}: each day's old category, and its new one");
    }
    assert_eq!(moved.totals.len(), 4 * days as usize, "no other totals");
    assert_eq!(moved.rows.len(), 1, "the listing itself");
    let is_own = |key: &ViewKey| match key {
        ViewKey::Category { category, .. } | ViewKey::Facts { category, .. } => category.text() == "Own",
        _ => false,
    };
    assert!(!moved.totals.keys().any(is_own));
    assert!(changes[3].totals.is_empty() && changes[3].rows.is_empty(), "the same listing again");
}
