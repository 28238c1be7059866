//! Two instances on one database behave like one service: counts, locks and revocations hold on both.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Server, client::retry_while_busy, fixtures};

#[tokio::test]
async fn one_of_fifty_replacements_wins_on_whichever_instance() {
    let all_at_once = [("POOL_SIZE", "25")];
    let server = Server::with(&all_at_once);
    let second = server.second(&all_at_once);
    let path = "/v1/municipalities/049";
    let current = server.coordinator().get(path).await.expect(200);
    let callers = [&server, &second].map(|instance| instance.coordinator().if_match(&current.etag()));
    let callers = &callers;
    let answers = join_all((0..50).map(|n| {
        let mut body = current.body.clone();
        body["population"] = json!(n);
        async move { retry_while_busy(async || callers[n % 2].put(path, &body).await).await }
    }))
    .await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1..].iter().all(|status| *status == 412)), (200, true), "{statuses:?}");
}

#[tokio::test]
async fn a_change_on_one_instance_wakes_callers_that_wait_on_the_other() {
    let server = Server::start();
    let second = server.second(&[]);
    let reader = second.municipality("049");
    let from = reader.get("/v1/changes?from=now&resource=municipalities").await.expect(200).body["next"].clone();
    let path = format!("/v1/changes?resource=municipalities&wait=30&cursor={}", from.as_str().unwrap());
    let began = Instant::now();
    let write = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let change = json!({"support_since": 2001});
        server.coordinator().if_match("*").patch("/v1/municipalities/049", &change).await.expect(200)
    };
    let (told, _) = tokio::join!(reader.get(&path), write);
    assert_eq!(told.expect(200).body["items"][0]["key"], "049");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn both_instances_count_failures_to_sign_in_together() {
    let server = Server::start();
    let second = server.second(&[]);
    fixtures::insert_account(&server, "digituki@espoo.example", json!({})).await;
    let callers = [server.anonymous(), second.anonymous()];
    let guess = json!({"email": "digituki@espoo.example", "password": "arvaus arvaus"});
    for n in 0..5 {
        callers[n % 2].post("/v1/auth/login", &guess).await.expect_problem(401, "sign_in_refused");
    }
    let right = json!({"email": "digituki@espoo.example", "password": fixtures::PASSWORD});
    for caller in &callers {
        caller.post("/v1/auth/login", &right).await.expect_problem(429, "too_many_requests");
    }
}

#[tokio::test]
async fn an_invitation_works_once_across_both_instances() {
    let server = Server::start();
    let second = server.second(&[]);
    let new = json!({"email": "digituki@espoo.example", "role": "municipality", "municipality_code": "049"});
    let invited = server.coordinator().post("/v1/accounts", &new).await.expect(201);
    let callers = [server.anonymous(), second.anonymous()];
    let accept = |n: usize| {
        let secret = &invited.body["invitation"]["secret"];
        json!({"invitation": secret, "new_password": format!("uusi pitkä salasana {n}")})
    };
    let bodies: Vec<_> = (0..6).map(accept).collect();
    let answers =
        join_all(bodies.iter().enumerate().map(|(n, body)| callers[n % 2].post("/v1/auth/password", body))).await;
    let accepted: Vec<_> =
        answers.iter().enumerate().filter(|(_, answer)| answer.status < 300).map(|(n, _)| n).collect();
    assert_eq!(accepted.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let login = json!({"email": "digituki@espoo.example", "password": format!("uusi pitkä salasana {}", accepted[0])});
    callers[(accepted[0] + 1) % 2].post("/v1/auth/login", &login).await.expect(200);
}

#[tokio::test]
async fn rows_created_on_one_instance_can_be_published_read_and_revoked_on_the_other() {
    let server = Server::start();
    let second = server.second(&[]);
    let event = server.create_event("049").await;
    for code in ["091", "092", "638"] {
        server.create_feedback(&event, code).await;
    }
    let summary = second.municipality("049").get(&format!("/v1/events/{event}/feedback-summary")).await.expect(200);
    assert_eq!(summary.body["participant_to_tutor"]["count"], 3);
    let espoo = server.sign_in_new_account("digituki@espoo.example", json!({})).await;
    let link = espoo.post("/v1/calendar-links", &json!({"name": "Puhelin"})).await.expect(201);
    let calendar = link.body["url"].as_str().unwrap().strip_prefix(&server.url).unwrap();
    assert!(second.anonymous().get(calendar).await.expect(200).text.contains(&event));
    let path = format!("/v1/calendar-links/{}", link.body["id"].as_str().unwrap());
    second.coordinator().if_match(&link.etag()).delete(&path).await.expect(204);
    server.anonymous().get(calendar).await.expect_problem(404, "not_found");
}
