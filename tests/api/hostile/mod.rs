//! Hostile input, computed from the document: every parameter and every field of every operation gets every value
//! of [`values`], every operation with a body every body of [`bodies`]. The answer is a 4xx problem that the document
//! has, or a success where the value can be right ([`right`]); never a 5xx, never silence.

mod bodies;
mod coverage;
mod fields;
mod growth;
mod heads;
mod parameters;
mod queries;
mod right;
mod values;
mod wording;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::Operation,
    rows::Rows,
};

/// The scopes that a partner system can hold.
fn partner_scopes() -> String {
    use kuntatutorit::auth::{reach::Role, scopes};
    scopes::of_role(Role::Partner).collect::<Vec<_>>().join(" ")
}

/// Who attacks: the coordinator gets furthest, and now and then one of the others takes a turn beside it.
struct Attackers {
    coordinator: Client,
    others: Vec<Client>,
    turn: usize,
}

impl Attackers {
    async fn of(server: &Server) -> (Self, Rows) {
        let rows = Rows::of(server, "049").await;
        let tutor = server.given_tutor("049").await;
        let others = vec![
            server.anonymous(),
            server.municipality("049"),
            server.tutor("049", &tutor),
            server.partner("espoo-calendar", &partner_scopes(), Some("049")),
            server.partner("whole-region", &partner_scopes(), None),
        ];
        (Self { coordinator: server.coordinator(), others, turn: 0 }, rows)
    }

    fn next(&mut self) -> Vec<Client> {
        self.turn += 1;
        let other = self.turn.is_multiple_of(4).then(|| self.others[self.turn / 4 % self.others.len()].clone());
        std::iter::once(self.coordinator.clone()).chain(other).collect()
    }
}

/// What is wrong with an answer that is neither a problem that the document tells of nor, unless it had to be `refused`, a
/// success.
fn wrong(operation: &Operation, what: &str, refused: bool, answer: &Answer) -> Option<String> {
    let status = answer.status;
    let is_problem = answer.headers.get("content-type").is_some_and(|kind| kind == "application/problem+json")
        && answer.body["status"] == status
        && answer.body["code"].is_string();
    // RFC 6749, section 5.2.
    let is_refusal = is_problem || operation.id == "issue_token" && answer.body["error"].is_string();
    // The tokens of tests are of accounts that are not stored.
    let documented = operation.statuses.contains(&status) || operation.id == "get_me" && status == 404;
    let right = if status < 400 { !refused } else { status < 500 && is_refusal };
    let (start, had): (String, _) =
        (answer.text.chars().take(300).collect(), if refused { "had to be refused: " } else { "" });
    (!right || !documented).then(|| format!("{}: {what}: {had}{status} {start}", operation.id))
}

fn percent_encoded(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned()
}

/// The status of what answers to these bytes.
fn raw_status(server: &Server, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    // The answer may come, and the connection end, before all is sent.
    let _ = stream.write_all(bytes);
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

/// Nothing was wrong, and the service is well.
async fn unharmed(server: &Server, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    server.anonymous().get("/readyz").await.expect(200);
}
