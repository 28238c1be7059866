//! The capacity for signing in is shared fairly: no attacker can shut others out of it, wherever it comes from.

use std::{cell::Cell, time::Duration};

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::future::join_all;
use kuntatutorit::housekeeping::delete_expired;
use serde_json::json;

use crate::support::{
    Server,
    client::{Answer, Client, retry_while_busy},
    fixtures,
    fixtures::PASSWORD,
    soak, sql,
};

const OWNER: &str = "owner@espoo.example";

fn behind_proxy() -> Server {
    Server::with(&[("TRUSTED_PROXIES", "127.0.0.1")])
}

fn from(server: &Server, address: &str) -> Client {
    server.anonymous().with("x-forwarded-for", address)
}

async fn attempt(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    retry_while_busy(async || attempt(client, email, password).await).await
}

async fn known_addresses(server: &Server) -> usize {
    sql::query_lines(server, "select account_id::text as line from known_addresses").await.len()
}

#[tokio::test]
async fn eighty_connections_from_two_addresses_leave_room_for_a_third() {
    let server = behind_proxy();
    fixtures::insert_account(&server, OWNER, json!({})).await;
    // The tests share the threads that hash, so no other test uses these networks.
    let attackers = ["192.0.2.7", "2001:db8:80::7"].map(|address| from(&server, address));
    let third = from(&server, "198.51.100.9");
    let (refused, done) = (Cell::new(0), Cell::new(false));
    let flood = join_all((0..80).map(async |n| {
        for round in 0.. {
            if done.get() {
                return;
            }
            let guess = attempt(&attackers[n % 2], &format!("nobody{n}-{round}@espoo.example"), "guess").await;
            if guess.status == 429 {
                refused.set(refused.get() + 1);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }));
    let others = async {
        // Both attackers have as many places as they get.
        while refused.get() < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let strangers: Vec<_> = (0..10).map(|n| format!("stranger{n}@espoo.example")).collect();
        let wrong = join_all(strangers.iter().map(async |email| attempt(&third, email, "guess").await.status)).await;
        let right = attempt(&third, OWNER, PASSWORD).await.status;
        done.set(true);
        (wrong, right)
    };
    let (_, (wrong, right)) = tokio::join!(flood, others);
    // On a busy machine a sign-in may time out, but the service never refuses it because of other addresses.
    assert!(wrong.iter().all(|status| matches!(status, 401 | 503)), "{wrong:?}");
    assert!(matches!(right, 200 | 503), "{right}");
}

/// Pretends that this many guesses for each account that was guessed have failed, over all addresses.
async fn pretend_failures(server: &Server, failures: usize) {
    server.execute(&format!("update sign_in_failures set failures = {failures} where address = 'all'")).await;
}

#[tokio::test]
async fn a_ceiling_of_guesses_holds_over_all_addresses_and_not_for_known_ones() {
    let server = behind_proxy();
    fixtures::insert_account(&server, OWNER, json!({})).await;
    let (home, mapped) = (from(&server, "198.51.100.9"), from(&server, "::ffff:198.51.100.9"));
    let home_v6 = from(&server, "2001:db8:9:9::1");
    for at in [&home, &home_v6] {
        login(at, OWNER, PASSWORD).await.expect(200);
    }
    // An account that does not exist is treated in the same way everywhere, so that no answer reveals which account has
    // signed in from where.
    let accounts = [OWNER, "nobody@espoo.example"];
    for email in accounts {
        login(&from(&server, "203.0.113.7"), email, "guess").await.expect(401);
    }
    pretend_failures(&server, 99).await;
    for email in accounts {
        login(&from(&server, "203.0.113.8"), email, "guess").await.expect(401);
        let refused = login(&from(&server, "203.0.113.9"), email, PASSWORD).await;
        let wait = refused.expect_problem(429, "too_many_requests").header("retry-after").parse::<u32>().unwrap();
        assert!((1..=900).contains(&wait));
        login(&home, email, "guess").await.expect_problem(401, "sign_in_refused");
        login(&from(&server, "2001:db8:9:a::1"), email, "guess").await.expect(429);
    }
    // Many more guesses, as of an attacker that makes new addresses known with an account of its own.
    pretend_failures(&server, 1000).await;
    login(&home, "nobody@espoo.example", "guess").await.expect_problem(429, "too_many_requests");
    for at in [&home, &mapped, &home_v6, &from(&server, "2001:db8:9:9:ffff::2")] {
        login(at, OWNER, PASSWORD).await.expect(200);
    }
    // A new invitation opens the address of the person who accepts it.
    let (new, accounts) = (from(&server, "203.0.112.5"), server.coordinator().get("/v1/accounts").await.expect(200));
    let renew = format!("/v1/accounts/{}/invitation", accounts.body["items"][0]["id"].as_str().unwrap());
    let invited = server.coordinator().post(&renew, &json!(null)).await.expect(201);
    let accept = json!({"invitation": invited.body["secret"], "new_password": PASSWORD});
    login(&new, OWNER, PASSWORD).await.expect(429);
    new.post("/v1/auth/password", &accept).await.expect(204);
    login(&new, OWNER, PASSWORD).await.expect(200);
    // Sign-ins of the owner do not give the attacker more guesses, but time does.
    login(&from(&server, "203.0.113.9"), OWNER, PASSWORD).await.expect(429);
    server.execute("update sign_in_failures set last_failed_at = now() - interval '16 minutes'").await;
    login(&from(&server, "203.0.113.9"), OWNER, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn known_addresses_are_few_hashed_and_forgotten() {
    let server = behind_proxy();
    let id = fixtures::insert_account(&server, OWNER, json!({})).await;
    login(&from(&server, "198.51.100.9"), OWNER, "guess").await.expect(401);
    assert_eq!(known_addresses(&server).await, 0, "only a successful sign-in makes an address known");
    for _ in 0..2 {
        login(&from(&server, "198.51.100.9"), OWNER, PASSWORD).await.expect(200);
    }
    let rows = sql::query_lines(&server, "select to_jsonb(t)::text as line from known_addresses t").await;
    assert!(rows.len() == 1 && !rows[0].contains("198.51.100"), "{rows:?}");
    // The least recently used address makes room for a new one.
    let older = format!(
        "insert into known_addresses (account_id, address_hash, last_used_at) \
         select '{id}', sha256(n::text::bytea), clock_now() - interval '1 hour' * n from generate_series(1, 19) as n"
    );
    server.execute(&older).await;
    login(&from(&server, "198.51.100.10"), OWNER, PASSWORD).await.expect(200);
    assert_eq!(known_addresses(&server).await, 20);
    let oldest = "select 'there' as line from known_addresses where address_hash = sha256('19')";
    assert_eq!(sql::query_lines(&server, oldest).await, [""; 0]);
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    server.execute("update known_addresses set last_used_at = now() - interval '91 days'").await;
    login(&from(&server, "198.51.100.10"), OWNER, PASSWORD).await.expect(200);
    delete_expired(&conn).await.unwrap();
    assert_eq!(known_addresses(&server).await, 1, "an address that is used again stays known");
    let path = format!("/v1/accounts/{id}");
    server.coordinator().if_match("*").patch(&path, &json!({"disabled": true})).await.expect(200);
    assert_eq!(known_addresses(&server).await, 0);
}

/// The attack that fair shares alone cannot stop: as many networks as there are places, each with one guess at a time.
/// `make soak` runs it, because the guesses take seconds of computing.
#[tokio::test]
async fn a_known_address_signs_in_while_two_hundred_networks_guess() {
    if soak::times(0, 1) == 0 {
        return;
    }
    let server = behind_proxy();
    fixtures::insert_account(&server, OWNER, json!({})).await;
    let home = from(&server, "198.51.100.9");
    login(&home, OWNER, PASSWORD).await.expect(200);
    let (refused, done) = (Cell::new(0), Cell::new(false));
    let flood = join_all((0..200).map(async |n: usize| {
        let attacker = from(&server, &format!("203.0.{n}.7"));
        for round in 0.. {
            if done.get() {
                return;
            }
            if attempt(&attacker, &format!("nobody{n}-{round}@espoo.example"), "guess").await.status == 429 {
                refused.set(refused.get() + 1);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }));
    let owner = async {
        while refused.get() < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(attempt(&home, OWNER, PASSWORD).await.status);
        }
        done.set(true);
        statuses
    };
    let (_, statuses) = tokio::join!(flood, owner);
    assert_eq!(statuses, [200; 10]);
    soak::report(&format!(
        "200 networks guessed, {} guesses refused; ten sign-ins of the owner accepted",
        refused.get()
    ));
}
