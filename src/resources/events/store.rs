//! The events in the database: who sees which, and who writes what.

use chrono::Utc;
use diesel::{
    dsl::sql,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Event, EventInput, EventRow},
    status::EventStatus,
};
use crate::{
    auth::reach::{Reach, Role},
    db::{Conn, Db, keyset::any_of, lookup::Lookup},
    http::{Patch, conditional::Tags},
    problem::{Error, Result, Violation},
    resources::{municipalities, themes, tutors},
    schema::events::{self, dsl},
};

pub(super) type Visible = IntoBoxed<'static, Select<events::table, AsSelect<EventRow, Pg>>, Pg>;

/// Which events a reach sees.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Sight {
    /// All.
    All,
    /// All but the network's own drafts.
    AllOfMunicipalities,
    /// All but the drafts of others than this municipality.
    AllAndDraftsOf(String),
    /// All but drafts.
    NoDrafts,
}

impl Sight {
    pub(super) fn of(reach: &Reach) -> Self {
        match (reach.role, &reach.municipality) {
            (Role::Coordinator, _) => Self::All,
            (Role::Partner, None) if reach.writes => Self::AllOfMunicipalities,
            (_, Some(own)) => Self::AllAndDraftsOf(own.clone()),
            (_, None) => Self::NoDrafts,
        }
    }

    /// The only door to the table: all but drafts, which only their host and the coordinator see.
    fn visible(&self) -> Visible {
        let all = EventRow::query().into_boxed();
        let is_no_draft = dsl::status.ne(EventStatus::Draft);
        match self {
            Self::All => all,
            Self::AllOfMunicipalities => all.filter(is_no_draft.or(dsl::host_municipality_code.is_not_null())),
            Self::AllAndDraftsOf(own) => all.filter(is_no_draft.or(dsl::host_municipality_code.eq(own.clone()))),
            Self::NoDrafts => all.filter(is_no_draft),
        }
    }
}

/// The visible events with one of these statuses, or with any status if there are none.
///
/// The filter and the rule of drafts are one condition where they can be: PostgreSQL does not see that `status <> 'draft'
/// or host = own` leaves only the caller's own drafts once `status = 'draft'` is given, and would walk all drafts.
pub(super) fn visible_with_status(reach: &Reach, statuses: &[EventStatus]) -> Visible {
    let (sight, all) = (Sight::of(reach), EventRow::query().into_boxed());
    match statuses {
        // The literals let PostgreSQL use the index of drafts: it does not for a parameter.
        [EventStatus::Draft] => match sight {
            Sight::All => all.filter(dsl::status.eq(EventStatus::Draft)),
            Sight::AllOfMunicipalities => {
                all.filter(dsl::status.eq(EventStatus::Draft)).filter(dsl::host_municipality_code.is_not_null())
            }
            Sight::AllAndDraftsOf(own) => {
                all.filter(sql::<Bool>("events.status = 'draft'")).filter(dsl::host_municipality_code.eq(own))
            }
            Sight::NoDrafts => all.filter(sql::<Bool>("false")),
        },
        [] => sight.visible(),
        others if !others.contains(&EventStatus::Draft) => any_of!(all, dsl::status, others),
        mixed => any_of!(sight.visible(), dsl::status, mixed),
    }
}

/// What this reach sees.
pub(super) fn visible(reach: &Reach) -> Visible {
    Sight::of(reach).visible()
}

/// Events by their ids.
struct ById;

impl Lookup for ById {
    type Sight = Sight;
    type Key = Uuid;
    type Row = EventRow;

    fn key(row: &EventRow) -> Uuid {
        row.id
    }

    async fn load(mut conn: &Conn, sight: &Sight, ids: Vec<Uuid>) -> Result<Vec<EventRow>> {
        Ok(sight.visible().filter(dsl::id.eq_any(ids)).load(&mut conn).await?)
    }
}

/// The versions of events, by their ids.
struct VersionById;

impl Lookup for VersionById {
    type Sight = Sight;
    type Key = Uuid;
    type Row = (Uuid, i64);

    fn key(row: &(Uuid, i64)) -> Uuid {
        row.0
    }

    async fn load(mut conn: &Conn, sight: &Sight, ids: Vec<Uuid>) -> Result<Vec<(Uuid, i64)>> {
        let query = sight.visible().filter(dsl::id.eq_any(ids));
        Ok(query.select((dsl::id, dsl::version)).load(&mut conn).await?)
    }
}

/// The event as this reach sees it: `online_url` is for the host, the tutors and signed-in members of the audience.
pub(super) fn seen(reach: &Reach) -> impl Fn(EventRow) -> Event {
    move |row| {
        let EventInput { host_municipality_code: host, audience, tutors, .. } = &row.fields;
        let own = reach.municipality.as_ref();
        let shown = reach.role != Role::Anonymous
            && (audience.is_empty()
                || reach.is_coordinator()
                || reach.writes_for(host.as_deref())
                || own.is_some_and(|own| host.as_ref() == Some(own) || audience.contains(own))
                || reach.tutor.is_some_and(|own| tutors.contains(&own)));
        row.view(shown)
    }
}

/// One event, asked for together with others.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn look_up(db: &Db, reach: &Reach, id: Uuid) -> Result<Event> {
    Ok(seen(reach)(db.look_up::<ById>(Sight::of(reach), id).await?))
}

/// The version of one event, asked for together with others.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn version(db: &Db, reach: &Reach, id: Uuid) -> Result<i64> {
    db.look_up::<VersionById>(Sight::of(reach), id).await.map(|(_, version)| version)
}

/// One event.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Event> {
    let row = visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?;
    Ok(seen(reach)(row))
}

/// Makes an event: a draft, unless the coordinator records something else.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Invalid`] with all that it refers to and does not exist.
pub async fn create(mut conn: &Conn, reach: &Reach, new: EventInput) -> Result<Event> {
    reach.require_writes_for(new.host_municipality_code.as_deref())?;
    if new.status != EventStatus::Draft {
        reach
            .require_coordinator("recording an event that is no draft (leave out `status`, and write it afterwards)")?;
    }
    let mut violations = missing_references(conn, &new).await?;
    if new.status == EventStatus::Completed && new.ends_at > Utc::now() {
        violations.extend(Violation::of_rule("events_completed_after_end"));
    }
    Error::unless_empty(violations)?;
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::source.eq(reach.identity.source()), new);
    let insert = diesel::insert_into(events::table).values(values).returning(EventRow::as_returning());
    Ok(seen(reach)(insert.get_result(&mut conn).await?))
}

/// Replaces an event's fields.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], [`Error::Transition`] for a change of
/// status that is not allowed, and [`Error::Invalid`] with all that it refers to and does not exist.
pub async fn replace(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, new: EventInput) -> Result<Event> {
    let current = find(conn, reach, id).await?;
    update(conn, reach, &current, expected, new).await
}

/// Merges a patch into an event's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`], and [`Error::Invalid`] when the result breaks rules.
pub async fn patch(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, patch: &Patch) -> Result<Event> {
    let current = find(conn, reach, id).await?;
    // First of all: whether a patch breaks a rule may tell what is stored.
    reach.require_writes_for(current.fields.host_municipality_code.as_deref())?;
    let new = patch.apply(&current.fields)?;
    update(conn, reach, &current, expected, new).await
}

async fn update(
    mut conn: &Conn,
    reach: &Reach,
    current: &Event,
    expected: &Tags,
    mut new: EventInput,
) -> Result<Event> {
    reach.require_writes_for(current.fields.host_municipality_code.as_deref())?;
    reach.require_writes_for(new.host_municipality_code.as_deref())?;
    Error::unless_empty(missing_references(conn, &new).await?)?;
    expected.require(current)?;
    current.fields.status.require_next(new.status)?;
    if current.fields.status == EventStatus::Postponed && new.status == EventStatus::Published {
        // A reason that was written for the postponement goes with it.
        new.status_reason = new.status_reason.filter(|reason| Some(reason) != current.fields.status_reason.as_ref());
    }
    let moved = (new.starts_at, new.ends_at) != (current.fields.starts_at, current.fields.ends_at);
    if current.fields.status.next().is_empty() && moved {
        reach.require_coordinator("moving an event that is completed or cancelled")?;
    }
    if new.status == EventStatus::Completed && new.ends_at > Utc::now() {
        return Err(Error::Conflict {
            code: "events_completed_after_end".into(),
            detail: "an event can be completed once it has ended".into(),
        });
    }
    let row = events::table.find(current.id).filter(dsl::version.eq(current.version));
    let update = diesel::update(row).set(new).returning(EventRow::as_returning());
    let updated = update.get_result(&mut conn).await.optional()?;
    updated.map(seen(reach)).ok_or(Error::PreconditionFailed)
}

/// Deletes an event.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], and [`Error::Conflict`] once there is
/// feedback on it: cancel it instead.
pub async fn delete(mut conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags) -> Result<()> {
    let current = find(conn, reach, id).await?;
    reach.require_writes_for(current.fields.host_municipality_code.as_deref())?;
    expected.require(&current)?;
    let row = events::table.find(id).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

/// Everything that the event refers to and that does not exist.
async fn missing_references(conn: &Conn, event: &EventInput) -> Result<Vec<Violation>> {
    let venue = event.venue.as_ref().and_then(|venue| venue.municipality_code.clone());
    let codes: Vec<String> =
        event.audience.iter().cloned().chain(venue.clone()).chain(event.host_municipality_code.clone()).collect();
    let (codes, themes, tutors) = tokio::try_join!(
        municipalities::store::missing(conn, &codes),
        themes::store::missing(conn, &event.themes),
        tutors::store::missing(conn, &event.tutors),
    )?;
    let unknown = |code: &Option<String>| code.as_ref().is_some_and(|code| codes.contains(code));
    let host = unknown(&event.host_municipality_code).then_some("events_host_municipality_code_exists");
    let venue = unknown(&venue).then_some("events_venue_municipality_code_exists");
    let mut violations: Vec<_> = host.into_iter().chain(venue).filter_map(Violation::of_rule).collect();
    violations.extend(Violation::of_items("events_audience_exist", &event.audience, &codes));
    violations.extend(Violation::of_items("events_themes_exist", &event.themes, &themes));
    violations.extend(Violation::of_items("events_tutors_exist", &event.tutors, &tutors));
    Ok(violations)
}
