//! The command line: accounts and clients, and what the service's log has of them.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Server, cluster::fresh_database};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

fn program(database_url: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    let keys = concat!(env!("CARGO_TARGET_TMPDIR"), "/keys");
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).env("DATABASE_URL", database_url).env("KEY_DIR", keys);
    command
}

fn outcome(database_url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = program(database_url);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not ask for it closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn run(database_url: &str, arguments: &[&str], input: &str) -> String {
    let output = outcome(database_url, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(database_url: &str, arguments: &[&str], reason: &str) {
    let output = outcome(database_url, arguments, "salasana on pitkä\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains(reason), "{arguments:?}: {told}");
}

/// The value of `name=value` in what was printed.
fn value<'a>(printed: &'a str, name: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {name}: {printed}"))
}

#[tokio::test]
async fn accounts_are_managed_from_the_command_line() {
    let server = Server::start();
    let url = &server.database_url;
    let add = ["account", "add", "--email", "Boss@example.org", "--role", "coordinator"];
    run(url, &add, "salasana on pitkä\n");
    refused(url, &add, "there is an account with this e-mail address");
    refused(url, &["account", "add", "--email", "x", "--role", "tutor"], "email: not a valid email");
    let espoo = ["account", "invite", "--email", "digituki@espoo.example"];
    refused(url, &espoo, "there is nothing with this id or e-mail address");
    let new = [&espoo[..], &["--role", "municipality", "--municipality", "049"]].concat();
    let first = run(url, &new, "");
    run(url, &new, "");
    refused(url, &[&espoo[..], &["--role", "coordinator"]].concat(), "leave out --role");
    let last = run(url, &espoo, "");
    let accept = |printed: &str| json!({"invitation": value(printed, "invitation"), "new_password": "uusi salasana"});
    server.anonymous().post("/v1/auth/password", &accept(&first)).await.expect(401);
    server.anonymous().post("/v1/auth/password", &accept(&last)).await.expect(204);

    let login = json!({"email": "digituki@espoo.example", "password": "uusi salasana"});
    server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    run(url, &["account", "disable", "--email", "Digituki@espoo.example"], "");
    server.anonymous().post("/v1/auth/login", &login).await.expect(401);
    let listed = run(url, &["account", "list"], "");
    assert!(listed.contains("boss@example.org  coordinator  -  enabled"), "{listed}");
    assert!(listed.contains("digituki@espoo.example  municipality  049  disabled"), "{listed}");
    run(url, &["account", "enable", "--email", "digituki@espoo.example"], "");
    server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    refused(url, &["account", "disable", "--email", "boss@example.org"], "the last enabled coordinator");
}

#[tokio::test]
async fn clients_are_managed_from_the_command_line() {
    let server = Server::start();
    let url = &server.database_url;
    let add = ["client", "add", "--name", "Kalenteri", "--source", "espoo-calendar", "--municipality", "049"];
    refused(url, &[&add[..], &["--scopes", "events:read root"]].concat(), "scopes/1: must be a scope that");
    let made = run(url, &[&add[..], &["--scopes", "events:read events:write"]].concat(), "");
    let id = value(&made, "client_id");
    let second = run(url, &["client", "secret", "--client", id], "");
    assert_ne!(value(&second, "client_secret"), value(&made, "client_secret"));
    refused(url, &["client", "secret", "--client", id], "two live secrets at most");
    run(url, &["client", "scopes", "--client", id, "--scopes", "events:read"], "");

    let path = format!("/v1/clients/{id}");
    let client = server.coordinator().get(&path).await.expect(200).body;
    assert_eq!(client["scopes"], json!(["events:read"]));
    let secret = client["secrets"][0]["id"].as_str().unwrap();
    run(url, &["client", "revoke", "--client", id, "--secret", secret], "");
    refused(url, &["client", "revoke", "--client", id, "--secret", secret], "there is nothing with this id");
    let listed = run(url, &["client", "list"], "");
    assert!(listed.contains("espoo-calendar  049  enabled  [events:read]"), "{listed}");
    run(url, &["client", "revoke", "--client", id], "");
    let client = server.coordinator().get(&path).await.expect(200).body;
    assert_eq!((&client["disabled"], client["secrets"].as_array().unwrap().len()), (&json!(true), 1));
}

#[test]
fn every_command_shows_an_example() {
    for (group, commands) in [
        ("account", ["add", "list", "invite", "disable", "enable"]),
        ("client", ["add", "list", "scopes", "secret", "revoke"]),
    ] {
        for command in commands {
            let help = run("postgres://nowhere", &[group, command, "--help"], "");
            assert!(help.contains(&format!("kuntatutorit {group} {command}")), "{help}");
        }
    }
}

/// The service as its operator starts it; it ends with the test.
struct Service {
    process: Child,
    log: tempfile::NamedTempFile,
}

impl Service {
    /// With everything in the log that there can be; and the base of its URLs.
    fn start(database_url: &str) -> (Self, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = program(database_url);
        command.arg("serve").env("PORT", "0").env("LOG_LEVEL", "trace").env("LOG_FORMAT", "json");
        let mut process = command.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let base = lines.find_map(|line| Some(line.trim().strip_prefix("API")?.trim().strip_suffix("/v1")?.to_owned()));
        (Self { process, log }, base.unwrap())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_log_names_no_person_and_no_secret() {
    let url = fresh_database();
    run(&url, &["account", "add", "--email", "boss@example.org", "--role", "coordinator"], "salasana on pitkä\n");
    let (service, base) = Service::start(&url);
    let anonymous = crate::support::client::Client::new(reqwest::Client::new(), base.clone(), None);
    let mut told: Vec<String> = vec!["boss@example.org".into(), "salasana on pitkä".into(), "digituki@".into()];
    let keep = |secret: &Value| secret.as_str().unwrap().to_owned();
    let login = json!({"email": "boss@example.org", "password": "salasana on pitkä"});
    let session = anonymous.post("/v1/auth/login", &login).await.expect(200).body;
    told.extend([keep(&session["access_token"]), keep(&session["refresh_token"])]);
    let coordinator = crate::support::client::Client::new(reqwest::Client::new(), base, Some(told[3].clone()));
    let new = json!({"email": "digituki@espoo.example", "role": "municipality", "municipality_code": "049"});
    let invited = coordinator.post("/v1/accounts", &new).await.expect(201).body;
    told.push(keep(&invited["invitation"]["secret"]));
    coordinator.post("/v1/accounts", &new).await.expect(409);
    coordinator.get("/v1/accounts?email=digituki@espoo.example").await.expect(200);
    let accept = json!({"invitation": told.last(), "new_password": "salasana on pitkä"});
    anonymous.post("/v1/auth/password", &accept).await.expect(204);
    anonymous.post("/v1/auth/password", &accept).await.expect(401);
    let client = json!({"name": "Kalenteri", "source": "espoo", "scopes": ["events:read"]});
    told.push(keep(&coordinator.post("/v1/clients", &client).await.expect(201).body["client_secret"]));
    let again = json!({"refresh_token": session["refresh_token"]});
    told.push(keep(&anonymous.post("/v1/auth/refresh", &again).await.expect(200).body["refresh_token"]));
    anonymous.post("/v1/auth/refresh", &again).await.expect(401);
    anonymous.post("/v1/auth/logout", &again).await.expect(204);
    let log = service.log();
    assert!(log.contains("/v1/auth/refresh"), "{log}");
    for secret in told {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
