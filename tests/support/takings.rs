//! The real binary, run as a user runs it.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::guard::signal;
use super::wait;

/// How long a command may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a command did.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it logged.
    pub log: String,
}

impl Ended {
    /// Checks that it exited with 0.
    ///
    /// # Panics
    /// With all that it said, where it did not.
    pub fn done(self) -> Ended {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.log);
        self
    }

    /// Checks that it exited with `code`, saying each of these.
    ///
    /// # Panics
    /// With all that it said, where it did not.
    pub fn refused(self, code: i32, said: &[&str]) -> Ended {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.log);
        for text in said {
            assert!(self.log.contains(text), "{text:?} is not in:\n{}", self.log);
        }
        self
    }
}

/// Runs a command to its end; the words are separated by spaces.
pub fn takings(words: &str) -> Ended {
    Takings::start(words).wait()
}

/// A command that runs. Killed when dropped.
pub struct Takings {
    child: Child,
    out: File,
    log: File,
    words: String,
}

impl Takings {
    /// Starts it; the words are separated by spaces.
    pub fn start(words: &str) -> Takings {
        Takings::start_by(Command::new(env!("CARGO_BIN_EXE_takings")), words)
    }

    /// Starts it where it may have so many files open.
    pub fn start_with_open_files(words: &str, most: u64) -> Takings {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"ulimit -n "$0" && exec "$@""#, &most.to_string(), env!("CARGO_BIN_EXE_takings")]);
        Takings::start_by(shell, words)
    }

    /// Starts it with these variables.
    pub fn start_with_variables(words: &str, variables: &[(&str, &str)]) -> Takings {
        // By a program in between: what is set here comes after the log's level, and may be another one.
        let mut command = Command::new("env");
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(env!("CARGO_BIN_EXE_takings"));
        Takings::start_by(command, words)
    }

    fn start_by(mut command: Command, words: &str) -> Takings {
        let (out, log) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let child = command
            .args(words.split_whitespace())
            .env("TAKINGS_LOG", "info")
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .expect("the binary starts");
        Takings { child, out, log, words: words.to_owned() }
    }

    /// Sends a signal: `TERM`, `INT`, `STOP`, `CONT`, `KILL`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Its process id, for `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until it has logged this.
    pub fn wait_for(&mut self, text: &str) {
        let words = self.words.clone();
        wait::until(format!("{text:?} of takings {words}"), PATIENCE, || {
            let log = self.log();
            if log.contains(text) {
                return Some(());
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "takings {words} ended ({ended:?}) without saying {text:?}:\n{log}");
            None
        });
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status: ExitStatus =
            wait::until(format!("takings {} ends", self.words), PATIENCE, || self.child.try_wait().unwrap());
        let mut log = read(&self.log);
        if let Some(signal) = status.signal() {
            log.push_str(&format!("(ended by signal {signal})\n"));
        }
        Ended { code: status.code(), out: read(&self.out), log }
    }

    /// `kill -9`, at once.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Takings {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads from the start without moving the place that the child writes at.
fn read(file: &File) -> String {
    use std::os::unix::fs::FileExt;
    let mut text = vec![0; file.metadata().unwrap().len() as usize];
    let length = file.read_at(&mut text, 0).unwrap();
    String::from_utf8_lossy(&text[..length]).into_owned()
}
