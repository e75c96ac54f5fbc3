//! Exact money: decimal text to fixed point and back, never through a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of money in one currency, in millionths (micros) of its major unit.
///
/// Six places hold every currency's minor unit and a price per gram. The currency stands beside
/// the amount, never in it; amounts of different currencies are never added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Amount(i128);

/// An amount as it was read: what it is, and whether the text had more than six places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedAmount {
    /// The amount, rounded half to even at the sixth place.
    pub amount: Amount,
    /// Whether rounding lost anything: a producer's float noise, which is counted.
    pub rounded: bool,
}

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number in JSON's grammar (a sign and leading zeros are allowed as well).
    #[error("not a decimal number")]
    NotDecimal,
    /// Its absolute value is over [`Amount::MAX_ABS`].
    #[error("out of range (over nine trillion)")]
    OutOfRange,
}

impl Amount {
    /// Places after the decimal point.
    pub const PLACES: u32 = 6;
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest absolute value accepted from outside: nine trillion major units, so that the
    /// micros of one order fit an `i64`. 2^63 such amounts still sum within an `i128`, so sums inside
    /// need no checks.
    pub const MAX_ABS: Amount = Amount(9_000_000_000_000 * Amount::SCALE);

    const SCALE: i128 = 10i128.pow(Amount::PLACES);

    /// From millionths of the major unit.
    pub const fn from_micros(micros: i128) -> Self {
        Amount(micros)
    }

    /// In millionths of the major unit.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// Whether it is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self` times a whole number, exactly.
    pub const fn times(self, factor: i64) -> Self {
        Amount(self.0 * factor as i128)
    }

    /// `self` times a quantity that came from outside, or `None` past [`Amount::MAX_ABS`].
    pub fn checked_times(self, quantity: i64) -> Option<Self> {
        let product = Amount(self.0.checked_mul(quantity.into())?);
        (product.0.abs() <= Amount::MAX_ABS.0).then_some(product)
    }

    /// Reads a decimal number: optional sign, digits, optional fraction, optional exponent.
    ///
    /// More than six places are rounded half to even at the sixth, and `rounded` says so.
    ///
    /// # Errors
    /// [`AmountError`] when the text is no such number or is out of range.
    pub fn parse(text: &[u8]) -> Result<ParsedAmount, AmountError> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match unsigned.iter().position(|&byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
            Some(at) if at + 1 < mantissa.len() => (&mantissa[..at], &mantissa[at + 1..]),
            Some(_) => return Err(AmountError::NotDecimal),
            None => (mantissa, &[][..]),
        };
        if whole.is_empty() {
            return Err(AmountError::NotDecimal);
        }

        // Digit number i (from 0) of whole and fraction together weighs 10^(whole.len() - 1 - i + exponent);
        // in micros six more. Those of weight below zero only decide the rounding.
        let mut micros: i128 = 0;
        let mut weight = whole.len() as i64 - 1 + exponent + i64::from(Amount::PLACES);
        let mut first_lost: Option<u8> = None;
        let mut more_lost = false;
        for &byte in whole.iter().chain(fraction) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(AmountError::NotDecimal);
            }
            if weight >= 0 {
                if micros != 0 || digit != 0 {
                    // Past this weight a digit other than zero is out of range, and the sum below
                    // can not overflow before it is noticed.
                    if weight > 24 {
                        // Whatever its size, a text with anything but digits is no number.
                        let is_number = whole.iter().chain(fraction).all(u8::is_ascii_digit);
                        return Err(if is_number { AmountError::OutOfRange } else { AmountError::NotDecimal });
                    }
                    micros = micros * 10 + i128::from(digit);
                }
            } else if weight == -1 {
                first_lost = Some(digit);
            } else {
                more_lost |= digit != 0;
            }
            weight -= 1;
        }
        // Weights that the text did not reach: trailing zeros of a positive exponent.
        if micros != 0 && weight >= 0 {
            if weight > 24 {
                return Err(AmountError::OutOfRange);
            }
            micros *= 10i128.pow(weight as u32 + 1);
        }
        let half = first_lost.unwrap_or(0);
        let up = half > 5 || (half == 5 && (more_lost || micros % 2 == 1));
        micros += i128::from(up);
        if micros > Amount::MAX_ABS.0 {
            return Err(AmountError::OutOfRange);
        }
        let amount = Amount(if negative { -micros } else { micros });
        Ok(ParsedAmount { amount, rounded: half != 0 || more_lost })
    }
}

/// The digits after `e`, bounded so that no sum with it overflows.
fn parse_exponent(text: &[u8]) -> Result<i64, AmountError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(AmountError::NotDecimal);
    }
    let value = digits.iter().fold(0i64, |sum, &byte| (sum * 10 + i64::from(byte - b'0')).min(1_000_000_000));
    Ok(if negative { -value } else { value })
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0 + other.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 += other.0;
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(-self.0)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::ZERO, Add::add)
    }
}

/// All six places, always: `-12.340000`. The one text form of stores and logs.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let scale = Amount::SCALE.unsigned_abs();
        write!(f, "{sign}{}.{:06}", micros / scale, micros % scale)
    }
}

/// Reads an amount that takings or its database wrote; rounding is not accepted.
impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        // A sum in a store may exceed what one order may be.
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        let kept = fraction.trim_end_matches('0');
        if kept.len() > Amount::PLACES as usize {
            return Err(AmountError::NotDecimal);
        }
        let whole: i128 = whole.parse().map_err(|_| AmountError::OutOfRange)?;
        let micros: i128 = format!("{kept:0<6}").parse().map_err(|_| AmountError::NotDecimal)?;
        let value = whole
            .checked_mul(Amount::SCALE)
            .and_then(|whole| whole.checked_add(micros))
            .ok_or(AmountError::OutOfRange)?;
        Ok(Amount(if negative { -value } else { value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(text: &str) -> Result<(i128, bool), AmountError> {
        Amount::parse(text.as_bytes()).map(|parsed| (parsed.amount.micros(), parsed.rounded))
    }

    #[test]
    fn reads_what_json_writes() {
        assert_eq!(micros("123.45"), Ok((123_450_000, false)));
        assert_eq!(micros("-0.000001"), Ok((-1, false)));
        assert_eq!(micros("1e3"), Ok((1_000_000_000, false)));
        assert_eq!(micros("1.5E-2"), Ok((15_000, false)));
        assert_eq!(micros("0"), Ok((0, false)));
        assert_eq!(micros("0e999999999999"), Ok((0, false)));
        assert_eq!(micros("1e-999999999999"), Ok((0, true)));
        assert_eq!(micros("120e-1"), Ok((12_000_000, false)));
    }

    #[test]
    fn rounds_half_to_even_and_says_so() {
        assert_eq!(micros("369.59999999999997"), Ok((369_600_000, true)));
        assert_eq!(micros("0.0000005"), Ok((0, true)));
        assert_eq!(micros("0.0000015"), Ok((2, true)));
        assert_eq!(micros("0.0000025"), Ok((2, true)));
        assert_eq!(micros("0.00000250000000000000000001"), Ok((3, true)));
        assert_eq!(micros("1.0000000000"), Ok((1_000_000, false)));
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in
            ["", "-", "1.", ".5", "1e", "abc", "0x1", "1,5", "NaN", "Infinity", " 1", "1 ", "--1", "1.2.3", "1e1.5"]
        {
            assert_eq!(micros(text), Err(AmountError::NotDecimal), "{text:?}");
        }
        let not_even_large = "9000000000000000000000000000000000000x";
        assert_eq!(micros(not_even_large), Err(AmountError::NotDecimal));
        for text in ["9000000000000.000001", "1e13", "9e99999", "100000000000000000000000000000000000000000000"] {
            assert_eq!(micros(text), Err(AmountError::OutOfRange), "{text:?}");
        }
        assert_eq!(micros("9000000000000"), Ok((Amount::MAX_ABS.micros(), false)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in -(1i128 << 100)..(1i128 << 100)) {
            let amount = Amount::from_micros(micros);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn agrees_with_its_own_text(micros in -Amount::MAX_ABS.micros()..=Amount::MAX_ABS.micros()) {
            let amount = Amount::from_micros(micros);
            let parsed = Amount::parse(amount.to_string().as_bytes());
            prop_assert_eq!(parsed, Ok(ParsedAmount { amount, rounded: false }));
        }
    }
}
