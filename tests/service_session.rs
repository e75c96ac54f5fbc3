//! Signing in and out over real HTTP: who is let in, who is not, and that guessing holds up nobody.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use support::service::{Answer, Serving, Shop, order};
use support::stores::Fresh;
use takings::service::ServeConfig;

/// A browser gives the token once, and is let in by its cookie.
#[test]
fn one_signs_in_once_and_out_again() {
    const SESSION: &str = "/api/v1/session";
    const JSON: (&str, &str) = ("content-type", "application/json");
    let store = Fresh::sqlite();
    Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
    let config = |token: &str| {
        let config = ServeConfig::new(store.url.clone(), "127.0.0.1:0".parse().unwrap());
        ServeConfig { token: Some(token.into()), ..config }
    };
    let serving = Serving::with(config("s3cret"));
    assert_eq!(serving.json(SESSION), json!({"needed": true, "signed_in": false}));

    for (headers, body, status, code) in [
        (vec![JSON], r#"{"token": "s3cres"}"#, 401, "unauthorized"),
        (vec![JSON], r#"{"token": ""}"#, 401, "unauthorized"),
        (vec![JSON], r#"{"token": 5}"#, 400, "invalid_parameter"),
        (vec![JSON], r#"{"token": "s3cret", "next": "/"}"#, 400, "invalid_parameter"),
        (vec![JSON], "", 400, "invalid_parameter"),
        (vec![], r#"{"token": "s3cret"}"#, 415, "unsupported_media_type"),
        (vec![("content-type", "text/plain")], r#"{"token": "s3cret"}"#, 415, "unsupported_media_type"),
    ] {
        let answer = serving.request("POST", SESSION, &headers, body);
        assert_eq!((answer.status, answer.problem().0.as_str()), (status, code), "{body}");
        assert_eq!(answer.header("set-cookie"), "");
        assert!(!answer.header("www-authenticate").contains("Basic"), "{body}");
    }
    let put = serving.request("PUT", SESSION, &[JSON], "{}");
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, POST, DELETE"));
    assert_eq!(serving.request("POST", &format!("{SESSION}?x=1"), &[JSON], "{}").status, 400);

    let answer = serving.request("POST", SESSION, &[JSON], r#"{"token": "s3cret"}"#);
    assert_eq!((answer.status, answer.body.as_str(), answer.header("cache-control")), (204, "", "no-store"));
    let set = answer.header("set-cookie").to_owned();
    assert!(set.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"), "{set}");
    assert!(!set.contains("s3cret"), "{set}");
    let secure = [("content-type", "Application/JSON; charset=utf-8"), ("x-forwarded-proto", "https, http")];
    let answer = serving.request("POST", SESSION, &secure, r#"{"token": "s3cret"}"#);
    assert!(answer.header("set-cookie").ends_with("; SameSite=Strict; Secure"), "{}", answer.header("set-cookie"));

    let session = set.split(';').next().unwrap().to_owned();
    let with = |serving: &Serving, cookie: &str| serving.ask("/api/v1/summary", &[("cookie", cookie)]).status;
    assert_eq!(with(&serving, &session), 200);
    assert_eq!(with(&serving, &format!("theme=dark; {session}; x=y")), 200);
    assert_eq!(serving.ask(SESSION, &[("cookie", &session)]).json(), json!({"needed": true, "signed_in": true}));
    let (name, value) = session.split_once('=').unwrap();
    for forged in
        [format!("{name}=9{value}"), format!("{name}={value}x"), format!("other={value}"), format!("{name}=s3cret")]
    {
        assert_eq!(with(&serving, &forged), 401, "{forged}");
    }
    // It is the token's, not this process's.
    assert_eq!(with(&Serving::with(config("s3cret")), &session), 200);
    assert_eq!(with(&Serving::with(config("another")), &session), 401);

    let out = serving.request("DELETE", SESSION, &[("cookie", &session)], "");
    assert_eq!((out.status, out.header("set-cookie").split(';').nth(2)), (204, Some(" Max-Age=0")));
    assert!(out.header("set-cookie").starts_with("takings_session=;"));

    // Where no token is needed, there is nothing to sign in to.
    let open = Serving::of(&store.url);
    assert_eq!(open.json(SESSION), json!({"needed": false, "signed_in": true}));
    let answer = open.request("POST", SESSION, &[JSON], r#"{"token": "anything"}"#);
    assert_eq!((answer.status, answer.header("set-cookie")), (204, ""));
    assert_eq!(open.ask(SESSION, &[("host", "shop.example")]).status, 421);
}

/// Wherever a wrong token is given, it costs the same, and holds up neither those who know nor those who are in.
#[test]
fn guesses_are_answered_late_wherever_they_are_made() {
    const SESSION: &str = "/api/v1/session";
    const JSON: (&str, &str) = ("content-type", "application/json");
    /// How long a guess takes at least, with some for a clock that is coarse.
    const LATE: Duration = Duration::from_millis(290);
    let store = Fresh::sqlite();
    Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
    let config = ServeConfig::new(store.url.clone(), "127.0.0.1:0".parse().unwrap());
    let serving = Serving::with(ServeConfig { token: Some("s3cret".into()), ..config });
    let set = serving.request("POST", SESSION, &[JSON], r#"{"token": "s3cret"}"#).header("set-cookie").to_owned();
    let session = set.split(';').next().unwrap();

    let basic = format!("Basic {}", BASE64.encode("me:guess"));
    let guesses: [&(dyn Fn() -> Answer + Sync); 5] = [
        &|| serving.request("POST", SESSION, &[JSON], r#"{"token": "guess"}"#),
        &|| serving.ask("/api/v1/summary", &[("authorization", "Bearer guess")]),
        &|| serving.ask("/metrics", &[("authorization", &basic)]),
        &|| serving.ask("/api/v1/none", &[("authorization", "Bearer guess"), ("cookie", "takings_session=1.x")]),
        &|| serving.ask(SESSION, &[("authorization", "Bearer guess")]),
    ];
    for guess in guesses {
        let began = Instant::now();
        let answer = guess();
        assert_eq!((answer.status, answer.problem().0.as_str()), (401, "unauthorized"));
        assert!(began.elapsed() >= LATE, "{:?}", began.elapsed());
    }
    // A browser that was let in is, whatever else it sends.
    let both = [("authorization", "Bearer guess"), ("cookie", session)];
    assert_eq!(serving.ask("/api/v1/summary", &both).status, 200);

    std::thread::scope(|scope| {
        let guessing: Vec<_> = (0..40)
            .map(|number| {
                scope.spawn(move || {
                    let began = Instant::now();
                    (guesses[number % guesses.len()]().status, began.elapsed())
                })
            })
            .collect();
        let known = [("authorization", "Bearer s3cret")];
        for _ in 0..10 {
            assert_eq!(serving.request("POST", SESSION, &[JSON], r#"{"token": "s3cret"}"#).status, 204);
            assert_eq!(serving.ask("/api/v1/summary", &known).status, 200);
            assert_eq!(serving.ask("/api/v1/summary", &[("cookie", session)]).status, 200);
        }
        assert!(guessing.iter().any(|guess| !guess.is_finished()), "who knows the token was answered meanwhile");
        let answers: Vec<_> = guessing.into_iter().map(|guess| guess.join().unwrap()).collect();
        assert!(answers.iter().all(|(status, took)| [401, 429].contains(status) && *took >= LATE), "{answers:?}");
        assert!(answers.iter().any(|(status, _)| *status == 401), "{answers:?}");
        assert!(answers.iter().any(|(status, _)| *status == 429), "there is no room for all in the line: {answers:?}");
    });
}
