//! The connection to PostgreSQL fails: every request ends within five seconds with success or 503, and the service
//! recovers.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, Client, retry_while_busy},
    databases::fresh_database,
    fixtures,
    proxy::{Fault, Proxy},
    soak, sql,
};

/// The time limit for any request.
const LIMIT: Duration = Duration::from_secs(5);
/// The time limit for a request that can only be refused.
const REFUSED: Duration = Duration::from_secs(1);

struct Scene {
    proxy: Proxy,
    server: Server,
    event: Value,
}

struct Request {
    method: Method,
    path: String,
    body: Option<String>,
}

impl Scene {
    async fn set() -> Self {
        let proxy = Proxy::before(&fresh_database());
        let server = Server::on(proxy.url.clone(), &[]);
        fixtures::insert_account(&server, "digituki@espoo.example", json!({})).await;
        let event = fixtures::event_body("049", "draft");
        Self { proxy, server, event }
    }

    /// Returns a request to each operation of the document, as the coordinator.
    async fn requests(&self) -> Vec<Request> {
        let document = self.server.anonymous().get("/openapi.json").await.expect(200).body;
        let mut requests = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let path = path.replace("{code}", "049").replace("{slug}", "tietoturva");
            let path = match path.find('{') {
                Some(_) => filled(&path),
                None => path,
            };
            for method in operations.as_object().unwrap().keys().filter(|name| *name != "parameters") {
                let method: Method = method.to_uppercase().parse().unwrap();
                let body = matches!(method, Method::POST | Method::PUT | Method::PATCH).then(|| self.body(&path));
                requests.push(Request { method, path: path.clone(), body });
            }
        }
        assert!(requests.len() > 40, "{} operations", requests.len());
        requests
    }

    /// A body with which some operations reach the database. The others refuse it.
    fn body(&self, path: &str) -> String {
        match path {
            "/v1/events" => self.event.to_string(),
            "/v1/auth/login" => json!({"email": "digituki@espoo.example", "password": fixtures::PASSWORD}).to_string(),
            "/v1/auth/refresh" | "/v1/auth/logout" => json!({"refresh_token": "nothing"}).to_string(),
            "/v1/themes" => json!({"slug": Uuid::new_v4(), "kind": "theme", "name": {"fi": "Aihe"}}).to_string(),
            _ => "{}".to_owned(),
        }
    }

    /// Sends everything at once. No request may take longer than `limit` or fail in an undocumented way. Returns how
    /// many succeeded and how many were refused.
    async fn everything(&self, limit: Duration) -> (usize, usize) {
        // A kept connection may close just when it is used again, which is no fault of the database link.
        let coordinator = self.server.coordinator().if_match("*").with("connection", "close");
        let requests = self.requests().await;
        let mut answers: FuturesUnordered<_> = requests.iter().map(|request| timed(&coordinator, request)).collect();
        let (mut served, mut refused) = (0, 0);
        // The measurement itself may add this much, less when it runs alone.
        let slack = soak::within(Duration::from_secs(3), Duration::from_millis(250));
        while let Some((request, answer, took)) = answers.next().await {
            let asked = format!("{} {}", request.method, request.path);
            assert!(took < limit + slack, "{asked} took {took:?}: {}", answer.text);
            match answer.status {
                503 => {
                    assert_eq!(answer.expect_problem(503, "unavailable").header("retry-after"), "1", "{asked}");
                    refused += 1;
                }
                status => {
                    assert!(status < 500, "{asked}: {}", answer.text);
                    served += 1;
                }
            }
        }
        (served, refused)
    }

    /// Waits until everything works again, and returns how long that took.
    async fn is_back(&self) -> Duration {
        let began = Instant::now();
        let (coordinator, path) = (self.server.coordinator().if_match("*"), "/v1/municipalities/049");
        while coordinator.patch(path, &json!({})).await.status != 200 || coordinator.get(path).await.status != 200 {
            assert!(began.elapsed() < soak::recovery(), "not recovered after {:?}", began.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    async fn rows(&self, title: &str) -> usize {
        sql::query_lines(&self.server, &format!("select id::text as line from events where title ->> 'fi' = '{title}'"))
            .await
            .len()
    }
}

/// Fills every path parameter with an id.
fn filled(path: &str) -> String {
    let id = Uuid::now_v7().to_string();
    let parts = path.split('/').map(|part| if part.contains('{') { id.as_str() } else { part });
    parts.collect::<Vec<_>>().join("/")
}

async fn timed<'a>(client: &Client, request: &'a Request) -> (&'a Request, Answer, Duration) {
    let began = Instant::now();
    let answer = client.send(request.method.clone(), &request.path, request.body.clone()).await;
    (request, answer, began.elapsed())
}

/// Sends everything twice under this fault: at its start, and while it lasts.
async fn endures(fault: Fault, lasting: Duration) -> (usize, usize) {
    let scene = Scene::set().await;
    let (mut served, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    let (began, rounds) = (Instant::now(), soak::times(1, 20));
    for _ in 0..rounds {
        scene.is_back().await;
        scene.proxy.set(fault);
        for limit in [LIMIT, lasting] {
            let (good, bad) = scene.everything(limit).await;
            (served, refused) = (served + good, refused + bad);
        }
        scene.server.anonymous().get("/livez").await.expect(200);
        scene.proxy.set(Fault::Sound);
        slowest = slowest.max(scene.is_back().await);
    }
    soak::report(&format!(
        "link {fault:?}, {rounds} times: {served} served, {refused} refused, back within {slowest:?}, {} connections, {:?}",
        scene.proxy.links(),
        began.elapsed()
    ));
    (served, refused)
}

#[tokio::test]
async fn refused_connections_answer_503() {
    let (_, refused) = endures(Fault::Refused, REFUSED).await;
    assert!(refused > 60, "only {refused} requests were refused");
}

#[tokio::test]
async fn reset_connections_answer_503() {
    let (_, refused) = endures(Fault::Reset, REFUSED).await;
    assert!(refused > 60, "only {refused} requests were refused");
}

#[tokio::test]
async fn a_silent_network_answers_503() {
    let (_, refused) = endures(Fault::BlackHole, LIMIT).await;
    assert!(refused > 60, "only {refused} requests were refused");
}

#[tokio::test]
async fn a_network_that_is_half_a_second_slower_still_serves() {
    let (served, _) = endures(Fault::Slow(Duration::from_millis(500)), LIMIT).await;
    assert!(served > 20, "only {served} requests were served");
}

#[tokio::test]
async fn connections_that_break_in_mid_answer_recover() {
    for bytes in [0, 1, 100, 1000, 10_000].into_iter().step_by(soak::times(2, 1)) {
        endures(Fault::CutAfter(bytes), LIMIT).await;
    }
}

#[tokio::test]
async fn a_retry_resolves_a_lost_reply_to_commit() {
    let scene = Scene::set().await;
    let mut replayed = 0;
    let times = soak::times(5, 200);
    for _ in 0..times {
        let title = Uuid::new_v4().to_string();
        let event = json!({
            "title": {"fi": title}, "kind": "webinar", "modality": "online", "host_municipality_code": "049",
            "starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"
        });
        let sender = scene.server.municipality("049").with("idempotency-key", &title);
        scene.proxy.set(Fault::LostCommit);
        sender.post("/v1/events", &event).await.expect_problem(503, "unavailable");
        assert_eq!(scene.rows(&title).await, 1, "the reply to another statement was lost");
        scene.proxy.set(Fault::Sound);
        let again = retry_while_busy(async || sender.post("/v1/events", &event).await).await.expect(201);
        replayed += usize::from(again.header("idempotency-replayed") == "true");
        assert_eq!(scene.rows(&title).await, 1);
    }
    assert_eq!(replayed, times);
    soak::report(&format!("lost commit replies: {replayed} of {times} resolved on retry, one row each"));
}
