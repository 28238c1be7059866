//! Metrics for the operator.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use reqwest::Method;
use serde_json::json;

use crate::support::Server;

async fn figures(server: &Server) -> String {
    let url = format!("{}/metrics", server.metrics_url.as_ref().unwrap());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    answer.text().await.unwrap()
}

/// Returns the value of the metric with this name and these labels.
#[track_caller]
fn value(figures: &str, figure: &str) -> f64 {
    let line = figures.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {figure} in\n{figures}")).parse().unwrap()
}

/// Returns the value of a metric that is a whole number.
#[track_caller]
fn count(figures: &str, figure: &str) -> i64 {
    format!("{:.0}", value(figures, figure)).parse().unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status() {
    let server = Server::with(&[("METRICS_PORT", "0")]);
    let espoo = server.municipality("049");
    for _ in 0..3 {
        espoo.get("/v1/municipalities/049").await.expect(200);
    }
    espoo.get("/v1/municipalities/999").await.expect(404);
    espoo.send(Method::HEAD, "/v1/municipalities/049", None).await.expect(200);
    espoo.get("/nowhere/049").await.expect(404);
    espoo.send(Method::from_bytes(b"BREW").unwrap(), "/v1/themes", None).await.expect(405);
    server.anonymous().post("/v1/auth/login", &json!({"email": "a@b.example", "password": "x"})).await.expect(401);
    let guess = json!({"invitation": "arvaus", "new_password": "uusi pitkä salasana"});
    for status in [401, 401, 401, 401, 401, 429] {
        server.anonymous().post("/v1/auth/password", &guess).await.expect(status);
    }
    let figures = figures(&server).await;
    for (route, method, status, times) in [
        ("/v1/municipalities/{code}", "GET", 200, 3),
        ("/v1/municipalities/{code}", "GET", 404, 1),
        ("/v1/municipalities/{code}", "HEAD", 200, 1),
        ("none", "GET", 404, 1),
        ("/v1/themes", "other", 405, 1),
    ] {
        let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        assert_eq!(count(&figures, &format!("kuntatutorit_request_seconds_count{labels}")), times, "{labels}");
        let sum = value(&figures, &format!("kuntatutorit_request_seconds_sum{labels}"));
        assert!(sum > 0.0 && sum < 10.0, "{labels}");
    }
    for (route, times) in [("/v1/auth/login", 1), ("/v1/auth/password", 6)] {
        let figure = format!("kuntatutorit_sign_ins_refused_total{{route=\"{route}\"}}");
        assert_eq!(count(&figures, &figure), times, "{route}");
    }
    assert!(!figures.contains("/049") && !figures.contains("nowhere"), "a path must not be a label");
}

#[tokio::test]
async fn the_metrics_cover_the_pool_the_database_and_the_ledger() {
    let server = Server::with(&[("METRICS_PORT", "0"), ("POOL_SIZE", "3")]);
    server
        .coordinator()
        .if_match("*")
        .patch("/v1/municipalities/049", &json!({"support_since": 2001}))
        .await
        .expect(200);
    let before = figures(&server).await;
    assert_eq!(count(&before, "kuntatutorit_pool_connections{state=\"max\"}"), 3);
    assert!(value(&before, "kuntatutorit_pool_connections{state=\"open\"}") >= 1.0);
    assert_eq!(count(&before, "kuntatutorit_pool_connections{state=\"waiting\"}"), 0);
    assert_eq!(count(&before, "kuntatutorit_database_up"), 1);
    assert_eq!(count(&before, &format!("kuntatutorit_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1);
    let mut older = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    for statement in ["begin", "select pg_current_xact_id()"] {
        diesel::sql_query(statement).execute(&mut older).await.unwrap();
    }
    server
        .coordinator()
        .if_match("*")
        .patch("/v1/municipalities/049", &json!({"support_since": 2002}))
        .await
        .expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(value(&figures(&server).await, "kuntatutorit_ledger_lag_seconds") > 0.2);
}

#[tokio::test]
async fn metrics_have_their_own_port_and_are_off_by_default() {
    let server = Server::with(&[("METRICS_PORT", "0")]);
    server.coordinator().get("/metrics").await.expect_problem(404, "not_found");
    let url = format!("{}/v1/municipalities", server.metrics_url.as_ref().unwrap());
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
    assert!(Server::start().metrics_url.is_none());
}
