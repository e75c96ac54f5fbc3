//! The upsert: every order's newest version, and what a further version changes.
//!
//! What it can not do: forget an order by itself (see [`Orders::evict`]), or tell a late order from a
//! correction of one that it no longer knows; it counts those, see [`Outcome::Applied`].
//!
//! Memory: a slot is one cache line of 64 bytes, and the index adds 10 to 20 bytes an order. The map
//! is sharded so that growth moves at most a thousandth of the index at a time: one map of eight
//! million orders paused for 600 ms when it grew, 1,024 shards for 2 ms at most. Slots never move:
//! they stand in chunks, since all shards fill alike and would all grow at once.

use hashbrown::HashTable;

use super::effect::{Effect, Outcome};
use super::facts::FactTable;
use super::slots::{Place, Slot, Slots};
use super::times::Times;
use crate::day::Day;
use crate::graph::Watermark;
use crate::order::{Content, OrderEvent, OrderId, Version};

const SHARDS: usize = 1024;

/// How far back a correction reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// Two versions are of one order only if their log timestamps lie within so many milliseconds.
    /// `None`: always.
    pub window: Option<i64>,
    /// The day before which the log's first records are lost: an order with an unknown id that is
    /// dated before it counts as beyond the horizon. `None`: nothing is lost.
    pub complete_from: Option<Day>,
}

impl Horizon {
    /// How much older than the log's time a record may be, in milliseconds, and still find the order that it
    /// corrects: a day, or the window where that is less.
    pub fn lateness(&self) -> i64 {
        const DAY: i64 = 86_400_000;
        self.window.unwrap_or(DAY).min(DAY)
    }
}

/// Every order's newest version.
///
/// Clauses that hold after any sequence of [`apply`](Orders::apply):
/// - *newest wins*: an order's slot holds the greatest [`Version`] applied within the window, where each
///   is taken [beside](Version::beside) what is known;
/// - *oldest minute*: its minute is that of the oldest version applied, so a repetition or a correction
///   does not make an old order look like a new one;
/// - *arrival order is irrelevant*: any interleaving of partitions leaves the same slots (without a window;
///   with one, for events of one order that all lie within it). Each partition's own records come in order;
/// - *sum*: what was added less what was retracted is the sum of the slots' contributions, and of
///   those that left by eviction or beyond the window.
pub struct Orders {
    shards: Box<[Shard]>,
    facts: FactTable,
    horizon: Horizon,
    times: Times,
    /// What a record that is dated before it corrects may be forgotten.
    in_time_from: i64,
    held: usize,
    /// Events since the last eviction.
    applied: usize,
    /// The shard whose turn it is.
    next_to_evict: usize,
}

#[derive(Default)]
struct Shard {
    /// Where each id's slot is.
    index: HashTable<Place>,
    slots: Slots,
}

/// A mix of all bits of an id: UUIDs of some versions share their first bits with their neighbours.
///
/// Bits 32 to 41 choose the worker, 42 to 51 the shard, and the index within a shard has the first 32, so
/// that no choice weakens another.
fn mix(id: OrderId) -> u64 {
    let folded = u128::from(id.0[0] ^ 0x9e37_79b9_7f4a_7c15) * u128::from(id.0[1] ^ 0xd1b5_4a32_d192_ed03);
    (folded as u64) ^ ((folded >> 64) as u64)
}

/// The number of the shard that holds an order, and the tag by which the index there finds it.
fn home(id: OrderId) -> (usize, u32) {
    let hash = mix(id);
    ((hash >> 42) as usize % SHARDS, hash as u32)
}

/// The number by which an event is sent to the worker that holds its order: the same in every process.
pub fn route(id: OrderId) -> u64 {
    mix(id) >> 32
}

impl Orders {
    /// No order known.
    pub fn new(horizon: Horizon) -> Self {
        Orders {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            facts: FactTable::default(),
            horizon,
            times: Times::default(),
            in_time_from: i64::MIN,
            held: 0,
            applied: 0,
            next_to_evict: 0,
        }
    }

    /// Number of orders held, the cancelled ones included.
    pub const fn len(&self) -> usize {
        self.held
    }

    /// Whether none is held.
    pub const fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// The facts that slots name by number.
    pub const fn facts(&self) -> &FactTable {
        &self.facts
    }

    /// Brings near what [`apply`](Orders::apply) will need of these orders, which changes nothing.
    ///
    /// Each order is somewhere else in gigabytes, and `apply` waits for it with all that follows from it; here nothing
    /// follows, so that the processor asks for several at a time.
    pub fn approach(&self, events: &[OrderEvent]) {
        for event in events {
            let (shard, tag) = home(event.id);
            std::hint::black_box(self.shards[shard].find(tag, event.id));
        }
    }

    /// Takes one version of an order in, and says what it changed.
    pub fn apply(&mut self, event: &OrderEvent) -> Effect {
        let (shard, tag) = home(event.id);
        let fresh = self.outcome_of_unknown(event);
        let Orders { shards, facts, horizon, held, applied, .. } = self;
        *applied += 1;
        let shard = &mut shards[shard];
        let newer = Slot::of(event, facts);
        let fresh = Effect {
            outcome: fresh,
            is: newer.counted(),
            minute_was: newer.minute,
            minute: newer.minute,
            version: newer.version,
        };

        let Some(at) = shard.find(tag, event.id) else {
            shard.insert(tag, newer);
            *held += 1;
            return fresh;
        };

        let slot = shard.slots.at_mut(at);
        let version = event.version.beside(slot.version);
        let newer = Slot { version, ..newer };
        if let Some(window) = horizon.window {
            let apart = version.timestamp() - slot.version.timestamp();
            if apart.abs() > window {
                // Another order, or one that is corrected or cancelled too late (or by a wrong clock): who knows counts it.
                let outcome = match event.content {
                    Content::Tombstone => Outcome::Cancelled { was: None, beyond_horizon: true },
                    Content::Order { .. } => Outcome::Applied { beyond_horizon: true },
                };
                if apart > window {
                    // The slot's order is closed: its contribution stays, the id begins anew.
                    *slot = newer;
                }
                return Effect { outcome, version, ..fresh };
            }
        }

        let was = slot.counted();
        let minute_was = slot.minute;
        let minute = minute_was.min(newer.minute);
        let same = was == newer.counted() && slot.fingerprint == newer.fingerprint;
        slot.minute = minute;
        let outcome = if version <= slot.version {
            if same { Outcome::Duplicate { is_newest: false } } else { Outcome::Superseded }
        } else if same {
            slot.version = version;
            Outcome::Duplicate { is_newest: true }
        } else {
            *slot = Slot { minute, ..newer };
            match event.content {
                Content::Tombstone => Outcome::Cancelled { was, beyond_horizon: false },
                Content::Order { .. } => Outcome::Corrected { was },
            }
        };
        Effect { outcome, is: slot.counted(), minute_was, minute, version: slot.version }
    }

    /// What it is to an order that is not known.
    fn outcome_of_unknown(&self, event: &OrderEvent) -> Outcome {
        match &event.content {
            Content::Tombstone => {
                // A cancellation has no day, and comes when it comes: which order it means nobody knows any more, once some
                // are forgotten.
                let are_forgotten = self.horizon.window.is_some() && self.horizon.complete_from.is_some();
                Outcome::Cancelled { was: None, beyond_horizon: are_forgotten }
            }
            Content::Order { contribution, .. } => {
                let is_late = self.times.is_before(event.version, self.in_time_from, self.horizon.lateness());
                let is_unknown_day = self.horizon.complete_from.is_some_and(|day| contribution.fact.day < day);
                Outcome::Applied { beyond_horizon: is_late || is_unknown_day }
            }
        }
    }

    /// Notes how far a partition's time has come.
    pub fn note(&mut self, watermark: &Watermark) {
        self.times.note(watermark);
    }

    /// Forgets orders whose newest version lies more than the window, and what a record may come
    /// [late](Horizon::lateness), before the log's time, and before that of the partition that it came from. Their
    /// contributions stay. Each call looks at a few of the shards, so that no call takes long, and at more of them after
    /// many events: by the time that a quarter of what is held has come anew, all were looked at. So what is held is
    /// bounded by the window whether epochs are small or large.
    ///
    /// What is forgotten could not have been corrected, but by a record dated further back than a record may
    /// come late: that one counts as beyond the horizon.
    pub fn evict(&mut self) {
        let (Some(window), Some(now)) = (self.horizon.window, self.times.of_all()) else { return };
        let reach = window.saturating_add(self.horizon.lateness());
        let keep_from = now.saturating_sub(reach);
        self.in_time_from = self.in_time_from.max(keep_from.saturating_add(window));
        const SHARDS_AT_LEAST: usize = 2;
        let applied = std::mem::take(&mut self.applied);
        let due = (applied * 4).saturating_mul(SHARDS) / self.held.max(1);
        for _ in 0..due.clamp(SHARDS_AT_LEAST, SHARDS) {
            let shard = &mut self.shards[self.next_to_evict];
            self.next_to_evict = (self.next_to_evict + 1) % SHARDS;
            self.held -= shard.evict(|version| !self.times.is_before(version, keep_from, reach));
        }
        let complete_from = Day::from_epoch_days((keep_from.div_euclid(86_400_000)) as i32);
        self.horizon.complete_from = self.horizon.complete_from.max(Some(complete_from));
    }
}

impl Shard {
    /// Where the slot of this order is.
    fn find(&self, tag: u32, id: OrderId) -> Option<u32> {
        let is_this = |place: &Place| place.tag == tag && self.slots.at(place.at).id == id;
        self.index.find(Place { tag, at: 0 }.hash(), is_this).map(|place| place.at)
    }

    /// A slot of an order that has none here.
    fn insert(&mut self, tag: u32, slot: Slot) {
        let place = Place { tag, at: self.slots.push(slot) };
        self.index.insert_unique(place.hash(), place, Place::hash);
    }

    /// Returns how many left.
    fn evict(&mut self, keeps: impl Fn(Version) -> bool) -> usize {
        let keeps = |slot: &&Slot| keeps(slot.version);
        let kept = self.slots.iter().filter(keeps).count();
        let gone = self.slots.length - kept;
        if gone == 0 {
            return 0;
        }
        let mut shard = Shard { index: HashTable::with_capacity(kept), slots: Slots::default() };
        for slot in self.slots.iter().filter(keeps) {
            shard.insert(home(slot.id).1, *slot);
        }
        *self = shard;
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::order::{Contribution, Fact, IdSpace, PartitionId};
    use crate::symbol::Symbol;

    fn order(id: &str, timestamp: i64, offset: u64, amount: i64) -> OrderEvent {
        let (id, id_text) = IdSpace::new("test").id(id);
        let fact = Fact {
            day: Day::from_epoch_days((timestamp / 86_400_000) as i32),
            category: Some(Symbol::new("Books")),
            payment_method: Symbol::new("CARD"),
            currency: Symbol::new("EUR"),
        };
        let contribution =
            Contribution { fact, product: Symbol::new("p"), amount: Amount::from_micros(amount.into()), units: 1 };
        let version = Version::new(timestamp, 0, 0, offset);
        OrderEvent {
            id,
            id_text,
            version,
            minute: version.minute(),
            content: Content::Order { contribution, fingerprint: amount as u64 },
            details: None,
        }
    }

    fn tombstone(id: &str, timestamp: i64, offset: u64) -> OrderEvent {
        OrderEvent { content: Content::Tombstone, ..order(id, timestamp, offset, 0) }
    }

    fn came_to(partition: u16, timestamp: i64) -> Watermark {
        let partition = PartitionId { topic: 0, partition };
        Watermark { partition, timestamp, is_at_end: true, is_of_orders: true }
    }

    fn was(outcome: Outcome) -> Option<i64> {
        match outcome {
            Outcome::Corrected { was } | Outcome::Cancelled { was, .. } => was.map(|was| was.amount.micros() as i64),
            _ => panic!("{outcome:?}"),
        }
    }

    const RESENT: Outcome = Outcome::Duplicate { is_newest: true };
    const NEW: Outcome = Outcome::Applied { beyond_horizon: false };

    #[test]
    fn each_version_has_its_outcome() {
        let mut orders = Orders::new(Horizon::default());
        assert_eq!(orders.apply(&order("a", 0, 1, 10)).outcome, NEW);
        assert_eq!(orders.apply(&order("a", 0, 2, 10)).outcome, RESENT);
        assert_eq!(was(orders.apply(&order("a", 0, 4, 20)).outcome), Some(10));
        assert_eq!(orders.apply(&order("a", 0, 3, 30)).outcome, Outcome::Superseded);
        assert_eq!(was(orders.apply(&tombstone("a", 0, 5)).outcome), Some(20));
        assert_eq!(orders.apply(&tombstone("a", 0, 6)).outcome, RESENT);
        assert_eq!(was(orders.apply(&order("a", 0, 7, 40)).outcome), None);
        let unknown = Outcome::Cancelled { was: None, beyond_horizon: false };
        assert_eq!(orders.apply(&tombstone("never seen", 0, 8)).outcome, unknown);
        assert_eq!(orders.apply(&order("never seen", 0, 7, 50)).outcome, Outcome::Superseded);
        assert_eq!(orders.len(), 2);
    }

    #[test]
    fn a_change_that_no_total_shows_is_a_correction_all_the_same() {
        let mut orders = Orders::new(Horizon::default());
        orders.apply(&order("a", 0, 1, 10));
        let mut other_customer = order("a", 0, 2, 10);
        let Content::Order { fingerprint, .. } = &mut other_customer.content else { unreachable!() };
        *fingerprint += 1;
        assert_eq!(was(orders.apply(&other_customer).outcome), Some(10));
        let mut other_amount = order("a", 0, 3, 11);
        let Content::Order { fingerprint, .. } = &mut other_amount.content else { unreachable!() };
        *fingerprint = 11;
        assert_eq!(was(orders.apply(&other_amount).outcome), Some(10), "whatever its fingerprint");
    }

    #[test]
    fn many_orders_are_told_apart() {
        let mut orders = Orders::new(Horizon::default());
        // Several chunks in each shard.
        let count = 200_000;
        for n in 0..count {
            assert_eq!(orders.apply(&order(&n.to_string(), 0, n as u64, n)).outcome, NEW);
        }
        for n in (0..count).step_by(7) {
            assert_eq!(was(orders.apply(&order(&n.to_string(), 1, (count + n) as u64, n + 1)).outcome), Some(n));
        }
        assert_eq!(orders.len(), count as usize);
    }

    #[test]
    fn a_resend_is_the_newest_version() {
        let mut orders = Orders::new(Horizon::default());
        orders.apply(&order("a", 1, 1, 10));
        orders.apply(&order("a", 3, 3, 10));
        assert_eq!(orders.apply(&order("a", 2, 2, 20)).outcome, Outcome::Superseded);
    }

    #[test]
    fn versions_further_apart_than_the_window_are_other_orders() {
        let mut orders = Orders::new(Horizon { window: Some(100), complete_from: None });
        assert_eq!(orders.apply(&order("a", 0, 1, 10)).outcome, NEW);
        assert_eq!(was(orders.apply(&order("a", 100, 2, 20)).outcome), Some(10));
        let beyond = Outcome::Applied { beyond_horizon: true };
        assert_eq!(orders.apply(&order("a", 201, 3, 30)).outcome, beyond);
        let elsewhere = |timestamp: i64, amount| OrderEvent {
            version: Version::new(timestamp, 0, 1, amount as u64),
            ..order("a", timestamp, 0, amount)
        };
        assert_eq!(orders.apply(&elsewhere(100, 40)).outcome, beyond);
        assert_eq!(orders.apply(&elsewhere(101, 50)).outcome, Outcome::Superseded, "just within the window");
    }

    /// What a window leaves counted is told, or a view that is filled without one is taken for its like.
    #[test]
    fn a_cancellation_past_the_window_counts_as_late() {
        const DAY: i64 = 86_400_000;
        let late = Outcome::Cancelled { was: None, beyond_horizon: true };
        let mut orders = Orders::new(Horizon { window: Some(DAY), complete_from: None });
        orders.apply(&order("known", 0, 1, 10));
        orders.apply(&order("forgotten", 0, 2, 10));
        let unknown = Outcome::Cancelled { was: None, beyond_horizon: false };
        assert_eq!(orders.apply(&tombstone("never seen", DAY, 3)).outcome, unknown, "all that came is known");
        assert_eq!(orders.apply(&tombstone("known", DAY + 1, 4)).outcome, late);
        orders.note(&came_to(0, 9 * DAY));
        for _ in 0..SHARDS {
            orders.evict();
        }
        assert!(orders.is_empty());
        assert_eq!(orders.apply(&tombstone("forgotten", 9 * DAY, 5)).outcome, late);
        let mut all_known = Orders::new(Horizon::default());
        all_known.apply(&order("a", 0, 1, 10));
        assert_eq!(was(all_known.apply(&tombstone("a", 9 * DAY, 2)).outcome), Some(10));
        assert_eq!(all_known.apply(&tombstone("never seen", 9 * DAY, 3)).outcome, unknown);
    }

    #[test]
    fn a_wrong_clock_dates_no_other_order() {
        const YEAR_2100: i64 = 4_102_444_800_000;
        for window in [None, Some(100)] {
            let mut orders = Orders::new(Horizon { window, complete_from: None });
            orders.apply(&order("a", 1_000, 1, 10));
            orders.apply(&order("b", 1_000, 2, 10));
            // One clock in the future, on the record of another order of the same partition.
            orders.apply(&order("c", YEAR_2100, 3, 10));
            assert_eq!(was(orders.apply(&order("c", 1_010, 4, 20)).outcome), Some(10), "its own order is corrected");
            let moved = OrderEvent { version: Version::new(1_020, 0, 1, 0), ..order("a", 0, 0, 30) };
            assert_eq!(was(orders.apply(&moved).outcome), Some(10), "and one that moved to another partition");
            assert_eq!(was(orders.apply(&order("b", 990, 5, 40)).outcome), Some(10), "a clock that went back");
            assert_eq!(
                orders.apply(&order("a", 1_010, 6, 50)).outcome,
                Outcome::Superseded,
                "other partitions: by time"
            );
        }
    }

    #[test]
    fn any_interleaving_of_partitions_finds_the_same_newest_version() {
        // (partition, timestamp), in the order of each partition; clocks go back, and are ahead.
        let records = [(0u16, 50), (0, 90), (0, 20), (1, 60), (1, 40), (1, 95), (1, 10), (2, 70), (2, 92)];
        let event = |at: usize| {
            let (partition, timestamp) = records[at];
            OrderEvent { version: Version::new(timestamp, 0, partition, at as u64), ..order("a", 0, 0, at as i64) }
        };
        let mut found = std::collections::BTreeSet::new();
        // Every choice of which partition comes next, in base three.
        for choice in 0..3usize.pow(9) {
            let mut next = [0, 3, 7];
            let (mut orders, mut rest, mut last) = (Orders::new(Horizon::default()), choice, None);
            while next != [3, 7, 9] {
                let partition = rest % 3;
                rest /= 3;
                let open = (0..3).map(|n| (partition + n) % 3).find(|&n| next[n] < [3, 7, 9][n]).unwrap();
                last = Some(orders.apply(&event(next[open])));
                next[open] += 1;
            }
            let last = last.unwrap();
            found.insert((last.version.timestamp(), last.is.unwrap().amount.micros()));
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(95, 6)], "partition 1 was dated 95, and then corrected");
    }

    #[test]
    fn eviction_frees_what_no_version_can_correct_any_more() {
        const DAY: i64 = 86_400_000;
        let mut orders = Orders::new(Horizon { window: Some(DAY), complete_from: None });
        for n in 0..10_000 {
            orders.apply(&order(&n.to_string(), n % 10 * DAY, n as u64, n));
        }
        orders.note(&came_to(0, 9 * DAY));
        for _ in 0..SHARDS {
            orders.evict();
        }
        assert_eq!(orders.len(), 3_000, "days 8 and 9 lie within the window, and records come up to a day late");
        assert_eq!(orders.apply(&order("9", 9 * DAY, 9, 9)).outcome, Outcome::Duplicate { is_newest: false });
        assert_eq!(was(orders.apply(&order("8", 9 * DAY, 20_000, 5)).outcome), Some(8));
        assert_eq!(orders.apply(&order("0", 9 * DAY, 20_001, 1)).outcome, NEW);
        let mut late = order("late", 9 * DAY, 20_002, 1);
        let Content::Order { contribution, .. } = &mut late.content else { unreachable!() };
        contribution.fact.day = Day::from_epoch_days(6);
        assert_eq!(orders.apply(&late).outcome, Outcome::Applied { beyond_horizon: true });
        let mut just_in_time = order("just in time", 9 * DAY, 20_003, 1);
        let Content::Order { contribution, .. } = &mut just_in_time.content else { unreachable!() };
        contribution.fact.day = Day::from_epoch_days(7);
        assert_eq!(orders.apply(&just_in_time).outcome, NEW, "the first day that is known whole");
    }

    #[test]
    fn a_partition_that_stands_still_finds_what_it_corrects() {
        const HOUR: i64 = 3_600_000;
        let mut orders = Orders::new(Horizon { window: Some(HOUR), complete_from: None });
        let elsewhere = |id: &str, timestamp: i64, offset, amount| OrderEvent {
            version: Version::new(timestamp, 0, 1, offset),
            ..order(id, timestamp, offset, amount)
        };
        orders.apply(&elsewhere("away", 10 * HOUR, 1, 10));
        orders.apply(&order("here", 10 * HOUR, 1, 10));
        orders.note(&came_to(0, 20 * HOUR));
        orders.note(&came_to(1, 10 * HOUR));
        for _ in 0..SHARDS {
            orders.evict();
        }
        assert_eq!(orders.len(), 1);
        let corrected = orders.apply(&elsewhere("away", 10 * HOUR + 1, 2, 20));
        assert_eq!(was(corrected.outcome), Some(10));
        assert_eq!(orders.apply(&elsewhere("new", 10 * HOUR + 2, 3, 20)).outcome, NEW);
        // Of what came so late nobody knows whether it corrects what was forgotten.
        let late = orders.apply(&order("here", 10 * HOUR + 1, 2, 20));
        assert_eq!(late.outcome, Outcome::Applied { beyond_horizon: true });
        orders.note(&came_to(1, 20 * HOUR));
        for _ in 0..SHARDS {
            orders.evict();
        }
        assert_eq!(orders.len(), 0, "once its partition goes on it is forgotten");
    }

    /// However many orders one epoch brings: a window's worth is held, and a quarter more.
    #[test]
    fn what_is_held_is_bounded_by_the_window_with_large_epochs_too() {
        const WINDOW: i64 = 10_000;
        let mut orders = Orders::new(Horizon { window: Some(WINDOW), complete_from: None });
        let kept = (WINDOW + orders.horizon.lateness()) as usize;
        let mut number = 0;
        for epoch in [100, 5_000, 1, 40_000].into_iter().cycle().take(40) {
            for _ in 0..epoch {
                number += 1;
                orders.apply(&order(&number.to_string(), number, number as u64, number));
            }
            orders.note(&came_to(0, number));
            orders.evict();
            let bound = kept * 5 / 4 + 5_000;
            assert!(epoch == 40_000 || orders.len() <= bound, "{} held after {number}", orders.len());
        }
        let counted: usize = orders.shards.iter().map(|shard| shard.slots.length).sum();
        assert_eq!(orders.len(), counted);
    }

    #[test]
    fn an_order_counts_in_the_minute_of_its_oldest_record() {
        const MINUTE: i64 = 60_000;
        let mut orders = Orders::new(Horizon::default());
        let minutes = |effect: Effect| (effect.minute_was.number(), effect.minute.number());
        assert_eq!(minutes(orders.apply(&order("a", 5 * MINUTE, 1, 10))), (5, 5));
        assert_eq!(minutes(orders.apply(&order("a", 9 * MINUTE, 2, 10))), (5, 5), "a repetition");
        assert_eq!(minutes(orders.apply(&order("a", 10 * MINUTE, 3, 20))), (5, 5), "a correction");
        let effect = orders.apply(&order("a", 3 * MINUTE, 0, 30));
        assert_eq!((effect.outcome, minutes(effect)), (Outcome::Superseded, (5, 3)), "an older record that came late");
        assert_eq!(effect.was(), effect.is, "it moves the order, and changes nothing else");
        let effect = orders.apply(&tombstone("a", 11 * MINUTE, 4));
        assert_eq!((effect.is, minutes(effect)), (None, (3, 3)));
    }
}
