//! What a client is told when it does not get what it asked for: one shape, stable codes.

use serde::Serialize;
use takings_dataflows::view::View;
use utoipa::ToSchema;
use warp::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderValue, StatusCode};
use warp::reject::{MethodNotAllowed, Rejection};
use warp::reply::Response;

use crate::store::StoreError;
use crate::store::reader::ReadError;

/// A refusal or a failure, as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What it is: a contract with programs.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// What a problem is. Codes are a contract: they are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A parameter is not known, repeated, or not what it should be.
    InvalidParameter,
    /// The bearer token is missing or wrong.
    Unauthorized,
    /// No such page.
    NotFound,
    /// The job does not keep this view.
    ViewOff,
    /// The view was switched on, and the job has not filled it yet.
    ViewFilling,
    /// The job keeps totals only, and no single orders.
    OrdersNotKept,
    /// The service's database role may not read a table.
    Withheld,
    /// Only GET and HEAD are served, but for signing in and out.
    MethodNotAllowed,
    /// A request with a body, or with too long an address.
    RequestTooLarge,
    /// A body of another kind than is read.
    UnsupportedMediaType,
    /// A body that does not come.
    RequestTimeout,
    /// Too many wrong tokens wait for their answers.
    TooManyGuesses,
    /// A host name that this service does not answer to.
    UnexpectedHost,
    /// The store does not answer.
    StoreUnreachable,
    /// The store can not be read until someone changes something.
    StoreUnusable,
    /// As many event streams as are allowed.
    TooManyStreams,
    /// A fault of takings.
    Internal,
}

/// The body of an answer that is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Error {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// What it is: stable, for programs.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Problem {
    fn new(status: StatusCode, code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem { status, code, message: message.into(), hint: hint.into() }
    }

    /// A parameter that is not what it should be. The message names it.
    pub fn parameter(name: &str, what: impl std::fmt::Display, hint: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, Code::InvalidParameter, format!("parameter `{name}` {what}"), hint)
    }

    /// No such page.
    pub fn not_found() -> Self {
        let hint = "GET /api/v1/openapi.json lists everything that is here";
        Problem::new(StatusCode::NOT_FOUND, Code::NotFound, "there is nothing at this address", hint)
    }

    /// Another method than GET and HEAD.
    pub fn method_not_allowed() -> Self {
        let message = "this method is not served here";
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::MethodNotAllowed,
            message,
            "use GET; nothing here is changed",
        )
    }

    /// A body where none belongs.
    pub fn body() -> Self {
        let message = "the request has a body, and none is read here";
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::RequestTooLarge,
            message,
            "send the parameters in the address",
        )
    }

    /// An address over the limit, in bytes.
    pub fn address(limit: usize) -> Self {
        let message = format!("the address is longer than {limit} bytes");
        Problem::new(StatusCode::URI_TOO_LONG, Code::RequestTooLarge, message, "ask for less at once")
    }

    /// No token, or a wrong one.
    pub fn unauthorized() -> Self {
        let hint = "send the header `Authorization: Bearer TOKEN` with the token that the service was started with";
        Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "a valid token is needed", hint)
    }

    /// Another token than the service's.
    pub fn wrong_token() -> Self {
        let hint = "give the token that the service was started with (--token)";
        Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "this is not the token", hint)
    }

    /// So many wrong tokens that others are not even told.
    pub fn too_many_guesses() -> Self {
        let message = "too many wrong tokens are being given";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyGuesses, message, "try again in some seconds")
    }

    /// A body that is no sign-in.
    pub fn no_token() -> Self {
        let message = "the body is not a JSON object with the text `token`, and nothing else";
        Problem::new(StatusCode::BAD_REQUEST, Code::InvalidParameter, message, "send {\"token\": \"…\"}")
    }

    /// A body that is not said to be JSON.
    pub fn no_json() -> Self {
        let (status, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType);
        Problem::new(status, code, "the body is not said to be JSON", "send `Content-Type: application/json`")
    }

    /// A body over the limit, in bytes.
    pub fn long_body(limit: usize) -> Self {
        let message = format!("the body is longer than {limit} bytes, or ended early");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::RequestTooLarge, message, "send the token, and nothing else")
    }

    /// A body that does not come.
    pub fn slow_body() -> Self {
        let message = "the body did not come in time";
        Problem::new(StatusCode::REQUEST_TIMEOUT, Code::RequestTimeout, message, "send it with the request")
    }

    /// A host name that is not this machine's.
    pub fn host() -> Self {
        let hint = "use http://127.0.0.1 or http://localhost; behind a proxy, start the service with --token";
        let message = "this service answers on this machine's own names only";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, Code::UnexpectedHost, message, hint)
    }

    /// As many event streams as are allowed.
    pub fn too_many_streams() -> Self {
        let hint = "close some pages, or start another `takings serve` on the same store";
        let message = "as many event streams are open as are allowed";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyStreams, message, hint)
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        let Problem { status, code, message, hint } = self;
        let body = Error { error: ErrorDetail { code, message, hint } };
        // Three strings and an enum: can not fail to become JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// What is said of a store without totals.
const EMPTY: &str = "the store holds no totals yet";

/// What the driver said, without the store's address: a client needs no map of the network.
pub fn cause(error: &StoreError) -> String {
    if let StoreError::Empty { .. } = error {
        return EMPTY.to_owned();
    }
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let Some(mut deepest) = source else { return error.to_string() };
    let mut text = String::new();
    while let Some(error) = source {
        let said = error.to_string();
        // Some drivers repeat their source; say each thing once.
        if !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        deepest = error;
        source = error.source();
    }
    if text.is_empty() { deepest.to_string() } else { text }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        match &error {
            StoreError::Unreachable { .. } => {
                let hint = "the service goes on by itself once the store answers; see its log for the address";
                let message = format!("the store is not reachable: {}", cause(&error));
                Problem::new(status, Code::StoreUnreachable, message, hint)
            }
            StoreError::Busy { why, .. } => {
                let hint = "the service goes on by itself once the store can; see its log for the address";
                Problem::new(status, Code::StoreUnreachable, format!("the store can not answer just now: {why}"), hint)
            }
            StoreError::Configuration { setting, .. } => {
                tracing::error!(%error, "the store can not be read");
                let message = format!("the store refuses this service: check the setting `{setting}`");
                Problem::new(status, Code::StoreUnusable, message, "see the service's log for what the store said")
            }
            StoreError::Withheld { message } => {
                let message = format!("the service's database role may not read all that was asked for: {message}");
                let hint = "where it is not withheld on purpose, GRANT SELECT on that table to the role, as \
                            sql/postgres/roles.sql does for all of them";
                Problem::new(StatusCode::FORBIDDEN, Code::Withheld, message, hint)
            }
            StoreError::Empty { .. } => {
                let hint = "start `takings run` on this store: the service goes on by itself";
                Problem::new(status, Code::StoreUnreachable, EMPTY, hint)
            }
            StoreError::OlderSchema { .. } => {
                let hint = "start `takings run` of this version on the store: the service goes on by itself";
                Problem::new(status, Code::StoreUnreachable, error.to_string(), hint)
            }
            StoreError::NewerSchema { .. } => {
                let hint = "upgrade this service to the version that writes the store";
                Problem::new(status, Code::StoreUnusable, error.to_string(), hint)
            }
            StoreError::Held { .. }
            | StoreError::Fenced { .. }
            | StoreError::Settings { .. }
            | StoreError::WentBack { .. }
            | StoreError::Corrupt(_)
            | StoreError::Fault { .. } => {
                tracing::error!(%error, cause = %cause(&error), "an answer failed");
                let hint = "see the service's log, and report it as a fault of takings";
                let message = "the answer could not be read from the store";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message, hint)
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::ViewOff(view) => {
                let is_off_unless_named = view.parse().is_ok_and(|view| !View::DEFAULT.contains(&view));
                let hint = if is_off_unless_named {
                    format!("start the job with --views default,{view}, or with {view} among the --views that it has")
                } else {
                    format!("start the job with {view} among its --views")
                };
                Problem::new(StatusCode::NOT_FOUND, Code::ViewOff, error.to_string(), hint)
            }
            ReadError::ViewFilling(_) => {
                let hint = "wait until the job has read the log again: the view is complete with its next commit, and \
                            /api/v1/views names those that are";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ViewFilling, error.to_string(), hint)
            }
            ReadError::OrdersNotKept => {
                let hint = "start the job on a new store with --keep-orders; a store keeps them from its first run on, or never";
                Problem::new(StatusCode::NOT_FOUND, Code::OrdersNotKept, error.to_string(), hint)
            }
        }
    }
}

/// What warp rejects.
pub async fn recover(rejection: Rejection) -> Result<Response, std::convert::Infallible> {
    let problem = if rejection.is_not_found() {
        Problem::not_found()
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Problem::method_not_allowed()
    } else {
        Problem::new(
            StatusCode::BAD_REQUEST,
            Code::InvalidParameter,
            format!("the request can not be read: {rejection:?}"),
            "GET /api/v1/openapi.json says what is read",
        )
    };
    Ok(problem.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_says_each_thing_once_and_no_address() {
        let source = std::io::Error::other("connection refused");
        let error = StoreError::Unreachable { store: "postgres://shop@db/takings".into(), source: Box::new(source) };
        assert_eq!(cause(&error), "connection refused");
        assert_eq!(cause(&StoreError::Empty { store: "postgres://shop@db/takings".into() }), EMPTY);
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::StoreUnreachable);
        assert!(!problem.message.contains("db/takings"));
    }
}
