//! The till: an address that writes what it is sent to the shop's log, so that a test in the browser can sell what it
//! then looks for. `dashboard/e2e/shop.ts` is its customer.

use std::net::Ipv4Addr;

use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use warp::Filter;
use warp::http::StatusCode;

/// Some thousands of orders.
const MOST_BYTES: u64 = 4_000_000;

/// What is rung up.
#[derive(Deserialize)]
pub struct Record {
    pub topic: String,
    pub key: Option<String>,
    /// None is a tombstone.
    pub value: Option<String>,
    /// In milliseconds since 1970; now where there is none.
    pub timestamp: Option<i64>,
}

/// Open until it is dropped.
pub struct Till {
    pub url: String,
    /// Serves it.
    _runtime: Runtime,
}

impl Till {
    /// Opens one that answers once `write` has written.
    pub fn open(write: impl Fn(Vec<Record>) + Clone + Send + Sync + 'static) -> Till {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        #[allow(clippy::disallowed_methods, reason = "bounded by what stands before it")]
        let body = warp::body::content_length_limit(MOST_BYTES).and(warp::body::json());
        let ring = warp::post().and(body).then(move |records: Vec<Record>| {
            let write = write.clone();
            async move {
                let written = tokio::task::spawn_blocking(move || write(records)).await;
                if written.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::INTERNAL_SERVER_ERROR }
            }
        });
        runtime.spawn(warp::serve(ring).incoming(listener).run());
        Till { url, _runtime: runtime }
    }
}
