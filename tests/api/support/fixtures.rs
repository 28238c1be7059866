//! Fixtures: rows that a test needs before it begins.
//!
//! `insert_...` writes a row by SQL and skips the rules of the API. `create_...` sends a request as the coordinator or as
//! an account of the municipality.

use chrono::{TimeDelta, Utc};
use diesel::sql_types::Jsonb;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    auth::{passwords, reach::Reach},
    http::input::json::from_value,
    resources::access::accounts,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Server, client::Client};

/// Returns the time this many hours from now.
pub(crate) fn hours_from_now(hours: i64) -> String {
    (Utc::now() + TimeDelta::hours(hours)).to_rfc3339()
}

/// Inserts a tutor of the municipality and returns its id.
pub(crate) async fn insert_tutor(server: &Server, municipality: &str) -> String {
    let id = Uuid::now_v7().to_string();
    let row = json!({"id": id, "source": "kuntatutorit", "name": "Kuntatutor", "municipality_code": municipality});
    insert(server, "tutors", row).await;
    id
}

/// Inserts a published event that Helsinki hosts and that ended an hour ago, with `columns` in place of the defaults.
/// Returns its id.
pub(crate) async fn insert_event(server: &Server, columns: Value) -> String {
    let id = Uuid::now_v7().to_string();
    let mut row = json!({
        "id": id, "source": "kuntatutorit", "title": {"fi": "Helsingin tutorit esittäytyvät"}, "kind": "presentation",
        "modality": "online", "starts_at": hours_from_now(-3), "ends_at": hours_from_now(-1),
        "host_municipality_code": "091", "status": "published"
    });
    json_patch::merge(&mut row, &columns);
    insert(server, "events", row).await;
    id
}

/// Inserts the themes with these slugs that do not exist yet.
pub(crate) async fn insert_themes(server: &Server, slugs: &[&str]) {
    for slug in slugs {
        insert(server, "themes", json!({"slug": slug, "kind": "theme", "name": {"en": slug}})).await;
    }
}

/// The password of the accounts that [`insert_account`] makes.
pub(crate) const PASSWORD: &str = "salasana on pitkä";

/// Inserts an account of Espoo with [`PASSWORD`], with `fields` in place of the defaults. Returns its id.
pub(crate) async fn insert_account(server: &Server, email: &str, fields: Value) -> Uuid {
    let mut new = json!({"email": email, "role": "municipality", "municipality_code": "049"});
    json_patch::merge(&mut new, &fields);
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let hash = passwords::hash_now(PASSWORD).unwrap();
    let reach = Reach::of_command_line();
    accounts::store::create(&conn, &reach, from_value(new).unwrap(), Some(hash)).await.unwrap().id
}

async fn insert(server: &Server, table: &str, row: Value) {
    let columns = row.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(", ");
    let statement = format!(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_record(null::{table}, $1)
         on conflict do nothing"
    );
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    diesel::sql_query(statement).bind::<Jsonb, _>(row).execute(&mut conn).await.unwrap();
}

/// The request body of an event that this municipality hosts, with this status, which ended a day ago.
pub(crate) fn event_body(host: &str, status: &str) -> Value {
    let ended = Utc::now() - TimeDelta::days(1);
    json!({
        "title": {"fi": format!("Tapahtuma {host}")}, "kind": "webinar", "modality": "online", "status": status,
        "starts_at": ended - TimeDelta::hours(2), "ends_at": ended, "host_municipality_code": host
    })
}

impl Server {
    /// Creates a completed event that this municipality hosts, as the coordinator. Returns its id.
    pub(crate) async fn create_event(&self, host: &str) -> String {
        let answer = self.coordinator().post("/v1/events", &event_body(host, "completed")).await.expect(201);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Creates feedback on this event, as an account of this municipality. Returns its id.
    pub(crate) async fn create_feedback(&self, event: &str, municipality: &str) -> String {
        let feedback = json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality, "rating": 4
        });
        let answer = self.municipality(municipality).post("/v1/feedback", &feedback).await.expect(201);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Creates a tutor of this municipality, as the coordinator: "Kuntatutor", with an e-mail address, visible to the
    /// network. Returns its id.
    pub(crate) async fn create_tutor(&self, code: &str) -> String {
        self.create_tutor_with(code, &json!({})).await
    }

    /// Creates a tutor like [`Self::create_tutor`], with these fields in place of the defaults.
    pub(crate) async fn create_tutor_with(&self, code: &str, fields: &Value) -> String {
        let mut new =
            json!({"name": "Kuntatutor", "municipality_code": code, "contact": {"email": "tutor@kunta.example"}});
        new.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let created = self.coordinator().post("/v1/tutors", &new).await.expect(201);
        created.body["id"].as_str().unwrap().to_owned()
    }

    /// Inserts an account of Espoo with these fields and signs in with it.
    pub(crate) async fn sign_in_new_account(&self, email: &str, fields: Value) -> Client {
        insert_account(self, email, fields).await;
        let login = json!({"email": email, "password": PASSWORD});
        let signed_in = self.anonymous().post("/v1/auth/login", &login).await.expect(200);
        self.token(signed_in.body["access_token"].as_str().unwrap())
    }
}
