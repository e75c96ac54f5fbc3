//! The first records of some partitions, from given offsets on: a look into the log before it is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;

use super::{Log, Polled, SourceError, StartAt};

/// How long a look may take before the log counts as unreachable.
const WITHIN: Duration = Duration::from_secs(30);

/// A record that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its place, and what tells it from others.
    pub record: LastRecord,
    /// The log's timestamp, in milliseconds since 1970.
    pub timestamp: i64,
}

/// The first records of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// As many as were asked for, or all that may be read.
    pub records: Vec<Head>,
    /// Where it ends, if that was met before there were as many as were asked for.
    pub end: Option<u64>,
}

/// The first `count` records of each of these partitions, from where each is to start.
///
/// # Errors
/// [`SourceError::Unreachable`] where the log does not say so in half a minute; [`SourceError::OffsetGone`] where
/// retention takes one of them at that moment: where to look is to be asked anew then; as [`Log::open`] and
/// [`Source::poll`](super::Source::poll).
pub fn heads(
    log: &dyn Log,
    topics: &[String],
    from: &[StartAt],
    count: usize,
) -> Result<BTreeMap<PartitionId, Heads>, SourceError> {
    let began = Instant::now();
    let mut heads: BTreeMap<PartitionId, Heads> =
        from.iter().map(|start| (start.partition, Heads::default())).collect();
    let is_known = |heads: &Heads| heads.end.is_some() || heads.records.len() >= count;
    let mut unknown = heads.len();
    if unknown == 0 {
        return Ok(heads);
    }
    let thread = std::thread::current();
    let mut source = log.open(topics, from, Arc::new(move || thread.unpark()))?;
    while unknown > 0 {
        let handed = source.poll(256, &mut |polled| {
            let (Polled::Record(super::Record { partition, .. }) | Polled::End { partition, .. }) = polled;
            let Some(known) = heads.get_mut(&partition).filter(|known| !is_known(known)) else { return };
            match polled {
                Polled::Record(record) => {
                    known.records.push(Head { record: record.as_last(), timestamp: record.timestamp });
                }
                Polled::End { offset, .. } => known.end = Some(offset),
            }
            unknown -= usize::from(is_known(known));
        })?;
        if handed == 0 {
            if began.elapsed() > WITHIN {
                return Err(SourceError::Unreachable {
                    log: log.identity().to_owned(),
                    message: format!(
                        "nothing came of {unknown} of {} partitions in {} s",
                        from.len(),
                        WITHIN.as_secs()
                    ),
                });
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }
    Ok(heads)
}
