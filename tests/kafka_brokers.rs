//! Brokers as they really are: they stop answering, lose their leaders, their rights and their disks.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use support::job::{Job, order, orders};
use support::kafka::{Kafka, KafkaCluster, Message, produce_through};
use support::link::{FETCH, Link, Traffic};
use support::wait::until;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Of a topic that goes on with a leader that lacks what was acknowledged.
const UNCLEAN: &[(&str, &str)] = &[("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")];

#[test]
fn a_broker_that_stops_answering_is_waited_for() {
    let kafka = Kafka::start();
    kafka.create_topic("paused", 1);
    kafka.produce("paused", &orders(0..10));
    // So that a request that is not answered is given up soon.
    let job = Job::with(&kafka, "paused", "--kafka-option socket.timeout.ms=3000");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    kafka.pause();
    running.wait_for("no contact with Kafka");
    kafka.resume();
    kafka.produce("paused", &orders(10..20));
    job.until_read(&mut running, 20);
    running.wait_for("Kafka answers again");
    // A start waits as well.
    running.signal("TERM");
    running.wait().done();
    kafka.pause();
    let mut waiting = support::takings::Takings::start(&job.run_words());
    waiting.wait_for("is not reachable");
    kafka.resume();
    waiting.wait_for("the store is ours");
    waiting.signal("TERM");
    waiting.wait().done();
    assert_eq!(job.total(), "20.000000 20");
    job.audit();
}

/// Kafka's client waits for an answer that got lost as long as it was told to. There are other ways in which it gets
/// stuck, and none of them tells.
#[test]
fn a_partition_that_stands_still_is_read_on_with_a_new_connection() {
    let link = Link::new();
    let kafka = Kafka::start_behind(&link);
    kafka.create_topic("still", 2);
    kafka.produce("still", &orders(0..10));
    let job = Job::through(&kafka, &link, "still", "--kafka-option socket.timeout.ms=300000");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    link.set(Traffic::Lost);
    // The connection that records come by asks twice a second; that on which partitions are looked for, every ten.
    let are_lost = || link.lost(FETCH) && link.losers() >= 2;
    until("answers on both connections are lost", PATIENCE, || are_lost().then_some(()));
    kafka.produce("still", &orders(10..20));
    link.set(Traffic::Flows);
    running.wait_for("the broker says that there is more");
    job.until_read(&mut running, 20);
    kafka.produce("still", &orders(20..30));
    job.until_read(&mut running, 30);
    running.signal("TERM");
    running.wait().done();
    assert_eq!(job.total(), "30.000000 30");
    job.audit();
}

/// The client that goes on instead of one that is stuck knows nothing of what was read: of any partition, whether it
/// stood still or not.
#[test]
fn a_log_that_was_cut_off_while_its_reader_was_stuck_is_told() {
    let link = Link::new();
    is_told_of_a_log_that_was_cut_off(&link, || {
        link.set(Traffic::Lost);
        until("records are lost on their way", PATIENCE, || link.lost(FETCH).then_some(()));
        // And no other: the job asks on another connection what the broker has.
        link.hold_losers(FETCH);
        link.set(Traffic::Flows);
    });
}

/// One that is not stuck finds it by itself when it connects again, and says so in other words.
#[test]
fn a_log_that_was_cut_off_under_its_reader_is_told() {
    is_told_of_a_log_that_was_cut_off(&Link::new(), || {});
}

/// One that has read nothing since it was started knows the last record that an earlier one counted.
#[test]
fn a_log_that_was_cut_off_under_a_reader_that_read_nothing_is_told() {
    let mut kafka = Kafka::start();
    kafka.create_topic("regrown", 2);
    let of =
        |partition, ids| -> Vec<_> { orders(ids).into_iter().map(|order| order.in_partition(partition)).collect() };
    kafka.produce("regrown", &[of(0, 0..10), of(1, 10..20)].concat());
    let job = Job::of(&kafka, "regrown");
    job.caught_up().done();
    let mut running = job.start();
    // It reads, the other partition.
    kafka.produce("regrown", &of(1, 20..21));
    job.until_read(&mut running, 21);
    running.signal("STOP");
    kafka.stop();
    kafka.lose_records("regrown", 0);
    kafka.restart();
    kafka.produce("regrown", &of(0, 100..114));
    running.signal("CONT");
    running.wait().refused(78, &["regrown/0: the log was cut off before offset 10", "start again"]);
    assert_eq!(job.rows("SELECT read FROM sources WHERE partition = 0"), ["10"], "nothing that stands there now");
    job.caught_up().refused(78, &["regrown/0", "the record at offset 9 is not the one that stood there"]);
}

/// `before`: what becomes of the way to the broker before it loses what was read.
fn is_told_of_a_log_that_was_cut_off(link: &Link, before: impl FnOnce()) {
    let mut kafka = Kafka::start_behind(link);
    kafka.create_topic("regrown", 2);
    let ones = |name: &str, partition, count: u32| -> Vec<_> {
        (0..count).map(|id| order(&format!("{name} {id}"), "1").in_partition(partition)).collect()
    };
    kafka.produce("regrown", &[ones("a", 0, 10), ones("b", 1, 10)].concat());
    let job = Job::through(&kafka, link, "regrown", "--kafka-option socket.timeout.ms=300000");
    let mut running = job.start();
    job.until_read(&mut running, 20);
    before();
    kafka.stop();
    kafka.lose_records("regrown", 0);
    kafka.restart();
    // It ends where it ended before: only the other partition has more.
    kafka.produce("regrown", &[ones("other", 0, 10), ones("more", 1, 10)].concat());
    running.wait().refused(78, &["regrown/0: the log was cut off before offset 10", "start again"]);
    assert_eq!(job.rows("SELECT read FROM sources WHERE partition = 0"), ["10"], "nothing that stands there now");
    job.caught_up().refused(78, &["regrown/0", "the record at offset 9 is not the one that stood there"]);
}

/// Nothing is lost of what was counted, and nobody is needed: the next start goes by what the log still holds.
#[test]
fn what_retention_takes_while_it_is_replayed_is_cured_by_a_restart() {
    let link = Link::new();
    let kafka = Kafka::start_behind(&link);
    kafka.create_topic("replayed", 1);
    // Several fetches: the first of them may be on its way already.
    for first in 0..20 {
        let filler = Message::new("filler", vec![b' '; 900_000]).in_partition(0);
        kafka.produce("replayed", &[filler, order(&first.to_string(), "1")]);
    }
    let job = Job::through(&kafka, &link, "replayed", "");
    job.caught_up().done();
    assert_eq!(job.total(), "20.000000 20");
    link.set(Traffic::Crawls);
    let mut running = job.start();
    running.wait_for("to_replay=40");
    kafka.delete_records_before("replayed", 0, 38);
    link.set(Traffic::Flows);
    running.wait().refused(70, &["again what is committed", "replayed/0", "is no longer in the log", "start again"]);
    kafka.produce("replayed", &[order("20", "1")]);
    job.caught_up().done();
    assert_eq!(job.total(), "21.000000 21");
}

#[test]
fn rights_that_are_taken_away_stop_the_job() {
    let kafka = Kafka::start_set(Kafka::AUTHORIZER);
    kafka.create_topic("guarded", 1);
    kafka.produce("guarded", &orders(0..10));
    let job = Job::of(&kafka, "guarded");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    kafka.deny("Read", "guarded");
    kafka.produce("guarded", &orders(10..20));
    running.wait().refused(78, &["guarded", "the broker refused this client", "sasl"]);
    job.caught_up().refused(78, &["guarded", "the broker refused this client"]);
    kafka.allow("Read", "guarded");
    kafka.deny("Describe", "guarded");
    job.caught_up().refused(78, &["the broker refused this client: guarded", "may not describe", "sasl"]);
    kafka.allow("Describe", "guarded");
    job.caught_up().done();
    assert_eq!(job.total(), "20.000000 20");
    job.audit();
}

#[test]
fn a_damaged_batch_is_never_passed_over() {
    let mut kafka = Kafka::start();
    kafka.create_topic("damaged", 1);
    kafka.produce("damaged", &[order("1", "1")]);
    let [job, behind] = [(); 2].map(|()| Job::of(&kafka, "damaged"));
    job.caught_up().done();
    behind.caught_up().done();
    kafka.produce("damaged", &[order("the damaged one", "1")]);
    kafka.produce("damaged", &[order("3", "1")]);
    kafka.stop();
    kafka.damage("damaged", 0, "the damaged one");
    kafka.restart();
    for _ in 0..2 {
        let told = ["damaged/0: the records at offset 1 are damaged", "CRC32C", "kafka-delete-records.sh"];
        job.caught_up().refused(70, &told);
        assert_eq!(job.count("read"), 1, "nothing after it was read");
    }
    // Whoever goes on behind it can start again as well: a replay does not read it either.
    behind.caught_up_with("--resume-at damaged/0=2").done();
    behind.caught_up().done();
    assert_eq!(behind.total(), "2.000000 2");
    // As the message says: the log is cut after what nobody can read, and from then on it is a log that lost
    // records, of which the next start tells.
    kafka.delete_records_before("damaged", 0, 2);
    job.caught_up().refused(78, &["offsets 1 to 1 are gone", "--resume-at damaged/0=2"]);
    job.caught_up_with("--resume-at damaged/0=2").done();
    assert_eq!(job.total(), "2.000000 2");
}

#[test]
fn leaders_change_and_no_order_is_lost_or_doubled() {
    let mut kafka = KafkaCluster::start();
    kafka.create_topic("led", 3);
    kafka.produce("led", &orders(0..300));
    let job = Job::with(&kafka, "led", "--workers 2");
    let mut running = job.start();
    job.until_read(&mut running, 300);
    let mut sent = 300;
    for partition in 0..3 {
        let leader = kafka.leader("led", partition);
        // Records flow while the leader dies: what is acknowledged is on two brokers.
        let next = orders(sent..sent + 300);
        let (before, after) = next.split_at(150);
        let client = kafka.client();
        std::thread::scope(|scope| {
            scope.spawn(|| before.chunks(10).for_each(|some| _ = produce_through(client.clone(), "led", some)));
            kafka.node(leader).kill();
        });
        kafka.produce("led", after);
        sent += 300;
        job.until_read(&mut running, i64::from(sent));
        kafka.start_again(leader);
        for partition in 0..3 {
            kafka.until_in_sync(3, "led", partition);
        }
    }
    running.signal("TERM");
    running.wait().done();
    assert_eq!(job.total(), format!("{sent}.000000 {sent}"));
    assert_eq!(job.count("read"), i64::from(sent));
    job.audit();
}

#[test]
fn a_leader_without_what_was_acknowledged_stops_the_job() {
    let mut kafka = KafkaCluster::start();
    kafka.create_topic_on("unclean", &[1, 2], UNCLEAN);
    kafka.produce("unclean", &orders(0..10));
    let job = Job::of(&kafka, "unclean");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    // Node 2 is away while node 1 takes more; then only node 2 is left.
    kafka.node(2).kill();
    kafka.produce("unclean", &orders(10..20));
    job.until_read(&mut running, 20);
    kafka.node(1).kill();
    kafka.start_again(2);
    kafka.until_led_by(2, "unclean", 0);
    running.wait().refused(78, &["unclean/0", "start again"]);
    assert_eq!(job.total(), "20.000000 20");
    job.caught_up().refused(78, &["unclean/0", "offset 20 is committed, but the log ends at 10", "--resume-at"]);
}

/// While nobody looks. The start looks for the last record counted, and finds another in its place.
#[test]
fn an_unclean_leader_while_the_job_is_stopped_is_told_by_the_last_record() {
    let mut kafka = KafkaCluster::start();
    kafka.create_topic_on("stopped", &[1, 2], UNCLEAN);
    kafka.produce("stopped", &orders(0..10));
    kafka.until_in_sync(2, "stopped", 0);
    kafka.node(2).kill();
    kafka.produce("stopped", &orders(10..20));
    let (job, with_orders) = (Job::of(&kafka, "stopped"), Job::with(&kafka, "stopped", "--keep-orders"));
    let before = Job::of(&kafka, "stopped");
    for job in [&job, &with_orders, &before] {
        job.caught_up().done();
    }
    kafka.node(1).kill();
    kafka.start_again(2);
    kafka.until_led_by(2, "stopped", 0);
    // The log lost order 19 at offset 19, and corrects it at offset 10.
    kafka.produce("stopped", &[vec![order("19", "3")], orders(20..25)].concat());
    for job in [&job, &with_orders] {
        job.caught_up().refused(
            78,
            &[
                "stopped/0",
                "offset 20 is committed, but the log ends at 16: it was cut off",
                "--resume-at stopped/0=10",
            ],
        );
    }
    // The log has grown past what was read: its end tells nothing any more.
    kafka.produce("stopped", &orders(25..40));
    for (job, total) in [(&job, "43.000000 41"), (&with_orders, "42.000000 40")] {
        let differs = "the record at offset 19 is not the one that stood there";
        job.caught_up().refused(78, &[differs, "unclean.leader.election.enable", "--resume-at stopped/0=10"]);
        assert_eq!(job.total(), "20.000000 20");
        job.caught_up_with("--resume-at stopped/0=10").done();
        assert_eq!(job.total(), total, "all that was ever acknowledged; without kept orders the correction is news");
        job.caught_up().done();
        assert_eq!(job.rows("SELECT incarnation FROM sources"), ["1"]);
    }
    // A store of an earlier schema does not know its last record: a replay sees that what is there is newer.
    before.execute("UPDATE sources SET last_record = NULL");
    before.caught_up().refused(78, &["the record at offset 10 is newer", "--resume-at stopped/0=10"]);
    before.caught_up_with("--resume-at stopped/0=10").done();
    assert_eq!(before.total(), "43.000000 41");
}
