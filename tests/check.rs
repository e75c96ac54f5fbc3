//! `takings check` shows how each topic's newest records decode, and the README's mappings read what the
//! README says they read.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use support::takings::{Ended, takings};

/// The block of the README that is fenced so and stands after its mapping's heading.
fn example(language: &str) -> String {
    let readme = include_str!("../README.md");
    let (_, section) = readme.split_once("### Any topic: field mapping").expect("the section");
    let (_, block) = section.split_once(&format!("```{language}\n")).expect(language);
    block.split_once("```").expect("an end").0.to_owned()
}

fn check(folder: &Path, settings: &str) -> Ended {
    let config = folder.join("takings.toml");
    std::fs::write(&config, settings).expect("written");
    takings(&format!("check --source {0} --store sqlite:{0}/shop.db --config {1}", folder.display(), config.display()))
}

#[test]
fn the_mappings_of_the_readme_read_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let records = example("json");
    for (topic, record) in ["shop.orders", "shop.catalogue", "shop.reviews"].into_iter().zip(records.lines()) {
        std::fs::write(folder.path().join(format!("{topic}.jsonl")), format!("{record}\n")).expect("written");
    }
    let ended = check(folder.path(), &example("toml")).done();
    assert!(ended.out.contains(&example("text")), "{}\nis not in\n{}", example("text"), ended.out);
}

#[test]
fn a_store_that_an_upgrade_left_behind_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    std::fs::write(folder.path().join("product_sold.jsonl"), "").expect("written");
    let job = format!("--source {place} --store sqlite:{place}/shop.db");
    takings(&format!("run {job} --until-caught-up")).done();
    let store = rusqlite::Connection::open(folder.path().join("shop.db")).expect("the store");
    store.execute("DELETE FROM takings_schema_history WHERE version > 2", []).expect("deleted");
    let ended = check(folder.path(), "").done();
    assert!(
        ended.out.contains("store      ok: schema version 2, which the next start brings to version"),
        "{}",
        ended.out
    );
    let ended = takings(&format!("audit {job}"));
    assert_eq!(ended.code, Some(70));
    assert!(ended.log.contains("the next start of `takings run` brings it up to date"), "{}", ended.log);
}

#[test]
fn the_newest_records_of_each_topic_are_shown_and_the_rejected_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let sales = (1..=5).map(|id| {
        format!("{{\"transaction_id\": {id}, \"product_id\": 7, \"amount\": {id}.5, \"timestamp\": \"2026-11-22T12:34:56\"}}\n")
    });
    let sales: String = sales.chain(["{\"key\": \"3\", \"value\": null}\n".to_owned()]).collect();
    std::fs::write(folder.path().join("transactions.jsonl"), sales).expect("written");
    let reviews = "{\"feedback_id\": 1, \"product_id\": 7, \"rating\": 4}\n{\"feedback_id\": 2, \"product_id\": 7, \"rating\": 9}\n";
    std::fs::write(folder.path().join("feedback.jsonl"), reviews).expect("written");
    std::fs::write(folder.path().join("product_listings.jsonl"), "{\"product_id\": 7, \"price\": \"1\"}\n")
        .expect("written");

    let ended = check(folder.path(), "topics = [\"transactions\", \"product_listings\", \"feedback\"]\n").done();
    let shown = concat!(
        "records    look: 8 of the newest 9 can be read\n",
        "             feedback is read as feedback\n",
        "               feedback 1: product 7, rating 4\n",
        "             product_listings is read as product_listings\n",
        "               listing of 7: name none, category none, price 1.000000\n",
        "             transactions is read as transactions\n",
        "               order 3: cancelled\n",
        "               order 5: product 7, amount 5.500000 USD, units 1, day 2026-11-22, category of its listing, paid by unknown\n",
        "               order 4: product 7, amount 4.500000 USD, units 1, day 2026-11-22, category of its listing, paid by unknown\n",
        "             1 × field `rating`: `9` is not 1 to 5 (such as feedback/0 at offset 49)\n",
    );
    assert!(ended.out.ends_with(shown), "{shown}\nis not the end of\n{}", ended.out);
}

/// Of a file too, where an offset counts bytes: those at its end are the newest, and what precedes them is not looked at.
#[test]
fn the_newest_lines_of_a_long_file_are_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = "no longer sent\n".repeat(1_000);
    let sales = (1..=250).map(|id| {
        format!("{{\"transaction_id\": {id}, \"amount\": {id}.5, \"timestamp\": \"2026-11-22T12:34:56\"}}\n")
    });
    let sales: String = sales.collect();
    std::fs::write(folder.path().join("transactions.jsonl"), format!("{before}{sales}{{\"transac")).expect("written");
    let ended = check(folder.path(), "topics = [\"transactions\"]\n").done();
    assert!(ended.out.contains("records    ok: 200 of the newest 200 can be read\n"), "{}", ended.out);
    assert!(ended.out.contains("               order 250: product unknown, amount 250.500000 USD"), "{}", ended.out);
}

#[test]
fn a_mapping_that_can_not_be_is_refused_with_its_topic_and_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "topics = [\"shop.orders\"]\n[mapping.\"shop.orders\"]\nkind = \"order\"\norder_id = \"id\"\n";
    check(folder.path(), settings).refused(78, &["mapping.\"shop.orders\"", "`order_id`", "\"id\" is no JSON pointer"]);
}
