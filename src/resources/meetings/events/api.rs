//! The operations on events.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    filter::EventFilter,
    include::{EventPage, EventResponse, Include, find_with, list_with},
    model::{Event, EventInput, EventPatch, EventRow},
    scopes::{EventsRead, EventsWrite},
    store,
};
use crate::{
    db::{Conn, Db, batching::response_cache::ResponseCache},
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{
            CreateProblems, DeleteProblems, IncludingProblems, ListProblems, NotModified, WriteProblems,
        },
        output::cached::{RenderedPage, RenderedResource, render_page, render_resource},
    },
    problem::Result,
    resources::update,
};

/// List events
///
/// Returns all events except drafts, which only their host and the coordinator see. `include` adds their tutors, themes and
/// hosts.
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
    cache: Data<ResponseCache>,
    db: Data<Db>,
) -> Result<RenderedPage> {
    let included = include.reaches(&caller)?;
    let is_search = list.filter.q.is_some();
    let is_plain = included.is_empty() && list.filter.region.is_empty();
    let render = async || {
        let read = async |conn: &Conn| list_with(conn, &caller.reach, &included, &list).await;
        let page = if is_search { db.read_long(read).await? } else { db.read(read).await? };
        render_page(&page, page.items.len(), page.next.as_deref())
    };
    // Not cached: the ledger of events does not record changes of search synonyms, of included resources and of
    // regions.
    if is_search || !is_plain {
        return render().await.map(RenderedPage);
    }
    cache.answer(&db, "events", caller.cache_key(list.page.uri()), render).await.map(RenderedPage)
}

/// Create an event
///
/// Creates an event of a municipality for which you may write. The event is a draft: to publish it, change its `status`.
/// Only the coordinator may create an event in another state, to record past events.
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
/// `online_url` is null unless you are signed in and belong to the host, the tutors or the audience of the event. `include`
/// adds its tutors, its themes and its host. The `ETag` then covers the whole response; `If-Match` accepts it too.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(("id" = Uuid, Path, description = "The id of the event"), Include),
    responses((status = 200, description = "The event", body = EventResponse, headers(("ETag" = String))), NotModified,
        IncludingProblems),
)]
#[get("/v1/events/{id}")]
pub(super) async fn get_event(
    caller: Caller<EventsRead>,
    id: Path<Uuid>,
    include: Include,
    cache: Data<ResponseCache>,
    db: Data<Db>,
) -> Result<RenderedResource> {
    let included = include.reaches(&caller)?;
    let render = async || render_resource(&find_with(&db, &caller.reach, &included, *id).await?);
    if !included.is_empty() {
        return render().await.map(RenderedResource);
    }
    cache.answer(&db, "events", caller.cache_key(format!("/v1/events/{id}")), render).await.map(RenderedResource)
}

/// Replace an event
///
/// Replaces an event of a municipality for which you may write. A new `status` changes the state; if that is not allowed,
/// the 409 names the states that may follow. When the start of an event that is not a draft changes, `previous_starts_at`
/// records the earlier start.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The id of the event"), IfMatch),
    request_body = EventInput,
    responses((status = 200, description = "The event after the change", body = Event, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/events/{id}")]
pub(super) async fn replace_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<EventInput>,
    db: Data<Db>,
) -> Result<Json<Event>> {
    update::replace::<EventRow, _>(&db, caller, *id, if_match, new).await
}

/// Change an event
///
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The id of the event"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = EventPatch, example = json!({"status": "published"})),
    responses((status = 200, description = "The event after the change", body = Event, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/events/{id}")]
pub(super) async fn patch_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Event>> {
    update::patch::<EventRow, _>(&db, caller, *id, if_match, patch).await
}

/// Delete an event
///
/// Deletes an event of a municipality for which you may write. The operation returns 409 for an event that has feedback:
/// cancel the event instead.
#[utoipa::path(
    tag = "events",
    security(("bearer" = [EventsWrite]), ("client_credentials" = [EventsWrite])),
    params(("id" = Uuid, Path, description = "The id of the event"), IfMatch),
    responses((status = 204, description = "The event is deleted"), DeleteProblems),
)]
#[delete("/v1/events/{id}")]
pub(super) async fn delete_event(
    caller: Caller<EventsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<EventRow, _>(&db, caller, *id, if_match).await
}
