//! Feedback in the database.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::{
    model::{Feedback, FeedbackInput, FeedbackRow},
    validation::{require_change, require_new, respondent_of},
    visibility::{is_own, view, visible},
};
use crate::{
    auth::reach::Reach,
    db::{Author, Conn, Db, batching::inserts::NewRow},
    domain::Role,
    problem::{Error, Result},
    resources::update::{Deletable, Editable},
    schema::{feedback, feedback::dsl},
};

/// Returns one piece of feedback.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Feedback> {
    Ok(view(reach, FeedbackRow::find_row(conn, reach, &id).await?))
}

/// The values of new feedback.
#[derive(Clone, Insertable)]
#[diesel(table_name = feedback, treat_none_as_default_value = false)]
struct NewFeedback {
    id: Uuid,
    source: String,
    respondent: String,
    #[diesel(embed)]
    fields: FeedbackInput,
}

impl NewFeedback {
    /// Returns the values, after the checks that need no database.
    fn of(reach: &Reach, fields: FeedbackInput) -> Result<Self> {
        let (respondent, source) = (respondent_of(reach, &fields)?, reach.identity.source().to_owned());
        Ok(Self { id: Uuid::now_v7(), source, respondent, fields })
    }
}

/// Inserts all of these rows, or none.
async fn insert(mut conn: &Conn, mut new: Vec<NewFeedback>) -> Result<Vec<FeedbackRow>> {
    let insert = diesel::insert_into(feedback::table);
    let returning = FeedbackRow::as_returning();
    // PostgreSQL prepares the insert of a single row once for each connection, because its text is always the same.
    Ok(match (new.pop(), new.is_empty()) {
        (Some(one), true) => insert.values(one).returning(returning).load(&mut conn).await?,
        (last, _) => {
            new.extend(last);
            insert.values(new).returning(returning).load(&mut conn).await?
        }
    })
}

/// Inserts a batch, for [`Db::insert`].
fn insert_batch(conn: &Conn, rows: Vec<NewRow<NewFeedback>>) -> LocalBoxFuture<'_, Result<Vec<(Uuid, FeedbackRow)>>> {
    let new = rows.into_iter().map(|row| row.values).collect();
    Box::pin(async move { Ok(insert(conn, new).await?.into_iter().map(|row| (row.id, row)).collect()) })
}

/// Creates feedback as [`create`] does, in one batch with feedback that other callers give at the same time. It must
/// not be used for tutors, because the database does not check on which events they may give feedback.
///
/// # Errors
/// The errors of [`create`].
pub(super) async fn create_in_batch(db: &Db, author: Author, reach: &Reach, new: FeedbackInput) -> Result<Feedback> {
    let new = NewFeedback::of(reach, new)?;
    let locks = (new.fields.event_id, new.fields.direction.as_str());
    let row = db.insert(author, NewRow { id: new.id, locks, values: new }, insert_batch).await?;
    Ok(view(reach, row))
}

/// Creates feedback. The constraints and triggers of the database check most rules, because checking them here first
/// would double the cost of every write. PostgreSQL reports only the first broken rule; [`explain`] finds all of them.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`], and [`Error::Conflict`] when this respondent has given feedback on the
/// event before or the `external_id` is taken.
pub(super) async fn create(conn: &Conn, reach: &Reach, new: FeedbackInput) -> Result<Feedback> {
    if reach.role == Role::Tutor {
        require_new(conn, reach, &new).await?;
    }
    let row = insert(conn, vec![NewFeedback::of(reach, new)?]).await?.pop().ok_or(Error::NotFound)?;
    Ok(view(reach, row))
}

/// Returns an error with every rule that refused feedback breaks, or the error of the database if no broken rule is
/// found.
///
/// # Errors
/// Always.
pub(super) async fn explain<T>(conn: &Conn, reach: &Reach, refused: &FeedbackInput, error: Error) -> Result<T> {
    require_new(conn, reach, refused).await?;
    Err(error)
}

impl Editable for FeedbackRow {
    type Resource = Feedback;
    type Input = FeedbackInput;
    type Key = Uuid;

    async fn find_row(mut conn: &Conn, reach: &Reach, id: &Uuid) -> Result<Self> {
        Ok(visible(reach, Some(*id)).first(&mut conn).await?)
    }

    fn view(self, reach: &Reach) -> Feedback {
        view(reach, self)
    }

    fn fields(&self) -> &FeedbackInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        if reach.is_coordinator() || is_own(reach, self) {
            return Ok(());
        }
        let detail = "only the caller that gave this feedback and the coordinator may change it";
        Err(Error::OutOfReach(detail.to_owned()))
    }

    async fn check(&self, conn: &Conn, reach: &Reach, new: FeedbackInput) -> Result<FeedbackInput> {
        require_change(conn, reach, &self.fields, &new).await?;
        Ok(FeedbackInput { respondent: self.fields.respondent.clone(), ..new })
    }

    async fn update(&self, mut conn: &Conn, new: FeedbackInput) -> Result<Option<Self>> {
        let row = feedback::table.find(self.id).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for FeedbackRow {
    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = feedback::table.find(self.id).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)
    }
}
