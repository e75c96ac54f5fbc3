//! A TCP proxy in front of PostgreSQL that can cut a connection between any two messages.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// On which side of the server's work a message is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    Never,
    /// Before the server sees it.
    Before,
    /// After the server has answered, before the client sees the answer; where a message has no answer of its own,
    /// after the server has it.
    After,
    /// Before the server sees it, which is not told: to it the connection stands.
    Unseen,
}

/// Which message is cut.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// The next one that holds [`Proxy::WORD`].
    Word,
    /// The one after so many others.
    After(u64),
}

/// A proxy in front of a server on 127.0.0.1.
pub struct Proxy {
    port: u16,
    armed: Arc<Mutex<(Cut, Which)>>,
}

impl Proxy {
    /// The statement that ends a transaction.
    pub const WORD: &[u8] = b"COMMIT";

    /// Starts one in front of `server`.
    pub fn start(server: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let armed = Arc::new(Mutex::new((Cut::Never, Which::Word)));
        let shared = armed.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    relay(client, server, shared.clone());
                }
            }
        });
        Proxy { port, armed }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the next commit, once.
    pub fn cut_next(&self, cut: Cut) {
        *self.armed.lock().expect("nobody panics with it") = (cut, Which::Word);
    }

    /// Cuts at the message that the client sends after `others` more, once. What connecting takes is not counted.
    pub fn cut_after(&self, others: u64, cut: Cut) {
        *self.armed.lock().expect("nobody panics with it") = (cut, Which::After(others));
    }

    /// Whether a cut that was asked for is still to come.
    pub fn is_waiting(&self) -> bool {
        self.armed.lock().expect("nobody panics with it").0 != Cut::Never
    }
}

/// What to do with this message of a client.
fn verdict(armed: &Mutex<(Cut, Which)>, message: &[u8]) -> Cut {
    let mut armed = armed.lock().expect("nobody panics with it");
    let (cut, which) = &mut *armed;
    let is_it = match which {
        Which::Word => message.windows(Proxy::WORD.len()).any(|word| word == Proxy::WORD),
        Which::After(0) => true,
        Which::After(others) => {
            *others -= 1;
            false
        }
    };
    if is_it { std::mem::replace(cut, Cut::Never) } else { Cut::Never }
}

fn relay(client: TcpStream, server: TcpStream, armed: Arc<Mutex<(Cut, Which)>>) {
    // Messages go on one by one: nothing may wait for more to come.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_server) =
        (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
    let (mut from_server, mut to_client) = (server, client);
    let withheld = Arc::new(AtomicBool::new(false));
    let withholds = withheld.clone();
    thread::spawn(move || {
        let mut is_connected = false;
        let mut pass = || -> std::io::Result<bool> {
            while let Some(message) = message(&mut from_client, &mut is_connected)? {
                // The first messages have no letter; the password is the last that connecting takes.
                let cut = if message[0] == 0 || message[0] == b'p' { Cut::Never } else { verdict(&armed, &message) };
                if cut == Cut::Before {
                    break;
                }
                if cut == Cut::Unseen {
                    let _ = from_client.shutdown(Shutdown::Both);
                    // Closed when the test's process ends.
                    std::mem::forget(to_server.try_clone()?);
                    return Ok(false);
                }
                // Only these two are answered at once: a query, and the end of a group of messages.
                let is_answered = matches!(message[0], b'Q' | b'S');
                withholds.fetch_or(cut == Cut::After && is_answered, Ordering::SeqCst);
                to_server.write_all(&message)?;
                if cut == Cut::After && !is_answered {
                    break;
                }
            }
            Ok(true)
        };
        if let Ok(false) = pass() {
            return;
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(read @ 1..) = from_server.read(&mut buffer) {
            if withheld.load(Ordering::SeqCst) || to_client.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

/// The next message of a client, whole; `None` at the end. The first ones have a length and no letter.
fn message(from: &mut TcpStream, is_connected: &mut bool) -> std::io::Result<Option<Vec<u8>>> {
    /// The protocol's version, with which a session begins; what comes before asks for encryption.
    const VERSION: [u8; 4] = [0, 3, 0, 0];
    let head = if *is_connected { 5 } else { 4 };
    let mut message = vec![0; head];
    if from.read(&mut message[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut message[1..])?;
    let length = u32::from_be_bytes(message[head - 4..].try_into().expect("four bytes")) as usize;
    message.resize(head + length - 4, 0);
    from.read_exact(&mut message[head..])?;
    *is_connected |= head == 4 && message[4..].starts_with(&VERSION);
    Ok(Some(message))
}
