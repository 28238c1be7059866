//! The time that an answer takes grows with the size of the input, never with its square.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::{Server, client::Client};

/// Ten times the input may take this many times as long: ten, and twice that for what a busy machine adds.
const MOST_GROWTH: f64 = 20.0;
/// How often each input is tried; the fastest try counts.
const TRIES: usize = 5;

/// A request of a size.
struct Request {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Request {
    fn get(path: String) -> Self {
        Self { method: Method::GET, path, headers: Vec::new(), body: None }
    }

    fn get_with(name: &'static str, value: String) -> Self {
        Self { headers: vec![(name, value)], ..Self::get("/v1/themes/email".to_owned()) }
    }

    fn send_body(method: Method, path: &str, body: &Value) -> Self {
        let headers = vec![("if-match", "\"1-full\"".to_owned())];
        Self { method, path: path.to_owned(), headers, body: Some(body.to_string()) }
    }

    /// A request with a form.
    fn send_form(path: &str, form: String) -> Self {
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Self { method: Method::POST, path: path.to_owned(), headers, body: Some(form) }
    }

    async fn time(&self, client: &Client) -> Duration {
        let client = self.headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, value));
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            let answer = client.send(self.method.clone(), &self.path, self.body.clone()).await;
            best = best.min(began.elapsed());
            assert!(answer.status < 500, "{}: {}", self.path, answer.text);
        }
        best
    }
}

fn query(name: impl Fn(usize) -> String, count: usize) -> Request {
    let query: Vec<_> = (0..count).map(name).collect();
    Request::get(format!("/v1/events?{}", query.join("&")))
}

fn list(item: &str, count: usize) -> String {
    vec![item; count].join(",")
}

/// Makes a request with an input of this size.
type MakeRequest = fn(usize) -> Request;

/// Each kind of input, at a size that ten times as much of still fits within the limits.
fn inputs() -> Vec<(&'static str, usize, MakeRequest)> {
    vec![
        ("unknown parameters", 40, |n| query(|i| format!("a{i}=1"), n)),
        ("parameters with wrong values", 10, |n| query(|_| "starts_after=x".to_owned(), n)),
        ("values of one filter", 10, |n| query(|i| format!("external_id=e{i}"), n)),
        ("words of a search", 20, |n| Request::get(format!("/v1/events?q={}", "a+".repeat(n / 2)))),
        ("a forged cursor", 400, |n| Request::get(format!("/v1/events?cursor={}", "A".repeat(n)))),
        ("names in include", 400, |n| Request::get(format!("/v1/events?include={}", list("x", n)))),
        ("media ranges", 400, |n| Request::get_with("accept", list("text/x;q=0.1", n))),
        ("content codings", 400, |n| Request::get_with("accept-encoding", list("x;q=0.1", n))),
        ("entity tags", 400, |n| Request::get_with("if-none-match", list("\"x\"", n))),
        ("cookies", 400, |n| Request::get_with("cookie", vec!["a=b"; n].join("; "))),
        ("unknown fields", 1000, |n| {
            let fields = (0..n).map(|i| (format!("f{i}"), Value::Null)).collect();
            Request::send_body(Method::POST, "/v1/themes", &Value::Object(fields))
        }),
        ("items of the wrong type", 90, |n| {
            Request::send_body(Method::POST, "/v1/events", &json!({"tutors": vec![1; n], "themes": vec![1; n]}))
        }),
        ("items of a list", 90, |n| {
            let themes: Vec<_> = (0..n).map(|i| format!("theme-{i}")).collect();
            Request::send_body(Method::POST, "/v1/events", &json!({"themes": themes}))
        }),
        ("a long text", 20_000, |n| {
            Request::send_body(Method::POST, "/v1/events", &json!({"title": {"fi": "\u{1}".repeat(n / 6)}}))
        }),
        ("nested arrays", 10_000, |n| Request {
            body: Some("[".repeat(n)),
            ..Request::send_body(Method::POST, "/v1/events", &Value::Null)
        }),
        ("a repeated key", 2000, |n| Request {
            body: Some(format!("{{{}}}", list("\"a\":{\"b\":1}", n))),
            ..Request::send_body(Method::POST, "/v1/events", &Value::Null)
        }),
        ("numbers", 10_000, |n| {
            Request::send_body(Method::POST, "/v1/events", &json!({"capacity": "9".repeat(n), "x": vec![1.5; n / 100]}))
        }),
        ("fields of a patch", 1000, |n| {
            let fields = (0..n).map(|i| (format!("f{i}"), Value::Null)).collect();
            Request::send_body(Method::PATCH, "/v1/themes/email", &Value::Object(fields))
        }),
        ("a nested patch", 1000, |n| {
            let parts: Map<_, _> = (0..n).map(|i| (format!("l{i}"), json!({"a": {"b": null}}))).collect();
            Request::send_body(Method::PATCH, "/v1/themes/email", &json!({"name": parts}))
        }),
        ("tags of a condition", 400, |n| Request {
            headers: vec![("if-match", list("\"x+y\"", n))],
            ..Request::send_body(Method::PATCH, "/v1/themes/email", &json!({}))
        }),
        ("parameters of a form", 1000, |n| {
            let fields: Vec<_> = (0..n).map(|i| format!("a{i}=%41+")).collect();
            Request::send_form("/v1/auth/token", fields.join("&"))
        }),
        ("scopes of a form", 1000, |n| {
            Request::send_form("/v1/auth/token", format!("grant_type=client_credentials&scope={}", "a:b+".repeat(n)))
        }),
        ("a Basic header", 800, |n| Request {
            headers: vec![("authorization", format!("Basic {}", "Ojo6".repeat(n)))],
            ..Request::send_form("/v1/auth/token", "grant_type=client_credentials".to_owned())
        }),
        ("a refresh token", 10_000, |n| {
            Request::send_body(Method::POST, "/v1/auth/refresh", &json!({"refresh_token": "x".repeat(n)}))
        }),
        ("an e-mail address", 10_000, |n| {
            let login = json!({"email": format!("{}@{}fi", "a.".repeat(n / 2), "b.".repeat(n / 2)), "password": "x"});
            Request::send_body(Method::POST, "/v1/auth/login", &login)
        }),
        ("collections of the ledger", 10, |n| {
            Request::get(format!("/v1/changes?wait=0&{}", vec!["resource=events"; n].join("&")))
        }),
        ("a forged position", 80, |n| Request::get(format!("/v1/changes?cursor={}", "A".repeat(n)))),
        ("words of a search for tutors", 20, |n| Request::get(format!("/v1/tutors?q={}", "a+".repeat(n / 2)))),
        ("a calendar's secret", 800, |n| Request::get(format!("/calendar/{}.ics", "A".repeat(n)))),
        ("parameters of a calendar link", 40, |n| {
            let query: Vec<_> = (0..n).map(|i| format!("a{i}=1")).collect();
            Request::get(format!("/calendar/{}.ics?{}", "A".repeat(43), query.join("&")))
        }),
        ("a path", 800, |n| Request::get(format!("/v1{}", "/%41".repeat(n / 2)))),
        ("an idempotency key", 800, |n| Request {
            headers: vec![("idempotency-key", "k".repeat(n))],
            ..Request::send_body(Method::POST, "/v1/themes", &json!({}))
        }),
        ("proxies in Forwarded", 200, |n| Request::get_with("forwarded", list("by=x;for=127.0.0.1", n))),
        ("proxies in X-Forwarded-For", 400, |n| Request::get_with("x-forwarded-for", list("127.0.0.1", n))),
        ("a request id", 1000, |n| Request::get_with("x-request-id", "r".repeat(n))),
        ("a trace id", 1000, |n| Request::get_with("traceparent", "0-".repeat(n / 2))),
        ("header lines", 9, |n| Request {
            headers: vec![("accept", "text/x;q=0.1".to_owned()); n],
            ..Request::get("/v1/themes/email".to_owned())
        }),
        ("headers of a preflight", 400, |n| Request {
            method: Method::OPTIONS,
            headers: vec![
                ("origin", "https://digituki.example".to_owned()),
                ("access-control-request-method", "GET".to_owned()),
                ("access-control-request-headers", list("x-a", n)),
            ],
            ..Request::get("/v1/events".to_owned())
        }),
    ]
}

#[tokio::test]
async fn ten_times_the_input_takes_at_most_twenty_times_as_long() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1"), ("CORS_ORIGINS", "https://digituki.example")]);
    let coordinator = server.coordinator();
    for (what, count, request) in inputs() {
        let (small, large) = (request(count).time(&coordinator).await, request(10 * count).time(&coordinator).await);
        let growth = large.as_secs_f64() / small.as_secs_f64();
        assert!(growth < MOST_GROWTH, "{what}: {small:?} for {count}, {large:?} for {}", 10 * count);
    }
}
