//! A process of its own, and what it used.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use procfs::process::Process;
use wait4::Wait4;

/// What a process used from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// From before it was started until it was gone.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// The most memory it held, in bytes.
    pub peak: u64,
}

/// A process that runs.
pub struct Running {
    /// Until it was waited for.
    child: Option<Child>,
    started: Instant,
    log: PathBuf,
}

/// Starts a program; what it says goes to a file that a failure quotes.
pub fn start(command: &mut Command, log: &Path) -> Result<Running> {
    let file = File::create(log).with_context(|| format!("{} can not be made", log.display()))?;
    let started = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("{command:?} can not be started"))?;
    Ok(Running { child: Some(child), started, log: log.to_owned() })
}

/// Runs a program to its end. That it fails is an error.
pub fn run(command: &mut Command, log: &Path) -> Result<Used> {
    start(command, log)?.wait()
}

/// This very program, for its other parts.
pub fn this_program() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// The program that is measured.
pub fn takings() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_takings"));
    command.env("TAKINGS_LOG", "warn");
    command
}

impl Running {
    /// Waits for its end.
    pub fn wait(mut self) -> Result<Used> {
        let used = self.child.take().context("it was waited for")?.wait4()?;
        let wall = self.started.elapsed();
        if !used.status.success() {
            bail!("a process ended with {}:\n{}", used.status, fs::read_to_string(&self.log).unwrap_or_default());
        }
        Ok(Used { wall, cpu: used.rusage.utime + used.rusage.stime, peak: used.rusage.maxrss })
    }

    /// Asks it to stop (SIGTERM), and waits for its end.
    pub fn stop(self) -> Result<Used> {
        if let Some(child) = &self.child {
            crate::support::guard::signal(child, "TERM");
        }
        self.wait()
    }

    /// Since it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// The processor time it has used until now.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = self.process()?.stat()?;
        Ok(Duration::from_secs_f64((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64))
    }

    /// The memory it holds now, in bytes.
    pub fn resident(&self) -> Result<u64> {
        Ok(self.process()?.status()?.vmrss.unwrap_or_default() * 1024)
    }

    fn process(&self) -> Result<Process> {
        let child = self.child.as_ref().context("it was waited for")?;
        Ok(Process::new(i32::try_from(child.id())?)?)
    }

    /// That it still runs; otherwise what it said.
    pub fn check(&mut self) -> Result<()> {
        match self.child.as_mut().context("it was waited for")?.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended with {status}:\n{}", fs::read_to_string(&self.log).unwrap_or_default()),
        }
    }
}

impl Drop for Running {
    /// On the way out of a failure nothing is left behind.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
