//! The operations on events.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    LEDGER,
    filter::EventFilter,
    include::{self, EventAnswer, EventPage, Include},
    list,
    model::{Event, EventInput, EventPatch},
    store,
};
use crate::{
    auth::{
        Caller,
        scopes::{EventsRead, EventsWrite},
    },
    db::{Conn, Db},
    http::{
        Created, IdempotencyKey, IfMatch, Json, List, NoContent, Patch,
        cache::Cache,
        document::{CreateProblems, DeleteProblems, IncludingProblems, ListProblems, NotModified, WriteProblems},
        list::PageQuery,
        respond::{WrittenPage, WrittenResource},
    },
    problem::Result,
};

/// List events
///
/// All but drafts, which only their host and the coordinator see. `include` sends their tutors, themes and hosts along.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(EventFilter, PageQuery, Include),
    responses((status = 200, description = "A page of events", body = EventPage), ListProblems),
)]
#[get("/v1/events")]
pub(super) async fn list_events(
    caller: Caller<EventsRead>,
    list: List<EventFilter>,
    include: Include,
    pages: Data<Cache<WrittenPage>>,
    db: Data<Db>,
) -> Result<WrittenPage> {
    let wanted = include.by(&caller)?;
    let page = async |conn: &Conn| include::list(conn, &caller.reach, &wanted, &list).await;
    let is_search = list.filter.q.is_some();
    let write = async || if is_search { db.read_long(page).await } else { db.read(page).await };
    // To validate a search costs what it costs to answer it; what is included has versions of its own.
    if is_search || !wanted.nothing_else() {
        return write().await.map(|(_, page)| page);
    }
    let ledger = async || db.ledger(LEDGER).await;
    let versions = async || db.read(async |conn| list::versions(conn, &caller.reach, &list).await).await;
    let asked = (caller.reach.clone(), list.page.asked().to_owned());
    pages.answer(asked, ledger, versions, write).await
}

/// Create an event
///
/// For a municipality that you write for, as a draft: publish it by writing `status`. The coordinator may create in
/// any state, to record the past.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new event", body = Event,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/events")]
pub(super) async fn create_event(
    caller: Caller<EventsWrite>,
    key: IdempotencyKey,
    Json(new): Json<EventInput>,
    db: Data<Db>,
) -> Result<Created<Event>> {
    key.once(&db, caller, new, store::create).await
}

/// Get an event
///
/// `online_url` is null unless you are its host, one of its tutors or a member of its audience. `include` sends its
/// tutors, its themes and its host along; the `ETag` is then of all that is sent, and as good for `If-Match`.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(("id" = Uuid, Path, description = "The event's id"), Include),
    responses((status = 200, description = "The event", body = EventAnswer, headers(("ETag" = String))), NotModified,
        IncludingProblems),
)]
#[get("/v1/events/{id}")]
pub(super) async fn get_event(
    caller: Caller<EventsRead>,
    id: Path<Uuid>,
    include: Include,
    written: Data<Cache<WrittenResource>>,
    db: Data<Db>,
) -> Result<WrittenResource> {
    let (reach, wanted) = (&caller.reach, include.by(&caller)?);
    let find = async || include::find(&db, reach, &wanted, *id).await;
    // What is included has versions of its own.
    if !wanted.nothing_else() {
        return WrittenResource::of(&find().await?);
    }
    written.resource(reach, *id, async || store::version(&db, reach, *id).await, find).await
}

/// Replace an event
///
/// Of a municipality that you write for. Writing `status` changes its state; 409 tells which states may follow. When
/// an event that is no draft moves, `previous_starts_at` keeps what was announced before.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The event's id"), IfMatch),
    responses((status = 200, description = "The event as it is now", body = Event, headers(("ETag" = String))), WriteProblems),
)]
#[put("/v1/events/{id}")]
pub(super) async fn replace_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    Json(new): Json<EventInput>,
    db: Data<Db>,
) -> Result<Json<Event>> {
    let (reach, expected) = (caller.reach.clone(), if_match.required()?);
    db.write(caller.author(), async move |conn| store::replace(conn, &reach, *id, &expected, new).await).await.map(Json)
}

/// Change an event
///
/// A JSON Merge Patch (RFC 7396): fields that are left out stay, null removes. The rules are those of `PUT`.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The event's id"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = EventPatch, example = json!({"status": "published"})),
    responses((status = 200, description = "The event as it is now", body = Event, headers(("ETag" = String))), WriteProblems),
)]
#[patch("/v1/events/{id}")]
pub(super) async fn patch_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Event>> {
    let (reach, expected) = (caller.reach.clone(), if_match.required()?);
    db.write(caller.author(), async move |conn| store::patch(conn, &reach, *id, &expected, &patch).await)
        .await
        .map(Json)
}

/// Delete an event
///
/// Of a municipality that you write for; 409 once there is feedback on it: cancel it instead.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The event's id"), IfMatch),
    responses((status = 204, description = "It is gone"), DeleteProblems),
)]
#[delete("/v1/events/{id}")]
pub(super) async fn delete_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    let (reach, expected) = (caller.reach.clone(), if_match.required()?);
    db.write(caller.author(), async move |conn| store::delete(conn, &reach, *id, &expected).await).await?;
    Ok(NoContent)
}
