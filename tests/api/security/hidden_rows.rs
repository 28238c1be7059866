//! What may not be seen answers as what does not exist, whatever is tried on it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, operations},
    fixtures,
    rows::{ID, Rows},
};

/// Collections that have rows which not everybody sees, each with who does not see Vantaa's. Themes and municipalities are
/// seen by all, and of a tutor at least the title.
fn unseen(strangers: &Strangers) -> [(&'static str, &Client); 5] {
    [
        ("/v1/events", &strangers.municipality),
        ("/v1/feedback", &strangers.municipality),
        ("/v1/calendar-links", &strangers.municipality),
        ("/v1/accounts", &strangers.of_every_scope),
        ("/v1/clients", &strangers.of_every_scope),
    ]
}

/// A municipality's account, and a partner whose token says more than partners may have.
struct Strangers {
    municipality: Client,
    of_every_scope: Client,
}

impl Strangers {
    fn of(server: &Server) -> Self {
        let scopes: Vec<_> = kuntatutorit::auth::scopes::SCOPES.iter().map(|scope| scope.name).collect();
        let of_every_scope = server.partner("espoo", &scopes.join(" "), Some("049"));
        Self { municipality: server.municipality("049"), of_every_scope }
    }
}

/// All of the answer that could tell something: to the byte, but the time.
fn told(mut answer: Answer) -> (u16, Vec<(String, String)>, String) {
    answer.headers.remove("date");
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, headers.collect(), answer.text)
}

/// The operation on the row with this key; the request's id is the caller's, and so the same in both answers.
async fn ask(client: &Client, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
    let body = body.filter(|_| !matches!(operation.method, Method::GET | Method::DELETE)).map(Value::to_string);
    client.with("x-request-id", "the-same").send(operation.method.clone(), path, body).await
}

/// A good body, a bad one, and one that is none of this resource's.
fn bodies(operation: &Operation) -> Vec<Option<Value>> {
    match &operation.body {
        Some(body) => vec![Some(body.example.clone()), Some(json!({"nonsense": 1})), Some(json!([])), None],
        None => vec![None],
    }
}

/// Conditions that hold for what is not seen, and that do not.
async fn conditions(server: &Server, path: &str) -> Vec<String> {
    let seen = server.coordinator().get(path).await.expect(200);
    vec![seen.etag(), "\"1-full\"".to_owned(), "*".to_owned()]
}

#[tokio::test]
async fn what_may_not_be_seen_answers_as_what_does_not_exist() {
    let server = Server::start();
    let rows = Rows::of(&server, "092").await;
    let draft = server.coordinator().post("/v1/events", &fixtures::event_body("092", "draft")).await.expect(201);
    let strangers = Strangers::of(&server);
    let (mut asked, mut operations_asked) = (0, 0);
    for (collection, stranger) in unseen(&strangers) {
        let (_, key, row) = rows.row(collection);
        // The row of an event is one that everybody sees.
        let key = if collection == "/v1/events" { draft.body["id"].as_str().unwrap() } else { key };
        let secret = row["secrets"][0]["id"].as_str().unwrap_or(ID);
        let conditions = conditions(&server, &format!("{collection}/{key}")).await;
        let start = format!("{collection}/{{id}}");
        for operation in operations().iter().filter(|operation| operation.path.starts_with(&start)) {
            operations_asked += 1;
            for body in bodies(operation) {
                for condition in &conditions {
                    let client = stranger.if_match(condition).with("if-none-match", condition);
                    let path = |key: &str| operation.path.replace("{id}", key).replace("{secret_id}", secret);
                    let hidden = ask(&client, operation, &path(key), body.as_ref()).await;
                    let missing = ask(&client, operation, &path(ID), body.as_ref()).await;
                    let what = format!("{} {condition} {body:?}: {}", operation.id, hidden.text);
                    assert!(hidden.status >= 400, "{what}");
                    assert_eq!(told(hidden), told(missing), "{what}");
                    asked += 1;
                }
            }
        }
    }
    assert!(operations_asked >= 18 && asked >= 100, "only {asked} questions on {operations_asked} operations");
}

/// Nor where it is named in what is about something else.
#[tokio::test]
async fn to_name_what_may_not_be_seen_tells_nothing_of_it() {
    let server = Server::start();
    let draft = server.coordinator().post("/v1/events", &fixtures::event_body("092", "draft")).await.expect(201);
    let draft = draft.body["id"].as_str().unwrap();
    let espoo = server.municipality("049").with("x-request-id", "the-same");
    let name = async |id: &str| {
        let feedback = json!({"event_id": id, "direction": "participant_to_tutor", "municipality_code": "049"});
        let given = espoo.post("/v1/feedback", &feedback).await;
        let listed = espoo.get(&format!("/v1/feedback?event={id}")).await;
        (told(given), told(listed))
    };
    let (hidden, missing) = (name(draft).await, name(ID).await);
    assert_eq!((hidden.0.0, hidden.1.0), (422, 200), "{hidden:?}");
    assert_eq!(hidden, missing);
}
