//! Tutors by their ids, asked for together with others who ask at the same time.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{StoredTutor, Tutor},
    sight::Sight,
};
use crate::{
    auth::reach::Reach,
    db::{Conn, Db, lookup::Lookup},
    problem::Result,
    schema::tutors::{self, dsl},
};

/// Tutors by their ids; what is shown of them differs, not which there are.
struct ById;

impl Lookup for ById {
    type Sight = ();
    type Key = Uuid;
    type Row = StoredTutor;

    fn key(row: &StoredTutor) -> Uuid {
        row.id
    }

    async fn load(mut conn: &Conn, (): &(), ids: Vec<Uuid>) -> Result<Vec<StoredTutor>> {
        Ok(StoredTutor::query().filter(dsl::id.eq_any(ids)).load(&mut conn).await?)
    }
}

/// The versions of tutors, by their ids.
struct VersionById;

impl Lookup for VersionById {
    type Sight = ();
    type Key = Uuid;
    type Row = (Uuid, i64);

    fn key(row: &(Uuid, i64)) -> Uuid {
        row.0
    }

    async fn load(mut conn: &Conn, (): &(), ids: Vec<Uuid>) -> Result<Vec<(Uuid, i64)>> {
        Ok(tutors::table.select((dsl::id, dsl::version)).filter(dsl::id.eq_any(ids)).load(&mut conn).await?)
    }
}

/// The version of one tutor.
///
/// # Errors
/// [`crate::problem::Error::NotFound`].
pub(super) async fn version(db: &Db, id: Uuid) -> Result<i64> {
    db.look_up::<VersionById>((), id).await.map(|(_, version)| version)
}

/// One tutor.
///
/// # Errors
/// [`crate::problem::Error::NotFound`].
pub(super) async fn look_up(db: &Db, reach: &Reach, id: Uuid) -> Result<Tutor> {
    Ok(Sight::of(reach).show(db.look_up::<ById>((), id).await?))
}
