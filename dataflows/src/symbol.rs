//! Names as eight bytes: categories, currencies, payment methods, topics.
//!
//! A symbol can not be stored: its number differs between processes. What it can do is be copied,
//! compared and hashed for the price of an integer, and travel between processes as its text.
//!
//! Why not `ustr` or `lasso`: routing between processes needs a hash that is the same on every
//! machine of a cluster; theirs depend on the processor or on the order of interning.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use compact_str::CompactString;
use parking_lot::RwLock;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher13;

/// An interned name.
///
/// Clauses that hold:
/// - *same text, same symbol*: within a process two symbols are equal exactly if their texts are;
/// - *same text, same hash*: `Hash` feeds a hash of the text alone, so that every process of a
///   cluster sends a name to the same worker;
/// - *no order of texts*: `Ord` is arbitrary, and differs from process to process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    number: u32,
    hash: u32,
}

#[derive(Default)]
struct Dictionary {
    symbols: HashMap<&'static str, Symbol>,
    /// Each text and its hash, at the symbol's number.
    texts: Vec<(&'static str, u32)>,
}

/// Names are few and live as long as the process: they are leaked on purpose.
static DICTIONARY: LazyLock<RwLock<Dictionary>> = LazyLock::new(RwLock::default);

impl Symbol {
    /// No greater than any other.
    pub(crate) const LEAST: Symbol = Symbol { number: 0, hash: 0 };

    /// The symbol of a text. Takes a lock: on the hot path ask a [`SymbolCache`] instead.
    pub fn new(text: &str) -> Symbol {
        if let Some(&symbol) = DICTIONARY.read().symbols.get(text) {
            return symbol;
        }
        let mut dictionary = DICTIONARY.write();
        if let Some(&symbol) = dictionary.symbols.get(text) {
            return symbol;
        }
        let number =
            u32::try_from(dictionary.texts.len()).unwrap_or_else(|_| unreachable!("2^32 names do not fit in memory"));
        let symbol = Symbol { number, hash: stable_hash(text) };
        let text: &'static str = Box::leak(text.into());
        dictionary.texts.push((text, symbol.hash));
        dictionary.symbols.insert(text, symbol);
        symbol
    }

    /// The text.
    pub fn text(self) -> &'static str {
        DICTIONARY.read().texts[self.number as usize].0
    }

    /// Its number, which is of this process alone: four bytes where eight are too many.
    pub(crate) const fn number(self) -> u32 {
        self.number
    }

    /// The symbol with this number, which [`Symbol::number`] gave. Takes a lock.
    pub(crate) fn numbered(number: u32) -> Symbol {
        Symbol { number, hash: DICTIONARY.read().texts[number as usize].1 }
    }

    /// By which things of this name are sent to a worker: the same number in every process.
    pub(crate) fn route(self) -> u64 {
        u64::from(self.hash)
    }
}

fn stable_hash(text: &str) -> u32 {
    let mut hasher = SipHasher13::new_with_keys(0x7461_6b69_6e67_7300, 0x6e61_6d65_7300_0000);
    hasher.write(text.as_bytes());
    hasher.finish() as u32
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.hash);
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// What this thread has sent to other processes, and what it got from them: a worker of a cluster asks for
/// several names a record, and takes no lock for those it knows.
#[derive(Default)]
struct Travelled {
    received: SymbolCache,
    /// Texts at their symbols' numbers; those not asked for yet are empty.
    sent: Vec<Option<&'static str>>,
}

thread_local! {
    static TRAVELLED: RefCell<Travelled> = RefCell::default();
}

impl Travelled {
    fn text(&mut self, symbol: Symbol) -> &'static str {
        let at = symbol.number as usize;
        if self.sent.len() <= at {
            self.sent.resize(at + 1, None);
        }
        self.sent[at].get_or_insert_with(|| symbol.text())
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(TRAVELLED.with_borrow_mut(|travelled| travelled.text(*self)))
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Symbol;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Symbol, E> {
                Ok(TRAVELLED.with_borrow_mut(|travelled| travelled.received.get(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// One worker's own view of the names: no lock and no allocation for a name it has seen.
///
/// Names of up to 24 bytes stand beside their symbols: of thousands of products each one asked for is out of the
/// processor's caches, and following a pointer to its text would wait for memory once more.
#[derive(Default)]
pub struct SymbolCache {
    known: hashbrown::HashMap<CompactString, Symbol>,
}

impl SymbolCache {
    /// The symbol of a text.
    pub fn get(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.known.get(text) {
            return symbol;
        }
        let symbol = Symbol::new(text);
        self.known.insert(CompactString::const_new(symbol.text()), symbol);
        symbol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_one_symbol_on_every_thread() {
        let symbols: Vec<Symbol> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| SymbolCache::default().get("électronique"))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(symbols.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(symbols[0].text(), "électronique");
        assert_ne!(Symbol::new("a"), Symbol::new("b"));
    }

    #[test]
    fn a_name_travels_as_its_text() {
        for text in ["EUR", "électronique", "", "EUR"] {
            let symbol = Symbol::new(text);
            let json = serde_json::to_string(&symbol).expect("JSON");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Symbol>(&json).expect("the same"), symbol);
        }
    }

    /// The hash is part of how a cluster routes: a change here is a change of protocol.
    #[test]
    fn the_hash_is_the_same_in_every_process() {
        assert_eq!(Symbol::new("EUR").hash, 2_039_675_290);
    }
}
