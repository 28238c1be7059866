//! The tutors in the database. Everybody sees all of them, name and contact apart; who writes what is decided here.

use diesel::{
    dsl::exists,
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use uuid::Uuid;

use super::{
    model::{StoredTutor, Tutor, TutorFilter, TutorInput, TutorSort as Sort},
    sight::Sight,
};
use crate::{
    auth::reach::{Reach, Role},
    db::{
        Conn,
        keyset::{any_of, keyset},
        search::by_first_column,
    },
    http::{List, Page, Patch, conditional::Tags, list::PageRequest},
    problem::{Error, Result, Violation},
    resources::{municipalities, themes},
    schema::{
        tutor_languages, tutor_themes,
        tutors::{self, dsl},
    },
};

type Visible = IntoBoxed<'static, Select<tutors::table, AsSelect<StoredTutor, Pg>>, Pg>;

/// The only door to the table: what this reach sees, as [`Sight::show`] shows it.
fn visible(_: &Reach) -> Visible {
    StoredTutor::query().into_boxed()
}

/// One tutor.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Tutor> {
    Ok(Sight::of(reach).show(stored(conn, reach, id).await?))
}

async fn stored(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<StoredTutor> {
    Ok(visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Those of these ids, in no order.
///
/// # Errors
/// When the database is away.
pub async fn with_ids(mut conn: &Conn, reach: &Reach, ids: Vec<Uuid>) -> Result<Vec<Tutor>> {
    let rows: Vec<StoredTutor> = visible(reach).filter(dsl::id.eq_any(ids)).load(&mut conn).await?;
    let sight = Sight::of(reach);
    Ok(rows.into_iter().map(|tutor| sight.show(tutor)).collect())
}

/// A page of tutors.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<TutorFilter>) -> Result<Page<Tutor>> {
    let List { filter, page } = list;
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, reach, filter, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let after = page.after::<Uuid>()?;
    let query = match sort {
        Sort::Id => {
            let query = filtered(reach, filter, (after.unwrap_or(Uuid::nil()), Uuid::max()));
            keyset!(query, page, ascending, dsl::id: Uuid)
        }
        Sort::IdDescending => {
            let query = filtered(reach, filter, (Uuid::nil(), after.unwrap_or(Uuid::max())));
            keyset!(query, page, descending, dsl::id: Uuid)
        }
    };
    let rows: Vec<StoredTutor> = query.limit(page.fetch()).load(&mut conn).await?;
    let sight = Sight::of(reach);
    Ok(page.answer(rows, |tutor| tutor.id).map(|tutor| sight.show(tutor)))
}

/// As [`any_of`], of a list's values, a row each in a table of links. The bounds of the page's ids are told to that
/// table too: PostgreSQL carries an equality over to it, but no inequality.
macro_rules! any_linked {
    ($query:expr, $bounds:expr, $link:ident, $column:ident, $values:expr) => {{
        let links = || {
            $link::table
                .filter($link::tutor_id.eq(dsl::id))
                .filter($link::tutor_id.gt($bounds.0))
                .filter($link::tutor_id.lt($bounds.1))
        };
        match $values.as_slice() {
            [] => $query,
            [one] => $query.filter(exists(links().filter($link::$column.eq(one.clone())))),
            several => $query.filter(exists(links().filter($link::$column.eq_any(several.to_vec())))),
        }
    }};
}

/// Those that pass the filter; the page's ids are between the bounds.
fn filtered(reach: &Reach, filter: &TutorFilter, bounds: (Uuid, Uuid)) -> Visible {
    let query = visible(reach);
    let query = any_of!(query, dsl::municipality_code, filter.municipality);
    let query = any_of!(query, dsl::status, filter.status);
    let query = any_of!(query, dsl::source, filter.source);
    let query = any_of!(query, dsl::external_id, filter.external_id);
    let query = any_linked!(query, bounds, tutor_themes, theme_slug, filter.theme);
    let query = any_linked!(query, bounds, tutor_languages, language, filter.language);
    match &filter.q {
        Some(q) => query.filter(Sight::of(reach).found(q)),
        None => query,
    }
}

async fn by_rank(
    mut conn: &Conn,
    reach: &Reach,
    filter: &TutorFilter,
    q: &str,
    page: &PageRequest,
) -> Result<Page<Tutor>> {
    let sight = Sight::of(reach);
    let query = filtered(reach, filter, (Uuid::nil(), Uuid::max()));
    let mut query = query.order((by_first_column(), dsl::id)).limit(page.fetch());
    if let Some((least, id)) = page.after::<(f32, Uuid)>()? {
        query = query.filter(sight.rank(q).le(least)).filter(sight.rank(q).lt(least).or(dsl::id.gt(id)));
    }
    let query = query.select((sight.rank(q), StoredTutor::as_select()));
    let rows: Vec<(f32, StoredTutor)> = query.load(&mut conn).await?;
    Ok(page.answer(rows, |(rank, tutor)| (*rank, tutor.id)).map(|(_, tutor)| sight.show(tutor)))
}

/// Those of these ids that no tutor has.
///
/// # Errors
/// When the database is away.
pub async fn missing(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<Uuid> = tutors::table.select(dsl::id).filter(dsl::id.eq_any(ids)).load(&mut conn).await?;
    Ok(ids.iter().filter(|id| !known.contains(id)).copied().collect())
}

/// The municipality of the tutor with this id.
///
/// # Errors
/// When the database is away.
pub async fn municipality_of(mut conn: &Conn, id: Uuid) -> Result<Option<String>> {
    let query = tutors::table.find(id).select(dsl::municipality_code);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Makes a tutor of a municipality that the caller writes for; a tutor makes none.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`] when the municipality or a theme does not exist, and [`Error::Conflict`]
/// when the source has used the `external_id`.
pub async fn create(mut conn: &Conn, reach: &Reach, new: TutorInput) -> Result<Tutor> {
    require_more_than_tutor(reach, "makes")?;
    reach.require_writes_for(Some(&new.municipality_code))?;
    require_references(conn, &new).await?;
    let made = (dsl::id.eq(Uuid::now_v7()), dsl::source.eq(reach.identity.source().to_owned()), new);
    let insert = diesel::insert_into(tutors::table).values(made);
    Ok(Sight::of(reach).show(insert.returning(StoredTutor::as_returning()).get_result(&mut conn).await?))
}

/// Replaces the fields of a tutor that the caller writes for; a tutor those of its own profile, but for the
/// municipality.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], [`Error::Invalid`] when the municipality
/// or a theme does not exist, and [`Error::Conflict`] when the source has used the `external_id`.
pub async fn replace(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, new: TutorInput) -> Result<Tutor> {
    let current = stored(conn, reach, id).await?;
    require_writes(reach, &current)?;
    update(conn, reach, current, expected, new).await
}

/// Merges a patch into a tutor's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`], and [`Error::Invalid`] when the result breaks rules.
pub async fn patch(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, patch: &Patch) -> Result<Tutor> {
    let current = stored(conn, reach, id).await?;
    // First of all: whether a patch breaks a rule may tell what is stored.
    require_writes(reach, &current)?;
    let new = patch.apply(&current.fields)?;
    update(conn, reach, current, expected, new).await
}

async fn update(
    mut conn: &Conn,
    reach: &Reach,
    current: StoredTutor,
    expected: &Tags,
    new: TutorInput,
) -> Result<Tutor> {
    require_may_move(reach, &current, &new)?;
    let row = tutors::table.find(current.id).filter(dsl::version.eq(current.version));
    let sight = Sight::of(reach);
    expected.require(&sight.show(current))?;
    require_references(conn, &new).await?;
    let update = diesel::update(row).set(new).returning(StoredTutor::as_returning());
    let updated: Option<StoredTutor> = update.get_result(&mut conn).await.optional()?;
    updated.map(|tutor| sight.show(tutor)).ok_or(Error::PreconditionFailed)
}

/// A tutor writes its own profile, the others the tutors of the municipalities that they write for.
fn require_writes(reach: &Reach, current: &StoredTutor) -> Result<()> {
    match reach.role {
        Role::Tutor if reach.writes && reach.tutor == Some(current.id) => Ok(()),
        Role::Tutor => Err(Error::OutOfReach("a tutor changes only its own profile".to_owned())),
        _ => reach.require_writes_for(Some(&current.fields.municipality_code)),
    }
}

/// A tutor stays with its municipality; the others move one to a municipality that they write for.
fn require_may_move(reach: &Reach, current: &StoredTutor, new: &TutorInput) -> Result<()> {
    match reach.role {
        _ if new.municipality_code == current.fields.municipality_code => Ok(()),
        Role::Tutor => {
            Err(Error::OutOfReach("a tutor does not change `municipality_code`; leave it as it is".to_owned()))
        }
        _ => reach.require_writes_for(Some(&new.municipality_code)),
    }
}

fn require_more_than_tutor(reach: &Reach, does: &str) -> Result<()> {
    if reach.role == Role::Tutor {
        return Err(Error::OutOfReach(format!("a tutor {does} no tutors; its municipality and the coordinator do")));
    }
    Ok(())
}

/// Tells every reference that leads nowhere; the foreign keys guard against what is deleted meanwhile.
async fn require_references(conn: &Conn, new: &TutorInput) -> Result<()> {
    let code = std::slice::from_ref(&new.municipality_code);
    let (no_themes, no_municipality) =
        try_join(themes::store::missing(conn, &new.themes), municipalities::store::missing(conn, code)).await?;
    let mut violations: Vec<_> = Violation::of_items("tutors_themes_exist", &new.themes, &no_themes).collect();
    if !no_municipality.is_empty() {
        violations.extend(Violation::of_rule("tutors_municipality_code_exists"));
    }
    Error::unless_empty(violations)
}

/// Deletes a tutor that nothing ever referred to, of a municipality that the caller writes for; a tutor none.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], and [`Error::Conflict`] when events or
/// accounts refer to it.
pub async fn delete(mut conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags) -> Result<()> {
    let current = stored(conn, reach, id).await?;
    require_more_than_tutor(reach, "deletes")?;
    require_writes(reach, &current)?;
    let row = tutors::table.find(id).filter(dsl::version.eq(current.version));
    expected.require(&Sight::of(reach).show(current))?;
    match diesel::delete(row).execute(&mut conn).await.map_err(in_use)? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

/// History stays true: who was referred to is ended, not deleted.
fn in_use(error: diesel::result::Error) -> Error {
    match Error::on_delete(error) {
        Error::Conflict { code, .. } => Error::Conflict {
            code,
            detail: "events or an account refer to this tutor: set its `status` to `ended` instead".into(),
        },
        other => other,
    }
}
