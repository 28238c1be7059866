//! Bodies that no operation should be harmed by.

use serde_json::{Value, json};

use super::{Attackers, unharmed, wrong};
use crate::support::{Server, document::operations, raw};

/// More than any body may have.
const TOO_MUCH: usize = 300 * 1024;

fn bodies(example: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let text = example.to_string();
    let twice = text.trim_start_matches('{').trim_end_matches('}');
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat().into_bytes();
    vec![
        ("nothing", Vec::new()),
        ("spaces", b"  \n".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"5".to_vec()),
        ("text", b"\"a\"".to_vec()),
        ("an empty array", b"[]".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("an array of it", json!([example]).to_string().into_bytes()),
        ("half of it", text.as_bytes()[..text.len() / 2].to_vec()),
        ("it twice", [text.as_bytes(), text.as_bytes()].concat()),
        ("its keys twice", format!("{{{twice},{twice}}}").into_bytes()),
        ("a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16", utf16),
        ("a NUL after it", [text.as_bytes(), b"\0"].concat()),
        ("an unknown field", format!("{{\"\\u0000\":1,{twice}}}").into_bytes()),
        ("a deep array", deep("[", "]")),
        ("a deep array without end", b"[".repeat(100_000)),
        ("a deep object", deep("{\"a\":", "}")),
        (
            "many fields",
            format!("{{{}}}", (0..9000).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",")).into(),
        ),
    ]
}

#[tokio::test]
async fn no_body_is_harmful() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let mut found = Vec::new();
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        for (what, bytes) in bodies(&body.example) {
            for media_type in [&body.media_type, "text/plain", "application/json; charset=utf-16", "", "a/b/c"] {
                for attacker in attackers.next() {
                    let attacker = attacker.if_match("*").with("content-type", media_type);
                    let path = rows.path(&operation.path);
                    let answer = attacker.send_bytes(operation.method.clone(), &path, Some(bytes.clone())).await;
                    found.extend(wrong(&operation, &format!("{what} as {media_type}"), &answer));
                }
            }
        }
    }
    unharmed(&server, found).await;
}

#[tokio::test]
async fn too_much_is_413_whether_announced_or_not() {
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
