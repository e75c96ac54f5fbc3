//! Who may ask, and how: checked for every request before it is looked at.

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;
use warp::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use warp::http::{HeaderMap, Method, Request};

use super::ServeError;
use super::errors::Problem;

/// The longest address of a request, in bytes.
const MAX_ADDRESS: usize = 8 * 1024;
/// Pages that say nothing of the shop: for probes, which have no token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// The rules of one service.
#[derive(Clone)]
pub struct Access {
    token: Option<String>,
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
            token => Ok(Access { token }),
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
            Some(token) => {
                if !OPEN.contains(&request.uri().path()) && !given(headers).is_some_and(|given| same(&given, token)) {
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
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed());
        }
        let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
        if !empty || headers.contains_key(TRANSFER_ENCODING) {
            return Err(Problem::body());
        }
        Ok(())
    }
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
