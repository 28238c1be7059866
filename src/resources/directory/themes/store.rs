//! Themes in the database. Every caller sees all of them; only the coordinator writes them.

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
    domain::ThemeSlug,
    http::{List, Page, input::list::PageRequest},
    problem::{Error, Result},
    resources::update::{Deletable, Editable},
    schema::themes::{self, dsl},
};

type Query = IntoBoxed<'static, Select<themes::table, AsSelect<Theme, Pg>>, Pg>;

/// The rows that match a search.
const FOUND: &str = "slug = any(array(select slug from themes where search @@";

/// Returns one theme.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, slug: &ThemeSlug) -> Result<Theme> {
    Ok(Theme::query().filter(dsl::slug.eq(slug)).first(&mut conn).await?)
}

/// Returns the themes with these slugs, in any order.
pub async fn with_slugs(mut conn: &Conn, slugs: Vec<ThemeSlug>) -> Result<Vec<Theme>> {
    Ok(Theme::query().filter(dsl::slug.eq_any(slugs)).load(&mut conn).await?)
}

/// Returns the slugs that no theme has.
pub async fn missing(mut conn: &Conn, slugs: &[ThemeSlug]) -> Result<Vec<ThemeSlug>> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    let query = themes::table.select(dsl::slug).filter(dsl::slug.eq_any(slugs));
    let known: Vec<ThemeSlug> = query.load(&mut conn).await?;
    Ok(slugs.iter().filter(|slug| !known.contains(slug)).cloned().collect())
}

/// Returns a page of themes.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub async fn list(mut conn: &Conn, list: &List<ThemeFilter>) -> Result<Page<Theme>> {
    let List { filter, page } = list;
    let query = any_of!(Theme::query().into_boxed(), dsl::kind, filter.kind);
    let mut query = any_of!(query, dsl::parent, filter.parent).limit(page.fetch());
    if let Some(q) = &filter.q {
        query = query.filter(found(FOUND, q));
    }
    let sort = match (filter.sort, &filter.q) {
        (None, Some(q)) => return by_rank(conn, query, q, page).await,
        (sort, _) => sort.unwrap_or_default(),
    };
    let query = match sort {
        Sort::Slug => keyset!(query, page, ascending, dsl::slug: ThemeSlug),
        Sort::SlugDescending => keyset!(query, page, descending, dsl::slug: ThemeSlug),
        Sort::Name => keyset!(query, page, ascending, dsl::sort_name: String, dsl::slug: ThemeSlug),
        Sort::NameDescending => keyset!(query, page, descending, dsl::sort_name: String, dsl::slug: ThemeSlug),
    };
    Ok(Page::from_rows(page, query.load(&mut conn).await?, |theme| theme.sort_key(sort)))
}

async fn by_rank(mut conn: &Conn, query: Query, q: &str, page: &PageRequest) -> Result<Page<Theme>> {
    let rank = || rank("search_rank(search,", q);
    let mut query = query.order((rank().desc(), dsl::slug));
    if let Some((least, slug)) = page.after::<(f32, ThemeSlug)>()? {
        query = query.filter(rank().le(least)).filter(rank().lt(least).or(dsl::slug.gt(slug)));
    }
    let rows: Vec<(f32, Theme)> = query.select((rank(), Theme::as_select())).load(&mut conn).await?;
    Ok(Page::from_rows(page, rows, |(rank, theme)| (*rank, theme.fields.slug.clone())).map(|(_, theme)| theme))
}

/// Creates a theme.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Invalid`] when the parent does not exist, and [`Error::Conflict`] when the slug is
/// taken.
pub async fn create(mut conn: &Conn, reach: &Reach, new: ThemeInput) -> Result<Theme> {
    reach.require_coordinator("create a theme")?;
    let insert = diesel::insert_into(themes::table).values(new);
    Ok(insert.returning(Theme::as_returning()).get_result(&mut conn).await?)
}

impl Editable for Theme {
    type Resource = Self;
    type Input = ThemeInput;
    type Key = ThemeSlug;

    async fn find_row(conn: &Conn, _: &Reach, slug: &ThemeSlug) -> Result<Self> {
        find(conn, slug).await
    }

    fn view(self, _: &Reach) -> Self {
        self
    }

    fn fields(&self) -> &ThemeInput {
        &self.fields
    }

    fn require_reach(&self, reach: &Reach) -> Result<()> {
        reach.require_coordinator("change a theme")
    }

    async fn check(&self, _: &Conn, _: &Reach, new: ThemeInput) -> Result<ThemeInput> {
        if new.slug != self.fields.slug {
            return Err(Error::at("/slug", "fixed", "the slug cannot be changed; send the slug that is in the path"));
        }
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: ThemeInput) -> Result<Option<Self>> {
        let row = themes::table.find(&self.fields.slug).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

impl Deletable for Theme {
    async fn delete(&self, mut conn: &Conn) -> Result<usize> {
        let row = themes::table.find(&self.fields.slug).filter(dsl::version.eq(self.version));
        diesel::delete(row).execute(&mut conn).await.map_err(Error::on_delete)
    }
}
