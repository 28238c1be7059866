//! A hidden row answers like a row that does not exist, whatever the request.

use kuntatutorit::{auth::scopes, domain::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, operations},
    fixtures,
    rows::{ID, Rows, creation},
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// The hidden rows of a collection: those in a hidden state, and every row that belongs to its creator or is only for the
/// coordinator.
async fn hidden_keys(server: &Server, rows: &Rows, collection: &Collection) -> Vec<String> {
    if collection.of_creator || collection.read.roles == [Role::Coordinator] {
        return vec![rows.of_collection(collection.name).0.to_owned()];
    }
    let mut keys = Vec::new();
    for state in collection.hidden_states {
        let unique = format!("hidden-{state}");
        keys.push(rows.create(&server.coordinator(), collection, "092", &unique, &json!({"status": state})).await);
    }
    keys
}

/// A caller of Espoo that may read the collection but not the rows of Vantaa. If no municipality can hold the scope, it
/// is a partner system whose token has more scopes than a partner system may have.
fn stranger(server: &Server, collection: &Collection) -> Client {
    if scopes::can_hold(Role::Municipality, collection.read.name) {
        return server.municipality("049");
    }
    let all: Vec<_> = kuntatutorit::registry::SCOPES.iter().map(|scope| scope.name).collect();
    server.partner("espoo", &all.join(" "), Some("049"))
}

/// Returns everything of an answer that could reveal something: every byte but the date.
fn comparable(mut answer: Answer) -> (u16, Vec<(String, String)>, String) {
    answer.headers.remove("date");
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, headers.collect(), answer.text)
}

/// Sends a request. Its id comes from the caller, so that both answers have the same.
async fn ask(client: &Client, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
    let body = body.filter(|_| !matches!(operation.method, Method::GET | Method::DELETE)).map(Value::to_string);
    client.with("x-request-id", "the-same").send(operation.method.clone(), path, body).await
}

/// A valid body, an invalid one, one of another type, and none.
fn bodies(operation: &Operation) -> Vec<Option<Value>> {
    match &operation.body {
        Some(body) => vec![Some(body.example.clone()), Some(json!({"nonsense": 1})), Some(json!([])), None],
        None => vec![None],
    }
}

/// Conditions that are true and false for the hidden row.
async fn conditions(server: &Server, path: &str) -> Vec<String> {
    let seen = server.coordinator().get(path).await.expect(200);
    vec![seen.etag(), "\"1-full\"".to_owned(), "*".to_owned()]
}

#[tokio::test]
async fn a_hidden_row_answers_like_a_missing_row() {
    let server = Server::start();
    let rows = Rows::of(&server, "092").await;
    for collection in COLLECTIONS {
        let stranger = stranger(&server, collection);
        let start = format!("{}/{{", collection.path());
        for key in hidden_keys(&server, &rows, collection).await {
            let conditions = conditions(&server, &format!("{}/{key}", collection.path())).await;
            let mut asked = 0;
            for operation in operations().iter().filter(|operation| operation.path.starts_with(&start)) {
                let path = |key: &str| rows.path_with_key(&operation.path, key);
                for body in bodies(operation) {
                    for condition in &conditions {
                        let client = stranger.if_match(condition).with("if-none-match", condition);
                        let hidden = ask(&client, operation, &path(&key), body.as_ref()).await;
                        let missing = ask(&client, operation, &path(ID), body.as_ref()).await;
                        let what = format!("{} {condition} {body:?}: {}", operation.id, hidden.text);
                        assert!(hidden.status >= 400, "{what}");
                        assert_eq!(comparable(hidden), comparable(missing), "{what}");
                        asked += 1;
                    }
                }
            }
            assert!(asked > 0, "the document has no operation on the hidden rows of {}", collection.name);
        }
    }
}

/// A state that the registry does not list as hidden hides nothing: otherwise the tests above and the query plans would pass
/// over the rows in it.
#[tokio::test]
async fn the_registry_lists_every_state_in_which_rows_are_hidden() {
    let server = Server::start();
    let rows = Rows::of(&server, "092").await;
    let coordinator = server.coordinator();
    for collection in COLLECTIONS.iter().filter(|collection| !collection.of_creator) {
        let stranger = stranger(&server, collection);
        let states = creation(collection.name).schema["properties"]["status"]["enum"].as_array().into_iter().flatten();
        for state in states.filter_map(Value::as_str) {
            let unique = format!("state-{state}");
            let key = rows.create(&coordinator, collection, "092", &unique, &json!({"status": state})).await;
            let status = stranger.get(&format!("{}/{key}", collection.path())).await.status;
            let expected = if collection.hidden_states.contains(&state) { 404 } else { 200 };
            assert_eq!(
                status, expected,
                "a caller of another municipality reads a row of {} with the status {state}: does `hidden_in` in \
                 src/registry.rs list this state rightly?",
                collection.name
            );
        }
    }
}

/// A reference to a hidden row must not reveal it either.
#[tokio::test]
async fn a_reference_to_a_hidden_event_answers_like_one_to_a_missing_event() {
    let server = Server::start();
    let draft = server.coordinator().post("/v1/events", &fixtures::event_body("092", "draft")).await.expect(201);
    let draft = draft.body["id"].as_str().unwrap();
    let espoo = server.municipality("049").with("x-request-id", "the-same");
    let name = async |id: &str| {
        let feedback = json!({"event_id": id, "direction": "participant_to_tutor", "municipality_code": "049"});
        let given = espoo.post("/v1/feedback", &feedback).await;
        let listed = espoo.get(&format!("/v1/feedback?event={id}")).await;
        (comparable(given), comparable(listed))
    };
    let (hidden, missing) = (name(draft).await, name(ID).await);
    assert_eq!((hidden.0.0, hidden.1.0), (422, 200), "{hidden:?}");
    assert_eq!(hidden, missing);
}
