//! Signing in: a browser gives the token once, and sends a cookie from then on.
//!
//! What it can not do: remember anyone. A session is the moment at which it ends, sealed with a key that only the token
//! gives: it is good at every service with the same token, outlives a restart, and ends where the token is changed.
//!
//! Guesses are answered late, wherever they are made: here, or in the header of any request. They stand in a line that
//! moves in single file, and where that is full each connection is told so, late as well. A right token never stands in
//! that line, and nobody else waits for it. Against whoever has many machines only a long, random token helps.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::{Mutex, Semaphore};
use utoipa::ToSchema;
use warp::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE, TRANSFER_ENCODING};
use warp::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use warp::reply::Response;

use super::access::Access;
use super::answer::{self, Asked};
use super::errors::Problem;
use super::parameters::Parameters;
use super::routes::Route;

/// Where one signs in.
pub const PATH: &str = "/api/v1/session";
const NAME: &str = "takings_session";
/// How long a session lasts, in seconds: 30 days.
const LASTS: u64 = 30 * 24 * 60 * 60;
/// The longest body, in bytes.
const MAX_BODY: usize = 4 * 1024;
/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a wrong token waits for its answer, once it is its turn.
const DELAY: Duration = Duration::from_millis(300);
/// How many wrong tokens wait at once.
const LINE: usize = 16;

/// Whether one must sign in, and has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Whether the service has a token, without which it tells nothing.
    pub needed: bool,
    /// Whether whoever asks may read.
    pub signed_in: bool,
}

/// What one signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The token that the service was started with.
    pub token: String,
}

/// Seals and checks sessions.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// By a key that the token gives.
    pub fn of(token: &str) -> Self {
        // A key of any length will do, and this one is as good as the token.
        let mut key = keyed(token.as_bytes());
        key.update(b"takings session 1");
        Seal(keyed(&key.finalize().into_bytes()))
    }

    fn session(&self, until: u64) -> String {
        let mut seal = self.0.clone();
        seal.update(until.to_string().as_bytes());
        format!("{until}.{}", BASE64.encode(seal.finalize().into_bytes()))
    }

    /// Whether this session was given out, and lasts at `now`. In time that does not depend on the seal.
    fn is_good(&self, session: &str, now: u64) -> bool {
        let Some((until, sealed)) = session.split_once('.') else { return false };
        let (Ok(moment), Ok(sealed)) = (until.parse::<u64>(), BASE64.decode(sealed)) else { return false };
        let mut seal = self.0.clone();
        seal.update(until.as_bytes());
        seal.verify_slice(&sealed).is_ok() && now < moment
    }

    /// Whether a request comes with a session.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut named =
            cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        named.any(|(name, session)| name == NAME && self.is_good(session, now()))
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(keyed) => keyed,
        Err(_) => unreachable!("a key may have any length"),
    }
}

/// In seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Those who gave a wrong token, and wait to be told.
pub struct Guesses {
    line: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses { line: Arc::new(Semaphore::new(LINE)), turn: Arc::default() }
    }
}

impl Guesses {
    /// What a wrong token is told, after what it costs.
    pub async fn refusal(&self) -> Problem {
        if self.wait().await { Problem::wrong_token() } else { Problem::too_many_guesses() }
    }

    /// Waits for what a wrong guess costs; `false` where too many wait already.
    async fn wait(&self) -> bool {
        let Ok(place) = self.line.clone().try_acquire_owned() else {
            // It has learned that it is wrong: were it told at once, the line would hold up nobody who asks often.
            tokio::time::sleep(DELAY).await;
            return false;
        };
        let turn = self.turn.clone();
        // On a task of its own: who goes away has not waited less.
        let waiting = tokio::spawn(async move {
            let turn = turn.lock().await;
            tokio::time::sleep(DELAY).await;
            drop((turn, place));
        });
        waiting.await.is_ok()
    }
}

/// Answers a request for [`PATH`].
pub async fn answer(access: &Access, request: Request<Incoming>) -> Response {
    let mut response = match asked(access, request).await {
        Ok(response) => response,
        Err(problem) => {
            let mut response = problem.into_response();
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, DELETE"));
            }
            response
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Route("session"));
    response
}

async fn asked(access: &Access, request: Request<Incoming>) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    Parameters::read(head.uri.query().unwrap_or_default(), &[])?;
    let is_secure = is_secure(&head.headers);
    match head.method {
        Method::POST => {
            let SignIn { token } = read(&head.headers, body).await?;
            if access.is_token(&token) {
                let session = access.seal().map(|seal| cookie(&seal.session(now() + LASTS), LASTS, is_secure));
                return Ok(done(session));
            }
            Err(access.guesses.refusal().await)
        }
        Method::DELETE => {
            empty(&head.headers)?;
            Ok(done(access.seal().map(|_| cookie("", 0, is_secure))))
        }
        Method::GET | Method::HEAD => {
            empty(&head.headers)?;
            if access.is_guess(&head.headers) {
                return Err(access.guesses.refusal().await);
            }
            let signed_in = access.is_signed_in(&head.headers);
            let session = Session { needed: access.seal().is_some(), signed_in };
            answer::json(&Asked::read(&head.headers, false), None, &session).await
        }
        _ => Err(Problem::method_not_allowed()),
    }
}

/// That a request has no body.
///
/// # Errors
/// The [`Problem`] to answer with.
pub fn empty(headers: &HeaderMap) -> Result<(), Problem> {
    let is_empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    if is_empty && !headers.contains_key(TRANSFER_ENCODING) { Ok(()) } else { Err(Problem::body()) }
}

/// What a browser's form can not send is no other page's doing: JSON, and named so.
async fn read(headers: &HeaderMap, body: Incoming) -> Result<SignIn, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::no_json());
    }
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Problem::long_body(MAX_BODY));
    }
    let bytes: Bytes = match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        Ok(Err(_)) => return Err(Problem::long_body(MAX_BODY)),
        Err(_) => return Err(Problem::slow_body()),
    };
    serde_json::from_slice(&bytes).map_err(|_| Problem::no_token())
}

/// Whether the browser's own connection, to a proxy before this service, is encrypted.
fn is_secure(headers: &HeaderMap) -> bool {
    let protocol = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).unwrap_or_default();
    protocol.split(',').next().unwrap_or_default().trim().eq_ignore_ascii_case("https")
}

fn cookie(session: &str, seconds: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{NAME}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn done(cookie: Option<String>) -> Response {
    let mut response = Response::new("".into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_until_it_ends_and_under_its_own_token() {
        let seal = Seal::of("s3cret");
        let session = seal.session(1_000);
        assert!(seal.is_good(&session, 999));
        assert!(!seal.is_good(&session, 1_000), "it has ended");
        assert!(Seal::of("s3cret").is_good(&session, 0), "after a restart");
        assert!(!Seal::of("s3cres").is_good(&session, 0));
        let (_, sealed) = session.split_once('.').expect("two parts");
        for forged in [&format!("9999.{sealed}"), &format!("1000.{}", &sealed[1..]), "1000.", "1000", ".", "", sealed] {
            assert!(!seal.is_good(forged, 0), "{forged}");
        }
        assert!(!session.contains("s3cret"));
    }

    #[tokio::test]
    async fn wrong_tokens_stand_in_a_line_that_ends() {
        let guesses = Arc::new(Guesses::default());
        let held = guesses.turn.clone().lock_owned().await;
        let waiting: Vec<_> = (0..LINE)
            .map(|_| {
                let guesses = guesses.clone();
                tokio::spawn(async move { guesses.wait().await })
            })
            .collect();
        while guesses.line.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!guesses.wait().await, "there is no place left");
        for gone in &waiting[1..] {
            gone.abort();
        }
        assert!(!guesses.wait().await, "who goes away has not waited less");
        drop(held);
        assert!(waiting.into_iter().next().expect("the first").await.expect("it was not given up"));
    }
}
