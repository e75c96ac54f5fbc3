//! `takings audit`.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Exit;
use crate::audit::{self, AuditSettings, Rules, StoredState};
use crate::config::JobArgs;
use crate::job;
use crate::store::{Recovered, StoreError, StoreUrl};

/// Recount the log the plain way and compare every total and counter
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(flatten)]
    job: JobArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Audits a store as its last commit left it; a job may go on meanwhile.
pub fn run(args: &AuditArgs) -> anyhow::Result<Exit> {
    let mut config = args.job.resolve()?;
    let (stored, recovered) = crate::store::open(&StoreUrl::parse(&config.store)?)?.look()?;
    // What is a payload, and what is too long to be one, is the log's to decide as well.
    config.payload_limit = stored.payload_limit as usize;
    let log = job::open_log(&config)?;
    if stored.log != log.identity() {
        return Err(
            StoreError::Settings { setting: "source", stored: stored.log, given: log.identity().to_owned() }.into()
        );
    }
    // The totals were made under the store's settings, whatever this command was told.
    let settings = AuditSettings {
        rules: Rules {
            time_zone: stored.time_zone.parse().map_err(|_| {
                StoreError::Corrupt(format!("its time zone {:?} is none that this takings knows", stored.time_zone))
            })?,
            default_currency: stored.default_currency,
            ..Rules::of(&config)
        },
        topics: stored.topics,
        // What a running job has yet to fill has no rows to compare.
        views: stored.views.into_iter().filter(|view| !recovered.to_fill.contains(view)).collect(),
        top: stored.top.into(),
        volume_window: stored.volume_window,
        correction_window: stored.correction_window,
    };
    for (topic, stored) in stored.formats {
        let given = settings.rules.topic(&topic).describe();
        if given != stored {
            let (stored, given) = (format!("{topic}: {stored}"), format!("{topic}: {given}"));
            return Err(StoreError::Settings { setting: "mapping", stored, given }.into());
        }
    }
    let records: u64 = recovered.partitions.iter().map(|state| state.counters.read).sum();
    let Recovered { rows, partitions, incomplete, inconsistent, .. } = recovered;
    let state = StoredState { rows, partitions, incomplete, inconsistent };

    let bar = ProgressBar::new(records).with_style(
        ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} records, {msg}")
            .context("drawing the progress bar")?,
    );
    let report = audit::run(log.as_ref(), state, &settings, &mut |read, partition| {
        bar.set_position(read);
        bar.set_message(format!("{}/{}", partition.topic, partition.partition));
    })?;
    bar.finish_and_clear();

    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.is_clean() { Exit::Done } else { Exit::Difference })
}
