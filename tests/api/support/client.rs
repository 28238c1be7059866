//! A caller of the API, and the answers it gets.

use std::time::{Duration, Instant};

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

/// A caller with or without an access token.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    pub(crate) token: Option<String>,
    headers: Vec<(String, String)>,
}

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// Makes an HTTP client. It drops idle connections earlier than the service, which closes them after 75 seconds: on a
/// busy machine a request could otherwise meet a closing connection and fail.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2)).build().unwrap()
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, base: String, token: Option<String>) -> Self {
        Self { http, base, token, headers: Vec::new() }
    }

    /// Returns the same caller with one more header.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.into(), value.into()));
        client
    }

    /// Returns the same caller with this token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn if_match(&self, etag: &str) -> Self {
        self.with("if-match", etag)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        self.send_bytes(method, path, body.map(String::into_bytes)).await
    }

    /// Repeats a GET until it answers with this status. Fails after 30 seconds.
    pub(crate) async fn until_status(&self, path: &str, status: u16) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.get(path).await;
            if answer.status == status {
                return answer;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{path} still answers {}", answer.status);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a body that need not be text.
    pub(crate) async fn send_bytes(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.attempt(method, path, body).await.unwrap()
    }

    /// Sends a request that may fail because the service or the connection ends.
    pub(crate) async fn attempt(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let content_type = self.headers.iter().any(|(name, _)| name == "content-type");
        if let Some(body) = body {
            request = request.body(body);
            if !content_type {
                request = request.header("content-type", "application/json");
            }
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, body })
    }

    /// Reads every item of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), None::<String>);
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = next.as_ref().map_or_else(|| path.to_owned(), |cursor| format!("{path}{join}cursor={cursor}"));
            let answer = self.get(&page).await.expect(200);
            items.extend(answer.body["items"].as_array().unwrap().clone());
            next = answer.body["next"].as_str().map(Into::into);
            if next.is_none() {
                return items;
            }
        }
    }
}

/// Repeats a request while it answers 503, as it may in a crowd on a busy machine.
pub(crate) async fn retry_while_busy(ask: impl AsyncFn() -> Answer) -> Answer {
    let began = Instant::now();
    loop {
        let answer = ask().await;
        if answer.status != 503 || began.elapsed() > Duration::from_secs(30) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asserts that requests sent later than two seconds after `since` are refused. A busy machine may take a second more.
pub(crate) async fn assert_shut_out(since: Instant, clients: [&Client; 2], path: &str) {
    loop {
        let sent = since.elapsed();
        let (one, other) = tokio::join!(clients[0].get(path), clients[1].get(path));
        if (one.status, other.status) == (401, 401) {
            return;
        }
        assert!(
            sent < Duration::from_secs(3),
            "a request sent after {sent:?} was accepted: {} {}",
            one.text,
            other.text
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Answer {
    /// Asserts the status. Every failure must be a complete problem.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        if status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
            assert_eq!(self.body["status"], status);
            assert_eq!(self.body["request_id"], self.header("x-request-id"));
            assert!(!self.body["code"].as_str().unwrap().is_empty());
        }
        self
    }

    /// Asserts the status and code of a problem.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["code"], code, "{}", answer.text);
        answer
    }

    /// Asserts that the input breaks exactly these rules: pointer (or `?parameter`, or `Header:`) and code.
    #[track_caller]
    pub(crate) fn expect_violations(self, expected: &[(&str, &str)]) -> Self {
        let answer = self.expect_problem(422, "invalid");
        let at = |error: &Value| match error["pointer"].as_str() {
            Some(pointer) => pointer.to_owned(),
            None if error["header"].is_string() => format!("{}:", error["header"].as_str().unwrap()),
            None => format!("?{}", error["parameter"].as_str().unwrap()),
        };
        let errors = answer.body["errors"].as_array().unwrap();
        let mut found: Vec<_> = errors.iter().map(|e| (at(e), e["code"].as_str().unwrap().to_owned())).collect();
        let mut expected: Vec<_> = expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{}", answer.text);
        answer
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {:?}", self.headers)).to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// Returns the values of one field of a page's items.
    #[track_caller]
    pub(crate) fn column(&self, field: &str) -> Vec<&str> {
        let items = self.body["items"].as_array().unwrap_or_else(|| panic!("not a page: {}", self.text));
        items.iter().map(|item| item[field].as_str().unwrap()).collect()
    }

    /// Returns the body with placeholders for the values that differ from run to run.
    #[track_caller]
    pub(crate) fn stable(&self) -> Value {
        stable(&self.body)
    }
}

/// Returns a resource with placeholders for the values that differ from run to run.
#[track_caller]
pub(crate) fn stable(body: &Value) -> Value {
    let mut body = body.clone();
    let fields = body.as_object_mut().unwrap();
    for (name, value) in fields.iter_mut() {
        match (name.as_str(), &value) {
            ("version", Value::Number(_)) => *value = json!("version"),
            ("created_at" | "updated_at", Value::String(time)) => {
                chrono::DateTime::parse_from_rfc3339(time).unwrap();
                assert!(time.ends_with('Z'), "{time} is not in UTC");
                *value = json!("time");
            }
            ("id", Value::String(id)) => {
                assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
                *value = json!("uuid");
            }
            _ => {}
        }
    }
    body
}
