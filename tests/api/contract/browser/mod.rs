//! Tests that need a real browser: the interactive documentation page, and CORS.

mod driver;

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use serde_json::{Value, json};

use self::driver::Browser;
use crate::support::Server;

#[tokio::test]
async fn the_documentation_page_works_and_requests_nothing_from_elsewhere() {
    let Some(browser) = Browser::open().await else { return };
    let server = Server::start();
    let token = server.coordinator().token.unwrap();
    browser.go(&format!("{}/docs/", server.url)).await;

    browser.click("button.authorize").await;
    browser.write("#auth-bearer-value", &token).await;
    browser.click(".modal-ux .auth-container:first-child button.authorize").await;
    browser.click(".modal-ux button.btn-done").await;

    let operation = "#operations-municipalities-list_municipalities";
    browser.click(&format!("{operation} .opblock-summary-control")).await;
    browser.write(&format!("{operation} tr[data-param-name=limit] input"), "100").await;
    browser.click(&format!("{operation} .execute")).await;
    let answer = format!("{operation} .live-responses-table");
    let status = browser.text(&format!("{answer} tbody .response-col_status")).await;
    assert!(status.starts_with("200"), "{status}");
    let body = browser.text(&format!("{answer} tbody .highlight-code pre")).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let requests = browser.requests().await;
    assert_eq!(body["items"].as_array().unwrap().len(), 26, "{requests:?}");

    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    assert!(requests.iter().any(|url| url.contains("/v1/municipalities?limit=100")), "{requests:?}");
    let foreign: Vec<_> = requests.iter().filter(|url| !url.starts_with(&server.url)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// Serves an empty page at an origin of its own.
fn elsewhere() -> String {
    const PAGE: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!doctype html>";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The browser may drop a connection that it has opened.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(PAGE.as_bytes());
        }
    });
    origin
}

/// Creates a tutor, reads it, and returns what the page could see of the responses, or the error.
const MAKE_A_TUTOR: &str = r"
    const [api, token] = arguments;
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': 'page' };
    const tutor = JSON.stringify({ name: 'Kuntatutor, Tapiola', municipality_code: '049' });
    return fetch(`${api}/v1/tutors`, { method: 'POST', headers, body: tutor })
        .then(async (made) => {
            const read = await fetch(made.headers.get('Location'), { headers });
            return { status: made.status, etag: read.headers.get('ETag'), name: (await read.json()).name };
        })
        .catch((error) => ({ failed: error.name }));
";

#[tokio::test]
async fn a_page_of_an_allowed_origin_can_write_and_a_foreign_page_cannot() {
    let Some(browser) = Browser::open().await else { return };
    let (allowed, foreign) = (elsewhere(), elsewhere());
    let server = Server::with(&[("CORS_ORIGINS", &allowed)]);
    let espoo = server.municipality("049");
    let arguments = json!([server.url, espoo.token]);

    browser.go(&foreign).await;
    assert_eq!(browser.run(MAKE_A_TUTOR, arguments.clone()).await, json!({ "failed": "TypeError" }));
    assert_eq!(espoo.all("/v1/tutors?municipality=049").await.len(), 1);

    browser.go(&allowed).await;
    let seen = browser.run(MAKE_A_TUTOR, arguments).await;
    let tutor = &espoo.all("/v1/tutors?municipality=049&sort=-id").await[0];
    let etag = format!("\"{}-full\"", tutor["version"]);
    assert_eq!(seen, json!({ "status": 201, "etag": etag, "name": "Kuntatutor, Tapiola" }));
}
