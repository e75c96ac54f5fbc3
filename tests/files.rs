//! The file log: every line once and in order, however the file came to be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, OpenFlags};
use takings::source::files::FileLog;
use takings::source::{Log, Polled, Source, SourceError, StartAt, Waker};
use takings_dataflows::order::PartitionId;

use support::takings::{Takings, takings};
use support::wait::until;

const LIMIT: usize = 1_000;

fn topics() -> Vec<String> {
    vec!["product_sold".to_owned()]
}

fn start(partition: u16, offset: u64) -> StartAt {
    StartAt::on(PartitionId { topic: 0, partition }, offset)
}

/// What was polled: `offset..next @timestamp key=payload`, or `end offset`.
fn poll(source: &mut dyn Source, max: usize) -> Vec<String> {
    let text = |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut seen = Vec::new();
    let count = source
        .poll(max, &mut |polled| {
            seen.push(match polled {
                Polled::Record(record) => format!(
                    "{}..{} @{} {}={}",
                    record.offset,
                    record.next_offset,
                    record.timestamp,
                    text(record.key),
                    text(record.payload)
                ),
                Polled::End { offset, .. } => format!("end {offset}"),
            });
        })
        .expect("read");
    assert_eq!(count, seen.len());
    seen
}

fn wakes() -> (Waker, Receiver<()>) {
    let (sender, receiver) = sync_channel(1);
    (Arc::new(move || sender.try_send(()).unwrap_or_default()), receiver)
}

fn open(folder: &Path, from: &[StartAt]) -> (Box<dyn Source>, Receiver<()>, FileLog) {
    let log = FileLog::open(folder, LIMIT).expect("a folder");
    let (waker, woken) = wakes();
    (log.open(&topics(), from, waker).expect("opened"), woken, log)
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn lines_are_records_and_positions_are_offsets() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    append(
        &path,
        "{\"a\":1}\n\n  \r\n{\"b\":2}\r\n{\"key\":\"o\",\"value\":null,\"timestamp\":5}\n{\"key\":\"p\",\"value\":{},\"timestamp\":3}\nnot",
    );
    let (mut source, woken, log) = open(folder.path(), &[start(0, 0)]);
    assert_eq!(
        poll(source.as_mut(), 100),
        ["0..8 @0 -={\"a\":1}", "13..22 @0 -={\"b\":2}", "22..61 @5 o=-", "61..98 @3 p={}", "end 98"]
    );
    assert_eq!(log.partitions(&topics()).expect("there")[0].end, 98);
    assert_eq!(poll(source.as_mut(), 100), [""; 0]);

    // The unfinished line is finished.
    append(&path, " json\n");
    woken.recv_timeout(Duration::from_secs(10)).expect("woken");
    assert_eq!(poll(source.as_mut(), 100), ["98..107 @0 -=not json", "end 107"]);

    // From the middle.
    let (mut source, ..) = open(folder.path(), &[start(0, 61)]);
    assert_eq!(poll(source.as_mut(), 1), ["61..98 @3 p={}"]);
    assert_eq!(poll(source.as_mut(), 1), ["98..107 @0 -=not json"]);
    assert_eq!(poll(source.as_mut(), 1), ["end 107"]);
}

#[test]
fn a_line_over_the_limit_is_cut_and_passed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let long = "x".repeat(3_000_000);
    append(&path, &format!("{long}\n{{}}\n{long}"));
    let (mut source, woken, _log) = open(folder.path(), &[start(0, 0)]);
    let head = "x".repeat(LIMIT + 1);
    assert_eq!(
        poll(source.as_mut(), 100),
        [format!("0..3000001 @0 -={head}"), "3000001..3000004 @0 -={}".to_owned(), "end 3000004".to_owned()]
    );
    assert_eq!(poll(source.as_mut(), 100), [""; 0]);
    append(&path, "y\n");
    woken.recv_timeout(Duration::from_secs(10)).expect("woken");
    assert_eq!(poll(source.as_mut(), 100), [format!("3000004..6000006 @0 -={head}"), "end 6000006".to_owned()]);
}

/// A line's bytes without its newline, and the record that it is: key and payload.
type Line = (Vec<u8>, Option<(Option<Vec<u8>>, Vec<u8>)>);

/// A line about as long as one may be, and what is to be made of it by its bytes alone.
fn line_about_the_bounds(random: &mut ChaCha8Rng, limit: usize) -> Line {
    let longest = 6 * limit + 64 * 1024;
    let mut near = |length: usize| length - 2 + random.random_range(0..5);
    let head = |payload: &[u8]| payload[..payload.len().min(limit + 1)].to_vec();
    let (of_payload, of_margin, of_line) = (near(limit), near(limit + 64 * 1024), near(longest));
    let mut line = match random.random_range(0..7) {
        // A payload of its own.
        0 => vec![b'x'; [of_payload, of_margin, of_line, 3 * longest][random.random_range(0..4)]],
        1 => vec![b' '; random.random_range(0..9)],
        // A text of which each byte is written as six, with a key of the length that makes the line one of the bounds.
        kind => {
            let value = "\\u0041".repeat(of_payload);
            let around = format!(r#"{{"key":"","value":"{value}"}}"#).len();
            let key = if kind < 5 { 7 } else { of_line.saturating_sub(around) };
            format!(r#"{{"key":"{}","value":"{value}"}}"#, "k".repeat(key)).into_bytes()
        }
    };
    if random.random_ratio(1, 4) {
        line.push(b'\r');
    }
    if line.len() > longest {
        let payload = head(&line);
        return (line, Some((None, payload)));
    }
    let text = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(&line)).expect("UTF-8");
    let record = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(envelope) => {
            let [key, value] = ["key", "value"].map(|name| envelope[name].as_str().expect("a text").as_bytes());
            Some((Some(key.to_vec()), head(value)))
        }
        Err(_) if text.trim_ascii().is_empty() => None,
        Err(_) => Some((None, head(text.as_bytes()))),
    };
    (line, record)
}

/// However its bytes came to be there, and wherever they lie: a replay reads what is whole, a live run what grows.
#[test]
fn what_a_line_is_depends_on_its_bytes_alone() {
    const LIMIT: usize = 20_000;
    for seed in 0..24 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("product_sold.jsonl");
        let (mut text, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..random.random_range(5..25) {
            let (line, record) = line_about_the_bounds(&mut random, LIMIT);
            expected.extend(record.map(|(key, payload)| (text.len() as u64, key, payload)));
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        let log = FileLog::open(folder.path(), LIMIT).expect("a folder");
        let read = |source: &mut dyn Source, seen: &mut Vec<_>, max| {
            let each = &mut |polled: Polled<'_>| {
                if let Polled::Record(record) = polled {
                    let payload = record.payload.expect("a payload").to_vec();
                    seen.push((record.offset, record.key.map(<[u8]>::to_vec), payload));
                }
            };
            while source.poll(max, each).expect("read") > 0 {}
        };
        let is_expected = |seen: &[_], how: &str| {
            let differs = seen.iter().zip(&expected).position(|(seen, expected)| seen != expected);
            assert_eq!((differs, seen.len()), (None, expected.len()), "seed {seed}, {how}");
        };

        append(&path, "");
        let mut source = log.open(&topics(), &[start(0, 0)], wakes().0).expect("opened");
        let (mut seen, mut left) = (Vec::new(), text.as_slice());
        while !left.is_empty() {
            let most = [100, 100_000, 700_000][random.random_range(0..3)];
            let (piece, rest) = left.split_at(random.random_range(1..=most.min(left.len())));
            append(&path, std::str::from_utf8(piece).expect("ASCII"));
            left = rest;
            if random.random() {
                read(source.as_mut(), &mut seen, random.random_range(1..100));
            }
        }
        read(source.as_mut(), &mut seen, 100);
        is_expected(&seen, "as it grows");

        // Whole, from its beginning and from any line: each lies elsewhere in what is read at a time then.
        for from in [0, random.random_range(0..expected.len())] {
            let offset = expected[from].0;
            let mut source = log.open(&topics(), &[start(0, offset)], wakes().0).expect("opened");
            let mut seen = expected[..from].to_vec();
            read(source.as_mut(), &mut seen, 100);
            is_expected(&seen, &format!("from byte {offset}"));
        }
    }
}

/// The run that counts it begins with its line; the next start reads it again behind others, and in two pieces.
#[test]
fn an_order_on_a_long_line_is_known_to_each_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let order = |id: &str, amount: u32, padding: usize| {
        format!(
            r#"{{"orderId": "{id}", "totalAmount": {amount}, "currency": "EUR", "orderDate": "2026-11-22", "x": "{}"}}"#,
            "y".repeat(padding)
        )
    };
    let escaped = |payload: &str| payload.bytes().map(|byte| format!("\\u{byte:04x}")).collect::<String>();
    let job = format!("--source {0} --store sqlite:{0}/totals.db", folder.path().display());
    let run = || {
        takings(&format!("run {job} --payload-limit 20000 --until-caught-up")).done();
        let store = Connection::open(folder.path().join("totals.db")).expect("the store");
        let query = "SELECT orders || ' orders, ' || total_sales FROM sales_per_day";
        store.query_row(query, [], |row| row.get::<_, String>(0)).expect("a row")
    };
    let others: Vec<String> = (0..50).map(|id| order(&id.to_string(), 1, 8_300) + "\n").collect();
    append(&path, &others.concat());
    assert_eq!(run(), "50 orders, 50.000000");
    append(&path, &format!("{{\"key\": \"a\", \"value\": \"{}\"}}\n", escaped(&order("a", 10, 19_800))));
    assert_eq!(run(), "51 orders, 60.000000");
    append(&path, &format!("{}\n", order("a", 30, 0)));
    assert_eq!(run(), "51 orders, 80.000000");
    // An audit goes by the store's limit, whatever it is told.
    for limit in ["", "--payload-limit 1000"] {
        takings(&format!("audit {job} {limit}")).done();
    }
}

#[test]
fn files_are_partitions() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = FileLog::open(folder.path(), LIMIT).expect("a folder");
    assert!(matches!(log.partitions(&topics()), Err(SourceError::TopicMissing { .. })));
    append(&folder.path().join("product_sold.jsonl"), "{}\n");
    append(&folder.path().join("product_sold-12.jsonl"), "{}\n{}\nhalf");
    append(&folder.path().join("product_sold-x.jsonl"), "{}\n");
    append(&folder.path().join("notes.txt"), "{}\n");
    let found: Vec<_> = log
        .partitions(&topics())
        .expect("there")
        .into_iter()
        .map(|range| (range.partition.partition, range.first, range.end))
        .collect();
    assert_eq!(found, [(0, 0, 3), (12, 0, 6)]);
    assert_eq!(log.identity(), folder.path().canonicalize().expect("a path").to_str().expect("UTF-8"));

    append(&folder.path().join("product_sold-0.jsonl"), "{}\n");
    let error = log.partitions(&topics()).expect_err("twice partition 0").to_string();
    assert!(error.contains("both are partition 0 of product_sold; rename one"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_waited_for_and_a_file_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = FileLog::open(folder.path().join("none"), LIMIT).err().expect("no folder");
    assert!(missing.is_transient(), "{missing}");
    let file = folder.path().join("file");
    append(&file, "");
    let error = FileLog::open(file, LIMIT).err().expect("no folder").to_string();
    assert!(error.starts_with("setting `source`: ") && error.contains("is not a folder"), "{error}");
}

#[test]
fn a_file_that_changed_stops_the_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let log = FileLog::open(folder.path(), LIMIT).expect("a folder");
    let reopen = |offset| {
        let opened = log.open(&topics(), &[start(0, offset)], wakes().0);
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(reopen(6).contains("it is gone, and was to be read from byte 6 on"), "{}", reopen(6));
    append(&path, "{}\n{}\n");
    assert_eq!(reopen(6), "");
    // Nobody says here that it was counted up to there: --resume-at may have named the byte.
    for (offset, what) in [(9, "it holds 6 bytes, and was to be read from byte 9 on"), (4, "no line starts at byte 4;")]
    {
        let message = reopen(offset);
        assert!(message.contains(what), "{message}");
        assert!(message.contains("if --resume-at names that byte, let it name the first byte of a line"), "{message}");
        assert!(message.contains("start again with the settings it has and a new --store"), "{message}");
    }

    let changed = |change: &dyn Fn()| {
        std::fs::write(&path, "{}\n{}\n").expect("written");
        let (mut source, woken, _log) = open(folder.path(), &[start(0, 0)]);
        assert_eq!(poll(source.as_mut(), 100).last().map(String::as_str), Some("end 6"));
        assert_eq!(poll(source.as_mut(), 100), [""; 0]);
        change();
        woken.recv_timeout(Duration::from_secs(10)).expect("woken");
        let error = source.poll(100, &mut |_| {}).expect_err("changed");
        assert!(matches!(error, SourceError::LogChanged { .. }), "{error}");
        error.to_string()
    };
    let shrunk = changed(&|| drop(OpenOptions::new().write(true).open(&path).expect("opened").set_len(3)));
    assert!(shrunk.contains("it shrank to 3 bytes, and 6 were read"), "{shrunk}");
    let replaced = changed(&|| {
        let other = folder.path().join("other");
        std::fs::write(&other, "{}\n{}\n{}\n").expect("written");
        std::fs::rename(&other, &path).expect("renamed");
    });
    assert!(replaced.contains("another file stands in its place"), "{replaced}");
    let removed = changed(&|| std::fs::remove_file(&path).expect("removed"));
    assert!(removed.contains("another file stands in its place, or none"), "{removed}");
}

/// Emptied and written anew between two looks of the watcher: to its sizes it grew, and that is all.
#[test]
fn a_file_that_was_written_anew_in_place_stops_the_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let lines = |letter: &str, count| format!("{{\"{letter}\":1}}\n").repeat(count);
    let long = |letter: &str| letter.repeat(600_000);
    let read_all = |source: &mut dyn Source| while source.poll(1_000, &mut |_| {}).expect("read") > 0 {};
    // What was there, where it is read from, what came while it was read, and what it is then.
    for (before, from, grown, anew) in [
        (lines("a", 2), 0, String::new(), lines("b", 3)),
        (lines("a", 2), 16, String::new(), lines("b", 3)),
        (lines("a", 20_000), 0, lines("a", 1), lines("b", 30_000)),
        // Half a line, and a line too long to hold.
        (lines("a", 1) + "{\"half\":", 0, String::new(), lines("b", 9)),
        (lines("a", 1), 0, "{\"half\":".to_owned(), lines("b", 9)),
        (long("a"), 0, long("a"), long("b").repeat(2) + "\n"),
        // The last that came of it is no more than the end of a line, or a blank one, as it is in the new file.
        (lines("a", 1), 0, "\n".to_owned(), "{\"b\":1}\n\n{\"c\":2}\n".to_owned()),
        (long("a"), 0, "\n".to_owned(), long("b") + "\n{}\n"),
    ] {
        std::fs::write(&path, &before).expect("written");
        let (mut source, woken, _log) = open(folder.path(), &[start(0, from)]);
        read_all(source.as_mut());
        if !grown.is_empty() {
            append(&path, &grown);
            woken.recv_timeout(Duration::from_secs(10)).expect("woken");
            read_all(source.as_mut());
        }
        let read_to = before.len() + grown.len();
        assert!(anew.len() > read_to);
        std::fs::write(&path, &anew).expect("written");
        woken.recv_timeout(Duration::from_secs(10)).expect("woken");
        let mut records = 0;
        let error = source.poll(100, &mut |_| records += 1).expect_err("written anew");
        assert!(matches!(error, SourceError::LogChanged { .. }) && records == 0, "{records} records, {error}");
        let said =
            format!("product_sold.jsonl is not the file it was: it was written anew, and the {read_to} bytes that");
        assert!(error.to_string().contains(&said), "{error}");
    }

    // A job that waits for its store reads nothing for a while, with more to read.
    std::fs::write(&path, lines("a", 100_000)).expect("written");
    let (mut source, ..) = open(folder.path(), &[start(0, 0)]);
    assert_eq!(poll(source.as_mut(), 1), ["0..8 @0 -={\"a\":1}"]);
    std::fs::write(&path, lines("b", 100_000)).expect("written");
    let error = loop {
        match source.poll(1_000, &mut |_| {}) {
            Ok(handed) => assert!(handed > 0, "read to its end"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("it was written anew"), "{error}");

    // As a copy is put back that goes on as the file did.
    std::fs::write(&path, lines("a", 2)).expect("written");
    let (mut source, woken, _log) = open(folder.path(), &[start(0, 0)]);
    read_all(source.as_mut());
    std::fs::write(&path, lines("a", 2) + "{}\n").expect("written");
    woken.recv_timeout(Duration::from_secs(10)).expect("woken");
    assert_eq!(poll(source.as_mut(), 100), ["16..19 @0 -={}", "end 19"]);
}

/// The start after that finds another record than the one counted last, and says how to go on.
#[test]
fn a_job_whose_file_is_written_anew_stops_and_is_told_how_to_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("product_sold.jsonl");
    let write = |ids: std::ops::Range<u32>| {
        let line = |id| format!("{{\"orderId\": \"{id}\", \"totalAmount\": 1, \"orderDate\": \"2026-11-22\"}}\n");
        std::fs::write(&path, ids.map(line).collect::<String>()).expect("written");
    };
    let run = format!("run --source {0} --store sqlite:{0}/totals.db --keep-orders", folder.path().display());
    let orders = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = Connection::open_with_flags(folder.path().join("totals.db"), flags);
        let orders = |store: Connection| store.query_row("SELECT orders FROM sales_per_day", [], |row| row.get(0));
        // It is the job that makes the store.
        store.and_then(orders).unwrap_or(0)
    };
    write(0..100);
    let running = Takings::start(&run);
    until("a hundred orders", Duration::from_secs(60), || (orders() == 100).then_some(()));
    write(50..300);
    running.wait().refused(78, &["product_sold.jsonl is not the file it was", "put the file back as it was"]);
    assert_eq!(orders(), 100);
    takings(&run).refused(78, &["is not the one that stood there", "--resume-at product_sold/0=0 (or"]);
    takings(&format!("{run} --resume-at product_sold/0=0 --until-caught-up")).done();
    assert_eq!(orders(), 300);
}

#[test]
fn a_file_that_comes_later_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    append(&folder.path().join("product_sold.jsonl"), "");
    let (mut source, woken, _log) = open(folder.path(), &[start(0, 0), start(1, 0)]);
    assert_eq!(poll(source.as_mut(), 100), ["end 0", "end 0"]);
    assert_eq!(poll(source.as_mut(), 100), [""; 0]);
    append(&folder.path().join("product_sold-1.jsonl"), "{}\n");
    woken.recv_timeout(Duration::from_secs(10)).expect("woken");
    assert_eq!(poll(source.as_mut(), 100), ["0..3 @0 -={}", "end 3"]);
}

/// Written in random slices while it is read: every line once, whole, and in order.
#[test]
fn follows_a_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> =
        (0..20_000).map(|number| format!("{{\"orderId\":{number},\"x\":\"{}\"}}", "y".repeat(number % 90))).collect();
    let paths: Vec<_> = (0..3).map(|part| folder.path().join(format!("product_sold-{part}.jsonl"))).collect();
    for path in &paths {
        File::create(path).expect("created");
    }
    let (mut source, woken, _log) = open(folder.path(), &[start(0, 0), start(1, 0), start(2, 0)]);
    let writer = std::thread::spawn({
        let (lines, paths) = (lines.clone(), paths.clone());
        move || {
            let mut random = ChaCha8Rng::seed_from_u64(7);
            let texts: Vec<Vec<u8>> = (0..3)
                .map(|part| {
                    lines.iter().skip(part).step_by(3).flat_map(|line| [line, "\n"].concat().into_bytes()).collect()
                })
                .collect();
            let mut written = [0; 3];
            while (0..3).any(|part| written[part] < texts[part].len()) {
                let part = random.random_range(0..3);
                let slice = random.random_range(1..5_000).min(texts[part].len() - written[part]);
                let mut file = OpenOptions::new().append(true).open(&paths[part]).expect("opened");
                file.write_all(&texts[part][written[part]..written[part] + slice]).expect("written");
                written[part] += slice;
                if random.random_ratio(1, 200) {
                    std::thread::park_timeout(Duration::from_millis(random.random_range(0..25)));
                }
            }
        }
    });
    let mut read: [Vec<String>; 3] = Default::default();
    let mut next = [0; 3];
    while read.iter().map(Vec::len).sum::<usize>() < lines.len() {
        let count = source
            .poll(777, &mut |polled| match polled {
                Polled::Record(record) => {
                    let part = usize::from(record.partition.partition);
                    assert_eq!(record.offset, next[part]);
                    next[part] = record.next_offset;
                    read[part].push(String::from_utf8(record.payload.expect("a payload").to_vec()).expect("UTF-8"));
                }
                Polled::End { partition, offset } => assert_eq!(offset, next[usize::from(partition.partition)]),
            })
            .expect("read");
        if count == 0 {
            woken.recv_timeout(Duration::from_secs(30)).expect("woken");
        }
    }
    writer.join().expect("written");
    for (part, read) in read.iter().enumerate() {
        assert!(read.iter().eq(lines.iter().skip(part).step_by(3)), "partition {part}");
    }
}
