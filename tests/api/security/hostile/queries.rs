//! Query strings: the token is checked before the query is read, and a query has limits of its own.

use crate::support::Server;

/// A query with this many parameters that no operation has.
fn unknown(count: usize) -> String {
    (0..count).map(|number| format!("a{number}=1")).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_caller_without_a_token_gets_401_whatever_the_query_is() {
    let server = Server::start();
    let anonymous = server.anonymous();
    for query in ["limit=many", "q=%00", "include=everything", "cursor=forged", "wait=-1", "lang=xx", &unknown(2000)] {
        for path in ["/v1/events", "/v1/tutors", "/v1/changes", "/v1/events.ics"] {
            anonymous.get(&format!("{path}?{query}")).await.expect_problem(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn a_query_has_at_most_400_parameters_and_16_kilobytes() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let allowed = |count| vec!["theme=email"; count].join("&");
    for (path, status, code) in [
        (format!("/v1/events?{}", unknown(400)), 400, "unknown_parameter"),
        (format!("/v1/events?{}", unknown(401)), 400, "too_many_parameters"),
        (format!("/v1/events?{}", allowed(401)), 400, "too_many_parameters"),
        (format!("/livez?{}", unknown(401)), 400, "too_many_parameters"),
        (format!("/v1/events?q={}", "a".repeat(16 * 1024 - 2)), 422, "invalid"),
        (format!("/v1/events?q={}", "a".repeat(16 * 1024 - 1)), 414, "uri_too_long"),
    ] {
        coordinator.get(&path).await.expect_problem(status, code);
    }
    coordinator.get(&format!("/v1/events?{}", allowed(100))).await.expect(200);
}

#[tokio::test]
async fn one_answer_names_all_unknown_parameters_up_to_twenty() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let answer = coordinator.get("/v1/events?status=draft&colour=red&size=9").await;
    let detail = answer.expect_problem(400, "unknown_parameter").body["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("remove the unknown parameters `colour`, `size`: this operation takes "), "{detail}");
    let answer = coordinator.get(&format!("/v1/events?{}", unknown(300))).await;
    let detail = answer.expect_problem(400, "unknown_parameter").body["detail"].as_str().unwrap().to_owned();
    assert!(detail.matches("`a").count() == 20 && detail.contains(" and others: "), "{detail}");
}
