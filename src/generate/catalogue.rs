//! What the synthetic shop sells, to whom it looks like a shop: products, prices, ways to pay.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A currency that the shop takes.
pub(super) struct Currency {
    pub(super) code: &'static str,
    /// Digits after the decimal point.
    pub(super) places: u32,
    /// Minor units for a hundredth of a euro, times a thousand.
    rate: i64,
    /// Prices end in multiples of this many minor units.
    step: i64,
}

/// The currencies, the most used first.
pub(super) const CURRENCIES: [Currency; 3] = [
    Currency { code: "FCFA", places: 0, rate: 6_560, step: 5 },
    Currency { code: "EUR", places: 2, rate: 1_000, step: 1 },
    Currency { code: "USD", places: 2, rate: 1_090, step: 1 },
];

/// How customers pay, the most used first.
pub(super) const PAYMENT_METHODS: [&str; 6] =
    ["CREDIT_CARD", "ORANGE_MONEY", "CASH_ON_DELIVERY", "WAVE", "PAYPAL", "BANK_TRANSFER"];

/// Categories as JSON strings hold them: some need an escape, some are not ASCII.
pub(super) const CATEGORIES: [&str; 20] = [
    "Électronique",
    "Groceries",
    "Fashion",
    "Maison & Jardin",
    "Books",
    "Beauté",
    "Sports",
    "Toys",
    "Phones",
    "Informatique",
    "Bébé",
    "Santé",
    "Automotive",
    "Music",
    "Pâtisserie",
    "Shoes",
    "Jewelry",
    "Furniture",
    "Office",
    "宠物用品",
];

const BRANDS: [&str; 24] = [
    "Acme",
    "Baobab",
    "Kanté",
    "Lumière",
    "Nordik",
    "Ósk",
    "Sahel",
    "Teranga",
    "Zuri",
    "Atlas",
    "Boréal",
    "Cèdre",
    "Delta",
    "Épure",
    "Fjord",
    "Gazelle",
    "Harmattan",
    "Iroko",
    "Jade",
    "Kora",
    "Lagune",
    "Mistral",
    "Niger & Fils",
    "Ébène",
];

const ADJECTIVES: [&str; 12] =
    ["Classic", "Compact", "Deluxe", "Léger", "Grand", "Pocket", "Smart", "Solar", "Rustique", "Turbo", "Ultra", "Éco"];

const THINGS: [&str; 16] = [
    "Kettle",
    "Lamp",
    "Chair",
    "Bouilloire",
    "Headphones",
    "Notebook",
    "Sac à dos",
    "Ventilateur",
    "Watch",
    "Blender",
    "Écran 24\\\"",
    "Drum",
    "Sandals",
    "Novel",
    "Cream",
    "Ball",
];

/// A product.
pub(super) struct Product {
    /// Its name, escaped for JSON.
    pub(super) name: String,
    /// Its brand.
    pub(super) brand: &'static str,
    /// Its category's place in [`CATEGORIES`].
    pub(super) category: u8,
    /// What its buyers think of it: its place in [`OPINIONS`].
    pub(super) opinion: u8,
    /// Hundredths of a euro.
    cents: i64,
}

/// How many of a hundred buyers give one to five stars, from the worst products to the best.
pub(super) const OPINIONS: [[usize; 5]; 5] =
    [[34, 22, 18, 14, 12], [14, 14, 24, 28, 20], [6, 8, 18, 36, 32], [3, 4, 11, 34, 48], [2, 2, 5, 21, 70]];

impl Product {
    /// The price in minor units.
    pub(super) fn price(&self, currency: &Currency) -> i64 {
        let exact = self.cents * currency.rate / 1_000;
        (exact / currency.step).max(1) * currency.step
    }
}

/// All products, the most popular first: the product of rank r sells as often as 1 / r (Zipf's law).
pub(super) struct Catalogue {
    products: Vec<Product>,
    /// Sums of weights up to each rank. Whole numbers, so that a seed means the same on every machine.
    popularity: Vec<u64>,
}

impl Catalogue {
    /// So many products, at least one. They are the same whatever a shop's seed is: one that goes on with
    /// another seed sells what it sold before.
    pub(super) fn new(products: u32) -> Self {
        let random = &mut ChaCha8Rng::seed_from_u64(0);
        let products: Vec<Product> = (1..=products.max(1))
            .map(|number| {
                let brand = BRANDS[random.random_range(0..BRANDS.len())];
                let adjective = ADJECTIVES[random.random_range(0..ADJECTIVES.len())];
                let thing = THINGS[random.random_range(0..THINGS.len())];
                // Most things are cheap: the square of an even choice, 1.00 to 900.00.
                let choice = random.random_range(10..300i64);
                Product {
                    name: format!("{brand} {adjective} {thing} n° {number}"),
                    brand,
                    category: random.random_range(0..CATEGORIES.len()) as u8,
                    opinion: (OPINIONS.len() - 1) as u8 - leaning(OPINIONS.len(), random),
                    cents: choice * choice + random.random_range(0..100),
                }
            })
            .collect();
        let mut sum = 0;
        let popularity = (1..=products.len() as u64)
            .map(|rank| {
                sum += 1_000_000_000 / rank;
                sum
            })
            .collect();
        Catalogue { products, popularity }
    }

    /// The product of this number.
    pub(super) fn product(&self, number: u32) -> &Product {
        &self.products[number as usize]
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.products.len() as u32
    }

    /// The number of a product, chosen by popularity.
    pub(super) fn choose(&self, random: &mut ChaCha8Rng) -> u32 {
        let all = self.popularity.last().copied().unwrap_or(1);
        let chosen = random.random_range(0..all);
        self.popularity.partition_point(|&sum| sum <= chosen) as u32
    }
}

/// Where half of 0..count is chosen by a first look and the rest by a second: the first places lead.
pub(super) fn leaning(count: usize, random: &mut ChaCha8Rng) -> u8 {
    random.random_range(0..count).min(random.random_range(0..count)) as u8
}

/// A place, chosen by weight.
pub(super) fn weighted(weights: &[usize], random: &mut ChaCha8Rng) -> usize {
    let mut chosen = random.random_range(0..weights.iter().sum());
    for (place, &weight) in weights.iter().enumerate() {
        if chosen < weight {
            return place;
        }
        chosen -= weight;
    }
    weights.len() - 1
}

/// How many of 256 orders fall into each hour: quiet nights, a lunch peak, a long evening.
const HOURS: [usize; 24] = [3, 2, 1, 1, 1, 2, 4, 7, 10, 12, 13, 14, 17, 15, 12, 11, 12, 14, 18, 22, 24, 20, 14, 7];

/// An hour of the day, by the shop's rhythm.
pub(super) fn hour(random: &mut ChaCha8Rng) -> i64 {
    weighted(&HOURS, random) as i64
}
