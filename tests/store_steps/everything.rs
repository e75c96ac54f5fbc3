//! Commits that write every table, and what the tables hold.

use std::collections::BTreeSet;

use takings::store::Commit;
use takings::store::columns::{key_columns, value_columns};
use takings::store::commit::{
    Correction, EarlierOrder, KeptContent, KeptFeedback, KeptListing, KeptOrder, Rejected, Why,
};
use takings_dataflows::amount::Amount;
use takings_dataflows::listing::Listing;
use takings_dataflows::order::{Contribution, Fact, OrderDetails};
use takings_dataflows::rating::{Rating, Stars};
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::{View, ViewKey};

use crate::support::stores::{Fresh, category_key, changed, commit, day, day_key, gone, new, partition, total};

/// All tables, a row a line; what says when something was written is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump(BTreeSet<String>);

/// Tables that are no views, and the columns of them that a commit decides.
const TABLES: [(&str, &[&str]); 11] = [
    ("job", &["epoch", "removals_after"]),
    ("sources", &["topic", "partition", "\"offset\"", "read", "applied", "duplicates", "epoch"]),
    ("corrections", &["\"offset\"", "order_id", "why", "was_amount", "now_amount", "now_category", "epoch"]),
    ("rejected", &["partition", "\"offset\"", "reason", "epoch"]),
    ("orders", &["order_id", "total_amount", "\"offset\"", "first_log_timestamp", "epoch"]),
    ("cancelled_orders", &["order_id", "\"offset\"", "first_log_timestamp", "epoch"]),
    ("listings", &["product", "\"offset\"", "epoch"]),
    ("feedback", &["feedback_id", "rating", "\"offset\"", "epoch"]),
    ("views", &["view", "since_epoch"]),
    ("changed_days", &["order_date", "epoch"]),
    ("removals", &["view", "key", "epoch"]),
];

/// What a store holds, in one query. Its schema is there.
pub fn dump(fresh: &Fresh) -> Dump {
    let of = |table: &str, columns: &[&str]| {
        let columns: Vec<String> =
            columns.iter().map(|column| format!("' | ' || coalesce(CAST({column} AS TEXT), 'null')")).collect();
        format!("SELECT '{table}' || {} FROM {table}", columns.join(" || "))
    };
    let mut queries: Vec<String> = TABLES.iter().map(|(table, columns)| of(table, columns)).collect();
    for view in View::TABLES {
        let columns = key_columns(view).iter().chain(value_columns(view)).map(|(name, _)| *name);
        queries.push(of(view.name(), &columns.chain(["epoch"]).collect::<Vec<_>>()));
    }
    let rows = fresh.texts(&queries.join(" UNION ALL "));
    Dump(rows.into_iter().map(|mut row| row.pop().flatten().expect("text")).collect())
}

/// A commit that leaves its number wherever it can: whatever is lost, doubled or half there shows.
pub fn everything(epoch: u64) -> Commit {
    let (eur, product) = (Symbol::new("EUR"), Symbol::new("tea"));
    let number = epoch as i64;
    let again = |key: ViewKey, value: RowValue| if epoch == 1 { new(key, value) } else { changed(key, value) };
    let sum = RowValue::Takings(total(i128::from(epoch) * 1_000_000, number));
    let mut rows: Vec<_> = (0..12).map(|after| again(day_key(after, "EUR"), sum)).collect();
    rows.push(again(category_key(0, "toys", "EUR"), sum));
    rows.push(again(ViewKey::Month { month: day(0).month(), currency: eur }, sum));
    rows.push(again(ViewKey::PaymentMethod { day: day(0), payment_method: product, currency: eur }, sum));
    rows.push(again(ViewKey::Facts { day: day(0), category: eur, payment_method: product, currency: eur }, sum));
    rows.push(again(ViewKey::ListedFacts { day: day(0), product, payment_method: product, currency: eur }, sum));
    rows.push(again(ViewKey::Rating { product }, RowValue::Stars(Stars([number, 0, 0, 0, 1]))));
    let price = Some(Amount::from_micros(i128::from(epoch)));
    let listing = Listing { name: Some(product), category: Some(eur), price };
    rows.push(again(ViewKey::Listing { product }, RowValue::Listing(listing)));
    rows.push(new(day_key(1_000 + epoch as i32, "EUR"), total(1, 1)));
    if epoch > 1 {
        // What came in the epoch before goes.
        rows.push(gone(day_key(999 + epoch as i32, "EUR")));
    }
    let contribution = |units| Contribution {
        fact: Fact { day: day(0), category: Some(eur), payment_method: product, currency: eur },
        product,
        amount: Amount::from_micros(i128::from(epoch)),
        units,
    };
    let correction = |offset, now| Correction {
        topic: "product_sold".to_owned(),
        partition: 0,
        offset,
        order_id: format!("order {offset}"),
        was: Some(contribution(1)),
        now,
        why: if now.is_some() { Why::Correction } else { Why::Cancellation },
    };
    let kept = |order_id: String, current| KeptOrder {
        topic: "product_sold".to_owned(),
        order_id,
        partition: 0,
        incarnation: 1,
        offset: epoch,
        timestamp: 1_700_000_000_000,
        first_timestamp: 1_699_999_980_000,
        current,
    };
    let content = || {
        let details = OrderDetails { product_id: "tea".to_owned(), ..OrderDetails::default() };
        Some(KeptContent { contribution: contribution(2), details, fingerprint: epoch })
    };
    // One order in every epoch, one of this epoch alone, one cancelled and revived in turns.
    let in_turns = if epoch.is_multiple_of(2) { None } else { content() };
    let orders = vec![
        kept("always".to_owned(), content()),
        kept(format!("of {epoch}"), content()),
        kept("in turns".to_owned(), in_turns),
    ];
    let earlier = EarlierOrder {
        topic: "product_sold".to_owned(),
        order_id: format!("of {epoch}"),
        first_timestamp: 1_699_999_920_000,
    };
    let listing = KeptListing {
        product: "tea".to_owned(),
        topic: "product_sold".to_owned(),
        partition: 0,
        incarnation: 1,
        offset: epoch,
        timestamp: 1_700_000_000_000,
        is_withdrawn: false,
    };
    let feedback = |feedback_id: String| KeptFeedback {
        topic: "product_sold".to_owned(),
        feedback_id,
        partition: 0,
        incarnation: 1,
        offset: epoch,
        timestamp: 1_700_000_000_000,
        current: Some(Rating { product, stars: 1, fingerprint: epoch }),
    };
    let rejected = Rejected {
        topic: "product_sold".to_owned(),
        partition: 3,
        offset: epoch,
        key: None,
        payload: Some(vec![b'x'; 3_000]),
        reason: format!("reason {epoch}"),
    };
    Commit {
        corrections: vec![correction(2 * epoch, Some(contribution(3))), correction(2 * epoch + 1, None)],
        rejected: vec![rejected],
        orders,
        earlier: vec![earlier],
        listings: vec![listing],
        feedback: vec![feedback("always".to_owned()), feedback(format!("of {epoch}"))],
        partitions: vec![partition(0, epoch), partition(1, 3 * epoch)],
        filled: if epoch == 1 { crate::support::stores::all_filled() } else { Vec::new() },
        ..commit(epoch, rows)
    }
}
