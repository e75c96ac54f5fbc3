//! The network between a client and a server of this machine, for a test to cut, to stop and to slow down.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What becomes of bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// They arrive.
    Flows,
    /// They arrive late, and few at a time.
    Crawls,
    /// They neither arrive nor get lost: connections stay open in silence, and go on later.
    Stands,
    /// What the server says is lost, and never comes; connections stay open, and are heard again later. Only for
    /// whole answers.
    Lost,
    /// Connections end, and new ones end at once.
    Cut,
}

/// What a request asks of Kafka: `api_key`, as sent (<https://kafka.apache.org/protocol#protocol_api_keys>).
pub type ApiKey = [u8; 2];
/// For records.
pub const FETCH: ApiKey = [0, 1];

/// A way to a server, through a port of its own.
pub struct Link {
    port: u16,
    road: Arc<Road>,
}

struct Road {
    server: AtomicU16,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    traffic: Traffic,
    /// Both ends of each connection, to end them.
    open: HashMap<u64, [TcpStream; 2]>,
    connections: u64,
    losers: HashSet<u64>,
    /// The kinds of request that each connection has made of Kafka.
    asked: HashMap<u64, HashSet<ApiKey>>,
    /// Connections on which no answer arrives any more, though they stay open.
    deaf: HashSet<u64>,
    /// Connections whose client never learns that the server ended them.
    held: HashSet<u64>,
}

impl Link {
    /// A way to nowhere: give it a server with [`lead_to`](Link::lead_to).
    pub fn new() -> Link {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = State {
            traffic: Traffic::Flows,
            open: HashMap::new(),
            connections: 0,
            losers: HashSet::new(),
            asked: HashMap::new(),
            deaf: HashSet::new(),
            held: HashSet::new(),
        };
        let road = Arc::new(Road { server: AtomicU16::new(0), state: Mutex::new(state), changed: Condvar::new() });
        let shared = road.clone();
        // A server that is slow to take one connection holds up no other.
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|client| {
                let road = shared.clone();
                thread::spawn(move || road.connect(client));
            });
        });
        Link { port, road }
    }

    /// A way to the server at this port of 127.0.0.1.
    pub fn to(server: u16) -> Link {
        let link = Link::new();
        link.lead_to(server);
        link
    }

    /// Where it leads from now on.
    pub fn lead_to(&self, server: u16) {
        self.road.server.store(server, Ordering::SeqCst);
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections have lost something.
    pub fn losers(&self) -> usize {
        self.road.lock().losers.len()
    }

    /// Whether a connection on which this was asked of Kafka has lost something.
    pub fn lost(&self, key: ApiKey) -> bool {
        self.road.lock().losers_of(key).next().is_some()
    }

    /// Whatever the server says from now on on the connections that are open is lost, until they end. New ones
    /// are whole. (A stream with a hole in it is nothing that TCP gives.)
    pub fn lose_answers(&self) {
        let mut state = self.road.lock();
        let open: Vec<u64> = state.open.keys().copied().collect();
        state.deaf.extend(open);
    }

    /// The connections that have lost something, of those on which this was asked of Kafka, stay open to their clients,
    /// whatever becomes of the server: as behind a proxy that never says.
    pub fn hold_losers(&self, key: ApiKey) {
        let mut state = self.road.lock();
        let losers: Vec<u64> = state.losers_of(key).collect();
        state.held.extend(losers);
    }

    /// Changes what becomes of bytes, of open connections as well.
    pub fn set(&self, traffic: Traffic) {
        let mut state = self.road.lock();
        state.traffic = traffic;
        if traffic == Traffic::Cut {
            for (_, ends) in state.open.drain() {
                ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
            }
        }
        self.road.changed.notify_all();
    }
}

impl State {
    fn losers_of(&self, key: ApiKey) -> impl Iterator<Item = u64> {
        let have_asked = move |loser: &&u64| self.asked.get(loser).is_some_and(|asked| asked.contains(&key));
        self.losers.iter().filter(have_asked).copied()
    }
}

impl Default for Link {
    fn default() -> Self {
        Link::new()
    }
}

impl Road {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        if self.lock().traffic == Traffic::Cut {
            return;
        }
        // Where the server is away the client is dropped: it sees its connection end.
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server.load(Ordering::SeqCst))) else { return };
        let ends = || -> std::io::Result<[TcpStream; 2]> { Ok([client.try_clone()?, server.try_clone()?]) };
        let (Ok(kept), Ok([client_in, server_in])) = (ends(), ends()) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let number = {
            let mut state = self.lock();
            if state.traffic == Traffic::Cut {
                return;
            }
            state.connections += 1;
            let number = state.connections;
            state.open.insert(number, kept);
            number
        };
        for (from, to, is_answer) in [(client_in, server, false), (server_in, client, true)] {
            let road = self.clone();
            thread::spawn(move || {
                road.carry(&from, &to, number, is_answer);
                if road.lock().held.contains(&number) {
                    if is_answer {
                        return;
                    }
                    // Until the client itself gives it up.
                    let _ = std::io::copy(&mut &from, &mut std::io::sink());
                }
                // One direction that ends takes the other with it.
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                road.lock().open.remove(&number);
            });
        }
    }

    /// What one side of this connection says to the other.
    fn carry(&self, mut from: &TcpStream, mut to: &TcpStream, connection: u64, is_answer: bool) {
        let mut buffer = [0; 65536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            // After its length of four bytes. What comes in pieces, or is no request of Kafka's, is some other key.
            if let ([_, _, _, _, high, low, ..], false) = (&buffer[..read], is_answer) {
                self.lock().asked.entry(connection).or_default().insert([*high, *low]);
            }
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let mut length = rest.len();
                let standing = |state: &mut State| state.traffic == Traffic::Stands;
                let mut state = self.changed.wait_while(self.lock(), standing).expect("nobody panics");
                if is_answer {
                    if state.deaf.contains(&connection) {
                        break;
                    }
                    if state.traffic == Traffic::Lost {
                        state.losers.insert(connection);
                        break;
                    }
                }
                let traffic = state.traffic;
                drop(state);
                match traffic {
                    Traffic::Cut => return,
                    Traffic::Crawls => {
                        length = length.min(4096);
                        thread::sleep(Duration::from_millis(15));
                    }
                    Traffic::Flows | Traffic::Stands | Traffic::Lost => {}
                }
                if to.write_all(&rest[..length]).is_err() {
                    return;
                }
                rest = &rest[length..];
            }
        }
    }
}
