//! The operations on themes.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};

use super::{
    model::{Theme, ThemeFilter, ThemeInput, ThemePatch},
    scopes::{ThemesRead, ThemesWrite},
    store,
};
use crate::{
    db::Db,
    domain::ThemeSlug,
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{CreateProblems, DeleteProblems, GetProblems, ListProblems, NotModified, WriteProblems},
    },
    problem::Result,
    resources::update,
};

/// List themes
///
/// Every caller sees all themes. Filters narrow the list. The `kind` of a theme is `theme` for a subject of support and
/// `form` for a form in which support is given.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesRead]), ("client_credentials" = [ThemesRead])),
    params(ThemeFilter, PageQuery),
    responses((status = 200, description = "A page of themes", body = Page<Theme>), ListProblems),
)]
#[get("/v1/themes")]
pub(super) async fn list_themes(
    _caller: Caller<ThemesRead>,
    list: List<ThemeFilter>,
    db: Data<Db>,
) -> Result<Page<Theme>> {
    db.read(async |conn| store::list(conn, &list).await).await
}

/// Create a theme
///
/// Only the coordinator may create themes.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new theme", body = Theme,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/themes")]
pub(super) async fn create_theme(
    caller: Caller<ThemesWrite>,
    key: IdempotencyKey,
    Json(new): Json<ThemeInput>,
    db: Data<Db>,
) -> Result<Created<Theme>> {
    key.once(&db, caller, new, store::create).await
}

/// Get a theme
///
/// A theme is identified by its slug.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesRead]), ("client_credentials" = [ThemesRead])),
    params(("slug" = String, Path, max_length = 100, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "training",
        description = "The slug of the theme")),
    responses((status = 200, description = "The theme", body = Theme, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/themes/{slug}")]
pub(super) async fn get_theme(_caller: Caller<ThemesRead>, slug: Path<ThemeSlug>, db: Data<Db>) -> Result<Json<Theme>> {
    db.read(async |conn| store::find(conn, &slug).await).await.map(Json)
}

/// Replace a theme
///
/// Only the coordinator may change themes. `slug` never changes. `parent` must be neither the theme itself nor part of it.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesWrite])),
    params(("slug" = String, Path, max_length = 100, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "training",
        description = "The slug of the theme"), IfMatch),
    request_body = ThemeInput,
    responses((status = 200, description = "The theme after the change", body = Theme, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/themes/{slug}")]
pub(super) async fn replace_theme(
    caller: Caller<ThemesWrite>,
    slug: Path<ThemeSlug>,
    if_match: IfMatch,
    new: Replacement<ThemeInput>,
    db: Data<Db>,
) -> Result<Json<Theme>> {
    update::replace::<Theme, _>(&db, caller, slug.into_inner(), if_match, new).await
}

/// Change a theme
///
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesWrite])),
    params(("slug" = String, Path, max_length = 100, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "training",
        description = "The slug of the theme"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = ThemePatch,
        example = json!({"parent": null, "name": {"en": "Adult education"}})),
    responses((status = 200, description = "The theme after the change", body = Theme, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/themes/{slug}")]
pub(super) async fn patch_theme(
    caller: Caller<ThemesWrite>,
    slug: Path<ThemeSlug>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Theme>> {
    update::patch::<Theme, _>(&db, caller, slug.into_inner(), if_match, patch).await
}

/// Delete a theme
///
/// Only the coordinator may delete themes. The operation returns 409 while other themes, tutors, events or feedback refer
/// to the theme.
#[utoipa::path(
    tag = "themes",
    security(("bearer" = [ThemesWrite])),
    params(("slug" = String, Path, max_length = 100, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "training",
        description = "The slug of the theme"), IfMatch),
    responses((status = 204, description = "The theme is deleted"), DeleteProblems),
)]
#[delete("/v1/themes/{slug}")]
pub(super) async fn delete_theme(
    caller: Caller<ThemesWrite>,
    slug: Path<ThemeSlug>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<Theme, _>(&db, caller, slug.into_inner(), if_match).await
}
