//! A small disk of its own, which a test can fill, and make room on.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A file system in memory. Gone with the process that made it, however that ends.
pub struct Disk {
    folder: PathBuf,
    guard: Child,
}

impl Disk {
    /// One of so many megabytes that belongs to `owner`; `None` where this process may mount nothing.
    pub fn new(megabytes: u32, owner: Option<(u32, u32)>) -> Option<Disk> {
        let folder = tempfile::Builder::new().prefix("takings-disk-").tempdir().expect("a folder").keep();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&folder)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            let _ = fs::remove_dir(&folder);
            return None;
        }
        let guard = Command::new("sh")
            .args(["-c", r#"trap '' INT TERM HUP; cat >/dev/null; umount -l "$0"; rmdir "$0""#])
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell runs");
        if let Some((uid, gid)) = owner {
            chown(&folder, Some(uid), Some(gid)).expect("root gives folders away");
        }
        Some(Disk { folder, guard })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("a file");
        let mut piece = vec![0; 1 << 16];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
    }

    /// Gives it back.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("it was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
