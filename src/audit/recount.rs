//! Every version of every order, listing and feedback in one map; then sorted, and summed.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use siphasher::sip128::{Hasher128, SipHasher13};
use takings_dataflows::amount::Amount;
use takings_dataflows::order::PartitionId;
use takings_dataflows::view::View;

use super::names::{Name, Names};
use super::plain::{Plain, PlainOrder, read};
use super::reading::read_partition;
use super::report::AuditReport;
use super::standing::{Group, Limits, Listing, Standing};
use super::value::{Row, Total, Value, row_of};
use super::versions::{Books, Place, Version};
use super::{AuditError, AuditSettings, StoredState};
use crate::config::topics::Kind;
use crate::source::{Log, PartitionRange, Record};
use crate::store::PartitionState;
use crate::store::commit::Counters;

/// Records between two calls of the progress callback.
const PROGRESS: u64 = 10_000;
/// Records in one go.
const AT_ONCE: usize = 10_000;

/// What a version of an order says: its group's number, and a hash of all fields.
#[derive(Clone, Copy, PartialEq)]
struct Sale {
    group: u32,
    amount: Amount,
    units: i64,
    content: u128,
}

/// What a version of a feedback says.
#[derive(Clone, Copy, PartialEq)]
struct Rating {
    product: Name,
    stars: u8,
    content: u128,
}

/// A topic's records, for the recount.
struct TopicRules {
    kind: Kind,
    /// The name of the space its ids are in.
    space: Name,
}

/// An id in its space.
type Id = (Name, Box<str>);

pub(super) struct Recount<'a> {
    settings: &'a AuditSettings,
    topics: Vec<TopicRules>,
    names: Names,
    groups: Vec<Group>,
    group_numbers: HashMap<Group, u32>,
    orders: HashMap<Id, Vec<Version<Sale>>>,
    listings: HashMap<Name, Vec<Version<Listing>>>,
    feedback: HashMap<Id, Vec<Version<Rating>>>,
    books: Books,
    records: u64,
    /// How far the log's time has come.
    log_time: i64,
}

impl<'a> Recount<'a> {
    pub(super) fn new(settings: &'a AuditSettings) -> Self {
        let mut names = Names::default();
        let rules = |topic: &String| {
            let format = settings.rules.topic(topic);
            TopicRules { kind: format.kind(), space: names.number(format.id_space.as_ref().unwrap_or(topic)) }
        };
        Recount {
            settings,
            topics: settings.topics.iter().map(rules).collect(),
            names,
            groups: Vec::new(),
            group_numbers: HashMap::new(),
            orders: HashMap::new(),
            listings: HashMap::new(),
            feedback: HashMap::new(),
            books: Books::default(),
            records: 0,
            log_time: 0,
        }
    }

    /// Reads a partition up to its committed offset.
    pub(super) fn read(
        &mut self,
        log: &dyn Log,
        range: &PartitionRange,
        state: &PartitionState,
        progress: &mut dyn FnMut(u64, &PartitionState),
    ) -> Result<(), AuditError> {
        self.books.of(range.partition);
        // Not recounted: like offsets, it says how far the store is, and not what anything counts as.
        self.log_time = self.log_time.max(state.log_time);
        let rules = &self.settings.rules;
        let topics = &self.settings.topics;
        let mut each = |record: &Record<'_>| {
            let place = (record.timestamp, record.partition, record.offset);
            self.record(place, read(&state.topic, record.key, record.payload, rules));
            if self.records.is_multiple_of(PROGRESS) {
                progress(self.records, state);
            }
        };
        read_partition(log, topics, range, state, AT_ONCE, &mut |_| true, &mut each)?;
        progress(self.records, state);
        Ok(())
    }

    fn record(&mut self, place: Place, said: Plain) {
        let (_, partition, _) = place;
        self.records += 1;
        let TopicRules { kind, space } = self.topics[usize::from(partition.topic)];
        let counters = self.books.of(partition);
        counters.read += 1;
        if matches!(said, Plain::Rejected(_)) {
            counters.rejected += 1;
            return;
        }
        counters.rounded += match &said {
            Plain::Order(order) => order.rounded.into(),
            Plain::Listing { rounded, .. } => (*rounded).into(),
            _ => 0,
        };
        if !self.settings.takes(kind) {
            counters.other += 1;
            return;
        }
        match said {
            Plain::Rejected(_) => {}
            Plain::Order(order) => {
                let (id, sale) = self.sale(*order);
                let versions = self.orders.entry((space, id.into())).or_default();
                versions.push(Version::new(place, Some(sale)));
            }
            Plain::CancelledOrder(id) => {
                self.orders.entry((space, id.into())).or_default().push(Version::new(place, None));
            }
            Plain::Listing { product, name, category, price, .. } => {
                let mut number = |text: Option<String>| text.map(|text| self.names.number(&text));
                let listing = Listing { name: number(name), category: number(category), price };
                let product = self.names.number(&product);
                self.listings.entry(product).or_default().push(Version::new(place, Some(listing)));
            }
            Plain::WithdrawnListing(product) => {
                let product = self.names.number(&product);
                self.listings.entry(product).or_default().push(Version::new(place, None));
            }
            Plain::Feedback { id, product, stars, content } => {
                let rating = Rating { product: self.names.number(&product), stars, content: hash(&content) };
                self.feedback.entry((space, id.into())).or_default().push(Version::new(place, Some(rating)));
            }
            Plain::WithdrawnFeedback(id) => {
                self.feedback.entry((space, id.into())).or_default().push(Version::new(place, None));
            }
        }
    }

    /// An order's id, and what it says.
    fn sale(&mut self, mut order: PlainOrder) -> (String, Sale) {
        // How it was written is no part of what it says.
        order.rounded = false;
        let content = hash(&order);
        let group = Group {
            day: order.day(),
            product: self.names.number(&order.product),
            category: order.product_category.as_ref().map(|category| self.names.number(category)),
            payment_method: self.names.number(&order.payment_method),
            currency: self.names.number(&order.currency),
        };
        let groups = &mut self.groups;
        let number = *self.group_numbers.entry(group).or_insert_with(|| {
            groups.push(group);
            groups.len() as u32 - 1
        });
        (order.order_id, Sale { group: number, amount: order.total_amount, units: order.product_quantity, content })
    }

    /// Sums what stands, counts what became of each record, and compares both with the store. Returns also whether a
    /// correction window took versions of one id for several orders.
    pub(super) fn compare(mut self, stored: &StoredState) -> (AuditReport, bool) {
        let mut report = AuditReport {
            records: self.records,
            orders: self.orders.len() as u64,
            products: self.listings.len() as u64,
            feedback: self.feedback.len() as u64,
            ..AuditReport::default()
        };
        let standing = self.settle();
        let limits = Limits {
            views: &self.settings.views,
            top: self.settings.top,
            volume_window: self.settings.volume_window,
            newest: self.log_time,
        };
        // One view after the other: the rows of all at once would take as much memory as the orders.
        for view in View::TABLES {
            if self.settings.keeps(view) {
                compare_rows(view, stored, standing.rows(view, &self.names, &limits), &mut report);
            }
        }
        self.compare_counters(stored, &mut report);
        (report, self.books.windowed)
    }

    /// Which version of everything stands. The versions themselves are needed no more.
    fn settle(&mut self) -> Standing {
        let mut standing = Standing::default();
        let window = self.settings.correction_window.map_or(i64::MAX, |window| window.as_millis() as i64);
        for (_, mut versions) in std::mem::take(&mut self.orders) {
            self.books.settle(&mut versions, window, &mut |oldest, sale: Sale| {
                let total = Total { amount: sale.amount, orders: 1, units: sale.units };
                standing.sale(self.groups[sale.group as usize], total, oldest);
            });
        }
        // No window bounds what is few.
        for (product, mut versions) in std::mem::take(&mut self.listings) {
            self.books.settle(&mut versions, i64::MAX, &mut |_, listing| {
                standing.listings.insert(product, listing);
            });
        }
        for (_, mut versions) in std::mem::take(&mut self.feedback) {
            self.books.settle(&mut versions, i64::MAX, &mut |_, rating: Rating| {
                standing.rating(rating.product, rating.stars);
            });
        }
        standing
    }

    fn compare_counters(&self, stored: &StoredState, report: &mut AuditReport) {
        for state in &stored.partitions {
            let PartitionState { topic, partition, counters: stored, .. } = state;
            let rank = self.settings.topics.iter().position(|known| known == topic).unwrap_or_default();
            let id = PartitionId { topic: rank as u8, partition: *partition };
            let counted = self.books.counters.get(&id).copied().unwrap_or_default();
            if self.topics[rank].kind != Kind::Order && counted.read < stored.read {
                // Listing and feedback topics may be compacted. What stands of them is the same, and was compared.
                report.notes.push(format!(
                    "{topic}/{partition} holds {} of the {} records that were counted, as a compacted topic does: its \
                     counters were not compared",
                    counted.read, stored.read
                ));
                continue;
            }
            let mut pairs = vec![
                ("read", stored.read, counted.read),
                ("rejected", stored.rejected, counted.rejected),
                ("rounded", stored.rounded, counted.rounded),
            ];
            let outcomes =
                |of: &Counters| of.applied + of.duplicates + of.superseded + of.corrections + of.cancellations;
            if self.topics[rank].kind != Kind::Order && stored.other != counted.other {
                // What no view needed was passed over when it was read, and is not counted again.
                report.notes.push(format!(
                    "{topic}/{partition} was read in part while no view needed it: only its records read, rejected \
                     and rounded were compared, and the sum of all others"
                ));
                pairs.push(("others", outcomes(stored) + stored.other, outcomes(&counted) + counted.other));
            } else if self.books.crossed.contains(&id) {
                report.notes.push(format!(
                    "{topic}/{partition} shares {} with other partitions, so which record came first depends on the \
                     run: only its records read, rejected, of other kinds and rounded were compared, and the sum",
                    what(self.topics[rank].kind)
                ));
                pairs.push(("other", stored.other, counted.other));
                pairs.push(("outcomes", outcomes(stored), outcomes(&counted)));
            } else {
                pairs.extend([
                    ("other", stored.other, counted.other),
                    ("applied", stored.applied, counted.applied),
                    ("duplicates", stored.duplicates, counted.duplicates),
                    ("superseded", stored.superseded, counted.superseded),
                    ("corrections", stored.corrections, counted.corrections),
                    ("cancellations", stored.cancellations, counted.cancellations),
                ]);
            }
            report.counters += pairs.len() as u64;
            for (name, stored, counted) in pairs {
                report.compare(|| format!("{topic}/{partition} {name}"), &stored, &counted, u64::to_string);
            }
        }
    }
}

fn compare_rows(view: View, stored: &StoredState, counted: BTreeMap<Row, Value>, report: &mut AuditReport) {
    let mut pairs: BTreeMap<Row, (Option<Value>, Option<Value>)> =
        counted.into_iter().map(|(row, value)| (row, (None, Some(value)))).collect();
    for (key, value) in stored.rows.iter().filter(|(key, _)| key.view() == view) {
        pairs.entry(row_of(key)).or_default().0 = Some(Value::stored(value));
    }
    report.rows += pairs.len() as u64;
    for (row, (stored, counted)) in pairs {
        report.compare(|| format!("{view} ({})", row.join(", ")), &stored, &counted, Value::text);
    }
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "orders",
        Kind::Listing => "products",
        Kind::Feedback => "feedback",
    }
}

fn hash(content: &impl Hash) -> u128 {
    let mut hasher = SipHasher13::new();
    content.hash(&mut hasher);
    hasher.finish128().as_u128()
}
