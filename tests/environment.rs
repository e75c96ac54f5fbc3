//! Settings from the environment, as a unit or a manifest gives them: what a variable that is empty, misspelt or meant
//! for another command does.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use support::takings::{Ended, Takings};

/// A command with these variables, words of it separated by spaces.
fn takings(words: &str, variables: &[(&str, &str)]) -> Ended {
    Takings::start_with_variables(words, variables).wait()
}

fn write(folder: &Path, orders: std::ops::Range<u32>) {
    let line = |id| {
        format!(
            r#"{{"orderId": "{id}", "productCategory": "Books", "totalAmount": 1, "currency": "EUR", "orderDate": "2026-11-22T10:00:00", "productId": "p"}}"#
        ) + "\n"
    };
    std::fs::write(folder.join("product_sold.jsonl"), orders.map(line).collect::<String>()).expect("written");
}

/// A folder with some orders, and the settings of a job that counts it.
fn job() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), 10..20);
    let settings = format!("--source {0} --store sqlite:{0}/shop.db", folder.path().display());
    (folder, settings)
}

#[test]
fn variables_of_a_service_do_not_make_a_job_serve() {
    let (_folder, job) = job();
    let run = format!("run {job} --until-caught-up");
    let ended = takings(&run, &[("TAKINGS_LISTEN", "127.0.0.1:0"), ("TAKINGS_TOKEN", "s3cret")]).done();
    assert!(!ended.log.contains("serving on"), "{}", ended.log);
    assert!(ended.log.contains("the token is not used"), "{}", ended.log);
    let ended = takings(&run, &[("TAKINGS_SERVE", "127.0.0.1:0")]).done();
    assert!(ended.log.contains("serving on http://127.0.0.1:"), "{}", ended.log);
}

#[test]
fn an_empty_variable_says_nothing() {
    let (folder, _) = job();
    let config = folder.path().join("takings.toml");
    let settings = format!("source = \"{0}\"\nstore = \"sqlite:{0}/shop.db\"\n", folder.path().display());
    std::fs::write(&config, settings).expect("written");
    let nothing =
        ["TAKINGS_SOURCE", "TAKINGS_STORE", "TAKINGS_KAFKA_OPTION", "TAKINGS_RESUME_AT"].map(|name| (name, ""));
    takings(&format!("run --config {} --until-caught-up", config.display()), &nothing).done();
}

#[test]
fn a_secret_in_a_variable_is_shown_by_no_help() {
    let secret =
        [("TAKINGS_STORE", "postgres://me:s3cret@here/shop"), ("TAKINGS_KAFKA_OPTION", "sasl.password=s3cret")];
    for command in ["run", "check"] {
        let ended = takings(&format!("{command} --help"), &secret).done();
        assert!(ended.out.contains("TAKINGS_KAFKA_OPTION") && !ended.out.contains("s3cret"), "{}", ended.out);
    }
}

#[test]
fn a_variable_says_where_to_go_on() {
    let (folder, job) = job();
    let run = format!("run {job} --until-caught-up --keep-orders");
    takings(&run, &[]).done();
    write(folder.path(), 30..50);
    takings(&run, &[]).refused(78, &["start again with the settings it has and --resume-at product_sold/0=0"]);
    takings(&run, &[("TAKINGS_RESUME_AT", "product_sold/0=0")]).done();
    takings(&run, &[("TAKINGS_RESUME_AT", "product_sold=0")]).refused(78, &["setting `resume_at`", "product_sold=0"]);
}

#[test]
fn the_last_error_is_told_whatever_log_was_asked_for() {
    let (_folder, job) = job();
    // No level is called so: it would be a module's name, and all others silent.
    for log in ["warning", "error", ""] {
        takings(&format!("run {job} --workers 0"), &[("TAKINGS_LOG", log)]).refused(78, &["setting `workers`"]);
    }
    let ended = takings(&format!("run {job} --until-caught-up"), &[("TAKINGS_LOG", "warning")]).done();
    assert_eq!(ended.log, "", "nothing went wrong");
}
