//! The API by its own description: schemathesis asks every address with parameters made up from it, right and wrong,
//! and holds each answer to what is described. Nothing may answer with a fault, with a status or a content type
//! that is not described, or in another shape.
//!
//! `TAKINGS_SEED` replays a run, `TAKINGS_EXAMPLES` says how many questions each address gets.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;

use support::stores::Fresh;
use support::takings::{Takings, takings};
use support::target::installed;

#[test]
fn every_answer_is_as_the_description_says() {
    let seed = std::env::var("TAKINGS_SEED").unwrap_or_else(|_| (rand::random::<u32>()).to_string());
    let examples = std::env::var("TAKINGS_EXAMPLES").unwrap_or_else(|_| "10".to_owned());
    eprintln!("TAKINGS_SEED={seed}");
    let log = tempfile::tempdir().unwrap();
    let topics = "product_sold,transactions,product_listings,feedback";
    let folder = log.path().display();
    takings(&format!(
        "generate --to {folder} --topics {topics} --orders 3000 --seed 5 --invalid 0.02 --corrections 0.05 --products 60 \
         --partitions 1"
    ))
    .done();
    for store in [Fresh::sqlite(), Fresh::postgres()] {
        takings(&format!("run --source {folder} --store {} --topics {topics} --until-caught-up", store.url)).done();
        let mut serving = Takings::start(&format!("serve --store {} --listen 127.0.0.1:0", store.url));
        serving.wait_for("listening on http://");
        let said = serving.log();
        let address = said.split("listening on ").nth(1).unwrap().split_whitespace().next().unwrap();
        let asked = Command::new(installed("python/bin/schemathesis"))
            .current_dir(log.path())
            .env("PYTHONUTF8", "1")
            .args([
                "--config-file",
                &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/schemathesis.toml").display().to_string(),
            ])
            .args(["run", &format!("{address}/api/v1/openapi.json"), "--seed", &seed, "--max-examples", &examples])
            .output()
            .expect("schemathesis can be started");
        let out = String::from_utf8_lossy(&asked.stdout);
        eprintln!("{}: {}", store.url, out.lines().last().unwrap_or_default());
        assert!(
            asked.status.success(),
            "TAKINGS_SEED={seed}, {}:\n{out}\n{}",
            store.url,
            String::from_utf8_lossy(&asked.stderr)
        );
        assert!(serving.is_running());
        let log = serving.log();
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    }
}
