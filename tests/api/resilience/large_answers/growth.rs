//! The memory of the service does not grow with the number of requests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    Server,
    client::Client,
    fixtures,
    process::{Service, program_on},
    soak,
};

/// The number of callers at the same time.
const CALLERS: usize = 16;

/// Sends a request. The requests of one round are of every kind.
async fn request(client: &Client, event: &str, number: usize) {
    let status = match number % 12 {
        0 => client.get(&format!("/v1/events/{event}")).await.status,
        1 => client.get("/v1/events?limit=50").await.status,
        2 => client.get(&format!("/v1/events?limit=20&starts_after=2020-01-01T00:00:{:02}Z", number % 60)).await.status,
        3 => client.get(&format!("/v1/tutors?q=tutor{}", number % 1000)).await.status,
        4 => client.get("/v1/events?include=tutors,themes,host&limit=10").await.status,
        5 => client.get("/v1/municipalities/049/events.ics").await.status,
        6 => client.with("accept-encoding", "br").get("/v1/municipalities?limit=100").await.status,
        7 => {
            let change = json!({"support_since": 2000 + number % 20});
            client.if_match("*").patch("/v1/municipalities/049", &change).await.status
        }
        8 => client.get("/v1/changes?limit=100").await.status,
        9 if number.is_multiple_of(1000) => {
            client.post("/v1/events", &fixtures::event_body("049", "draft")).await.status
        }
        9 => client.post("/v1/events", &json!({"title": {}, "unknown": number})).await.status,
        10 => client.get(&format!("/v1/events?unknown{number}=1")).await.status,
        _ => client.with_token(&format!("forged-{number}")).get("/v1/events").await.status,
    };
    assert!(status < 500, "request {number}: {status}");
}

/// Sends requests with all callers until this many have been sent in all.
async fn send_until(service: &Service, tokens: &[String], event: &str, sent: &Arc<AtomicUsize>, goal: usize) {
    let mut callers = JoinSet::new();
    for token in tokens {
        let (client, event, sent) = (service.token(token), event.to_owned(), Arc::clone(sent));
        callers.spawn(async move {
            loop {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if number >= goal {
                    return;
                }
                request(&client, &event, number).await;
            }
        });
    }
    callers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_number_of_requests() {
    let server = Server::start();
    let event = server.create_event("049").await;
    let mut serve = program_on(&server.database_url);
    serve.env("PUBLIC_URL", &server.url).env("LOG_LEVEL", "warn,kuntatutorit::cli=info");
    let service = tokio::task::spawn_blocking(|| Service::start(serve)).await.unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let total = soak::times(600, 1_000_000);
    let mut memory = Vec::new();
    // Access tokens live for ten minutes.
    for step in 1..=soak::times(5, 50) {
        let tokens: Vec<_> = (0..CALLERS).map(|_| server.municipality("049").token.unwrap()).collect();
        let goal = total * step / soak::times(5, 50);
        sent.store(goal - total / soak::times(5, 50), Ordering::Relaxed);
        send_until(&service, &tokens, &event, &sent, goal).await;
        memory.push(service.memory());
        if step % 5 == 0 {
            soak::report(&format!("{goal} requests: {} KiB", service.memory()));
        }
    }
    let (early, late) = (memory[memory.len() / 5 - 1], memory[memory.len() - 1]);
    // A few hundred requests fill the caches.
    let allowed = early / soak::times(1, 20) as u64;
    assert!(late <= early + allowed, "{early} KiB after a fifth of the requests, {late} KiB after all: {memory:?}");
}
