//! Setting a new password with the old one.

use std::time::{Duration, Instant};

use serde_json::json;

use super::login;
use crate::support::{
    Server,
    client::{Answer, Client, assert_shut_out},
    fixtures,
    fixtures::PASSWORD,
};

const EMAIL: &str = "digituki@espoo.example";

async fn signed_in(server: &Server) -> (Client, serde_json::Value) {
    let answer = login(&server.anonymous(), EMAIL, PASSWORD).await.expect(200);
    (server.token(answer.body["access_token"].as_str().unwrap()), answer.body)
}

async fn set(client: &Client, old: &str, new: &str) -> Answer {
    client.post("/v1/auth/password", &json!({"old_password": old, "new_password": new})).await
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let server = Server::start();
    let second = Server::on(server.database_url.clone(), &[("PUBLIC_URL", &server.url)]);
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let (espoo, session) = signed_in(&server).await;
    let there = second.token(espoo.token.as_deref().unwrap());
    set(&espoo, PASSWORD, "uusi salasana").await.expect(204);
    let changed = Instant::now();
    let refresh = json!({"refresh_token": session["refresh_token"]});
    server.anonymous().post("/v1/auth/refresh", &refresh).await.expect_problem(401, "refresh_refused");
    login(&server.anonymous(), EMAIL, PASSWORD).await.expect_problem(401, "sign_in_refused");
    assert_shut_out(changed, [&espoo, &there], "/v1/me").await;
    let answer = login(&server.anonymous(), EMAIL, "uusi salasana").await.expect(200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.token(answer.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn wrong_old_passwords_count_as_failed_sign_ins() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let (espoo, _) = signed_in(&server).await;
    for _ in 0..3 {
        set(&espoo, "guess", "uusi salasana").await.expect_problem(401, "sign_in_refused");
    }
    for _ in 0..2 {
        login(&server.anonymous(), EMAIL, "guess").await.expect(401);
    }
    set(&espoo, PASSWORD, "uusi salasana").await.expect_problem(429, "too_many_requests");
    login(&server.anonymous(), EMAIL, PASSWORD).await.expect_problem(429, "too_many_requests");
    server.execute("update sign_in_failures set last_failed_at = now() - interval '16 minutes'").await;
    set(&espoo, PASSWORD, "uusi salasana").await.expect(204);
}

#[tokio::test]
async fn either_the_old_password_or_an_invitation_must_be_given_once() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let (espoo, _) = signed_in(&server).await;
    let path = "/v1/auth/password";
    set(&server.anonymous(), PASSWORD, "uusi salasana").await.expect_problem(401, "unauthenticated");
    set(&server.token("nonsense"), PASSWORD, "uusi salasana").await.expect_problem(401, "unauthenticated");
    let partner = server.partner("espoo-calendar", "events:read", Some("049"));
    set(&partner, PASSWORD, "uusi salasana").await.expect_problem(403, "out_of_reach");
    // A token of a deleted account gives no access.
    set(&server.municipality("049"), PASSWORD, "uusi salasana").await.expect_problem(401, "unauthenticated");
    espoo.post(path, &json!({"new_password": "uusi salasana"})).await.expect_violations(&[("/old_password", "one_of")]);
    let both = json!({"old_password": PASSWORD, "invitation": "x", "new_password": "short"});
    espoo.post(path, &both).await.expect_violations(&[("/old_password", "one_of"), ("/new_password", "too_short")]);
    for (length, status) in [(9, 422), (201, 422), (10, 204)] {
        set(&espoo, PASSWORD, &"ä".repeat(length)).await.expect(status);
    }
    login(&server.anonymous(), EMAIL, &"ä".repeat(10)).await.expect(200);
}
