//! What the log of a partition lacks, and up to when that may be dated.
//!
//! What is gone can not be asked for its date, so its reach is bounded from above, by what is left. A bound that is too
//! late leaves days unproven that could be proven. One that is too early calls right totals wrong, and views complete
//! that lack orders: so log time, which holds back, is no bound; and one wrong clock decides nothing.

/// How many of the first records that a log holds are asked for their date.
pub const FIRST_RECORDS: usize = 100;
/// From so many on, one of them can not decide.
const ENOUGH: usize = 3;

/// What a log lacks of what was ever written to a partition: retention took its first records, or it began anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Whether records before the first one that it holds are gone.
    is_cut: bool,
    /// What was counted of a log before this one is dated up to here; 0 where no date says.
    anew: Option<i64>,
}

impl Loss {
    /// `first`: the offset of the first record held. `incarnation`: how often the log began anew. `lost_until`: see
    /// [`PartitionState`](super::PartitionState).
    pub fn of(first: u64, incarnation: u8, lost_until: i64) -> Option<Loss> {
        let anew = (incarnation > 0 || lost_until > 0).then_some(lost_until);
        let loss = Loss { is_cut: first > 0, anew };
        (loss.is_cut || loss.anew.is_some()).then_some(loss)
    }

    /// Nothing that is gone is dated after this, in milliseconds since 1970; `None` where no date says. `firsts`: those of
    /// the [first records](FIRST_RECORDS) held, in any order. `reached`: see [`reached`].
    pub fn until(&self, firsts: &[i64], reached: i64) -> Option<i64> {
        let cut = self.is_cut.then(|| {
            first_date(firsts).map_or(reached, |(date, is_sure)| if is_sure { date } else { date.max(reached) })
        });
        let parts = [cut, self.anew].into_iter().flatten();
        parts.map(|until| (until > 0).then_some(until)).collect::<Option<Vec<i64>>>()?.into_iter().max()
    }
}

/// When a log's first records were written, and whether more than one of them says so; `None` where none has a date. A
/// tenth of them may be by clocks that stand at 1970, as in [log time](takings_dataflows::log_time::LogTime), and all but a
/// few by such as are ahead.
pub fn first_date(firsts: &[i64]) -> Option<(i64, bool)> {
    let mut dates: Vec<i64> = firsts.iter().copied().filter(|date| *date > 0).collect();
    dates.sort_unstable();
    if dates.len() < ENOUGH {
        return Some((*dates.last()?, false));
    }
    Some((dates[(dates.len() / 10).max(1)], true))
}

/// Up to when what was counted of a partition is dated, in milliseconds since 1970; 0 where no date says. A clock that is
/// ahead counts as of `now`, since whatever was counted was there before; unless a whole stretch of records agrees with it.
pub fn reached(newest_timestamp: i64, log_time: i64, now: i64) -> i64 {
    newest_timestamp.min(now).max(log_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_older_than_what_is_left() {
        assert_eq!(Loss::of(0, 0, 0), None);
        let until = |first, incarnation, lost_until, firsts: &[i64], reached| {
            Loss::of(first, incarnation, lost_until).expect("a loss").until(firsts, reached)
        };
        let many: Vec<i64> = (500..600).collect();
        assert_eq!(until(7, 0, 0, &many, 900), Some(510));
        assert_eq!(until(7, 0, 0, &[], 900), Some(900), "emptied");
        assert_eq!(until(7, 0, 0, &[500], 900), Some(900), "one alone says little");
        assert_eq!(until(7, 0, 0, &[500], 0), Some(500));
        assert_eq!(until(7, 1, 700, &many, 900), Some(700));
        assert_eq!(until(0, 1, 700, &many, 900), Some(700));
        for (first, incarnation) in [(7, 0), (0, 1), (7, 1)] {
            assert_eq!(until(first, incarnation, 0, &[0, 0, 0], 0), None, "{first} {incarnation}");
        }
        assert_eq!(until(7, 1, 0, &many, 900), None, "of the log before nothing says");
    }

    #[test]
    fn one_wrong_clock_in_ten_decides_nothing() {
        for wrong in [1, i64::MAX] {
            for records in ENOUGH as i64..=FIRST_RECORDS as i64 {
                let dates: Vec<i64> =
                    (0..records).map(|n| if n < (records / 10).max(1) { wrong } else { 1_000 + n }).collect();
                let (date, is_sure) = first_date(&dates).expect("dated");
                assert!((1_000..1_000 + records).contains(&date) && is_sure, "{records}: {date}");
            }
        }
        assert_eq!(first_date(&[0, 0, 0]), None);
    }

    #[test]
    fn a_clock_ahead_counts_as_of_now() {
        assert_eq!(reached(900, 10, 1_000), 900);
        assert_eq!(reached(5_000, 10, 1_000), 1_000);
        assert_eq!(reached(5_000, 4_000, 1_000), 4_000, "ours is wrong");
        assert_eq!(reached(0, 0, 1_000), 0);
    }
}
