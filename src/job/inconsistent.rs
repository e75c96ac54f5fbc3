//! Totals that no set of records can have: noted beside the views, never written to them.
//!
//! How one comes about: a version of an order is taken back that the stored totals never counted. Rows that someone
//! deleted by hand from every table, or the log of one partition cut shorter than that of another which has the same
//! order: the replay knows an order that the totals do not.
//!
//! What the dataflow holds and what its view shows differ from then on, so both are kept: the view's row stays what it
//! was last, and `inconsistent` has what it would be. A start loads the latter, as the run before it had it; nothing
//! hardens, and nothing is forgotten.
//!
//! What it can not do: go on where the pieces of a change do not come together to one value. Then there is no value to
//! note, and the job ends; the next one starts from what is stored.

use std::collections::HashMap;

use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::view::ViewKey;

use super::JobError;
use super::roll_ups::check_possible;
use crate::store::{Inconsistent, Recovered};

/// How many rows a message names.
const NAMED: usize = 5;

/// The rows that are inconsistent now, with what their views hold in their place.
#[derive(Default)]
pub(super) struct Withheld(HashMap<ViewKey, Option<RowValue>>);

/// What an epoch did to them.
#[derive(Default)]
pub(super) struct Sifted {
    /// Rows that are inconsistent, as they are now.
    pub(super) inconsistent: Vec<Inconsistent>,
    /// Rows that are totals again.
    pub(super) cured: Vec<ViewKey>,
}

impl Withheld {
    /// Those that an earlier run left.
    pub(super) fn of(recovered: &Recovered) -> Self {
        Withheld(recovered.inconsistent.iter().map(|row| (row.key, row.stands)).collect())
    }

    /// Takes out of an epoch's changes what must not be written, and makes the others changes of what the views hold.
    pub(super) fn sift(&mut self, epoch: u64, rows: &mut Vec<RowChange>) -> Sifted {
        let mut sifted = Sifted::default();
        let is_possible = |row: &RowChange| row.new.is_none_or(|value| value.is_consistent());
        if self.0.is_empty() && rows.iter().all(is_possible) {
            return sifted;
        }
        rows.retain_mut(|row| {
            let withheld = self.0.get(&row.key).copied();
            match (row.new, is_possible(row)) {
                (Some(would_be), false) => {
                    let stands = withheld.unwrap_or(row.old);
                    if withheld.is_none() {
                        tracing::warn!(
                            epoch,
                            "{} is inconsistent: its records sum to {would_be:?}, which no set of records can; the view keeps \
                             {}, and the table inconsistent says more. Run `takings audit`",
                            row.key,
                            stands.map_or("no row".to_owned(), |stands| format!("{stands:?}")),
                        );
                        self.0.insert(row.key, stands);
                    }
                    sifted.inconsistent.push(Inconsistent { key: row.key, stands, would_be });
                    false
                }
                _ => match withheld {
                    None => true,
                    Some(stands) => {
                        tracing::info!(epoch, "{} is a total again, and written; it may still be wrong", row.key);
                        self.0.remove(&row.key);
                        sifted.cured.push(row.key);
                        row.old = stands;
                        row.old != row.new
                    }
                },
            }
        });
        sifted
    }
}

/// Puts what inconsistent rows would be in place of what their views hold: what the run before had in memory.
///
/// # Errors
/// [`JobError::RollUpsDiffer`] where a view holds something else than was noted, or an impossible total.
pub(super) fn overlay(mut recovered: Recovered) -> Result<Recovered, JobError> {
    check_possible(&recovered.rows)?;
    if recovered.inconsistent.is_empty() {
        return Ok(recovered);
    }
    let noted: HashMap<ViewKey, &Inconsistent> = recovered.inconsistent.iter().map(|row| (row.key, row)).collect();
    let mut differs = Vec::new();
    let mut found = 0;
    for (key, value) in &mut recovered.rows {
        let Some(row) = noted.get(key) else { continue };
        if row.stands == Some(*value) {
            found += 1;
        } else {
            differs.push(format!("{key} is {value:?}, and inconsistent has {:?} for it", row.stands));
        }
        *value = row.would_be;
    }
    let absent: Vec<(ViewKey, RowValue)> =
        noted.values().filter(|row| row.stands.is_none()).map(|row| (row.key, row.would_be)).collect();
    if differs.is_empty() && found + absent.len() != noted.len() {
        differs.push("inconsistent has rows that their views lost".to_owned());
    }
    recovered.rows.extend(absent);
    if !differs.is_empty() {
        return Err(JobError::RollUpsDiffer { differences: differs.join("; ") });
    }
    let mut names: Vec<String> = recovered.inconsistent.iter().map(|row| row.key.to_string()).take(NAMED).collect();
    let more = recovered.inconsistent.len() - names.len();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    tracing::warn!("inconsistent since an earlier run, and not shown: {}", names.join("; "));
    Ok(recovered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use takings_dataflows::amount::Amount;
    use takings_dataflows::day::Day;
    use takings_dataflows::symbol::Symbol;
    use takings_dataflows::takings::Takings;

    fn key() -> ViewKey {
        ViewKey::Day { day: Day::from_epoch_days(20_779), currency: Symbol::new("EUR") }
    }

    fn total(amount: i128, orders: i64) -> Option<RowValue> {
        Some(RowValue::Takings(Takings { amount: Amount::from_micros(amount), orders, units: orders }))
    }

    fn step(withheld: &mut Withheld, old: Option<RowValue>, new: Option<RowValue>) -> (Vec<RowChange>, Sifted) {
        let mut rows = vec![RowChange { key: key(), old, new }];
        let sifted = withheld.sift(1, &mut rows);
        (rows, sifted)
    }

    #[test]
    fn a_row_stands_until_its_total_is_one_again() {
        let mut withheld = Withheld::default();
        let (rows, sifted) = step(&mut withheld, total(10, 1), total(-10, 0));
        assert!(rows.is_empty());
        let odd = |would_be: Option<RowValue>| {
            vec![Inconsistent { key: key(), stands: total(10, 1), would_be: would_be.unwrap() }]
        };
        assert_eq!(sifted.inconsistent, odd(total(-10, 0)));
        let (rows, sifted) = step(&mut withheld, total(-10, 0), total(-20, -1));
        assert!(rows.is_empty());
        assert_eq!(sifted.inconsistent, odd(total(-20, -1)));
        let (rows, sifted) = step(&mut withheld, total(-20, -1), total(30, 2));
        assert_eq!(rows, [RowChange { key: key(), old: total(10, 1), new: total(30, 2) }]);
        assert_eq!(sifted.cured, [key()]);
        let (rows, sifted) = step(&mut withheld, total(30, 2), total(40, 3));
        assert_eq!(rows, [RowChange { key: key(), old: total(30, 2), new: total(40, 3) }]);
        assert!(sifted.cured.is_empty() && sifted.inconsistent.is_empty());
    }

    #[test]
    fn a_row_that_is_as_it_stands_is_not_written() {
        let mut withheld = Withheld::default();
        step(&mut withheld, None, total(-10, -1));
        let (rows, sifted) = step(&mut withheld, total(-10, -1), None);
        assert!(rows.is_empty(), "there was no row, and there is none");
        assert_eq!(sifted.cured, [key()]);
    }

    #[test]
    fn a_start_has_what_the_run_before_had() {
        let other = ViewKey::Day { day: Day::from_epoch_days(20_780), currency: Symbol::new("EUR") };
        let would_be = total(-10, 0).unwrap();
        let recovered = |rows| Recovered {
            rows,
            inconsistent: vec![
                Inconsistent { key: key(), stands: total(10, 1), would_be },
                Inconsistent { key: other, stands: None, would_be },
            ],
            ..Recovered::default()
        };
        let rows = overlay(recovered(vec![(key(), total(10, 1).unwrap())])).expect("as it was left").rows;
        assert_eq!(rows, [(key(), would_be), (other, would_be)]);
        // Edited, lost, or there after all.
        for rows in [
            vec![(key(), total(11, 1).unwrap())],
            vec![],
            vec![(key(), total(10, 1).unwrap()), (other, total(1, 1).unwrap())],
        ] {
            assert!(matches!(overlay(recovered(rows)), Err(JobError::RollUpsDiffer { .. })));
        }
    }
}
