//! Every parameter and header gets every hostile value.

use reqwest::Method;

use super::{
    Attackers, assert_unharmed, percent_encoded, raw_status, shown,
    values::{MEGABYTE, chosen, parameters},
    wrong,
};
use crate::support::{
    Server,
    document::{Operation, Parameter, has_type, operations},
    rows::{Rows, missing_path},
    schema::text_fits,
};

/// Returns the path of an operation with this value in one path parameter.
fn path_with(operation: &Operation, rows: &Rows, parameter: &Parameter, value: &str) -> String {
    if parameter.place == "query" {
        return format!("{}?{}={value}", rows.path(&operation.path), parameter.name);
    }
    let path = operation.path.replace(&format!("{{{}}}", parameter.name), value);
    missing_path(&path)
}

#[tokio::test]
async fn every_parameter_survives_every_hostile_value() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let (values, mut found, mut turn) = (parameters(), Vec::new(), 0);
    for operation in operations() {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place != "header") {
            turn += 1;
            let of = if has_type(&parameter.schema, "array") { &parameter.schema["items"] } else { &parameter.schema };
            for value in chosen(&values, of, turn) {
                // An empty path segment makes another path.
                if parameter.place == "path" && value.bytes.is_empty() {
                    continue;
                }
                let path = path_with(&operation, &rows, parameter, &percent_encoded(&value.bytes));
                let refused = value.never || !text_fits(&parameter.schema, &value.bytes);
                let body = operation.body.as_ref().map(|body| body.example.to_string());
                let content_type = operation.body.as_ref().map_or("application/json", |body| &body.media_type);
                for attacker in attackers.next() {
                    let attacker = attacker.if_match("\"1\"").with("content-type", content_type);
                    let answer = attacker.send(operation.method.clone(), &path, body.clone()).await;
                    let what = format!("{}={}", parameter.name, shown(&value.bytes));
                    found.extend(wrong(&operation, &what, refused, &answer));
                }
            }
        }
    }
    assert_unharmed(&server, found).await;
}

/// No HTTP client library sends a request line this long.
#[tokio::test]
async fn a_parameter_of_a_megabyte_is_refused() {
    let server = Server::start();
    let (attackers, rows) = Attackers::of(&server).await;
    let (token, long) = (attackers.coordinator.token.unwrap(), "a".repeat(MEGABYTE));
    for operation in operations() {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place != "header") {
            let path = path_with(&operation, &rows, parameter, &long);
            let head =
                format!("{} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n", operation.method);
            let status = raw_status(&server, head.as_bytes());
            assert!([400, 414, 431].contains(&status), "{} {}: {status}", operation.id, parameter.name);
        }
    }
    assert_unharmed(&server, Vec::new()).await;
}

/// Hostile header values.
fn headers() -> Vec<String> {
    let short = ["", " ", "*", "**", "\"", "\"\"", "W/\"1\"", "\"1\", \"2\"", ",", "a", "ä", "\"ä\"", "\t"];
    let long = [["\"a\"", &",\"a\"".repeat(4000)].concat(), "a".repeat(300)];
    short.map(str::to_owned).into_iter().chain(long).collect()
}

/// Sends each operation's own headers with every value, and the headers that every operation has with a third of the
/// values, a different third for each operation.
#[tokio::test]
async fn every_header_survives_every_hostile_value() {
    let server = Server::start();
    let (mut attackers, rows) = Attackers::of(&server).await;
    let (mut found, values) = (Vec::new(), headers());
    for (turn, operation) in operations().into_iter().enumerate() {
        let own = operation.parameters.iter().filter(|parameter| parameter.place == "header");
        let own = own.flat_map(|parameter| values.iter().map(|value| (parameter.name.as_str(), value)));
        let common = ["if-none-match", "accept", "accept-encoding", "range", "x-request-id", "accept-language"];
        let common =
            common.into_iter().flat_map(|name| values.iter().skip(turn % 3).step_by(3).map(move |v| (name, v)));
        for (name, value) in own.chain(common) {
            // An `If-Match` that matches would delete the row, and later requests could not attack it.
            if operation.method == Method::DELETE && value == "*" {
                continue;
            }
            let body = operation.body.as_ref().map(|body| body.example.to_string());
            let content_type = operation.body.as_ref().map_or("application/json", |body| &body.media_type);
            let known = operation.parameters.iter().find(|parameter| parameter.name == name);
            let bounds = known.map(|known| &known.schema).filter(|schema| schema["pattern"].is_string());
            let refused = bounds.is_some_and(|schema| !text_fits(schema, value.as_bytes()));
            for attacker in attackers.next() {
                let attacker = attacker.with(name, value).with("content-type", content_type);
                let answer = attacker.send(operation.method.clone(), &rows.path(&operation.path), body.clone()).await;
                found.extend(wrong(&operation, &format!("{name}: {}", shown(value.as_bytes())), refused, &answer));
            }
        }
    }
    assert_unharmed(&server, found).await;
}
