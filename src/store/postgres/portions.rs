//! How much of what is to be written goes into one statement.
//!
//! Its arrays are one message, and of a message over a gigabyte PostgreSQL reads nothing: it ends the connection. That
//! looks like an outage, and comes again however often the same is tried.

use super::ROWS_A_STATEMENT;

/// How many bytes of texts without a bound of their own go into one statement, about: less than that, and one row.
const BYTES_A_STATEMENT: usize = 16 << 20;

/// The rows in their order, as many at once as go into one statement. `bytes_of` says how much a row's texts hold.
pub(super) fn portions<T>(rows: &[T], bytes_of: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(ROWS_A_STATEMENT).take_while(|row| {
            let before = bytes;
            bytes += bytes_of(row);
            before < BYTES_A_STATEMENT
        });
        let (portion, later) = rest.split_at(fits.count());
        rest = later;
        (!portion.is_empty()).then_some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(rows: &[usize]) -> Vec<usize> {
        portions(rows, |bytes| *bytes).map(<[usize]>::len).collect()
    }

    #[test]
    fn a_portion_has_a_bound_of_rows_and_one_of_bytes() {
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&vec![100; ROWS_A_STATEMENT + 1]), [ROWS_A_STATEMENT, 1]);
        let megabyte = 1 << 20;
        assert_eq!(lengths(&[megabyte; 40]), [16, 16, 8]);
        assert_eq!(lengths(&[1, 100 * megabyte, 100 * megabyte, 1]), [2, 1, 1], "a row is never cut");
    }
}
