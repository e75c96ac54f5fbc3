//! The dashboard's files, embedded at build time; and what `/` says where it was not built.

use rust_embed::RustEmbed;
use warp::http::HeaderValue;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY};
use warp::reply::Response;

use super::answer::{self, Asked};
use super::errors::Problem;

#[derive(RustEmbed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Dashboard;

const INDEX: &str = "index.html";
/// Vite names these files by their content, so that they never change.
const NAMED_BY_CONTENT: &str = "assets/";

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>takings</title><meta name="viewport" content="width=device-width"></head>
<body>
<h1>takings</h1>
<p>The service is running, but this program was built without the dashboard. To build it:</p>
<pre>npm --prefix dashboard ci
npm --prefix dashboard run build
cargo build --release</pre>
<p>or <code>make demo</code>, which does all of it. The API works without it:</p>
<ul>
<li><a href="/api/v1/summary">/api/v1/summary</a></li>
<li><a href="/api/v1/sales_per_day">/api/v1/sales_per_day</a>,
 <a href="/api/v1/sales_per_day.csv">as CSV</a></li>
<li><a href="/api/v1/freshness">/api/v1/freshness</a></li>
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a>: everything else</li>
</ul>
</body>
</html>
"#;

/// Whether there is a file at `path` (without a leading `/`; empty for the page itself).
pub fn is_there(path: &str) -> bool {
    path.is_empty() || Dashboard::iter().any(|file| file == path)
}

/// The file at `path` (without a leading `/`; empty for the page itself).
pub async fn reply(path: &str, asked: &Asked) -> Result<Response, Problem> {
    let path = if path.is_empty() { INDEX } else { path };
    let Some(file) = Dashboard::get(path) else {
        return if path == INDEX { Ok(not_built(asked).await) } else { Err(Problem::not_found()) };
    };
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    if asked.knows(&tag) {
        return Ok(answer::unchanged(&tag));
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let text = kind.type_() == "text" || matches!(kind.subtype().as_str(), "javascript" | "json" | "svg" | "wasm");
    let bytes = bytes::Bytes::from(file.data.into_owned());
    // Pictures and fonts are compressed already.
    let asked = if text { asked.clone() } else { asked.clone().plain() };
    let mut response = answer::body_of(&asked, bytes, "application/octet-stream").await;
    let headers = response.headers_mut();
    let keep = if path.starts_with(NAMED_BY_CONTENT) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let kind = if text { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    for (name, value) in [(CONTENT_TYPE, kind), (ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

async fn not_built(asked: &Asked) -> Response {
    let mut response = answer::body_of(asked, NOT_BUILT.as_bytes(), "text/html; charset=utf-8").await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
