//! The catalogue as the shop lists it: prices and categories that change, products that come and go.

use std::io::Write;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::catalogue::{CATEGORIES, CURRENCIES, Catalogue};
use super::order::{Decimal, FIRST_PRODUCT, Moment, TRANSACTION_CURRENCY};

/// A product's listing.
#[derive(Clone, Copy)]
struct Listing {
    /// Its place in [`CATEGORIES`]; `None` where the shop did not say.
    category: Option<u8>,
    /// In minor units of the currency of transactions.
    price: i64,
    /// When it was said, in microseconds since 1970.
    moment: i64,
    is_withdrawn: bool,
}

/// Every product's listing, by the product's number.
pub(super) struct Listings {
    listings: Vec<Listing>,
    /// How many of them were sent, or need not be.
    sent: u32,
}

impl Listings {
    /// Of these products. One in fifty has no category.
    pub(super) fn new(catalogue: &Catalogue, are_sent: bool) -> Self {
        let listings = (0..catalogue.len())
            .map(|number| {
                let product = catalogue.product(number);
                Listing {
                    category: (number % 50 != 49).then_some(product.category),
                    price: product.price(&CURRENCIES[TRANSACTION_CURRENCY]),
                    moment: 0,
                    is_withdrawn: false,
                }
            })
            .collect();
        Listings { listings, sent: if are_sent { catalogue.len() } else { 0 } }
    }

    /// How many products are listed.
    pub(super) fn listed(&self) -> u64 {
        self.listings[..self.sent as usize].iter().filter(|listing| !listing.is_withdrawn).count() as u64
    }

    /// How many products were not yet listed.
    pub(super) fn to_list(&self) -> u64 {
        (self.listings.len() as u64).saturating_sub(self.sent.into())
    }

    /// What a product costs now.
    pub(super) fn price(&self, number: u32) -> i64 {
        self.listings[number as usize].price
    }

    /// The next product that was not yet listed.
    pub(super) fn list_next(&mut self, moment: i64) -> Option<u32> {
        let next = self.sent;
        self.listings.get_mut(next as usize)?.moment = moment;
        self.sent += 1;
        Some(next)
    }

    /// A product whose listing stands.
    pub(super) fn choose(&self, random: &mut ChaCha8Rng) -> Option<u32> {
        if self.sent == 0 {
            return None;
        }
        (0..16).map(|_| random.random_range(0..self.sent)).find(|&number| !self.listings[number as usize].is_withdrawn)
    }

    /// A listing says something else: mostly another price, now and then another category or none. One that
    /// was withdrawn comes back.
    pub(super) fn change(&mut self, moment: i64, random: &mut ChaCha8Rng) -> Option<u32> {
        if self.sent == 0 {
            return None;
        }
        let number = random.random_range(0..self.sent);
        let listing = &mut self.listings[number as usize];
        (listing.is_withdrawn, listing.moment) = (false, moment);
        let count = CATEGORIES.len() as u8;
        match random.random_range(0..10) {
            0 | 1 => {
                let other = |category: u8, random: &mut ChaCha8Rng| (category + random.random_range(1..count)) % count;
                listing.category = Some(other(listing.category.unwrap_or(0), random));
            }
            2 if listing.category.is_some() => listing.category = None,
            // Up or down by at most a tenth, and by a cent at least.
            _ => {
                let step = 1 + random.random_range(0..=listing.price / 10);
                let is_down = listing.price > 2 * step && random.random_range(0..2) == 0;
                listing.price += if is_down { -step } else { step };
            }
        }
        Some(number)
    }

    /// A product is no longer listed.
    pub(super) fn withdraw(&mut self, random: &mut ChaCha8Rng) -> Option<u32> {
        let number = self.choose(random)?;
        self.listings[number as usize].is_withdrawn = true;
        Some(number)
    }

    /// Writes a product's listing.
    pub(super) fn write(&self, number: u32, catalogue: &Catalogue, text: &mut Vec<u8>) {
        let Listing { category, price, moment, .. } = self.listings[number as usize];
        let name = &catalogue.product(number).name;
        let price = Decimal { minor: price, places: CURRENCIES[TRANSACTION_CURRENCY].places };
        text.clear();
        // Writing to memory does not fail.
        let _ = write!(text, r#"{{"product_id":{},"name":"{name}""#, FIRST_PRODUCT + number);
        let _ = match (category, number % 3) {
            (Some(category), _) => write!(text, r#","category":"{}""#, CATEGORIES[usize::from(category)]),
            // Three ways to say nothing.
            (None, 0) => write!(text, r#","category":null"#),
            (None, 1) => write!(text, r#","category":"""#),
            (None, _) => Ok(()),
        };
        let _ = write!(text, r#","price":{price},"timestamp":"{}Z"}}"#, Moment(moment));
    }
}

/// The key of a product's listing: one shop in four sends it with every listing.
pub(super) fn key(number: u32) -> Vec<u8> {
    (FIRST_PRODUCT + number).to_string().into_bytes()
}
