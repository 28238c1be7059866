//! `Idempotency-Key`: a repeated request is carried out once and gets the same response.

use diesel::{QueryableByName, sql_types::BigInt};
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::future::join_all;
use kuntatutorit::auth::tokens::claims::Grant;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client, retry_while_busy},
    document::{Operation, operations},
    rows::{self, Rows},
    sql,
};
use kuntatutorit::registry::{self, COLLECTIONS};

const HEADER: &str = "idempotency-key";

fn event(title: &str) -> Value {
    json!({
        "title": {"fi": title}, "kind": "webinar", "modality": "online", "starts_at": "2026-12-01T10:00:00Z",
        "ends_at": "2026-12-01T11:00:00Z", "host_municipality_code": "049"
    })
}

fn theme(slug: &str) -> Value {
    json!({"slug": slug, "kind": "theme", "name": {"fi": slug}, "parent": null})
}

async fn create_event(client: &Client, key: &str, title: &str) -> Answer {
    client.with(HEADER, key).post("/v1/events", &event(title)).await
}

async fn count(server: &Server, of: &str) -> i64 {
    use diesel_async::RunQueryDsl as _;
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let query = format!("select count(*) as count from {of}");
    diesel::sql_query(query).get_result::<Count>(&mut conn).await.unwrap().count
}

async fn titled(server: &Server, title: &str) -> i64 {
    count(server, &format!("events where title ->> 'fi' = '{title}'")).await
}

#[track_caller]
fn assert_same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, again.status), (201, 201), "{} {}", first.text, again.text);
    assert_eq!(first.text, again.text);
    for name in ["etag", "location", "content-type", "content-length"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
}

fn is_replay(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

/// Collections whose rows are created without a key, each with the reason.
const WITHOUT_KEY: &[(&str, &str)] = &[
    ("accounts", "the answer has the secret of an invitation, which the service does not store"),
    ("calendar-links", "the answer has the secret address, which the service does not store"),
    ("clients", "the answer has the secret of the client, which the service does not store"),
];

#[test]
fn every_operation_that_creates_a_row_accepts_a_key() {
    for collection in COLLECTIONS {
        let create = operations().into_iter().find(|o| o.method == "POST" && o.path == collection.path()).unwrap();
        assert_eq!(
            accepts_key(&create),
            WITHOUT_KEY.iter().all(|(name, _)| *name != collection.name),
            "{}: let it accept an Idempotency-Key, or add the collection to WITHOUT_KEY with the reason",
            create.id
        );
    }
}

fn accepts_key(operation: &Operation) -> bool {
    operation.parameters.iter().any(|parameter| parameter.name.eq_ignore_ascii_case(HEADER))
}

#[tokio::test]
async fn a_repeated_request_creates_one_row_and_gets_the_same_bytes() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    for operation in operations().iter().filter(|operation| accepts_key(operation)) {
        let path = &operation.path;
        let collection = registry::of_path(path).unwrap();
        let body = rows.body(collection, if collection.key == "code" { "998" } else { "049" }, "new", &json!({}));
        let creator = rows::creator(&server, collection.name, "049", "espoo").await;
        let sender = creator.with(HEADER, &format!("!a~{path}"));
        let before = count(&server, &collection.table()).await;
        let first = sender.post(path, &body).await.expect(201);
        let again = sender.post(path, &body).await.expect(201);
        assert_same(&first, &again);
        assert_eq!((is_replay(&first), is_replay(&again)), (false, true), "{path}");
        assert_eq!(count(&server, &collection.table()).await, before + 1, "{path}");
    }
}

#[tokio::test]
async fn a_later_change_does_not_alter_the_saved_response() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let first = create_event(&espoo, "a", "Alku").await.expect(201);
    let path = format!("/v1/events/{}", first.body["id"].as_str().unwrap());
    espoo.if_match(&first.etag()).patch(&path, &json!({"title": {"fi": "Loppu"}})).await.expect(200);
    assert_same(&first, &create_event(&espoo, "a", "Alku").await);
}

#[tokio::test]
async fn a_key_that_is_reused_for_another_request_is_refused() {
    let server = Server::start();
    let coordinator = server.coordinator();
    create_event(&coordinator, "a", "Yksi").await.expect(201);
    let reused = [("Idempotency-Key:", "idempotency_key_reused")];
    create_event(&coordinator, "a", "Kaksi").await.expect_violations(&reused);
    coordinator.with(HEADER, "a").post("/v1/themes", &theme("other")).await.expect_violations(&reused);
    assert_eq!((titled(&server, "Kaksi").await, count(&server, "themes where slug = 'other'").await), (0, 0));
    // The same JSON with another layout is the same request.
    let spread = serde_json::to_string_pretty(&event("Yksi")).unwrap();
    let again = coordinator.with(HEADER, "a").send(reqwest::Method::POST, "/v1/events", Some(spread)).await;
    assert!(is_replay(&again.expect(201)));
}

#[tokio::test]
async fn a_malformed_key_is_refused() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for key in ["", " ", "a b", "ä", &"x".repeat(256)] {
        create_event(&espoo, key, "Avain").await.expect_problem(400, "malformed_idempotency_key");
    }
    let twice = espoo.with(HEADER, "a").with(HEADER, "a");
    twice.post("/v1/events", &event("Avain")).await.expect_problem(400, "malformed_idempotency_key");
    create_event(&espoo, &"x".repeat(255), "Avain").await.expect(201);
    create_event(&server.anonymous(), "", "Avain").await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn two_callers_can_use_the_same_key() {
    let server = Server::start();
    let (one, other) = (server.municipality("049"), server.municipality("049"));
    let first = create_event(&one, "a", "Oma").await.expect(201);
    let second = create_event(&other, "a", "Oma").await.expect(201);
    assert_ne!(first.body["id"], second.body["id"]);
    assert!(!is_replay(&second));
}

/// The same account each time, bound to this municipality and with these scopes.
fn account(server: &Server, municipality: &str, scope: &str) -> Client {
    server.bearer(&Grant {
        sub: "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e".into(),
        client_id: server.url.clone(),
        scope: scope.into(),
        role: "municipality".into(),
        municipality: Some(municipality.into()),
        tutor: None,
        source: None,
    })
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_whatever_scopes_the_token_has() {
    let server = Server::start();
    let writer = account(&server, "049", "events:read events:write");
    let with_contacts = account(&server, "049", "events:read events:write contacts:read");
    let first = create_event(&writer, "a", "Kerran").await.expect(201);
    create_event(&with_contacts, "a", "Kerran").await.expect_problem(409, "idempotency_key_other_rights");
    create_event(&with_contacts, "a", "Toinen")
        .await
        .expect_violations(&[("Idempotency-Key:", "idempotency_key_reused")]);
    assert_same(&first, &create_event(&writer, "a", "Kerran").await);
    assert_eq!((titled(&server, "Kerran").await, titled(&server, "Toinen").await), (1, 0));
}

#[tokio::test]
async fn no_response_is_replayed_after_the_callers_rights_changed() {
    let server = Server::start();
    let scope = "events:read events:write";
    create_event(&account(&server, "049", scope), "a", "Siirtyvä").await.expect(201);
    create_event(&account(&server, "092", scope), "a", "Siirtyvä").await.expect_problem(403, "out_of_reach");
    let reader = server.partner("reader", "events:read", Some("049"));
    create_event(&reader, "a", "Siirtyvä").await.expect_problem(403, "missing_scope");
}

#[tokio::test]
async fn fifty_concurrent_requests_create_one_row_and_get_equal_responses() {
    let all_at_once = [("POOL_SIZE", "25")];
    let server = Server::with(&all_at_once);
    let twin = server.second(&all_at_once);
    let espoo = server.municipality("049");
    let elsewhere = twin.token(espoo.token.as_ref().unwrap());
    for round in 0..3 {
        let (key, title) = (format!("round-{round}"), format!("Kierros {round}"));
        let senders = [&espoo, &elsewhere];
        let (key, title) = (&key, &title);
        let answers =
            (0..50).map(|number| retry_while_busy(async move || create_event(senders[number % 2], key, title).await));
        let answers = join_all(answers).await;
        let first = answers.iter().find(|answer| !is_replay(answer)).unwrap();
        for answer in &answers {
            assert_same(first, answer);
        }
        assert_eq!(answers.iter().filter(|answer| is_replay(answer)).count(), 49);
        assert_eq!(titled(&server, title).await, 1);
        assert_eq!(count(&server, &format!("changes where key = '{}'", first.body["id"].as_str().unwrap())).await, 1);
    }
}

#[tokio::test]
async fn a_failed_request_saves_no_response() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut new = theme("child");
    new["parent"] = json!("not-yet");
    let sender = coordinator.with(HEADER, "a");
    sender.post("/v1/themes", &new).await.expect(422);
    server.municipality("049").with(HEADER, "a").post("/v1/themes", &new).await.expect(403);
    assert_eq!(count(&server, "idempotency_keys").await, 0);
    coordinator.post("/v1/themes", &theme("not-yet")).await.expect(201);
    assert!(!is_replay(&sender.post("/v1/themes", &new).await.expect(201)));
}

#[tokio::test]
async fn a_key_expires_after_24_hours() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let first = create_event(&espoo, "a", "Vanha").await.expect(201);
    let age = |hours: &str| format!("update idempotency_keys set created_at = now() - interval '{hours}'");
    server.execute(&age("23 hours 59 minutes")).await;
    assert_same(&first, &create_event(&espoo, "a", "Vanha").await);
    server.execute(&age("24 hours")).await;
    let second = create_event(&espoo, "a", "Uusi").await.expect(201);
    assert_ne!(second.body["id"], first.body["id"]);
    assert_same(&second, &create_event(&espoo, "a", "Uusi").await);
}

#[tokio::test]
async fn a_repeated_request_that_waits_too_long_is_told_to_retry() {
    let server = Server::start();
    let espoo = server.municipality("049");
    // The first request takes longer than the second waits for the lock, in two statements that each stay below the
    // statement time-out.
    sql::slow_down(&server, "insert", "events", 1.9).await;
    sql::slow_down(&server, "insert", "idempotency_keys", 1.9).await;
    // On a busy machine either request may be late, so the test tries several times.
    for key in ["a", "b", "c", "d", "e", "f"] {
        let (first, twin) = tokio::join!(create_event(&espoo, key, key), async {
            sql::wait_for_sleepers(&server, 1).await;
            create_event(&espoo, key, key).await
        });
        assert!(matches!((first.status, twin.status), (201 | 503, 201 | 409 | 503)), "{} {}", first.text, twin.text);
        if (first.status, twin.status) == (201, 409) {
            let twin = twin.expect_problem(409, "idempotency_key_in_progress");
            assert_eq!(twin.header("retry-after"), "1");
            assert_same(&first, &create_event(&espoo, key, key).await);
            assert_eq!(titled(&server, key).await, 1);
            return;
        }
    }
    panic!("no repeated request was told to retry");
}

#[tokio::test]
async fn a_caller_that_disconnects_finds_its_row_on_retry() {
    use tokio::io::AsyncWriteExt as _;
    let server = Server::start();
    let espoo = server.municipality("049");
    for round in 0..10 {
        let (key, title) = (format!("lost-{round}"), format!("Kadonnut {round}"));
        let body = event(&title).to_string();
        let request = format!(
            "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{HEADER}: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            espoo.token.as_ref().unwrap(),
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_micros(500 * round)).await;
        drop(stream);
        create_event(&espoo, &key, &title).await.expect(201);
        assert_eq!(titled(&server, &title).await, 1);
    }
}
