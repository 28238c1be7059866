//! The primary fails, and its standby takes over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{assert_follows, assert_refused, write};
use crate::support::{
    Server,
    client::Client,
    clusters::{Address, caught_up, commit_synchronously, promote, standby_of},
    copies::Follower,
    killable_postgres::KillablePostgres,
    soak,
};

/// A list that the response cache answers, and an equal one that it has not seen.
const LIST: [&str; 2] = ["/v1/events?municipality=049", "/v1/events?municipality=049&limit=99"];

/// Waits until the service reads and writes again. The write has a stale condition and changes nothing.
async fn back(client: &Client) {
    let (began, stale) = (Instant::now(), client.if_match("\"0-full\""));
    let (mut read, mut written) = (0, 0);
    while (read, written) != (200, 412) {
        assert!(began.elapsed() < Duration::from_secs(30), "the service does not recover: {read} {written}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        read = client.get("/v1/changes?limit=1").await.status;
        written = stale.patch("/v1/municipalities/049", &json!({})).await.status;
    }
}

/// Changes an event this many times. Returns the content by entity tag.
async fn change(client: &Client, path: &str, times: usize) -> BTreeMap<String, Value> {
    let mut contents = BTreeMap::new();
    for number in 0..times {
        let title = json!({"title": {"fi": uuid::Uuid::now_v7().to_string()}, "capacity": number + 1});
        let answer = client.if_match("*").patch(path, &title).await.expect(200);
        contents.insert(answer.etag(), answer.body);
    }
    contents
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_failover_tells_followers_and_callers_what_it_lost() {
    let began = Instant::now();
    let mut first = tokio::task::block_in_place(KillablePostgres::start);
    let address = Address::of(&first);
    let server = Server::on(address.url(), &[]);
    let client = server.coordinator();
    let event = client.post("/v1/events", &crate::support::fixtures::event_body("049", "published")).await;
    let event = format!("/v1/events/{}", event.expect(201).body["id"].as_str().unwrap());
    let (mut idle, mut busy) = (Follower::of(&client).await, Follower::of(&client).await);

    // The standby has every write.
    let second = standby_of(&first).await;
    commit_synchronously(&first).await;
    let writes = soak::times(5, 200);
    write(&client, writes).await;
    assert_eq!(busy.catch_up(&client).await.unwrap().len(), 2 * writes);
    write(&client, writes).await;
    tokio::task::block_in_place(|| first.kill());
    promote(&second).await;
    address.move_to(&second);
    back(&client).await;
    assert_follows(busy.clone(), &server, 2 * writes).await;
    assert_eq!(idle.catch_up(&client).await.unwrap().len(), 4 * writes);
    idle.assert_equal(&client).await;
    let synchronous = began.elapsed();

    // The standby has fallen behind.
    let mut second = second;
    super::execute(&second.url(), "alter system reset synchronous_standby_names").await;
    super::execute(&second.url(), "select pg_reload_conf()").await;
    let mut third = standby_of(&second).await;
    caught_up(&second, 1).await;
    tokio::task::block_in_place(|| third.stop());
    // PostgreSQL skips up to 32 numbers of a sequence after a crash, so fewer lost versions would not come again.
    let lost = change(&client, &event, soak::times(50, 1000)).await;
    write(&client, 3).await;
    let past = Follower::of(&client).await;
    let etag = client.get(&event).await.expect(200).etag();
    let cached = client.get(LIST[0]).await.expect(200);
    assert_eq!(client.get(LIST[0]).await.expect(200).text, cached.text);
    tokio::task::block_in_place(|| {
        second.kill();
        third.restart();
    });
    promote(&third).await;
    address.move_to(&third);
    back(&client).await;
    let listed = client.get(LIST[0]).await.expect(200);
    assert_ne!(listed.body["items"], cached.body["items"], "an answer from the cache survived");
    assert_eq!(listed.body["items"], client.get(LIST[1]).await.expect(200).body["items"]);
    client.if_match(&etag).patch(&event, &json!({"capacity": 1})).await.expect_problem(412, "precondition_failed");
    client.with("if-none-match", &etag).get(&event).await.expect(200);
    let made = change(&client, &event, lost.len()).await;
    let repeated: Vec<_> = made.keys().filter(|tag| lost.contains_key(*tag)).collect();
    assert!(repeated.is_empty(), "entity tags with two contents: {repeated:?}");
    assert_follows(idle, &server, made.len()).await;
    assert_refused(past, &server).await;
    soak::report(&format!(
        "failover with a synchronous standby: {} writes kept in {synchronous:?}; with one that was behind: {} lost and \
         {} cursors refused, {:?}",
        4 * writes,
        lost.len() + 6,
        1,
        began.elapsed()
    ));
}
