//! What stands in the database before a test begins.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    auth::{passwords, reach::Reach},
    http::json::from_value,
    resources::accounts,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Server;

/// A time so many hours from now.
pub(crate) fn hours(from_now: i64) -> String {
    (Utc::now() + TimeDelta::hours(from_now)).to_rfc3339()
}

/// A tutor of this municipality; its id.
pub(crate) async fn tutor(server: &Server, municipality: &str) -> String {
    let id = Uuid::now_v7().to_string();
    let row = json!({"id": id, "source": "kuntatutorit", "name": "Kuntatutor", "municipality_code": municipality});
    insert(server, "tutors", row).await;
    id
}

/// An event that Helsinki hosts and that ended an hour ago, but for these columns; its id.
pub(crate) async fn event(server: &Server, columns: Value) -> String {
    let id = Uuid::now_v7().to_string();
    let mut row = json!({
        "id": id, "source": "kuntatutorit", "title": {"fi": "Helsingin tutorit esittäytyvät"}, "kind": "presentation",
        "modality": "online", "starts_at": hours(-3), "ends_at": hours(-1), "host_municipality_code": "091",
        "status": "published"
    });
    json_patch::merge(&mut row, &columns);
    insert(server, "events", row).await;
    id
}

/// The password of [`account`].
pub(crate) const PASSWORD: &str = "salasana on pitkä";

/// An account of Espoo with [`PASSWORD`], but for these fields; its id.
pub(crate) async fn account(server: &Server, email: &str, fields: Value) -> Uuid {
    let mut new = json!({"email": email, "role": "municipality", "municipality_code": "049"});
    json_patch::merge(&mut new, &fields);
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let hash = passwords::hash_now(PASSWORD).unwrap();
    let reach = Reach::of_command_line();
    accounts::store::create(&conn, &reach, from_value(new).unwrap(), Some(hash)).await.unwrap().id
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The column `line` of what this statement gives.
pub(crate) async fn lines(server: &Server, statement: &str) -> Vec<String> {
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let rows: Vec<Line> = diesel::sql_query(statement).load(&mut conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// Themes with these slugs, where they are not there yet.
pub(crate) async fn themes(server: &Server, slugs: &[&str]) {
    for slug in slugs {
        insert(server, "themes", json!({"slug": slug, "kind": "theme", "name": {"en": slug}})).await;
    }
}

/// From now on each row of this table takes so many seconds to `insert` or to `update`.
pub(crate) async fn slow(server: &Server, operation: &str, table: &str, seconds: f32) {
    let function = format!(
        "create or replace function slow() returns trigger language plpgsql as \
         'begin perform pg_sleep({seconds}); return new; end'"
    );
    server.execute(&function).await;
    let trigger = format!("create trigger slow before {operation} on {table} for each row execute function slow()");
    server.execute(&trigger).await;
}

/// Waits until so many are at once in the middle of what [`slow`] made slow; for ten seconds at most.
pub(crate) async fn sleepers(server: &Server, count: usize) {
    let sleeping = "select pid::text as line from pg_stat_activity \
                    where datname = current_database() and wait_event = 'PgSleep'";
    let (began, mut most) = (Instant::now(), 0);
    while most < count {
        assert!(began.elapsed() < Duration::from_secs(10), "{most} at once, not {count}");
        most = most.max(lines(server, sleeping).await.len());
    }
}

/// Runs this statement; the name of the constraint that it breaks, if it does.
pub(crate) async fn sql(server: &Server, statement: &str) -> Option<String> {
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    match diesel::sql_query(statement).execute(&mut conn).await {
        Err(diesel::result::Error::DatabaseError(_, info)) => Some(info.constraint_name().unwrap().to_owned()),
        outcome => outcome.map(|_| None).unwrap(),
    }
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
