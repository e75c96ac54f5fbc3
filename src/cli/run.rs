//! `takings run`.

use std::net::SocketAddr;

use clap::Args;

use super::Exit;
use super::serve::ServeArgs;
use crate::config::JobArgs;
use crate::job::{self, Stop};
use crate::service::Running;

/// Read orders, keep totals
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    job: JobArgs,

    /// Stop, with exit code 0, once everything present at the start is committed
    #[arg(long)]
    until_caught_up: bool,

    /// Serve the totals as well, on this address; see `takings serve`
    // Not TAKINGS_LISTEN, which a host exports for a service of its own.
    #[arg(long, env = "TAKINGS_SERVE", value_name = "ADDR")]
    serve: Option<SocketAddr>,

    /// With --serve: the bearer token that clients must send, or file:PATH of a file that holds it
    // It does not require --serve: the variable may be there for `takings serve`.
    #[arg(long, env = "TAKINGS_TOKEN", hide_env_values = true)]
    token: Option<String>,

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
    let serving = match args.serve {
        Some(listen) => {
            let service = ServeArgs { store: config.store.clone(), listen, token: args.token.clone() };
            let mut service = service.config()?;
            service.held = Some(config.held.clone());
            let serving = Running::start(service)?;
            tracing::info!("serving on http://{}", serving.address());
            Some(serving)
        }
        None => {
            if args.token.is_some() {
                tracing::info!("nothing is served, so the token is not used; --serve says on which address");
            }
            None
        }
    };
    let outcome = job::run(&config, &stop);
    if let Some(serving) = serving {
        serving.stop();
    }
    let summary = outcome?;
    if config.hosts.as_ref().is_some_and(|hosts| hosts.process() > 0) {
        tracing::info!("stopped; process 0 has committed what was read");
        return Ok(Exit::Done);
    }
    tracing::info!(
        epoch = summary.epoch,
        records = summary.records,
        commits = summary.commits,
        "stopped; {}",
        if summary.is_cut_short { "the last epoch is not committed" } else { "all that was read is committed" }
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
