//! The dataflow's connection to a peer, which says which peer is lost when it breaks.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use timely::communication::allocator::zero_copy::stream::Stream;

use super::Cluster;

/// What timely reads and writes. It takes a broken connection for a panic; here it ends the process with a
/// message that names the peer, unless that peer has said why it ends.
pub(super) struct PeerStream {
    pub(super) stream: TcpStream,
    pub(super) cluster: Arc<Cluster>,
    pub(super) process: usize,
}

impl PeerStream {
    /// A broken connection never shows to timely, which would panic: either the process ends, or all do in an
    /// orderly way, and then nobody waits for this thread.
    fn checked<T>(&self, outcome: io::Result<T>, is_broken: impl Fn(&T) -> bool) -> io::Result<T> {
        let what = match &outcome {
            Ok(passed) if !is_broken(passed) => return outcome,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return outcome,
            Ok(_) => "it closed the connection".to_owned(),
            Err(error) => error.to_string(),
        };
        self.cluster.broke(self.process, &what);
        loop {
            std::thread::park();
        }
    }
}

impl Read for PeerStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer);
        self.checked(read, |count| *count == 0)
    }
}

impl Write for PeerStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(buffer);
        self.checked(written, |_| false)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stream.flush();
        self.checked(flushed, |()| false)
    }
}

impl Stream for PeerStream {
    fn try_clone(&self) -> io::Result<Self> {
        let PeerStream { stream, cluster, process } = self;
        Ok(PeerStream { stream: stream.try_clone()?, cluster: Arc::clone(cluster), process: *process })
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // The peer may have closed it already, which is all that is wanted.
        let _ = self.stream.shutdown(how);
        Ok(())
    }
}
