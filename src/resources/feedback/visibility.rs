//! Which feedback a caller sees, and which of its fields.
//!
//! The coordinator sees all feedback, and other callers see the feedback that they gave. The host municipality and the
//! tutors of an event also see the feedback of tutors about participants, but without the fields that could reveal the
//! respondent.

use diesel::{
    dsl::array,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Uuid as SqlUuid},
};
use uuid::Uuid;

use super::model::{Direction, Feedback, FeedbackRow};
use crate::{
    auth::reach::{Identity, Reach},
    domain::names::OWN_SOURCE,
    resources::meetings::events::model::Event,
    schema::{event_tutors, events, feedback, feedback::dsl},
};

/// A query for feedback that a caller may see.
pub(super) type VisibleFeedback = IntoBoxed<'static, Select<feedback::table, AsSelect<FeedbackRow, Pg>>, Pg>;

/// Returns a query for all feedback that the caller sees, or for the feedback with one id if the caller sees it. Every
/// query for feedback of a caller begins here.
///
/// PostgreSQL computes each array once, before anything else, from one index. With a plain `OR` it may walk the whole
/// table in the order of the page.
pub(super) fn visible(reach: &Reach, only: Option<Uuid>) -> VisibleFeedback {
    let query = match only {
        Some(id) => FeedbackRow::query().filter(dsl::id.eq(id)).into_boxed(),
        None => FeedbackRow::query().into_boxed(),
    };
    let rows = diesel::alias!(feedback as visible_rows);
    match &reach.identity {
        _ if reach.is_coordinator() => query,
        Identity::Anonymous => query.filter(false.into_sql::<Bool>()),
        // A list of one item, as in `super::list`: PostgreSQL then keeps the column in the order of a list by source.
        Identity::Client { source, .. } => query.filter(dsl::source.eq_any(vec![source.clone()])),
        Identity::Account(id) => {
            let ids = || match only {
                Some(id) => rows.select(rows.field(dsl::id)).filter(rows.field(dsl::id).eq(id)).into_boxed::<Pg>(),
                None => rows.select(rows.field(dsl::id)).into_boxed(),
            };
            let own = rows.field(dsl::source).eq(OWN_SOURCE).and(rows.field(dsl::respondent).eq(id.to_string()));
            let hosted = events::host_municipality_code.eq(reach.municipality.clone());
            let hosted = events::table.filter(hosted).select(events::id);
            let presented = event_tutors::tutor_id.nullable().eq(reach.tutor);
            let presented = event_tutors::table.filter(presented).select(event_tutors::event_id);
            let at_own_events = rows.field(dsl::event_id).eq_any(array::<SqlUuid, _>(hosted.union_all(presented)));
            let about_participants = rows.field(dsl::direction).eq(Direction::TutorToParticipant).and(at_own_events);
            let visible_ids = ids().filter(own).union_all(ids().filter(about_participants));
            query.filter(dsl::id.eq_any(array::<SqlUuid, _>(visible_ids)))
        }
    }
}

/// Returns whether the caller gave this feedback.
pub(super) fn is_own(reach: &Reach, row: &FeedbackRow) -> bool {
    let is_own_source = row.source == reach.identity.source();
    match &reach.identity {
        Identity::Anonymous => false,
        Identity::Client { .. } => is_own_source,
        Identity::Account(id) => is_own_source && row.fields.respondent == Some(id.to_string()),
    }
}

/// Returns this feedback as the caller sees it.
pub(super) fn view(reach: &Reach, row: FeedbackRow) -> Feedback {
    let with_origin = reach.is_coordinator() || is_own(reach, &row);
    row.view(with_origin)
}

/// Returns whether the caller's municipality hosts the event, or the caller is one of its tutors.
pub(super) fn hosts_or_presents(reach: &Reach, event: &Event) -> bool {
    let hosts = reach.municipality.is_some() && reach.municipality == event.fields.host_municipality_code;
    hosts || reach.tutor.is_some_and(|tutor| event.fields.tutors.contains(&tutor))
}
