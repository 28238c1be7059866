//! Hostile request heads and body framing. Requests that reach the application get a problem; the HTTP library refuses
//! the others with a status alone.

use super::assert_unharmed;
use crate::support::{Server, raw};

/// Returns the head of a GET request for this target, with these additional lines.
fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\n{lines}\r\n")
}

/// Returns a request that creates a theme, with this rest of the head and this body.
fn post(rest: &str) -> String {
    format!(
        "POST /v1/themes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n{rest}"
    )
}

fn long(start: &str, length: usize) -> String {
    format!("{start}{}", "x".repeat(length))
}

#[tokio::test]
async fn requests_that_reach_the_application_get_a_problem() {
    let server = Server::start();
    let token = server.coordinator().token.unwrap();
    let chunked = |body: &str| post(&format!("Transfer-Encoding: chunked\r\n\r\n{body}\r\n0\r\n\r\n"));
    let mut wrong = Vec::new();
    for (what, request, status, code) in [
        ("a long path", get(&long("/v1/themes/", 60_000), ""), 404, "not_found"),
        ("a long query", get(&long("/v1/themes?x=", 60_000), ""), 414, "uri_too_long"),
        ("a long token", get("/v1/themes", "").replace("TOKEN", &long("", 60_000)), 401, "unauthenticated"),
        ("no slash", get("themes", ""), 404, "not_found"),
        ("no hexadecimal digits", get("/v1/themes/%zz", ""), 404, "not_found"),
        ("an asterisk", get("*", "").replace("GET", "OPTIONS"), 404, "not_found"),
        ("a tunnel", get("a:80", "").replace("GET", "CONNECT"), 404, "not_found"),
        ("a chunk of no length", chunked("zz\r\n{}"), 400, "unreadable_body"),
        ("a chunk of more than there is", chunked("ffffffffffffffffff\r\n{}"), 400, "unreadable_body"),
        ("a chunk that is longer than it says", chunked("1\r\n{}"), 400, "unreadable_body"),
    ] {
        let answer = raw::send(&server, request.replace("TOKEN", &token).as_bytes()).await;
        if answer.body["code"] == code {
            answer.expect_problem(status, code);
        } else {
            wrong.push(format!("{what}: {} {}", answer.status, answer.text));
        }
    }
    assert_unharmed(&server, wrong).await;
}

#[tokio::test]
async fn requests_that_the_http_library_refuses_get_a_status_alone() {
    let server = Server::start();
    let token = server.coordinator().token.unwrap();
    let mut wrong = Vec::new();
    for (what, request, status) in [
        ("a long header", get("/v1/themes", &long("X: ", 200_000)), 431),
        ("a header without end", get("/v1/themes", &long("X: ", 2_000_000)), 431),
        ("many headers", get("/v1/themes", &"X: 1\r\n".repeat(200)), 431),
        ("a path that is too long", get(&long("/v1/themes/", 200_000), ""), 431),
        ("a space in the path", get("/v1/a b", ""), 400),
        ("another version", get("/v1/themes", "").replace("HTTP/1.1", "HTTP/3.7"), 400),
        ("another protocol", "\x16\x03\x01 hello\r\n\r\n".to_owned(), 400),
        ("a NUL in a header", get("/v1/themes", "X: a\0b\r\n"), 400),
        ("a folded header", get("/v1/themes", "X: a\r\n b\r\n"), 400),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 400),
        (
            "both a length and chunks",
            post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        ("a length below nothing", post("Content-Length: -2\r\n\r\n{}"), 400),
        ("an unknown frame", post("Transfer-Encoding: magic\r\n\r\n{}"), 400),
    ] {
        let answer = raw::send(&server, request.replace("TOKEN", &token).as_bytes()).await;
        if (answer.status, answer.text.as_str()) != (status, "") {
            wrong.push(format!("{what}: {} {}", answer.status, answer.text));
        }
    }
    assert_unharmed(&server, wrong).await;
}
