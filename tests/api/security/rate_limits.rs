//! Rate limits: each caller may send so many requests per second, and callers without a valid token share the limit of
//! their network address.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
};

const PATH: &str = "/v1/municipalities/049";

/// The lowest limit: three requests at once, then one per second.
const ONE_PER_SECOND: (&str, &str) = ("REQUESTS_PER_SECOND", "1");

/// Sends requests until one is refused. Returns the number of those that were served, and the refusal.
async fn use_up(client: &Client, path: &str) -> (usize, Answer) {
    for served in 0..100 {
        let answer = client.get(path).await;
        if answer.status == 429 {
            return (served, answer.expect_problem(429, "rate_limited"));
        }
    }
    panic!("100 requests were served")
}

#[tokio::test]
async fn a_caller_above_its_rate_is_told_when_to_come_back_and_others_are_served() {
    let server = Server::with(&[ONE_PER_SECOND]);
    let espoo = server.municipality("049");
    let first = espoo.get(PATH).await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), r#""default";q=3;w=3"#);
    assert_eq!(first.header("ratelimit"), r#""default";r=2;t=1"#);
    let (served, refused) = use_up(&espoo, PATH).await;
    assert!(served >= 2, "{served}");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit-policy"), r#""default";q=3;w=3"#);
    assert!(refused.header("ratelimit").starts_with(r#""default";r=0;t="#), "{}", refused.header("ratelimit"));
    // The limit belongs to the account and not to the address or to a token.
    server.municipality("049").get(PATH).await.expect(200);
    for _ in 0..20 {
        espoo.get("/livez").await.expect(200);
        espoo.get("/readyz").await.expect(200);
    }
}

#[tokio::test]
async fn every_kind_of_request_counts_once() {
    let server = Server::with(&[ONE_PER_SECOND]);
    let requests = [
        (Method::GET, "/v1/municipalities?limit=nothing"),
        (Method::GET, "/v1/changes?from=now"),
        (Method::HEAD, "/v1/events"),
        (Method::PUT, "/v1/municipalities/049"),
        (Method::DELETE, "/v1/events"),
        (Method::GET, "/nowhere"),
        (Method::POST, "/v1/auth/login"),
        (Method::GET, "/docs/problems"),
    ];
    for (method, path) in requests {
        let caller = server.coordinator();
        let first = caller.send(method.clone(), path, None).await;
        assert_ne!(first.status, 429, "{method} {path}");
        let mut refused = false;
        for _ in 0..50 {
            refused |= caller.send(method.clone(), path, None).await.status == 429;
            if refused {
                break;
            }
        }
        assert!(refused, "{method} {path}");
    }
}

#[tokio::test]
async fn requests_without_a_valid_token_share_the_limit_of_their_address() {
    let server = Server::with(&[ONE_PER_SECOND]);
    let member = server.municipality("049");
    for n in 0..100 {
        let answer = server.token(&format!("forged-{n}")).get(PATH).await;
        if answer.status == 429 {
            assert!(n >= 3);
            break;
        }
        answer.expect_problem(401, "unauthenticated");
        assert!(n < 99, "100 forged tokens were answered");
    }
    let (served, refused) = use_up(&server.anonymous(), "/v1/about").await;
    assert!(served < 3, "forged tokens did not count against the address: {served}");
    assert!(refused.headers.contains_key("retry-after"));
    let login = json!({"email": "a@b.example", "password": "x"});
    let refusals = [
        server.anonymous().post("/v1/auth/login", &login).await,
        server
            .anonymous()
            .with("content-type", "application/x-www-form-urlencoded")
            .post("/v1/auth/token", &login)
            .await,
        server.anonymous().with("authorization", "Basic eDp5").post("/v1/auth/token", &login).await,
        server.anonymous().get("/nowhere").await,
    ];
    assert!(refusals.iter().any(|answer| answer.status == 429 && answer.body["code"] == "rate_limited"));
    // A valid token from the same address has a limit of its own.
    member.get(PATH).await.expect(200);
}

#[tokio::test]
async fn an_ipv6_network_counts_as_one_address() {
    let server = Server::with(&[ONE_PER_SECOND, ("TRUSTED_PROXIES", "127.0.0.1")]);
    let from = |address: &str| server.anonymous().with("x-forwarded-for", address);
    for (used_up, same, other) in
        [("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1"), ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")]
    {
        let (served, _) = use_up(&from(used_up), PATH).await;
        assert!(served >= 3, "{served}");
        let (served, _) = use_up(&from(same), PATH).await;
        assert!(served < 3, "{same} has a limit of its own: {served}");
        from(other).get(PATH).await.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn without_a_limit_no_request_is_refused() {
    let server = Server::with(&[("REQUESTS_PER_SECOND", "0")]);
    let espoo = server.municipality("049");
    for _ in 0..400 {
        let answer = espoo.get(PATH).await.expect(200);
        assert!(!answer.headers.contains_key("ratelimit"));
    }
}

#[tokio::test]
async fn an_answer_that_caches_may_share_says_nothing_about_the_limit() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let shared = server.anonymous().get(PATH).await.expect(200);
    assert!(shared.header("cache-control").starts_with("public"));
    assert!(!shared.headers.contains_key("ratelimit") && !shared.headers.contains_key("ratelimit-policy"));
    assert!(server.anonymous().get("/v1/events?limit=x").await.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn pages_of_allowed_origins_can_read_the_refusal() {
    let server = Server::with(&[ONE_PER_SECOND, ("CORS_ORIGINS", "https://digituki.example")]);
    let page = server.municipality("049").with("origin", "https://digituki.example");
    let (_, refused) = use_up(&page, PATH).await;
    assert_eq!(refused.header("access-control-allow-origin"), "https://digituki.example");
    let exposed = refused.header("access-control-expose-headers").to_lowercase();
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name} is not in {exposed}");
    }
}

#[tokio::test]
async fn refusals_are_counted_for_the_operator() {
    let server = Server::with(&[ONE_PER_SECOND, ("METRICS_PORT", "0")]);
    use_up(&server.municipality("049"), PATH).await;
    use_up(&server.anonymous(), PATH).await;
    let url = format!("{}/metrics", server.metrics_url.as_ref().unwrap());
    let figures = reqwest::get(url).await.unwrap().text().await.unwrap();
    for by in ["caller", "address"] {
        let line = format!("kuntatutorit_requests_limited_total{{limit=\"{by}\"}} 1");
        assert!(figures.lines().any(|found| found == line), "{line} is not in {figures}");
    }
}

#[test]
fn every_operation_of_the_api_documents_the_refusal() {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap();
    let response = &document["components"]["responses"]["TooManyRequests"];
    for header in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
        assert!(response["headers"][header].is_object(), "{header} is not documented");
    }
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/")) {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, value)| value["responses"].is_object())
        {
            assert!(operation["responses"]["429"].is_object(), "{method} {path} has no response 429");
        }
    }
}

#[test]
fn a_limit_that_is_no_number_is_refused_at_the_start() {
    for (name, values) in [
        ("REQUESTS_PER_SECOND", ["many", "-1", "1.5", "1000001"]),
        ("WRITE_QUOTA_MIB", ["many", "-1", "1.5", "1048577"]),
    ] {
        for value in values {
            let lookup = |asked: &str| (asked == name).then(|| value.to_owned());
            let mistakes = kuntatutorit::config::Config::read(&lookup).err().map(|error| error.0).unwrap_or_default();
            assert_eq!(mistakes.len(), 1, "{name}={value}: {mistakes:?}");
            assert!(mistakes[0].starts_with(&format!("{name} must be a whole number from 0 to ")), "{mistakes:?}");
        }
    }
}
