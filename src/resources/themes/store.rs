//! The themes in the database. Everybody sees all of them; the coordinator writes them.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
};
use diesel_async::RunQueryDsl;

use super::model::{Theme, ThemeFilter, ThemeInput, ThemeSort as Sort};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{any_of, keyset},
        search::{found, rank},
    },
    http::{List, Page, Patch, Resource as _, conditional::Tags, list::PageRequest},
    problem::{Error, Result},
    schema::themes::{self, dsl},
};

type Visible = IntoBoxed<'static, Select<themes::table, AsSelect<Theme, Pg>>, Pg>;

/// What `q` finds.
const FOUND: &str = "slug = any(array(select slug from themes where search @@";

/// The only door to the table: what this reach sees.
fn visible(_: &Reach) -> Visible {
    Theme::query().into_boxed()
}

/// One theme.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, slug: &str) -> Result<Theme> {
    Ok(visible(reach).filter(dsl::slug.eq(slug.to_owned())).first(&mut conn).await?)
}

/// Those of these slugs, in no order.
///
/// # Errors
/// When the database is away.
pub async fn with_slugs(mut conn: &Conn, reach: &Reach, slugs: Vec<String>) -> Result<Vec<Theme>> {
    Ok(visible(reach).filter(dsl::slug.eq_any(slugs)).load(&mut conn).await?)
}

/// Those of these slugs that no theme has, each as often as it stands there.
///
/// # Errors
/// When the database is away.
pub async fn missing(mut conn: &Conn, slugs: &[String]) -> Result<Vec<String>> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    let query = themes::table.select(dsl::slug).filter(dsl::slug.eq_any(slugs));
    let known: Vec<String> = query.load(&mut conn).await?;
    Ok(slugs.iter().filter(|slug| !known.contains(slug)).cloned().collect())
}

/// A page of themes.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<ThemeFilter>) -> Result<Page<Theme>> {
    let List { filter, page } = list;
    let mut query = any_of!(visible(reach), dsl::kind, filter.kind).limit(page.fetch());
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, query, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let query = match sort {
        Sort::Slug => keyset!(query, page, ascending, dsl::slug: String),
        Sort::SlugDescending => keyset!(query, page, descending, dsl::slug: String),
        Sort::Name => keyset!(query, page, ascending, dsl::sort_name: String, dsl::slug: String),
        Sort::NameDescending => keyset!(query, page, descending, dsl::sort_name: String, dsl::slug: String),
    };
    Ok(page.answer(query.load(&mut conn).await?, |theme| theme.sort_key(sort)))
}

async fn by_rank(mut conn: &Conn, query: Visible, q: &str, page: &PageRequest) -> Result<Page<Theme>> {
    let rank = || rank("search_rank(search,", q);
    let mut query = query.order((rank().desc(), dsl::slug));
    if let Some((least, slug)) = page.after::<(f32, String)>()? {
        query = query.filter(rank().le(least)).filter(rank().lt(least).or(dsl::slug.gt(slug)));
    }
    let rows: Vec<(f32, Theme)> = query.select((rank(), Theme::as_select())).load(&mut conn).await?;
    Ok(page.answer(rows, |(rank, theme)| (*rank, theme.key())).map(|(_, theme)| theme))
}

/// Makes a theme: the coordinator's.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`] when there is no such parent, and [`Error::Conflict`] when the slug is
/// taken.
pub async fn create(mut conn: &Conn, reach: &Reach, new: ThemeInput) -> Result<Theme> {
    reach.require_coordinator("making a theme")?;
    let insert = diesel::insert_into(themes::table).values(new);
    Ok(insert.returning(Theme::as_returning()).get_result(&mut conn).await?)
}

/// Replaces a theme's fields: the coordinator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], and [`Error::Invalid`] when the parent
/// does not exist or is part of the theme.
pub async fn replace(conn: &Conn, reach: &Reach, slug: &str, expected: &Tags, new: ThemeInput) -> Result<Theme> {
    let current = find(conn, reach, slug).await?;
    update(conn, reach, current, expected, new).await
}

/// Merges a patch into a theme's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`], and [`Error::Invalid`] when the result breaks rules.
pub async fn patch(conn: &Conn, reach: &Reach, slug: &str, expected: &Tags, patch: &Patch) -> Result<Theme> {
    let current = find(conn, reach, slug).await?;
    let new = patch.apply(&current.fields)?;
    update(conn, reach, current, expected, new).await
}

async fn update(mut conn: &Conn, reach: &Reach, current: Theme, expected: &Tags, new: ThemeInput) -> Result<Theme> {
    reach.require_coordinator("changing a theme")?;
    if new.slug != current.fields.slug {
        return Err(Error::at("/slug", "fixed", "is fixed for good; leave it as it is in the path"));
    }
    expected.require(&current)?;
    let row = themes::table.find(&current.fields.slug).filter(dsl::version.eq(current.version));
    let update = diesel::update(row).set(new).returning(Theme::as_returning());
    update.get_result(&mut conn).await.optional()?.ok_or(Error::PreconditionFailed)
}

/// Deletes a theme: the coordinator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OutOfReach`], [`Error::PreconditionFailed`], and [`Error::Conflict`] while
/// others refer to it.
pub async fn delete(mut conn: &Conn, reach: &Reach, slug: &str, expected: &Tags) -> Result<()> {
    let current = find(conn, reach, slug).await?;
    reach.require_coordinator("deleting a theme")?;
    expected.require(&current)?;
    let row = themes::table.find(slug).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}
