//! Lists of feedback: those that one value tells are walked along its index, others are planned for what they ask.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Feedback, FeedbackFilter, FeedbackSort as Sort},
    store::{Visible, view, visible},
};
use crate::{
    auth::reach::{Identity, Reach},
    db::{
        Conn, Db,
        keyset::{any_of, keyset},
    },
    domain::names::OWN_SOURCE,
    http::{List, Page},
    problem::Result,
    schema::feedback::dsl,
};

/// The column that alone decides what is in a list, by one value: an index has it with the id.
#[derive(Clone, Copy, Debug)]
enum Only {
    Municipality,
    Direction,
    Source,
}

impl Only {
    fn of(reach: &Reach, filter: &FeedbackFilter) -> Option<Self> {
        let FeedbackFilter { event, municipality, direction, source, external_id, sort: _ } = filter;
        let own_source = match reach.identity {
            _ if reach.is_coordinator() => 0,
            Identity::Client { .. } => 1,
            // What an account sees is told by more than one value.
            Identity::Account(_) | Identity::Anonymous => return None,
        };
        match (municipality.len(), direction.len(), own_source + source.len(), event.len() + external_id.len()) {
            (1, 0, 0, 0) => Some(Self::Municipality),
            (0, 1, 0, 0) => Some(Self::Direction),
            (0, 0, 1, 0) => Some(Self::Source),
            _ => None,
        }
    }
}

/// Keeps the rows with this value in a column, orders them by the column and the id, and starts after the page's cursor.
///
/// The value is asked for as a list of one: with `=` PostgreSQL would leave the column out of the order, and would walk all
/// ids where it guesses that most of them have the value.
macro_rules! along {
    ($query:expr, $value:expr, $order:expr, $column:path) => {{
        let query = $query.filter($column.eq_any($value));
        match $order {
            (Sort::CreatedAt, None) => query.order(($column.asc(), dsl::id.asc())),
            (Sort::CreatedAt, Some(last)) => query.order(($column.asc(), dsl::id.asc())).filter(dsl::id.gt(last)),
            (Sort::CreatedAtDescending, None) => query.order(($column.desc(), dsl::id.desc())),
            (Sort::CreatedAtDescending, Some(last)) => {
                query.order(($column.desc(), dsl::id.desc())).filter(dsl::id.lt(last))
            }
        }
    }};
}

/// A page of feedback. The id is ordered by time.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that is not of this list, and what [`Db::read`] returns.
pub(super) async fn list(db: &Db, reach: &Reach, list: &List<FeedbackFilter>) -> Result<Page<Feedback>> {
    let List { filter, page } = list;
    let (only, sort) = (Only::of(reach, filter), filter.sort.unwrap_or_default());
    let (seen, order) = (visible(reach, None), (sort, page.after::<Uuid>()?));
    let query = match only {
        Some(Only::Municipality) => along!(seen, filter.municipality.clone(), order, dsl::municipality_code),
        Some(Only::Direction) => along!(seen, filter.direction.clone(), order, dsl::direction),
        Some(Only::Source) if reach.is_coordinator() => along!(seen, filter.source.clone(), order, dsl::source),
        Some(Only::Source) => along!(seen, vec![reach.identity.source().to_owned()], order, dsl::source),
        None => match sort {
            Sort::CreatedAt => keyset!(filtered(seen, reach, filter), page, ascending, dsl::id: Uuid),
            Sort::CreatedAtDescending => keyset!(filtered(seen, reach, filter), page, descending, dsl::id: Uuid),
        },
    };
    let read = async |mut conn: &Conn| Ok(query.limit(page.fetch()).load(&mut conn).await?);
    let rows = if only.is_some() { db.read(read).await } else { db.read_long(read).await }?;
    Ok(Page::from_rows(page, rows, |row: &Feedback| row.id).map(|row| view(reach, row)))
}

fn filtered(seen: Visible, reach: &Reach, filter: &FeedbackFilter) -> Visible {
    let query = any_of!(seen, dsl::event_id, filter.event);
    let query = any_of!(query, dsl::municipality_code, filter.municipality);
    let query = any_of!(query, dsl::direction, filter.direction);
    let query = any_of!(query, dsl::source, filter.source);
    let query = any_of!(query, dsl::external_id, filter.external_id);
    let by_hidden = !(filter.source.is_empty() && filter.external_id.is_empty());
    match &reach.identity {
        // What is hidden from the caller cannot be guessed by a filter.
        Identity::Account(account) if by_hidden && !reach.is_coordinator() => {
            query.filter(dsl::source.eq(OWN_SOURCE)).filter(dsl::respondent.eq(account.to_string()))
        }
        // With `=` the source's index has its rows in the order of their ids.
        Identity::Client { source, .. } if !reach.is_coordinator() => query.filter(dsl::source.eq(source.clone())),
        _ => query,
    }
}
