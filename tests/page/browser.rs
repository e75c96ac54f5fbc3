//! The dashboard's own tests, run against the real service.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::shop::{Kind, Shop};
use crate::support::wait;

/// Longer than any of the browser's tests waits.
const BROWSER: Duration = Duration::from_secs(600);

/// Runs a file of `dashboard/e2e` (or some, and vitest's options, separated by spaces) against the shop, with these
/// variables; fails with what it printed.
pub fn vitest(file: &str, shop: &Shop, variables: &[(&str, &str)]) {
    let printed = ended(file, start(file, shop, variables));
    assert!(printed.contains(&format!("against {}", shop.url)), "{file} looked at another service:\n{printed}");
}

fn start(file: &str, shop: &Shop, variables: &[(&str, &str)]) -> Child {
    Command::new("npx")
        .args(["--no-install", "vitest", "run", "--project", "e2e"])
        .args(file.split(' '))
        .current_dir(dashboard())
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
    judge(Shop::on(Kind::Servers, "", 20_000));
}

#[test]
fn the_page_is_right_on_the_embedded_default() {
    judge(Shop::on(Kind::Embedded, "", 20_000));
}

/// Files whose tests sell at the till what they look for, so that nothing else may arrive.
fn tour(kind: Kind, options: &str, files: &str) {
    const TOKEN: &str = "hunter2";
    // One of the tests sells two thousand records that can not be read.
    let shop = Shop::quiet_of_late(kind, &format!("--max-rejected-share 1 {options}"), 20_000);
    let (guarded, guarded_url) = shop.guarded(TOKEN);
    let till = shop.till();
    let variables = [("TILL_URL", till.url.as_str()), ("GUARDED_URL", &guarded_url), ("GUARDED_TOKEN", TOKEN)];
    vitest(files, &shop, &variables);
    drop((till, guarded));
    if kind == Kind::Servers {
        pictures(&shop);
    }
    shop.stop();
}

/// Takes the pictures that people look at: light, dark, phone, wall, in both languages. They stay in `target/tmp`.
fn pictures(shop: &Shop) {
    const NAMES: [&str; 10] = [
        "light",
        "dark",
        "french",
        "phone",
        "phone-french",
        "wall",
        "wall-french",
        "tables",
        "tables-french",
        "explain",
    ];
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    let _ = std::fs::remove_dir_all(&out);
    let mut command = Command::new("node");
    command.arg("e2e/screenshots.mjs").arg(&out).env("TAKINGS_URL", &shop.url);
    let output = command.current_dir(dashboard()).output().expect("node starts");
    assert!(output.status.success(), "no pictures: {}", String::from_utf8_lossy(&output.stderr));
    for name in NAMES.iter().flat_map(|name| [format!("{name}.png"), format!("{name}-whole.png")]) {
        let picture = std::fs::read(out.join(&name)).expect(&name);
        assert!(picture.starts_with(b"\x89PNG"), "{name} is no picture");
        assert!(picture.len() > BLANK, "{name} has {} bytes only: what does it show?", picture.len());
    }
    println!("pictures of the page: {}", out.display());
}

/// A page with nothing but its shape on it is a picture of fewer bytes than this.
const BLANK: usize = 100_000;

fn dashboard() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard")
}

/// Every view is kept, and every order: all that the page can show.
#[test]
fn all_that_the_page_does_is_done_on_servers() {
    let files = "e2e/explain.test.ts e2e/filters.test.ts e2e/overview.test.ts e2e/resume.test.ts e2e/sign-in.test.ts \
                 e2e/tables.test.ts e2e/wall.test.ts";
    tour(Kind::Servers, "--views default,sales_facts --keep-orders", files);
}

/// By default there are no sales_facts and no orders: the page says so, and what is there is right.
#[test]
fn what_is_not_kept_is_said_on_the_embedded_default() {
    // What axe finds does not depend on what is behind the page.
    tour(Kind::Embedded, "", "e2e/explain.test.ts e2e/filters.test.ts e2e/tables.test.ts -t ^(?!.*axe)");
}

/// The service is killed and started again while orders arrive at this rate, and a browser looks.
pub fn restart(rate: u32, variables: &[(&str, &str)]) {
    let mut shop = Shop::on(Kind::Servers, "", 20_000);
    let live = shop.traffic(rate);
    let folder = tempfile::tempdir().expect("a folder");
    let handshake = folder.path().display().to_string();
    let mut child = start("e2e/restart.test.ts", &shop, &[&[("HANDSHAKE", &*handshake)], variables].concat());
    let says = |name: &str| -> PathBuf { folder.path().join(name) };
    // It gives up by itself, and says where; only that ends the waiting early.
    let is_ready = wait::until("the browser is ready for a restart, or has ended", BROWSER, || {
        let has_ended = child.try_wait().expect("it can be asked").is_some();
        (has_ended || says("ready").exists()).then_some(!has_ended)
    });
    if is_ready {
        shop.restart_service();
        std::fs::write(says("restarted"), "").expect("written");
    }
    ended("e2e/restart.test.ts", child);
    drop(live);
    shop.stop();
}

#[test]
fn a_service_that_starts_again_tells_the_page_what_changed_meanwhile() {
    restart(20, &[("CALM", "1")]);
}
