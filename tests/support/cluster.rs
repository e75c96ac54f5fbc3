//! One job in several processes of the real binary, on this machine.

use std::time::Duration;

use super::port;
use super::takings::{Ended, Takings};
use super::wait;

/// The processes of a job. Killed when dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    ports: Vec<u16>,
    processes: Vec<Option<Takings>>,
}

impl Cluster {
    /// So many processes, none of which runs yet.
    pub fn of(processes: usize) -> Cluster {
        let ports = (0..processes).map(|_| port::free()).collect::<Vec<_>>();
        let cluster = Cluster {
            folder: tempfile::tempdir().expect("a folder"),
            ports,
            processes: (0..processes).map(|_| None).collect(),
        };
        for process in 0..processes {
            cluster.lead(process, &cluster.ports);
        }
        cluster
    }

    /// How many there are.
    pub fn processes(&self) -> usize {
        self.ports.len()
    }

    /// The port that a process listens on.
    pub fn port(&self, process: usize) -> u16 {
        self.ports[process]
    }

    /// The command that runs a process with these words.
    pub fn command(&self, process: usize, words: &str) -> String {
        format!("{words} --hosts {} --process {process}", self.hosts(process).display())
    }

    /// Makes a process reach the others at other ports than they listen on.
    pub fn lead(&self, process: usize, ports: &[u16]) {
        // Names and addresses serve alike.
        let host = |index: usize| if index.is_multiple_of(2) { "127.0.0.1" } else { "localhost" };
        let lines: Vec<String> = ports.iter().enumerate().map(|(at, port)| format!("{}:{port}", host(at))).collect();
        std::fs::write(self.hosts(process), lines.join("\n")).expect("written");
    }

    fn hosts(&self, process: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("hosts-{process}"))
    }

    /// Starts one process with these words.
    pub fn start(&mut self, process: usize, words: &str) {
        self.processes[process] = Some(Takings::start(&self.command(process, words)));
    }

    /// Starts all of them, the last one first.
    pub fn start_all(&mut self, words: &str) {
        for process in (0..self.processes()).rev() {
            self.start(process, words);
        }
    }

    /// One of them.
    pub fn process(&mut self, process: usize) -> &mut Takings {
        self.processes[process].as_mut().expect("it was started")
    }

    /// Waits until all have met.
    pub fn wait_until_met(&mut self) {
        for process in 0..self.processes() {
            self.process(process).wait_for("all are there");
        }
    }

    /// Waits for the end of one of them.
    pub fn end(&mut self, process: usize) -> Ended {
        self.processes[process].take().expect("it was started").wait()
    }

    /// Waits for the end of all that run.
    pub fn end_all(&mut self) -> Vec<Ended> {
        self.processes.iter_mut().filter_map(|process| process.take().map(Takings::wait)).collect()
    }

    /// Kills one of them.
    pub fn kill(&mut self, process: usize) {
        self.processes[process].take().expect("it was started").kill();
    }

    /// What a supervisor does: starts again whatever has ended with the code for that. How many it started.
    ///
    /// # Panics
    /// When one ended in another way.
    pub fn supervise(&mut self, words: &str) -> usize {
        let mut started = 0;
        for process in 0..self.processes() {
            let has_ended = self.processes[process].as_mut().is_none_or(|process| !process.is_running());
            if has_ended {
                if self.processes[process].is_some() {
                    let ended = self.end(process);
                    assert_eq!(ended.code, Some(70), "process {process}:\n{}", ended.log);
                }
                self.start(process, words);
                started += 1;
            }
        }
        started
    }

    /// Waits, as a supervisor does, until `ready` says so.
    pub fn supervise_until(&mut self, what: &str, words: &str, mut ready: impl FnMut() -> bool) {
        wait::until(what, Duration::from_secs(240), || {
            self.supervise(words);
            ready().then_some(())
        });
    }
}
