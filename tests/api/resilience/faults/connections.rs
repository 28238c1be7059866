//! Connections that make no progress are cut, others are kept, and nobody else notices.

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use kuntatutorit::connections::ConnectionLimits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::support::{
    Server,
    raw::{self, connect},
    soak,
};

/// The longest answer without a token.
const LONG: &str = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
const SHORT: &str = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
/// How many long answers a client requests at once: more bytes than the buffers of the operating system hold.
const PIPELINED: usize = 16;

/// Connects with a small buffer, and requests more than fits into all buffers.
async fn request_much(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(LONG.repeat(PIPELINED).as_bytes()).await.unwrap();
    stream
}

/// Reads until the connection ends. Returns the number of bytes.
async fn read_to_the_end(stream: &mut TcpStream) -> usize {
    let (mut read, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match timeout(Duration::from_mins(1), stream.read(&mut buffer)).await.expect("the connection is still open") {
            Ok(0) | Err(_) => return read,
            Ok(count) => read += count,
        }
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_while_others_are_served() {
    let unread = soak::within(Duration::from_secs(1), ConnectionLimits::default().unread);
    let server = Server::with_limits(ConnectionLimits { unread, ..ConnectionLimits::default() });
    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    let length = server.anonymous().get("/openapi.json").await.expect(200).text.len();
    let mut silent = join_all((0..soak::times(3, 40)).map(|_| request_much(address))).await;
    // A client that reads slowly but steadily gets everything.
    let mut slow = request_much(address).await;
    let reader = async {
        let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
        while read < length * PIPELINED {
            let chunk = timeout(Duration::from_mins(1), slow.read(&mut buffer)).await;
            read += chunk.expect("no more bytes came").expect("the slow reader was cut");
            sleep(unread / 50).await;
        }
        read
    };
    let mut served = 0;
    let others = async {
        for _ in 0..20 {
            server.municipality("049").get("/v1/municipalities/049").await.expect(200);
            served += 1;
            sleep((unread + Duration::from_secs(4)) / 20).await;
        }
    };
    let (read, ()) = tokio::join!(reader, others);
    assert!(read >= length * PIPELINED);
    for stream in &mut silent {
        let read = read_to_the_end(stream).await;
        assert!(read < length * PIPELINED, "the client got everything that it had requested");
    }
    soak::report(&format!("{} clients never read and were cut; {served} requests were served meanwhile", silent.len()));
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_longer_than_proxies_keep_theirs() {
    let server = Server::start();
    let mut stream = connect(&server).await;
    for wait in [soak::within(Duration::from_secs(7), Duration::from_secs(70)), Duration::ZERO] {
        stream.write_all(SHORT.as_bytes()).await.unwrap();
        raw::answer(&mut stream, Duration::from_secs(20)).await.expect(200);
        sleep(wait).await;
    }
}

/// Sends a request that is answered, and then a byte from time to time. The service must end the connection.
async fn dribble(server: &Server, first: &str, then: &str) {
    let mut stream = connect(server).await;
    stream.write_all(first.as_bytes()).await.unwrap();
    raw::answer(&mut stream, Duration::from_secs(20)).await;
    let mut sent = 0;
    while stream.write_all(then.as_bytes()).await.is_ok() {
        let ended = timeout(Duration::from_millis(200), stream.read_u8()).await;
        if ended.is_ok_and(|read| read.is_err()) {
            break;
        }
        sent += 1;
        assert!(sent < 300, "the connection is still open after a minute");
    }
}

#[tokio::test]
async fn idle_connections_are_cut_early_while_very_many_are_open() {
    let limits = ConnectionLimits { head: Duration::from_secs(1), crowded: 0, ..ConnectionLimits::default() };
    let server = Server::with_limits(limits);
    let mut idle = connect(&server).await;
    idle.write_all(SHORT.as_bytes()).await.unwrap();
    assert!(read_to_the_end(&mut idle).await > 0);
}

#[tokio::test]
async fn a_connection_that_dribbles_after_its_first_request_is_cut() {
    let limits = ConnectionLimits { keep_alive: Duration::from_secs(1), ..ConnectionLimits::default() };
    let server = Server::with_limits(limits);
    let pipelined = format!("{SHORT}GET /livez HTTP/1.1\r\nx-slow: ");
    let chunked = "POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    tokio::join!(
        // The head of a second request that never ends.
        dribble(&server, &pipelined, "x"),
        // The rest of a body that nobody reads, because the request has no token.
        dribble(&server, chunked, "1\r\nx\r\n"),
    );
    // A request that takes longer than a connection may be idle is not cut.
    let wait = "/v1/changes?from=now&wait=8";
    server.municipality("049").get(wait).await.expect(200);
}
