//! Several hosts: the primary dies and its synchronous standby takes over, or a host accepts connections and stays silent.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use kuntatutorit::db::migrations;

use crate::support::{
    Server,
    client::retry_while_busy,
    clusters::{Address, commit_synchronously, promote, standby_of},
    databases::{parameters, run},
    killable_postgres::KillablePostgres,
    soak,
    tcp_postgres::TcpPostgres,
    writers::Writers,
};

const WRITERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_failover_to_a_synchronous_standby_loses_nothing() {
    let began = Instant::now();
    let mut primary = KillablePostgres::start();
    let mut standby = standby_of(&primary).await;
    commit_synchronously(&primary).await;
    let addresses = [Address::of(&primary), Address::of(&standby)];
    let hosts = addresses.each_ref().map(Address::host).join(",");
    let server = Server::on(format!("postgresql://postgres@/postgres?host={hosts}"), &[]);
    let client = server.coordinator();
    let start =
        client.get("/v1/changes?resource=events&from=now").await.expect(200).body["next"].as_str().unwrap().to_owned();
    let writers = Writers::start(WRITERS, &[&client]);
    let (failovers, mut slowest) = (soak::times(1, 20), Duration::ZERO);
    for failover in 0..failovers {
        writers.progress(20).await;
        tokio::task::block_in_place(|| primary.kill());
        let killed = Instant::now();
        promote(&standby).await;
        writers.progress(1).await;
        slowest = slowest.max(killed.elapsed());
        // The old host comes back as a standby of the new primary, while connections are open.
        primary = standby;
        standby = standby_of(&primary).await;
        addresses[failover % 2].move_to(&standby);
        commit_synchronously(&primary).await;
    }
    writers.progress(20).await;
    let ledger = writers.end().await;
    let (written, counts) = (ledger.written(), ledger.compare(&primary.url()).await);
    let mut followed = 0;
    let mut next = start;
    loop {
        // A connection to the old primary is noticed when it is first used.
        let path = format!("/v1/changes?resource=events&limit=1000&cursor={next}");
        let page = retry_while_busy(async || client.get(&path).await).await.expect(200);
        followed += page.body["items"].as_array().unwrap().len();
        if page.body["items"].as_array().unwrap().is_empty() {
            break;
        }
        page.body["next"].as_str().unwrap().clone_into(&mut next);
    }
    assert_eq!(followed, 2 * written, "the feed misses a change or repeats one");
    soak::report(&format!(
        "{failovers} failovers to a synchronous standby, the next write acknowledged within {slowest:?}: {counts}, {:?}",
        began.elapsed()
    ));
}

#[tokio::test]
async fn a_silent_first_host_delays_only_the_first_connection() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    std::thread::spawn(move || {
        // The connections stay open, and nothing is ever sent.
        let mut open = Vec::new();
        for connection in silent.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            open.push(connection);
        }
    });
    let postgres = TcpPostgres::start();
    postgres.run_commands("create database kunta").await;
    run(async { migrations::run(&parameters(&postgres.url("kunta", ""))).await.unwrap() });
    let url = format!("postgresql://postgres@127.0.0.1:{port},127.0.0.1:{}/kunta?sslmode=disable", postgres.port);
    // The start needs a connection, which a silent host must not block.
    let server = Server::on(url, &[("PUBLIC_READ", "true")]);
    for _ in 0..20 {
        server.anonymous().get("/v1/themes").await.expect(200);
        server.anonymous().get("/readyz").await.expect(200);
    }
    let tried = accepted.load(Ordering::SeqCst);
    assert!((1..=2).contains(&tried), "the silent host was tried {tried} times");
}
