//! What 100,000 products cost: live traffic, on one worker, by the size of the epochs.
//!
//! - `four views`: totals that need no product, of orders that name their category: what the rest is beside;
//! - `catalogue`: the same views, every order's category from the catalogue: the difference is the join;
//! - `facts`: these with `sales_facts`, of orders that name their category; `catalogue and facts`, of orders that do
//!   not: then it needs what every product sold by payment method;
//! - `products`: with `sales_per_product`: the difference is the totals of products;
//! - `all views`: with best sellers of all time, of months and of days, and with volume; without and with facts;
//! - `differential`: the join and the products' totals by differential dataflow's own `join_map` and
//!   `count_total`, of the same sales and nothing else: what the operator of this crate is beside.
//!
//! Then, once each: a listing that moves a product with 1,000 days of sales, all listings at once, and the memory
//! of a row.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench that people read")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use differential_dataflow::operators::CountTotal;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::graph::{self, Committed, Graph};
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, Version};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::View;
use timely::worker::Worker;

mod shop;
use shop::{PRODUCTS, Traffic};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Orders fed before the clock starts, so that rows exist and memory is warm.
const WARM: u64 = 300_000;
const FOUR: [View; 4] = [View::Category, View::Day, View::Month, View::PaymentMethod];
const WITH_FACTS: [View; 5] = [View::Category, View::Day, View::Month, View::PaymentMethod, View::Facts];
const FIVE: [View; 5] = [View::Category, View::Day, View::Month, View::PaymentMethod, View::Product];

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("100,000 products");
    group.sample_size(10).measurement_time(Duration::from_secs(6));
    let traffic = |is_listed| Traffic { is_live: true, is_listed };
    for epoch_size in [1_000, 10_000, 100_000] {
        group.throughput(Throughput::Elements(epoch_size));
        for (name, views, is_listed) in [
            ("four views", &FOUR[..], false),
            ("facts", &WITH_FACTS, false),
            ("catalogue", &FOUR, true),
            ("catalogue and facts", &WITH_FACTS, true),
            ("products", &FIVE, true),
            ("all views", &View::DEFAULT, true),
            ("all views and facts", &View::ALL, true),
        ] {
            group.bench_function(BenchmarkId::new(name, epoch_size), |bencher| {
                bencher.iter_custom(|epochs| run(epochs, epoch_size, views, traffic(is_listed)));
            });
        }
        group.bench_function(BenchmarkId::new("differential", epoch_size), |bencher| {
            bencher.iter_custom(|epochs| differential(epochs, epoch_size, traffic(true)));
        });
    }
    group.finish();
    println!();
    move_a_thousand_days("all views", &View::DEFAULT);
    move_a_thousand_days("all views and facts", &View::ALL);
    memory_of_a_row();
}

/// A graph that commits at once.
fn graph_of(worker: &mut Worker, views: &[View]) -> Graph {
    let settings = shop::settings(views);
    let committed = Committed::default();
    let durable = committed.clone();
    let mut graph = graph::build(worker, &settings, &committed, move |changes| {
        durable.set(changes.epoch);
        black_box(&changes);
    });
    graph.inputs.advance_to(1);
    graph
}

/// Closes the open epoch, and returns how long that took.
fn close(worker: &mut Worker, graph: &mut Graph) -> Duration {
    let start = Instant::now();
    let next = graph.inputs.epoch() + 1;
    graph.inputs.advance_to(next);
    worker.step_while(|| graph.probe.less_than(&next));
    start.elapsed()
}

/// Feeds so many epochs of so many new orders, and returns the time that took.
fn run(epochs: u64, epoch_size: u64, views: &[View], traffic: Traffic) -> Duration {
    let views = views.to_vec();
    timely::execute_directly(move |worker| {
        let mut graph = graph_of(worker, &views);
        shop::listings(0).into_iter().for_each(|listing| graph.inputs.listings.send(listing));
        shop::traffic(0..WARM, traffic).into_iter().for_each(|order| graph.inputs.orders.send(order));
        close(worker, &mut graph);
        let mut took = Duration::ZERO;
        let mut next = WARM;
        for _ in 0..epochs {
            let orders = shop::traffic(next..next + epoch_size, traffic);
            next += epoch_size;
            let start = Instant::now();
            orders.into_iter().for_each(|order| graph.inputs.orders.send(order));
            took += start.elapsed() + close(worker, &mut graph);
        }
        took
    })
}

/// The same sales through differential dataflow's operators, combined before as the upsert combines.
fn differential(epochs: u64, epoch_size: u64, traffic: Traffic) -> Duration {
    type Group = (Day, Symbol);
    timely::execute_directly(move |worker| {
        let mut sales: InputSession<u64, (Symbol, Group), Takings> = InputSession::new();
        let mut listings: InputSession<u64, (Symbol, Symbol), isize> = InputSession::new();
        let probe = worker.dataflow::<u64, _, _>(|scope| {
            let (sales, listings) = (sales.to_collection(scope), listings.to_collection(scope));
            let by_category: VecCollection<'_, u64, (Symbol, Group), Takings> =
                sales.clone().join_map(listings, |_product, &group, &category| (category, group));
            let probe = timely::dataflow::ProbeHandle::new();
            by_category.count_total().probe_with(&probe);
            sales.count_total().probe_with(&probe);
            probe
        });
        for listing in shop::listings(0) {
            let category = listing.content.and_then(|content| content.category).expect("it has one");
            listings.insert((listing.product, category));
        }
        let mut epoch = 1;
        let mut feed = |worker: &mut Worker, orders: Vec<OrderEvent>| {
            let start = Instant::now();
            let mut combined = std::collections::HashMap::new();
            for order in &orders {
                let Some(Contribution { fact, product, amount, units }) = order.contribution() else { continue };
                let takings: &mut Takings = combined.entry((*product, (fact.day, fact.currency))).or_default();
                takings.amount += *amount;
                takings.orders += 1;
                takings.units += units;
            }
            combined.into_iter().for_each(|(key, takings)| sales.update(key, takings));
            epoch += 1;
            sales.advance_to(epoch);
            sales.flush();
            listings.advance_to(epoch);
            listings.flush();
            worker.step_while(|| probe.less_than(&epoch));
            start.elapsed()
        };
        feed(worker, shop::traffic(0..WARM, traffic));
        (0..epochs)
            .map(|epoch| {
                let next = WARM + epoch * epoch_size;
                feed(worker, shop::traffic(next..next + epoch_size, traffic))
            })
            .sum()
    })
}

/// Sales of product 0 on each of 1,000 days, among those of all others.
fn sales_of_a_thousand_days() -> Vec<OrderEvent> {
    let space = IdSpace::new("days");
    let (payment_method, currency) = (Symbol::new("method"), Symbol::new("EUR"));
    (0..1_000)
        .map(|number: u64| {
            let (id, id_text) = space.id(&number.to_string());
            let version = Version::new(1_760_000_000_000, 0, 0, number);
            let fact =
                Fact { day: Day::from_epoch_days(20_399 - number as i32), category: None, payment_method, currency };
            let amount = Amount::from_micros(1_000_000);
            let contribution = Contribution { fact, product: shop::product(0), amount, units: 1 };
            let content = Content::Order { contribution, fingerprint: number };
            OrderEvent { id, id_text, version, minute: version.minute(), content, details: None }
        })
        .collect()
}

fn move_a_thousand_days(what: &str, views: &'static [View]) {
    let (one, all) = timely::execute_directly(move |worker| {
        let mut graph = graph_of(worker, views);
        let traffic = Traffic { is_live: false, is_listed: true };
        shop::listings(0).into_iter().for_each(|listing| graph.inputs.listings.send(listing));
        shop::traffic(0..WARM, traffic).into_iter().for_each(|order| graph.inputs.orders.send(order));
        sales_of_a_thousand_days().into_iter().for_each(|order| graph.inputs.orders.send(order));
        close(worker, &mut graph);
        graph.inputs.listings.send(shop::listing(0, 1));
        let one = close(worker, &mut graph);
        shop::listings(2).into_iter().for_each(|listing| graph.inputs.listings.send(listing));
        (one, close(worker, &mut graph))
    });
    println!(
        "{what}: a listing that moves a product with 1,000 days of sales, {WARM} others beside: {:.2} ms to changed totals; \
         {PRODUCTS} listings that move all of it: {:.0} ms",
        one.as_secs_f64() * 1e3,
        all.as_secs_f64() * 1e3
    );
}

/// Bytes that all views take more than four, by rows of (product, day, currency); and facts beside them, by rows of
/// (product, day, payment method, currency).
fn memory_of_a_row() {
    const ORDERS: u64 = 2_000_000;
    let bytes_and_rows = |views: &'static [View]| {
        timely::execute_directly(move |worker| {
            let traffic = Traffic { is_live: false, is_listed: true };
            let (mut rows, mut paid) = (std::collections::HashSet::new(), std::collections::HashSet::new());
            shop::traffic(0..1, traffic);
            let region = Region::new(ALLOCATOR);
            let mut graph = graph_of(worker, views);
            for first in (0..ORDERS).step_by(100_000) {
                let orders = shop::traffic(first..first + 100_000, traffic);
                for order in &orders {
                    let counts = order.contribution().expect("an order");
                    let row = (counts.product, counts.fact.day, counts.fact.currency);
                    rows.insert(row);
                    paid.insert((row, counts.fact.payment_method));
                }
                orders.into_iter().for_each(|order| graph.inputs.orders.send(order));
                close(worker, &mut graph);
            }
            let counts = (rows.len(), paid.len());
            drop((rows, paid));
            let change = region.change();
            (change.bytes_allocated as i64 - change.bytes_deallocated as i64, counts)
        })
    };
    let (without, _) = bytes_and_rows(&[View::Day, View::Month, View::PaymentMethod]);
    let (with, (rows, paid)) = bytes_and_rows(&View::DEFAULT);
    let (with_facts, _) = bytes_and_rows(&View::ALL);
    println!(
        "memory of a row of (product, day, currency), {rows} of them, with months, best sellers and the catalogue's share: \
         {:.0} bytes",
        (with - without) as f64 / rows as f64
    );
    println!(
        "memory of a row of (product, day, payment method, currency), {paid} of them, with facts beside: {:.0} bytes",
        (with_facts - with) as f64 / paid as f64
    );
}

criterion_group!(benches, products);
criterion_main!(benches);
