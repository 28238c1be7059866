//! Persistent writers, and a record of the writes that the service acknowledged.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::client::{Answer, Client};

/// Running writers.
pub(crate) struct Writers {
    tasks: JoinSet<()>,
    ledger: Arc<Ledger>,
}

/// The acknowledged events: each has a unique title, and its id.
#[derive(Default)]
pub(crate) struct Ledger {
    written: Mutex<HashMap<String, String>>,
    requests: AtomicUsize,
    failed: AtomicUsize,
    ends: AtomicBool,
}

impl Writers {
    /// Starts `count` writers as this client, which may exist for several instances: each request goes to the next
    /// instance.
    pub(crate) fn start(count: usize, instances: &[&Client]) -> Self {
        let (mut tasks, ledger) = (JoinSet::new(), Arc::<Ledger>::default());
        for writer in 0..count {
            let instances: Vec<_> = instances.iter().map(|client| (*client).clone()).collect();
            let ledger = Arc::clone(&ledger);
            tasks.spawn(async move {
                while !ledger.ends.load(Ordering::Relaxed) {
                    ledger.write(&instances, writer % 2 == 0).await;
                }
            });
        }
        Self { tasks, ledger }
    }

    /// Returns how many writes have been acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.ledger.written.lock().unwrap().len()
    }

    /// Waits at most half a minute until this many more writes have been acknowledged.
    pub(crate) async fn progress(&self, more: usize) {
        let goal = self.acknowledged() + more;
        let progress = async {
            while self.acknowledged() < goal {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), progress).await;
        assert!(waited.is_ok(), "the writers make no progress");
    }

    /// Lets each writer finish, and returns the record.
    pub(crate) async fn end(mut self) -> Arc<Ledger> {
        self.ledger.ends.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.ledger
    }
}

impl Ledger {
    /// Creates one event, repeated until it is acknowledged, with an `Idempotency-Key` or an `external_id`; then
    /// changes it once.
    async fn write(&self, instances: &[Client], keyed: bool) {
        let title = Uuid::new_v4().to_string();
        let event = json!({
            "title": {"fi": title}, "kind": "webinar", "modality": "online", "starts_at": "2026-12-01T10:00:00Z",
            "ends_at": "2026-12-01T11:00:00Z", "host_municipality_code": "049",
            "external_id": if keyed { Value::Null } else { json!(title) }
        });
        let with =
            |name: &str, value: &str| instances.iter().map(|client| client.with(name, value)).collect::<Vec<_>>();
        let senders = if keyed { with("idempotency-key", &title) } else { instances.to_vec() };
        let created = self.retry(&senders, Method::POST, "/v1/events", &event).await;
        let id = match (created.status, keyed) {
            (201, _) => created.body["id"].as_str().unwrap().to_owned(),
            // The first answer was lost, so the external_id belongs to this event.
            (409, false) => {
                let path = format!("/v1/events?external_id={title}");
                self.retry(instances, Method::GET, &path, &Value::Null).await.expect(200).column("id")[0].to_owned()
            }
            _ => panic!("{}", created.text),
        };
        self.written.lock().unwrap().insert(title, id.clone());
        let path = format!("/v1/events/{id}");
        let etag = self.retry(instances, Method::GET, &path, &Value::Null).await.expect(200).etag();
        let changed = self.retry(&with("if-match", &etag), Method::PATCH, &path, &json!({"capacity": 7})).await;
        // 412: the change was made, but its answer was lost.
        assert!(matches!(changed.status, 200 | 412), "{}", changed.text);
    }

    /// Repeats a request, to one instance after the other, until an answer says how it ended.
    async fn retry(&self, instances: &[Client], method: Method, path: &str, body: &Value) -> Answer {
        let began = tokio::time::Instant::now();
        loop {
            let client = &instances[self.requests.fetch_add(1, Ordering::Relaxed) % instances.len()];
            let body = (!body.is_null()).then(|| body.to_string());
            match client.attempt(method.clone(), path, body.map(String::into_bytes)).await {
                Ok(answer) if answer.status == 503 || answer.body["code"] == "idempotency_key_in_progress" => {
                    assert_eq!(answer.header("retry-after"), "1");
                }
                Ok(answer) => return answer,
                Err(_) => {}
            }
            self.failed.fetch_add(1, Ordering::Relaxed);
            assert!(began.elapsed() < Duration::from_mins(1), "{method} {path} gets no final answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns how many events were created, each of which was changed once.
    pub(crate) fn written(&self) -> usize {
        self.written.lock().unwrap().len()
    }

    /// Asserts that every acknowledged write exists exactly once in the tables and in the ledger of changes. Returns
    /// the counts as a sentence.
    pub(crate) async fn compare(&self, database_url: &str) -> String {
        use diesel_async::RunQueryDsl as _;
        let mut conn = AsyncPgConnection::establish(database_url).await.unwrap();
        let query = "select id::text, title ->> 'fi' as title, capacity, \
                     (select string_agg(operation, ' ' order by seq) from changes \
                      where resource = 'events' and key = events.id::text and changes.version <= events.version) as changes \
                     from events where host_municipality_code = '049' and starts_at = '2026-12-01T10:00:00Z'";
        let rows: Vec<Row> = diesel::sql_query(query).load(&mut conn).await.unwrap();
        let written = self.written.lock().unwrap();
        assert_eq!(rows.len(), written.len(), "a write is lost or was made twice");
        for row in rows {
            assert_eq!(written.get(&row.title), Some(&row.id), "{} was never acknowledged", row.title);
            assert_eq!(row.capacity, Some(7), "{} lost its change", row.title);
            assert_eq!(row.changes.as_deref(), Some("create update"), "{}", row.title);
        }
        let [requests, failed] = [&self.requests, &self.failed].map(|count| count.load(Ordering::Relaxed));
        format!(
            "{requests} requests ({failed} refused or cut, and repeated), {} writes acknowledged",
            2 * written.len()
        )
    }
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Nullable<Integer>)]
    capacity: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    changes: Option<String>,
}
