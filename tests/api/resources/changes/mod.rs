//! Changes: consumers miss nothing and get nothing twice, a waiting consumer is woken, and a copy stays in step.

mod copying;
mod reading;
mod waiting;

use serde_json::{Value, json};

use crate::support::{Server, client::Client};

const PATH: &str = "/v1/changes";

/// A consumer of the ledger, and its place in it.
struct Follower {
    client: Client,
    filter: String,
    next: String,
}

impl Follower {
    /// Starts at the present.
    async fn of(client: Client, filter: &str) -> Self {
        let answer = client.get(&format!("{PATH}?from=now{filter}")).await.expect(200);
        assert_eq!(answer.body["items"], json!([]));
        Self { client, filter: filter.into(), next: answer.body["next"].as_str().unwrap().into() }
    }

    /// Returns the next changes, and waits for them up to this many seconds. Transactions of other tests can delay the
    /// ledger.
    async fn read(&mut self, wait: u64) -> Vec<Value> {
        let path = format!("{PATH}?cursor={}&wait={wait}{}", self.next, self.filter);
        let answer = self.client.get(&path).await.expect(200);
        self.next = answer.body["next"].as_str().unwrap().into();
        answer.body["items"].as_array().unwrap().clone()
    }

    /// Returns the next `count` changes.
    async fn take(&mut self, count: usize) -> Vec<Value> {
        let mut items = Vec::new();
        while items.len() < count {
            let more = self.read(30).await;
            assert!(!more.is_empty(), "the ledger has only {items:?}");
            items.extend(more);
        }
        assert_eq!(items.len(), count, "{items:?}");
        items
    }
}

fn theme(slug: &str) -> Value {
    json!({"slug": slug, "kind": "theme", "name": {"fi": slug}, "parent": null})
}

async fn create_theme(server: &Server, slug: &str) {
    server.coordinator().post("/v1/themes", &theme(slug)).await.expect(201);
}

fn column(items: &[Value], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}
