//! Every version of every order in one map; then sorted, and summed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher13};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::order::PartitionId;
use takings_dataflows::view::{View, ViewKey};

use super::plain::{Plain, PlainOrder, read};
use super::report::AuditReport;
use super::{AuditError, AuditSettings, StoredState};
use crate::source::{Log, PartitionRange, Polled, StartAt};
use crate::store::PartitionState;
use crate::store::commit::Counters;

/// Records between two calls of the progress callback.
const PROGRESS: u64 = 10_000;

/// A row: its view, and the texts of its key columns.
type Row = (&'static str, Vec<String>);

/// Where a record stands in the order of versions: timestamp, topic, partition, offset.
type Place = (i64, PartitionId, u64);

/// What a version says: a group's number, the amount, the quantity, and a hash of all fields.
/// `None` is a cancellation.
type Said = Option<(usize, Amount, i64, u128)>;

/// Day, category, payment method, currency.
type Group = (Day, String, String, String);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Total {
    amount: Amount,
    orders: i64,
    units: i64,
}

impl Total {
    fn text(total: &Option<Total>) -> String {
        match total {
            None => "nothing".to_owned(),
            Some(Total { amount, orders, units }) => format!("{amount} of {orders} orders, {units} units"),
        }
    }
}

pub(super) struct Recount<'a> {
    settings: &'a AuditSettings,
    groups: Vec<Group>,
    group_numbers: HashMap<Group, usize>,
    /// By topic and id.
    orders: HashMap<(u8, String), Vec<(Place, Said)>>,
    counters: BTreeMap<PartitionId, Counters>,
    records: u64,
}

impl<'a> Recount<'a> {
    pub(super) fn new(settings: &'a AuditSettings) -> Self {
        Recount {
            settings,
            groups: Vec::new(),
            group_numbers: HashMap::new(),
            orders: HashMap::new(),
            counters: BTreeMap::new(),
            records: 0,
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
        self.counters.entry(range.partition).or_default();
        if range.first >= state.offset {
            return Ok(());
        }
        let (sender, woken) = sync_channel(1);
        let waker = Arc::new(move || sender.try_send(()).unwrap_or_default());
        let start = StartAt { partition: range.partition, offset: range.first, newest_timestamp: 0 };
        let mut source = log.open(&self.settings.topics, &[start], waker)?;
        let mut is_complete = false;
        while !is_complete {
            let count = source.poll(10_000, &mut |polled| match polled {
                Polled::Record(record) if record.offset < state.offset => {
                    let place = (record.timestamp, record.partition, record.offset);
                    self.record(place, read(record.key, record.payload, &self.settings.rules));
                    is_complete |= record.next_offset >= state.offset;
                    if self.records.is_multiple_of(PROGRESS) {
                        progress(self.records, state);
                    }
                }
                Polled::Record(_) => is_complete = true,
                Polled::End { offset, .. } => is_complete |= offset >= state.offset,
            })?;
            if count == 0 && !is_complete {
                // A call may be missed between poll and here; then the look a second later finds it.
                let _ = woken.recv_timeout(Duration::from_secs(1));
            }
        }
        progress(self.records, state);
        Ok(())
    }

    fn record(&mut self, place: Place, said: Plain) {
        let (_, partition, _) = place;
        self.records += 1;
        let counters = self.counters.entry(partition).or_default();
        counters.read += 1;
        let (id, said) = match said {
            Plain::Rejected(_) => return counters.rejected += 1,
            Plain::Cancelled(id) => (id, None),
            Plain::Order(mut order) => {
                // How it was written is no part of what it says.
                counters.rounded += u64::from(std::mem::take(&mut order.rounded));
                let mut hasher = SipHasher13::new();
                order.hash(&mut hasher);
                let hash = hasher.finish128().as_u128();
                let day = order.day();
                let PlainOrder { product_category, payment_method, currency, .. } = *order;
                let group = self.group((day, product_category, payment_method, currency));
                (order.order_id, Some((group, order.total_amount, order.product_quantity, hash)))
            }
        };
        self.orders.entry((partition.topic, id)).or_default().push((place, said));
    }

    fn group(&mut self, group: Group) -> usize {
        if let Some(&number) = self.group_numbers.get(&group) {
            return number;
        }
        self.groups.push(group.clone());
        self.group_numbers.insert(group, self.groups.len() - 1);
        self.groups.len() - 1
    }

    /// Sums what stands, counts what became of each record, and compares both with the store.
    pub(super) fn compare(mut self, stored: &StoredState) -> AuditReport {
        let mut report =
            AuditReport { records: self.records, orders: self.orders.len() as u64, ..AuditReport::default() };
        let mut rows: BTreeMap<Row, Total> = BTreeMap::new();
        let mut crossed: BTreeSet<PartitionId> = BTreeSet::new();
        let window = self.settings.correction_window.map_or(i64::MAX, |window| window.as_millis() as i64);

        for versions in self.orders.values_mut() {
            versions.sort_by_key(|&(place, _)| place);
            let partition_of = |(place, _): &(Place, Said)| place.1;
            if versions.windows(2).any(|pair| partition_of(&pair[0]) != partition_of(&pair[1])) {
                crossed.extend(versions.iter().map(partition_of));
            }
            let mut known: Option<(i64, Said)> = None;
            for &((timestamp, partition, _), said) in versions.iter() {
                let counters = self.counters.entry(partition).or_default();
                // Past the window an id stands for another order, and the one before stays.
                if let Some((before, standing)) = known
                    && timestamp - before > window
                {
                    add(&mut rows, &self.groups, &self.settings.views, standing);
                    known = None;
                }
                match (known, said) {
                    (None, Some(_)) => counters.applied += 1,
                    (None, None) => counters.cancellations += 1,
                    (Some((_, before)), now) if before == now => counters.duplicates += 1,
                    (Some(_), Some(_)) => counters.corrections += 1,
                    (Some(_), None) => counters.cancellations += 1,
                }
                known = Some((timestamp, said));
            }
            if let Some((_, standing)) = known {
                add(&mut rows, &self.groups, &self.settings.views, standing);
            }
        }
        self.compare_rows(stored, rows, &mut report);
        self.compare_counters(stored, &crossed, &mut report);
        report
    }

    fn compare_rows(&self, stored: &StoredState, counted: BTreeMap<Row, Total>, report: &mut AuditReport) {
        let mut pairs: BTreeMap<Row, (Option<Total>, Option<Total>)> =
            counted.into_iter().map(|(row, total)| (row, (None, Some(total)))).collect();
        for (key, takings) in &stored.totals {
            let total = Total { amount: takings.amount, orders: takings.orders, units: takings.units };
            pairs.entry(row_of(key)).or_default().0 = Some(total);
        }
        report.rows = pairs.len() as u64;
        for ((view, columns), (stored, counted)) in pairs {
            report.compare(|| format!("{view} ({})", columns.join(", ")), &stored, &counted, Total::text);
        }
    }

    fn compare_counters(&self, stored: &StoredState, crossed: &BTreeSet<PartitionId>, report: &mut AuditReport) {
        for state in &stored.partitions {
            let PartitionState { topic, partition, counters: stored, .. } = state;
            let rank = self.settings.topics.iter().position(|known| known == topic).unwrap_or_default() as u8;
            let id = PartitionId { topic: rank, partition: *partition };
            let counted = self.counters.get(&id).copied().unwrap_or_default();
            let mut pairs = vec![
                ("read", stored.read, counted.read),
                ("rejected", stored.rejected, counted.rejected),
                ("other", stored.other, counted.other),
                ("rounded", stored.rounded, counted.rounded),
            ];
            if crossed.contains(&id) {
                report.notes.push(format!(
                    "{topic}/{partition} shares orders with other partitions, so which record came first depends on \
                     the run: only its records read, rejected, of other kinds and rounded were compared, and the sum"
                ));
                let outcomes =
                    |of: &Counters| of.applied + of.duplicates + of.superseded + of.corrections + of.cancellations;
                pairs.push(("outcomes", outcomes(stored), outcomes(&counted)));
            } else {
                pairs.extend([
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

/// Adds what stands of an order to its row of each view.
fn add(rows: &mut BTreeMap<Row, Total>, groups: &[Group], views: &[View], standing: Said) {
    let Some((group, amount, units, _)) = standing else { return };
    let (day, category, payment_method, currency) = &groups[group];
    for view in views {
        let day = day.to_string();
        let columns: Vec<&str> = match view {
            View::Category => vec![&day, category, currency],
            View::Day => vec![&day, currency],
            View::Month => vec![&day[..day.len() - 3], currency],
            View::PaymentMethod => vec![&day, payment_method, currency],
        };
        let row = (view.name(), columns.into_iter().map(str::to_owned).collect());
        let total: &mut Total = rows.entry(row).or_default();
        total.amount += amount;
        total.orders += 1;
        total.units += units;
    }
}

fn row_of(key: &ViewKey) -> Row {
    let columns = match key {
        ViewKey::Category { day, category, currency } => {
            vec![day.to_string(), category.to_string(), currency.to_string()]
        }
        ViewKey::Day { day, currency } => vec![day.to_string(), currency.to_string()],
        ViewKey::Month { month, currency } => vec![month.to_string(), currency.to_string()],
        ViewKey::PaymentMethod { day, payment_method, currency } => {
            vec![day.to_string(), payment_method.to_string(), currency.to_string()]
        }
    };
    (key.view().name(), columns)
}
