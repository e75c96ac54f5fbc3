//! The lock of a SQLite store: a file beside it, locked by the operating system, which frees it however
//! the process ends. No clock is involved, so a process that sleeps keeps its store.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};

use crate::store::{StoreError, host};

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct FileLock {
    file: File,
}

impl Drop for FileLock {
    /// Closing the file would not do: a child process that another thread is just starting has a copy of every open file
    /// until it runs its own program, and with it the lock.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the store's lock could not be freed; it goes with this process");
        }
    }
}

impl FileLock {
    /// Locks `FILE.lock`, which stays in place when it is freed: its text says who holds it, or held it.
    pub(super) fn take(file: &Path) -> Result<FileLock, StoreError> {
        let path = lock_path(file)?;
        let failed = |error| unwritable(&path, file, error);
        let mut lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                return Err(StoreError::Held {
                    store: format!("sqlite:{}", file.display()),
                    holder: match holder.trim() {
                        "" => "a process that just came".to_owned(),
                        holder => holder.to_owned(),
                    },
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "takings run ({}), since {since}", host::this_process()))
            .map_err(failed)?;
        Ok(FileLock { file: lock })
    }
}

/// A full disk is waited for, as it is while the job runs; all else is for who set the folder up.
fn unwritable(path: &Path, file: &Path, error: io::Error) -> StoreError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Busy {
            store: format!("sqlite:{}", file.display()),
            why: format!("the disk is full (writing {path}); make room there, and the job goes on by itself"),
            source: Box::new(error),
        },
        _ => StoreError::Configuration {
            setting: "store",
            message: format!("{path} can not be written ({error}); let the job's user write to its folder"),
        },
    }
}

/// One lock for one file, by whatever name it is reached.
fn lock_path(file: &Path) -> Result<PathBuf, StoreError> {
    let resolved = file.canonicalize().or_else(|_| {
        let file = where_it_will_be(file);
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Ok(folder.canonicalize()?.join(file.file_name().unwrap_or(file.as_os_str())))
    });
    match resolved {
        Ok(mut path) => {
            path.as_mut_os_string().push(".lock");
            Ok(path)
        }
        Err(error) => {
            let error: io::Error = error;
            Err(StoreError::Configuration {
                setting: "store",
                message: format!("the folder of sqlite:{} can not be found ({error}); create it", file.display()),
            })
        }
    }
}

/// Where a file is made that is not there yet: a link may lead to it.
fn where_it_will_be(file: &Path) -> PathBuf {
    /// As many as Linux follows.
    const LINKS_AT_MOST: usize = 40;
    let mut path = file.to_owned();
    for _ in 0..LINKS_AT_MOST {
        let Ok(target) = fs::read_link(&path) else { break };
        // What is relative is so to the link's folder.
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_lock_before_and_after_it_is_made_whatever_leads_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("disk")).expect("made");
        std::os::unix::fs::symlink("disk/totals.db", at("relative.db")).expect("a link");
        std::os::unix::fs::symlink(at("relative.db"), at("link.db")).expect("a link to it");
        let names = [at("link.db"), at("relative.db"), at("disk/totals.db")];
        let locks = || names.each_ref().map(|name| lock_path(name).expect("the folder is there"));
        let one = folder.path().canonicalize().expect("it is there").join("disk/totals.db.lock");
        assert_eq!(locks(), [(); 3].map(|()| one.clone()));
        fs::write(at("link.db"), "").expect("the link is followed");
        assert!(at("disk/totals.db").exists());
        assert_eq!(locks(), [(); 3].map(|()| one.clone()));
    }

    /// A second descriptor of the open file is what a child that was just forked has.
    #[test]
    fn it_is_free_once_dropped_whoever_still_has_the_file_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("totals.db");
        let lock = FileLock::take(&store).expect("nobody has it");
        let of_a_child = lock.file.try_clone().expect("a descriptor");
        assert!(matches!(FileLock::take(&store), Err(StoreError::Held { .. })), "it is held");
        drop(lock);
        FileLock::take(&store).expect("it is free");
        drop(of_a_child);
    }

    #[test]
    fn a_full_disk_is_waited_for_and_a_folder_without_leave_is_not() {
        let of = |kind: io::ErrorKind| unwritable(Path::new("totals.db.lock"), Path::new("totals.db"), kind.into());
        let full = of(io::ErrorKind::StorageFull);
        assert!(full.is_transient() && full.to_string().contains("the disk is full"), "{full}");
        assert!(of(io::ErrorKind::QuotaExceeded).is_transient());
        let refused = of(io::ErrorKind::PermissionDenied);
        assert!(matches!(refused, StoreError::Configuration { .. }), "{refused}");
    }
}
