//! The primary fails, and its standby takes over.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};

use super::{assert_follows, assert_refused, back, create_event, write};
use crate::support::{
    Server,
    client::Client,
    clusters::{Address, caught_up, commit_synchronously, promote, standby_of},
    copies::Follower,
    killable_postgres::KillablePostgres,
    soak,
};

/// A list that the response cache answers, and one with the same events that it has not seen.
const LIST: [&str; 2] = ["/v1/events?municipality=049&limit=5", "/v1/events?municipality=049&limit=6"];

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
    let mut second = standby_of(&first).await;
    commit_synchronously(&first).await;
    let address = Address::of(&first);
    let server = Server::on(address.url(), &[]);
    let client = server.coordinator();
    let event = create_event(&client).await;
    let (mut idle, mut busy) = (Follower::of(&client).await, Follower::of(&client).await);

    // The standby has every write.
    let writes = soak::times(5, 200);
    write(&client, writes).await;
    assert_eq!(busy.catch_up(&client).await.unwrap().len(), 2 * writes);
    write(&client, writes).await;
    let complete = Follower::of(&client).await;
    tokio::task::block_in_place(|| first.kill());
    promote(&second).await;
    address.move_to(&second);
    back(&client, &event).await;
    // Nothing was written, so only the cursor itself shows that it is good.
    assert_follows(complete, &server, 0).await;
    assert_follows(busy, &server, 2 * writes).await;
    assert_eq!(idle.catch_up(&client).await.unwrap().len(), 4 * writes);
    idle.assert_equal(&client).await;
    let synchronous = began.elapsed();

    // The standby has fallen behind.
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
    back(&client, &event).await;
    let listed = client.get(LIST[0]).await.expect(200);
    assert_ne!(listed.body["items"], cached.body["items"], "an answer from the cache survived");
    let fresh = client.get(LIST[1]).await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap()[..], fresh.body["items"].as_array().unwrap()[..5]);
    client.if_match(&etag).patch(&event, &json!({"capacity": 1})).await.expect_problem(412, "precondition_failed");
    client.with("if-none-match", &etag).get(&event).await.expect(200);
    let made = change(&client, &event, lost.len()).await;
    let repeated: Vec<_> = made.keys().filter(|tag| lost.contains_key(*tag)).collect();
    assert!(repeated.is_empty(), "entity tags with two contents: {repeated:?}");
    assert_follows(idle, &server, made.len()).await;
    assert_refused(past, &server).await;
    soak::report(&format!(
        "failover to a synchronous standby: {} writes kept, 3 cursors good, {synchronous:?}; to one that was behind: {} \
         writes lost, 1 cursor refused, 1 good, {:?}",
        4 * writes,
        lost.len() + 6,
        began.elapsed()
    ));
}
