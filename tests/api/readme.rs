//! What the README says can be pasted: every block of it, in its order, against a private instance; and the two programs.

use std::{
    fs::Permissions,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Server, given};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

/// The service as `make run` starts it, with a private PostgreSQL; both end with the test.
struct Private {
    data_dir: TempDir,
    process: Child,
    base: String,
}

impl Private {
    fn start() -> Self {
        let data_dir = TempDir::new().unwrap();
        // The user that PostgreSQL runs as must get through when the tests run as root.
        std::fs::set_permissions(data_dir.path(), Permissions::from_mode(0o711)).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("serve").env("DATA_DIR", data_dir.path()).env("PORT", "0").env_remove("DATABASE_URL");
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let base = lines.find_map(|line| Some(line.trim().strip_prefix("API")?.trim().strip_suffix("/v1")?.to_owned()));
        Self { data_dir, process, base: base.unwrap() }
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
    let statuses = service.data_dir.path().join("statuses");
    let script =
        blocks.join("\n").replace("http://127.0.0.1:8080", &service.base).replace("target/debug/kuntatutorit", PROGRAM);
    let log_statuses = format!(
        "curl() {{ command curl -w '%{{stderr}}%{{http_code}} %{{method}} %{{url}}\\n' \"$@\" 2>> {statuses:?}; }}"
    );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("{log_statuses}\n{script}")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("DATA_DIR", service.data_dir.path())
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
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The Python that `scripts/prepare test` has given the example's libraries.
fn python() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.parent().unwrap().join("examples/bin/python3")
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
    given::account(&server, "digituki@example.org", json!({})).await;
    let mut node = Command::new("node");
    node.arg("examples/front-end.mjs").env("API", &server.url);
    node.env("EMAIL", "digituki@example.org").env("PASSWORD", given::PASSWORD);
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
        given::lines(
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
        let mut program = Command::new(python());
        program.arg("examples/partner_system.py").args(arguments).env("API", &server.url);
        program.env("CLIENT_ID", client["id"].as_str().unwrap());
        program.env("CLIENT_SECRET", client["client_secret"].as_str().unwrap());
        run(program).await
    };
    let stored = || -> Value { serde_json::from_str(&std::fs::read_to_string(&copy).unwrap()).unwrap() };
    let follow = ["follow", "--steps", "1", "--copy", copy.to_str().unwrap()];
    assert!(partner(&["push"]).await.contains("made kurssi-1"));
    assert!(partner(&["push"]).await.contains("kurssi-1 is as we have it"));
    let event = coordinator.get("/v1/events?external_id=kurssi-1").await.expect(200).body["items"][0].clone();
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    coordinator.if_match("*").patch(&path, &json!({"status": "published"})).await.expect(200);
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
