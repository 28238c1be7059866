//! Replaces, patches and deletes resources. The steps are the same for every resource:
//!
//! 1. reach: 404 when the caller may not see the row, 403 when it may see it but not change it;
//! 2. condition: 412 when `If-Match` does not contain the current entity tag of the row;
//! 3. state and references: 403, 409 or 422 when the new fields are not allowed;
//! 4. the write itself: 412 when the row no longer has the version that was read. Fields that equal the stored ones are
//!    not written: the row keeps its version, and the ledger gets no line.

use std::fmt::Display;

use serde::Serialize;

use crate::{
    auth::{reach::Reach, scopes::Scope},
    db::{Conn, Db},
    http::{Body, Caller, IfMatch, Json, NoContent, Patch, Replacement, Resource, input::if_match::EntityTags},
    problem::{Error, Result},
    registry,
    resources::references,
};

/// A stored row that callers replace and patch.
pub trait Editable: Clone + Sized + 'static {
    /// The row as callers see it.
    type Resource: Resource + 'static;
    /// The fields that callers write.
    type Input: Body + Serialize + PartialEq;
    /// The id, code or slug.
    type Key: Clone + Display + 'static;

    /// Loads the row, if the caller may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn find_row(conn: &Conn, reach: &Reach, key: &Self::Key) -> impl Future<Output = Result<Self>>;

    /// Returns what the caller sees of the row.
    fn view(self, reach: &Reach) -> Self::Resource;

    /// Returns the stored fields.
    fn fields(&self) -> &Self::Input;

    /// Refuses a caller that may not change the row.
    ///
    /// # Errors
    /// [`Error::OutOfReach`].
    fn require_reach(&self, reach: &Reach) -> Result<()>;

    /// Checks the new fields against the stored data: the reach of the caller for a new owner, the state of the row, and
    /// the rows that the fields refer to. Returns the fields to write.
    ///
    /// # Errors
    /// [`Error::OutOfReach`], [`Error::Transition`], [`Error::Conflict`], [`Error::Invalid`].
    fn check(&self, conn: &Conn, reach: &Reach, new: Self::Input) -> impl Future<Output = Result<Self::Input>>;

    /// Writes the new fields, if the row still has this version. Returns the new row.
    fn update(&self, conn: &Conn, new: Self::Input) -> impl Future<Output = Result<Option<Self>>>;
}

/// A stored row that callers delete.
pub trait Deletable: Editable {
    /// Refuses a caller that may change the row but not delete it.
    ///
    /// # Errors
    /// [`Error::OutOfReach`].
    fn require_deletable(&self, reach: &Reach) -> Result<()> {
        self.require_reach(reach)
    }

    /// Deletes the row, if it still has this version. Returns how many rows were deleted.
    ///
    /// # Errors
    /// [`Error::Conflict`] while other rows refer to it.
    fn delete(&self, conn: &Conn) -> impl Future<Output = Result<usize>>;
}

/// Handles a `PUT`.
pub async fn replace<R: Editable, S: Scope>(
    db: &Db,
    caller: Caller<S>,
    key: R::Key,
    if_match: IfMatch,
    replacement: Replacement<R::Input>,
) -> Result<Json<R::Resource>> {
    let (author, reach, expected) = (caller.author(), caller.reach, if_match.required()?);
    let work = async move |conn: &Conn| replace_row::<R>(conn, &reach, &key, &expected, replacement).await;
    db.write(author, work).await.map(Json)
}

/// Handles a `PATCH`.
pub async fn patch<R: Editable, S: Scope>(
    db: &Db,
    caller: Caller<S>,
    key: R::Key,
    if_match: IfMatch,
    patch: Patch,
) -> Result<Json<R::Resource>> {
    let (author, reach, expected) = (caller.author(), caller.reach, if_match.required()?);
    db.write(author, async move |conn| patch_row::<R>(conn, &reach, &key, &expected, &patch).await).await.map(Json)
}

/// Handles a `DELETE`.
pub async fn delete<R: Deletable, S: Scope>(
    db: &Db,
    caller: Caller<S>,
    key: R::Key,
    if_match: IfMatch,
) -> Result<NoContent> {
    let (author, readable, expected) = (caller.author(), references::readable(&caller), if_match.required()?);
    let (reach, row) = (caller.reach.clone(), key.clone());
    let deleted = db.write(author, async move |conn| delete_row::<R>(conn, &reach, &row, &expected).await).await;
    match deleted {
        Ok(()) => Ok(NoContent),
        Err(Error::InUse { detail, .. }) => {
            // PostgreSQL has aborted the transaction that found it in use.
            let row = (registry::of_path(R::Resource::COLLECTION).map_or("", |of| of.name), key.to_string());
            let read = async |conn: &Conn| references::to_row(conn, &caller.reach, &readable, (row.0, &row.1)).await;
            Err(Error::InUse { detail, references: db.read(read).await? })
        }
        Err(other) => Err(other),
    }
}

/// Replaces the fields of a row. Later fields that the replacement leaves out stay unchanged.
pub async fn replace_row<R: Editable>(
    conn: &Conn,
    reach: &Reach,
    key: &R::Key,
    expected: &EntityTags,
    replacement: Replacement<R::Input>,
) -> Result<R::Resource> {
    let current = load_changeable::<R>(conn, reach, key).await?;
    expected.require(&current.clone().view(reach))?;
    let names_status = replacement.names("status");
    let new = replacement.apply(current.fields())?;
    let written = write(conn, reach, current, new).await;
    written.map_err(|error| if names_status { error } else { error.of_default_status() })
}

/// Merges a patch into the fields of a row.
pub async fn patch_row<R: Editable>(
    conn: &Conn,
    reach: &Reach,
    key: &R::Key,
    expected: &EntityTags,
    patch: &Patch,
) -> Result<R::Resource> {
    let current = load_changeable::<R>(conn, reach, key).await?;
    expected.require_version(&current.clone().view(reach))?;
    let new = patch.apply(current.fields())?;
    write(conn, reach, current, new).await
}

/// Deletes a row.
pub async fn delete_row<R: Deletable>(conn: &Conn, reach: &Reach, key: &R::Key, expected: &EntityTags) -> Result<()> {
    let current = R::find_row(conn, reach, key).await?;
    current.require_deletable(reach)?;
    expected.require_version(&current.clone().view(reach))?;
    match current.delete(conn).await? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

/// Loads a row that the caller may change.
async fn load_changeable<R: Editable>(conn: &Conn, reach: &Reach, key: &R::Key) -> Result<R> {
    let current = R::find_row(conn, reach, key).await?;
    current.require_reach(reach)?;
    Ok(current)
}

async fn write<R: Editable>(conn: &Conn, reach: &Reach, current: R, new: R::Input) -> Result<R::Resource> {
    let new = current.check(conn, reach, new).await?;
    if new == *current.fields() {
        return Ok(current.view(reach));
    }
    let updated = current.update(conn, new).await?;
    updated.map(|row| row.view(reach)).ok_or(Error::PreconditionFailed)
}
