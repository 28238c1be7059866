//! Old and odd HTTP clients: old Java, HTTP/1.0, byte order marks, and a proxy that compresses.

use std::{process::Command, time::Duration};

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::negotiation::OLD_JAVA;
use crate::support::{Server, client::Answer, document::operations, nginx::Nginx, raw, rows::Rows, skipped::skipped};

#[tokio::test]
async fn old_java_reads_and_writes_with_its_default_accept() {
    let server = Server::start();
    let java = server.coordinator().with("accept", OLD_JAVA);
    java.get("/v1/events").await.expect(200);
    java.get("/v1/events.ics").await.expect(200);
    let theme = json!({"slug": "passwords", "kind": "theme", "name": {"en": "Passwords"}});
    let created = java.post("/v1/themes", &theme).await.expect(201);
    java.if_match(&created.etag())
        .patch("/v1/themes/passwords", &json!({"name": {"fi": "Salasanat"}}))
        .await
        .expect(200);
    java.if_match("*").delete("/v1/themes/passwords").await.expect(204);
}

/// Reads the list of themes with the HTTP client that Java has had since its first version.
const READER: &str = r#"
public class Reader {
    public static void main(String[] arguments) throws Exception {
        var connection = new java.net.URL(arguments[0]).openConnection();
        connection.setRequestProperty("Authorization", "Bearer " + arguments[1]);
        connection.setRequestProperty("Accept", arguments[2]);
        System.out.print(new String(connection.getInputStream().readAllBytes(), "UTF-8"));
    }
}
"#;

#[tokio::test]
async fn a_program_in_java_reads_a_list() {
    if Command::new("java").arg("-version").output().is_err() {
        return skipped("the test of a program in Java", "Java is not installed");
    }
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("Reader.java");
    std::fs::write(&file, READER).unwrap();
    let server = Server::start();
    let (url, token) = (format!("{}/v1/themes", server.url), server.coordinator().token.unwrap());
    let mut java = Command::new("java");
    java.arg(&file).args([&url, &token, OLD_JAVA]);
    let output = tokio::task::spawn_blocking(move || java.output().unwrap()).await.unwrap();
    let (printed, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() && complaint.contains("jdk.compiler") {
        return skipped("the test of a program in Java", "Java has no compiler");
    }
    assert!(output.status.success() && printed.contains("\"items\""), "{printed}{complaint}");
}

/// Sends a request of HTTP/1.0 that accepts compressed answers.
async fn send_http_1_0(server: &Server, method: &Method, path: &str, token: &str, more: &str) -> (Answer, bool) {
    let request =
        format!("{method} {path} HTTP/1.0\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: gzip, br\r\n{more}\r\n");
    let mut stream = raw::connect(server).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = raw::answer(&mut stream, Duration::from_secs(20)).await;
    let is_kept = answer.headers.get("connection").is_some_and(|value| value == "keep-alive");
    (answer, is_kept)
}

#[tokio::test]
async fn http_1_0_gets_a_length_and_no_chunks() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let token = server.coordinator().token.unwrap();
    let reads = operations().into_iter().filter(|operation| operation.method == Method::GET);
    let paths: Vec<_> = reads.map(|operation| rows.path(&operation.path)).collect();
    for path in paths.iter().map(String::as_str).chain(["/docs/", "/docs/swagger-ui.css", "/nowhere"]) {
        let (whole, _) = send_http_1_0(&server, &Method::GET, path, &token, "").await;
        let (head, _) = send_http_1_0(&server, &Method::HEAD, path, &token, "").await;
        for answer in [&whole, &head] {
            assert!(answer.headers.get("transfer-encoding").is_none(), "{path}: {:?}", answer.headers);
        }
        assert_eq!(whole.header("content-length"), whole.text.len().to_string(), "{path}");
        assert_eq!(head.text, "", "{path}");
    }
    let (kept, is_kept) =
        send_http_1_0(&server, &Method::GET, "/v1/municipalities", &token, "Connection: keep-alive\r\n").await;
    assert!(is_kept, "{:?}", kept.headers);
    assert_eq!(kept.header("content-length"), kept.text.len().to_string());
}

/// nginx makes the entity tags of what it compresses weak.
const GZIP: &str = "gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;";

#[tokio::test]
async fn a_weak_tag_of_a_proxy_that_compresses_is_told_as_such() {
    let server = Server::start();
    let Some(nginx) = Nginx::start("the test of a proxy that compresses", &server, GZIP) else { return };
    let espoo = nginx.client(&server.municipality("049"));
    let path = "/v1/municipalities/049";
    let compressed = espoo.with("accept-encoding", "gzip").get(path).await;
    assert_eq!((compressed.status, compressed.header("content-encoding")), (200, "gzip"));
    let weak = compressed.etag();
    assert!(weak.starts_with("W/\""), "{weak}");
    espoo.with("if-none-match", &weak).get(path).await.expect(304);
    let strong = server.municipality("049").get(path).await.expect(200);
    let change = json!({"website": "https://espoo.example"});
    for (method, body) in [(Method::PATCH, &change), (Method::PUT, &strong.body)] {
        let refused = espoo.if_match(&weak).send(method, path, Some(body.to_string())).await;
        let refused = refused.expect_problem(412, "precondition_failed");
        assert!(refused.body["detail"].as_str().unwrap().contains("a proxy has changed it"), "{}", refused.text);
    }
    let bare = format!("\"{}\"", strong.body["version"]);
    espoo.if_match(&bare).patch(path, &change).await.expect(200);
}

#[tokio::test]
async fn a_proxy_with_the_defaults_of_nginx_passes_lists_on() {
    let server = Server::start();
    // It speaks HTTP/1.0 to the service.
    let Some(nginx) = Nginx::start("the test of a proxy with HTTP/1.0", &server, "") else { return };
    let espoo = nginx.client(&server.municipality("049")).with("accept-encoding", "gzip");
    let list = espoo.get("/v1/municipalities").await.expect(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 20);
}
