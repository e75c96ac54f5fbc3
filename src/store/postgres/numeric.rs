//! Amounts as PostgreSQL's `numeric`, in its binary form: exact, and without a detour through text.
//!
//! The form: the number of base-10000 digits, the power of 10000 that the first of them weighs, the sign,
//! the number of decimal places shown; then the digits. All are 16-bit, big-endian.

use std::error::Error;

use bytes::BytesMut;
use takings_dataflows::amount::Amount;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
/// Six decimal places are one and a half digits of base 10000, so amounts travel with eight.
const FRACTION_DIGITS: usize = 2;
/// An `i128` has 39 decimal digits; two more places make at most 41, in eleven digits of base 10000.
const MAX_DIGITS: usize = 11;

/// An amount on its way to or from a `numeric` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numeric(pub(super) Amount);

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let micros = self.0.micros();
        let mut digits = [0u16; MAX_DIGITS];
        let mut count = 0;
        let mut push = |digit: u128| {
            digits[count] = digit as u16;
            count += 1;
        };
        // From the least digit up: two of the fraction, then the whole.
        let fraction = (micros.unsigned_abs() % 1_000_000) * 100;
        push(fraction % 10_000);
        push(fraction / 10_000);
        let mut whole = micros.unsigned_abs() / 1_000_000;
        while whole > 0 {
            push(whole % 10_000);
            whole /= 10_000;
        }
        let digits = &digits[..count];
        out.extend_from_slice(&(digits.len() as u16).to_be_bytes());
        out.extend_from_slice(&((digits.len() - FRACTION_DIGITS) as i16 - 1).to_be_bytes());
        out.extend_from_slice(&(if micros < 0 { NEGATIVE } else { POSITIVE }).to_be_bytes());
        out.extend_from_slice(&(Amount::PLACES as u16).to_be_bytes());
        for digit in digits.iter().rev() {
            out.extend_from_slice(&digit.to_be_bytes());
        }
        Ok(IsNull::No)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Numeric {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let mut words = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let mut word = || words.next().ok_or("a numeric that ends too soon");
        let (count, weight, sign, _places) = (word()?, word()? as i16, word()?, word()?);
        if sign != POSITIVE && sign != NEGATIVE {
            return Err("a numeric that is not finite".into());
        }
        let mut micros: i128 = 0;
        for index in 0..i32::from(count) {
            let digit = i128::from(word()?);
            // What this digit weighs, in micros: 10^6 times 10000^power.
            let exponent = (i32::from(weight) - index) * 4 + Amount::PLACES as i32;
            let part = match u32::try_from(exponent) {
                Ok(exponent) => 10i128.checked_pow(exponent).and_then(|scale| digit.checked_mul(scale)),
                Err(_) if exponent == -2 && digit % 100 == 0 => Some(digit / 100),
                Err(_) if digit == 0 => Some(0),
                Err(_) => return Err("a numeric of more than six places".into()),
            };
            micros = part.and_then(|part| micros.checked_add(part)).ok_or("a numeric out of range")?;
        }
        Ok(Numeric(Amount::from_micros(if sign == NEGATIVE { -micros } else { micros })))
    }

    accepts!(NUMERIC);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(micros: i128) -> BytesMut {
        let mut out = BytesMut::new();
        Numeric(Amount::from_micros(micros)).to_sql(&Type::NUMERIC, &mut out).unwrap();
        out
    }

    /// The bytes that a PostgreSQL 15 server sends for these values.
    #[test]
    fn reads_what_a_server_writes() {
        for (words, micros) in [
            (&[0u16, 0, 0, 6][..], 0i128),
            (&[2, 0, 0x4000, 6, 12, 3400], -12_340_000),
            (&[1, 0xffff, 0, 6, 5000], 500_000),
            (&[1, 0xfffe, 0, 6, 100], 1),
            (&[1, 1, 0, 6, 1], 10_000_000_000),
        ] {
            let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(Numeric::from_sql(&Type::NUMERIC, &raw).unwrap().0.micros(), micros);
        }
        for words in [&[0u16, 0, 0xC000, 0][..], &[1, 0xfffe, 0, 8, 1], &[1, 0xfffd, 0, 9, 1], &[2, 0, 0, 6, 1]] {
            let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert!(Numeric::from_sql(&Type::NUMERIC, &raw).is_err(), "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn comes_back(micros in any::<i128>().prop_filter("its negative fits", |&micros| micros != i128::MIN)) {
            prop_assert_eq!(Numeric::from_sql(&Type::NUMERIC, &written(micros)).unwrap().0.micros(), micros);
        }
    }
}
