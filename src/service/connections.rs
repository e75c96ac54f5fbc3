//! The connections that are open, and which of them goes first where there is room for no more.
//!
//! A client can take a place and ask nothing, or ask for much and take none of it. Neither is told from a
//! slow one in good faith; but the one in good faith is quick next to it, so that whoever has been idle or
//! has let an answer lie *longest* is cut, and only once a bound is reached.
//!
//! What it can not do: tell clients apart. Behind a proxy they all have one address.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::metrics::Metrics;

/// Answers shorter than this are not worth counting: so many connections of them are less than the bound.
const SHORT: usize = 4 * 1024;
/// How many bytes of answers wait for their clients at most, all connections together.
pub const MAX_WAITING: usize = 64 * 1024 * 1024;

/// One client's connection.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    cut: Notify,
}

impl Connection {
    /// Ends once the connection must give way.
    pub async fn cut(&self) {
        self.cut.notified().await;
    }
}

/// All of them.
pub struct Connections {
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts whatever happens, so that what was first has the lower number.
    clock: u64,
    /// Those that wait for a request, by since when; and the way back.
    idle: BTreeMap<u64, Arc<Connection>>,
    idle_since: BTreeMap<u64, u64>,
    /// Answers that wait for their clients, by since when.
    waiting: BTreeMap<u64, (usize, Arc<Connection>)>,
    waiting_bytes: usize,
}

impl State {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Connections {
    /// None as yet.
    pub fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Connections { metrics, state: Mutex::default() })
    }

    /// A client came; it has asked nothing so far.
    pub fn open(self: &Arc<Self>) -> Open {
        let connection = {
            let mut state = self.state.lock();
            let id = state.tick();
            let connection = Arc::new(Connection { id, cut: Notify::new() });
            state.idle.insert(id, connection.clone());
            state.idle_since.insert(id, id);
            connection
        };
        self.metrics.connection(1);
        Open { connections: self.clone(), connection }
    }

    /// It asks something.
    pub fn asks(&self, connection: &Connection) {
        let mut state = self.state.lock();
        if let Some(since) = state.idle_since.remove(&connection.id) {
            state.idle.remove(&since);
        }
    }

    /// It was answered, and may ask again.
    pub fn is_answered(&self, connection: &Arc<Connection>) {
        let mut state = self.state.lock();
        let since = state.tick();
        state.idle.insert(since, connection.clone());
        state.idle_since.insert(connection.id, since);
    }

    /// Cuts the connection that has been idle longest, if one is.
    pub fn cut_an_idle_one(&self) {
        let cut = {
            let mut state = self.state.lock();
            let cut = state.idle.pop_first().map(|(_, connection)| connection);
            if let Some(connection) = &cut {
                state.idle_since.remove(&connection.id);
            }
            cut
        };
        if let Some(connection) = cut {
            self.metrics.cut("idle");
            connection.cut.notify_one();
        }
    }

    /// These bytes, counted for as long as any part of them waits to be taken by this client. Where too many
    /// wait, the clients that have let theirs lie longest are cut.
    pub fn hold(self: &Arc<Self>, bytes: Bytes, connection: &Arc<Connection>) -> Bytes {
        if bytes.len() < SHORT {
            return bytes;
        }
        let mut cut = Vec::new();
        let ticket = {
            let mut state = self.state.lock();
            state.waiting_bytes += bytes.len();
            while state.waiting_bytes > MAX_WAITING
                && let Some((_, (length, oldest))) = state.waiting.pop_first()
            {
                // Its bytes are given back as it ends; counted out here, so that one is not cut for another.
                state.waiting_bytes -= length;
                cut.push(oldest);
            }
            let ticket = state.tick();
            state.waiting.insert(ticket, (bytes.len(), connection.clone()));
            ticket
        };
        for connection in cut {
            self.metrics.cut("waiting");
            connection.cut.notify_one();
        }
        Bytes::from_owner(Held { bytes, ticket, connections: self.clone() })
    }

    fn release(&self, ticket: u64) {
        let mut state = self.state.lock();
        if let Some((length, _)) = state.waiting.remove(&ticket) {
            state.waiting_bytes -= length;
        }
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.state.lock().waiting_bytes
    }
}

/// A connection for as long as it is open.
pub struct Open {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
}

impl Open {
    /// The connection.
    pub const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.asks(&self.connection);
        self.connections.metrics.connection(-1);
    }
}

/// Bytes that are counted as waiting until the last part of them is written.
struct Held {
    bytes: Bytes,
    ticket: u64,
    connections: Arc<Connections>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.release(self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn connections() -> Arc<Connections> {
        Connections::new(Arc::new(Metrics::new()))
    }

    fn is_cut(open: &Open) -> bool {
        open.connection().cut().now_or_never().is_some()
    }

    #[test]
    fn the_one_that_has_been_idle_longest_gives_way() {
        let all = connections();
        let [first, second, third] = std::array::from_fn(|_| all.open());
        all.asks(first.connection());
        all.asks(second.connection());
        all.is_answered(second.connection());
        all.cut_an_idle_one();
        assert_eq!([&first, &second, &third].map(is_cut), [false, false, true]);
        all.cut_an_idle_one();
        assert_eq!([&first, &second, &third].map(is_cut), [false, true, false]);
        // Nobody else is idle: who is being answered stays.
        all.cut_an_idle_one();
        assert!(!is_cut(&first));
    }

    #[test]
    fn answers_that_lie_longest_give_way() {
        let all = connections();
        let answer = || Bytes::from(vec![0; MAX_WAITING / 4]);
        let [first, second, third] = std::array::from_fn(|_| all.open());
        let lying = all.hold(answer(), first.connection());
        let taken = all.hold(answer(), second.connection());
        drop(taken);
        assert_eq!(all.waiting(), MAX_WAITING / 4);
        let more: Vec<Bytes> = (0..3).map(|_| all.hold(answer(), second.connection())).collect();
        assert!(!is_cut(&first), "all of it has room");
        let last = all.hold(answer(), third.connection());
        assert_eq!([&first, &second, &third].map(is_cut), [true, false, false]);
        drop((lying, more, last));
        assert_eq!(all.waiting(), 0);
    }

    #[test]
    fn a_part_of_an_answer_counts_as_all_of_it() {
        let all = connections();
        let client = all.open();
        let mut answer = all.hold(Bytes::from(vec![7; 100_000]), client.connection());
        let rest = answer.split_off(99_999);
        drop(answer);
        assert_eq!((all.waiting(), rest.as_ref()), (100_000, [7].as_slice()));
        drop(rest);
        assert_eq!(all.waiting(), 0);
        // Short ones are not counted.
        let short = all.hold(Bytes::from_static(b"ok"), client.connection());
        assert_eq!((all.waiting(), short.len()), (0, 2));
    }
}
