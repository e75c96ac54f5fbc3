//! What a job refuses, and what it says then: each message names what happened and what to do.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::sync::LazyLock;

use support::kafka::{Kafka, Message};
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

fn store() -> String {
    let server = PostgresServer::shared();
    server.url(&server.fresh_database())
}

fn orders(ids: std::ops::Range<u32>) -> Vec<Message> {
    ids.map(|id| {
        let payload = format!(
            r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": 1, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
        );
        Message::new(id.to_string(), payload).in_partition(0)
    })
    .collect()
}

fn caught_up(topic: &str, store: &str) -> support::takings::Ended {
    takings(&format!("run --source {} --topics {topic} --store {store} --until-caught-up", KAFKA.url()))
}

#[test]
fn settings_that_can_not_be_exit_with_78() {
    let kafka = KAFKA.url();
    let postgres = store();
    let run = |words: String| takings(&format!("run {words} --until-caught-up"));
    run(format!("--source {kafka} --store {postgres} --time-zone Mars/Olympus"))
        .refused(78, &["time_zone", "Mars/Olympus"]);
    run(format!("--source {kafka} --store mysql://here")).refused(78, &["store"]);
    run(format!("--source kafka://a/b --store {postgres}")).refused(78, &["source"]);
    run(format!("--store {postgres}")).refused(78, &["source", "is missing"]);
    run(format!("--source {kafka} --store {postgres} --kafka-option no.such.option=1"))
        .refused(78, &["setting `kafka_option`", "no.such.option"]);
    run(format!("--source {kafka} --store {postgres} --kafka-option isolation.level=read_uncommitted"))
        .refused(78, &["isolation.level"]);
    KAFKA.create_topic("refused", 1);
    let nobody = postgres.replacen("postgres://", "postgres://nobody_", 1);
    run(format!("--source {kafka} --topics refused --store {nobody}")).refused(78, &["store"]);
    let nowhere = format!("{postgres}_of_nobody");
    run(format!("--source {kafka} --topics refused --store {nowhere}")).refused(78, &["store", "does not exist"]);
    let usage = takings("run --no-such-flag");
    assert_eq!(usage.code, Some(2));
}

#[test]
fn a_missing_topic_is_waited_for() {
    let store = store();
    let mut running =
        Takings::start(&format!("run --source {} --topics later --store {store} --until-caught-up", KAFKA.url()));
    running.wait_for("topic later does not exist");
    KAFKA.create_topic("later", 1);
    KAFKA.produce("later", &orders(0..5));
    running.wait().done();
}

#[test]
fn a_compacted_topic_is_refused() {
    KAFKA.create_topic_with("compacted", 1, &[("cleanup.policy", "compact")]);
    caught_up("compacted", &store()).refused(78, &["compacted", "cleanup.policy"]);
}

#[test]
fn a_log_that_lost_records_is_refused_with_the_command_to_go_on() {
    KAFKA.create_topic("cut", 1);
    KAFKA.produce("cut", &orders(0..10));
    let store = store();
    caught_up("cut", &store).done();
    KAFKA.produce("cut", &orders(10..20));
    KAFKA.delete_records_before("cut", 0, 15);
    caught_up("cut", &store).refused(78, &["cut/0", "offsets 10 to 14 are gone", "--resume-at cut/0=15"]);
    takings(&format!(
        "run --source {} --topics cut --store {store} --until-caught-up --resume-at cut/0=15",
        KAFKA.url()
    ))
    .done();
    let mut client = postgres::Client::connect(&store, postgres::NoTls).expect("the store");
    let row = client.query_one("SELECT applied, \"offset\" FROM sources", &[]).expect("a partition");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (15, 20));
}

#[test]
fn a_topic_created_anew_is_refused() {
    for (topic, later) in [("anew", 3), ("anew_and_longer", 30)] {
        KAFKA.create_topic(topic, 1);
        KAFKA.produce(topic, &orders(0..10));
        let store = store();
        caught_up(topic, &store).done();
        KAFKA.delete_topic(topic);
        KAFKA.create_topic(topic, 1);
        KAFKA.produce(topic, &orders(100..100 + later));
        caught_up(topic, &store).refused(78, &[topic, "created anew", "--resume-at"]);
    }
}

/// Other lines of the same lengths, and more of them: a line begins where the next one was to be read.
#[test]
fn a_file_that_was_written_anew_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let write = |ids: std::ops::Range<u32>| {
        let line = |id| {
            format!(
                r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": 1, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
            )
        };
        std::fs::write(&path, ids.map(|id| line(id) + "\n").collect::<String>()).expect("written");
    };
    for (with, how) in [("", "put the log back as it was"), ("--keep-orders", "--resume-at product_sold/0=0")] {
        let run = format!(
            "run --source {} --store sqlite:{}/totals.db --until-caught-up {with}",
            folder.path().display(),
            tempfile::tempdir_in(folder.path()).expect("a folder").keep().display()
        );
        write(10..20);
        takings(&run).done();
        write(30..50);
        takings(&run).refused(78, &["product_sold/0", "is not the one that stood there", "written anew", how]);
        write(10..30);
        takings(&run).done();
    }
}

/// Lines of other lengths, as they are where a file is another day's: no line begins where the last one counted did, or
/// where the next one was to be read, and that says no more than another record there would.
#[test]
fn a_file_that_was_written_anew_with_lines_of_other_lengths_is_gone_on_with() {
    let write = |folder: &Path, lines: &[(&str, u32)]| {
        let line = |(id, amount): &(&str, u32)| {
            format!(
                r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": {amount}, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
            ) + "\n"
        };
        std::fs::write(folder.join("product_sold.jsonl"), lines.iter().map(line).collect::<String>()).expect("written");
    };
    let job = |folder: &Path, with: &str| {
        let at = folder.display();
        format!("run --source {at} --store sqlite:{at}/totals.db --until-caught-up {with}")
    };
    let total = |folder: &Path, query: &str| {
        let store = rusqlite::Connection::open(folder.join("totals.db")).expect("the store");
        store.query_row(query, [], |row| row.get::<_, String>(0)).expect("a row")
    };
    const TOTAL: &str = "SELECT orders || ' ' || total_sales FROM sales_per_day";
    let before = [("a", 1), ("b", 2), ("c", 3)];
    let anew = [("another-one", 10), ("b", 20), ("one-more-of-them", 30), ("a", 1), ("the-last", 40)];
    let is_refused = |run: &str, how: &str| {
        let said = ["product_sold/0: the record at offset ", "no record starts there now", "written anew", how];
        let ended = takings(run).refused(78, &said);
        assert!(!ended.log.contains("no line starts"), "{}", ended.log);
    };

    let folder = tempfile::tempdir().expect("a folder");
    let run = job(folder.path(), "--keep-orders");
    write(folder.path(), &before);
    takings(&run).done();
    write(folder.path(), &anew);
    is_refused(&run, "--resume-at product_sold/0=0 (or");
    let resumed = format!("{run} --resume-at product_sold/0=0");
    takings(&resumed).done();
    let kept =
        "SELECT group_concat(kept, ', ') FROM (SELECT order_id || ' ' || total_amount AS kept FROM orders ORDER BY 1)";
    let orders = total(folder.path(), kept);
    // `a` says the same again, `b` is corrected, `c` is in no log any more and was counted.
    let recount = [("a", 1), ("another-one", 10), ("b", 20), ("c", 3), ("one-more-of-them", 30), ("the-last", 40)];
    let sum = recount.iter().map(|(_, amount)| amount).sum::<u32>();
    let texts: Vec<String> = recount.iter().map(|(id, amount)| format!("{id} {amount}.000000")).collect();
    assert_eq!(orders, texts.join(", "));
    assert_eq!(total(folder.path(), TOTAL), format!("{} {sum}.000000", recount.len()));
    // The command is repeated by what restarts the job, or is taken out of it.
    takings(&resumed).done();
    takings(&run).done();
    assert_eq!(total(folder.path(), TOTAL), format!("{} {sum}.000000", recount.len()));

    // What is not kept would count twice: no command is offered, and the file that was counted is gone on with.
    let folder = tempfile::tempdir().expect("a folder");
    let run = job(folder.path(), "");
    write(folder.path(), &before);
    takings(&run).done();
    write(folder.path(), &anew);
    is_refused(&run, "put the log back as it was");
    write(folder.path(), &[before.as_slice(), &anew].concat());
    takings(&run).done();
    assert_eq!(total(folder.path(), TOTAL), format!("{} {sum}.000000", recount.len()));

    // Told to all the same, it counts what the file holds, and nothing twice when it is told again.
    write(folder.path(), &[anew; 3].concat());
    is_refused(&run, "put the log back as it was");
    takings(&format!("{run} --resume-at product_sold/0=0")).done();
    let twice = sum + anew.iter().map(|(_, amount)| amount).sum::<u32>();
    let all = format!("{} {twice}.000000", recount.len() + anew.len());
    assert_eq!(total(folder.path(), TOTAL), all);
    takings(&format!("{run} --resume-at product_sold/0=0")).done();
    assert_eq!(total(folder.path(), TOTAL), all);
}

/// It has a row in the store, and nothing of it is gone.
#[test]
fn a_file_that_never_had_a_line_may_be_taken_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let order = r#"{"orderId": "1", "productCategory": "Books", "totalAmount": 1, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}"#;
    let empty = folder.path().join("product_sold-1.jsonl");
    std::fs::write(folder.path().join("product_sold.jsonl"), format!("{order}\n")).expect("written");
    std::fs::write(&empty, "").expect("written");
    let words = format!("--source {0} --store sqlite:{0}/totals.db", folder.path().display());
    takings(&format!("run {words} --until-caught-up")).done();
    std::fs::remove_file(&empty).expect("removed");
    takings(&format!("run {words} --until-caught-up")).done();
    takings(&format!("audit {words}")).done();
    std::fs::write(&empty, format!("{}\n", order.replace("\"1\"", "\"2\""))).expect("written");
    takings(&format!("run {words} --until-caught-up")).done();
    takings(&format!("audit {words}")).done();
}

/// What it says comes later than all that the file before said, though it stands at lower offsets; and of lines that stand
/// in both the last one counts, as ever.
#[test]
fn what_a_file_that_was_written_anew_corrects_is_corrected() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store();
    let run = format!("run --source {} --store {store} --until-caught-up --keep-orders", folder.path().display());
    let write = |lines: &[(&str, u32)]| {
        let line = |(id, amount): &(&str, u32)| {
            format!(
                r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": {amount}, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
            ) + "\n"
        };
        std::fs::write(folder.path().join("product_sold.jsonl"), lines.iter().map(line).collect::<String>())
            .expect("written");
    };
    let totals = || {
        let mut client = postgres::Client::connect(&store, postgres::NoTls).expect("the store");
        let query = "SELECT string_agg(order_id || ' ' || total_amount::int, ', ' ORDER BY order_id) || '; ' || \
                     (SELECT sum(total_sales)::int FROM sales_per_day) FROM orders";
        client.query_one(query, &[]).expect("orders").get::<_, String>(0)
    };
    write(&[("a", 1), ("b", 1), ("c", 1), ("b", 2), ("a", 3)]);
    takings(&run).done();
    assert_eq!(totals(), "a 3, b 2, c 1; 6");
    write(&[("a", 5), ("d", 1)]);
    takings(&run).refused(78, &["but the log ends", "--resume-at product_sold/0=0"]);
    takings(&format!("{run} --resume-at product_sold/0=0")).done();
    assert_eq!(totals(), "a 5, b 2, c 1, d 1; 9", "it stands before what it corrects");
    write(&[("a", 5), ("a", 6), ("d", 4), ("a", 7)]);
    takings(&run).refused(78, &["is not the one that stood there", "--resume-at product_sold/0=0"]);
    takings(&format!("{run} --resume-at product_sold/0=0")).done();
    assert_eq!(totals(), "a 7, b 2, c 1, d 4; 14", "what stands in both is known");
    // Told once more, or no longer, it stays so.
    takings(&format!("{run} --resume-at product_sold/0=0")).done();
    takings(&run).done();
    assert_eq!(totals(), "a 7, b 2, c 1, d 4; 14");
}

#[test]
fn a_store_has_one_holder_and_a_standby_takes_over() {
    KAFKA.create_topic("held", 1);
    KAFKA.produce("held", &orders(0..5));
    let job = format!("run --source {} --topics held --store {}", KAFKA.url(), store());
    let mut first = Takings::start(&job);
    first.wait_for("the store is ours");
    takings(&job).refused(70, &["is held by", "--standby"]);
    let mut standby = Takings::start(&format!("{job} --standby --until-caught-up"));
    standby.wait_for("standing by");
    first.kill();
    standby.wait().done();
}

#[test]
fn another_meaning_of_the_totals_is_refused() {
    KAFKA.create_topic("meaning", 1);
    KAFKA.produce("meaning", &orders(0..5));
    let job = format!("run --source {} --topics meaning --store {} --until-caught-up", KAFKA.url(), store());
    takings(&job).done();
    takings(&format!("{job} --time-zone Africa/Douala")).refused(78, &["time_zone", "UTC", "Africa/Douala"]);
    takings(&format!("{job} --keep-orders")).refused(78, &["keep_orders"]);
}

#[test]
fn totals_that_somebody_changed_are_refused_and_named() {
    KAFKA.create_topic("touched", 1);
    KAFKA.produce("touched", &orders(0..5));
    let store = store();
    caught_up("touched", &store).done();
    let mut client = postgres::Client::connect(&store, postgres::NoTls).expect("the store");
    client.execute("UPDATE sales_per_day SET total_sales = total_sales + 0.01", &[]).expect("a total");
    caught_up("touched", &store).refused(78, &["do not add up", "sales_per_day (2026-11-22, EUR)"]);
    let audit = takings(&format!("audit --source {} --topics touched --store {store}", KAFKA.url()));
    assert_eq!(audit.code, Some(1), "{}{}", audit.out, audit.log);
    assert!(audit.out.contains("sales_per_day (2026-11-22, EUR)"), "{}", audit.out);
}
