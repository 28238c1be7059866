//! Secrets and personal data: the tests put a canary word into every such field and then search the whole log and the
//! whole database.

mod dump;
mod erasure;
mod log;

use base64::{Engine as _, prelude::*};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};

/// Returns the text at this JSON pointer.
#[track_caller]
fn text(answer: &Answer, pointer: &str) -> String {
    let found = answer.body.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer}: {}", answer.text)).to_owned()
}

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// Requests a token for a partner system with this form.
async fn form(client: &Client, form: &str) -> Answer {
    let client = client.with("content-type", "application/x-www-form-urlencoded");
    client.send(Method::POST, "/v1/auth/token", Some(format!("grant_type=client_credentials{form}"))).await
}

/// Returns the HTTP Basic credentials of a client.
fn basic(id: &str, secret: &str) -> String {
    BASE64_STANDARD.encode(format!("{id}:{secret}"))
}

/// Returns the secret in the address of a calendar.
fn secret_of(link: &Answer) -> String {
    text(link, "/url").rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned()
}

/// Returns the ways in which a secret could be written.
fn spellings(secret: &str) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let numbers = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let (bytes, decoded) = (secret.as_bytes(), BASE64_URL_SAFE_NO_PAD.decode(secret).unwrap_or_default());
    let mut all = vec![secret.to_owned(), hex(bytes), numbers(bytes)];
    // Shorter byte strings appear by chance.
    if decoded.len() >= 16 {
        all.extend([hex(&decoded), numbers(&decoded), BASE64_STANDARD.encode(&decoded)]);
    }
    all
}
