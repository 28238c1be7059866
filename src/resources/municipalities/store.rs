//! The municipalities in the database. Everybody sees all of them; who writes what is decided here.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
};
use diesel_async::RunQueryDsl;

use super::model::{Municipality, MunicipalityFilter, MunicipalityInput, MunicipalitySort as Sort};
use crate::{
    auth::reach::Reach,
    db::{
        Conn, Db,
        keyset::{any_of, keyset},
        lookup::Lookup,
        search::{by_first_column, found, rank},
    },
    http::{List, Page, Patch, Resource as _, conditional::Tags, list::PageRequest},
    problem::{Error, Result},
    schema::municipalities::{self, dsl},
};

type Visible = IntoBoxed<'static, Select<municipalities::table, AsSelect<Municipality, Pg>>, Pg>;

/// What `q` finds.
const FOUND: &str = "code = any(array(select code from municipalities where search @@";

/// The only door to the table: what this reach sees.
fn visible(_: &Reach) -> Visible {
    Municipality::query().into_boxed()
}

/// Municipalities by their codes.
struct ByCode;

impl Lookup for ByCode {
    type Sight = ();
    type Key = String;
    type Row = Municipality;

    fn key(row: &Municipality) -> String {
        row.fields.code.clone()
    }

    async fn load(mut conn: &Conn, (): &(), codes: Vec<String>) -> Result<Vec<Municipality>> {
        Ok(Municipality::query().filter(dsl::code.eq_any(codes)).load(&mut conn).await?)
    }
}

/// One municipality, asked for together with others.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn look_up(db: &Db, _: &Reach, code: &str) -> Result<Municipality> {
    db.look_up::<ByCode>((), code.to_owned()).await
}

/// One municipality.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, code: &str) -> Result<Municipality> {
    Ok(visible(reach).filter(dsl::code.eq(code.to_owned())).first(&mut conn).await?)
}

/// Those of these codes, in no order.
///
/// # Errors
/// When the database is away.
pub async fn with_codes(mut conn: &Conn, reach: &Reach, codes: Vec<String>) -> Result<Vec<Municipality>> {
    Ok(visible(reach).filter(dsl::code.eq_any(codes)).load(&mut conn).await?)
}

/// Those of these codes that no municipality has, each as often as it stands there.
///
/// # Errors
/// When the database is away.
pub async fn missing(mut conn: &Conn, codes: &[String]) -> Result<Vec<String>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let query = municipalities::table.select(dsl::code).filter(dsl::code.eq_any(codes));
    let known: Vec<String> = query.load(&mut conn).await?;
    Ok(codes.iter().filter(|code| !known.contains(code)).cloned().collect())
}

/// A page of municipalities.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<MunicipalityFilter>) -> Result<Page<Municipality>> {
    let List { filter, page } = list;
    let query = filtered(reach, filter).limit(page.fetch());
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, query, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let query = match sort {
        Sort::Code => keyset!(query, page, ascending, dsl::code: String),
        Sort::CodeDescending => keyset!(query, page, descending, dsl::code: String),
        Sort::Name => keyset!(query, page, ascending, dsl::sort_name: String, dsl::code: String),
        Sort::NameDescending => keyset!(query, page, descending, dsl::sort_name: String, dsl::code: String),
        Sort::Population => keyset!(query, page, ascending, dsl::population: i32, dsl::code: String),
        Sort::PopulationDescending => keyset!(query, page, descending, dsl::population: i32, dsl::code: String),
    };
    Ok(page.answer(query.load(&mut conn).await?, |municipality| municipality.sort_key(sort)))
}

fn filtered(reach: &Reach, filter: &MunicipalityFilter) -> Visible {
    let query = visible(reach);
    let query = any_of!(query, dsl::support_stage, filter.support_stage);
    let query = any_of!(query, dsl::language_status, filter.language_status);
    let mut query = any_of!(query, dsl::region_code, filter.region);
    if let Some(least) = filter.population_min {
        query = query.filter(dsl::population.ge(least));
    }
    if let Some(most) = filter.population_max {
        query = query.filter(dsl::population.le(most));
    }
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    query
}

async fn by_rank(mut conn: &Conn, query: Visible, q: &str, page: &PageRequest) -> Result<Page<Municipality>> {
    let rank = || rank("search_rank(search,", q);
    let mut query = query.order((by_first_column(), dsl::code));
    if let Some((least, code)) = page.after::<(f32, String)>()? {
        query = query.filter(rank().le(least)).filter(rank().lt(least).or(dsl::code.gt(code)));
    }
    let rows: Vec<(f32, Municipality)> = query.select((rank(), Municipality::as_select())).load(&mut conn).await?;
    let ranked = page.answer(rows, |(rank, municipality)| (*rank, municipality.key()));
    Ok(ranked.map(|(_, municipality)| municipality))
}

/// Makes a municipality: the coordinator's.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Conflict`] when the code is taken.
pub async fn create(mut conn: &Conn, reach: &Reach, new: MunicipalityInput) -> Result<Municipality> {
    reach.require_coordinator("making a municipality")?;
    let insert = diesel::insert_into(municipalities::table).values(new);
    Ok(insert.returning(Municipality::as_returning()).get_result(&mut conn).await?)
}

/// Replaces a municipality's fields: all of them by the coordinator, its own ones by the municipality.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], which names the fields, and [`Error::PreconditionFailed`].
pub async fn replace(
    conn: &Conn,
    reach: &Reach,
    code: &str,
    expected: &Tags,
    new: MunicipalityInput,
) -> Result<Municipality> {
    let current = find(conn, reach, code).await?;
    update(conn, reach, current, expected, new).await
}

/// Merges a patch into a municipality's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`], and [`Error::Invalid`] when the result breaks rules.
pub async fn patch(conn: &Conn, reach: &Reach, code: &str, expected: &Tags, patch: &Patch) -> Result<Municipality> {
    let current = find(conn, reach, code).await?;
    // First of all: whether a patch breaks a rule may tell what is stored.
    reach.require_writes_for(Some(code))?;
    let new = patch.apply(&current.fields)?;
    update(conn, reach, current, expected, new).await
}

async fn update(
    mut conn: &Conn,
    reach: &Reach,
    current: Municipality,
    expected: &Tags,
    new: MunicipalityInput,
) -> Result<Municipality> {
    require_own_fields(reach, &current.fields, &new)?;
    if new.code != current.fields.code {
        return Err(Error::at("/code", "fixed", "is fixed for good; leave it as it is in the path"));
    }
    expected.require(&current)?;
    let row = municipalities::table.find(&current.fields.code).filter(dsl::version.eq(current.version));
    let update = diesel::update(row).set(new).returning(Municipality::as_returning());
    update.get_result(&mut conn).await.optional()?.ok_or(Error::PreconditionFailed)
}

/// A municipality changes its own stage, year, website and profile; the rest is the coordinator's.
fn require_own_fields(reach: &Reach, current: &MunicipalityInput, new: &MunicipalityInput) -> Result<()> {
    reach.require_writes_for(Some(&current.code))?;
    if reach.is_coordinator() {
        return Ok(());
    }
    let touched = [
        ("code", current.code != new.code),
        ("name", current.name != new.name),
        ("region_code", current.region_code != new.region_code),
        ("region_name", current.region_name != new.region_name),
        ("language_status", current.language_status != new.language_status),
        ("population", current.population != new.population),
        ("population_on", current.population_on != new.population_on),
        ("location", current.location != new.location),
    ];
    let named: Vec<_> = touched.iter().filter(|(_, touched)| *touched).map(|(name, _)| format!("`{name}`")).collect();
    if named.is_empty() {
        return Ok(());
    }
    Err(Error::OutOfReach(format!("only the coordinator changes {}; leave them as they are", named.join(", "))))
}

/// Deletes a municipality: the coordinator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], and [`Error::Conflict`] while
/// others refer to it.
pub async fn delete(mut conn: &Conn, reach: &Reach, code: &str, expected: &Tags) -> Result<()> {
    let current = find(conn, reach, code).await?;
    reach.require_coordinator("deleting a municipality")?;
    expected.require(&current)?;
    let row = municipalities::table.find(code).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}
