//! The operations on calendar links.

use actix_web::{
    delete, get, post,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    model::{CalendarLink, CalendarLinkFilter, CalendarLinkInput, CreatedCalendarLink},
    scopes::{CalendarLinksRead, CalendarLinksWrite},
    store,
};
use crate::{
    config::Config,
    db::{Conn, Db},
    http::{
        Caller, Created, IfMatch, Json, List, NoContent, Page,
        input::list::PageQuery,
        openapi::responses::{CreateProblems, DeleteProblems, GetProblems, ListProblems, NotModified},
    },
    problem::Result,
};

/// List calendar links
///
/// Returns your own calendar links, without their secret addresses. The coordinator sees the links of all callers.
#[utoipa::path(
    tag = "calendar-links",
    security(("bearer" = [CalendarLinksRead]), ("client_credentials" = [CalendarLinksRead])),
    params(CalendarLinkFilter, PageQuery),
    responses((status = 200, description = "A page of calendar links", body = Page<CalendarLink>), ListProblems),
)]
#[get("/v1/calendar-links")]
pub(super) async fn list_calendar_links(
    caller: Caller<CalendarLinksRead>,
    list: List<CalendarLinkFilter>,
    db: Data<Db>,
) -> Result<Page<CalendarLink>> {
    db.read(async |conn| store::list(conn, &caller.reach, &list).await).await
}

/// Create a calendar link
///
/// Creates a secret address of a calendar, for a calendar program that sends no token. Only this response has the address.
/// Keep it to yourself, because the calendar shows the events that you may see. Create a link for each program, so that you
/// can revoke one without the others.
#[utoipa::path(
    tag = "calendar-links",
    security(("bearer" = [CalendarLinksWrite]), ("client_credentials" = [CalendarLinksWrite])),
    responses((status = 201, description = "The new calendar link with its secret address", body = CreatedCalendarLink,
        headers(("ETag" = String), ("Location" = String))), CreateProblems),
)]
#[post("/v1/calendar-links")]
pub(super) async fn create_calendar_link(
    caller: Caller<CalendarLinksWrite>,
    Json(new): Json<CalendarLinkInput>,
    config: Data<Config>,
    db: Data<Db>,
) -> Result<Created<CreatedCalendarLink>> {
    let (reach, public_url) = (caller.reach.clone(), config.public_url.clone());
    let create = async move |conn: &Conn| store::create(conn, &reach, &public_url, new).await;
    db.write(caller.author(), create).await.map(Created::New)
}

/// Get a calendar link
///
/// Returns one of your own calendar links, without its secret address. The coordinator sees the links of all callers.
#[utoipa::path(
    tag = "calendar-links",
    security(("bearer" = [CalendarLinksRead]), ("client_credentials" = [CalendarLinksRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the calendar link")),
    responses((status = 200, description = "The calendar link", body = CalendarLink, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/calendar-links/{id}")]
pub(super) async fn get_calendar_link(
    caller: Caller<CalendarLinksRead>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<CalendarLink>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Revoke a calendar link
///
/// Deletes the calendar link. Its address returns 404 from then on. The coordinator can revoke the links of all callers.
#[utoipa::path(
    tag = "calendar-links",
    security(("bearer" = [CalendarLinksWrite]), ("client_credentials" = [CalendarLinksWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the calendar link"), IfMatch),
    responses((status = 204, description = "The calendar link is revoked"), DeleteProblems),
)]
#[delete("/v1/calendar-links/{id}")]
pub(super) async fn delete_calendar_link(
    caller: Caller<CalendarLinksWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    let (reach, expected) = (caller.reach.clone(), if_match.required()?);
    db.write(caller.author(), async move |conn| store::delete(conn, &reach, *id, &expected).await).await?;
    Ok(NoContent)
}
