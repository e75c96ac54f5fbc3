//! The results, as a page.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::Options;
use crate::drain::{Drains, THREADS};
use crate::live::{Live, Paced};
use crate::shop::Shop;
use crate::workload::Truth;

const BEGIN: &str = "<!-- end_to_end: written by `make bench` -->";
const END: &str = "<!-- end of end_to_end -->";

/// One figure of a steady rate.
type Figure = fn(&Paced) -> f64;

/// Everything that was measured.
pub struct Report<'a> {
    /// What was asked.
    pub options: &'a Options,
    /// What was read.
    pub truth: &'a Truth,
    /// Catching up.
    pub drains: &'a Drains,
    /// Keeping up.
    pub live: &'a Live,
    /// All views, with products.
    pub shop: &'a Shop,
}

impl Report<'_> {
    /// Replaces the part of `benches/RESULTS.md` that is this bench's.
    pub fn write(&self) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
        let page = fs::read_to_string(&path).unwrap_or_else(|_| format!("# Results\n\n{BEGIN}\n{END}\n"));
        let (before, rest) = page.split_once(BEGIN).context("benches/RESULTS.md has no place for these results")?;
        let (_, after) = rest.split_once(END).context("benches/RESULTS.md has no end of these results")?;
        fs::write(&path, format!("{before}{BEGIN}\n{self}{END}{after}"))
            .with_context(|| format!("{} can not be written", path.display()))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { options, truth, drains, live, shop } = self;
        writeln!(f, "\n## The whole, beside the floor\n")?;
        writeln!(f, "`make bench` on {}, {}.\n", machine(), chrono::Utc::now().format("%Y-%m-%d"))?;
        writeln!(
            f,
            "{} messages of {} bytes ({} orders, 1 % sent twice, 1 % corrected; {} partitions; 20 categories, 3 \
             currencies, 400 days in random order), from a real Kafka into a real PostgreSQL with its durable defaults, \
             broker and database on the same cores. The best of {}, each from an empty store. Every table was compared \
             with the truth to the cent after every run, and `takings audit` found no difference.\n",
            truth.messages,
            truth.bytes / truth.messages,
            options.orders,
            options.partitions,
            options.repeat
        )?;
        writeln!(f, "| threads | floor, s | takings, s | ratio | peak memory, MB | CPU, s | rows written |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for (best, threads) in drains.best.iter().zip(THREADS) {
            let (floor, takings) = (best.floor.wall.as_secs_f64(), best.takings.wall.as_secs_f64());
            writeln!(
                f,
                "| {threads} | {floor:.2} | {takings:.2} | {:.2} | {} | {:.2} | {} |",
                takings / floor,
                best.takings.peak / 1_000_000,
                best.takings.cpu.as_secs_f64(),
                best.rows
            )?;
        }
        writeln!(
            f,
            "\nFrom process start to process end. The floor reads the same topic with librdkafka, tuned and polled in \
             the same way, and throws the records away (peak {} MB).\n",
            drains.best[0].floor.peak / 1_000_000
        )?;
        writeln!(
            f,
            "A reader that compared the sums of all tables while takings caught up saw them disagree in {} of {} looks.\n",
            drains.looks.torn, drains.looks.all
        )?;
        writeln!(
            f,
            "| {} orders/s for {} s, one worker | mostly today | any of 400 days |",
            options.rate, options.seconds
        )?;
        writeln!(f, "|---|---|---|")?;
        let both = |pick: Figure| (pick(&live.today), pick(&live.any_day));
        let rows: [(&str, Figure); 5] = [
            ("produced to committed, p50, ms", |paced| paced.percentile(0.5)),
            ("p99, ms", |paced| paced.percentile(0.99)),
            ("worst, ms", |paced| paced.percentile(1.0)),
            ("CPU, % of a core", |paced| paced.cpu * 100.0),
            ("commits seen a second", |paced| paced.commits),
        ];
        for (name, pick) in rows {
            let (today, any_day) = both(pick);
            writeln!(f, "| {name} | {today:.1} | {any_day:.1} |")?;
        }
        writeln!(
            f,
            "\nAn order's time runs from the producer's call until a reader that was notified of the commit has read the \
             offset behind it. Idle: {:.1} % of a core, {} MB with {} million orders within the horizon. Restarted on \
             that store: {:.1} s until the first new order was committed.",
            live.idle_cpu * 100.0,
            live.idle_memory / 1_000_000,
            options.orders as f64 / 1e6,
            live.restart.as_secs_f64()
        )?;
        writeln!(f, "{shop}")
    }
}

/// The machine, as it names itself.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name").and_then(|rest| rest.split_once(": ")))
        .map_or("an unnamed processor", |(_, model)| model);
    format!("{cores} cores of {model}")
}
