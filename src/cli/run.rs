//! `takings run`.

use clap::Args;

use super::Exit;
use crate::config::JobArgs;
use crate::job::{self, Stop};

/// Read orders, keep totals
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    job: JobArgs,

    /// Stop, with exit code 0, once everything present at the start is committed
    #[arg(long)]
    until_caught_up: bool,

    /// Wait for the store where another process holds it, and take over when that one ends
    #[arg(long)]
    standby: bool,
}

/// Runs the job until it is stopped or done.
pub fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let mut config = args.job.resolve()?;
    config.until_caught_up = args.until_caught_up;
    config.standby = args.standby;
    let stop = stop_on_signals()?;
    let summary = job::run(&config, &stop)?;
    tracing::info!(
        epoch = summary.epoch,
        records = summary.records,
        commits = summary.commits,
        "stopped; all that was read is committed"
    );
    Ok(Exit::Done)
}

/// A stop that SIGTERM and SIGINT ask for; a second signal ends the process at once.
pub(super) fn stop_on_signals() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        // In this order: the first signal finds the flag unset, and sets it.
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Fault as i32, stop.flag())?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(stop)
}
