//! A network between a process and a server, to be cut, silenced, slowed and healed while both run.
//!
//! It passes bytes from port to port on this machine. What the kernel of either side does by itself
//! (acknowledgements, keepalives) goes on through a silence, as it does behind a load balancer: whoever waits must
//! notice by other means.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A network between a client and a server on 127.0.0.1.
pub struct Link {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Slow(Duration),
    Silent,
    Cut,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
}

impl Link {
    /// One in front of `server`.
    pub fn to(server: u16) -> Link {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared =
            Arc::new(Shared { state: Mutex::new(State::Open), changed: Condvar::new(), streams: Mutex::default() });
        let passing = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *passing.state.lock().unwrap() == State::Cut {
                    continue;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    passing.pass(&client, &server);
                    passing.pass(&server, &client);
                }
            }
        });
        Link { port, shared }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection, and refuses new ones.
    pub fn cut(&self) {
        self.turn(State::Cut);
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Passes nothing more, and ends nothing.
    pub fn silence(&self) {
        self.turn(State::Silent);
    }

    /// Holds up whatever comes for so long.
    pub fn slow_down(&self, delay: Duration) {
        self.turn(State::Slow(delay));
    }

    /// As it was. What was held back goes through.
    pub fn heal(&self) {
        self.turn(State::Open);
    }

    fn turn(&self, state: State) {
        *self.shared.state.lock().unwrap() = state;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Passes what comes from one side on to the other, on a thread of its own.
    fn pass(self: &Arc<Self>, from: &TcpStream, to: &TcpStream) {
        let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
        self.streams.lock().unwrap().push(from.try_clone().expect("a handle"));
        let shared = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                if !shared.let_through() || to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            // An end is news too: it does not pass a silence.
            shared.let_through();
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }

    /// Waits as long as the state wants it; whether to pass on what has come.
    fn let_through(&self) -> bool {
        let state = self.state.lock().unwrap();
        let state = *self.changed.wait_while(state, |state| *state == State::Silent).unwrap();
        if let State::Slow(delay) = state {
            thread::sleep(delay);
        }
        state != State::Cut
    }
}
