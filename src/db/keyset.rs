//! Keyset paging and filters that every list uses.
//!
//! A page begins after the last row of the previous page, which PostgreSQL finds in an index: no `OFFSET`, no count. These
//! are macros because Diesel gives each combination of table and columns its own type; a function would need a page of
//! trait bounds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::time;

/// The sort key of a row in a list by time: the time, and the row's id.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct TimeKey(#[serde(deserialize_with = "time::deserialize")] pub(crate) DateTime<Utc>, pub(crate) Uuid);

/// The direction of a list by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeOrder {
    EarliestFirst,
    LatestFirst,
}

/// The times between which the rows of a list lie, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeRange {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl TimeRange {
    /// Returns the range between these times; a missing one is the earliest or the latest time that the service stores.
    pub(crate) fn between(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Self {
        Self { from: from.unwrap_or(time::EARLIEST), to: to.unwrap_or(time::LATEST) }
    }

    /// Leaves out the times before the last row of the previous page, in this order.
    pub(crate) fn after(self, last: Option<&TimeKey>, order: TimeOrder) -> Self {
        match (last, order) {
            (None, _) => self,
            (Some(TimeKey(at, _)), TimeOrder::EarliestFirst) => Self { from: self.from.max(*at), ..self },
            (Some(TimeKey(at, _)), TimeOrder::LatestFirst) => Self { to: self.to.min(*at), ..self },
        }
    }
}

/// Orders a boxed query by one or two columns and starts it after the page's cursor.
///
/// Two columns are compared as `a >= x AND (a > x OR b > y)`, which an index on both finds at once; a plain `OR` would scan
/// up to the cursor.
macro_rules! keyset {
    ($query:expr, $page:expr, ascending, $a:path: $A:ty) => {{
        let query = $query.order($a.asc());
        match $page.after::<$A>()? {
            Some(a) => query.filter($a.gt(a)),
            None => query,
        }
    }};
    ($query:expr, $page:expr, descending, $a:path: $A:ty) => {{
        let query = $query.order($a.desc());
        match $page.after::<$A>()? {
            Some(a) => query.filter($a.lt(a)),
            None => query,
        }
    }};
    ($query:expr, $page:expr, ascending, $a:path: $A:ty, $b:path: $B:ty) => {{
        let query = $query.order(($a.asc(), $b.asc()));
        match $page.after::<($A, $B)>()? {
            Some((a, b)) => query.filter($a.ge(a.clone())).filter($a.gt(a).or($b.gt(b))),
            None => query,
        }
    }};
    ($query:expr, $page:expr, descending, $a:path: $A:ty, $b:path: $B:ty) => {{
        let query = $query.order(($a.desc(), $b.desc()));
        match $page.after::<($A, $B)>()? {
            Some((a, b)) => query.filter($a.le(a.clone())).filter($a.lt(a).or($b.lt(b))),
            None => query,
        }
    }};
}

/// Orders a query by a column of times and a column of keys, keeps the rows in a [`TimeRange`], and starts it after the
/// last row of the previous page. The columns may be those of a link table that repeats the time of its owner: an index of
/// the links then has the rows in the order of the page.
macro_rules! time_keyset {
    ($query:expr, $order:expr, $range:expr, $last:expr, $at:path, $key:path) => {{
        let query = $query.filter($at.between($range.from, $range.to));
        match ($order, $last) {
            (TimeOrder::EarliestFirst, None) => query.order(($at, $key)),
            (TimeOrder::EarliestFirst, Some(TimeKey(at, key))) => {
                query.order(($at, $key)).filter($at.gt(*at).or($key.gt(*key)))
            }
            (TimeOrder::LatestFirst, None) => query.order(($at.desc(), $key.desc())),
            (TimeOrder::LatestFirst, Some(TimeKey(at, key))) => {
                query.order(($at.desc(), $key.desc())).filter($at.lt(*at).or($key.lt(*key)))
            }
        }
    }};
}

/// Filters a boxed query by any of these values, unless there are none.
///
/// One value is compared with `=`: an index on the column and the sort key then has the rows in the order of the page,
/// which it does not have for `= any`.
macro_rules! any_of {
    ($query:expr, $column:path, $values:expr) => {
        match &$values[..] {
            [] => $query,
            [one] => $query.filter($column.eq(one.clone())),
            several => $query.filter($column.eq_any(several.to_vec())),
        }
    };
}

/// Filters a boxed query by any of these values in a link table, unless there are none. `$links` is the link table,
/// filtered by its owner.
macro_rules! any_linked {
    ($query:expr, $links:expr, $column:path, $values:expr) => {
        match &$values[..] {
            [] => $query,
            [one] => $query.filter(diesel::dsl::exists($links.filter($column.eq(one.clone())))),
            several => $query.filter(diesel::dsl::exists($links.filter($column.eq_any(several.to_vec())))),
        }
    };
}

pub(crate) use {any_linked, any_of, keyset, time_keyset};
