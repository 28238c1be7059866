//! The subcommands for accounts and clients.

use serde_json::{Value, json};

use crate::support::{
    Server,
    process::{outcome, run},
};

#[track_caller]
fn refused(database_url: &str, arguments: &[&str], reason: &str) {
    let output = outcome(database_url, arguments, "salasana on pitkä\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains(reason), "{arguments:?}: {told}");
}

/// Returns the value of the line `name=value` of the output.
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
    refused(url, &add, "an account with this e-mail address already exists");
    refused(url, &["account", "add", "--email", "x", "--role", "tutor"], "email: must be an e-mail address");
    let espoo = ["account", "invite", "--email", "digituki@espoo.example"];
    refused(url, &espoo, "there is no account with this e-mail address");
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
    refused(url, &[&change[..], &["--role", "tutor"]].concat(), "a tutor has both");
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
    refused(url, &["client", "secret", "--client", id], "at most two secrets");
    run(url, &["client", "scopes", "--client", id, "--scopes", "events:read"], "");

    let path = format!("/v1/clients/{id}");
    let client = server.coordinator().get(&path).await.expect(200).body;
    assert_eq!(client["scopes"], json!(["events:read"]));
    let secret = client["secrets"][0]["id"].as_str().unwrap();
    run(url, &["client", "revoke", "--client", id, "--secret", secret], "");
    refused(url, &["client", "revoke", "--client", id, "--secret", secret], "no client or secret has this id");
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
async fn a_byte_order_mark_is_not_part_of_a_password() {
    let server = Server::start();
    let add = ["account", "add", "--email", "boss@example.org", "--role", "coordinator"];
    run(&server.database_url, &add, "\u{feff}salasana on pitkä\r\n");
    let login = json!({"email": "boss@example.org", "password": "salasana on pitkä"});
    server.anonymous().post("/v1/auth/login", &login).await.expect(200);
}
