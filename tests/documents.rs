//! What the documents name is there.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All files below a folder of the repository.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A failure that no test shows any more is a promise that nobody keeps.
#[test]
fn every_test_that_the_table_of_failures_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    ["tests", "src", "dataflows/src", "dataflows/tests"]
        .iter()
        .for_each(|folder| files(&root.join(folder), &mut sources));
    let text: String = sources
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).expect("UTF-8"))
        .collect();
    let is_a_test = |name: &str| text.contains(&format!("fn {name}("));
    let is_a_file = |name: &str| {
        let is_named_so = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
        let is_at = |folder: &str| root.join(folder).join(name).exists();
        ["", "tests", "src"].into_iter().any(is_at) || sources.iter().any(is_named_so)
    };

    let table = fs::read_to_string(root.join("docs/failures.md")).expect("the document");
    let mut named = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let (_, shown_by) = row.trim_end_matches([' ', '|']).rsplit_once(" | ").expect("columns");
        for name in quoted(shown_by) {
            let is_command = name.starts_with("make ") || name.starts_with("takings ") || name == "Upgrade";
            assert!(is_command || is_a_test(name) || is_a_file(name), "nothing is called {name:?}, of the row\n{row}");
            named += 1;
        }
    }
    assert!(named > 100, "only {named} names in the table: is it another one?");
}

/// The metrics that the service registers: the text that follows `register(` and `register_with_unit(`.
fn registered(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for call in ["register(", "register_with_unit("] {
        for after in source.split(call).skip(1) {
            let literal = after.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            names.extend(literal.map(|(name, _)| format!("takings_{name}")));
        }
    }
    names
}

/// Whoever watches a job reads one table: what is not in it is not watched.
#[test]
fn every_metric_is_in_the_table_of_metrics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("UTF-8");
    let registered = registered(&read("src/service/metrics.rs"));
    assert!(registered.len() > 15, "only {registered:?}: are they registered in another way?");

    let document = read("docs/operations.md");
    let is_of_a_metric = |line: &&str| line.starts_with("| `takings_");
    let rows: Vec<&str> = document.lines().filter(is_of_a_metric).filter_map(|row| quoted(row).next()).collect();
    // As it is scraped, it may end in its kind or its unit.
    let is_scraped_as = |name: &str, metric: &str| {
        metric.strip_prefix(name).is_some_and(|end| ["", "_total", "_seconds", "_bytes"].contains(&end))
    };
    for name in &registered {
        assert!(rows.iter().any(|metric| is_scraped_as(name, metric)), "docs/operations.md lacks the metric {name}");
    }
    for metric in &rows {
        assert!(registered.iter().any(|name| is_scraped_as(name, metric)), "there is no metric {metric}");
    }
}
