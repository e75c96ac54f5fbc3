//! How many files the process may have open, and so how many connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no client's connections: the store, the log, the program's own.
const OTHERS: u64 = 512;

/// Raises the limit of open files as far as it is needed and allowed; how many of `wanted` connections it
/// then has room for.
pub fn connections(wanted: usize) -> usize {
    let needed = wanted as u64 + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = limit.maximum.map_or(needed, |maximum| needed.min(maximum));
        let asked = Rlimit { current: Some(raised), maximum: limit.maximum };
        match setrlimit(Resource::Nofile, asked) {
            Ok(()) => limit = asked,
            Err(error) => tracing::debug!(%error, "the limit of open files could not be raised to {raised}"),
        }
    }
    let room = room(limit.current, wanted);
    if room < wanted {
        tracing::warn!(
            "this process may have {} files open, so it serves {room} connections at a time instead of {wanted}; \
             further clients wait. For more, raise the hard limit to {needed}: LimitNOFILE={needed} in a systemd unit, \
             or ulimit -Hn {needed}",
            limit.current.unwrap_or_default()
        );
    }
    room
}

/// How many connections there is room for under a limit of open files; at least a few.
fn room(limit: Option<u64>, wanted: usize) -> usize {
    let Some(limit) = limit else { return wanted };
    let room = if limit > 2 * OTHERS { limit - OTHERS } else { limit / 2 };
    usize::try_from(room).unwrap_or(wanted).clamp(16, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_the_limit_leaves() {
        assert_eq!(room(None, 20_000), 20_000);
        assert_eq!(room(Some(1_000_000), 20_000), 20_000);
        assert_eq!(room(Some(4_096), 20_000), 3_584);
        assert_eq!(room(Some(1_024), 20_000), 512);
        assert_eq!(room(Some(8), 20_000), 16);
    }
}
