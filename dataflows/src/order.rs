//! One version of an order, as the dataflow sees it.

use std::fmt;
use std::hash::Hasher;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::amount::Amount;
use crate::day::Day;
use crate::minute::Minute;
use crate::symbol::Symbol;
use crate::takings::Takings;

/// What names an order across topics: 128 bits.
///
/// A canonical UUID gives its own bits, any other text a hash; both are scoped by the id space
/// (normally the topic), so that two topics may use the same numbers. Two different ids meet with
/// a probability of n²/2^129, 10^-20 for a billion orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub [u64; 2]);

/// The ids of one topic, or of several topics that share theirs.
#[derive(Clone, Copy, Debug)]
pub struct IdSpace {
    keys: [u64; 2],
}

impl IdSpace {
    /// The id space of this name.
    pub fn new(name: &str) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0x7461_6b69_6e67_7300, 0x6964_2073_7061_6365);
        hasher.write(name.as_bytes());
        let hash = hasher.finish128();
        IdSpace { keys: [hash.h1, hash.h2] }
    }

    /// The id of an order (whose text is not empty), and its text unless the id alone gives it back (see [`IdSpace::text`]).
    pub fn id(&self, text: &str) -> (OrderId, CompactString) {
        if let Some([high, low]) = canonical_uuid(text.as_bytes()) {
            return (OrderId([high ^ self.keys[0], low ^ self.keys[1]]), CompactString::const_new(""));
        }
        let mut hasher = SipHasher13::new_with_keys(self.keys[0], self.keys[1]);
        hasher.write(text.as_bytes());
        let hash = hasher.finish128();
        (OrderId([hash.h1, hash.h2]), CompactString::new(text))
    }

    /// The text of an id: `kept`, or the UUID that the id's bits are where nothing was kept.
    pub fn text(&self, id: OrderId, kept: &str) -> String {
        if !kept.is_empty() {
            return kept.to_owned();
        }
        let [high, low] = [id.0[0] ^ self.keys[0], id.0[1] ^ self.keys[1]];
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

/// The bits of a UUID in its one canonical form: 36 bytes, lower case, hyphens in place. Any other
/// spelling is another id, as it is for every system that compares ids as text.
fn canonical_uuid(text: &[u8]) -> Option<[u64; 2]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
        return None;
    }
    // No branch a digit: what is no digit leaves a bit above the lowest four.
    let mut wrong = 0u8;
    let mut value = [0u64; 2];
    for (half, groups) in [[(0, 8), (9, 13), (14, 18)].as_slice(), [(19, 23), (24, 36)].as_slice()].iter().enumerate() {
        for &(from, to) in *groups {
            for &byte in &text[from..to] {
                let digit = HEX[byte as usize];
                wrong |= digit;
                value[half] = value[half] << 4 | u64::from(digit & 0xf);
            }
        }
    }
    (wrong <= 0xf).then_some(value)
}

/// The value of each lower-case hexadecimal digit; 255 for every other byte.
const HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Where a record stands in the log, and which version of an order is the newest: the greater
/// version wins, whatever the order of arrival, so that a replay decides as the first run did.
///
/// It orders by (log timestamp, topic, partition, incarnation, offset), so versions of different partitions compare
/// as they are. Within one partition the later record is the newer version, whatever its timestamp: see
/// [`Version::beside`]. A log without timestamps has zeros.
///
/// A partition's *incarnation* says how often its log began anew below what was read (its topic was deleted and
/// created again, or the log lost its end), so that offsets came twice: of two incarnations all records of the later
/// one are later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(u128);

impl Version {
    /// The latest timestamp a version can hold, in milliseconds since 1970: the year 10889.
    pub const MAX_TIMESTAMP: i64 = (1 << 48) - 1;
    /// The greatest offset a version can hold: 281 TB as bytes.
    pub const MAX_OFFSET: u64 = (1 << 48) - 1;

    /// `timestamp` in milliseconds since 1970 (what lies outside 0 to [`Version::MAX_TIMESTAMP`]
    /// counts as the nearer end); `topic` its rank among the job's topics.
    pub fn new(timestamp: i64, topic: u8, partition: u16, offset: u64) -> Self {
        debug_assert!(offset <= Version::MAX_OFFSET);
        let timestamp = timestamp.clamp(0, Version::MAX_TIMESTAMP) as u128;
        Version(timestamp << 80 | u128::from(topic) << 72 | u128::from(partition) << 56 | u128::from(offset))
    }

    /// The same in this incarnation of its partition, of a version that is of the first one.
    #[must_use]
    pub fn in_incarnation(self, incarnation: u8) -> Self {
        debug_assert!(self.incarnation() == 0);
        Version(self.0 | u128::from(incarnation) << 48)
    }

    /// The log's timestamp, in milliseconds since 1970.
    pub const fn timestamp(self) -> i64 {
        (self.0 >> 80) as i64
    }

    /// This version as it compares with one that is known of the same order: of two records of a partition
    /// the later one is never dated before the other.
    ///
    /// *A total order*: where each partition's records come in their order, the newest version so found is
    /// the same however partitions interleave. A known version of another partition that is newer than an
    /// earlier record of this one is newer than what that record could lend this one.
    ///
    /// *Only an order's own records decide*: a clock that is wrong once, on another order's record, does not
    /// date this one; and what a log has lost of other orders changes nothing.
    #[must_use]
    pub const fn beside(self, known: Version) -> Version {
        /// All but the timestamp; and of that where in its partition it stands, incarnation and offset.
        const PLACE: u128 = (1 << 80) - 1;
        const WITHIN: u128 = (1 << 56) - 1;
        if (self.0 ^ known.0) & (PLACE ^ WITHIN) != 0 {
            return self;
        }
        let (mine, theirs) = (self.0 >> 80, known.0 >> 80);
        let timestamp = if self.0 & WITHIN > known.0 & WITHIN {
            if mine > theirs { mine } else { theirs }
        } else if mine < theirs {
            mine
        } else {
            theirs
        };
        Version((timestamp << 80) | (self.0 & PLACE))
    }

    /// The partition the record is in.
    pub const fn partition(self) -> PartitionId {
        PartitionId { topic: (self.0 >> 72) as u8, partition: (self.0 >> 56) as u16 }
    }

    /// How often the log of its partition had begun anew.
    pub const fn incarnation(self) -> u8 {
        (self.0 >> 48) as u8
    }

    /// The minute of the log's timestamp.
    pub const fn minute(self) -> Minute {
        Minute::of_millis(self.timestamp())
    }

    /// The record's offset in its partition.
    pub const fn offset(self) -> u64 {
        (self.0 as u64) & Version::MAX_OFFSET
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartitionId { topic, partition } = self.partition();
        write!(f, "{}ms:{topic}/{partition}@{}", self.timestamp(), self.offset())
    }
}

/// A partition of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId {
    /// The topic's rank among the job's topics.
    pub topic: u8,
    /// The partition's number, as the log gives it.
    pub partition: u16,
}

/// The finest group of an order's own fields; with its product, every view of sales is a roll-up of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// The business day.
    pub day: Day,
    /// The category that the order names; `None`: its product's, as the catalogue has it now.
    pub category: Option<Symbol>,
    /// How it was paid.
    pub payment_method: Symbol,
    /// The currency of the amount.
    pub currency: Symbol,
}

/// What an order counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The group it counts in.
    pub fact: Fact,
    /// What was sold.
    pub product: Symbol,
    /// Its amount in the fact's currency.
    pub amount: Amount,
    /// Its quantity.
    pub units: i64,
}

impl Contribution {
    /// The largest quantity, either way: it is held in 32 bits.
    pub const MAX_UNITS: i64 = 1_000_000_000;

    /// What it adds to its totals.
    pub const fn takings(&self) -> Takings {
        Takings::of_order(self.amount, self.units)
    }
}

/// What a record says of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// The order is so.
    Order {
        /// What it counts as.
        contribution: Contribution,
        /// A hash of every field that takings reads. Two versions with the same contribution and
        /// fingerprint are the same content: a duplicate.
        fingerprint: u64,
    },
    /// The order is cancelled (a null payload).
    Tombstone,
}

/// One record of an order topic, decoded: one version of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// The order.
    pub id: OrderId,
    /// The id's text where the id does not give it back; see [`IdSpace::id`]. Up to 24 bytes of it
    /// stand here without an allocation.
    pub id_text: CompactString,
    /// Where the record stands, and how new it is.
    pub version: Version,
    /// The minute in which this or an earlier record of the order came: [`Version::minute`], but for a
    /// kept order that is loaded.
    pub minute: Minute,
    /// What it says.
    pub content: Content,
    /// Every field, where orders are kept.
    pub details: Option<Box<OrderDetails>>,
}

impl OrderEvent {
    /// What the order counts as by this record; `None` where it cancels.
    pub const fn contribution(&self) -> Option<&Contribution> {
        match &self.content {
            Content::Order { contribution, .. } => Some(contribution),
            Content::Tombstone => None,
        }
    }
}

/// The fields of an order that no total needs: kept on request (`--keep-orders`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderDetails {
    /// The product's id.
    pub product_id: String,
    /// The product's name.
    pub product_name: Option<String>,
    /// The product's brand.
    pub product_brand: Option<String>,
    /// The price of one unit.
    pub product_price: Option<Amount>,
    /// Who bought.
    pub customer_id: Option<String>,
    /// The moment of the order as local time in the shop's zone, in microseconds since
    /// 1970-01-01T00:00 of that same local clock.
    pub ordered_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_own_bits_and_comes_back() {
        let space = IdSpace::new("product_sold");
        let text = "0b9f0b1e-6f7a-4c1d-9d0e-0123456789ab";
        let (id, kept) = space.id(text);
        assert!(kept.is_empty());
        assert_eq!(space.text(id, &kept), text);
        for other in ["0B9F0B1E-6F7A-4C1D-9D0E-0123456789AB", "0b9f0b1e6f7a4c1d9d0e0123456789ab", "42"] {
            let (id, kept) = space.id(other);
            assert_eq!(kept, other);
            assert_eq!(space.text(id, &kept), other);
        }
    }

    #[test]
    fn two_topics_may_use_the_same_ids() {
        let (sold, plain) = (IdSpace::new("product_sold"), IdSpace::new("transactions"));
        assert_ne!(sold.id("42").0, plain.id("42").0);
        let uuid = "0b9f0b1e-6f7a-4c1d-9d0e-0123456789ab";
        assert_ne!(sold.id(uuid).0, plain.id(uuid).0);
        assert_eq!(IdSpace::new("product_sold").id("42"), sold.id("42"));
    }

    #[test]
    fn versions_order_by_timestamp_then_place() {
        let version = Version::new(1_700_000_000_123, 2, 65_535, Version::MAX_OFFSET);
        assert_eq!(version.timestamp(), 1_700_000_000_123);
        assert_eq!(version.partition(), PartitionId { topic: 2, partition: 65_535 });
        assert_eq!(version.offset(), Version::MAX_OFFSET);
        assert!(Version::new(2, 0, 0, 0) > Version::new(1, 9, 9, 9));
        assert!(Version::new(1, 0, 1, 0) > Version::new(1, 0, 0, 9));
        assert!(Version::new(1, 0, 0, 10) > Version::new(1, 0, 0, 9));
        assert_eq!(Version::new(-1, 0, 0, 7), Version::new(0, 0, 0, 7));
    }

    #[test]
    fn in_one_partition_the_later_record_is_the_newer_version() {
        let known = Version::new(100, 1, 2, 5);
        let later = Version::new(40, 1, 2, 6).beside(known);
        assert!(later > known, "a clock that went back");
        assert_eq!((later.timestamp(), later.offset()), (100, 6));
        let earlier = Version::new(900, 1, 2, 4).beside(known);
        assert!(earlier < known, "a clock that was ahead");
        assert_eq!(known.beside(known), known);
        for elsewhere in [Version::new(40, 1, 3, 6), Version::new(40, 0, 2, 6)] {
            assert_eq!(elsewhere.beside(known), elsewhere, "another partition's timestamp stands");
        }
    }

    #[test]
    fn of_a_log_that_began_anew_every_record_is_later() {
        let known = Version::new(100, 1, 2, Version::MAX_OFFSET);
        let anew = Version::new(40, 1, 2, 0).in_incarnation(1);
        assert_eq!((anew.incarnation(), anew.offset(), anew.partition()), (1, 0, known.partition()));
        let anew = anew.beside(known);
        assert!(anew > known);
        assert_eq!((anew.timestamp(), anew.offset()), (100, 0));
        assert!(Version::new(900, 1, 2, 7).beside(anew) < anew, "of the log before, whatever its clock said");
        let last = Version::new(0, 1, 2, 3).in_incarnation(u8::MAX);
        assert!(last.beside(anew) > anew && last.incarnation() == u8::MAX);
        let elsewhere = Version::new(40, 1, 3, 0).in_incarnation(9);
        assert_eq!(elsewhere.beside(known), elsewhere, "another partition's timestamp stands");
    }
}
