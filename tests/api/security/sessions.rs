//! Sessions: a refresh token works once.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client, assert_shut_out},
    fixtures,
    fixtures::PASSWORD,
    sql,
};

const EMAIL: &str = "digituki@espoo.example";

/// Signs in and returns the refresh token.
async fn signed_in(server: &Server) -> String {
    let login = json!({"email": EMAIL, "password": PASSWORD});
    next(&server.anonymous().post("/v1/auth/login", &login).await.expect(200))
}

fn next(answer: &Answer) -> String {
    answer.body["refresh_token"].as_str().unwrap().to_owned()
}

async fn refresh(client: &Client, token: &str) -> Answer {
    client.post("/v1/auth/refresh", &json!({"refresh_token": token})).await
}

async fn logout(client: &Client, token: &str) -> Answer {
    client.post("/v1/auth/logout", &json!({"refresh_token": token})).await
}

/// Makes each used token look used this many seconds earlier.
async fn make_uses_older(server: &Server, seconds: u32) {
    server.execute(&format!("update refresh_tokens set rotated_at = rotated_at - interval '{seconds} seconds'")).await;
}

async fn sessions(server: &Server) -> usize {
    sql::query_lines(server, "select id::text as line from sessions").await.len()
}

#[tokio::test]
async fn each_refresh_continues_the_session_with_a_new_token() {
    let server = Server::start();
    let id = fixtures::insert_account(&server, EMAIL, json!({})).await;
    let mut token = signed_in(&server).await;
    for _ in 0..3 {
        let answer = refresh(&server.anonymous(), &token).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(600)));
        assert!(answer.body["scope"].as_str().unwrap().contains("events:write"));
        let me = server.token(answer.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
        assert_eq!(me.body["id"], json!(id));
        assert_ne!(next(&answer), token);
        token = next(&answer);
        assert_eq!(token.len(), 43);
    }
    assert_eq!(sessions(&server).await, 1);
}

#[tokio::test]
async fn reusing_a_refresh_token_ends_its_session_and_no_other() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let anonymous = server.anonymous();
    let (stolen, other) = (signed_in(&server).await, signed_in(&server).await);
    let successor = next(&refresh(&anonymous, &stolen).await.expect(200));
    make_uses_older(&server, 11).await;
    refresh(&anonymous, &stolen).await.expect_problem(401, "refresh_refused");
    refresh(&anonymous, &successor).await.expect_problem(401, "refresh_refused");
    assert_eq!(sessions(&server).await, 1);
    refresh(&anonymous, &other).await.expect(200);
}

#[tokio::test]
async fn reusing_a_refresh_token_within_ten_seconds_is_only_refused() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let anonymous = server.anonymous();
    let first = signed_in(&server).await;
    let second = next(&refresh(&anonymous, &first).await.expect(200));
    refresh(&anonymous, &first).await.expect_problem(401, "refresh_refused");
    make_uses_older(&server, 5).await;
    refresh(&anonymous, &first).await.expect_problem(401, "refresh_refused");
    let third = next(&refresh(&anonymous, &second).await.expect(200));
    refresh(&anonymous, &third).await.expect(200);
}

#[tokio::test]
async fn one_of_fifty_concurrent_refreshes_gets_a_working_successor() {
    let server = Server::with(&[("POOL_SIZE", "10")]);
    let second = Server::on(server.database_url.clone(), &[("PUBLIC_URL", &server.url), ("POOL_SIZE", "10")]);
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let token = signed_in(&server).await;
    let callers = [server.anonymous(), second.anonymous()];
    let answers = join_all((0..50).map(|n| refresh(&callers[n % 2], &token))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 401 | 503), "{}", answer.text);
    }
    refresh(&callers[0], &next(won[0])).await.expect(200);
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_signing_in() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let anonymous = server.anonymous();
    let ends = "select (expires_at - created_at)::text as line from sessions";
    let first = signed_in(&server).await;
    assert_eq!(sql::query_lines(&server, ends).await, ["30 days"]);
    let second = next(&refresh(&anonymous, &first).await.expect(200));
    assert_eq!(sql::query_lines(&server, ends).await, ["30 days"], "a refresh must not prolong the session");
    server.execute("update sessions set created_at = created_at - interval '31 days', expires_at = expires_at - interval '31 days'").await;
    refresh(&anonymous, &second).await.expect_problem(401, "refresh_refused");
    // Housekeeping deletes this session and no other.
    signed_in(&server).await;
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    kuntatutorit::housekeeping::delete_expired(&conn).await.unwrap();
    assert_eq!(sessions(&server).await, 1);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_may_be_repeated() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let anonymous = server.anonymous();
    let (first, other) = (signed_in(&server).await, signed_in(&server).await);
    let second = next(&refresh(&anonymous, &first).await.expect(200));
    for token in [&first, &first, &second, "nonsense"] {
        assert_eq!(logout(&anonymous, token).await.expect(204).text, "");
        refresh(&anonymous, &second).await.expect_problem(401, "refresh_refused");
    }
    refresh(&anonymous, &other).await.expect(200);
    anonymous.post("/v1/auth/logout", &json!({})).await.expect_violations(&[("/refresh_token", "required")]);
    let long = json!({"refresh_token": "x".repeat(201), "all": true});
    let broken = [("/refresh_token", "too_long"), ("/all", "unknown_field")];
    anonymous.post("/v1/auth/logout", &long).await.expect_violations(&broken);
    anonymous.post("/v1/auth/refresh", &long).await.expect_violations(&broken);
}

#[tokio::test]
async fn every_refused_refresh_gets_the_same_answer() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let anonymous = server.anonymous();
    let (used, ended) = (signed_in(&server).await, signed_in(&server).await);
    refresh(&anonymous, &used).await.expect(200);
    logout(&anonymous, &ended).await.expect(204);
    let mut bodies = Vec::new();
    for token in [used.as_str(), ended.as_str(), "never", "ä"] {
        let mut answer = refresh(&anonymous, token).await.expect_problem(401, "refresh_refused");
        answer.body["request_id"] = Value::Null;
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "{bodies:?}");
}

#[tokio::test]
async fn a_disabled_account_loses_all_its_sessions_for_good() {
    let server = Server::start();
    let second = Server::on(server.database_url.clone(), &[("PUBLIC_URL", &server.url)]);
    let path = format!("/v1/accounts/{}", fixtures::insert_account(&server, EMAIL, json!({})).await);
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let answer = server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    let token = answer.body["access_token"].as_str().unwrap();
    let (here, there) = (server.token(token), second.token(token));
    here.get("/v1/me").await.expect(200);
    let coordinator = server.coordinator().if_match("*");
    coordinator.patch(&path, &json!({"disabled": true})).await.expect(200);
    let disabled = Instant::now();
    assert_eq!(sessions(&server).await, 0);
    refresh(&second.anonymous(), &next(&answer)).await.expect_problem(401, "refresh_refused");
    second.anonymous().post("/v1/auth/login", &login).await.expect_problem(401, "sign_in_refused");
    assert_shut_out(disabled, [&here, &there], "/v1/me").await;
    coordinator.patch(&path, &json!({"disabled": false})).await.expect(200);
    refresh(&server.anonymous(), &next(&answer)).await.expect_problem(401, "refresh_refused");
    server.anonymous().post("/v1/auth/login", &login).await.expect(200);
}

#[tokio::test]
async fn a_refresh_grants_the_current_rights_of_the_account() {
    let server = Server::start();
    let path = format!("/v1/accounts/{}", fixtures::insert_account(&server, EMAIL, json!({})).await);
    let token = signed_in(&server).await;
    let promoted = json!({"role": "coordinator", "municipality_code": null});
    server.coordinator().if_match("*").patch(&path, &promoted).await.expect(200);
    let answer = refresh(&server.anonymous(), &token).await.expect(200);
    assert!(answer.body["scope"].as_str().unwrap().contains("accounts:write"));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.token(answer.body["access_token"].as_str().unwrap()).get("/v1/accounts").await.expect(200);
}

#[tokio::test]
async fn two_changes_of_access_never_share_a_second() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    // Otherwise a token issued between two changes within one second would survive the second change.
    let changes = "update accounts set disabled = not disabled;".repeat(3);
    server.execute(&format!("do $$ begin {changes} end $$")).await;
    let apart = "select (date_trunc('second', access_changed_at) >= date_trunc('second', updated_at) + interval '2 s')::text as line from accounts";
    assert_eq!(sql::query_lines(&server, apart).await, ["true"]);
}

#[tokio::test]
async fn concurrent_changes_of_access_do_not_deadlock() {
    let server = Server::with(&[("POOL_SIZE", "20")]);
    let id = fixtures::insert_account(&server, EMAIL, json!({})).await;
    let (account, invitation) = (format!("/v1/accounts/{id}"), format!("/v1/accounts/{id}/invitation"));
    let (coordinator, anonymous) = (server.coordinator().if_match("*"), server.anonymous());
    for _ in 0..5 {
        let secret = coordinator.post(&invitation, &Value::Null).await.expect(201).body["secret"].clone();
        let accept = json!({"invitation": secret, "new_password": PASSWORD});
        let login = json!({"email": EMAIL, "password": PASSWORD});
        let tokens = join_all((0..8).map(|_| signed_in(&server))).await;
        let some = join_all(tokens.iter().flat_map(|token| [token; 2]).map(|token| refresh(&anonymous, token)));
        let ended = join_all(tokens.iter().take(4).map(|token| logout(&anonymous, token)));
        let (disable, enable) = (json!({"disabled": true}), json!({"disabled": false}));
        let (some, ended, others) = tokio::join!(some, ended, async {
            tokio::join!(
                coordinator.patch(&account, &disable),
                coordinator.post(&invitation, &Value::Null),
                anonymous.post("/v1/auth/password", &accept),
                anonymous.post("/v1/auth/login", &login),
            )
        });
        for answer in some.iter().chain(&ended).chain([&others.0, &others.1, &others.2, &others.3]) {
            assert_ne!(answer.status, 500, "{}", answer.text);
        }
        // A concurrent change of the password makes the account change after it was read.
        coordinator.patch(&account, &disable).await.expect(200);
        assert_eq!(sessions(&server).await, 0);
        coordinator.patch(&account, &enable).await.expect(200);
        server.execute("delete from sign_in_failures").await;
    }
}

#[tokio::test]
async fn an_account_and_a_session_store_a_limited_number_of_rows() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let first = signed_in(&server).await;
    let used = "insert into refresh_tokens (token_hash, session_id, rotated_at) select sha256(n::text::bytea), id, \
                clock_now() - n * interval '1 minute' from sessions, generate_series(1, 150) as n";
    server.execute(used).await;
    let token = next(&refresh(&server.anonymous(), &first).await.expect(200));
    let tokens = "select token_hash::text as line from refresh_tokens";
    assert_eq!(sql::query_lines(&server, tokens).await.len(), 101);
    // The tokens that were used last are still known.
    make_uses_older(&server, 11).await;
    refresh(&server.anonymous(), &first).await.expect(401);
    refresh(&server.anonymous(), &token).await.expect(401);

    let many =
        "insert into sessions (id, account_id) select gen_random_uuid(), id from accounts, generate_series(1, 120)";
    server.execute(many).await;
    server.execute("update sessions set id = overlay(id::text placing '00000000' from 1)::uuid").await;
    let newest = signed_in(&server).await;
    assert_eq!(sessions(&server).await, 100);
    refresh(&server.anonymous(), &newest).await.expect(200);
}
