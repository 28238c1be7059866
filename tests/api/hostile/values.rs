//! Values that no parameter and no field should be harmed by.

use reqwest::Method;
use serde_json::json;

use super::{Attackers, unharmed, wrong};
use crate::support::{
    Server,
    document::{Operation, Parameter, operations, placed, places},
};

/// Stands where the hostile value is to be.
const HERE: &str = "a value that stands nowhere else";

/// Texts that mean something somewhere.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "\u{feff}",
    "\u{feff}a",
    "\u{202e}a\u{2066}",
    "\u{200b}",
    "\u{1f9d1}\u{200d}\u{1f3eb}",
    "\u{10ffff}",
    "a\u{308}",
    "\u{7f}",
    "\t",
    "\r\nX-A: b",
    "'",
    "''; --",
    "%",
    "_",
    "\\",
    "\\x00",
    "${jndi:ldap://a}",
    "../../etc",
    "null",
    "true",
    "NaN",
    "infinity",
    "-infinity",
    "epoch",
    "now",
    "today",
    "[]",
    "{}",
    "*",
    "-",
    "+",
    "&",
    "a b & ! |",
    "(",
    "<->",
    ":*",
    "0",
    "-1",
    "00",
    "1e400",
    "5.0",
    "1e0",
    "0x10",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2020-06-30T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2020-02-30T00:00:00Z",
    "2020-01-01T00:00:00+23:59",
    "2199-12-31T23:59:59.999999999Z",
    "2020-01-01T00:00:00.0000000000000001Z",
    "0000-01-01",
    "9999-12-31",
    "2020-02-30",
    "00000000-0000-0000-0000-000000000000",
    "{019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e}",
    "urn:uuid:019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e",
    "W10",
    "WyIiLFtdXQ",
    "eyJhIjoxfQ",
    "Zm9v",
    "_w",
    "049",
    "fi",
    "http://",
    "http://\u{0}/",
    "https://[::1",
    "https://a b/",
    "javascript:alert(1)",
    "a@b",
    "\"@\"@a",
    "Europe/../Helsinki",
];

/// Text, as bytes: some are not UTF-8.
fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    texts.extend([
        vec![0xff],
        vec![b'a', 0xc0, 0x80],
        vec![0xed, 0xa0, 0x80],
        vec![0xf4, 0x90, 0x80, 0x80],
        vec![0xe2, 0x82],
    ]);
    texts.extend([b"a".repeat(201), b"7".repeat(20_000), "\u{1f600}".repeat(4001).into_bytes()]);
    texts
}

/// JSON, as it stands in a body; some is none.
fn json_values() -> Vec<Vec<u8>> {
    let literals = [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""a\ud800b""#,
        r#""\ud83d\ud83d""#,
        r#""\u0000""#,
        r#""\u0061\u0308""#,
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        r#"{"fi":1}"#,
        r#"{"":""}"#,
        r#"{"__proto__":{}}"#,
        r#"["a","a"]"#,
        "0",
        "-0",
        "-1",
        "1",
        "1.5",
        "5.0",
        "1e0",
        "1e400",
        "-1e400",
        "1e-400",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999999999",
        "NaN",
        "Infinity",
        "01",
        "+1",
        ".5",
        "0x1",
        "'a'",
    ];
    let mut values: Vec<_> = literals.iter().map(|literal| literal.as_bytes().to_vec()).collect();
    values.extend(texts().into_iter().map(|text| match String::from_utf8(text) {
        Ok(text) => json!(text).to_string().into_bytes(),
        Err(broken) => [b"\"", broken.as_bytes(), b"\""].concat(),
    }));
    values.push([&b"\""[..], &b"a".repeat(1 << 20), &b"\""[..]].concat());
    values.push([&b"["[..], &b"1,".repeat(2000), &b"1]"[..]].concat());
    values
}

fn percent_encoded(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned()
}

fn replaced(text: &str, with: &[u8]) -> Vec<u8> {
    let (before, after) = text.split_once(&format!("\"{HERE}\"")).unwrap();
    [before.as_bytes(), with, after.as_bytes()].concat()
}

#[tokio::test]
async fn no_parameter_is_harmed() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let mut found = Vec::new();
    for operation in operations() {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place != "header") {
            for text in texts() {
                let (path, value) = (rows.path(&operation.path), percent_encoded(&text));
                let path = match parameter.place.as_str() {
                    "query" => format!("{path}?{}={value}", parameter.name),
                    // An empty segment is another path.
                    _ if text.is_empty() => continue,
                    _ => with_segment(&operation, parameter, &value),
                };
                let body = operation.body.as_ref().map(|body| body.example.to_string());
                let content_type = operation.body.as_ref().map_or("application/json", |body| &body.media_type);
                for attacker in attackers.next() {
                    let attacker = attacker.if_match("\"1\"").with("content-type", content_type);
                    let answer = attacker.send(operation.method.clone(), &path, body.clone()).await;
                    found.extend(wrong(&operation, &format!("{}={}", parameter.name, shown(&text)), &answer));
                }
            }
        }
    }
    unharmed(&server, found).await;
}

/// The path with this in place of one parameter, and something in place of the others.
fn with_segment(operation: &Operation, parameter: &Parameter, value: &str) -> String {
    let path = operation.path.replace(&format!("{{{}}}", parameter.name), value);
    ["id", "secret_id"].iter().fold(path, |path, name| path.replace(&format!("{{{name}}}"), crate::support::rows::ID))
}

#[tokio::test]
async fn no_header_is_harmful() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let mut found = Vec::new();
    let long = ["\"a\"", &",\"a\"".repeat(4000)].concat();
    let values = [
        "",
        " ",
        "*",
        "**",
        "\"",
        "\"\"",
        "W/\"1\"",
        "\"1\", \"2\"",
        ",",
        "a",
        "ä",
        "\"ä\"",
        "\t",
        &"a".repeat(300),
        &long,
    ];
    for operation in operations() {
        let own = operation.parameters.iter().filter(|parameter| parameter.place == "header");
        let own = own.map(|parameter| parameter.name.as_str());
        let all = ["if-none-match", "accept", "accept-encoding", "range", "x-request-id", "accept-language"];
        for name in own.chain(all) {
            for value in values {
                // Whatever it matches would be deleted, and then it could not be attacked.
                if operation.method == Method::DELETE && value == "*" {
                    continue;
                }
                let body = operation.body.as_ref().map(|body| body.example.to_string());
                let content_type = operation.body.as_ref().map_or("application/json", |body| &body.media_type);
                for attacker in attackers.next() {
                    let attacker = attacker.with(name, value).with("content-type", content_type);
                    let answer =
                        attacker.send(operation.method.clone(), &rows.path(&operation.path), body.clone()).await;
                    let what = format!("{name}: {}", shown(value.as_bytes()));
                    found.extend(wrong(&operation, &what, &answer));
                }
            }
        }
    }
    unharmed(&server, found).await;
}

#[tokio::test]
async fn no_field_is_harmed() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let mut found = Vec::new();
    // All of them take minutes: each field gets a third, the next field the next.
    let every = if std::env::var_os("HOSTILE_ALL").is_some() { 1 } else { 3 };
    let (values, mut field) = (json_values(), 0);
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        for (pointer, _) in places(&body.schema) {
            let text = placed(&body.example, &pointer, &json!(HERE)).to_string();
            field += 1;
            for value in values.iter().skip(field % every).step_by(every) {
                for attacker in attackers.next() {
                    let attacker = attacker.if_match("*").with("content-type", &body.media_type);
                    let sent = Some(replaced(&text, value));
                    let answer = attacker.send_bytes(operation.method.clone(), &rows.path(&operation.path), sent).await;
                    found.extend(wrong(&operation, &format!("{pointer}: {}", shown(value)), &answer));
                }
            }
        }
    }
    unharmed(&server, found).await;
}
