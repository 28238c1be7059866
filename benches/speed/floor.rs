//! The floor: a server that runs the same queries and returns the same JSON as the service, and does nothing else. It checks
//! no tokens and no rules, and writes no log. Each worker has one pipelined connection, statements are prepared once, and
//! the JSON is written by hand from the rows.

use std::rc::Rc;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{Bytes, Data, Path, Query, get, post, put},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{Json, ToSql},
};
use uuid::Uuid;

use super::rows;

const EVENT: &str = "events.id, source, external_id, title, description, kind, modality, starts_at, ends_at, time_zone, venue, \
    online_url, host_municipality_code, tutors, themes, languages, audience, capacity, registration_opens_at, \
    registration_closes_at, status, status_reason, previous_starts_at, version, created_at, updated_at";
const TUTOR: &str = "id, source, external_id, name, title, municipality_code, perspective, themes, languages, status, \
    contact, visibility, version, created_at, updated_at";
const FEEDBACK: &str = "id, external_id, event_id, direction, municipality_code, respondent, rating, useful, themes_wanted, \
    comment, language, publish_consent, source, version, created_at, updated_at";
/// The events that the service shows to Espoo: all except the drafts of other municipalities.
const VISIBLE: &str = "(status <> 'draft' or host_municipality_code = '049')";

/// The connection of a worker and its prepared statements.
struct Floor {
    client: Client,
    event: Statement,
    tutor: Statement,
    hosted: [Statement; 2],
    kind: Statement,
    search: Statement,
    insert: Statement,
    replace: Statement,
}

impl Floor {
    async fn connect(url: String) -> Result<Rc<Self>, tokio_postgres::Error> {
        let mut config: tokio_postgres::Config = url.parse()?;
        // The service has the same settings. Without them, PostgreSQL would choose other plans, and plan some statements again
        // each time.
        config.options("-c timezone=UTC -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan");
        let (client, connection) = config.connect(NoTls).await?;
        actix_web::rt::spawn(connection);
        let hosted = |order: &str| {
            format!(
                "select {EVENT} from events where {VISIBLE} and host_municipality_code = $1 \
                 order by starts_at {order}, id {order} limit 21"
            )
        };
        let prepare = async |statement: String| client.prepare(&statement).await;
        Ok(Rc::new(Self {
            event: prepare(format!("select {EVENT} from events where {VISIBLE} and id = $1")).await?,
            tutor: prepare(format!("select {TUTOR} from tutors where id = $1")).await?,
            hosted: [prepare(hosted("asc")).await?, prepare(hosted("desc")).await?],
            kind: prepare(format!(
                "select {EVENT} from events where {VISIBLE} and kind = $1 and starts_at >= $2 \
                 and (starts_at > $2 or id > $3) order by starts_at, id limit 21"
            ))
            .await?,
            search: prepare(format!(
                "select {EVENT} from events where {VISIBLE} and events.id = any(array(select id from events where search @@ \
                 (select search_query($1)))) order by search_rank(events.search, (select search_query($1))) desc, id limit 21"
            ))
            .await?,
            insert: prepare(format!(
                "insert into feedback (id, source, respondent, external_id, event_id, direction, municipality_code, rating, \
                 useful, themes_wanted, comment, language, publish_consent) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning {FEEDBACK}"
            ))
            .await?,
            replace: prepare(format!(
                "update events set external_id = $3, title = $4, description = $5, kind = $6, modality = $7, starts_at = $8, \
                 ends_at = $9, time_zone = $10, venue = $11, online_url = $12, host_municipality_code = $13, tutors = $14, \
                 themes = $15, languages = $16, audience = $17, capacity = $18, registration_opens_at = $19, \
                 registration_closes_at = $20, status = $21, status_reason = $22 \
                 where id = $1 and version = $2 returning {EVENT}"
            ))
            .await?,
            client,
        }))
    }

    async fn rows(&self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.client.query(statement, values).await.unwrap_or_default()
    }
}

/// Serves until the process is killed.
pub(crate) fn serve(database_url: &str, port: u16, workers: usize) {
    let url = database_url.to_owned();
    let app = move || {
        let url = url.clone();
        App::new()
            .data_factory(move || Floor::connect(url.clone()))
            .route("/v1/events/{id}", get().to(get_event))
            .route("/v1/events/{id}", put().to(replace_event))
            .route("/v1/tutors/{id}", get().to(get_tutor))
            .route("/v1/events", get().to(list_events))
            .route("/v1/feedback", post().to(create_feedback))
    };
    let serving = async { HttpServer::new(app).workers(workers).bind(("127.0.0.1", port))?.run().await };
    actix_web::rt::System::new().block_on(serving).unwrap();
}

/// Returns one row, or 404.
fn single(status: actix_web::http::StatusCode, row: Option<&Row>) -> HttpResponse {
    let Some(row) = row else { return HttpResponse::NotFound().finish() };
    let mut body = Vec::with_capacity(1024);
    rows::write(&mut body, row);
    HttpResponse::build(status).content_type("application/json").insert_header(("ETag", tag(row))).body(body)
}

fn tag(row: &Row) -> String {
    format!("\"{}-full\"", row.get::<_, i64>("version"))
}

async fn get_event(id: Path<Uuid>, request: HttpRequest, floor: Data<Rc<Floor>>) -> HttpResponse {
    let rows = floor.rows(&floor.event, &[&*id]).await;
    if let (Some(known), Some(row)) = (request.headers().get("If-None-Match"), rows.first()) {
        let tag = tag(row);
        if known.as_bytes() == tag.as_bytes() {
            return HttpResponse::NotModified().insert_header(("ETag", tag)).finish();
        }
    }
    single(actix_web::http::StatusCode::OK, rows.first())
}

async fn get_tutor(id: Path<Uuid>, floor: Data<Rc<Floor>>) -> HttpResponse {
    single(actix_web::http::StatusCode::OK, floor.rows(&floor.tutor, &[&*id]).await.first())
}

/// The parameters of all lists that are measured.
#[derive(Deserialize)]
struct ListQuery {
    municipality: Option<String>,
    sort: Option<String>,
    kind: Option<String>,
    after: Option<DateTime<Utc>>,
    last: Option<Uuid>,
    q: Option<String>,
}

async fn list_events(query: Query<ListQuery>, floor: Data<Rc<Floor>>) -> HttpResponse {
    let rows = match &*query {
        ListQuery { q: Some(q), .. } => floor.rows(&floor.search, &[q]).await,
        ListQuery { kind: Some(kind), after: Some(after), last: Some(last), .. } => {
            floor.rows(&floor.kind, &[kind, after, last]).await
        }
        ListQuery { municipality, sort, .. } => {
            floor.rows(&floor.hosted[usize::from(sort.as_deref() == Some("-starts_at"))], &[municipality]).await
        }
    };
    let mut body = Vec::with_capacity(16384);
    body.extend_from_slice(b"{\"items\":[");
    for (index, row) in rows.iter().take(20).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        rows::write(&mut body, row);
    }
    match rows.get(20) {
        Some(row) => body.extend_from_slice(format!("],\"next\":\"{}\"}}", row.get::<_, Uuid>("id")).as_bytes()),
        None => body.extend_from_slice(b"],\"next\":null}"),
    }
    HttpResponse::Ok().content_type("application/json").body(body)
}

#[derive(Deserialize)]
struct Feedback {
    event_id: Uuid,
    direction: String,
    municipality_code: String,
    respondent: String,
    external_id: Option<String>,
    rating: Option<i32>,
    useful: Option<bool>,
    #[serde(default)]
    themes_wanted: Vec<String>,
    comment: Option<String>,
    language: Option<String>,
    #[serde(default)]
    publish_consent: bool,
}

async fn create_feedback(body: Bytes, floor: Data<Rc<Floor>>) -> HttpResponse {
    let Ok(new) = serde_json::from_slice::<Feedback>(&body) else { return HttpResponse::BadRequest().finish() };
    let values: [&(dyn ToSql + Sync); 13] = [
        &Uuid::now_v7(),
        &"floor",
        &new.respondent,
        &new.external_id,
        &new.event_id,
        &new.direction,
        &new.municipality_code,
        &new.rating,
        &new.useful,
        &new.themes_wanted,
        &new.comment,
        &new.language,
        &new.publish_consent,
    ];
    single(actix_web::http::StatusCode::CREATED, floor.rows(&floor.insert, &values).await.first())
}

#[derive(Deserialize)]
struct Event<'a> {
    external_id: Option<String>,
    #[serde(borrow)]
    title: Json<&'a RawValue>,
    description: Option<Json<&'a RawValue>>,
    kind: String,
    modality: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    time_zone: String,
    venue: Option<Json<&'a RawValue>>,
    online_url: Option<String>,
    host_municipality_code: Option<String>,
    tutors: Vec<Uuid>,
    themes: Vec<String>,
    languages: Vec<String>,
    audience: Vec<String>,
    capacity: Option<i32>,
    registration_opens_at: Option<DateTime<Utc>>,
    registration_closes_at: Option<DateTime<Utc>>,
    status: String,
    status_reason: Option<Json<&'a RawValue>>,
}

async fn replace_event(id: Path<Uuid>, request: HttpRequest, body: Bytes, floor: Data<Rc<Floor>>) -> HttpResponse {
    let Ok(new) = serde_json::from_slice::<Event<'_>>(&body) else { return HttpResponse::BadRequest().finish() };
    let expected = request.headers().get("If-Match").and_then(|value| value.to_str().ok());
    let version = expected.and_then(|tag| tag.trim_matches('"').split('-').next()?.parse::<i64>().ok());
    let Some(version) = version else { return HttpResponse::PreconditionRequired().finish() };
    let values: [&(dyn ToSql + Sync); 22] = [
        &*id,
        &version,
        &new.external_id,
        &new.title,
        &new.description,
        &new.kind,
        &new.modality,
        &new.starts_at,
        &new.ends_at,
        &new.time_zone,
        &new.venue,
        &new.online_url,
        &new.host_municipality_code,
        &new.tutors,
        &new.themes,
        &new.languages,
        &new.audience,
        &new.capacity,
        &new.registration_opens_at,
        &new.registration_closes_at,
        &new.status,
        &new.status_reason,
    ];
    single(actix_web::http::StatusCode::OK, floor.rows(&floor.replace, &values).await.first())
}
