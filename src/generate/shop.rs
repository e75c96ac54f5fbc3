//! The synthetic shop: an endless, deterministic stream of what a shop would send, and the true totals.
//!
//! The same options give the same bytes on every machine: there is one source of chance, no clock,
//! and no floating point but for counting out proportions.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use takings_dataflows::amount::Amount;
use xxhash_rust::xxh3::xxh3_64;

use super::catalogue::{CATEGORIES, CURRENCIES, Catalogue, PAYMENT_METHODS, leaning};
use super::event::{Event, Kind, Topic};
use super::invalid;
use super::listings::{self, Listings};
use super::open::Open;
use super::options::ShopOptions;
use super::order::{DAY, Habit, Id, Order, TRANSACTION_CURRENCY, order_date};
use super::reviews::Review;
use super::timeline::Timeline;

/// A true total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Orders that stand.
    pub orders: u64,
    /// Their quantities.
    pub units: u64,
    /// Their amounts.
    pub amount: Amount,
}

/// What was sent to one topic.
#[derive(Clone, Copy, Default)]
struct Lane {
    /// New orders, listings or feedback.
    fresh: u64,
    /// New orders with an old date.
    late: u64,
    /// Extra events that were sent or given up, by [`EXTRAS`].
    extras: [u64; 4],
}

const EXTRAS: [Kind; 4] = [Kind::Duplicate, Kind::Correction, Kind::Cancellation, Kind::Invalid];

/// The shop. An iterator over its events; ends after the last order and what belongs to it.
pub struct Shop {
    options: ShopOptions,
    random: ChaCha8Rng,
    catalogue: Catalogue,
    timeline: Timeline,
    listings: Listings,
    /// By topic.
    lanes: [Lane; Topic::ALL.len()],
    /// The orders of each topic that has some.
    open_orders: [Open<Order>; 2],
    open_reviews: Open<Review>,
    orders: u64,
    /// All events but the first listings.
    events: u64,
    totals: [[Total; CURRENCIES.len()]; 2],
    ratings: u64,
    stars: u64,
    /// Characters a payload is written to.
    text: Vec<u8>,
}

impl Shop {
    /// Opens the shop.
    pub fn new(options: ShopOptions) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        let catalogue = Catalogue::new(options.products);
        let until = options.until.and_utc().timestamp_micros();
        let timeline = match options.rate {
            Some(rate) => Timeline::Steady { from: until, rate },
            None => Timeline::over(options.recorded_over, until, options.orders.unwrap_or(0), &mut random),
        };
        Shop {
            listings: Listings::new(&catalogue, !options.lists_catalogue),
            options,
            random,
            catalogue,
            timeline,
            lanes: [Lane::default(); Topic::ALL.len()],
            open_orders: [Open::new(), Open::new()],
            open_reviews: Open::new(),
            orders: 0,
            events: 0,
            totals: [[Total::default(); CURRENCIES.len()]; 2],
            ratings: 0,
            stars: 0,
            text: Vec::with_capacity(512),
        }
    }

    /// The true totals of all events of a topic so far, by currency. Those of transactions are in the currency
    /// that a job takes where none is named, unless it is told otherwise.
    pub fn totals(&self, topic: Topic) -> impl Iterator<Item = (&'static str, Total)> {
        CURRENCIES.iter().map(|currency| currency.code).zip(self.totals[place(topic)])
    }

    /// How many feedbacks stand, and the sum of their stars.
    pub fn ratings(&self) -> (u64, u64) {
        (self.ratings, self.stars)
    }

    /// How many products are listed.
    pub fn listed(&self) -> u64 {
        if self.sends(Topic::ProductListings) { self.listings.listed() } else { 0 }
    }

    /// How many products are still to be listed before the first order.
    pub fn to_list(&self) -> u64 {
        if self.sends(Topic::ProductListings) { self.listings.to_list() } else { 0 }
    }

    fn sends(&self, topic: Topic) -> bool {
        self.options.topics.contains(&topic)
    }

    /// When the log gets the event at hand, in microseconds since 1970.
    fn moment(&self) -> i64 {
        self.timeline.moment(self.orders, self.events)
    }

    /// An event that is due beside the new ones.
    fn extra(&mut self) -> Option<Event> {
        for topic in Topic::ALL {
            if !self.sends(topic) {
                continue;
            }
            let due = self.due(topic);
            for (extra, kind) in EXTRAS.into_iter().enumerate() {
                let lane = &mut self.lanes[topic as usize];
                if lane.extras[extra] >= due[extra] {
                    continue;
                }
                lane.extras[extra] += 1;
                let number = lane.extras[extra];
                // Where hardly anything stands none may be found; then this one is not sent.
                let event = match kind {
                    Kind::Invalid => Some(self.invalid(topic, number)),
                    _ => match topic {
                        Topic::ProductListings => self.again_listing(kind),
                        Topic::Feedback => self.again_review(kind),
                        _ => self.again_order(topic, kind),
                    },
                };
                if event.is_some() {
                    return event;
                }
            }
        }
        None
    }

    /// How many of each of [`EXTRAS`] should have come by now.
    fn due(&self, topic: Topic) -> [u64; 4] {
        let (options, lane) = (&self.options, &self.lanes[topic as usize]);
        let (fresh, corrections) = match topic {
            Topic::ProductListings => (lane.fresh + lane.extras[1], due(self.orders, options.listing_changes)),
            _ => (lane.fresh, due(lane.fresh, options.corrections)),
        };
        [due(fresh, options.duplicates), corrections, due(fresh, options.cancellations), due(fresh, options.invalid)]
    }

    fn next_listing(&mut self) -> Option<Event> {
        if !self.sends(Topic::ProductListings) {
            return None;
        }
        let number = self.listings.list_next(self.moment())?;
        self.lanes[Topic::ProductListings as usize].fresh += 1;
        Some(self.listing(Kind::Listing, number))
    }

    fn next_review(&mut self) -> Option<Event> {
        if !self.sends(Topic::Feedback)
            || self.lanes[Topic::Feedback as usize].fresh >= due(self.orders, self.options.feedback)
        {
            return None;
        }
        self.lanes[Topic::Feedback as usize].fresh += 1;
        let review = self.fresh_review();
        self.open_reviews.add(review);
        (self.ratings, self.stars) = (self.ratings + 1, self.stars + u64::from(review.stars));
        Some(self.review(Kind::Feedback, &review))
    }

    fn next_order(&mut self) -> Event {
        self.orders += 1;
        let transactions = self.lanes[Topic::Transactions as usize].fresh;
        let topic = match (self.sends(Topic::ProductSold), self.sends(Topic::Transactions)) {
            (true, true) if transactions < due(self.orders, self.options.transactions) => Topic::Transactions,
            (false, true) => Topic::Transactions,
            _ => Topic::ProductSold,
        };
        let late = self.options.late;
        let lane = &mut self.lanes[topic as usize];
        lane.fresh += 1;
        let is_late = lane.late < due(lane.fresh, late);
        lane.late += u64::from(is_late);
        let order = self.fresh_order(topic, is_late);
        self.count(&order, 1);
        self.open_orders[place(topic)].add(order);
        self.order(if is_late { Kind::Late } else { Kind::Order }, &order)
    }

    /// An id: a UUID with version and variant as RFC 9562 has them for chance.
    fn id(&mut self) -> u128 {
        self.random.random::<u128>() & !(0xf000 << 64) & !(0b11 << 62) | (0x4000 << 64) | (0b10 << 62)
    }

    fn fresh_order(&mut self, topic: Topic, is_late: bool) -> Order {
        let id = self.id();
        let moment = self.moment();
        let random = &mut self.random;
        let product = self.catalogue.choose(random);
        let (currency, price, habits) = match topic {
            Topic::Transactions => (TRANSACTION_CURRENCY as u8, self.listings.price(product), 64),
            _ => {
                let currency = leaning(CURRENCIES.len(), random);
                (currency, self.catalogue.product(product).price(&CURRENCIES[usize::from(currency)]), 128)
            }
        };
        Order {
            topic,
            id,
            product,
            customer: random.random_range(0..200_000),
            date: order_date(&self.options, moment, is_late, random),
            price,
            discount: 0,
            category: self.catalogue.product(product).category,
            quantity: 1 + leaning(5, random),
            currency,
            payment_method: leaning(PAYMENT_METHODS.len(), random),
            habit: match (random.random_range(0..habits), topic) {
                (0, Topic::ProductSold) => Habit::NoTotal,
                (0, _) => Habit::FloatNoise,
                (1, _) => Habit::TotalAsText,
                (2, _) => Habit::MoreFields,
                (3, Topic::ProductSold) => Habit::NoCategory,
                (4, Topic::ProductSold) => Habit::NoPaymentMethod,
                _ => Habit::Plain,
            },
        }
    }

    fn fresh_review(&mut self) -> Review {
        let (id, moment) = (self.id(), self.moment());
        Review::new(id, &self.catalogue, moment, &mut self.random)
    }

    fn again_order(&mut self, topic: Topic, kind: Kind) -> Option<Event> {
        let (at, mut order) = self.open_orders[place(topic)].choose(&mut self.random)?;
        if kind == Kind::Duplicate {
            return Some(self.order(kind, &order));
        }
        self.count(&order, -1);
        if kind == Kind::Cancellation {
            self.open_orders[place(topic)].remove(at);
            let key = Id(order.id).to_string().into_bytes();
            return Some(self.event(topic, kind, xxh3_64(&key), Some(key), None));
        }
        // A habit may hide a field, and with it the correction.
        order.habit = Habit::Plain;
        let random = &mut self.random;
        // A transaction says nothing of category and payment method.
        match random.random_range(0..if topic == Topic::Transactions { 3 } else { 5 }) {
            0 => order.quantity = order.quantity % 9 + 1,
            1 => order.date -= random.random_range(1..=40) * DAY,
            2 => order.discount += 1 + random.random_range(0..50),
            3 => order.category = (order.category + 1 + random.random_range(0..19)) % CATEGORIES.len() as u8,
            _ => order.payment_method = (order.payment_method + 1 + random.random_range(0..5)) % 6,
        }
        self.open_orders[place(topic)].replace(at, order);
        self.count(&order, 1);
        Some(self.order(kind, &order))
    }

    fn again_listing(&mut self, kind: Kind) -> Option<Event> {
        let moment = self.moment();
        let number = match kind {
            Kind::Duplicate => self.listings.choose(&mut self.random),
            Kind::Correction => self.listings.change(moment, &mut self.random),
            _ => self.listings.withdraw(&mut self.random),
        }?;
        Some(self.listing(kind, number))
    }

    fn again_review(&mut self, kind: Kind) -> Option<Event> {
        let (at, mut review) = self.open_reviews.choose(&mut self.random)?;
        match kind {
            Kind::Duplicate => {}
            Kind::Correction => {
                self.stars -= u64::from(review.stars);
                review.change(&mut self.random);
                self.stars += u64::from(review.stars);
                self.open_reviews.replace(at, review);
            }
            _ => {
                (self.ratings, self.stars) = (self.ratings - 1, self.stars - u64::from(review.stars));
                self.open_reviews.remove(at);
            }
        }
        Some(self.review(kind, &review))
    }

    fn invalid(&mut self, topic: Topic, number: u64) -> Event {
        let id = self.id();
        match topic {
            Topic::ProductListings => {
                let product = self.random.random_range(0..self.catalogue.len());
                self.listings.write(product, &self.catalogue, &mut self.text);
            }
            Topic::Feedback => self.fresh_review().write(&mut self.text),
            _ => self.fresh_order(topic, false).write(&self.catalogue, &mut self.text),
        }
        let (key, payload) = invalid::spoil(topic, number, Id(id).to_string().into_bytes(), &self.text);
        self.event(topic, Kind::Invalid, xxh3_64(&id.to_le_bytes()), key, payload)
    }

    fn order(&mut self, kind: Kind, order: &Order) -> Event {
        order.write(&self.catalogue, &mut self.text);
        let key = Id(order.id).to_string().into_bytes();
        let place = xxh3_64(&key);
        self.event(
            order.topic,
            kind,
            place,
            (order.topic == Topic::ProductSold).then_some(key),
            Some(self.text.clone()),
        )
    }

    fn listing(&mut self, kind: Kind, number: u32) -> Event {
        self.listings.write(number, &self.catalogue, &mut self.text);
        let is_withdrawn = kind == Kind::Cancellation;
        let (key, payload) = (listings::key(number), (!is_withdrawn).then(|| self.text.clone()));
        let place = xxh3_64(&key);
        // Some shops key their listings, some do not; what withdraws must.
        let key = (is_withdrawn || number.is_multiple_of(4)).then_some(key);
        self.event(Topic::ProductListings, kind, place, key, payload)
    }

    fn review(&mut self, kind: Kind, review: &Review) -> Event {
        review.write(&mut self.text);
        let is_withdrawn = kind == Kind::Cancellation;
        let (key, payload) = (Id(review.id).to_string().into_bytes(), (!is_withdrawn).then(|| self.text.clone()));
        self.event(Topic::Feedback, kind, xxh3_64(&key), is_withdrawn.then_some(key), payload)
    }

    fn event(&mut self, topic: Topic, kind: Kind, place: u64, key: Option<Vec<u8>>, payload: Option<Vec<u8>>) -> Event {
        let timestamp = self.moment() / 1_000;
        self.events += u64::from(kind != Kind::Listing);
        Event { topic, kind, key, payload, timestamp, place }
    }

    fn count(&mut self, order: &Order, times: i64) {
        let total = &mut self.totals[place(order.topic)][usize::from(order.currency)];
        total.orders = total.orders.wrapping_add_signed(times);
        total.units = total.units.wrapping_add_signed(times * order.units());
        total.amount += order.amount().times(times);
    }
}

impl Iterator for Shop {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.next_listing().or_else(|| self.extra()).or_else(|| self.next_review()) {
            return Some(event);
        }
        if self.options.orders.is_some_and(|orders| self.orders >= orders) {
            return None;
        }
        Some(self.next_order())
    }
}

/// The place of a topic among those that have orders.
fn place(topic: Topic) -> usize {
    usize::from(topic == Topic::Transactions)
}

/// How many of a kind should have come with so many others.
fn due(others: u64, share: f64) -> u64 {
    (others as f64 * share + 0.5) as u64
}
