//! How far the time of a partition has come, whatever single clocks say.

/// A partition's time: what the timestamps of its records agree on.
///
/// Timestamps are the producers' word (or the broker's, with `message.timestamp.type=LogAppendTime`), and a
/// clock may be years ahead, or stand at 1970. So the newest timestamp says nothing, nor does the oldest; what a stretch of
/// records says together does: after each [`STRETCH`](LogTime::STRETCH) records the time moves on to the tenth oldest timestamp
/// among them, and never back. Ten records on time are enough to hold it, and nine of wrong clocks can not.
///
/// It never decides what an order counts as. It says what is old: which orders are forgotten with a
/// correction window, and which minutes. It follows from the records alone: no clock of this machine is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTime {
    settled: i64,
    /// The oldest of the stretch, in their order.
    oldest: [i64; TENTH],
    records: u32,
}

/// So many of the oldest are looked at: a hundredth of a stretch may be dated by a wrong clock.
const TENTH: usize = 10;

impl LogTime {
    /// Records that must agree: more than a producer sends in one batch.
    pub const STRETCH: u32 = 1_000;

    /// As it was said before, in milliseconds since 1970; 0 for a partition that nothing is known of. A stretch
    /// begins.
    pub const fn starting_at(settled: i64) -> Self {
        LogTime { settled, oldest: [i64::MAX; TENTH], records: 0 }
    }

    /// Takes a record's timestamp in, or any other number that grows with the time of records.
    #[inline]
    pub fn note(&mut self, timestamp: i64) {
        // Where timestamps grow, as they mostly do, none after the tenth is among the oldest.
        if timestamp < self.oldest[TENTH - 1] {
            let at = self.oldest.partition_point(|older| *older <= timestamp);
            self.oldest[at..].rotate_right(1);
            self.oldest[at] = timestamp;
        }
        self.records += 1;
        if self.records == LogTime::STRETCH {
            *self = LogTime::starting_at(self.settled.max(self.oldest[TENTH - 1]));
        }
    }

    /// In milliseconds since 1970.
    pub const fn millis(&self) -> i64 {
        self.settled
    }
}

impl Default for LogTime {
    fn default() -> Self {
        LogTime::starting_at(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(timestamps: impl IntoIterator<Item = i64>) -> i64 {
        let mut time = LogTime::default();
        timestamps.into_iter().for_each(|timestamp| time.note(timestamp));
        time.millis()
    }

    #[test]
    fn time_moves_with_what_all_of_a_stretch_say() {
        assert_eq!(after(1..1_000), 0, "too few to tell");
        assert_eq!(after(1..=1_000), 10);
        assert_eq!(after(1..=2_500), 1_010);
    }

    #[test]
    fn a_clock_in_the_future_moves_nothing() {
        const YEAR_2100: i64 = 4_102_444_800_000;
        let one_of_two = (1..=10_000).map(|n| if n % 2 == 0 { YEAR_2100 + n } else { n });
        assert_eq!(after(one_of_two), 9_019);
        let one_batch = (1..=10_000).map(|n| if (3_200..4_100).contains(&n) { YEAR_2100 } else { n });
        assert_eq!(after(one_batch), 9_010);
    }

    #[test]
    fn a_clock_that_stands_still_holds_nothing() {
        let a_till_without_a_battery = (1..=10_000).map(|n| if n % 125 == 0 { 1 } else { n });
        assert_eq!(after(a_till_without_a_battery), 9_002);
    }

    #[test]
    fn time_never_goes_back() {
        assert_eq!(after((1..=1_000).map(|n| 5_000 + n).chain(1..=3_000)), 5_010);
    }
}
