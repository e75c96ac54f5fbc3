//! Topics as they really are: they grow, lose their head, are deleted and created anew. On a real Kafka.
//!
//! Each of these either changes no total, or stops the job before it reads what is not what it was.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::LazyLock;

use support::job::{Job, NOON, dated, order, orders};
use support::kafka::{Kafka, Message};
use support::takings::{Takings, takings};

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

const HOUR: i64 = 3_600_000;

/// A topic that takes timestamps of any time.
const ANY_TIME: &[(&str, &str)] = &[("message.timestamp.after.max.ms", "9223372036854775807")];

fn at_zero(messages: Vec<Message>) -> Vec<Message> {
    messages.into_iter().map(|message| message.in_partition(0)).collect()
}

#[test]
fn orders_that_move_to_a_new_partition_are_decided_by_time() {
    KAFKA.create_topic_with("moved", 1, ANY_TIME);
    let record = |id: &str, amount: &str, partition, at| order(id, amount).in_partition(partition).at(at);
    KAFKA.produce(
        "moved",
        &[
            record("a", "10", 0, NOON),
            record("b", "10", 0, NOON + HOUR),
            // A clock that is years ahead dates none of the records after it.
            record("c", "10", 0, 4_102_444_800_000),
            record("d", "10", 0, NOON),
            record("b", "11", 0, NOON),
        ],
    );
    let job = Job::of(&KAFKA, "moved");
    let mut running = job.start();
    job.until_read(&mut running, 5);
    assert_eq!(job.total(), "41.000000 4", "b: the later record of a partition counts, whatever its clock says");
    KAFKA.add_partitions("moved", 2);
    // The producers hash keys over two partitions now: a and d are written to the new one.
    KAFKA.produce("moved", &[record("a", "20", 1, NOON + 2 * HOUR), record("d", "20", 1, NOON + 2 * HOUR)]);
    job.until_read(&mut running, 7);
    assert_eq!(job.total(), "61.000000 4");
    // A producer that has not noticed yet writes to the old one: what is older is no correction.
    KAFKA.produce("moved", &[record("a", "30", 0, NOON + HOUR), record("d", "30", 0, NOON + 3 * HOUR)]);
    job.until_read(&mut running, 9);
    assert_eq!(job.total(), "71.000000 4");
    running.signal("TERM");
    running.wait().done();
    job.audit();
    // A replay decides as the first run did: what comes now takes back what was counted.
    KAFKA.produce("moved", &[record("a", "1", 1, NOON + 4 * HOUR), record("d", "1", 0, NOON + 4 * HOUR)]);
    job.caught_up().done();
    assert_eq!(job.total(), "23.000000 4");
    assert_eq!((job.count("corrections"), job.count("superseded")), (6, 1));
    job.audit();
}

#[test]
fn what_retention_took_after_it_was_read_is_counted_still() {
    KAFKA.create_topic_with("aged", 1, ANY_TIME);
    let old = |id: &str, amount: &str| dated(id, amount, "2026-11-20");
    KAFKA.produce("aged", &[old("1", "5").at(NOON - 48 * HOUR), old("2", "5").at(NOON - 48 * HOUR)]);
    KAFKA.produce("aged", &[order("3", "5").at(NOON)]);
    let job = Job::of(&KAFKA, "aged");
    job.caught_up().done();
    KAFKA.delete_records_before("aged", 0, 2);
    // Of 1 nothing is known any more: what corrects it counts as an order of its own, and is counted so. 3 is known.
    KAFKA.produce("aged", &[old("1", "7").at(NOON), order("3", "6").at(NOON)]);
    job.caught_up().done();
    assert_eq!(
        job.rows("SELECT total_sales, orders FROM sales_per_day ORDER BY order_date"),
        ["17.000000 3", "6.000000 1"]
    );
    assert_eq!((job.count("beyond_horizon"), job.count("corrections")), (1, 1));

    // And where nothing is left of the partition.
    KAFKA.delete_records_before("aged", 0, 5);
    job.caught_up().done();
    KAFKA.produce("aged", &[old("2", "9").at(NOON), order("4", "1").at(NOON)]);
    job.caught_up().done();
    assert_eq!(
        job.rows("SELECT total_sales, orders FROM sales_per_day ORDER BY order_date"),
        ["26.000000 4", "7.000000 2"]
    );
    assert_eq!(job.count("beyond_horizon"), 2);
}

/// Only what was gone before it was read is unknown: to a store that was made then, at each of its starts.
#[test]
fn what_is_kept_is_known_whatever_retention_took() {
    const TOPIC: &str = "kept_and_aged";
    KAFKA.create_topic_with(TOPIC, 1, ANY_TIME);
    let old = |id: &str, amount: &str| dated(id, amount, "2026-11-20");
    KAFKA.produce(TOPIC, &[old("1", "5").at(NOON - 48 * HOUR), order("2", "5").at(NOON)]);
    let with_facts = "--views default,sales_facts";
    let complete_from = "SELECT complete_from FROM views WHERE view IN ('sales_per_day', 'sales_facts') ORDER BY view";
    let from_the_first = Job::with(&KAFKA, TOPIC, "--keep-orders");
    from_the_first.caught_up().done();
    KAFKA.delete_records_before(TOPIC, 0, 1);
    let too_late = Job::with(&KAFKA, TOPIC, "--keep-orders");
    too_late.caught_up().done();
    KAFKA.produce(TOPIC, &[old("1", "7").at(NOON), old("new", "1").at(NOON), order("2", "6").at(NOON)]);
    for job in [&from_the_first, &too_late] {
        job.caught_up().done();
    }
    KAFKA.delete_records_before(TOPIC, 0, 4);
    KAFKA.produce(TOPIC, &[old("newer", "1").at(NOON + HOUR), old("1", "8").at(NOON + HOUR)]);
    for (job, beyond_horizon, corrections, complete) in
        [(&from_the_first, 0, 3, ["-", "-"]), (&too_late, 3, 2, ["2026-11-22", "2026-11-22"])]
    {
        job.caught_up_with(with_facts).done();
        assert_eq!((job.count("beyond_horizon"), job.count("corrections")), (beyond_horizon, corrections));
        let by_day = ["10.000000 3", "6.000000 1"];
        assert_eq!(job.rows("SELECT total_sales, orders FROM sales_per_day ORDER BY order_date"), by_day);
        assert_eq!(job.rows(complete_from), complete);
    }
}

/// The one case in which a restart decides otherwise than the run before; orders that are kept have no such limit.
#[test]
fn what_retention_left_in_another_partition_is_taken_for_the_newest() {
    KAFKA.create_topic_with("partly", 2, ANY_TIME);
    let record = |amount: &str, partition, at| order("a", amount).in_partition(partition).at(at);
    KAFKA.produce("partly", &[record("10", 0, NOON), record("20", 1, NOON + HOUR)]);
    let (job, with_orders) = (Job::of(&KAFKA, "partly"), Job::with(&KAFKA, "partly", "--keep-orders"));
    for job in [&job, &with_orders] {
        job.caught_up().done();
        assert_eq!(job.total(), "20.000000 1");
    }
    KAFKA.delete_records_before("partly", 1, 1);
    KAFKA.produce("partly", &[record("30", 1, NOON + 2 * HOUR)]);
    job.caught_up().done();
    assert_eq!(job.total(), "40.000000 1", "the older version was taken back, which the newer one had replaced");
    with_orders.caught_up().done();
    assert_eq!(with_orders.total(), "30.000000 1");
}

#[test]
fn what_retention_took_from_a_job_that_was_behind_stops_it() {
    KAFKA.create_topic("behind", 1);
    KAFKA.produce("behind", &at_zero(orders(0..10)));
    let job = Job::of(&KAFKA, "behind");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    running.signal("STOP");
    // Several fetches: the first of them may be on its way already.
    for first in 1..=20 {
        let filler = Message::new("filler", vec![b' '; 900_000]).in_partition(0);
        KAFKA.produce("behind", &[filler]);
        KAFKA.produce("behind", &at_zero(orders(first * 100..first * 100 + 1)));
    }
    KAFKA.delete_records_before("behind", 0, 50);
    running.signal("CONT");
    running.wait().refused(78, &["behind/0", "is no longer in the log", "start again"]);
    let committed = job.count("\"offset\"");
    let first = format!("offsets {committed} to 49 are gone from the log before they were read");
    job.caught_up().refused(78, &["behind/0", &first, "--resume-at behind/0=50"]);
    job.caught_up_with("--resume-at behind/0=50").done();
    assert_eq!(job.count("read"), committed, "nothing was there to read, and nothing was doubled");
    KAFKA.produce("behind", &at_zero(orders(9_000..9_001)));
    job.caught_up().done();
    assert_eq!(job.count("read"), committed + 1);
}

/// Nothing was ever read of these partitions; what they had would have counted.
#[test]
fn what_retention_took_of_partitions_that_never_had_a_record_stops_the_next_start() {
    const TOPIC: &str = "behind_from_the_first";
    let [job, before] = [(); 2].map(|()| Job::of(&KAFKA, TOPIC));
    KAFKA.create_topic(TOPIC, 2);
    KAFKA.produce(TOPIC, &at_zero(orders(0..10)));
    for job in [&job, &before] {
        job.caught_up().done();
        let epoch = job.rows("SELECT epoch FROM job");
        job.caught_up().done();
        assert_eq!(job.rows("SELECT epoch FROM job"), epoch, "a log at rest writes nothing");
        assert_eq!(job.rows("SELECT partition, \"offset\", read FROM sources ORDER BY 1"), ["0 10 10", "1 0 0"]);
    }
    // Earlier versions wrote no row of a partition that never had a record.
    before.execute("DELETE FROM sources WHERE partition = 1");
    KAFKA.add_partitions(TOPIC, 3);
    for partition in [1, 2] {
        let ids = partition as u32 * 100;
        let records: Vec<_> = orders(ids..ids + 20).into_iter().map(|order| order.in_partition(partition)).collect();
        KAFKA.produce(TOPIC, &records);
        KAFKA.delete_records_before(TOPIC, partition, 15);
    }
    let [first, second] = [1, 2].map(|partition| format!("--resume-at {TOPIC}/{partition}=15"));
    for job in [&job, &before] {
        let gone = "offsets 0 to 14 are gone from the log before they were read";
        job.caught_up().refused(78, &[&format!("{TOPIC}/1: {gone}"), &first]);
        job.caught_up_with(&first).refused(78, &[&format!("{TOPIC}/2: {gone}"), &second]);
        assert_eq!(job.total(), "10.000000 10");
        job.caught_up_with(&format!("{first} {second}")).done();
        job.caught_up().done();
        assert_eq!(job.total(), "20.000000 20");
        assert_eq!(
            job.rows("SELECT partition, passed_over, read FROM sources ORDER BY 1"),
            ["0 - 10", "1 [[0,15]] 5", "2 [[0,15]] 5"]
        );
    }
}

/// What the log lost before anybody wanted it is no loss; what it lost since is, of whatever partition.
#[test]
fn a_topic_that_is_new_to_the_store_starts_where_its_log_does() {
    const TOPICS: &str = "old_topic,old_topics_friend";
    let friend = |partition, ids| {
        let records: Vec<_> = orders(ids).into_iter().map(|order| order.in_partition(partition)).collect();
        KAFKA.produce("old_topics_friend", &records);
    };
    KAFKA.create_topic("old_topic", 1);
    KAFKA.create_topic("old_topics_friend", 3);
    KAFKA.produce("old_topic", &orders(0..3));
    for partition in 0..2 {
        friend(partition, 0..5);
        KAFKA.delete_records_before("old_topics_friend", partition, if partition == 0 { 3 } else { 5 });
    }
    let job = Job::of(&KAFKA, "old_topic");
    job.caught_up().done();
    let both = format!("{} --until-caught-up", job.run_words().replace("old_topic", TOPICS));
    takings(&both).done();
    assert_eq!(job.total(), "5.000000 5");
    assert_eq!(
        job.rows("SELECT partition, \"offset\", read FROM sources WHERE topic = 'old_topics_friend' ORDER BY 1"),
        ["0 5 2", "1 5 0", "2 0 0"]
    );
    friend(1, 100..120);
    KAFKA.delete_records_before("old_topics_friend", 1, 10);
    takings(&both).refused(78, &["old_topics_friend/1: offsets 5 to 9 are gone", "--resume-at old_topics_friend/1=10"]);
    takings(&format!("{both} --resume-at old_topics_friend/1=10")).done();
    assert_eq!(job.total(), "20.000000 20");
    takings(&both.replace("run ", "audit ").replace("--until-caught-up", "")).done();
}

/// Nothing was counted of an empty partition, so a topic that was created anew took nothing of it.
#[test]
fn an_empty_partition_of_a_topic_created_anew_needs_no_word() {
    const TOPIC: &str = "anew_and_empty";
    KAFKA.create_topic(TOPIC, 3);
    KAFKA.produce(TOPIC, &at_zero(orders(0..5)));
    for partition in [1, 2] {
        KAFKA.produce(TOPIC, &[order("gone", "1").in_partition(partition)]);
        KAFKA.delete_records_before(TOPIC, partition, 1);
    }
    let job = Job::of(&KAFKA, TOPIC);
    job.caught_up().done();
    assert_eq!(job.rows("SELECT partition, \"offset\" FROM sources ORDER BY 1"), ["0 5", "1 1", "2 1"]);
    KAFKA.delete_topic(TOPIC);
    KAFKA.create_topic(TOPIC, 2);
    KAFKA.produce(TOPIC, &[order("10", "1").in_partition(0), order("11", "1").in_partition(1)]);
    job.caught_up().refused(78, &["anew_and_empty/0", "created anew"]);
    job.caught_up_with(&format!("--resume-at {TOPIC}/0=0")).done();
    assert_eq!(job.total(), "7.000000 7");
    job.caught_up().done();
    assert_eq!(job.rows("SELECT partition, \"offset\", read FROM sources ORDER BY 1"), ["0 1 6", "1 1 1", "2 1 0"]);
}

#[test]
fn what_was_passed_over_is_never_taken_for_counted() {
    KAFKA.create_topic("passed_over", 1);
    KAFKA.produce("passed_over", &orders(0..10));
    let jobs = ["", "--keep-orders"].map(|with| {
        let job = Job::with(&KAFKA, "passed_over", with);
        job.caught_up().done();
        job
    });
    KAFKA.produce("passed_over", &orders(10..15));
    for job in &jobs {
        job.caught_up_with("--resume-at passed_over/0=15").done();
        assert_eq!(job.rows("SELECT passed_over FROM sources"), ["[[10,15]]"]);
    }
    KAFKA.produce("passed_over", &orders(20..22));
    for job in &jobs {
        job.caught_up().done();
    }
    // The log says that 11 and 12 were there; the totals never had them.
    KAFKA.produce("passed_over", &[order("11", "7"), Message::tombstone("12"), order("3", "5")]);
    for job in &jobs {
        job.caught_up().done();
        assert_eq!(job.total(), "23.000000 13");
        assert_eq!((job.count("corrections"), job.count("applied")), (1, 13));
        let told = job.audit().out;
        assert!(told.contains("offsets 10 to 14 were passed over"), "{told}");
    }
}

#[test]
fn a_topic_created_anew_between_runs_is_told_by_its_id() {
    // Fewer records than were counted, as many, and more; the new ones dated before the old ones.
    for (topic, later) in [("anew_with_fewer", 3), ("anew_with_as_many", 10), ("anew_with_more", 30)] {
        KAFKA.create_topic_with(topic, 1, ANY_TIME);
        KAFKA.produce(topic, &orders(0..10).into_iter().map(|order| order.at(NOON)).collect::<Vec<_>>());
        let job = Job::of(&KAFKA, topic);
        job.caught_up().done();
        let was = job.rows("SELECT topic_id FROM sources");
        KAFKA.delete_topic(topic);
        KAFKA.create_topic_with(topic, 1, ANY_TIME);
        let new: Vec<_> = orders(100..100 + later).into_iter().map(|order| order.at(NOON - HOUR)).collect();
        KAFKA.produce(topic, &new);
        let resume = format!("--resume-at {topic}/0=0");
        job.caught_up().refused(78, &[topic, "created anew", &was[0], &resume]);
        assert_eq!(job.total(), "10.000000 10", "nothing of it was read");
        job.caught_up_with(&resume).done();
        assert_eq!(job.total(), format!("{0}.000000 {0}", 10 + later));
        job.caught_up().done();
        assert_eq!(job.count("read"), i64::from(10 + later), "told once, it knows the new topic");
    }
}

/// What became of records is kept by their places, and those of the new topic are the same.
#[test]
fn what_became_of_both_topics_records_is_kept() {
    let jobs = ["", "--keep-orders"].map(|with| Job::with(&KAFKA, "twice", with));
    for amount in ["1", "3"] {
        KAFKA.create_topic("twice", 1);
        KAFKA.produce("twice", &[order(amount, "1"), Message::new("x", "no order"), order(amount, "2")]);
        for job in &jobs {
            let with = if amount == "1" { "" } else { "--resume-at twice/0=0" };
            job.caught_up_with(with).done();
            job.caught_up().done();
        }
        if amount == "1" {
            KAFKA.delete_topic("twice");
        }
    }
    for job in &jobs {
        assert_eq!(job.total(), "4.000000 2");
        for table in ["rejected", "corrections"] {
            let kept = job.rows(&format!("SELECT \"offset\" FROM {table} ORDER BY epoch"));
            let offset = if table == "rejected" { "1" } else { "2" };
            assert_eq!((kept, job.count(table)), (vec![offset.to_owned(); 2], 2), "{table}");
        }
    }
}

/// What restarts a job repeats its command for ever, and the job starts again by itself where partitions are added.
#[test]
fn a_command_to_go_on_that_is_repeated_counts_nothing_twice() {
    const TOPIC: &str = "resumed_again";
    let jobs = ["", "--keep-orders"].map(|with| Job::with(&KAFKA, TOPIC, with));
    KAFKA.create_topic(TOPIC, 2);
    KAFKA.produce(TOPIC, &at_zero(orders(0..10)));
    for job in &jobs {
        job.caught_up().done();
        // Where they go on anyway, and in a partition that never held a record.
        let told = job.caught_up_with(&format!("--resume-at {TOPIC}/0=10 --resume-at {TOPIC}/1=0")).done().log;
        assert!(!told.contains("as told"), "{told}");
        assert_eq!(job.rows("SELECT partition, incarnation, read FROM sources ORDER BY 1"), ["0 0 10", "1 0 0"]);
    }
    KAFKA.delete_topic(TOPIC);
    KAFKA.create_topic(TOPIC, 1);
    KAFKA.produce(TOPIC, &orders(100..105));
    for job in &jobs {
        for _ in 0..2 {
            job.caught_up_with(&format!("--resume-at {TOPIC}/0=0")).done();
            assert_eq!((job.total(), job.count("read")), ("15.000000 15".to_owned(), 15));
        }
        let told = job.caught_up_with(&format!("--resume-at {TOPIC}/0=2")).done().log;
        assert!(told.contains("--resume-at offset 2 is passed over, since the log holds"), "{told}");
    }
    let [job, _] = &jobs;
    let mut running = Takings::start(&format!("{} --resume-at {TOPIC}/0=0", job.run_words()));
    KAFKA.add_partitions(TOPIC, 2);
    KAFKA.produce(TOPIC, &[order("new", "1").in_partition(1), order("more", "1").in_partition(0)]);
    job.until_read(&mut running, 17);
    running.signal("TERM");
    running.wait().done();
    assert_eq!((job.total(), job.count("read")), ("17.000000 17".to_owned(), 17));
    assert_eq!(job.count("duplicates"), 0);
}

/// Its offsets begin anew and its clock lies before, and yet whatever it says came later.
#[test]
fn what_a_topic_created_anew_corrects_is_corrected() {
    const TOPIC: &str = "anew_with_corrections";
    let job = Job::with(&KAFKA, TOPIC, "--keep-orders");
    let goes_on = format!("--resume-at {TOPIC}/0=0");
    let ones = || orders(0..10).into_iter().map(|order| order.at(NOON)).collect::<Vec<_>>();
    let before = |message: Message| message.at(NOON - HOUR);
    let renew = |records: &[Message]| {
        KAFKA.delete_topic(TOPIC);
        KAFKA.create_topic_with(TOPIC, 1, ANY_TIME);
        KAFKA.produce(TOPIC, records);
    };
    KAFKA.create_topic_with(TOPIC, 1, ANY_TIME);
    KAFKA.produce(TOPIC, &ones());
    job.caught_up().done();
    renew(&[before(order("7", "5")), before(Message::tombstone("8")), before(order("9", "1"))]);
    job.caught_up_with(&goes_on).done();
    assert_eq!(job.total(), "13.000000 9");
    // The next start loads what it was, and knows which log each version is of.
    KAFKA.produce(TOPIC, &[before(order("7", "2")), before(order("9", "4")), before(order("8", "3"))]);
    job.caught_up().done();
    assert_eq!(job.total(), "16.000000 10");
    renew(&[before(order("7", "1"))]);
    job.caught_up_with(&goes_on).done();
    assert_eq!(job.total(), "15.000000 10");
    assert_eq!(job.rows("SELECT incarnation FROM sources"), ["2"]);
    assert_eq!(
        job.rows("SELECT order_id, incarnation, \"offset\" FROM orders WHERE order_id > '6' ORDER BY 1"),
        ["7 2 0", "8 1 5", "9 1 4"]
    );
    let [applied, duplicates, superseded] = ["applied", "duplicates", "superseded"].map(|counter| job.count(counter));
    assert_eq!((applied, duplicates, superseded), (10, 1, 0));
}

#[test]
fn a_topic_created_anew_while_running_stops_the_job_before_it_reads_it() {
    for (topic, later) in [("anew_running", 3), ("anew_running_with_more", 50)] {
        KAFKA.create_topic_with(topic, 1, ANY_TIME);
        KAFKA.produce(topic, &at_zero(orders(0..10)));
        let job = Job::of(&KAFKA, topic);
        let mut running = job.start();
        job.until_read(&mut running, 10);
        KAFKA.delete_topic(topic);
        KAFKA.create_topic_with(topic, 1, ANY_TIME);
        KAFKA.produce(topic, &at_zero(orders(100..100 + later)));
        let ended = running.wait();
        assert!(ended.log.contains("deleted"), "{}", ended.log);
        ended.refused(78, &[topic, "start again"]);
        assert_eq!(job.total(), "10.000000 10", "nothing of it was read");
        job.caught_up().refused(78, &[topic, "created anew", "--resume-at"]);
    }
}

#[test]
fn a_topic_deleted_while_the_job_can_not_look_is_told_by_its_id() {
    KAFKA.create_topic_with("anew_unseen", 1, ANY_TIME);
    KAFKA.produce("anew_unseen", &at_zero(orders(0..10)));
    let job = Job::of(&KAFKA, "anew_unseen");
    let mut running = job.start();
    job.until_read(&mut running, 10);
    // To the job the old topic turns into the new one in no time.
    running.signal("STOP");
    KAFKA.delete_topic("anew_unseen");
    KAFKA.create_topic_with("anew_unseen", 1, ANY_TIME);
    KAFKA.produce("anew_unseen", &at_zero(orders(100..150)));
    running.signal("CONT");
    running.wait().refused(78, &["anew_unseen", "deleted and created anew", "its id was", "start again"]);
    assert_eq!(job.total(), "10.000000 10", "nothing of it was read");
}

#[test]
fn a_topic_that_is_compacted_and_deleted_is_refused() {
    KAFKA.create_topic_with("both", 1, &[("cleanup.policy", "compact,delete")]);
    Job::of(&KAFKA, "both").caught_up().refused(78, &["both", "compact,delete", "cleanup.policy=delete"]);
}

#[test]
fn a_job_without_a_topic_of_orders_runs() {
    let rated =
        r#"{"feedback_id": "f-1", "product_id": 1042, "user_id": 7, "rating": 4, "comment": "", "timestamp": ""}"#;
    let listed = r#"{"product_id": 1042, "name": "Kettle", "category": "Kitchen", "price": 49.90, "timestamp": ""}"#;
    for (topic, record) in [("feedback", rated), ("product_listings", listed)] {
        KAFKA.create_topic_with(topic, 1, &[("cleanup.policy", "compact")]);
        KAFKA.produce(topic, &[Message::new("1", record)]);
    }
    for (topics, read) in [("feedback", 1), ("product_listings", 1), ("feedback,product_listings", 2)] {
        let job = Job::of(&KAFKA, topics);
        job.caught_up().done();
        job.caught_up().done();
        assert_eq!((job.count("read"), job.count("rejected")), (read, 0), "{topics}");
        job.audit();
    }
}

#[test]
fn partitions_without_a_record_hold_nothing_back() {
    KAFKA.create_topic("sparse", 50);
    KAFKA.produce("sparse", &[order("1", "1").in_partition(7), order("2", "1").in_partition(49)]);
    let job = Job::with(&KAFKA, "sparse", "--workers 2");
    job.caught_up().done();
    assert_eq!(job.total(), "2.000000 2");
    let mut running = job.start();
    KAFKA.produce("sparse", &[order("3", "1").in_partition(30)]);
    job.until_read(&mut running, 3);
    running.signal("TERM");
    running.wait().done();
    job.audit();
}
