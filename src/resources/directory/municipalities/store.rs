//! Municipalities in the database. Every caller sees all of them.

use std::collections::HashMap;

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Text,
};
use diesel_async::RunQueryDsl;

use super::model::{Location, Municipality, MunicipalityFilter, MunicipalityInput, MunicipalitySort as Sort};
use crate::{
    auth::reach::Reach,
    db::{
        Conn, Db,
        batching::lookups::Lookup,
        keyset::{any_of, keyset},
        row_limit::{MeanWeight, Rows, rows_within},
        search::{by_first_column, found, rank},
        sql_functions::current_municipality,
    },
    domain::{LocalizedName, MunicipalityCode, RegionCode},
    http::{
        List, Page,
        input::list::{PAGE_BYTES, PageRequest},
    },
    problem::{Error, Result},
    resources::update::{Deletable, Editable},
    schema::municipalities::{self, dsl},
};

/// The mean weight of municipalities.
static MEAN_WEIGHT: MeanWeight = MeanWeight::unknown();

type Query = IntoBoxed<'static, Select<municipalities::table, AsSelect<Municipality, Pg>>, Pg>;

/// The rows that match a search.
const FOUND: &str = "code = any(array(select code from municipalities where search @@";

/// Municipalities by code.
struct ByCode;

impl Lookup for ByCode {
    type Visibility = ();
    type Key = MunicipalityCode;
    type Row = Municipality;

    fn key(row: &Municipality) -> MunicipalityCode {
        row.fields.code.clone()
    }

    async fn load(conn: &Conn, (): &(), codes: Vec<MunicipalityCode>, most: usize) -> Result<Rows<Municipality>> {
        with_codes(conn, codes, most).await
    }
}

/// Returns one municipality. Concurrent calls share one statement.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn look_up(db: &Db, code: MunicipalityCode) -> Result<Municipality> {
    db.look_up::<ByCode>((), code).await
}

/// Returns one municipality.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, code: &MunicipalityCode) -> Result<Municipality> {
    Ok(Municipality::query().filter(dsl::code.eq(code)).first(&mut conn).await?)
}

/// The name and the centre of a municipality.
#[derive(Debug, HasQuery)]
#[diesel(table_name = municipalities)]
pub struct Place {
    code: MunicipalityCode,
    /// The name.
    pub name: LocalizedName,
    /// The centre.
    pub location: Location,
}

/// Returns the names and the centres of the municipalities with these codes.
pub async fn places(mut conn: &Conn, codes: Vec<MunicipalityCode>) -> Result<HashMap<MunicipalityCode, Place>> {
    let found: Vec<Place> = Place::query().filter(dsl::code.eq_any(codes)).load(&mut conn).await?;
    Ok(found.into_iter().map(|place| (place.code.clone(), place)).collect())
}

/// Returns the municipalities with these codes, in any order, as many as have at most `most` bytes.
pub async fn with_codes(mut conn: &Conn, codes: Vec<MunicipalityCode>, most: usize) -> Result<Rows<Municipality>> {
    let query = Municipality::query().filter(dsl::code.eq_any(codes));
    rows_within(query.load_stream(&mut conn).await?, most).await
}

/// Returns the municipalities that the filters `municipality` and `region` of another collection leave, as values of
/// the former. Returns none when no municipality is left.
pub async fn in_regions(
    mut conn: &Conn,
    codes: &[MunicipalityCode],
    regions: &[RegionCode],
) -> Result<Option<Vec<MunicipalityCode>>> {
    if regions.is_empty() {
        return Ok(Some(codes.to_vec()));
    }
    let query = municipalities::table.select(dsl::code).filter(dsl::region_code.eq_any(regions)).order(dsl::code);
    let left: Vec<_> = any_of!(query.into_boxed::<Pg>(), dsl::code, codes).load(&mut conn).await?;
    Ok(Some(left).filter(|left| !left.is_empty()))
}

/// Returns whether `code` is the municipality `of`, or the one that it has merged into.
pub async fn is_or_succeeds(mut conn: &Conn, code: &MunicipalityCode, of: &MunicipalityCode) -> Result<bool> {
    if code == of {
        return Ok(true);
    }
    let current: MunicipalityCode = diesel::select(current_municipality(of)).get_result(&mut conn).await?;
    Ok(current == *code)
}

/// Returns the codes of a municipality's line: of the municipality that exists today, and of all that have merged into
/// it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn line_of(mut conn: &Conn, code: &MunicipalityCode) -> Result<Vec<MunicipalityCode>> {
    let query = "with recursive line (code) as ( \
                   select current_municipality(code) from municipalities where code = $1 \
                   union all \
                   select municipalities.code from municipalities join line on successor_code = line.code) \
                 select code from line";
    let line: Vec<LineMember> = diesel::sql_query(query).bind::<Text, _>(code.as_str()).load(&mut conn).await?;
    if line.is_empty() { Err(Error::NotFound) } else { Ok(line.into_iter().map(|member| member.code).collect()) }
}

#[derive(QueryableByName)]
struct LineMember {
    #[diesel(sql_type = Text)]
    code: MunicipalityCode,
}

/// Returns a page of municipalities.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub async fn list(conn: &Conn, list: &List<MunicipalityFilter>) -> Result<Page<Municipality>> {
    let List { filter, page } = list;
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, filter, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let load = async |limit| {
        let mut conn = conn;
        let query = sorted(filtered(filter).limit(limit), sort, page)?;
        rows_within(query.load_stream::<Municipality>(&mut conn).await?, PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |municipality| municipality.sort_key(sort)))
}

/// Sorts the municipalities, and starts after the cursor of the page.
fn sorted(query: Query, sort: Sort, page: &PageRequest) -> Result<Query> {
    Ok(match sort {
        Sort::Code => keyset!(query, page, ascending, dsl::code: MunicipalityCode),
        Sort::CodeDescending => keyset!(query, page, descending, dsl::code: MunicipalityCode),
        Sort::Name => keyset!(query, page, ascending, dsl::sort_name: String, dsl::code: MunicipalityCode),
        Sort::NameDescending => keyset!(query, page, descending, dsl::sort_name: String, dsl::code: MunicipalityCode),
        Sort::Population => keyset!(query, page, ascending, dsl::population: i32, dsl::code: MunicipalityCode),
        Sort::PopulationDescending => {
            keyset!(query, page, descending, dsl::population: i32, dsl::code: MunicipalityCode)
        }
    })
}

fn filtered(filter: &MunicipalityFilter) -> Query {
    let query = Municipality::query().into_boxed();
    let query = any_of!(query, dsl::support_stage, filter.support_stage);
    let query = any_of!(query, dsl::language_status, filter.language_status);
    let query = any_of!(query, dsl::successor_code, filter.successor);
    let mut query = any_of!(query, dsl::region_code, filter.region);
    if let Some(min) = filter.population_min {
        query = query.filter(dsl::population.ge(min));
    }
    if let Some(max) = filter.population_max {
        query = query.filter(dsl::population.le(max));
    }
    query = match filter.ended {
        None => query,
        Some(true) => query.filter(dsl::ended_on.is_not_null()),
        Some(false) => query.filter(dsl::ended_on.is_null()),
    };
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    query
}

async fn by_rank(conn: &Conn, filter: &MunicipalityFilter, q: &str, page: &PageRequest) -> Result<Page<Municipality>> {
    let rank = || rank("search_rank(search,", q);
    let after = page.after::<(f32, MunicipalityCode)>()?;
    let load = async |limit| {
        let mut conn = conn;
        let mut query = filtered(filter).limit(limit).order((by_first_column(), dsl::code));
        if let Some((least, code)) = after.clone() {
            query = query.filter(rank().le(least)).filter(rank().lt(least).or(dsl::code.gt(code)));
        }
        let query = query.select((rank(), Municipality::as_select()));
        rows_within(query.load_stream::<(f32, Municipality)>(&mut conn).await?, PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    let ranked = Page::from_rows(page, rows, |(rank, municipality)| (*rank, municipality.fields.code.clone()));
    Ok(ranked.map(|(_, municipality)| municipality))
}

/// Creates a municipality. Only the coordinator may do this.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Conflict`] when the code is taken.
pub async fn create(mut conn: &Conn, reach: &Reach, new: MunicipalityInput) -> Result<Municipality> {
    reach.require_coordinator("create a municipality")?;
    let insert = diesel::insert_into(municipalities::table).values(new);
    Ok(insert.returning(Municipality::as_returning()).get_result(&mut conn).await?)
}

impl Editable for Municipality {
    type Resource = Self;
    type Input = MunicipalityInput;
    type Key = MunicipalityCode;

    async fn find_row(conn: &Conn, _: &Reach, code: &MunicipalityCode) -> Result<Self> {
        find(conn, code).await
    }

    fn view(self, _: &Reach) -> Self {
        self
    }

    fn fields(&self) -> &MunicipalityInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        reach.require_writes_for(Some(&self.fields.code))
    }

    async fn check(&self, _: &Conn, reach: &Reach, new: MunicipalityInput) -> Result<MunicipalityInput> {
        require_own_fields(reach, &self.fields, &new)?;
        if new.code != self.fields.code {
            return Err(Error::at("/code", "fixed", "the code cannot be changed; send the code that is in the path"));
        }
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: MunicipalityInput) -> Result<Option<Self>> {
        let row = municipalities::table.find(&self.fields.code).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for Municipality {
    fn require_deletable(&self, reach: &Reach) -> Result<()> {
        reach.require_coordinator("delete a municipality")
    }

    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = municipalities::table.find(&self.fields.code).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)
    }
}

/// Refuses callers other than the coordinator that change fields which only the coordinator may change.
fn require_own_fields(reach: &Reach, current: &MunicipalityInput, new: &MunicipalityInput) -> Result<()> {
    if reach.is_coordinator() {
        return Ok(());
    }
    let changes = [
        ("code", current.code != new.code),
        ("name", current.name != new.name),
        ("region_code", current.region_code != new.region_code),
        ("region_name", current.region_name != new.region_name),
        ("language_status", current.language_status != new.language_status),
        ("sami_languages", current.sami_languages != new.sami_languages),
        ("population", current.population != new.population),
        ("population_on", current.population_on != new.population_on),
        ("location", current.location != new.location),
    ];
    let named: Vec<_> = changes.iter().filter(|(_, changed)| *changed).map(|(name, _)| format!("`{name}`")).collect();
    if named.is_empty() {
        return Ok(());
    }
    Err(Error::OutOfReach(format!("only the coordinator may change {}; leave them unchanged", named.join(", "))))
}
