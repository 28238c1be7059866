//! The operations on tutors.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    list,
    model::{Tutor, TutorFilter, TutorInput, TutorPatch, TutorRow},
    scopes::{TutorsRead, TutorsWrite},
    store,
};
use crate::{
    db::{Conn, Db, batching::response_cache::ResponseCache},
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{CreateProblems, DeleteProblems, GetProblems, ListProblems, NotModified, WriteProblems},
        output::cached::{RenderedResource, render_resource},
    },
    problem::Result,
    resources::update,
};

/// List tutors
///
/// Every caller sees all tutors. Filters narrow the list. `name` and `contact` are null when `visibility` hides them from
/// you.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsRead]), ("client_credentials" = [TutorsRead])),
    params(TutorFilter, PageQuery),
    responses((status = 200, description = "A page of tutors", body = Page<Tutor>), ListProblems),
)]
#[get("/v1/tutors")]
pub(super) async fn list_tutors(
    caller: Caller<TutorsRead>,
    query: List<TutorFilter>,
    db: Data<Db>,
) -> Result<Page<Tutor>> {
    let page = async |conn: &Conn| list::list(conn, &caller.reach, &query).await;
    if query.filter.q.is_some() { db.read_long(page).await } else { db.read(page).await }
}

/// Create a tutor
///
/// You may create tutors of a municipality for which you may write, unless you are a tutor yourself. A tutor that a partner
/// system creates has the `source` of that system. An `external_id` is unique within a source.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsWrite]), ("client_credentials" = [TutorsWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new tutor", body = Tutor,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/tutors")]
pub(super) async fn create_tutor(
    caller: Caller<TutorsWrite>,
    key: IdempotencyKey,
    Json(new): Json<TutorInput>,
    db: Data<Db>,
) -> Result<Created<Tutor>> {
    key.once(&db, caller, new, store::create).await
}

/// Get a tutor
///
/// `name` and `contact` are null when `visibility` hides them from you. The `ETag` differs between responses with and
/// without them.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsRead]), ("client_credentials" = [TutorsRead])),
    params(("id" = Uuid, Path, example = "016f5e66-e800-77d9-b280-c3e7158e0c62", description = "The id of the tutor")),
    responses((status = 200, description = "The tutor", body = Tutor, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/tutors/{id}")]
pub(super) async fn get_tutor(
    caller: Caller<TutorsRead>,
    id: Path<Uuid>,
    cache: Data<ResponseCache>,
    db: Data<Db>,
) -> Result<RenderedResource> {
    let render = async || render_resource(&store::look_up(&db, &caller.reach, *id).await?);
    cache.answer(&db, "tutors", caller.cache_key(format!("/v1/tutors/{id}")), render).await.map(RenderedResource)
}

/// Replace a tutor
///
/// The coordinator may change every tutor. A municipality and its partner systems may change their own tutors, but not move
/// them to another municipality. Tutors may change every field of their own profile except `municipality_code`.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsWrite]), ("client_credentials" = [TutorsWrite])),
    params(("id" = Uuid, Path, example = "016f5e66-e800-77d9-b280-c3e7158e0c62",
        description = "The id of the tutor"), IfMatch),
    request_body = TutorInput,
    responses((status = 200, description = "The tutor after the change", body = Tutor, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/tutors/{id}")]
pub(super) async fn replace_tutor(
    caller: Caller<TutorsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<TutorInput>,
    db: Data<Db>,
) -> Result<Json<Tutor>> {
    update::replace::<TutorRow, _>(&db, caller, *id, if_match, new).await
}

/// Change a tutor
///
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsWrite]), ("client_credentials" = [TutorsWrite])),
    params(("id" = Uuid, Path, example = "016f5e66-e800-77d9-b280-c3e7158e0c62",
        description = "The id of the tutor"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = TutorPatch,
        example = json!({"status": "paused", "title": {"sv": "Kommuntutor"}})),
    responses((status = 200, description = "The tutor after the change", body = Tutor, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/tutors/{id}")]
pub(super) async fn patch_tutor(
    caller: Caller<TutorsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Tutor>> {
    update::patch::<TutorRow, _>(&db, caller, *id, if_match, patch).await
}

/// Delete a tutor
///
/// You may delete tutors of a municipality for which you may write, unless you are a tutor yourself. The operation returns
/// 409 when events or an account refer to the tutor. Do not delete a tutor who leaves: set `status` to `ended`.
#[utoipa::path(
    tag = "tutors",
    security(("bearer" = [TutorsWrite]), ("client_credentials" = [TutorsWrite])),
    params(("id" = Uuid, Path, example = "016f5e66-e800-77d9-b280-c3e7158e0c62",
        description = "The id of the tutor"), IfMatch),
    responses((status = 204, description = "The tutor is deleted"), DeleteProblems),
)]
#[delete("/v1/tutors/{id}")]
pub(super) async fn delete_tutor(
    caller: Caller<TutorsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<TutorRow, _>(&db, caller, *id, if_match).await
}
