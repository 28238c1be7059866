//! Lists of feedback.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Direction, Feedback, FeedbackFilter, FeedbackRow, FeedbackSort as Sort},
    visibility::{VisibleFeedback, view, visible},
};
use crate::{
    auth::reach::{Identity, Reach},
    db::{
        Conn, Db,
        keyset::{any_linked, any_of, keyset},
    },
    domain::{MunicipalityCode, names::OWN_SOURCE},
    http::{List, Page},
    problem::Result,
    schema::{feedback::dsl, feedback_themes_wanted},
};

/// The single filter value of a list. An index has its column together with the id, so the list is a quick read.
#[derive(Clone, Debug)]
enum LeadingValue {
    Municipality(MunicipalityCode),
    Direction(Direction),
    Source(String),
}

impl LeadingValue {
    /// Returns the leading value of a list; none when there are several filter values. The rows that an account sees always
    /// depend on several values.
    fn of(reach: &Reach, filter: &FeedbackFilter) -> Option<Self> {
        let FeedbackFilter { event, municipality, direction, source, external_id, themes_wanted, sort: _ } = filter;
        let own_source = match &reach.identity {
            _ if reach.is_coordinator() => None,
            Identity::Client { source, .. } => Some(source),
            Identity::Account(_) | Identity::Anonymous => return None,
        };
        if !(event.is_empty() && external_id.is_empty() && themes_wanted.is_empty()) {
            return None;
        }
        match (&municipality[..], &direction[..], &source[..], own_source) {
            ([code], [], [], None) => Some(Self::Municipality(code.clone())),
            ([], [direction], [], None) => Some(Self::Direction(*direction)),
            ([], [], [source], None) => Some(Self::Source(source.to_string())),
            ([], [], [], Some(own)) => Some(Self::Source(own.clone())),
            _ => None,
        }
    }

    /// Keeps the rows with this value and orders them by its column and the id.
    ///
    /// The value is compared as a list of one item. With `=`, PostgreSQL would leave the column out of the order, and would
    /// walk all ids when it expects most rows to have the value.
    fn order(self, query: VisibleFeedback, sort: Sort) -> VisibleFeedback {
        let query = match (self, sort) {
            (Self::Municipality(code), Sort::CreatedAt) => {
                query.filter(dsl::municipality_code.eq_any(vec![code])).order(dsl::municipality_code.asc())
            }
            (Self::Municipality(code), Sort::CreatedAtDescending) => {
                query.filter(dsl::municipality_code.eq_any(vec![code])).order(dsl::municipality_code.desc())
            }
            (Self::Direction(direction), Sort::CreatedAt) => {
                query.filter(dsl::direction.eq_any(vec![direction])).order(dsl::direction.asc())
            }
            (Self::Direction(direction), Sort::CreatedAtDescending) => {
                query.filter(dsl::direction.eq_any(vec![direction])).order(dsl::direction.desc())
            }
            (Self::Source(source), Sort::CreatedAt) => {
                query.filter(dsl::source.eq_any(vec![source])).order(dsl::source.asc())
            }
            (Self::Source(source), Sort::CreatedAtDescending) => {
                query.filter(dsl::source.eq_any(vec![source])).order(dsl::source.desc())
            }
        };
        match sort {
            Sort::CreatedAt => query.then_order_by(dsl::id.asc()),
            Sort::CreatedAtDescending => query.then_order_by(dsl::id.desc()),
        }
    }
}

/// Returns a page of feedback. The order by time is the order of the ids.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that belongs to another list.
pub(super) async fn list(db: &Db, reach: &Reach, list: &List<FeedbackFilter>) -> Result<Page<Feedback>> {
    let List { filter, page } = list;
    let (leading, sort) = (LeadingValue::of(reach, filter), filter.sort.unwrap_or_default());
    let is_quick = leading.is_some();
    let query = match (leading, sort) {
        (Some(leading), _) => {
            let query = leading.order(visible(reach, None), sort);
            match (page.after::<Uuid>()?, sort) {
                (None, _) => query,
                (Some(last), Sort::CreatedAt) => query.filter(dsl::id.gt(last)),
                (Some(last), Sort::CreatedAtDescending) => query.filter(dsl::id.lt(last)),
            }
        }
        (None, Sort::CreatedAt) => keyset!(filtered(reach, filter), page, ascending, dsl::id: Uuid),
        (None, Sort::CreatedAtDescending) => keyset!(filtered(reach, filter), page, descending, dsl::id: Uuid),
    };
    let read = async |mut conn: &Conn| Ok(query.limit(page.fetch()).load(&mut conn).await?);
    let rows = if is_quick { db.read(read).await } else { db.read_long(read).await }?;
    Ok(Page::from_rows(page, rows, |row: &FeedbackRow| row.id).map(|row| view(reach, row)))
}

fn filtered(reach: &Reach, filter: &FeedbackFilter) -> VisibleFeedback {
    let query = any_of!(visible(reach, None), dsl::event_id, filter.event);
    let query = any_of!(query, dsl::municipality_code, filter.municipality);
    let query = any_of!(query, dsl::direction, filter.direction);
    let query = any_of!(query, dsl::source, filter.source);
    let query = any_of!(query, dsl::external_id, filter.external_id);
    let links = feedback_themes_wanted::table.filter(feedback_themes_wanted::feedback_id.eq(dsl::id));
    let query = any_linked!(query, links, feedback_themes_wanted::theme_slug, filter.themes_wanted);
    let uses_hidden_fields = !(filter.source.is_empty() && filter.external_id.is_empty());
    match &reach.identity {
        // Otherwise a caller could use filters to guess the fields that it does not see.
        Identity::Account(account) if uses_hidden_fields && !reach.is_coordinator() => {
            query.filter(dsl::source.eq(OWN_SOURCE)).filter(dsl::respondent.eq(account.to_string()))
        }
        // With `=`, PostgreSQL knows that the index on the source has these rows in the order of their ids.
        Identity::Client { source, .. } if !reach.is_coordinator() => query.filter(dsl::source.eq(source.clone())),
        _ => query,
    }
}
