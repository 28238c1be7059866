//! Lists of events: each filter walks an index in the order of the page.

use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    filter::{EventFilter, EventSort},
    links::{Leading, Position, Span, Walk, linked},
    model::{Event, EventRow},
    rules::REGION,
    store::{Visible, seen, visible_with_status},
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::any_of,
        search::{by_first_column, found, rank},
    },
    http::{List, Page, cache::Versions, list::PageRequest},
    problem::Result,
    schema::{
        event_audience, event_languages, event_themes, event_tutors,
        events::dsl::{self, id, starts_at},
    },
};

/// What `q` finds.
const FOUND: &str = "events.id = any(array(select id from events where search @@";

/// A page of events.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that is not of this list.
pub(super) async fn list(conn: &Conn, reach: &Reach, list: &List<EventFilter>) -> Result<(Versions, Page<Event>)> {
    let List { filter, page } = list;
    if let (None, Some(q)) = (filter.sort, &filter.q) {
        return by_rank(conn, reach, filter, q, page).await.map(|page| (Versions::new(), page));
    }
    let rows = walk(reach, filter, page)?.rows(conn).await?;
    let versions = rows.iter().map(|row| (row.id, row.version)).collect();
    Ok((versions, page.answer(rows, |row| Position(row.fields.starts_at, row.id)).map(seen(reach))))
}

/// What a page by time would show.
///
/// # Errors
/// As [`list`].
pub(super) async fn versions(conn: &Conn, reach: &Reach, list: &List<EventFilter>) -> Result<Versions> {
    walk(reach, &list.filter, &list.page)?.versions(conn).await
}

/// The way to a page by time.
fn walk(reach: &Reach, filter: &EventFilter, page: &PageRequest) -> Result<Walk> {
    let (sort, after) = (filter.sort.unwrap_or_default(), page.after::<Position>()?);
    let mut span = Span::of(filter);
    match (sort, &after) {
        (EventSort::StartsAt, Some(Position(time, _))) => span.from = span.from.max(*time),
        (EventSort::StartsAtDescending, Some(Position(time, _))) => span.to = span.to.min(*time),
        (_, None) => {}
    }
    let leading = Leading::of(filter);
    let query = filtered(reach, filter, leading.as_ref()).limit(page.fetch());
    Ok(Walk { query, leading, span, sort, after })
}

async fn by_rank(
    mut conn: &Conn,
    reach: &Reach,
    filter: &EventFilter,
    q: &str,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let rank = || rank("search_rank(events.search,", q);
    let Span { from, to } = Span::of(filter);
    let query = filtered(reach, filter, None).filter(starts_at.between(from, to));
    let mut query = query.limit(page.fetch()).order((by_first_column(), id));
    if let Some((least, last)) = page.after::<(f32, Uuid)>()? {
        query = query.filter(rank().le(least)).filter(rank().lt(least).or(id.gt(last)));
    }
    let rows: Vec<(f32, EventRow)> = query.select((rank(), EventRow::as_select())).load(&mut conn).await?;
    let ranked = page.answer(rows, |(rank, row)| (*rank, row.id));
    Ok(ranked.map(|(_, row)| seen(reach)(row)))
}

/// The events that pass the filters, at whatever time; the leading one is left to the walk along its links.
fn filtered(reach: &Reach, filter: &EventFilter, leading: Option<&Leading>) -> Visible {
    let mut query = visible_with_status(reach, &filter.status);
    if let Some(before) = filter.starts_before {
        query = query.filter(starts_at.lt(before));
    }
    query = any_of!(query, dsl::host_municipality_code, filter.municipality);
    query = any_of!(query, dsl::kind, filter.kind);
    query = any_of!(query, dsl::modality, filter.modality);
    query = any_of!(query, dsl::source, filter.source);
    query = any_of!(query, dsl::external_id, filter.external_id);
    if !matches!(leading, Some(Leading::Tutor(_))) {
        query = linked!(query, filter.tutor, event_tutors, tutor_id);
    }
    if !matches!(leading, Some(Leading::Theme(_))) {
        query = linked!(query, filter.theme, event_themes, theme_slug);
    }
    if !matches!(leading, Some(Leading::Language(_))) {
        query = linked!(query, filter.language, event_languages, language);
    }
    if !matches!(leading, Some(Leading::Audience(_))) {
        query = for_audience(query, filter);
    }
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    query
}

/// Those tailored to the municipalities, those for the whole region, or either.
fn for_audience(query: Visible, filter: &EventFilter) -> Visible {
    // Written out: a bound parameter would hide the index that is only for these.
    let whole_region = sql::<Bool>("events.audience = '{}'");
    let codes = filter.audience_codes();
    if codes.is_empty() {
        return if filter.audience.iter().any(|code| code == REGION) { query.filter(whole_region) } else { query };
    }
    if codes.len() == filter.audience.len() {
        return linked!(query, codes, event_audience, municipality_code);
    }
    let links = event_audience::table.filter(event_audience::event_id.eq(id));
    query.filter(whole_region.or(exists(links.filter(event_audience::municipality_code.eq_any(codes)))))
}
