//! Error messages name every wrong parameter and field, in the words of the API.

use serde_json::json;

use crate::support::{
    Server,
    document::{operations, placed, places},
    rows::Rows,
};

#[tokio::test]
async fn unknown_parameters_are_refused() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    // OAuth 2 ignores unknown parameters (RFC 6749, section 3.2), and calendar programs add their own.
    let lenient = ["issue_token", "get_linked_calendar"];
    for operation in operations().iter().filter(|operation| !lenient.contains(&operation.id.as_str())) {
        let path = format!("{}?nonsense=1", rows.path(&operation.path));
        let body = operation.body.as_ref().map(|body| body.example.to_string());
        let answer = server.coordinator().if_match("*").send(operation.method.clone(), &path, body).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("unknown_parameter")), "{}", operation.id);
    }
}

#[tokio::test]
async fn every_broken_rule_is_reported_in_the_words_of_the_api() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let municipality = json!({"nonsense": 1, "population": "many"});
    let answer = coordinator.post("/v1/municipalities", &municipality).await.expect_violations(&[
        ("/code", "required"),
        ("/language_status", "required"),
        ("/location", "required"),
        ("/name", "required"),
        ("/nonsense", "unknown_field"),
        ("/population", "wrong_type"),
        ("/population_on", "required"),
        ("/region_code", "required"),
        ("/region_name", "required"),
    ]);
    assert!(answer.text.contains("must be a whole number from -2147483648 to 2147483647"), "{}", answer.text);
    let event = json!({
        "title": "Digituki", "kind": "party", "modality": "everywhere", "starts_at": "tomorrow", "capacity": 0,
        "languages": "fi", "venue": {"name": "Kirjasto"}, "tutors": ["me"], "foo": 1
    });
    coordinator.post("/v1/events", &event).await.expect_violations(&[
        ("/ends_at", "required"),
        ("/foo", "unknown_field"),
        ("/kind", "wrong_type"),
        ("/languages", "wrong_type"),
        ("/modality", "wrong_type"),
        ("/starts_at", "wrong_type"),
        ("/title", "wrong_type"),
        ("/tutors/0", "wrong_type"),
        ("/venue/name", "wrong_type"),
    ]);
    let query = "/v1/events?kind=party&tutor=me&capacity_min=1";
    coordinator.get(query).await.expect_problem(400, "unknown_parameter");
    let answer = coordinator.get("/v1/events?kind=party&tutor=me&limit=many&municipality=1&lang").await;
    answer.expect_problem(400, "unknown_parameter");
    let answer = coordinator.get("/v1/events?kind=party&tutor=me&limit=many&municipality=1").await;
    let answer = answer.expect_violations(&[
        ("?kind", "invalid_value"),
        ("?limit", "invalid_value"),
        ("?municipality", "invalid_code"),
        ("?tutor", "invalid_value"),
    ]);
    for told in ["must be one of presentation, webinar", "must be a UUID such as", "must be a whole number"] {
        assert!(answer.text.contains(told), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_misspelt_parameter_gets_a_suggestion() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for (query, told) in [
        ("events?status=published,postponed", "cancelled; to send several values, repeat the parameter"),
        ("events?starts_after=2026-01-01T00:00:00+02:00", "+03:00; in a query, write + as %2B"),
        ("events?q=one&q=another", "must appear only once"),
        ("accounts?disabled=1", "must be true or false"),
    ] {
        let answer = coordinator.get(&format!("/v1/{query}")).await.expect(422);
        assert!(answer.body["errors"][0]["detail"].as_str().unwrap().ends_with(told), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_small_body_gets_a_small_answer() {
    let server = Server::start();
    let key = "a".repeat(130_000);
    let nuls = format!("{{\"{key}\":[{}\"\\u0000\"]}}", "\"\\u0000\",".repeat(10_000));
    let unknown = (0..20_000).map(|n| format!("\"x{n}\":1")).collect::<Vec<_>>().join(",");
    let items = format!("{{\"audience\":[{}\"\"]}}", "\"\",".repeat(80_000));
    let coordinator = server.coordinator();
    for (body, most) in [(nuls, 150_000), (format!("{{{unknown}}}"), 20_000), (items, 1000)] {
        assert!(body.len() < 256 * 1024);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let answer = coordinator.post("/v1/events", &body).await.expect(422);
        assert!(answer.text.len() < most, "{} bytes", answer.text.len());
    }
}

/// Messages of serde that say how the service is written.
#[tokio::test]
async fn no_error_message_reveals_how_the_service_is_written() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let client = server.coordinator().if_match("*");
    let wrong = [
        json!(null),
        json!(true),
        json!("x"),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!([]),
        json!([[]]),
        json!({"a": 1}),
    ];
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        for (pointer, _) in places(&body.schema) {
            for value in &wrong {
                let sent = placed(&body.example, &pointer, value).to_string();
                let answer = client.with("content-type", &body.media_type);
                let answer = answer.send(operation.method.clone(), &rows.path(&operation.path), Some(sent)).await;
                let speaks =
                    ["expected", "invalid type", "variant", "struct", "i32", "i64", "u64", "f64", "parsing", "line "];
                let errors = answer.body["errors"].to_string();
                let told: Vec<_> = speaks.iter().filter(|word| errors.contains(**word)).collect();
                assert!(told.is_empty() || answer.status < 400, "{} {pointer} {value}: {}", operation.id, answer.text);
            }
        }
    }
}
