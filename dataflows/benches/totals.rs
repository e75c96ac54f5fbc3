//! What an order costs in the whole dataflow, from a decoded record to changed totals in the sink's hands, on one
//! worker: upsert, combine, four views; and with the one that holds both category and payment method. By the size of the
//! epochs.
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use takings_dataflows::graph::{self, Committed};
use takings_dataflows::order::OrderEvent;
use takings_dataflows::view::View;

mod shop;

/// Orders fed before the clock starts, so that rows exist and memory is warm.
const WARM: u64 = 200_000;
const FOUR: [View; 4] = [View::Category, View::Day, View::Month, View::PaymentMethod];
const WITH_FACTS: [View; 5] = [View::Category, View::Day, View::Month, View::PaymentMethod, View::Facts];

fn totals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("orders to changed totals");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for epoch_size in [1_000, 10_000, 100_000] {
        group.throughput(Throughput::Elements(epoch_size));
        for (name, views) in [("epochs of", &FOUR[..]), ("with facts, epochs of", &WITH_FACTS)] {
            group.bench_function(BenchmarkId::new(name, epoch_size), |bencher| {
                bencher.iter_custom(|epochs| run(epochs, epoch_size, views));
            });
        }
    }
    group.finish();
}

/// Feeds so many epochs of so many new orders, and returns the time that took.
#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn run(epochs: u64, epoch_size: u64, views: &'static [View]) -> Duration {
    timely::execute_directly(move |worker| {
        let settings = shop::settings(views);
        let committed = Committed::default();
        let durable = committed.clone();
        let mut graph = graph::build(worker, &settings, &committed, move |changes| {
            durable.set(changes.epoch);
            black_box(&changes);
        });
        let mut epoch = 1;
        graph.inputs.advance_to(epoch);
        let mut feed = |orders: Vec<OrderEvent>| {
            for order in orders {
                graph.inputs.orders.send(order);
            }
            epoch += 1;
            graph.inputs.advance_to(epoch);
            worker.step_while(|| graph.probe.less_than(&epoch));
        };
        feed(shop::orders(0..WARM));
        let mut took = Duration::ZERO;
        let mut next = WARM;
        for _ in 0..epochs {
            let orders = shop::orders(next..next + epoch_size);
            next += epoch_size;
            let start = Instant::now();
            feed(orders);
            took += start.elapsed();
        }
        took
    })
}

criterion_group!(benches, totals);
criterion_main!(benches);
