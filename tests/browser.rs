//! An order on its way from a real Kafka through a real PostgreSQL onto the page, in a real Chromium.
//!
//! What the page must do is said in `dashboard/e2e`, once. Here what depends on the service runs against
//! the real one: its numbers and what goes over the wire. The dashboard's own run has all of it, with a
//! shop in memory.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::kafka::Kafka;
use support::port;
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};
use support::wait;

#[test]
fn the_page_lives_on_what_the_shop_sells() {
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard");
    let vitest = dashboard.join("node_modules/.bin/vitest");
    assert!(vitest.exists() && dashboard.join("dist/index.html").exists(), "no dashboard; run make dashboard");

    let kafka = Kafka::start();
    let server = PostgresServer::start();
    let store = server.url(&server.fresh_database());
    let source = kafka.url();
    takings(&format!("generate --to {source} --orders 3000 --days 60 --seed 1")).done();
    let job = format!("--source {source} --store {store}");
    takings(&format!("run {job} --until-caught-up")).done();

    let _job = Takings::start(&format!("run {job}"));
    let address = format!("127.0.0.1:{}", port::free());
    let _service = Takings::start(&format!("serve --store {store} --listen {address}"));
    let _shop = Takings::start(&format!("generate --to {source} --rate 20 --seed 2"));
    let page = format!("http://{address}");
    wait::until("the service is ready", Duration::from_secs(60), || {
        let answer = reqwest::blocking::get(format!("{page}/readyz")).ok()?;
        answer.status().is_success().then_some(())
    });

    let tests = Command::new(vitest)
        .args(["run", "--project", "e2e", "--testNamePattern", "^(numbers|the wire) "])
        .current_dir(&dashboard)
        .env("BASE_URL", &page)
        .env("NO_COLOR", "1")
        .output()
        .expect("node can be started");
    assert!(
        tests.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&tests.stdout),
        String::from_utf8_lossy(&tests.stderr)
    );
}
