//! One worker's reader of some files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use takings_dataflows::order::PartitionId;

use super::envelope::{self, Scratch};
use super::fault;
use super::watch::{Sleeper, Watched, Watcher, inode};
use crate::source::{NEWEST_TIMESTAMP, Polled, Record, Source, SourceError, StartAt, Waker};

/// Bytes asked for at a time, where there are so many.
const CHUNK: usize = 512 * 1024;
/// As how many bytes an envelope may write one byte of its payload: `\u0041`.
const ESCAPED: usize = 6;
/// What a key and an envelope may add to a payload of the largest size.
const MARGIN: usize = 64 * 1024;
/// As many of the last bytes read are compared before it is read on behind them.
const TAIL: usize = 4 * 1024;

/// Reads its files in turns.
pub(super) struct FileSource {
    followed: Vec<Followed>,
    /// Whose turn is first at the next poll.
    next: usize,
    scratch: Scratch,
    sleeper: Arc<Sleeper>,
}

impl FileSource {
    pub(super) fn open(
        log: &str,
        partitions: Vec<(String, PathBuf, StartAt)>,
        payload_limit: usize,
        watcher: &Arc<Watcher>,
        waker: Waker,
    ) -> Result<Self, SourceError> {
        let mut followed = Vec::with_capacity(partitions.len());
        for (topic, path, start) in partitions {
            let watched = Watched {
                path,
                read_to: AtomicU64::new(start.offset),
                inode: AtomicU64::new(0),
                is_replaced: AtomicBool::new(false),
            };
            let mut file = Followed {
                log: log.to_owned(),
                topic,
                partition: start.partition,
                watched: Arc::new(watched),
                file: None,
                buffer: Vec::new(),
                position: start.offset,
                line: 0,
                scanned: 0,
                filled: 0,
                tail: None,
                announced: None,
                overlong: None,
                payload_limit,
                line_limit: payload_limit.saturating_mul(ESCAPED).saturating_add(MARGIN),
            };
            file.find()?;
            followed.push(file);
        }
        let files = followed.iter().map(|followed| followed.watched.clone()).collect();
        let sleeper = Arc::new(Sleeper { is_asleep: AtomicBool::new(false), files, waker });
        watcher.watch(&sleeper).map_err(|error| SourceError::Fault {
            what: "the sizes of files (a thread could not start)".to_owned(),
            source: Box::new(error),
        })?;
        Ok(FileSource { followed, next: 0, scratch: Scratch::default(), sleeper })
    }
}

impl Source for FileSource {
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
        let FileSource { followed, next, scratch, sleeper } = self;
        let mut count = 0;
        for turn in 0..followed.len() {
            if count >= max {
                break;
            }
            let at = (*next + turn) % followed.len();
            count += followed[at].poll(max - count, scratch, each)?;
        }
        *next = (*next + 1) % followed.len().max(1);
        if count == 0 {
            // What came since a file was read to its end is seen by the watcher: it compares sizes.
            sleeper.is_asleep.store(true, Ordering::Release);
        }
        Ok(count)
    }
}

/// A file, and how far it was read.
struct Followed {
    log: String,
    topic: String,
    partition: PartitionId,
    watched: Arc<Watched>,
    file: Option<File>,
    /// Bytes read: those up to `line` are handed over, those up to `scanned` hold no further newline.
    buffer: Vec<u8>,
    /// Where `buffer` starts within the file.
    position: u64,
    line: usize,
    scanned: usize,
    filled: usize,
    /// What was read last, where it was read to its end, and the buffer may hold it no more.
    tail: Option<Tail>,
    /// The end that was said last.
    announced: Option<u64>,
    /// A line too long to hold: where it starts, and what is kept of it.
    overlong: Option<(u64, Vec<u8>)>,
    payload_limit: usize,
    /// No longer line is held. What it is must follow from its bytes alone, and not from how many of them were there at
    /// a time: a replay reads them otherwise than the run that counted it, and must find the same record.
    line_limit: usize,
}

/// The last bytes that were read of a file.
struct Tail {
    length: usize,
    checksum: u32,
}

impl Tail {
    fn of(read: &[u8]) -> Tail {
        let last = &read[read.len().saturating_sub(TAIL)..];
        Tail { length: last.len(), checksum: crc32fast::hash(last) }
    }
}

impl Followed {
    fn poll(
        &mut self,
        max: usize,
        scratch: &mut Scratch,
        each: &mut dyn FnMut(Polled<'_>),
    ) -> Result<usize, SourceError> {
        let mut count = 0;
        while count < max {
            if let Some(newline) = memchr::memchr(b'\n', &self.buffer[self.scanned..self.filled]) {
                let end = self.scanned + newline;
                count += usize::from(self.hand_over(end, scratch, each));
                self.line = end + 1;
                self.scanned = end + 1;
                continue;
            }
            self.scanned = self.filled;
            self.bound_line(self.filled);
            if self.overlong.is_some() {
                self.line = self.filled;
            }
            if self.fill()? == 0 {
                let offset = match &self.overlong {
                    Some((start, _)) => *start,
                    None => self.position + self.line as u64,
                };
                if self.announced != Some(offset) {
                    self.announced = Some(offset);
                    each(Polled::End { partition: self.partition, offset });
                    count += 1;
                }
                break;
            }
        }
        Ok(count)
    }

    /// Hands over the line up to the newline at `end`. Returns whether there was a record in it.
    fn hand_over(&mut self, end: usize, scratch: &mut Scratch, each: &mut dyn FnMut(Polled<'_>)) -> bool {
        self.bound_line(end);
        let next_offset = self.position + end as u64 + 1;
        let record = |offset, timestamp, key, payload| Record {
            partition: self.partition,
            offset,
            next_offset,
            timestamp,
            leader_epoch: None,
            key,
            payload,
        };
        if let Some((offset, head)) = self.overlong.take() {
            each(Polled::Record(record(offset, 0, None, Some(&head))));
            return true;
        }
        let offset = self.position + self.line as u64;
        let line = &self.buffer[self.line..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return false;
        }
        // Of what is rejected for its length, no more than that takes is held until its epoch is committed.
        let enough = |payload: &[u8]| payload.len().min(self.payload_limit.saturating_add(1));
        match envelope::open(line, scratch) {
            Some(envelope) => {
                let timestamp = envelope.timestamp.unwrap_or(0).clamp(0, NEWEST_TIMESTAMP);
                let payload = envelope.payload.map(|payload| &payload[..enough(payload)]);
                each(Polled::Record(record(offset, timestamp, envelope.key, payload)));
            }
            None => each(Polled::Record(record(offset, 0, None, Some(&line[..enough(line)])))),
        }
        true
    }

    /// Gives up holding the line that reaches to `end` at least where that is too long for any payload within the limit,
    /// however it is written: its start is enough to reject it. It counts as a payload of its own, envelope or not.
    fn bound_line(&mut self, end: usize) {
        if self.overlong.is_none() && end - self.line > self.line_limit {
            let head = self.buffer[self.line..=self.line + self.payload_limit].to_vec();
            self.overlong = Some((self.position + self.line as u64, head));
        }
    }

    /// Reads on. Returns how many bytes came: 0 at the end of what is there.
    fn fill(&mut self) -> Result<usize, SourceError> {
        if self.watched.is_replaced.load(Ordering::Acquire) {
            return Err(self.changed("another file stands in its place, or none".to_owned()));
        }
        if self.file.is_none() {
            self.find()?;
        }
        let read_to = self.position + self.filled as u64;
        let Some(file) = &self.file else { return Ok(0) };
        let length = file.metadata().map_err(|error| fault(&self.watched.path, error))?.len();
        if length < read_to {
            return Err(self.changed(format!("it shrank to {length} bytes, and {read_to} were read")));
        }
        let read = if length > read_to { self.read_on(read_to, length)? } else { 0 };
        if read == 0 {
            self.rest();
        }
        self.watched.read_to.store(read_to + read as u64, Ordering::Release);
        Ok(read)
    }

    /// Reads what comes after `read_to`, if what is before is what was read there. Sizes do not tell: a file may have been
    /// emptied and written anew, past that byte, since anybody looked.
    fn read_on(&mut self, read_to: u64, length: u64) -> Result<usize, SourceError> {
        let tail = self.tail.take().unwrap_or_else(|| Tail::of(&self.buffer[..self.filled]));
        self.keep(TAIL);
        if self.filled < tail.length {
            let lacking = tail.length - self.filled;
            self.buffer.splice(..0, std::iter::repeat_n(0, lacking));
            self.position -= lacking as u64;
            for at in [&mut self.line, &mut self.scanned, &mut self.filled] {
                *at += lacking;
            }
        }
        let Some(file) = &mut self.file else { return Ok(0) };
        let again = &mut self.buffer[self.filled - tail.length..self.filled];
        let found = file.seek(SeekFrom::Start(read_to - tail.length as u64)).and_then(|_| file.read_exact(again));
        match found {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(fault(&self.watched.path, error)),
            Ok(()) if crc32fast::hash(again) == tail.checksum => {}
            Ok(()) | Err(_) => {
                return Err(self.changed(format!(
                    "it was written anew, and the {read_to} bytes that were read do not end as they did"
                )));
            }
        }
        let chunk = (length - read_to).min(CHUNK as u64) as usize;
        if self.buffer.len() < self.filled + chunk {
            self.buffer.resize(self.filled + chunk, 0);
        }
        let read = loop {
            match file.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(|error| fault(&self.watched.path, error))?;
        self.filled += read;
        Ok(read)
    }

    /// At the end of what is there: there may be thousands of files, most of them idle.
    fn rest(&mut self) {
        if self.tail.is_none() {
            self.tail = Some(Tail::of(&self.buffer[..self.filled]));
        }
        self.keep(0);
        self.buffer.truncate(self.filled);
        self.buffer.shrink_to_fit();
    }

    /// Keeps the line that is not handed over yet, and as many of the bytes before it.
    fn keep(&mut self, before: usize) {
        let from = self.line.saturating_sub(before);
        if from > 0 {
            self.buffer.copy_within(from..self.filled, 0);
            self.position += from as u64;
            for at in [&mut self.line, &mut self.scanned, &mut self.filled] {
                *at -= from;
            }
        }
    }

    /// Opens the file, if it is there, and checks that it still holds what was read of it.
    fn find(&mut self) -> Result<(), SourceError> {
        let start = self.position;
        let watched = self.watched.clone();
        let mut file = match File::open(&watched.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if start == 0 {
                    Ok(())
                } else {
                    Err(self.changed(format!("it is gone, and was to be read from byte {start} on")))
                };
            }
            Err(error) => return Err(fault(&watched.path, error)),
        };
        let metadata = file.metadata().map_err(|error| fault(&watched.path, error))?;
        if metadata.len() < start {
            let length = metadata.len();
            return Err(self.no_record(format!("it holds {length} bytes, and was to be read from byte {start} on")));
        }
        if start > 0 {
            // As if it had been read up to there, so that it is known again.
            let back = start.min(TAIL as u64);
            self.buffer.resize(back as usize, 0);
            let read = file.seek(SeekFrom::Start(start - back)).and_then(|_| file.read_exact(&mut self.buffer));
            read.map_err(|error| fault(&watched.path, error))?;
            self.position = start - back;
            (self.line, self.scanned, self.filled) = (back as usize, back as usize, back as usize);
            if self.buffer.last() != Some(&b'\n') {
                return Err(self.no_record(format!("no line starts at byte {start}")));
            }
        }
        watched.inode.store(inode(&metadata), Ordering::Release);
        self.file = Some(file);
        Ok(())
    }

    fn changed(&self, what: String) -> SourceError {
        SourceError::LogChanged {
            topic: self.topic.clone(),
            partition: self.partition.partition,
            what: format!("file {} is not the file it was: {what}", self.watched.path.display()),
            hint: self.put_back(),
        }
    }

    /// Where it was to be read from is not known here: what was counted, what was passed over, or what somebody named.
    fn no_record(&self, what: String) -> SourceError {
        SourceError::NoRecordAt {
            topic: self.topic.clone(),
            partition: self.partition,
            what: format!("file {} can not be read on: {what}", self.watched.path.display()),
            hint: format!(
                "if --resume-at names that byte, let it name the first byte of a line; if not, {}",
                self.put_back()
            ),
        }
    }

    fn put_back(&self) -> String {
        format!(
            "put the file back as it was, or count the folder {} anew: start again with the settings it has and a new --store",
            self.log
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_read_to_its_end_holds_no_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sold.jsonl");
        let write = |text: &str| {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).expect("opened");
            file.write_all(text.as_bytes()).expect("written");
        };
        write("");
        let start = StartAt::on(PartitionId { topic: 0, partition: 0 }, 0);
        let partitions = vec![("sold".to_owned(), path.clone(), start)];
        let mut source =
            FileSource::open("log", partitions, 1024, &Arc::default(), Arc::new(|| {})).expect("the file can be read");
        let read = |source: &mut FileSource| {
            let mut records = 0;
            while source
                .poll(10, &mut |polled| records += u64::from(matches!(polled, Polled::Record(_))))
                .expect("read")
                > 0
            {}
            (records, source.followed[0].buffer.len())
        };
        write(&"{}\n".repeat(1_000));
        assert_eq!(read(&mut source), (1_000, 0));
        write("{\"half\":");
        let (records, held) = read(&mut source);
        assert!(records == 0 && (8..CHUNK).contains(&held), "{records} records, {held} bytes for half a line");
        write("1}\n");
        assert_eq!(read(&mut source), (1, 0));
        write(&("{}\n".repeat(300_000) + "{\"half\":"));
        assert_eq!(read(&mut source), (300_000, 8), "half a line after many");
    }
}
