//! Signing in is slow by design: equally slow for every caller that tries, and it slows down no other request.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Server,
    client::{Answer, Client},
    fixtures,
    fixtures::PASSWORD,
};

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// Returns the median of these durations.
fn median(mut tries: Vec<Duration>) -> Duration {
    tries.sort_unstable();
    tries[tries.len() / 2]
}

/// Returns how long a refusal takes. A 503, which a busy machine may answer, is left out.
async fn refused(client: &Client, email: &str) -> Duration {
    loop {
        let began = Instant::now();
        let answer = login(client, email, "wrong").await;
        if answer.status != 503 {
            answer.expect_problem(401, "sign_in_refused");
            return began.elapsed();
        }
    }
}

/// Without the password hash, a refusal would be at least ten times as fast.
#[tokio::test]
async fn a_refusal_takes_the_same_time_for_known_unknown_invited_and_disabled_accounts() {
    let server = Server::start();
    fixtures::insert_account(&server, "known@espoo.example", json!({})).await;
    fixtures::insert_account(&server, "disabled@espoo.example", json!({"disabled": true})).await;
    let invited = json!({"email": "invited@espoo.example", "role": "municipality", "municipality_code": "049"});
    server.coordinator().post("/v1/accounts", &invited).await.expect(201);
    let mut took = ["known", "unknown", "invited", "disabled"].map(|who| (who, Vec::new()));
    for _ in 0..15 {
        for (who, tries) in &mut took {
            tries.push(refused(&server.anonymous(), &format!("{who}@espoo.example")).await);
        }
        server.execute("delete from sign_in_failures").await;
    }
    let medians = took.map(|(who, tries)| (who, median(tries)));
    let slowest = medians.iter().map(|(_, median)| *median).max().unwrap();
    assert!(medians.iter().all(|(_, median)| slowest < 3 * *median), "{medians:?}");
}

/// Counts the reads of one caller that are answered while twenty callers sign in. On a busy machine a request that
/// waits too long for a connection answers 503.
async fn reads_meanwhile(server: &Server) -> usize {
    let (anonymous, reader, reads) = (server.anonymous(), server.municipality("049"), Cell::new(0));
    let logins = join_all((0..20).map(|n| {
        let (anonymous, email) = (anonymous.clone(), format!("a{n}@espoo.example"));
        async move { login(&anonymous, &email, PASSWORD).await.status }
    }));
    let reading = async {
        loop {
            let read = reader.get("/v1/municipalities/049").await;
            reads.set(reads.get() + usize::from(read.status == 200));
        }
    };
    tokio::select! {
        statuses = logins => {
            assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
            reads.get()
        }
        () = reading => unreachable!("it reads for ever"),
    }
}

/// This test counts reads instead of measuring time. If the hashes ran on the one serving thread, the reader would get
/// at most one turn for each of the twenty; on separate threads it gets at least five. On a busy machine it gets them
/// in one of several rounds.
#[tokio::test]
async fn reads_continue_while_twenty_callers_sign_in() {
    let server = Server::with(&[("WORKERS", "1")]);
    for n in 0..20 {
        fixtures::insert_account(&server, &format!("a{n}@espoo.example"), json!({})).await;
    }
    let mut counted = Vec::new();
    while counted.len() < 5 && counted.last().is_none_or(|reads| *reads <= 40) {
        counted.push(reads_meanwhile(&server).await);
    }
    assert!(counted.last().is_some_and(|reads| *reads > 40), "{counted:?}");
}
