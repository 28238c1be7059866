//! The operations that give calendars.

use actix_web::{
    HttpRequest, get,
    web::{Data, Path},
};

use super::{
    model::{Calendar, CalendarQuery},
    store::Calendars,
};
use crate::{
    db::{Db, time_limit::within_limit},
    domain::MunicipalityCode,
    http::{
        Caller, KnownParameters,
        input::accept,
        openapi::responses::{CalendarProblems, LinkedProblems, ListProblems, NotModified},
    },
    problem::Result,
    resources::meetings::{calendar_links, events::scopes::EventsRead},
};

/// The calendar of all events
///
/// For calendar programs (RFC 5545): the 500 events that start next and the 500 that started last, but for drafts. A
/// postponed event is `TENTATIVE`, a cancelled one `CANCELLED`. Most calendar programs send no token: make a link for
/// them at `/v1/calendar-links`.
#[utoipa::path(
    tag = "calendars",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(CalendarQuery),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "Weak: another one when an event of the calendar changes"))),
        NotModified, ListProblems),
)]
#[get("/v1/events.ics")]
pub(super) async fn get_events_calendar(
    caller: Caller<EventsRead>,
    query: CalendarQuery,
    calendars: Calendars,
) -> Result<Calendar> {
    calendars.get(&caller.reach, None, query.lang.unwrap_or_default()).await
}

/// The calendar of a municipality
///
/// As the calendar of all events, of those that the municipality holds and those that are tailored to it.
#[utoipa::path(
    tag = "calendars",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(("code" = String, Path, description = "The municipality's code", min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "049"),
        CalendarQuery),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "Weak: another one when an event of the calendar changes"))),
        NotModified, CalendarProblems),
)]
#[get("/v1/municipalities/{code}/events.ics")]
pub(super) async fn get_municipality_calendar(
    caller: Caller<EventsRead>,
    code: Path<MunicipalityCode>,
    query: CalendarQuery,
    calendars: Calendars,
) -> Result<Calendar> {
    calendars.get(&caller.reach, Some(&code), query.lang.unwrap_or_default()).await
}

/// The calendar of a link
///
/// For calendar programs, which send no token: the address itself is the secret. It shows what the link's owner may see,
/// for as long as the owner is let in and the link is not deleted.
#[utoipa::path(
    tag = "calendars",
    security(()),
    params(("secret" = String, Path, description = "The link's secret", min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$",
        example = "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "Weak: another one when an event of the calendar changes"))),
        NotModified, LinkedProblems),
)]
#[get("/calendar/{secret}.ics")]
pub(super) async fn get_linked_calendar(
    _: KnownParameters,
    request: HttpRequest,
    secret: Path<String>,
    db: Data<Db>,
    calendars: Calendars,
) -> Result<Calendar> {
    accept::require(&request)?;
    within_limit(Box::pin(async {
        let link = db.read_long(async |conn| calendar_links::store::open(conn, &secret).await).await?;
        calendars.get(&link.reach, link.municipality_code.as_ref(), link.language).await
    }))
    .await
}
