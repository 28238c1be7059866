//! The real program stops under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::support::{
    Server, fixtures,
    process::{Service, program_on},
    raw, soak, sql,
};

/// Starts the program on this server's database, as its second instance.
fn beside(server: &Server, drain: &str) -> Service {
    let mut serve = program_on(&server.database_url);
    serve.env("PUBLIC_URL", &server.url).env("DRAIN_SECONDS", drain).env("LOG_LEVEL", "info").env("POOL_SIZE", "16");
    Service::start(serve)
}

/// Waits until this many more requests are served.
async fn wait_for_requests(served: &AtomicUsize, count: usize, limit: Duration) {
    let (began, before) = (Instant::now(), served.load(Ordering::Relaxed));
    while served.load(Ordering::Relaxed) < before + count {
        assert!(began.elapsed() < limit, "{count} more requests were not served within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn on_sigterm_readiness_ends_first_and_no_request_fails() {
    let server = Server::start();
    for _ in 0..soak::times(1, 10) {
        let mut service = beside(&server, "5");
        let token = server.coordinator().token.unwrap();
        let (away, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut callers = JoinSet::new();
        // Each caller keeps its connection until the load balancer sends it elsewhere.
        for _ in 0..16 {
            let (caller, away, served) = (service.token(&token), Arc::clone(&away), Arc::clone(&served));
            callers.spawn(async move {
                while !away.load(Ordering::Relaxed) {
                    caller.post("/v1/events", &fixtures::event_body("049", "draft")).await.expect(201);
                    caller.get("/v1/events?limit=20").await.expect(200);
                    served.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        let balancer = service.anonymous();
        balancer.get("/readyz").await.expect(200);
        wait_for_requests(&served, 50, Duration::from_secs(30)).await;
        service.signal("TERM");
        let told = Instant::now();
        while balancer.get("/readyz").await.status == 200 {
            assert!(told.elapsed() < Duration::from_secs(2), "it is still ready");
        }
        balancer.get("/readyz").await.expect_problem(503, "stopping");
        // The load balancer still sends requests, and the service must answer them.
        wait_for_requests(&served, 1, Duration::from_secs(2)).await;
        away.store(true, Ordering::Relaxed);
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let (status, _) = service.ended().await;
        assert!(status.success(), "{status}: {}", service.log());
        assert!(told.elapsed() < Duration::from_secs(20), "{:?}", told.elapsed());
        let log = service.log();
        soak::report(&format!(
            "SIGTERM: {} requests served, none failed, ended after {:?}",
            served.load(Ordering::Relaxed),
            told.elapsed()
        ));
        assert!(log.contains("/readyz fails from now on") && log.contains("stopped"), "{log}");
    }
}

#[tokio::test]
async fn requests_in_progress_are_finished() {
    let server = Server::start();
    sql::slow_down(&server, "update", "municipalities", 2.0).await;
    let mut service = beside(&server, "0");
    let token = server.coordinator().token.unwrap();
    let (writer, reader) = (service.token(&token), service.token(&token));
    reader.get("/livez").await.expect(200);
    let change = json!({"support_since": 2003});
    let wait = tokio::spawn(async move { reader.get("/v1/changes?from=now&wait=30").await });
    let write = tokio::spawn(async move { writer.if_match("*").patch("/v1/municipalities/049", &change).await });
    sql::wait_for_sleepers(&server, 1).await;
    service.signal("TERM");
    let began = Instant::now();
    // A caller that waits for changes gets its answer at once; the service waits for the write.
    wait.await.unwrap().expect(200);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    while let Ok(late) = service.anonymous().attempt(Method::GET, "/livez", None).await {
        assert!(began.elapsed() < Duration::from_secs(10), "it still accepts connections: {late:?}");
    }
    assert_eq!(write.await.unwrap().expect(200).body["support_since"], 2003);
    let (status, took) = service.ended().await;
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let server = Server::start();
    let mut service = beside(&server, "0");
    let mut idle = TcpStream::connect(service.address()).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    raw::answer(&mut idle, Duration::from_secs(20)).await.expect(200);
    service.signal("TERM");
    let (status, took) = service.ended().await;
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
}

#[tokio::test]
async fn ctrl_c_and_a_second_signal_stop_the_service_at_once() {
    let server = Server::start();
    for signals in [&["INT"][..], &["TERM", "TERM"], &["TERM", "INT"]] {
        let mut service = beside(&server, "20");
        service.anonymous().get("/livez").await.expect(200);
        for signal in signals {
            service.signal(signal);
            // Two signals that arrive together count as one.
            if signals.len() > 1 {
                let began = Instant::now();
                while !service.log().contains("shutting down") {
                    assert!(began.elapsed() < Duration::from_secs(10), "{}", service.log());
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
        let (status, took) = service.ended().await;
        assert!(status.success() && took < Duration::from_secs(10), "{signals:?}: {status} after {took:?}");
    }
}
