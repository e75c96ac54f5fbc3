//! What a client holds of a state that is not in the store's past, or that no epoch leads away from: on both stores.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use support::service::{SOON, Serving, Shop, order};
use support::stores::{Fresh, settings};
use support::wait::until;
use takings::store::JobSettings;
use takings_dataflows::view::View;

fn stores() -> [Fresh; 2] {
    [Fresh::postgres(), Fresh::sqlite()]
}

#[test]
fn a_state_that_the_store_has_lost_is_a_reset() {
    for store in stores() {
        let mut shop = Shop::default();
        let serving = Serving::of(&store.url);
        let mut commit = |amount| {
            let epoch = shop.commit(store.acquired().as_mut(), &[order(0, 0, 0, amount)], 0);
            until("the service has seen the epoch", SOON, || {
                serving.ask("/metrics", &[]).body.contains(&format!("takings_feed_epoch {epoch}")).then_some(())
            });
            let hello = serving.events(None).next();
            assert_eq!((hello.name.as_str(), hello.id), ("hello", Some(epoch)));
            (hello.state, serving.ask("/api/v1/summary", &[]).header("etag").to_owned())
        };
        let (kept, _) = commit(100);
        let (lost, tag) = commit(200);
        let open = serving.events_after(&lost);
        // A failover to a server without the second run. What is committed there since has the same epochs.
        store.execute("DELETE FROM runs WHERE epoch = 1");
        let (now, _) = commit(300);
        assert_eq!(open.next().name, "reset");
        assert_eq!(serving.events_after(&lost).next().name, "reset");
        assert_eq!(serving.events_after(&kept).next().name, "changes");
        let ahead = kept.replace("1-", "3-");
        assert_eq!(serving.events_after(&ahead).next().name, "reset", "its run ended before");
        assert_eq!(serving.ask("/api/v1/summary", &[("if-none-match", &tag)]).status, 200);
        assert_eq!(serving.ask("/api/v1/summary", &[("if-none-match", &format!("\"{now}\""))]).status, 304);
    }
}

#[test]
fn a_view_that_a_start_takes_away_is_a_reset() {
    for store in stores() {
        Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
        let (before, tag) = {
            let serving = Serving::of(&store.url);
            (serving.events(None).next().state, serving.ask("/api/v1/sales_per_day", &[]).header("etag").to_owned())
        };
        // No order comes, so that no epoch does.
        let views = View::ALL.into_iter().filter(|view| *view != View::PaymentMethod).collect();
        store.open().acquire(&JobSettings { views, ..settings() }).expect("acquired");
        let again = Serving::of(&store.url);
        assert_eq!(again.events_after(&before).next().name, "reset");
        assert_eq!(again.ask("/api/v1/sales_per_day", &[("if-none-match", &tag)]).status, 200);
    }
}

#[test]
fn all_views_of_a_new_store_are_there_before_its_first_commit() {
    for store in stores() {
        drop(store.acquired());
        let serving = Serving::of(&store.url);
        let views = serving.json("/api/v1/views")["views"].as_array().unwrap().clone();
        let names: Vec<&str> = views.iter().map(|view| view["view"].as_str().unwrap()).collect();
        assert!(names.contains(&"sales_per_category") && names.contains(&"top_products"), "{names:?}");
        assert!(views.iter().all(|view| view["complete_from"].is_null() && view["since_epoch"] == 0));
        assert_eq!(serving.json("/api/v1/freshness")["views"], serving.json("/api/v1/views")["views"]);
    }
}
