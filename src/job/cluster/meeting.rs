//! How the processes of a job find each other, whatever the order in which they are started.
//!
//! Each listens at its own address and connects to those before it, twice: see [`Purpose`]. Process 0 connects
//! to nobody, process 1 only to it, and so on: nobody waits in a circle.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::ClusterError;
use super::hello::{Answer, Difference, Hello, Purpose, read_answer, read_hello, write_line};
use crate::config::JobConfig;
use crate::config::hosts::Hosts;
use crate::job::Stop;

/// How long a host may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a process that connected may take to say who it is: a stranger does not hold up the others.
const HELLO_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take: the other process may be busy with strangers and hosts that are away.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
/// Another reason is said so soon after the one before, the same one again so late.
const SAY_ANOTHER: Duration = Duration::from_secs(1);
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// Where a process listens for its peers, from its start to its end.
pub(crate) struct Meeting {
    listener: TcpListener,
    hosts: Hosts,
}

/// Both connections to each peer; nothing at this process's own place.
pub(super) struct Met {
    pub(super) links: Vec<Option<TcpStream>>,
    pub(super) dataflow: Vec<Option<TcpStream>>,
}

/// What there is of one peer so far.
#[derive(Default)]
struct Peer {
    incarnation: String,
    link: Option<TcpStream>,
    dataflow: Option<TcpStream>,
    /// What was last said of why it is not there.
    told: Option<(String, Instant)>,
}

impl Peer {
    fn is_complete(&self) -> bool {
        self.link.is_some() && self.dataflow.is_some()
    }

    /// Forgets a peer that went away again before all were there.
    fn check(&mut self) {
        if [&self.link, &self.dataflow].into_iter().flatten().any(is_closed) {
            (self.link, self.dataflow) = (None, None);
        }
    }

    fn tell(&mut self, process: usize, address: &str, what: String) {
        let is_news = self.told.as_ref().is_none_or(|(told, when)| {
            let pause = if *told == what { SAY_AGAIN } else { SAY_ANOTHER };
            when.elapsed() >= pause
        });
        if is_news {
            tracing::info!("waiting for process {process} at {address}: {what}");
            self.told = Some((what, Instant::now()));
        }
    }
}

impl Meeting {
    /// Listens at this process's own address.
    ///
    /// # Errors
    /// [`ClusterError::Listen`], which may pass: a name that is not known yet, a port that is still taken.
    pub(crate) fn open(hosts: &Hosts) -> Result<Meeting, ClusterError> {
        let address = hosts.address(hosts.process());
        let listen = |source| ClusterError::Listen { process: hosts.process(), address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        Ok(Meeting { listener, hosts: hosts.clone() })
    }

    pub(super) const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Waits until all are there; `None` once stopped.
    ///
    /// # Errors
    /// [`ClusterError::Differs`] where a process before this one refuses it.
    pub(super) fn gather(&self, config: &JobConfig, stop: &Stop) -> Result<Option<Met>, ClusterError> {
        let own = Hello::of(config, self.hosts.process(), self.hosts.processes());
        let mut peers: Vec<Peer> = (0..self.hosts.processes()).map(|_| Peer::default()).collect();
        let began = Instant::now();
        loop {
            self.accept(&own, &mut peers);
            for (process, peer) in peers.iter_mut().enumerate() {
                peer.check();
                if process < own.process && !peer.is_complete() {
                    self.connect(&own, process, peer)?;
                } else if process > own.process && !peer.is_complete() && began.elapsed() > CONNECT_WITHIN {
                    peer.tell(process, self.hosts.address(process), "it has not connected yet".to_owned());
                }
            }
            if self.hosts.peers().all(|process| peers[process].is_complete()) {
                let (links, dataflow) = peers.into_iter().map(|peer| (peer.link, peer.dataflow)).unzip();
                return Ok(Some(Met { links, dataflow }));
            }
            if stop.wait(PAUSE) {
                return Ok(None);
            }
        }
    }

    /// Answers every process that has connected.
    fn accept(&self, own: &Hello, peers: &mut [Peer]) {
        while let Ok((mut stream, from)) = self.listener.accept() {
            let greeted = prepare(&stream, HELLO_WITHIN).and_then(|()| read_hello(&mut stream, own));
            match greeted {
                Err(error) => tracing::warn!("a connection from {from} is no process of this job: {error}"),
                Ok(Err(difference)) => {
                    tracing::warn!("a process at {from} is refused: {}", difference.what);
                    let _ = write_line(&mut stream, &Answer::Refused(difference));
                }
                Ok(Ok(hello)) => welcome(own, hello, stream, peers),
            }
        }
    }

    /// Connects to a process before this one, where it is there.
    fn connect(&self, own: &Hello, process: usize, peer: &mut Peer) -> Result<(), ClusterError> {
        let address = self.hosts.address(process);
        for purpose in [Purpose::Link, Purpose::Dataflow] {
            let attempt = || -> std::io::Result<(TcpStream, Answer)> {
                let mut stream = connect(address)?;
                prepare(&stream, ANSWER_WITHIN)?;
                write_line(&mut stream, &Hello { purpose, ..own.clone() })?;
                let answer = read_answer(&mut stream)?;
                Ok((stream, answer))
            };
            match attempt() {
                Ok((stream, Answer::Welcome(hello))) if hello.process == process => match purpose {
                    Purpose::Link => (peer.link, peer.incarnation) = (Some(stream), hello.incarnation),
                    Purpose::Dataflow if hello.incarnation == peer.incarnation => peer.dataflow = Some(stream),
                    Purpose::Dataflow => peer.link = None,
                },
                Ok((_, Answer::Welcome(hello))) => {
                    return Err(ClusterError::Differs {
                        process,
                        address: address.to_owned(),
                        what: format!(
                            "process {} answers there: the hosts files name different addresses",
                            hello.process
                        ),
                    });
                }
                Ok((_, Answer::Refused(Difference { what, is_of_settings: true }))) => {
                    return Err(ClusterError::Differs { process, address: address.to_owned(), what });
                }
                Ok((_, Answer::Refused(Difference { what, .. }))) => {
                    peer.link = None;
                    peer.tell(process, address, what);
                    return Ok(());
                }
                Err(error) => {
                    peer.link = None;
                    let what = match error.kind() {
                        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                            "it does not answer; perhaps it still runs, and has not noticed that its peers ended"
                                .to_owned()
                        }
                        ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
                        _ => error.to_string(),
                    };
                    peer.tell(process, address, what);
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Takes a process in that this one can work with. One that was started anew replaces what it was before.
fn welcome(own: &Hello, hello: Hello, mut stream: TcpStream, peers: &mut [Peer]) {
    let answer = Answer::Welcome(Hello { purpose: hello.purpose, ..own.clone() });
    let Some(peer) = peers.get_mut(hello.process) else { return };
    // A failure shows on the next look at the connection.
    let _ = write_line(&mut stream, &answer);
    match hello.purpose {
        Purpose::Link => {
            *peer = Peer { incarnation: hello.incarnation, link: Some(stream), ..Peer::default() };
        }
        Purpose::Dataflow if hello.incarnation == peer.incarnation => peer.dataflow = Some(stream),
        // Of a process that ended meanwhile.
        Purpose::Dataflow => {}
    }
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
    let candidates: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    for candidate in candidates {
        match TcpStream::connect_timeout(&candidate, CONNECT_WITHIN) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn prepare(stream: &TcpStream, answer_within: Duration) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(answer_within))?;
    stream.set_write_timeout(Some(answer_within))
}

/// Whether the other side has closed a connection on which it has nothing to say yet.
fn is_closed(stream: &TcpStream) -> bool {
    let look = || {
        stream.set_nonblocking(true)?;
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        seen
    };
    match look() {
        Ok(seen) => seen == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
