//! The parameters of a request: whatever they are, they are refused with a name and a hint, or the store answers,
//! with the rows that were asked for.

use std::cell::RefCell;
use std::fmt::Write;

use takings::config::JobArgs;
use takings::job::{self, Stop};
use takings::service::parameters::{Parameters, write_cursor};
use takings::store::StoreUrl;
use takings::store::reader::logs::{CORRECTIONS, ORDERS, REJECTED};
use takings::store::reader::table::Table;
use takings::store::reader::views::{SALES_PER_DAY, VIEWS};
use takings::store::reader::{PageQuery, ReadError, Reader, ReaderOptions};
use takings_dataflows::view::View;
use tokio::runtime::Runtime;

/// A shop that was counted, and a way to ask it.
struct Shop {
    reader: Reader,
    runtime: Runtime,
    tables: Vec<&'static Table>,
    _folder: tempfile::TempDir,
}

thread_local! {
    static SHOP: RefCell<Shop> = RefCell::new(Shop::counted());
}

/// The first byte names a table, the rest is what stands after `?`.
pub fn attack(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let Ok(query) = std::str::from_utf8(rest) else { return };
    SHOP.with_borrow(|shop| {
        let table = shop.tables[usize::from(first) % shop.tables.len()];
        shop.page(table, query);
        shop.summary(query);
    });
}

impl Shop {
    fn counted() -> Shop {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for (topic, lines) in logs() {
            std::fs::write(path(&format!("{topic}.jsonl")), lines).expect("written");
        }
        let store = format!("sqlite:{}", path("shop.db").display());
        let topics = ["product_sold", "product_listings", "feedback"];
        let args = JobArgs::of(&folder.path().display().to_string(), &store).with_topics(&topics);
        let mut config = args.resolve().expect("sound");
        config.until_caught_up = true;
        config.keep_orders = true;
        config.views = View::ALL.to_vec();
        job::run(&config, &Stop::default()).expect("counted");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = StoreUrl::parse(&store).expect("a URL");
        let options = ReaderOptions { connections: 1, ..ReaderOptions::default() };
        let reader = runtime.block_on(async { Reader::open(&url, options) }).expect("opened");
        Shop {
            reader,
            runtime,
            tables: VIEWS.iter().chain([&CORRECTIONS, &ORDERS, &REJECTED]).collect(),
            _folder: folder,
        }
    }

    fn page(&self, table: &'static Table, text: &str) {
        let query = match Parameters::read_page(text, table).and_then(|parameters| parameters.page(table)) {
            Ok(query) => query,
            Err(problem) => {
                assert_eq!(problem.status.as_u16(), 400, "{text}");
                assert!(!problem.message.is_empty() && !problem.hint.is_empty(), "{text}");
                return;
            }
        };
        let limit = query.limit;
        let page = self.ask(text, self.reader.page(&query));
        assert!(page.rows.len() <= limit as usize, "{text}: {} rows", page.rows.len());
        let Some(last) = page.next else { return };
        // The cursor leads to the page after it, and its rows come after.
        let cursor = format!("cursor={}&limit=1", write_cursor(table, &last));
        let next: PageQuery = Parameters::read_page(&cursor, table)
            .and_then(|parameters| parameters.page(table))
            .unwrap_or_else(|problem| panic!("{text}: its own cursor {cursor}: {}", problem.message));
        assert_eq!(next.after.as_ref(), Some(&last), "{text}");
        let next = self.ask(&cursor, self.reader.page(&next));
        assert!(next.rows.iter().all(|row| page.rows.last() != Some(row)), "{text}: a row on two pages");
    }

    fn summary(&self, text: &str) {
        let known: Vec<&str> = SALES_PER_DAY.filters.iter().map(|filter| filter.parameter).collect();
        let asked = Parameters::read(text, &known).and_then(|parameters| parameters.conditions(&SALES_PER_DAY));
        if let Ok(conditions) = asked {
            let summary = self.ask(text, self.reader.summary(&conditions));
            let orders: u64 = summary.currencies.iter().map(|total| total.orders).sum();
            assert!(orders <= 40, "{text}: {orders} orders");
        }
    }

    fn ask<T>(&self, text: &str, asking: impl Future<Output = Result<T, ReadError>>) -> T {
        self.runtime.block_on(asking).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }
}

/// Every table has rows, with names that need quoting and escaping.
fn logs() -> [(&'static str, String); 3] {
    let names = ["Books", "a\\\"b", "Épicerie", "%", "_", "'; --", "😀"];
    let mut sold = String::new();
    for number in 0..40usize {
        let (category, product) = (names[number % 7], names[number * 3 % 7]);
        let (day, cents) = (1 + number % 28, number * 37);
        let currency = ["EUR", "FCFA", "a&b="][number % 3];
        let _ = writeln!(
            sold,
            r#"{{"orderId":"o-{number}","productName":"{product}","productCategory":"{category}","currency":"{currency}","orderDate":"2026-{:02}-{day:02}T10:00:00","paymentMethod":"{category}","totalAmount":{cents}.25}}"#,
            1 + number % 12
        );
    }
    sold.push_str("{\"orderId\":\"o-1\",\"orderDate\":\"2026-01-01\",\"totalAmount\":5}\n");
    sold.push_str("{\"key\":\"o-2\",\"value\":null}\n{\"orderId\":\"x\"}\nno JSON at all\n");
    let mut listed = String::new();
    let mut rated = String::new();
    for (number, name) in names.iter().enumerate() {
        let _ = writeln!(listed, r#"{{"product_id":"{name}","name":"{name}","category":"{name}","price":{number}}}"#);
        let _ = writeln!(rated, r#"{{"feedback_id":{number},"product_id":"{name}","rating":{}}}"#, 1 + number % 5);
    }
    [("product_sold", sold), ("product_listings", listed), ("feedback", rated)]
}
