//! When the log got what: the log's own timestamps, apart from the dates of the orders.
//!
//! Orders of the past are dated over months, in no order. If the log had got them on their dates, it
//! would go back and forth, which no log does; if it had got them all at once, a shop that was just made
//! would have no busy and no quiet minutes. So they arrive over a stretch of time that ends at `until`.

use chrono::TimeDelta;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;

/// The most minutes that are told apart: years.
const MINUTES: i64 = 2_000_000;

/// The moments at which orders arrive.
pub(super) enum Timeline {
    /// Over a stretch of time that ends at a moment.
    Over {
        /// The first moment, in microseconds since 1970.
        from: i64,
        /// Sums of the minutes' weights up to each: one more than there are minutes.
        weights: Vec<u64>,
        /// How many orders there will be.
        orders: u64,
    },
    /// One after the other, so many a second.
    Steady {
        /// The first moment, in microseconds since 1970.
        from: i64,
        /// Events a second.
        rate: f64,
    },
}

impl Timeline {
    /// So many orders over this long, up to `until`: some minutes are busier than others.
    pub(super) fn over(length: TimeDelta, until: i64, orders: u64, random: &mut ChaCha8Rng) -> Self {
        let minutes = length.num_minutes().clamp(1, MINUTES);
        let mut weights = vec![0];
        let (mut sum, mut weight) = (0, 100);
        for _ in 0..minutes {
            weight = (weight + random.random_range(-9..=9i64)).clamp(60, 140);
            sum += weight as u64;
            weights.push(sum);
        }
        Timeline::Over { from: until - minutes * MINUTE, weights, orders: orders.max(1) }
    }

    /// The moment of an event, in microseconds since 1970, by how many orders and how many events came up
    /// to it.
    pub(super) fn moment(&self, orders: u64, events: u64) -> i64 {
        match self {
            Timeline::Steady { from, rate } => from + (events as f64 / rate * 1e6) as i64,
            Timeline::Over { from, weights, orders: all } => {
                let sum = weights.last().copied().unwrap_or(1);
                // In whole numbers, so that it is the same on every machine.
                let share = u128::from(orders.min(*all)) * u128::from(sum);
                let (at, rest) = ((share / u128::from(*all)) as u64, share % u128::from(*all));
                let minute = weights.partition_point(|&before| before <= at).clamp(1, weights.len() - 1) - 1;
                let weight = u128::from((weights[minute + 1] - weights[minute]).max(1));
                let into = u128::from(at - weights[minute]) * u128::from(*all) + rest;
                from + minute as i64 * MINUTE + (into * MINUTE as u128 / (weight * u128::from(*all))) as i64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn orders_arrive_one_after_the_other_up_to_the_end() {
        let until = 1_800_000_000 * 1_000_000;
        let timeline = Timeline::over(TimeDelta::hours(2), until, 50_000, &mut ChaCha8Rng::seed_from_u64(3));
        let moments: Vec<i64> = (0..=50_000).map(|order| timeline.moment(order, order)).collect();
        assert!(moments.is_sorted());
        assert_eq!((moments[0], moments[50_000]), (until - 120 * MINUTE, until));
        let mut minutes = [0; 120];
        for moment in &moments[..50_000] {
            minutes[((moment - moments[0]) / MINUTE) as usize] += 1;
        }
        let (least, most) = (minutes.iter().min().unwrap_or(&0), minutes.iter().max().unwrap_or(&0));
        assert!(*least > 150 && most > least, "{minutes:?}");
    }
}
