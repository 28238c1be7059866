//! Hostile input, computed from the document: every parameter and every field of every operation gets every value
//! of [`values`], every operation with a body every body of [`bodies`]. The answer is a success or a 4xx problem that
//! the document has, never a 5xx, never silence.

mod bodies;
mod heads;
mod values;
mod wording;

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

/// What is wrong with an answer that is neither a success nor a problem that the document tells of.
fn wrong(operation: &Operation, what: &str, answer: &Answer) -> Option<String> {
    let status = answer.status;
    let is_problem = answer.headers.get("content-type").is_some_and(|kind| kind == "application/problem+json")
        && answer.body["status"] == status
        && answer.body["code"].is_string();
    // The tokens of tests are of accounts that are not stored.
    let documented = operation.statuses.contains(&status) || operation.id == "get_me" && status == 404;
    let right = documented && (status < 400 || status < 500 && (is_problem || operation.id == "issue_token"));
    let start: String = answer.text.chars().take(300).collect();
    (!right).then(|| format!("{}: {what}: {status} {start}", operation.id))
}

/// Nothing was wrong, and the service is well.
async fn unharmed(server: &Server, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    server.anonymous().get("/readyz").await.expect(200);
}
