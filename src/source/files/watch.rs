//! One thread a log that looks for growth while readers sleep.
//!
//! It asks for sizes instead of subscribing to changes: that works on every file system, costs a
//! few microseconds a file and round, and nothing while all readers are busy.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::source::Waker;

/// How long news may take. Ten files cost a thousandth of a core at this pace.
const ROUND: Duration = Duration::from_millis(10);

/// A file as its reader left it.
pub(super) struct Watched {
    /// Where the file is found.
    pub(super) path: PathBuf,
    /// How far it was read, in bytes.
    pub(super) read_to: AtomicU64,
    /// Which file it is; 0 while it is not there.
    pub(super) inode: AtomicU64,
    /// Whether another file, or none, stands in its place.
    pub(super) is_replaced: AtomicBool,
}

impl Watched {
    fn has_news(&self) -> bool {
        let known = self.inode.load(Ordering::Acquire);
        match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.is_replaced.store(known != 0, Ordering::Release);
                known != 0
            }
            // It may pass. What can be read of a file that is open is read on, and what can not is the reader's to tell.
            Err(_) => true,
            Ok(_) if known == 0 => true,
            Ok(metadata) if inode(&metadata) != known => {
                self.is_replaced.store(true, Ordering::Release);
                true
            }
            Ok(metadata) => metadata.len() != self.read_to.load(Ordering::Acquire),
        }
    }
}

/// What tells a file from another of the same name; never 0.
#[cfg(unix)]
pub(super) fn inode(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino() ^ metadata.dev().rotate_left(32)).max(1)
}

/// What tells a file from another of the same name; never 0.
#[cfg(not(unix))]
pub(super) fn inode(_: &Metadata) -> u64 {
    1
}

/// A reader, as the thread sees it.
pub(super) struct Sleeper {
    /// Set by the reader when it has handed over everything; cleared when it is woken.
    pub(super) is_asleep: AtomicBool,
    pub(super) files: Vec<Arc<Watched>>,
    pub(super) waker: Waker,
}

/// The readers of one log. The thread starts with the first and ends with the log.
#[derive(Default)]
pub(super) struct Watcher {
    sleepers: Mutex<Vec<Weak<Sleeper>>>,
    is_started: AtomicBool,
}

impl Watcher {
    /// Wakes `sleeper` whenever it is asleep and one of its files has news.
    pub(super) fn watch(self: &Arc<Self>, sleeper: &Arc<Sleeper>) -> std::io::Result<()> {
        self.sleepers.lock().push(Arc::downgrade(sleeper));
        if !self.is_started.swap(true, Ordering::AcqRel) {
            let watcher = Arc::downgrade(self);
            std::thread::Builder::new().name("file-watch".to_owned()).spawn(move || {
                while let Some(watcher) = watcher.upgrade() {
                    watcher.round();
                    drop(watcher);
                    std::thread::park_timeout(ROUND);
                }
            })?;
        }
        Ok(())
    }

    fn round(&self) {
        let mut sleepers = self.sleepers.lock();
        sleepers.retain(|sleeper| sleeper.strong_count() > 0);
        let awake: Vec<Arc<Sleeper>> = sleepers.iter().filter_map(Weak::upgrade).collect();
        drop(sleepers);
        for sleeper in awake {
            let is_asleep = &sleeper.is_asleep;
            if is_asleep.load(Ordering::Acquire) && sleeper.files.iter().any(|file| file.has_news()) {
                is_asleep.store(false, Ordering::Release);
                (sleeper.waker)();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_is_not_there_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sold.jsonl");
        std::fs::write(&file, "").expect("written");
        let known = inode(&std::fs::metadata(&file).expect("there"));
        let is_gone = |path: PathBuf| {
            let watched = Watched {
                path,
                read_to: AtomicU64::new(0),
                inode: AtomicU64::new(known),
                is_replaced: AtomicBool::new(false),
            };
            let _ = watched.has_news();
            watched.is_replaced.load(Ordering::Acquire)
        };
        assert!(!is_gone(file.clone()));
        assert!(is_gone(folder.path().join("other.jsonl")));
        // Who asks is refused: here since a file is no folder, else for a right or a server that is away.
        assert!(!is_gone(file.join("below")));
    }
}
