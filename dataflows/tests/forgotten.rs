//! What a correction window forgets, and when: an order that a version still corrects is never counted as another one,
//! however far ahead the word of how far partitions have come.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use support::{Rows, apply, settings};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::graph::{self, Committed, Graph, Settings, Watermark};
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, PartitionId, Version};
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::upsert::Horizon;
use takings_dataflows::view::View;
use timely::worker::Worker;

const DAY: i64 = 86_400_000;

/// The only order, as a partition tells of it on a day.
fn order(partition: u16, day: i64, euros: i128) -> OrderEvent {
    let (id, id_text) = IdSpace::new("forgotten").id("a");
    let version = Version::new(day * DAY, support::ORDERS, partition, day as u64);
    let fact = Fact {
        day: Day::from_epoch_days(0),
        category: Some(Symbol::new("Books")),
        payment_method: Symbol::new("CARD"),
        currency: Symbol::new("EUR"),
    };
    let amount = Amount::from_micros(euros * 1_000_000);
    let contribution = Contribution { fact, product: Symbol::new("Novel"), amount, units: 1 };
    let content = Content::Order { contribution, fingerprint: 0 };
    OrderEvent { id, id_text, version, minute: version.minute(), content, details: None }
}

fn came_to(partition: u16, day: i64, is_at_end: bool) -> Watermark {
    let partition = PartitionId { topic: support::ORDERS, partition };
    Watermark { partition, timestamp: day * DAY, is_at_end, is_of_orders: true }
}

/// Runs `feed` on one worker with a window of a day, and returns what is sold of each row then: orders, and micros.
fn rows(settings: Settings, feed: impl Fn(&mut Worker, &mut Graph) + Send + Sync + 'static) -> Vec<(i64, i128)> {
    let horizon = Horizon { window: Some(DAY), complete_from: None };
    let settings = Settings { views: vec![View::Day], horizon, ..settings };
    timely::execute_directly(move |worker| {
        let rows: Rc<RefCell<Rows>> = Rc::default();
        let committed = Committed::default();
        committed.set(settings.recovered_epoch);
        let (stored, in_sink) = (Rc::clone(&rows), committed.clone());
        let mut graph = graph::build(worker, &settings, &committed, move |changes| {
            in_sink.set(changes.epoch);
            apply(&mut stored.borrow_mut(), &changes);
        });
        feed(worker, &mut graph);
        drop(graph);
        while worker.step_or_park(None) {}
        let of = |row: &RowValue| match row {
            RowValue::Takings(takings) => (takings.orders, takings.amount.micros()),
            row => panic!("{row:?} is no row of a day"),
        };
        rows.borrow().values().map(of).collect()
    })
}

fn settle(worker: &mut Worker) {
    (0..100).for_each(|_| _ = worker.step());
}

/// A worker that follows late closes an epoch after it was told of the time of the next one: at a stop, say.
#[test]
fn what_an_epoch_corrects_is_not_forgotten_by_the_time_of_that_epoch() {
    let sold = rows(settings(0), |worker, graph| {
        graph.inputs.advance_to(1);
        graph.inputs.orders.send(order(0, 0, 10));
        graph.inputs.orders.flush();
        settle(worker);
        // Epoch 2 goes from day 0 to day 20, and its time is told first.
        graph.inputs.watermarks.advance_to(2);
        graph.inputs.watermarks.send(came_to(0, 20, false));
        graph.inputs.watermarks.advance_to(3);
        settle(worker);
        graph.inputs.orders.advance_to(2);
        settle(worker);
        graph.inputs.orders.send(order(0, 1, 7));
        graph.inputs.advance_to(3);
        settle(worker);
    });
    assert_eq!(sold, [(1, 7_000_000)]);
}

/// A process reads its partitions again while another one has not begun.
#[test]
fn a_replay_forgets_nothing_that_a_partition_which_is_yet_to_be_read_may_correct() {
    let to_replay = [0, 1].map(|partition| PartitionId { topic: support::ORDERS, partition }).to_vec();
    let sold = rows(Settings { fill: vec![View::Day], to_replay, ..settings(5) }, |worker, graph| {
        graph.inputs.advance_to(5);
        graph.inputs.orders.send(order(1, 0, 10));
        graph.inputs.watermarks.send(came_to(1, 20, true));
        graph.inputs.orders.flush();
        graph.inputs.watermarks.flush();
        settle(worker);
        graph.inputs.orders.send(order(0, 1, 7));
        graph.inputs.watermarks.send(came_to(0, 20, true));
        graph.inputs.advance_to(6);
        settle(worker);
        graph.inputs.advance_to(7);
        settle(worker);
    });
    assert_eq!(sold, [(1, 7_000_000)]);
}
