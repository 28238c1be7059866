//! Lists of events. Each filter walks an index in the order of the page.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::{Bool, Timestamptz},
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
    resources::directory::municipalities,
    schema::{
        event_audience, event_languages, event_themes, event_tutors,
        events::{
            dsl,
            dsl::{ends_at, id, starts_at},
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
    let Some(hosts) = municipalities::store::in_regions(conn, &filter.municipality, &filter.region).await? else {
        return Ok(Page::from_rows(page, Vec::new(), |_| ()));
    };
    let visibility = EventVisibility::of(reach);
    let Some(hosts) = visibility.hosts_to_filter(hosts, &filter.status) else {
        return Ok(Page::from_rows(page, Vec::new(), |_| ()));
    };
    if let (None, Some(q)) = (filter.sort, &filter.q) {
        return by_rank(conn, reach, (filter, &hosts), q, page).await;
    }
    let (order, last) = (filter.order(), page.after::<TimeKey>()?);
    let own_drafts = visibility.shows_only_own_drafts(&filter.status);
    // A municipality has few drafts, so PostgreSQL walks the index of drafts instead of a link table.
    let load = async |limit| {
        let mut found = Rows::from(Vec::new());
        for Part { range, is_long } in parts(filter, order, last.as_ref()) {
            let leading = LeadingLink::of(filter).filter(|_| !own_drafts && !is_long);
            let missing = limit - i64::try_from(found.rows.len()).unwrap_or(i64::MAX);
            if missing == 0 || found.is_cut {
                break;
            }
            let query = filtered(reach, (filter, &hosts), leading.as_ref()).limit(missing);
            let most = PAGE_BYTES.saturating_sub(found.weight());
            found.extend(match filter.ends_after.filter(|_| is_long) {
                Some(after) => long_events(conn, query, after, range, order, last.as_ref(), most).await?,
                None => by_time(conn, query, leading, range, order, last.as_ref(), most).await?,
            });
        }
        Ok(found)
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |row| TimeKey(row.fields.starts_at, row.id)).map(|row| view(reach, row)))
}

/// Loads the long events that end at this time or later. There are few, so PostgreSQL looks them up in their index and
/// sorts them: it must not walk an index in the order of the page. Stops at `most` bytes.
async fn long_events(
    mut conn: &Conn,
    query: VisibleEvents,
    after: DateTime<Utc>,
    range: TimeRange,
    order: TimeOrder,
    last: Option<&TimeKey>,
    most: usize,
) -> Result<Rows<EventRow>> {
    let ids = "events.id = any(array(select long.id from events as long \
               where long.ends_at - long.starts_at > interval '7 days' and long.ends_at >= ";
    let query = query.filter(sql::<Bool>(ids).bind::<Timestamptz, _>(after).sql("))"));
    // Not the column itself: PostgreSQL would expect an index on it to leave almost no rows.
    let start = || sql::<Timestamptz>("(events.starts_at + interval '0')");
    let query = query.filter(start().between(range.from, range.to));
    let query = match (order, last) {
        (TimeOrder::EarliestFirst, None) => query.order((start(), id)),
        (TimeOrder::EarliestFirst, Some(TimeKey(at, key))) => {
            query.order((start(), id)).filter(starts_at.gt(*at).or(id.gt(*key)))
        }
        (TimeOrder::LatestFirst, None) => query.order((start().desc(), id.desc())),
        (TimeOrder::LatestFirst, Some(TimeKey(at, key))) => {
            query.order((start().desc(), id.desc())).filter(starts_at.lt(*at).or(id.lt(*key)))
        }
    };
    rows_within(query.load_stream::<EventRow>(&mut conn).await?, most).await
}

/// The length from which an event counts as long, for [`parts`]. The index of long events has the same.
const LONG: TimeDelta = TimeDelta::days(7);

/// A part of a list by time.
struct Part {
    range: TimeRange,
    is_long: bool,
}

/// Returns the parts of a list, in its order. An event that ends after a given time starts at most a week before it, or
/// is long. So such a list has the long events that started earlier in one part, and all others in another one:
/// PostgreSQL would walk through all earlier events otherwise.
fn parts(filter: &EventFilter, order: TimeOrder, last: Option<&TimeKey>) -> Vec<Part> {
    let range = filter.range().after(last, order);
    let Some(border) = filter.ends_after.map(|at| at - LONG) else { return vec![Part { range, is_long: false }] };
    let earlier = TimeRange { to: range.to.min(border - TimeDelta::microseconds(1)), ..range };
    let later = TimeRange { from: range.from.max(border), ..range };
    let mut parts = vec![Part { range: earlier, is_long: true }, Part { range: later, is_long: false }];
    if order == TimeOrder::LatestFirst {
        parts.reverse();
    }
    parts.retain(|part| part.range.from <= part.range.to);
    parts
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

async fn by_rank(
    conn: &Conn,
    reach: &Reach,
    (filter, hosts): (&EventFilter, &[MunicipalityCode]),
    q: &str,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let rank = || rank("search_rank(events.search,", q);
    let TimeRange { from, to } = filter.range();
    let after = page.after::<(f32, Uuid)>()?;
    let load = async |limit| {
        let mut conn = conn;
        let query = filtered(reach, (filter, hosts), None).filter(starts_at.between(from, to));
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

/// Returns a query for the events that pass the filters. `hosts` are the municipalities of the filters `municipality`
/// and `region`. [`by_time`] applies the time range and the leading link.
fn filtered(
    reach: &Reach,
    (filter, hosts): (&EventFilter, &[MunicipalityCode]),
    leading: Option<&LeadingLink>,
) -> VisibleEvents {
    let mut query = EventVisibility::of(reach).query_in_states(&filter.status);
    if let Some(before) = filter.starts_before {
        query = query.filter(starts_at.lt(before));
    }
    if let Some(after) = filter.ends_after {
        query = query.filter(ends_at.ge(after));
    }
    if let Some(before) = filter.ends_before {
        query = query.filter(ends_at.lt(before));
    }
    query = any_of!(query, dsl::host_municipality_code, hosts);
    query = any_of!(query, dsl::venue_municipality_code, filter.venue);
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
