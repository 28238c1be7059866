//! Which events a caller sees, and which of their fields.

use diesel::{
    dsl::sql,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};

use super::{
    model::{Event, EventRow},
    status::EventStatus,
};
use crate::{
    auth::reach::Reach,
    db::keyset::any_of,
    domain::{MunicipalityCode, Role},
    schema::{events, events::dsl},
};

/// A query for events that a caller may see.
pub(super) type VisibleEvents = IntoBoxed<'static, Select<events::table, AsSelect<EventRow, Pg>>, Pg>;

/// The events that a caller sees. Every query for events of a caller begins with `EventVisibility::query`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum EventVisibility {
    /// The coordinator sees all events.
    All,
    /// A partner system that writes for the whole region does not see the drafts of the network itself.
    AllOfMunicipalities,
    /// A caller that acts for a municipality does not see the drafts of others.
    AllAndDraftsOf(MunicipalityCode),
    /// Other callers see no drafts.
    NoDrafts,
}

impl EventVisibility {
    /// Returns the events that this caller sees.
    pub fn of(reach: &Reach) -> Self {
        match (reach.role, &reach.municipality) {
            (Role::Coordinator, _) => Self::All,
            (Role::Partner, None) if reach.writes => Self::AllOfMunicipalities,
            (_, Some(own)) => Self::AllAndDraftsOf(own.clone()),
            (_, None) => Self::NoDrafts,
        }
    }

    pub(super) fn query(&self) -> VisibleEvents {
        let all = EventRow::query().into_boxed();
        let is_not_draft = dsl::status.ne(EventStatus::Draft);
        match self {
            Self::All => all,
            Self::AllOfMunicipalities => all.filter(is_not_draft.or(dsl::host_municipality_code.is_not_null())),
            Self::AllAndDraftsOf(own) => all.filter(is_not_draft.or(dsl::host_municipality_code.eq(own.clone()))),
            Self::NoDrafts => all.filter(is_not_draft),
        }
    }
}

impl EventVisibility {
    /// Returns a query for the events of one of these states, or of any state when there are none.
    ///
    /// Where it can, it merges the filter with the rule about drafts: PostgreSQL does not see that `status <> 'draft'
    /// or host = own` together with `status = 'draft'` leaves only the caller's own drafts, and would walk all drafts.
    pub(super) fn query_in_states(&self, states: &[EventStatus]) -> VisibleEvents {
        let all = EventRow::query().into_boxed();
        match states {
            [] => self.query(),
            [EventStatus::Draft] => self.query_drafts(all),
            states if !states.contains(&EventStatus::Draft) => any_of!(all, dsl::status, states),
            states => any_of!(self.query(), dsl::status, states),
        }
    }

    /// Returns whether these states leave only the drafts of one municipality, which the index of drafts finds.
    pub(super) fn shows_only_own_drafts(&self, states: &[EventStatus]) -> bool {
        matches!((self, states), (Self::AllAndDraftsOf(_), [EventStatus::Draft]))
    }

    /// Returns the hosts that a query with a filter by these must still be filtered by; none when it can have no rows.
    /// A query for the drafts of one municipality has one host already: with a second condition on the host, PostgreSQL
    /// would expect so few rows that it reads and sorts all of them.
    pub(super) fn hosts_to_filter(
        &self,
        hosts: Vec<MunicipalityCode>,
        states: &[EventStatus],
    ) -> Option<Vec<MunicipalityCode>> {
        match (self, states) {
            (Self::AllAndDraftsOf(own), [EventStatus::Draft]) if hosts.is_empty() || hosts.contains(own) => {
                Some(Vec::new())
            }
            (Self::AllAndDraftsOf(_), [EventStatus::Draft]) => None,
            _ => Some(hosts),
        }
    }

    /// Literals instead of parameters let PostgreSQL use the partial index of drafts.
    fn query_drafts(&self, all: VisibleEvents) -> VisibleEvents {
        let drafts = all.filter(sql::<Bool>("events.status = 'draft'"));
        match self {
            Self::All => drafts,
            Self::AllOfMunicipalities => drafts.filter(dsl::host_municipality_code.is_not_null()),
            Self::AllAndDraftsOf(own) => drafts.filter(dsl::host_municipality_code.eq(own.clone())),
            Self::NoDrafts => drafts.filter(sql::<Bool>("false")),
        }
    }
}

/// Returns an event as the caller sees it. `online_url` is for the host, the tutors of the event, and signed-in members
/// of its audience.
pub(super) fn view(reach: &Reach, row: EventRow) -> Event {
    let fields = &row.fields;
    let host = fields.host_municipality_code.as_ref();
    let own = reach.municipality.as_ref();
    let sees_online_url = reach.role != Role::Anonymous
        && (fields.audience.is_empty()
            || reach.is_coordinator()
            || reach.writes_for(host)
            || own.is_some_and(|own| host == Some(own) || fields.audience.contains(own))
            || reach.tutor.is_some_and(|own| fields.tutors.contains(&own)));
    row.view(sees_online_url)
}
