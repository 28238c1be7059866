//! Tutors in the database. Every caller sees all of them; the module `visibility` decides which callers see a name and a
//! contact.

use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use uuid::Uuid;

use super::{
    model::{Tutor, TutorInput, TutorRow, TutorStatus::Ended},
    visibility::ContactVisibility,
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn, Db,
        batching::lookups::Lookup,
        row_limit::{Rows, rows_within},
    },
    domain::{MunicipalityCode, Role},
    problem::{Error, Result, Violation},
    resources::{
        directory::{municipalities::refused::Refused, themes},
        update::{Deletable, Editable},
    },
    schema::tutors::{self, dsl},
};

/// Tutors by id.
struct ById;

impl Lookup for ById {
    type Visibility = ();
    type Key = Uuid;
    type Row = TutorRow;

    fn key(row: &TutorRow) -> Uuid {
        row.id
    }

    async fn load(mut conn: &Conn, (): &(), ids: Vec<Uuid>, most: usize) -> Result<Rows<TutorRow>> {
        let query = TutorRow::query().filter(dsl::id.eq_any(ids));
        rows_within(query.load_stream(&mut conn).await?, most).await
    }
}

/// Returns one tutor. Concurrent calls share one statement.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn look_up(db: &Db, reach: &Reach, id: Uuid) -> Result<Tutor> {
    Ok(ContactVisibility::of(reach).view(db.look_up::<ById>((), id).await?))
}

/// Returns one tutor.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Tutor> {
    Ok(TutorRow::find_row(conn, reach, &id).await?.view(reach))
}

/// Returns the tutors with these ids, in any order, as many as have at most `most` bytes.
pub async fn with_ids(conn: &Conn, reach: &Reach, ids: Vec<Uuid>, most: usize) -> Result<Rows<Tutor>> {
    let visibility = ContactVisibility::of(reach);
    let Rows { rows, is_cut } = <ById as Lookup>::load(conn, &(), ids, most).await?;
    Ok(Rows { rows: rows.into_iter().map(|row| visibility.view(row)).collect(), is_cut })
}

/// Returns the ids that no tutor has.
pub async fn missing(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<Uuid> = tutors::table.select(dsl::id).filter(dsl::id.eq_any(ids)).load(&mut conn).await?;
    Ok(ids.iter().filter(|id| !known.contains(id)).copied().collect())
}

/// Returns the municipality of a tutor; none when there is no such tutor.
pub async fn municipality_of(mut conn: &Conn, id: Uuid) -> Result<Option<MunicipalityCode>> {
    let query = tutors::table.find(id).select(dsl::municipality_code);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns whether one of these tutors belongs to this municipality.
pub async fn belong_to(mut conn: &Conn, ids: &[Uuid], municipality: &MunicipalityCode) -> Result<bool> {
    let own = tutors::table.filter(dsl::id.eq_any(ids)).filter(dsl::municipality_code.eq(municipality));
    Ok(diesel::select(exists(own)).get_result(&mut conn).await?)
}

/// Creates a tutor of a municipality for which the caller may write.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`] when the municipality or a theme does not exist, and [`Error::Conflict`] when
/// the source has used the `external_id` before.
pub async fn create(mut conn: &Conn, reach: &Reach, new: TutorInput) -> Result<Tutor> {
    require_not_tutor(reach, "create")?;
    reach.require_writes_for(Some(&new.municipality_code))?;
    require_references(conn, &new, None).await?;
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::source.eq(reach.identity.source().to_owned()), new);
    let insert = diesel::insert_into(tutors::table).values(values).returning(TutorRow::as_returning());
    Ok(insert.get_result(&mut conn).await?.view(reach))
}

impl Editable for TutorRow {
    type Resource = Tutor;
    type Input = TutorInput;
    type Key = Uuid;

    async fn find_row(mut conn: &Conn, _: &Reach, id: &Uuid) -> Result<Self> {
        Ok(Self::query().filter(dsl::id.eq(*id)).first(&mut conn).await?)
    }

    fn view(self, reach: &Reach) -> Tutor {
        ContactVisibility::of(reach).view(self)
    }

    fn fields(&self) -> &TutorInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        match reach.role {
            Role::Tutor if reach.writes && reach.tutor == Some(self.id) => Ok(()),
            Role::Tutor => Err(Error::OutOfReach("a tutor may change only their own profile".to_owned())),
            _ => reach.require_writes_for(Some(&self.fields.municipality_code)),
        }
    }

    async fn check(&self, conn: &Conn, reach: &Reach, new: TutorInput) -> Result<TutorInput> {
        if new.municipality_code != self.fields.municipality_code {
            if reach.role == Role::Tutor {
                let detail = "a tutor may not change `municipality_code`; leave it unchanged";
                return Err(Error::OutOfReach(detail.to_owned()));
            }
            reach.require_writes_for(Some(&new.municipality_code))?;
        }
        require_references(conn, &new, Some(&self.fields)).await?;
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: TutorInput) -> Result<Option<Self>> {
        let row = tutors::table.find(self.id).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for TutorRow {
    fn require_deletable(&self, reach: &Reach) -> Result<()> {
        require_not_tutor(reach, "delete")?;
        self.require_reach(reach)
    }

    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = tutors::table.find(self.id).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(in_use)
    }
}

fn require_not_tutor(reach: &Reach, action: &str) -> Result<()> {
    if reach.role == Role::Tutor {
        let detail = format!("a tutor may not {action} tutors; ask your municipality or the coordinator");
        return Err(Error::OutOfReach(detail));
    }
    Ok(())
}

/// Refuses references to a municipality that does not exist or has ended, and to themes that do not exist. The foreign
/// keys and triggers guard against a row that changes at the same time. A tutor who has ended keeps the municipality.
async fn require_references(conn: &Conn, new: &TutorInput, current: Option<&TutorInput>) -> Result<()> {
    let keeps = |current: &&TutorInput| {
        current.municipality_code == new.municipality_code && (current.status != Ended || new.status == Ended)
    };
    let named =
        if current.as_ref().is_some_and(keeps) { &[][..] } else { std::slice::from_ref(&new.municipality_code) };
    let (no_theme, refused) = try_join(themes::store::missing(conn, &new.themes), Refused::among(conn, named)).await?;
    let mut violations: Vec<_> = Violation::of_items("tutors_themes_exist", &new.themes, &no_theme).collect();
    violations.extend(refused.violation(named.first(), "tutors_municipality_code_exists"));
    Error::unless_empty(violations)
}

/// Explains that a tutor that other rows refer to is ended, not deleted, so that past events keep their tutors.
fn in_use(error: diesel::result::Error) -> Error {
    match Error::on_delete(error) {
        Error::InUse { references, .. } => Error::InUse { detail: "set its `status` to `ended` instead", references },
        other => other,
    }
}
