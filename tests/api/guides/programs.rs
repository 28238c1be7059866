//! The two example programs work.

use std::{
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ROOT, text};
use crate::support::{Server, databases::fresh_database, fixtures, process::free_port, sql};

/// The Python in which `scripts/prepare test` has installed the example's libraries.
fn python() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.parent().unwrap().join("examples/bin/python3")
}

/// The example's partner system, as this client.
fn partner_system(server: &Server, client: &Value) -> Command {
    let mut program = Command::new(python());
    program.arg("examples/partner_system.py").env("API", &server.url);
    program.env("CLIENT_ID", client["id"].as_str().unwrap());
    program.env("CLIENT_SECRET", client["client_secret"].as_str().unwrap());
    program
}

async fn run(mut program: Command) -> String {
    program.current_dir(ROOT);
    let finished = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let output = text(&finished);
    assert!(finished.status.success(), "{output}");
    output
}

#[tokio::test]
async fn the_front_end_example_runs_to_its_end() {
    let server = Server::start();
    fixtures::insert_account(&server, "digituki@example.org", json!({})).await;
    let mut node = Command::new("node");
    node.arg("examples/front-end.mjs").env("API", &server.url);
    node.env("EMAIL", "digituki@example.org").env("PASSWORD", fixtures::PASSWORD);
    let output = run(node).await;
    for expected in [
        "Signed in as municipality of 049.",
        "1,733,033 people live in the region.",
        ": 304.",
        "Published ",
        "Somebody else had changed it: read it again, then changed it.",
        "The form shows at /title: must have at least one of the parts fi, sv, en",
        "The form shows at /ends_at: must be after starts_at",
        "Deleted the event and signed out.",
    ] {
        assert!(output.contains(expected), "no {expected} in\n{output}");
    }
    assert_eq!(
        sql::query_lines(
            &server,
            "select title::text as line from events where source = 'kuntatutorit' and starts_at > '2027-01-01'"
        )
        .await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_partner_system_example_pushes_its_events_and_keeps_its_copy_in_step() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let client = json!({
        "name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read", "events:write", "changes:read"],
        "municipality_code": "049"
    });
    let client = coordinator.post("/v1/clients", &client).await.expect(201).body;
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("copy.json");
    let partner = async |arguments: &[&str]| {
        let mut program = partner_system(&server, &client);
        program.args(arguments);
        run(program).await
    };
    let stored = || -> Value { serde_json::from_str(&std::fs::read_to_string(&copy).unwrap()).unwrap() };
    let follow = ["follow", "--steps", "1", "--copy", copy.to_str().unwrap()];
    assert!(partner(&["push"]).await.contains("created kurssi-1"));
    let pushed = async || coordinator.get("/v1/events?external_id=kurssi-1").await.expect(200).body["items"][0].clone();
    let event = pushed().await;
    assert_eq!(event["status"], "published");
    assert!(partner(&["push"]).await.contains("unchanged kurssi-1"));
    assert_eq!(pushed().await["version"], event["version"]);
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    coordinator.if_match("*").patch(&path, &json!({"title": {"fi": "Muu"}})).await.expect(200);
    assert!(partner(&["push"]).await.starts_with("changed kurssi-1"));
    // Transactions of other tests can hold the ledger back. Wait, so that the next entry is the change below.
    let began = std::time::Instant::now();
    while coordinator.get("/v1/changes?resource=events").await.expect(200).column("operation").last() != Some(&"update")
    {
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "the ledger has no entry for the update");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let write = async {
        // Before the copy exists, the change would be part of it; afterwards it comes from the ledger.
        while !copy.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        coordinator.if_match("*").patch(&path, &json!({"capacity": 7})).await.expect(200)
    };
    let (output, _) = tokio::join!(partner(&follow), write);
    assert!(output.contains("copied 7 events") && output.contains("updated"), "{output}");
    assert_eq!(stored()["events"][event["id"].as_str().unwrap()]["capacity"], 7);
    coordinator.if_match("*").delete(&path).await.expect(204);
    assert!(partner(&follow).await.contains("removed"));
    assert_eq!(stored()["events"].as_object().unwrap().len(), 6);
    let mut lost = stored();
    lost["cursor"] = json!("lost");
    std::fs::write(&copy, lost.to_string()).unwrap();
    let output = partner(&follow).await;
    assert!(output.contains("making the copy again") && output.contains("copied 6 events"), "{output}");
}

#[tokio::test]
async fn the_partner_system_example_survives_a_refused_token_and_an_outage() {
    let port = free_port();
    let start = |database_url| Server::on(database_url, &[("PORT", &port)]);
    let server = start(fresh_database());
    let client = json!({
        "name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read", "events:write", "changes:read"]
    });
    let client = server.coordinator().post("/v1/clients", &client).await.expect(201).body;
    let event = format!("/v1/events/{}", server.create_event("049").await);
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("copy.json");
    let mut program = partner_system(&server, &client);
    program.current_dir(ROOT).args(["follow", "--copy", copy.to_str().unwrap()]);
    let mut follower = Follower(program.spawn().unwrap());
    let capacity = || {
        let stored: Value = serde_json::from_str(&std::fs::read_to_string(&copy).ok()?).unwrap();
        Some(stored["events"][event.rsplit('/').next().unwrap()]["capacity"].clone())
    };
    follower.until(|| capacity() == Some(Value::Null)).await;
    // From now on its token is refused, even while its request waits.
    let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
    let scopes = json!({"scopes": ["events:read", "changes:read"]});
    server.coordinator().if_match("*").patch(&path, &scopes).await.expect(200);
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.coordinator().if_match("*").patch(&event, &json!({"capacity": 7})).await.expect(200);
    follower.until(|| capacity() == Some(json!(7))).await;
    let database_url = server.database_url.clone();
    drop(server);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let server = start(database_url);
    server.coordinator().if_match("*").patch(&event, &json!({"capacity": 8})).await.expect(200);
    follower.until(|| capacity() == Some(json!(8))).await;
}

/// A partner system that keeps its copy in step; it ends with the test.
struct Follower(Child);

impl Follower {
    /// Waits until this holds; the program must not end meanwhile.
    async fn until(&mut self, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(self.0.try_wait().unwrap().is_none(), "the program has ended");
            assert!(began.elapsed() < Duration::from_mins(1), "the program does not keep its copy in step");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
