//! CORS: what the pages of other origins may do, and what a refusal tells.

use reqwest::Method;

use crate::support::Server;

#[tokio::test]
async fn only_configured_origins_pass_cors() {
    let server = Server::with(&[("CORS_ORIGINS", "https://digituki.example")]);
    let ask = |origin: &str| {
        let client = server.anonymous().with("origin", origin).with("access-control-request-method", "PATCH");
        let client = client.with("access-control-request-headers", "authorization,if-match,content-type");
        async move { client.send(Method::OPTIONS, "/v1/tutors/1", None).await }
    };
    let allowed = ask("https://digituki.example").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://digituki.example");
    let refused = ask("https://evil.example").await.expect_problem(400, "preflight_refused");
    assert!(refused.headers.get("access-control-allow-origin").is_none());
    assert!(refused.body["detail"].as_str().unwrap().contains("`https://evil.example`"), "{}", refused.text);
    let preflight = server.anonymous().with("origin", "https://digituki.example");
    for (asked, method, header) in [
        ("`BREW`", "BREW", "if-match"),
        ("`x-own`", "PATCH", "if-match, x-own"),
        ("`x-other`, `x-own`", "PATCH", "X-Own,traceparent,x-other"),
        ("and others", "PATCH", &(0..500).map(|number| format!("x-{number}")).collect::<Vec<_>>().join(",")),
        ("`Access-Control-Request-Headers`", "PATCH", "not a header"),
    ] {
        let ask = preflight.with("access-control-request-method", method);
        let ask = ask.with("access-control-request-headers", header);
        let refused = ask.send(Method::OPTIONS, "/v1/tutors/1", None).await.expect_problem(400, "preflight_refused");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(asked) && detail.len() < 1000, "{asked}: {detail}");
        assert!(refused.headers.get("access-control-allow-headers").is_none(), "CORS must not allow this {asked}");
    }
    let tracing = preflight.with("access-control-request-method", "GET");
    let tracing = tracing.with("access-control-request-headers", "traceparent,tracestate,baggage");
    assert_eq!(tracing.send(Method::OPTIONS, "/v1/tutors/1", None).await.status, 200);
    let page = server.municipality("049").with("origin", "https://digituki.example");
    let answer = page.get("/v1/municipalities/049").await.expect(200);
    assert!(answer.header("access-control-expose-headers").to_lowercase().contains("etag"));
    let none = Server::start();
    let answer =
        none.municipality("049").with("origin", "https://digituki.example").get("/v1/municipalities/049").await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
}
