//! Events by what they are linked to. A link repeats its event's time: an index of the links gives the order of a page.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    filter::{EventFilter, EventSort},
    model::EventRow,
    rules::REGION,
    store::Visible,
};
use crate::{
    db::Conn,
    http::{cache::Versions, time},
    problem::Result,
    schema::{
        event_audience, event_languages, event_themes, event_tutors,
        events::dsl::{id, starts_at, version},
    },
};

/// Where a page begins: after this event.
#[derive(Serialize, Deserialize)]
pub(super) struct Position(#[serde(deserialize_with = "time::deserialize")] pub(super) DateTime<Utc>, pub(super) Uuid);

/// The times that events can lie in, both included.
pub(super) struct Span {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

impl Span {
    pub(super) fn of(filter: &EventFilter) -> Self {
        let (from, to) = (filter.starts_after, filter.starts_before);
        Self { from: from.unwrap_or(time::EARLIEST), to: to.unwrap_or(time::LATEST) }
    }
}

/// Keeps the events that a table of links has under one of the values.
macro_rules! linked {
    ($query:expr, $values:expr, $links:ident, $column:ident) => {{
        let links = $links::table.filter($links::event_id.eq(id));
        match $values.as_slice() {
            [] => $query,
            [one] => $query.filter(diesel::dsl::exists(links.filter($links::$column.eq(one.clone())))),
            several => $query.filter(diesel::dsl::exists(links.filter($links::$column.eq_any(several.to_vec())))),
        }
    }};
}

/// Orders events by a time and a key, and begins after the page before.
macro_rules! in_order {
    ($query:expr, $order:expr, $at:expr, $key:expr) => {
        match $order {
            (EventSort::StartsAt, None) => $query.order(($at, $key)),
            (EventSort::StartsAt, Some(Position(moment, last))) => {
                $query.order(($at, $key)).filter($at.gt(*moment).or($key.gt(*last)))
            }
            (EventSort::StartsAtDescending, None) => $query.order(($at.desc(), $key.desc())),
            (EventSort::StartsAtDescending, Some(Position(moment, last))) => {
                $query.order(($at.desc(), $key.desc())).filter($at.lt(*moment).or($key.lt(*last)))
            }
        }
    };
}

/// Walks the events that are linked to one value, in the order of their links.
macro_rules! along {
    ($query:expr, $span:expr, $order:expr, $links:ident, $column:ident, $value:expr) => {{
        let query = $query
            .inner_join($links::table)
            .filter($links::$column.eq($value))
            .filter($links::starts_at.between($span.from, $span.to));
        in_order!(query, $order, $links::starts_at, $links::event_id)
    }};
}

/// Loads the events of a walk, whole or what a `.select(…)` takes of each.
macro_rules! read {
    ($walk:expr, $conn:expr, $($select:tt)*) => {{
        let Walk { query, leading, span, sort, after } = $walk;
        let (order, mut conn) = ((sort, &after), $conn);
        let conn = &mut conn;
        match leading {
            None => {
                let query = query.filter(starts_at.between(span.from, span.to));
                in_order!(query, order, starts_at, id) $($select)* .load(conn).await
            }
            Some(Leading::Tutor(tutor)) => {
                along!(query, span, order, event_tutors, tutor_id, tutor) $($select)* .load(conn).await
            }
            Some(Leading::Theme(slug)) => {
                along!(query, span, order, event_themes, theme_slug, slug) $($select)* .load(conn).await
            }
            Some(Leading::Language(tag)) => {
                along!(query, span, order, event_languages, language, tag) $($select)* .load(conn).await
            }
            Some(Leading::Audience(code)) => {
                along!(query, span, order, event_audience, municipality_code, code) $($select)* .load(conn).await
            }
        }
    }};
}

/// The one value of a linked filter that a page is walked along.
///
/// Asked with `exists`, PostgreSQL would guess that far fewer events are linked than are, and read all of them.
#[derive(Debug, PartialEq)]
pub(super) enum Leading {
    Tutor(Uuid),
    Theme(String),
    Language(String),
    Audience(String),
}

impl Leading {
    pub(super) fn of(filter: &EventFilter) -> Option<Self> {
        match (&filter.tutor[..], &filter.theme[..], &filter.audience[..], &filter.language[..]) {
            ([tutor], ..) => Some(Self::Tutor(*tutor)),
            (_, [theme], ..) => Some(Self::Theme(theme.clone())),
            (_, _, [code], _) if code != REGION => Some(Self::Audience(code.clone())),
            (.., [language]) => Some(Self::Language(language.clone())),
            _ => None,
        }
    }
}

/// The way to a page: the events that pass a query, of these times, in an order and after the page before; along the links
/// of one value where there is one.
pub(super) struct Walk {
    pub(super) query: Visible,
    pub(super) leading: Option<Leading>,
    pub(super) span: Span,
    pub(super) sort: EventSort,
    pub(super) after: Option<Position>,
}

impl Walk {
    /// The events on it.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) async fn rows(self, conn: &Conn) -> Result<Vec<EventRow>> {
        Ok(read!(self, conn,)?)
    }

    /// Which events are on it, and their versions: far less to read.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) async fn versions(self, conn: &Conn) -> Result<Versions> {
        Ok(read!(self, conn, .select((id, version)))?)
    }
}

pub(super) use linked;
