//! The operations on calendars.

use actix_web::{
    HttpRequest, get,
    web::{Data, Path},
};

use super::{
    model::{Calendar, CalendarQuery, RegionalCalendarQuery},
    store::{CalendarOf, Calendars},
};
use crate::{
    db::{Db, time_limit::within_limit},
    domain::MunicipalityCode,
    http::{
        Caller,
        input::{accept, parameters::require_short},
        openapi::responses::{CalendarProblems, LinkedProblems, ListProblems, NotModified},
    },
    problem::Result,
    resources::meetings::{
        calendar_links::linked_calendar::{LinkedCalendar, find_by_secret},
        events::scopes::EventsRead,
    },
};

/// Get the calendar of all events
///
/// Returns a calendar in the format of calendar programs (iCalendar, RFC 5545). It has the next 500 events and the last 500
/// past events, without drafts. If it would have more than about 4 MiB, it has the events nearest in time, and its
/// description says so. A postponed event is `TENTATIVE`, and its title says that it is postponed; a cancelled event is
/// `CANCELLED`. The `UID` of an event is its id, the `ORGANIZER` is its host, and the `CATEGORIES` are its themes. Most
/// calendar programs send no token: create a calendar link for them at `/v1/calendar-links`.
#[utoipa::path(
    tag = "calendars",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(RegionalCalendarQuery),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "A weak entity tag. It changes with the calendar"))),
        NotModified, ListProblems),
)]
#[get("/v1/events.ics")]
pub(super) async fn get_events_calendar(
    caller: Caller<EventsRead>,
    query: RegionalCalendarQuery,
    calendars: Calendars,
) -> Result<Calendar> {
    let RegionalCalendarQuery { lang, region } = query;
    calendars.get(&caller.reach, &CalendarOf::Regions(region), lang.unwrap_or_default()).await
}

/// Get the calendar of a municipality
///
/// Returns a calendar like that of all events, but only with the events that the municipality hosts and those that are
/// tailored to it. The events of municipalities that have merged into it are among them, and the code of a municipality
/// that has ended returns the calendar of its successor.
#[utoipa::path(
    tag = "calendars",
    security(("bearer" = [EventsRead]), ("client_credentials" = [EventsRead])),
    params(("code" = String, Path, description = "The code of the municipality", min_length = 3, max_length = 3, pattern = "^[0-9]{3}$", example = "049"),
        CalendarQuery),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "A weak entity tag. It changes with the calendar"))),
        NotModified, CalendarProblems),
)]
#[get("/v1/municipalities/{code}/events.ics")]
pub(super) async fn get_municipality_calendar(
    caller: Caller<EventsRead>,
    code: Path<MunicipalityCode>,
    query: CalendarQuery,
    calendars: Calendars,
) -> Result<Calendar> {
    let of = CalendarOf::Municipality(code.into_inner());
    calendars.get(&caller.reach, &of, query.lang.unwrap_or_default()).await
}

/// Get the calendar of a calendar link
///
/// Returns a calendar for programs that send no token: the address itself is the secret. The calendar has the events
/// that the owner of the link may see at the time of the request. The address returns 404 once the link is revoked, or
/// its owner is disabled or may no longer read events. Some calendar programs add query parameters of their own, which
/// are ignored.
#[utoipa::path(
    tag = "calendars",
    security(()),
    params(("secret" = String, Path, description = "The secret of the calendar link", min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$",
        example = "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar",
        headers(("ETag" = String, description = "A weak entity tag. It changes with the calendar"))),
        NotModified, LinkedProblems),
)]
#[get("/calendar/{secret}.ics")]
pub(super) async fn get_linked_calendar(
    request: HttpRequest,
    secret: Path<String>,
    db: Data<Db>,
    calendars: Calendars,
) -> Result<Calendar> {
    require_short(request.query_string())?;
    accept::require(&request)?;
    within_limit(Box::pin(async {
        let LinkedCalendar { reach, municipality_code, language } =
            db.read_long(async |conn| find_by_secret(conn, &secret).await).await?;
        let of = municipality_code.map_or(CalendarOf::Regions(Vec::new()), CalendarOf::Municipality);
        calendars.get(&reach, &of, language).await
    }))
    .await
}
