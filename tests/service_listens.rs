//! The service hears of each commit, on a connection of its own: one on which nothing arrives any more is noticed.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use support::link::Link;
use support::postgres::PostgresServer;
use support::service::{Serving, Shop, order};
use support::stores::Fresh;
use support::wait;
use takings::store::StoreUrl;

/// Half a minute, and as much again on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_connection_on_which_nothing_arrives_is_replaced() {
    let fresh = Fresh::postgres();
    let (mut store, mut shop) = (fresh.acquired(), Shop::default());
    shop.commit(store.as_mut(), &[order(0, 0, 0, 1)], 0);
    let server = PostgresServer::shared();
    let link = Link::to(server.port());
    let through = server.through(&link, &fresh.url.to_string());
    let serving = Serving::of(&StoreUrl::parse(&through).unwrap());
    let mut client = server.client("postgres");
    let mut listener = |but: i32| {
        wait::until("the service listens", PATIENCE, || {
            let listens = "SELECT pid FROM pg_stat_activity
                           WHERE datname = $1 AND query LIKE 'LISTEN%' AND state = 'idle' AND pid <> $2";
            client.query_opt(listens, &[&fresh.database(), &but]).unwrap().map(|row| row.get::<_, i32>(0))
        })
    };
    let before = listener(0);
    let events = serving.events(None);
    shop.commit(store.as_mut(), &[order(0, 0, 0, 1)], 0);
    let heard = events.wait_for("changes").id;
    // Nothing tells that these connections are lost: they stay open.
    link.lose_answers();
    listener(before);
    shop.commit(store.as_mut(), &[order(0, 0, 0, 1)], 0);
    wait::until("a link of a later epoch", PATIENCE, || (events.wait_for("changes").id > heard).then_some(()));
}
