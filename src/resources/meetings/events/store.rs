//! Events in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Event, EventInput, EventRow},
    status::{
        EventStatus::{Completed, Draft, Postponed, Published},
        TRANSITIONS,
    },
    visibility::{EventVisibility, view},
};
use crate::{
    auth::reach::Reach,
    clock,
    db::{
        Conn, Db,
        batching::lookups::Lookup,
        row_limit::{Rows, rows_within},
    },
    problem::{Error, Result, Violation},
    resources::{
        directory::{municipalities::refused::Refused, themes, tutors},
        update::{Deletable, Editable},
    },
    schema::{events, events::dsl},
};

/// Events by id.
struct ById;

impl Lookup for ById {
    type Visibility = EventVisibility;
    type Key = Uuid;
    type Row = EventRow;

    fn key(row: &EventRow) -> Uuid {
        row.id
    }

    async fn load(
        mut conn: &Conn,
        visibility: &EventVisibility,
        ids: Vec<Uuid>,
        most: usize,
    ) -> Result<Rows<EventRow>> {
        let query = visibility.query().filter(dsl::id.eq_any(ids));
        rows_within(query.load_stream(&mut conn).await?, most).await
    }
}

/// Returns one event. Concurrent calls share one statement.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn look_up(db: &Db, reach: &Reach, id: Uuid) -> Result<Event> {
    Ok(view(reach, db.look_up::<ById>(EventVisibility::of(reach), id).await?))
}

/// Returns one event.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Event> {
    Ok(view(reach, EventRow::find_row(conn, reach, &id).await?))
}

/// Returns one event that another resource refers to; none when the caller does not see it. The reach is that of the other
/// resource, so its write scope is ignored: it does not make drafts of events visible.
pub async fn find_referenced(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Option<Event>> {
    match find(conn, &Reach { writes: false, ..reach.clone() }, id).await {
        Err(Error::NotFound) => Ok(None),
        found => found.map(Some),
    }
}

/// Creates an event. Only the coordinator may create one that is not a draft, to record past events.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Invalid`] with every reference to something that does not exist.
pub async fn create(mut conn: &Conn, reach: &Reach, new: EventInput) -> Result<Event> {
    reach.require_writes_for(new.host_municipality_code.as_ref())?;
    if new.status != Draft {
        reach.require_coordinator(
            "create an event that is not a draft; leave out `status`, and set it once the event is created",
        )?;
    }
    let mut violations = broken_references(conn, &new, None).await?;
    violations.extend(completed_before_end(&new, clock::now()));
    Error::unless_empty(violations)?;
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::source.eq(reach.identity.source()), new);
    let insert = diesel::insert_into(events::table).values(values).returning(EventRow::as_returning());
    Ok(view(reach, insert.get_result(&mut conn).await?))
}

impl Editable for EventRow {
    type Resource = Event;
    type Input = EventInput;
    type Key = Uuid;

    async fn find_row(mut conn: &Conn, reach: &Reach, id: &Uuid) -> Result<Self> {
        Ok(EventVisibility::of(reach).query().filter(dsl::id.eq(*id)).first(&mut conn).await?)
    }

    fn view(self, reach: &Reach) -> Event {
        view(reach, self)
    }

    fn fields(&self) -> &EventInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        reach.require_writes_for(self.fields.host_municipality_code.as_ref())
    }

    async fn check(&self, conn: &Conn, reach: &Reach, mut new: EventInput) -> Result<EventInput> {
        let current = &self.fields;
        reach.require_writes_for(new.host_municipality_code.as_ref())?;
        TRANSITIONS.require(current.status, new.status)?;
        let moves = (new.starts_at, new.ends_at) != (current.starts_at, current.ends_at);
        if TRANSITIONS.is_final(current.status) && moves {
            reach.require_coordinator("move an event that is completed or cancelled")?;
        }
        if current.status == Postponed && new.status == Published {
            // The reason explained the postponement, which has ended.
            new.status_reason = new.status_reason.filter(|reason| Some(reason) != current.status_reason.as_ref());
        }
        let mut violations = broken_references(conn, &new, Some(current)).await?;
        violations.extend(completed_before_end(&new, clock::now()));
        Error::unless_empty(violations)?;
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: EventInput) -> Result<Option<Self>> {
        let row = events::table.find(self.id).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for EventRow {
    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = events::table.find(self.id).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)
    }
}

/// Returns the violation of an event that is completed before it has ended.
fn completed_before_end(event: &EventInput, now: DateTime<Utc>) -> Option<Violation> {
    let is_early = event.status == Completed && event.ends_at > now;
    is_early.then(|| Violation::of_rule("events_completed_after_end")).flatten()
}

/// Returns a violation for each reference of the event to something that does not exist, or to a municipality that has
/// ended. An event that has been held may keep the municipalities that it had.
async fn broken_references(conn: &Conn, event: &EventInput, current: Option<&EventInput>) -> Result<Vec<Violation>> {
    let kept = current.filter(|_| is_held(event, clock::now()));
    let kept: Vec<_> = kept.iter().flat_map(|current| current.municipalities()).collect();
    let codes: Vec<_> = event.municipalities().filter(|code| !kept.contains(code)).cloned().collect();
    let (refused, no_theme, no_tutor) = tokio::try_join!(
        Refused::among(conn, &codes),
        themes::store::missing(conn, &event.themes),
        tutors::store::missing(conn, &event.tutors),
    )?;
    let mut violations = Vec::new();
    violations.extend(refused.violation(event.host_municipality_code.as_ref(), "events_host_municipality_code_exists"));
    violations.extend(refused.violation(event.venue_municipality(), "events_venue_municipality_code_exists"));
    violations.extend(refused.violations_of_items(&event.audience, "events_audience_exist"));
    violations.extend(Violation::of_items("events_themes_exist", &event.themes, &no_theme));
    violations.extend(Violation::of_items("events_tutors_exist", &event.tutors, &no_tutor));
    Ok(violations)
}

/// Returns whether the event is history. SQL has the same rule in `is_event_held()`.
fn is_held(event: &EventInput, now: DateTime<Utc>) -> bool {
    TRANSITIONS.is_final(event.status) || event.status == Published && event.ends_at <= now
}
