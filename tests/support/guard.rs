//! Ends a server with the test process, however that ends.
//!
//! `Drop` is not enough: a static (a broker that the tests of a binary share) is never dropped, and nothing
//! is on `kill -9`, on Ctrl-C or at an abort. The guard is a shell that reads from a pipe of ours; the kernel
//! closes the pipe when we are gone, and the shell then kills the server and removes its folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = r#"
pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -s KILL "$pid" 2>/dev/null
rm -rf -- "$0"
"#;

/// Kills a process and removes a folder when it is dropped, or when this process ends.
pub struct Guard {
    shell: Child,
}

impl Guard {
    /// A guard of `folder`, and of no process as yet.
    ///
    /// # Panics
    /// When there is no `sh`.
    pub fn new(folder: &Path) -> Guard {
        let shell = Command::new("sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's group: Ctrl-C must not end the guard before it has done its work.
            .process_group(0)
            .spawn()
            .expect("sh can be started");
        Guard { shell }
    }

    /// The process to kill from now on, instead of the one before. Takes it while it is our child and not
    /// waited for, so that its id can not be another's.
    pub fn watch(&mut self, process: &Child) {
        self.tell(&process.id().to_string());
    }

    /// No process to kill any more: call it before waiting for the process.
    pub fn release(&mut self) {
        self.tell("");
    }

    fn tell(&mut self, line: &str) {
        let pipe = self.shell.stdin.as_mut().expect("the guard's pipe is open until it is dropped");
        writeln!(pipe, "{line}").expect("the guard reads its pipe");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Sends a signal (`TERM`, `STOP`, `CONT`, `KILL`) to a child that is not waited for yet.
///
/// # Panics
/// When the process is gone.
pub fn signal(process: &Child, name: &str) {
    let id = process.id();
    let status = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &id.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "process {id} could not be sent {name}");
}
