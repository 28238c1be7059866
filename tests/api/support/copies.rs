//! Copies of all collections that follow the change ledger, as partner systems keep them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    client::{Answer, Client, retry_while_busy},
    sql::query_lines_at,
};
use kuntatutorit::registry::{Collection, ledger_collections};

/// Rows by path.
pub(crate) type Copy = BTreeMap<String, Value>;

pub(crate) fn path_of(collection: &Collection, row: &Value) -> String {
    format!("{}/{}", collection.path(), row[collection.key].as_str().unwrap())
}

/// Reads every list.
pub(crate) async fn full(client: &Client) -> Copy {
    let lists = join_all(ledger_collections().map(|collection| async move {
        let all = client.all(&format!("{}?limit=100", collection.path())).await;
        all.into_iter().map(|row| (path_of(collection, &row), row)).collect::<Vec<_>>()
    }));
    lists.await.into_iter().flatten().collect()
}

/// Brings the copy in step with these changes: reads what they name.
pub(crate) async fn apply(client: &Client, copy: &mut Copy, items: &[Value]) {
    let paths: BTreeSet<_> = items
        .iter()
        .map(|item| format!("/v1/{}/{}", item["resource"].as_str().unwrap(), item["key"].as_str().unwrap()))
        .collect();
    let reads = join_all(
        paths.into_iter().map(|path| async move { (retry_while_busy(async || client.get(&path).await).await, path) }),
    )
    .await;
    for (answer, path) in reads {
        match answer.status {
            200 => copy.insert(path, answer.body),
            404 => copy.remove(&path),
            _ => panic!("{}", answer.text),
        };
    }
}

/// Waits until no transaction hides a change of this database. Those of other tests hide it for a moment.
pub(crate) async fn every_change_visible(database_url: &str) {
    let hidden = "select count(*)::text as line from changes \
                  where (epoch, xid) >= ((select max(ordinal) from ledger_epochs), ledger_horizon())";
    while query_lines_at(database_url, hidden).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A follower of the ledger and its copy. The server that it asks may change.
#[derive(Clone)]
pub(crate) struct Follower {
    copy: Copy,
    next: String,
}

impl Follower {
    /// Creates the copy.
    pub(crate) async fn of(client: &Client) -> Self {
        let start = client.get("/v1/changes?from=now").await.expect(200);
        Self { next: start.body["next"].as_str().unwrap().to_owned(), copy: full(client).await }
    }

    /// Brings the copy in step and returns the changes, or the answer that refuses the cursor.
    pub(crate) async fn catch_up(&mut self, client: &Client) -> Result<Vec<Value>, Answer> {
        let mut all = Vec::new();
        loop {
            let answer = client.get(&format!("/v1/changes?limit=1000&cursor={}", self.next)).await;
            if answer.status != 200 {
                return Err(answer);
            }
            answer.body["next"].as_str().unwrap().clone_into(&mut self.next);
            let items = answer.body["items"].as_array().unwrap().clone();
            if items.is_empty() {
                return Ok(all);
            }
            apply(client, &mut self.copy, &items).await;
            all.extend(items);
        }
    }

    /// Asserts that the copy equals the original.
    pub(crate) async fn assert_equal(&self, client: &Client) {
        let original = full(client).await;
        let paths: BTreeSet<_> = self.copy.keys().chain(original.keys()).collect();
        let differing: Vec<_> = paths.into_iter().filter(|path| self.copy.get(*path) != original.get(*path)).collect();
        assert!(differing.is_empty(), "the copy and the original differ in {differing:?}");
    }
}
