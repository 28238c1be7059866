//! Setting a new password with the old one.

use std::time::{Duration, Instant};

use argon2::{Argon2, password_hash::PasswordHasher as _};
use serde_json::json;

use super::login;
use crate::support::{
    Server,
    client::{Answer, Client, assert_shut_out},
    fixtures,
    fixtures::PASSWORD,
    sql::query_lines,
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

/// The same password as people and their devices write it.
const FORMS: [&str; 4] = [
    "päivänsäde on ää",
    "pa\u{308}iva\u{308}nsa\u{308}de on a\u{308}a\u{308}",
    "päivänsäde\u{a0}on\u{a0}ää",
    "päivänsäde\u{3000}on\u{2009}ää",
];

#[tokio::test]
async fn the_form_of_a_password_does_not_matter() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let (_, invitation) = super::invite(&server, &super::espoo_account()).await;
    super::accept(&anonymous, &invitation, FORMS[1]).await.expect(204);
    for form in FORMS {
        login(&anonymous, EMAIL, form).await.expect(200);
    }
    login(&anonymous, EMAIL, "paivansade on aa").await.expect_problem(401, "sign_in_refused");
    login(&anonymous, EMAIL, &FORMS[0].to_uppercase()).await.expect_problem(401, "sign_in_refused");
    // With one form as the old password, and with a new one in another form.
    let token = login(&anonymous, EMAIL, FORMS[0]).await.expect(200).body["access_token"].as_str().unwrap().to_owned();
    set(&server.token(&token), FORMS[2], "no\u{a0}niin\u{a0}uusi").await.expect(204);
    login(&anonymous, EMAIL, "no niin uusi").await.expect(200);
    // Nine characters in the composed form.
    let (_, invitation) = super::invite(&server, &json!({"email": "b@kunta.example", "role": "coordinator"})).await;
    let short = super::accept(&anonymous, &invitation, &"a\u{308}".repeat(9)).await;
    short.expect_violations(&[("/new_password", "too_short")]);
}

#[tokio::test]
async fn a_password_that_was_stored_as_it_was_sent_is_stored_again_once() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let id = fixtures::insert_account(&server, EMAIL, json!({})).await;
    let (client, session) = signed_in(&server).await;
    let hash = |password: &str| Argon2::default().hash_password(password.as_bytes()).unwrap().to_string();
    let store = async |hash: &str| {
        server
            .execute(&format!(
                "do $$ begin perform set_config('kuntatutorit.same_password', 'on', true); \
             update accounts set password_hash = '{hash}' where id = '{id}'; end $$"
            ))
            .await;
    };
    let stored = "select password_hash as line from accounts where email = 'digituki@espoo.example'";
    store(&hash(FORMS[1])).await;
    login(&anonymous, EMAIL, FORMS[0]).await.expect_problem(401, "sign_in_refused");
    login(&anonymous, EMAIL, FORMS[1]).await.expect(200);
    let after = query_lines(&server, stored).await;
    for form in FORMS {
        login(&anonymous, EMAIL, form).await.expect(200);
    }
    assert_eq!(query_lines(&server, stored).await, after, "it was stored again more than once");
    // The other session and its token go on: the password is the same.
    client.get("/v1/me").await.expect(200);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    anonymous.post("/v1/auth/refresh", &refresh).await.expect(200);
}
