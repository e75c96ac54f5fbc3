//! The job under test: one process today, several where it is a cluster. Everything that is done to it is done
//! by number, so that a fault may hit one of them or all.

use std::time::Duration;

use crate::plan::Shape;
use crate::support::port;
use crate::support::takings::{Ended, Takings};
use crate::support::wait;

/// An end with this code is one that a supervisor cures by a restart; any other is a failed test.
const CURED_BY_RESTART: i32 = 70;

/// The processes of a job.
pub struct Job {
    settings: String,
    workers: u8,
    /// The hosts file, and the processes it names.
    hosts: tempfile::NamedTempFile,
    /// `None` for one that was killed, until it is started again.
    processes: Vec<Option<Takings>>,
    /// How often a process ended by itself and was started again.
    pub restarts: u32,
}

impl Job {
    /// A job that does not run yet, with these arguments of `takings run`.
    pub fn new(settings: String) -> Job {
        let hosts = tempfile::NamedTempFile::new().expect("a file");
        Job { settings, workers: 1, hosts, processes: Vec::new(), restarts: 0 }
    }

    /// Runs with these arguments from its next start on.
    pub fn set(&mut self, settings: String) {
        self.settings = settings;
    }

    fn start_process(&mut self, number: usize) {
        let mut words = format!("run {} --workers {}", self.settings, self.workers);
        if self.processes.len() > 1 {
            words += &format!(" --hosts {} --process {number}", self.hosts.path().display());
        }
        self.processes[number] = Some(Takings::start(&words));
    }

    /// Starts all processes, the last one first.
    pub fn start(&mut self, shape: Shape) {
        self.workers = shape.workers;
        let lines: Vec<String> = (0..shape.processes).map(|_| format!("127.0.0.1:{}", port::free())).collect();
        std::fs::write(self.hosts.path(), lines.join("\n")).expect("written");
        self.processes = lines.iter().map(|_| None).collect();
        for number in (0..self.processes.len()).rev() {
            self.start_process(number);
        }
    }

    /// Whether it was started and not ended since.
    pub fn is_started(&self) -> bool {
        !self.processes.is_empty()
    }

    /// Kills all processes, as a power cut would.
    pub fn kill(&mut self) {
        self.processes.drain(..).flatten().for_each(Takings::kill);
    }

    /// Kills one of them; with several the others end by themselves.
    pub fn kill_one(&mut self, number: usize) {
        let count = self.processes.len();
        if let Some(process) = self.processes.get_mut(number % count.max(1)).and_then(Option::take) {
            process.kill();
        }
    }

    /// Sends a signal to one process.
    pub fn signal(&mut self, number: usize, name: &str) {
        let count = self.processes.len();
        if let Some(Some(process)) = self.processes.get_mut(number % count.max(1))
            && process.is_running()
        {
            process.signal(name);
        }
    }

    /// Ends it in an orderly way.
    ///
    /// # Panics
    /// When a process says that it failed.
    pub fn terminate(&mut self) {
        for process in self.processes.iter_mut().flatten() {
            if process.is_running() {
                process.signal("TERM");
            }
        }
        for process in self.processes.drain(..).flatten() {
            let ended = process.wait();
            // A signal that comes before the handlers are there ends it as well.
            assert!(ended.code.is_none_or(|code| code == 0 || code == CURED_BY_RESTART), "{}", tail(&ended.log));
        }
    }

    /// Does what a supervisor of each process does: starts again what was killed, or ended with the code for that.
    ///
    /// # Panics
    /// When a process ended in another way, with the end of its log.
    pub fn tend(&mut self) {
        for number in 0..self.processes.len() {
            if self.processes[number].as_mut().is_some_and(Takings::is_running) {
                continue;
            }
            if let Some(process) = self.processes[number].take() {
                let Ended { code, log, .. } = process.wait();
                assert_eq!(code, Some(CURED_BY_RESTART), "the job ended by itself:\n{}", tail(&log));
                self.restarts += 1;
            }
            self.start_process(number);
        }
    }

    /// How much memory its processes hold, in megabytes.
    pub fn megabytes(&self) -> u64 {
        let of = |process: &Takings| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.processes.iter().flatten().filter_map(of).sum::<u64>() / 1024
    }

    /// The end of what it logged.
    pub fn log(&self) -> String {
        self.processes.iter().flatten().map(|process| tail(&process.log())).collect::<Vec<_>>().join("\n--\n")
    }
}

/// Runs a command beside the job until its end; what it said.
pub fn run(words: &str) -> Ended {
    let mut command = Takings::start(words);
    wait::until(words, Duration::from_secs(240), || (!command.is_running()).then_some(()));
    command.wait()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
