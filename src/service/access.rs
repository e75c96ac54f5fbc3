//! Who may ask, and how: checked for every request before it is looked at.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;
use warp::http::header::{ACCEPT, AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use warp::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use warp::reply::Response;

use super::errors::Problem;
use super::session::{self, Guesses, Seal};
use super::{ServeError, assets};

/// The longest address of a request, in bytes.
const MAX_ADDRESS: usize = 8 * 1024;
/// Pages that say nothing of the shop: for probes, which have no token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// The rules of one service.
#[derive(Clone)]
pub struct Access {
    /// The token, and what seals sessions.
    token: Option<(String, Seal)>,
    /// Those who gave a wrong token.
    pub guesses: Arc<Guesses>,
}

impl Access {
    /// The rules for a service that listens on `listen`: beyond this machine only with a token.
    ///
    /// # Errors
    /// [`ServeError::Configuration`] of the setting `token`.
    pub fn new(listen: SocketAddr, token: Option<String>) -> Result<Self, ServeError> {
        let wrong = |message: String| Err(ServeError::Configuration { setting: "token", message });
        match token {
            Some(token) if token.trim().is_empty() => wrong("it is empty; give a long random text".to_owned()),
            None if !listen.ip().is_loopback() => wrong(format!(
                "listening on {listen} lets other machines read the totals, so a token is needed; give --token, or \
                 listen on 127.0.0.1"
            )),
            token => {
                let token = token.map(|token| {
                    let seal = Seal::of(&token);
                    (token, seal)
                });
                Ok(Access { token, guesses: Arc::default() })
            }
        }
    }

    /// Whether a request may be looked at.
    ///
    /// # Errors
    /// The [`Problem`] to answer with.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let headers = request.headers();
        if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > MAX_ADDRESS) {
            return Err(Problem::address(MAX_ADDRESS));
        }
        match &self.token {
            Some(_) => {
                if !is_open(request.uri().path()) && !self.is_signed_in(headers) {
                    return Err(Problem::unauthorized());
                }
            }
            // Without a token, any page in this machine's browser could ask in the name of a host that
            // it has pointed here (DNS rebinding).
            None => {
                let named = headers.get_all(HOST).iter().map(|host| host.to_str().is_ok_and(is_this_machine));
                // An address in full names the host as well, and goes before the header.
                let addressed = request.uri().authority().map(|authority| is_this_machine(authority.as_str()));
                if named.chain(addressed).any(|is_ours| !is_ours) {
                    return Err(Problem::host());
                }
            }
        }
        // The one address that takes more than questions sees to it itself.
        if request.uri().path() == session::PATH {
            return Ok(());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed());
        }
        session::empty(headers)
    }

    /// Whether a request comes with the token, or with a session that the token opened; or neither is needed.
    pub fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        let Some((token, seal)) = &self.token else { return true };
        given(headers).is_some_and(|given| same(&given, token)) || seal.is_in(headers)
    }

    /// Whether a request comes with a token that is not the right one, and nothing else lets it in.
    pub fn is_guess(&self, headers: &HeaderMap) -> bool {
        given(headers).is_some() && !self.is_signed_in(headers)
    }

    /// The problem of a request that was refused, as it is told: late, where it was a guess.
    pub async fn told(&self, headers: &HeaderMap, problem: Problem) -> Problem {
        let is_guess = problem.status == StatusCode::UNAUTHORIZED && self.is_guess(headers);
        if is_guess { self.guesses.refusal().await } else { problem }
    }

    /// Whether this is the token; or none is needed.
    pub fn is_token(&self, text: &str) -> bool {
        self.token.as_ref().is_none_or(|(token, _)| same(text, token))
    }

    /// What seals sessions, where a token is needed.
    pub fn seal(&self) -> Option<&Seal> {
        self.token.as_ref().map(|(_, seal)| seal)
    }
}

/// What is shown to everyone: it says nothing of the shop.
fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || path == session::PATH || assets::is_there(path.trim_start_matches('/'))
}

/// The answer to a request that is refused.
///
/// A browser opens its own password box where it is told that a password will do: not over the page that asks for the
/// token itself.
pub fn refused(headers: &HeaderMap, problem: Problem) -> Response {
    let mut response = problem.into_response();
    let is =
        |name, part: &str| headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|it| it.contains(part)));
    let by_page = headers.get("x-requested-with").is_some_and(|by| by == "takings") || is(ACCEPT, "text/event-stream");
    if response.status() == StatusCode::UNAUTHORIZED && !by_page {
        response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"takings\""));
    }
    response
}

/// In time that depends on the lengths only.
fn same(given: &str, token: &str) -> bool {
    given.as_bytes().ct_eq(token.as_bytes()).into()
}

/// The token in the header: as a bearer, or as the password that a browser asks for.
fn given(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(credentials.to_owned())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(BASE64.decode(credentials).ok()?).ok()?;
        pair.split_once(':').map(|(_, password)| password.to_owned())
    } else {
        None
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(header: &str, value: &str) -> Request<()> {
        Request::builder().uri("/api/v1/summary").header(header, value).body(()).expect("a request")
    }

    #[test]
    fn other_machines_need_a_token() {
        let everywhere: SocketAddr = "0.0.0.0:8080".parse().expect("an address");
        assert!(Access::new(everywhere, None).is_err());
        assert!(Access::new(everywhere, Some(" ".into())).is_err());
        let access = Access::new(everywhere, Some("s3cret".into())).expect("a token");
        assert!(access.check(&request("authorization", "Bearer s3cret")).is_ok());
        assert!(access.check(&request("authorization", &format!("Basic {}", BASE64.encode("me:s3cret")))).is_ok());
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer", "s3cret", "Basic s3cret"] {
            let problem = access.check(&request("authorization", wrong)).expect_err(wrong);
            assert_eq!(problem, Problem::unauthorized());
        }
    }

    #[test]
    fn without_a_token_only_this_machines_names_are_answered() {
        let access = Access::new("127.0.0.1:0".parse().expect("an address"), None).expect("loopback");
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "127.0.0.2"] {
            assert!(access.check(&request("host", host)).is_ok(), "{host}");
        }
        for (address, is_ours) in [("http://127.0.0.1:8080/healthz", true), ("http://shop.example/healthz", false)] {
            let request = Request::builder().uri(address).header("host", "localhost").body(()).expect("a request");
            assert_eq!(access.check(&request).is_ok(), is_ours, "{address}");
        }
        let twice = Request::builder().uri("/").header("host", "localhost").header("host", "shop.example");
        assert_eq!(access.check(&twice.body(()).expect("a request")), Err(Problem::host()));
        for host in ["shop.example", "127.0.0.1.shop.example:8080", "localhost.shop.example"] {
            assert_eq!(access.check(&request("host", host)), Err(Problem::host()), "{host}");
        }
    }
}
