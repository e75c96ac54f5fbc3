//! Which state of a store a reader has seen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The state that an epoch left, and the run that committed it. An epoch alone does not tell one: a store that went back
/// (a failover that lost commits, a restored backup) gives its numbers again, and another store has them as well.
///
/// As text, `4711-1c0ffee1c0de`: what an `ETag` and an event's id hold. `4711` alone is any state of that epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateId {
    /// The epoch.
    pub epoch: u64,
    /// The run's name in `runs`; `None` in a store that no run of this schema has taken, or where a reader does not say.
    pub run: Option<Arc<str>>,
}

impl fmt::Display for StateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run {
            Some(run) => write!(f, "{}-{run}", self.epoch),
            None => write!(f, "{}", self.epoch),
        }
    }
}

/// A text is no state's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state is written so")]
pub struct NoState;

impl FromStr for StateId {
    type Err = NoState;

    fn from_str(text: &str) -> Result<Self, NoState> {
        let (epoch, run) = text.split_once('-').map_or((text, None), |(epoch, run)| (epoch, Some(run)));
        // Nor may it hold what a store can not be asked for.
        if run.is_some_and(|run| !run.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return Err(NoState);
        }
        Ok(StateId { epoch: epoch.parse().map_err(|_| NoState)?, run: run.map(Arc::from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for text in ["0", "4711", "4711-1c0ffee1c0de"] {
            assert_eq!(text.parse::<StateId>().map(|state| state.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "x", "-a", "7-a\0", "7-a b", "7-a-b"] {
            assert_eq!(text.parse::<StateId>(), Err(NoState), "{text:?}");
        }
    }
}
