//! Invitations: secrets with which a person sets a password, once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{accept, change, espoo_account, invite, login};
use crate::support::{Server, fixtures};

const EMAIL: &str = "digituki@espoo.example";
const PASSWORD: &str = "uusi salasana";

#[tokio::test]
async fn an_invitation_sets_a_password_once() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let (path, invitation) = invite(&server, &espoo_account()).await;
    login(&anonymous, EMAIL, PASSWORD).await.expect_problem(401, "sign_in_refused");
    assert_eq!(accept(&anonymous, &invitation, PASSWORD).await.expect(204).text, "");
    accept(&anonymous, &invitation, "another password").await.expect_problem(401, "invitation_refused");
    let token = login(&anonymous, EMAIL, PASSWORD).await.expect(200).body["access_token"].clone();
    let me = server.token(token.as_str().unwrap()).get("/v1/me").await.expect(200).body;
    assert_eq!((&me["email"], &me["municipality_code"]), (&json!(EMAIL), &json!("049")));
    assert_eq!(server.coordinator().get(&path).await.body["has_password"], true);
}

#[tokio::test]
async fn a_new_invitation_replaces_the_old_one_and_a_forgotten_password() {
    let server = Server::start();
    let anonymous = server.anonymous();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let listed = server.coordinator().get(&format!("/v1/accounts?email={EMAIL}")).await;
    let path = format!("/v1/accounts/{}/invitation", listed.column("id")[0]);
    let again = || async { server.coordinator().post(&path, &Value::Null).await.expect(201) };
    let (first, second) = (again().await, again().await);
    assert!(second.header("cache-control").contains("no-store"));
    let secret = |answer: &crate::support::client::Answer| answer.body["secret"].as_str().unwrap().to_owned();
    accept(&anonymous, &secret(&first), PASSWORD).await.expect_problem(401, "invitation_refused");
    // The old password works until a new one is set; then the old sessions end.
    let session = login(&anonymous, EMAIL, fixtures::PASSWORD).await.expect(200).body;
    accept(&anonymous, &secret(&second), PASSWORD).await.expect(204);
    login(&anonymous, EMAIL, fixtures::PASSWORD).await.expect(401);
    login(&anonymous, EMAIL, PASSWORD).await.expect(200);
    anonymous.post("/v1/auth/refresh", &json!({"refresh_token": session["refresh_token"]})).await.expect(401);
}

#[tokio::test]
async fn an_invitation_ends_when_it_expires_and_when_its_account_is_disabled() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let (path, old) = invite(&server, &espoo_account()).await;
    server.execute("update invitations set expires_at = now() - interval '1 second'").await;
    accept(&anonymous, &old, PASSWORD).await.expect_problem(401, "invitation_refused");

    let renew = format!("{path}/invitation");
    let coordinator = server.coordinator();
    let invitation = coordinator.post(&renew, &Value::Null).await.expect(201);
    let invitation = invitation.body["secret"].as_str().unwrap();
    change(&server, &path, &json!({"disabled": true})).await.expect(200);
    accept(&anonymous, invitation, PASSWORD).await.expect_problem(401, "invitation_refused");
    coordinator.post(&renew, &Value::Null).await.expect_problem(409, "account_disabled");
    change(&server, &path, &json!({"disabled": false})).await.expect(200);
    accept(&anonymous, invitation, PASSWORD).await.expect_problem(401, "invitation_refused");
    coordinator.post(&renew, &Value::Null).await.expect(201);
    let unknown = "/v1/accounts/019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e/invitation";
    coordinator.post(unknown, &Value::Null).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn one_of_fifty_concurrent_uses_of_an_invitation_sets_the_password() {
    let server = Server::with(&[("POOL_SIZE", "10")]);
    let anonymous = server.anonymous();
    let (_, invitation) = invite(&server, &espoo_account()).await;
    let mut answers = Vec::new();
    // In two waves, because all tests share the queue of the password hashers.
    for wave in [0..25, 25..50] {
        let uses = wave.map(|n| {
            let (anonymous, invitation) = (&anonymous, &invitation);
            async move { (n, accept(anonymous, invitation, &format!("uusi salasana {n}")).await) }
        });
        answers.extend(join_all(uses).await);
    }
    let set: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 204).map(|(n, _)| n).collect();
    assert_eq!(set.len(), 1, "{set:?}");
    for (_, answer) in &answers {
        assert!(matches!(answer.status, 204 | 401 | 429 | 503), "{}", answer.text);
    }
    login(&anonymous, EMAIL, &format!("uusi salasana {}", set[0])).await.expect(200);
}

#[tokio::test]
async fn guessing_invitations_is_throttled() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    let attacker = server.anonymous().with("x-forwarded-for", "203.0.113.7");
    let (_, invitation) = invite(&server, &espoo_account()).await;
    for guess in 0..5 {
        accept(&attacker, &format!("guess {guess}"), PASSWORD).await.expect_problem(401, "invitation_refused");
    }
    let refused = accept(&attacker, "guess 5", PASSWORD).await.expect_problem(429, "too_many_requests");
    assert!((1..=900).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    let elsewhere = server.anonymous().with("x-forwarded-for", "198.51.100.9");
    accept(&elsewhere, "guess 6", PASSWORD).await.expect_problem(401, "invitation_refused");
    // The invited person never waits: guesses from the same address cannot lock that person out.
    accept(&attacker, &invitation, PASSWORD).await.expect(204);
}
