//! Hostile input, computed from the document: every parameter and every field of every operation gets every value of
//! [`values`], and every operation with a body gets every body of [`bodies`]. The answer must be a documented 4xx
//! problem, or a success where the schema accepts the value ([`crate::support::schema`]). It is never a 5xx, and the service always
//! answers.

mod bodies;
mod coverage;
mod error_messages;
mod fields;
mod growth;
mod heads;
mod parameters;
mod queries;
mod values;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::support::{
    Server,
    callers::Caller,
    client::{Answer, Client},
    document::Operation,
    rows::Rows,
};

/// The attackers: the coordinator sends every value because it may do the most; every fourth value is also sent by
/// another caller, in turn.
struct Attackers {
    coordinator: Client,
    others: Vec<Client>,
    turn: usize,
}

impl Attackers {
    async fn of(server: &Server) -> (Self, Rows) {
        let rows = Rows::of(server, "049").await;
        let others = Caller::ALL.iter().filter(|caller| **caller != Caller::Coordinator);
        let others = others.map(|caller| match caller {
            Caller::Tutor => server.tutor("049", rows.of_collection("tutors").0),
            _ => caller.client(server),
        });
        let others = others.collect();
        (Self { coordinator: server.coordinator(), others, turn: 0 }, rows)
    }

    fn next(&mut self) -> Vec<Client> {
        self.turn += 1;
        let other = self.turn.is_multiple_of(4).then(|| self.others[self.turn / 4 % self.others.len()].clone());
        std::iter::once(self.coordinator.clone()).chain(other).collect()
    }
}

/// Returns the fault of an answer. A good answer is a documented problem or, unless the value had to be `refused`, a
/// success.
fn wrong(operation: &Operation, what: &str, refused: bool, answer: &Answer) -> Option<String> {
    let status = answer.status;
    let is_problem = answer.headers.get("content-type").is_some_and(|kind| kind == "application/problem+json")
        && answer.body["status"] == status
        && answer.body["code"].is_string();
    // RFC 6749, section 5.2.
    let is_refusal = is_problem || operation.id == "issue_token" && answer.body["error"].is_string();
    // Access tokens of the tests belong to accounts that are not stored.
    let documented = operation.statuses.contains(&status) || operation.id == "get_me" && status == 404;
    let right = if status < 400 { !refused } else { status < 500 && is_refusal };
    let (start, rule): (String, _) =
        (answer.text.chars().take(300).collect(), if refused { "had to be refused: " } else { "" });
    (!right || !documented).then(|| format!("{}: {what}: {rule}{status} {start}", operation.id))
}

fn percent_encoded(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned()
}

/// Sends these bytes and returns the status of the answer.
fn raw_status(server: &Server, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    // The service may answer and close the connection before it has read everything.
    let _ = stream.write_all(bytes);
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

/// Asserts that no answer was wrong and that the service is ready.
async fn assert_unharmed(server: &Server, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    server.anonymous().get("/readyz").await.expect(200);
}
