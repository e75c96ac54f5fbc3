//! The bank: accounts whose balances sum to zero, in each currency.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Partitions of the log.
pub const PARTITIONS: u16 = 3;
/// Records that open the accounts.
pub const SETUP: usize = ORDERS * CURRENCIES.len();
/// Orders of each currency, in pairs of opposite amounts.
pub const ORDERS: usize = 60;
/// The currencies. Nothing is ever moved between them.
pub const CURRENCIES: [&str; 3] = ["EUR", "FCFA", "USD"];

const ACCOUNTS: [&str; 5] = ["Ada", "Béa", "Coumba", "Dior", "Émile"];
const METHODS: [&str; 3] = ["CASH", "WAVE", "CARD"];

/// A record to write.
pub struct Entry {
    pub partition: u16,
    pub id: String,
    pub payload: String,
}

/// Makes the records.
pub struct Bank {
    chance: StdRng,
    made: usize,
}

impl Bank {
    pub fn new(seed: u64) -> Bank {
        Bank { chance: StdRng::seed_from_u64(seed), made: 0 }
    }

    /// Every order, once.
    pub fn open_accounts(&mut self) -> Vec<Entry> {
        (0..SETUP).map(|order| self.entry(order)).collect()
    }

    /// Some corrections, each moving one order to any account.
    pub fn transfers(&mut self) -> Vec<Entry> {
        let count = self.chance.random_range(1..20);
        (0..count)
            .map(|_| self.chance.random_range(0..SETUP))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|order| self.entry(order))
            .collect()
    }

    /// How many records there are.
    pub fn made(&self) -> usize {
        self.made
    }

    /// An order, wherever it is now. Its amount and its currency follow from its number.
    fn entry(&mut self, order: usize) -> Entry {
        self.made += 1;
        let (number, currency) = (order / CURRENCIES.len(), CURRENCIES[order % CURRENCIES.len()]);
        let sign = if number.is_multiple_of(2) { "" } else { "-" };
        let account = ACCOUNTS[self.chance.random_range(0..ACCOUNTS.len())];
        let method = METHODS[self.chance.random_range(0..METHODS.len())];
        let day = self.chance.random_range(1..4);
        // The customer makes each version another one.
        let payload = format!(
            "{{\"orderId\":\"{order}\",\"orderDate\":\"2026-11-0{day}\",\"productCategory\":\"{account}\",\
             \"paymentMethod\":\"{method}\",\"currency\":\"{currency}\",\"totalAmount\":{sign}{}.5,\"customerId\":{}}}",
            number / 2 * 7 + 1,
            self.made
        );
        Entry { partition: order as u16 % PARTITIONS, id: order.to_string(), payload }
    }
}
