//! The largest answers, requested by many callers at once, take bounded memory.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use super::{insert_events, insert_tutors, longest};
use crate::support::{
    Server,
    client::Client,
    process::{Service, program_on},
    soak,
};

/// The most memory that the service may use, in KiB.
const MOST_KIB: u64 = 150 * 1024;
/// The most bytes of answers that are being read.
const BUDGET: u64 = 32 << 20;
/// The paths of the largest answers.
const LARGEST: [&str; 7] = [
    "/v1/events?limit=100",
    "/v1/events.ics",
    "/v1/tutors?limit=100",
    "/v1/events?limit=100&include=tutors,host",
    "/v1/municipalities/049/events.ics?lang=sv",
    "/v1/municipalities?limit=100",
    "/v1/events?limit=100&status=published&sort=-starts_at",
];

/// Connects with a small buffer, and requests answers that nobody reads.
async fn request_without_reading(
    address: SocketAddr,
    path: &str,
    token: &str,
    encoding: &str,
    count: usize,
) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept-encoding: {encoding}\r\n\r\n"
    );
    stream.write_all(request.repeat(count).as_bytes()).await.unwrap();
    stream
}

/// Requests the largest answers and reads them. Returns how often each status came.
async fn request_largest(client: &Client, rounds: usize) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for n in 0..rounds {
        let answer = client.get(LARGEST[n % LARGEST.len()]).await;
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status != 200 {
            assert_eq!(answer.expect(503).header("retry-after"), "1");
        }
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_answers_at_once_take_bounded_memory() {
    let server = Server::start();
    insert_tutors(&server, 6).await;
    insert_events(&server, soak::times(10, 500)).await;
    server.execute(&format!("update municipalities set profile = {}", longest(10_000))).await;
    let mut serve = program_on(&server.database_url);
    serve.env("PUBLIC_URL", &server.url);
    let service = tokio::task::block_in_place(|| Service::start(serve));
    let before = service.peak_memory();
    let (callers, rounds) = (soak::times(4, 256), soak::times(1, 20));
    let tokens: Vec<_> = (0..callers).map(|_| server.municipality("091").token.unwrap()).collect();
    let address: SocketAddr = service.address().parse().unwrap();
    let silent = tokens.iter().enumerate().map(|(n, token)| {
        let encoding = ["identity", "gzip", "br"][n % 3];
        request_without_reading(address, LARGEST[n % LARGEST.len()], token, encoding, 2)
    });
    let silent = join_all(silent).await;
    let readers = tokens.iter().map(|token| service.token(token));
    let outcomes = join_all(readers.map(async |client| request_largest(&client, rounds).await)).await;
    let mut statuses = BTreeMap::new();
    for (status, count) in outcomes.into_iter().flatten() {
        *statuses.entry(status).or_insert(0) += count;
    }
    drop(silent);
    service.token(&tokens[0]).until_status(LARGEST[0], 200).await;
    let peak = service.peak_memory();
    soak::report(&format!(
        "{callers} callers that read and {callers} that do not: {statuses:?}; {before} KiB before, {peak} KiB at most"
    ));
    assert!(peak < MOST_KIB, "{before} KiB before, {peak} KiB at most, {statuses:?}");
}

/// Waits until the bytes of all long answers are as expected.
async fn until(server: &Server, is_right: impl Fn(u64) -> bool) {
    let began = Instant::now();
    loop {
        let bytes = metric(server, "kuntatutorit_response_bytes").await;
        if is_right(bytes) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{bytes} bytes");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn metric(server: &Server, name: &str) -> u64 {
    let url = format!("{}/metrics", server.metrics_url.as_ref().unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test]
async fn clients_that_do_not_read_make_room_for_others() {
    let server = Server::with(&[("METRICS_PORT", "0")]);
    insert_events(&server, 10).await;
    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    let path = "/v1/events?limit=100&source=longest";
    // The operating system takes the first of three answers. Each client keeps about 2 MiB in the service; together, they
    // take nearly all the memory that there is.
    let length = server.coordinator().get(path).await.expect(200).text.len() as u64;
    let mut silent = Vec::new();
    for n in 1..=BUDGET / length {
        let token = server.municipality("091").token.unwrap();
        silent.push(request_without_reading(address, path, &token, "identity", 3).await);
        until(&server, |bytes| bytes > (n - 1) * length).await;
    }
    // Short answers need no room, and long ones get it.
    server.municipality("092").get("/v1/municipalities/092").await.expect(200);
    for code in ["092", "186"] {
        server.municipality(code).until_status(path, 200).await;
    }
    assert!(metric(&server, "kuntatutorit_connections_cut_total").await > 0);
    drop(silent);
    // The memory comes back.
    until(&server, |bytes| bytes == 0).await;
}
