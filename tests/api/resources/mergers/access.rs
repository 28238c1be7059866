//! Which callers a merger gives and takes access: those of the old municipality get the reach of the new one, and no
//! more.

use std::time::Instant;

use serde_json::json;

use super::{create_event, merge};
use crate::support::{Server, client::assert_shut_out, fixtures, fixtures::PASSWORD};

#[tokio::test]
async fn accounts_and_clients_get_the_reach_of_the_successor_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let account = server.sign_in_new_account("raasepori@kunta.example", json!({"municipality_code": "710"})).await;
    let login = json!({"email": "raasepori@kunta.example", "password": PASSWORD});
    let session = server.anonymous().post("/v1/auth/login", &login).await.expect(200).body["refresh_token"].clone();
    let client =
        json!({"name": "K", "source": "k", "scopes": ["events:read", "events:write"], "municipality_code": "710"});
    let client = coordinator.post("/v1/clients", &client).await.expect(201).body;
    let moved = create_event(&server, "710", json!({"status": "draft"})).await;
    let of_successor = create_event(&server, "638", json!({"status": "draft"})).await;
    let of_other = create_event(&server, "049", json!({"status": "draft"})).await;
    merge(&coordinator, "710", "638").await.expect(200);
    assert_shut_out(Instant::now(), [&account, &account], "/v1/me").await;
    let refreshed = server.anonymous().post("/v1/auth/refresh", &json!({"refresh_token": session})).await.expect(200);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client["id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap()
    );
    let token = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    let token = token.send(reqwest::Method::POST, "/v1/auth/token", Some(form)).await.expect(200);
    for answer in [refreshed, token] {
        let caller = server.token(answer.body["access_token"].as_str().unwrap()).if_match("*");
        assert_eq!(caller.get("/v1/me").await.expect(200).body["municipality_code"], "638");
        for (event, status) in [(&moved, 200), (&of_successor, 200), (&of_other, 404)] {
            let path = format!("/v1/events/{event}");
            assert_eq!(caller.get(&path).await.status, status);
            assert_eq!(caller.patch(&path, &json!({"capacity": 9})).await.status, status);
        }
        let tutor = caller.post("/v1/events", &fixtures::event_body("049", "draft")).await;
        tutor.expect_problem(403, "out_of_reach");
    }
}

#[tokio::test]
async fn a_token_of_the_old_municipality_writes_nothing_while_it_is_still_accepted() {
    let server = Server::start();
    // The account of this token is not stored, so no change of access revokes it.
    let old = server.municipality("710").if_match("*");
    let moved = create_event(&server, "710", json!({})).await;
    let held = server.create_event("710").await;
    merge(&server.coordinator(), "710", "638").await.expect(200);
    old.patch(&format!("/v1/events/{moved}"), &json!({"capacity": 9})).await.expect_problem(403, "out_of_reach");
    let created = old.post("/v1/events", &fixtures::event_body("710", "draft")).await;
    created.expect_violations(&[("/host_municipality_code", "municipality_ended")]);
    let feedback =
        json!({"event_id": held, "direction": "participant_to_tutor", "municipality_code": "710", "rating": 1});
    old.post("/v1/feedback", &feedback).await.expect_violations(&[("/municipality_code", "municipality_ended")]);
}

#[tokio::test]
async fn a_disabled_account_stays_disabled_and_an_invitation_is_for_the_successor() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let new = json!({"email": "kutsuttu@kunta.example", "role": "municipality", "municipality_code": "710"});
    let invited = coordinator.post("/v1/accounts", &new).await.expect(201).body;
    fixtures::insert_account(&server, "poissa@kunta.example", json!({"municipality_code": "710", "disabled": true}))
        .await;
    merge(&coordinator, "710", "638").await.expect(200);
    let login = json!({"email": "poissa@kunta.example", "password": PASSWORD});
    server.anonymous().post("/v1/auth/login", &login).await.expect_problem(401, "sign_in_refused");
    let password = json!({"invitation": invited["invitation"]["secret"], "new_password": PASSWORD});
    server.anonymous().post("/v1/auth/password", &password).await.expect(204);
    let login = json!({"email": "kutsuttu@kunta.example", "password": PASSWORD});
    let signed_in = server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    let me = server.token(signed_in.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
    assert_eq!(me.body["municipality_code"], "638");
}
