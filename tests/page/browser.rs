//! The dashboard's own tests, run against the real service.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::shop::Shop;
use crate::support::wait;

/// Runs a file of `dashboard/e2e` against the shop, with these variables; fails with what it printed.
pub fn vitest(file: &str, shop: &Shop, variables: &[(&str, &str)]) {
    let printed = ended(file, start(file, shop, variables));
    assert!(printed.contains(&format!("against {}", shop.url)), "{file} looked at another service:\n{printed}");
}

fn start(file: &str, shop: &Shop, variables: &[(&str, &str)]) -> Child {
    Command::new("npx")
        .args(["--no-install", "vitest", "run", "--project", "e2e", file])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard"))
        .env("TAKINGS_URL", &shop.url)
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("npx starts: run make dashboard")
}

fn ended(file: &str, child: Child) -> String {
    let output = child.wait_with_output().expect("it ends");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{printed}");
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    printed
}

fn judge(shop: Shop) {
    let mut live = shop.traffic(20);
    vitest("e2e/page.test.ts", &shop, &[]);
    assert!(live.is_running(), "orders came all the time: {}", live.log());
    drop(live);
    shop.stop();
}

#[test]
fn the_page_is_right_in_chromium() {
    judge(Shop::on_kafka("", 20_000));
}

#[test]
fn the_page_is_right_on_the_embedded_default() {
    judge(Shop::on_files("", 20_000));
}

#[test]
fn the_page_keeps_up_with_five_thousand_orders_a_second_and_with_a_service_that_starts_again() {
    let mut shop = Shop::on_kafka("", 20_000);
    let live = shop.traffic(5_000);
    let folder = tempfile::tempdir().expect("a folder");
    let child = start("e2e/restart.test.ts", &shop, &[("HANDSHAKE", &folder.path().display().to_string())]);
    let says = |name: &str| -> PathBuf { folder.path().join(name) };
    wait::until("the browser is ready for a restart", Duration::from_secs(120), || {
        says("ready").exists().then_some(())
    });
    shop.restart_service();
    std::fs::write(says("restarted"), "").expect("written");
    ended("e2e/restart.test.ts", child);
    drop(live);
    shop.stop();
}
