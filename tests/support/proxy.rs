//! A TCP proxy that can cut a connection at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// What to do when the client next sends [`Proxy::WORD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    Never = 0,
    /// Cut before the server sees it.
    Before = 1,
    /// Cut after the server has answered, before the client sees the answer.
    After = 2,
}

/// A proxy in front of a server on 127.0.0.1.
pub struct Proxy {
    port: u16,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    /// The statement that ends a transaction.
    pub const WORD: &[u8] = b"COMMIT";

    /// Starts one in front of `server`.
    pub fn start(server: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let cut = Arc::new(AtomicU8::new(0));
        let shared = cut.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    relay(client, server, shared.clone());
                }
            }
        });
        Proxy { port, cut }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the next commit, once.
    pub fn cut_next(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// Whether a cut that was asked for is still to come.
    pub fn is_waiting(&self) -> bool {
        self.cut.load(Ordering::SeqCst) != Cut::Never as u8
    }
}

fn relay(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>) {
    let (mut from_client, mut to_server) =
        (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
    let (mut from_server, mut to_client) = (server, client);
    let answers = Arc::new(AtomicU8::new(0));
    let withheld = answers.clone();
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            let sent = &buffer[..read];
            if sent.windows(Proxy::WORD.len()).any(|word| word == Proxy::WORD) {
                match cut.swap(0, Ordering::SeqCst) {
                    1 => break,
                    2 => withheld.store(1, Ordering::SeqCst),
                    _ => {}
                }
            }
            if to_server.write_all(sent).is_err() {
                break;
            }
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(read @ 1..) = from_server.read(&mut buffer) {
            if answers.load(Ordering::SeqCst) == 1 || to_client.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
