//! What customers think: one feedback each, which they may change or take back.

use std::io::Write;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::catalogue::{Catalogue, OPINIONS, weighted};
use super::order::{FIRST_PRODUCT, Id, Moment};

/// A feedback as it stands.
#[derive(Clone, Copy)]
pub(super) struct Review {
    pub(super) id: u128,
    product: u32,
    customer: u32,
    /// When it was given, in microseconds since 1970.
    moment: i64,
    pub(super) stars: u8,
    /// Its comment's place in [`COMMENTS`].
    comment: u8,
}

/// Comments as JSON strings hold them, from one star to five.
const COMMENTS: [[&str; 3]; 5] = [
    ["Cassé à l'arrivée.", "never came \\ud83d\\ude20", ""],
    ["Not what the picture shows", "Trop cher pour ce que c'est", "broke after \\\"a week\\\""],
    ["ok", "Correct, sans plus.", "Does the job\\nno more"],
    ["Bon produit, livraison rapide", "Good value", "très bien"],
    ["Parfait !", "Would buy again \\u2764", "很好"],
];

impl Review {
    /// A new one, of a product that sells.
    pub(super) fn new(id: u128, catalogue: &Catalogue, moment: i64, random: &mut ChaCha8Rng) -> Self {
        let product = catalogue.choose(random);
        let opinion = usize::from(catalogue.product(product).opinion);
        Review {
            id,
            product,
            customer: random.random_range(0..200_000),
            moment,
            stars: 1 + weighted(&OPINIONS[opinion], random) as u8,
            comment: random.random_range(0..3),
        }
    }

    /// Thought about again: mostly other stars, sometimes only other words.
    pub(super) fn change(&mut self, random: &mut ChaCha8Rng) {
        match random.random_range(0..4) {
            0 => self.comment = (self.comment + random.random_range(1..3)) % 3,
            _ => self.stars = (self.stars - 1 + random.random_range(1..5)) % 5 + 1,
        }
    }

    /// Writes it.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        let Review { id, product, customer, moment, stars, comment } = *self;
        let comment = COMMENTS[usize::from(stars - 1)][usize::from(comment)];
        text.clear();
        // Writing to memory does not fail.
        let _ = write!(
            text,
            concat!(
                r#"{{"feedback_id":"{}","product_id":{},"user_id":{},"rating":{},"comment":"{}","#,
                r#""timestamp":"{}"}}"#
            ),
            Id(id),
            FIRST_PRODUCT + product,
            customer,
            stars,
            comment,
            Moment(moment),
        );
    }
}
