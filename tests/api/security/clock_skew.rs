//! The clocks of the service and of PostgreSQL may differ by 30 seconds: withdrawn access still ends within two
//! seconds.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use kuntatutorit::auth::tokens::claims::Grant;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    databases::fresh_database,
    fixtures,
    fixtures::PASSWORD,
};

const EMAIL: &str = "digituki@espoo.example";

/// Returns a database whose clock is 20 seconds behind the service's clock.
async fn behind() -> String {
    let url = fresh_database();
    let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
    let slow = "create function public.clock_timestamp() returns timestamptz language sql volatile as \
                $$ select pg_catalog.clock_timestamp() - interval '20 seconds' $$; \
                do $$ begin \
                  execute format('alter database %I set search_path = public, pg_catalog', current_database()); \
                end $$";
    conn.batch_execute(slow).await.unwrap();
    url
}

async fn sign_in(server: &Server) -> Answer {
    server.anonymous().post("/v1/auth/login", &json!({"email": EMAIL, "password": PASSWORD})).await.expect(200)
}

fn access(server: &Server, answer: &Answer) -> Client {
    server.token(answer.body["access_token"].as_str().unwrap())
}

async fn partner(server: &Server, id: &str, secret: &str) -> Client {
    let form = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    access(server, &form.send(Method::POST, "/v1/auth/token", Some(body)).await)
}

async fn refused_within_two_seconds(caller: &Client) {
    let changed = Instant::now();
    while caller.get("/v1/events").await.status != 401 {
        assert!(changed.elapsed() < Duration::from_secs(2), "the token still works");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn calendar() -> Value {
    json!({"name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read"], "municipality_code": "049"})
}

#[tokio::test]
async fn tokens_from_a_clock_that_runs_ahead_end_with_their_account_or_client() {
    let server = Server::start();
    let account = fixtures::insert_account(&server, EMAIL, json!({})).await.to_string();
    let client = server.coordinator().post("/v1/clients", &calendar()).await.expect(201).body["id"].clone();
    let client = client.as_str().unwrap();
    for (sub, path, role, source) in [
        (&*account, format!("/v1/accounts/{account}"), "municipality", None),
        (client, format!("/v1/clients/{client}"), "partner", Some("espoo-calendar".to_owned())),
    ] {
        let grant = Grant {
            sub: sub.into(),
            client_id: sub.into(),
            scope: "events:read".into(),
            role: role.into(),
            municipality: Some("049".into()),
            tutor: None,
            source,
        };
        let ahead = server.tokens.issue(&grant, Utc::now() + TimeDelta::seconds(20)).unwrap();
        let caller = server.token(&ahead);
        caller.get("/v1/events").await.expect(200);
        server.coordinator().if_match("*").patch(&path, &json!({"disabled": true})).await.expect(200);
        refused_within_two_seconds(&caller).await;
    }
}

#[tokio::test]
async fn a_change_of_rights_ends_tokens_although_the_database_clock_runs_behind() {
    let server = Server::on(behind().await, &[]);
    let coordinator = server.coordinator().if_match("*");
    let account = format!("/v1/accounts/{}", fixtures::insert_account(&server, EMAIL, json!({})).await);
    let made = coordinator.post("/v1/clients", &calendar()).await.expect(201).body;
    let (client, secret) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let first = sign_in(&server).await;
    let next = json!({"refresh_token": first.body["refresh_token"]});
    let next = server.anonymous().post("/v1/auth/refresh", &next).await.expect(200);
    let people = [access(&server, &first), access(&server, &next)];
    let system = partner(&server, client, secret).await;
    for caller in people.iter().chain([&system]) {
        caller.get("/v1/events").await.expect(200);
    }
    coordinator.patch(&account, &json!({"municipality_code": "092"})).await.expect(200);
    for caller in &people {
        refused_within_two_seconds(caller).await;
    }
    coordinator.patch(&format!("/v1/clients/{client}"), &json!({"municipality_code": "092"})).await.expect(200);
    refused_within_two_seconds(&system).await;
    for caller in [access(&server, &sign_in(&server).await), partner(&server, client, secret).await] {
        caller.get("/v1/events").await.expect(200);
        assert_eq!(caller.get("/v1/me").await.expect(200).body["municipality_code"], "092");
    }
}
