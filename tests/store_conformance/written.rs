//! What is written comes back as it was.

use std::ops::ControlFlow;

use takings_dataflows::last_record::LastRecord;

use super::*;

pub(super) fn a_new_store_is_empty(make: Make) {
    let fresh = make();
    let recovered = fresh.open().acquire(&settings()).unwrap();
    assert_eq!((recovered.generation, recovered.epoch), (1, 0));
    assert!(recovered.partitions.is_empty() && recovered.rows.is_empty());
}

pub(super) fn what_was_committed_is_there_at_the_next_start(make: Make) {
    let fresh = make();
    let (eur, cash) = (Symbol::new("EUR"), Symbol::new("CASH_ON_DELIVERY"));
    let mut totals = vec![
        (category_key(0, "Électronique", "EUR"), total(12_340_000, 2)),
        (day_key(0, "EUR"), total(12_340_000, 2)),
        (ViewKey::Month { month: day(0).month(), currency: eur }, total(-1, 2)),
        (ViewKey::PaymentMethod { day: day(-30_000), payment_method: cash, currency: eur }, total(0, 1)),
        (ViewKey::Facts { day: day(0), category: eur, payment_method: cash, currency: eur }, total(7, 1)),
        (ViewKey::ListedFacts { day: day(0), product: eur, payment_method: cash, currency: eur }, total(7, 1)),
    ];
    let partitions = vec![partition(0, 17), partition(3, 1)];
    fresh
        .acquired()
        .commit(&Commit {
            partitions: partitions.clone(),
            ..commit(7, totals.iter().map(|&(key, total)| new(key, total)).collect())
        })
        .unwrap();

    let mut recovered = fresh.open().acquire(&settings()).unwrap();
    assert_eq!((recovered.generation, recovered.epoch), (2, 7));
    assert_eq!(recovered.partitions, partitions);
    totals.sort();
    recovered.rows.sort_by_key(|(key, _)| *key);
    assert_eq!(recovered.rows, values(&totals));
}

fn values(totals: &[(ViewKey, Takings)]) -> Vec<(ViewKey, RowValue)> {
    totals.iter().map(|&(key, total)| (key, RowValue::Takings(total))).collect()
}

pub(super) fn only_changed_rows_change_their_epoch(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let (one, two, three) = (day_key(0, "EUR"), day_key(0, "USD"), day_key(1, "EUR"));
    store.commit(&commit(1, [one, two, three].map(|key| new(key, total(5, 1))).to_vec())).unwrap();
    store.commit(&commit(2, vec![changed(two, total(7, 2))])).unwrap();
    assert_eq!(fresh.view(View::Day), [row(one, total(5, 1), 1), row(two, total(7, 2), 2), row(three, total(5, 1), 1)]);
}

pub(super) fn rows_that_go_are_told_and_may_come_back(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let (key, other) = (category_key(0, "a \"quoted\" one", "EUR"), category_key(0, "toys", "EUR"));
    store.commit(&commit(1, vec![new(key, total(5, 1)), new(other, total(6, 1))])).unwrap();
    store.commit(&commit(2, vec![gone(key)])).unwrap();
    assert_eq!(fresh.view(View::Category), [row(other, total(6, 1), 1)]);
    assert_eq!(fresh.removals(), BTreeSet::from([removal(2, key)]));
    store.commit(&commit(3, vec![new(key, total(8, 1))])).unwrap();
    store.commit(&commit(4, vec![gone(key), gone(other)])).unwrap();
    assert!(fresh.view(View::Category).is_empty());
    assert_eq!(fresh.removals(), BTreeSet::from([removal(2, key), removal(4, key), removal(4, other)]));
}

pub(super) fn an_empty_epoch_moves_the_job_on(make: Make) {
    let fresh = make();
    fresh.acquired().commit(&commit(9, vec![])).unwrap();
    assert_eq!(fresh.open().acquire(&settings()).unwrap().epoch, 9);
    assert!(fresh.rows(&["committed_at"], "job")[0][0].is_some());
}

pub(super) fn changed_days_narrow_what_changed(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let keys = [category_key(0, "toys", "EUR"), category_key(1, "toys", "EUR"), category_key(2, "toys", "EUR")];
    store.commit(&commit(1, keys.map(|key| new(key, total(5, 1))).to_vec())).unwrap();
    store.commit(&commit(2, vec![changed(keys[1], total(6, 1)), gone(keys[2])])).unwrap();
    let days = fresh.rows(&["order_date", "epoch"], "changed_days");
    let expected =
        [(0, "1"), (1, "2"), (2, "2")].map(|(after, epoch)| vec![Some(day(after).to_string()), Some(epoch.to_owned())]);
    assert_eq!(days, expected);
    let changed = fresh.rows(
        &["t.order_date"],
        "changed_days d JOIN sales_per_category t USING (order_date) WHERE d.epoch > 1 AND t.epoch > 1",
    );
    assert_eq!(changed, [[Some(day(1).to_string())]]);
}

pub(super) fn amounts_are_exact_at_any_size(make: Make) {
    let fresh = make();
    let amounts: [i128; 9] = [
        0,
        -1,
        999_999,
        i128::from(i64::MAX),
        i128::from(i64::MAX) + 1,
        i128::from(i64::MIN),
        10i128.pow(24),
        -(10i128.pow(24) + 1),
        10i128.pow(37) + 123_456,
    ];
    let totals: Vec<_> =
        amounts.iter().zip(0..).map(|(&micros, after)| (day_key(after, "EUR"), total(micros, 1))).collect();
    fresh.acquired().commit(&commit(1, totals.iter().map(|&(key, total)| new(key, total)).collect())).unwrap();
    let mut recovered = fresh.open().acquire(&settings()).unwrap().rows;
    recovered.sort_by_key(|(key, _)| *key);
    assert_eq!(recovered, values(&totals));
    assert_eq!(fresh.view(View::Day), totals.iter().map(|&(key, total)| row(key, total, 1)).collect::<Vec<_>>());
}

/// PostgreSQL's text has no U+0000, and a comparison by a locale may find two different texts equal.
pub(super) fn text_of_any_kind_comes_back(make: Make) {
    let fresh = make();
    let names =
        ["", " ", "a", "A", "a\0b", "␀", "␀0", "\0", "é", "e\u{301}", "日本語", "\u{10FFFF}", "'; --", "a\\b\"c\n\t"];
    let mut totals: Vec<_> = names.map(|name| (category_key(0, name, "EUR"), total(1, 1))).to_vec();
    let mut store = fresh.acquired();
    store.commit(&commit(1, totals.iter().map(|&(key, total)| new(key, total)).collect())).unwrap();
    store.commit(&commit(2, totals.iter().map(|&(key, _)| changed(key, total(2, 1))).collect())).unwrap();
    drop(store);
    let mut store = fresh.open();
    let mut recovered = store.acquire(&settings()).unwrap().rows;
    totals.iter_mut().for_each(|(_, sum)| *sum = total(2, 1));
    totals.sort();
    recovered.sort_by_key(|(key, _)| *key);
    assert_eq!(recovered, values(&totals));
    store.commit(&commit(3, totals.iter().map(|&(key, _)| gone(key)).collect())).unwrap();
    assert_eq!(fresh.removals().len(), names.len());
}

pub(super) fn rejected_bytes_stand_as_they_came(make: Make) {
    let fresh = make();
    let rejected = |offset, key: Option<&[u8]>, payload: Option<&[u8]>, reason: &str| Rejected {
        topic: "product_sold".to_owned(),
        partition: u16::MAX,
        offset,
        key: key.map(<[u8]>::to_vec),
        payload: payload.map(<[u8]>::to_vec),
        reason: reason.to_owned(),
    };
    let rows = vec![
        rejected(0, None, None, "a null key with a null payload"),
        rejected(1, Some(b""), Some(b"{\0\xff\xfe"), "not UTF-8, at byte 3"),
        rejected(1 << 56, Some(b"\0"), Some(&[0xde; 70_000]), "a reason with \0 in it"),
    ];
    fresh.acquired().commit(&Commit { rejected: rows, ..commit(1, vec![]) }).unwrap();
    let found = fresh
        .rows(&["\"offset\"", &fresh.hex("key"), &fresh.hex("payload"), "reason", "partition", "epoch"], "rejected");
    let text = |text: &str| Some(text.to_owned());
    let (partition, epoch) = (text("65535"), text("1"));
    let expected = [
        vec![text("0"), None, None, text("a null key with a null payload"), partition.clone(), epoch.clone()],
        vec![text("1"), text(""), text("7b00fffe"), text("not UTF-8, at byte 3"), partition.clone(), epoch.clone()],
        vec![
            text("72057594037927936"),
            text("00"),
            Some("de".repeat(70_000)),
            text("a reason with ␀0 in it"),
            partition,
            epoch,
        ],
    ];
    assert_eq!(found, expected);
}

fn contribution(category: &str, micros: i128) -> Contribution {
    let fact = Fact {
        day: day(3),
        category: Some(Symbol::new(category)),
        payment_method: Symbol::new("CREDIT_CARD"),
        currency: Symbol::new("USD"),
    };
    Contribution { fact, product: Symbol::new("a product"), amount: Amount::from_micros(micros), units: -4 }
}

pub(super) fn corrections_say_what_was_and_what_is(make: Make) {
    let fresh = make();
    let correction = |offset, was, now, why| Correction {
        topic: "product_sold".to_owned(),
        partition: 2,
        offset,
        order_id: "an order\0".to_owned(),
        was,
        now,
        why,
    };
    let (toys, books) = (contribution("toys", -12_500_000), contribution("books", 1));
    let corrections = vec![
        correction(5, Some(toys), Some(books), Why::Correction),
        correction(6, Some(books), None, Why::Cancellation),
        correction(7, None, Some(toys), Why::Correction),
    ];
    fresh.acquired().commit(&Commit { corrections, ..commit(4, vec![]) }).unwrap();
    let side = |side: &str| {
        ["order_date", "category", "payment_method", "currency", "amount", "units", "product"]
            .map(|name| format!("{side}_{name}"))
    };
    let (was, now) = (side("was"), side("now"));
    let mut columns = vec!["\"offset\"", "order_id", "why", "epoch"];
    columns.extend(was.iter().chain(&now).map(String::as_str));
    let found = fresh.rows(&columns, "corrections");
    let nothing = [None; 7];
    let toys = ["2026-11-25", "toys", "CREDIT_CARD", "USD", "-12.500000", "-4", "a product"].map(Some);
    let books = ["2026-11-25", "books", "CREDIT_CARD", "USD", "0.000001", "-4", "a product"].map(Some);
    let expected =
        [("5", "correction", toys, books), ("6", "cancellation", books, nothing), ("7", "correction", nothing, toys)]
            .map(|(offset, why, was, now)| {
                let place = [offset, "an order␀0", why, "4"].map(Some);
                place.into_iter().chain(was).chain(now).map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
            });
    assert_eq!(found, expected);
}

pub(super) fn partitions_are_written_whole(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    let everything = PartitionState {
        topic: "a topic".to_owned(),
        partition: u16::MAX,
        incarnation: u8::MAX,
        offset: (1 << 56) - 1,
        newest_timestamp: 0,
        log_time: 0,
        topic_id: None,
        passed_over: passed_over(&[(0, 5), (10, (1 << 56) - 1)]),
        lost_until: 1_700_000_000_123,
        last: Some(LastRecord { offset: (1 << 56) - 2, leader_epoch: None, checksum: 0 }),
        counters: Counters {
            read: 28,
            applied: 1,
            duplicates: 2,
            superseded: 3,
            corrections: 4,
            cancellations: 5,
            rejected: 6,
            other: 7,
            beyond_horizon: 8,
            rounded: 9,
        },
    };
    store.commit(&Commit { partitions: vec![everything.clone(), partition(1, 10)], ..commit(1, vec![]) }).unwrap();
    store.commit(&Commit { partitions: vec![partition(1, 12)], ..commit(2, vec![]) }).unwrap();
    drop(store);
    let recovered = fresh.open().acquire(&settings()).unwrap();
    assert_eq!(recovered.partitions, [everything, partition(1, 12)]);
}

/// A topic that was created anew has other records at the offsets of the old one.
pub(super) fn a_place_may_come_twice(make: Make) {
    let fresh = make();
    let mut store = fresh.acquired();
    for epoch in [1, 2] {
        let (topic, partition, offset) = ("product_sold".to_owned(), 0, 5);
        let rejected =
            Rejected { topic: topic.clone(), partition, offset, key: None, payload: None, reason: "none".to_owned() };
        let was = Some(contribution("toys", 1));
        let correction =
            Correction { topic, partition, offset, order_id: "1".to_owned(), was, now: None, why: Why::Cancellation };
        let commit = commit(epoch, vec![]);
        store.commit(&Commit { rejected: vec![rejected], corrections: vec![correction], ..commit }).unwrap();
    }
    for table in ["rejected", "corrections"] {
        let twice = ["1", "2"].map(|epoch| vec![Some("5".to_owned()), Some(epoch.to_owned())]);
        assert_eq!(fresh.rows(&["\"offset\"", "epoch"], table), twice, "{table}");
    }
}

fn passed_over(stretches: &[(u64, u64)]) -> PassedOver {
    let mut passed_over = PassedOver::default();
    stretches.iter().for_each(|&(first, end)| passed_over.add(first, end));
    passed_over
}

fn topics_of(topics: &[String]) -> Topics {
    Topics::new(topics.iter().map(|topic| (topic, IdSpace::new(topic))))
}

fn order_of(event: Event) -> Option<OrderEvent> {
    match event {
        Event::Order(event) => Some(event),
        Event::Listing(_) | Event::Rating(_) => None,
    }
}

/// One row of each view, and each of them changed and gone.
pub(super) fn rows_of_every_view_come_back(make: Make) {
    let fresh = make();
    let (product, eur, payment_method) = (Symbol::new("Café ␀\0"), Symbol::new("EUR"), Symbol::new("\0"));
    let (month, minute) = (day(0).month(), Minute::of_millis(1_700_000_000_000));
    let listing = |category, price| Listing { name: Some(product), category, price };
    let sold = |all, listed| RowValue::Product(ProductTakings { all: total(all, 3), listed });
    let ranked = |period, amount| {
        let key = ViewKey::Top { period, currency: eur, rank: 3 };
        (key, RowValue::Ranked(Ranked { product, takings: total(amount, 1) }))
    };
    let rows = |amount: i128, price: Option<Amount>, stars: [i64; 5], listed| {
        vec![
            (category_key(0, "toys", "EUR"), total(amount, 1).into()),
            (day_key(0, "EUR"), total(amount, 2).into()),
            (ViewKey::Month { month, currency: eur }, total(amount, 3).into()),
            (ViewKey::PaymentMethod { day: day(0), payment_method: product, currency: eur }, total(-amount, 1).into()),
            (ViewKey::Facts { day: day(0), category: eur, payment_method, currency: eur }, total(amount, 5).into()),
            (ViewKey::Product { day: day(0), product, currency: eur }, sold(amount, listed)),
            ranked(Period::All, amount),
            ranked(Period::Month(month), amount),
            ranked(Period::Day(day(0)), amount),
            (ViewKey::Listing { product }, RowValue::Listing(listing(price.and(Some(eur)), price))),
            (ViewKey::Rating { product }, RowValue::Stars(Stars(stars))),
            (ViewKey::Minute { minute, currency: eur }, total(amount, 4).into()),
            (ViewKey::ListedFacts { day: day(0), product, payment_method, currency: eur }, total(amount, 6).into()),
        ]
    };
    let first = rows(12_340_000, None, [0, 1, 0, 0, 2], Takings::default());
    let second = rows(-5, Some(Amount::from_micros(990_000)), [1, 0, 0, 0, 0], total(7, 1));
    let mut store = fresh.acquired();
    let mut change = |epoch, rows: &[(ViewKey, RowValue)], is_new: bool| {
        let rows = rows.iter().map(|&(key, row)| if is_new { new(key, row) } else { changed(key, row) });
        store.commit(&commit(epoch, rows.collect())).unwrap();
        // The listing's version belongs to it: another table must say the same.
        let mut recovered = fresh.open().look().unwrap().1.rows;
        recovered.sort_by_key(|(key, _)| *key);
        recovered
    };
    assert_eq!(change(1, &first, true), first);
    assert_eq!(change(2, &second, false), second);
    for view in View::TABLES {
        let expected = second.iter().filter(|(key, _)| key.view() == view).map(|&(key, value)| row(key, value, 2));
        let mut expected: Vec<_> = expected.collect();
        expected.sort();
        assert_eq!(fresh.view(view), expected, "{view}");
    }
    store.commit(&commit(3, second.iter().map(|(key, _)| gone(*key)).collect())).unwrap();
    assert!(View::TABLES.iter().all(|view| fresh.view(*view).is_empty()));
    // What no reader is shown, no feed is told of.
    let shown = second.iter().filter(|(key, _)| key.view().is_shown());
    assert_eq!(fresh.removals(), shown.map(|(key, _)| removal(3, *key)).collect());
}

pub(super) fn kept_listings_and_feedback_come_back_as_events(make: Make) {
    let fresh = make();
    let topics = ["listed".to_owned(), "rated".to_owned()];
    let settings = JobSettings { topics: topics.to_vec(), ..settings() };
    let (tea, cup) = (Symbol::new("tea"), Symbol::new("cup\0"));
    let listing = |product: Symbol, offset, is_withdrawn| KeptListing {
        product: product.text().to_owned(),
        topic: "listed".to_owned(),
        partition: 7,
        incarnation: if is_withdrawn { 2 } else { 0 },
        offset,
        timestamp: 1_700_000_000_000,
        is_withdrawn,
    };
    let feedback = |id: &str, offset, current| KeptFeedback {
        topic: "rated".to_owned(),
        feedback_id: id.to_owned(),
        partition: 8,
        incarnation: offset as u8,
        offset,
        timestamp: 5,
        current,
    };
    let rating = |stars| Some(Rating { product: tea, stars, fingerprint: u64::MAX });
    let content = Listing { name: None, category: Some(cup), price: Some(Amount::from_micros(1)) };
    let mut store = fresh.open();
    store.acquire(&settings).unwrap();
    let first = Commit {
        listings: vec![listing(tea, 1, false), listing(cup, 2, true)],
        feedback: vec![feedback("one", 3, rating(1)), feedback("two\0", 4, rating(2))],
        ..commit(1, vec![new(ViewKey::Listing { product: tea }, RowValue::Listing(content))])
    };
    store.commit(&first).unwrap();
    let second =
        Commit { feedback: vec![feedback("one", 5, rating(5)), feedback("two\0", 6, None)], ..commit(2, vec![]) };
    store.commit(&second).unwrap();
    drop(store);

    let mut store = fresh.open();
    store.acquire(&settings).unwrap();
    let mut events = all_kept(&mut *store, &topics).unwrap();
    events.sort_by_key(|event| event.version().offset());
    let rated = |id: &str, offset, content| {
        let (id, id_text) = IdSpace::new("rated").id(id);
        let version = Version::new(5, 1, 8, offset).in_incarnation(offset as u8);
        Event::Rating(RatingEvent { id, id_text, version, content })
    };
    let listed = |product, offset, content: Option<Listing>| {
        let incarnation = if content.is_none() { 2 } else { 0 };
        let version = Version::new(1_700_000_000_000, 0, 7, offset).in_incarnation(incarnation);
        Event::Listing(ListingEvent { product, version, content })
    };
    let expected =
        [listed(tea, 1, Some(content)), listed(cup, 2, None), rated("one", 5, rating(5)), rated("two\0", 6, None)];
    assert_eq!(events, expected);
    // A listing without its row of products was taken away by someone.
    drop(store);
    fresh.execute("DELETE FROM products");
    let mut store = fresh.open();
    store.acquire(&settings).unwrap();
    let error = all_kept(&mut *store, &topics).unwrap_err();
    assert!(error.to_string().contains("tea is missing in products"), "{error}");
}

/// All that is kept beside the views.
fn all_kept(store: &mut dyn takings::store::Store, topics: &[String]) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    store.kept(&topics_of(topics), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    })?;
    Ok(events)
}

pub(super) fn kept_orders_come_back_as_events(make: Make) {
    let fresh = make();
    let topics = ["a".to_owned(), "b".to_owned()];
    let settings = JobSettings { topics: topics.to_vec(), ..settings() };
    let uuid = "0b9f0b1e-6f7a-4c1d-9d0e-0123456789ab";
    let full = OrderDetails {
        product_id: "p\0".to_owned(),
        product_name: Some("Café".to_owned()),
        product_brand: Some(String::new()),
        product_price: Some(Amount::from_micros(1_234_567)),
        customer_id: Some("␀".to_owned()),
        ordered_at: 1_795_000_000_123_456,
    };
    let bare = OrderDetails { product_id: "q".to_owned(), ordered_at: -1, ..OrderDetails::default() };
    let kept = |topic: &str, order_id: &str, offset, content: Option<(&OrderDetails, i128)>| KeptOrder {
        topic: topic.to_owned(),
        order_id: order_id.to_owned(),
        partition: 9,
        incarnation: u8::MAX - offset as u8,
        offset,
        timestamp: 1_700_000_000_000,
        first_timestamp: 1_699_999_980_000,
        current: content.map(|(details, micros)| KeptContent {
            contribution: contribution("toys\0", micros),
            details: details.clone(),
            fingerprint: u64::MAX - offset,
        }),
    };
    let event = |order: &KeptOrder, rank| {
        let (id, id_text) = IdSpace::new(&order.topic).id(&order.order_id);
        let version = Version::new(order.timestamp, rank, order.partition, order.offset);
        let version = version.in_incarnation(order.incarnation);
        let content = match &order.current {
            Some(KeptContent { contribution, fingerprint, .. }) => {
                Content::Order { contribution: *contribution, fingerprint: *fingerprint }
            }
            None => Content::Tombstone,
        };
        let minute = Minute::of_millis(order.first_timestamp);
        OrderEvent { id, id_text, version, minute, content, details: None }
    };
    let mut store = fresh.open();
    store.acquire(&settings).unwrap();
    let first = [
        kept("a", uuid, 1, Some((&full, 10i128.pow(21)))),
        kept("b", uuid, 2, Some((&bare, -1))),
        kept("b", "never seen", 3, None),
        kept("a", "odd \0␀", 4, Some((&bare, 0))),
    ];
    store.commit(&Commit { orders: first.to_vec(), ..commit(1, vec![]) }).unwrap();
    // Cancelled, revived, corrected; one stays.
    let second =
        [kept("b", uuid, 5, None), kept("b", "never seen", 6, Some((&full, 2))), kept("a", uuid, 7, Some((&bare, 3)))];
    store.commit(&Commit { orders: second.to_vec(), ..commit(2, vec![]) }).unwrap();
    // An older record of an order or a cancellation moves when it began, and nothing else; a younger one nothing.
    let began = |topic: &str, order_id: &str, first_timestamp| EarlierOrder {
        topic: topic.to_owned(),
        order_id: order_id.to_owned(),
        first_timestamp,
    };
    let earlier = vec![
        began("a", uuid, 1_699_999_920_000),
        began("b", uuid, 1_699_999_860_000),
        began("a", "odd \0␀", 1_700_000_040_000),
        began("a", "nobody's", 1),
    ];
    store.commit(&Commit { earlier, ..commit(3, vec![]) }).unwrap();
    let mut second = second;
    second[0].first_timestamp = 1_699_999_860_000;
    second[2].first_timestamp = 1_699_999_920_000;
    drop(store);

    let expected = [event(&first[3], 0), event(&second[0], 1), event(&second[1], 1), event(&second[2], 0)];
    let come_back = || {
        let mut store = fresh.open();
        store.acquire(&settings).unwrap();
        let kept = all_kept(&mut *store, &topics).unwrap();
        let mut events: Vec<_> = kept.into_iter().filter_map(order_of).collect();
        events.sort_by_key(|event| event.version.offset());
        assert_eq!(events, expected);
        store
    };
    drop(come_back());
    assert_eq!(fresh.rows(&["order_id"], "cancelled_orders").len(), 1);
    // One value of a row says the same as its columns, or nothing: where a column of it changed alone.
    let packed = || fresh.rows(&["order_id", "CASE WHEN packed IS NULL THEN 0 ELSE 1 END"], "orders");
    let is_packed = |order: &KeptOrder, is: &str| {
        vec![Some(takings::store::text::escaped(&order.order_id).into_owned()), Some(is.to_owned())]
    };
    let mut rows = vec![is_packed(&first[3], "1"), is_packed(&second[1], "1"), is_packed(&second[2], "0")];
    rows.sort();
    assert_eq!(packed(), rows);
    fresh.execute("UPDATE orders SET packed = NULL");
    let mut store = come_back();
    let mut taken = 0;
    store
        .kept(&topics_of(&topics), &mut |_| {
            taken += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert!(taken <= 2, "who takes no more is handed no more of a table: {taken}");
    // The details are for readers of the table; the dataflow is not handed them again.
    let columns = ["order_id", "product_id", "product_name", "product_brand", "product_price", "customer_id"];
    let details = |order: &KeptOrder, details: &OrderDetails| -> Vec<Option<String>> {
        let text = |text: &str| Some(takings::store::text::escaped(text).into_owned());
        let optional = |value: &Option<String>| value.as_deref().and_then(text);
        vec![
            text(&order.order_id),
            text(&details.product_id),
            optional(&details.product_name),
            optional(&details.product_brand),
            details.product_price.map(|price| price.to_string()),
            optional(&details.customer_id),
        ]
    };
    let mut expected = vec![details(&first[3], &bare), details(&second[1], &full), details(&second[2], &bare)];
    expected.sort();
    assert_eq!(fresh.rows(&columns, "orders"), expected);
    let error = all_kept(&mut *store, &topics[..1]).unwrap_err();
    assert!(error.to_string().contains("topic b"), "{error}");
}
