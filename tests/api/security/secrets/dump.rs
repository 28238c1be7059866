//! The database holds no secret in plain text, and the ledger of changes holds no personal data.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{basic, form, login, secret_of, spellings, text};
use crate::support::{
    Server,
    client::Client,
    fixtures,
    fixtures::PASSWORD,
    personal_data::{Word, Words},
    rows,
    rows::Rows,
    sql,
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// Returns every row of every table as text. Bytes are hexadecimal digits.
pub(super) async fn dump(server: &Server) -> BTreeMap<String, String> {
    let tables = "select table_name::text as line from information_schema.tables where table_schema = 'public'";
    let mut all = BTreeMap::new();
    for table in sql::query_lines(server, tables).await {
        let rows = format!("select to_jsonb(t)::text as line from \"{table}\" t");
        all.insert(table, sql::query_lines(server, &rows).await.join("\n"));
    }
    all
}

/// The same client with an `Idempotency-Key`, with which the service would save the response.
fn with_key(client: &Client) -> Client {
    client.with("idempotency-key", "once")
}

/// Requests every secret that the coordinator sees once (invitations, client secrets), and returns the id of a client.
async fn secrets_of_the_coordinator(coordinator: &Client, secrets: &mut Vec<String>) -> String {
    let coordinator = with_key(coordinator);
    let invited = json!({"email": "new@espoo.example", "role": "coordinator"});
    let invited = coordinator.post("/v1/accounts", &invited).await.expect(201);
    secrets.push(text(&invited, "/invitation/secret"));
    let again = format!("/v1/accounts/{}/invitation", text(&invited, "/id"));
    secrets.push(text(&coordinator.post(&again, &Value::Null).await.expect(201), "/secret"));
    let client = json!({"name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read"]});
    let client = coordinator.post("/v1/clients", &client).await.expect(201);
    let id = text(&client, "/id");
    let second = coordinator.post(&format!("/v1/clients/{id}/secrets"), &Value::Null).await.expect(201);
    secrets.extend([text(&client, "/client_secret"), text(&second, "/client_secret")]);
    id
}

/// Requests every secret of members and partner systems: passwords, tokens, the address of a calendar.
async fn secrets_of_members(server: &Server, client_id: &str, secrets: &mut Vec<String>) {
    let anonymous = with_key(&server.anonymous());
    let session = login(&anonymous, EMAIL, PASSWORD).await.expect(200);
    let used = json!({"refresh_token": text(&session, "/refresh_token")});
    let next = anonymous.post("/v1/auth/refresh", &used).await.expect(200);
    for answer in [&session, &next] {
        secrets.extend([text(answer, "/refresh_token"), text(answer, "/access_token")]);
    }
    let member = with_key(&server.token(secrets.last().unwrap()));
    let link = member.post("/v1/calendar-links", &json!({"name": "Puhelin"})).await.expect(201);
    let (wrong, newer) = ("vaara salasana", "uusi salasana");
    for (old, status) in [(wrong, 401), (PASSWORD, 204)] {
        let change = json!({"old_password": old, "new_password": newer});
        member.post("/v1/auth/password", &change).await.expect(status);
    }
    let secret = secrets[2].clone();
    for granted in [
        form(&anonymous, &format!("&client_id={client_id}&client_secret={secret}")).await,
        form(&anonymous.with("authorization", &format!("Basic {}", basic(client_id, &secret))), "").await,
    ] {
        secrets.push(text(&granted, "/access_token"));
    }
    form(&anonymous, &format!("&client_id={client_id}&client_secret=arvattu-salaisuus")).await;
    let of_people = [PASSWORD, wrong, newer, "arvattu-salaisuus"].map(str::to_owned);
    secrets.extend(of_people.into_iter().chain([secret_of(&link)]));
}

const EMAIL: &str = "digituki@espoo.example";

#[tokio::test]
async fn no_secret_is_stored_in_plain_text() {
    let server = Server::start();
    fixtures::insert_account(&server, EMAIL, json!({})).await;
    let mut secrets = Vec::new();
    let client_id = secrets_of_the_coordinator(&server.coordinator(), &mut secrets).await;
    secrets_of_members(&server, &client_id, &mut secrets).await;
    assert_eq!(secrets.len(), 15);
    // A saved response, which the dump must contain.
    let theme = json!({"slug": "saved", "kind": "theme", "name": {"fi": "tallennettu"}});
    with_key(&server.coordinator()).post("/v1/themes", &theme).await.expect(201);
    let dump = dump(&server).await;
    assert!(dump["accounts"].contains(EMAIL) && dump["accounts"].contains("$argon2id$"), "the dump is empty");
    assert!(dump["idempotency_keys"].contains("tallennettu"), "the dump has no saved response");
    for secret in secrets {
        for (table, rows) in &dump {
            let found = spellings(&secret).into_iter().find(|spelling| rows.contains(spelling));
            assert_eq!(found, None, "{secret} is in {table}");
        }
    }
}

/// The service counts failures to sign in without storing the name.
#[tokio::test]
async fn a_failed_sign_in_does_not_store_the_name() {
    let server = Server::start();
    login(&server.anonymous(), "kanaria@espoo.example", "wrong").await.expect(401);
    let dump = dump(&server).await;
    assert_ne!(dump["sign_in_failures"], "");
    assert_eq!(dump.iter().find(|(_, rows)| rows.contains("kanaria")), None);
}

/// Creates, changes and deletes a row of this collection, with a word in each text of its personal data. Returns the words.
async fn write_personal_data(
    server: &Server,
    rows: &Rows,
    collection: &'static Collection,
    words: &mut Words,
) -> Vec<Word> {
    let columns = [collection.personal, collection.public].concat();
    let (fields, mut planted) = words.plant(collection, &columns);
    let creator = rows::creator(server, collection.name, "049", "espoo").await;
    let key = rows.create(&creator, collection, "049", "written", &fields).await;
    let (path, mut changed) = (format!("{}/{key}", collection.path()), 0);
    for column in columns {
        let (change, new) = words.plant(collection, &[column]);
        let answer = creator.if_match("*").patch(&path, &change).await;
        // Some fields are fixed.
        assert!([200, 422].contains(&answer.status), "{}", answer.text);
        changed += usize::from(answer.status == 200);
        planted.extend(new);
    }
    assert!(changed > 0, "no personal data of {} can be changed", collection.name);
    creator.if_match("*").delete(&path).await.expect(204);
    planted
}

/// The words are neither in the ledger nor anywhere else once their rows are deleted.
#[tokio::test]
async fn the_ledger_of_changes_holds_no_content_and_deleted_personal_data_is_gone() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let (mut words, mut planted, mut expected) = (Words::default(), Vec::new(), Vec::new());
    for collection in COLLECTIONS.iter().filter(|of| of.in_ledger && !of.personal.is_empty()) {
        planted.extend(write_personal_data(&server, &rows, collection, &mut words).await);
        expected.extend(["create", "delete", "update"].map(|operation| format!("{} {operation}", collection.name)));
    }
    let changes = "select distinct resource || ' ' || operation as line from changes";
    let changes = sql::query_lines(&server, changes).await;
    let missing: Vec<_> = expected.iter().filter(|change| !changes.contains(change)).collect();
    assert!(missing.is_empty(), "the ledger lacks {missing:?}");
    let dump = dump(&server).await;
    for word in planted {
        let table = dump.iter().find(|(_, rows)| rows.contains(&word.text)).map(|(table, _)| table);
        assert_eq!(table, None, "{} of {} is still in the database", word.text, word.place);
    }
}
