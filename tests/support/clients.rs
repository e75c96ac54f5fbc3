//! Clients of `takings serve` that do not behave, and how the others fare meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use takings::store::Store;

use super::service::{Event, Events, Shop, order};
use super::stores::Fresh;
use super::takings::Takings;
use super::wait::until;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// A shop that is written to, and the real binary that serves it.
pub struct Served {
    pub takings: Takings,
    pub address: SocketAddr,
    pub store: Fresh,
    write: Box<dyn Store>,
    shop: Shop,
    client: Client,
}

/// How others fare: of some commits until a stream told of them, and of plain requests.
#[derive(Clone, Copy, Debug)]
pub struct Fares {
    pub freshness: [Duration; 2],
    pub request: [Duration; 2],
}

impl std::fmt::Display for Fares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let Fares { freshness, request } = self;
        write!(
            f,
            "commit to event p50 {:.1} ms, p99 {:.1} ms; request p50 {:.1} ms, p99 {:.1} ms",
            ms(freshness[0]),
            ms(freshness[1]),
            ms(request[0]),
            ms(request[1])
        )
    }
}

/// The median, and what 99 of 100 are within.
pub fn quantiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort();
    [times[times.len() / 2], times[(times.len() * 99).div_ceil(100) - 1]]
}

impl Served {
    /// A shop of some thousand rows.
    pub fn start(store: Fresh) -> Served {
        Served::start_as(store, Takings::start)
    }

    /// The same where the service may have so many files open.
    pub fn start_with_open_files(store: Fresh, most: u64) -> Served {
        Served::start_as(store, |words| Takings::start_with_open_files(words, most))
    }

    fn start_as(store: Fresh, start: impl FnOnce(&str) -> Takings) -> Served {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        let many: Vec<_> =
            (0..12_000).map(|number| order(number % 4_000, number as usize, number as usize, 100)).collect();
        shop.commit(write.as_mut(), &many, 0);
        let mut takings = start(&format!("serve --store {} --listen 127.0.0.1:0", store.url));
        takings.wait_for("listening on http://");
        let log = takings.log();
        let address = log.split("listening on http://").nth(1).unwrap().split_whitespace().next().unwrap();
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Served { address: address.parse().unwrap(), takings, store, write, shop, client }
    }

    /// One more order.
    pub fn commit(&mut self) -> u64 {
        let orders = [order((self.shop.epoch % 30) as i32, 0, 0, 100)];
        self.shop.commit(self.write.as_mut(), &orders, 0)
    }

    /// Tells the store that its writer is there: one that says nothing for half a minute loses its session.
    pub fn beat(&mut self) {
        self.write.beat().expect("it is still ours");
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().expect("it answers");
        (answer.status().as_u16(), answer.text().expect("a body"))
    }

    /// A stream that is read.
    pub fn events(&self) -> Events {
        let stream = self.send(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
        Events::read(std::io::BufReader::new(stream))
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A connection that has sent this.
    pub fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        // It may answer, and close, before it has read all of it.
        let _ = stream.write_all(bytes);
        stream
    }

    /// A number of `/metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics");
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The service's memory, in megabytes.
    pub fn memory(&self) -> u64 {
        let process = procfs::process::Process::new(self.takings.id() as i32).expect("it runs");
        process.statm().expect("its memory").resident * procfs::page_size() / 1_000_000
    }

    /// How others fare now.
    pub fn fares(&mut self, times: usize) -> Fares {
        let events = self.events();
        assert_eq!(events.next().name, "hello");
        let freshness = (0..times).map(|_| self.freshness(&events)).collect();
        let request = (0..times * 3).map(|_| {
            let began = Instant::now();
            assert_eq!(self.get("/api/v1/summary").0, 200);
            began.elapsed()
        });
        Fares { request: quantiles(request.collect()), freshness: quantiles(freshness) }
    }

    /// From the commit of an order until this stream tells of it.
    pub fn freshness(&mut self, events: &Events) -> Duration {
        let epoch = self.commit();
        let committed = Instant::now();
        loop {
            let Event { id, .. } = events.next();
            if id.is_some_and(|id| id >= epoch) {
                // An epoch an instant: the feed rests after each.
                std::thread::sleep(Duration::from_millis(30));
                return committed.elapsed() - Duration::from_millis(30);
            }
        }
    }

    /// Waits until the server has closed each of these. Whatever they still got is thrown away.
    pub fn all_closed(&self, what: &str, streams: Vec<TcpStream>) {
        let mut open = streams;
        for stream in &open {
            stream.set_nonblocking(true).unwrap();
        }
        until(format!("{what} are closed"), PATIENCE, || {
            open.retain_mut(|stream| match stream.read(&mut [0; 65_536]) {
                Ok(0) => false,
                Ok(_) => true,
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            });
            open.is_empty().then_some(())
        });
    }
}

/// The status of the first answer on a connection, `None` where it was closed without one.
pub fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    std::str::from_utf8(&head).ok()?.split(' ').nth(1)?.parse().ok()
}

/// Room for so many connections in this process.
pub fn raise_open_files(to: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < to) {
        limit.current = Some(limit.maximum.map_or(to, |maximum| maximum.min(to)));
        setrlimit(Resource::Nofile, limit).expect("the limit of open files can be raised");
    }
}
