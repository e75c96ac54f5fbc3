//! Clients that are slow, greedy or malicious: none of them slows the others, is kept for ever, or takes more than
//! its share of memory.
//!
//! How others fare with and without each is printed side by side; timing fails nothing.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use support::clients::{PATIENCE, Served, raise_open_files, status};
use support::stores::Fresh;
use support::wait::until;

/// What the service may occupy under any of these, in megabytes.
const MEMORY: u64 = 300;

fn served() -> Served {
    raise_open_files(8_192);
    Served::start(Fresh::sqlite())
}

/// Holds that others are answered while an attack goes on, and that memory stays within bounds.
fn others_fare_as_before(
    name: &str,
    served: &mut Served,
    attack: impl FnOnce(&Served) -> Vec<TcpStream>,
) -> Vec<TcpStream> {
    let (before, memory) = (served.fares(15), served.memory());
    let clients = attack(served);
    let during = served.fares(15);
    let memory_during = served.memory();
    eprintln!(
        "{name}: {} clients\n  without: {before}; {memory} MB\n  with:    {during}; {memory_during} MB",
        clients.len()
    );
    assert!(memory_during < MEMORY, "{name}: {memory_during} MB");
    clients
}

/// A thousand that send a byte of their head now and then, or none.
#[test]
fn slow_heads_hold_nobody_up_and_are_closed() {
    let mut served = served();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients = others_fare_as_before("slow heads and half-open connections", &mut served, |served| {
            let clients: Vec<TcpStream> = (0..1_000)
                .map(|number| match number % 2 {
                    0 => served.send(b"GET /api/v1/summary HTTP/1.1\r\nhost: localhost\r\nx-slow: "),
                    _ => served.connect(),
                })
                .collect();
            let slow: Vec<TcpStream> = clients.iter().step_by(2).map(|client| client.try_clone().unwrap()).collect();
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    for mut client in &slow {
                        let _ = client.write_all(b"a");
                    }
                    std::thread::sleep(std::time::Duration::from_millis(200));
                }
            });
            clients
        });
        served.all_closed("slow heads", clients);
        done.store(true, Ordering::Relaxed);
    });
    until("only this client is connected", PATIENCE, || {
        (served.metric("takings_http_connections")? < 10.0).then_some(())
    });
}

#[test]
fn a_thousand_idle_streams_slow_nobody() {
    let mut served = served();
    let clients = others_fare_as_before("idle event streams", &mut served, |served| {
        (0..1_000).map(|_| served.send(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n")).collect()
    });
    assert!(served.metric("takings_event_streams").unwrap() >= 1_000.0);
    drop(clients);
    until("their places are free", PATIENCE, || (served.metric("takings_event_streams")? < 10.0).then_some(()));
}

/// They ask for the largest answers that there are, and for the stream, and take nothing.
#[test]
fn clients_that_take_nothing_are_dropped_and_what_waits_for_them_is_bounded() {
    let mut served = served();
    let clients = others_fare_as_before("answers that nobody takes", &mut served, |served| {
        let page = b"GET /api/v1/sales_per_category?limit=10000 HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let events = b"GET /api/v1/events?last_event_id=1 HTTP/1.1\r\nhost: localhost\r\n\r\n";
        (0..300).map(|number| served.send(if number % 4 == 0 { events.as_slice() } else { page })).collect()
    });
    let mut others = Vec::new();
    // More than the kernel holds for one that asks again and again, and never looks.
    let many = b"GET /api/v1/sales_per_category?limit=10000 HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(50);
    others.extend((0..20).map(|_| served.send(&many)));
    assert!(served.memory() < MEMORY, "{} MB", served.memory());
    let (pages, streams): (Vec<_>, Vec<_>) = clients.into_iter().enumerate().partition(|(number, _)| number % 4 != 0);
    let open = || served.metric("takings_http_connections");
    // Idle streams stay: what they were sent fits what the kernel holds for them.
    until("those that take nothing are gone", PATIENCE, || (open()? < streams.len() as f64 + 10.0).then_some(()));
    assert!(served.memory() < MEMORY, "{} MB", served.memory());
    drop((pages, streams, others));
    assert_eq!(served.get("/api/v1/summary").0, 200);
}

/// What no client of good faith sends is refused, one by one, and the next one is answered.
#[test]
fn what_no_browser_sends_is_refused() {
    let served = served();
    let get = |head: &str| format!("GET /api/v1/summary HTTP/1.1\r\nhost: localhost\r\n{head}\r\n");
    let sign_in = |head: &str, body: &str| {
        format!("POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\n{head}\r\n{body}").into_bytes()
    };
    // Where more is sent than is read, or no HTTP/1, the connection may be closed instead of answered.
    const CLOSED: u16 = 0;
    let long = "a".repeat(200_000);
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("a huge header", get(&format!("x: {long}\r\n")).into_bytes(), &[431, CLOSED]),
        ("a thousand headers", get(&"x: y\r\n".repeat(1_000)).into_bytes(), &[431, CLOSED]),
        (
            "a huge request line",
            format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes(),
            &[414, 431, CLOSED],
        ),
        (
            "a long address",
            format!("GET /api/v1/summary?{} HTTP/1.1\r\nhost: localhost\r\n\r\n", &long[..9_000]).into_bytes(),
            &[414, CLOSED],
        ),
        ("a body", get("content-length: 5\r\n\r\nhello").into_bytes(), &[413]),
        ("a chunked body", get("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n").into_bytes(), &[413]),
        ("a body of no size", get("content-length: 99999999999999\r\n").into_bytes(), &[413]),
        ("a length that is none", get("content-length: -1\r\n").into_bytes(), &[400]),
        ("two lengths", get("content-length: 0\r\ncontent-length: 5\r\n").into_bytes(), &[400, 413]),
        ("a length and chunks", get("content-length: 5\r\ntransfer-encoding: chunked\r\n").into_bytes(), &[400, 413]),
        ("a body to be waited for", get("expect: 100-continue\r\ncontent-length: 5\r\n").into_bytes(), &[413]),
        ("another method", b"DELETE /api/v1/summary HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[405]),
        ("a made up method", b"FROB /api/v1/summary HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[405]),
        (
            "another method where one signs in",
            b"PUT /api/v1/session HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            &[405],
        ),
        ("a token in no JSON", sign_in("content-type: text/plain\r\ncontent-length: 2\r\n", "{}"), &[415]),
        ("a token in no object", sign_in("content-type: application/json\r\ncontent-length: 2\r\n", "[]"), &[400]),
        ("no token", sign_in("content-type: application/json\r\n", ""), &[400]),
        (
            "a huge token",
            sign_in("content-type: application/json\r\ncontent-length: 200000\r\n", &long),
            &[413, CLOSED],
        ),
        (
            "a huge token in chunks",
            sign_in(
                "content-type: application/json\r\ntransfer-encoding: chunked\r\n",
                &format!("30d40\r\n{long}\r\n0\r\n\r\n"),
            ),
            &[413, CLOSED],
        ),
        ("half a token", sign_in("content-type: application/json\r\ncontent-length: 20\r\n", "{\"token\""), &[408]),
        (
            "a body where one asks",
            b"GET /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
            &[413],
        ),
        ("no method", b"G\x00T / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[400]),
        ("a proxy's request", b"CONNECT shop.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[405, 421]),
        ("all options", b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[405]),
        ("no path", b"GET * HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[400, 404]),
        ("another host's address", b"GET http://shop.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[421]),
        ("another host", b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n".to_vec(), &[421]),
        ("two hosts", b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: shop.example\r\n\r\n".to_vec(), &[400, 421]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\r\n\r\n".to_vec(), &[400, CLOSED]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 405, 505, CLOSED]),
        ("a way up", b"GET /../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[404]),
        (
            "an escaped way up",
            b"GET /assets/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            &[404],
        ),
        ("a way up in the API", b"GET /api/v1/..%2fsummary HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[404]),
        ("a file of the system", b"GET //etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[404]),
        ("bytes that are no text", b"GET /api/v1/\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[400, 404]),
        (
            "escapes that are no text",
            b"GET /api/v1/%ff%fe%zz HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            &[400, 404],
        ),
        (
            "a header in a parameter",
            b"GET /api/v1/summary?currency=%0d%0aset-cookie:x HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            &[200],
        ),
        ("a header in a tag", get("if-none-match: \"\x01\"\r\n").into_bytes(), &[200, 400]),
        (
            "an id that is none",
            b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\nlast-event-id: 1e9\r\n\r\n".to_vec(),
            &[400],
        ),
        ("lines that end in \\n", b"GET /healthz HTTP/1.1\nhost: localhost\n\n".to_vec(), &[200]),
        ("folded headers", get("x: a\r\n b\r\n").into_bytes(), &[400]),
        ("spaces before the colon", get("content-length : 5\r\n").into_bytes(), &[400]),
    ];
    for (what, bytes, expected) in cases {
        let mut client = served.send(&bytes);
        let status = status(&mut client);
        assert!(expected.contains(&status.unwrap_or(CLOSED)), "{what}: {status:?}");
        let mut rest = String::new();
        let _ = client.set_read_timeout(Some(std::time::Duration::from_millis(1)));
        let _ = client.read_to_string(&mut rest);
        assert!(!rest.to_lowercase().contains("\nset-cookie"), "{what}: {rest}");
        assert!(!rest.contains("root:"), "{what}: {rest}");
        assert_eq!(served.get("/healthz"), (200, "ok\n".to_owned()), "after {what}");
    }
    assert!(!served.takings.log().contains("ERROR"), "{}", served.takings.log());
}

/// Requests sent without waiting are answered one after the other.
#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let served = served();
    let mut client = served.connect();
    let mut writing = client.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for number in 0..500 {
            let path = if number % 2 == 0 { "/healthz" } else { "/api/v1/nothing" };
            let close = if number == 499 { "connection: close\r\n" } else { "" };
            write!(writing, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{close}\r\n").unwrap();
        }
    });
    let mut all = String::new();
    client.read_to_string(&mut all).unwrap();
    sending.join().unwrap();
    let statuses: Vec<&str> = all.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses.len(), 500);
    assert!(statuses.chunks(2).all(|pair| pair == ["200", "404"]), "{statuses:?}");
}

/// More clients than the system grants the service files for: whoever is idle gives way, and it says so.
#[test]
fn idle_clients_give_way_where_there_is_no_room() {
    raise_open_files(8_192);
    let mut served = Served::start_with_open_files(Fresh::sqlite(), 600);
    // It listens before it says so.
    served.takings.wait_for("LimitNOFILE=");
    let idle: Vec<TcpStream> = (0..900).map(|_| served.connect()).collect();
    let mut client = served.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(status(&mut client), Some(200), "{}", served.takings.log());
    let cut = served.metric("takings_http_connections_cut_total").unwrap();
    assert!(cut >= 500.0, "{cut} gave way");
    drop(idle);
}
