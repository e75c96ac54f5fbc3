//! Partitions that stand still though the broker has more of them, and says so.
//!
//! librdkafka mends lost connections and lost requests by itself, and now and then gets stuck all the same: a request
//! that nobody answers any more, a leader's epoch that is validated for ever (its issues 4492, 2625, 3396; an hour of
//! faults showed one after a broker was killed while connections to it were cut). No event tells of it. So where nothing
//! came of a partition for a while, another client asks the broker how far it may be read, beside the worker; where that
//! is further than what was read, and nothing came meanwhile either, the partition is stuck.
//!
//! A slow network looks alike: each time the patience doubles, until something of the partition has come.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::ANSWER_WITHIN;
use super::context::Context;

/// How long nothing may come of a partition before the broker is asked, and how often it is.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Where the worker itself did not ask for so long, no partition is to blame.
pub(super) const ABSENCE: Duration = Duration::from_secs(5);
/// The patience doubles up to this.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How a partition gets on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// When something of it came, a record or its end.
    came: Instant,
    patience: Duration,
}

impl Progress {
    /// Of a partition whose reading begins.
    pub(super) fn new(now: Instant) -> Self {
        Progress { came: now, patience: PATIENCE }
    }

    /// Something came.
    pub(super) fn note(&mut self, now: Instant) {
        *self = Progress::new(now);
    }

    /// Nothing was asked for: the patience begins again, as long as it was.
    pub(super) fn excuse(&mut self, now: Instant) {
        self.came = now;
    }

    /// It is read anew, and has longer this time.
    pub(super) fn again(&mut self, now: Instant) {
        *self = Progress { came: now, patience: (self.patience * 2).min(LONGEST_PATIENCE) };
    }

    /// How long nothing has come, where that is too long.
    pub(super) fn silence(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.came)).filter(|silence| *silence >= self.patience)
    }
}

/// A partition that the broker is asked about, and where it was read to.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Its place among the reader's.
    pub(super) at: usize,
    pub(super) topic: CString,
    pub(super) number: i32,
    pub(super) position: u64,
    /// Whether nothing came of it for too long.
    pub(super) is_silent: bool,
}

/// What the broker has of one.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) asked: Asked,
    /// The first offset that it still holds.
    pub(super) first: u64,
    /// How far it may be read.
    pub(super) end: u64,
}

impl Held {
    /// Whether more is there than came.
    pub(super) fn is_stalled(&self) -> bool {
        self.asked.is_silent && self.end > self.asked.position
    }
}

/// Asks how far partitions may be read, beside the worker.
pub(super) struct Asker {
    client: Arc<BaseConsumer<Context>>,
    asked: Instant,
    answer: Option<Receiver<Vec<Held>>>,
}

impl Asker {
    pub(super) fn new(client: Arc<BaseConsumer<Context>>) -> Self {
        Asker { client, asked: Instant::now(), answer: None }
    }

    /// Whether it is time to ask again.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        self.answer.is_none() && now.saturating_duration_since(self.asked) >= PATIENCE
    }

    /// Asks for those that are silent, one after the other, and where one of them is stalled for all others too: they
    /// will be read on with the same new client. A broker that does not answer says nothing of its partitions.
    pub(super) fn ask(&mut self, partitions: Vec<Asked>, now: Instant) {
        let client = Arc::clone(&self.client);
        let (sender, answer) = sync_channel(1);
        let asking = std::thread::Builder::new().name("kafka-ends".to_owned()).spawn(move || {
            let held = |asked: Asked| {
                let topic = asked.topic.to_str().ok()?;
                let (first, end) = client.fetch_watermarks(topic, asked.number, ANSWER_WITHIN).ok()?;
                Some(Held { first: u64::try_from(first).ok()?, end: u64::try_from(end).ok()?, asked })
            };
            let (silent, others): (Vec<Asked>, Vec<Asked>) = partitions.into_iter().partition(|asked| asked.is_silent);
            let mut answer: Vec<Held> = silent.into_iter().filter_map(held).collect();
            if answer.iter().any(Held::is_stalled) {
                answer.extend(others.into_iter().filter_map(held));
            }
            // Nobody takes it where the reader is gone.
            let _ = sender.send(answer);
        });
        self.asked = now;
        // Without a thread to spare it is asked again later.
        self.answer = asking.is_ok().then_some(answer);
    }

    /// What the broker said, once it has.
    pub(super) fn answer(&mut self) -> Vec<Held> {
        match self.answer.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => Vec::new(),
            Some(said) => {
                self.answer = None;
                said.unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_until_something_comes() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        assert_eq!(progress.silence(start + PATIENCE - Duration::from_millis(1)), None);
        assert_eq!(progress.silence(start + PATIENCE), Some(PATIENCE));
        progress.again(start);
        assert_eq!(progress.silence(start + PATIENCE), None);
        assert_eq!(progress.silence(start + 2 * PATIENCE), Some(2 * PATIENCE));
        for _ in 0..20 {
            progress.again(start);
        }
        assert_eq!(progress.silence(start + LONGEST_PATIENCE), Some(LONGEST_PATIENCE));
        progress.excuse(start + PATIENCE);
        assert_eq!(progress.silence(start + LONGEST_PATIENCE), None);
        progress.note(start);
        assert_eq!(progress.silence(start + PATIENCE), Some(PATIENCE));
    }
}
