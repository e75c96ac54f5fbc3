//! `takings demo`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use chrono::TimeDelta;
use clap::Args;
use takings_dataflows::view::View;

use super::Exit;
use super::run::stop_on_signals;
use crate::config::{JobArgs, JobConfig};
use crate::generate::{self, Options, ShopOptions, Topic};
use crate::job;
use crate::service::{Running, ServeConfig};
use crate::store::StoreUrl;

/// A synthetic shop, its totals and the live page, with no server: a file log and SQLite
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Where the page listens
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Orders of the past, before the live ones
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    orders: u64,

    /// Live orders a second
    #[arg(long, value_name = "PER_SECOND", default_value_t = 25.0)]
    rate: f64,

    /// Days of the past
    #[arg(long, value_name = "D", default_value_t = 120)]
    days: u32,

    /// Keep log and store in this folder, and go on from there the next time [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs until it is stopped.
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let stop = stop_on_signals()?;
    let temporary = match args.dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("takings-demo-").tempdir().context("making a temporary folder")?),
    };
    let folder = match (&args.dir, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => unreachable!("one of the two was just made"),
    };
    let log = folder.join("log");
    let store = format!("sqlite:{}", folder.join("totals.db").display());
    std::fs::create_dir_all(&log).with_context(|| format!("making the folder {}", log.display()))?;

    let serving = Running::start(ServeConfig::new(StoreUrl::parse(&store)?, args.listen))?;
    let mut out = std::io::stdout();
    writeln!(out, "takings demo: live totals on http://{}  (Ctrl+C ends it)", serving.address())?;

    let options = |shop| Options { append: true, stop: stop.flag(), ..Options::new(shop, log.display().to_string()) };
    let shop = || ShopOptions { seed: rand::random(), products: 500, until: generate::now(), ..ShopOptions::default() };
    // The log of the past filled as fast as the live one does, or "orders per minute" would show a step.
    let seconds = (args.orders as f64 / args.rate).clamp(60.0, 30.0 * 86_400.0);
    let past = options(ShopOptions {
        orders: Some(args.orders),
        days: args.days,
        recorded_over: TimeDelta::seconds(seconds as i64),
        ..shop()
    });
    let live = || {
        let shop = ShopOptions {
            orders: None,
            rate: Some(args.rate),
            is_live: true,
            // The past has listed it.
            lists_catalogue: false,
            ..shop()
        };
        options(shop)
    };
    let is_new = std::fs::read_dir(&log).context("reading the demo's folder")?.next().is_none();

    let topics = Topic::ALL.map(Topic::name);
    let config = JobArgs::of(&log.display().to_string(), &store).with_topics(&topics).resolve()?;
    // All that a visitor can ask for: each filter with each other, and each number down to its orders.
    let config = JobConfig { keep_orders: true, views: View::ALL.to_vec(), ..config };
    let job_stop = stop.clone();
    let outcome = std::thread::scope(|scope| {
        let selling = scope.spawn(move || -> anyhow::Result<()> {
            if is_new {
                generate::run(past)?;
            }
            generate::run(live())?;
            Ok(())
        });
        // The job waits for the first file by itself.
        let outcome = job::run(&config, &job_stop);
        stop.stop();
        let sold = selling.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the synthetic shop stopped")));
        outcome.map_err(anyhow::Error::from).and(sold)
    });
    serving.stop();
    outcome.map(|()| Exit::Done)
}
