//! Raw bytes that no HTTP client would send, and the answers to them.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Server, client::Answer};

/// Opens a connection to the server.
pub(crate) async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// Sends these bytes and returns the answer, which must arrive within 20 seconds.
pub(crate) async fn send(server: &Server, bytes: &[u8]) -> Answer {
    let mut stream = connect(server).await;
    // The service may answer and close the connection before it has read everything.
    let _ = stream.write_all(bytes).await;
    answer(&mut stream, Duration::from_secs(20)).await
}

/// Reads one complete answer from this connection within this time.
pub(crate) async fn answer(stream: &mut TcpStream, patience: Duration) -> Answer {
    let mut told = Vec::new();
    let read = async {
        while !is_whole(&told) {
            // A service that has not read the whole request resets the connection after its answer.
            match stream.read_buf(&mut told).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    };
    let in_time = tokio::time::timeout(patience, read).await.is_ok();
    assert!(in_time, "no complete answer within {patience:?}: {}", String::from_utf8_lossy(&told));
    parse(&String::from_utf8(told).unwrap())
}

/// Returns whether the body is as long as the head announces.
fn is_whole(told: &[u8]) -> bool {
    let Some((head, body)) = std::str::from_utf8(told).ok().and_then(|text| text.split_once("\r\n\r\n")) else {
        return false;
    };
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

fn parse(told: &str) -> Answer {
    let (head, text) = told.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not an HTTP answer: {told}"));
    let (status, lines) = head.split_once("\r\n").unwrap_or((head, ""));
    let named = lines.lines().filter_map(|line| line.split_once(": "));
    let headers: HeaderMap =
        named.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
    let status = status.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers, text: text.to_owned(), body: serde_json::from_str(text).unwrap_or(Value::Null) }
}
