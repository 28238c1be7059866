//! Lists of events. Each filter walks an index in the order of the page.

use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    filter::{EventFilter, REGION},
    model::{Event, EventRow},
    visibility::{EventVisibility, VisibleEvents, view},
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{TimeKey, TimeOrder, TimeRange, any_linked, any_of, time_keyset},
        row_limit::{MeanWeight, Rows, rows_within},
        search::{by_first_column, found, rank},
    },
    domain::{LanguageTag, MunicipalityCode, ThemeSlug},
    http::{
        List, Page,
        input::list::{PAGE_BYTES, PageRequest},
    },
    problem::Result,
    schema::{
        event_audience, event_languages, event_themes, event_tutors,
        events::{
            dsl,
            dsl::{id, starts_at},
        },
    },
};

/// The mean weight of events.
static MEAN_WEIGHT: MeanWeight = MeanWeight::unknown();

/// The rows that match a search.
const FOUND: &str = "events.id = any(array(select id from events where search @@";

/// Returns a page of events.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that belongs to another list.
pub(super) async fn list(conn: &Conn, reach: &Reach, list: &List<EventFilter>) -> Result<Page<Event>> {
    let List { filter, page } = list;
    if let (None, Some(q)) = (filter.sort, &filter.q) {
        return by_rank(conn, reach, filter, q, page).await;
    }
    let (order, last) = (filter.order(), page.after::<TimeKey>()?);
    let own_drafts = EventVisibility::of(reach).shows_only_own_drafts(&filter.status);
    // A municipality has few drafts, so PostgreSQL walks the index of drafts instead of a link table.
    let range = filter.range().after(last.as_ref(), order);
    let load = async |limit| {
        let leading = LeadingLink::of(filter).filter(|_| !own_drafts);
        let query = filtered(reach, filter, leading.as_ref()).limit(limit);
        by_time(conn, query, leading, range, order, last.as_ref(), PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |row| TimeKey(row.fields.starts_at, row.id)).map(|row| view(reach, row)))
}

/// Loads events by time. With a leading link, PostgreSQL walks the links of that one value: with `exists`, it would expect
/// far fewer linked events than there are, and read all of them. Stops at `most` bytes.
pub(super) async fn by_time(
    mut conn: &Conn,
    query: VisibleEvents,
    leading: Option<LeadingLink>,
    range: TimeRange,
    order: TimeOrder,
    last: Option<&TimeKey>,
    most: usize,
) -> Result<Rows<EventRow>> {
    macro_rules! load {
        ($query:expr, $at:path, $key:path) => {{
            let query = time_keyset!($query, order, range, last, $at, $key);
            rows_within(query.load_stream::<EventRow>(&mut conn).await?, most).await
        }};
    }
    match leading {
        None => load!(query, starts_at, id),
        Some(LeadingLink::Tutor(tutor)) => {
            let query = query.inner_join(event_tutors::table).filter(event_tutors::tutor_id.eq(tutor));
            load!(query, event_tutors::starts_at, event_tutors::event_id)
        }
        Some(LeadingLink::Theme(slug)) => {
            let query = query.inner_join(event_themes::table).filter(event_themes::theme_slug.eq(slug));
            load!(query, event_themes::starts_at, event_themes::event_id)
        }
        Some(LeadingLink::Language(tag)) => {
            let query = query.inner_join(event_languages::table).filter(event_languages::language.eq(tag));
            load!(query, event_languages::starts_at, event_languages::event_id)
        }
        Some(LeadingLink::Audience(code)) => {
            let query = query.inner_join(event_audience::table).filter(event_audience::municipality_code.eq(code));
            load!(query, event_audience::starts_at, event_audience::event_id)
        }
    }
}

/// The single value of a filter by link whose link table PostgreSQL walks in the order of the page.
#[derive(Debug, PartialEq)]
pub(super) enum LeadingLink {
    Tutor(Uuid),
    Theme(ThemeSlug),
    Language(LanguageTag),
    Audience(MunicipalityCode),
}

impl LeadingLink {
    fn of(filter: &EventFilter) -> Option<Self> {
        match (&filter.tutor[..], &filter.theme[..], &filter.audience[..], &filter.language[..]) {
            ([tutor], ..) => Some(Self::Tutor(*tutor)),
            (_, [theme], ..) => Some(Self::Theme(theme.clone())),
            (_, _, [code], _) if code.as_str() != REGION => Some(Self::Audience(code.as_str().into())),
            (.., [language]) => Some(Self::Language(language.clone())),
            _ => None,
        }
    }
}

async fn by_rank(conn: &Conn, reach: &Reach, filter: &EventFilter, q: &str, page: &PageRequest) -> Result<Page<Event>> {
    let rank = || rank("search_rank(events.search,", q);
    let TimeRange { from, to } = filter.range();
    let after = page.after::<(f32, Uuid)>()?;
    let load = async |limit| {
        let mut conn = conn;
        let query = filtered(reach, filter, None).filter(starts_at.between(from, to));
        let mut query = query.limit(limit).order((by_first_column(), id));
        if let Some((least, last)) = after {
            query = query.filter(rank().le(least)).filter(rank().lt(least).or(id.gt(last)));
        }
        let found = query.select((rank(), EventRow::as_select())).load_stream::<(f32, EventRow)>(&mut conn).await?;
        rows_within(found, PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |(rank, row)| (*rank, row.id)).map(|(_, row)| view(reach, row)))
}

/// Returns a query for the events that pass the filters. [`by_time`] applies the time range and the leading link.
fn filtered(reach: &Reach, filter: &EventFilter, leading: Option<&LeadingLink>) -> VisibleEvents {
    let mut query = EventVisibility::of(reach).query_in_states(&filter.status);
    if let Some(before) = filter.starts_before {
        query = query.filter(starts_at.lt(before));
    }
    query = any_of!(query, dsl::host_municipality_code, filter.municipality);
    query = any_of!(query, dsl::kind, filter.kind);
    query = any_of!(query, dsl::modality, filter.modality);
    query = any_of!(query, dsl::source, filter.source);
    query = any_of!(query, dsl::external_id, filter.external_id);
    if !matches!(leading, Some(LeadingLink::Tutor(_))) {
        let links = event_tutors::table.filter(event_tutors::event_id.eq(id));
        query = any_linked!(query, links, event_tutors::tutor_id, filter.tutor);
    }
    if !matches!(leading, Some(LeadingLink::Theme(_))) {
        let links = event_themes::table.filter(event_themes::event_id.eq(id));
        query = any_linked!(query, links, event_themes::theme_slug, filter.theme);
    }
    if !matches!(leading, Some(LeadingLink::Language(_))) {
        let links = event_languages::table.filter(event_languages::event_id.eq(id));
        query = any_linked!(query, links, event_languages::language, filter.language);
    }
    if !matches!(leading, Some(LeadingLink::Audience(_))) {
        query = for_audience(query, filter);
    }
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    query
}

/// Filters events by the municipalities that they are tailored to, by `region` for those of the whole region, or by both.
fn for_audience(query: VisibleEvents, filter: &EventFilter) -> VisibleEvents {
    // As a literal: PostgreSQL would not see that a bound parameter fits the partial index of these events.
    let whole_region = sql::<Bool>("events.audience = '{}'");
    let codes = filter.audience_codes();
    let links = event_audience::table.filter(event_audience::event_id.eq(id));
    if codes.is_empty() {
        return if filter.audience.is_empty() { query } else { query.filter(whole_region) };
    }
    if codes.len() == filter.audience.len() {
        return any_linked!(query, links, event_audience::municipality_code, codes);
    }
    query.filter(whole_region.or(exists(links.filter(event_audience::municipality_code.eq_any(codes)))))
}
