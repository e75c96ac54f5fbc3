//! What an order costs in the upsert's state: the budget is 100 ns.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use takings_dataflows::order::{OrderEvent, Version};
use takings_dataflows::upsert::{Horizon, Orders};

mod shop;

/// Orders already known when it is measured.
const KNOWN: u64 = 1_000_000;
/// Orders measured at a time.
const BATCH: u64 = 10_000;

fn upsert(criterion: &mut Criterion) {
    let mut known = Orders::new(Horizon::default());
    for order in shop::orders(0..KNOWN) {
        known.apply(&order);
    }
    let mut group = criterion.benchmark_group("upsert");
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);

    let mut next = KNOWN;
    group.bench_function("new orders among a million", |bencher| {
        bencher.iter_batched(
            || {
                next += BATCH;
                shop::orders(next - BATCH..next)
            },
            |orders| apply(&mut known, orders),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("repetitions", |bencher| {
        bencher.iter_batched(
            || shop::orders(500_000..500_000 + BATCH),
            |orders| apply(&mut known, orders),
            BatchSize::PerIteration,
        );
    });
    let mut offset = next;
    group.bench_function("corrections", |bencher| {
        bencher.iter_batched(
            || {
                offset += BATCH;
                let newer = |(order, mut old): (OrderEvent, OrderEvent)| {
                    old.version = Version::new(order.version.timestamp(), 0, 0, order.version.offset());
                    old.content = order.content;
                    old
                };
                shop::orders(offset..offset + BATCH).into_iter().zip(shop::orders(0..BATCH)).map(newer).collect()
            },
            |orders| apply(&mut known, orders),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn apply(known: &mut Orders, orders: Vec<OrderEvent>) {
    for order in &orders {
        black_box(known.apply(order));
    }
}

criterion_group!(benches, upsert);
criterion_main!(benches);
