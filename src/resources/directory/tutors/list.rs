//! Lists of tutors.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Tutor, TutorFilter, TutorRow, TutorSort as Sort},
    visibility::ContactVisibility,
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{any_linked, any_of, keyset},
        row_limit::{MeanWeight, rows_within},
        search::by_first_column,
    },
    domain::MunicipalityCode,
    http::{
        List, Page,
        input::list::{PAGE_BYTES, PageRequest},
    },
    problem::Result,
    resources::directory::municipalities,
    schema::{
        tutor_languages, tutor_themes,
        tutors::{self, dsl},
    },
};

/// The mean weight of tutors.
static MEAN_WEIGHT: MeanWeight = MeanWeight::unknown();

type Query = IntoBoxed<'static, Select<tutors::table, AsSelect<TutorRow, Pg>>, Pg>;

/// Returns a page of tutors.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that belongs to another list.
pub(super) async fn list(conn: &Conn, reach: &Reach, list: &List<TutorFilter>) -> Result<Page<Tutor>> {
    let List { filter, page } = list;
    let Some(codes) = municipalities::store::in_regions(conn, &filter.municipality, &filter.region).await? else {
        return Ok(Page::from_rows(page, Vec::new(), |_| ()));
    };
    let visibility = ContactVisibility::of(reach);
    let filter = (filter, &codes[..]);
    let sort = match (filter.0.sort, &filter.0.q) {
        (None, Some(q)) => return by_rank(conn, &visibility, filter, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let after = page.after::<Uuid>()?;
    let load = async |limit| {
        let mut conn = conn;
        let query = match sort {
            Sort::Id => {
                let query = filtered(&visibility, filter, (after.unwrap_or(Uuid::nil()), Uuid::max()));
                keyset!(query, page, ascending, dsl::id: Uuid)
            }
            Sort::IdDescending => {
                let query = filtered(&visibility, filter, (Uuid::nil(), after.unwrap_or(Uuid::max())));
                keyset!(query, page, descending, dsl::id: Uuid)
            }
        };
        rows_within(query.limit(limit).load_stream::<TutorRow>(&mut conn).await?, PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |row| row.id).map(|row| visibility.view(row)))
}

/// Returns a query for the tutors that pass the filters. `municipalities` are those of the filters `municipality` and
/// `region`. The ids of the page lie between the bounds. The link tables get the
/// bounds too: PostgreSQL applies an equality on `tutors.id` to the joined column, but not an inequality.
fn filtered(
    visibility: &ContactVisibility,
    (filter, municipalities): (&TutorFilter, &[MunicipalityCode]),
    bounds: (Uuid, Uuid),
) -> Query {
    let query = TutorRow::query().into_boxed();
    let query = any_of!(query, dsl::municipality_code, municipalities);
    let query = any_of!(query, dsl::status, filter.status);
    let query = any_of!(query, dsl::source, filter.source);
    let query = any_of!(query, dsl::external_id, filter.external_id);
    let links = tutor_themes::table.filter(tutor_themes::tutor_id.eq(dsl::id));
    let links = links.filter(tutor_themes::tutor_id.gt(bounds.0)).filter(tutor_themes::tutor_id.lt(bounds.1));
    let query = any_linked!(query, links, tutor_themes::theme_slug, filter.theme);
    let links = tutor_languages::table.filter(tutor_languages::tutor_id.eq(dsl::id));
    let links = links.filter(tutor_languages::tutor_id.gt(bounds.0)).filter(tutor_languages::tutor_id.lt(bounds.1));
    let query = any_linked!(query, links, tutor_languages::language, filter.language);
    match &filter.q {
        Some(q) => query.filter(visibility.found(q)),
        None => query,
    }
}

async fn by_rank(
    conn: &Conn,
    visibility: &ContactVisibility,
    filter: (&TutorFilter, &[MunicipalityCode]),
    q: &str,
    page: &PageRequest,
) -> Result<Page<Tutor>> {
    let after = page.after::<(f32, Uuid)>()?;
    let load = async |limit| {
        let mut conn = conn;
        let query = filtered(visibility, filter, (Uuid::nil(), Uuid::max()));
        let mut query = query.order((by_first_column(), dsl::id)).limit(limit);
        if let Some((least, id)) = after {
            query = query.filter(visibility.rank(q).le(least)).filter(visibility.rank(q).lt(least).or(dsl::id.gt(id)));
        }
        let query = query.select((visibility.rank(q), TutorRow::as_select()));
        rows_within(query.load_stream::<(f32, TutorRow)>(&mut conn).await?, PAGE_BYTES).await
    };
    let rows = page.load(&MEAN_WEIGHT, load).await?;
    Ok(Page::from_rows(page, rows, |(rank, row)| (*rank, row.id)).map(|(_, row)| visibility.view(row)))
}
