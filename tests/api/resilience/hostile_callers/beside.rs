//! Honest callers beside hostile ones, and one beside a thousand that send as much as they may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use super::{
    Latencies,
    attacks::Attacks,
    honest::{Honest, measure},
};
use crate::support::{
    Server,
    client::Client,
    process::{Service, program_on},
    soak,
};

/// Starts the program on this server's database, behind a proxy that names the address of each caller.
async fn start(server: &Server, requests_per_second: &str) -> Service {
    let mut serve = program_on(&server.database_url);
    serve
        .env("PUBLIC_URL", &server.url)
        .env("TRUSTED_PROXIES", "127.0.0.1")
        .env("REQUESTS_PER_SECOND", requests_per_second)
        .env("LOG_LEVEL", "warn,kuntatutorit::cli=info");
    let service = tokio::task::spawn_blocking(|| Service::start(serve)).await.unwrap();
    // The accounts' access is known.
    service.anonymous().until_status("/readyz", 200).await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_callers_get_right_answers_beside_hostile_ones() {
    let server = Server::start();
    let service = start(&server, "100").await;
    let honest = Honest::all(&server, &service).await;
    let (rounds, connections) = (soak::times(9, 500), soak::times(1, 20));
    let alone = measure(&honest, rounds).await;
    let attacks = Attacks::start(&service, connections, || server.municipality("638").token.unwrap());
    // The attacks are under way.
    sleep(soak::within(Duration::from_millis(200), Duration::from_secs(10))).await;
    let beside = measure(&honest, rounds).await;
    for caller in &honest[..soak::times(1, 4)] {
        caller.sign_in().await;
    }
    let sent = attacks.stop();
    assert_eq!(sent.len(), 10, "each attack has sent something: {sent:?}");
    soak::report(&format!("honest callers alone: {}", alone.summary()));
    soak::report(&format!("beside hostile ones: {}; hostile requests: {sent:?}", beside.summary()));
}

/// The caller without a limit: it is a new account for each request.
async fn measure_unlimited(server: &Server, service: &Service, requests: usize) -> Latencies {
    let mut durations = Vec::new();
    for _ in 0..requests {
        let caller = service.token(&server.municipality("049").token.unwrap());
        let began = Instant::now();
        caller.get("/v1/municipalities/049").await.expect(200);
        durations.push(began.elapsed());
        sleep(Duration::from_millis(5)).await;
    }
    Latencies::of(durations)
}

/// Sends two requests per second, of which the service answers one. Counts all of them, and those that are refused.
async fn send_at_the_limit(client: Client, sent: Arc<[AtomicUsize; 2]>) {
    loop {
        let answer = client.get("/v1/municipalities/049").await;
        assert!(matches!(answer.status, 200 | 429), "{}", answer.text);
        sent[0].fetch_add(1, Ordering::Relaxed);
        sent[1].fetch_add(usize::from(answer.status == 429), Ordering::Relaxed);
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_at_their_rate_limit_leave_room_for_another() {
    let server = Server::start();
    let service = start(&server, "1").await;
    let requests = soak::times(30, 2000);
    let alone = measure_unlimited(&server, &service, requests).await;
    let (mut others, sent) = (JoinSet::new(), Arc::<[AtomicUsize; 2]>::default());
    for _ in 0..soak::times(20, 1000) {
        let limited = service.token(&server.municipality("091").token.unwrap());
        others.spawn(send_at_the_limit(limited, Arc::clone(&sent)));
    }
    while sent[1].load(Ordering::Relaxed) < others.len() {
        sleep(Duration::from_millis(10)).await;
    }
    let beside = measure_unlimited(&server, &service, requests).await;
    let [total, refused] = [&sent[0], &sent[1]].map(|count| count.load(Ordering::Relaxed));
    let ratio = |percent| beside.percentile(percent).as_secs_f64() / alone.percentile(percent).as_secs_f64();
    soak::report(&format!("a caller alone: {}", alone.summary()));
    soak::report(&format!(
        "beside {} callers at their limit ({total} requests, {refused} refused): {}; median {:.1} times, p99 {:.1} times",
        others.len(),
        beside.summary(),
        ratio(50),
        ratio(99)
    ));
}
