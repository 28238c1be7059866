//! Signing in: people with a password, partner systems with OAuth 2 client credentials.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::future::join_all;
use kuntatutorit::{auth::reach::Reach, http::input::json::from_value, resources::access::clients};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, Client, assert_shut_out},
    fixtures,
    fixtures::PASSWORD,
};

async fn connect(server: &Server) -> AsyncPgConnection {
    AsyncPgConnection::establish(&server.database_url).await.unwrap()
}

async fn insert_account(server: &Server, email: &str) -> Uuid {
    fixtures::insert_account(server, email, json!({})).await
}

async fn create_client(server: &Server, scopes: &str) -> (String, String) {
    let scopes: Vec<_> = scopes.split(' ').collect();
    let new = json!({"name": "Espoon tapahtumakalenteri", "source": "espoo-calendar", "scopes": scopes, "municipality_code": "049"});
    let (conn, reach) = (connect(server).await, Reach::of_command_line());
    let created = clients::store::create(&conn, &reach, from_value(new).unwrap()).await.unwrap();
    (created.client.id.to_string(), created.client_secret)
}

async fn execute(server: &Server, query: &str) {
    diesel::sql_query(query).execute(&mut connect(server).await).await.unwrap();
}

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

async fn form(client: &Client, body: &str) -> Answer {
    let client = client.with("content-type", "application/x-www-form-urlencoded");
    client.send(Method::POST, "/v1/auth/token", Some(body.into())).await
}

#[tokio::test]
async fn an_account_signs_in_and_reads_its_profile() {
    let server = Server::start();
    let id = insert_account(&server, "digituki@espoo.example").await;
    let answer = login(&server.anonymous(), " Digituki@Espoo.example ", PASSWORD).await.expect(200);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert!(answer.body["scope"].as_str().unwrap().contains("events:write"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let espoo = server.token(answer.body["access_token"].as_str().unwrap());
    assert_eq!(
        espoo.get("/v1/me").await.expect(200).body,
        json!({
            "kind": "account", "id": id, "role": "municipality", "email": "digituki@espoo.example", "name": null,
            "source": "kuntatutorit", "municipality_code": "049", "tutor_id": null
        })
    );
    let etag = espoo.get("/v1/municipalities/049").await.expect(200).etag();
    espoo.if_match(&etag).patch("/v1/municipalities/049", &json!({"support_since": 2001})).await.expect(200);
}

#[tokio::test]
async fn known_and_unknown_accounts_get_the_same_refusal() {
    let server = Server::start();
    insert_account(&server, "known@espoo.example").await;
    let without_id = |mut answer: Value| answer.as_object_mut().unwrap().remove("request_id").map(|_| answer.clone());
    let known = login(&server.anonymous(), "known@espoo.example", "wrong").await.expect_problem(401, "sign_in_refused");
    let unknown =
        login(&server.anonymous(), "nobody@espoo.example", "wrong").await.expect_problem(401, "sign_in_refused");
    assert_eq!(without_id(known.body), without_id(unknown.body));
    let broken = json!({"email": "x", "password": "", "remember": true});
    server.anonymous().post("/v1/auth/login", &broken).await.expect_violations(&[
        ("/email", "too_short"),
        ("/password", "too_short"),
        ("/remember", "unknown_field"),
    ]);
}

#[tokio::test]
async fn guessing_locks_out_the_attackers_address_and_not_the_owner() {
    let server = Server::with(&[("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.0/8")]);
    insert_account(&server, "owner@espoo.example").await;
    let attacker = server.anonymous().with("x-forwarded-for", "203.0.113.7");
    for _ in 0..5 {
        login(&attacker, "owner@espoo.example", "guess").await.expect(401);
    }
    let refused = login(&attacker, "owner@espoo.example", PASSWORD).await.expect_problem(429, "too_many_requests");
    let wait = refused.header("retry-after");
    assert!((1..=900).contains(&wait.parse::<u32>().unwrap()));
    assert_eq!(refused.header("ratelimit"), format!("\"sign-in\";r=0;t={wait}"));
    login(&server.anonymous().with("x-forwarded-for", "198.51.100.9"), "owner@espoo.example", PASSWORD)
        .await
        .expect(200);
    // The service ignores addresses that the attacker writes before the proxy's entry.
    let forged = server.anonymous().with("x-forwarded-for", "192.0.2.1, 203.0.113.7");
    login(&forged, "owner@espoo.example", PASSWORD).await.expect(429);
    login(&attacker, "other@espoo.example", "guess").await.expect(401);
    execute(&server, "update sign_in_failures set last_failed_at = now() - interval '16 minutes'").await;
    login(&attacker, "owner@espoo.example", PASSWORD).await.expect(200);
    login(&attacker, "owner@espoo.example", "guess").await.expect(401);
}

#[tokio::test]
async fn a_successful_sign_in_clears_the_failures() {
    let server = Server::start();
    insert_account(&server, "owner@espoo.example").await;
    for _ in 0..2 {
        for _ in 0..4 {
            login(&server.anonymous(), "owner@espoo.example", "typo").await.expect(401);
        }
        login(&server.anonymous(), "owner@espoo.example", PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_disabled_account_is_refused_within_two_seconds() {
    let server = Server::start();
    let second = Server::on(server.database_url.clone(), &[("PUBLIC_URL", &server.url)]);
    insert_account(&server, "leaver@espoo.example").await;
    let answer = login(&server.anonymous(), "leaver@espoo.example", PASSWORD).await.expect(200);
    let token = answer.body["access_token"].as_str().unwrap();
    let (here, there) = (server.token(token), second.token(token));
    here.get("/v1/municipalities").await.expect(200);
    there.get("/v1/municipalities").await.expect(200);
    execute(&server, "update accounts set disabled = true").await;
    let disabled = Instant::now();
    assert_shut_out(disabled, [&here, &there], "/v1/municipalities").await;
    login(&server.anonymous(), "leaver@espoo.example", PASSWORD).await.expect_problem(401, "sign_in_refused");
    // An account that is enabled again can sign in, and its old token stays invalid.
    execute(&server, "update accounts set disabled = false").await;
    let answer = login(&server.anonymous(), "leaver@espoo.example", PASSWORD).await.expect(200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.token(answer.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
    here.get("/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_partner_system_signs_in_with_http_basic_or_a_form() {
    let server = Server::start();
    let (id, secret) = create_client(&server, "events:read events:write municipalities:read").await;
    let basic = {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        server.anonymous().with("authorization", &format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}"))))
    };
    let by_basic = form(&basic, "grant_type=client_credentials").await;
    assert_eq!((by_basic.status, by_basic.header("cache-control")), (200, "no-store"));
    assert_eq!(by_basic.body["scope"], "events:read events:write municipalities:read");
    let credentials = format!("client_id={id}&client_secret={secret}");
    let in_form =
        form(&server.anonymous(), &format!("grant_type=client_credentials&{credentials}&scope=events:read&audience=x"))
            .await;
    assert_eq!((in_form.status, &in_form.body["scope"]), (200, &json!("events:read")));

    let partner = server.token(in_form.body["access_token"].as_str().unwrap());
    partner.get("/v1/events").await.expect(200);
    partner.get("/v1/tutors").await.expect_problem(403, "missing_scope");
    let me = partner.get("/v1/me").await.expect(200).body;
    assert_eq!(
        (&me["kind"], &me["source"], &me["name"]),
        (&json!("client"), &json!("espoo-calendar"), &json!("Espoon tapahtumakalenteri"))
    );
}

#[tokio::test]
async fn the_token_endpoint_answers_errors_as_rfc_6749_says() {
    let server = Server::start();
    let (id, secret) = create_client(&server, "events:read").await;
    let right = format!("client_id={id}&client_secret={secret}");
    let anonymous = server.anonymous();
    for (body, status, error) in [
        (format!("grant_type=client_credentials&client_id={id}&client_secret=wrong"), 401, "invalid_client"),
        (format!("grant_type=client_credentials&client_id=nobody&client_secret={secret}"), 401, "invalid_client"),
        ("grant_type=client_credentials".into(), 401, "invalid_client"),
        (format!("grant_type=password&{right}"), 400, "unsupported_grant_type"),
        (right.clone(), 400, "invalid_request"),
        (format!("grant_type=client_credentials&grant_type=client_credentials&{right}"), 400, "invalid_request"),
        (format!("grant_type=client_credentials&{right}&scope=tutors:read"), 400, "invalid_scope"),
        (format!("grant_type=client_credentials&{right}&scope=events:read%20root"), 400, "invalid_scope"),
        (format!("grant_type=client_credentials&client_id={id}%00&client_secret=%00"), 401, "invalid_client"),
    ] {
        let answer = form(&anonymous, &body).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{body}: {}", answer.text);
        assert!(answer.header("content-type").starts_with("application/json"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.headers.get("www-authenticate").is_some(), status == 401);
    }
    let json = anonymous.post("/v1/auth/token", &json!({"grant_type": "client_credentials"})).await;
    assert_eq!((json.status, json.body["error"].as_str()), (400, Some("invalid_request")));
    execute(&server, "update clients set disabled = true").await;
    let revoked = form(&anonymous, &format!("grant_type=client_credentials&{right}")).await;
    assert_eq!((revoked.status, revoked.body["error"].as_str()), (401, Some("invalid_client")));
}

#[tokio::test]
async fn guessing_a_client_secret_is_throttled() {
    let server = Server::start();
    let (id, secret) = create_client(&server, "events:read").await;
    for _ in 0..5 {
        form(&server.anonymous(), &format!("grant_type=client_credentials&client_id={id}&client_secret=guess")).await;
    }
    // The throttle counts every notation of the id as the same client.
    let written = [id.clone(), id.to_uppercase(), id.replace('-', "")];
    for id in &written {
        let guess = format!("grant_type=client_credentials&client_id={id}&client_secret=guess");
        let answer = form(&server.anonymous(), &guess).await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    }
    // The right secret always works: guesses from the same address cannot lock out the client.
    let right = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(form(&server.anonymous(), &right).await.status, 200);
}

#[tokio::test]
async fn one_address_cannot_use_all_sign_in_slots() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1"), ("POOL_SIZE", "20")]);
    let (anonymous, attacker) = (server.anonymous(), server.anonymous().with("x-forwarded-for", "192.0.3.7"));
    fixtures::insert_account(&server, "owner@espoo.example", json!({})).await;
    let (refused, done) = (Cell::new(false), Cell::new(false));
    let flood = join_all((0..100).map(async |n| {
        for round in 0.. {
            if done.get() {
                return;
            }
            let answer = login(&attacker, &format!("nobody{n}-{round}@espoo.example"), "guess").await;
            if answer.status == 429 {
                refused.set(true);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }));
    let owner = async {
        while !refused.get() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(login(&anonymous, "owner@espoo.example", PASSWORD).await.status);
        }
        done.set(true);
        statuses
    };
    let (_, statuses) = tokio::join!(flood, owner);
    // On a busy machine the sign-in may time out, but the service never refuses it because of another address.
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
}

#[tokio::test]
async fn client_secrets_are_stored_hashed_and_two_may_be_valid() {
    let server = Server::start();
    let (id, secret) = create_client(&server, "events:read").await;
    let conn = connect(&server).await;
    let id: Uuid = id.parse().unwrap();
    let second = clients::store::add_secret(&conn, &Reach::of_command_line(), id).await.unwrap().client_secret;
    for secret in [&secret, &second] {
        assert!(clients::secrets::authenticate(&conn, id, secret).await.unwrap().is_some());
    }
    let third = clients::store::add_secret(&conn, &Reach::of_command_line(), id).await.err().unwrap();
    assert_eq!(third.kind().0.as_u16(), 409);
    let plain = format!("delete from client_secrets where secret_hash = convert_to('{secret}', 'UTF8')");
    let mut conn = connect(&server).await;
    assert_eq!(diesel::sql_query(plain).execute(&mut conn).await.unwrap(), 0, "a secret is stored in plain text");
}

#[tokio::test]
async fn concurrent_guesses_are_all_counted() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1"), ("POOL_SIZE", "20")]);
    let anonymous = server.anonymous();
    let guesses = (0..20).map(|_| login(&anonymous, "owner@espoo.example", "guess"));
    let answers = join_all(guesses).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 15);
    // Entries that the proxy did not write do not bypass the throttle.
    for n in 0..7 {
        let forged = anonymous.with("x-forwarded-for", "203.0.113.7").with("forwarded", &format!("for=192.0.2.{n}"));
        let answer = login(&forged, "other@espoo.example", "guess").await;
        assert_eq!(answer.status, if n < 5 { 401 } else { 429 });
    }
}
