//! Every operation, as each kind of caller, on a row of the caller's municipality, of another one, and on a missing
//! row. The expected status follows from the document's scopes, the table of scopes and the rules below.
//!
//! A write carries a stale `If-Match`: a caller who may write gets 412, and no row changes.

use kuntatutorit::auth::{reach::Role, scopes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::Client,
    document::{Operation, operations},
    rows::{ID, Rows},
};

/// The kinds of callers. Those that act for a municipality act for Espoo.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Anonymous,
    Tutor,
    Municipality,
    BoundPartner,
    RegionalPartner,
    Coordinator,
}

const EVERYBODY: [Who; 6] =
    [Who::Anonymous, Who::Tutor, Who::Municipality, Who::BoundPartner, Who::RegionalPartner, Who::Coordinator];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Row {
    Own,
    Anothers,
    Missing,
}

/// What belongs to municipalities. Themes are the coordinator's by their scope; feedback is its giver's and a link its
/// owner's, and these rows are somebody else's.
const OF_MUNICIPALITIES: [&str; 3] = ["/v1/municipalities", "/v1/tutors", "/v1/events"];
/// A municipality writes its own fields; it is made and deleted by the coordinator only.
const COORDINATORS_OWN: &str = "delete_municipality";

impl Who {
    fn role(self) -> Role {
        match self {
            Self::Anonymous => Role::Anonymous,
            Self::Tutor => Role::Tutor,
            Self::Municipality => Role::Municipality,
            Self::BoundPartner | Self::RegionalPartner => Role::Partner,
            Self::Coordinator => Role::Coordinator,
        }
    }

    fn client(self, server: &Server) -> Client {
        let all = scopes::of_role(Role::Partner).collect::<Vec<_>>().join(" ");
        match self {
            Self::Anonymous => server.anonymous(),
            Self::Tutor => server.tutor("049", ID),
            Self::Municipality => server.municipality("049"),
            Self::BoundPartner => server.partner("espoo-calendar", &all, Some("049")),
            Self::RegionalPartner => server.partner("region", &all, None),
            Self::Coordinator => server.coordinator(),
        }
    }

    fn writes(self, collection: &str, row: Row) -> bool {
        let own = row == Row::Own;
        match self {
            Self::Coordinator => true,
            Self::Anonymous => false,
            // Its own profile, which this row is not, and its municipality's events.
            Self::Tutor => own && collection == "/v1/events",
            Self::Municipality | Self::BoundPartner => own && OF_MUNICIPALITIES.contains(&collection),
            Self::RegionalPartner => OF_MUNICIPALITIES.contains(&collection),
        }
    }
}

/// The one status that this caller is to get.
fn outcome(who: Who, operation: &Operation, public_read: bool, row: Row) -> u16 {
    let public = operation.scopes.iter().all(|scope| scopes::can_hold(Role::Anonymous, scope));
    if who == Who::Anonymous && !(public_read && public) {
        return 401;
    }
    if !operation.scopes.iter().all(|scope| scopes::can_hold(who.role(), scope)) {
        return 403;
    }
    if !operation.path.contains('{') {
        return if operation.method == Method::GET { 200 } else { 422 };
    }
    let collection = operation.path.split("/{").next().unwrap();
    // What may be public is seen by all whose scope it is; the rest by whose it is, and by the coordinator.
    let reading = format!("{}:read", collection.trim_start_matches("/v1/"));
    let seen = who == Who::Coordinator || scopes::can_hold(Role::Anonymous, &reading);
    match (row, &operation.method) {
        (Row::Missing, _) => 404,
        _ if !seen => 404,
        (_, &Method::GET) => 200,
        _ if operation.id == COORDINATORS_OWN && who != Who::Coordinator => 403,
        _ if !who.writes(collection, row) => 403,
        // A secret or an invitation has no version of its own.
        (_, &Method::POST) => 201,
        _ if operation.path.contains("{secret_id}") => 204,
        _ => 412,
    }
}

async fn status(who: Who, operation: &Operation, server: &Server, path: &str, body: &Value) -> (u16, String) {
    let client = who.client(server).if_match("\"0-full\"");
    let sent = match operation.method {
        Method::PUT => Some(body.to_string()),
        Method::POST | Method::PATCH => Some("{}".to_owned()),
        _ => None,
    };
    let answer = client.send(operation.method.clone(), path, sent).await;
    (answer.status, answer.text)
}

fn missing(path: &str) -> String {
    path.replace("{code}", "999").replace("{slug}", "nothing").replace("{id}", ID).replace("{secret_id}", ID)
}

async fn everybody_is_answered_as_their_reach_says(public_read: bool) {
    let server = Server::with(&[("PUBLIC_READ", if public_read { "true" } else { "false" })]);
    let (own, anothers) = (Rows::of(&server, "049").await, Rows::of(&server, "092").await);
    let mut cells = 0;
    for operation in operations().iter().filter(|operation| !operation.open && !operation.scopes.is_empty()) {
        for who in EVERYBODY {
            for (row, rows) in [(Row::Missing, &own), (Row::Anothers, &anothers), (Row::Own, &own)] {
                let on_one = operation.path.contains('{');
                let path = if row == Row::Missing { missing(&operation.path) } else { rows.path(&operation.path) };
                let body = if on_one { rows.row(&operation.path).2 } else { &Value::Null };
                let mut body = body.clone();
                if row == Row::Missing && body["code"].is_string() {
                    body["code"] = json!("999");
                } else if row == Row::Missing && body["slug"].is_string() {
                    body["slug"] = json!("nothing");
                }
                let (status, text) = status(who, operation, &server, &path, &body).await;
                let expected = outcome(who, operation, public_read, row);
                assert_eq!(
                    status, expected,
                    "{} for {who:?} on {row:?}, PUBLIC_READ={public_read}: {text}",
                    operation.id
                );
                cells += 1;
            }
        }
    }
    assert!(cells > 800, "only {cells} cells");
}

#[tokio::test]
async fn everybody_is_answered_as_their_reach_says_behind_tokens() {
    everybody_is_answered_as_their_reach_says(false).await;
}

#[tokio::test]
async fn everybody_is_answered_as_their_reach_says_where_reading_is_public() {
    everybody_is_answered_as_their_reach_says(true).await;
}
