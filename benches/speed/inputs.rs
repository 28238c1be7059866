//! Collects the inputs of the scripts: keys of existing rows, an account and a client.

use std::{path::Path, process::Command};

use kuntatutorit::auth::{keys::key_ring::KeyRing, tokens::access_tokens::Tokens};
use serde_json::{Value, json};

use super::{
    database::Database,
    operations,
    operations::{Inputs, Thousandth},
    start,
};

/// Collects all inputs from a database and from the service at this URL, which runs on it.
pub(crate) async fn collect(dir: &Path, database: &Database, url: String) -> Inputs {
    let http = reqwest::Client::new();
    let keys = KeyRing::load(&dir.join("keys")).unwrap();
    let client = &database.client;
    let mut inputs = Inputs {
        tokens: Tokens::new(keys, url.clone(), url.clone()),
        events: operations::spread(client, "events", "status <> 'draft'").await,
        tutors: operations::spread(client, "tutors", "true").await,
        recent: operations::spread(
            client,
            "events",
            "status in ('published', 'completed') and starts_at < now() and ends_at > now() - interval '59 days'",
        )
        .await,
        summarized: operations::spread(client, "events", "id in (select event_id from feedback_summaries)").await,
        codes: operations::texts(client, "select code from municipalities where code <> '616'").await,
        thousandth: Vec::new(),
        moments: operations::moments(client).await,
        tags: Vec::new(),
        hosted: Vec::new(),
        thousands: database.thousands,
        credentials: (String::new(), String::new()),
        account: ("bench@example.org".into(), "a long password for measuring".into()),
        run: std::time::UNIX_EPOCH.elapsed().unwrap().as_secs(),
    };
    inputs.hosted = operations::bodies(&http, &url, &inputs.reader()).await;
    inputs.thousandth = thousandth(&http, &url, &inputs.reader()).await;
    inputs.credentials = credentials(dir, &database.url);
    account(&http, &url, dir, &database.url, &inputs.account).await;
    inputs
}

/// Returns the beginning of a late page of two kinds of event: after 200 pages of 100 events, which are 1,000 of 20.
async fn thousandth(http: &reqwest::Client, url: &str, token: &str) -> Vec<Thousandth> {
    let mut found = Vec::new();
    for kind in ["webinar", "sparring"] {
        let list = format!("{url}/v1/events?kind={kind}&sort=starts_at");
        let (mut cursor, mut last): (String, Value) = (String::new(), Value::Null);
        for _ in 0..200 {
            let page = format!("{list}&limit=100{cursor}");
            let mut page: Value = http.get(page).bearer_auth(token).send().await.unwrap().json().await.unwrap();
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
            last = page["items"].as_array_mut().unwrap().pop().unwrap();
        }
        if let (Some(cursor), Some(after), Some(id)) =
            (cursor.strip_prefix("&cursor="), last["starts_at"].as_str(), last["id"].as_str())
        {
            found.push(Thousandth { kind, cursor: cursor.into(), after: after.into(), last: id.into() });
        }
    }
    found
}

/// Runs a command of the service and returns the values of the shell variables that it prints.
fn printed_values(dir: &Path, database_url: &str, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(start::PROGRAM);
    let output = command.args(arguments).env("DATABASE_URL", database_url).env("DATA_DIR", dir).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let values =
        text.lines().filter_map(|line| line.split_once('=').map(|(_, value)| value.trim_matches('\'').to_owned()));
    let values: Vec<_> = values.collect();
    assert!(!values.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    values
}

/// Adds a client and returns its id and secret.
fn credentials(dir: &Path, database_url: &str) -> (String, String) {
    let source = format!("bench-{}", std::process::id());
    let add = ["client", "add", "--name", "bench", "--source", &source, "--scopes", "events:read"];
    match &printed_values(dir, database_url, &add)[..] {
        [id, secret] => (id.clone(), secret.clone()),
        other => panic!("{other:?}"),
    }
}

/// Adds an account of the coordinator with this e-mail address and password.
async fn account(
    http: &reqwest::Client,
    url: &str,
    dir: &Path,
    database_url: &str,
    (email, password): &(String, String),
) {
    let invite = ["account", "invite", "--email", email, "--role", "coordinator"];
    let invitation = &printed_values(dir, database_url, &invite)[0];
    let body = json!({"invitation": invitation, "new_password": password});
    let answer = http.post(format!("{url}/v1/auth/password")).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
