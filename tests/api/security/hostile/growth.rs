//! The time that an answer takes grows with the size of the input, never with its square.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

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
    body: Option<Value>,
}

impl Request {
    fn get(path: String) -> Self {
        Self { method: Method::GET, path, headers: Vec::new(), body: None }
    }

    fn get_with(name: &'static str, value: String) -> Self {
        Self { headers: vec![(name, value)], ..Self::get("/v1/themes/email".to_owned()) }
    }

    fn send_body(method: Method, path: &str, body: Value) -> Self {
        let headers = vec![("if-match", "\"1-full\"".to_owned())];
        Self { method, path: path.to_owned(), headers, body: Some(body) }
    }

    async fn time(&self, client: &Client) -> Duration {
        let client = self.headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, value));
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            let answer = client.send(self.method.clone(), &self.path, self.body.as_ref().map(Value::to_string)).await;
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
            Request::send_body(Method::POST, "/v1/themes", Value::Object(fields))
        }),
        ("items of the wrong type", 90, |n| {
            Request::send_body(Method::POST, "/v1/events", json!({"tutors": vec![1; n], "themes": vec![1; n]}))
        }),
        ("fields of a patch", 1000, |n| {
            let fields = (0..n).map(|i| (format!("f{i}"), Value::Null)).collect();
            Request::send_body(Method::PATCH, "/v1/themes/email", Value::Object(fields))
        }),
    ]
}

#[tokio::test]
async fn ten_times_the_input_takes_at_most_twenty_times_as_long() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for (what, count, request) in inputs() {
        let (small, large) = (request(count).time(&coordinator).await, request(10 * count).time(&coordinator).await);
        let growth = large.as_secs_f64() / small.as_secs_f64();
        assert!(growth < MOST_GROWTH, "{what}: {small:?} for {count}, {large:?} for {}", 10 * count);
    }
}
