//! Some days recounted from the log, for the audit that runs beside the job.
//!
//! A day's orders may lie anywhere in the log, since orders may be late, and an order may move from one day to another.
//! So the log is read from its first record, and of all orders only those are held that any version ever dated on a
//! day that is asked for: memory is bounded by those days. Which they are is known only after the whole log was seen,
//! where an order's versions may lie in several partitions, or where a version's date, which the earlier ones of its
//! partition bound, decides by a correction window of which order it is; then it is read twice, first for the ids alone.
//!
//! What it can not do: prove months, all time, ratings and minutes; `takings audit` does.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, Utc};
use siphasher::sip128::{Hasher128, SipHasher13};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::order::PartitionId;
use takings_dataflows::view::View;

use super::names::{Name, Names};
use super::plain::{Plain, PlainOrder, read};
use super::reading::{InLog, is_of_another_log, read_partition};
use super::standing::{Group, Limits, Listing, Standing};
use super::value::{Row, Total, Value, row_of};
use super::versions::{Books, Newest, Place, Version};
use super::{AuditError, AuditSettings, decided_by_window};
use crate::config::topics::Kind;
use crate::source::{Log, PartitionRange, Record};
use crate::store::loss::FIRST_RECORDS;
use crate::store::proof::{BY_DAY, ShownDifference};
use crate::store::{DayRows, Outcome, PartitionState, ProvenDay};

/// Records between two questions whether to go on.
const AT_ONCE: usize = 512;
/// How many differences of a day are shown in full.
const SHOWN: usize = 5;

/// What is to be proven: days, and what the store holds of them at one epoch.
pub struct Asked<'a> {
    /// By which rules.
    pub settings: &'a AuditSettings,
    /// The epoch.
    pub epoch: u64,
    /// How far each partition was committed then.
    pub partitions: &'a [PartitionState],
    /// The days.
    pub days: &'a BTreeSet<Day>,
    /// Their stored rows.
    pub rows: &'a DayRows,
    /// Whether these are all the days that there are, so that every order may be held.
    pub are_all: bool,
}

/// Which order: a hash of its id and its space.
type Id = [u64; 2];

/// What a version says; `None` in its place: cancelled, or dated on another day. There are many.
#[derive(Clone, Copy, PartialEq)]
struct Sold {
    /// An order's own amount is far from the bounds of 64 bits; one that were not would differ.
    micros: i64,
    units: i64,
    group: u32,
}

const _: () = assert!(size_of::<(Id, Newest<Option<Sold>>)>() <= 88);

/// The versions of orders that are needed: without a window only the newest of each.
enum Held {
    Newest(HashMap<Id, Newest<Option<Sold>>>),
    All(HashMap<Id, Vec<Version<Sold>>>),
}

impl Held {
    fn knows(&self, id: Id) -> bool {
        match self {
            Held::Newest(orders) => orders.contains_key(&id),
            Held::All(orders) => orders.contains_key(&id),
        }
    }

    fn push(&mut self, id: Id, place: Place, said: Option<Sold>) {
        match self {
            Held::Newest(orders) => match orders.entry(id) {
                Entry::Occupied(mut known) => known.get_mut().next(place, said),
                Entry::Vacant(free) => _ = free.insert(Newest::first(place, said)),
            },
            Held::All(orders) => orders.entry(id).or_default().push(Version::new(place, said)),
        }
    }
}

/// Which orders are held.
enum Wanted {
    /// Those that a record dates on one of the days, from that record on.
    AsTheyCome,
    /// All.
    Every,
    /// These.
    Found(HashSet<Id>),
}

struct Recount<'a> {
    asked: &'a Asked<'a>,
    names: Names,
    groups: Vec<Group>,
    group_numbers: HashMap<Group, u32>,
    orders: Held,
    /// Each product's newest listing, as far as it matters: the category.
    listings: HashMap<Name, Newest<Option<Name>>>,
    /// Up to when what the log lost may be dated; `None` where no date says.
    horizon: Option<i64>,
    /// Whether the window took versions of one id for several orders.
    windowed: bool,
}

/// Recounts some days up to the committed offsets, and compares. `goes_on` is told how many records were read since
/// it was asked last, and may take its time; `None` where it said no.
///
/// # Errors
/// [`AuditError::Log`] where the log can not be read.
pub fn recount_days(
    log: &dyn Log,
    asked: &Asked<'_>,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Vec<ProvenDay>>, AuditError> {
    let topics = &asked.settings.topics;
    let ranges = log.partitions(topics)?;
    let none_is_provable =
        |why: String| Ok(Some(asked.days.iter().map(|day| not_provable(asked, *day, why.clone())).collect()));
    if let Some(why) = is_of_another_log(log, topics, &asked.settings.rules, &ranges, asked.partitions)? {
        return none_is_provable(why);
    }
    let (mut of_orders, mut of_listings, mut lost) = (Vec::new(), Vec::new(), Vec::new());
    for state in asked.partitions {
        let PartitionState { topic, partition, offset, .. } = state;
        let range = match InLog::of(state, &ranges, topics) {
            InLog::Here(range) => range,
            InLog::NothingRead => continue,
            InLog::Short { .. } => {
                return none_is_provable(format!(
                    "{topic}/{partition} was counted up to offset {offset}, and the log no longer reaches it"
                ));
            }
        };
        match asked.settings.rules.topic(topic).kind() {
            Kind::Order => of_orders.push((range, state)),
            Kind::Listing if [View::Category, View::Facts].into_iter().any(|view| asked.settings.keeps(view)) => {
                of_listings.push((range, state))
            }
            Kind::Listing | Kind::Feedback => continue,
        }
        lost.extend(state.lost(range.first));
    }

    let orders = match asked.settings.correction_window {
        None => Held::Newest(HashMap::new()),
        Some(_) => Held::All(HashMap::new()),
    };
    let mut recount = Recount {
        asked,
        names: Names::default(),
        groups: Vec::new(),
        group_numbers: HashMap::new(),
        orders,
        listings: HashMap::new(),
        horizon: None,
        windowed: false,
    };
    let mut pass = |partitions: &[(&PartitionRange, &PartitionState)],
                    each: &mut dyn FnMut(&PartitionRange, &str, &Record<'_>)|
     -> Result<bool, AuditError> {
        for (range, state) in partitions {
            let mut hand = |record: &Record<'_>| each(range, &state.topic, record);
            if !read_partition(log, topics, range, state, AT_ONCE, goes_on, &mut hand)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    if !pass(&of_listings, &mut |_, topic, record| recount.listing(topic, record))? {
        return Ok(None);
    }
    let holds_records = |(range, state): &&(&PartitionRange, &PartitionState)| range.first < state.offset;
    let wanted = if asked.are_all {
        Wanted::Every
    } else if asked.settings.correction_window.is_none() && of_orders.iter().filter(holds_records).count() <= 1 {
        Wanted::AsTheyCome
    } else {
        let mut found = HashSet::new();
        if !pass(&of_orders, &mut |_, topic, record| found.extend(recount.dated_on_a_day(topic, record)))? {
            return Ok(None);
        }
        Wanted::Found(found)
    };
    let mut firsts: BTreeMap<PartitionId, Vec<i64>> = BTreeMap::new();
    let mut order = |range: &PartitionRange, topic: &str, record: &Record<'_>| {
        let firsts = firsts.entry(range.partition).or_default();
        if firsts.len() < FIRST_RECORDS {
            firsts.push(record.timestamp);
        }
        recount.order(topic, record, &wanted);
    };
    if !pass(&of_orders, &mut order)? {
        return Ok(None);
    }
    let now = Utc::now().timestamp_millis();
    let losses = of_orders.iter().filter_map(|(range, state)| Some((state.loss(range.first)?, range, state)));
    let untils = losses.map(|(loss, range, state)| {
        let firsts = firsts.get(&range.partition).map_or(&[][..], Vec::as_slice);
        loss.until(firsts, state.reached(now))
    });
    recount.horizon = untils.collect::<Option<Vec<i64>>>().and_then(|untils| untils.into_iter().max());
    // Sales of any day may follow a listing that is gone.
    if of_listings.iter().any(|(range, state)| state.loss(range.first).is_some()) {
        recount.horizon = None;
    }
    Ok(Some(recount.compare(&lost.join(", "))))
}

fn not_provable(asked: &Asked<'_>, day: Day, reason: String) -> ProvenDay {
    ProvenDay {
        day,
        outcome: Outcome::NotProvable,
        at: Utc::now(),
        epoch: asked.epoch,
        orders: 0,
        rows: 0,
        differences: 0,
        shown: Vec::new(),
        reason: Some(reason),
    }
}

impl Recount<'_> {
    fn say(&self, topic: &str, record: &Record<'_>) -> Plain {
        read(topic, record.key, record.payload, &self.asked.settings.rules)
    }

    /// The order, where the record dates it on one of the days.
    fn dated_on_a_day(&self, topic: &str, record: &Record<'_>) -> Option<Id> {
        match self.say(topic, record) {
            Plain::Order(order) if self.asked.days.contains(&order.day()) => Some(self.id(topic, &order.order_id)),
            _ => None,
        }
    }

    /// Ids are of their space: the topic's own, or a shared one.
    fn id(&self, topic: &str, id: &str) -> Id {
        let format = self.asked.settings.rules.topic(topic);
        let mut hasher = SipHasher13::new();
        (format.id_space.as_deref().unwrap_or(topic), id).hash(&mut hasher);
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }

    fn order(&mut self, topic: &str, record: &Record<'_>, wanted: &Wanted) {
        let (id, order) = match self.say(topic, record) {
            Plain::Order(order) => (self.id(topic, &order.order_id), Some(order)),
            Plain::CancelledOrder(id) => (self.id(topic, &id), None),
            _ => return,
        };
        let order = order.filter(|order| self.asked.days.contains(&order.day()));
        let is_wanted = match wanted {
            Wanted::Every => true,
            Wanted::AsTheyCome => order.is_some() || self.orders.knows(id),
            Wanted::Found(found) => found.contains(&id),
        };
        if is_wanted {
            let said = order.map(|order| self.sold(&order));
            let place = (record.timestamp, record.partition, record.offset);
            self.orders.push(id, place, said);
        }
    }

    fn sold(&mut self, order: &PlainOrder) -> Sold {
        let group = Group {
            day: order.day(),
            product: self.names.number(&order.product),
            category: order.product_category.as_ref().map(|category| self.names.number(category)),
            payment_method: self.names.number(&order.payment_method),
            currency: self.names.number(&order.currency),
        };
        let groups = &mut self.groups;
        let group = *self.group_numbers.entry(group).or_insert_with(|| {
            groups.push(group);
            groups.len() as u32 - 1
        });
        let micros = i64::try_from(order.total_amount.micros()).unwrap_or(i64::MAX);
        Sold { micros, units: order.product_quantity, group }
    }

    fn listing(&mut self, topic: &str, record: &Record<'_>) {
        let (product, category) = match self.say(topic, record) {
            Plain::Listing { product, category, .. } => (product, category),
            Plain::WithdrawnListing(product) => (product, None),
            _ => return,
        };
        let place = (record.timestamp, record.partition, record.offset);
        let category = category.map(|category| self.names.number(&category));
        match self.listings.entry(self.names.number(&product)) {
            Entry::Occupied(mut known) => known.get_mut().next(place, category),
            Entry::Vacant(free) => _ = free.insert(Newest::first(place, category)),
        }
    }

    /// What stands on the days.
    fn settle(&mut self) -> Standing {
        let mut standing = Standing::default();
        for (&product, &Newest { said: category, .. }) in &self.listings {
            standing.listings.insert(product, Listing { name: None, category, price: None });
        }
        let groups = &self.groups;
        let mut stands = |sold: Sold| {
            let total = Total { amount: Amount::from_micros(sold.micros.into()), orders: 1, units: sold.units };
            standing.sale(groups[sold.group as usize], total, 0);
        };
        match &mut self.orders {
            Held::Newest(orders) => orders.drain().filter_map(|(_, newest)| newest.said).for_each(stands),
            Held::All(orders) => {
                let window = self.asked.settings.correction_window.map_or(i64::MAX, |window| window.as_millis() as i64);
                let mut books = Books::default();
                for (_, mut versions) in orders.drain() {
                    books.settle(&mut versions, window, &mut |_, sold| stands(sold));
                }
                self.windowed = books.windowed;
            }
        }
        standing
    }

    fn compare(mut self, lost: &str) -> Vec<ProvenDay> {
        let standing = self.settle();
        let Asked { settings, days, rows, epoch, partitions, .. } = self.asked;
        let by_window = decided_by_window(settings, partitions, !lost.is_empty(), self.windowed);
        let at = Utc::now();
        let proven = |&day: &Day| {
            let outcome = Outcome::Proven;
            let proven = ProvenDay {
                day,
                outcome,
                at,
                epoch: *epoch,
                orders: 0,
                rows: 0,
                differences: 0,
                shown: vec![],
                reason: None,
            };
            (day.to_string(), proven)
        };
        let mut verdicts: BTreeMap<String, ProvenDay> = days.iter().map(proven).collect();
        for (group, total) in &standing.sales {
            if let Some(verdict) = verdicts.get_mut(&group.day.to_string()) {
                verdict.orders += total.orders as u64;
            }
        }
        let limits = Limits { views: &settings.views, top: settings.top, volume_window: 0, newest: 0 };
        for view in BY_DAY.into_iter().filter(|view| settings.keeps(*view)) {
            let mut pairs: BTreeMap<Row, (Option<Value>, Option<Value>)> = BTreeMap::new();
            for (row, value) in standing.rows(view, &self.names, &limits) {
                pairs.insert(row, (None, Some(value)));
            }
            for (key, value) in rows.iter().filter(|(key, _)| key.view() == view) {
                pairs.entry(row_of(key)).or_default().0 = Some(Value::stored(value));
            }
            for (row, (stored, counted)) in pairs {
                // The first column is the day; best sellers of longer periods have none of these.
                let Some(verdict) = verdicts.get_mut(&row[0]) else { continue };
                verdict.rows += 1;
                if stored == counted {
                    continue;
                }
                verdict.differences += 1;
                if verdict.shown.len() < SHOWN {
                    verdict.shown.push(ShownDifference {
                        what: format!("{view} ({})", row.join(", ")),
                        stored: Value::text(&stored),
                        counted: Value::text(&counted),
                    });
                }
            }
        }
        let horizon = self.horizon.and_then(DateTime::from_timestamp_millis);
        let horizon = horizon.map(|at| Day::from_date(at.with_timezone(&settings.rules.time_zone).date_naive()));
        verdicts.into_values().map(|verdict| judged(verdict, lost, horizon, by_window.as_deref())).collect()
    }
}

/// What differs may be what the log lost, or what a window decided; what agrees is proven all the same.
fn judged(mut verdict: ProvenDay, lost: &str, horizon: Option<Day>, by_window: Option<&str>) -> ProvenDay {
    if verdict.differences == 0 {
        return verdict;
    }
    verdict.outcome = Outcome::Differs;
    if !lost.is_empty() {
        if horizon.is_none_or(|horizon| verdict.day <= horizon) {
            verdict.outcome = Outcome::NotProvable;
        }
        let since = horizon.map_or(String::new(), |horizon| format!(", and holds what came since {horizon}"));
        verdict.reason = Some(format!("the log lost records ({lost}){since}"));
    }
    if let Some(by_window) = by_window.filter(|_| verdict.outcome == Outcome::Differs) {
        verdict.outcome = Outcome::NotProvable;
        verdict.reason = Some(by_window.to_owned());
    }
    verdict
}
