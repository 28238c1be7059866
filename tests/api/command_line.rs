//! The command line: accounts and clients, and what the service's log has of them.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::Client,
    cluster::fresh_database,
    process::{Service, program_on},
};

fn outcome(database_url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = program_on(database_url);
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
    let change = ["account", "change", "--email", "digituki@espoo.example"];
    refused(url, &change, "required arguments were not provided");
    refused(url, &[&change[..], &["--role", "tutor"]].concat(), "a tutor account both");
    refused(url, &[&change[..], &["--municipality", "999"]].concat(), "municipality_code: ");
    run(url, &[&change[..], &["--municipality", "092"]].concat(), "");
    let listed = run(url, &["account", "list"], "");
    assert!(listed.contains("digituki@espoo.example  municipality  092  enabled"), "{listed}");
    run(url, &[&change[..], &["--role", "coordinator", "--new-email", "Digi@espoo.example"]].concat(), "");
    let listed = run(url, &["account", "list"], "");
    assert!(listed.contains("digi@espoo.example  coordinator  -  enabled"), "{listed}");
    let back = ["--role", "municipality", "--municipality", "049", "--new-email", "digituki@espoo.example"];
    run(url, &[&["account", "change", "--email", "digi@espoo.example"], &back[..]].concat(), "");
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
    run(url, &["client", "enable", "--client", id], "");
    let change = ["client", "change", "--client", id];
    refused(url, &change, "required arguments were not provided");
    refused(url, &[&change[..], &["--municipality", "999"]].concat(), "municipality_code: ");
    run(url, &[&change[..], &["--name", "Uusi kalenteri", "--municipality", "092"]].concat(), "");
    let client = server.coordinator().get(&path).await.expect(200).body;
    let told = (&client["disabled"], &client["name"], &client["municipality_code"], &client["scopes"]);
    assert_eq!(told, (&json!(false), &json!("Uusi kalenteri"), &json!("092"), &json!(["events:read"])));
    run(url, &[&change[..], &["--whole-region"]].concat(), "");
    let client = server.coordinator().get(&path).await.expect(200).body;
    assert_eq!((&client["name"], &client["municipality_code"]), (&json!("Uusi kalenteri"), &Value::Null));
}

#[test]
fn every_command_shows_an_example() {
    for (group, commands) in [
        ("account", &["add", "list", "invite", "change", "disable", "enable"][..]),
        ("client", &["add", "list", "change", "scopes", "secret", "revoke", "enable"]),
    ] {
        for command in commands {
            let help = run("postgres://nowhere", &[group, command, "--help"], "");
            assert!(help.contains(&format!("kuntatutorit {group} {command}")), "{help}");
        }
    }
}

#[tokio::test]
async fn the_log_names_no_person_and_no_secret() {
    let url = fresh_database();
    run(&url, &["account", "add", "--email", "boss@example.org", "--role", "coordinator"], "salasana on pitkä\n");
    let mut serve = program_on(&url);
    serve.env("LOG_LEVEL", "trace");
    let service = Service::start(serve);
    let anonymous = service.anonymous();
    let mut told: Vec<String> = vec!["boss@example.org".into(), "salasana on pitkä".into(), "digituki@".into()];
    let keep = |secret: &Value| secret.as_str().unwrap().to_owned();
    let login = json!({"email": "boss@example.org", "password": "salasana on pitkä"});
    let session = anonymous.post("/v1/auth/login", &login).await.expect(200).body;
    told.extend([keep(&session["access_token"]), keep(&session["refresh_token"])]);
    let coordinator = service.token(&told[3]);
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
    let link = coordinator.post("/v1/calendar-links", &json!({"name": "Kanarian puhelin"})).await.expect(201).body;
    let calendar = link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    anonymous.get(&format!("/calendar/{calendar}")).await.expect(200);
    told.push(calendar.trim_end_matches(".ics").to_owned());
    told.extend(write_of_people(&coordinator).await);
    let log = service.log();
    assert!(log.contains("/v1/auth/refresh") && log.contains("/calendar/{secret}.ics"), "{log}");
    for secret in told {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// Writes, changes, searches and gets refused what is personal, each with a word of its own; the words.
async fn write_of_people(coordinator: &Client) -> Vec<String> {
    let tutor = json!({
        "name": "Kanarian Tutor", "municipality_code": "049",
        "contact": {"email": "kanaria@kunta.example", "phone": "+358 40 7654321"}
    });
    let made = coordinator.post("/v1/tutors", &tutor).await.expect(201);
    let path = format!("/v1/tutors/{}", made.body["id"].as_str().unwrap());
    coordinator.if_match(&made.etag()).patch(&path, &json!({"name": "Kanarian Toinen"})).await.expect(200);
    coordinator.if_match(&made.etag()).patch(&path, &json!({"name": "Kanarian Kolmas"})).await.expect(412);
    coordinator.post("/v1/tutors", &json!({"name": "Kanarian Neljäs", "municipality_code": "x"})).await.expect(422);
    coordinator.get("/v1/tutors?q=kanariahaku").await.expect(200);
    coordinator.get("/v1/tutors?kanariakysely=1").await.expect(400);
    let event = coordinator.post("/v1/events", &Server::event("049", "completed")).await.expect(201);
    let feedback = json!({
        "event_id": event.body["id"], "direction": "participant_to_tutor", "municipality_code": "049",
        "comment": "Kanarian kommentti"
    });
    coordinator.post("/v1/feedback", &feedback).await.expect(201);
    coordinator.post("/v1/feedback", &feedback).await.expect(409);
    let words = ["anarian", "kanaria", "7654321", "kanariahaku", "kanariakysely"];
    words.map(str::to_owned).to_vec()
}
