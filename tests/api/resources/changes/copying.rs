//! A consumer keeps a copy: it starts from a full copy and follows the ledger while others write through two instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use serde_json::json;

use super::Follower;
use crate::support::{
    Server, copies,
    copies::{apply, full, path_of},
    rows,
    rows::Rows,
    sql::query_lines,
};
use kuntatutorit::registry::ledger_collections;

const WRITERS: usize = 8;

/// The number of writes. `COPY_WRITES=10000` takes half a minute.
fn writes() -> usize {
    std::env::var("COPY_WRITES").map_or(2000, |number| number.parse().expect("COPY_WRITES is a number"))
}

/// Creates, changes and deletes rows of each collection in turn, and changes a municipality that all writers change, on both
/// instances.
async fn write(instances: [&Server; 2], rows: &Rows, writer: usize, done: &AtomicUsize) {
    let mut creators = Vec::new();
    for collection in ledger_collections().filter(|of| of.key != "code") {
        let create = async |server| rows::creator(server, collection.name, "049", "kysely").await;
        creators.push((collection, [create(instances[0]).await, create(instances[1]).await]));
    }
    let coordinators = instances.map(Server::coordinator);
    for round in 0.. {
        let (collection, clients) = &creators[round % creators.len()];
        let client = |step: usize| &clients[(writer + round + step) % 2];
        let row = rows.body(collection, "049", &format!("{writer}-{round}"), &json!({}));
        let made = client(0).post(&collection.path(), &row).await.expect(201);
        let path = path_of(collection, &made.body);
        let changed = client(1).if_match("*").patch(&path, &rows::change(collection.name, round)).await.expect(200);
        // The change may be to the value that the row has.
        let is_new = changed.body["version"] != made.body["version"];
        let shared = coordinators[writer % 2].if_match("*");
        let shared =
            shared.patch("/v1/municipalities/049", &rows::change("municipalities", 100_000 * writer + round)).await;
        assert!(matches!(shared.status, 200 | 412), "{}", shared.text);
        let deletes = round % 3 != 0;
        if deletes {
            client(3).if_match("*").delete(&path).await.expect(204);
        }
        let more = 1 + usize::from(is_new) + usize::from(shared.status == 200) + usize::from(deletes);
        if done.fetch_add(more, Ordering::SeqCst) + more >= writes() {
            return;
        }
    }
}

#[tokio::test]
async fn a_copy_ends_equal_to_the_source() {
    // All callers may be served by one instance.
    let pool = ("POOL_SIZE", "8");
    let server = Server::with(&[("WORKERS", "2"), pool]);
    let second = server.second(&[pool]);
    let rows = Rows::of(&server, "049").await;
    let reader = second.coordinator();
    // A transaction of another test may still hide the changes to these rows, which then would come after the start.
    copies::every_change_visible(&server.database_url).await;
    let before: usize = query_lines(&server, "select count(*)::text as line from changes").await[0].parse().unwrap();
    let mut follower = Follower::of(reader.clone(), "&limit=1000").await;
    let (done, running) = (AtomicUsize::new(0), AtomicUsize::new(WRITERS));
    let writers = join_all((0..WRITERS).map(async |writer| {
        write([&server, &second], &rows, writer, &done).await;
        running.fetch_sub(1, Ordering::SeqCst);
    }));
    let consumer = async {
        let (mut copy, mut told, mut patience) = (full(&reader).await, Vec::new(), 6);
        loop {
            let over = running.load(Ordering::SeqCst) == 0;
            let all = over && told.len() >= done.load(Ordering::SeqCst);
            let items = follower.read(if over && !all { 10 } else { 1 }).await;
            // A long transaction of another test may hold back the ledger for a minute.
            patience -= usize::from(over && items.is_empty());
            if over && items.is_empty() && (all || patience == 0) {
                return (copy, told);
            }
            apply(&reader, &mut copy, &items).await;
            told.extend(items);
        }
    };
    let (_, (copy, told)) = tokio::join!(writers, consumer);
    let source = full(&reader).await;
    let paths: BTreeSet<_> =
        copy.keys().chain(source.keys()).filter(|path| copy.get(*path) != source.get(*path)).collect();
    assert!(paths.is_empty(), "the copy and the source differ in {paths:?}");
    let written = done.into_inner();
    assert!(written >= writes(), "only {written} writes");
    let in_ledger: usize = query_lines(&server, "select count(*)::text as line from changes").await[0].parse().unwrap();
    assert_eq!(in_ledger - before, written, "the ledger has each write once");
    let distinct: BTreeSet<_> =
        told.iter().map(|item| (item["version"].as_i64(), item["operation"].as_str())).collect();
    assert_eq!(distinct.len(), told.len(), "a change was repeated");
    assert_eq!(told.len(), written, "a change was missed");
    let mut versions = BTreeMap::<&str, i64>::new();
    for item in &told {
        let (key, version) = (item["key"].as_str().unwrap(), item["version"].as_i64().unwrap());
        let last = versions.insert(key, version).unwrap_or_default();
        assert!(version >= last, "{key} went back from {last} to {version}");
    }
}
