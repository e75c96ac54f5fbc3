//! Why a job ends without having been asked to.

use super::cluster::ClusterError;
use crate::source::SourceError;
use crate::store::StoreError;

/// A failure of a job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The log.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other processes.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Too much of the input can not be read: a change of format, not an accident.
    #[error(
        "{topic}: {rejected} of the last {stretch} records could not be read, the last one at {partition}@{offset}: {reason}; \
         those of the epoch that was open are not committed, and are read again; earlier ones are in the table rejected, and \
         only a new store reads them again. If the producer's format changed, cure it; to reject them all and go on, run with \
         --max-rejected-share 1"
    )]
    TooManyRejected {
        /// The topic.
        topic: String,
        /// How many were rejected.
        rejected: u64,
        /// Out of how many.
        stretch: u64,
        /// The partition of the last one.
        partition: u16,
        /// Its offset.
        offset: u64,
        /// Why it was.
        reason: String,
    },
    /// The stored roll-ups are not what their finer tables sum to: somebody wrote to them.
    #[error(
        "the store's totals do not add up, so nothing was read or written: {differences}; restore the tables from a backup, or \
         start a new store, which recounts the log"
    )]
    RollUpsDiffer {
        /// The first rows that differ, with both values.
        differences: String,
    },
    /// A total came out that no set of orders can have.
    #[error(
        "a total is inconsistent, so its epoch was not written: {0}; this is a fault of takings or of the stored totals: run `takings audit`"
    )]
    Inconsistent(String),
    /// Memory is about to run out.
    #[error(
        "{used} of memory are in use, close to {limit}: the job stopped in order, and all that it had read is committed. It held \
         {holding}. A restart alone comes to the same place: let corrections reach back less far (--correction-window), keep \
         fewer --views, share the orders out over more processes, or raise the limit",
        used = used.display().iec()
    )]
    Memory {
        /// What is in use.
        used: bytesize::ByteSize,
        /// What must not be exceeded.
        limit: super::memory::Limit,
        /// What the job holds.
        holding: String,
    },
    /// A worker ended before its time.
    #[error("the dataflow stopped: {0}")]
    Dataflow(String),
    /// A thread could not be started.
    #[error("starting {what} failed")]
    Thread {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl JobError {
    /// Whether the same attempt may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            JobError::Source(error) => error.is_transient(),
            JobError::Store(error) => error.is_transient(),
            JobError::Cluster(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether a person must change something first (settings, what a producer sends, the store), so that no restart
    /// alone helps (exit code 78).
    pub const fn is_configuration(&self) -> bool {
        match self {
            JobError::Cluster(error) => error.is_configuration(),
            JobError::Source(error) => error.is_configuration(),
            JobError::Store(error) => error.is_configuration(),
            JobError::Memory { .. } | JobError::TooManyRejected { .. } | JobError::RollUpsDiffer { .. } => true,
            _ => false,
        }
    }
}

/// An error with all its causes on one line, none told twice.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
