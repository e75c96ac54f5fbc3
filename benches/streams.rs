//! Ten thousand idle event streams: what they cost the service in memory, and the others in freshness.
//!
//! `make bench-streams`. The streams read what they are told and ask for nothing. Freshness is from the commit of an
//! order to its event on a probing stream: on one that was open before the ten thousand, and on one that came after
//! them, which is told last.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use support::clients::{PATIENCE, Served, quantiles, raise_open_files};
use support::service::Events;
use support::stores::Fresh;
use support::wait::until;

const COMMITS: usize = 100;

fn main() {
    // What Cargo passes to a bench.
    let count: usize = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(10_000);
    raise_open_files(count as u64 + 500);
    for store in [Fresh::sqlite(), Fresh::postgres()] {
        let kind = if store.is_postgres() { "PostgreSQL" } else { "SQLite" };
        let mut served = Served::start(store);
        let first = served.events();
        assert_eq!(first.next().name, "hello");
        let without = freshness(&mut served, &first);
        let memory = served.memory();

        // It takes a while.
        let mut streams = Vec::with_capacity(count);
        while streams.len() < count {
            for _ in streams.len()..count.min(streams.len() + 500) {
                streams.push(served.send(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n"));
            }
            served.beat();
        }
        until("all are open", PATIENCE, || {
            served.beat();
            (served.metric("takings_event_streams")? >= count as f64 + 1.0).then_some(())
        });
        let (done, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let reading = read_all(streams, &done, &told);
        let idle = served.memory();
        let early = freshness(&mut served, &first);
        let last = served.events();
        assert_eq!(last.next().name, "hello");
        let late = freshness(&mut served, &last);
        let busy = served.memory();
        done.store(true, Ordering::Relaxed);
        reading.join().unwrap();

        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        println!("{kind}, {count} idle event streams, {COMMITS} commits each");
        println!("  memory of the service: {memory} MB without, {idle} MB with, {busy} MB after events to all");
        for (name, [p50, p99]) in
            [("without", without), ("with, a stream from before", early), ("with, the last stream", late)]
        {
            println!(
                "  commit to event, {name}: p50 {:.1} ms ({:.2}), p99 {:.1} ms ({:.2})",
                ms(p50),
                ms(p50) / ms(without[0]),
                ms(p99),
                ms(p99) / ms(without[1])
            );
        }
        println!("  bytes that the idle streams were told: {}", told.load(Ordering::Relaxed));
    }
}

fn freshness(served: &mut Served, events: &Events) -> [Duration; 2] {
    let times = (0..COMMITS).map(|_| {
        let took = served.freshness(events);
        // A commit now and then, as a shop's minute has them: what is told to all others is told by then.
        std::thread::sleep(Duration::from_millis(400));
        took
    });
    quantiles(times.collect())
}

/// Reads whatever comes on any of them, a few times a second: they are browsers far away, not load on this machine.
fn read_all(
    mut streams: Vec<std::net::TcpStream>,
    done: &Arc<AtomicBool>,
    told: &Arc<AtomicU64>,
) -> std::thread::JoinHandle<()> {
    let (done, told) = (done.clone(), told.clone());
    std::thread::spawn(move || {
        streams.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
        let mut buffer = vec![0; 65_536];
        while !done.load(Ordering::Relaxed) {
            for stream in &mut streams {
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    told.fetch_add(read as u64, Ordering::Relaxed);
                }
            }
            std::thread::sleep(Duration::from_secs(3));
        }
    })
}
