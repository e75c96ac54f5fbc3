//! The command line: one file per subcommand.

mod audit;
mod check;
mod demo;
mod generate;
mod run;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::job;

/// Live sales totals, exact to the cent.
#[derive(Debug, Parser)]
#[command(name = "takings", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// How log lines look
    #[arg(long, global = true, env = "TAKINGS_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read orders, keep totals
    Run(run::RunArgs),
    /// Serve a store's totals: a live page, a REST API, events and metrics
    Serve(serve::ServeArgs),
    /// A synthetic shop, its totals and the live page, with no server: a file log and SQLite
    Demo(demo::DemoArgs),
    /// Make a synthetic shop's events
    Generate(generate::GenerateArgs),
    /// Recount the log the plain way and compare every total and counter; exit code 1 on a difference
    Audit(audit::AuditArgs),
    /// Rehearse everything a run needs, and change nothing
    Check(check::CheckArgs),
}

/// What a process's end means. Scripts depend on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A check found a difference.
    Difference = 1,
    /// A fault that a restart may cure.
    Fault = 70,
    /// The configuration, or the log or the store that it names, must be changed first.
    Configuration = 78,
}

/// Runs the command, prints what it has to say, and tells the exit code (2 is clap's, for usage).
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    end_on_panic();
    let outcome = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Generate(args) => generate::run(args),
        Command::Audit(args) => audit::run(&args),
        Command::Check(args) => check::run(&args),
    };
    let exit = outcome.unwrap_or_else(|error| {
        tracing::error!("{}", job::chain(error.as_ref()));
        exit_of(&error)
    });
    ExitCode::from(exit as u8)
}

/// A panic on any thread ends the process: a job without one of its workers would wait for it for ever.
#[expect(clippy::disallowed_methods, reason = "other threads can not be unwound, and the kernel frees the locks")]
fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        tracing::error!("a fault of takings ended the process; nothing is lost, a restart goes on: {panic}");
        std::process::exit(Exit::Fault as i32);
    }));
}

/// Which exit code an error means.
fn exit_of(error: &anyhow::Error) -> Exit {
    use crate::audit::AuditError;
    use crate::config::ConfigError;
    use crate::job::JobError;
    use crate::service::ServeError;
    use crate::source::SourceError;
    use crate::store::StoreError;

    let is_configuration = error.chain().any(|cause| {
        cause.is::<ConfigError>()
            || cause.is::<ServeError>()
            // What the log lost does not come back, and a topic that is not named is not there the next time either.
            || matches!(cause.downcast_ref(), Some(AuditError::NotProvable(_) | AuditError::UnknownTopic(_)))
            || cause.downcast_ref::<JobError>().is_some_and(JobError::is_configuration)
            || cause.downcast_ref::<SourceError>().is_some_and(SourceError::is_configuration)
            || cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_configuration)
    });
    if is_configuration { Exit::Configuration } else { Exit::Fault }
}

fn start_log(format: LogFormat) {
    use tracing_subscriber::EnvFilter;

    let filter = std::env::var("TAKINGS_LOG").ok().filter(|wanted| !wanted.is_empty());
    // Errors are told in any case: `warning` is no level, so it would name a module and turn off all else.
    let filter = filter.and_then(|wanted| EnvFilter::try_new(format!("error,{wanted}")).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info,refinery_core=warn,refinery=warn"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt().with_ansi(colours).with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => lines.json().init(),
    }
}
