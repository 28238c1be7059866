//! Every field of every body, JSON or form, gets every hostile value.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Attackers, assert_unharmed, percent_encoded, shown,
    values::{Hostile, MEGABYTE, chosen, json_values, texts},
    wrong,
};
use crate::support::{
    Server,
    client::Answer,
    document::{has_type, operations, placed, places},
    schema::{json_fits, text_fits},
};

/// The placeholder for the hostile value.
const HERE: &str = "a value that stands nowhere else";

fn replaced(text: &str, with: &[u8]) -> Vec<u8> {
    let (before, after) = text.split_once(&format!("\"{HERE}\"")).unwrap();
    [before.as_bytes(), with, after.as_bytes()].concat()
}

/// Reports a text that the service accepted but altered. (The service stores e-mail addresses in lower case.)
fn altered(pointer: &str, schema: &Value, value: &Hostile, answer: &Answer) -> Option<String> {
    let sent = serde_json::from_slice::<Value>(&value.bytes).ok()?;
    let there = answer.body.pointer(pointer).filter(|there| there.is_string())?;
    let plain = has_type(schema, "string") && schema["format"].is_null() && schema["enum"].is_null();
    let other = answer.status < 300 && plain && sent.is_string() && *there != sent;
    other.then(|| format!("{pointer}: {sent} came back as {there}"))
}

#[tokio::test]
async fn every_field_survives_every_hostile_value() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let (values, mut found, mut turn) = (json_values(), Vec::new(), 0);
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        let path = rows.path(&operation.path);
        for (pointer, schema) in places(&body.schema) {
            // An otherwise empty patch breaks no other rule.
            let example = if operation.method == Method::PATCH { json!({}) } else { rows.example(&operation) };
            let text = placed(&example, &pointer, &json!(HERE)).to_string();
            turn += 1;
            for value in chosen(&values, &schema, turn) {
                let refused = value.never || !json_fits(&schema, &value.bytes);
                for attacker in attackers.next() {
                    let attacker = attacker.if_match("*").with("content-type", &body.media_type);
                    let sent = Some(replaced(&text, &value.bytes));
                    let answer = attacker.send_bytes(operation.method.clone(), &path, sent).await;
                    found.extend(wrong(&operation, &format!("{pointer}: {}", shown(&value.bytes)), refused, &answer));
                    found.extend(altered(&pointer, &schema, value, &answer));
                }
            }
        }
    }
    assert_unharmed(&server, found).await;
}

/// Returns the form with which this client signs in, with `value` in one field.
fn form_with(client: &Value, name: &str, value: &[u8]) -> String {
    // A failed guess makes that client wait, so the next request uses another client.
    let id = if name == "client_secret" { json!(Uuid::now_v7()) } else { client["id"].clone() };
    let right = [
        ("grant_type", "client_credentials"),
        ("scope", "events:read"),
        ("client_id", id.as_str().unwrap()),
        ("client_secret", client["client_secret"].as_str().unwrap()),
    ];
    let right = right.iter().filter(|(field, _)| *field != name).map(|(field, value)| format!("{field}={value}"));
    right.chain([format!("{name}={}", percent_encoded(value))]).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn every_form_field_survives_every_hostile_value() {
    let server = Server::start();
    let client = json!({"name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read"]});
    let client = server.coordinator().post("/v1/clients", &client).await.expect(201).body;
    let attacker = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    let long = [60_000, MEGABYTE].map(|length| b"a".repeat(length));
    let values: Vec<_> = texts().into_iter().map(|text| text.bytes).chain(long).collect();
    let mut found = Vec::new();
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| !body.media_type.ends_with("json")) else { continue };
        for (pointer, schema) in places(&body.schema) {
            let name = &pointer[1..];
            for value in &values {
                let refused = !text_fits(&schema, value);
                let form = Some(form_with(&client, name, value));
                let answer = attacker.send(operation.method.clone(), &operation.path, form).await;
                found.extend(wrong(&operation, &format!("{name}={}", shown(value)), refused, &answer));
            }
        }
    }
    assert_unharmed(&server, found).await;
}
