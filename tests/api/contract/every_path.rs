//! Rules that hold for every path: methods, headers, compression and malformed bodies.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Server, fixtures};

#[tokio::test]
async fn unknown_paths_answer_404_and_unknown_methods_405() {
    let server = Server::start();
    let anonymous = server.anonymous();
    anonymous.get("/nowhere").await.expect_problem(404, "not_found");
    anonymous.get("/v1/nowhere").await.expect_problem(404, "not_found");
    anonymous.get("/v1/municipalities/%00").await.expect(401);
    server.coordinator().get("/v1/municipalities/%00").await.expect(404);
    let answer = anonymous.send(Method::POST, "/v1/municipalities/049", None).await;
    let answer = answer.expect_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "HEAD, GET, PUT, PATCH, DELETE, OPTIONS");
    let options = anonymous.send(Method::OPTIONS, "/v1/municipalities/049", None).await.expect(204);
    assert_eq!(options.header("allow"), "HEAD, GET, PUT, PATCH, DELETE, OPTIONS");
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let get = espoo.get("/v1/municipalities/049").await.expect(200);
    let head = espoo.send(Method::HEAD, "/v1/municipalities/049", None).await.expect(200);
    assert_eq!((head.text.as_str(), head.etag()), ("", get.etag()));
    assert_eq!(head.header("content-length"), get.text.len().to_string());
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let server = Server::start();
    for path in ["/v1/municipalities", "/livez", "/nowhere", "/docs/"] {
        let answer = server.anonymous().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(answer.header("vary").contains("Authorization"), "{path}");
    }
    let given = server.anonymous().with("x-request-id", "my-id_1.2").get("/livez").await;
    assert_eq!(given.header("x-request-id"), "my-id_1.2");
    let refused = server.anonymous().with("x-request-id", "not an id").get("/livez").await;
    assert_ne!(refused.header("x-request-id"), "not an id");
    assert!(refused.headers.get("strict-transport-security").is_none());
    let https = Server::with(&[("PUBLIC_URL", "https://kuntatutorit.example")]);
    let answer = https.anonymous().get("/livez").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn lists_are_compressed_and_single_resources_are_not() {
    let server = Server::start();
    for encoding in ["br", "gzip"] {
        let espoo = server.municipality("049").with("accept-encoding", encoding);
        let list = espoo.get("/v1/municipalities").await.expect(200);
        assert_eq!(list.header("content-encoding"), encoding);
        let short = espoo.get("/v1/municipalities?limit=1").await.expect(200);
        assert!(short.headers.get("content-encoding").is_none());
        let one = espoo.get("/v1/municipalities/049").await.expect(200);
        assert!(one.headers.get("content-encoding").is_none());
    }
    assert!(server.municipality("049").get("/v1/municipalities").await.headers.get("content-encoding").is_none());
}

#[tokio::test]
async fn malformed_bodies_get_the_status_and_code_of_their_mistake() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let path = "/v1/municipalities";
    let post = |body: String| coordinator.send(Method::POST, path, Some(body));
    for (body, status, code) in [
        (String::new(), 400, "malformed_json"),
        ("{".into(), 400, "malformed_json"),
        ("{} {}".into(), 400, "malformed_json"),
        (r#"{"code": "1", "code": "2"}"#.into(), 400, "malformed_json"),
        (r#"{"name": {"fi": "a", "fi": "b"}}"#.into(), 400, "malformed_json"),
        (r#"{"name": {"fi": "\ud800"}}"#.into(), 400, "malformed_json"),
        (r#"{"population": 1e400}"#.into(), 400, "malformed_json"),
        ("[".repeat(100_000), 400, "malformed_json"),
        ("[]".into(), 422, "invalid"),
        ("null".into(), 422, "invalid"),
        ("7".into(), 422, "invalid"),
        (r#"{"name": {"fi": "a\u0000b"}}"#.into(), 422, "invalid"),
        (format!(r#"{{"name": "{}"}}"#, "x".repeat(300_000)), 413, "payload_too_large"),
    ] {
        post(body).await.expect_problem(status, code);
    }
    let text = coordinator.with("content-type", "text/plain").send(Method::POST, path, Some("{}".into())).await;
    assert_eq!(text.expect_problem(415, "unsupported_media_type").header("accept"), "application/json");
    coordinator.with("accept", "text/html").get(path).await.expect_problem(406, "not_acceptable");
    coordinator.with("accept", "text/html, */*;q=0.1").get(path).await.expect(200);
}

#[tokio::test]
async fn permissions_are_checked_before_the_request_is_validated() {
    let server = Server::start();
    server.anonymous().post("/v1/municipalities", &Value::Null).await.expect_problem(401, "unauthenticated");
    let reader = server.partner("espoo", "municipalities:read", Some("049"));
    let refused = reader.post("/v1/municipalities", &Value::Null).await.expect_problem(403, "missing_scope");
    assert_eq!(refused.body["scope"], "municipalities:write");
    reader.get("/v1/municipalities?nothing=1").await.expect(400);
    server.anonymous().get("/v1/municipalities?nothing=1").await.expect(401);
}

#[tokio::test]
async fn public_read_lets_anonymous_callers_read() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let anonymous = server.anonymous();
    let answer = anonymous.get("/v1/municipalities/049").await.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    anonymous.get("/v1/about").await.expect(200);
    anonymous.get("/v1/me").await.expect(401);
    anonymous.if_match("*").patch("/v1/municipalities/049", &json!({})).await.expect(401);
    server.token("nonsense").get("/v1/municipalities/049").await.expect(401);
    assert_eq!(server.coordinator().get("/v1/municipalities").await.header("cache-control"), "private, no-store");
    Server::start().anonymous().get("/v1/about").await.expect(401);
}

#[actix_web::test]
async fn a_panic_answers_500_and_the_service_keeps_running() {
    use actix_web::{
        App, HttpServer,
        middleware::{Compress, from_fn},
        web,
    };
    use kuntatutorit::http::middleware::{compression, containment, problems, request_log, response_headers};

    async fn broken() -> &'static str {
        panic!("a bug")
    }
    let server = HttpServer::new(|| {
        App::new()
            .route("/broken", web::get().to(broken))
            .wrap(from_fn(containment::contain))
            .wrap(from_fn(compression::choose_encoding))
            .wrap(Compress::default())
            .wrap(from_fn(problems::render))
            .wrap(from_fn(response_headers::add_headers))
            .wrap(from_fn(request_log::observe))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/broken", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let client = reqwest::Client::new();
    for round in 0..3 {
        let response = client.get(&url).header("x-request-id", format!("round-{round}")).send().await.unwrap();
        assert_eq!(response.status(), 500);
        for (name, value) in [
            ("x-request-id", &*format!("round-{round}")),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, no-store"),
            ("content-type", "application/problem+json"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!((&body["code"], &body["request_id"]), (&json!("internal"), &json!(format!("round-{round}"))));
        assert!(!body.to_string().contains("a bug"), "{body}");
        let head = client.head(&url).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (500, String::new()));
    }
    handle.stop(false).await;
}

#[tokio::test]
async fn an_array_in_place_of_an_object_is_a_wrong_type() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let theme = |name: Value| json!({"slug": "new", "kind": "theme", "name": name});
    coordinator
        .post("/v1/themes", &json!(["new", "theme", ["x"], null]))
        .await
        .expect_violations(&[("", "wrong_type")]);
    coordinator
        .post("/v1/themes", &theme(json!(["x", null, null])))
        .await
        .expect_violations(&[("/name", "wrong_type")]);
    coordinator.post("/v1/auth/login", &json!(["a@b.example", "password"])).await.expect(422);
    let path = "/v1/municipalities/049";
    let patch = json!({"location": [60, 24]});
    coordinator.if_match("*").patch(path, &patch).await.expect_violations(&[("/location", "wrong_type")]);
    let patch = json!({"nonsense": null, "website": null});
    coordinator.if_match("*").patch(path, &patch).await.expect_violations(&[("/nonsense", "unknown_field")]);
}

#[tokio::test]
async fn a_thousand_mistakes_answer_quickly_with_at_most_100_errors() {
    let server = Server::start();
    let began = std::time::Instant::now();
    for (items, told) in [(900, 100), (12_000, 1)] {
        let many: Vec<String> = (0..items).map(|n| format!("t{n}")).collect();
        let mut event = fixtures::event_body("049", "draft");
        (event["themes"], event["languages"]) = (json!(many), json!(many));
        let answer = server.municipality("049").post("/v1/events", &event).await.expect(422);
        assert_eq!(answer.body["errors"].as_array().unwrap().len(), told);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn accept_headers_are_respected() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let path = "/v1/municipalities/049";
    for accept in ["application/json;q=0", "*/*;q=0", "application/xml"] {
        espoo.with("accept", accept).get(path).await.expect_problem(406, "not_acceptable");
    }
    espoo.with("accept-encoding", "identity;q=0").get(path).await.expect(406);
    let patch = espoo.if_match("*").with("content-type", "Application/JSON; charset=utf-8");
    patch.patch(path, &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_cursor_of_another_list_answers_400() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let page = espoo.get("/v1/tutors?limit=1").await.expect(200);
    let cursor = page.body["next"].as_str().unwrap();
    espoo.get(&format!("/v1/feedback?cursor={cursor}")).await.expect_problem(400, "bad_cursor");
}

#[tokio::test]
async fn empty_and_too_often_repeated_parameters_are_refused() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (list, parameter) in [("municipalities", "limit"), ("tutors", "q"), ("changes", "cursor")] {
        let answer = espoo.get(&format!("/v1/{list}?{parameter}=")).await;
        answer.expect_violations(&[(&format!("?{parameter}"), "too_short")]);
    }
    let hundred = "region=01&".repeat(100);
    espoo.get(&format!("/v1/municipalities?{hundred}")).await.expect(200);
    let more = espoo.get(&format!("/v1/municipalities?{hundred}region=01")).await;
    more.expect_violations(&[("?region", "too_long")]);
    espoo.get("/v1/events?include=host,host,host").await.expect(200);
    espoo.get("/v1/events?include=host,host,host,host").await.expect_problem(400, "unknown_include");
}

#[tokio::test]
async fn whole_numbers_are_accepted_in_any_notation() {
    let server = Server::start();
    let coordinator = server.coordinator().if_match("*");
    let write = async |number: &str| {
        let body = format!("{{\"population\": {number}}}");
        coordinator.send(Method::PATCH, "/v1/municipalities/049", Some(body)).await
    };
    for (number, population) in [("314024", 314_024), ("314024.0", 314_024), ("3.14e2", 314), ("-0.0", 0)] {
        assert_eq!(write(number).await.expect(200).body["population"], population, "{number}");
    }
    for number in ["0.5", "9007199254740994.0", "1e300"] {
        write(number).await.expect_violations(&[("/population", "wrong_type")]);
    }
}
