//! Logging in is slow by design: alike for whoever tries, and for nobody else.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Server,
    client::{Answer, Client},
    fixtures::{self, PASSWORD},
};

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// How long it took in the middle of these tries.
fn median(mut tries: Vec<Duration>) -> Duration {
    tries.sort_unstable();
    tries[tries.len() / 2]
}

/// How long it takes to be refused; a 503, as on a machine that is busy with other things, tells nothing.
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

/// A hash that is left out makes it ten times as quick, and more.
#[tokio::test]
async fn known_unknown_invited_and_disabled_accounts_take_the_same_time() {
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

/// The reads that are answered while twenty log in, to one who asks again and again. On a machine that is busy with other
/// things, what waits for a connection too long is 503.
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

/// Counted, not timed. On the one thread that serves, a hash would leave the reader a turn for each of the twenty at most;
/// beside it, the reader gets five and more. Where other programs take the machine, it gets them in one of a few rounds.
#[tokio::test]
async fn twenty_logins_at_once_do_not_stall_reads() {
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
