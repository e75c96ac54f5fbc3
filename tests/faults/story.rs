//! One run: actions of a seed, one after the other, and what they must leave.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::ground::Ground;
use crate::job::{self, Job};
use crate::oracle::{DEFAULT_CURRENCY, Keeps, recount};
use crate::plan::{Action, Place, Plan, Shape, chance};
use crate::shop::{Placed, Shop, Topic};
use crate::support::wait;
use crate::tables::{Look, differences, read};
use crate::watch::Watch;

/// How long recovery from everything at once may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// So many actions, and a last comparison.
    Actions(usize),
    /// As many as come in this time, and a last comparison.
    Time(Duration),
}

/// A run.
pub struct Story<G: Ground> {
    seed: u64,
    place: Place,
    keeps: Keeps,
    ground: G,
    job: Job,
    shop: Shop,
    plan: Plan,
    /// Decides what records say. Apart from the plan's, so that a change of one leaves the other.
    words: ChaCha8Rng,
    /// Decides moments.
    moments: ChaCha8Rng,
    log: Vec<Placed>,
    look: Box<dyn Look>,
    watch: Watch,
    /// Whether the log has lost what was counted.
    log_has_lost: bool,
    began: Instant,
    done: Vec<Action>,
    counts: BTreeMap<&'static str, u64>,
    /// The job's memory at each comparison: seconds, records, megabytes.
    memory: Vec<(u64, usize, u64)>,
}

impl<G: Ground> Story<G> {
    /// The run of this seed, with nothing done yet.
    pub fn new(seed: u64, place: Place, ground: G) -> Story<G> {
        let keeps = Keeps { orders: chance(seed, 3).random(), facts: chance(seed, 4).random() };
        let (look, watch) = (ground.look(), Watch::start(ground.look()));
        let mut story = Story {
            seed,
            place,
            keeps,
            ground,
            job: Job::new(String::new()),
            shop: Shop::new(),
            plan: Plan::new(seed, place, keeps),
            words: chance(seed, 1),
            moments: chance(seed, 2),
            log: Vec::new(),
            look,
            watch,
            log_has_lost: false,
            began: Instant::now(),
            done: Vec::new(),
            counts: BTreeMap::new(),
            memory: Vec::new(),
        };
        story.job.set(story.settings(&story.ground.job()));
        story
    }

    fn settings(&self, ground: &str) -> String {
        let topics = Topic::ALL.map(Topic::name).join(",");
        let keep = if self.keeps.orders { " --keep-orders" } else { "" };
        let facts = if self.keeps.facts { " --views default,sales_facts" } else { "" };
        format!(
            "{ground} --topics {topics} --default-currency {DEFAULT_CURRENCY} --time-zone Africa/Dakar{keep}{facts}"
        )
    }

    /// Does it all.
    ///
    /// # Panics
    /// At the first difference, with the seed and all actions so far.
    pub fn run(mut self, length: Length) {
        println!("TAKINGS_SEED={} on {:?}, {length:?}, {:?}", self.seed, self.place, self.keeps);
        let goes_on = |story: &Story<G>| match length {
            Length::Actions(count) => story.done.len() < count,
            Length::Time(time) => story.began.elapsed() < time,
        };
        while goes_on(&self) {
            let action = self.plan.next();
            self.act(action);
        }
        self.act(Action::Calm);
        self.audit();
        self.report();
    }

    fn act(&mut self, action: Action) {
        self.done.push(action);
        if matches!(self.place, Place::Servers) && std::env::var_os("TAKINGS_SOAK_MINUTES").is_some() {
            println!("{:6.1} s, action {}: {action:?}", self.began.elapsed().as_secs_f64(), self.done.len());
        }
        *self.counts.entry(action.name()).or_default() += 1;
        let records = match action {
            Action::Abort(count) => self.shop.sell_in_vain(count, &mut self.words),
            _ => self.shop.records(action, &mut self.words),
        };
        self.log_has_lost |= matches!(action, Action::Retain(..) | Action::Renew(_) | Action::LoseLog(..));
        match action {
            Action::Kill => self.job.kill(),
            Action::KillOne(number) => self.job.kill_one(number.into()),
            Action::Terminate => self.job.terminate(),
            Action::Start(shape) => {
                if !self.job.is_started() {
                    self.job.start(shape);
                }
            }
            Action::Freeze(number, millis) => {
                self.job.signal(number.into(), "STOP");
                std::thread::sleep(Duration::from_millis(millis.into()));
                self.job.signal(number.into(), "CONT");
            }
            Action::Upgrade => {
                self.job.kill();
                self.ground.to_last_release();
                self.job.set(self.settings(&self.ground.job()));
            }
            Action::Renew(_) | Action::LoseLog(..) => {
                self.job.terminate();
                self.ground.suffer(action, records, &mut self.moments);
                self.job.set(self.settings(&self.ground.job()));
            }
            Action::AddPartition => {
                self.shop.add_partition();
                self.ground.suffer(action, records, &mut self.moments);
            }
            Action::Audit => self.audit(),
            Action::Calm => self.calm(),
            Action::Sell(_)
            | Action::SellLate(_)
            | Action::Duplicate(_)
            | Action::Correct(_)
            | Action::Cancel(_)
            | Action::Reject(_)
            | Action::List(_)
            | Action::Rate(_) => {
                let placed = self.ground.write(records);
                self.log.extend(placed);
            }
            Action::TearLine => {
                // Nothing that comes later may be written before the rest of the line.
                self.log.extend(self.ground.heal());
                self.ground.suffer(action, records, &mut self.moments);
            }
            _ => self.ground.suffer(action, records, &mut self.moments),
        }
        if self.job.is_started() {
            self.job.tend();
        }
        self.watch.seen();
        // The moment at which the next fault strikes; nothing is waited for.
        std::thread::sleep(Duration::from_millis(self.moments.random_range(0..250)));
    }

    /// Cures everything, waits until every record is committed, and compares every row.
    fn calm(&mut self) {
        self.log.extend(self.ground.heal());
        if !self.job.is_started() {
            self.job.start(Shape { processes: 1, workers: 2 });
        }
        let mut wanted: BTreeMap<(String, String), u64> = BTreeMap::new();
        for Placed { record, .. } in &self.log {
            *wanted.entry((record.topic.name().to_owned(), record.partition.to_string())).or_default() += 1;
        }
        // A view that an upgrade lost is filled by the first commit, for which no record may be left.
        let views = "SELECT count(*) FROM views WHERE view = 'sales_facts'";
        let query = ["SELECT topic, partition, read FROM sources", views].map(str::to_owned);
        let deadline = Instant::now() + PATIENCE;
        wait::until("everything is committed", PATIENCE * 2, || {
            self.job.tend();
            self.watch.seen();
            let seen = self.look.look(&query);
            assert!(Instant::now() < deadline, "not committed: {wanted:?}\nfound {seen:?}\n{}", self.job.log());
            // Before its first start a store has no tables.
            let mut answers = seen.ok()?.into_iter();
            let (mut rows, filled) = (answers.next()?, answers.next()?);
            let is_filled = filled == [[u8::from(self.keeps.facts).to_string()]];
            rows.retain(|row| row[2] != "0");
            let is_there = |row: &Vec<String>| {
                wanted.get(&(row[0].clone(), row[1].clone())).is_some_and(|read| read.to_string() == row[2])
            };
            (is_filled && rows.len() == wanted.len() && rows.iter().all(is_there)).then_some(())
        });
        let expected = recount(&self.log, self.keeps);
        // Where an upgrade left no record to commit, the job may be bringing the tables up to date at this moment.
        let (found, outcomes) = wait::until("every row is read", PATIENCE, || {
            self.job.tend();
            read(self.look.as_mut()).inspect_err(|error| println!("reading again: {error}")).ok()
        });
        let differences = differences(&expected, found, &outcomes);
        assert!(differences.is_empty(), "the store differs from what was written:\n{differences}{}", self.job.log());
        self.finds_itself_right();
        self.memory.push((self.began.elapsed().as_secs(), self.log.len(), self.job.megabytes()));
    }

    /// What the job says of its own totals: that no day differs from the log, and no group is impossible.
    fn finds_itself_right(&mut self) {
        let differing = "SELECT CAST(order_date AS TEXT), shown FROM proven_days WHERE outcome = 'differs'";
        let inconsistent = "SELECT view, key, would_be FROM inconsistent WHERE cured_epoch IS NULL";
        let found = wait::until("the proofs are read", PATIENCE, || {
            self.job.tend();
            self.look.look(&[differing, inconsistent].map(str::to_owned)).ok()
        });
        assert!(found.iter().all(Vec::is_empty), "the job finds itself wrong: {found:?}\n{}", self.job.log());
    }

    fn audit(&mut self) {
        let words = format!("audit {}", self.settings(&self.ground.straight()).replace(" --keep-orders", ""));
        // A broker that was just started may take longer than the audit's patience, and a store that was upgraded is
        // brought up to date by the job first: those are no verdicts.
        let deadline = Instant::now() + PATIENCE;
        let ended = wait::until("an audit reaches a verdict", PATIENCE * 2, || {
            if self.job.is_started() {
                self.job.tend();
            }
            let ended = job::run(&words);
            if !self.job.is_started() && ended.log.contains("brings it up to date") {
                return Some(None);
            }
            // Of what the log lost nothing can be proven, but what it holds still is.
            if self.log_has_lost && ended.code == Some(78) && ended.log.contains("not provable") {
                return Some(None);
            }
            let has_verdict = ended.code != Some(70) && !ended.log.contains("not provable");
            assert!(has_verdict || Instant::now() < deadline, "no verdict:\n{}", ended.log);
            has_verdict.then_some(Some(ended))
        });
        let Some(ended) = ended else { return };
        assert_eq!(ended.code, Some(0), "the audit found a difference:\n{}\n{}", ended.out, ended.log);
    }

    fn report(&self) {
        let seen = self.watch.seen();
        println!(
            "seed {} on {:?}: {} actions in {:.0} s, {} records, no difference; a reader took {} snapshots of {} epochs \
             ({} times without an answer); {} restarts by the supervisor",
            self.seed,
            self.place,
            self.done.len(),
            self.began.elapsed().as_secs_f64(),
            self.log.len(),
            seen.snapshots,
            seen.epochs,
            seen.unanswered,
            self.job.restarts,
        );
        println!("survived: {:?}", self.counts);
        let every = self.memory.len().div_ceil(40).max(1);
        let memory: Vec<String> = self
            .memory
            .iter()
            .step_by(every)
            .map(|(seconds, records, megabytes)| format!("{seconds} s, {records} records: {megabytes} MB"))
            .collect();
        println!("the job's memory: {}", memory.join("; "));
        // A run in which the reader saw nothing shows nothing. How much it saw of a short one is a matter of pace.
        assert!(seen.epochs > 0, "the reader saw nothing");
    }
}

impl<G: Ground> Drop for Story<G> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("TAKINGS_SEED={} on {:?} failed at action {}:", self.seed, self.place, self.done.len());
            for (number, action) in (1..).zip(&self.done) {
                println!("{number:5} {action:?}");
            }
            println!("the job's log:\n{}", self.job.log());
        }
    }
}
