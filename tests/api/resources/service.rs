//! The service itself: health, keys, document, data sources, and a database without tables.

use crate::support::{Server, databases::empty_database};

#[tokio::test]
async fn health_checks_report_live_and_ready() {
    let server = Server::start();
    assert_eq!(server.anonymous().get("/livez").await.expect(200).text, "{\"status\":\"ok\"}\n");
    assert_eq!(server.anonymous().get("/readyz").await.expect(200).text, "{\"status\":\"ok\"}\n");
}

#[tokio::test]
async fn the_service_publishes_its_keys_and_metadata() {
    let server = Server::start();
    let keys = server.anonymous().get("/.well-known/jwks.json").await.expect(200);
    let key = &keys.body["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key["alg"].as_str()),
        (Some("EC"), Some("P-256"), Some("ES256"))
    );
    assert!(key.get("d").is_none(), "a private key is published");
    let metadata = server.anonymous().get("/.well-known/oauth-authorization-server").await.expect(200);
    assert_eq!(metadata.body["issuer"], server.url);
    assert_eq!(metadata.body["token_endpoint"], format!("{}/v1/auth/token", server.url));
    assert_eq!(metadata.body["jwks_uri"], format!("{}/.well-known/jwks.json", server.url));
}

#[tokio::test]
async fn the_service_publishes_its_document() {
    let server = Server::start();
    let document = server.anonymous().get("/openapi.json").await.expect(200);
    assert_eq!(document.body["openapi"], "3.1.0");
    assert!(document.body["paths"]["/v1/municipalities/{code}"]["patch"].is_object());
    let page = server.anonymous().get("/docs").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.text);
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let asset = server.anonymous().get(&format!("/docs/{asset}")).await.expect(200);
        assert!(asset.headers.get("content-security-policy").is_some());
    }
    server.anonymous().get("/docs/nothing.js").await.expect(404);
}

#[tokio::test]
async fn the_service_credits_its_data_sources() {
    let server = Server::start();
    let about = server.municipality("049").get("/v1/about").await.expect(200);
    assert_eq!(about.body["name"], "Kuntatutorit");
    let names: Vec<_> = about.body["sources"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "Statistics Finland",
            "National Land Survey of Finland",
            "Digital and Population Data Services Agency",
            "Uudenmaan liitto"
        ]
    );
    assert_eq!(about.body["sources"][0]["license"], "CC BY 4.0");
}

#[tokio::test]
async fn many_concurrent_requests_are_all_served() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let calls: Vec<_> = (0..200).map(|_| espoo.get("/v1/municipalities/049")).collect();
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
}

#[test]
fn a_database_without_tables_is_refused_at_start() {
    let started = std::panic::catch_unwind(|| Server::on(empty_database(), &[]));
    assert!(started.is_err());
}

#[tokio::test]
async fn the_root_is_a_page_for_people_and_json_for_programs() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for accept in [browser, "text/html", "application/json;q=0.1, text/html"] {
        let page = anonymous.with("accept", accept).get("/").await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{accept}");
        assert!(page.header("vary").contains("Accept,") || page.header("vary").ends_with("Accept"), "{accept}");
        for shown in ["href=\"/docs/\"", "href=\"/docs/problems\"", "href=\"/readyz\"", env!("CARGO_PKG_VERSION")] {
            assert!(page.text.contains(shown), "no {shown}: {}", page.text);
        }
    }
    for accept in
        ["*/*", "application/json", "application/problem+json", "application/json, text/html;q=0.5", "image/png"]
    {
        let answer = anonymous.with("accept", accept).get("/").await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json", "{accept}");
        assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
        for link in ["api", "documentation", "openapi", "health"] {
            let link = answer.body[link].as_str().unwrap();
            assert!(link.starts_with(&server.url), "{link}");
            let path = link.trim_start_matches(&server.url);
            assert!(path == "/v1" || anonymous.get(path).await.status == 200, "{path}");
        }
    }
    anonymous.get("/?nothing=1").await.expect_problem(400, "unknown_parameter");
    anonymous.post("/", &serde_json::json!({})).await.expect_problem(405, "method_not_allowed");
}
