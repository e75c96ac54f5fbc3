//! How an answer is handed over: as JSON or CSV, whole or "unchanged", compressed or not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use warp::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use warp::http::{HeaderMap, HeaderValue, StatusCode};
use warp::reply::Response;

use super::errors::Problem;
use super::logged;
use crate::store::StoreError;
use crate::store::reader::state_id::StateId;
use crate::store::reader::table::Column;
use crate::store::reader::value::{Row, Value};

/// Bodies shorter than this gain nothing from compression.
const WORTH_COMPRESSING: usize = 1024;
/// Bodies longer than this are compressed on a thread of their own.
const LONG: usize = 64 * 1024;

/// What a client takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// CSV in place of JSON.
    pub csv: bool,
    large: bool,
    gzip: bool,
    known: Option<String>,
}

impl Asked {
    /// Reads the headers; `csv` where the address says so already.
    pub fn read(headers: &HeaderMap, csv: bool) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Asked {
            csv: csv || text(&ACCEPT).split(',').any(|part| part.trim().starts_with("text/csv")),
            large: false,
            gzip: text(&ACCEPT_ENCODING).split(',').any(takes_gzip),
            known: headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned),
        }
    }

    /// The same, without compression.
    pub fn plain(self) -> Self {
        Asked { gzip: false, ..self }
    }

    /// The same of many rows: writing them takes long enough for others to notice.
    pub fn large(self, is_large: bool) -> Self {
        Asked { large: is_large, ..self }
    }

    /// Whether the client holds some state already.
    pub const fn knows_a_state(&self) -> bool {
        self.known.is_some()
    }

    /// Writes an answer. A large one does not hold up what else its thread has to do: events, mostly.
    fn written<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.large { tokio::task::block_in_place(write) } else { write() }
    }

    /// Whether the client holds the answer with this tag.
    pub fn knows(&self, tag: &str) -> bool {
        let mut tags = self.known.iter().flat_map(|known| known.split(','));
        tags.any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*")
    }
}

fn takes_gzip(part: &str) -> bool {
    let (name, weight) = part.split_once(';').unwrap_or((part, ""));
    let refused = weight.trim().trim_start_matches("q=").parse::<f32>().is_ok_and(|weight| weight == 0.0);
    matches!(name.trim(), "gzip" | "*") && !refused
}

/// The tag of every answer of a state: what an event's id is, too.
pub fn tag(state: &StateId) -> String {
    format!("\"{state}\"")
}

/// The answer is what the client holds.
pub fn unchanged(tag: &str) -> Response {
    let mut response = Response::new("".into());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    label(response.headers_mut(), Some(tag));
    response
}

/// An answer in JSON. Without a tag it is not to be kept.
pub async fn json(asked: &Asked, tag: Option<&str>, body: &impl Serialize) -> Result<Response, Problem> {
    let bytes = asked.written(|| serde_json::to_vec(body));
    let bytes = bytes.map_err(|error| failed("writing an answer as JSON", error))?;
    let mut response = body_of(asked, bytes, "application/json").await;
    label(response.headers_mut(), tag);
    Ok(response)
}

/// Rows as CSV, with the names of the columns in the first line.
pub async fn csv<'a>(
    asked: &Asked,
    tag: Option<&str>,
    names: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = &Row>,
) -> Result<Response, Problem> {
    let doing = "writing an answer as CSV";
    let writer = asked.written(|| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(names)?;
        rows.into_iter().try_for_each(|row| writer.write_record(row.iter().map(field)))?;
        Ok(writer)
    });
    let writer = writer.map_err(|error: csv::Error| failed(doing, error))?;
    let bytes = writer.into_inner().map_err(|error| failed(doing, error.into_error()))?;
    let mut response = body_of(asked, bytes, "text/csv; charset=utf-8").await;
    label(response.headers_mut(), tag);
    Ok(response)
}

/// The names of columns.
pub fn names(columns: impl Iterator<Item = &'static Column>) -> impl Iterator<Item = &'static str> {
    columns.map(|column| column.name)
}

fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Bytes(bytes) => logged::text_of(bytes),
    }
}

fn failed(doing: &str, source: impl std::error::Error + Send + Sync + 'static) -> Problem {
    StoreError::Fault { doing: doing.to_owned(), source: Box::new(source) }.into()
}

fn label(headers: &mut HeaderMap, tag: Option<&str>) {
    // A client may keep an answer, and must ask each time whether it still holds.
    let keep = if tag.is_some() { "no-cache" } else { "no-store" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        headers.insert(ETAG, tag);
    }
}

/// A response with this body, compressed where the client takes it and it is worth it.
pub async fn body_of(asked: &Asked, bytes: impl Into<bytes::Bytes>, content_type: &'static str) -> Response {
    let bytes = bytes.into();
    let compressed = match bytes.len() {
        length if !asked.gzip || length < WORTH_COMPRESSING => None,
        length if length < LONG => gzip(&bytes),
        _ => {
            let whole = bytes.clone();
            tokio::task::spawn_blocking(move || gzip(&whole)).await.ok().flatten()
        }
    };
    let mut response = match compressed {
        Some(compressed) => {
            let mut response = Response::new(compressed.into());
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        None => Response::new(bytes.into()),
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &'static str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        Asked::read(&headers, false)
    }

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let tag = "\"17-a0\"";
        assert!(asked("if-none-match", "\"16-a0\", W/\"17-a0\"").knows(tag));
        assert!(asked("if-none-match", "*").knows(tag));
        assert!(!asked("if-none-match", "\"171-a0\"").knows(tag));
        assert!(!asked("if-none-match", "\"17\", \"17-b1\"").knows(tag), "of another history");
    }

    #[test]
    fn compression_is_as_the_client_says() {
        assert!(asked("accept-encoding", "br, gzip;q=0.5").gzip);
        assert!(!asked("accept-encoding", "br, gzip;q=0").gzip);
        assert!(!asked("accept-encoding", "identity").gzip);
    }
}
