//! The feedback in the database: who sees which of it, and how much of it, is decided here.

use diesel::{
    dsl::array,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::{
    model::{Direction, Feedback, FeedbackInput},
    validation as giving,
};
use crate::{
    auth::reach::{Identity, Reach},
    db::{Author, Conn, Db, batching::inserts::NewRow},
    domain::{Role, names::OWN_SOURCE},
    problem::{Error, Result},
    resources::update::{Deletable, Editable},
    schema::{event_tutors, events, feedback, feedback::dsl},
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

/// Inserts all of these rows, or none.
async fn insert(mut conn: &Conn, mut new: Vec<NewFeedback>) -> Result<Vec<Feedback>> {
    let insert = diesel::insert_into(feedback::table);
    let returning = Feedback::as_returning();
    // An insert of a single row has one text, which PostgreSQL prepares once for each connection.
    Ok(match (new.pop(), new.is_empty()) {
        (Some(one), true) => insert.values(one).returning(returning).load(&mut conn).await?,
        (last, _) => {
            new.extend(last);
            insert.values(new).returning(returning).load(&mut conn).await?
        }
    })
}

/// Inserts a batch, for [`Db::insert`].
fn insert_batch(conn: &Conn, rows: Vec<NewRow<NewFeedback>>) -> LocalBoxFuture<'_, Result<Vec<(Uuid, Feedback)>>> {
    let new = rows.into_iter().map(|row| row.values).collect();
    Box::pin(async move { Ok(insert(conn, new).await?.into_iter().map(|row| (row.id, row)).collect()) })
}

/// Gives feedback, together with others who do at the same time.
///
/// # Errors
/// As [`create`].
pub async fn give(db: &Db, author: Author, reach: &Reach, new: FeedbackInput) -> Result<Feedback> {
    let new = NewFeedback::of(reach, giving::respondent_of(reach, &new)?, new);
    let locks = (new.fields.event_id, new.fields.direction.as_str());
    db.insert(author, NewRow { id: new.id, locks, values: new }, insert_batch).await
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
    insert(conn, vec![new]).await?.pop().ok_or(Error::NotFound)
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

impl Editable for Feedback {
    type Resource = Self;
    type Input = FeedbackInput;
    type Key = Uuid;

    async fn find_row(mut conn: &Conn, reach: &Reach, id: &Uuid) -> Result<Self> {
        Ok(visible(reach, Some(*id)).first(&mut conn).await?)
    }

    fn view(self, reach: &Reach) -> Self {
        view(reach, self)
    }

    fn fields(&self) -> &FeedbackInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        if reach.is_coordinator() || gave(reach, self) {
            return Ok(());
        }
        Err(Error::OutOfReach("only its giver and the coordinator may change this feedback".into()))
    }

    async fn check(&self, conn: &Conn, reach: &Reach, new: FeedbackInput) -> Result<FeedbackInput> {
        giving::require_change(conn, reach, self, &new).await?;
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: FeedbackInput) -> Result<Option<Self>> {
        let row = feedback::table.find(self.id).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for Feedback {
    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = feedback::table.find(self.id).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)
    }
}
