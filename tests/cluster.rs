//! One job in several processes: the same totals whatever their number, and one lost is all ended, each saying
//! which one it was.
//!
//! The moments of faults follow from a printed seed; `TAKINGS_SEED` repeats them, as far as a machine repeats
//! itself.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed is for who repeats a failure")]

mod support;

use std::io::{Read, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::cluster::Cluster;
use support::job::orders;
use support::kafka::Kafka;
use support::link::{Link, Traffic};
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};
use support::wait;

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

/// Orders in a topic of its own, and an empty store for them.
struct Shop {
    generate: String,
    job: String,
    store: String,
}

impl Shop {
    fn new(topic: &str) -> Shop {
        let server = PostgresServer::shared();
        let store = server.url(&server.fresh_database());
        Shop {
            generate: format!(
                "generate --to {} --topic {topic} --corrections 0.03 --cancellations 0.02 --invalid 0.001",
                KAFKA.url()
            ),
            job: format!("--source {} --topics {topic} --store {store}", KAFKA.url()),
            store,
        }
    }

    /// Adds so many orders; the same seed corrects what it made before.
    fn add(&self, orders: u32, seed: u64) {
        takings(&format!("{} --orders {orders} --days 60 --seed {seed}", self.generate)).done();
    }

    fn run(&self) -> String {
        format!("run {}", self.job)
    }

    fn applied(&self) -> i64 {
        let read = || -> Option<i64> {
            let mut client = postgres::Client::connect(&self.store, postgres::NoTls).ok()?;
            client.query_one("SELECT coalesce(sum(applied), 0)::bigint FROM sources", &[]).ok()?.try_get(0).ok()
        };
        read().unwrap_or(0)
    }

    /// Waits until so many orders are counted while all of the cluster runs.
    fn wait_for(&self, orders: i64, cluster: &mut Cluster) {
        wait::until(format!("{orders} orders"), Duration::from_secs(240), || {
            for process in 0..cluster.processes() {
                let log = cluster.process(process).log();
                assert!(cluster.process(process).is_running(), "process {process} ended:\n{log}");
            }
            (self.applied() == orders).then_some(())
        });
    }

    fn audit(&self) {
        let audit = takings(&format!("audit {}", self.job)).done();
        assert!(audit.out.contains("no difference"), "{}", audit.out);
    }
}

#[test]
fn any_number_of_processes_and_workers_gives_the_same_totals() {
    let shop = Shop::new("spread");
    for (seed, (processes, workers)) in (1..).zip([(3, 2), (1, 2), (2, 1)]) {
        shop.add(6_000, seed);
        let words = format!("{} --workers {workers} --until-caught-up", shop.run());
        if processes == 1 {
            takings(&words).done();
        } else {
            let mut cluster = Cluster::of(processes);
            cluster.start_all(&words);
            for (process, ended) in cluster.end_all().into_iter().enumerate() {
                let ended = ended.done();
                assert!(ended.log.contains("all are there"), "process {process}:\n{}", ended.log);
            }
        }
        shop.audit();
        assert_eq!(shop.applied(), 6_000 * seed as i64);
    }
}

#[test]
fn every_view_of_the_whole_shop_is_the_same_on_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let (log, store) = (folder.path().join("log"), folder.path().join("shop.db"));
    let topics = "product_sold,transactions,product_listings,feedback";
    takings(&format!(
        "generate --to {} --topics {topics} --orders 5000 --days 30 --products 200 --seed 8",
        log.display()
    ))
    .done();
    let job = format!("--source {} --topics {topics} --store sqlite:{} --keep-orders", log.display(), store.display());
    let mut cluster = Cluster::of(2);
    cluster.start_all(&format!("run {job} --workers 2 --until-caught-up"));
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    let audit = takings(&format!("audit {job}")).done();
    assert!(audit.out.contains("no difference"), "{}", audit.out);
    // The state of all is built anew from what is stored, in other places.
    takings(&format!(
        "generate --to {} --topics {topics} --append --orders 2000 --days 30 --products 200 --seed 9",
        log.display()
    ))
    .done();
    let mut cluster = Cluster::of(3);
    cluster.start_all(&format!("run {job} --until-caught-up"));
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    let audit = takings(&format!("audit {job}")).done();
    assert!(audit.out.contains("no difference"), "{}", audit.out);
}

#[test]
fn a_lost_process_ends_all_and_each_says_which_it_was() {
    let shop = Shop::new("lost");
    shop.add(2_000, 1);
    let mut cluster = Cluster::of(3);
    // Whoever is lost, and by what: the others go on together when they are started again.
    for (lost, signal, said) in [(2, "KILL", "closed the connection"), (0, "KILL", ""), (1, "STOP", "was not heard")] {
        cluster.start_all(&shop.run());
        cluster.process(0).wait_for("the store is ours");
        shop.wait_for(2_000, &mut cluster);
        cluster.process(lost).signal(signal);
        let others = (0..3).filter(|process| *process != lost);
        for process in others {
            let ended =
                cluster.end(process).refused(70, &[&format!("lost process {lost} at"), "go on from the last commit"]);
            // Whether its own connection tells first or another process does.
            assert!(ended.log.contains(said) || ended.log.contains("Connection reset"), "{}", ended.log);
        }
        if signal == "STOP" {
            cluster.process(lost).signal("CONT");
            // It notices its own absence, or hears what the others made of it.
            let ended = cluster.end(lost).refused(70, &[]);
            let said = ["was stopped for", "lost process 1"];
            assert!(said.iter().any(|said| ended.log.contains(said)), "{}", ended.log);
        } else {
            cluster.kill(lost);
        }
    }
    shop.add(1_000, 2);
    cluster.start_all(&shop.run());
    shop.wait_for(3_000, &mut cluster);
    cluster.process(1).signal("TERM");
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    shop.audit();
}

#[test]
fn a_cut_network_ends_all() {
    let shop = Shop::new("cut");
    shop.add(500, 1);
    for (traffic, said) in [(Traffic::Stands, "was not heard for"), (Traffic::Cut, "closed the connection")] {
        let mut cluster = Cluster::of(2);
        let network = Link::to(cluster.port(0));
        cluster.lead(1, &[network.port(), cluster.port(1)]);
        cluster.start_all(&shop.run());
        cluster.wait_until_met();
        shop.wait_for(500, &mut cluster);
        network.set(traffic);
        for process in 0..2 {
            let ended = cluster.end(process).refused(70, &[&format!("lost process {} at", 1 - process)]);
            assert!(ended.log.contains(said) || ended.log.contains("Connection reset"), "{}", ended.log);
        }
    }
    shop.audit();
}

#[test]
fn a_stop_of_any_process_commits_what_all_have_read() {
    let shop = Shop::new("stops");
    shop.add(3_000, 1);
    let mut cluster = Cluster::of(2);
    for stopped in [1, 0] {
        cluster.start_all(&shop.run());
        cluster.wait_until_met();
        cluster.process(stopped).signal("TERM");
        for ended in cluster.end_all() {
            ended.done();
        }
    }
    takings(&format!("{} --until-caught-up", shop.run())).done();
    shop.audit();
}

#[test]
fn other_settings_and_versions_are_refused() {
    let shop = Shop::new("differs");
    shop.add(100, 1);
    let mut cluster = Cluster::of(2);
    cluster.start(0, &format!("{} --until-caught-up", shop.run()));
    cluster.process(0).wait_for("waiting for process 1");

    // A version of its own time, of which only the first line's one field is known.
    let mut stranger = std::net::TcpStream::connect(("127.0.0.1", cluster.port(0))).unwrap();
    stranger.write_all(b"{\"takings\": \"99.1.0\", \"later\": [1]}\n").unwrap();
    let mut answer = String::new();
    stranger.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("refused") && answer.contains("99.1.0"), "{answer}");
    // And no takings at all.
    let mut stranger = std::net::TcpStream::connect(("127.0.0.1", cluster.port(0))).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    cluster.process(0).wait_for("is no process of this job");

    cluster.start(1, &format!("{} --until-caught-up --time-zone Africa/Douala", shop.run()));
    let said =
        ["time_zone is UTC in process 0, and Africa/Douala in process 1", "start all processes with the same settings"];
    cluster.end(1).refused(78, &said);
    cluster.start(1, &format!("{} --until-caught-up --workers 3", shop.run()));
    cluster.end(1).refused(78, &["workers is 1 in process 0, and 3 in process 1"]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("differs.jsonl"), "").unwrap();
    assert!(cluster.process(0).is_running(), "{}", cluster.process(0).log());
    // The right one is still welcome.
    cluster.start(1, &format!("{} --until-caught-up", shop.run()));
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    assert_eq!(shop.applied(), 100);

    // Another log shows once process 0 says which one it reads.
    cluster.start(0, &format!("{} --until-caught-up", shop.run()));
    cluster.start(1, &format!("run --source {} --topics differs --until-caught-up", elsewhere.path().display()));
    cluster.end(1).refused(78, &["reads the log", "give all the same --source"]);
    cluster.end(0).refused(70, &["process 1 at", "ended", "reads the log"]);
}

#[test]
fn a_fault_of_one_process_is_told_by_all() {
    let shop = Shop::new("told");
    KAFKA.create_topic("told", 2);
    let bad: Vec<_> =
        (0..2_000).map(|id| support::kafka::Message::new(id.to_string(), r#"{"total": 1}"#).in_partition(1)).collect();
    KAFKA.produce("told", &bad);
    let mut cluster = Cluster::of(2);
    cluster.start_all(&shop.run());
    cluster.end(1).refused(78, &["told", "could not be read", "--max-rejected-share"]);
    cluster.end(0).refused(70, &["process 1 at", "could not be read"]);
}

/// Each process knows the topics whose offsets it reads by, whoever has said where to start.
#[test]
fn a_topic_that_another_process_reads_and_that_is_created_anew_ends_all() {
    let (listings, sold) = ("product_listings", "product_sold");
    KAFKA.create_topic(listings, 1);
    KAFKA.create_topic(sold, 1);
    KAFKA.produce(sold, &orders(0..10));
    let server = PostgresServer::shared();
    let store = server.url(&server.fresh_database());
    let job = format!("--source {} --topics {listings},{sold} --store {store}", KAFKA.url());
    let shop = Shop { generate: String::new(), job, store };
    let mut cluster = Cluster::of(2);
    cluster.start_all(&shop.run());
    shop.wait_for(10, &mut cluster);
    // The topics have a partition each: the second is process 1's, to which the old one turns into the new one in no time.
    cluster.process(1).signal("STOP");
    KAFKA.delete_topic(sold);
    KAFKA.create_topic(sold, 1);
    KAFKA.produce(sold, &orders(100..150));
    cluster.process(1).signal("CONT");
    cluster.end(1).refused(78, &[sold, "deleted and created anew", "its id was", "start again"]);
    cluster.end(0).refused(70, &["process 1 at", "deleted and created anew"]);
    assert_eq!(shop.applied(), 10, "nothing of it was read");
}

#[test]
fn memory_that_one_process_lacks_is_why_all_end() {
    let shop = Shop::new("lacks_memory");
    shop.add(500, 1);
    for lacking in [1, 0] {
        let mut cluster = Cluster::of(2);
        cluster.start(1 - lacking, &shop.run());
        // It has more than that as soon as it is there.
        cluster.start(lacking, &format!("{} --memory-limit 32MiB", shop.run()));
        let said = ["of memory are in use, close to the limit of 32.0 MiB", "raise the limit"];
        cluster.end(lacking).refused(78, &said);
        let who = format!("process {lacking} at");
        cluster.end(1 - lacking).refused(78, &[&who, "in order", said[0], said[1]]);
    }
}

/// Whoever waits for a server at the start is neither lost nor left behind.
#[test]
fn an_end_before_the_start_is_told_and_heard() {
    let shop = Shop::new("not_begun");
    shop.add(100, 1);
    let nowhere = support::port::free();
    let without_kafka = format!("run --source kafka://127.0.0.1:{nowhere} --topics not_begun");
    let without_store =
        format!("run --source {} --topics not_begun --store postgres://x@127.0.0.1:{nowhere}/x", KAFKA.url());
    // Stopped while it waits for Kafka.
    let mut cluster = Cluster::of(2);
    cluster.start(0, &shop.run());
    cluster.start(1, &without_kafka);
    cluster.process(1).wait_for("waiting:");
    cluster.process(0).wait_for("the store is ours");
    cluster.process(1).signal("TERM");
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    // Process 0 is, while both wait.
    let mut cluster = Cluster::of(2);
    cluster.start(0, &without_store);
    cluster.start(1, &without_kafka);
    for process in 0..2 {
        cluster.process(process).wait_for("waiting:");
    }
    cluster.process(0).signal("TERM");
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    // Process 1 ends while process 0 waits for its store.
    let mut cluster = Cluster::of(2);
    cluster.start(0, &without_store);
    cluster.start(1, &format!("{without_kafka} --kafka-option no.such.option=1"));
    cluster.end(1).refused(78, &["no.such.option"]);
    cluster.end(0).refused(70, &["process 1 at", "ended", "no.such.option"]);
}

#[test]
fn a_partition_added_while_a_cluster_runs_is_read() {
    let shop = Shop::new("wider");
    shop.add(300, 1);
    let mut cluster = Cluster::of(2);
    cluster.start_all(&shop.run());
    shop.wait_for(300, &mut cluster);
    KAFKA.add_partitions("wider", 8);
    shop.add(300, 2);
    cluster.process(0).wait_for("has a new partition");
    shop.wait_for(600, &mut cluster);
    cluster.process(0).signal("TERM");
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    shop.audit();
}

#[test]
fn a_cluster_stands_by_and_takes_over() {
    let shop = Shop::new("standby");
    shop.add(500, 1);
    let mut first = Takings::start(&shop.run());
    first.wait_for("the store is ours");
    let mut cluster = Cluster::of(2);
    cluster.start_all(&format!("{} --standby", shop.run()));
    cluster.process(0).wait_for("standing by");
    first.kill();
    shop.add(500, 2);
    cluster.process(0).wait_for("the store is ours");
    shop.wait_for(1_000, &mut cluster);
    cluster.process(0).signal("TERM");
    cluster.end_all().into_iter().for_each(|ended| drop(ended.done()));
    shop.audit();
}

#[test]
fn under_a_supervisor_a_cluster_survives_its_processes() {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let shop = Shop::new("supervised");
    let mut cluster = Cluster::of(3);
    let words = format!("{} --workers 2", shop.run());
    cluster.start_all(&words);
    let mut orders = 0;
    for round in 1..=6 {
        shop.add(2_000, round);
        orders += 2_000;
        let moment = Instant::now() + Duration::from_millis(chance.random_range(0..1_500));
        while Instant::now() < moment {
            cluster.supervise(&words);
            std::thread::yield_now();
        }
        let process = chance.random_range(0..3);
        let signal = ["KILL", "STOP"][chance.random_range(0..2)];
        println!("round {round}: {signal} to process {process}");
        if cluster.process(process).is_running() {
            cluster.process(process).signal(signal);
        }
        if signal == "KILL" {
            cluster.kill(process);
            cluster.start(process, &words);
        } else {
            // It is the others that notice; what its own supervisor does is up to the one who stopped it. One that
            // has not met it yet, because the round before ended a moment ago, waits for it as for one that is away.
            let other = (process + 1) % 3;
            wait::until("another ends, or waits", Duration::from_secs(120), || {
                let other = cluster.process(other);
                (!other.is_running() || !other.log().contains("all are there")).then_some(())
            });
            cluster.process(process).signal("CONT");
        }
        cluster.supervise_until("all is counted", &words, || shop.applied() == orders);
    }
    cluster.supervise_until("the last start", &words, || shop.applied() == orders);
    drop(cluster);
    shop.audit();
}
