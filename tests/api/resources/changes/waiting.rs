//! Waiting for a change.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;

use super::{Follower, PATH, column, create_theme};
use crate::support::{
    Server,
    client::{Answer, Client, retry_while_busy},
};

#[tokio::test]
async fn a_write_wakes_a_waiting_caller() {
    let server = Server::start();
    let mut best = Duration::MAX;
    for round in 0..8 {
        let slug = format!("round-{round}");
        let mut follower = Follower::of(server.municipality("049"), "&resource=themes").await;
        let (woken, written) = tokio::join!(
            async {
                let items = follower.take(1).await;
                assert_eq!(column(&items, "key"), std::slice::from_ref(&slug));
                Instant::now()
            },
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                create_theme(&server, &slug).await;
                Instant::now()
            }
        );
        best = best.min(woken.saturating_duration_since(written));
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[tokio::test]
async fn a_wait_without_changes_ends_in_time_with_an_empty_page() {
    let server = Server::start();
    let mut follower = Follower::of(server.municipality("049"), "&resource=events").await;
    // A change in another collection must not end the wait.
    create_theme(&server, "of-no-concern").await;
    let asked = Instant::now();
    assert!(follower.read(2).await.is_empty());
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn the_longest_wait_is_allowed() {
    let server = Server::start();
    let mut follower = Follower::of(server.municipality("049"), "").await;
    let asked = Instant::now();
    assert!(follower.read(30).await.is_empty());
    assert!(asked.elapsed() >= Duration::from_secs(30));
}

/// Repeats a request that times out: on a busy machine one of many callers may not send within the five seconds that
/// the service allows.
async fn persistent(client: &Client, path: &str) -> Answer {
    let began = Instant::now();
    loop {
        match client.attempt(Method::GET, path, None).await {
            Ok(answer) if answer.status != 408 => return answer,
            other => assert!(began.elapsed() < Duration::from_mins(1), "the service did not answer: {other:?}"),
        }
    }
}

#[tokio::test]
async fn waiting_callers_delay_no_other_and_are_all_woken() {
    let server = Server::with(&[("POOL_SIZE", "1")]);
    let espoo = server.municipality("049");
    let next = Follower::of(espoo.clone(), "").await.next;
    let path = format!("{PATH}?cursor={next}&wait=30");
    let callers: Vec<_> = (0..15).map(|_| server.municipality("049")).collect();
    let (callers, path) = (&callers, &path);
    let wait = |n: usize| retry_while_busy(async move || persistent(&callers[n % callers.len()], path).await);
    let waiting = join_all((0..300).map(wait));
    let (answers, made) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        // A busy machine first needs time for the arriving callers; then it serves others as usual.
        let (came, quick) = (Instant::now(), Duration::from_secs(3));
        let read = async || tokio::time::timeout(quick, espoo.get("/v1/municipalities/049")).await;
        while !read().await.is_ok_and(|answer| answer.status == 200) {
            assert!(came.elapsed() < Duration::from_secs(24), "other callers are delayed");
        }
        create_theme(&server, "for-all").await;
        Instant::now()
    });
    // A caller that is not woken reads at the end of its wait.
    assert!(made.elapsed() < Duration::from_secs(20), "{:?}", made.elapsed());
    for answer in answers {
        let answer = answer.expect(200);
        assert_eq!(answer.column("key"), ["for-all"]);
    }
}

#[tokio::test]
async fn a_caller_above_its_limit_is_told_to_retry_and_leaves_places_for_others() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let next = Follower::of(espoo.clone(), "").await.next;
    let path = format!("{PATH}?cursor={next}&wait=8");
    // On a busy machine some callers do not send within the five seconds that the service allows.
    let crowd = join_all((0..60).map(|_| espoo.attempt(Method::GET, &path, None)));
    let other = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.coordinator().get(&format!("{PATH}?from=now&wait=1")).await
    };
    let (answers, other) = tokio::join!(crowd, other);
    other.expect(200);
    let (mut waited, mut too_many) = (0, 0);
    for answer in answers.into_iter().flatten().filter(|answer| answer.status != 408) {
        if answer.status == 200 {
            waited += 1;
        } else {
            assert_eq!(answer.expect_problem(503, "too_many_waiting").header("retry-after"), "1");
            too_many += 1;
        }
    }
    assert!(waited > 0 && waited <= 20 && too_many > 0, "{waited} waited, {too_many} were refused");
    espoo.get(&format!("{PATH}?cursor={next}")).await.expect(200);
}

#[tokio::test]
async fn a_caller_whose_access_is_withdrawn_stops_waiting() {
    use kuntatutorit::auth::tokens::claims::Grant;
    let server = Server::start();
    let id = uuid::Uuid::now_v7();
    let account = format!(
        "insert into accounts (id, email, role, municipality_code) values ('{id}', 'a@kunta.example', 'municipality', '049')"
    );
    server.execute(&account).await;
    let waiting = server.bearer(&Grant {
        sub: id.to_string(),
        client_id: server.url.clone(),
        scope: "changes:read themes:read".into(),
        role: "coordinator".into(),
        municipality: None,
        tutor: None,
        source: None,
    });
    let next = Follower::of(waiting.clone(), "").await.next;
    let path = format!("{PATH}?cursor={next}&wait=30");
    // No change happens that would wake the caller.
    let (ended, disabled) = tokio::join!(
        async {
            waiting.get(&path).await.expect_problem(401, "unauthenticated");
            Instant::now()
        },
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            server.execute(&format!("update accounts set disabled = true where id = '{id}'")).await;
            Instant::now()
        }
    );
    assert!(ended - disabled < Duration::from_secs(15), "{:?}", ended - disabled);
}
