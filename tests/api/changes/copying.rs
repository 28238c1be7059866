//! A consumer that keeps a copy: from a full copy and the ledger, while others write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use diesel::{QueryableByName, sql_types::BigInt};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Follower, theme};
use crate::support::{Server, client::Client};

const WRITERS: usize = 8;
const ROUNDS: usize = 60;

type Copy = BTreeMap<String, Value>;

/// Makes, changes and deletes, now and then what another writer has.
async fn write(client: Client, writer: usize, running: &AtomicUsize) {
    for round in 0..ROUNDS {
        let slug = format!("w{}-{}", (writer + round % 2) % WRITERS, round / 2 % 7);
        let path = format!("/v1/themes/{slug}");
        let made = client.post("/v1/themes", &theme(&slug)).await;
        assert!(matches!(made.status, 201 | 409), "{}", made.text);
        for step in 0..3 {
            let name = json!({"name": {"fi": format!("{writer} {round} {step}")}});
            let changed = client.if_match("*").patch(&path, &name).await;
            assert!(matches!(changed.status, 200 | 404 | 412), "{}", changed.text);
        }
        if round % 3 != 0 {
            let deleted = client.if_match("*").delete(&path).await;
            assert!(matches!(deleted.status, 204 | 404 | 412), "{}", deleted.text);
        }
    }
    running.fetch_sub(1, Ordering::SeqCst);
}

/// Brings the copy in step with these changes: reads what they name.
async fn apply(client: &Client, copy: &mut Copy, items: &[Value]) {
    let keys: BTreeSet<_> = items.iter().map(|item| item["key"].as_str().unwrap()).collect();
    let path = |key: &str| format!("/v1/themes/{key}");
    let reads = join_all(keys.iter().map(|key| async move { (*key, client.get(&path(key)).await) })).await;
    for (key, answer) in reads {
        match answer.status {
            200 => copy.insert(key.to_owned(), answer.body),
            404 => copy.remove(key),
            _ => panic!("{}", answer.text),
        };
    }
}

async fn full(client: &Client) -> Copy {
    let all = client.all("/v1/themes?limit=100").await;
    all.into_iter().map(|theme| (theme["slug"].as_str().unwrap().to_owned(), theme)).collect()
}

async fn themes_in_ledger(server: &Server) -> i64 {
    use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let query = "select count(*) as count from changes where resource = 'themes'";
    diesel::sql_query(query).get_result::<Count>(&mut conn).await.unwrap().count
}

#[tokio::test]
async fn a_copy_ends_equal_to_the_source() {
    let server = Server::with(&[("WORKERS", "2")]);
    let reader = server.municipality("049");
    let before = themes_in_ledger(&server).await;
    let mut follower = Follower::of(reader.clone(), "&resource=themes&limit=50").await;
    let running = AtomicUsize::new(WRITERS);
    let writers = join_all((0..WRITERS).map(|writer| write(server.coordinator(), writer, &running)));
    let consumer = async {
        let (mut copy, mut told) = (full(&reader).await, Vec::new());
        loop {
            let over = running.load(Ordering::SeqCst) == 0;
            let items = follower.read(if over { 10 } else { 1 }).await;
            if over && items.is_empty() {
                return (copy, told);
            }
            apply(&reader, &mut copy, &items).await;
            told.extend(items);
        }
    };
    let (_, (copy, told)) = tokio::join!(writers, consumer);
    assert_eq!(copy, full(&reader).await);
    let written = themes_in_ledger(&server).await - before;
    let distinct: BTreeSet<_> =
        told.iter().map(|item| (item["version"].as_i64(), item["operation"].as_str())).collect();
    assert_eq!(distinct.len(), told.len(), "a change was repeated");
    assert!(written > 1000, "only {written} writes");
    assert_eq!(i64::try_from(told.len()).unwrap(), written, "a change was missed");
    let mut versions = BTreeMap::<&str, i64>::new();
    for item in &told {
        let (key, version) = (item["key"].as_str().unwrap(), item["version"].as_i64().unwrap());
        let last = versions.insert(key, version).unwrap_or_default();
        assert!(version >= last, "{key} went back from {last} to {version}");
    }
}
