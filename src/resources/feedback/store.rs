//! The feedback in the database: who sees which of it, and how much of it, is decided here.

use diesel::{
    dsl::array,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    giving,
    model::{Direction, Feedback, FeedbackInput},
};
use crate::{
    auth::reach::{Identity, OWN_SOURCE, Reach, Role},
    db::{Author, Conn, Db, insert::Insert},
    http::{Patch, conditional::Tags},
    problem::{Error, Result},
    schema::{
        event_tutors, events,
        feedback::{self, dsl},
    },
};

pub(super) type Visible = IntoBoxed<'static, Select<feedback::table, AsSelect<Feedback, Pg>>, Pg>;

/// The only door to the table: what this reach sees, of all or of one. That is what one gave; what tutors say of
/// participants also at the events that the account's municipality hosts or its tutor presents at; the coordinator
/// sees everything.
///
/// The arrays are made once and first, from one index each: with a plain `OR` PostgreSQL may walk the whole table in
/// the order of the page.
pub(super) fn visible(reach: &Reach, only: Option<Uuid>) -> Visible {
    let query = match only {
        Some(id) => Feedback::query().filter(dsl::id.eq(id)).into_boxed(),
        None => Feedback::query().into_boxed(),
    };
    let rows = diesel::alias!(feedback as seen);
    match &reach.identity {
        _ if reach.is_coordinator() => query,
        Identity::Anonymous => query.filter(false.into_sql::<Bool>()),
        // As a list of one: a list that is walked along the source has it in its order.
        Identity::Client { source, .. } => query.filter(dsl::source.eq_any(vec![source.clone()])),
        Identity::Account(id) => {
            let ids = || match only {
                Some(id) => rows.select(rows.field(dsl::id)).filter(rows.field(dsl::id).eq(id)).into_boxed::<Pg>(),
                None => rows.select(rows.field(dsl::id)).into_boxed(),
            };
            let own = rows.field(dsl::source).eq(OWN_SOURCE).and(rows.field(dsl::respondent).eq(id.to_string()));
            let hosted = events::host_municipality_code.eq(reach.municipality.clone());
            let presented = event_tutors::tutor_id.nullable().eq(reach.tutor);
            let near = events::table.filter(hosted).select(events::id);
            let near = near.union_all(event_tutors::table.filter(presented).select(event_tutors::event_id));
            let of_participants = rows.field(dsl::direction).eq(Direction::TutorToParticipant);
            let told = of_participants.and(rows.field(dsl::event_id).eq_any(array::<SqlUuid, _>(near)));
            query.filter(dsl::id.eq_any(array::<SqlUuid, _>(ids().filter(own).union_all(ids().filter(told)))))
        }
    }
}

/// Whether this reach is the giver's.
fn gave(reach: &Reach, row: &Feedback) -> bool {
    let own_source = row.source.as_deref() == Some(reach.identity.source());
    match &reach.identity {
        Identity::Anonymous => false,
        Identity::Client { .. } => own_source,
        Identity::Account(id) => own_source && row.fields.respondent == Some(id.to_string()),
    }
}

/// What this reach sees of it.
pub(super) fn view(reach: &Reach, row: Feedback) -> Feedback {
    if reach.is_coordinator() || gave(reach, &row) { row } else { row.reduced() }
}

/// One piece of feedback.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Feedback> {
    Ok(view(reach, visible(reach, Some(id)).first(&mut conn).await?))
}

/// Feedback that may be given as far as that can be told without the database.
#[derive(Clone, Insertable)]
#[diesel(table_name = feedback, treat_none_as_default_value = false)]
pub struct NewFeedback {
    id: Uuid,
    source: String,
    respondent: String,
    #[diesel(embed)]
    fields: FeedbackInput,
}

impl Insert for NewFeedback {
    type New = Self;
    type Row = Feedback;
    type Lock = (Uuid, &'static str);

    fn id(new: &Self) -> Uuid {
        new.id
    }

    fn lock(new: &Self) -> Self::Lock {
        (new.fields.event_id, new.fields.direction.as_str())
    }

    fn stored_id(row: &Feedback) -> Uuid {
        row.id
    }

    async fn insert(mut conn: &Conn, mut new: Vec<Self>) -> Result<Vec<Feedback>> {
        let insert = diesel::insert_into(feedback::table);
        let returning = Feedback::as_returning();
        // One by itself is a statement that is prepared but once.
        Ok(match (new.pop(), new.is_empty()) {
            (Some(one), true) => insert.values(one).returning(returning).load(&mut conn).await?,
            (last, _) => {
                new.extend(last);
                insert.values(new).returning(returning).load(&mut conn).await?
            }
        })
    }
}

/// Gives feedback, together with others who do at the same time.
///
/// # Errors
/// As [`create`].
pub async fn give(db: &Db, author: Author, reach: &Reach, new: FeedbackInput) -> Result<Feedback> {
    let new = NewFeedback::of(reach, giving::respondent_of(reach, &new)?, new);
    db.insert::<NewFeedback>(author, new).await
}

/// Gives feedback. The database looks whether it may be given: to look before it would double what it costs. When it
/// refuses, [`explain`] tells all that stands against it. What a tutor may give hangs on the event: there it is asked.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`], and [`Error::Conflict`] when this respondent has given it before or the
/// `external_id` is taken.
pub async fn create(conn: &Conn, reach: &Reach, new: FeedbackInput) -> Result<Feedback> {
    if reach.role == Role::Tutor {
        giving::require_new(conn, reach, &new).await?;
    }
    let new = NewFeedback::of(reach, giving::respondent_of(reach, &new)?, new);
    NewFeedback::insert(conn, vec![new]).await?.pop().ok_or(Error::NotFound)
}

impl NewFeedback {
    fn of(reach: &Reach, respondent: String, fields: FeedbackInput) -> Self {
        Self { id: Uuid::now_v7(), source: reach.identity.source().to_owned(), respondent, fields }
    }
}

/// Why this could not be given: all that stands against it, or what the database said.
///
/// # Errors
/// Always.
pub async fn explain<T>(conn: &Conn, reach: &Reach, refused: &FeedbackInput, said: Error) -> Result<T> {
    giving::require_new(conn, reach, refused).await?;
    Err(said)
}

/// Replaces feedback's fields: the giver's and the coordinator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::Invalid`], [`Error::PreconditionFailed`], and
/// [`Error::Conflict`] when the `external_id` is taken.
pub async fn replace(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, new: FeedbackInput) -> Result<Feedback> {
    let current = find_to_write(conn, reach, id).await?;
    update(conn, reach, current, expected, new).await
}

/// Merges a patch into feedback's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`].
pub async fn patch(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, patch: &Patch) -> Result<Feedback> {
    let current = find_to_write(conn, reach, id).await?;
    let new = patch.apply(&current.fields)?;
    update(conn, reach, current, expected, new).await
}

async fn find_to_write(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Feedback> {
    let current = find(conn, reach, id).await?;
    if current.is_reduced() {
        return Err(Error::OutOfReach("only who gave it and the coordinator change it".into()));
    }
    Ok(current)
}

async fn update(
    mut conn: &Conn,
    reach: &Reach,
    current: Feedback,
    expected: &Tags,
    new: FeedbackInput,
) -> Result<Feedback> {
    giving::require_change(conn, reach, &current, &new).await?;
    expected.require(&current)?;
    let row = feedback::table.find(current.id).filter(dsl::version.eq(current.version));
    let update = diesel::update(row).set(new).returning(Feedback::as_returning());
    update.get_result(&mut conn).await.optional()?.ok_or(Error::PreconditionFailed)
}

/// Deletes feedback: the giver's and the coordinator's, at any time.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`] and [`Error::PreconditionFailed`].
pub async fn delete(mut conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags) -> Result<()> {
    let current = find_to_write(conn, reach, id).await?;
    expected.require(&current)?;
    let row = feedback::table.find(id).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}
