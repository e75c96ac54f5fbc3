//! The file log: a folder of `*.jsonl` files, each a partition that only grows.
//!
//! - `product_sold.jsonl` is partition 0 of the topic `product_sold`, and `product_sold-7.jsonl` its
//!   partition 7. Files of other names are left alone.
//! - A record is a line, and its offset the position of the line's first byte. A last line without its
//!   newline is not there yet. Blank lines are skipped, `\r\n` ends a line as well.
//! - A line is the payload itself, without a key, unless it is exactly an object of `key`, `value` and
//!   perhaps `timestamp`: see [`envelope`]. `{"key":"ORDER","value":null}` cancels an order.
//! - A line longer than six times the payload limit and 64 KiB is never held: no payload within the limit is written on
//!   so many bytes, with a key of any sense. It is a payload of its own, and over the limit, whatever stands in it.
//! - Files still being written are followed. A file that shrank, was replaced, or was emptied and written anew stops the
//!   job: before it is read on, the last bytes that were read are compared.
//!
//! What it can not do: notice that bytes before those were edited in place.

pub mod envelope;
mod reader;
mod watch;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use takings_dataflows::order::PartitionId;

use self::reader::FileSource;
use self::watch::Watcher;
use super::{Log, PartitionRange, Source, SourceError, StartAt, Waker};

/// A folder of `*.jsonl` files.
pub struct FileLog {
    folder: PathBuf,
    identity: String,
    payload_limit: usize,
    watcher: Arc<Watcher>,
    /// Files that are no partition, and were said to be.
    ignored: Mutex<HashSet<String>>,
}

impl FileLog {
    /// The log in this folder. Of a payload longer than `payload_limit` bytes only the start is handed over, one byte more
    /// than the limit.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] while there is no such folder; [`SourceError::Configuration`]
    /// where it is something else.
    pub fn open(folder: impl AsRef<Path>, payload_limit: usize) -> Result<Self, SourceError> {
        let folder = folder.as_ref();
        let name = || folder.display().to_string();
        let canonical = folder.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::Unreachable {
                log: name(),
                message: "there is no such folder; create it, or check --source".to_owned(),
            },
            _ => configuration(format!("{} can not be opened: {error}", name())),
        })?;
        if !canonical.is_dir() {
            return Err(configuration(format!("{} is not a folder; name the folder its files are in", name())));
        }
        Ok(FileLog {
            identity: canonical.display().to_string(),
            folder: canonical,
            payload_limit,
            watcher: Arc::default(),
            ignored: Mutex::default(),
        })
    }

    /// Which file is which partition, of those that are there.
    fn files(&self, topics: &[String]) -> Result<BTreeMap<PartitionId, PathBuf>, SourceError> {
        let fault = |error: io::Error| SourceError::Fault {
            what: format!("folder {}", self.folder.display()),
            source: Box::new(error),
        };
        let mut files = BTreeMap::new();
        let mut strangers = Vec::new();
        let entries = match self.folder.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = "the folder is gone; put it back, or check --source".to_owned();
                return Err(SourceError::Unreachable { log: self.identity.clone(), message });
            }
            entries => entries.map_err(fault)?,
        };
        for entry in entries {
            let path = entry.map_err(fault)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".jsonl") else { continue };
            let mut partitions = (0u8..).zip(topics).filter_map(|(rank, topic)| {
                partition_number(stem, topic).map(|partition| PartitionId { topic: rank, partition })
            });
            let (first, second) = (partitions.next(), partitions.next());
            match (first, second) {
                (None, _) => strangers.push(name),
                (Some(partition), None) => {
                    if let Some(other) = files.insert(partition, path) {
                        return Err(configuration(format!(
                            "{} and {name} in {} both are partition {} of {}; rename one",
                            other.file_name().unwrap_or_default().display(),
                            self.identity,
                            partition.partition,
                            topics[usize::from(partition.topic)],
                        )));
                    }
                }
                (Some(_), Some(_)) => {
                    return Err(configuration(format!(
                        "{name} in {} can be a partition of two of the topics; rename the file or a topic",
                        self.identity
                    )));
                }
            }
        }
        let mut ignored = self.ignored.lock();
        strangers.retain(|name| ignored.insert(name.clone()));
        if !strangers.is_empty() {
            tracing::warn!(folder = %self.identity, files = ?strangers, "files of no topic of this job are left alone");
        }
        Ok(files)
    }
}

/// `topic` is partition 0, `topic-N` partition N.
fn partition_number(stem: &str, topic: &str) -> Option<u16> {
    match stem.strip_prefix(topic)? {
        "" => Some(0),
        rest => {
            let digits = rest.strip_prefix('-')?;
            let number = digits.parse().ok()?;
            // One name a partition: no `+7`, no `007`.
            (u16::to_string(&number) == digits).then_some(number)
        }
    }
}

fn configuration(message: String) -> SourceError {
    SourceError::Configuration { setting: "source", message }
}

impl Log for FileLog {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn partitions(&self, topics: &[String]) -> Result<Vec<PartitionRange>, SourceError> {
        let files = self.files(topics)?;
        for (rank, topic) in (0u8..).zip(topics) {
            if !files.keys().any(|partition| partition.topic == rank) {
                return Err(SourceError::TopicMissing { topic: topic.clone(), log: self.identity.clone() });
            }
        }
        let mut ranges = Vec::with_capacity(files.len());
        for (partition, path) in files {
            let end = last_lines(&path, u64::MAX, 0).map_err(|error| fault(&path, error))?;
            ranges.push(PartitionRange { partition, first: 0, end });
        }
        Ok(ranges)
    }

    fn open(&self, topics: &[String], from: &[StartAt], waker: Waker) -> Result<Box<dyn Source>, SourceError> {
        let files = self.files(topics)?;
        let mut partitions = Vec::with_capacity(from.len());
        for start in from {
            let topic = &topics[usize::from(start.partition.topic)];
            // A partition without a file is followed from the moment its file comes.
            let path = files.get(&start.partition).cloned().unwrap_or_else(|| {
                let PartitionId { partition, .. } = start.partition;
                self.folder.join(if partition == 0 {
                    format!("{topic}.jsonl")
                } else {
                    format!("{topic}-{partition}.jsonl")
                })
            });
            partitions.push((topic.clone(), path, *start));
        }
        Ok(Box::new(FileSource::open(&self.identity, partitions, self.payload_limit, &self.watcher, waker)?))
    }

    /// An offset counts bytes here, and only a line's first one begins a record.
    fn newest(&self, topics: &[String], range: PartitionRange, records: u64) -> Result<u64, SourceError> {
        let Some(path) = self.files(topics)?.remove(&range.partition) else { return Ok(range.first) };
        last_lines(&path, range.end, records).map_err(|error| fault(&path, error))
    }
}

fn fault(path: &Path, source: io::Error) -> SourceError {
    SourceError::Fault { what: format!("file {}", path.display()), source: Box::new(source) }
}

/// Where the last so many of the whole lines before `end` begin. Those of none begin after the last newline.
fn last_lines(path: &Path, end: u64, lines: u64) -> io::Result<u64> {
    const CHUNK: u64 = 64 * 1024;
    let mut file = File::open(path)?;
    let mut end = file.metadata()?.len().min(end);
    let mut chunk = Vec::with_capacity(CHUNK as usize);
    let mut newlines = 0;
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        file.by_ref().take(end - start).read_to_end(&mut chunk)?;
        for newline in memchr::memrchr_iter(b'\n', &chunk) {
            if newlines == lines {
                return Ok(start + newline as u64 + 1);
            }
            newlines += 1;
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_says_which_partition_it_is() {
        assert_eq!(partition_number("product_sold", "product_sold"), Some(0));
        assert_eq!(partition_number("product_sold-0", "product_sold"), Some(0));
        assert_eq!(partition_number("product_sold-65535", "product_sold"), Some(65_535));
        for other in ["product_sold-65536", "product_sold-01", "product_sold-+1", "product_sold-", "product_sold2", "x"]
        {
            assert_eq!(partition_number(other, "product_sold"), None, "{other}");
        }
    }

    #[test]
    fn the_end_is_after_the_last_whole_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        for (text, end) in [("", 0), ("{", 0), ("{}\n", 3), ("{}\n{", 3), ("\n\n", 2)] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(last_lines(&path, u64::MAX, 0).expect("read"), end, "{text:?}");
        }
        let long = format!("{{}}\n{}", "x".repeat(200_000));
        std::fs::write(&path, long).expect("written");
        assert_eq!(last_lines(&path, u64::MAX, 0).expect("read"), 3);
    }

    #[test]
    fn the_last_lines_begin_where_the_one_before_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let long = "x".repeat(200_000);
        std::fs::write(&path, format!("{{}}\n{long}\n[]\n\nnot whole")).expect("written");
        let last = |end, lines| last_lines(&path, end, lines).expect("read");
        assert_eq!([0, 1, 2, 3, 4, 5, 99].map(|lines| last(u64::MAX, lines)), [200_008, 200_007, 200_004, 3, 0, 0, 0]);
        assert_eq!(
            [0, 1, 2].map(|lines| last(200_007, lines)),
            [200_007, 200_004, 3],
            "what came later is not counted"
        );
    }
}
