//! The operations on municipalities.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};

use super::{
    merger::{
        model::{Merger, MergerInput, MergerQuery},
        store::merge,
    },
    model::{Municipality, MunicipalityFilter, MunicipalityInput, MunicipalityPatch},
    scopes::{MunicipalitiesRead, MunicipalitiesWrite},
    store,
};
use crate::{
    db::{Conn, Db},
    domain::MunicipalityCode,
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{
            CreateProblems, DeleteProblems, GetProblems, ListProblems, MergerProblems, NotModified, WriteProblems,
        },
        output::json::PlainJson,
    },
    problem::Result,
    resources::update,
};

/// List municipalities
///
/// Every caller sees all municipalities. Filters narrow the list.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesRead]), ("client_credentials" = [MunicipalitiesRead])),
    params(MunicipalityFilter, PageQuery),
    responses((status = 200, description = "A page of municipalities", body = Page<Municipality>), ListProblems),
)]
#[get("/v1/municipalities")]
pub(super) async fn list_municipalities(
    _caller: Caller<MunicipalitiesRead>,
    list: List<MunicipalityFilter>,
    db: Data<Db>,
) -> Result<Page<Municipality>> {
    db.read(async |conn| store::list(conn, &list).await).await
}

/// Create a municipality
///
/// Only the coordinator may create municipalities.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesWrite]), ("client_credentials" = [MunicipalitiesWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new municipality", body = Municipality,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/municipalities")]
pub(super) async fn create_municipality(
    caller: Caller<MunicipalitiesWrite>,
    key: IdempotencyKey,
    Json(new): Json<MunicipalityInput>,
    db: Data<Db>,
) -> Result<Created<Municipality>> {
    key.once(&db, caller, new, store::create).await
}

/// Get a municipality
///
/// A municipality is identified by its three-digit code: Helsinki is `091`.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesRead]), ("client_credentials" = [MunicipalitiesRead])),
    params(("code" = String, Path, min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "091",
        description = "The code of the municipality")),
    responses((status = 200, description = "The municipality", body = Municipality, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/municipalities/{code}")]
pub(super) async fn get_municipality(
    _caller: Caller<MunicipalitiesRead>,
    code: Path<MunicipalityCode>,
    db: Data<Db>,
) -> Result<Json<Municipality>> {
    store::look_up(&db, code.into_inner()).await.map(Json)
}

/// Replace a municipality
///
/// The coordinator may change every field but `code`. A municipality may change its own `support_stage`, `support_since`,
/// `website` and `profile`; it sends the other fields unchanged.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesWrite]), ("client_credentials" = [MunicipalitiesWrite])),
    params(("code" = String, Path, min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "091",
        description = "The code of the municipality"), IfMatch),
    request_body = MunicipalityInput,
    responses((status = 200, description = "The municipality after the change", body = Municipality,
        headers(("ETag" = String))), WriteProblems),
)]
#[put("/v1/municipalities/{code}")]
pub(super) async fn replace_municipality(
    caller: Caller<MunicipalitiesWrite>,
    code: Path<MunicipalityCode>,
    if_match: IfMatch,
    new: Replacement<MunicipalityInput>,
    db: Data<Db>,
) -> Result<Json<Municipality>> {
    update::replace::<Municipality, _>(&db, caller, code.into_inner(), if_match, new).await
}

/// Change a municipality
///
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesWrite]), ("client_credentials" = [MunicipalitiesWrite])),
    params(("code" = String, Path, min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "091",
        description = "The code of the municipality"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = MunicipalityPatch,
        example = json!({"support_stage": "developing", "profile": {"en": "We begin with the libraries."}})),
    responses((status = 200, description = "The municipality after the change", body = Municipality,
        headers(("ETag" = String))), WriteProblems),
)]
#[patch("/v1/municipalities/{code}")]
pub(super) async fn patch_municipality(
    caller: Caller<MunicipalitiesWrite>,
    code: Path<MunicipalityCode>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Municipality>> {
    update::patch::<Municipality, _>(&db, caller, code.into_inner(), if_match, patch).await
}

/// Delete a municipality
///
/// Only the coordinator may delete municipalities. The operation returns 409 while tutors, events, feedback or accounts
/// refer to the municipality.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesWrite]), ("client_credentials" = [MunicipalitiesWrite])),
    params(("code" = String, Path, min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "091",
        description = "The code of the municipality"), IfMatch),
    responses((status = 204, description = "The municipality is deleted"), DeleteProblems),
)]
#[delete("/v1/municipalities/{code}")]
pub(super) async fn delete_municipality(
    caller: Caller<MunicipalitiesWrite>,
    code: Path<MunicipalityCode>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<Municipality, _>(&db, caller, code.into_inner(), if_match).await
}

/// Merge a municipality into another
///
/// Only the coordinator may merge municipalities. Everything that is still in use moves to the successor at once:
/// accounts, clients, calendar links, tutors who have not ended, and events that have not been held, with their hosts,
/// venues and audiences. Held events and feedback keep the old code. From then on a write that names the old code is
/// 422 (`municipality_ended`), and says which code to use. With `dry_run` nothing is written. A merger that is sent
/// again changes nothing.
#[utoipa::path(
    tag = "municipalities",
    security(("bearer" = [MunicipalitiesWrite]), ("client_credentials" = [MunicipalitiesWrite])),
    params(("code" = String, Path, min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "091",
        description = "The code of the municipality that ends"), MergerQuery),
    request_body = MergerInput,
    responses((status = 200, description = "What the merger has done, or would do", body = Merger), MergerProblems),
)]
#[post("/v1/municipalities/{code}/merger")]
pub(super) async fn merge_municipality(
    caller: Caller<MunicipalitiesWrite>,
    code: Path<MunicipalityCode>,
    query: MergerQuery,
    Json(new): Json<MergerInput>,
    db: Data<Db>,
) -> Result<PlainJson<Merger>> {
    let (author, reach, code) = (caller.author(), caller.reach, code.into_inner());
    let work = async move |conn: &Conn| merge(conn, &reach, code, new, query.dry_run).await;
    db.write(author, work).await.map(PlainJson)
}
