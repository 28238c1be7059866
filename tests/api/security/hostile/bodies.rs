//! Request bodies that every operation must refuse.

use serde_json::{Value, json};

use super::{Attackers, assert_unharmed, wrong};
use crate::support::{Server, document::operations, raw};

/// More bytes than the service accepts in a body.
const TOO_MUCH: usize = 300 * 1024;

/// JSON that is nested far too deeply but is within the size limit.
fn deep(example: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let array = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let object = [&b"{\"\":".repeat(40_000)[..], b"0", &b"}".repeat(40_000)].concat();
    let field = example.as_object().unwrap().keys().next().unwrap();
    let within = |value: &[u8]| [format!("{{\"{field}\":").as_bytes(), value, b"}"].concat();
    vec![
        ("a deep array in a field", within(&array)),
        ("a deep object in a field", within(&object)),
        ("a deep array", array),
        ("a deep object", object),
        ("a deep array without end", b"[".repeat(200_000)),
        ("a deep object without end", b"{\"\":".repeat(60_000)),
    ]
}

/// Bodies that no operation accepts, apart from the [`deep`] ones.
fn bodies(example: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let text = example.to_string();
    let fields = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let many: Vec<_> = (0..9000).map(|n| format!("\"{n}\":0")).collect();
    vec![
        ("nothing", Vec::new()),
        ("spaces", b"  \n".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"5".to_vec()),
        ("text", b"\"a\"".to_vec()),
        ("an empty array", b"[]".to_vec()),
        ("an array of it", json!([example]).to_string().into_bytes()),
        ("half of it", text.as_bytes()[..text.len() / 2].to_vec()),
        ("it twice", [text.as_bytes(), text.as_bytes()].concat()),
        ("its keys twice", format!("{{{fields},{fields}}}").into_bytes()),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec()),
        ("two byte order marks", [b"\xef\xbb\xbf\xef\xbb\xbf", text.as_bytes()].concat()),
        ("a byte order mark after it", [text.as_bytes(), b"\xef\xbb\xbf"].concat()),
        ("UTF-16", utf16),
        ("a NUL after it", [text.as_bytes(), b"\0"].concat()),
        ("an unknown field", format!("{{\"nonsense\":1,{fields}}}").into_bytes()),
        ("a key with a NUL", format!("{{\"\\u0000\":1,{fields}}}").into_bytes()),
        ("many fields", format!("{{{}}}", many.join(",")).into()),
    ]
}

/// A success would change data that no caller meant to change, so every operation must refuse every body.
#[tokio::test]
async fn every_operation_refuses_every_hostile_body() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let mut found = Vec::new();
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        let own = bodies(&body.example)
            .into_iter()
            .chain(deep(&body.example))
            .map(|(what, it)| (&*body.media_type, what, it));
        let others = ["text/plain", "application/json; charset=utf-16", "", "a/b/c"];
        let others = others
            .into_iter()
            .flat_map(|kind| bodies(&body.example).into_iter().map(move |(what, it)| (kind, what, it)));
        for (media_type, what, bytes) in own.chain(others) {
            for attacker in attackers.next() {
                let attacker = attacker.if_match("*").with("content-type", media_type);
                let path = rows.path(&operation.path);
                let answer = attacker.send_bytes(operation.method.clone(), &path, Some(bytes.clone())).await;
                found.extend(wrong(&operation, &format!("{what} as {media_type}"), true, &answer));
            }
        }
    }
    assert_unharmed(&server, found).await;
}

/// The answer must name the mistake.
#[tokio::test]
async fn duplicate_keys_and_deep_nesting_answer_malformed_json() {
    let server = Server::start();
    let (attackers, rows) = Attackers::of(&server).await;
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        let twice = bodies(&body.example).into_iter().filter(|(what, _)| *what == "its keys twice");
        for (what, bytes) in deep(&body.example).into_iter().chain(twice) {
            let client = attackers.coordinator.if_match("*").with("content-type", &body.media_type);
            let answer = client.send_bytes(operation.method.clone(), &rows.path(&operation.path), Some(bytes)).await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (400, &json!("malformed_json")),
                "{} {what}",
                operation.id
            );
            let told = answer.body["detail"].as_str().unwrap();
            let why = if what == "its keys twice" { "appears twice" } else { "recursion limit" };
            assert!(told.contains(why), "{} {what}: {told}", operation.id);
        }
    }
    assert_unharmed(&server, Vec::new()).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_answers_413_with_and_without_content_length() {
    let server = Server::start();
    let (attackers, rows) = Attackers::of(&server).await;
    let token = attackers.coordinator.token.unwrap();
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        let (method, path) = (&operation.method, rows.path(&operation.path));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nIf-Match: *\r\nContent-Type: {}\r\n",
            body.media_type
        );
        let head = if operation.id == "issue_token" { head.replace("Authorization", "X-Authorization") } else { head };
        let announced = format!("{head}Content-Length: {TOO_MUCH}\r\n\r\n");
        let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(TOO_MUCH / 0x1000));
        for bytes in [announced, chunked] {
            let answer = raw::send(&server, bytes.as_bytes()).await;
            answer.expect_problem(413, "payload_too_large");
        }
    }
}
