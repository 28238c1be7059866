//! A planned switchover loses nothing: the primary stops in order, and its standby takes over.

use super::{assert_follows, back, create_event, write};
use crate::support::{
    Server,
    clusters::{Address, promote, standby_of},
    copies::Follower,
    killable_postgres::KillablePostgres,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_idle_switchover_keeps_every_cursor_and_entity_tag() {
    let mut first = tokio::task::block_in_place(KillablePostgres::start);
    let second = standby_of(&first).await;
    let address = Address::of(&first);
    let server = Server::on(address.url(), &[]);
    let client = server.coordinator();
    let event = create_event(&client).await;
    let behind = Follower::of(&client).await;
    write(&client, 2).await;
    let complete = Follower::of(&client).await;
    let etag = client.get(&event).await.expect(200).etag();
    // A primary that stops first sends everything to its standbys.
    tokio::task::block_in_place(|| first.stop());
    promote(&second).await;
    address.move_to(&second);
    back(&client, &event).await;
    // Nothing was written in between, so only the cursor itself shows that it is good.
    assert_follows(complete, &server, 0).await;
    assert_follows(behind.clone(), &server, 4).await;
    client.if_match(&etag).patch(&event, &serde_json::json!({"capacity": 7})).await.expect(200);
    assert_follows(behind, &server, 5).await;
}
