//! Lists of events: each filter walks an index in the order of the page.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    filter::{EventFilter, EventSort},
    model::{Event, EventRow},
    rules::REGION,
    store::{Visible, seen, visible},
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::any_of,
        search::{found, rank},
    },
    http::{List, Page, list::PageRequest, time},
    problem::Result,
    schema::{
        event_audience, event_languages, event_themes, event_tutors,
        events::dsl::{self, id, starts_at},
    },
};

/// What `q` finds.
const FOUND: &str = "events.id = any(array(select id from events where search @@";

/// Where a page begins: after this event.
#[derive(Serialize, Deserialize)]
struct Position(#[serde(deserialize_with = "time::deserialize")] DateTime<Utc>, Uuid);

/// The times that events can lie in, both included.
pub(super) struct Span {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

impl Span {
    fn of(filter: &EventFilter) -> Self {
        let (from, to) = (filter.starts_after, filter.starts_before);
        Self { from: from.unwrap_or(time::EARLIEST), to: to.unwrap_or(time::LATEST) }
    }
}

/// A page of events.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that is not of this list.
pub(super) async fn list(mut conn: &Conn, reach: &Reach, list: &List<EventFilter>) -> Result<Page<Event>> {
    let List { filter, page } = list;
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, reach, filter, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let after = page.after::<Position>()?;
    let mut span = Span::of(filter);
    match (sort, &after) {
        (EventSort::StartsAt, Some(Position(time, _))) => span.from = span.from.max(*time),
        (EventSort::StartsAtDescending, Some(Position(time, _))) => span.to = span.to.min(*time),
        (_, None) => {}
    }
    let query = filtered(reach, filter, &span).limit(page.fetch());
    let query = match (sort, after) {
        (EventSort::StartsAt, None) => query.order((starts_at, id)),
        (EventSort::StartsAt, Some(Position(moment, last))) => {
            query.order((starts_at, id)).filter(starts_at.gt(moment).or(id.gt(last)))
        }
        (EventSort::StartsAtDescending, None) => query.order((starts_at.desc(), id.desc())),
        (EventSort::StartsAtDescending, Some(Position(moment, last))) => {
            query.order((starts_at.desc(), id.desc())).filter(starts_at.lt(moment).or(id.lt(last)))
        }
    };
    let rows: Vec<EventRow> = query.load(&mut conn).await?;
    Ok(page.answer(rows, |row| Position(row.fields.starts_at, row.id)).map(seen(reach)))
}

async fn by_rank(
    mut conn: &Conn,
    reach: &Reach,
    filter: &EventFilter,
    q: &str,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let rank = || rank("search_rank(events.search,", q);
    let mut query = filtered(reach, filter, &Span::of(filter)).limit(page.fetch()).order((rank().desc(), id));
    if let Some((least, last)) = page.after::<(f32, Uuid)>()? {
        query = query.filter(rank().le(least)).filter(rank().lt(least).or(id.gt(last)));
    }
    let rows: Vec<(f32, EventRow)> = query.select((rank(), EventRow::as_select())).load(&mut conn).await?;
    let ranked = page.answer(rows, |(rank, row)| (*rank, row.id));
    Ok(ranked.map(|(_, row)| seen(reach)(row)))
}

/// Keeps the events that a table of links has under one of the values. The link repeats the event's time, so that
/// its index gives the order of the page; one value is compared alone, since PostgreSQL proves the order only then.
macro_rules! linked {
    ($query:expr, $span:expr, $values:expr, $links:ident, $column:ident) => {{
        let links = $links::table
            .filter($links::event_id.eq(id))
            .filter($links::starts_at.eq(starts_at))
            .filter($links::starts_at.between($span.from, $span.to));
        match $values.as_slice() {
            [] => $query,
            [one] => $query.filter(diesel::dsl::exists(links.filter($links::$column.eq(one.clone())))),
            several => $query.filter(diesel::dsl::exists(links.filter($links::$column.eq_any(several.to_vec())))),
        }
    }};
}

pub(super) use linked;

fn filtered(reach: &Reach, filter: &EventFilter, span: &Span) -> Visible {
    let mut query = visible(reach).filter(starts_at.between(span.from, span.to));
    if let Some(before) = filter.starts_before {
        query = query.filter(starts_at.lt(before));
    }
    query = any_of!(query, dsl::host_municipality_code, filter.municipality);
    query = any_of!(query, dsl::kind, filter.kind);
    query = any_of!(query, dsl::modality, filter.modality);
    query = any_of!(query, dsl::status, filter.status);
    query = any_of!(query, dsl::source, filter.source);
    query = any_of!(query, dsl::external_id, filter.external_id);
    query = linked!(query, span, filter.tutor, event_tutors, tutor_id);
    query = linked!(query, span, filter.theme, event_themes, theme_slug);
    query = linked!(query, span, filter.language, event_languages, language);
    query = for_audience(query, span, filter);
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    query
}

/// Those tailored to the municipalities, those for the whole region, or either.
fn for_audience(query: Visible, span: &Span, filter: &EventFilter) -> Visible {
    // Written out: a bound parameter would hide the index that is only for these.
    let whole_region = sql::<Bool>("events.audience = '{}'");
    let codes = filter.audience_codes();
    if codes.is_empty() {
        return if filter.audience.iter().any(|code| code == REGION) { query.filter(whole_region) } else { query };
    }
    if codes.len() == filter.audience.len() {
        return linked!(query, span, codes, event_audience, municipality_code);
    }
    let links = event_audience::table.filter(event_audience::event_id.eq(id));
    query.filter(whole_region.or(exists(links.filter(event_audience::municipality_code.eq_any(codes)))))
}
