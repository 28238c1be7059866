//! What the README says can be pasted: every block of it, in its order, against a private instance; and the two programs.

use std::{
    collections::BTreeSet,
    fs::Permissions,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Server, databases::fresh_database, fixtures, process::free_port, sql};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

/// The service as `make run` starts it, with a private PostgreSQL; both end with the test.
struct Private {
    data_dir: PathBuf,
    directory: TempDir,
    process: Child,
    base: String,
}

impl Private {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        // The user that PostgreSQL runs as must get through when the tests run as root.
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
        let data_dir = directory.path().join("data");
        let mut command = Command::new(PROGRAM);
        command.arg("serve").env("DATA_DIR", &data_dir).env("PORT", "0").env_remove("DATABASE_URL");
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let base = lines.find_map(|line| Some(line.trim().strip_prefix("API")?.trim().strip_suffix("/v1")?.to_owned()));
        Self { data_dir, directory, process, base: base.unwrap() }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The blocks of shell, but for those of the section that begins with this title.
fn blocks(readme: &str, but_for: &str) -> Vec<String> {
    let sections = readme.split("\n## ").filter(|section| !section.starts_with(but_for));
    let fenced = |section: &str| {
        section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    sections.flat_map(fenced).collect()
}

#[test]
fn every_block_can_be_pasted() {
    let blocks = blocks(include_str!("../../README.md"), "Run it");
    assert!(blocks.len() > 15, "{}", blocks.len());
    let service = Private::start();
    let statuses = service.directory.path().join("statuses");
    let script = blocks.join("\n").replace("http://127.0.0.1:8080", &service.base);
    let script = script.replace("target/debug/kuntatutorit", PROGRAM).replace("8081", &free_port());
    // What the script left running would hold its output open for good.
    let end_all = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT";
    let log_statuses = format!(
        "curl() {{ command curl -w '%{{stderr}}%{{http_code}} %{{method}} %{{url}}\\n' \"$@\" 2>> {statuses:?}; }}"
    );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("{end_all}\n{log_statuses}\n{script}")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("DATA_DIR", &service.data_dir)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let told = text(&output);
    let statuses = std::fs::read_to_string(statuses).unwrap();
    assert!(output.status.success(), "{told}\n{statuses}");
    assert!(statuses.lines().count() > 25, "{statuses}");
    let failures: Vec<_> = statuses.lines().filter(|line| !line.starts_with('2')).map(|line| &line[..3]).collect();
    assert_eq!(failures, ["422", "400"], "only what is shown to fail fails:\n{statuses}\n{told}");
    for expected in ["1733033", "}true\n", "Signed in as municipality of 049", "made kurssi-1", "BEGIN:VCALENDAR"] {
        assert!(told.contains(expected), "no {expected} in\n{told}");
    }
    let restored = service.directory.path().join("data.restored");
    let accounts = Command::new(PROGRAM)
        .args(["account", "list"])
        .env("DATA_DIR", &restored)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    assert!(text(&accounts).contains("digituki@example.org"), "{}", text(&accounts));
    let keys = |data_dir: &Path| -> BTreeSet<_> {
        std::fs::read_dir(data_dir.join("keys")).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    assert!(keys(&restored).is_subset(&keys(&service.data_dir)), "{:?}", keys(&restored));
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The Python that `scripts/prepare test` has given the example's libraries.
fn python() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.parent().unwrap().join("examples/bin/python3")
}

/// The partner system of the example, with this client.
fn partner_system(server: &Server, client: &Value) -> Command {
    let mut program = Command::new(python());
    program.arg("examples/partner_system.py").env("API", &server.url);
    program.env("CLIENT_ID", client["id"].as_str().unwrap());
    program.env("CLIENT_SECRET", client["client_secret"].as_str().unwrap());
    program
}

async fn run(mut program: Command) -> String {
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    told
}

#[tokio::test]
async fn the_front_end_does_its_walk() {
    let server = Server::start();
    fixtures::insert_account(&server, "digituki@example.org", json!({})).await;
    let mut node = Command::new("node");
    node.arg("examples/front-end.mjs").env("API", &server.url);
    node.env("EMAIL", "digituki@example.org").env("PASSWORD", fixtures::PASSWORD);
    let told = run(node).await;
    for expected in [
        "Signed in as municipality of 049.",
        "1,733,033 people live in the region.",
        ": 304.",
        "Published ",
        "It had changed since: read it again, then changed it.",
        "The form shows at /title: must have at least one of fi, sv and en",
        "The form shows at /ends_at: must be after starts_at",
        "Deleted it and signed out.",
    ] {
        assert!(told.contains(expected), "no {expected} in\n{told}");
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
async fn the_partner_system_pushes_and_keeps_its_copy() {
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
    assert!(partner(&["push"]).await.contains("made kurssi-1"));
    let pushed = async || coordinator.get("/v1/events?external_id=kurssi-1").await.expect(200).body["items"][0].clone();
    let event = pushed().await;
    assert_eq!(event["status"], "published");
    assert!(partner(&["push"]).await.contains("unchanged kurssi-1"));
    assert_eq!(pushed().await["version"], event["version"]);
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    coordinator.if_match("*").patch(&path, &json!({"title": {"fi": "Muu"}})).await.expect(200);
    assert!(partner(&["push"]).await.starts_with("changed kurssi-1"));
    // Transactions of other tests hold the ledger back at times: what is told of the event later shall be the change below.
    let began = std::time::Instant::now();
    while coordinator.get("/v1/changes?resource=events").await.expect(200).column("operation").last() != Some(&"update")
    {
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "the ledger does not tell of it");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let write = async {
        // Until the copy is made, it is a part of it; then it is told.
        while !copy.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        coordinator.if_match("*").patch(&path, &json!({"capacity": 7})).await.expect(200)
    };
    let (told, _) = tokio::join!(partner(&follow), write);
    assert!(told.contains("made a copy of 7 events") && told.contains("took over"), "{told}");
    assert_eq!(stored()["events"][event["id"].as_str().unwrap()]["capacity"], 7);
    coordinator.if_match("*").delete(&path).await.expect(204);
    assert!(partner(&follow).await.contains("dropped"));
    assert_eq!(stored()["events"].as_object().unwrap().len(), 6);
    let mut lost = stored();
    lost["cursor"] = json!("lost");
    std::fs::write(&copy, lost.to_string()).unwrap();
    let told = partner(&follow).await;
    assert!(told.contains("making the copy anew") && told.contains("made a copy of 6 events"), "{told}");
}

#[tokio::test]
async fn the_partner_system_outlives_lost_tokens_and_a_service_that_is_away() {
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
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(["follow", "--copy", copy.to_str().unwrap()]);
    let mut follower = Follower(program.spawn().unwrap());
    let capacity = || {
        let stored: Value = serde_json::from_str(&std::fs::read_to_string(&copy).ok()?).unwrap();
        Some(stored["events"][event.rsplit('/').next().unwrap()]["capacity"].clone())
    };
    follower.until(|| capacity() == Some(Value::Null)).await;
    // Its token is refused from now on, also while it waits.
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

/// A partner system that follows; it ends with the test.
struct Follower(Child);

impl Follower {
    /// Waits until it has done so; it must not end meanwhile.
    async fn until(&mut self, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(self.0.try_wait().unwrap().is_none(), "it has ended");
            assert!(began.elapsed() < Duration::from_mins(1), "it does not keep its copy in step");
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
