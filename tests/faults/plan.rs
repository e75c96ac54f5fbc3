//! What happens, derived from a seed: the same seed gives the same list, however long it is asked for.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::oracle::Keeps;
use crate::shop::Topic;
use crate::support::link::Traffic;

/// How many processes of how many workers a job has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub processes: u8,
    pub workers: u8,
}

/// One thing that happens. Numbers of records are of the shop's own making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// New orders.
    Sell(u16),
    /// New orders with dates of long ago.
    SellLate(u16),
    /// Records of before, once more.
    Duplicate(u16),
    /// Orders get other content.
    Correct(u16),
    /// Orders are cancelled, some of them unknown.
    Cancel(u16),
    /// Records that can not be read.
    Reject(u16),
    /// Listings are made, changed and withdrawn.
    List(u16),
    /// Feedback is given, changed and taken back.
    Rate(u16),
    /// Orders in a transaction that is aborted.
    Abort(u16),
    /// Half a line of an order; the rest comes with what is written next.
    TearLine,
    /// `kill -9` of all the job's processes.
    Kill,
    /// `kill -9` of one of them; the others must end by themselves.
    KillOne(u8),
    /// SIGTERM to the job, which ends in an orderly way.
    Terminate,
    /// The job is started, with so many processes and workers.
    Start(Shape),
    /// One of the job's processes stands still for so many milliseconds (SIGSTOP, SIGCONT).
    Freeze(u8, u16),
    /// On the way to Kafka.
    ToKafka(Traffic),
    /// On the way to PostgreSQL.
    ToPostgres(Traffic),
    /// What this server has to say on the connections that are open never arrives, though they stay open.
    LoseAnswers(Server),
    /// Kafka is killed or stopped, and started again.
    RestartKafka {
        /// Whether it is killed.
        kill: bool,
    },
    /// Kafka stands still for so many milliseconds.
    FreezeKafka(u16),
    /// PostgreSQL is killed or stopped.
    StopPostgres {
        /// Whether it is killed.
        kill: bool,
    },
    /// And started again.
    StartPostgres,
    /// A reader holds the database file, for so many milliseconds: its snapshot keeps the log of it from
    /// being taken in, or its lock keeps writers out.
    HoldFile {
        /// How long.
        millis: u16,
        /// Whether it keeps writers out.
        alone: bool,
    },
    /// The topic of orders has one partition more.
    AddPartition,
    /// Retention takes so many hundredths of what one of a topic's partitions was ever given.
    Retain(Topic, u8, u8),
    /// A topic is deleted and created anew, and the job is told to count on in it.
    Renew(Topic),
    /// One of a topic's partitions loses all that it holds, as by an unclean leader that had nothing, and the job is
    /// told to count on in it.
    LoseLog(Topic, u8),
    /// The job is killed, and its store is as the last release would have left it.
    Upgrade,
    /// `takings audit` while all goes on.
    Audit,
    /// All faults are cured, all records are committed, and everything is compared.
    Calm,
}

impl Action {
    /// How it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Action::Sell(_) => "orders made",
            Action::SellLate(_) => "late orders made",
            Action::Duplicate(_) => "records repeated",
            Action::Correct(_) => "orders corrected",
            Action::Cancel(_) => "orders cancelled",
            Action::Reject(_) => "bad records",
            Action::List(_) => "listings",
            Action::Rate(_) => "feedback",
            Action::Abort(_) => "aborted transactions",
            Action::TearLine => "half lines",
            Action::Kill => "kill -9 of the job",
            Action::KillOne(_) => "kill -9 of one process",
            Action::Terminate => "SIGTERM to the job",
            Action::Start(Shape { processes: 1, .. }) => "starts of the job",
            Action::Start(_) => "starts as a cluster",
            Action::Freeze(..) => "SIGSTOP of a process",
            Action::ToKafka(Traffic::Cut) => "cuts to Kafka",
            Action::ToKafka(Traffic::Stands) => "black holes to Kafka",
            Action::ToKafka(Traffic::Crawls) => "slow ways to Kafka",
            Action::LoseAnswers(Server::Kafka) | Action::ToKafka(Traffic::Lost) => "answers of Kafka lost",
            Action::LoseAnswers(Server::Postgres) | Action::ToPostgres(Traffic::Lost) => "answers of PostgreSQL lost",
            Action::ToPostgres(Traffic::Cut) => "cuts to PostgreSQL",
            Action::ToPostgres(Traffic::Stands) => "black holes to PostgreSQL",
            Action::ToPostgres(Traffic::Crawls) => "slow ways to PostgreSQL",
            Action::ToKafka(Traffic::Flows) | Action::ToPostgres(Traffic::Flows) => "ways free again",
            Action::RestartKafka { kill: true } => "kill -9 of Kafka",
            Action::RestartKafka { kill: false } => "restarts of Kafka",
            Action::FreezeKafka(_) => "SIGSTOP of Kafka",
            Action::StopPostgres { kill: true } => "kill -9 of PostgreSQL",
            Action::StopPostgres { kill: false } => "stops of PostgreSQL",
            Action::StartPostgres => "starts of PostgreSQL",
            Action::HoldFile { alone: true, .. } => "locks held by others",
            Action::HoldFile { alone: false, .. } => "snapshots held by others",
            Action::AddPartition => "partitions added",
            Action::Retain(..) => "cuts by retention",
            Action::Renew(_) => "topics created anew",
            Action::LoseLog(..) => "partitions emptied",
            Action::Upgrade => "upgrades from the last release",
            Action::Audit => "audits meanwhile",
            Action::Calm => "comparisons",
        }
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Kafka,
    Postgres,
}

/// Where it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Kafka and PostgreSQL.
    Servers,
    /// A file log and SQLite.
    Files,
}

/// Partitions of orders at the start, and at the most.
pub const PARTITIONS: (u16, u16) = (3, 7);

/// Chance of a seed. What is decided by another stream of it leaves this one as it is.
pub fn chance(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(stream);
    chance
}

/// The list, one action after the other.
pub struct Plan {
    chance: ChaCha8Rng,
    /// Decides what concerns clusters alone, so that older seeds still give the lists that they gave before.
    shapes: ChaCha8Rng,
    /// Decides when answers are lost, and whose: for the same reason.
    losses: ChaCha8Rng,
    /// Decides what is lost of the log, and when.
    retention: ChaCha8Rng,
    is_cluster: bool,
    place: Place,
    /// Whether the log may lose what was counted. Where orders are not kept, no plain recount says what becomes of a
    /// correction then.
    may_lose_log: bool,
    /// Whether one began anew, of which the last release knew nothing.
    has_begun_anew: bool,
    /// What the actions so far have come to, as far as sensible actions follow from it.
    job_runs: bool,
    database_runs: bool,
    ways: [Traffic; 2],
    partitions: u16,
    since_calm: u32,
    is_new: bool,
    is_first: bool,
}

impl Plan {
    /// The list of this seed.
    pub fn new(seed: u64, place: Place, keeps: Keeps) -> Plan {
        Plan {
            chance: chance(seed, 0),
            shapes: chance(seed, 4),
            losses: chance(seed, 5),
            retention: chance(seed, 6),
            is_cluster: false,
            place,
            may_lose_log: place == Place::Servers && keeps.orders,
            has_begun_anew: false,
            job_runs: false,
            database_runs: true,
            ways: [Traffic::Flows; 2],
            partitions: PARTITIONS.0,
            since_calm: 0,
            is_new: true,
            is_first: true,
        }
    }

    /// The next action.
    pub fn next(&mut self) -> Action {
        // Beside the list, which stays as it was. Recovery takes up to a minute each time.
        let may_lose = self.place == Place::Servers && self.job_runs && self.database_runs && !self.is_first;
        if may_lose && self.losses.random_ratio(1, 50) {
            let server = if self.losses.random() { Server::Kafka } else { Server::Postgres };
            return Action::LoseAnswers(server);
        }
        // Only what is counted may be lost: where it is not, the job ends and says so, which is a test of its own.
        let is_calm = self.since_calm == 0 && !self.is_new;
        if is_calm && self.may_lose_log && self.retention.random_ratio(1, 3) {
            let action = self.lose_log();
            self.note(action);
            return action;
        }
        loop {
            let action = self.draw();
            if self.is_sensible(action) {
                self.note(action);
                return action;
            }
        }
    }

    fn lose_log(&mut self) -> Action {
        let chance = &mut self.retention;
        let topic = match chance.random_range(0..5) {
            0 => Topic::Feedback,
            1 => Topic::ProductListings,
            _ => Topic::ProductSold,
        };
        let partition = chance.random();
        match chance.random_range(0..4) {
            0 => Action::Renew(topic),
            1 => Action::LoseLog(topic, partition),
            _ => Action::Retain(topic, partition, chance.random_range(1..=100)),
        }
    }

    fn draw(&mut self) -> Action {
        let chance = &mut self.chance;
        // There is something to catch up with, and to be killed in the middle of.
        if std::mem::take(&mut self.is_first) {
            return Action::Sell(chance.random_range(2_000..6_000));
        }
        if self.since_calm >= 6 && chance.random_ratio(1, 4) {
            return Action::Calm;
        }
        // What is broken is cured after an action or two, more often than not.
        if !self.job_runs && chance.random_ratio(2, 3) {
            let processes = if self.shapes.random_ratio(1, 3) { self.shapes.random_range(2..=3) } else { 1 };
            return Action::Start(Shape { processes, workers: chance.random_range(1..=3) });
        }
        if !self.database_runs && chance.random_ratio(1, 2) {
            return Action::StartPostgres;
        }
        for (way, act) in [(0, Action::ToKafka as fn(Traffic) -> Action), (1, Action::ToPostgres)] {
            if self.ways[way] != Traffic::Flows && chance.random_ratio(1, 3) {
                return act(Traffic::Flows);
            }
        }
        let trouble = [Traffic::Cut, Traffic::Stands, Traffic::Crawls][chance.random_range(0..3)];
        match chance.random_range(0..100) {
            0..13 => Action::Sell(chance.random_range(20..300)),
            13..14 => Action::Sell(chance.random_range(1_000..4_000)),
            14..18 => Action::SellLate(chance.random_range(1..40)),
            18..24 => Action::Duplicate(chance.random_range(1..60)),
            24..34 => Action::Correct(chance.random_range(1..80)),
            34..39 => Action::Cancel(chance.random_range(1..30)),
            39..42 => Action::Reject(chance.random_range(1..6)),
            42..46 => Action::List(chance.random_range(1..6)),
            46..50 => Action::Rate(chance.random_range(1..20)),
            50..52 => Action::Abort(chance.random_range(1..20)),
            52..55 => Action::TearLine,
            55..66 if self.is_cluster && self.shapes.random_ratio(1, 2) => Action::KillOne(self.shapes.random()),
            55..66 => Action::Kill,
            66..70 => Action::Terminate,
            70..74 => {
                let millis = chance.random_range(50..2_500);
                // Now and then for so long that the others of a cluster end without it.
                let is_long = self.is_cluster && self.shapes.random_ratio(1, 3);
                Action::Freeze(self.shapes.random(), if is_long { 7_000 } else { millis })
            }
            74..78 => Action::ToKafka(trouble),
            78..83 => Action::ToPostgres(trouble),
            83..85 => Action::RestartKafka { kill: chance.random() },
            85..86 => Action::FreezeKafka(chance.random_range(50..3_000)),
            86..90 => Action::StopPostgres { kill: chance.random() },
            90..94 => Action::HoldFile { millis: chance.random_range(20..1_500), alone: chance.random() },
            94..95 => Action::AddPartition,
            95..97 => Action::Upgrade,
            97..99 => Action::Audit,
            _ => Action::Calm,
        }
    }

    fn is_sensible(&self, action: Action) -> bool {
        let on_servers = self.place == Place::Servers;
        match action {
            Action::Start(_) => !self.job_runs,
            // An orderly end waits for the store: that is a test of its own.
            Action::Terminate => self.job_runs && self.database_runs && self.ways == [Traffic::Flows; 2],
            Action::Kill | Action::KillOne(_) | Action::Freeze(..) => self.job_runs,
            Action::Abort(_) | Action::RestartKafka { .. } | Action::FreezeKafka(_) => on_servers,
            Action::ToKafka(traffic) => on_servers && self.ways[0] != traffic,
            Action::ToPostgres(traffic) => on_servers && self.ways[1] != traffic,
            Action::StopPostgres { .. } => on_servers && self.database_runs,
            Action::StartPostgres => on_servers && !self.database_runs,
            Action::HoldFile { .. } => !on_servers && !self.is_new,
            Action::TearLine => !on_servers,
            Action::AddPartition => on_servers && self.partitions < PARTITIONS.1,
            Action::Upgrade if self.has_begun_anew => false,
            Action::Upgrade | Action::Audit => self.database_runs && !self.is_new,
            Action::Calm => self.since_calm > 2,
            _ => true,
        }
    }

    fn note(&mut self, action: Action) {
        self.since_calm += 1;
        match action {
            Action::Start(shape) => (self.job_runs, self.is_cluster) = (true, shape.processes > 1),
            Action::Kill | Action::Terminate | Action::Upgrade => self.job_runs = false,
            // Whoever does it stops the job before.
            Action::Renew(_) | Action::LoseLog(..) => (self.job_runs, self.has_begun_anew) = (false, true),
            Action::ToKafka(traffic) => self.ways[0] = traffic,
            Action::ToPostgres(traffic) => self.ways[1] = traffic,
            Action::StopPostgres { .. } => self.database_runs = false,
            Action::StartPostgres => self.database_runs = true,
            Action::AddPartition => self.partitions += 1,
            Action::Calm => {
                self.is_cluster &= self.job_runs;
                (self.job_runs, self.database_runs, self.is_new) = (true, true, false);
                (self.ways, self.since_calm) = ([Traffic::Flows; 2], 0);
            }
            _ => {}
        }
    }
}
